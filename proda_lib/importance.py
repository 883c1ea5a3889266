"""Importance of covariates: how much worse predictions become when they tell nothing.

`importance` compares errors before and after a real permutation (Breiman, 2001) and says how sure
the answer is. `constant_ratios` is the published variant, in which nothing is permuted, and
`misread` the slip of its figure. scikit-learn's permutation_importance shuffles one column at a
time; a group of covariates that know each other must be moved as one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from proda_lib.network.ensemble import Ensemble
from proda_lib.parameters import PROCESSES
from proda_lib.process_change import members_of

__all__ = ["Importance", "constant_ratios", "importance", "importances", "misread"]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int_]

#: A ratio above 1 by less than this is 1: sums of the same errors differ by rounding.
_ROUNDING = 1e-12


class Importance(NamedTuple):
    """Error with permuted covariates over error with the right ones.

    Attributes
    ----------
    ratio : float
        Of mean squared errors, mean over the repeats; 1 says that they tell nothing.
    scatter : float
        Standard deviation over the repeats.
    low, high : float
        95 % interval, over places and repeats.
    chance : float
        Share of the resamples in which the permutation does no harm: a one-sided p-value of "no
        better than chance".
    resampled : ndarray, shape (resample,)
        The ratio in each resample; the same places in all calls with the same seed and places, so
        that ratios may be compared resample by resample.
    """

    ratio: float
    scatter: float
    low: float
    high: float
    chance: float
    resampled: FloatArray


def importance(
    right: ArrayLike, permuted: ArrayLike, places: ArrayLike, *, seed: int, resamples: int = 1000
) -> Importance:
    """Compare errors with right and with permuted covariates.

    Neighbouring sites are not independent, so whole places are drawn with replacement, and with
    each draw as many of the repeats.

    Parameters
    ----------
    right : array_like, shape (n,)
        Squared error of each site, any unit; sites with NaN are left out.
    permuted : array_like, shape (repeat, n)
        The same after each permutation.
    places : array_like of int, shape (n,)
        What is drawn together, for example `proda_lib.folds.blocks`.
    seed : int
    resamples : int

    Raises
    ------
    ValueError
        If the shapes do not fit, or no site has an error.

    Examples
    --------
    >>> found = importance([1.0, 1.0, 1.0], [[2.0, 3.0, 4.0]], [0, 1, 2], seed=1)
    >>> found.ratio, 2.0 <= found.low <= found.high <= 4.0, round(found.chance, 3)
    (3.0, True, 0.001)
    """
    right, permuted = np.asarray(right, dtype=float), np.asarray(permuted, dtype=float)
    places = np.asarray(places)
    if permuted.ndim != 2 or not right.shape == permuted.shape[1:] == places.shape:
        raise ValueError(
            f"errors have shapes {right.shape} and {permuted.shape}, places {places.shape}: give "
            "(n,), (repeat, n) and (n,)"
        )
    there = np.isfinite(right) & np.isfinite(permuted).all(axis=0)
    if not there.any() or not right[there].sum() > 0:
        raise ValueError("no site has an error above 0 to compare with: check what was passed in")
    sums, changed = _by_place(right[there], permuted[:, there], places[there])
    ratios = changed.sum(axis=1) / sums.sum()
    random, repeats, count = np.random.default_rng(seed), len(changed), len(sums)
    drawn = random.multinomial(count, np.full(count, 1 / count), size=resamples)
    chosen = random.multinomial(repeats, np.full(repeats, 1 / repeats), size=resamples) / repeats
    kept = drawn @ sums > 0
    resampled = ((drawn @ changed.T) * chosen).sum(axis=1)[kept] / (drawn @ sums)[kept]
    low, high = np.quantile(resampled, [0.025, 0.975])
    chance = (1 + (resampled <= 1 + _ROUNDING).sum()) / (1 + len(resampled))
    return Importance(
        float(ratios.mean()), float(ratios.std()), float(low), float(high), float(chance), resampled
    )


def importances(
    right: ArrayLike,
    permuted: Mapping[str, ArrayLike],
    places: ArrayLike,
    *,
    seed: int,
    resamples: int = 500,
) -> list[dict[str, Importance]]:
    """Judge several groups of covariates by several errors, resampling the same places for all.

    Parameters
    ----------
    right : array_like, shape (n, error)
        Squared errors with the right covariates, for example one for each process.
    permuted : mapping of str to array_like, shape (repeat, n, error)
        The same after permuting a group, by its name.
    places, seed, resamples
        As in `importance`.

    Returns
    -------
    list of dict of str to Importance
        One dict per error; its keys are the groups.

    Examples
    --------
    >>> right = np.ones((4, 1))
    >>> found = importances(right, {"soil": 2 * right[None]}, [0, 1, 2, 3], seed=1)
    >>> [{group: one.ratio for group, one in each.items()} for each in found]
    [{'soil': 2.0}]
    """
    right = np.asarray(right, dtype=float)
    return [
        {
            group: importance(
                right[:, number], np.asarray(errors)[..., number], places,
                seed=seed, resamples=resamples,
            )
            for group, errors in permuted.items()
        }
        for number in range(right.shape[1])
    ]  # fmt: skip


def _by_place(
    right: FloatArray, permuted: FloatArray, places: IntArray
) -> tuple[FloatArray, FloatArray]:
    """Sum errors by place, shapes (place,) and (repeat, place)."""
    number = np.unique(places, return_inverse=True)[1].ravel()
    sums = np.bincount(number, right)
    return sums, np.stack([np.bincount(number, each, minlength=len(sums)) for each in permuted])


def constant_ratios(
    model: Ensemble,
    sites: xr.Dataset,
    target: ArrayLike,
    columns: IntArray,
    *,
    reference: xr.Dataset,
    replicates: int,
    seed: int,
) -> pd.DataFrame:
    """Give every site one and the same number in all covariates of a group, as published.

    permutation_test_cesm2_best_guess.py: each replicate draws one number u, uniform from 0 to 1,
    and sets all scaled covariates of the group to it at every site. Importance is the mean squared
    error after over the one before, over sites and parameters of a process. Since the result
    depends on u alone, u is drawn evenly here: one from each of as many equal steps as there are
    replicates, so that far fewer than the original's 1,000 show its distribution.

    Parameters
    ----------
    model : Ensemble
        Predictions are those of its mean, not kept inside the prior range.
    sites : Dataset
        n sites.
    target : array_like, shape (n, 21)
        Posterior means, positions in the prior range; sites with NaN are left out.
    columns : ndarray of int
        The group's covariates.
    reference : Dataset
        Places whose range scales the covariates, the original's grid.
    replicates, seed : int

    Returns
    -------
    DataFrame
        Rows are replicates in the order of u, columns the `PROCESSES`.
    """
    table, target = sites["covariates"].values, np.asarray(target, dtype=float)
    low = np.nanmin(reference["covariates"].values, axis=0)[columns]
    high = np.nanmax(reference["covariates"].values, axis=0)[columns]
    numbers = (np.arange(replicates) + np.random.default_rng(seed).random(replicates)) / replicates
    before, after = _errors(model, sites, table, target), []
    for number in numbers:
        changed = table.copy()
        changed[:, columns] = low + number * (high - low)
        after.append(_errors(model, sites, changed, target) / before)
    return pd.DataFrame(after, columns=list(PROCESSES))


def _errors(
    model: Ensemble, sites: xr.Dataset, table: FloatArray, target: FloatArray
) -> FloatArray:
    """Mean squared error of each process' parameters, shape (process,)."""
    changed = sites[["covariates"]].assign(covariates=(("site", "covariate"), table))
    squared = (model.raw_unit(changed).mean(axis=0) - target) ** 2
    return np.array([np.nanmean(squared[:, members_of(process)]) for process in PROCESSES])


def misread(table: pd.DataFrame) -> pd.DataFrame:
    """Read importances as the original's figure does: the file of group i as if of process i.

    revision1_permutation_test.R takes the table of covariate group number i, whose columns are
    processes, for the table of process number i with covariate groups as columns. There are five
    of both, so nothing fails, and the bars are transposed.

    Parameters
    ----------
    table : DataFrame
        Importance by covariate group (rows) and process (columns), as many of both.

    Returns
    -------
    DataFrame
        What the figure shows, by process (rows) and covariate group (columns).

    Raises
    ------
    ValueError
        If there are not as many groups as processes: then the slip cannot be made.

    Examples
    --------
    >>> right = pd.DataFrame([[1.0, 9.0], [2.0, 3.0]], ["texture", "climate"], ["A", "K"])
    >>> float(right.loc["texture", "K"]), float(misread(right).loc["K", "texture"])
    (9.0, 2.0)
    """
    if len(set(table.shape)) > 1:
        raise ValueError(
            f"{table.shape[0]} groups and {table.shape[1]} processes are given: only with as many "
            "of both can one be taken for the other"
        )
    return pd.DataFrame(table.to_numpy(), index=table.columns, columns=table.index)
