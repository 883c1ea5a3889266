"""The two configurations of the model: the global study's and the chapter's.

`CLM5_20` has 20 layers, 21 calibrated parameters, CLM5's water scalar and litter input. `CHAPTER`
is the 2020 study of the conterminous United States as the chapter describes it: 10 layers, 18
calibrated parameters with the upper water potential among them, soil water potential, and net
primary production split among the litter pools. No public code of it exists.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from proda_lib.environment import MAXPSI
from proda_lib.parameters import CLM5_DEFAULT, NAMES, PARAMETERS, PRODA, PriorBox, by_name
from proda_lib.soil_grid import CLM5, CLM45, SoilGrid

__all__ = ["CHAPTER", "CLM5_20", "CONFIGURATIONS", "Configuration", "configuration"]


@dataclass(frozen=True, eq=False)
class Configuration:
    """Which layers, parameters and forcing the model has.

    Attributes
    ----------
    name : str
    grid : SoilGrid
    names : tuple of str
        Calibrated parameters, in the order of every parameter vector.
    prior : PriorBox
        Box of the calibrated parameters.
    default : ndarray, shape (len(names),)
        The model's own values, physical units.
    water : {"scalar", "potential"}
        Whether forcing holds CLM5's water scalar or the water potential.
    fixed : mapping of str to float
        Parameters that are not calibrated.
    partition : tuple of float or None
        Share of net primary production that enters cwd and the three litters (B of equation 37.1);
        None where litter input is forcing.
    """

    name: str
    grid: SoilGrid
    names: tuple[str, ...]
    prior: PriorBox
    default: np.ndarray
    water: Literal["scalar", "potential"] = "scalar"
    fixed: Mapping[str, float] = field(default_factory=dict)
    partition: tuple[float, float, float, float] | None = None

    def value(self, parameters: Any) -> dict[str, Any]:
        """Name the parameters of vectors (..., len(names)) and add the fixed ones.

        Examples
        --------
        >>> sorted(set(CHAPTER.value(CHAPTER.default)) - set(CLM5_20.names))
        ['maxpsi']
        """
        return {name: parameters[..., i] for i, name in enumerate(self.names)} | dict(self.fixed)


CLM5_20 = Configuration("clm5", CLM5, NAMES, PRODA, CLM5_DEFAULT)

_SHARED = tuple(name for name in NAMES if name not in {"taucwd", "taul1", "taul2", "w-scaling"})
_IN_CLM5 = [NAMES.index(name) for name in _SHARED]

# The prior of maxpsi is in no public source: this range holds CLM5's default and leaves the scalar
# its meaning (no limitation somewhere between field capacity and saturation).
_MAXPSI_RANGE = (-0.05, -0.0005)

#: CLM4.5's code sets decomp_depth_efolding = 0.5 m.
_CLM45_EFOLDING = 0.5


def _chapter_default() -> np.ndarray:
    default = by_name(CLM5_DEFAULT) | {"efolding": np.array(_CLM45_EFOLDING)}
    return np.array([*(float(default[name]) for name in _SHARED), MAXPSI])


CHAPTER = Configuration(
    name="chapter",
    grid=CLM45,
    names=(*_SHARED, "maxpsi"),
    prior=PriorBox(
        "chapter",
        "PRODA's box for shared names; of maxpsi our own choice, the chapter prints none",
        np.append(PRODA.lower[_IN_CLM5], _MAXPSI_RANGE[0]),
        np.append(PRODA.upper[_IN_CLM5], _MAXPSI_RANGE[1]),
    ),
    default=_chapter_default(),
    water="potential",
    fixed={p.name: p.default for p in PARAMETERS if p.name in {"taucwd", "taul1", "taul2"}},
    # The chapter does not print B: mean shares of CESM2's litter input on the New York sites.
    partition=(0.337, 0.188, 0.317, 0.158),
)

CONFIGURATIONS: dict[str, Configuration] = {c.name: c for c in (CLM5_20, CHAPTER)}


def configuration(name: str | Configuration) -> Configuration:
    """Return a configuration by name.

    Examples
    --------
    >>> configuration("chapter").grid.layers, len(configuration("chapter").names)
    (10, 18)
    """
    if isinstance(name, Configuration):
        return name
    if name not in CONFIGURATIONS:
        raise ValueError(
            f"configuration is {name!r}, allowed are {', '.join(map(repr, CONFIGURATIONS))}"
        )
    return CONFIGURATIONS[name]
