"""Stocks by depth interval: sources beside each other, and how profiles become stocks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import ArrayLike

from proda_lib.plots.colours import GREY, OKABE_ITO, qualitative
from proda_lib.plots.figure import SOC_LABEL, depth_axis

__all__ = ["KIND_STYLES", "profile_pieces", "reach_lines", "stock_bars", "stock_legend"]

#: How bars of a kind of source look: never by colour alone.
KIND_STYLES: dict[str, dict[str, str]] = {
    "truth": {"facecolor": "#333333", "edgecolor": "#333333"},
    "reference": {"facecolor": GREY, "edgecolor": GREY},
    "stand-in": {"facecolor": "#e3e3e3", "edgecolor": "#777777", "hatch": "////"},
    "model": {"facecolor": OKABE_ITO["blue"], "edgecolor": OKABE_ITO["blue"]},
}
#: How a published number is marked.
_PUBLISHED = {"marker": "D", "color": OKABE_ITO["vermillion"], "ms": 5, "ls": "none"}


def stock_bars(
    ax: Axes,
    labels: Sequence[str],
    values: ArrayLike,
    kinds: Sequence[str],
    *,
    low: ArrayLike | None = None,
    high: ArrayLike | None = None,
    published: ArrayLike | None = None,
    name: str = "",
) -> Axes:
    """Draw the stock of one depth interval: a bar per source, the first on top.

    Parameters
    ----------
    ax : Axes
        One per depth interval; `sharey` needs the names once.
    labels : sequence of str
        Names of the sources.
    values : array_like, shape (source,)
        Any unit, the same for all; NaN has no bar, so that a source may have a mark only.
    kinds : sequence of str
        Keys of `KIND_STYLES`, one per source.
    low, high : array_like, shape (source,), optional
        Ends of the whiskers, unit of the values; NaN has none.
    published : array_like, shape (source,), optional
        Numbers to compare with, drawn as marks; NaN has none.
    name : str
        Label of the axis, with its unit.

    Returns
    -------
    Axes

    Raises
    ------
    ValueError
        If the arguments are not equally many, or a kind is unknown.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> ax = plt.figure().add_subplot()
    >>> ax = stock_bars(ax, ["mine", "theirs"], [81.0, 64.0], ["model", "reference"], name="Pg C")
    >>> ax.get_xlabel()
    'Pg C'
    """
    values, row = np.asarray(values, dtype=float), np.arange(len(labels))
    ends = [np.full(len(row), np.nan) if a is None else a for a in (low, high, published)]
    ends = [np.asarray(a, dtype=float) for a in ends]
    counts = {len(labels), len(values), len(kinds), *map(len, ends)}
    if len(counts) != 1:
        raise ValueError(f"labels, values, kinds and marks number {sorted(counts)}: pass as many")
    odd = sorted(set(kinds) - set(KIND_STYLES))
    if odd:
        raise ValueError(f"unknown kind {odd[0]!r}: there are {', '.join(KIND_STYLES)}")
    for one, value, kind in zip(row, values, kinds, strict=True):
        if np.isfinite(value):
            ax.barh(one, value, height=0.7, lw=0.8, **KIND_STYLES[kind])
    ax.hlines(row, *ends[:2], color="black", lw=1.4)
    for end in ends[:2]:
        ax.plot(end, row, "|", color="black", ms=6, mew=1.4)
    ax.plot(ends[2], row, label="published", **_PUBLISHED)
    ax.set_yticks(row, labels)
    ax.set_ylim(len(row) - 0.5, -0.5)
    ax.set_xlim(left=0)
    ax.set_xlabel(name)
    ax.grid(False, axis="y")
    return ax


def stock_legend(ax: Axes, kinds: Sequence[str], *, published: str = "published") -> Axes:
    """Add a legend of kinds of sources, whiskers and marks below all panels of a figure.

    Parameters
    ----------
    ax : Axes
        Any panel of the figure, drawn by `stock_bars`.
    kinds : sequence of str
        Keys of `KIND_STYLES` that occur.
    published : str
        What the marks are.
    """
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    shown = [Patch(lw=0.8, label=kind, **KIND_STYLES[kind]) for kind in dict.fromkeys(kinds)]
    shown.append(Line2D([], [], color="black", lw=1.4, label="95 % interval"))
    shown.append(Line2D([], [], label=published, **_PUBLISHED))
    ax.figure.legend(
        handles=shown, loc="outside upper center", ncols=3, frameon=False, fontsize="small"
    )
    return ax


def reach_lines(
    ax: Axes,
    reach: ArrayLike,
    lines: Mapping[str, ArrayLike],
    name: str,
    *,
    chosen: float | None = None,
) -> Axes:
    """Draw what follows from how much of an interval must have been sampled, a line per rule.

    Parameters
    ----------
    ax : Axes
    reach : array_like, shape (k,)
        Shares, 0 to 1.
    lines : mapping of str to array_like, shape (k,)
        Label of a rule to its values.
    name : str
        Label of the values, with their unit.
    chosen : float, optional
        Share to be marked.

    Returns
    -------
    Axes
    """
    if chosen is not None:
        ax.axvline(chosen, color="#777777", lw=0.9, ls=":")
    styles = zip(qualitative(len(lines)), "osD^vP*X", strict=False)
    for (label, values), (colour, marker) in zip(lines.items(), styles, strict=False):
        ax.plot(reach, values, marker=marker, ms=4, lw=1.3, color=colour, label=label)
    ax.set_xlabel("Share that must be sampled (1)")
    ax.set_ylabel(name)
    return ax


def profile_pieces(
    ax: Axes,
    bounds: ArrayLike,
    mean: ArrayLike,
    depth: ArrayLike,
    lines: Mapping[str, ArrayLike],
) -> Axes:
    """Draw a profile's layers and curves through them.

    Parameters
    ----------
    ax : Axes
    bounds : array_like, shape (layer + 1,)
        Boundaries of the layers, m.
    mean : array_like, shape (layer,)
        SOC of the layers, gC m-3.
    depth : array_like, shape (k,)
        Depths of the curves, m.
    lines : mapping of str to array_like, shape (k,)
        Label to SOC at these depths, gC m-3; NaN is left out.

    Returns
    -------
    Axes
    """
    mean, bounds = np.asarray(mean, dtype=float) / 1000, np.asarray(bounds, dtype=float)
    ax.barh(
        bounds[:-1], mean, np.diff(bounds), align="edge", color="#e3e3e3", edgecolor="white",
        lw=0.8, label="layers",
    )  # fmt: skip
    styles = zip(qualitative(len(lines)), ("-", "--", "-.", ":"), strict=False)
    for (label, values), (colour, dash) in zip(lines.items(), styles, strict=False):
        ax.plot(np.asarray(values, dtype=float) / 1000, depth, dash, color=colour, label=label)
    ax.set_xlim(left=0)
    ax.set_xlabel(SOC_LABEL)
    ax.grid(False, axis="y")
    return depth_axis(ax, float(np.max(depth)))
