"""Who errs least where: errors of approaches within classes, with what chance allows."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from proda_lib.skill_scores import BINS

__all__ = ["DEPTH_BINS", "depth_bin", "least_error"]

FloatArray = NDArray[np.float64]
TextArray = NDArray[np.str_]

#: Edges of depth bins, m.
DEPTH_BINS = BINS[:-1]

#: What classes with too few profiles are joined to.
OTHER = "other"


def depth_bin(depth: ArrayLike) -> TextArray:
    """Name the depth bin of each observation, "" for padding; same shape.

    Examples
    --------
    >>> depth_bin([0.05, 0.1, 2.0, np.nan]).tolist()
    ['0-0.1 m', '0-0.1 m', 'over 1.5 m', '']
    """
    depth = np.asarray(depth, dtype=float)
    names = [f"{a:g}-{b:g} m" for a, b in pairwise(DEPTH_BINS)]
    names = np.array([*names, f"over {DEPTH_BINS[-1]:g} m", ""])
    place = np.clip(np.searchsorted(DEPTH_BINS, depth, side="left") - 1, 0, len(names) - 2)
    return names[np.where(np.isfinite(depth), place, len(names) - 1)]


def least_error(
    observed: ArrayLike,
    modelled: Mapping[str, ArrayLike],
    classes: TextArray,
    groups: ArrayLike,
    *,
    seed: int,
    log: bool = False,
    fewest: int = 5,
    draws: int = 1000,
) -> pd.DataFrame:
    """Compare the errors of approaches within classes, so that a tie is called a tie.

    Whole groups of sites are drawn anew, with replacement, and every approach is scored on the same
    draw (paired bootstrap). An approach is level with the best of its class if the 95 % interval of
    its error over the best one's reaches down to 1, or if the class has too few groups to tell.

    Parameters
    ----------
    observed : array_like, shape (n, observation)
        gC m-3; NaN pads.
    modelled : mapping of str to array_like, shape (n, observation)
        Only observations that every approach has are used. The first approach is the reference.
    classes : ndarray of str, shape (n, observation) or (n, 1)
        "" for none.
    groups : array_like of int, shape (n,)
        Sites that are drawn together, see `proda_lib.folds.locations`.
    seed : int
    log : bool
        Whether errors are those of ln SOC (both values at least 1 gC m-3) instead of SOC.
    fewest : int
        Classes with fewer sites are joined as "other"; with fewer groups all are level.
    draws : int

    Returns
    -------
    DataFrame
        One row per class and approach, classes in the order of their names: `sites`,
        `observations`, `error` (root mean square; kgC m-3, or 1 for logarithms), `ratio` to the
        reference's with `low` and `high` (95 %), `among_best` (level with the best), and `best`.

    Raises
    ------
    ValueError
        If no observation has a class and a value of every approach.
    """
    squared, classes = _squared_errors(observed, modelled, classes, log)
    classes = _with_other(classes, fewest)
    names = sorted(set(classes[classes != ""]), key=lambda name: (name == OTHER, name))
    if not names:
        raise ValueError("no observation has a class and a value of every approach: check the rows")
    inside = np.stack([classes == name for name in names])
    group = np.unique(groups, return_inverse=True)[1].ravel()
    sums = np.stack([_by_group(np.where(inside, one, 0.0), group) for one in squared], axis=-1)
    count = _by_group(inside, group)
    weight = np.random.default_rng(seed).multinomial(
        len(count), np.full(len(count), 1 / len(count)), size=draws
    )
    with np.errstate(invalid="ignore", divide="ignore"):
        total = np.tensordot(weight, sums, 1) / np.tensordot(weight, count, 1)[..., None]
    actual = sums.sum(axis=0) / count.sum(axis=0)[:, None]
    rows = [
        _class_rows(
            name,
            list(modelled),
            np.sqrt(actual[k]),
            np.sqrt(total[:, k]),
            few=(count[:, k] > 0).sum() < fewest,
        )
        | {"sites": int(inside[k].any(axis=1).sum()), "observations": int(inside[k].sum())}
        for k, name in enumerate(names)
    ]
    return pd.concat([pd.DataFrame(row) for row in rows], ignore_index=True)


def _squared_errors(
    observed: ArrayLike, modelled: Mapping[str, ArrayLike], classes: TextArray, log: bool
) -> tuple[FloatArray, TextArray]:
    """Squared errors, (approach, n, observation), and the class where all of them are known."""
    values = np.stack([np.asarray(v, dtype=float) for v in (observed, *modelled.values())])
    values = np.log(np.maximum(values, 1.0)) if log else values / 1000
    squared = (values[1:] - values[0]) ** 2
    known = np.isfinite(squared).all(axis=0)
    return squared, np.where(known, np.broadcast_to(classes, known.shape), "")


def _with_other(classes: TextArray, fewest: int) -> TextArray:
    """Join classes that too few sites have."""
    names = [name for name in np.unique(classes) if name]
    few = [name for name in names if (classes == name).any(axis=1).sum() < fewest]
    return np.where(np.isin(classes, few), OTHER, classes)


def _by_group(values: NDArray[np.generic], group: NDArray[np.int_]) -> FloatArray:
    """Return sums over the observations of each group of sites, (group, class)."""
    sums = np.zeros((group.max() + 1, len(values)))
    np.add.at(sums, group, values.sum(axis=-1).T)
    return sums


def _class_rows(
    name: str, approaches: list[str], error: FloatArray, drawn: FloatArray, *, few: bool
) -> dict[str, object]:
    """Rows of one class from errors (approach,) and those of the resamples (draw, approach)."""
    drawn = drawn[np.isfinite(drawn).all(axis=1)]
    best = int(np.argmin(error))
    low, high = np.quantile(drawn / drawn[:, :1], [0.025, 0.975], axis=0)
    return {
        "class": name,
        "approach": approaches,
        "error": error,
        "ratio": error / error[0],
        "low": low,
        "high": high,
        "among_best": few | (np.quantile(drawn / drawn[:, best : best + 1], 0.025, axis=0) <= 1),
        "best": np.arange(len(error)) == best,
    }
