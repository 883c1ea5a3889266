"""Rendered pages made light, and the checks of pages that must be able to fail."""

from __future__ import annotations

import base64
import re
from pathlib import Path

import pytest

from proda_lib import paths
from proda_lib.reproduce import book, book_code_links, book_files, book_pages, book_teaching
from proda_lib.reproduce.book_runs import ChapterRun, StudyRun
from proda_lib.reproduce.book_text import BookError
from tests import book_toy, browser

MODEL = '<script src="../_static/try_page.js?v=1"></script>'
ICONS = '<script defer src="../_static/scripts/fontawesome.js?digest=1"></script>'
SEARCH = "".join(
    f'<script src="../{name}"></script>'
    for name in ("_static/searchtools.js", "_static/language_data.js", "searchindex.js")
)


@pytest.fixture
def pages(tmp_path):
    """Write a page, the page of the search, a style, a script and a picture."""
    folder = tmp_path / "html"
    for name in ("twin", "_static/scripts", "_images"):
        (folder / name).mkdir(parents=True)
    body = f'<article class="a c">x</article>{MODEL}'
    for name in ("twin/page.html", "search.html"):
        (folder / name).write_text(f"<html>{ICONS}{SEARCH}{body}</html>")
    (folder / "try_it.html").write_text(f'<div id="proda-try"></div>{MODEL}')
    (folder / "_static/scripts/fontawesome.js").write_text("made.b")
    (folder / "_static/own.js").write_text("e.classList.add('d')")
    (folder / "_static/style.css").write_text(
        "/* .z{} */.a,.b>p{color:red}.b{x:1}@media print{.d{y:2}.unused{y:3}}.c:not(.b){z:4}"
    )
    (folder / "_images/p.png").write_bytes(base64.b64decode(book_toy.png(0.0)))
    return folder


def test_a_page_loses_what_it_does_not_use_and_keeps_what_it_does(pages, tmp_path):
    before = (pages / "_images/p.png").stat().st_size
    book_pages.lighten(pages, tmp_path / "none")
    page = (pages / "twin/page.html").read_text()
    assert "<script" not in page and 'class="a c"' in page
    search = (pages / "search.html").read_text()
    assert "searchindex.js" in search and "fontawesome" not in search
    assert MODEL in (pages / "try_it.html").read_text()
    assert not (pages / "_static/scripts/fontawesome.js").exists()
    style = (pages / "_static/style.css").read_text()
    assert style == ".a{color:red}@media print{.d{y:2}}.c:not(.b){z:4}"
    assert (pages / "_images/p.png").stat().st_size < before


def test_a_picture_keeps_its_colours_nearly(pages, tmp_path):
    import numpy as np
    from PIL import Image

    file = pages / "_images/p.png"
    before = np.asarray(Image.open(file).convert("RGB"), float)
    book_pages.lighten(pages, tmp_path / "none")
    after = np.asarray(Image.open(file).convert("RGB"), float)
    assert after.shape == before.shape
    # A palette has 256 colours: edges of lines may shift by a twentieth of the scale, areas do not.
    moved = np.abs(after - before)
    assert moved.max() <= 16 and moved.mean() < 0.5


def test_a_picture_made_before_is_not_made_again(pages, tmp_path, monkeypatch):
    earlier = tmp_path / "earlier"
    (earlier / "_images").mkdir(parents=True)
    (earlier / "_images/p.png").write_bytes(b"small")
    monkeypatch.setattr(book_pages, "_palette", lambda picture: pytest.fail("made again"))
    book_pages.lighten(pages, earlier)
    assert (pages / "_images/p.png").read_bytes() == b"small"


def test_every_table_that_a_chapter_saves_is_explained():
    saved = list(book_files.saved_tables())
    assert len(saved) > 10
    known = book_files._columns()
    assert not [name for _, name in saved if not known.get(name, {}).get("about")]


def test_the_browser_finds_what_shuts_readers_out_and_what_is_heavy(tmp_path):
    if book.find_chromium() is None:
        pytest.skip("no Chromium: install it or set PRODA_CHROMIUM")
    (tmp_path / "big.js").write_text("//" + "x" * browser.HEAVIEST)
    (tmp_path / "ok.html").write_text('<p id="here">x</p>')
    style = "p{color:#999;background:#fff}[data-theme=dark] p{color:#444;background:#333}"
    (tmp_path / "bad.html").write_text(
        f"<html lang='en'><title>x</title><style>{style}</style><article><h1>x</h1>"
        "<p>grey on white</p><button></button><a href='ok.html#gone'>x</a><a href='ok.html#here'>y"
        "</a></article><script src='big.js'></script></html>"
    )
    found = "\n".join(browser.problems_of(tmp_path, [tmp_path / "bad.html"]))
    for problem in (
        "axe: color-contrast",
        "axe: button-name",
        "axe in dark: color-contrast",
        "weighs 2.00 MB",
        "missing place",
    ):
        assert problem in found
    assert "ok.html#here" not in found


def test_names_of_the_library_in_the_reference_are_linked():
    names = book_code_links.public_names()
    symbols = (paths.book() / "reference" / "symbols.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`([a-z_]+\.\w+)`", symbols))
    assert len(named) > 15
    assert not {name for name in named if f"proda_lib.{name}" not in names}
    assert (
        book_code_links.link_code("``cost.target`` `cost.nothing`")
        == "``cost.target`` `cost.nothing`"
    )


def test_run_times_are_those_of_the_runs():
    chapters = tuple(
        ChapterRun(
            name, "", paths.notebooks() / f"{name}.ipynb", Path("none"), {"seconds": seconds}
        )
        for name, seconds in (("01_data", 30.0), ("02_matrix_model", 170.0))
    )
    runs = [StudyRun(None, "class", chapters)]
    alone, three = "03_steady_state", "01_data 02_matrix_model 03_steady_state"
    text = f"{{runtime}}`01_data`, {{runtime}}`{three}`, {{runtime}}`{alone}`"
    filled = book_teaching.fill_run_times(text, runs, "teachers.md")
    assert filled == "30 s, 3 min, not run yet"


def test_the_run_time_of_an_unknown_chapter_names_page_and_nearest():
    with pytest.raises(BookError, match=r"teachers\.md: .*'01_dta': did you mean '01_data'"):
        book_teaching.fill_run_times("{runtime}`02_matrix_model 01_dta`", [], "teachers.md")
