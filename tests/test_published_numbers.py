"""Published numbers beside ours: the register, where ours come from, the tables."""

from __future__ import annotations

import os
import tomllib
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from proda_lib import paths, results, studies
from proda_lib.reproduce import book, published_numbers, published_register, side_by_side
from proda_lib.reproduce.book_text import BookError
from proda_lib.reproduce.published_constants import constants
from proda_lib.reproduce.published_register import RegisterError
from proda_lib.studies import sizes
from tests import book_toy

REGISTER = published_register.read()
ROWS = [row for group in REGISTER.groups for row in group.numbers]

#: The sources are other people's texts: they are at hand only where this folder is named.
SOURCES = Path(os.environ.get("PRODA_SOURCE_TEXTS", "no-such-folder"))
TEXTS = {"chapter": "chapter37_proda.txt"}
TEXTS |= dict.fromkeys(("slides", "abstract"), "slides_and_abstract.md")


@pytest.fixture
def runs(tmp_path, monkeypatch):
    toy = book_toy.ToyBook(tmp_path, monkeypatch)
    for study in book_toy.INFOS:
        toy.run(study, "01_data")
    return book.what_has_run()


def row_of(key: str) -> published_register.PublishedNumber:
    return next(row for row in ROWS if row.key == key)


def written(tmp_path: Path, **change: object) -> Path:
    """Return a register of one row with a change."""
    row = {"what": "R²", "printed": "0.62", "value": 0.62, "unit": "–", "place": "Table 37.1"}
    row |= {"find": ["0.62"], "reason": "scores", "library": "layers"} | change
    inside = ", ".join(f"{name} = {toml(value)}" for name, value in row.items())
    file = tmp_path / "published_numbers.toml"
    file.write_text(
        '[reasons.scores]\ncan = "no"\nshort = "a"\nlong = "b"\n'
        f'[[groups]]\ntitle = "t"\nsource = "chapter"\nnumbers = [{{ {inside} }}]\n'
    )
    return file


def toml(value: object) -> str:
    return f'"{value}"' if isinstance(value, str) else str(value)


def test_the_register_is_complete_in_form():
    assert len(ROWS) > 70
    for row in ROWS:
        assert all(text.strip() for text in row.find), row.what
        assert row.place and row.printed, row.what
        assert not row.library or row.library in constants(), row.what
    assert {group.source for group in REGISTER.groups} == {"chapter", "slides", "abstract"}
    used = {row.reason for row in ROWS}
    assert used == set(REGISTER.reasons), "a reason that no number names"


def test_every_chapter_and_setting_of_the_register_exists():
    notebooks = {file.stem for file in (paths.repository() / "notebooks").glob("*.ipynb")}
    assert {row.chapter for row in ROWS if row.chapter} <= notebooks
    for row in ROWS:
        for name in filter(None, (row.setting, row.beside)):
            table, _, entry = name.partition(".")
            for size in ("smoke", "class", "paper"):
                present = entry in sizes("twin")[size][table]
                assert present, f"{row.what}: {name} at {size}"


def test_every_published_number_stands_in_its_source():
    if not all((SOURCES / name).exists() for name in TEXTS.values()):
        pytest.skip("no source texts: name their folder in PRODA_SOURCE_TEXTS")
    for group in REGISTER.groups:
        text = (SOURCES / TEXTS[group.source]).read_text(encoding="utf-8")
        for row in group.numbers:
            missing = [find for find in row.find if find not in text]
            assert not missing, f"{row.what}: {missing}"


def test_the_register_agrees_with_the_numbers_that_notebooks_print():
    def printed(name: str) -> dict:
        return tomllib.loads((paths.data() / name).read_text(encoding="utf-8"))

    chapter, world = printed("published.toml"), printed("published_global.toml")
    for name in ("default", "batch", "proda"):
        for score in ("r2", "rmse"):
            row = row_of(f"table_37_1.{name}.{score}")
            assert row.value == pytest.approx(chapter["table_37_1"][name][score], abs=0.004)
            assert str(chapter["table_37_1"][name][score]) in row.printed
    for name, total in chapter["stocks_0_to_2_m"].items():
        assert row_of(f"stocks.{name}_2m").value == total
    for name, pieces in chapter["stocks"].items():
        values = {row.rows["interval"]: row.value for row in ROWS if row.rows.get("source") == name}
        assert values.pop("0-200 cm") == sum(pieces)
        assert list(values.values()) == pieces
    pairs = {
        "ignored.full": world["explained"]["proda"],
        "ignored.default": world["explained"]["default"],
        "turnover.stock_column": world["stock"]["column"],
        "turnover.stock_1m": world["stock"]["one_metre"],
        "turnover.residence_mean": world["turnover"]["mean"],
        "turnover.residence_median": world["turnover"]["median"],
        "gradient.published_gain_A": world["gain"]["A"],
    }
    for key, one in pairs.items():
        row, half = row_of(key), one.get("half")
        assert row.value == one["value"] and (half is None or row.printed.endswith(f"± {half}"))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"valeu": 1}, r"'R²': unknown field 'valeu': did you mean 'value'"),
        ({"reason": "score"}, r"'R²': unknown reason 'score': did you mean 'scores'"),
        ({"key": "a.b", "chapter": "c"}, r"'R²' has key and library: keep one"),
        ({"library": "", "key": "a.b"}, r"'R²' lacks its chapter"),
        ({"find": "0.62"}, r"'R²': find is '0\.62': write a list of texts"),
        ({"find": []}, r"'R²': find is \[\]: write a list of texts"),
        ({"find": [0.62]}, r"'R²': find is \[0\.62\]: write a list of texts"),
    ],
)
def test_a_wrong_row_is_named(tmp_path, change, told):
    with pytest.raises(RegisterError, match=told):
        published_register.read(written(tmp_path, **change))


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('place = "Table 37.1", ', "", r"number 'R²' lacks place"),
        ('title = "t"\n', "", r"group 'without a title' lacks title"),
        ('source = "chapter"\n', "", r"group 't' lacks source"),
        ("source =", "sourc =", r"group 't': unknown field 'sourc': did you mean 'source'"),
        ("[[groups]]", "[[group]]", r"published_numbers\.toml: unknown field 'group'"),
    ],
)
def test_what_is_missing_or_misspelt_is_named(tmp_path, old, new, told):
    file = written(tmp_path)
    text = file.read_text()
    assert text.count(old) == 1
    file.write_text(text.replace(old, new))
    with pytest.raises(RegisterError, match=told):
        published_register.read(file)


