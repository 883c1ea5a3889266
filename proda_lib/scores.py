"""Scores of single profiles, and the statistics by which the original judged its chains."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["efficiency", "gelman_rubin_original", "r2_original"]

FloatArray = NDArray[np.float64]


def efficiency(observed: ArrayLike, modelled: ArrayLike) -> FloatArray:
    """Efficiency E of each profile, 1 - SSres / SStot about its observed mean (equation 37.3); 1.

    Parameters
    ----------
    observed, modelled : array_like, shape (..., observation)
        SOC, same unit; layers where either is NaN are left out.

    Returns
    -------
    ndarray, shape (...)
        NaN for profiles without variance, such as those of one layer.

    Examples
    --------
    >>> efficiency([[1, 2, 3], [1, 2, np.nan]], [[1, 2, 3], [1.5, 1.5, 0]]).tolist()
    [1.0, 0.0]
    """
    observed, modelled = _pairs(observed, modelled)
    return _explained(observed, modelled, about=observed)


def r2_original(observed: ArrayLike, modelled: ArrayLike) -> FloatArray:
    """Return the original code's "R2", taken about the *modelled* mean (fun_save_da.m); 1.

    1 - SSres / SStot, arguments as in `efficiency`. Kept to compare with the original's
    figures: a model that varies more than the observations is flattered.
    """
    observed, modelled = _pairs(observed, modelled)
    return _explained(observed, modelled, about=modelled)


def _pairs(observed: ArrayLike, modelled: ArrayLike) -> tuple[FloatArray, FloatArray]:
    observed, modelled = np.broadcast_arrays(
        np.asarray(observed, dtype=float), np.asarray(modelled, dtype=float)
    )
    both = np.isfinite(observed) & np.isfinite(modelled)
    return np.where(both, observed, np.nan), np.where(both, modelled, np.nan)


def _explained(observed: FloatArray, modelled: FloatArray, about: FloatArray) -> FloatArray:
    count = np.isfinite(about).sum(axis=-1)
    mean = np.nansum(about, axis=-1) / np.maximum(count, 1)
    total = np.nansum((about - mean[..., None]) ** 2, axis=-1)
    residual = np.nansum((observed - modelled) ** 2, axis=-1)
    return 1 - residual / np.where(total > 0, total, np.nan)


def gelman_rubin_original(mean: ArrayLike, squares: ArrayLike, accepted: ArrayLike) -> FloatArray:
    """Compute the original's Gelman-Rubin statistic, slips included (fun_save_da.m); 1.

    GR = sqrt((W (n - 1) / n + B / n) / W) with B = n / (m - 1) sum of (mean_i - mean)^2 and
    W = sum of squared deviations / (m (n - 1)), where n is the number of accepted values of the
    last chain, not halved, though means and deviations are those of the second halves.

    Parameters
    ----------
    mean : array_like, shape (chain, ...)
        Of the second half of each chain's accepted values.
    squares : array_like, shape (chain, ...)
        Sum of squared deviations from that mean.
    accepted : array_like, shape (chain,)
        Number of values each chain accepted.

    Examples
    --------
    >>> gelman_rubin_original([[1.0], [2.0], [3.0]], [[9.0]] * 3, [12, 11, 10]).round(4).tolist()
    [1.3784]
    """
    mean, squares = np.asarray(mean, dtype=float), np.asarray(squares, dtype=float)
    m, n = len(mean), np.asarray(accepted)[-1]
    between = n / (m - 1) * ((mean - mean.mean(axis=0)) ** 2).sum(axis=0)
    within = squares.sum(axis=0) / (m * (n - 1))
    return np.sqrt((within * (n - 1) / n + between / n) / within)
