"""Many small maps that can be compared: rows of sources, columns of depths, one bar per column.

Maps of one column share their colours, so that a difference of colour is a difference of value. The
functions take numbers and axes: a reader's own maps are drawn like the book's.
"""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple

import numpy as np
from matplotlib.ticker import FixedLocator, MaxNLocator, NullLocator
from numpy.typing import ArrayLike, NDArray

from proda_lib.maps.background import outlines
from proda_lib.maps.places import Extent, extent_of, projection
from proda_lib.maps.values import draw_cells, draw_sites
from proda_lib.nearest import check_allowed
from proda_lib.plots.colours import colour_scale, extend_of, plain_log
from proda_lib.plots.figure import WIDTHS

__all__ = ["PanelScale", "Points", "map_panels", "panel_height"]

FloatArray = NDArray[np.float64]
PanelScale = Literal["linear", "log", "diverging", "ratio"]

#: Characters of a row's name that fit beside a map.
_WRAP = 17


class Points(NamedTuple):
    """Values at places, drawn as points in a row of maps.

    Attributes
    ----------
    lon, lat : array_like, shape (site,)
        Degrees.
    value : array_like, shape (site, column)
        Unit of the maps; NaN is left out.
    """

    lon: ArrayLike
    lat: ArrayLike
    value: ArrayLike


def panel_height(extent: Extent, nrows: int, ncols: int, width: float = WIDTHS["page"]) -> float:
    """Return the height of a figure whose maps fill its width, inches.

    Parameters
    ----------
    extent : (west, east, south, north)
        Degrees.
    nrows, ncols : int
        Maps.
    width : float
        Of the figure, inches.

    Examples
    --------
    >>> from proda_lib.maps import CONUS
    >>> 4.0 < panel_height(CONUS, 3, 3) < 6.0
    True
    """
    import cartopy.crs as ccrs

    west, east, south, north = extent
    along = np.linspace(0, 1, 21)
    lon = np.concatenate([west + (east - west) * along] * 2 + [0 * along + west, 0 * along + east])
    lat = np.concatenate(
        [0 * along + south, 0 * along + north] + [south + (north - south) * along] * 2
    )
    across, up = np.ptp(projection(extent).transform_points(ccrs.PlateCarree(), lon, lat), axis=0)[
        :2
    ]
    names, bars, gap = 0.4, 0.95, 0.1
    return float(nrows * ((width - names) / ncols * up / across + gap) + bars)


def map_panels(
    axes: Any,
    rows: Mapping[str, ArrayLike | Points],
    columns: Sequence[str],
    *,
    lon: ArrayLike,
    lat: ArrayLike,
    unit: str,
    what: str = "SOC",
    scale: PanelScale = "log",
    limits: Sequence[tuple[float, float]] | None = None,
    extent: Extent | None = None,
    spread: float = 2.0,
    spacing: float | tuple[float, float] | None = None,
) -> NDArray[Any]:
    """Draw a grid of maps with one colour bar below each column.

    Parameters
    ----------
    axes : array_like of GeoAxes
        One per row and column, with `proda_lib.maps.projection(extent)`.
    rows : mapping of str to (array_like, shape (cell, column)) or Points
        What is written beside each row, and its values.
    columns : sequence of str
        What is written above each column and below its colour bar.
    lon, lat : array_like, shape (cell,)
        Centres of cells, degrees.
    unit : str
        Of the values; empty for none, as for ratios.
    what : str
        Name of the values.
    scale : {"linear", "log", "diverging", "ratio"}
        "diverging" is for differences, "ratio" for ratios: a logarithm with its middle at 1.
    limits : sequence of (float, float), optional
        Ends of each column's colours. By default the `spread` and `100 - spread` percentiles of all
        its maps, each map counting alike; symmetric about no difference for the last two scales.
    extent : (west, east, south, north), optional
        Degrees; by default that of the cells.
    spread : float
        Percentile, %.
    spacing : float or (float, float), optional
        Width and height of a cell, degrees.

    Returns
    -------
    ndarray of GeoAxes, shape (row, column)

    Raises
    ------
    ValueError
        If axes or values do not fit the rows and columns, or the scale is unknown.

    Examples
    --------
    A Dataset of your own, with two sources and one depth interval:

    >>> import matplotlib.pyplot as plt
    >>> import xarray as xr
    >>> from proda_lib import maps
    >>> values = (("source", "cell", "interval"), np.ones((2, 2, 1)) * [[[5.0]], [[9.0]]])
    >>> own = xr.Dataset(
    ...     {"stock": values},
    ...     {"source": ["mine", "theirs"], "lon": ("cell", [-90.25, -89.75]),
    ...      "lat": ("cell", [40.25, 40.25])},
    ... )
    >>> extent = maps.extent_of(own.lon, own.lat)
    >>> style = {"projection": maps.projection(extent)}
    >>> figure, axes = plt.subplots(2, 1, layout="constrained", subplot_kw=style)
    >>> rows = {str(name): own.stock.sel(source=name) for name in own.source.values}
    >>> map_panels(axes, rows, ["0-1 m"], lon=own.lon, lat=own.lat, unit="kgC m$^{-2}$").shape
    (2, 1)
    """
    check_allowed("scale", scale, ("linear", "log", "diverging", "ratio"))
    values = {
        name: _drawable(_values(name, row, len(columns), np.size(lon)), scale)
        for name, row in rows.items()
    }
    axes, extent = _grid(axes, len(rows), len(columns)), extent or extent_of(lon, lat)
    for j, column in enumerate(columns):
        shown = [value[:, j] for value in values.values()]
        ends = _ends(shown, scale, spread, limits[j] if limits is not None else None)
        style = {"scale": "diverging" if scale == "ratio" else scale, "limits": ends}
        style |= {"label": column, "bar": False}
        for ax, row, value in zip(axes[:, j], rows.values(), shown, strict=True):
            _bare(ax, extent)
            if not np.isfinite(value).any():
                ax.text(0.5, 0.5, "none", transform=ax.transAxes, ha="center", va="center")
            elif isinstance(row, Points):
                size = np.clip(2900 / value.size, 1.5, 14.0)  # alike in all columns
                draw_sites(ax, row.lon, row.lat, value, size=float(size), **style)
            else:
                draw_cells(ax, lon, lat, value, spacing=spacing, **style)
        if ends is not None:
            _bar(axes[:, j], shown, f"{what} {column}" + f" ({unit})" * bool(unit), scale, ends)
        axes[0, j].text(0.5, 1.03, column, transform=axes[0, j].transAxes, ha="center")
    for ax, name in zip(axes[:, 0], rows, strict=True):
        lines = "\n".join(textwrap.wrap(name, _WRAP))
        place = {"transform": ax.transAxes, "ha": "right", "va": "center", "rotation": 90}
        ax.text(-0.04, 0.5, lines, multialignment="center", fontsize="small", **place)
    return axes


