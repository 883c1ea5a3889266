"""Diagnostics of chains: whether they converged, and how many independent draws they are worth.

Rank-normalised split R-hat, bulk and tail effective sample size (ESS) and the Monte Carlo standard
error of the mean, as defined by Vehtari et al. (2021, Bayesian Analysis 16, 667-718) and computed
by ArviZ; here for many quantities at once, because a study has thousands of sites and tens of
quantities at each.

Arrays have the shape (chain, draw, ...); results have the shape of the rest. A quantity that never
changes or is not finite gets NaN.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["Diagnostics", "ess_bulk", "ess_tail", "mcse_mean", "passes", "rhat", "summary"]

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


class _Chains(NamedTuple):
    """Quantities in the form in which they are computed with.

    Attributes
    ----------
    whole : ndarray, shape (quantity, draw of all chains)
    halves : ndarray, shape (quantity, 2 chain, draw // 2)
        Every chain split in two; the middle one of an odd number of draws is left out.
    order : ndarray of int, shape (quantity, draw of all halves)
        Sorts the halves.
    """

    whole: FloatArray
    halves: FloatArray
    order: NDArray[np.intp]


def summary(draws: ArrayLike) -> Diagnostics:
    """All diagnostics at once.

    Parameters
    ----------
    draws : array_like, shape (chain, draw, ...)
        At least 4 draws per chain.

    Examples
    --------
    >>> found = summary(np.random.default_rng(1).normal(size=(4, 500, 2)))
    >>> bool((found.rhat < 1.01).all()), found.ess_bulk.shape
    (True, (2,))
    """
    return Diagnostics(*_each(_summary, draws, len(Diagnostics._fields)))


def passes(found: Diagnostics, rhat: float = 1.01, ess: float = 400.0) -> NDArray[np.bool_]:
    """Tell which quantities do not exceed an R-hat and reach a bulk and tail ESS; not those of NaN.

    Examples
    --------
    >>> found = Diagnostics(*np.array([[1.005, 1.02], [500, 500], [450, 450], [0.1, 0.1]]))
    >>> passes(found).tolist()
    [True, False]
    """
    return (found.rhat <= rhat) & (found.ess_bulk >= ess) & (found.ess_tail >= ess)


def rhat(draws: ArrayLike) -> FloatArray:
    """Rank-normalised split R-hat, the larger of the one for location and the one for spread; 1.

    Examples
    --------
    >>> apart = np.random.default_rng(1).normal(size=(2, 100)) + [[0], [5]]
    >>> bool(rhat(apart) > 1.5)
    True
    """
    return _each(lambda chains: _rhat(chains, _rank_normal(chains))[None], draws, 1)[0]


def ess_bulk(draws: ArrayLike) -> FloatArray:
    """Effective number of draws for the centre of the distribution, of rank-normalised values."""
    return _each(lambda chains: _ess(_rank_normal(chains))[None], draws, 1)[0]


def ess_tail(draws: ArrayLike) -> FloatArray:
    """Effective number of draws for the 5 and the 95 % quantile, the smaller of the two."""
    return _each(lambda chains: _ess_tail(chains)[None], draws, 1)[0]


def mcse_mean(draws: ArrayLike) -> FloatArray:
    """Monte Carlo standard error of the mean, in the unit of the draws."""
    return _each(lambda chains: _mcse_mean(chains)[None], draws, 1)[0]


def _each(function: Callable[[_Chains], FloatArray], draws: ArrayLike, rows: int) -> FloatArray:
    """Apply a function that returns (row, quantity) to quantities that are finite and change."""
    draws = np.asarray(draws, dtype=float)
    if draws.ndim < 2 or draws.shape[1] < 4:
        raise ValueError(
            f"draws have shape {draws.shape}: give (chain, draw, ...) with at least 4 draws"
        )
    chain, draw, *rest = draws.shape
    # Quantities first and in one piece: all that follows then reads memory in order.
    values = np.ascontiguousarray(np.moveaxis(draws.reshape(chain, draw, -1), -1, 0))
    half = draw // 2
    halves = np.concatenate([values[:, :, :half], values[:, :, -half:]], axis=1)
    usable = np.isfinite(halves).all(axis=(1, 2)) & (np.ptp(halves, axis=(1, 2)) > 0)
    found = np.full((rows, len(usable)), np.nan)
    if usable.any():
        values, halves = values[usable], halves[usable]
        order = np.argsort(halves.reshape(len(halves), -1), axis=1)
        found[:, usable] = function(_Chains(values.reshape(len(values), -1), halves, order))
    return found.reshape(rows, *rest)


def _summary(chains: _Chains) -> FloatArray:
    normal = _rank_normal(chains)
    tail, error = _ess_tail(chains), _mcse_mean(chains)
    return np.stack([_rhat(chains, normal), _ess(normal), tail, error])


def _rank_normal(chains: _Chains) -> FloatArray:
    """Replace values by the normal quantiles of their ranks over all chains."""
    return _scores(_sorted(chains), chains.order, chains.halves.shape)


def _sorted(chains: _Chains) -> FloatArray:
    return np.take_along_axis(chains.halves.reshape(chains.order.shape), chains.order, axis=1)


def _scores(ordered: FloatArray, order: NDArray[np.intp], shape: tuple[int, ...]) -> FloatArray:
    """Put normal quantiles of ranks where the values came from; ties share their mean rank."""
    from scipy.special import ndtri

    n = ordered.shape[1]
    number = np.arange(n)
    new = np.ones(ordered.shape, dtype=bool)
    np.not_equal(ordered[:, 1:], ordered[:, :-1], out=new[:, 1:])
    first = np.maximum.accumulate(np.where(new, number, 0), axis=1)
    ends = np.where(np.roll(new, -1, axis=1), number, n - 1)
    last = np.minimum.accumulate(ends[:, ::-1], axis=1)[:, ::-1]
    # Twice the mean rank is a whole number, so that each quantile is computed once.
    quantile = ndtri((np.arange(2 * n - 1) / 2 + 1 - 3 / 8) / (n + 1 / 4))
    scores = np.empty(ordered.shape)
    np.put_along_axis(scores, order, quantile[first + last], axis=1)
    return scores.reshape(shape)


def _rhat(chains: _Chains, normal: FloatArray) -> FloatArray:
    return np.maximum(_plain_rhat(normal), _plain_rhat(_folded_rank_normal(chains)))


def _folded_rank_normal(chains: _Chains) -> FloatArray:
    """Do the same with distances from the median, which see chains that differ in spread."""
    ordered = _sorted(chains)
    n = ordered.shape[1]
    median = (ordered[:, (n - 1) // 2] + ordered[:, n // 2]) / 2
    distance = np.abs(ordered - median[:, None])
    # Distances fall and then rise, which a stable sort merges in no time.
    again = np.argsort(distance, axis=1, kind="stable")
    order = np.take_along_axis(chains.order, again, axis=1)
    return _scores(np.take_along_axis(distance, again, axis=1), order, chains.halves.shape)


def _plain_rhat(values: FloatArray) -> FloatArray:
    draw = values.shape[2]
    between = values.mean(axis=2).var(axis=1, ddof=1)
    within = values.var(axis=2, ddof=1).mean(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.sqrt(between / within + (draw - 1) / draw)


def _ess_tail(chains: _Chains) -> FloatArray:
    ends = np.quantile(chains.whole, _TAILS, axis=1)
    below = ((chains.halves <= end[:, None, None]).astype(float) for end in ends)
    return np.minimum(*(_ess(indicator) for indicator in below))


def _mcse_mean(chains: _Chains) -> FloatArray:
    return chains.whole.std(axis=1, ddof=1) / np.sqrt(_ess(chains.halves))


def _ess(values: FloatArray) -> FloatArray:
    """ESS from autocorrelations, cut and smoothed by Geyer's initial monotone sequence."""
    chain, draw = values.shape[1:]
    mean = values.mean(axis=2)
    covariance = _autocovariance(values - mean[..., None])
    within = covariance[:, :1] * draw / (draw - 1)
    total = covariance[:, :1] + mean.var(axis=1, ddof=1)[:, None]
    with np.errstate(divide="ignore", invalid="ignore"):
        correlation = 1 - (within - covariance) / total
    correlation[:, 0] = 1.0
    # Antithetic chains may be worth more draws than they have, but not without limit. Where ties
    # leave no variance, as in the indicator of a tail, every draw counts.
    time = np.maximum(_autocorrelation_time(correlation), 1 / np.log10(chain * draw))
    return chain * draw / np.where(total[:, 0] == 0, 1.0, time)


def _autocorrelation_time(correlation: FloatArray) -> FloatArray:
    """-1 + twice the sum of the pairs of neighbouring lags until the first one not positive."""
    even = (correlation.shape[1] - 1) // 2 * 2
    pairs = correlation[:, 0:even:2] + correlation[:, 1:even:2]
    low = pairs <= 0
    ends = np.where(low.any(axis=1), np.argmax(low, axis=1), pairs.shape[1] - 1)
    monotone = np.minimum.accumulate(pairs, axis=1)
    total = np.where(np.arange(pairs.shape[1]) < ends[:, None], monotone, 0.0).sum(axis=1)
    # The first lag after the sum improves antithetic chains (Stan does the same).
    after = np.take_along_axis(correlation, 2 * ends[:, None], axis=1)[:, 0]
    return -1 + 2 * total + np.maximum(after, 0.0)


def _autocovariance(deviation: FloatArray) -> FloatArray:
    """Autocovariance at every lag, divided by the number of draws, mean of all chains."""
    from scipy.fft import irfft, next_fast_len, rfft

    draw = deviation.shape[2]
    length = next_fast_len(2 * draw, real=True)
    spectrum = rfft(deviation, length, axis=2)
    # Transforming back is linear: once for all chains.
    power = (spectrum.real**2 + spectrum.imag**2).mean(axis=1)
    return irfft(power, length, axis=1)[:, :draw] / draw
