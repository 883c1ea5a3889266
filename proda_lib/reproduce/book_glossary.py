"""The glossary: read from its page, for the pages on which its terms explain themselves.

The page book/glossary.md holds one `{glossary}` block. The first paragraph under a term is what the
reader sees where the term first appears on a page; the assembled book carries all of them in one
script, because pages that are opened as files may not ask for another file.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from proda_lib.reproduce.book_text import BookError

__all__ = ["SCRIPT", "Term", "script", "terms"]

#: Where the assembled book keeps the terms; the script terms.js reads them from there.
SCRIPT = "_static/terms_of_glossary.js"

_BLOCK = re.compile(r"(?ms)^```\{glossary\}\n(?P<body>.*?)^```$")
_EVERYDAY = re.compile(r"(?m)^% *everyday: *(?P<words>.+)$")


@dataclass(frozen=True)
class Term:
    """One entry of the glossary.

    Attributes
    ----------
    names : tuple of str
        The term and its other names; the first one heads the entry.
    meaning : str
        One paragraph of plain words.
    marked : tuple of str
        Names that are marked where they appear: not those that everyday language uses too.
    """

    names: tuple[str, ...]
    meaning: str
    marked: tuple[str, ...]

    @property
    def anchor(self) -> str:
        """Name of its place on the rendered page, as Sphinx makes it."""
        letters = unicodedata.normalize("NFKD", self.names[0]).encode("ascii", "ignore").decode()
        return "term-" + re.sub(r"[^A-Za-z0-9._]+", "-", letters).strip("-")


def terms(page: str) -> list[Term]:
    r"""Return the entries of a glossary's page.

    Parameters
    ----------
    page : str
        Its Markdown, with one block `{glossary}`; a line `% everyday: word, ...` lists names that
        are not to be marked on other pages.

    Raises
    ------
    BookError
        If there is no block, a term has no meaning, a name stands twice, or a first paragraph is
        not plain words.

    Examples
    --------
    >>> page = "```{glossary}\nSOC\nsoil organic carbon\n    Carbon in\n    soil.\n\n    More.\n```"
    >>> terms(page)[0].names, terms(page)[0].meaning
    (('SOC', 'soil organic carbon'), 'Carbon in soil.')
    """
    block = _BLOCK.search(page)
    if block is None:
        raise BookError("glossary: no block ```{glossary}: write one")
    listed = _EVERYDAY.search(page)
    everyday = {word.strip() for word in listed["words"].split(",")} if listed else set()
    found: list[Term] = []
    for names, paragraph in _entries(block["body"]):
        if not paragraph:
            raise BookError(f"glossary: {names[0]!r} has no meaning: indent one under it")
        if re.search(r"[`$*{}\[\]]", paragraph):
            raise BookError(
                f"glossary: the first paragraph of {names[0]!r} must be plain words, without "
                "formulas, links or emphasis: put these into a second one"
            )
        marked = tuple(name for name in names if name not in everyday)
        found.append(Term(tuple(names), paragraph, marked))
    _refuse_twice([name.lower() for term in found for name in term.names], everyday)
    return found


def _entries(body: str) -> list[tuple[list[str], str]]:
    """Return names and first paragraph of every entry of a glossary block."""
    entries: list[tuple[list[str], list[str]]] = []
    over = True  # whether the first paragraph of the last entry has ended
    for line in body.splitlines():
        if re.match(r"\S", line) and not line.startswith(":"):
            if not entries or entries[-1][1]:
                entries.append(([], []))
            entries[-1][0].append(line.strip())
            over = False
        elif line.strip() and not over:
            entries[-1][1].append(line.strip())
        elif entries and entries[-1][1]:
            over = True
    return [(names, " ".join(words)) for names, words in entries]


def _refuse_twice(names: Sequence[str], everyday: set[str]) -> None:
    twice = {name for name in names if names.count(name) > 1}
    unknown = {word for word in everyday if word.lower() not in names}
    if twice or unknown:
        raise BookError(
            f"glossary: {sorted(twice) or sorted(unknown)}: each name stands once, and only names "
            "that stand there can be listed as everyday words"
        )


def script(page: str) -> str:
    """Return the script that gives the terms of the glossary's page to every other page."""
    listed = [
        {
            "names": term.names,
            "marked": term.marked,
            "meaning": term.meaning,
            "anchor": term.anchor,
        }
        for term in terms(page)
        if term.marked
    ]
    text = json.dumps(listed, ensure_ascii=False, indent=0)
    return f"// Generated from the glossary.\nwindow.prodaTerms = {text};\n"
