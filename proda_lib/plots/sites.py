"""What there is at the sites: covariates, numbers of observations, what was left out."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator
from numpy.typing import ArrayLike

from proda_lib.plots.colours import OKABE_ITO, plain_log
from proda_lib.units import unit_text

__all__ = [
    "bars",
    "covariate_distributions",
    "histogram",
    "observations_per_site",
]


def histogram(
    ax: Axes,
    values: ArrayLike,
    label: str,
    *,
    log: bool = False,
    counted: str = "sites",
    bins: int = 30,
) -> Axes:
    """Draw how values are distributed.

    Parameters
    ----------
    ax : Axes
    values : array_like
        NaN is left out; so is what is not positive where `log`.
    label : str
        What the values are, with unit: the label of the axis.
    log : bool
        Whether the axis is logarithmic.
    counted : str
        What is counted.
    bins : int

    Returns
    -------
    Axes
    """
    values = np.asarray(values, float).ravel()
    values = values[np.isfinite(values) & ((values > 0) | (not log))]
    edges: Any = bins
    if log and values.size:
        low, high = values.min(), values.max()
        # One value only would give bins of no width.
        edges = np.geomspace(low, high if high > low else low * 1.1, bins + 1)
    ax.hist(values, bins=edges, color=OKABE_ITO["blue"])
    if log:
        ax.set_xscale("log")
        plain_log(ax.xaxis)
    ax.set_xlabel(label)
    ax.set_ylabel(f"Number of {counted}")
    ax.grid(False, axis="x")
    return ax


def covariate_distributions(
    axes: Sequence[Axes],
    covariates: ArrayLike,
    names: Sequence[str],
    units: Sequence[str],
) -> Sequence[Axes]:
    """Draw one histogram per covariate.

    Parameters
    ----------
    axes : sequence of Axes
        One per covariate (flatten an array of axes first).
    covariates : array_like, shape (site, covariate)
        Each column in its own unit; NaN is left out.
    names, units : sequence of str
        One per covariate; unit "1" or "" stands for a number without unit.

    Returns
    -------
    sequence of Axes

    Raises
    ------
    ValueError
        If axes, columns, names and units are not equally many.
    """
    columns = np.asarray(covariates, float).T
    given = (len(axes), len(columns), len(names), len(units))
    if len(set(given)) != 1:
        raise ValueError(
            "{} axes, {} covariates, {} names and {} units given: ".format(*given)
            + "pass equally many of each"
        )
    for ax, values, name, unit in zip(axes, columns, names, units, strict=True):
        histogram(ax, values, _wrapped(name, unit))
        ax.xaxis.label.set_fontsize("small")
        ax.set_ylabel("")
        ax.set_yticks([])
        ax.xaxis.set_major_locator(MaxNLocator(4))
    return axes


def _wrapped(name: str, unit: str) -> str:
    """Name and unit in short lines, for a narrow axis."""
    lines = textwrap.wrap(name.replace("_", " "), 16)
    return "\n".join([*lines, *([] if unit in ("1", "") else [f"({unit_text(unit)})"])])


def observations_per_site(ax: Axes, counts: ArrayLike) -> Axes:
    """Draw how many observations the sites have.

    Parameters
    ----------
    ax : Axes
    counts : array_like of int, shape (site,)

    Returns
    -------
    Axes
    """
    number, sites = np.unique(np.asarray(counts, int), return_counts=True)
    ax.bar(number, sites, width=0.8, color=OKABE_ITO["blue"])
    ax.set_xlabel("Observations per site")
    ax.set_ylabel("Number of sites")
    ax.grid(False, axis="x")
    ax.xaxis.get_major_locator().set_params(integer=True)
    return ax


def bars(ax: Axes, names: Sequence[str], values: ArrayLike, label: str) -> Axes:
    """Draw one horizontal bar per name, its value beside it, the first on top.

    Parameters
    ----------
    ax : Axes
    names : sequence of str
        For example reasons of exclusion.
    values : array_like, shape (name,)
    label : str
        What the values are, with unit.

    Returns
    -------
    Axes
    """
    values = np.asarray(values, float)
    drawn = ax.barh(range(len(names)), values, color=OKABE_ITO["blue"], height=0.7)
    ax.bar_label(drawn, [f"{value:,.3g}" for value in values], padding=3, fontsize="small")
    ax.set_yticks(range(len(names)), names)
    ax.invert_yaxis()
    ax.margins(x=0.15)
    ax.set_xlabel(label)
    ax.grid(False, axis="y")
    return ax
