"""Change one process and leave the others: by a proportion, or to what it is elsewhere.

Two ways have a name. "published" moves the *positions* of a process' parameters in the prior range
by a proportion, as the original does: what becomes of the process itself then depends on where the
range begins. "sound" changes every fraction, rate or depth of the process by exactly the
proportion. The bulk process, a mean weighted by carbon, follows, but not one to one: the weights
change, too.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from proda_lib.arrays import namespace
from proda_lib.nearest import check_known
from proda_lib.parameters import NAMES, PARAMETERS, PROCESSES

__all__ = ["CHANGES", "members_of", "moved", "scaled"]

FloatArray = NDArray[np.float64]

#: Everything that can be changed: the five processes and plant carbon input.
CHANGES: dict[str, str] = PROCESSES | {"input": "plant carbon input"}

#: Ends to which the original moves positions that leave the prior range, and that of beta.
_LOWEST, _HIGHEST, _HIGHEST_BETA = 1e-4, 1.0, 0.98


def members_of(process: str) -> list[int]:
    """Positions of a process' parameters in every parameter vector; none for "input".

    Examples
    --------
    >>> members_of("xi"), members_of("input")
    ([2, 3, 19], [])
    """
    check_known("process", process, CHANGES)
    return [i for i, parameter in enumerate(PARAMETERS) if parameter.process == process]


def moved(unit: ArrayLike, process: str, change: float) -> FloatArray:
    """Multiply the positions of one process by 1 + change, as published; same shape.

    Then that of beta is at most 0.98, those above 1 become 1 and those at or below 0 become 1e-4
    (bulk_process_marginal_sensitivity_proda_bootstrap.m). "input" moves no position.

    Parameters
    ----------
    unit : array_like, shape (..., 21)
        Positions in the prior range.
    process : str
        A key of `CHANGES`.
    change : float
        Proportion, for example -0.2 to 0.2.

    Examples
    --------
    >>> moved(np.full(21, 0.9), "I", 0.2)[-1].item(), moved(np.full(21, 0.9), "K", 0.2)[4].item()
    (0.98, 1.0)
    """
    unit = np.array(unit, dtype=float)
    unit[..., members_of(process)] *= 1 + change
    beta = NAMES.index("beta")
    unit[..., beta] = np.minimum(unit[..., beta], _HIGHEST_BETA)
    return np.where(unit <= 0, _LOWEST, np.minimum(unit, _HIGHEST))


def scaled(parameters: Any, process: str, factor: Any) -> Any:
    """Change all of a process by a factor, physical parameters, same shape; NumPy or JAX.

    A: all fractions that pools pass on (that of woody debris only sorts it). K: all rates, so
    turnover times are divided. xi: the equation holds it only in the product xi K, so its change
    is that of K. V: both diffusivities. I: the mean depth at which carbon enters, which for
    shares of beta^(100 z) is -1 / (100 ln beta) m where bedrock is deep, so beta becomes
    beta^(1 / factor). "input" is forcing and changes no parameter.

    Parameters
    ----------
    parameters : array, shape (..., 21)
        Physical values.
    process : str
        A key of `CHANGES`.
    factor : float or array, shape (...)
        Greater than 0. With a factor above 1 a pool may pass on more than it loses; the caller
        keeps the sum of its fractions at or below 1.

    Examples
    --------
    >>> from proda_lib.parameters import CLM5_DEFAULT, by_name
    >>> more = by_name(scaled(CLM5_DEFAULT, "A", 1.01))
    >>> round(float(more["fl1s1"]), 5), float(more["fcwdl2"]), float(more["tau4s2"])
    (0.4545, 0.76, 5.0)
    """
    check_known("process", process, CHANGES)
    xp = namespace(parameters, factor)
    values, factor = xp.asarray(parameters), xp.asarray(factor, dtype=float)[..., None]
    rates = np.isin(np.arange(len(NAMES)), members_of("K"))
    if process in ("K", "xi"):
        return xp.where(rates, values / factor, values)
    if process == "I":
        return xp.where(np.array(NAMES) == "beta", values ** (1 / factor), values)
    own = np.isin(np.arange(len(NAMES)), members_of(process)) & (np.array(NAMES) != "fcwdl2")
    return xp.where(own, values * factor, values)
