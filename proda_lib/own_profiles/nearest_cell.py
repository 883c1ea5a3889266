"""Which cell of a map is nearest to a place, and how far its centre is."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from proda_lib.studies.cells import EARTH_RADIUS

__all__ = ["nearest_cell"]


def nearest_cell(
    lon: ArrayLike, lat: ArrayLike, grid_lon: ArrayLike, grid_lat: ArrayLike
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return the index of the nearest cell of each place, and its great-circle distance.

    Parameters
    ----------
    lon, lat : array_like, shape (place,)
        Degrees.
    grid_lon, grid_lat : array_like, shape (cell,)
        Centres of the cells, degrees.

    Returns
    -------
    index : ndarray of int, shape (place,)
    distance : ndarray, shape (place,)
        km, on a sphere: 2 R arcsin(c / 2) for a chord c of the unit sphere.

    Examples
    --------
    >>> index, distance = nearest_cell([179.9], [0.0], [0.0, -179.9], [0.0, 0.0])
    >>> index.tolist(), round(float(distance[0]), 1)
    ([1], 22.2)
    """
    from scipy.spatial import cKDTree

    chord, index = cKDTree(_on_sphere(grid_lon, grid_lat)).query(_on_sphere(lon, lat))
    return index, 2 * EARTH_RADIUS * np.arcsin(np.clip(chord / 2, 0, 1))


def _on_sphere(lon: ArrayLike, lat: ArrayLike) -> NDArray[np.float64]:
    east, north = np.radians(np.asarray(lon, float)), np.radians(np.asarray(lat, float))
    flat = np.cos(north)
    return np.stack([flat * np.cos(east), flat * np.sin(east), np.sin(north)], axis=-1)
