"""Cost: how far a modelled profile is from the observed one, and the likelihoods made of it.

A sampler needs one function of one site, `energy(unit, data)`: minus the log likelihood, up to a
constant, on the open unit cube, where the prior is uniform. `target` returns it, `site_data` the
arrays of the sites that go with it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any, Literal, NamedTuple

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from proda_lib.arrays import namespace
from proda_lib.configurations import CLM5_20, Configuration
from proda_lib.configurations import configuration as configuration_of
from proda_lib.depths import Interpolation, Reading, reading_of
from proda_lib.forcing import Forcing, forcing_of, rows_of
from proda_lib.parameters import PriorBox
from proda_lib.scores import efficiency, gelman_rubin_original, r2_original
from proda_lib.transport import Bedrock

__all__ = [
    "LIKELIHOODS",
    "LOG_SD",
    "RELATIVE_ERROR",
    "SiteData",
    "counted_prediction",
    "depth_weights",
    "efficiency",
    "gelman_rubin_original",
    "log_misfit",
    "prediction",
    "r2_original",
    "rank_weights",
    "site_data",
    "target",
    "weighted_misfit",
]

FloatArray = NDArray[np.float64]
Likelihood = Literal["proda", "lognormal"]
Weights = Literal["rank", "depth"]

LIKELIHOODS: tuple[Likelihood, ...] = ("proda", "lognormal")

#: Standard deviation of an observation, as a share of it (cost_fun.m of the original); 1.
RELATIVE_ERROR = 0.6

#: Standard deviation of ln SOC of one profile: the spread among the 225 New York profiles that
#: share their coordinates with another, about 0.38, sampling and analysis included; 1.
LOG_SD = 0.38


def rank_weights(observed: ArrayLike, depth: ArrayLike) -> FloatArray:
    """Weights that favour extreme layers: max(1, 10 exp(1 - r)).

    r is the mean of two ranks in the profile, by the distances of SOC and of depth from their
    means; the most extreme layer is first, ties are in the order of the layers.

    Parameters
    ----------
    observed : array_like, shape (n, observation)
        SOC, gC m-3; NaN pads.
    depth : array_like, shape (n, observation)
        m; NaN pads.

    Returns
    -------
    ndarray, shape (n, observation)
        1; 0 for pads.

    Examples
    --------
    >>> soc, depth = [[30, 20, 12, 6, 3]], [[0.05, 0.15, 0.35, 0.7, 1.2]]
    >>> rank_weights(soc, depth).round(4).tolist()
    [[6.0653, 1.0, 1.0, 1.0, 6.0653]]
    """
    observed, depth = _profiles(observed, depth)
    rank = (_rank_from_mean(observed) + _rank_from_mean(depth)) / 2
    return np.where(np.isnan(rank), 0.0, np.maximum(1.0, 10 * np.exp(1 - rank)))


def depth_weights(depth: ArrayLike) -> FloatArray:
    """Weights of the chapter: exp(-depth), 10 for the first and last layer.

    Parameters
    ----------
    depth : array_like, shape (n, observation)
        m, in the order of the profile; NaN pads.

    Returns
    -------
    ndarray, shape (n, observation)
        1; 0 for pads.

    Examples
    --------
    >>> depth_weights([[0.1, 0.5, 1.0, np.nan]]).round(3).tolist()
    [[10.0, 0.607, 10.0, 0.0]]
    """
    depth, _ = _profiles(depth, depth)
    there = np.isfinite(depth)
    order = np.cumsum(there, axis=1)
    end = there & ((order == 1) | (order == order[:, -1:]))
    return np.where(end, 10.0, np.where(there, np.exp(-np.where(there, depth, 0)), 0.0))


def _profiles(one: ArrayLike, other: ArrayLike) -> tuple[FloatArray, FloatArray]:
    one, other = np.asarray(one, dtype=float), np.asarray(other, dtype=float)
    if one.ndim != 2 or one.shape != other.shape:
        raise ValueError(
            f"profiles have shapes {one.shape} and {other.shape}: "
            "give one row per profile, (n, observation), padded with NaN"
        )
    if (np.isnan(one) != np.isnan(other)).any():
        row = int(np.argwhere(np.isnan(one) != np.isnan(other))[0, 0])
        raise ValueError(f"profile {row} has a depth without SOC, or SOC without a depth")
    return one, other


def _rank_from_mean(values: FloatArray) -> FloatArray:
    """Rank 1 for the value farthest from its row's mean; NaN for pads."""
    there = np.isfinite(values)
    mean = np.where(there, values, 0).sum(axis=1) / np.maximum(there.sum(axis=1), 1)
    distance = np.where(there, np.abs(values - mean[:, None]), -np.inf)
    order = np.argsort(-distance, axis=1, kind="stable")
    return np.where(there, np.argsort(order, axis=1) + 1.0, np.nan)


def weighted_misfit(
    modelled: Any, observed: Any, weight: Any, relative_error: float = RELATIVE_ERROR
) -> Any:
    """Cost J = sum of w (modelled - observed)^2 / (2 (0.6 observed)^2) (cost_fun.m); 1.

    Parameters
    ----------
    modelled, observed : array, shape (..., observation)
        SOC, gC m-3, NumPy or JAX.
    weight : array, shape (..., observation)
        0 leaves a layer out, whatever its values.

    Examples
    --------
    >>> float(weighted_misfit(np.array([160.0, np.nan]), np.array([100.0, np.nan]), [2.0, 0.0]))
    1.0
    """
    xp = namespace(modelled, observed, weight)
    weight = xp.asarray(weight)
    counted = weight > 0
    scale = xp.where(counted, relative_error * observed, 1.0)
    residual = xp.where(counted, modelled - observed, 0.0) / scale
    return (weight * residual**2).sum(axis=-1) / 2


