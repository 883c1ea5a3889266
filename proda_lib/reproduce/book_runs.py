"""What the book can show: the chapters that have run, per study, and what they refer to."""

from __future__ import annotations

import difflib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from proda_lib import paths, results, studies
from proda_lib.reproduce import book_text, class_references, plan
from proda_lib.reproduce.book_text import BookError
from proda_lib.results import Number
from proda_lib.studies.study import StudyInfo

__all__ = ["ChapterRun", "References", "StudyRun", "what_has_run"]


@dataclass(frozen=True)
class ChapterRun:
    """One chapter of one study that has run.

    Attributes
    ----------
    name : str
        Name of the notebook without suffix, for example "01_data".
    part : str
        Heading under which the chapter stands.
    source : Path
        The notebook without outputs.
    executed : Path
        The notebook with outputs.
    provenance : dict
        What the runner wrote down about the run.
    """

    name: str
    part: str
    source: Path
    executed: Path
    provenance: dict[str, Any]

    @cached_property
    def cells(self) -> list[dict[str, Any]]:
        """Cells as run, with the prose and captions of the source if the code is the same."""
        executed, source = _cells(self.executed), _cells(self.source)
        return _with_prose(executed, source) if self.current else executed

    @cached_property
    def current(self) -> bool:
        """Whether the source still holds the code that was run."""
        return _code(_cells(self.executed)) == _code(_cells(self.source))

    @property
    def title(self) -> str:
        """Heading of the chapter."""
        return _title(self.cells) or self.name


@dataclass(frozen=True)
class StudyRun:
    """What has run of one study: the chapters at one size.

    Attributes
    ----------
    info : StudyInfo
    size : str
    chapters : tuple of ChapterRun
    numbers : mapping
        Numbers of all its chapters.
    """

    info: StudyInfo
    size: str
    chapters: tuple[ChapterRun, ...]
    numbers: Mapping[str, Number] = field(default_factory=dict)

    def ran(self, chapter: str) -> bool:
        """Tell whether a chapter, given by the name of its notebook, is among those that ran."""
        return any(each.name == chapter for each in self.chapters)

    def number(self, key: str, what: str, chapter: str, file: str) -> Number:
        """Return a number that a chapter saved, asked for by a file of keys.

        Raises
        ------
        BookError
            If the chapter does not save it; the message names the nearest and the file.
        """
        if key not in self.numbers:
            near = difflib.get_close_matches(key, self.numbers, n=1)
            hint = f"; the nearest is {near[0]!r}" if near else ""
            raise BookError(
                f"{what}: chapter {chapter} of study {self.info.name} saves no {key!r}{hint}: "
                f"mend {file}"
            )
        return self.numbers[key]


@dataclass(frozen=True)
class References:
    """What the pages of one study may refer to.

    Attributes
    ----------
    labels : frozenset of str
        Labels that its chapters define (still without the study's name).
    absent : mapping
        Labels of chapters that have not run, to the titles of these chapters.
    chapters : mapping
        Names of chapters that have not run, to their titles.
    """

    labels: frozenset[str]
    absent: Mapping[str, str]
    chapters: Mapping[str, str]

    @classmethod
    def of(cls, run: StudyRun, planned: Sequence[plan.Chapter]) -> References:
        """Collect them from the chapters of a run and from the plan."""
        labels = {label for chapter in run.chapters for label in _labels(chapter.cells)}
        ran = {chapter.name for chapter in run.chapters}
        missing = {
            chapter.notebook: _cells(chapter.file)
            for chapter in planned
            if chapter.notebook not in ran and chapter.treats(run.info)
        }
        titles = {name: _title(cells) or name for name, cells in missing.items()}
        absent = {
            label: titles[name]
            for name, cells in missing.items()
            for label in _labels(cells) - labels
        }
        return cls(frozenset(labels), absent, titles)


def what_has_run(size: str | None = None) -> list[StudyRun]:
    """Return the runs that the book shows: one size per study, chapters in the plan's order."""
    planned = plan.chapters()
    runs = []
    for study in studies.names():
        folder = paths.results(study)
        sizes = [each.name for each in folder.iterdir() if each.is_dir()] if folder.exists() else []
        found = {each: _chapters(study, each, planned) for each in sizes}
        found = {each: chapters for each, chapters in found.items() if chapters}
        if not found:
            continue
        chosen = size if size in found else max(found, key=lambda each: _last(found[each]))
        numbers = results.load_numbers(study, chosen)
        runs.append(StudyRun(studies.info(study), chosen, tuple(found[chosen]), numbers))
    return runs


def _chapters(study: str, size: str, planned: Sequence[plan.Chapter]) -> list[ChapterRun]:
    """Return the finished chapters of a study at a size."""
    folder = paths.results(study, size)
    about = studies.info(study)
    found = []
    for chapter in planned:
        if not chapter.treats(about):
            continue
        executed = folder / "executed" / f"{chapter.notebook}.ipynb"
        record = folder / "provenance" / f"{chapter.notebook}.json"
        if executed.exists() and record.exists():
            made = json.loads(record.read_text(encoding="utf-8"))
            part = chapter.part or "Chapters"
            found.append(ChapterRun(chapter.notebook, part, chapter.file, executed, made))
    return found


def _last(chapters: Sequence[ChapterRun]) -> str:
    return max(str(chapter.provenance.get("finished", "")) for chapter in chapters)


def _with_prose(
    executed: list[dict[str, Any]], source: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    """Return the source's cells, code cells with the outputs of the run."""
    ran = {cell["id"]: cell for cell in executed if cell["cell_type"] == "code"}
    return [
        cell | {key: ran[cell["id"]][key] for key in ("outputs", "execution_count")}
        if cell["cell_type"] == "code"
        else cell
        for cell in source
    ]


def _code(cells: list[dict[str, Any]]) -> list[tuple[str, str]]:
    """Return identity and text of the code cells that the author wrote."""
    return [
        (cell["id"], cell["source"])
        for cell in cells
        if cell["cell_type"] == "code"
        and "injected-parameters" not in cell["metadata"].get("tags", [])
    ]


def _cells(file: Path) -> list[dict[str, Any]]:
    if not file.exists():
        return []
    try:
        cells = json.loads(file.read_text(encoding="utf-8"))["cells"]
    except (ValueError, KeyError) as error:
        raise BookError(f"{file.name} is not a notebook ({error}): write or run it again") from None
    for cell in cells:
        if isinstance(cell["source"], list):
            cell["source"] = "".join(cell["source"])
    return cells


def _labels(cells: list[dict[str, Any]]) -> set[str]:
    found: set[str] = set()
    for cell in cells:
        if cell["cell_type"] == "markdown":
            found |= book_text.labels_in(cell["source"])
        found |= {label for _, label, _ in class_references.captions(cell)}
    return found


def _title(cells: list[dict[str, Any]]) -> str | None:
    titles = (book_text.title_of(c["source"]) for c in cells if c["cell_type"] == "markdown")
    return next((title for title in titles if title), None)