def _values(name: str, row: ArrayLike | Points, columns: int, cells: int) -> FloatArray:
    """Return a row's values, shape (place, column)."""
    points = isinstance(row, Points)
    value = np.asarray(row.value if points else row, dtype=float)
    expected = (np.size(row.lon) if points else cells, columns)
    if value.shape != expected:
        raise ValueError(
            f"row {name!r} has values of shape {value.shape}, its places and the columns are "
            f"{expected}: give one value per place and column"
        )
    return value


def _grid(axes: Any, rows: int, columns: int) -> NDArray[Any]:
    """Return axes as an array, shape (row, column)."""
    axes = np.asarray(axes, dtype=object)
    if axes.size != rows * columns:
        raise ValueError(
            f"{axes.size} axes given for {rows} rows and {columns} columns: give {rows * columns}"
        )
    return axes.reshape(rows, columns)


def _drawable(value: FloatArray, scale: PanelScale) -> FloatArray:
    """NaN where a value has no colour; ratios as powers of 2."""
    if scale in ("log", "ratio"):
        value = np.where(value > 0, value, np.nan)
    return np.log2(value) if scale == "ratio" else value


def _ends(
    shown: Sequence[FloatArray],
    scale: PanelScale,
    spread: float,
    limits: tuple[float, float] | None,
) -> tuple[float, float] | None:
    """Return the ends of a column's colours, which all its maps share; None without any value."""
    known = [value[np.isfinite(value)] for value in shown if np.isfinite(value).any()]
    if not known:
        return None
    if limits is not None:
        return tuple(np.log2(limits)) if scale == "ratio" else tuple(limits)
    # As many quantiles of every map, however many places it has.
    pooled = np.concatenate([np.quantile(value, np.linspace(0, 1, 501)) for value in known])
    norm, _ = colour_scale(pooled, "diverging" if scale == "ratio" else scale, spread=spread)
    return norm.vmin, norm.vmax


def _bare(ax: Any, extent: Extent) -> None:
    """Frame a map that is too small for a graticule."""
    import cartopy.crs as ccrs

    ax.set_extent(extent, crs=ccrs.PlateCarree())
    ax.spines["geo"].set(edgecolor="#999999", linewidth=0.5)
    outlines(ax)


def _bar(
    axes: NDArray[Any],
    shown: Sequence[FloatArray],
    label: str,
    scale: PanelScale,
    ends: tuple[float, float],
) -> None:
    """Add a column's colour bar below its maps."""
    drawn = next(c for ax in axes for c in ax.collections if c.get_array() is not None)
    extend = extend_of(np.concatenate(shown), drawn.norm)
    bar = axes[0].figure.colorbar(
        drawn,
        ax=list(axes),
        orientation="horizontal",
        extend=extend,
        shrink=0.9,
        aspect=24,
        pad=0.01,
    )
    bar.set_label(label, fontsize="small")
    bar.outline.set_linewidth(0.4)
    bar.ax.tick_params(labelsize="small")
    axis = bar.ax.xaxis
    if scale == "log":
        wide = ends[1] / ends[0]
        plain_log(axis, (1.0,) if wide > 2000 else (1.0, 3.0) if wide > 60 else (1.0, 2.0, 5.0))
    if scale == "ratio":
        ticks = _ratio_ticks(*ends)
        axis.set_major_locator(FixedLocator(np.log2(ticks)))
        axis.set_ticklabels([f"{tick:g}" for tick in ticks])
        axis.set_minor_locator(NullLocator())


def _ratio_ticks(low: float, high: float) -> FloatArray:
    """Return ratios to label on a bar between two powers of 2: round ones, or powers of 2."""
    if high - low < 2:
        ticks = np.round(MaxNLocator(5, steps=[1, 2, 5, 10]).tick_values(2**low, 2**high), 12)
    else:
        step = max(1, int(np.ceil((high - low) / 4)))
        ticks = 2.0 ** np.arange(np.ceil(low / step) * step, high + 1e-9, step)
    return ticks[(ticks >= 2**low * (1 - 1e-9)) & (ticks <= 2**high * (1 + 1e-9))]
