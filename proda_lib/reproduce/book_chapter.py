"""One page of the book from one executed chapter: today's prose, the run's outputs, its provenance.

A page takes its code and outputs from the executed notebook and its prose from the notebook's
source, so that an edit of the prose needs no new run.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from copy import deepcopy
from typing import Any

from proda_lib.reproduce import (
    book_lesson,
    book_text,
    class_notebooks,
    output_table,
    parameters_cell,
    quiz,
)
from proda_lib.reproduce.book_reference import moment
from proda_lib.reproduce.book_runs import ChapterRun, References, StudyRun
from proda_lib.reproduce.book_text import BookError
from proda_lib.reproduce.lesson_rules import is_for, tagged
from proda_lib.results import Number

__all__ = ["downloads", "page"]

Notebook = dict[str, Any]
Cell = dict[str, Any]

#: Cells that the reader gets as a table at the end of the page instead.
_HIDDEN = {"parameters", "injected-parameters"}


def page(
    chapter: ChapterRun, run: StudyRun, references: References, others: Sequence[str] = ()
) -> Notebook:
    """Return the page of a chapter: a notebook that the book's builder renders as it is.

    Parameters
    ----------
    chapter : ChapterRun
    run : StudyRun
    references : References
    others : sequence of str
        Other studies that the same chapter has run on.

    Raises
    ------
    BookError
        If the prose asks for a number that does not exist, or a study block is not closed.
    """
    where = f"chapter {chapter.name} of study {run.info.name}"
    numbers = _numbers(chapter, run)

    def text(source: str) -> str:
        kept = book_text.keep_only(source, {run.info.name}, where)
        filled = book_text.fill_values(kept, numbers, where)
        linked = book_text.unlink(filled, references.absent, references.chapters)
        return book_text.prefix_labels(linked, run.info.name, references.labels)

    shown = [cell for cell in chapter.cells if is_for(cell, run.info.name)]
    cells = [each for cell in shown for each in _page_cells(cell, chapter, run, text)]
    _put_banner(cells, _banner(chapter, run, others))
    if asked := quiz.load(chapter.name):
        questions = book_lesson.questions(asked, f"{run.info.name}-{chapter.name}")
        cells.append(_markdown("proda-questions", text(questions)))
    cells.append(_markdown("proda-provenance", _provenance(chapter, run)))
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    metadata = {"kernelspec": kernel, "language_info": {"name": "python"}}
    return {"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}


def downloads(chapter: ChapterRun, run: StudyRun) -> dict[str, bytes]:
    """Return the notebooks that a chapter's page offers, without and with solutions, by path."""
    if not chapter.source.exists():
        return {}
    source = json.loads(chapter.source.read_text(encoding="utf-8"))
    asked, numbers = quiz.load(chapter.name), _numbers(chapter, run)
    made = {
        name: class_notebooks.for_class(source, kind, run.info.name, numbers, asked)
        for kind, name in _download_names(chapter, run).items()
    }
    return {
        name: json.dumps(each, indent=1, ensure_ascii=False).encode() for name, each in made.items()
    }


def _download_names(chapter: ChapterRun, run: StudyRun) -> dict[str, str]:
    folder = f"notebooks/{run.info.name}"
    return {
        "student": f"{folder}/{chapter.name}.ipynb",
        "teacher": f"{folder}/{chapter.name}_solutions.ipynb",
    }


def _numbers(chapter: ChapterRun, run: StudyRun) -> dict[str, Number]:
    return {**run.numbers, "run.seconds": float(chapter.provenance.get("seconds", 0.0))}


def _page_cells(
    cell: Cell, chapter: ChapterRun, run: StudyRun, text: Callable[[str], str]
) -> list[Cell]:
    """Return a cell as the page shows it; a table that it made stands in a cell of its own."""
    cell = deepcopy(cell)
    cell["metadata"].pop("papermill", None)
    if cell["cell_type"] == "markdown":
        cell["source"] = text(book_lesson.prose(cell))
        return [cell]
    book_lesson.check_answered(cell, chapter.name)
    book_lesson.code_cell(cell)
    if _HIDDEN & set(cell["metadata"].get("tags", [])):
        cell["metadata"]["tags"].append("remove-cell")
    shown = cell["metadata"].get("mystnb", {})
    if figure := shown.get("figure"):
        name = figure.get("name", "")
        caption = f"{text(figure.get('caption', ''))}\n\n{_stamp(chapter, run)}"
        figure |= {"caption": caption, "name": f"{run.info.name}-{name}" if name else name}
        cell["outputs"] = _pictures(cell, chapter)
    if alt := shown.get("image", {}).get("alt"):
        shown["image"]["alt"] = text(alt)
    table = shown.pop("table", None)
    if (html := _taken_table(cell, chapter, table is not None)) is None:
        return [cell]
    label = f"{run.info.name}-{table['name']}"
    shown_table = output_table.block(html, label, text(table["caption"]), _stamp(chapter, run))
    return [cell, _markdown(f"{cell['id']}-table"[:64], shown_table)]


