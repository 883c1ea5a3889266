"""Scores of approaches on profiles that they have not seen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from proda_lib.plots.colours import GREY, OKABE_ITO, qualitative

__all__ = ["differences_of", "score_by_depth", "scores_of"]

_MARKERS = "osD^vP*X"


def scores_of(
    ax: Axes,
    table: pd.DataFrame,
    labels: Mapping[str, str],
    direct: Sequence[str],
    name: str,
) -> Axes:
    """Draw one score of every approach with its interval, a row each and a mark per split.

    Parameters
    ----------
    ax : Axes
    table : DataFrame
        Columns "approach", "split", "value", "low" and "high" of one score.
    labels : mapping of str to str
        Approaches, in the order of the rows, to their labels.
    direct : sequence of str
        Approaches without a process model: their rows are shaded.
    name : str
        Label of the axis, with its unit.
    """
    splits = list(dict.fromkeys(table["split"]))
    step = np.linspace(-0.22, 0.22, len(splits)) if len(splits) > 1 else np.zeros(1)
    for row, approach in enumerate(labels):
        if approach in direct:
            ax.axhspan(row - 0.5, row + 0.5, color=GREY, alpha=0.15, lw=0)
    for split, shift, colour, marker in zip(
        splits, step, qualitative(len(splits)), _MARKERS, strict=False
    ):
        some = table[table["split"] == split].set_index("approach").loc[list(labels)]
        row = np.arange(len(labels)) + shift
        ax.hlines(row, some["low"], some["high"], color=colour, lw=1.2)
        ax.plot(some["value"], row, marker, color=colour, ms=4, label=split)
    ax.set_yticks(range(len(labels)), list(labels.values()))
    ax.set_ylim(len(labels) - 0.5, -0.5)
    ax.set_xlabel(name)
    ax.grid(False, axis="y")
    return ax


def differences_of(ax: Axes, table: pd.DataFrame, labels: Mapping[str, str], name: str) -> Axes:
    """Draw differences from a reference with their intervals, a row per approach.

    Filled: the interval leaves out zero.

    Parameters
    ----------
    ax : Axes
    table : DataFrame
        Columns "approach", "value", "low" and "high" of one score and split.
    labels : mapping of str to str
        Approaches, in the order of the rows, to their labels.
    name : str
        Label of the axis, with its unit.
    """
    some, row = table.set_index("approach").loc[list(labels)], np.arange(len(labels))
    clear = ((some["low"] > 0) | (some["high"] < 0)).to_numpy()
    colour = OKABE_ITO["blue"]
    ax.axvline(0, color="#333333", lw=0.9)
    ax.hlines(row, some["low"], some["high"], color=colour, lw=1.3)
    for level, fill in ((clear, colour), (~clear, "white")):
        ax.plot(some["value"][level], row[level], "o", color=colour, ms=5, mfc=fill)
    ax.set_yticks(row, list(labels.values()))
    ax.set_ylim(len(labels) - 0.5, -0.5)
    ax.set_xlabel(name)
    ax.grid(False, axis="y")
    return ax


def score_by_depth(ax: Axes, table: pd.DataFrame, labels: Mapping[str, str], name: str) -> Axes:
    """Draw one score in depth bins, a line per approach and a band for the last one's interval.

    Parameters
    ----------
    ax : Axes
    table : DataFrame
        Columns "approach", "upper", "lower" (m), "value", "low" and "high" of one score.
    labels : mapping of str to str
        Approaches to draw, at most eight, to their labels.
    name : str
        Label of the axis, with its unit.
    """
    bins = table[["upper", "lower"]].drop_duplicates().sort_values("upper")
    row = np.arange(len(bins))
    for approach, colour, marker in zip(labels, qualitative(len(labels)), _MARKERS, strict=False):
        some = table[table["approach"] == approach].sort_values("upper")
        if approach == list(labels)[-1]:
            ax.fill_betweenx(row, some["low"], some["high"], color=colour, alpha=0.18, lw=0)
        ax.plot(some["value"], row, marker=marker, ms=4.5, color=colour, label=labels[approach])
    texts = [
        f"{upper:g}\N{EN DASH}{lower:g}" if np.isfinite(lower) else f"below {upper:g}"
        for upper, lower in bins.itertuples(index=False)
    ]
    ax.set_yticks(row, texts)
    ax.set_ylim(len(bins) - 0.5, -0.5)
    ax.set_xlabel(name)
    ax.set_ylabel("Depth (m)")
    return ax
