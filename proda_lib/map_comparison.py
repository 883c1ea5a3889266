"""How alike maps are: area-weighted scores, and maps against the profiles in their cells.

Cells of a longitude-latitude grid differ in area, so every mean here weighs by area. Scores of maps
have no error bars: neighbouring cells share their errors, and a map of thousands of cells may hold
only dozens of independent regions.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from proda_lib.studies.cells import cell_of

__all__ = [
    "MAP_LABELS",
    "area_mean",
    "cell_means",
    "covered_by_spread",
    "map_agreement",
]

FloatArray = NDArray[np.float64]

#: Headers for tables of what `map_agreement` returns, with units.
MAP_LABELS = {
    "bias": "bias (kgC m⁻²)",
    "rmse": "RMSE (kgC m⁻²)",
    "r2": "R² (–)",
    "log_r2": "R² of log (–)",
    "spread_ratio": "sd / sd of judge (–)",
    "cells": "cells",
}


def area_mean(value: ArrayLike, area: ArrayLike) -> float:
    """Mean over the cells that have a value, weighted by area; NaN without any.

    Examples
    --------
    >>> area_mean([1.0, 4.0, np.nan], [2.0, 1.0, 9.0])
    2.0
    """
    value, area = np.asarray(value, dtype=float), np.asarray(area, dtype=float)
    known = np.isfinite(value)
    return float(np.average(value[known], weights=area[known])) if known.any() else float("nan")


def map_agreement(judge: ArrayLike, stock: ArrayLike, area: ArrayLike) -> dict[str, float]:
    """Compare a map with the one that it is judged by, over the cells that both know.

    Parameters
    ----------
    judge, stock : array_like, shape (cell,)
        gC m-2. The judge may hold means of profiles, known in a few cells only.
    area : array_like, shape (cell,)
        Any unit.

    Returns
    -------
    dict
        bias (map minus judge) and rmse, kgC m-2; r2 and log_r2, squared correlations of stocks
        and of their logarithms (of cells where both are positive); spread_ratio, standard deviation
        over that of the judge, below 1 for a map that is too even; all weighted by area. cells,
        the number used.

    Raises
    ------
    ValueError
        With fewer than three cells in common.

    Examples
    --------
    >>> found = map_agreement([1e3, 2e3, 3e3], [3e3, 5e3, 7e3], [1.0, 1.0, 1.0])
    >>> found["bias"], round(found["r2"], 12), round(found["spread_ratio"], 12)
    (3.0, 1.0, 2.0)
    """
    judge, stock, area = (np.asarray(a, dtype=float) for a in (judge, stock, area))
    both = np.isfinite(judge) & np.isfinite(stock)
    if both.sum() < 3:
        raise ValueError(f"the maps share {int(both.sum())} cells with a value: 3 are needed")
    judge, stock, area = judge[both] / 1000, stock[both] / 1000, area[both]
    error, positive = stock - judge, (judge > 0) & (stock > 0)
    covariance = np.cov(judge, stock, aweights=area)
    logs = np.log(judge[positive]), np.log(stock[positive])
    return {
        "bias": float(np.average(error, weights=area)),
        "rmse": float(np.sqrt(np.average(error**2, weights=area))),
        "r2": _squared_correlation(covariance),
        "log_r2": _squared_correlation(np.cov(*logs, aweights=area[positive])),
        "spread_ratio": float(np.sqrt(covariance[1, 1] / covariance[0, 0])),
        "cells": int(both.sum()),
    }


def _squared_correlation(covariance: FloatArray) -> float:
    product = covariance[0, 0] * covariance[1, 1]
    return float(covariance[0, 1] ** 2 / product) if product > 0 else float("nan")


def cell_means(
    lon: ArrayLike,
    lat: ArrayLike,
    value: ArrayLike,
    cell_lon: ArrayLike,
    cell_lat: ArrayLike,
    size: float | tuple[float, float] | None = None,
) -> FloatArray:
    """Mean of the places in each cell, shape (cell,) or (cell, column); NaN without any.

    Parameters
    ----------
    lon, lat : array_like, shape (site,)
        Degrees; longitude -180 to 180 or 0 to 360, here and for the cells.
    value : array_like, shape (site,) or (site, column)
        NaN is left out.
    cell_lon, cell_lat : array_like, shape (cell,)
        Centres of a regular grid, degrees.
    size : float or (float, float), optional
        Width and height of a cell, degrees; by default the grid's steps.

    Examples
    --------
    >>> cell_means([-75.1, -75.2], [42.1, 42.2], [1.0, 3.0], [-75.25, -74.75], [42.25] * 2).tolist()
    [2.0, nan]
    """
    value = np.asarray(value, dtype=float)
    columns = value.reshape(len(value), -1)
    of_site = cell_of(lon, lat, cell_lon, cell_lat, size)
    total, count = (np.zeros((np.size(cell_lon), columns.shape[1])) for _ in range(2))
    inside = of_site >= 0
    np.add.at(total, of_site[inside], np.nan_to_num(columns[inside]))
    np.add.at(count, of_site[inside], np.isfinite(columns[inside]))
    mean = np.divide(total, count, out=np.full_like(total, np.nan), where=count > 0)
    return mean.reshape(len(mean), *value.shape[1:])


def covered_by_spread(
    truth: ArrayLike,
    stock: ArrayLike,
    sd: ArrayLike,
    area: ArrayLike,
    members: float,
    *,
    level: float = 0.95,
) -> float:
    """Share of the area in which a map's interval holds the truth; NaN without any spread.

    The interval is the stock plus and minus so many standard deviations as Student's t has it for
    the number of members: the standard deviation of a few is itself uncertain. Honest spread of
    errors covers `level` of the area.

    Parameters
    ----------
    truth, stock, sd : array_like, shape (cell,)
        Same unit.
    area : array_like, shape (cell,)
    members : float
        That `sd` was computed from, 2 or more; infinity for a known standard deviation.
    level : float
        Nominal share, 0 to 1.

    Raises
    ------
    ValueError
        With fewer than two members.

    Examples
    --------
    >>> covered_by_spread([1.0, 5.0], [1.5, 2.0], [0.5, 1.0], [1.0, 1.0], members=20)
    0.5
    """
    from scipy.stats import t

    if not members >= 2:
        raise ValueError(f"members is {members:g}: a spread takes at least 2")
    half = t.ppf(0.5 + level / 2, members - 1) * np.asarray(sd, dtype=float)
    error = np.abs(np.asarray(stock, dtype=float) - np.asarray(truth, dtype=float))
    return area_mean(np.where(np.isfinite(error + half), error <= half, np.nan), area)
