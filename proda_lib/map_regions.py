"""Regions of a map: boxes that the chapter names, thirds by height, means and gradients."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from proda_lib.map_comparison import area_mean
from proda_lib.maps.places import Extent
from proda_lib.studies.cells import EARTH_RADIUS, west_of

__all__ = ["REGIONS", "region_means", "regions_of", "slope_along", "to_north_east", "within"]

BoolArray = NDArray[np.bool_]
FloatArray = NDArray[np.float64]

#: Regions that the chapter's text names, as boxes west, east, south, north, degrees. The chapter
#: gives no limits; these are the book's. No place lies in two of them.
REGIONS: dict[str, Extent] = {
    "north-east": (-83.0, -66.8, 40.0, 48.0),
    "north-west": (-124.9, -116.0, 42.0, 49.5),
    "south-west": (-121.0, -104.0, 31.0, 38.0),
    "south-east": (-92.0, -75.0, 25.0, 36.0),
    "Great Plains": (-104.0, -95.0, 31.0, 49.0),
}


def within(lon: ArrayLike, lat: ArrayLike, box: Extent) -> BoolArray:
    """Tell which places lie in a box, shape (n,).

    Parameters
    ----------
    lon, lat : array_like, shape (n,)
        Degrees; longitude -180 to 180 or 0 to 360.
    box : (west, east, south, north)
        Degrees; western and southern limits count as inside.

    Examples
    --------
    >>> within([-75.0, 285.0, -90.0], [42.0, 42.0, 42.0], REGIONS["north-east"]).tolist()
    [True, True, False]
    """
    west, east, south, north = box
    lon, lat = west_of(lon), np.asarray(lat, dtype=float)
    return (lon >= west) & (lon < east) & (lat >= south) & (lat < north)


def regions_of(grid: xr.Dataset) -> dict[str, BoolArray]:
    """Divide a study's cells into regions for comparisons; cells may be in none.

    The boxes of `REGIONS` where the grid has cells in at least three of them, else thirds of the
    cells by the covariate Elevation.

    Parameters
    ----------
    grid : Dataset
        With `lon`, `lat` and, unless the boxes are used, covariates.

    Returns
    -------
    dict of str to ndarray of bool, shape (cell,)

    Raises
    ------
    ValueError
        If heights are needed but unknown.

    Examples
    --------
    >>> some = xr.Dataset(
    ...     {"covariates": (("cell", "covariate"), [[100.0], [200.0], [300.0]])},
    ...     {"lon": ("cell", [-75.0] * 3), "lat": ("cell", [42.0] * 3), "covariate": ["Elevation"]},
    ... )
    >>> list(regions_of(some)), regions_of(some)["below 167 m"].tolist()
    (['below 167 m', '167 to 233 m', 'above 233 m'], [True, False, False])
    """
    boxes = {name: within(grid["lon"], grid["lat"], box) for name, box in REGIONS.items()}
    if sum(inside.any() for inside in boxes.values()) >= 3:
        return {name: inside for name, inside in boxes.items() if inside.any()}
    if "covariates" not in grid or "Elevation" not in grid["covariate"].values:
        raise ValueError(
            f"the grid lies in {sum(inside.any() for inside in boxes.values())} of the "
            f"{len(REGIONS)} boxes and has no covariate 'Elevation' to divide it by: divide its "
            "cells yourself and give them to `region_means`"
        )
    height = grid["covariates"].sel(covariate="Elevation").values
    low, high = np.nanquantile(height, [1 / 3, 2 / 3])
    return {
        f"below {low:.0f} m": height < low,
        f"{low:.0f} to {high:.0f} m": (height >= low) & (height <= high),
        f"above {high:.0f} m": height > high,
    }


def region_means(
    maps: Mapping[str, ArrayLike], area: ArrayLike, regions: Mapping[str, ArrayLike]
) -> pd.DataFrame:
    """Tabulate the mean of each map in each region, weighted by area.

    Parameters
    ----------
    maps : mapping of str to array_like, shape (cell,)
        Any unit.
    area : array_like, shape (cell,)
    regions : mapping of str to array_like of bool, shape (cell,)
        Which cells belong to it.

    Returns
    -------
    DataFrame
        Maps as rows, regions as columns; NaN where a map knows no cell of a region.

    Examples
    --------
    >>> float(region_means({"a": [1.0, 3.0]}, [1.0, 1.0], {"all": [True, True]}).loc["a", "all"])
    2.0
    """
    area = np.asarray(area, dtype=float)
    rows = {
        name: {
            region: area_mean(np.asarray(value, dtype=float)[inside], area[inside])
            for region, inside in ((r, np.asarray(i, dtype=bool)) for r, i in regions.items())
        }
        for name, value in maps.items()
    }
    return pd.DataFrame.from_dict(rows, orient="index", columns=list(regions))


def slope_along(value: ArrayLike, position: ArrayLike, area: ArrayLike) -> float:
    """Slope of the logarithm of a map against a position, weighted by area, per unit of position.

    Parameters
    ----------
    value : array_like, shape (cell,)
        Cells without a positive value are left out.
    position : array_like, shape (cell,)
        Such as a distance along a line; NaN is left out.
    area : array_like, shape (cell,)

    Examples
    --------
    >>> round(slope_along(np.exp([0.0, 2.0, 4.0]), [0.0, 1.0, 2.0], [1.0, 1.0, 1.0]), 12)
    2.0
    """
    value, position, area = (np.asarray(a, dtype=float) for a in (value, position, area))
    known = (value > 0) & np.isfinite(position)
    covariance = np.cov(position[known], np.log(value[known]), aweights=area[known])
    return float(covariance[0, 1] / covariance[0, 0])


def to_north_east(lon: ArrayLike, lat: ArrayLike) -> FloatArray:
    """How far to the north-east of the centre of the map places lie, km, shape (n,).

    Parameters
    ----------
    lon, lat : array_like, shape (n,)
        Degrees; longitude -180 to 180 or 0 to 360.

    Examples
    --------
    >>> to_north_east([-90.0, -90.0, -85.0], [40.0, 41.0, 40.5]).round().tolist()
    [-140.0, -60.0, 199.0]
    """
    lon, lat = west_of(lon), np.asarray(lat, dtype=float)
    east = (lon - lon.mean()) * np.cos(np.radians(lat))
    return np.radians(east + lat - lat.mean()) * EARTH_RADIUS / np.sqrt(2)
