"""Soil profiles: observed and modelled soil organic carbon (SOC) against depth.

Depth is in m, positive downwards; SOC comes in gC m-3 and is drawn in kgC m-3.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import ArrayLike, NDArray

from proda_lib.plots.colours import GREY, OKABE_ITO, plain_log
from proda_lib.plots.figure import SOC_LABEL, depth_axis
from proda_lib.soil_grid import SoilGrid

__all__ = [
    "DEPTH_BINS",
    "POOL_LABELS",
    "binned_quantiles",
    "depth_distribution",
    "pools_with_depth",
    "profile",
]

#: Edges of the depth intervals that summarise observations in figures, m.
DEPTH_BINS = (
    0,
    0.05,
    0.1,
    0.2,
    0.3,
    0.4,
    0.5,
    0.65,
    0.8,
    1,
    1.25,
    1.5,
    2,
    2.5,
    3,
    4,
    6,
    8,
)
#: What figures call CLM5's seven carbon pools, in the order of the matrices.
POOL_LABELS: dict[str, str] = {
    "cwd": "woody debris",
    "litter1": "metabolic litter",
    "litter2": "cellulose litter",
    "litter3": "lignin litter",
    "soil1": "fast soil",
    "soil2": "slow soil",
    "soil3": "passive soil",
}
_PERCENTILES = (5, 50, 95)
POOL_COLOURS = ("black", "sky", "blue", "purple", "orange", "vermillion", "green")


def binned_quantiles(
    depth: ArrayLike,
    values: ArrayLike,
    edges: Sequence[float] = DEPTH_BINS,
    percentiles: Sequence[float] = _PERCENTILES,
    fewest: int = 5,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Percentiles of values in intervals of depth, for drawing.

    Parameters
    ----------
    depth : array_like, any shape
        Depth of each value, m; NaN pads.
    values : array_like, same shape
        Any unit.
    edges : sequence of float
        Limits of the intervals, m.
    percentiles : sequence of float
        %.
    fewest : int
        Intervals with fewer values are left out.

    Returns
    -------
    middle : ndarray, shape (bins,)
        Median depth of the values in each interval, m.
    quantiles : ndarray, shape (percentiles, bins)
        Unit of the values.

    Examples
    --------
    >>> middle, q = binned_quantiles([0.1, 0.1, 0.1], [1.0, 2.0, 3.0], (0, 1), (50,), fewest=3)
    >>> middle.tolist(), q.tolist()
    ([0.1], [[2.0]])
    """
    depth, values = (np.asarray(a, dtype=float).ravel() for a in (depth, values))
    known = np.isfinite(depth) & np.isfinite(values)
    depth, values = depth[known], values[known]
    number = np.digitize(depth, edges)
    kept = [i for i in range(1, len(edges)) if (number == i).sum() >= fewest]
    middle = np.array([np.median(depth[number == i]) for i in kept])
    columns = [np.percentile(values[number == i], percentiles) for i in kept]
    return middle, np.array(columns).reshape(len(kept), len(percentiles)).T


def cloud(
    ax: Axes, depth: NDArray[np.float64], values: NDArray[np.float64], colour: str, fewest: int
) -> None:
    """Points of values by depth (m), with their median line and 5-95 % band."""
    ax.scatter(
        values, depth, s=3, color=GREY, lw=0, alpha=opacity(len(depth)), rasterized=True,
        label="observation",
    )  # fmt: skip
    middle, (low, median, high) = binned_quantiles(depth, values, fewest=fewest)
    ax.fill_betweenx(middle, low, high, color=colour, alpha=0.25, lw=0, label="5-95 %")
    ax.plot(median, middle, color=colour, marker="o", label="median")


def depth_distribution(
    ax: Axes,
    depth: ArrayLike,
    soc: ArrayLike,
    *,
    deepest: float | None = None,
    fewest: int = 5,
    colour: str = OKABE_ITO["blue"],
) -> Axes:
    """Draw observed SOC against depth: points, median and 5-95 % band by depth interval.

    Parameters
    ----------
    ax : Axes
    depth : array_like, shape (site, observation) or (n,)
        m; NaN pads.
    soc : array_like, same shape
        gC m-3, drawn in kgC m-3 on a logarithmic axis; values of 0 cannot be shown there.
    deepest : float, optional
        Lower end of the axis, m; by default the deepest observation.
    fewest : int
        Depth intervals with fewer observations have no band.

    Returns
    -------
    Axes

    Raises
    ------
    ValueError
        If no observation can be drawn.
    """
    depth, soc = np.asarray(depth, float).ravel(), np.asarray(soc, float).ravel() / 1000
    shown = np.isfinite(depth) & (soc > 0)
    if not shown.any():
        raise ValueError("no observation has a depth and positive SOC: check what was passed in")
    depth, soc = depth[shown], soc[shown]
    cloud(ax, depth, soc, colour, fewest)
    ax.set_xscale("log")
    plain_log(ax.xaxis)
    ax.set_xlabel(SOC_LABEL)
    depth_legend(ax, "lower right")
    return depth_axis(ax, deepest or float(depth.max()) * 1.02, "root")


