"""Posterior distributions: traces of chains, marginals, correlations, many sites at once.

Parameters are drawn as positions in their prior range, 0 to 1, where the prior is flat.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import ArrayLike

from proda_lib.plots.colours import DIVERGING, GREY, OKABE_ITO, plain_log, qualitative

__all__ = ["correlations", "cumulative", "depth_band", "marginals", "ranges", "trace"]

_BINS = 20


def trace(ax: Axes, draws: ArrayLike, label: str, *, step: int = 1) -> Axes:
    """Draw one quantity of all chains over the run, one colour per chain.

    Parameters
    ----------
    ax : Axes
    draws : array_like, shape (chain, draw)
        At most eight chains.
    label : str
        What the quantity is, with unit.
    step : int
        Iterations from one draw to the next.

    Returns
    -------
    Axes

    Raises
    ------
    ValueError
        If the draws are not one row per chain.
    """
    draws = np.asarray(draws, float)
    if draws.ndim != 2:
        raise ValueError(f"draws have shape {draws.shape}: pass one quantity, (chain, draw)")
    iteration = step * np.arange(draws.shape[1])
    for chain, colour in zip(draws, qualitative(len(draws)), strict=True):
        ax.plot(iteration, chain, color=colour, lw=0.5, alpha=0.8)
    ax.set_xlim(0, max(iteration[-1], 1))
    ax.set_xlabel("Iterations after warm-up (1)")
    ax.set_ylabel(label)
    ax.grid(False, axis="x")
    return ax


def marginals(
    axes: Sequence[Axes],
    draws: ArrayLike,
    names: Sequence[str],
    *,
    marks: Sequence[ArrayLike] = (),
) -> Sequence[Axes]:
    """Draw the posterior of each parameter against its flat prior, in one panel each.

    Parameters
    ----------
    axes : sequence of Axes
        One per parameter (flatten an array of axes first).
    draws : array_like, shape (draw, parameter)
        Positions in the prior range, 0 to 1.
    names : sequence of str
        What stands above each panel.
    marks : sequence of array_like
        Up to three sets of positions, shape (parameter,), drawn as vertical lines in vermillion,
        green and purple: a known truth, estimates.

    Returns
    -------
    sequence of Axes

    Raises
    ------
    ValueError
        If axes, columns and names are not equally many.
    """
    columns = np.asarray(draws, float).T
    given = (len(axes), len(columns), len(names))
    if len(set(given)) != 1:
        raise ValueError(
            "{} axes, {} parameters and {} names given: pass equally many".format(*given)
        )
    colours = tuple(OKABE_ITO[name] for name in ("vermillion", "green", "purple"))
    for number, (ax, values, name) in enumerate(zip(axes, columns, names, strict=True)):
        ax.axhline(1, color="#333333", lw=0.8)
        ax.hist(values, _BINS, range=(0, 1), density=True, color=OKABE_ITO["sky"])
        for place, colour in zip(marks, colours, strict=False):
            ax.axvline(np.asarray(place)[number], color=colour, lw=1.4)
        _bare(ax, name)
    return axes


def _bare(ax: Axes, name: str) -> None:
    """Range 0 to 1, the name above, no vertical axis."""
    ax.set_xlim(0, 1)
    ax.set_ylim(0, max(1.6, 1.05 * max(patch.get_height() for patch in ax.patches)))
    ax.set_xticks([0, 0.5, 1], ["0", "0.5", "1"])
    ax.set_yticks([])
    ax.grid(False)
    ax.text(0.5, 1.02, name, transform=ax.transAxes, ha="center", va="bottom", fontsize="small")


def correlations(ax: Axes, correlation: ArrayLike, names: Sequence[str]) -> Axes:
    """Draw a correlation matrix: colour and size of a square say how strong, the colour which sign.

    Parameters
    ----------
    ax : Axes
    correlation : array_like, shape (parameter, parameter)
        1; only what lies below the diagonal is drawn.
    names : sequence of str

    Returns
    -------
    Axes

    Raises
    ------
    ValueError
        If the matrix does not have one row and one column per name.
    """
    correlation = np.asarray(correlation, float)
    n = len(names)
    if correlation.shape != (n, n):
        raise ValueError(f"correlation has shape {correlation.shape} for {n} names: pass both ways")
    shown = np.where(np.tri(n, k=-1, dtype=bool), correlation, np.nan)[1:, :-1]
    end = max(0.1, float(np.nanmax(np.abs(shown))))
    image = ax.imshow(shown, cmap=DIVERGING, vmin=-end, vmax=end)
    ax.figure.colorbar(image, ax=ax, label="Correlation (1)", shrink=0.8, pad=0.02)
    for row, column in zip(*np.nonzero(np.abs(shown) > 0.1), strict=True):
        value = shown[row, column]
        dark = abs(value) > 0.6 * end
        text = f"{value:.1f}".replace("-", "\N{MINUS SIGN}").replace("0.", ".")
        ax.text(column, row, text, ha="center", va="center", fontsize="small",
                color="white" if dark else "#222222")  # fmt: skip
    ax.set_xticks(range(n - 1), names[:-1], rotation=90)
    ax.set_yticks(range(n - 1), names[1:])
    ax.grid(False)
    return ax


def depth_band(
    ax: Axes,
    depth: ArrayLike,
    low: ArrayLike,
    high: ArrayLike,
    *,
    label: str,
    colour: str = OKABE_ITO["vermillion"],
    opacity: float = 0.25,
) -> Axes:
    """Draw a band of SOC with depth, to be called before `profile`, which sets the axes.

    Parameters
    ----------
    ax : Axes
    depth : array_like, shape (layer,)
        m.
    low, high : array_like, shape (layer,)
        Ends of the band, gC m-3, drawn in kgC m-3; layers without carbon are left out.
    label, colour : str
    opacity : float
        0 to 1.

    Returns
    -------
    Axes
    """
    depth, low, high = (np.asarray(values, float) for values in (depth, low, high))
    carbon = high > 0
    # The axis is logarithmic: a lower end of exactly 0 would have no place on it.
    left = np.maximum(low[carbon] / 1000, 1e-9)
    ax.fill_betweenx(
        depth[carbon], left, high[carbon] / 1000, color=colour, alpha=opacity, lw=0, label=label
    )
    return ax


def ranges(
    ax: Axes,
    names: Sequence[str],
    values: ArrayLike,
    label: str,
    *,
    reference: float | None = None,
    colour: str = OKABE_ITO["blue"],
) -> Axes:
    """Draw how values of many sites are spread, one row per name, the first on top.

    A dot marks the median, a thick line the middle half of the sites, a thin one 90 % of them.

    Parameters
    ----------
    ax : Axes
    names : sequence of str
    values : array_like, shape (site, name)
        NaN is left out.
    label : str
        What the values are, with unit.
    reference : float, optional
        Where a vertical line is drawn.
    colour : str

    Returns
    -------
    Axes

    Raises
    ------
    ValueError
        If there is not one column per name.
    """
    values = np.asarray(values, float)
    if values.ndim != 2 or values.shape[1] != len(names):
        raise ValueError(
            f"values have shape {values.shape} for {len(names)} names: pass (site, name)"
        )
    low, quarter, median, most, high = np.nanpercentile(values, (5, 25, 50, 75, 95), axis=0)
    row = np.arange(len(names))
    ax.hlines(row, low, high, color=colour, lw=1)
    ax.hlines(row, quarter, most, color=colour, lw=3.5, alpha=0.6)
    ax.plot(median, row, "o", color=colour)
    if reference is not None:
        ax.axvline(reference, color="#333333", lw=0.8, zorder=1)
    ax.set_yticks(range(len(names)), names)
    ax.set_ylim(len(names) - 0.4, -0.6)
    ax.set_xlabel(label)
    ax.grid(False, axis="y")
    return ax


def cumulative(
    ax: Axes,
    values: Mapping[str, ArrayLike],
    label: str,
    *,
    limits: tuple[float, float] | None = None,
    log: bool = False,
    reference: float | None = None,
) -> Axes:
    """Draw which share of the profiles lies at or below each value, one line per set.

    Parameters
    ----------
    ax : Axes
    values : mapping of str to array_like
        Name in the legend to values; NaN is left out. At most eight sets.
    label : str
        What the values are, with unit.
    limits : (float, float), optional
        Ends of the axis; values beyond are counted, not shown.
    log : bool
        Whether the axis is logarithmic.
    reference : float, optional
        Where a vertical line is drawn.

    Returns
    -------
    Axes

    Raises
    ------
    ValueError
        If a set has no finite value.
    """
    styles = ("-", "--", "-.", ":")
    for number, (name, given) in enumerate(values.items()):
        given = np.asarray(given, float).ravel()
        ordered = np.sort(given[np.isfinite(given)])
        if not ordered.size:
            raise ValueError(f"{name!r} has no finite value to draw: check what was passed in")
        share = 100 * np.arange(ordered.size + 1) / ordered.size
        ordered = np.concatenate([ordered[:1], ordered])
        colour = qualitative(len(values))[number]
        style = styles[number % len(styles)]
        ax.step(ordered, share, where="post", color=colour, ls=style, label=name)
    if reference is not None:
        ax.axvline(reference, color=GREY, lw=1)
    if log:
        ax.set_xscale("log")
        plain_log(ax.xaxis, (1, 2, 5))
    if limits is not None:
        ax.set_xlim(limits)
    ax.set_ylim(0, 100)
    ax.set_xlabel(label)
    ax.set_ylabel("Share of profiles (%)")
    ax.legend(loc="lower left", bbox_to_anchor=(0.0, 1.0))
    return ax
