"""What all figures share: the style, the page's widths, the stamp of synthetic data, depth axes."""

from __future__ import annotations

from importlib import resources
from typing import Any, Literal, Protocol

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

__all__ = ["SOC_LABEL", "STAMP", "WIDTHS", "depth_axis", "subplots", "use_style"]

#: Widths of figures, inches; at 150 dots per inch the page's is 960 px.
WIDTHS: dict[str, float] = {"page": 6.4, "half": 3.6}
#: Label of an axis that carries soil organic carbon.
SOC_LABEL = "SOC (kgC m$^{-3}$)"
#: What is written into the corner of figures of a synthetic study.
STAMP = "synthetic data"
#: Height of one panel over its width.
ASPECT = 0.66


class HasSynthetic(Protocol):
    """Anything that says whether its data are made up, like `Study` and `StudyInfo`."""

    @property
    def synthetic(self) -> bool:
        """Whether the data are made up."""
        ...


def use_style() -> None:
    """Apply the book's style sheet to all figures made from here on."""
    with resources.as_file(resources.files(__package__) / "proda.mplstyle") as path:
        plt.style.use(path)


def subplots(
    study: HasSynthetic,
    nrows: int = 1,
    ncols: int = 1,
    *,
    width: Literal["page", "half"] = "page",
    height: float | None = None,
    projection: Any = None,
    **keywords: Any,
) -> tuple[Figure, Any]:
    """Make a figure in the book's style, stamped if its data are synthetic.

    Parameters
    ----------
    study : Study or StudyInfo
        Whose data will be drawn.
    nrows, ncols : int
        Panels.
    width : {"page", "half"}
    height : float, optional
        Of the whole figure, inches. By default two thirds of a panel's width per row.
    projection : cartopy projection, optional
        From `proda_lib.maps.projection`, for maps.
    **keywords
        Passed on to `matplotlib.pyplot.subplots` (sharex, width_ratios, ...).

    Returns
    -------
    figure : Figure
    axes : Axes or ndarray of Axes

    Raises
    ------
    ValueError
        For a width that is neither "page" nor "half".

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> figure, ax = subplots(SimpleNamespace(synthetic=True), width="half")
    >>> [text.get_text() for text in figure.texts]
    ['synthetic data']
    >>> plt.close(figure)
    """
    if width not in WIDTHS:
        raise ValueError(f"width {width!r}, allowed are {', '.join(WIDTHS)}: choose one")
    use_style()
    inches = WIDTHS[width]
    size = (inches, height or max(2.9, ASPECT * inches / ncols) * nrows)
    if projection is not None:
        keywords["subplot_kw"] = {
            **keywords.get("subplot_kw", {}),
            "projection": projection,
        }
    figure, axes = plt.subplots(nrows, ncols, figsize=size, **keywords)
    if study.synthetic:
        _stamp(figure)
    return figure, axes


def _stamp(figure: Figure) -> None:
    """Write the stamp into a strip at the foot that the panels leave free."""
    strip = 0.2 / figure.get_figheight()
    figure.get_layout_engine().set(rect=(0.0, strip, 1.0, 1.0 - strip))
    figure.text(
        0.995,
        0.004,
        STAMP,
        ha="right",
        va="bottom",
        fontsize=9.5,
        color="#555555",
        style="italic",
    )


def depth_axis(
    ax: Axes, deepest: float | None = None, scale: Literal["linear", "root"] = "linear"
) -> Axes:
    """Let depth grow downwards from the surface.

    Parameters
    ----------
    ax : Axes
    deepest : float, optional
        Lower end of the axis, m; by default what the data reach.
    scale : {"linear", "root"}
        "root" spaces depths by their square root: room for the thin layers near the surface.
    """
    lower = deepest if deepest is not None else max(ax.get_ylim())
    if scale == "root":
        # Depths are not negative; the absolute value keeps the axis' margins finite.
        ax.set_yscale("function", functions=(lambda z: np.sqrt(np.abs(z)), np.square))
        ticks = np.array([0, 0.1, 0.5, 1, 2, 4, 8, 12])
        ax.set_yticks(ticks[ticks <= lower], [f"{z:g}" for z in ticks[ticks <= lower]])
    ax.set_ylim(lower, 0.0)
    ax.set_ylabel("Depth (m)")
    return ax
