"""Links from the book's own pages to chapters."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from proda_lib.reproduce.book_links import chapter_links
from proda_lib.reproduce.book_text import BookError


def _run(study: str, *chapters: str) -> SimpleNamespace:
    return SimpleNamespace(
        info=SimpleNamespace(name=study),
        chapters=[SimpleNamespace(name=chapter) for chapter in chapters],
    )


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
