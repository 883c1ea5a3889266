"""Which profiles a model may learn from, and which it is tested on.

A profile that shares its pit or its neighbourhood with a training profile is no unseen profile:
groups of profiles always stay together, except where a leaky published split is to be repeated.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import ArrayLike, NDArray

__all__ = ["SPLITS", "blocks", "grouped_folds", "held_blocks", "locations", "splits", "test_set"]

IntArray = NDArray[np.int_]

#: Splits into folds, from the most lenient to the hardest, and what keeps profiles together.
SPLITS = {
    "profile": "single profiles: co-located ones may be on both sides",
    "coord": "profiles with the same coordinates",
    "block1deg": "profiles in the same block of one degree",
}


def locations(sites: xr.Dataset) -> IntArray:
    """Return a number for each site, the same for the same coordinates; shape (n,).

    Examples
    --------
    >>> places = xr.Dataset(coords={"lon": ("site", [1.0, 2, 1]), "lat": ("site", [0.0, 0, 0])})
    >>> locations(places).tolist()
    [0, 1, 0]
    """
    return _numbered(np.round(_coordinates(sites), 6))


def blocks(sites: xr.Dataset, degrees: float = 1.0) -> IntArray:
    """Return a number for each site, the same within a block of so many degrees; shape (n,).

    Examples
    --------
    >>> places = xr.Dataset(coords={"lon": ("site", [1.2, 1.9, 2.1]), "lat": ("site", [0.1] * 3)})
    >>> blocks(places).tolist()
    [0, 0, 1]
    """
    return _numbered(np.floor(_coordinates(sites) / degrees))


def _coordinates(sites: xr.Dataset) -> NDArray[np.float64]:
    return np.stack([sites["lon"].values, sites["lat"].values], axis=1)


def _numbered(rows: NDArray[np.float64]) -> IntArray:
    return np.unique(rows, axis=0, return_inverse=True)[1].ravel()


def grouped_folds(groups: ArrayLike, count: int = 5, *, seed: int) -> IntArray:
    """Deal whole groups out to folds of nearly equal size, at random; fold of each site, (n,).

    Parameters
    ----------
    groups : array_like of int, shape (n,)
        Sites with the same number stay together, see `locations` and `blocks`.
    count : int
        Number of folds.
    seed : int

    Raises
    ------
    ValueError
        If there are fewer groups than folds.

    Examples
    --------
    >>> fold = grouped_folds([0, 0, 1, 1, 2, 2], 3, seed=1)
    >>> [int(fold[i] == fold[i + 1]) for i in (0, 2, 4)], sorted(set(fold.tolist()))
    ([1, 1, 1], [0, 1, 2])
    """
    groups = np.asarray(groups)
    names, sizes = np.unique(groups, return_counts=True)
    if len(names) < count:
        raise ValueError(
            f"{len(names)} groups of sites cannot be dealt out to {count} folds: "
            "use fewer folds or smaller groups"
        )
    # Large groups first, each to the emptiest fold; ties and equal sizes in random order.
    random = np.random.default_rng(seed)
    shuffled = random.permutation(len(names))
    order = shuffled[np.argsort(-sizes[shuffled], kind="stable")]
    filled, fold = np.zeros(count), np.empty(len(names), int)
    for group in order:
        fold[group] = np.argmin(filled)
        filled[fold[group]] += sizes[group]
    return fold[np.searchsorted(names, groups)]


def held_blocks(
    sites: xr.Dataset, members: int, *, seed: int, count: int = 5
) -> tuple[list[IntArray], list[IntArray]]:
    """Split sites for each member of an ensemble: rows to learn from, and blocks held back.

    Each member holds back another fold of whole 1-degree blocks.

    Parameters
    ----------
    sites : Dataset
    members : int
    seed : int
    count : int
        Folds, fewer where there are fewer blocks; after so many members blocks are dealt out anew.

    Raises
    ------
    ValueError
        If all sites lie in one block.

    Examples
    --------
    >>> places = xr.Dataset(coords={"lon": ("site", [0.5, 1.5, 2.5]), "lat": ("site", [0.5] * 3)})
    >>> taught, held = held_blocks(places, 3, seed=1)
    >>> sorted(int(rows[0]) for rows in held), [len(rows) for rows in taught]
    ([0, 1, 2], [2, 2, 2])
    """
    number = blocks(sites)
    count = min(count, len(np.unique(number)))
    if count < 2:
        raise ValueError(
            "all sites lie in one block of 1 degree, which cannot be split for validation: give "
            "sites from more blocks, or train without stopping"
        )
    taught, held = [], []
    for member in range(members):
        fold = grouped_folds(number, count, seed=seed + member // count)
        taught.append(np.flatnonzero(fold != member % count))
        held.append(np.flatnonzero(fold == member % count))
    return taught, held


def test_set(
    sites: xr.Dataset, *, seed: int, share: float = 0.2, grouped: bool = True
) -> NDArray[np.bool_]:
    """Choose the test set at random, as the chapter does with 20 % of the profiles; (n,).

    Parameters
    ----------
    sites : Dataset
    seed : int
    share : float
        Share of the sites, 0 to 1.
    grouped : bool
        Whether co-located profiles stay together; the chapter does not say so.

    Examples
    --------
    >>> lon, lat = np.arange(10.0), np.zeros(10)
    >>> places = xr.Dataset(coords={"lon": ("site", lon), "lat": ("site", lat)})
    >>> int(test_set(places, seed=1).sum())
    2
    """
    if not 0 < share < 1:
        raise ValueError(f"share is {share}, it must lie between 0 and 1")
    groups = locations(sites) if grouped else np.arange(sites.sizes["site"])
    names, sizes = np.unique(groups, return_counts=True)
    order = np.random.default_rng(seed).permutation(len(names))
    before = np.cumsum(sizes[order]) - sizes[order]
    return np.isin(groups, names[order[before < round(share * len(groups))]])


test_set.__test__ = False  # type: ignore[attr-defined]  # not a test of pytest


def splits(study: str, sites: xr.Dataset, *, seed: int, count: int = 5) -> dict[str, IntArray]:
    """Return the folds of a study's sites under every split of `SPLITS`.

    New York's are fixed, so that scores can be compared with others' on the same folds; those of
    other studies are dealt out by the seed.

    Parameters
    ----------
    study : str
    sites : Dataset
        Of this study, any rows.
    seed : int
    count : int
        Number of folds.

    Returns
    -------
    dict of str to ndarray of int, shape (n,)
        0-based fold of each site.
    """
    if study == "newyork" and count == 5:
        file = Path(__file__).parent / "studies" / "newyork" / "folds.csv"
        fixed = pd.read_csv(file).iloc[sites["source_row"].values]
        return {name: fixed[name].to_numpy() for name in SPLITS}
    groups = {
        "profile": np.arange(sites.sizes["site"]),
        "coord": locations(sites),
        "block1deg": blocks(sites),
    }
    return {name: grouped_folds(groups[name], count, seed=seed) for name in SPLITS}
