"""How well modelled soil carbon agrees with observations.

Every function takes observed and modelled values of the same shape and unit and uses the pairs in
which both are finite. `skill` returns all of them, with the number of pairs used.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["LABELS", "efficiency", "log_r2", "r2", "rmse", "skill"]

FloatArray = NDArray[np.float64]

#: Headers for tables of what `skill` returns, with units.
LABELS = {
    "r2": "R² (–)",
    "rmse": "RMSE (kgC m⁻³)",
    "efficiency": "efficiency (–)",
    "log_r2": "R² of log SOC (–)",
    "bias": "bias (kgC m⁻³)",
    "pairs": "observations",
}


def r2(observed: ArrayLike, modelled: ArrayLike) -> float:
    """Squared correlation, the R2 of Table 37.1: blind to bias and scale; 1.

    NaN where the observed or the modelled values do not vary.

    Examples
    --------
    >>> round(r2([1, 2, 3], [10, 20, 30]), 12), r2([1, 2, 3], [2, 2, 2])
    (1.0, nan)
    """
    observed, modelled = _pairs(observed, modelled)
    with np.errstate(invalid="ignore"):
        return float(np.corrcoef(observed, modelled)[0, 1] ** 2)


def rmse(observed: ArrayLike, modelled: ArrayLike) -> float:
    """Root mean square error, in the unit of the values.

    Examples
    --------
    >>> rmse([1, 2], [4, 6])
    3.5355339059327378
    """
    observed, modelled = _pairs(observed, modelled)
    return float(np.sqrt(np.mean((observed - modelled) ** 2)))


def efficiency(observed: ArrayLike, modelled: ArrayLike) -> float:
    """Nash-Sutcliffe efficiency, 1 - SSres / SStot about the observed mean (equation 37.3); 1.

    1 for a perfect model, 0 for one no better than the mean of the observations.

    Examples
    --------
    >>> efficiency([1, 2, 3], [2, 2, 2])
    0.0
    """
    observed, modelled = _pairs(observed, modelled)
    residual = np.sum((observed - modelled) ** 2)
    return float(1 - residual / np.sum((observed - observed.mean()) ** 2))


def log_r2(observed: ArrayLike, modelled: ArrayLike) -> float:
    """Squared correlation of the logarithms, over pairs in which both are positive; 1.

    Examples
    --------
    >>> round(log_r2([1, 10, 100, 0], [2, 20, 200, 5]), 12)
    1.0
    """
    observed, modelled = _pairs(observed, modelled)
    positive = (observed > 0) & (modelled > 0)
    return r2(np.log(observed[positive]), np.log(modelled[positive]))


def skill(observed: ArrayLike, modelled: ArrayLike) -> dict[str, float | int]:
    """All scores of observed and modelled SOC in gC m-3.

    Returns
    -------
    dict
        r2, efficiency, log_r2 (1), rmse and bias (modelled minus observed) in kgC m-3, and the
        number of `pairs`.

    Examples
    --------
    >>> skill([1e3, 2e3, 4e3], [2e3, 3e3, 5e3])["bias"]
    1.0
    """
    used = _pairs(observed, modelled)
    return {
        "r2": r2(*used),
        "rmse": rmse(*used) / 1000,
        "efficiency": efficiency(*used),
        "log_r2": log_r2(*used),
        "bias": float(np.mean(used[1] - used[0]) / 1000),
        "pairs": len(used[0]),
    }


def _pairs(observed: ArrayLike, modelled: ArrayLike) -> tuple[FloatArray, FloatArray]:
    observed, modelled = np.asarray(observed, dtype=float), np.asarray(modelled, dtype=float)
    if observed.shape != modelled.shape:
        raise ValueError(
            f"observed has shape {observed.shape}, modelled {modelled.shape}: give equal shapes"
        )
    both = np.isfinite(observed) & np.isfinite(modelled)
    if both.sum() < 2:
        raise ValueError(f"{int(both.sum())} pairs of finite values: at least 2 are needed")
    return observed[both], modelled[both]
