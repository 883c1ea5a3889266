"""Colours: a small set that colour-blind readers tell apart, and how values become colours.

Sequential maps are perceptually uniform (viridis, cividis); signed values use a diverging map whose
middle is exactly zero.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from matplotlib import ticker
from matplotlib.axis import Axis
from matplotlib.colors import LogNorm, Normalize, SymLogNorm, TwoSlopeNorm
from numpy.typing import ArrayLike

__all__ = [
    "DIVERGING",
    "GREY",
    "OKABE_ITO",
    "SEQUENTIAL",
    "Scale",
    "colour_scale",
    "extend_of",
    "plain_log",
    "qualitative",
    "signed_ticks",
]

Scale = Literal["linear", "log", "diverging", "signed_log"]

#: Okabe and Ito (2008), Color universal design: eight colours safe for colour-blind readers.
OKABE_ITO: dict[str, str] = {
    "blue": "#0072B2",
    "orange": "#E69F00",
    "green": "#009E73",
    "purple": "#CC79A7",
    "sky": "#56B4E9",
    "vermillion": "#D55E00",
    "black": "#000000",
    "yellow": "#F0E442",
}
GREY = "#999999"
SEQUENTIAL = "viridis"
DIVERGING = "PuOr_r"
_SIGNS = ((1.0, ""), (-1.0, "-"))


def qualitative(count: int) -> tuple[str, ...]:
    """Return `count` colours for classes.

    Raises
    ------
    ValueError
        For more than eight classes: no set of more is told apart.

    Examples
    --------
    >>> qualitative(2)
    ('#0072B2', '#E69F00')
    """
    if not 1 <= count <= len(OKABE_ITO):
        raise ValueError(
            f"{count} classes given, 1 to {len(OKABE_ITO)} can be told apart: join some classes"
        )
    # Grey instead of black: filled areas in black would drown the lines drawn over them.
    return tuple(GREY if name == "black" else code for name, code in OKABE_ITO.items())[:count]


def colour_scale(
    values: ArrayLike,
    scale: Scale = "linear",
    limits: tuple[float, float] | None = None,
    spread: float = 2.0,
) -> tuple[Normalize, str]:
    """Choose how values become colours.

    Parameters
    ----------
    values : array_like
        Any unit; NaN is left out.
    scale : {"linear", "log", "diverging", "signed_log"}
        The last two are for signed values and symmetric about zero.
    limits : (float, float), optional
        Ends of the colour bar, unit of the values. By default the `spread` and
        `100 - spread` percentiles, so that a few extremes do not hide the rest.
    spread : float
        Percentile, %.

    Returns
    -------
    norm : Normalize
    cmap : str

    Raises
    ------
    ValueError
        If nothing can be drawn: no finite value (positive, for "log"), or an unknown scale.

    Examples
    --------
    >>> norm, cmap = colour_scale([-1.0, 0.0, 4.0], "diverging", limits=(-4, 4))
    >>> float(norm(0.0)), cmap
    (0.5, 'PuOr_r')
    """
    if scale not in ("linear", "log", "diverging", "signed_log"):
        raise ValueError(
            f"colour scale {scale!r}, allowed are linear, log, diverging, signed_log: choose one"
        )
    finite = _drawable(values, scale)
    if scale in ("diverging", "signed_log"):
        end = float(np.percentile(np.abs(finite), 100 - spread)) or 1.0
        low, high = limits or (-end, end)
        if scale == "diverging":
            return TwoSlopeNorm(0.0, low, high), DIVERGING
        return _signed_log(finite, low, high), DIVERGING
    low, high = limits or tuple(np.percentile(finite, [spread, 100 - spread]))
    if high <= low:  # one value everywhere still needs a colour
        low, high = (low / 1.1, high * 1.1) if scale == "log" else (low - 0.5, high + 0.5)
    norm = LogNorm(low, high) if scale == "log" else Normalize(low, high)
    return norm, SEQUENTIAL


def _drawable(values: ArrayLike, scale: Scale) -> np.ndarray:
    finite = np.asarray(values, dtype=float)
    finite = finite[np.isfinite(finite)]
    if scale == "log":
        finite = finite[finite > 0]
    if finite.size == 0:
        kind = "positive" if scale == "log" else "finite"
        raise ValueError(f"no {kind} value to draw: check what was passed in")
    return finite


def _signed_log(finite: np.ndarray, low: float, high: float) -> SymLogNorm:
    """Logarithm of the size with the sign kept; linear only below the smallest entry."""
    size = np.abs(finite[finite != 0])
    largest = max(abs(low), abs(high))
    smallest = float(size.min()) if size.size else largest
    return SymLogNorm(max(smallest, largest * 1e-6), linscale=1.0, vmin=low, vmax=high)


def extend_of(values: ArrayLike, norm: Normalize) -> str:
    """Say on which ends values leave the colour bar: "neither", "min", "max" or "both".

    Examples
    --------
    >>> extend_of([0.0, 5.0], Normalize(1.0, 9.0))
    'min'
    """
    finite = np.asarray(values, dtype=float)
    finite = finite[np.isfinite(finite)]
    below, above = (finite < norm.vmin).any(), (finite > norm.vmax).any()
    return {(0, 0): "neither", (1, 0): "min", (0, 1): "max", (1, 1): "both"}[int(below), int(above)]


def plain_log(axis: Axis, steps: Sequence[float] = (1.0,)) -> None:
    """Write the ticks of a logarithmic axis as plain numbers (0.1, 1, 10), not as powers.

    Parameters
    ----------
    axis : Axis
        `ax.xaxis`, `ax.yaxis` or the long axis of a colour bar.
    steps : sequence of float
        Multiples of each power of ten that get a label, for example (1, 2, 5).
    """
    axis.set_major_locator(ticker.LogLocator(10, subs=steps, numticks=12))
    axis.set_major_formatter(ticker.FuncFormatter(lambda value, _: f"{value:g}"))
    axis.set_minor_formatter(ticker.NullFormatter())


def signed_ticks(axis: Axis, norm: SymLogNorm, most: int = 2) -> None:
    """Label the long axis of a signed logarithmic colour bar with powers of ten and zero.

    Parameters
    ----------
    axis : Axis
    norm : SymLogNorm
    most : int
        Labels on each side of zero.
    """
    low = int(np.ceil(np.log10(norm.linthresh) - 1e-9))
    high = int(np.floor(np.log10(norm.vmax) + 1e-9))
    step = max(1, -(-(high - low + 1) // most))
    powers = range(high, low - 1, -step)
    ticks = {sign * 10.0**k: f"${mark}10^{{{k}}}$" for k in powers for sign, mark in _SIGNS}
    ticks = dict(sorted({**ticks, 0.0: "0"}.items()))
    axis.set_ticks(list(ticks), labels=list(ticks.values()))
    axis.set_minor_locator(ticker.NullLocator())
