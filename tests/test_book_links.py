"""Links from the book's own pages to chapters."""

from __future__ import annotations

from pathlib import Path

import pytest

from proda_lib.reproduce.book_links import chapter_links
from proda_lib.reproduce.book_runs import ChapterRun, StudyRun
from proda_lib.reproduce.book_text import BookError
from tests.book_toy import INFOS


def _run(study: str, *chapters: str) -> StudyRun:
    nowhere = Path("none")
    ran = tuple(ChapterRun(chapter, "", nowhere, nowhere, {}) for chapter in chapters)
    return StudyRun(INFOS[study], "class", ran)


RUNS = [_run("twin", "19_maps", "20_stocks"), _run("newyork", "19_maps")]


def test_a_chapter_is_linked_in_every_study_in_which_it_has_run() -> None:
    text = chapter_links("{chapter}`maps <19_maps>`", RUNS, "reference/maps.md")
    assert text == "[maps](../twin/19_maps.ipynb) (also [newyork](../newyork/19_maps.ipynb))"
    assert chapter_links("{chapter}`all <20_stocks>`", RUNS, "why.md") == (
        "[all](twin/20_stocks.ipynb)"
    )
    assert chapter_links("``{chapter}`19_maps` ``", RUNS, "why.md") == "``{chapter}`19_maps` ``"


def test_an_unknown_chapter_names_page_and_nearest() -> None:
    with pytest.raises(BookError, match=r"why\.md: .*19_map.*did you mean '19_maps'"):
        chapter_links("{chapter}`19_map`", RUNS, "why.md")