def depth_legend(ax: Axes, place: str) -> None:
    """Legend of a `cloud`, its dot opaque: a faint one would not show."""
    ax.legend(loc=place).legend_handles[0].set(alpha=1.0, sizes=[12])


def opacity(count: int) -> float:
    """Fainter points the more there are: 0.6 for hundreds, 0.05 for a hundred thousand."""
    return float(np.clip(20 / np.sqrt(max(count, 1)), 0.05, 0.6))


def profile(
    ax: Axes,
    depth: ArrayLike,
    soc: ArrayLike,
    *,
    observed_depth: ArrayLike | None = None,
    observed_soc: ArrayLike | None = None,
    bedrock: float | None = None,
    label: str = "modelled",
    colour: str = OKABE_ITO["vermillion"],
    smallest: float = 0.01,
    deepest: float | None = None,
) -> Axes:
    """Draw the modelled SOC of one or many sites with depth, and the observations if given.

    Parameters
    ----------
    ax : Axes
    depth : array_like, shape (layer,)
        Depth of the nodes, m.
    soc : array_like, shape (layer,) or (site, layer)
        gC m-3, drawn in kgC m-3. Layers without carbon (0, under closed bedrock) are not drawn.
        Of many sites each is a thin line, the median of those that have carbon there a thick one.
    observed_depth, observed_soc : array_like, any shape
        m and gC m-3; NaN pads.
    bedrock : float, optional
        Depth of the bedrock, m: hatched from there down.
    label, colour : str
    smallest : float
        Left end of the axis, kgC m-3: deep layers may hold next to nothing.
    deepest : float, optional
        Lower end of the axis, m.

    Returns
    -------
    Axes
    """
    depth = np.asarray(depth, float)
    soc = np.atleast_2d(np.asarray(soc, float)) / 1000
    soc = np.where(soc > 0, soc, np.nan)
    if len(soc) > 1:
        ax.plot(soc.T, depth, color=colour, lw=0.5, alpha=opacity(4 * len(soc)))
    carbon = np.isfinite(soc).any(axis=0)
    ax.plot(np.nanmedian(soc[:, carbon], axis=0), depth[carbon], color=colour, label=label)
    if observed_soc is not None and observed_depth is not None:
        observed = np.asarray(observed_soc, float).ravel() / 1000
        place = np.asarray(observed_depth, float).ravel()
        ax.plot(observed, place, "o", color=OKABE_ITO["blue"], label="observed")
    lower = deepest or float(depth.max())
    if bedrock is not None and bedrock < lower:
        ax.axhspan(
            bedrock,
            lower,
            facecolor="none",
            edgecolor=GREY,
            hatch="///",
            label="bedrock",
        )
    _carbon_axis(ax, SOC_LABEL, smallest)
    ax.legend(loc="upper left")
    return depth_axis(ax, lower, "root")


def _carbon_axis(ax: Axes, label: str, smallest: float) -> None:
    """Logarithmic axis from `smallest` to the largest value of all lines, kgC m-3."""
    ax.set_xscale("log")
    plain_log(ax.xaxis)
    largest = max((float(np.nanmax(line.get_xdata())) for line in ax.lines), default=1.0)
    ax.set_xlim(smallest, max(1.5 * largest, 10 * smallest))
    ax.set_xlabel(label)


def pools_with_depth(
    ax: Axes,
    grid: SoilGrid,
    pools: ArrayLike,
    *,
    labels: Sequence[str] = tuple(POOL_LABELS.values()),
    smallest: float = 1e-4,
    deepest: float | None = None,
) -> Axes:
    """Draw the seven carbon pools of one site with depth: litter dashed, soil solid.

    Parameters
    ----------
    ax : Axes
    grid : SoilGrid
    pools : array_like, shape (7, layer)
        gC m-3, drawn in kgC m-3 on a logarithmic axis.
    labels : sequence of str
    smallest : float
        Left end of the axis, kgC m-3.
    deepest : float, optional
        Lower end of the axis, m.

    Returns
    -------
    Axes

    Raises
    ------
    ValueError
        If the pools are not one row per label and one column per layer.
    """
    pools = np.asarray(pools, float) / 1000
    if pools.shape != (len(labels), grid.layers):
        raise ValueError(
            f"pools have shape {pools.shape}, expected {(len(labels), grid.layers)}: "
            "pass one site, one row per pool"
        )
    drawn = np.where(pools > 0, pools, np.nan)
    for number, (name, row) in enumerate(zip(labels, drawn, strict=True)):
        colour = OKABE_ITO[POOL_COLOURS[number % len(POOL_COLOURS)]]
        ax.plot(row, grid.node, color=colour, ls="-" if number > 3 else "--", label=name)
    _carbon_axis(ax, "Carbon (kgC m$^{-3}$)", smallest)
    ax.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0))
    return depth_axis(ax, deepest or float(grid.interface[-1]), "root")
