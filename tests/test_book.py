"""The book: assembled from what has run, rendered strictly, looked at in a browser."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import yaml

from proda_lib.reproduce import book
from proda_lib.reproduce.book_text import BookError
from tests import book_toy, browser

CHAPTERS = ("01_data", "02_model")


@pytest.fixture
def toy(tmp_path, monkeypatch):
    return book_toy.ToyBook(tmp_path, monkeypatch)


def cells(study: str, chapter: str) -> list[dict]:
    pages = book.assemble(book.what_has_run())
    return json.loads(pages[f"{study}/{chapter}.ipynb"])["cells"]


def prose(study: str, chapter: str) -> str:
    found = [c["source"] for c in cells(study, chapter) if c["cell_type"] == "markdown"]
    return "\n\n".join(found)


def figure(study: str, chapter: str) -> dict:
    shown = [c["metadata"].get("mystnb") for c in cells(study, chapter)]
    return next(each for each in shown if each)


def contents() -> list[str]:
    pages = book.assemble(book.what_has_run())
    toc = yaml.safe_load(pages["_toc.yml"])
    found = [entry["file"] for part in toc["parts"] for entry in part["chapters"]]
    assert all(f"{file}.md" in pages or f"{file}.ipynb" in pages for file in found)
    return found


def of_studies(found: list[str]) -> tuple[list[str], list[str]]:
    """Return the pages of the book itself and those of the studies, which stand together."""
    theirs = [file for file in found if file.startswith(tuple(f"{s}/" for s in book_toy.INFOS))]
    start = found.index(theirs[0]) if theirs else 0
    assert found[start : start + len(theirs)] == theirs
    return [file for file in found if file not in theirs], theirs


def test_the_contents_follow_what_has_run(toy):
    own = contents()
    toy.run("newyork", "01_data")
    assert of_studies(contents()) == (own, ["newyork/index", "newyork/01_data"])
    toy.run("twin", "01_data")
    toy.run("twin", "02_model")
    twin = ["twin/index", "twin/01_data", "twin/02_model"]
    assert of_studies(contents()) == (own, [*twin, "newyork/index", "newyork/01_data"])


def test_a_failed_chapter_is_not_shown(toy):
    toy.run("twin", "01_data")
    toy.run("twin", "02_model")
    done = toy.results / "twin" / "class" / "executed" / "02_model.ipynb"
    done.rename(done.with_name("02_model.failed.ipynb"))
    assert "twin/02_model" not in contents()


def test_the_size_asked_for_else_the_latest(toy):
    toy.run("twin", "01_data", "smoke", finished="2026-11-20T12:00:00+00:00")
    toy.run("twin", "01_data", "class", finished="2026-11-20T11:00:00+00:00")
    toy.run("newyork", "01_data", "class")
    shown = {run.info.name: run.size for run in book.what_has_run()}
    assert shown == {"twin": "smoke", "newyork": "class"}
    shown = {run.info.name: run.size for run in book.what_has_run("smoke")}
    assert shown == {"twin": "smoke", "newyork": "class"}
    shown = {run.info.name: run.size for run in book.what_has_run("class")}
    assert shown == {"twin": "class", "newyork": "class"}


def test_the_same_chapter_of_two_studies_has_different_labels(toy):
    for study in ("twin", "newyork"):
        toy.run(study, "01_data")
        toy.run(study, "02_model")
        assert figure(study, "01_data")["figure"]["name"] == f"{study}-fig-sites"
        assert f"{{numref}}`{study}-fig-pools`" in prose(study, "01_data")
        assert f"({study}-eq-toy)" in prose(study, "01_data")
        assert "{ref}`sec-symbols`" in prose(study, "01_data")


def test_a_chapter_leads_to_itself_in_other_studies(toy):
    toy.run("twin", "01_data")
    assert "The same for" not in prose("twin", "01_data")
    toy.run("newyork", "01_data")
    link = "[The same for newyork](../newyork/01_data.ipynb)"
    assert link in prose("twin", "01_data")
    assert link not in prose("newyork", "01_data")


def test_references_to_a_chapter_that_has_not_run_are_words(toy):
    toy.run("twin", "01_data")
    text = prose("twin", "01_data")
    assert "fig-pools" not in text and "02_model.ipynb" not in text
    assert "*The model* (not run yet)" in text


def test_synthetic_data_are_named_on_page_and_figure_real_ones_are_not(toy):
    toy.run("twin", "01_data")
    toy.run("newyork", "01_data")
    assert "Synthetic data: A toy twin" in prose("twin", "01_data")
    assert "Synthetic data." in figure("twin", "01_data")["figure"]["caption"]
    assert "ynthetic" not in prose("newyork", "01_data")
    assert "ynthetic" not in figure("newyork", "01_data")["figure"]["caption"]
    opening = book.assemble(book.what_has_run())["twin/index.md"].decode()
    assert "These data are synthetic" in opening and "It is a toy." in opening


def test_captions_hold_numbers_and_provenance(toy):
    toy.run("newyork", "01_data")
    caption = figure("newyork", "01_data")["figure"]["caption"]
    assert caption.startswith("Where the 1406 sites lie.")
    for word in ("newyork", "class", "0.1.0 (abc1234)", "01234567"):
        assert word in caption


def test_blocks_for_one_study(toy):
    toy.run("twin", "01_data")
    toy.run("newyork", "01_data")
    assert "Only New York has pits." in prose("newyork", "01_data")
    assert "Only New York has pits." not in prose("twin", "01_data")


def test_cells_for_one_study(toy):
    toy.run("twin", "02_model")
    toy.run("newyork", "02_model")
    assert "truth" in {cell.get("id") for cell in cells("twin", "02_model")}
    assert "truth" not in {cell.get("id") for cell in cells("newyork", "02_model")}


def test_a_figure_without_a_picture_names_chapter_and_figure(toy):
    toy.cells["02_model"][2]["outputs"] = []
    toy.run("twin", "02_model")
    with pytest.raises(BookError, match=r"02_model: .*'twin-fig-pools' shows 0 pictures"):
        cells("twin", "02_model")


def test_a_table_is_numbered_with_caption_and_provenance(toy):
    toy.run("newyork", "01_data")
    shown = {cell["id"]: cell for cell in cells("newyork", "01_data")}
    assert shown["table"]["outputs"] == []
    text = shown["table-table"]["source"]
    assert ":name: newyork-tab-layers" in text and "Carbon of 1406 *sites*." in text
    assert "Study newyork, size class" in text and '<table id="T_wide">' in text


def test_a_table_without_a_caption_or_with_another_names_chapter_and_cell(toy):
    table = toy.cells["01_data"][4]
    table["outputs"] *= 2
    toy.run("twin", "01_data")
    with pytest.raises(BookError, match=r"01_data: the table of the cell 'table' is not the only"):
        cells("twin", "01_data")
    table["metadata"] = {}
    toy.write_sources()
    with pytest.raises(BookError, match=r"01_data: the table of the cell 'table' has no caption"):
        cells("twin", "01_data")


def test_a_table_of_an_older_run_needs_no_caption(toy):
    table = toy.cells["01_data"][4]
    table["metadata"] = {}
    toy.run("twin", "01_data")
    table["source"] = "table.round(1)"
    toy.write_sources()
    shown = {cell["id"]: cell for cell in cells("twin", "01_data")}
    assert shown["table"]["outputs"] and "Older run" in prose("twin", "01_data")


def test_a_number_that_no_chapter_writes_names_page_and_key(toy):
    toy.run("twin", "02_model")
    toy.cells["02_model"][0]["source"] += "\n{value}`model.stock`"
    toy.write_sources()
    with pytest.raises(BookError, match=r"chapter 02_model of study twin.*'model\.stock'"):
        book.assemble(book.what_has_run())


def test_an_edit_of_the_prose_needs_no_run_an_edit_of_the_code_is_announced(toy):
    toy.run("twin", "01_data")
    toy.cells["01_data"][3]["source"] = "They lie on a curve."
    toy.write_sources()
    assert "They lie on a curve." in prose("twin", "01_data")
    assert "Older run" not in prose("twin", "01_data")
    toy.cells["01_data"][4]["source"] = "table.round(1)"
    toy.write_sources()
    assert "Older run" in prose("twin", "01_data")
    assert "They lie on a line." in prose("twin", "01_data")
    shown = [c["source"] for c in cells("twin", "01_data") if c["cell_type"] == "code"]
    assert "table" in shown and "table.round(1)" not in shown


def test_parameters_stand_in_a_table_not_in_cells(toy):
    toy.run("newyork", "01_data")
    assert "| `study` | `'newyork'` | one of twin, newyork |" in prose("newyork", "01_data")
    tagged = [c["metadata"]["tags"] for c in cells("newyork", "01_data") if "tags" in c["metadata"]]
    assert tagged and all("remove-cell" in tags for tags in tagged)


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """Build a strict book of two studies once."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        toy = book_toy.ToyBook(tmp_path_factory.mktemp("book"), monkeypatch)
        for study in book_toy.INFOS:
            for chapter in CHAPTERS:
                toy.run(study, chapter)
        toy.index = book.build()
        yield toy


