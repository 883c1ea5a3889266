"""The outline of the conterminous United States: which places lie in it."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from proda_lib import paths

__all__ = ["inside"]


def _polygons(geometry: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the polygons of a GeoJSON geometry; collections also hold stray lines and points."""
    if geometry["type"] == "GeometryCollection":
        return [part for inner in geometry["geometries"] for part in _polygons(inner)]
    return [geometry] if geometry["type"] in ("Polygon", "MultiPolygon") else []


@cache
def _land() -> Any:
    """Return the union of the lower 48 states (shapely geometry, lon-lat degrees)."""
    import shapely
    from shapely.geometry import shape

    path = paths.data() / "outlines/conus_states.geojson"
    if not path.exists():
        raise FileNotFoundError(
            f"{path} is missing: studies of the United States need the vendored state outlines; "
            "restore the file from the repository"
        )
    features = json.loads(path.read_text(encoding="utf-8"))["features"]
    states = [shape(part) for feature in features for part in _polygons(feature["geometry"])]
    land = shapely.union_all([shapely.make_valid(state) for state in states])
    shapely.prepare(land)
    return land


def inside(lon: ArrayLike, lat: ArrayLike) -> NDArray[np.bool_]:
    """Say which points lie in the conterminous United States.

    Parameters
    ----------
    lon, lat : array_like
        Degrees east and north.

    Examples
    --------
    >>> inside([-90.0, -60.0], [40.0, 40.0]).tolist()
    [True, False]
    """
    import shapely

    return np.asarray(shapely.contains_xy(_land(), np.asarray(lon), np.asarray(lat)))