def test_ours_is_looked_up_and_an_unknown_key_names_the_nearest(runs):
    row = row_of("data.sites_used")
    assert published_numbers.ours(row, runs[0]) == ("1,406", 1406.0)
    wrong = replace(row, key="data.sites_usd")
    with pytest.raises(BookError, match=r"01_data of study twin saves no .*'data\.sites_used'"):
        published_numbers.ours(wrong, runs[0])


def test_a_chapter_that_has_not_run_is_said_and_not_an_error(runs):
    found = published_numbers.ours(row_of("stocks.proda_2m"), runs[0])
    assert found == ("not run yet", None)


def test_settings_come_from_the_size_that_ran_and_constants_from_the_library(runs):
    row = next(row for row in ROWS if row.setting == "published.formal")
    size = sizes("twin")["class"]
    found = published_numbers.ours(row, runs[0])
    assert found.value == size["published"]["formal"]
    assert f"default sampler {size['exact']['formal']:,}" in found.text
    row = next(row for row in ROWS if row.library == "chapter_bottom")
    assert published_numbers.ours(row, runs[0]).text == row.printed == "151"


def test_a_setting_is_not_taken_from_the_one_beside_it_and_may_be_nothing(runs, monkeypatch):
    row = next(row for row in ROWS if row.setting == "published.formal")
    size = {"published": {"formal": 0}, "exact": {"formal": 0}}
    monkeypatch.setattr(studies, "sizes", lambda name: {"class": size})
    assert published_numbers.ours(row, runs[0]) == ("0; default sampler 0", 0.0)
    del size["published"]["formal"]
    with pytest.raises(BookError, match=r"size class of twin has no 'published\.formal'"):
        published_numbers.ours(row, runs[0])
    size |= {"published": {"formal": 3}, "exact": {}}
    assert published_numbers.ours(row, runs[0]) == ("3", 3.0)


def test_the_chapters_grid_and_weights_are_those_printed():
    for row in ROWS:
        if row.library and row.library != "depth":
            assert constants()[row.library] == pytest.approx(row.value, rel=5e-3), row.what


def test_tables_have_a_column_per_study_and_a_link_to_the_chapter(runs):
    text = published_numbers.tables(runs)
    assert "| twin (synthetic) | newyork |" in text
    assert "[1,406](newyork/01_data.ipynb)" in text
    assert "made-up profiles" in text and "26,905" in text
    assert text.count(":::{table}") == len(REGISTER.groups)


def test_a_sentence_has_the_verdict_of_every_study_that_judges_it(runs, monkeypatch):
    found = {
        "twin": {"published": ["A."], "verdict": ["holds"]},
        "newyork": {"published": ["A.", "B."], "verdict": ["fails", "holds"]},
    }
    monkeypatch.setattr(results, "load_table", lambda study, *_: pd.DataFrame(found[study]))
    ran = [replace(run.chapters[0], name="30_beside") for run in runs]
    runs = [replace(run, chapters=(each,)) for run, each in zip(runs, ran, strict=True)]
    twin, newyork = "[twin (synthetic): ]{.proda-narrow}", "[newyork: ]{.proda-narrow}"
    text = published_numbers.claims(runs)
    assert f"| A. | {twin}holds | {newyork}fails |\n| B. | {twin}– | {newyork}holds |" in text


def test_a_study_for_which_a_number_cannot_be_compared_gets_no_difference(runs):
    profiles = row_of("data.sites_used")
    for run in runs:
        reason = REGISTER.reasons[profiles.reason].of(run.info.name)
        assert "difference" not in published_numbers._cell(profiles, reason, run, runs)


def test_without_runs_the_published_numbers_stand_alone():
    assert "No study has run yet" in published_numbers.summary([])
    text = published_numbers.tables([])
    assert "| quantity | published | can they be compared? |" in text


def test_side_by_side_names_the_studies_and_says_when_there_is_one_only(runs):
    text = side_by_side.page_parts(runs)
    assert "twin (synthetic)" in text and "Nothing to compare" not in text
    assert "1,406" in text
    assert "only *twin* has run" in side_by_side.page_parts(runs[:1])
    assert "no study has run yet" in side_by_side.page_parts([])


def test_a_key_number_that_no_chapter_saves_is_named(runs):
    run = replace(runs[0], numbers={"data.sites_usd": 1})
    with pytest.raises(BookError, match=r"01_data of study twin saves no 'data\.sites_used'.*usd"):
        side_by_side.page_parts([run])