def _taken_table(cell: Cell, chapter: ChapterRun, captioned: bool) -> str | None:
    """Take the table that a cell shows out of its outputs; None where it has none to be numbered.

    Solutions show theirs where they are folded, and a run of older code may know no captions.
    """
    tables = {
        place: html
        for place, output in enumerate(cell["outputs"])
        if output_table.is_table(html := "".join(output.get("data", {}).get("text/html", "")))
    }
    exempt = tagged(cell, "solution") or not chapter.current
    if not tables or (exempt and not captioned):
        return None
    if not captioned or len(tables) > 1:
        fault = "has no caption" if not captioned else "is not the only one"
        raise BookError(
            f"chapter {chapter.name}: the table of the cell {cell['id']!r} {fault}: give each "
            'table a cell of its own, with "mystnb": {"table": {"name": "tab-...", '
            '"caption": "..."}}'
        )
    ((place, html),) = tables.items()
    del cell["outputs"][place]
    return html


def _pictures(cell: Cell, chapter: ChapterRun) -> list[dict[str, Any]]:
    """Return the one picture that a figure's cell shows, without the text of what it returned."""
    pictures = [
        output
        for output in cell["outputs"]
        if any(kind.startswith("image/") for kind in output.get("data", {}))
    ]
    if len(pictures) != 1:
        raise BookError(
            f"chapter {chapter.name}: the cell with the figure "
            f"{cell['metadata']['mystnb']['figure'].get('name')!r} shows {len(pictures)} pictures: "
            "give each picture a cell of its own"
        )
    return pictures


def _stamp(chapter: ChapterRun, run: StudyRun) -> str:
    """Return what stands under every figure and table: study, size, version, data."""
    made = chapter.provenance
    kind = "Synthetic data. " if run.info.synthetic else ""
    version, data = (
        made.get("version", "unknown"),
        str(made.get("data_hash", ""))[:8] or "unknown",
    )
    words = f"{kind}Study {run.info.name}, size {run.size}, version {version}, data {data}."
    return f"[{words}]{{.proda-stamp}}"


def _banner(chapter: ChapterRun, run: StudyRun, others: Sequence[str]) -> str:
    """Return the box under the title: which study, how much was computed, where else, notebooks."""
    info = run.info
    title = "Synthetic data" if info.synthetic else "Real data"
    kind = "proda-synthetic" if info.synthetic else "proda-real"
    origin = f" {info.made_up}" if info.synthetic else ""
    files = _download_names(chapter, run)
    beside = "".join(f" [The same for {name}](../{name}/{chapter.name}.ipynb)." for name in others)
    lines = [
        f":::{{admonition}} {title}: {info.title}",
        f":class: proda-banner {kind}",
        f"{origin} [About this study](index.md), computed at size *{run.size}*.{beside}"
        f" Download the notebook {{download}}`without solutions <../{files['student']}>`"
        f" or {{download}}`with solutions <../{files['teacher']}>`.".strip(),
        ":::",
    ]
    if not chapter.current:
        lines += [
            ":::{admonition} Older run",
            ":class: warning",
            "The code of this chapter has changed since it was run; what you see is the code that "
            "was run. `make reproduce` runs it again.",
            ":::",
        ]
    return "\n".join(lines)


def _put_banner(cells: list[Cell], banner: str) -> None:
    for cell in cells:
        if cell["cell_type"] == "markdown" and book_text.title_of(cell["source"]):
            cell["source"] = book_text.after_title(cell["source"], banner)
            return
    cells.insert(0, _markdown("proda-banner", banner))


def _provenance(chapter: ChapterRun, run: StudyRun) -> str:
    """Return the box at the end of a page: parameters, versions, seconds, hashes."""
    made = chapter.provenance
    rows = [
        f"| `{name}` | `{made.get('parameters', {}).get(name, row.default)!r}` | {row.comment} |"
        for name, row in parameters_cell.read(chapter.executed).items()
    ]
    facts = {
        "study, size": f"{run.info.name}, {run.size}",
        "version": made.get("version", "unknown"),
        "data": f"`{made.get('data_hash') or 'unknown'}`",
        "computed in": f"{float(made.get('seconds', 0)):.1f} s",
        "finished": moment(made.get("finished", "")),
        "Python": made.get("python", "unknown"),
    }
    return "\n".join(
        [
            ":::{dropdown} How this page was made",
            ":class-container: proda-provenance",
            "| parameter | value | meaning |",
            "|---|---|---|",
            *rows,
            "",
            "| run | |",
            "|---|---|",
            *(f"| {name} | {fact} |" for name, fact in facts.items()),
            "",
            "Versions of all libraries: {ref}`sec-runs`.",
            ":::",
        ]
    )


def _markdown(identity: str, text: str) -> Cell:
    return {"cell_type": "markdown", "id": identity, "metadata": {}, "source": text}