def test_every_page_of_the_contents_exists(built):
    html = built.index.parent
    toc = yaml.safe_load((html.parent / "source" / "_toc.yml").read_text())
    entries = [entry for part in toc["parts"] for entry in part["chapters"]]
    entries += [section for entry in entries for section in entry.get("sections", [])]
    missing = [e["file"] for e in entries if not (html / f"{e['file']}.html").exists()]
    assert len(entries) > 12 and not missing
    assert (html / "intro.html").exists() and built.index.exists()


def test_a_second_build_renders_nothing(built, monkeypatch):
    monkeypatch.setattr(book, "_sphinx", lambda builder: pytest.fail("rendered again"))
    assert book.build() == built.index


def test_a_broken_book_is_an_error_and_leaves_the_previous_one(built):
    before = (built.index.parent / "twin" / "02_model.html").read_text()
    kept = built.cells["02_model"][0]["source"]
    built.cells["02_model"][0]["source"] = kept + "\nSee {numref}`fig-nowhere`.\n"
    built.write_sources()
    try:
        for _ in ("a first build", "a second one, which must not take the pages as read"):
            with pytest.raises(BookError, match="fig-nowhere") as error:
                book.build()
    finally:
        built.cells["02_model"][0]["source"] = kept
        built.write_sources()
    assert str(built.folder) not in str(error.value)
    assert (built.index.parent / "twin" / "02_model.html").read_text() == before
    assert not list(built.index.parent.parent.rglob("*.partial*"))


