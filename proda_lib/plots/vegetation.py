"""Stocks by vegetation type: each type's carbon with depth, and how far approaches are off."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

import numpy as np
from matplotlib.axes import Axes

from proda_lib.nearest import check_allowed
from proda_lib.plots.colours import GREY, qualitative
from proda_lib.stocks import interval_label

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["differences_by_type", "stocks_of_type"]

_DARK = "#333333"
_MARKERS = "osD^vP*X"
_STOCK = "SOC stock (kgC m$^{-2}$)"


def stocks_of_type(
    ax: Axes,
    table: pd.DataFrame,
    labels: Mapping[str, str],
    *,
    spread: Literal["half_sd", "interval"] = "half_sd",
) -> Axes:
    """Draw the stocks of one vegetation type with depth, a bar per source and depth interval.

    On the right edge stands how many profiles count in the depth interval.

    Parameters
    ----------
    ax : Axes
    table : DataFrame
        Rows of one type from `proda_lib.vegetation_stocks.stocks_by_type`.
    labels : mapping of str to str
        Sources to draw, in order, to their labels; the first is grey, up to eight follow.
    spread : {"half_sd", "interval"}
        What the error bars are: half a standard deviation of the profiles to either side, as in the
        chapter, or the interval of the mean.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> from proda_lib.vegetation_stocks import stocks_by_type
    >>> stocks = {"observed": [[1e3], [3e3]], "model": [[2e3], [2e3]]}
    >>> found = stocks_by_type(stocks, ["bog", "bog"], [0, 1], intervals=[(0, 1)], seed=1)
    >>> ax = stocks_of_type(plt.figure().add_subplot(), found, {"observed": "seen", "model": "m"})
    >>> [text.get_text() for text in ax.get_yticklabels()]
    ['0-100 cm']
    """
    check_allowed("spread", spread, ("half_sd", "interval"))
    intervals = table[["upper", "lower"]].drop_duplicates().sort_values("upper")
    step, colours = 0.8 / len(labels), (GREY, *qualitative(max(len(labels) - 1, 1)))
    for k, (source, label) in enumerate(labels.items()):
        rows = table[table["source"] == source].sort_values("upper")
        y = np.arange(len(rows)) + (k - (len(labels) - 1) / 2) * step
        ax.barh(y, rows["mean"], height=0.88 * step, color=colours[k], label=label)
        half = rows["sd"] / 2
        ends = (rows["low"], rows["high"]) if spread == "interval" else (
            rows["mean"] - half, rows["mean"] + half
        )  # fmt: skip
        ax.hlines(y, *ends, color="black", lw=0.9)
    count = table.drop_duplicates(["upper", "lower"]).sort_values("upper")["sites"]
    for y, sites in enumerate(count):
        place = {"transform": ax.get_yaxis_transform(), "ha": "right", "va": "center"}
        ax.text(0.985, y + 0.3, f"{sites}", fontsize="x-small", color="#555555", **place)
    names = [interval_label(*bounds) for bounds in intervals.itertuples(index=False)]
    ax.set_yticks(range(len(names)), names)
    ax.set_ylim(len(names) - 0.5, -0.5)
    ax.margins(x=0.1)  # room for the counts, also on an axis that panels share
    ax.set_xlabel(_STOCK)
    ax.grid(False, axis="y")
    return ax


def differences_by_type(ax: Axes, table: pd.DataFrame, labels: Mapping[str, str]) -> Axes:
    """Draw how far the mean stocks of sources are from the observed ones, a row per type.

    Filled marks: the interval leaves out zero. An open mark on a line: it holds zero; an open mark
    without a line: there are too few places for an interval.

    Parameters
    ----------
    ax : Axes
    table : DataFrame
        Rows of one depth interval from `proda_lib.vegetation_stocks.stocks_by_type`.
    labels : mapping of str to str
        Sources to draw, without what was observed, up to eight, to their labels.
    """
    types = list(dict.fromkeys(table["type"]))
    shift = np.linspace(-0.3, 0.3, len(labels)) if len(labels) > 1 else np.zeros(1)
    ax.axvline(0, color=_DARK, lw=0.9)
    for source, colour, marker, step in zip(
        labels, qualitative(len(labels)), _MARKERS, shift, strict=False
    ):
        rows = table[table["source"] == source].set_index("type").loc[types]
        y = np.arange(len(types)) + step
        low, high = rows["difference_low"].to_numpy(), rows["difference_high"].to_numpy()
        ax.hlines(y, low, high, color=colour, lw=1.2)
        clear = (low > 0) | (high < 0)
        for some, fill in ((clear, colour), (~clear, "white")):
            ax.plot(rows["difference"][some], y[some], marker, color=colour, ms=4.5, mfc=fill)
        ax.plot([], [], marker, color=colour, label=labels[source])
    ax.set_yticks(range(len(types)), types)
    ax.set_ylim(len(types) - 0.45, -0.55)
    ax.set_xlabel("Modelled \N{MINUS SIGN} observed (kgC m$^{-2}$)")
    ax.grid(False, axis="y")
    return ax
