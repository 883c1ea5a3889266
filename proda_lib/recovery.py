"""Recovery: whether an estimate with intervals finds a truth that is known.

Correlation of estimate and truth asks how much the data say. Coverage asks whether the method is
honest: a 90 % interval should hold the truth at 90 % of the sites, however little the data say.
Arrays have the axes (site, quantity); a quantity is a parameter or whatever follows from them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from proda_lib.posterior import QUANTILES

__all__ = [
    "LABELS",
    "Estimate",
    "covered",
    "nominal_range",
    "of_result",
    "rank",
    "recovery",
    "summary",
    "uniform_prior",
]

FloatArray = NDArray[np.float64]

#: Headers for tables of what `recovery` returns, with units.
LABELS = {
    "correlation": "correlation (–)",
    "bias": "bias (–)",
    "removed": "variance removed (–)",
    "coverage_50": "in 50 % interval (–)",
    "coverage_90": "in 90 % interval (–)",
}

#: Variance of a uniform number between 0 and 1, the prior of a parameter.
UNIFORM_VARIANCE = 1 / 12


class Estimate(NamedTuple):
    """What is known of quantities at many sites.

    Attributes
    ----------
    mean, sd : ndarray, shape (site, quantity)
    quantile : ndarray, shape (site, quantile, quantity)
        At `proda_lib.posterior.QUANTILES`.
    """

    mean: FloatArray
    sd: FloatArray
    quantile: FloatArray


def of_result(found: xr.Dataset) -> Estimate:
    """Return the parameters' estimates of a result of `proda_lib.assimilation`."""
    names = ("parameter_mean", "parameter_sd", "parameter_quantile")
    return Estimate(*(found[name].values for name in names))


def uniform_prior(sites: int, quantities: int) -> Estimate:
    """Return what is known before there are data: the uniform prior, everywhere the same.

    Examples
    --------
    >>> uniform_prior(1, 2).quantile[0, :, 1].tolist()
    [0.05, 0.25, 0.5, 0.75, 0.95]
    """
    same = np.ones((sites, len(QUANTILES), quantities))
    quantile = np.array(QUANTILES)[:, None] * same
    return Estimate(0.5 * same[:, 0], np.sqrt(UNIFORM_VARIANCE) * same[:, 0], quantile)


def summary(draws: ArrayLike) -> Estimate:
    """Summarise draws of each site.

    Quantiles are taken at the ranks p (n + 1) of n draws: then the interval between two of them
    holds one more draw of the same distribution just as often as it should, also for few draws.

    Parameters
    ----------
    draws : array_like, shape (site, draw, quantity)

    Examples
    --------
    >>> few = np.arange(1.0, 20.0).reshape(1, 19, 1)
    >>> summary(few).quantile[0, [0, -1], 0].tolist()
    [1.0, 19.0]
    """
    draws = np.asarray(draws, dtype=float)
    quantile = np.quantile(draws, QUANTILES, axis=1, method="weibull")
    return Estimate(draws.mean(axis=1), draws.std(axis=1, ddof=1), np.moveaxis(quantile, 0, 1))


def covered(truth: ArrayLike, estimate: Estimate, level: float) -> NDArray[np.bool_]:
    """Tell where the central interval holds the truth, shape (site, quantity).

    Parameters
    ----------
    truth : array_like, shape (site, quantity)
    estimate : Estimate
    level : float
        0.5 or 0.9.

    Examples
    --------
    >>> estimate = summary(np.arange(1.0, 20.0).reshape(1, 19, 1))
    >>> [bool(covered([[truth]], estimate, 0.5)[0, 0]) for truth in (6, 16)]
    [True, False]
    """
    ends = [f"{end:.6g}" for end in ((1 - level) / 2, (1 + level) / 2)]
    known = [f"{quantile:.6g}" for quantile in QUANTILES]
    if not set(ends) <= set(known):
        raise ValueError(f"level is {level:g}, allowed are 0.5 and 0.9")
    low, high = (estimate.quantile[:, known.index(end)] for end in ends)
    truth = np.asarray(truth, dtype=float)
    return (low <= truth) & (truth <= high)


def nominal_range(level: float, count: int, probability: float = 0.95) -> tuple[float, float]:
    """Range of the coverage that an honest interval shows among `count` independent sites; 1.

    Between the quantiles of the binomial distribution that leave out (1 - probability) / 2 on
    either side.

    Examples
    --------
    >>> nominal_range(0.9, 1000)
    (0.881, 0.918)
    """
    from scipy.stats import binom

    low, high = binom.ppf([(1 - probability) / 2, (1 + probability) / 2], count, level) / count
    return float(low), float(high)


def rank(truth: ArrayLike, draws: ArrayLike) -> FloatArray:
    """Place of the truth among the draws, 0 to 1: uniform over sites if intervals are honest.

    Parameters
    ----------
    truth : array_like, shape (site, quantity)
    draws : array_like, shape (site, draw, quantity)

    Returns
    -------
    ndarray, shape (site, quantity)
        (draws below the truth + 1/2) / (draws + 1).

    Examples
    --------
    >>> rank([[2.5]], np.arange(9.0).reshape(1, 9, 1)).tolist()
    [[0.35]]
    """
    draws = np.asarray(draws, dtype=float)
    below = (draws < np.asarray(truth, dtype=float)[:, None]).sum(axis=1)
    return (below + 0.5) / (draws.shape[1] + 1)


def recovery(
    truth: ArrayLike,
    estimate: Estimate,
    names: Sequence[str],
    prior_variance: ArrayLike = UNIFORM_VARIANCE,
) -> pd.DataFrame:
    """Compare estimates with the truth, one row per quantity.

    Parameters
    ----------
    truth : array_like, shape (site, quantity)
    estimate : Estimate
    names : sequence of str
    prior_variance : array_like, shape (quantity,) or ()
        By default that of a position in the prior range.

    Returns
    -------
    DataFrame
        `correlation` of posterior mean and truth over the sites; `bias`, the mean of estimate minus
        truth; `removed`, the share of the prior variance that the data removed on average;
        `coverage_50` and `coverage_90`. If the truth were drawn from the prior, correlation would
        be the square root of `removed` (law of total variance).

    Raises
    ------
    ValueError
        If the shapes do not fit.
    """
    truth = np.asarray(truth, dtype=float)
    if truth.shape != estimate.mean.shape or truth.shape[1:] != (len(names),):
        raise ValueError(
            f"truth has shape {truth.shape}, estimates {estimate.mean.shape}, names are "
            f"{len(names)}: give (site, quantity) of the same sites"
        )
    centred = [values - values.mean(axis=0) for values in (truth, estimate.mean)]
    with np.errstate(invalid="ignore"):
        correlation = (centred[0] * centred[1]).sum(axis=0) / np.sqrt(
            (centred[0] ** 2).sum(axis=0) * (centred[1] ** 2).sum(axis=0)
        )
    return pd.DataFrame(
        {
            "correlation": correlation,
            "bias": (estimate.mean - truth).mean(axis=0),
            "removed": 1 - (estimate.sd**2).mean(axis=0) / np.asarray(prior_variance),
            "coverage_50": covered(truth, estimate, 0.5).mean(axis=0),
            "coverage_90": covered(truth, estimate, 0.9).mean(axis=0),
        },
        index=pd.Index(list(names), name="quantity"),
    )
