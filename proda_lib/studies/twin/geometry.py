"""Where things are: map projection, distances, the cells of the land."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from proda_lib.studies.cells import CELL_SIZE, EARTH_RADIUS
from proda_lib.studies.states import inside

__all__ = [
    "albers",
    "bumps",
    "distance_to_line",
    "land_cells",
]

FloatArray = NDArray[np.float64]


def albers(lon: ArrayLike, lat: ArrayLike) -> tuple[FloatArray, FloatArray]:
    """Project to the Albers equal-area conic map of the conterminous US.

    Equations 14-1 to 14-6 of Snyder (1987), for the sphere: origin 96 W 37.5 N, standard parallels
    29.5 N and 45.5 N. Every distance of the twin is measured in this plane.

    Parameters
    ----------
    lon, lat : array_like
        Degrees east and north.

    Returns
    -------
    x, y : ndarray
        km east and north of the origin.

    Examples
    --------
    >>> x, y = albers([-96.0, -96.0], [37.5, 38.5])
    >>> x.tolist(), [round(v) for v in y]
    ([0.0, 0.0], [0, 112])
    """
    lower, upper, origin = np.radians([29.5, 45.5, 37.5])
    n = (np.sin(lower) + np.sin(upper)) / 2
    c = np.cos(lower) ** 2 + 2 * n * np.sin(lower)
    theta = n * np.radians(np.asarray(lon, dtype=float) + 96.0)
    rho = EARTH_RADIUS * np.sqrt(c - 2 * n * np.sin(np.radians(np.asarray(lat, dtype=float)))) / n
    rho_origin = EARTH_RADIUS * np.sqrt(c - 2 * n * np.sin(origin)) / n
    return rho * np.sin(theta), rho_origin - rho * np.cos(theta)


def distance_to_line(x: FloatArray, y: FloatArray, line: ArrayLike) -> FloatArray:
    """Return the distance of points to a polyline, km.

    Parameters
    ----------
    x, y : ndarray
        Albers coordinates of the points, km.
    line : array_like, shape (vertices, 2)
        Longitude and latitude, degrees. Segments are straight in the Albers plane.

    Examples
    --------
    >>> x, y = albers([-96.0], [37.5])
    >>> round(float(distance_to_line(x, y, [(-96, 38.5), (-96, 39)])[0]))
    112
    """
    px, py = albers(*np.asarray(line, dtype=float).T)
    distance = np.full(np.shape(x), np.inf)
    for i in range(len(px) - 1):
        ux, uy = px[i + 1] - px[i], py[i + 1] - py[i]
        length2 = ux * ux + uy * uy
        if length2 == 0:  # two joined coasts repeat a vertex
            continue
        t = np.clip(((x - px[i]) * ux + (y - py[i]) * uy) / length2, 0, 1)
        distance = np.minimum(distance, np.hypot(x - px[i] - t * ux, y - py[i] - t * uy))
    return distance


def bumps(x: FloatArray, y: FloatArray, regions: ArrayLike) -> FloatArray:
    """Sum Gaussian bumps height exp(-r^2 / 2 width^2) around given places.

    Parameters
    ----------
    x, y : ndarray
        Albers coordinates, km.
    regions : array_like, shape (bumps, 4)
        Longitude and latitude (degrees), height (any unit), width (km).

    Returns
    -------
    ndarray
        In the unit of the heights.

    Examples
    --------
    >>> x, y = albers([-96.0], [40.0])
    >>> bumps(x, y, [(-96, 40, 2.0, 100), (-96, 40, 1.0, 50)]).tolist()
    [3.0]
    """
    total = np.zeros(np.shape(x))
    for lon, lat, height, width in np.asarray(regions, dtype=float):
        cx, cy = albers(lon, lat)
        total += height * np.exp(-0.5 * ((x - cx) ** 2 + (y - cy) ** 2) / width**2)
    return total


@cache
def land_cells() -> tuple[FloatArray, FloatArray]:
    """Return longitude and latitude of the half-degree cells whose centre is on land.

    Returns
    -------
    lon, lat : ndarray, shape (cell,)
        Degrees; row by row from the south-west. Read-only, because they are shared.

    Examples
    --------
    >>> len(land_cells()[0])
    3279
    """
    lon, lat = np.meshgrid(np.arange(-124.75, -66.5, CELL_SIZE), np.arange(24.75, 49.6, CELL_SIZE))
    land = inside(lon.ravel(), lat.ravel())
    cells = lon.ravel()[land], lat.ravel()[land]
    for array in cells:
        array.setflags(write=False)
    return cells
