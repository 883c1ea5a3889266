"""Numbers with their uncertainty beside each other: published and ours."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes

from proda_lib.plots.colours import GREY, OKABE_ITO

__all__ = ["number_beside_number"]

_COLOURS = {"published": OKABE_ITO["vermillion"], "this study": OKABE_ITO["blue"]}
_MARKERS = {"published": "D", "this study": "o"}


def number_beside_number(
    ax: Axes, numbers: Mapping[str, tuple[float, float]], name: str, *, log: bool = False
) -> Axes:
    """Draw one quantity by several sources, the first on top, with error bars where there are any.

    Parameters
    ----------
    ax : Axes
    numbers : mapping of str to (float, float)
        Source to the value and half the width of its interval, NaN where none is known; the
        sources "published" and "this study" have colours of their own.
    name : str
        Label of the axis, with unit.
    log : bool
        Whether the axis is logarithmic; else it begins at zero.

    Returns
    -------
    Axes

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> figure, ax = plt.subplots()
    >>> both = {"published": (56.0, 2.0), "this study": (41.0, float("nan"))}
    >>> number_beside_number(ax, both, "explained variation (%)").get_xlabel()
    'explained variation (%)'
    >>> plt.close(figure)
    """
    for row, (source, (value, half)) in enumerate(numbers.items()):
        style = {"color": _COLOURS.get(source, GREY), "fmt": _MARKERS.get(source, "s")}
        bar = None if np.isnan(half) else half
        ax.errorbar(value, -row, xerr=bar, ms=6, capsize=3, lw=1.4, **style)
    ax.set_yticks([-row for row in range(len(numbers))], list(numbers))
    ax.set_ylim(-len(numbers) + 0.4, 0.6)
    ax.tick_params(axis="y", length=0)
    ax.grid(axis="y", visible=False)
    if log:
        ax.set_xscale("log")
    else:
        ax.set_xlim(0, 1.1 * max(v + np.nan_to_num(h) for v, h in numbers.values()))
    ax.set_xlabel(name)
    return ax
