"""How long carbon stays: against depth, and as distributions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import ArrayLike

from proda_lib.plots.colours import OKABE_ITO
from proda_lib.plots.figure import depth_axis

__all__ = ["PLACE_COLOURS", "survival_curves", "times_with_depth"]

#: Places by their temperature.
PLACE_COLOURS = {
    "cold": OKABE_ITO["blue"],
    "middle": OKABE_ITO["green"],
    "warm": OKABE_ITO["vermillion"],
}

#: Line styles of sources, in the order in which they are given.
_STYLES: tuple[Any, ...] = ("-", "--", ":")

#: Residence times that are drawn, yr m-1: below lies next to no carbon.
_LEAST = 0.01


def times_with_depth(
    axes: Sequence[Axes],
    depth: ArrayLike,
    lines: Mapping[tuple[str, str], tuple[ArrayLike, ArrayLike]],
    deepest: float,
) -> Sequence[Axes]:
    """Draw residence time and age against depth, a line for each kind of place and source.

    Parameters
    ----------
    axes : two Axes
        For residence times and for ages.
    depth : array_like, shape (layer,)
        m.
    lines : mapping of (place, source) to (residence, age)
        Places are keys of `PLACE_COLOURS`; yr m-1 and yr, each (layer,); NaN leaves a gap.
    deepest : float
        Lower end of the axis, m.
    """
    depth = np.asarray(depth, dtype=float)
    style = dict(zip(dict.fromkeys(source for _, source in lines), _STYLES, strict=False))
    labels = ("Residence time of a layer (yr m$^{-1}$)", "Mean age of soil carbon (yr)")
    for i, (ax, label) in enumerate(zip(axes, labels, strict=True)):
        for (place, source), values in lines.items():
            value = np.asarray(values[i], dtype=float)
            shown = np.where((value > 0) & (depth <= deepest), value, np.nan)
            look = {"color": PLACE_COLOURS[place], "ls": style[source], "lw": 1.5}
            ax.plot(shown, depth, label=f"{place}, {source}", **look)
        ax.set_xscale("log")
        ax.set_xlabel(label)
        depth_axis(ax, deepest, "root")
    axes[0].set_xlim(left=_LEAST)
    axes[1].set_ylabel("")
    names = axes[0].get_legend_handles_labels()
    axes[0].figure.legend(*names, fontsize="small", loc="outside upper center", ncols=3)
    return axes


def survival_curves(
    ax: Axes, time: ArrayLike, curves: Mapping[str, tuple[ArrayLike, float]], label: str
) -> Axes:
    """Draw shares that last longer than a time, and mark the median and the mean of each.

    Parameters
    ----------
    ax : Axes
    time : array_like, shape (time,)
        yr, positive.
    curves : mapping of str to ((time,) shares, mean)
        Places are keys of `PLACE_COLOURS`; 1 and yr.
    label : str
        Of the vertical axis.
    """
    time = np.asarray(time, dtype=float)
    for place, (share, mean) in curves.items():
        share, colour = np.asarray(share, dtype=float), PLACE_COLOURS[place]
        ax.plot(time, share, color=colour, lw=1.6, label=place)
        at = np.interp(np.log(mean), np.log(time), share)
        median = np.exp(np.interp(-0.5, -share, np.log(time)))
        ax.plot(median, 0.5, "o", color=colour, ms=5)
        ax.plot(mean, at, "D", color=colour, mfc="white", ms=5)
    ax.set_xscale("log")
    ax.set_xlabel("Time (yr)")
    ax.set_ylabel(label)
    ax.set_ylim(-0.02, 1.02)
    return ax
