"""Pieces of a drawing as SVG: boxes with text, arrows, notes, and the frame around them.

Coordinates are pixels of a telephone's width, y pointing down. Colours and fonts come from the
classes of the book's style sheet, so that a drawing follows light and dark.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

__all__ = ["WIDTH", "arrow", "box", "drawing", "line", "note"]

#: Width of every drawing, px: it fits a telephone without being scaled down much.
WIDTH = 400

_LINE = 17


def note(
    x: float, y: float, lines: str | Sequence[str], kind: str = "note", anchor: str = "middle"
) -> str:
    """Return lines of text; y is the middle of the block.

    Parameters
    ----------
    x, y : float
        px.
    lines : str or sequence of str
    kind : str
        Class of the style sheet: note, strong or small.
    anchor : {"start", "middle", "end"}

    Examples
    --------
    >>> note(10, 20, "a < b")
    '<text x="10" y="24.5" class="note" text-anchor="middle">a &lt; b</text>'
    """
    lines = [lines] if isinstance(lines, str) else lines
    first = y + 4.5 - _LINE * (len(lines) - 1) / 2
    return "".join(
        f'<text x="{x:g}" y="{first + _LINE * k:g}" class="{kind}" text-anchor="{anchor}">'
        f"{escape(words)}</text>"
        for k, words in enumerate(lines)
    )


def box(
    x: float,
    y: float,
    width: float,
    height: float,
    lines: Sequence[str],
    *,
    kind: str = "step",
    chapter: str | None = None,
) -> str:
    """Return a box with text, the first line strong; x and y are its upper left corner.

    Parameters
    ----------
    x, y, width, height : float
        px.
    lines : sequence of str
    kind : {"data", "step", "result"}
        Class of the style sheet.
    chapter : str, optional
        Chapter of the book that the box links to, for example "20_stocks".

    Examples
    --------
    >>> box(0, 0, 80, 20, ["Maps"], chapter="19_maps")[:40]
    '<a href="chapter:19_maps"><rect class="s'
    """
    middle, top = x + width / 2, y + height / 2 - _LINE * (len(lines) - 1) / 2
    rows = "".join(
        note(middle, top + _LINE * k, words, "small" if k else "strong")
        for k, words in enumerate(lines)
    )
    shape = (
        f'<rect class="{kind}" x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" rx="6"/>'
    )
    return f'<a href="chapter:{chapter}">{shape}{rows}</a>' if chapter else shape + rows


def arrow(*points: tuple[float, float], kind: str = "flow") -> str:
    """Return an arrow along points, px; the class "mixing" has a head at both ends.

    Examples
    --------
    >>> arrow((0, 0), (0, 9))
    '<path class="flow" d="M0 0 L0 9" marker-end="url(#proda-head)"/>'
    """
    both = ' marker-start="url(#proda-head)"' if kind == "mixing" else ""
    return f'<path class="{kind}" d="{_path(points)}"{both} marker-end="url(#proda-head)"/>'


def line(*points: tuple[float, float], kind: str = "rule") -> str:
    """Return a line along points, px.

    Examples
    --------
    >>> line((0, 0), (9, 0))
    '<path class="rule" d="M0 0 L9 0"/>'
    """
    return f'<path class="{kind}" d="{_path(points)}"/>'


def _path(points: Sequence[tuple[float, float]]) -> str:
    return "M" + " L".join(f"{x:g} {y:g}" for x, y in points)


def drawing(name: str, height: float, words: str, pieces: Sequence[str]) -> str:
    """Return the whole drawing.

    Parameters
    ----------
    name : str
        Unique on its page.
    height : float
        px.
    words : str
        What it shows, for those who cannot see it.
    pieces : sequence of str

    Examples
    --------
    >>> drawing("cell", 9, "One cell.", []).startswith('<svg class="proda-drawing"')
    True
    """
    inside = "".join(pieces).replace("#proda-head", f"#proda-head-{name}")
    head = (
        f'<marker id="proda-head-{name}" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="6" '
        'markerHeight="6" orient="auto-start-reverse"><path class="head" d="M0 0 L10 5 L0 10 Z"/>'
        "</marker>"
    )
    role = "group" if "<a " in inside else "img"
    return (
        f'<svg class="proda-drawing" viewBox="0 0 {WIDTH} {height:g}" role="{role}" '
        f'aria-label="{escape(words)}"><defs>{head}</defs>{inside}</svg>'
    )