def log_misfit(modelled: Any, observed: Any, counted: Any, sd: float = LOG_SD) -> Any:
    """Minus the log density of ln SOC, normal about the model with standard deviation `sd`; 1.

    A proper error model: a density of the observations. Infinite without modelled carbon.

    Parameters
    ----------
    modelled, observed : array, shape (..., observation)
        SOC, gC m-3, NumPy or JAX.
    counted : array of bool, shape (..., observation)
        Layers that count.

    Examples
    --------
    >>> round(float(log_misfit(np.array([100.0]), np.array([100.0]), np.array([True]))), 4)
    -0.0486
    """
    xp = namespace(modelled, observed, counted)
    some = counted & (modelled > 0)
    residual = xp.log(xp.where(some, observed, 1.0)) - xp.log(xp.where(some, modelled, 1.0))
    energy = (residual / sd) ** 2 / 2 + np.log(sd * np.sqrt(2 * np.pi))
    return xp.where(counted, xp.where(some, energy, np.inf), 0.0).sum(axis=-1)


class SiteData(NamedTuple):
    """What an energy needs of n sites, or of one.

    Attributes
    ----------
    forcing : Forcing
    reading : Reading
    observed : ndarray, shape (..., observation)
        SOC, gC m-3; 1 in pads.
    weight : ndarray, shape (..., observation)
        1; 0 in pads.
    """

    forcing: Forcing
    reading: Reading
    observed: Any
    weight: Any


def site_data(
    sites: xr.Dataset,
    *,
    configuration: str | Configuration = CLM5_20,
    bedrock: Bedrock = "closed",
    interpolation: Interpolation = "linear",
    weights: Weights = "rank",
) -> SiteData:
    """Arrays of sites for the energies of `target`, one row per site.

    Parameters
    ----------
    sites : Dataset
        In the common form, with observations.
    weights : {"rank", "depth"}
        Of the likelihood "proda": `rank_weights` or `depth_weights`.

    Raises
    ------
    ValueError
        If a site has no observation, or one of 0.
    """
    if weights not in ("rank", "depth"):
        raise ValueError(f"weights is {weights!r}, allowed are 'rank' and 'depth'")
    observed, depth = sites["observed_soc"].values, sites["observed_depth"].values
    for bad, what in (
        ((observed <= 0).any(axis=1), "an observed SOC of 0, which a relative error cannot weigh"),
        (np.isnan(observed).all(axis=1), "no observation"),
    ):
        if bad.any():
            site = int(np.argwhere(bad)[0, 0])
            raise ValueError(f"site {site} has {what} ({bad.sum()} such): leave it out")
    first, which = rows_of(sites)
    model = configuration_of(configuration)
    reading = reading_of(sites, bedrock=bedrock, interpolation=interpolation)
    return SiteData(
        forcing_of(sites.isel(site=first), model, bedrock=bedrock).rows(which),
        reading._replace(share=np.nan_to_num(reading.share)),
        np.nan_to_num(observed, nan=1.0),
        rank_weights(observed, depth) if weights == "rank" else depth_weights(depth),
    )


@lru_cache
def prediction(
    prior: PriorBox | None = None, configuration: str | Configuration = CLM5_20
) -> Callable[[Any, SiteData], Any]:
    """Return the function (unit, data) of one site to its modelled SOC, gC m-3, (observation,).

    Pads have no meaning. The same arguments return the same function, which is compiled once.

    Parameters
    ----------
    prior : PriorBox, optional
        Box that the unit cube stands for; by default the configuration's own.
    """
    from proda_lib import engine

    model = configuration_of(configuration)
    box = prior or model.prior

    def predict(unit: Any, data: SiteData) -> Any:
        return engine.soil_carbon_at_depth(
            box.to_physical(unit), data.forcing, data.reading, configuration=model
        )

    return predict


@lru_cache
def counted_prediction(
    prior: PriorBox | None = None, configuration: str | Configuration = CLM5_20
) -> Callable[[Any, SiteData], Any]:
    """Return `prediction` with 0 in pads, for those who look at every number."""
    predict = prediction(prior, configuration)

    def counted(unit: Any, data: SiteData) -> Any:
        soc = predict(unit, data)
        return namespace(soc).where(data.weight > 0, soc, 0.0)

    return counted


@lru_cache
def target(
    likelihood: Likelihood = "proda",
    prior: PriorBox | None = None,
    *,
    configuration: str | Configuration = CLM5_20,
    sd: float = LOG_SD,
) -> Callable[[Any, SiteData], Any]:
    """Return the energy (unit, data) of one site under a named likelihood.

    Parameters
    ----------
    likelihood : {"proda", "lognormal"}
        "proda": `weighted_misfit`, as published; not a density of the observations, since its error
        is a share of the observation. "lognormal": `log_misfit`, a proper error model.
    prior : PriorBox, optional
        As in `prediction`.
    sd : float
        Standard deviation of ln SOC under "lognormal", 1.
    """
    if likelihood not in LIKELIHOODS:
        raise ValueError(f"likelihood is {likelihood!r}, allowed are 'proda' and 'lognormal'")
    predict = prediction(prior, configuration)

    def energy(unit: Any, data: SiteData) -> Any:
        modelled = predict(unit, data)
        if likelihood == "proda":
            return weighted_misfit(modelled, data.observed, data.weight)
        return log_misfit(modelled, data.observed, data.weight > 0, sd)

    return energy