def test_pages_in_a_browser(built):
    if book.find_chromium() is None:
        pytest.skip("no Chromium: install it or set PRODA_CHROMIUM")
    html = built.index.parent
    pages = browser.pages(html)
    assert len(pages) > 12
    assert browser.problems_of(html, pages) == []


def test_a_table_of_code_is_one_table_with_its_caption_and_its_style(built):
    page = (built.index.parent / "twin" / "01_data.html").read_text(encoding="utf-8")
    (table,) = re.findall(
        r'(?s)<table class="[^"]*proda-output[^"]*" id="twin-tab-.*?</table>', page
    )
    caption = re.search(
        r'(?s)<caption><span class="caption-number">Table [\d.]+ </span>.*?</', table
    )
    assert caption and "Carbon of 1406" in caption[0]
    assert table.count("<thead") == table.count("<tbody") == 1
    assert "#T_wide_row0_col0" in page and 'id="T_wide"' in page
    other = (built.index.parent / "twin" / "02_model.html").read_text(encoding="utf-8")
    assert re.search(r'href="01_data.html#twin-tab-layers"><span[^>]*>Table [\d.]+</span>', other)


def test_the_search_works_from_the_files(built):
    if book.find_chromium() is None:
        pytest.skip("no Chromium: install it or set PRODA_CHROMIUM")
    found = browser.found_by_search(built.index.parent, "cryoturbation")
    assert any("glossary.html" in page for page in found)


def test_every_chapter_can_be_downloaded_without_and_with_solutions(built):
    html = built.index.parent
    for study in book_toy.INFOS:
        for chapter in CHAPTERS:
            page = (html / study / f"{chapter}.html").read_text(encoding="utf-8")
            links = re.findall(r'href="\.\./(_downloads/[^"]+\.ipynb)"', page)
            texts = [(html / link).read_text(encoding="utf-8") for link in links]
            assert [Path(link).stem for link in links] == [chapter, f"{chapter}_solutions"]
            assert [json.loads(text)["cells"] != [] for text in texts] == [True, True]
            assert ["# Solution" in text for text in texts] == [False, chapter == "02_model"]
            assert all(f'study: str = \\"{study}\\"' in text for text in texts)
            assert all("{numref}" not in text for text in texts)


def test_the_browser_finds_what_is_wrong(tmp_path):
    if book.find_chromium() is None:
        pytest.skip("no Chromium: install it or set PRODA_CHROMIUM")
    page = tmp_path / "bad.html"
    page.write_text(
        "<article><img src='none.png'><figure><img src='none.png' alt='x'></figure>"
        "<div class='cell_output'><table></table></div><table class='proda-output'></table>"
        "<p>{value}`a`</p><a href='gone.html'>x</a><div style='width:3000px'>wide</div>"
        "<script src='https://example.invalid/x.js'></script></article>"
    )
    found = "\n".join(browser.problems_of(tmp_path))
    for problem in (
        "no alt text",
        "did not load",
        "no caption",
        "table  has no number",
        "outside a numbered table",
        "unresolved text",
        "gone.html",
        "sideways",
        "asks for https://example.invalid",
        "no title",
    ):
        assert problem in found


def test_no_chromium_is_said_clearly(tmp_path, monkeypatch):
    monkeypatch.setattr(book, "find_chromium", lambda: None)
    with pytest.raises(BookError, match="PRODA_CHROMIUM"):
        book._print(tmp_path / "intro.html", tmp_path / "book.pdf")


def test_formulas_need_no_network():
    loader = (Path(book.__file__).parents[2] / "_config.yml").read_text()
    assert "cdn" not in loader.lower() and "mathjax_path: ../mathjax/startup.js" in loader
