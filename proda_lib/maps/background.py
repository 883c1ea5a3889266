"""Maps with outlines that need no network.

Outlines: U.S. Census Bureau (2017) and Natural Earth, see data/outlines/README.md. Cartopy's own
features are never used: they download.
"""

from __future__ import annotations

import functools
import json
from typing import TYPE_CHECKING, Any

import numpy as np

from proda_lib import paths
from proda_lib.maps.places import Extent

if TYPE_CHECKING:
    from cartopy.mpl.geoaxes import GeoAxes

__all__ = ["frame", "outline", "outlines"]

_LAND, _WATER, _LINE = "#efefec", "#ffffff", "#5a5a5a"


def frame(ax: GeoAxes, extent: Extent) -> GeoAxes:
    """Set the extent of a map and draw outlines and a light graticule.

    Parameters
    ----------
    ax : GeoAxes
        From `plots.subplots(..., projection=projection(extent))`.
    extent : (west, east, south, north)
        Degrees.
    """
    import cartopy.crs as ccrs

    ax.set_extent(extent, crs=ccrs.PlateCarree())
    ax.spines["geo"].set(edgecolor="#999999", linewidth=0.6)
    ax.patch.set_facecolor(_WATER)
    step = _step(max(extent[1] - extent[0], extent[3] - extent[2]))
    lines = ax.gridlines(
        draw_labels={"bottom": "x", "left": "y"}, linewidth=0.4, color="#9a9a9a", alpha=0.5,
        xlocs=np.arange(-180, 181, step), ylocs=np.arange(-90, 91, step / 2),
        rotate_labels=False, zorder=1.5,
    )  # fmt: skip
    for style in (lines.xlabel_style, lines.ylabel_style):
        style.update(size="small", color="#555555")
    return outlines(ax)


def _step(width: float) -> float:
    """Distance of meridians that gives three to six of them, degrees."""
    return next((s for s in (1.0, 2.0, 4.0, 10.0, 20.0) if width / s <= 5), 60.0)


@functools.lru_cache(maxsize=4)
def outline(name: str) -> tuple[Any, ...]:
    """Return the shapes of a vendored outline.

    Parameters
    ----------
    name : {"conus_states", "lakes", "neighbours_land"}

    Returns
    -------
    tuple of shapely geometries
        Longitude and latitude, degrees.

    Raises
    ------
    FileNotFoundError
        If there is no such outline.

    Examples
    --------
    >>> len(outline("conus_states"))
    49
    """
    import shapely
    from shapely.geometry import shape

    folder = paths.data() / "outlines"
    path = folder / f"{name}.geojson"
    if not path.exists():
        known = ", ".join(sorted(p.stem for p in folder.glob("*.geojson"))) or "none"
        raise FileNotFoundError(f"outline {name!r} not found, there are: {known}; choose one")
    collection = json.loads(path.read_text(encoding="utf-8"))
    shapes = (shape(feature["geometry"]) for feature in collection["features"])
    # Points every half degree: a parallel of latitude must bend with the projection.
    return tuple(shapely.segmentize(one, 0.5) for one in shapes)


def outlines(ax: GeoAxes) -> GeoAxes:
    """Draw land under and state lines over what else is on the map.

    Parameters
    ----------
    ax : GeoAxes
    """
    import cartopy.crs as ccrs

    degrees, states = ccrs.PlateCarree(), outline("conus_states")
    land = {"facecolor": _LAND, "edgecolor": "#b5b5b5", "lw": 0.4, "zorder": 1}
    ax.add_geometries(outline("neighbours_land"), degrees, **land)
    # Natural Earth's countries reach to the middle of the Great Lakes: water over that, and the
    # finer shore of the states over the water.
    ax.add_geometries(outline("lakes"), degrees, facecolor=_WATER, edgecolor="none", zorder=1.1)
    ax.add_geometries(states, degrees, facecolor=_LAND, edgecolor="none", zorder=1.2)
    ax.add_geometries(states, degrees, facecolor="none", edgecolor=_LINE, lw=0.5, zorder=4)
    return ax
