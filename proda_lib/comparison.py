"""How far off an approach is: the carbon of whole profiles, its regression, its regions.

Nothing here knows how an approach works: it takes observed SOC and what each approach says at the
same depths.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = [
    "Deviation",
    "neighbour_correlation",
    "profile_stock",
    "regression",
    "scaled_deviation",
]

FloatArray = NDArray[np.float64]


class Deviation(NamedTuple):
    """How far the carbon of whole profiles is from what was observed.

    Attributes
    ----------
    scaled : ndarray, shape (n,)
        1 is `over` too much, -1 is `under` too little.
    over, under : float
        kgC m-2; NaN if no profile lies on that side.
    """

    scaled: FloatArray
    over: float
    under: float


def profile_stock(soc: ArrayLike, depth: ArrayLike) -> FloatArray:
    """Carbon of each profile from the surface to its deepest observation, kgC m-2, shape (n,).

    Straight lines between the observations (trapezoids); the uppermost value holds up to the
    surface, and nothing is added below the deepest. Observed and modelled SOC read at the same
    depths are summed alike, so that their difference is not one of summing.

    Parameters
    ----------
    soc : array_like, shape (n, observation)
        gC m-3; NaN pads.
    depth : array_like, shape (n, observation)
        m, in any order.

    Examples
    --------
    >>> profile_stock([[4e3, 2e3, np.nan]], [[0.5, 1.5, np.nan]]).tolist()
    [5.0]
    """
    soc, depth = np.asarray(soc, dtype=float), np.asarray(depth, dtype=float)
    there = np.isfinite(soc) & np.isfinite(depth)
    order = np.argsort(np.where(there, depth, np.inf), axis=1, kind="stable")
    soc, depth, there = (np.take_along_axis(a, order, axis=1) for a in (soc, depth, there))
    first = np.where(there[:, 0], soc[:, 0] * depth[:, 0], np.nan)
    between = (soc[:, 1:] + soc[:, :-1]) / 2 * np.diff(depth, axis=1)
    return (first + np.where(there[:, 1:], between, 0.0).sum(axis=1)) / 1000


def scaled_deviation(observed: ArrayLike, modelled: ArrayLike, depth: ArrayLike) -> Deviation:
    """Modelled minus observed carbon of whole profiles, scaled by quantiles (Figure 37.2).

    Positive deviations are divided by their 95 % quantile, negative ones by the size of their 5 %
    quantile, so the two colours of a map have scales of their own: read `over` and `under` too.

    Parameters
    ----------
    observed, modelled : array_like, shape (n, observation)
        gC m-3; NaN pads.
    depth : array_like, shape (n, observation)
        m.

    Examples
    --------
    >>> observed, depth = np.full((3, 1), 1e3), np.ones((3, 1))
    >>> found = scaled_deviation(observed, [[3e3], [1e3], [0.0]], depth)
    >>> found.scaled.tolist(), found.over, found.under
    ([1.0, 0.0, -1.0], 2.0, 1.0)
    """
    modelled = np.where(np.isfinite(observed), modelled, np.nan)
    both = np.where(np.isfinite(modelled), observed, np.nan)
    difference = profile_stock(modelled, depth) - profile_stock(both, depth)
    high, low = difference[difference > 0], difference[difference < 0]
    over = float(np.quantile(high, 0.95)) if len(high) else np.nan
    under = float(-np.quantile(low, 0.05)) if len(low) else np.nan
    size = np.where(difference > 0, over, np.where(difference < 0, under, 1.0))
    return Deviation(difference / size, over, under)


def regression(observed: ArrayLike, modelled: ArrayLike) -> tuple[float, float]:
    """Intercept and slope of the least-squares line of modelled on observed SOC, as in Table 37.1.

    Returns
    -------
    intercept : float
        In the unit of the values.
    slope : float

    Examples
    --------
    >>> [round(value, 12) for value in regression([1, 2, 3], [3, 5, 7])]
    [1.0, 2.0]
    """
    observed, modelled = np.asarray(observed, dtype=float), np.asarray(modelled, dtype=float)
    both = np.isfinite(observed) & np.isfinite(modelled)
    slope, intercept = np.polyfit(observed[both], modelled[both], 1)
    return float(intercept), float(slope)


def neighbour_correlation(
    lon: ArrayLike, lat: ArrayLike, value: ArrayLike, neighbours: int = 5
) -> float:
    """Correlate a value with its mean over the nearest sites at other places; 1.

    0 if the value is scattered at random, up to 1 if neighbours are alike.

    Parameters
    ----------
    lon, lat : array_like, shape (n,)
        Degrees.
    value : array_like, shape (n,)
        Sites with NaN are left out.
    neighbours : int

    Raises
    ------
    ValueError
        If there are too few places.

    Examples
    --------
    >>> lon = np.arange(8.0)
    >>> round(neighbour_correlation(lon, 0 * lon, lon, neighbours=2), 2)
    0.96
    """
    from scipy.spatial import cKDTree

    lon, lat, value = (np.asarray(a, dtype=float) for a in (lon, lat, value))
    known = np.isfinite(value)
    where = np.round(np.stack([lon, lat], axis=1)[known], 6)
    places, of_site = np.unique(where, axis=0, return_inverse=True)
    if len(places) <= neighbours:
        raise ValueError(f"{len(places)} places are too few for {neighbours} neighbours each")
    of_site = of_site.ravel()
    mean = np.bincount(of_site, value[known]) / np.bincount(of_site)
    angle = np.radians(places)
    flat = np.cos(angle[:, 1])
    sphere = np.stack([flat * np.cos(angle[:, 0]), flat * np.sin(angle[:, 0]), np.sin(angle[:, 1])])
    _, nearest = cKDTree(sphere.T).query(sphere.T, k=neighbours + 1)
    around = mean[nearest[:, 1:]].mean(axis=1)
    return float(np.corrcoef(mean, around)[0, 1])
