"""Which process matters: responses to a changed process, and what is lost when one is ignored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import ArrayLike

from proda_lib.plots.colours import GREY
from proda_lib.plots.processes import PROCESS_COLOURS

__all__ = [
    "Curve",
    "Estimate",
    "along_climate",
    "explained_against_stock",
    "intervals",
    "responses",
]

_DARK = "#333333"
_MARKERS = "osD^vP"
_FALLBACK = "#000000"


class Curve(NamedTuple):
    """A response: change of the process, 1, the total, and half the width of its band."""

    change: ArrayLike
    total: ArrayLike
    half: ArrayLike


class Estimate(NamedTuple):
    """A number and half the width of its interval, NaN where there is none."""

    value: float
    half: float = float("nan")


def responses(ax: Axes, curves: Mapping[str, Curve], labels: Mapping[str, str], name: str) -> Axes:
    """Draw the total of a map against the proportional change of each process.

    Parameters
    ----------
    ax : Axes
    curves : mapping of str to Curve
        By key of `plots.processes.PROCESS_COLOURS`; changes increase or decrease.
    labels : mapping of str to str
        What a legend calls them.
    name : str
        Label of the vertical axis, with its unit.

    Returns
    -------
    Axes

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> ax = plt.figure().add_subplot()
    >>> ax = responses(ax, {"A": Curve([-0.1, 0.1], [1, 2], [0, 0])}, {"A": "CUE"}, "total (Pg C)")
    >>> ax.get_xlabel()
    'Change of the process (%)'
    >>> plt.close("all")
    """
    ax.axvline(0, color=_DARK, lw=0.8, ls="--")
    for process, curve in curves.items():
        change, total, half = (np.asarray(each, dtype=float) for each in curve)
        look = {"color": PROCESS_COLOURS.get(process, _FALLBACK)}
        if np.isfinite(half).any():
            band = (total - half, total + half)
            ax.fill_between(100 * change, *band, alpha=0.18, lw=0, **look)
        ax.plot(100 * change, total, marker="o", ms=2.5, lw=1.6, label=labels[process], **look)
    ax.set_xlabel("Change of the process (%)")
    ax.set_ylabel(name)
    return ax


def intervals(
    ax: Axes,
    rows: Sequence[str],
    series: Mapping[str, Sequence[Estimate]],
    name: str,
    *,
    colours: Sequence[str] | None = None,
) -> Axes:
    """Draw numbers with their intervals, a row each, the first on top, one mark per series.

    Parameters
    ----------
    ax : Axes
    rows : sequence of str
        Names of the rows.
    series : mapping of str to sequence of Estimate
        One number per row each; NaN has no mark. At most six; the first is filled.
    name : str
        Label of the axis, with its unit.
    colours : sequence of str, optional
        One per row.

    Raises
    ------
    ValueError
        If a series does not have one number per row.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> ax = plt.figure().add_subplot()
    >>> ax = intervals(ax, ["CUE"], {"ours": [Estimate(2.0, 0.1)]}, "slope (1)")
    >>> [label.get_text() for label in ax.get_yticklabels()]
    ['CUE']
    >>> plt.close("all")
    """
    ax.axvline(0, color=_DARK, lw=0.8)
    colours = colours or [_DARK] * len(rows)
    shift = np.linspace(-0.22, 0.22, len(series)) if len(series) > 1 else np.zeros(1)
    for number, (label, each) in enumerate(series.items()):
        if len(each) != len(rows):
            raise ValueError(f"series {label!r} has {len(each)} numbers for {len(rows)} rows")
        marker = _MARKERS[number]
        for row, (estimate, colour) in enumerate(zip(each, colours, strict=True)):
            half = np.nan_to_num(estimate.half)
            style = {"mfc": colour if number == 0 else "white", "mec": _DARK, "ecolor": _DARK}
            place = row + shift[number]
            ax.errorbar(estimate.value, place, xerr=half, fmt=marker, ms=5.5, lw=1.1, **style)
        fill = _DARK if number == 0 else "white"
        ax.plot([], [], marker, color=_DARK, mfc=fill, ms=5.5, label=label)
    ax.set_yticks(range(len(rows)), rows)
    ax.set_ylim(len(rows) - 0.45, -0.55)
    ax.set_xlabel(name)
    ax.grid(False, axis="y")
    return ax


def explained_against_stock(
    ax: Axes,
    runs: Mapping[str, tuple[Estimate, Estimate]],
    full: tuple[Estimate, Estimate],
    labels: Mapping[str, str],
    names: tuple[str, str],
) -> Axes:
    """Draw explained variation against the total of the map, a mark per ignored process.

    Parameters
    ----------
    ax : Axes
    runs : mapping of str to (Estimate, Estimate)
        Total and explained variation when something is ignored.
    full : (Estimate, Estimate)
        When nothing is: lines, with bands of its intervals.
    labels : mapping of str to str
        What a legend calls the runs.
    names : (str, str)
        Labels of the axes, with units.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> ax, one = plt.figure().add_subplot(), (Estimate(90.0), Estimate(40.0))
    >>> full = (Estimate(100.0, 5.0), Estimate(50.0, 2.0))
    >>> ax = explained_against_stock(ax, {"A": one}, full, {"A": "CUE"}, ("stock (Pg C)", "(%)"))
    >>> len(ax.get_legend_handles_labels()[1])
    2
    >>> plt.close("all")
    """
    for estimate, line, band in zip(
        full, (ax.axvline, ax.axhline), (ax.axvspan, ax.axhspan), strict=True
    ):
        line(estimate.value, color=GREY, lw=1.0)
        if np.isfinite(estimate.half):
            low, high = estimate.value - estimate.half, estimate.value + estimate.half
            band(low, high, color=GREY, alpha=0.25, lw=0)
    ax.plot(full[0].value, full[1].value, "*", color=_DARK, ms=11, label="nothing ignored")
    for number, (run, (total, skill)) in enumerate(runs.items()):
        look = {"color": PROCESS_COLOURS.get(run, _FALLBACK), "mec": _DARK, "mew": 0.6}
        half = {"xerr": np.nan_to_num(total.half), "yerr": np.nan_to_num(skill.half)}
        marker = _MARKERS[number % len(_MARKERS)]
        ax.errorbar(
            total.value, skill.value, fmt=marker, ms=7, lw=1.1, label=labels[run], **look, **half
        )
    ax.set_xlabel(names[0])
    ax.set_ylabel(names[1])
    return ax


def along_climate(
    ax: Axes,
    climate: ArrayLike,
    values: Mapping[str, ArrayLike],
    labels: Mapping[str, str],
    names: tuple[str, str],
    *,
    bins: int = 12,
) -> Axes:
    """Draw medians and the middle 80 % of cells in classes of climate with equally many cells.

    Parameters
    ----------
    ax : Axes
    climate : array_like, shape (cell,)
        NaN is left out.
    values : mapping of str to array_like, shape (cell,)
        By key of `plots.processes.PROCESS_COLOURS`.
    labels : mapping of str to str
    names : (str, str)
        Labels of the axes, with units.
    bins : int
        Classes.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> ax, warm = plt.figure().add_subplot(), np.arange(60.0)
    >>> ax = along_climate(ax, warm, {"A": 2 * warm}, {"A": "CUE"}, ("T (°C)", "(1)"), bins=3)
    >>> ax.lines[0].get_xdata().tolist()
    [9.5, 29.5, 49.5]
    >>> plt.close("all")
    """
    climate = np.asarray(climate, dtype=float)
    order = np.argsort(climate, kind="stable")
    classes = np.array_split(order[np.isfinite(climate[order])], bins)
    middle = [np.median(climate[rows]) for rows in classes]
    for process, value in values.items():
        each = np.array([np.quantile(np.asarray(value)[rows], (0.1, 0.5, 0.9)) for rows in classes])
        look = {"color": PROCESS_COLOURS.get(process, _FALLBACK)}
        ax.fill_between(middle, each[:, 0], each[:, 2], alpha=0.2, lw=0, **look)
        ax.plot(middle, each[:, 1], lw=1.6, label=labels[process], **look)
    ax.set_xlabel(names[0])
    ax.set_ylabel(names[1])
    return ax
