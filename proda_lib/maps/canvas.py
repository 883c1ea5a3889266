"""A map as a picture whose pixels know their cell: projected once, drawn many times.

Sixty maps take long if every cell is a polygon.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.collections import LineCollection
from matplotlib.colors import Normalize
from numpy.typing import ArrayLike, NDArray

from proda_lib.maps.background import outline
from proda_lib.maps.panels import Points
from proda_lib.maps.places import extent_of, projection
from proda_lib.studies.cells import cell_of, west_of

__all__ = ["Canvas", "canvas_of", "small_map"]

FloatArray = NDArray[np.float64]


class Canvas(NamedTuple):
    """A study's cells as a picture, see `canvas_of`.

    Attributes
    ----------
    cell : ndarray of int, shape (row, column)
        The cell that each pixel shows, from the south; -1 for none.
    box : (left, right, bottom, top)
        Projected metres.
    lines : list of ndarray, shape (n, 2)
        Outlines, projected metres.
    project : callable
        Longitude and latitude, degrees, to projected metres, shape (n, 2).
    """

    cell: NDArray[np.int_]
    box: tuple[float, float, float, float]
    lines: list[FloatArray]
    project: Any

    def height(self, rows: int, columns: int, width: float = 6.4) -> float:
        """Return the height of a figure with so many maps that fill its width, inches."""
        across, up = self.box[1] - self.box[0], self.box[3] - self.box[2]
        return rows * ((width - 0.5) / columns * up / across + 0.1) + 0.95


def canvas_of(lon: ArrayLike, lat: ArrayLike, pixels: int = 340) -> Canvas:
    """Find out which cell each pixel of a map shows, in the projection of `maps.projection`.

    Parameters
    ----------
    lon, lat : array_like, shape (cell,)
        Centres of a regular grid, degrees.
    pixels : int
        Columns of the picture.

    Examples
    --------
    >>> canvas = canvas_of([-90.25, -89.75], [40.25, 40.25], pixels=40)
    >>> np.unique(canvas.cell).tolist()
    [-1, 0, 1]
    """
    import cartopy.crs as ccrs

    extent, degrees = extent_of(lon, lat), ccrs.PlateCarree()
    flat = projection(extent)

    def project(lon: ArrayLike, lat: ArrayLike) -> FloatArray:
        lon, lat = np.atleast_1d(west_of(lon)), np.atleast_1d(np.asarray(lat, dtype=float))
        return flat.transform_points(degrees, lon, lat)[:, :2]

    left, bottom, right, top = _box(project(lon, lat), project, extent)
    x = np.linspace(left, right, pixels)
    y = np.linspace(bottom, top, max(2, round(pixels * (top - bottom) / (right - left))))
    places = degrees.transform_points(flat, *np.meshgrid(x, y))
    cell = cell_of(places[..., 0].ravel(), places[..., 1].ravel(), lon, lat)
    lines = [line for state in outline("conus_states") for line in _rings(state, project)]
    box = (left, right, bottom, top)
    return Canvas(cell.reshape(len(y), len(x)), box, _inside(lines, box), project)


def _box(centres: FloatArray, project: Any, extent: Sequence[float]) -> list[float]:
    """Projected limits of all cells with a margin: left, bottom, right, top."""
    west, east, south, north = extent
    middle = (west + east) / 2, (south + north) / 2
    around = project([middle[0] - 0.5, middle[0] + 0.5], [middle[1] - 0.5, middle[1] + 0.5])
    margin = np.abs(np.diff(around, axis=0)[0])
    return [*(centres.min(axis=0) - margin), *(centres.max(axis=0) + margin)]


def _rings(state: Any, project: Any) -> list[FloatArray]:
    parts = getattr(state, "geoms", [state])
    return [project(*np.asarray(part.exterior.coords)[:, :2].T) for part in parts]


def _inside(lines: list[FloatArray], box: Sequence[float]) -> list[FloatArray]:
    """Outlines that touch the box."""
    left, right, bottom, top = box
    return [
        line
        for line in lines
        if (line[:, 0].max() > left and line[:, 0].min() < right)
        and (line[:, 1].max() > bottom and line[:, 1].min() < top)
    ]


def small_map(
    ax: Axes, canvas: Canvas, value: ArrayLike | Points, norm: Normalize, cmap: str
) -> Any:
    """Draw one map and return what its colours belong to.

    Parameters
    ----------
    ax : Axes
        An ordinary one, not of Cartopy.
    canvas : Canvas
    value : array_like, shape (cell,), or Points with values of shape (site,)
        NaN is left blank.
    norm, cmap
        Its colours.
    """
    if isinstance(value, Points):
        x, y = canvas.project(value.lon, value.lat).T
        size = float(np.clip(2500 / max(len(x), 1), 1.5, 12.0))
        drawn = ax.scatter(
            x, y, s=size, c=value.value, norm=norm, cmap=cmap, lw=0, zorder=2, rasterized=True
        )
    else:
        values = np.asarray(value, dtype=float)
        shown = np.where(canvas.cell >= 0, values[canvas.cell], np.nan)
        drawn = ScalarMappable(norm, cmap)
        picture = drawn.to_rgba(np.ma.masked_invalid(shown), bytes=True)
        look = {"origin": "lower", "interpolation": "nearest", "aspect": "auto"}
        ax.imshow(picture, extent=canvas.box, zorder=2, **look)
    ax.add_collection(
        LineCollection(canvas.lines, colors="#5a5a5a", linewidths=0.35, zorder=3), autolim=False
    )
    ax.set(xlim=canvas.box[:2], ylim=canvas.box[2:])
    for axis in (ax.xaxis, ax.yaxis):  # the layout need not ask an axis that is not there
        axis.set_visible(False)
    ax.set_aspect("equal")
    for spine in ax.spines.values():
        spine.set(visible=True, edgecolor="#999999", linewidth=0.5)
    return drawn
