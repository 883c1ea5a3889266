"""Truth against estimate, where the truth is known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import ArrayLike

from proda_lib.plots.colours import GREY, OKABE_ITO, plain_log, qualitative

__all__ = ["calibration", "coverage", "information", "truth_against_estimate"]

_MARKERS = "osD^vP"


def truth_against_estimate(
    ax: Axes,
    truth: ArrayLike,
    estimate: ArrayLike,
    lower: ArrayLike,
    upper: ArrayLike,
    name: str,
    *,
    limits: tuple[float, float] = (0.0, 1.0),
    bars: int = 40,
    log: bool = False,
) -> Axes:
    """Draw estimates against the truth of many sites, with the 1:1 line.

    Parameters
    ----------
    ax : Axes
    truth, estimate : array_like, shape (site,)
    lower, upper : array_like, shape (site,)
        Ends of an interval; drawn at `bars` evenly spaced sites, so that single ones can be seen.
    name : str
        Written into the panel.
    limits : (float, float)
        Of both axes; what lies beyond is drawn on the edge.
    bars : int
    log : bool
        Whether the axes are logarithmic.

    Returns
    -------
    Axes

    Raises
    ------
    ValueError
        If the arrays do not have one value per site.
    """
    shapes = [np.shape(values) for values in (truth, estimate, lower, upper)]
    if len(set(shapes)) > 1 or len(shapes[0]) != 1:
        raise ValueError(f"arrays have shapes {shapes}: pass one value per site each, (site,)")
    truth, estimate, lower, upper = (
        np.clip(np.asarray(values, float), *limits) for values in (truth, estimate, lower, upper)
    )
    some = np.unique(np.linspace(0, len(truth) - 1, min(bars, len(truth))).round().astype(int))
    ax.vlines(truth[some], lower[some], upper[some], color=GREY, lw=0.7, alpha=0.8)
    ax.plot(truth, estimate, "o", color=OKABE_ITO["blue"], ms=2, alpha=0.5, mew=0)
    ax.plot(limits, limits, color="#333333", lw=0.9)
    if log:
        ax.set(xscale="log", yscale="log")
        for axis in (ax.xaxis, ax.yaxis):
            plain_log(axis, _steps(limits))
    ax.set(xlim=limits, ylim=limits, aspect="equal")
    ax.text(0.5, 1.02, name, transform=ax.transAxes, ha="center", va="bottom", fontsize="small")
    return ax


def _steps(limits: tuple[float, float]) -> tuple[float, ...]:
    """Multiples of powers of ten that get a label: the more, the fewer powers there are."""
    ratio = limits[1] / limits[0]
    if ratio > 50:
        return (1.0,)
    return (1.0, 2.0, 5.0) if ratio > 5 else (1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 7.0)


def coverage(
    ax: Axes,
    names: Sequence[str],
    shares: Mapping[str, ArrayLike],
    level: float,
    expected: tuple[float, float],
    *,
    legend: bool = True,
) -> Axes:
    """Draw the share of sites whose interval holds the truth, one row per name, the first on top.

    Parameters
    ----------
    ax : Axes
    names : sequence of str
    shares : mapping of str to array_like, shape (name,)
        Method to coverage, 0 to 1; at most six methods, the last one filled and on top.
    level : float
        Nominal coverage, 0 to 1, a line.
    expected : (float, float)
        Range that honest intervals stay in, 0 to 1, a band.
    legend : bool

    Returns
    -------
    Axes

    Raises
    ------
    ValueError
        If a method does not have one share per name.
    """
    row = np.arange(len(names))
    ax.axvspan(100 * expected[0], 100 * expected[1], color=GREY, alpha=0.3, lw=0)
    ax.axvline(100 * level, color="#333333", lw=0.9)
    colours, last = qualitative(len(shares)), list(shares)[-1]
    for marker, colour, (method, values) in zip(_MARKERS, colours, shares.items(), strict=False):
        values = np.asarray(values, float)
        if values.shape != row.shape:
            raise ValueError(
                f"coverage of {method!r} has shape {values.shape}: pass one share per name, "
                f"{len(names)}"
            )
        filled = {} if method == last else {"mfc": "none", "mew": 1.3, "ms": 7}
        ax.plot(100 * values, row, marker, color=colour, label=method, clip_on=False, **filled)
    ax.set_yticks(row, names)
    ax.set_ylim(len(names) - 0.4, -0.6)
    ax.locator_params(axis="x", integer=True, nbins=6)
    ax.set_xlabel(f"In {100 * level:g} % interval (%)")
    ax.grid(False, axis="y")
    if legend:
        ax.legend(ncols=3, loc="lower center", bbox_to_anchor=(0.5, 1.0))
    return ax


def information(
    ax: Axes,
    removed: ArrayLike,
    correlation: ArrayLike,
    names: Sequence[str],
    *,
    named: int = 8,
) -> Axes:
    """Draw the correlation of estimate and truth against what the data say, a dot per quantity.

    The line is the square root: what correlation must be if the truth is drawn from the prior.

    Parameters
    ----------
    ax : Axes
    removed, correlation : array_like, shape (name,)
        Share of the prior variance that the data removed, and correlation with the truth; 1.
    names : sequence of str
    named : int
        How many dots get their name, those with most information.

    Returns
    -------
    Axes

    Raises
    ------
    ValueError
        If there is not one value per name.
    """
    x, y = 100 * np.asarray(removed, float), np.asarray(correlation, float)
    if not x.shape == y.shape == (len(names),):
        raise ValueError(
            f"arrays have shapes {x.shape} and {y.shape}: pass one value per name, {len(names)}"
        )
    share = np.linspace(0, 1, 101)
    ax.plot(100 * share, np.sqrt(share), color="#333333", lw=0.9)
    ax.plot(x, y, "o", color=OKABE_ITO["blue"], ms=5, mew=0, alpha=0.8)
    for number in np.argsort(-x)[:named]:
        ax.annotate(
            names[number], (x[number], y[number]), xytext=(5, 0), textcoords="offset points",
            fontsize="small", va="center",
        )  # fmt: skip
    ax.axhline(0, color="#333333", lw=0.8)
    ax.set_xlabel("Prior variance removed (%)")
    ax.set_ylabel("Correlation with the truth (1)")
    return ax


def calibration(ax: Axes, ranks: Mapping[str, ArrayLike], label: str | None = None) -> Axes:
    """Draw the coverage of intervals of every level; honest ones follow the diagonal.

    Parameters
    ----------
    ax : Axes
    ranks : mapping of str to array_like
        Experiment to places of the truth among its draws, 0 to 1 (`proda_lib.recovery.rank`).
    label : str, optional
        Written into the panel.

    Returns
    -------
    Axes
    """
    level = np.linspace(0, 1, 201)
    styles = ("-", "--", "-.", ":", "-", "--")
    for colour, style, (name, places) in zip(
        qualitative(len(ranks)), styles, ranks.items(), strict=False
    ):
        width = np.abs(2 * np.asarray(places, float).ravel() - 1)
        share = (width[:, None] <= level).mean(axis=0)
        ax.plot(100 * level, 100 * share, color=colour, ls=style, label=name)
    ax.plot([0, 100], [0, 100], color="#333333", lw=0.9)
    ax.set(xlim=(0, 100), ylim=(0, 100), aspect="equal")
    ax.set_xlabel("Level of the interval (%)")
    ax.set_ylabel("Coverage (%)")
    if label:
        ax.text(0.5, 1.02, label, transform=ax.transAxes, ha="center", va="bottom")
    return ax
