"""Predictions of profiles that an approach has not seen, fold by fold.

Every pair of an approach and a fold is one task: the approach learns from all sites outside the
fold and predicts the profiles inside. Tasks run side by side on all cores or on a cluster, and
finished ones are kept, so that a run that was killed goes on. What comes back depends on the
sites, the approaches and the seed alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from proda_lib import workers
from proda_lib.fold_tasks import Fit, Task, Tasks

__all__ = ["Splits", "assembled", "checked_folds", "out_of_fold", "outer_tasks", "scored_rows"]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int_]
Splits = Mapping[str, ArrayLike]
Folds = dict[str, IntArray]


def out_of_fold(
    sites: xr.Dataset,
    found: xr.Dataset | None,
    fits: Mapping[str, Fit],
    splits: Splits,
    *,
    seed: int,
    scored: xr.Dataset | None = None,
    folder: Path | None = None,
    workers: int | None = None,
    scheduler: workers.Scheduler = None,
    show: bool = True,
) -> xr.Dataset:
    """Predict every profile by approaches that were trained without its fold.

    Parameters
    ----------
    sites : Dataset
        Sites to learn from, n rows.
    found : Dataset or None
        Their assimilation, same rows, for approaches that need it.
    fits : mapping of str to callable
        Approaches: fit(sites, found, seed=...) to a model, see `proda_lib.predictor`. Functions of
        modules, or such with `functools.partial`: they are sent to other processes.
    splits : mapping of str to array_like of int, shape (n,)
        0-based fold of each site under each split.
    seed : int
        Fold k is fitted with seed + k.
    scored : Dataset, optional
        The profiles to predict, known by `profile_id`; by default the sites.
    folder : Path, optional
        Where finished tasks are kept, see `proda_lib.parts.forget`; a cluster must see it, too.
    workers, scheduler
        How many processes, or where else the tasks run, see `proda_lib.workers`.
    show : bool
        Whether to draw a progress bar.

    Returns
    -------
    Dataset
        `soc` (split, approach, site, observation), gC m-3, rows as `scored`; `unit` (split,
        approach, site, parameter), mean positions in the prior range, NaN for approaches without;
        `seconds` (split, approach, fold) of processor time that each took; `fold` (split, site).

    Raises
    ------
    ValueError
        If a fold or a scored profile does not fit the sites.
    RuntimeError
        If an approach fails, with its name and fold; what has finished is kept.
    """
    scored = sites if scored is None else scored
    folds = checked_folds(splits, sites.sizes["site"])
    tasks = outer_tasks(sites, scored, list(fits), folds, seed)
    parts = Tasks(sites, found, scored, fits, folder).run(tasks, workers, scheduler, show)
    return assembled(tasks, parts, sites, scored, folds)


def outer_tasks(
    sites: xr.Dataset, scored: xr.Dataset, names: Sequence[str], folds: Folds, seed: int
) -> list[Task]:
    """Return a task for every approach, split and fold; arguments as in `out_of_fold`."""
    rows = scored_rows(sites, scored)
    return [
        Task(name, split, k, np.flatnonzero(fold != k), np.flatnonzero(fold[rows] == k), seed)
        for name in names
        for split, fold in folds.items()
        for k in np.unique(fold).tolist()
    ]


def scored_rows(sites: xr.Dataset, scored: xr.Dataset) -> IntArray:
    """Return the row among the sites of each scored profile, found by its `profile_id`.

    Examples
    --------
    >>> some = xr.Dataset(coords={"profile_id": ("site", [7, 8, 9])})
    >>> scored_rows(some, some.isel(site=[2, 0])).tolist()
    [2, 0]
    """
    known, wanted = sites["profile_id"].values, scored["profile_id"].values
    order = np.argsort(known)
    place = np.minimum(np.searchsorted(known, wanted, sorter=order), len(known) - 1)
    rows = order[place]
    if len(np.unique(known)) < len(known) or (known[rows] != wanted).any():
        raise ValueError(
            f"{len(wanted)} scored profiles do not match the {len(known)} sites by profile_id: "
            "each must occur once among the sites"
        )
    return rows


def checked_folds(splits: Splits, rows: int) -> Folds:
    """Return the folds of so many sites as arrays.

    Raises
    ------
    ValueError
        If a split does not have a fold for each site, or only one fold.

    Examples
    --------
    >>> checked_folds({"profile": [0, 1, 1]}, 3)["profile"].tolist()
    [0, 1, 1]
    """
    folds = {name: np.asarray(fold) for name, fold in splits.items()}
    for name, fold in folds.items():
        if fold.shape != (rows,) or len(np.unique(fold)) < 2 or fold.min() < 0:
            raise ValueError(
                f"split {name!r} has shape {fold.shape} and folds {np.unique(fold).tolist()}: give "
                f"a fold, 0 or more, for each of the {rows} sites, and at least two folds"
            )
    return folds


def assembled(
    tasks: Sequence[Task],
    parts: Sequence[xr.Dataset],
    sites: xr.Dataset,
    scored: xr.Dataset,
    folds: Folds,
) -> xr.Dataset:
    """Put the results of tasks together, as `out_of_fold` returns them."""
    splits, names = list(folds), list(dict.fromkeys(task.approach for task in tasks))
    shape = scored["observed_soc"].transpose("site", "observation").shape
    parameter = next((part["parameter"].values for part in parts if "unit" in part), None)
    soc = np.full((len(splits), len(names), *shape), np.nan)
    unit = np.full((*soc.shape[:3], 0 if parameter is None else len(parameter)), np.nan)
    seconds = np.full((*soc.shape[:2], 1 + max(task.fold for task in tasks)), np.nan)
    for task, part in zip(tasks, parts, strict=True):
        place = splits.index(task.split), names.index(task.approach)
        soc[(*place, task.test)] = part["soc"].values
        seconds[(*place, task.fold)] = float(part["seconds"])
        if "unit" in part:
            unit[(*place, task.test)] = part["unit"].values
    kept = ("profile_id", "location_id", "source_row", "lon", "lat")
    places = {name: scored[name] for name in kept if name in scored.coords}
    rows = scored_rows(sites, scored)
    data = xr.Dataset(
        {
            "soc": (("split", "approach", "site", "observation"), soc, {"units": "gC m-3"}),
            "unit": (("split", "approach", "site", "parameter"), unit, {"units": "1"}),
            "seconds": (("split", "approach", "fold"), seconds, {"units": "s"}),
            "fold": (("split", "site"), np.stack([fold[rows] for fold in folds.values()])),
        },
        {"split": splits, "approach": names},
    )
    return data.assign_coords(places | ({} if parameter is None else {"parameter": parameter}))
