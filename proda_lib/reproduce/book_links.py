"""Links from the book's own pages to chapters, which stand in it once per study that has run."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path

from proda_lib import paths
from proda_lib.nearest import unknown
from proda_lib.reproduce import book_text
from proda_lib.reproduce.book_runs import StudyRun
from proda_lib.reproduce.book_text import BookError

__all__ = ["chapter_links", "chapter_title", "linked", "notebook", "where_it_ran"]

_CHAPTER = re.compile(r"(?<!`)\{chapter\}`(?:(?P<text>[^`<]+?) *<)?(?P<name>\d\d_\w+)>?`(?!`)")


def chapter_links(text: str, runs: Sequence[StudyRun], page: str) -> str:
    """Replace {chapter}`20_stocks` or {chapter}`words <20_stocks>` by links to that chapter.

    With several studies the first one's chapter is linked by its title, or by the words, and the
    others by their names behind it. A chapter that has not run is named only.

    Raises
    ------
    BookError
        If there is no such chapter; the message names the page and the nearest.

    Examples
    --------
    >>> chapter_links("see {chapter}`maps <19_maps>`", [], "why")
    'see maps (not run yet)'
    """
    up = "../" * page.count("/")

    def links(match: re.Match[str]) -> str:
        name, words = match["name"], match["text"]
        title = words or f"*{chapter_title(name, page)}*"
        found = list(where_it_ran(name, runs))
        if not found:
            return f"{title} (not run yet)"
        first, *others = ((run.info.name, f"{up}{run.info.name}/{name}.ipynb") for run in found)
        more = ", ".join(f"[{study}]({file})" for study, file in others)
        return f"[{title}]({first[1]})" + (f" (also {more})" if more else "")

    return _CHAPTER.sub(links, text)


def linked(name: str, study: str, runs: Sequence[StudyRun], words: str) -> str:
    """Return words as a link to a chapter of one study, or the words alone if it has not run."""
    ran = any(run.info.name == study for run in where_it_ran(name, runs))
    return f"[{words}]({study}/{name}.ipynb)" if ran else words


def where_it_ran(name: str, runs: Sequence[StudyRun]) -> Iterator[StudyRun]:
    """Yield the runs that have finished a chapter, in the order of the studies."""
    return (run for run in runs if run.ran(name))


def chapter_title(name: str, page: str) -> str:
    """Return the heading of a chapter's notebook.

    Raises
    ------
    BookError
        If there is no such notebook.
    """
    return _title(notebook(name, page))


def notebook(name: str, page: str) -> Path:
    """Return the file of a chapter that a page names.

    Raises
    ------
    BookError
        If there is no such chapter; the message names the page and the nearest.

    Examples
    --------
    >>> notebook("01_data", "teachers.md").name
    '01_data.ipynb'
    """
    folder = paths.repository() / "notebooks"
    file = folder / f"{name}.ipynb"
    if not file.exists():
        names = sorted(each.stem for each in folder.glob("*.ipynb"))
        raise BookError(f"{page}: {unknown('chapter', name, names)}")
    return file


@lru_cache
def _title(file: Path) -> str:
    cells = json.loads(file.read_text(encoding="utf-8"))["cells"]
    titles = (book_text.title_of("".join(cell["source"])) for cell in cells)
    return next((title for title in titles if title), file.stem)
