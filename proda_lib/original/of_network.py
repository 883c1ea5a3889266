"""Slips of the network: what each costs where no network has seen a site."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from proda_lib import folds
from proda_lib.covariate_groups import columns_of
from proda_lib.importance import constant_ratios, misread
from proda_lib.network.designs import DESIGNS
from proda_lib.network.ensemble import Ensemble
from proda_lib.network.two_step import fit_two_step
from proda_lib.original.effects import Effect, relative
from proda_lib.parameters import PROCESSES
from proda_lib.predictor import soil_carbon, soil_carbon_at_depth
from proda_lib.process_change import members_of
from proda_lib.stocks import interval_stock

__all__ = [
    "CHANGES",
    "School",
    "copies",
    "network_effects",
    "school",
    "seed_errors",
    "small_targets",
]

FloatArray = NDArray[np.float64]

#: What is undone in our design, one at a time, by the key of the slip.
CHANGES: dict[str, dict[str, str]] = {
    "10a": {"loss": "product"},
    "11a": {"validation": "last"},
    "11d": {"output": "linear"},
    "11e": {"scheme": "published"},
}

_LAST = 0.1  # share of the rows that the original validates with
_RESAMPLES = 200  # bootstrap networks of the original
_PLACES = ("Lon", "Lat")
_FOLDS, _FEWEST = 5, 4  # of blocks; with fewer a network has none to stop by


class School(NamedTuple):
    """Sites to learn from and sites to be asked about, with their assimilation.

    Attributes
    ----------
    taught, taught_found, asked, asked_found : Dataset
    """

    taught: xr.Dataset
    taught_found: xr.Dataset
    asked: xr.Dataset
    asked_found: xr.Dataset


def school(sites: xr.Dataset, found: xr.Dataset, *, seed: int) -> School:
    """Keep about a fifth of the sites for the test, in whole blocks of one degree.

    Sites asked about have a result and all covariates, so that every design has an answer; of the
    folds that one counts in which most sites have. With fewer than four blocks sites are drawn at
    random, those of one place together.
    """
    ready = found["used"].values.astype(bool) & np.isfinite(found["parameter_mean"].values).all(1)
    usable = ready & np.isfinite(sites["covariates"].values).all(axis=1)
    number = folds.blocks(sites)
    count = min(_FOLDS, len(np.unique(number)))
    if count < _FEWEST:
        held = folds.test_set(sites, seed=seed)
    else:
        fold = folds.grouped_folds(number, count, seed=seed)
        held = fold == np.bincount(fold[usable], minlength=count).argmax()
    asked, taught = np.flatnonzero(held & usable), np.flatnonzero(~held)
    if not len(asked):
        raise ValueError("no site is left for the test: take more sites or another seed")
    rows = (taught, asked)
    parts = [each.isel(site=one) for one in rows for each in (sites, found)]
    return School(*parts)


def network_effects(
    given: School, grid: xr.Dataset, *, members: int, epochs: int, seed: int
) -> dict[str, Effect]:
    """Effects of the slips of stage "network", and of the published importance, by key.

    Each is our design with one thing undone; errors are squares of the logarithm of SOC at
    profiles in blocks that no network has seen.

    Parameters
    ----------
    given : School
    grid : Dataset
        Whose range scales covariates as published.
    members, epochs : int
        Of each ensemble of networks.
    seed : int
    """
    fixed = {"members": members, "epochs": epochs, "seed": seed}
    own = fit_two_step(given.taught, given.taught_found, **fixed)
    error, found = _errors(own, given.asked), {}
    for key, change in CHANGES.items():
        other = fit_two_step(
            given.taught, given.taught_found, grid=grid,
            design=replace(DESIGNS["default"], **change), **fixed,
        )  # fmt: skip
        values = relative([_errors(other, given.asked)], [error])
        found[key] = Effect("squared error of ln SOC at unseen profiles", values)
    nowhere = _without_places(given.taught)
    blind = fit_two_step(nowhere, given.taught_found, **fixed)
    values = relative([error], [_errors(blind, _without_places(given.asked))])
    found["11f"] = Effect("squared error of ln SOC at unseen profiles", values)
    target = given.taught_found["parameter_mean"].values
    ready = np.isfinite(target).all(axis=1) & given.taught_found["used"].values.astype(bool)
    return found | {
        "10b": Effect("weight of the smallest 5 % of the targets", small_targets(target[ready])),
        "11b": Effect(
            "validation rows that were learnt from", copies(int(ready.sum()), seed=seed),
            "% of the rows",
        ),
        "11c": Effect("SOC stock, 0-1 m, of one member against the next", _members(own, given)),
        **_importance(own, given, grid, seed),
    }  # fmt: skip


def seed_errors(
    given: School, *, members: int, epochs: int, seed: int, trainings: int = 5
) -> FloatArray:
    """Errors of our own design from several trainings that differ in the seed alone, (training,).

    The error is that of `network_effects`; how it scatters says which of its effects are noise.

    Parameters
    ----------
    given : School
    members, epochs : int
        Of each ensemble of networks.
    seed : int
        Of the first training; the others have the next ones.
    trainings : int
    """
    fixed = {"members": members, "epochs": epochs}
    models = (
        fit_two_step(given.taught, given.taught_found, seed=seed + k, **fixed)
        for k in range(trainings)
    )
    return np.array([_errors(model, given.asked) for model in models])


def _errors(model: Ensemble, sites: xr.Dataset) -> float:
    observed = sites["observed_soc"].values
    soc = soil_carbon_at_depth(model.unit(sites), sites)
    known = np.isfinite(observed) & np.isfinite(soc) & (observed > 0)
    return float(np.mean(np.log(soc[known] / observed[known]) ** 2))


def _without_places(sites: xr.Dataset) -> xr.Dataset:
    kept = ~np.isin(sites["covariate"].values, _PLACES)
    return sites.isel(covariate=np.flatnonzero(kept))


def small_targets(target: FloatArray, share: float = 0.05) -> FloatArray:
    """Change of the weight of each parameter's smallest targets by a division by them, percent.

    Parameters
    ----------
    target : ndarray, shape (n, d)
        Positions in the prior range.
    share : float
        Of the n targets.

    Returns
    -------
    ndarray, shape (d,)

    Examples
    --------
    >>> small_targets(np.array([[0.1], [0.5], [0.5], [0.5]]), 0.25).round(6).tolist()
    [150.0]
    """
    weight = np.sort(1 / np.maximum(target, 1e-7), axis=0)[::-1]
    count = max(1, round(share * len(weight)))
    return relative(weight[:count].sum(axis=0) / weight.sum(axis=0), count / len(weight))


def copies(rows: int, *, seed: int, resamples: int = _RESAMPLES) -> FloatArray:
    """Percent of validation rows of sorted bootstrap samples that are among the training rows.

    Parameters
    ----------
    rows : int
        Sites, and rows of each sample.
    seed, resamples : int

    Returns
    -------
    ndarray, shape (resample,)

    Examples
    --------
    >>> bool((copies(50, seed=1) <= 100).all())
    True
    """
    drawn = np.sort(np.random.default_rng(seed).integers(rows, size=(resamples, rows)), axis=1)
    first = int(rows * (1 - _LAST))
    taught, held = drawn[:, :first], drawn[:, first:]
    # Sorted rows can only share the site at the cut.
    return 100 * (held == taught[:, -1:]).mean(axis=1)


def _members(model: Ensemble, given: School) -> FloatArray:
    """Size of the difference between two members, percent, (n,)."""
    unit = model.unit(given.asked)
    one, other = (
        interval_stock(soil_carbon(unit[k][None], given.asked), 0.0, 1.0) for k in (0, -1)
    )
    return np.abs(relative(one, other))


def _importance(
    model: Ensemble, given: School, grid: xr.Dataset, seed: int, replicates: int = 5
) -> dict[str, Effect]:
    """Compare published importance with that of a permutation, transposed bars with right ones."""
    sites, target = given.taught, given.taught_found["parameter_mean"].values
    groups = {
        name: columns
        for name, columns in columns_of(sites["covariate"].values).items()
        if len(columns)
    }
    constant = {
        name: constant_ratios(
            model, sites, target, columns, reference=grid, replicates=replicates, seed=seed
        ).median()
        for name, columns in groups.items()
    }
    table = pd.DataFrame(constant).T
    shuffled = _permuted(model, sites, target, groups, seed, replicates)
    found = {"16a": Effect("error ratio of a group", relative(table.values, shuffled).ravel())}
    if len(table) != len(PROCESSES):
        lacking = Effect("it lacks a whole group of covariates", np.empty(0))
        return found | {"16b": lacking}
    drawn = misread(table).to_numpy()  # by process and, so it is believed, group
    return found | {"16b": Effect("height of a bar", relative(drawn, table.values.T).ravel())}


def _permuted(
    model: Ensemble, sites: xr.Dataset, target: FloatArray,
    groups: dict[str, NDArray[np.int_]], seed: int, replicates: int,
) -> FloatArray:  # fmt: skip
    """Error ratios after exchanging a group between sites, (group, process)."""
    random, table = np.random.default_rng(seed), sites["covariates"].values

    def errors(changed: FloatArray) -> FloatArray:
        places = sites[["covariates"]].assign(covariates=(("site", "covariate"), changed))
        squared = (model.raw_unit(places).mean(axis=0) - target) ** 2
        return np.array([np.nanmean(squared[:, members_of(process)]) for process in PROCESSES])

    before, found = errors(table), []
    for columns in groups.values():
        ratios = []
        for _ in range(replicates):
            changed = table.copy()
            changed[:, columns] = table[random.permutation(len(table))][:, columns]
            ratios.append(errors(changed) / before)
        found.append(np.mean(ratios, axis=0))
    return np.array(found)
