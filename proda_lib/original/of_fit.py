"""Slips of the cost and of the sampler: what each does alone, and what they do together.

A slip that changes which distribution a chain visits can be judged without running the chain:
posterior draws, weighted by how much more often the chain would be there, have the mean and the
spread that it would report.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from proda_lib.compiled import jax
from proda_lib.cost import site_data, target, weighted_misfit
from proda_lib.original.effects import Effect, Ground, relative
from proda_lib.published_variants import CHAPTER, CODE
from proda_lib.scores import efficiency, gelman_rubin_original, r2_original

__all__ = ["Moves", "chain_effects", "fit_effects", "moves", "published_cost", "spread_of"]

FloatArray = NDArray[np.float64]

_ENERGY = target("proda")
_SD = "posterior standard deviation, mean over parameters"

#: Share of the prior variance that must be removed for a parameter to count as informed.
_INFORMED = 0.15


def published_cost(modelled: ArrayLike, observed: ArrayLike, weight: ArrayLike) -> FloatArray:
    """Cost as cost_fun.m sums it: terms that are NaN are left out; 1.

    So a model without any number costs nothing, the least there is.

    Parameters
    ----------
    modelled, observed, weight : array_like, shape (..., observation)
        As in `proda_lib.cost.weighted_misfit`.

    Examples
    --------
    >>> observed, weight = np.array([100.0, 50.0]), np.ones(2)
    >>> float(published_cost([160.0, 50.0], observed, weight))
    0.5
    >>> float(published_cost([np.nan, np.nan], observed, weight))
    0.0
    """
    modelled, weight = np.asarray(modelled, float), np.asarray(weight, float)
    known = np.isfinite(modelled)
    filled = np.where(known, modelled, 0.0)
    return np.asarray(weighted_misfit(filled, np.asarray(observed), np.where(known, weight, 0.0)))


class Moves(NamedTuple):
    """What proposals from posterior draws meet; shape (n, draw) each.

    Attributes
    ----------
    inside : ndarray
        Share of the proposals that lie inside the box, 1.
    accepted : ndarray
        Chance that a proposal inside the box is accepted at temperature 1, 1.
    """

    inside: FloatArray
    accepted: FloatArray


def moves(on: Ground, factor: float, *, seed: int, proposals: int = 8, many: int = 64) -> Moves:
    """Propose normal steps from the posterior draws of sites.

    Parameters
    ----------
    on : Ground
        With as many draws as tell the covariance of the parameters.
    factor : float
        Of that covariance, over the number of parameters.
    seed : int
    proposals : int
        For each draw, whose cost is computed.
    many : int
        For each draw, of which is only asked whether they lie inside.

    Returns
    -------
    Moves
    """
    random, unit = np.random.default_rng(seed), on.unit
    d = unit.shape[-1]
    away = unit - unit.mean(axis=1, keepdims=True)
    covariance = np.einsum("nij,nik->njk", away, away) / (unit.shape[1] - 1)
    root = np.linalg.cholesky(factor / d * covariance + 1e-12 * np.eye(d))
    inside, chances = np.zeros(unit.shape[:2]), []
    data = site_data(on.sites)
    before = _costs(unit, data)
    for number in range(many):
        steps = np.einsum("njk,nik->nij", root, random.normal(size=unit.shape))
        there = ((unit + steps > 0) & (unit + steps < 1)).all(axis=-1)
        inside += there / many
        if number < proposals:
            after = _costs(np.clip(unit + steps, 1e-9, 1 - 1e-9), data)
            chance = np.exp(-np.clip(after - before, 0, 700))
            chances.append(np.where(there, chance, np.nan))
    found = np.stack(chances)
    known = np.isfinite(found)
    accepted = np.where(known, found, 0).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
    return Moves(inside, np.where(known.any(axis=0), accepted, 0.0))


@jax.jit
def _costs(unit: Any, data: Any) -> Any:
    """Cost of all draws of all sites, (n, draw); one site after the other."""
    return jax.lax.map(lambda site: jax.vmap(_ENERGY, (0, None))(*site), (unit, data))


def spread_of(unit: FloatArray, weight: FloatArray) -> FloatArray:
    """Return the standard deviation of weighted draws, mean over the parameters, shape (n,).

    Parameters
    ----------
    unit : ndarray, shape (n, draw, d)
    weight : ndarray, shape (n, draw)
    """
    share = weight / np.maximum(weight.sum(axis=1, keepdims=True), np.finfo(float).tiny)
    mean = np.einsum("nd,ndp->np", share, unit)
    variance = np.einsum("nd,ndp->np", share, (unit - mean[:, None]) ** 2)
    # Of few draws a weighted variance is too small by the share that they have of the weight.
    return np.sqrt(variance / (1 - (share**2).sum(axis=1))[:, None]).mean(axis=1)


def fit_effects(on: Ground, *, seed: int) -> dict[str, Effect]:
    """Effects of single slips of the cost and of the sampler, by key; a few sites are enough."""
    sites, found = on.sites, on.found
    observed, data = sites["observed_soc"].values, site_data(sites)
    ours, wider = (moves(on, factor, seed=seed) for factor in (CODE.scale, CODE.scale**2))
    even = spread_of(on.unit, np.ones(on.unit.shape[:2]))
    redrawn = spread_of(on.unit, ours.inside)
    jumps = spread_of(on.unit, ours.inside * ours.accepted)
    start = np.asarray(_costs(np.full_like(on.unit[:, :1], 0.5), data))[:, 0]
    best = weighted_misfit(found["soc_best_fit"].fillna(1.0).values, data.observed, data.weight)
    blank = published_cost(np.full(observed.shape, np.nan), data.observed, data.weight)
    soc = found["soc_mean"].values
    rates = [(m.inside * m.accepted).mean(axis=1) for m in (ours, wider)]
    unexplained = [1 - score(observed, soc) for score in (r2_original, efficiency)]
    return {
        "5a": Effect("cost of a model that is NaN, against the best fit", relative(blank, best)),
        "6b": Effect(_SD, relative(redrawn, even)),
        "6c": Effect(_SD, relative(jumps, even)),
        "7a": Effect("cost with which the formal run starts", relative(start, best)),
        "8b": Effect("share of accepted steps", relative(*rates)),
        "9a": Effect("unexplained share of a profile", relative(*unexplained)),
    }


def chain_effects(
    published: xr.Dataset, reference: xr.Dataset, *, formal: int
) -> dict[str, Effect]:
    """Effects seen in chains of the published sampler, by key.

    Parameters
    ----------
    published, reference : Dataset
        Results of the published and of the exact sampler on the same target and sites.
    formal : int
        Iterations of the formal run.
    """
    ran = np.isfinite(published["parameter_mean"].values).all(axis=1)
    published, reference = published.isel(site=ran), reference.isel(site=ran)
    used = reference["used"].values.astype(bool)
    exact = reference["parameter_sd"].values[used]
    informed = (1 - 12 * exact**2).mean(axis=0) > _INFORMED
    narrow = published["parameter_sd"].values[used] / exact
    own = published["gelman_rubin"].values.mean(axis=1) < 1.05
    apart = own & ~(published["rhat"].values < 1.05)
    stale = published["chain_acceptance"].values
    rmse = np.sort(published["rmse"].values, axis=1)
    between = (stale >= CODE.fewest) & (stale < CHAPTER.fewest)
    history = CODE.formal**2 / 2 - CODE.adapt_from**2 / 2
    return {
        "6a": Effect("sd of informed parameters", 100 * (narrow[:, informed].mean(axis=1) - 1)),
        "6d": Effect("profiles that pass, with R-hat above 1.05", _percent(apart), "% of profiles"),
        "6e": Effect("distance of the statistic from 1", _halved(published)),
        "8a": Effect(
            "records read for the covariance", np.array([history / CODE.formal]), "times as many"
        ),
        "8c": Effect("accepted share", relative(stale, published["accepted"].values / formal)),
        "8d": Effect("chains accepted by one limit only", _percent(between), "% of chains"),
        "9b": Effect("profiles with a tie", _percent(rmse[:, 0] == rmse[:, 1]), "% of profiles"),
        "20b": Effect("most chains that are run", relative([6], [3])),
    }


def _percent(holds: NDArray[np.bool_]) -> FloatArray:
    return np.array([100.0 * holds.mean()])


def _halved(published: xr.Dataset) -> FloatArray:
    """Change of the Gelman-Rubin statistic less 1, mean over parameters, percent, (n,)."""
    values = zip(
        published["chain_mean"].values, published["chain_sd"].values,
        published["accepted"].values, strict=True,
    )  # fmt: skip
    found = []
    for mean, sd, accepted in values:
        kept = accepted - accepted // 2
        squares = sd**2 * (kept - 1)[:, None]
        pair = (gelman_rubin_original(mean, squares, count) for count in (accepted, kept))
        found.append([statistic.mean() - 1 for statistic in pair])
    original, right = np.array(found).T
    return relative(original, right)
