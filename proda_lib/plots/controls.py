"""What controls the processes: importance of covariates, agreement with the truth, dependence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from numpy.typing import ArrayLike

from proda_lib.plots.colours import GREY, OKABE_ITO, plain_log
from proda_lib.plots.processes import PROCESS_COLOURS

__all__ = ["Series", "agreement", "cloud_with_line", "dependence", "importance_rows"]

_MARKERS = "osD^v"


class Series(NamedTuple):
    """Ratios of errors with their intervals, one per group.

    Attributes
    ----------
    ratio, low, high : array_like, shape (group,)
        1; intervals may be NaN.
    colour : str
    """

    ratio: ArrayLike
    low: ArrayLike
    high: ArrayLike
    colour: str


def importance_rows(
    ax: Axes, groups: Sequence[str], series: Mapping[str, Series], name: str, *, log: bool = False
) -> Axes:
    """Draw error ratios of groups of covariates with whiskers, the first group on top.

    Parameters
    ----------
    ax : Axes
        One per process; `sharey` needs the names of groups once.
    groups : sequence of str
    series : mapping of str to Series
        Name in the legend to its ratios, drawn one below the other within a group.
    name : str
        Of the process, written above the panel.
    log : bool
        Whether the axis is logarithmic.
    """
    rows = np.arange(len(groups))
    shift = np.linspace(-0.18, 0.18, len(series)) if len(series) > 1 else [0.0]
    ax.axvline(1, color="#333333", lw=0.9)
    for (label, one), marker, step in zip(series.items(), _MARKERS, shift, strict=False):
        fill = {"mfc": "white"} if marker != "o" else {}
        ax.hlines(rows + step, one.low, one.high, color=one.colour, lw=1.6)
        ax.plot(one.ratio, rows + step, marker, color=one.colour, ms=4.5, label=label, **fill)
    if log:
        ax.set_xscale("log")
        plain_log(ax.xaxis, (1.0, 3.0))
    ax.set_yticks(rows, groups)
    ax.set_ylim(len(groups) - 0.5, -0.5)
    ax.grid(False, axis="y")
    ax.text(0.5, 1.02, name, transform=ax.transAxes, ha="center", va="bottom", fontsize="small")
    ax.tick_params(axis="x", labelsize="small")
    return ax


def agreement(ax: Axes, learned: pd.DataFrame, true: pd.DataFrame) -> Axes:
    """Draw learned against true importance: colour is the process, marker the group.

    Parameters
    ----------
    ax : Axes
    learned, true : DataFrame
        Error ratios less 1, in percent, by group (rows) and process (columns).
    """
    for group, marker in zip(true.index, _MARKERS, strict=False):
        for process in true.columns:
            ax.plot(
                true.loc[group, process], learned.loc[group, process], marker, ms=6,
                color=PROCESS_COLOURS[process], mec="#333333", mew=0.6,
            )  # fmt: skip
        ax.plot([], [], marker, color="white", mec="#333333", label=group)
    for process in true.columns:
        ax.plot([], [], "s", color=PROCESS_COLOURS[process], label=process)
    ax.axhline(0, color=GREY, lw=0.8)
    # Linear up to 1 %, so that 0 has a place.
    ax.set_xscale("symlog", linthresh=1.0)
    largest = max(1.0, float(true.to_numpy().max()))
    ax.set_xlim(-0.4, 2.2 * largest)
    ax.set_xticks([0.0] + [10.0**n for n in range(int(np.ceil(np.log10(2.2 * largest))))])
    ax.xaxis.set_major_formatter("{x:g}")
    ax.set_xlabel("True: error added to a perfect map (%)")
    ax.set_ylabel("Learned: error added (%)")
    return ax


def dependence(
    ax: Axes,
    values: ArrayLike,
    mean: ArrayLike,
    half: ArrayLike,
    there: ArrayLike,
    colour: str,
    *,
    truth: ArrayLike | None = None,
) -> Axes:
    """Draw a partial dependence with its band, and where the data are as ticks on the axis.

    Parameters
    ----------
    ax : Axes
    values : array_like, shape (value,)
        Of the covariate, its unit.
    mean, half : array_like, shape (value,)
        The process, and half the width of its interval (NaN: no band), one unit.
    there : array_like, shape (n,)
        The covariate at places; its 5th to 95th percentiles become ticks.
    colour : str
    truth : array_like, shape (value,), optional
        Dashed line, unit of the mean.
    """
    values, mean, half = (np.asarray(one, dtype=float) for one in (values, mean, half))
    if np.isfinite(half).all():
        ax.fill_between(values, mean - half, mean + half, color=colour, alpha=0.3, lw=0)
    ax.plot(values, mean, color=colour, lw=2.2, label="PRODA")
    if truth is not None:
        ax.plot(values, truth, color="#333333", lw=1.3, ls="--", label="truth")
    ticks = np.nanquantile(np.asarray(there, dtype=float), np.linspace(0.05, 0.95, 19))
    ax.plot(ticks, np.zeros_like(ticks), "|", color="#333333", ms=9, mew=0.8,
            transform=ax.get_xaxis_transform(), clip_on=False)  # fmt: skip
    return ax


def cloud_with_line(
    ax: Axes,
    x: ArrayLike,
    y: ArrayLike,
    slope: float,
    half: float,
    *,
    weight: ArrayLike | None = None,
    name: str = "least squares",
    points: bool = True,
) -> Axes:
    """Draw places as points and a line through their mean, with a band for its slope.

    Parameters
    ----------
    ax : Axes
    x, y : array_like, shape (n,)
    slope, half : float
        Slope and half the width of its interval (NaN: no band), unit of y over that of x.
    weight : array_like, shape (n,), optional
        Of the places in the mean, such as their area.
    name : str
        In the legend.
    points : bool
        Whether the places are drawn; without them the line is dashed, for a second one.
    """
    x, y = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
    middle = np.average([x, y], axis=1, weights=weight)
    along = np.linspace(x.min(), x.max(), 50)
    line = middle[1] + slope * (along - middle[0])
    look = {"color": "#333333", "lw": 1.4, "ls": "--"}
    if points:
        look = {"color": OKABE_ITO["orange"], "lw": 2.2}
        many = len(x) > 1000
        dots = {"ms": 2.5, "alpha": 0.35} if many else {"ms": 6, "alpha": 0.6}
        ax.plot(x, y, ".", color=GREY, mew=0, rasterized=many, **dots)
    if np.isfinite(half):
        reach = half * np.abs(along - middle[0])
        ax.fill_between(along, line - reach, line + reach, color=look["color"], alpha=0.35, lw=0)
    ax.plot(along, line, label=name, **look)
    return ax
