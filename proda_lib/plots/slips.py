"""Slips of the original, ranked by the size of what they change."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from proda_lib.plots.colours import OKABE_ITO

__all__ = ["LEAST", "MOST", "ranked_slips"]

#: Smallest and greatest change that is drawn, percent.
LEAST, MOST = 0.01, 1e5

_COLOURS = dict(
    zip(
        ("model", "data", "cost and sampler", "network", "diagnostics"),
        ("blue", "green", "vermillion", "purple", "orange"),
        strict=True,
    )
)


def ranked_slips(ax: Axes, table: pd.DataFrame) -> Axes:
    """Draw the sizes of changes on a logarithmic axis, by stage, the largest of each on top.

    Dots are medians of the sizes, lines reach from 5 to 95 %; full dots are slips that make the
    median larger, open ones those that make it smaller. Sizes below `LEAST` and above `MOST` are
    drawn there.

    Parameters
    ----------
    ax : Axes
    table : DataFrame
        Rows of `proda_lib.original.summary` with the unit of changes: `stage`, `name`, `median`
        and `size`, `size_low`, `size_high`, percent.

    Returns
    -------
    Axes

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> figure, ax = plt.subplots()
    >>> sizes = {"median": -5.0, "size": 5.0, "size_low": 1.0, "size_high": 9.0}
    >>> one = pd.DataFrame([{"stage": "model", "name": "leak at bedrock"} | sizes])
    >>> ranked_slips(ax, one).get_xlabel()
    'Size of the change (%)'
    >>> plt.close(figure)
    """
    stages = [stage for stage in _COLOURS if (table["stage"] == stage).any()]
    labels: list[str] = []
    for stage in stages:
        colour = OKABE_ITO[_COLOURS[stage]]
        labels.append(stage.upper())
        for row in table[table["stage"] == stage].sort_values("size", ascending=False).itertuples():
            y = len(labels)
            low, middle, high = np.clip([row.size_low, row.size, row.size_high], LEAST, MOST)
            ax.hlines(y, low, high, color=colour, lw=1.6)
            fill = colour if row.median > 0 else "white"
            ax.plot(middle, y, "o", color=colour, mfc=fill, ms=4.5)
            labels.append(row.name)
    return _finished(ax, labels, {stage.upper() for stage in stages})


def _finished(ax: Axes, labels: list[str], heads: set[str]) -> Axes:
    ax.set_xscale("log")
    ax.set_xlim(LEAST / 1.5, MOST * 1.5)
    decades = np.arange(np.log10(LEAST), np.log10(MOST) + 1)
    ax.set_xticks(10.0**decades, [f"{10.0**decade:,g}" for decade in decades], fontsize="x-small")
    ax.set_yticks(range(len(labels)), labels, fontsize="x-small")
    for tick in ax.get_yticklabels():
        tick.set_fontweight("bold" if tick.get_text() in heads else "normal")
    ax.set_ylim(len(labels) - 0.5, -0.7)
    ax.tick_params(axis="y", length=0)
    ax.grid(False, axis="y")
    ax.set_xlabel("Size of the change (%)")
    words = {"slip makes it larger": "#333333", "slip makes it smaller": "white"}
    handles = [
        Line2D([], [], marker="o", ls="none", color="#333333", mfc=fill, ms=4.5, label=label)
        for label, fill in words.items()
    ]
    ax.legend(handles=handles, loc="lower right", fontsize="x-small", framealpha=0.9)
    return ax
