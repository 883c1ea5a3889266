"""Samplers of one posterior, compared: distributions over each other, differences of means."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator
from numpy.typing import ArrayLike

from proda_lib.plots.colours import GREY, OKABE_ITO

__all__ = ["distributions", "standard_scores"]

_STYLES = (
    {"histtype": "stepfilled", "color": OKABE_ITO["sky"]},
    {"histtype": "step", "color": OKABE_ITO["vermillion"], "lw": 1.6},
    {"histtype": "step", "color": OKABE_ITO["black"], "lw": 1.2, "ls": "--"},
)


def distributions(ax: Axes, draws: Mapping[str, ArrayLike], label: str, *, bins: int = 16) -> Axes:
    """Draw one parameter's distribution by several samplers over each other, and its flat prior.

    Handles of a legend are set, but none is drawn: one serves many panels.

    Parameters
    ----------
    ax : Axes
    draws : mapping of str to array_like
        Name in the legend to positions in the prior range, 0 to 1; one to three. The first is
        filled, the others are outlines.
    label : str
        The parameter.
    bins : int

    Returns
    -------
    Axes

    Raises
    ------
    ValueError
        If there are none or more than three.
    """
    if not 1 <= len(draws) <= len(_STYLES):
        raise ValueError(f"draws of {len(draws)} samplers, allowed are 1 to {len(_STYLES)}")
    for (name, values), style in zip(draws.items(), _STYLES, strict=False):
        values = np.asarray(values, float).ravel()
        ax.hist(values, bins, range=(0, 1), density=True, label=name, **style)
    ax.axhline(1, color="#333333", lw=0.8, label="prior")
    ax.set(xlim=(0, 1), xlabel=f"{label} (1)", ylabel="Density (1)")
    ax.set_xticks([0, 0.5, 1], ["0", "0.5", "1"])
    ax.yaxis.set_major_locator(MaxNLocator(3, integer=True))
    ax.grid(False)
    return ax


def standard_scores(ax: Axes, scores: ArrayLike, label: str, *, end: float = 4.0) -> Axes:
    """Draw differences in units of their standard error, and what chance alone would give.

    Parameters
    ----------
    ax : Axes
    scores : array_like
        1; those beyond `end` are drawn in the last bar.
    label : str
        What the differences are of.
    end : float
        Ends of the axis, 1.

    Returns
    -------
    Axes

    Raises
    ------
    ValueError
        If a score is not a number.
    """
    scores = np.asarray(scores, float).ravel()
    if np.isnan(scores).any():
        raise ValueError("a score is not a number: its quantity has no standard error")
    width = 0.5
    edges = np.arange(-end, end + width / 2, width)
    ax.hist(np.clip(scores, -end, end), edges, color=OKABE_ITO["blue"], label="found")
    x = np.linspace(-end, end, 200)
    normal = len(scores) * width * np.exp(-(x**2) / 2) / np.sqrt(2 * np.pi)
    ax.plot(x, normal, color=GREY, label="expected by chance")
    ax.set(xlim=(-end, end), xlabel=f"{label} (standard errors)", ylabel="Number of parameters")
    ax.yaxis.set_major_locator(MaxNLocator(integer=True))
    ax.grid(False, axis="x")
    ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2)
    return ax
