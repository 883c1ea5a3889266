"""Values on a map: grid cells, sites, classes and their colour bars or legend."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.collections import PolyCollection
from matplotlib.colors import BoundaryNorm, ListedColormap
from matplotlib.patches import Patch
from numpy.typing import ArrayLike, NDArray

from proda_lib.plots.colours import Scale, colour_scale, extend_of, plain_log, qualitative
from proda_lib.studies.cells import west_of

if TYPE_CHECKING:
    from cartopy.mpl.geoaxes import GeoAxes

__all__ = ["categories", "colour_bar", "draw_cells", "draw_sites"]

FloatArray = NDArray[np.float64]


def draw_cells(
    ax: GeoAxes,
    lon: ArrayLike,
    lat: ArrayLike,
    value: ArrayLike,
    *,
    label: str,
    scale: Scale = "linear",
    limits: tuple[float, float] | None = None,
    spacing: float | tuple[float, float] | None = None,
    bar: bool = True,
) -> GeoAxes:
    """Draw grid cells, coloured by a value; cells without one stay the colour of land.

    Parameters
    ----------
    ax : GeoAxes
    lon, lat : array_like, shape (cell,)
        Centres, degrees.
    value : array_like, shape (cell,)
        Unit as in the label.
    label : str
        What the values are, with unit: below the colour bar.
    scale : {"linear", "log", "diverging", "signed_log"}
    limits : (float, float), optional
        Ends of the colour bar; by default the 2 and 98 % percentiles.
    spacing : float or (float, float), optional
        Width and height of a cell, degrees; by default the least distance of two centres.
    bar : bool
        Whether to add a colour bar.
    """
    value = np.asarray(value, float)
    norm, cmap = colour_scale(value, scale, limits)
    drawn = _add(ax, _polygons(ax, lon, lat, spacing), value, cmap=cmap, norm=norm)
    if bar:
        colour_bar(ax, drawn, label, extend=extend_of(value, norm))
    return ax


def _polygons(
    ax: GeoAxes,
    lon: ArrayLike,
    lat: ArrayLike,
    spacing: float | tuple[float, float] | None,
) -> FloatArray:
    """Corners of cells on the map, shape (cell, 8, 2): each edge has a point in its middle."""
    import cartopy.crs as ccrs

    lon, lat = west_of(lon), np.asarray(lat, float)
    width, height = np.broadcast_to(spacing or (_spacing(lon), _spacing(lat)), 2)
    x = np.array([-1, 0, 1, 1, 1, 0, -1, -1]) * width / 2
    y = np.array([-1, -1, -1, 0, 1, 1, 1, 0]) * height / 2
    corners = np.clip(lon[:, None] + x, -180, 180), np.clip(lat[:, None] + y, -90, 90)
    return ax.projection.transform_points(ccrs.PlateCarree(), *corners)[..., :2]


def _add(ax: GeoAxes, cells: FloatArray, value: FloatArray, **colours: Any) -> PolyCollection:
    """Add the cells that have a value to a map."""
    known = np.isfinite(value)
    drawn = PolyCollection(
        list(cells[known]), array=value[known], edgecolor="face", linewidth=0, antialiased=False,
        zorder=2, **colours,
    )  # fmt: skip
    return ax.add_collection(drawn, autolim=False)


def _spacing(centre: FloatArray) -> float:
    """Least distance between centres, degrees; half a degree for a single one."""
    steps = np.diff(np.unique(np.round(centre, 4)))
    return float(steps.min()) if steps.size else 0.5


def draw_sites(
    ax: GeoAxes,
    lon: ArrayLike,
    lat: ArrayLike,
    value: ArrayLike | None = None,
    *,
    label: str = "",
    scale: Scale = "linear",
    limits: tuple[float, float] | None = None,
    size: float | None = None,
    colour: str = "#0072B2",
    bar: bool = True,
) -> GeoAxes:
    """Draw sites as points, in one colour or coloured by a value.

    Parameters
    ----------
    ax : GeoAxes
    lon, lat : array_like, shape (site,)
        Degrees.
    value : array_like, shape (site,), optional
        Unit as in the label.
    label : str
        What the values are, with unit; for one colour the name in a legend, if any.
    scale, limits, bar
        As for `draw_cells`.
    size : float, optional
        Area of a point, points squared; by default smaller the more sites there are.
    colour : str
        Of sites without values.

    Raises
    ------
    ValueError
        If values are given without a label.
    """
    x, y = _points(ax, lon, lat)
    size = size or float(np.clip(9000 / max(x.size, 1), 1.0, 30.0))
    style = {
        "s": size,
        "lw": 0.2 if size > 3 else 0,
        "edgecolors": "white",
        "zorder": 5,
        "rasterized": True,
    }
    if value is None:
        ax.scatter(x, y, color=colour, label=label or None, alpha=0.8, **style)
        return ax
    if not label:
        raise ValueError("sites have values but no label: say what they are, with the unit")
    value = np.asarray(value, float)
    norm, cmap = colour_scale(value, scale, limits)
    # Where points hide each other, extremes must not be hidden by chance: largest size on top.
    order = np.argsort(np.abs(np.nan_to_num(value)), kind="stable")
    order = order[np.isfinite(value[order])]
    if scale in ("diverging", "signed_log"):
        style |= {"edgecolors": "#555555", "lw": 0.3}  # pale values near zero need a rim
    drawn = ax.scatter(x[order], y[order], c=value[order], norm=norm, cmap=cmap, **style)
    if bar:
        colour_bar(ax, drawn, label, extend=extend_of(value, norm))
    return ax


def _points(ax: GeoAxes, lon: ArrayLike, lat: ArrayLike) -> tuple[FloatArray, FloatArray]:
    import cartopy.crs as ccrs

    points = ax.projection.transform_points(
        ccrs.PlateCarree(),
        np.atleast_1d(west_of(lon)),
        np.atleast_1d(np.asarray(lat, float)),
    )
    return points[:, 0], points[:, 1]


def categories(
    ax: GeoAxes,
    lon: ArrayLike,
    lat: ArrayLike,
    number: ArrayLike,
    names: Sequence[str],
    *,
    spacing: float | tuple[float, float] | None = None,
    columns: int = 4,
) -> GeoAxes:
    """Draw cells by class, with a legend below.

    Parameters
    ----------
    ax : GeoAxes
    lon, lat : array_like, shape (cell,)
        Centres, degrees.
    number : array_like of int, shape (cell,)
        Class, 0 for the first name; NaN or negative for none.
    names : sequence of str
        At most eight.
    spacing : float or (float, float), optional
        As for `draw_cells`.
    columns : int
        Of the legend.

    Raises
    ------
    ValueError
        If a class has no name, or there are more than eight.
    """
    number, colours = np.asarray(number, float), qualitative(len(names))
    known = number >= 0
    if (number[known] >= len(names)).any():
        raise ValueError(
            f"class {number[known].max():g} has no name, {len(names)} names given "
            f"(classes 0 to {len(names) - 1}): pass one name per class"
        )
    norm = BoundaryNorm(np.arange(len(names) + 1) - 0.5, len(names))
    number = np.where(known, number, np.nan)
    _add(ax, _polygons(ax, lon, lat, spacing), number, cmap=ListedColormap(colours), norm=norm)
    handles = [Patch(color=colour, label=name) for colour, name in zip(colours, names, strict=True)]
    ax.legend(handles=handles, ncols=columns, loc="upper center", bbox_to_anchor=(0.5, -0.06))
    return ax


def colour_bar(
    ax: GeoAxes | Sequence[GeoAxes], drawn: Any, label: str, *, extend: str = "neither"
) -> Any:
    """Add one horizontal colour bar below a map, or below several that share colours.

    Parameters
    ----------
    ax : GeoAxes or sequence of GeoAxes
    drawn : ScalarMappable
        What the colours belong to, for example `ax.collections[-1]`.
    label : str
        With unit.
    extend : {"neither", "min", "max", "both"}
        Ends on which values leave the bar.

    Returns
    -------
    Colorbar
    """
    figure = np.ravel(ax)[0].figure
    bar = figure.colorbar(
        drawn, ax=ax, label=label, orientation="horizontal", extend=extend, shrink=0.7, aspect=32,
        pad=0.03,
    )  # fmt: skip
    bar.outline.set_linewidth(0.4)
    if type(drawn.norm).__name__ == "LogNorm":
        wide = drawn.norm.vmax / drawn.norm.vmin > 300
        plain_log(bar.ax.xaxis, (1.0,) if wide else (1.0, 2.0, 5.0))
    return bar
