"""Times for the teacher's page: what a chapter takes to read, and what it took to run."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from proda_lib.reproduce import book_links
from proda_lib.reproduce.book_reference import duration
from proda_lib.reproduce.book_runs import ChapterRun, StudyRun
from proda_lib.reproduce.book_text import table

__all__ = ["chapter_times", "fill_run_times"]

_RUNTIME = re.compile(r"\{runtime\}`(?P<names>[\w ]+)`")
_MINUTES = re.compile(r"\*\*Time\*\*: about (?P<minutes>\d+) minutes")


def _seconds(chapter: ChapterRun) -> float:
    return float(chapter.provenance.get("seconds", 0))


def fill_run_times(text: str, runs: Sequence[StudyRun], page: str) -> str:
    """Replace {runtime}`chapter ...` by how long these chapters took in the first study.

    Parameters
    ----------
    text : str
    runs : sequence of StudyRun
        Chapters that did not run in the first study are left out of the sum.
    page : str
        Name of the page, for the message.

    Raises
    ------
    BookError
        If there is no such chapter; the message names the page and the nearest.

    Examples
    --------
    >>> fill_run_times("{runtime}`01_data`", [], "teachers.md")
    'not run yet'
    """
    took = {each.name: _seconds(each) for each in runs[0].chapters} if runs else {}

    def total(match: re.Match[str]) -> str:
        names = match["names"].split()
        for name in names:
            book_links.notebook(name, page)
        known = [took[name] for name in names if name in took]
        return duration(sum(known)) if known else "not run yet"

    return _RUNTIME.sub(total, text)


def chapter_times(runs: Sequence[StudyRun]) -> str:
    """Return a table of all chapters: minutes to read and try, and how long each study's run took.

    Parameters
    ----------
    runs : sequence of StudyRun
    """
    if not runs:
        return "No study has run yet: `make reproduce` runs them and fills this table."
    first = {each.name: each for run in reversed(runs) for each in run.chapters}
    took = [{each.name: duration(_seconds(each)) for each in run.chapters} for run in runs]
    rows = [
        (each.title, _minutes(each), *(of_study.get(name, "–") for of_study in took))
        for name, each in sorted(first.items())
    ]
    sums = [duration(sum(_seconds(each) for each in run.chapters)) for run in runs]
    header = ("chapter", "read and try", *(f"run, {run.info.name}, {run.size}" for run in runs))
    return table(header, [*rows, ("**together**", _together(first.values()), *sums)])


def _minutes(chapter: ChapterRun) -> str:
    found = _told(chapter)
    return "–" if found is None else f"{found} min"


def _together(chapters: Iterable[ChapterRun]) -> str:
    minutes = sum(_told(each) or 0 for each in chapters)
    return f"{minutes / 60:.0f} h" if minutes else "–"


def _told(chapter: ChapterRun) -> int | None:
    """Return the minutes that a chapter's lesson box names."""
    for cell in chapter.cells:
        if cell["cell_type"] == "markdown" and (match := _MINUTES.search(cell["source"])):
            return int(match["minutes"])
    return None
