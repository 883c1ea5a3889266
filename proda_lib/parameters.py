"""The 21 parameters of the CLM5 soil carbon model, their prior boxes and CLM5's own values.

Order, bounds and defaults follow the original PRODA code (model `cesm2_clm5_cen_vr_v2`); transfer
fractions already hold the loss to respiration. Vectors of parameters are always in this order.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from proda_lib.arrays import namespace
from proda_lib.environment import MINPSI
from proda_lib.nearest import unknown

__all__ = [
    "BINN",
    "CLM5_DEFAULT",
    "NAMES",
    "PARAMETERS",
    "POOLS",
    "PRIORS",
    "PRODA",
    "PROCESSES",
    "Parameter",
    "PriorBox",
    "by_name",
    "index",
    "require_possible",
]

FloatArray = NDArray[np.float64]

#: The seven pools, in the order of the state vector (pool by pool, each from the surface down).
POOLS = ("cwd", "litter1", "litter2", "litter3", "soil1", "soil2", "soil3")

#: The five processes that the parameters belong to, with the letter of the matrix equation.
PROCESSES = {
    "A": "carbon transfer and microbial CUE",
    "K": "baseline decomposition",
    "xi": "environmental modifiers",
    "V": "vertical transport",
    "I": "input allocation",
}


@dataclass(frozen=True)
class Parameter:
    """One parameter of the model.

    Attributes
    ----------
    name, symbol, unit, meaning : str
        Name in the original files, TeX symbol, unit ("1" if none), one-line meaning.
    process : str
        Key of `PROCESSES`.
    default : float
        CLM5's value (parameter file clm5_params.c190829.nc).
    """

    name: str
    symbol: str
    unit: str
    meaning: str
    process: str
    default: float


# Sand content (percent) at which the table below states the sand-dependent default of fs1s2.
_SAND_OF_TABLE = 50.0


def sand_rule(sand: ArrayLike) -> tuple[FloatArray, FloatArray]:
    """CLM5's default transfer fractions out of the fast soil pool, which depend on sand.

    t = 0.85 - 0.68 x 0.01 (100 - sand), fs1s3 = 0.004, fs1s2 = 1 - t - 0.004 (CENTURY; a_matrix of
    the original code). For sand below about 63 % fs1s2 exceeds the prior's upper limit of 0.4.

    Parameters
    ----------
    sand : array_like
        Sand content, percent.

    Returns
    -------
    fs1s2, fs1s3 : ndarray
        Fractions of the decomposed fast pool that reach the slow and the passive pool, 1.

    Examples
    --------
    >>> fs1s2, fs1s3 = sand_rule([0, 50, 100])
    >>> fs1s2.round(3).tolist(), fs1s3.tolist()
    ([0.826, 0.486, 0.146], [0.004, 0.004, 0.004])
    """
    xp = namespace(sand)
    sand = xp.clip(xp.asarray(sand, dtype=float), 0, 100)
    respired = 0.85 - 0.68 * 0.01 * (100 - sand)
    to_passive = xp.full_like(sand, 0.004)
    return 1 - respired - to_passive, to_passive


PARAMETERS: tuple[Parameter, ...] = (
    Parameter("diffus", r"D_b", "m2 yr-1", "diffusivity of bioturbation", "V", 1e-4),
    Parameter("cryo", r"D_c", "m2 yr-1", "diffusivity of cryoturbation", "V", 5e-4),
    Parameter("q10", r"Q_{10}", "1", "temperature sensitivity of decomposition", "xi", 1.5),
    Parameter("efolding", r"z_\tau", "m", "e-folding depth of decomposition", "xi", 10.0),
    Parameter("taucwd", r"\tau_{cwd}", "yr", "turnover time, coarse woody debris", "K", 1 / 0.3),
    Parameter("taul1", r"\tau_{l1}", "yr", "turnover time, metabolic litter", "K", 1 / 18.5),
    Parameter("taul2", r"\tau_{l2}", "yr", "turnover time, cellulose and lignin litter", "K",
              1 / 4.9),
    Parameter("tau4s1", r"\tau_{s1}", "yr", "turnover time, fast soil carbon", "K", 1 / 7.3),
    Parameter("tau4s2", r"\tau_{s2}", "yr", "turnover time, slow soil carbon", "K", 1 / 0.2),
    Parameter("tau4s3", r"\tau_{s3}", "yr", "turnover time, passive soil carbon", "K", 1 / 0.0045),
    Parameter("fl1s1", r"f_{l1,s1}", "1", "metabolic litter to fast soil carbon", "A", 0.45),
    Parameter("fl2s1", r"f_{l2,s1}", "1", "cellulose litter to fast soil carbon", "A", 0.5),
    Parameter("fl3s2", r"f_{l3,s2}", "1", "lignin litter to slow soil carbon", "A", 0.5),
    Parameter("fs1s2", r"f_{s1,s2}", "1", "fast to slow soil carbon", "A",
              float(sand_rule(_SAND_OF_TABLE)[0])),
    Parameter("fs1s3", r"f_{s1,s3}", "1", "fast to passive soil carbon", "A", 0.004),
    Parameter("fs2s1", r"f_{s2,s1}", "1", "slow to fast soil carbon", "A", 0.42),
    Parameter("fs2s3", r"f_{s2,s3}", "1", "slow to passive soil carbon", "A", 0.03),
    Parameter("fs3s1", r"f_{s3,s1}", "1", "passive to fast soil carbon", "A", 0.45),
    Parameter("fcwdl2", r"f_{cwd,l2}", "1", "share of woody debris to cellulose litter", "A", 0.76),
    Parameter("w-scaling", r"w", "1", "multiplier on CLM5's water scalar", "xi", 1.0),
    Parameter("beta", r"\beta", "1", "vertical shape of carbon input, per cm", "I", 0.95),
)  # fmt: skip

NAMES: tuple[str, ...] = tuple(parameter.name for parameter in PARAMETERS)

_FRACTIONS = frozenset(parameter.name for parameter in PARAMETERS if parameter.process == "A")

#: CLM5's values, shape (21,). fs1s2 is the sand rule at 50 % sand: a default *run* uses each
#: layer's own sand (`proda_lib.steady_state.default_run`).
CLM5_DEFAULT: FloatArray = np.array([parameter.default for parameter in PARAMETERS])
CLM5_DEFAULT.setflags(write=False)


def index(name: str) -> int:
    """Return the 0-based position of a parameter in every parameter vector.

    Examples
    --------
    >>> index("q10"), index("beta")
    (2, 20)
    """
    if name not in NAMES:
        raise ValueError(unknown("parameter", name, NAMES))
    return NAMES.index(name)


def by_name(parameters: ArrayLike) -> dict[str, FloatArray]:
    """Split parameter vectors by name; the last axis holds the 21 parameters.

    Examples
    --------
    >>> float(by_name(CLM5_DEFAULT)["q10"])
    1.5
    """
    values = np.asarray(parameters, dtype=float)
    if values.ndim == 0 or values.shape[-1] != len(NAMES):
        raise ValueError(
            f"parameters have shape {values.shape}: the last axis must hold {len(NAMES)} physical "
            f"values in the order {', '.join(NAMES)}"
        )
    return {name: values[..., i] for i, name in enumerate(NAMES)}


def require_possible(values: FloatArray, names: Sequence[str] = NAMES) -> None:
    """Raise a ValueError if a parameter has no meaning in the model, whatever the prior says.

    Some prior limits are such values: nothing can be divided by an e-folding depth of 0.

    Parameters
    ----------
    values : ndarray, shape (n, len(names))
        Physical values.
    names : sequence of str
        Of the columns.

    Examples
    --------
    >>> require_possible(CLM5_DEFAULT[None])
    """
    lower, upper, allowed = zip(*map(_possible, names), strict=True)
    bad = ~((values >= np.array(lower)) & (values <= np.array(upper)))
    if bad.any():
        row, column = np.argwhere(bad)[0]
        raise ValueError(
            f"parameter {names[column]} of row {row} is {values[row, column]:g}, it must be "
            f"{allowed[column]}: stay inside the prior, whose ends are not part of it, or leave "
            "the row out"
        )


def _possible(name: str) -> tuple[float, float, str]:
    """Least and greatest possible value of a parameter, and both in words."""
    above_zero, largest = np.nextafter(0.0, 1.0), np.finfo(float).max
    if name in ("diffus", "cryo"):
        return 0.0, largest, "finite and not negative"
    if name in _FRACTIONS:
        return 0.0, 1.0, "from 0 to 1"
    if name == "beta":
        return above_zero, np.nextafter(1.0, 0.0), "greater than 0 and less than 1"
    if name == "maxpsi":
        return np.nextafter(MINPSI, 0.0), -above_zero, f"between {MINPSI:g} and 0 MPa"
    return above_zero, largest, "finite and greater than 0"


@dataclass(frozen=True, eq=False)
class PriorBox:
    """Uniform prior on a box: each parameter between two limits, independently.

    Attributes
    ----------
    name, source : str
    lower, upper : ndarray, shape (21,)
        Limits in physical units, in the order of `PARAMETERS`.

    Examples
    --------
    >>> float(PRODA.to_physical([0.5] * 21)[2])
    2.1
    >>> bool(np.allclose(PRODA.to_unit(PRODA.lower), 0))
    True
    """

    name: str
    source: str
    lower: FloatArray
    upper: FloatArray

    def __post_init__(self) -> None:
        for limit in (self.lower, self.upper):
            limit.setflags(write=False)

    def to_physical(self, unit: ArrayLike) -> FloatArray:
        """Map the unit cube to physical values: lower + unit (upper - lower); shape (..., 21)."""
        return self.lower + namespace(unit).asarray(unit) * (self.upper - self.lower)

    def to_unit(self, physical: ArrayLike) -> FloatArray:
        """Map physical values to the unit cube, the inverse of `to_physical`; shape (..., 21)."""
        return (namespace(physical).asarray(physical) - self.lower) / (self.upper - self.lower)

    def contains(self, physical: ArrayLike) -> NDArray[np.bool_]:
        """Tell which parameter vectors lie inside the box, limits included; shape (...)."""
        unit = self.to_unit(physical)
        return ((unit >= 0) & (unit <= 1)).all(axis=-1)


PRODA = PriorBox(
    "PRODA",
    "original PRODA code, global study (2023)",
    np.array([3e-5, 3e-5, 1.2, 0, 1, 0, 0.1, 0, 1, 200]
             + [0.1, 0.2, 0.2, 0, 0, 0.1, 0, 0, 0.5, 0, 0.5]),
    np.array([5e-4, 16e-4, 3, 1, 6, 0.11, 0.3, 1, 50, 1000]
             + [0.8, 0.8, 0.8, 0.4, 0.05, 0.74, 0.1, 0.9, 1, 5, 0.9999]),
)  # fmt: skip

BINN = PriorBox(
    "BINN",
    "BINN, the PyTorch successor (2025)",
    np.array([3e-5, 3e-5, 1.2, 0.1, 1, 1e-4, 0.1, 1e-4, 1, 20]
             + [0.1, 0.2, 0.2, 1e-4, 1e-4, 0.1, 1e-4, 1e-4, 0.5, 1e-4, 0.5]),
    np.array([5e-4, 16e-4, 3, 1, 6, 0.11, 0.3, 0.5, 10, 400]
             + [0.8, 0.8, 0.8, 0.4, 0.1, 0.74, 0.1, 0.9, 1, 5, 0.9999]),
)  # fmt: skip

PRIORS: dict[str, PriorBox] = {box.name: box for box in (PRODA, BINN)}
