"""The page "Side by side": the same chapters' numbers and figures for every study that has run."""

from __future__ import annotations

import base64
import tomllib
from collections.abc import Sequence
from typing import Any

from proda_lib import paths
from proda_lib.reproduce import book_links, book_text
from proda_lib.reproduce.book_runs import StudyRun
from proda_lib.reproduce.book_text import table, typeset
from proda_lib.reproduce.published_numbers import heading, narrow_heading

__all__ = ["page_parts", "pictures"]

#: Folder of the pictures in the book's source.
FOLDER = "side_by_side_pictures"


def page_parts(runs: Sequence[StudyRun]) -> str:
    """Return the tables of key numbers, and pairs of figures, chapter by chapter.

    Raises
    ------
    BookError
        If a chapter that has run does not save a number of data/key_numbers.toml.
    """
    parts = [_few(runs)]
    for chapter in _chapters():
        if any(book_links.where_it_ran(chapter["notebook"], runs)):
            parts += [_chapter(chapter, runs), _pair(chapter, runs)]
    return "\n\n".join(part for part in parts if part)


def pictures(runs: Sequence[StudyRun]) -> dict[str, bytes]:
    """Return the figures that the page shows, by their path in the book's source."""
    return {
        f"{FOLDER}/{run.info.name}-{chapter['figure']}.png": picture
        for chapter in _chapters()
        for run in _both(chapter, runs)
        if (picture := _picture(chapter, run)) is not None
    }


def _chapters() -> list[dict[str, Any]]:
    file = paths.data() / "key_numbers.toml"
    return list(tomllib.loads(file.read_text(encoding="utf-8"))["chapters"])


def _few(runs: Sequence[StudyRun]) -> str:
    if len(runs) > 1:
        return ""
    words = f"only *{runs[0].info.name}* has run" if runs else "no study has run yet"
    return (
        ":::{admonition} Nothing to compare yet\n:class: note\n"
        f"In this copy of the book {words}; a second study puts its numbers beside. "
        "{ref}`sec-how-to` says how to run one.\n:::"
    )


def _chapter(chapter: dict[str, Any], runs: Sequence[StudyRun]) -> str:
    name = chapter["notebook"]
    title = book_links.chapter_title(name, "key_numbers.toml")
    rows = [(row["what"], *(_cell(name, row, run) for run in runs)) for row in chapter["rows"]]
    heads = [book_links.linked(name, run.info.name, runs, heading(run)) for run in runs]
    return (
        f"## {title}\n\n:::{{table}} {title.partition(':')[0]}: key numbers of each study.\n"
        f":name: tab-side-{name.replace('_', '-')}\n:class: proda-beside\n\n"
        f"{table(['', *heads], rows)}\n:::"
    )


def _cell(name: str, row: dict[str, str], run: StudyRun) -> str:
    """Return one number of a study, with the study's name for narrow screens."""
    head = narrow_heading(run)
    if not run.ran(name):
        return f"{head}not run"
    value = run.number(row["key"], f"key number {row['what']!r}", name, "data/key_numbers.toml")
    if isinstance(value, str):
        return head + value
    return head + typeset(format(value, row.get("form", ".3g")))


def _both(chapter: dict[str, Any], runs: Sequence[StudyRun]) -> list[StudyRun]:
    """Return the runs whose figure of a chapter is shown: none unless there are several."""
    found = list(book_links.where_it_ran(chapter["notebook"], runs))
    return found if "figure" in chapter and len(found) > 1 else []


def _picture(chapter: dict[str, Any], run: StudyRun) -> bytes | None:
    """Return the picture of a chapter's figure, PNG."""
    cell = _figure_cell(chapter, run)
    for output in cell.get("outputs", []) if cell else []:
        if picture := output.get("data", {}).get("image/png"):
            return base64.b64decode("".join(picture))
    return None


def _figure_cell(chapter: dict[str, Any], run: StudyRun) -> dict[str, Any] | None:
    ran = next(each for each in run.chapters if each.name == chapter["notebook"])
    named = (
        cell
        for cell in ran.cells
        if cell["metadata"].get("mystnb", {}).get("figure", {}).get("name") == chapter["figure"]
    )
    return next(named, None)


def _pair(chapter: dict[str, Any], runs: Sequence[StudyRun]) -> str:
    """Return the same figure of several studies in a grid."""
    shown = [run for run in _both(chapter, runs) if _picture(chapter, run) is not None]
    cards = [_card(chapter, run) for run in shown]
    return "::::::{grid} 1 1 2 2\n:gutter: 2\n\n" + "\n\n".join(cards) + "\n::::::" if cards else ""


def _card(chapter: dict[str, Any], run: StudyRun) -> str:
    cell = _figure_cell(chapter, run)
    alt = cell["metadata"]["mystnb"].get("image", {}).get("alt", "") if cell else ""
    name, study = chapter["figure"], run.info.name
    alt = book_text.fill_values(book_text.keep_only(alt, {study}, name), run.numbers, name)
    kind = "Synthetic data. " if run.info.synthetic else ""
    return (
        f":::::{{grid-item}}\n::::{{figure}} {FOLDER}/{study}-{name}.png\n"
        f":name: fig-side-{study}-{name.removeprefix('fig-')}\n"
        f":alt: {' '.join(alt.split()) or 'See the chapter.'}\n\n"
        f"{kind}Study {study}, size {run.size}; explained at {{numref}}`{study}-{name}`.\n"
        "::::\n:::::"
    )
