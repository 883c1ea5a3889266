"""What profiles next to each other say about each other: the floor under every model's error.

Covariates and forcing are the same, or nearly so, for two pits close to each other; what differs
between them cannot be predicted. One pit, read at the depths of the other, is compared with it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import ArrayLike, NDArray

__all__ = [
    "LABELS",
    "agreement",
    "distance_to_training",
    "neighbours",
    "read_neighbour",
    "shared_variance",
    "torn",
]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int_]

_EARTH_RADIUS = 6371.0  # km

#: Headers for the table of `agreement`, with units.
LABELS = {
    "nearest": "from (km)",
    "farthest": "to (km)",
    "pairs": "pairs",
    "profiles": "profiles",
    "r2": "R² (–)",
    "log_r2": "R² of log (–)",
    "best_r2": "R² at best (–)",
    "best_log_r2": "R² of log at best (–)",
    "log_sd": "sd of ln SOC (–)",
}


def neighbours(sites: xr.Dataset, nearest: float, farthest: float) -> IntArray:
    """Return all ordered pairs of sites whose distance lies in a range.

    Parameters
    ----------
    sites : Dataset
    nearest, farthest : float
        Bounds of the distance, km; both count as inside. 0 and 0: the same coordinates.

    Returns
    -------
    ndarray of int, shape (pair, 2)

    Examples
    --------
    >>> some = xr.Dataset(coords={"lon": ("site", [0.0, 0.0, 1.0]), "lat": ("site", [0.0] * 3)})
    >>> neighbours(some, 0, 0).tolist(), len(neighbours(some, 111, 112))
    ([[0, 1], [1, 0]], 4)
    """
    pairs = [np.empty((0, 2), int)]
    for i in range(sites.sizes["site"]):
        distance = _distance(sites, i)
        inside = (distance >= nearest) & (distance <= farthest)
        inside[i] = False
        pairs.append(np.column_stack([np.full(inside.sum(), i), np.flatnonzero(inside)]))
    return np.concatenate(pairs)


def _distance(sites: xr.Dataset, i: int) -> FloatArray:
    """Return the distance of every site from one of them, km, shape (n,) (haversine)."""
    lon, lat = (np.radians(sites[name].values) for name in ("lon", "lat"))
    across = np.cos(lat) * np.cos(lat[i]) * np.sin((lon - lon[i]) / 2) ** 2
    square = np.sin((lat - lat[i]) / 2) ** 2 + across
    return 2 * _EARTH_RADIUS * np.arcsin(np.sqrt(np.minimum(square, 1.0)))


def distance_to_training(sites: xr.Dataset, fold: ArrayLike) -> FloatArray:
    """Return how far each site is from the nearest one of another fold, km, shape (n,).

    Examples
    --------
    >>> some = xr.Dataset(coords={"lon": ("site", [0.0, 0.0, 1.0]), "lat": ("site", [0.0] * 3)})
    >>> distance_to_training(some, [0, 1, 1]).round().tolist()
    [0.0, 0.0, 111.0]
    """
    fold = np.asarray(fold)
    return np.array([_distance(sites, i)[fold != fold[i]].min() for i in range(len(fold))])


def torn(groups: ArrayLike, fold: ArrayLike) -> tuple[int, int]:
    """Count the groups of several sites, and those of them whose sites lie in several folds.

    Examples
    --------
    >>> torn([7, 7, 8, 8, 9], [0, 1, 0, 0, 1])
    (2, 1)
    """
    table = pd.DataFrame({"group": np.asarray(groups), "fold": np.asarray(fold)})
    counts = table.groupby("group")["fold"].agg(["size", "nunique"])
    several = counts[counts["size"] > 1]
    return len(several), int((several["nunique"] > 1).sum())


def shared_variance(values: ArrayLike, groups: ArrayLike) -> float:
    """Share of the variance of values that lies between groups; 1, NaN if no group has several.

    The intraclass correlation of a one-way analysis of variance, so that many small groups do not
    explain anything by chance: about 0 for random groups, below it by chance.

    Parameters
    ----------
    values : array_like, shape (n,)
        NaN is left out.
    groups : array_like of int, shape (n,)

    Examples
    --------
    >>> round(shared_variance([1.0, 1.1, 3.0, 3.1], [0, 0, 1, 1]), 3)
    0.998
    """
    values, groups = np.asarray(values, dtype=float), np.asarray(groups)
    there = np.isfinite(values)
    values, number = values[there], np.unique(groups[there], return_inverse=True)[1]
    n, sizes = len(values), np.bincount(number)
    if n == len(sizes):
        return float("nan")
    mean = np.bincount(number, values) / sizes
    within = ((values - mean[number]) ** 2).sum() / (n - len(sizes))
    between = (sizes * (mean - values.mean()) ** 2).sum() / (len(sizes) - 1)
    usual = (n - (sizes**2).sum() / n) / (len(sizes) - 1)
    return float((between - within) / (between + (usual - 1) * within))


def read_neighbour(sites: xr.Dataset, pairs: IntArray) -> tuple[FloatArray, FloatArray, IntArray]:
    """Read one profile of each pair at the depths of the other.

    The logarithm of SOC goes straight from layer to layer; nothing is read above the first or
    below the last one.

    Parameters
    ----------
    sites : Dataset
    pairs : ndarray of int, shape (pair, 2)

    Returns
    -------
    observed, neighbour : ndarray, shape (layer,)
        SOC of the first of each pair and of the second at the same depths, gC m-3.
    pair : ndarray of int, shape (layer,)
        Row of `pairs`.
    """
    depth = sites["observed_depth"].transpose("site", ...).values
    soc = sites["observed_soc"].transpose("site", ...).values
    log = np.log(np.where(soc > 0, soc, np.nan))
    read = np.full((len(pairs), depth.shape[1]), np.nan)
    for number, (one, other) in enumerate(pairs):
        known = np.flatnonzero(np.isfinite(log[other]))
        known = known[np.argsort(depth[other, known], kind="stable")]
        if len(known):
            at, values = depth[other, known], log[other, known]
            read[number] = np.interp(depth[one], at, values, left=np.nan, right=np.nan)
    there = np.isfinite(read) & np.isfinite(log[pairs[:, 0]])
    return soc[pairs[:, 0]][there], np.exp(read[there]), np.nonzero(there)[0]


def agreement(sites: xr.Dataset, bounds: Sequence[tuple[float, float]]) -> pd.DataFrame:
    """Tabulate how well profiles predict their neighbours, by distance.

    Each profile counts once, however many neighbours it has. If two pits of a place share what can
    be predicted and each has an independent error of the same size, their correlation is the share
    of the variance that can be predicted: the R2 of a model that knows the mean of every place
    ("best_r2"), while one pit predicting the other reaches only its square ("r2").

    Parameters
    ----------
    sites : Dataset
    bounds : sequence of tuple of float
        Nearest and farthest distance of each row, km.

    Returns
    -------
    DataFrame
        Columns "nearest", "farthest" (km), "pairs" (each counted once), "profiles", "r2", "log_r2",
        "best_r2", "best_log_r2" (1), and "log_sd", the standard deviation of the logarithm of one
        profile's SOC about its place. Distances without three layers are left out.
    """
    rows = []
    for nearest, farthest in bounds:
        pairs = neighbours(sites, nearest, farthest)
        observed, neighbour, number = read_neighbour(sites, pairs)
        if len(observed) < 3:
            continue
        times = np.bincount(pairs[:, 0], minlength=sites.sizes["site"])
        weight = 1 / times[pairs[number, 0]]
        r2 = _r2(observed, neighbour, weight)
        log_r2 = _r2(np.log(observed), np.log(neighbour), weight)
        spread = np.average(np.log(observed / neighbour) ** 2, weights=weight)
        rows.append(
            {
                "nearest": nearest,
                "farthest": farthest,
                "pairs": len(pairs) // 2,
                "profiles": int((times > 0).sum()),
                "r2": r2,
                "log_r2": log_r2,
                "best_r2": np.sqrt(r2),
                "best_log_r2": np.sqrt(log_r2),
                "log_sd": float(np.sqrt(spread / 2)),
            }
        )
    return pd.DataFrame(rows, columns=list(LABELS))


def _r2(one: FloatArray, other: FloatArray, weight: FloatArray) -> float:
    covariance = np.cov(one, other, aweights=weight)
    return float(covariance[0, 1] ** 2 / (covariance[0, 0] * covariance[1, 1]))
