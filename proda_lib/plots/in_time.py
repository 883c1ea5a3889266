"""Carbon in time: ways to a steady state, answers to changes, errors of steps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import ArrayLike

from proda_lib.plots.colours import OKABE_ITO
from proda_lib.plots.processes import PROCESS_COLOURS
from proda_lib.plots.turnover import PLACE_COLOURS

__all__ = ["answers", "approach", "error_of_steps", "litter_by_scheme"]

_SCHEMES = {"explicit": ("vermillion", "-"), "implicit": ("blue", "-"), "exact": ("black", ":")}


def litter_by_scheme(
    ax: Axes, years: ArrayLike, courses: Mapping[str, ArrayLike], reach: float
) -> Axes:
    """Draw the metabolic litter of one column as schemes follow it.

    Parameters
    ----------
    ax : Axes
    years : array_like, shape (month,)
    courses : mapping of {"explicit", "implicit", "exact"} to array_like, shape (month,)
        gC m-2.
    reach : float
        Both ends of the axis as a multiple of the largest exact value: what lies outside is cut
        off.
    """
    for name, course in courses.items():
        colour, line = _SCHEMES[name]
        width = 0.9 if name == "explicit" else 1.6  # it crosses the others again and again
        ax.plot(years, course, line, color=OKABE_ITO[colour], lw=width, label=name)
    most = reach * float(np.max(np.asarray(courses["exact"])))
    ax.axhline(0, color="#333333", lw=0.8)
    ax.set_ylim(-most, most)
    ax.set_xlabel("Time (yr)")
    ax.set_ylabel("Metabolic litter (gC m$^{-2}$)")
    ax.legend(loc="lower left")
    return ax


def error_of_steps(ax: Axes, steps: ArrayLike, errors: Mapping[str, ArrayLike]) -> Axes:
    """Draw errors against steps per month, with a line of first order.

    Parameters
    ----------
    ax : Axes
    steps : array_like, shape (step,)
        Per month.
    errors : mapping of place to array_like, shape (step,)
        Places are keys of `PLACE_COLOURS`; relative, 1.
    """
    steps = np.asarray(steps, dtype=float)
    for place, error in errors.items():
        ax.loglog(steps, error, "o-", color=PLACE_COLOURS[place], ms=4, lw=1.3, label=place)
    top = max(float(np.max(np.asarray(error))) for error in errors.values())
    ax.loglog(steps, 1.6 * top * steps[0] / steps, ":", color="#333333", label="first order")
    ax.set_xticks(steps, [f"{step:g}" for step in steps])
    ax.minorticks_off()
    ax.set_xlabel("Steps per month (1)")
    ax.set_ylabel("Error of soil carbon (1)")
    ax.legend(fontsize="small")
    return ax


def approach(
    ax: Axes,
    time: ArrayLike,
    formula: Mapping[str, ArrayLike],
    stepped: Mapping[str, tuple[ArrayLike, ArrayLike, str]],
) -> Axes:
    """Draw how soil that begins bare comes to its steady state.

    Parameters
    ----------
    ax : Axes
    time : array_like, shape (time,)
        yr.
    formula : mapping of place to array_like, shape (time,)
        Share of the steady state, 1; places are keys of `PLACE_COLOURS`.
    stepped : mapping of label to (years, share, marker)
        What was followed step by step; the label's first word is the place.
    """
    for place, share in formula.items():
        ax.plot(time, share, color=PLACE_COLOURS[place], lw=1.5, label=f"{place}, formula")
    for label, (years, share, marker) in stepped.items():
        colour = PLACE_COLOURS[label.split()[0].strip(",")]
        ax.plot(years, share, marker, color=colour, mfc="white", ms=4.5, label=label)
    for level in (0.9, 0.99):
        ax.axhline(level, color="#999999", lw=0.7, ls=":")
    ax.set_xscale("log")
    ax.set_xlabel("Time since bare soil (yr)")
    ax.set_ylabel("Share of the steady state (1)")
    ax.set_ylim(0, 1.03)
    ax.legend(fontsize="small", loc="upper left")
    return ax


def answers(
    axes: Sequence[Axes],
    years: ArrayLike,
    changes: Mapping[str, ArrayLike],
    time: ArrayLike,
    shares: Mapping[str, ArrayLike],
    names: Mapping[str, str],
) -> Sequence[Axes]:
    """Draw what a change does to the carbon of an area, and how much of it is reached when.

    Parameters
    ----------
    axes : two Axes
    years : array_like, shape (month,)
        Of the followed course.
    changes : mapping of key to array_like, shape (month,)
        Change of the stock, percent; keys of `PROCESS_COLOURS`.
    time : array_like, shape (time,)
        yr, positive.
    shares : mapping of key to array_like, shape (time,)
        Share of the eventual change, 1.
    names : mapping of key to str
        For the legend.
    """
    for key, change in changes.items():
        axes[0].plot(years, change, color=PROCESS_COLOURS[key], lw=1.7, label=names[key])
        axes[1].plot(time, shares[key], color=PROCESS_COLOURS[key], lw=1.7)
        reached = np.interp(np.log(np.max(np.asarray(years))), np.log(time), shares[key])
        axes[1].plot(np.max(np.asarray(years)), reached, "o", color=PROCESS_COLOURS[key], ms=5)
    axes[0].axhline(0, color="#333333", lw=0.8)
    axes[0].set_xlabel("Time since the change (yr)")
    axes[0].set_ylabel("Change of soil carbon (%)")
    axes[0].legend(fontsize="small", loc="upper left")
    axes[1].set_xscale("log")
    axes[1].set_xlabel("Time since the change (yr)")
    axes[1].set_ylabel("Share of the eventual change (1)")
    axes[1].set_ylim(0, 1.03)
    return axes
