"""How much of a grid cell is land: cells are boxes, shores are not."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from proda_lib.studies.cells import CELL_SIZE, EARTH_RADIUS, west_of

__all__ = ["land_share", "states_area"]


@functools.cache
def _land() -> Any:
    """Return the land of the outlines in longitude and the sine of latitude: areas are true."""
    import shapely

    states, around, lakes = map(_joined, ("conus_states", "neighbours_land", "lakes"))
    land = shapely.union(states, shapely.difference(around, lakes))
    return shapely.transform(land, _equal_area)


def _joined(name: str) -> Any:
    """Return a vendored outline as one shape, longitude and latitude in degrees."""
    import shapely

    from proda_lib.maps import outline

    return shapely.union_all([shapely.make_valid(one) for one in outline(name)])


def _equal_area(places: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.column_stack([places[:, 0], np.degrees(np.sin(np.radians(places[:, 1])))])


def land_share(lon: ArrayLike, lat: ArrayLike, size: float = CELL_SIZE) -> NDArray[np.float64]:
    """Return the share of each square lon-lat cell's area that is land, 0 to 1, shape (cell,).

    From the vendored outlines (data/outlines/README.md): the shores of the United States are fine,
    those of the neighbours coarse; small lakes and rivers count as land.

    Parameters
    ----------
    lon, lat : array_like, shape (cell,)
        Centres, degrees; longitude -180 to 180 or 0 to 360.
    size : float
        Width and height, degrees.

    Examples
    --------
    >>> land_share([-100.25, -69.25], [40.25, 41.25]).round(2).tolist()
    [1.0, 0.0]
    """
    import shapely

    lon, lat = west_of(lon), np.asarray(lat, dtype=float)
    west_south = _equal_area(np.column_stack([lon - size / 2, lat - size / 2]))
    east_north = _equal_area(np.column_stack([lon + size / 2, lat + size / 2]))
    boxes = shapely.box(*west_south.T, *east_north.T)
    land = _land()
    shapely.prepare(land)
    share = np.where(shapely.contains(land, boxes), 1.0, 0.0)
    shore = share < 1
    share[shore] = shapely.area(shapely.intersection(boxes[shore], land))
    share[shore] /= shapely.area(boxes[shore])
    return share


def states_area() -> float:
    """Return the land area of the conterminous United States by the outlines, km2.

    Examples
    --------
    >>> round(states_area() / 1e6, 2)
    7.8
    """
    import shapely

    states = shapely.transform(_joined("conus_states"), _equal_area)
    return float(shapely.area(states) * (EARTH_RADIUS * np.pi / 180) ** 2)
