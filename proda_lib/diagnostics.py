"""Diagnostics of chains: whether they converged, and how many independent draws they are worth.

Rank-normalised split R-hat, bulk and tail effective sample size (ESS) and the Monte Carlo standard
error of the mean, as defined by Vehtari et al. (2021, Bayesian Analysis 16, 667-718) and computed
by ArviZ; here for many quantities at once, because a study has thousands of sites and tens of
quantities at each.

Arrays have the shape (chain, draw, ...); results have the shape of the rest.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["Diagnostics", "converged", "ess_bulk", "ess_tail", "mcse_mean", "rhat", "summary"]

FloatArray = NDArray[np.float64]

#: Quantiles whose ESS is the tail ESS.
_TAILS = (0.05, 0.95)


class Diagnostics(NamedTuple):
    """Diagnostics of quantities of any shape.

    Attributes
    ----------
    rhat : ndarray
        Rank-normalised split R-hat, the larger of bulk and folded; 1.
    ess_bulk, ess_tail : ndarray
        Effective number of draws in the centre and at the 5 and 95 % quantiles.
    mcse : ndarray
        Monte Carlo standard error of the mean, unit of the quantity.
    """

    rhat: FloatArray
    ess_bulk: FloatArray
    ess_tail: FloatArray
    mcse: FloatArray


def summary(draws: ArrayLike) -> Diagnostics:
    """All diagnostics at once.

    Parameters
    ----------
    draws : array_like, shape (chain, draw, ...)
        At least 4 draws per chain. A quantity that never changes or is not finite gets NaN.

    Examples
    --------
    >>> found = summary(np.random.default_rng(1).normal(size=(4, 500, 2)))
    >>> bool((found.rhat < 1.01).all()), found.ess_bulk.shape
    (True, (2,))
    """
    halves = _halves(draws)
    normal = _rank_normal(halves)
    return Diagnostics(_rhat(halves, normal), _ess(normal), ess_tail(draws), mcse_mean(draws))


def converged(draws: ArrayLike, rhat: float = 1.01, ess: float = 400.0) -> bool:
    """Tell whether no quantity exceeds an R-hat and all reach a bulk and tail ESS.

    Stops at the first that fails, which makes it cheaper than `summary`. Quantities with NaN fail.
    """
    halves = _halves(draws)
    normal = _rank_normal(halves)
    return bool(
        (_plain_rhat(normal) <= rhat).all()
        and (_ess(normal) >= ess).all()
        and (_folded_rhat(halves) <= rhat).all()
        and (ess_tail(draws) >= ess).all()
    )


def rhat(draws: ArrayLike) -> FloatArray:
    """Rank-normalised split R-hat, the larger of the one for location and the one for spread; 1.

    Examples
    --------
    >>> apart = np.random.default_rng(1).normal(size=(2, 100)) + [[0], [5]]
    >>> bool(rhat(apart) > 1.5)
    True
    """
    halves = _halves(draws)
    return _rhat(halves, _rank_normal(halves))


def ess_bulk(draws: ArrayLike) -> FloatArray:
    """Effective number of draws for the centre of the distribution, of rank-normalised values."""
    return _ess(_rank_normal(_halves(draws)))


def ess_tail(draws: ArrayLike) -> FloatArray:
    """Effective number of draws for the 5 and the 95 % quantile, the smaller of the two."""
    quantiles = np.quantile(np.asarray(draws, dtype=float), _TAILS, axis=(0, 1))
    halves = _halves(draws)
    below = (np.where(np.isnan(halves), np.nan, halves <= q) for q in quantiles)
    return np.minimum(*(_ess(indicator) for indicator in below))


def mcse_mean(draws: ArrayLike) -> FloatArray:
    """Monte Carlo standard error of the mean, in the unit of the draws."""
    with np.errstate(invalid="ignore"):
        sd = np.asarray(draws, dtype=float).std(axis=(0, 1), ddof=1)
    return sd / np.sqrt(_ess(_halves(draws)))


def _halves(draws: ArrayLike) -> FloatArray:
    """Split every chain in two; (2 chain, draw // 2, quantities as they were), gaps all NaN."""
    draws = np.asarray(draws, dtype=float)
    if draws.ndim < 2 or draws.shape[1] < 4:
        raise ValueError(
            f"draws have shape {draws.shape}: give (chain, draw, ...) with at least 4 draws"
        )
    half = draws.shape[1] // 2
    halves = np.concatenate([draws[:, :half], draws[:, -half:]])
    usable = np.isfinite(halves).all(axis=(0, 1)) & (np.ptp(halves, axis=(0, 1)) > 0)
    return np.where(usable, halves, np.nan)


def _rank_normal(values: FloatArray) -> FloatArray:
    """Replace values by the normal quantiles of their ranks over all chains."""
    from scipy.special import ndtri
    from scipy.stats import rankdata

    chain, draw, *rest = values.shape
    rank = rankdata(values.reshape(chain * draw, -1), axis=0)
    return ndtri((rank - 3 / 8) / (chain * draw + 1 / 4)).reshape(chain, draw, *rest)


def _rhat(halves: FloatArray, normal: FloatArray) -> FloatArray:
    return np.maximum(_plain_rhat(normal), _folded_rhat(halves))


def _folded_rhat(halves: FloatArray) -> FloatArray:
    return _plain_rhat(_rank_normal(np.abs(halves - np.median(halves, axis=(0, 1)))))


def _plain_rhat(values: FloatArray) -> FloatArray:
    draw = values.shape[1]
    between = values.mean(axis=1).var(axis=0, ddof=1)
    within = values.var(axis=1, ddof=1).mean(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.sqrt(between / within + (draw - 1) / draw)


def _ess(values: FloatArray) -> FloatArray:
    """ESS from autocorrelations, cut and smoothed by Geyer's initial monotone sequence."""
    chain, draw = values.shape[:2]
    covariance = _autocovariance(values).mean(axis=0)
    within = covariance[0] * draw / (draw - 1)
    total = covariance[0] + values.mean(axis=1).var(axis=0, ddof=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        correlation = 1 - (within - covariance) / total
    correlation[0] = np.where(np.isnan(total), np.nan, 1.0)
    # Antithetic chains may be worth more draws than they have, but not without limit. Where ties
    # leave no variance, as in the indicator of a tail, every draw counts.
    time = np.maximum(_autocorrelation_time(correlation), 1 / np.log10(chain * draw))
    return chain * draw / np.where(total == 0, 1.0, time)


def _autocorrelation_time(correlation: FloatArray) -> FloatArray:
    """-1 + twice the sum of the pairs of neighbouring lags until the first one not positive."""
    pairs = correlation[: (len(correlation) - 1) // 2 * 2]
    pairs = pairs[0::2] + pairs[1::2]
    number = np.arange(len(pairs)).reshape(-1, *[1] * (pairs.ndim - 1))
    ends = np.where((pairs <= 0).any(axis=0), np.argmax(pairs <= 0, axis=0), len(pairs) - 1)
    monotone = np.minimum.accumulate(pairs, axis=0)
    total = np.where(number < ends, monotone, 0.0).sum(axis=0)
    # The first lag after the sum improves antithetic chains (Stan does the same).
    after = np.take_along_axis(correlation, 2 * ends[None], axis=0)[0]
    return np.where(np.isnan(correlation[0]), np.nan, -1 + 2 * total + np.maximum(after, 0.0))


def _autocovariance(values: FloatArray) -> FloatArray:
    """Autocovariance of every chain at every lag, divided by the number of draws."""
    from scipy.fft import irfft, next_fast_len, rfft

    draw = values.shape[1]
    length = next_fast_len(2 * draw, real=True)
    spectrum = rfft(values - values.mean(axis=1, keepdims=True), length, axis=1)
    return irfft(np.abs(spectrum) ** 2, length, axis=1)[:, :draw] / draw
