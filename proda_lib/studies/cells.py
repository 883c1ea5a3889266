"""Half-degree cells of the maps: how large they are, and which of them holds a place."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = [
    "CELL_SIZE",
    "EARTH_RADIUS",
    "cell_area",
    "cell_of",
    "grid_places",
    "grid_steps",
    "west_of",
]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int_]

EARTH_RADIUS = 6371.0088  # km, mean radius of the IUGG
CELL_SIZE = 0.5  # degrees

#: Farthest that a centre may lie from its place on a regular grid, degrees.
_TOLERANCE = 1e-3


def cell_area(lat: ArrayLike, size: float = CELL_SIZE) -> FloatArray:
    """Return the exact area of square lon-lat cells on the sphere, km2.

    R^2 dlon (sin north - sin south), from the area of a spherical zone.

    Parameters
    ----------
    lat : array_like
        Latitude of the centres, degrees north.
    size : float
        Width and height, degrees.

    Examples
    --------
    >>> round(float(cell_area(0.0)))
    3091
    """
    lat = np.asarray(lat, dtype=float)
    north, south = np.sin(np.radians(lat + size / 2)), np.sin(np.radians(lat - size / 2))
    return EARTH_RADIUS**2 * np.radians(size) * (north - south)


def west_of(lon: ArrayLike) -> FloatArray:
    """Longitude between -180 and 180 degrees.

    Examples
    --------
    >>> west_of([280.0, -80.0]).tolist()
    [-80.0, -80.0]
    """
    lon = np.asarray(lon, dtype=float)
    return np.where(lon > 180, lon - 360, lon)


def grid_steps(lon: ArrayLike, lat: ArrayLike) -> tuple[float, float]:
    """Return the width and the height of a regular grid's cells, degrees.

    The least distance of two meridians, and of two parallels, on which centres lie; a single row or
    column takes the step of the other direction.

    Parameters
    ----------
    lon, lat : array_like, shape (cell,)
        Centres, degrees; longitude -180 to 180 or 0 to 360.

    Raises
    ------
    ValueError
        If all centres are the same.

    Examples
    --------
    >>> grid_steps([280.25, 280.5, 281.25], [40.0, 40.0, 40.0])
    (0.25, 0.25)
    """
    found = []
    for centre in (west_of(lon), np.asarray(lat, dtype=float)):
        steps = np.diff(np.unique(np.round(centre, 6)))
        found.append(round(float(steps.min()), 6) if steps.size else np.nan)
    if np.isnan(found).all():
        raise ValueError("one cell, or all with the same centre, has no distance: give its size")
    across, down = found
    return (down if np.isnan(across) else across), (across if np.isnan(down) else down)


def grid_places(
    lon: ArrayLike, lat: ArrayLike, size: float | tuple[float, float] | None = None
) -> tuple[IntArray, IntArray]:
    """Return the column and the row of each cell on its regular grid, from west and south.

    Parameters
    ----------
    lon, lat : array_like, shape (cell,)
        Centres, degrees; longitude -180 to 180 or 0 to 360.
    size : float or (float, float), optional
        Width and height of a cell, degrees; by default of `grid_steps`.

    Returns
    -------
    column, row : ndarray of int, shape (cell,)
        0 for the westernmost and the southernmost centre.

    Raises
    ------
    ValueError
        If the cells do not lie on a regular grid.

    Examples
    --------
    >>> column, row = grid_places([-80.25, -79.25], [40.25, 39.75], size=0.5)
    >>> column.tolist(), row.tolist()
    ([0, 2], [1, 0])
    """
    steps = np.broadcast_to(grid_steps(lon, lat) if size is None else size, 2)
    found = []
    for name, centre, step in zip(("lon", "lat"), (lon, lat), steps, strict=True):
        centre = west_of(centre) if name == "lon" else np.asarray(centre, dtype=float)
        place = (centre - centre.min()) / step
        off = np.abs(place - np.round(place)) * step > _TOLERANCE
        if off.any():
            raise ValueError(
                f"{off.sum()} of {len(centre)} cells are off a regular grid of {step:g} degrees, "
                f"the first at {name} {centre[off][0]:g}: give cells of one regular grid"
            )
        found.append(np.round(place).astype(int))
    return found[0], found[1]


def cell_of(
    lon: ArrayLike,
    lat: ArrayLike,
    grid_lon: ArrayLike,
    grid_lat: ArrayLike,
    size: float | tuple[float, float] | None = None,
) -> IntArray:
    """Return the cell of a regular grid that holds each place, -1 where none does.

    Parameters
    ----------
    lon, lat : array_like, shape (place,)
        Degrees; longitude -180 to 180 or 0 to 360.
    grid_lon, grid_lat : array_like, shape (cell,)
        Centres of the cells, degrees, in any order; the grid may have holes.
    size : float or (float, float), optional
        Width and height of a cell, degrees; by default of `grid_steps`.

    Returns
    -------
    ndarray of int, shape (place,)
        Index of the cell. A place on the edge of two belongs to the eastern or northern one.

    Examples
    --------
    >>> cell_of([-75.1, 284.9, -74.1], [42.1, 42.2, 42.1], [-74.75, -75.25], [42.25] * 2).tolist()
    [1, 1, -1]
    """
    steps = np.broadcast_to(grid_steps(grid_lon, grid_lat) if size is None else size, 2)
    column, row = grid_places(grid_lon, grid_lat, (float(steps[0]), float(steps[1])))
    index = np.full((row.max() + 1, column.max() + 1), -1)
    index[row, column] = np.arange(len(row))
    corner = west_of(grid_lon).min(), np.min(np.asarray(grid_lat, dtype=float))
    place = west_of(lon), np.asarray(lat, dtype=float)
    x, y = (
        np.floor((where - first) / step + 0.5).astype(int)
        for where, first, step in zip(place, corner, steps, strict=True)
    )
    inside = (x >= 0) & (x < index.shape[1]) & (y >= 0) & (y < index.shape[0])
    return np.where(inside, index[np.where(inside, y, 0), np.where(inside, x, 0)], -1)
