"""Modelled against observed soil organic carbon (SOC)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from numpy.typing import ArrayLike

from proda_lib.plots.colours import OKABE_ITO, SEQUENTIAL, plain_log
from proda_lib.plots.figure import SOC_LABEL, depth_axis
from proda_lib.plots.profiles import cloud, depth_legend

__all__ = ["observed_against_modelled", "residuals_by_depth"]


def observed_against_modelled(
    ax: Axes,
    observed: ArrayLike,
    modelled: ArrayLike,
    *,
    statistics: Mapping[str, float | str] | None = None,
    limits: tuple[float, float] = (0.05, 500.0),
    bins: int = 45,
    most: int | None = None,
    colour_bar: bool = True,
) -> Axes:
    """Draw modelled against observed SOC on logarithmic axes: counts in hexagons and the 1:1 line.

    Parameters
    ----------
    ax : Axes
    observed, modelled : array_like, same shape
        gC m-3, drawn in kgC m-3. Pairs with NaN are left out; values outside the limits (also the
        0 below a closed bedrock) are drawn on the edge, so that none disappears.
    statistics : mapping of str to float or str, optional
        Written into the corner as they are, for example {"R$^2$": 0.32}; numbers with 3 digits.
    limits : (float, float)
        Both axes, kgC m-3.
    bins : int
        Hexagons across.
    most : int, optional
        Upper end of the counts' colours, to compare panels.
    colour_bar : bool

    Returns
    -------
    Axes

    Raises
    ------
    ValueError
        If the two do not have the same shape, or no pair is complete.
    """
    observed, modelled = np.asarray(observed, float), np.asarray(modelled, float)
    if observed.shape != modelled.shape:
        raise ValueError(
            f"observed has shape {observed.shape}, modelled {modelled.shape}: pass pairs"
        )
    both = np.isfinite(observed) & np.isfinite(modelled)
    if not both.any():
        raise ValueError("no observation has a modelled value to draw: check what was passed in")
    x, y = (np.clip(values[both] / 1000, *limits) for values in (observed, modelled))
    ends = tuple(np.log10(limits)) * 2
    # Hexagons are placed in powers of ten, so their extent is given in them.
    hexagons = ax.hexbin(
        x, y, gridsize=bins, xscale="log", yscale="log", extent=ends, mincnt=1,
        norm=LogNorm(1, most or 10), cmap=SEQUENTIAL, linewidths=0.1,
    )  # fmt: skip
    if most is None:
        hexagons.set_clim(1, max(10, hexagons.get_array().max()))
    ax.plot(limits, limits, color="#333333", lw=1)
    if colour_bar:
        bar = ax.figure.colorbar(hexagons, ax=ax, label="Observations", shrink=0.85, pad=0.02)
        plain_log(bar.ax.yaxis)
    _write(ax, statistics or {})
    for axis in (ax.xaxis, ax.yaxis):
        plain_log(axis)
    ax.set(xlim=limits, ylim=limits, aspect="equal")
    ax.set_xlabel("Observed " + SOC_LABEL)
    ax.set_ylabel("Modelled " + SOC_LABEL)
    return ax


def _write(ax: Axes, statistics: Mapping[str, float | str]) -> None:
    lines = [
        f"{name} = {value if isinstance(value, str) else format(value, '.3g')}"
        for name, value in statistics.items()
    ]
    ax.text(
        0.03, 0.97, "\n".join(lines), transform=ax.transAxes, va="top", fontsize="small",
        bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 2},
    )  # fmt: skip


def residuals_by_depth(
    ax: Axes,
    depth: ArrayLike,
    residual: ArrayLike,
    *,
    deepest: float | None = None,
    fewest: int = 5,
    colour: str = OKABE_ITO["vermillion"],
) -> Axes:
    """Draw modelled minus observed SOC by depth: points, median, 5-95 % band.

    Parameters
    ----------
    ax : Axes
    depth : array_like, any shape
        m; NaN pads.
    residual : array_like, same shape
        Modelled minus observed, gC m-3; drawn in kgC m-3, linear within +-1 and logarithmic
        beyond, because surface residuals are a hundred times those at depth.
    deepest : float, optional
        Lower end of the axis, m.
    fewest : int
        Depth intervals with fewer values have no band.

    Returns
    -------
    Axes

    Raises
    ------
    ValueError
        If no residual has a depth.
    """
    depth, residual = (
        np.asarray(depth, float).ravel(),
        np.asarray(residual, float).ravel() / 1000,
    )
    shown = np.isfinite(depth) & np.isfinite(residual)
    if not shown.any():
        raise ValueError("no residual has a depth to draw: check what was passed in")
    depth, residual = depth[shown], residual[shown]
    cloud(ax, depth, residual, colour, fewest)
    ax.axvline(0, color="#333333", lw=0.8)
    ax.set_xscale("symlog", linthresh=1.0)
    ax.xaxis.set_major_formatter(lambda value, _: f"{value:g}".replace("-", "\N{MINUS SIGN}"))
    ax.tick_params(axis="x", labelsize="small")  # -100 and -10 lie close
    ax.set_xlabel("Modelled \N{MINUS SIGN} observed " + SOC_LABEL)
    depth_legend(ax, "lower right")
    return depth_axis(ax, deepest or float(depth.max()) * 1.02, "root")
