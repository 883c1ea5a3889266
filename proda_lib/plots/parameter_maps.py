"""Parameters on many small maps, and along a gradient of climate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from numpy.typing import ArrayLike, NDArray

from proda_lib.maps.canvas import Canvas, small_map
from proda_lib.maps.panels import Points
from proda_lib.plots.colours import colour_scale, extend_of

__all__ = ["Column", "along_gradient", "parameter_maps", "shared_colours"]


class Column(NamedTuple):
    """One column of small maps.

    Attributes
    ----------
    name : str
        Above its maps.
    label : str
        Of its colour bar, with the unit.
    value : array_like, shape (cell, row), or Points
        What its maps show, in rows of the figure.
    norm, cmap
        Colours that all its maps share.
    """

    name: str
    label: str
    value: ArrayLike | Points
    norm: Normalize
    cmap: str


def parameter_maps(
    axes: Any, canvas: Canvas, names: Sequence[str], columns: Sequence[Column]
) -> NDArray[Any]:
    """Draw parameters as rows of small maps, with one colour bar below each column.

    Parameters
    ----------
    axes : array_like of Axes
        One per row and column, ordinary ones.
    canvas : Canvas
    names : sequence of str
        What is written beside each row.
    columns : sequence of Column
        Values with one column per row of maps.

    Returns
    -------
    ndarray of Axes, shape (row, column)

    Raises
    ------
    ValueError
        If axes or values do not fit the rows and columns.
    """
    axes = np.asarray(axes, dtype=object)
    if axes.size != len(names) * len(columns):
        raise ValueError(
            f"{axes.size} axes given for {len(names)} rows and {len(columns)} columns: give "
            f"{len(names) * len(columns)}"
        )
    axes = axes.reshape(len(names), len(columns))
    for column, some in zip(columns, axes.T, strict=True):
        points = isinstance(column.value, Points)
        table = np.asarray(column.value.value if points else column.value, dtype=float)
        if table.ndim != 2 or table.shape[1] != len(names):
            raise ValueError(
                f"column {column.name!r} has values of shape {table.shape} for {len(names)} rows: "
                "give one column of values per row of maps"
            )
        for ax, value in zip(some, table.T, strict=True):
            one = column.value._replace(value=value) if points else value
            drawn = small_map(ax, canvas, one, column.norm, column.cmap)
        some[0].text(0.5, 1.03, column.name, transform=some[0].transAxes, ha="center")
        _bar(list(some), drawn, column, table)
    for ax, name in zip(axes[:, 0], names, strict=True):
        place = {"transform": ax.transAxes, "ha": "right", "va": "center", "rotation": 90}
        ax.text(-0.03, 0.5, name, multialignment="center", fontsize="small", **place)
    return axes


def _bar(some: list[Axes], drawn: Any, column: Column, table: NDArray[np.float64]) -> None:
    bar = some[0].figure.colorbar(
        drawn, ax=some, orientation="horizontal", shrink=0.9, aspect=24, pad=0.01,
        extend=extend_of(table, column.norm),
    )  # fmt: skip
    bar.set_label(column.label, fontsize="small")
    bar.outline.set_linewidth(0.4)
    bar.ax.tick_params(labelsize="small")


def along_gradient(
    axes: Sequence[Axes],
    position: ArrayLike,
    value: ArrayLike,
    half: ArrayLike,
    *,
    names: Sequence[str],
    colours: Sequence[str],
    truth: ArrayLike | None = None,
    span: float | None = None,
) -> Sequence[Axes]:
    """Draw means of parameters over bands along a gradient, a panel each.

    All panels span the same share of the prior range, so that slopes can be compared.

    Parameters
    ----------
    axes : sequence of Axes
    position : array_like, shape (band,)
        Where the bands lie, unit of the gradient.
    value, half : array_like, shape (band, parameter)
        Means and half the widths of their intervals, % of the prior range; NaN has no interval.
    names, colours : sequence of str
        Of the parameters.
    truth : array_like, shape (band, parameter), optional
        Dashed.
    span : float, optional
        Height of every panel, % of the prior range; by default what the widest line needs.
    """
    value, half = np.asarray(value, dtype=float), np.asarray(half, dtype=float)
    others = [value] if truth is None else [value, np.asarray(truth, dtype=float)]
    low, high = (pick(others, axis=(0, 1)) for pick in (np.nanmin, np.nanmax))
    span = span or 1.15 * float((high - low).max())
    for k, ax in enumerate(axes):
        edges = value[:, k] - half[:, k], value[:, k] + half[:, k]
        ax.fill_between(position, *edges, color=colours[k], alpha=0.25, lw=0)
        rim = {"mec": "#333333", "mew": 0.4}
        ax.plot(position, value[:, k], "-o", ms=2.8, lw=1.5, color=colours[k], **rim)
        if truth is not None:
            ax.plot(position, others[1][:, k], "--", lw=1.0, color="#333333")
        middle = (low[k] + high[k]) / 2
        ax.set_ylim(middle - span / 2, middle + span / 2)
        ax.locator_params(axis="y", nbins=4)
        ax.tick_params(labelsize="small")
        ax.text(0.0, 1.03, names[k], transform=ax.transAxes, va="bottom", fontsize="small")
    return axes


def shared_colours(values: Mapping[str, ArrayLike], scale: Any, spread: float = 2.0) -> Any:
    """Return norm and colour map that several tables of values share, each counting alike.

    Parameters
    ----------
    values : mapping of str to array_like
        Any unit; NaN is left out.
    scale : {"linear", "log", "diverging", "signed_log"}
    spread : float
        Percentile of the ends, %.
    """
    flat = [np.ravel(np.asarray(one, dtype=float)) for one in values.values()]
    pooled = [np.quantile(one[np.isfinite(one)], np.linspace(0, 1, 501)) for one in flat]
    return colour_scale(np.concatenate(pooled), scale, spread=spread)
