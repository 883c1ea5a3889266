"""Stocks by vegetation type: observed and modelled on the same profiles, and of maps.

Profiles of one place are no independent witnesses: uncertainty comes from whole places that are
drawn anew within a type, and all sources see the same draws, so that the difference between a model
and the observations is better known than either mean.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from proda_lib.stocks import INTERVALS, PETAGRAMS

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

__all__ = ["map_stocks_by_type", "stocks_by_type", "verdict"]

FloatArray = NDArray[np.float64]


def stocks_by_type(
    stocks: Mapping[str, ArrayLike],
    types: ArrayLike,
    places: ArrayLike,
    *,
    intervals: Sequence[tuple[float, float]] = INTERVALS,
    seed: int,
    resamples: int = 1000,
    fewest: int = 5,
    level: float = 0.95,
) -> pd.DataFrame:
    r"""Compare stocks of sources on the same profiles, by vegetation type and depth interval.

    A mean m, or a mean difference, of profiles of n places has the interval

    .. math:: m \pm t_{n-1} \sqrt{n / (n - 1)}\, s,

    with the standard deviation s of the means of resamples of whole places, which falls short by
    the root because places are drawn from those that are there, and Student's t, because few places
    say little about s. Quantiles of the resamples know neither and are too narrow with few places.
    A few skewed values still leave out the true mean more often than the level says.

    Parameters
    ----------
    stocks : mapping of str to array_like, shape (site, interval)
        Source to its stocks, gC m-2; the first is what the others are compared with, usually what
        was observed. A profile counts in a depth interval if every source has a value there.
    types : array_like of str, shape (site,)
    places : array_like of int, shape (site,)
        Sites that are drawn together, see `proda_lib.folds.locations`.
    intervals : sequence of (float, float)
        Upper and lower depths, m, in the order of the last axis.
    seed : int
    resamples : int
    fewest : int
        With fewer places than that no interval is given.
    level : float
        Share of intervals that are to hold the true mean, between 0 and 1.

    Returns
    -------
    DataFrame
        One row per type, depth interval and source: `sites` and `places` that count, `mean`, `sd`
        (of the profiles), `low` and `high` (interval of the mean), `difference` from the first with
        `difference_low` and `difference_high` (interval of its mean); kgC m-2, NaN where there are
        too few.

    Raises
    ------
    ValueError
        If a source has another shape than (site, interval), or the level is no share.

    Examples
    --------
    >>> stocks = {"observed": [[1e3], [3e3]], "model": [[2e3], [2e3]]}
    >>> found = stocks_by_type(stocks, ["bog", "bog"], [0, 1], intervals=[(0, 1)], seed=1)
    >>> found[["source", "sites", "mean", "difference"]].values.tolist()
    [['observed', 2, 2.0, 0.0], ['model', 2, 2.0, 0.0]]
    """
    import pandas as pd

    if not 0 < level < 1:
        raise ValueError(f"level is {level:g}: give a share between 0 and 1")
    types, places = np.asarray(types), np.asarray(places)
    values = _stacked(stocks, (len(types), len(intervals))) / 1000
    known, random = np.isfinite(values).all(axis=0), np.random.default_rng(seed)
    tables = []
    for name in dict.fromkeys(types.tolist()):
        of_type = types == name
        draws = _drawn(places[of_type], random, resamples)
        for k, (upper, lower) in enumerate(intervals):
            rows = known[of_type, k]
            found = _of_class(
                values[:, of_type, k], rows, places[of_type], draws, max(fewest, 2), level
            )
            head = {"type": name, "upper": upper, "lower": lower, "source": list(stocks)}
            tables.append(pd.DataFrame(head | found))
    return pd.concat(tables, ignore_index=True)


def _stacked(stocks: Mapping[str, ArrayLike], shape: tuple[int, int]) -> FloatArray:
    """Stocks as (source, site, interval), every shape checked."""
    values = {name: np.asarray(each, dtype=float) for name, each in stocks.items()}
    for name, each in values.items():
        if each.shape != shape:
            raise ValueError(
                f"stocks of {name!r} have shape {each.shape}, allowed is {shape} (sites, "
                "intervals): pass all sources on the same sites"
            )
    return np.stack(list(values.values()))


def _drawn(
    places: NDArray[np.int_], random: np.random.Generator, resamples: int
) -> NDArray[np.int_]:
    """How often each site counts in each resample of whole places, (resample, site)."""
    place = np.unique(places, return_inverse=True)[1].ravel()
    count = place.max() + 1
    return random.multinomial(count, np.full(count, 1 / count), size=resamples)[:, place]


def _of_class(
    values: FloatArray,
    rows: NDArray[np.bool_],
    places: NDArray[np.int_],
    draws: NDArray[np.int_],
    fewest: int,
    level: float,
) -> dict[str, object]:
    """Columns of one type and interval from stocks (source, site), kgC m-2."""
    some, blank = values[:, rows], np.full(len(values), np.nan)
    sites, count = int(rows.sum()), len(np.unique(places[rows]))
    found = {"sites": sites, "places": count, "mean": blank, "sd": blank, "difference": blank}
    names = ("low", "high", "difference_low", "difference_high")
    found |= dict.fromkeys(names, blank)
    if sites:
        mean = some.mean(axis=1)
        found |= {"mean": mean, "difference": mean - mean[0]}
    if sites > 1:
        found["sd"] = some.std(axis=1, ddof=1)
    if count >= fewest:
        weight = draws[:, rows]
        weight = weight[weight.sum(axis=1) > 0]
        means = weight @ some.T / weight.sum(axis=1, keepdims=True)
        half = [_half_width(each, count, level) for each in (means, means - means[:, :1])]
        centre = (found["mean"], found["difference"])
        ends = [
            mid + sign * width for mid, width in zip(centre, half, strict=True) for sign in (-1, 1)
        ]
        found |= dict(zip(names, ends, strict=True))
    return found


def _half_width(means: FloatArray, count: int, level: float) -> FloatArray:
    """Half the interval of a mean by its resamples (resample, source) of `count` places."""
    from scipy.stats import t

    factor = t.ppf((1 + level) / 2, count - 1) * np.sqrt(count / (count - 1))
    return factor * means.std(axis=0, ddof=1)


def verdict(low: ArrayLike, high: ArrayLike) -> NDArray[np.str_]:
    """Say what an interval of a difference from the observations shows; same shape.

    "too little" or "too much" if it leaves out zero, "not told apart" if it holds zero, "too few"
    if there is none.

    Examples
    --------
    >>> verdict([-3, -1, 1, np.nan], [-1, 1, 3, np.nan]).tolist()
    ['too little', 'not told apart', 'too much', 'too few']
    """
    low, high = np.asarray(low, dtype=float), np.asarray(high, dtype=float)
    words = np.where(high < 0, "too little", np.where(low > 0, "too much", "not told apart"))
    return np.where(np.isfinite(low) & np.isfinite(high), words, "too few")


def map_stocks_by_type(maps: xr.Dataset, types: ArrayLike) -> pd.DataFrame:
    """Return the area-weighted mean and the total stock of each vegetation type of maps.

    Parameters
    ----------
    maps : Dataset
        `stock` (source, cell, interval), gC m-2, NaN where unknown, with the coordinates `area`
        (cell; km2), `source` and `interval`, as the chapter on predictions for the grid saves it.
    types : array_like of str, shape (cell,)

    Returns
    -------
    DataFrame
        One row per source, interval and type: `cells` and `area_km2` with a value, `mean` (kgC
        m-2), `total` (Pg C) and `share` of the source's total (1).

    Examples
    --------
    >>> import xarray as xr
    >>> stock = (("source", "cell", "interval"), [[[1e3], [3e3]]])
    >>> names = {"source": ["a"], "interval": ["0-30 cm"], "area": ("cell", [3.0, 1.0])}
    >>> found = map_stocks_by_type(xr.Dataset({"stock": stock}, names), ["x", "y"])
    >>> found[["type", "mean", "share"]].values.tolist()
    [['x', 1.0, 0.5], ['y', 3.0, 0.5]]
    """
    import pandas as pd

    types, area = np.asarray(types), maps["area"].values
    names = list(dict.fromkeys(types.tolist()))
    stock = maps["stock"].transpose("source", "interval", "cell").values
    known = np.isfinite(stock)
    carbon, covered = np.where(known, stock, 0.0) * area, known * area
    tables = []
    for name in names:
        inside = types == name
        some, square = carbon[..., inside].sum(axis=-1), covered[..., inside].sum(axis=-1)
        with np.errstate(invalid="ignore", divide="ignore"):
            mean, share = some / square / 1000, some / carbon.sum(axis=-1)
        total = np.where(square > 0, some * PETAGRAMS, np.nan)
        found = {"cells": known[..., inside].sum(axis=-1), "area_km2": square}
        found |= {"mean": mean, "total": total, "share": share}
        source, interval = np.meshgrid(maps["source"], maps["interval"], indexing="ij")
        head = {"source": source.ravel(), "interval": interval.ravel(), "type": name}
        tables.append(pd.DataFrame(head | {key: value.ravel() for key, value in found.items()}))
    return pd.concat(tables, ignore_index=True)
