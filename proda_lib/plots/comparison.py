"""Approaches side by side: deviation maps, regressions, who errs least, and equifinality."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from numpy.typing import ArrayLike

from proda_lib import metrics
from proda_lib.comparison import Deviation, regression
from proda_lib.plots.colours import GREY, OKABE_ITO, plain_log, qualitative
from proda_lib.plots.skill import observed_against_modelled

if TYPE_CHECKING:
    from cartopy.mpl.geoaxes import GeoAxes

__all__ = ["deviation_map", "distance_against_error", "errors_by_class", "errors_left", "regressed"]

_MARKERS = "osD^vP*X"


def deviation_map(
    ax: GeoAxes, lon: ArrayLike, lat: ArrayLike, deviation: Deviation, name: str
) -> GeoAxes:
    """Draw the scaled deviation of each site's whole profile; beyond 1 it has the colour of 1.

    Parameters
    ----------
    ax : GeoAxes
        Framed by `proda_lib.maps.frame`. Its last collection are the sites, for a colour bar.
    lon, lat : array_like, shape (site,)
        Degrees.
    deviation : Deviation
        From `proda_lib.comparison.scaled_deviation`.
    name : str
        Of the approach; written above the map, with what -1 and 1 stand for.
    """
    from proda_lib import maps

    ends = {"label": "deviation (1)", "scale": "diverging", "limits": (-1.0, 1.0)}
    maps.draw_sites(ax, lon, lat, deviation.scaled, bar=False, **ends)
    low, high = (f"{value:.0f}" if value >= 10 else f"{value:.1f}" for value in deviation[:0:-1])
    text = f"{name}\n$-$1: {low} too little, 1: {high} too much"
    ax.text(0.5, 1.02, text, transform=ax.transAxes, ha="center", va="bottom", fontsize="small")
    return ax


def regressed(
    ax: Axes,
    observed: ArrayLike,
    modelled: ArrayLike,
    *,
    most: int,
    limits: tuple[float, float] = (0.1, 500.0),
) -> Axes:
    """Draw modelled against observed SOC with the least-squares line, R2 and RMSE.

    The line of Table 37.1 is fitted to SOC, not to its logarithm, so on logarithmic axes it is
    drawn as the curve that it is there; where it is negative it is on the lower edge.

    Parameters
    ----------
    ax : Axes
        Its first collection are the counts, for a colour bar.
    observed, modelled : array_like, same shape
        gC m-3; pairs with NaN are left out.
    most : int
        Upper end of the counts' colours.
    limits : (float, float)
        Both axes, kgC m-3.
    """
    statistics = {
        "R$^2$": f"{metrics.r2(observed, modelled):.2f}",
        "RMSE": f"{metrics.rmse(observed, modelled) / 1000:.1f} kgC m$^{{-3}}$",
    }
    observed_against_modelled(
        ax, observed, modelled, statistics=statistics, limits=limits, bins=30, most=most,
        colour_bar=False,
    )  # fmt: skip
    intercept, slope = regression(observed, modelled)
    x = np.geomspace(*limits, 200)
    line = np.clip(intercept / 1000 + slope * x, *limits)
    ax.plot(x, line, color=OKABE_ITO["vermillion"], lw=1.8, label="least squares")
    return ax


def errors_by_class(
    ax: Axes, table: pd.DataFrame, labels: Mapping[str, str], *, legend: bool = False
) -> Axes:
    """Draw each class' errors relative to the first approach's, with 95 % intervals.

    Filled: level with the best of its class. Open: worse than it.

    Parameters
    ----------
    ax : Axes
    table : DataFrame
        From `proda_lib.winners.least_error`.
    labels : mapping of str to str
        Approach to its name in the legend; all approaches of the table.
    legend : bool
    """
    names = list(dict.fromkeys(table["class"]))
    rest = [name for name in dict.fromkeys(table.approach) if name != table.approach.iloc[0]]
    shift = np.linspace(-0.3, 0.3, len(rest)) if len(rest) > 1 else [0.0]
    ax.axvline(1, color="#333333", lw=0.9)
    # The reference has its line; where it is level with the best, a filled mark on it.
    first = table[(table.approach == table.approach.iloc[0]) & table.among_best]
    ax.plot(first.ratio, [names.index(name) for name in first["class"]], "o", color="#333333")
    for approach, colour, marker, step in zip(rest, _colours(rest), _MARKERS, shift, strict=False):
        rows = table[table.approach == approach]
        row = np.array([names.index(name) for name in rows["class"]]) + step
        ax.hlines(row, rows.low, rows.high, color=colour, lw=1.1)
        for level in (True, False):
            some = rows.among_best.to_numpy() == level
            fill = {} if level else {"mfc": "white"}
            ax.plot(rows.ratio[some], row[some], marker, color=colour, ms=4.5, **fill)
        ax.plot([], [], marker, color=colour, label=labels[approach])
    sites = table.groupby("class", sort=False).sites.first()
    ax.set_yticks(range(len(names)), [f"{name} ({sites[name]})" for name in names])
    ax.set_ylim(len(names) - 0.45, -0.55)
    ax.set_xscale("log")
    low, high = ax.get_xlim()
    wide = high / low
    plain_log(
        ax.xaxis, (1.0,) if wide > 60 else (1.0, 2.0, 5.0) if wide > 6 else (1.0, 1.5, 2, 3, 5, 7)
    )
    ax.set_xlabel(f"Error / error of {labels[table.approach.iloc[0]]} (1)")
    ax.grid(False, axis="y")
    if legend:
        ax.legend(ncols=3, loc="lower left", bbox_to_anchor=(0.0, 1.0))
    return ax


def _colours(names: Sequence[Any]) -> tuple[str, ...]:
    return qualitative(len(names))


def distance_against_error(
    ax: Axes, points: Mapping[str, tuple[ArrayLike, ArrayLike]], *, floor: float = 0.01
) -> Axes:
    """Draw the error in SOC of parameter vectors against their distance to the true parameters.

    Parameters
    ----------
    ax : Axes
    points : mapping of str to (array_like, array_like), shapes (n,)
        Kind of vector to distances (root mean square of positions in the prior range) and to errors
        of ln SOC (root mean square). Small dots are sites, the large mark their medians.
    floor : float
        Errors below it are drawn on it.
    """
    kinds = list(points)
    for kind, colour, marker in zip(kinds, _colours(kinds), _MARKERS, strict=False):
        x, y = (np.asarray(values, float) for values in points[kind])
        y = np.maximum(y, floor)
        ax.plot(x, y, ".", color=colour, ms=2.5, mew=0, alpha=0.5)
        ax.plot(
            np.median(x), np.median(y), marker, color=colour, ms=9, mec="white", label=kind,
            zorder=5,
        )  # fmt: skip
    ax.set_yscale("log")
    plain_log(ax.yaxis, (1.0, 3.0))
    ax.set_xlim(left=0)
    ax.set_xlabel("Distance to the true parameters (1)")
    ax.set_ylabel("Error of ln SOC (1)")
    ax.legend(ncols=5, columnspacing=1.2, loc="lower left", bbox_to_anchor=(-0.03, 1.0))
    return ax


def errors_left(
    ax: Axes, count: ArrayLike, lines: Mapping[str, ArrayLike], *, ceiling: float | None = None
) -> Axes:
    """Draw how the error of SOC falls as more directions of the parameter space are set right.

    Parameters
    ----------
    ax : Axes
    count : array_like of int, shape (k,)
        Directions that have their true value.
    lines : mapping of str to array_like, shape (k,)
        In which order they are set right, to the error of ln SOC; 1.
    ceiling : float, optional
        An error to compare with, drawn as a level line.
    """
    styles = zip(("-", "--", "-."), _colours(list(lines)), _MARKERS, strict=False)
    for (name, values), (style, colour, marker) in zip(lines.items(), styles, strict=False):
        ax.plot(count, values, style, marker=marker, ms=3.5, color=colour, label=name)
    if ceiling is not None:
        ax.axhline(ceiling, color=GREY, lw=1.2)
    ax.set_ylim(bottom=0)
    ax.locator_params(axis="x", integer=True)
    ax.set_xlabel("Directions set right, of 21 (1)")
    ax.set_ylabel("Error of ln SOC (1)")
    ax.legend(ncols=2, loc="lower left", bbox_to_anchor=(0.0, 1.0))
    return ax
