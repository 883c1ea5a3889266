"""Half-degree cells of the maps: how large they are."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["CELL_SIZE", "EARTH_RADIUS", "cell_area"]

EARTH_RADIUS = 6371.0088  # km, mean radius of the IUGG
CELL_SIZE = 0.5  # degrees


def cell_area(lat: ArrayLike, size: float = CELL_SIZE) -> NDArray[np.float64]:
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
