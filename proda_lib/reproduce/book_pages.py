"""Rendered pages made light: nothing is loaded that a page does not use.

The theme brings every icon twice, styles for parts that no page of this book has, and on each page
the index of the search and the scripts of the model to touch, which one page needs. Pictures get a
palette.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator
from pathlib import Path

__all__ = ["lighten"]

_ICONS = re.compile(r'\s*<script[^>]*src="[^"]*/fontawesome\.js[^"]*"></script>')
_SEARCH = re.compile(
    r'\s*<script src="(?:\.\./)*'
    r'(?:_static/(?:searchtools|language_data)|searchindex)\.js"></script>'
)
_MODEL = re.compile(r'\s*<script[^>]*src="[^"]*_static/try_\w+\.js[^"]*"></script>')
_FONT = re.compile(r"src:url\((?P<path>[^)]*fa-[\w-]+)\.woff2\)[^;}]*")
_RULE = re.compile(r"(?P<selectors>[^{}@;]+)\{(?P<body>[^{}]*)\}")
_CLASS = re.compile(r"\.(-?[A-Za-z_][\w-]*)")

#: Classes that scripts put together from pieces.
_MADE_UP = ("bs-", "tooltip", "popover")
_COLOURS = 256


def lighten(folder: Path, earlier: Path) -> None:
    """Take off a rendered book what its pages do not use.

    Parameters
    ----------
    folder : Path
        The pages, changed in place.
    earlier : Path
        The pages of the previous build; pictures that it has already are taken from there.
    """
    pages = list(folder.rglob("*.html"))
    for page in pages:
        text = _ICONS.sub("", page.read_text(encoding="utf-8"))
        if page.name != "search.html":
            text = _SEARCH.sub("", text)
        if 'id="proda-try"' not in text:
            text = _MODEL.sub("", text)
        page.write_text(text, encoding="utf-8")
    words = _words([*pages, *folder.glob("_static/**/*.js")])
    for style in folder.glob("_static/**/*.css"):
        text = _needed(style.read_text(encoding="utf-8"), words)
        style.write_text(_FONT.sub(_subset_of(style, text), text), encoding="utf-8")
    for picture in folder.glob("_images/*.png"):
        known = earlier / "_images" / picture.name
        done = known.exists() and known.stat().st_size < picture.stat().st_size
        picture.write_bytes(known.read_bytes() if done else _palette(picture))
    for spare in ("*.map", "fontawesome.js*", "fa-*.ttf", "fa-*.woff2"):
        for file in folder.glob(f"_static/**/{spare}"):
            file.unlink()


def _words(files: list[Path]) -> set[str]:
    """Return everything in pages and scripts that could be the name of a class."""
    found: set[str] = set()
    for file in files:
        if "fontawesome" not in file.name:
            found.update(re.findall(r"[\w-]+", file.read_text(encoding="utf-8")))
    return found


def _needed(style: str, words: set[str]) -> str:
    """Return a style without the rules for classes that no page and no script names.

    Examples
    --------
    >>> _needed(".a,.b p{x:1}.b{y:2}@media print{.a:not(.b){z:3}}", {"a"})
    '.a{x:1}@media print{.a:not(.b){z:3}}'
    """

    def rule(match: re.Match[str]) -> str:
        kept = [one for one in _selectors(match["selectors"]) if _can_match(one, words)]
        return f"{','.join(kept)}{{{match['body']}}}" if kept else ""

    return _RULE.sub(rule, re.sub(r"(?s)/\*.*?\*/", "", style))


def _selectors(text: str) -> Iterator[str]:
    """Yield the selectors of a list; commas inside brackets do not separate."""
    yield from re.split(r",(?![^(\[]*[)\]])", text)


def _can_match(selector: str, words: set[str]) -> bool:
    plain = re.sub(r":(?:not|is|where|has)\((?:[^()]|\([^()]*\))*\)", "", selector)
    names = _CLASS.findall(re.sub(r"\[[^\]]*\]", "", plain))
    return all(name in words or name.startswith(_MADE_UP) for name in names)


def _subset_of(style: Path, text: str) -> Callable[[re.Match[str]], str]:
    """Return what replaces a font's address in a style: a font with the icons that it names."""

    def small(match: re.Match[str]) -> str:
        from fontTools import subset

        file = style.parent / f"{match['path']}.woff2"
        options = subset.Options(flavor="woff", notdef_outline=True)
        font = subset.load_font(str(file.with_suffix(".ttf")), options)
        chosen = subset.Subsetter(options)
        codes = [int(code, 16) for code in re.findall(r'"\\([0-9a-f]{2,5})"', text)]
        chosen.populate(unicodes=codes, text=text)
        chosen.subset(font)
        subset.save_font(font, str(file.with_suffix(".woff")), options)
        return f'src:url({match["path"]}.woff) format("woff")'

    return small


def _palette(picture: Path) -> bytes:
    """Return a picture with its most important colours, unless that makes it larger."""
    from PIL import Image

    before = picture.read_bytes()
    with Image.open(io.BytesIO(before)) as image:
        few = image.convert("RGB").quantize(
            _COLOURS, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE
        )
    file = io.BytesIO()
    few.save(file, "png", optimize=True)
    return min(before, file.getvalue(), key=len)
