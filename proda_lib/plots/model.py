"""The matrix model as pictures: its matrices, the carbon budget of its pools, what bedrock does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import ArrayLike

from proda_lib.plots.colours import DIVERGING, GREY, OKABE_ITO, colour_scale, signed_ticks
from proda_lib.plots.profiles import POOL_LABELS

__all__ = ["bar_of_bedrock", "mass_balance", "matrix_picture"]


def matrix_picture(
    ax: Axes,
    matrix: ArrayLike,
    *,
    label: str,
    pools: Sequence[str] = tuple(POOL_LABELS.values()),
    smallest: float | None = None,
) -> Axes:
    """Draw a matrix of the model: sign as colour, size on a logarithmic scale, zero white.

    Parameters
    ----------
    ax : Axes
    matrix : array_like, shape (pools x layers, pools x layers)
        Pool by pool, each from the surface down; column gives, row receives.
    label : str
        What the entries are, with unit: beside the colour bar.
    pools : sequence of str
        Names of the blocks; lines are drawn between them.
    smallest : float, optional
        Sizes below are drawn alike, unit of the entries; by default the smallest entry, but not
        less than a millionth of the largest.

    Returns
    -------
    Axes

    Raises
    ------
    ValueError
        If the matrix is not square, or does not divide into one block per pool.
    """
    matrix = np.asarray(matrix, float)
    size, blocks = matrix.shape[0], len(pools)
    if matrix.shape != (size, size) or size % blocks:
        raise ValueError(
            f"matrix of shape {matrix.shape} and {blocks} pools given: pass a square matrix "
            "with the same number of layers in each pool"
        )
    largest = float(np.abs(matrix).max()) or 1.0
    shown = matrix if smallest is None else np.where(np.abs(matrix) < smallest, 0.0, matrix)
    norm, _ = colour_scale(shown, "signed_log", limits=(-largest, largest))
    # Zeros are left out, so that the faint colours of small entries differ from the white ground.
    drawn = np.ma.masked_equal(shown, 0.0)
    image = ax.imshow(drawn, cmap=DIVERGING, norm=norm, interpolation="nearest")
    bar = ax.figure.colorbar(image, ax=ax, label=label, location="bottom", pad=0.03, aspect=30)
    signed_ticks(bar.ax.xaxis, norm)
    layers = size // blocks
    for edge in range(layers, size, layers):
        ax.axhline(edge - 0.5, color=GREY, lw=0.5)
        ax.axvline(edge - 0.5, color=GREY, lw=0.5)
    middle = np.arange(blocks) * layers + (layers - 1) / 2
    ax.set_xticks(middle, pools, rotation=40, ha="right", rotation_mode="anchor")
    ax.set_yticks(middle, pools)
    ax.tick_params(length=0)
    ax.set_xlabel(f"From pool ({layers} layers each)")
    ax.set_ylabel(f"To pool ({layers} layers each)")
    ax.grid(False)
    ax.spines[:].set_visible(True)
    return ax


def mass_balance(
    ax: Axes,
    fluxes: Mapping[str, ArrayLike],
    *,
    pools: Sequence[str] = tuple(POOL_LABELS.values()),
    label: str = "Carbon flux (gC m$^{-2}$ yr$^{-1}$)",
) -> Axes:
    """Draw what enters each pool to the right and what leaves it to the left; a dot is the sum.

    Parameters
    ----------
    ax : Axes
    fluxes : mapping of str to array_like, shape (pool,)
        Name of a flux and its size per pool, whole column, unit of the label; gains positive,
        losses negative. At steady state the dots lie on zero.
    pools : sequence of str
    label : str

    Returns
    -------
    Axes

    Raises
    ------
    ValueError
        If a flux does not have one value per pool.
    """
    row = np.arange(len(pools))
    gained, lost = np.zeros(len(pools)), np.zeros(len(pools))
    for (name, values), colour in zip(fluxes.items(), OKABE_ITO.values(), strict=False):
        values = np.asarray(values, float)
        if values.shape != row.shape:
            raise ValueError(
                f"flux {name!r} has shape {values.shape}, expected {row.shape}: one value per pool"
            )
        start = np.where(values >= 0, gained, lost)
        ax.barh(row, values, left=start, color=colour, height=0.7, label=name)
        gained, lost = gained + np.maximum(values, 0), lost + np.minimum(values, 0)
    ax.axvline(0, color="#333333", lw=0.8)
    ax.plot(gained + lost, row, "o", color="white", mec="black", ms=5, label="sum")
    ax.set_yticks(row, pools)
    ax.invert_yaxis()
    ax.set_xlabel(label)
    ax.grid(False, axis="y")
    ax.legend(ncols=3, loc="lower center", bbox_to_anchor=(0.5, 1.0))
    return ax


def bar_of_bedrock(
    ax: Axes,
    names: Sequence[str],
    closed: ArrayLike,
    published: ArrayLike,
    *,
    label: str = "SOC stock (kgC m$^{-2}$)",
) -> Axes:
    """Draw the closed and the published bedrock side by side.

    Parameters
    ----------
    ax : Axes
    names : sequence of str
        What each pair stands for, for example depth intervals.
    closed, published : array_like, shape (name,)
        Unit of the label.
    label : str

    Returns
    -------
    Axes
    """
    row, height = np.arange(len(names)), 0.38
    pairs = (("closed", closed, "blue", -1), ("published", published, "orange", 1))
    for name, values, colour, side in pairs:
        drawn = ax.barh(
            row + side * height / 2, np.asarray(values, float), height,
            color=OKABE_ITO[colour], label=f"{name} bedrock",
        )  # fmt: skip
        ax.bar_label(drawn, fmt="{:.3g}", padding=3, fontsize="small")
    ax.set_yticks(row, names)
    ax.invert_yaxis()
    ax.margins(x=0.12)
    ax.set_xlabel(label)
    ax.grid(False, axis="y")
    ax.legend(ncols=2, loc="lower center", bbox_to_anchor=(0.5, 1.0))
    return ax
