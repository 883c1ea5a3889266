"""References of a chapter as plain words, for a notebook that is opened outside the book.

In the book, figures, tables and equations get their numbers from the builder. A notebook of its
own counts them itself: captions become cells, labels numbers, and what stands elsewhere is named.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from proda_lib import paths
from proda_lib.nearest import check_known
from proda_lib.reproduce import book_text

__all__ = ["captions", "in_words", "numbered"]

Cell = dict[str, Any]

_WORDS = {"figure": "Figure {}", "table": "Table {}", "equation": "({})"}
_EQUATION = re.compile(r"\s*\$\$[ \t]*\((?P<label>eq-[\w-]+)\)")
_ROLE = re.compile(
    r"\{(?P<role>numref|eq|ref|cite(?::[pt])?)\}`(?:(?P<text>[^`<]*)<)?(?P<label>[^`>]+)>?`"
)
_SECTION = re.compile(r"(?m)^\((?P<label>sec-[\w-]+)\)=\n+#+ +(?P<title>.+?) *$")


def captions(cell: Cell) -> list[tuple[str, str, str]]:
    """Return kind, label and caption of the figure or table that a cell shows.

    Examples
    --------
    >>> shown = {"figure": {"name": "fig-a", "caption": "Carbon."}}
    >>> captions({"cell_type": "code", "metadata": {"mystnb": shown}})
    [('figure', 'fig-a', 'Carbon.')]
    """
    shown = cell["metadata"].get("mystnb", {})
    kinds = [kind for kind in ("figure", "table") if shown.get(kind, {}).get("name")]
    return [(kind, shown[kind]["name"], shown[kind].get("caption", "")) for kind in kinds]


def numbered(cells: Sequence[Cell]) -> dict[str, str]:
    """Return the number of every figure, table and equation of a notebook, in words.

    Parameters
    ----------
    cells : sequence of dict
        Those that the notebook shows.

    Examples
    --------
    >>> numbered([{"cell_type": "markdown", "metadata": {}, "source": "$$ a $$ (eq-a)"}])
    {'eq-a': '(1)'}
    """
    labels: dict[str, list[str]] = {kind: [] for kind in _WORDS}
    for cell in cells:
        if cell["cell_type"] == "markdown":
            labels["equation"] += _EQUATION.findall("".join(cell["source"]))
        for kind, label, _ in captions(cell):
            labels[kind].append(label)
    return {
        label: _WORDS[kind].format(number)
        for kind, found in labels.items()
        for number, label in enumerate(found, start=1)
    }


def in_words(text: str, numbers: Mapping[str, str]) -> str:
    r"""Return Markdown whose references to figures, tables, equations, sections, sources are words.

    Parameters
    ----------
    text : str
    numbers : mapping
        What `numbered` returns for the notebook.

    Raises
    ------
    ValueError
        If a source is not in the bibliography; the message names the nearest.

    Examples
    --------
    >>> in_words("See {numref}`fig-a` and equation {eq}`eq-b`.", {"fig-a": "Figure 2",
    ...          "eq-b": "(1)"})
    'See Figure 2 and equation (1).'
    >>> in_words("$$ a = b\n$$ (eq-b)", {"eq-b": "(1)"})
    '$$ a = b \\tag{1}\n$$'
    """

    def tagged(match: re.Match[str]) -> str:
        return rf" \tag{{{numbers[match['label']].strip('()')}}}" + "\n$$"

    def words(match: re.Match[str]) -> str:
        role, own, label = match["role"], (match["text"] or "").strip(), match["label"].strip()
        if role.startswith("cite"):
            return _cited(label.split(","), in_brackets=role != "cite:t")
        found = numbers.get(label) or _elsewhere(paths.notebooks()).get(label, f"*{label}*")
        if role == "numref" and own:
            return own.replace("%s", found.partition(" ")[2])
        return own or found

    return _ROLE.sub(words, _EQUATION.sub(tagged, text))


@cache
def _elsewhere(notebooks: Path) -> Mapping[str, str]:
    """Return what every label of the book is called by somebody who reads another notebook."""
    found: dict[str, str] = {}
    for file in sorted(paths.book().rglob("*.md")):
        text = file.read_text(encoding="utf-8")
        found |= {
            match["label"]: f"*{match['title']}* (a page of the book)"
            for match in _SECTION.finditer(text)
        }
        equations = {label for label in book_text.labels_in(text) if label.startswith("eq-")}
        found |= dict.fromkeys(equations, f"(on the page *{book_text.title_of(text)}*)")
    for file in sorted(notebooks.glob("*.ipynb")):
        cells = json.loads(file.read_text(encoding="utf-8"))["cells"]
        link = f"of [{file.stem}]({file.name})"
        found |= {label: f"{number} {link}" for label, number in numbered(cells).items()}
    return found


def _cited(keys: Sequence[str], in_brackets: bool) -> str:
    """Return sources by author and year.

    Examples
    --------
    >>> _cited(["grassmann1985"], in_brackets=True)
    '(Grassmann et al., 1985)'
    """
    found = [_source(key.strip()) for key in keys]
    if in_brackets:
        return f"({'; '.join(f'{who}, {year}' for who, year in found)})"
    return ", ".join(f"{who} ({year})" for who, year in found)


def _source(key: str) -> tuple[str, str]:
    """Return who wrote a source of the bibliography, in short, and its year."""
    known = _bibliography().entries
    check_known("source in book/references.bib", key, list(known))
    entry = known[key]
    names = [" ".join(each.last_names) for each in entry.persons["author"]]
    who = " and ".join(names) if len(names) < 3 else f"{names[0]} et al."
    return who, entry.fields["year"]


@cache
def _bibliography() -> Any:
    from pybtex.database import parse_file

    return parse_file(str(paths.book() / "references.bib"))
