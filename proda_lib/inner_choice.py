"""Which approach is best, decided anew for every fold inside its training sites.

To pick an approach by its score on hidden profiles, and then to report that score, would be
peeking. Here the training sites of each fold are split again, and what wins among them predicts the
fold.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from proda_lib import metrics, workers
from proda_lib.cross_validation import Splits, assembled, checked_folds, outer_tasks
from proda_lib.fold_tasks import Fit, Task, Tasks
from proda_lib.folds import blocks, grouped_folds

__all__ = ["Choice", "choose", "chosen", "nested"]

IntArray = NDArray[np.int_]
Folds = dict[str, IntArray]


class Choice(NamedTuple):
    """Which approach was chosen for each fold, on the training sites of that fold alone.

    Attributes
    ----------
    score : DataArray, dimensions (split, fold, approach)
        Mean of R2 and R2 of log SOC of the inner predictions; 1.
    best : DataArray of str, dimensions (split, fold)
    """

    score: xr.DataArray
    best: xr.DataArray


def choose(
    sites: xr.Dataset,
    found: xr.Dataset | None,
    candidates: Mapping[str, Fit],
    splits: Splits,
    *,
    inner: int = 3,
    seed: int,
    folder: Path | None = None,
    workers: int | None = None,
    scheduler: workers.Scheduler = None,
    show: bool = True,
) -> Choice:
    """Choose an approach for each fold by a cross-validation inside its training sites.

    The inner folds keep blocks of one degree together: what is chosen should serve where no
    neighbour is known. Where the training sites lie in fewer blocks, the profiles are dealt out.

    Parameters
    ----------
    sites, found, splits, seed, folder, workers, scheduler, show
        As in `out_of_fold`.
    candidates : mapping of str to callable
        As `fits` there; of equal scores the first wins.
    inner : int
        Number of inner folds.
    """
    folds = checked_folds(splits, sites.sizes["site"])
    tasks = _inner_tasks(sites, list(candidates), folds, inner, seed)
    pool = Tasks(sites, found, sites, {}, folder, candidates)
    return _choice(tasks, pool.run(tasks, workers, scheduler, show), sites, folds)


def nested(
    sites: xr.Dataset,
    found: xr.Dataset | None,
    fits: Mapping[str, Fit],
    candidates: Mapping[str, Fit],
    splits: Splits,
    *,
    inner: int = 3,
    seed: int,
    scored: xr.Dataset | None = None,
    folder: Path | None = None,
    workers: int | None = None,
    scheduler: workers.Scheduler = None,
    show: bool = True,
) -> tuple[xr.Dataset, Choice]:
    """Predict out of fold, choose, and add the approach chosen as "best", all tasks side by side.

    Arguments as in `proda_lib.cross_validation.out_of_fold` and `choose`. The candidates are named
    as among the fits, but may be cheaper versions of them.

    Returns
    -------
    predicted : Dataset
        As `chosen` returns it.
    choice : Choice
    """
    scored = sites if scored is None else scored
    folds = checked_folds(splits, sites.sizes["site"])
    outside = outer_tasks(sites, scored, list(fits), folds, seed)
    inside = _inner_tasks(sites, list(candidates), folds, inner, seed)
    pool = Tasks(sites, found, scored, fits, folder, candidates)
    parts = pool.run([*outside, *inside], workers, scheduler, show)
    predicted = assembled(outside, parts[: len(outside)], sites, scored, folds)
    choice = _choice(inside, parts[len(outside) :], sites, folds)
    return chosen(predicted, choice), choice


def _inner_tasks(
    sites: xr.Dataset, names: Sequence[str], folds: Folds, inner: int, seed: int
) -> list[Task]:
    tasks = []
    for split, fold in folds.items():
        for k in np.unique(fold).tolist():
            training = np.flatnonzero(fold != k)
            part = _inner_folds(sites.isel(site=training), inner, seed)
            tasks += [
                Task(name, split, k, training[part != i], training[part == i], seed, inner=i)
                for name in names
                for i in range(inner)
            ]
    return tasks


def _inner_folds(sites: xr.Dataset, inner: int, seed: int) -> IntArray:
    groups = blocks(sites)
    if len(np.unique(groups)) < inner:
        groups = np.arange(len(groups))
    return grouped_folds(groups, inner, seed=seed)


def _choice(
    tasks: Sequence[Task], parts: Sequence[xr.Dataset], sites: xr.Dataset, folds: Folds
) -> Choice:
    """Score each candidate on all inner folds together, and take the best."""
    observed = sites["observed_soc"].transpose("site", "observation").values
    pairs: dict[tuple[str, int, str], list[tuple[NDArray, NDArray]]] = {}
    for task, part in zip(tasks, parts, strict=True):
        pair = observed[task.test].ravel(), part["soc"].values.ravel()
        pairs.setdefault((task.split, task.fold, task.approach), []).append(pair)
    names = list(dict.fromkeys(task.approach for task in tasks))
    count = 1 + max(task.fold for task in tasks)
    coords = {"split": list(folds), "fold": np.arange(count), "approach": names}
    score = xr.DataArray(np.full((len(folds), count, len(names)), np.nan), coords, list(coords))
    for (split, k, name), some in pairs.items():
        both = [np.concatenate(values) for values in zip(*some, strict=True)]
        score.loc[split, k, name] = (metrics.r2(*both) + metrics.log_r2(*both)) / 2
    known = score.notnull().any("approach")
    first = score.fillna(-1.0).argmax("approach")
    best = xr.where(known, score["approach"].isel(approach=first).drop_vars("approach"), "")
    return Choice(score, best.astype(str))


def chosen(predicted: xr.Dataset, choice: Choice, name: str = "best") -> xr.Dataset:
    """Add the approach that takes each fold's predictions from the approach chosen for it.

    Parameters
    ----------
    predicted : Dataset
        From `out_of_fold`, with all candidates.
    choice : Choice
        Of the same splits.
    name : str
        Of the new approach.
    """
    best = choice.best.sel(split=predicted["split"]).values
    picked = np.take_along_axis(best, predicted["fold"].values, axis=1)
    which = predicted.get_index("approach").get_indexer(picked.ravel()).reshape(picked.shape)
    index = xr.DataArray(which, dims=("split", "site"))
    per_site = predicted[["soc", "unit"]].isel(approach=index).drop_vars("approach")
    new = per_site.expand_dims(approach=[name])
    joined = xr.concat([predicted[["soc", "unit"]], new], "approach")
    names = [*map(str, predicted["approach"].values), name]
    return predicted.drop_dims("approach").merge(
        joined.transpose("split", "approach", "site", ...).assign_coords(approach=names)
    ).merge(predicted[["seconds"]].reindex(approach=names))  # fmt: skip
