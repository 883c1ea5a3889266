"""The five processes in figures: their colours, the same everywhere, and their distributions."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import ArrayLike

from proda_lib.plots.colours import GREY, OKABE_ITO

__all__ = ["PROCESS_COLOURS", "by_group", "index_by_beta"]

#: By key of `process_change.CHANGES`, those of the original's figures.
PROCESS_COLOURS: dict[str, str] = {
    "A": OKABE_ITO["orange"],
    "K": OKABE_ITO["yellow"],
    "xi": OKABE_ITO["sky"],
    "V": OKABE_ITO["blue"],
    "I": OKABE_ITO["vermillion"],
    "input": OKABE_ITO["green"],
    "all": GREY,
}


def index_by_beta(ax: Axes, beta: ArrayLike, index: ArrayLike, nudged: ArrayLike) -> Axes:
    """Draw the published index of input allocation against beta, twice, and the diagonal.

    Parameters
    ----------
    ax : Axes
    beta : array_like, shape (n,)
        Vertical shape of carbon input, per cm.
    index, nudged : array_like, shape (n,)
        The index as computed, and after a change that no measurement could tell, 1.
    """
    ax.plot(beta, beta, color=GREY, lw=1.0, ls="--", label="beta itself")
    ax.plot(beta, index, ".", ms=3, color=OKABE_ITO["blue"], label="as computed")
    ax.plot(beta, nudged, ".", ms=3, color=OKABE_ITO["vermillion"], label="share changed by 10⁻¹⁵")
    ax.set(xlabel="beta (cm⁻¹)", ylabel="published index (1)")
    ax.legend()
    return ax


def by_group(ax: Axes, groups: Mapping[str, ArrayLike], name: str, *, colour: str = GREY) -> Axes:
    """Draw the distribution of a quantity in groups of cells: median, quartiles, middle 90 %.

    Parameters
    ----------
    ax : Axes
    groups : mapping of str to array_like
        Group to the values of its cells.
    name : str
        Label of the axis, with unit.
    colour : str

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> ax = by_group(plt.figure().add_subplot(), {"cold": [1.0, 2.0], "warm": [3.0]}, "CUE (1)")
    >>> [text.get_text() for text in ax.get_xticklabels()]
    ['cold', 'warm']
    >>> plt.close("all")
    """
    ax.boxplot(
        [np.asarray(one, dtype=float) for one in groups.values()],
        whis=(5, 95),
        showfliers=False,
        widths=0.6,
        patch_artist=True,
        boxprops={"facecolor": colour, "alpha": 0.7},
        medianprops={"color": "#333333"},
    )
    labels = [group.replace(" (", "\n(") for group in groups]
    ax.set_xticks(range(1, len(groups) + 1), labels, fontsize="x-small")
    ax.set_ylabel(name)
    return ax
