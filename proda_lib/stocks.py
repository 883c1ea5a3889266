"""Carbon stocks: soil carbon of layers summed over depth intervals and over the map."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from proda_lib.soil_grid import CLM5, SoilGrid
from proda_lib.studies.cells import CELL_SIZE, EARTH_RADIUS

__all__ = [
    "FEWEST_MEMBERS",
    "FROM_SURFACE",
    "INTERVALS",
    "PETAGRAMS",
    "fine_earth_stock",
    "interval_label",
    "interval_stock",
    "map_intervals",
    "published_area",
    "spread_of_totals",
    "t_interval",
    "total",
]

FloatArray = NDArray[np.float64]

#: The chapter's depth intervals, m: one below the other.
INTERVALS = ((0.0, 0.3), (0.3, 1.0), (1.0, 2.0))

#: The intervals of the chapter's maps, m: all from the surface.
FROM_SURFACE = ((0.0, 0.3), (0.0, 1.0), (0.0, 2.0))

#: Members with which an interval of their total can be given at all: fewer are left without.
FEWEST_MEMBERS = 10

#: Pg C of 1 gC m-2 on 1 km2.
PETAGRAMS = 1e-9

#: Upper ends of the ranges of depth for which a coarse fragment content stands, m.
_COARSE_FROM = (0.0, 0.3, 1.0)


def map_intervals(grid: SoilGrid = CLM5) -> tuple[tuple[float, float], ...]:
    """Return every depth interval of the maps once, m: `INTERVALS`, `FROM_SURFACE`, all layers.

    Examples
    --------
    >>> [interval_label(*interval) for interval in map_intervals()]
    ['0-30 cm', '30-100 cm', '100-200 cm', '0-100 cm', '0-200 cm', '0-860 cm']
    """
    whole = (0.0, round(float(grid.interface[-1]), 3))
    return tuple(dict.fromkeys((*INTERVALS, *FROM_SURFACE, whole)))


def interval_label(upper: float, lower: float) -> str:
    """Return the name of a depth interval given in m, in cm.

    Examples
    --------
    >>> interval_label(0.3, 1.0)
    '30-100 cm'
    """
    return f"{round(100 * upper, 1):g}-{round(100 * lower, 1):g} cm"


def interval_stock(
    soil: ArrayLike, upper: float, lower: float, grid: SoilGrid = CLM5
) -> FloatArray:
    """Stock between two depths, gC m-2, taking the part of a layer that lies between them.

    Sum over layers of concentration times the thickness inside the interval: exact for
    concentrations that are uniform within layers, as the model's are.

    Parameters
    ----------
    soil : array_like, shape (..., layers)
        Soil organic carbon of layers, gC m-3; 0 below a closed bedrock.
    upper, lower : float
        Depths, m, upper < lower.

    Returns
    -------
    ndarray, shape (...)

    Raises
    ------
    ValueError
        If the interval is empty or turned around.

    Examples
    --------
    >>> float(interval_stock(np.ones(20), 0.0, 0.5))
    0.5
    """
    if not 0 <= upper < lower:
        raise ValueError(f"interval {upper:g} to {lower:g} m: give 0 <= upper < lower")
    inside = np.minimum(grid.interface, lower) - np.maximum(grid.top, upper)
    return np.asarray(soil, dtype=float) @ np.maximum(inside, 0.0)


def fine_earth_stock(
    soil: ArrayLike, upper: float, lower: float, coarse: ArrayLike, grid: SoilGrid = CLM5
) -> FloatArray:
    """Stock between two depths less the share of coarse fragments, gC m-2.

    Stones hold no carbon. As the original corrects its maps: 0-30 cm times one less the coarse
    fragments at 0 cm, 30-100 cm the same with those at 30 cm, everything below with those at
    100 cm (component_control_soc_stock_cesm2_bootstrap.m). Whether a modelled concentration is one
    of fine earth, so that this is due, is an assumption.

    Parameters
    ----------
    soil, upper, lower, grid
        As in `interval_stock`.
    coarse : array_like, shape (..., 3)
        Coarse fragments at 0, 30 and 100 cm, percent of the volume; NaN where unknown.

    Returns
    -------
    ndarray, shape (...)

    Raises
    ------
    ValueError
        If coarse fragments are not percentages at three depths.

    Examples
    --------
    >>> round(float(fine_earth_stock(np.ones(20), 0.0, 2.0, [10.0, 20.0, 50.0])), 6)
    1.33
    """
    coarse = np.asarray(coarse, dtype=float)
    if coarse.shape[-1:] != (3,) or (coarse < 0).any() or (coarse > 100).any():
        raise ValueError(
            f"coarse fragments have shape {coarse.shape} and reach from {np.min(coarse):g} to "
            f"{np.max(coarse):g}: give percent of the volume, 0 to 100, at 0, 30 and 100 cm"
        )
    whole = interval_stock(soil, upper, lower, grid)
    stones = np.zeros(np.broadcast_shapes(whole.shape, coarse.shape[:-1]))
    for number, top in enumerate(_COARSE_FROM):
        bottom = (*_COARSE_FROM[1:], np.inf)[number]
        if max(upper, top) < min(lower, bottom):
            part = interval_stock(soil, max(upper, top), min(lower, bottom), grid)
            stones = stones + part * coarse[..., number] / 100
    return whole - stones


def published_area(lat: ArrayLike, size: float = CELL_SIZE) -> FloatArray:
    """Return the area of square lon-lat cells as the original computes it, km2.

    A plane trapezoid between the two parallels; a little less than `studies.cells.cell_area`, which
    is exact (component_control_soc_stock_cesm2_bootstrap.m).

    Parameters
    ----------
    lat : array_like
        Latitude of the centres, degrees north.
    size : float
        Width and height, degrees.

    Examples
    --------
    >>> round(float(published_area(40.25)))
    2359
    """
    lat = np.asarray(lat, dtype=float)
    side = EARTH_RADIUS * np.radians(size)
    parallels = [np.cos(np.radians(np.abs(lat + half))) for half in (-size / 2, size / 2)]
    return side**2 * (parallels[0] + parallels[1]) / 2


def total(stock: ArrayLike, area: ArrayLike) -> float:
    """Sum of stocks over cells, Pg C; NaN if no cell has any.

    Parameters
    ----------
    stock : array_like, shape (cell,)
        gC m-2; NaN cells count nothing.
    area : array_like, shape (cell,)
        km2.

    Examples
    --------
    >>> round(total([1e4, 2e4, np.nan], [1e6, 1e6, 1e6]), 9), total([np.nan], [1e6])
    (30.0, nan)
    """
    mass = np.asarray(stock, dtype=float) * np.asarray(area, dtype=float)
    return float(np.nansum(mass) * PETAGRAMS) if np.isfinite(mass).any() else float("nan")


def t_interval(
    total: ArrayLike, sd: ArrayLike, members: int, level: float = 0.95
) -> tuple[FloatArray, FloatArray]:
    r"""Return the interval in which a positive total lies, by the spread of few members; same unit.

    Student's t on the logarithm, whose standard deviation is about that of the total over the
    total: the ends are never negative, and as far from the total, as factors, as the few members
    make it uncertain. With n members, s their standard deviation and T the total,

    .. math:: T \exp(\pm t_{n-1} s / T).

    Parameters
    ----------
    total, sd : array_like
        The total and the standard deviation of the members' totals.
    members : int
        How many there are.
    level : float
        Share inside, between 0 and 1.

    Returns
    -------
    low, high : ndarray
        NaN with fewer than `FEWEST_MEMBERS`, and where the total is not positive.

    Examples
    --------
    >>> low, high = t_interval(100.0, 10.0, members=20)
    >>> round(float(low), 2), round(float(high), 2)
    (81.11, 123.28)
    >>> t_interval(100.0, 10.0, members=3)[0].item()
    nan
    """
    from scipy.stats import t

    _check_level(level)
    total, sd = np.broadcast_arrays(*(np.asarray(one, dtype=float) for one in (total, sd)))
    if members < FEWEST_MEMBERS:
        return np.full(total.shape, np.nan), np.full(total.shape, np.nan)
    positive = np.where(total > 0, total, np.nan)
    factor = np.exp(t.ppf((1 + level) / 2, members - 1) * sd / positive)
    return positive / factor, positive * factor


def spread_of_totals(
    totals: ArrayLike, about: ArrayLike | None = None, level: float = 0.95
) -> tuple[FloatArray, FloatArray]:
    """Return the interval in which a total lies, judged by the totals of members; same unit.

    Parameters
    ----------
    totals : array_like, shape (member, ...)
        Of posterior draws or of resamples.
    about : array_like, shape (...), optional
        The total that the interval is about, for resamples: `t_interval` of their standard
        deviation. A few resamples have no quantiles, and their mean is not the total. Without it,
        quantiles of the totals: for draws.
    level : float
        Share inside, between 0 and 1.

    Returns
    -------
    low, high : ndarray, shape (...)
        NaN with fewer members than `FEWEST_MEMBERS`.

    Examples
    --------
    >>> low, high = spread_of_totals(np.arange(101.0))
    >>> round(float(low), 6), round(float(high), 6)
    (2.5, 97.5)
    >>> low, high = spread_of_totals(np.arange(95.0, 106.0), about=120.0)
    >>> round(float(low), 1), round(float(high), 1)
    (112.8, 127.6)
    """
    _check_level(level)
    totals = np.asarray(totals, dtype=float)
    if len(totals) < FEWEST_MEMBERS:
        return np.full(totals.shape[1:], np.nan), np.full(totals.shape[1:], np.nan)
    if about is None:
        low, high = np.quantile(totals, ((1 - level) / 2, (1 + level) / 2), axis=0)
        return low, high
    return t_interval(about, totals.std(axis=0, ddof=1), len(totals), level)


def _check_level(level: float) -> None:
    if not 0 < level < 1:
        raise ValueError(f"level is {level:g}: give a share between 0 and 1")
