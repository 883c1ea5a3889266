"""Lessons: checks of answers, answers left out for students, the rules every chapter keeps."""

from __future__ import annotations

import ast
import json
import re
from copy import deepcopy
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from proda_lib import paths, studies
from proda_lib.lessons import check
from proda_lib.reproduce import (
    answers,
    class_notebooks,
    class_references,
    lesson_rules,
    plan,
    quiz,
)

PROFILE = np.array([5.0, 4.0, 3.0, 2.0, 1.0])
NOTEBOOKS = sorted(paths.notebooks().glob("*.ipynb"))


def said(capsys, answer, expected, **options) -> str:
    capsys.readouterr()
    check(answer, expected, **options)
    return capsys.readouterr().out


@pytest.mark.parametrize(
    "nothing", [..., None, np.nan, "", "...", [..., ...], np.full(3, np.nan), float("nan")]
)
def test_dots_and_gaps_are_no_answer(capsys, nothing):
    for expected in (3.2, PROFILE, "clay", True, 0.0):
        assert said(capsys, nothing, expected).startswith("No answer yet: replace the dots")


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (3.2, 3.2),
        (np.float32(0.5), 0.5),
        (3.2 * (1 + 5e-7), 3.2),
        ([3.2], 3.2),
        (np.array(3.2), 3.2),
        (xr.DataArray(3.2), 3.2),
        (list(PROFILE), PROFILE),
        (pd.Series(PROFILE), PROFILE),
        ([1.0, np.nan], [1.0, np.nan]),
        (1e-7, 0.0),
        ([0.0, 5.0], [0.0, 5.0]),
        ([1e-13, 5.0], [0.0, 5.0]),
        (1406, 1406),
        (" Clay", "clay"),
        (["sand", "clay"], {"clay", "sand"}),
        ({"sand", "clay"}, ["clay", "sand"]),
        (True, np.True_),
        (np.bool_(False), False),
        ([True, False], [True, False]),
    ],
)
def test_right(capsys, answer, expected):
    assert said(capsys, answer, expected, unit="kgC m-2", hint="Think.").startswith("Right: ")


@pytest.mark.parametrize(
    ("answer", "expected", "words"),
    [
        (3200.0, 3.2, "1,000 times too large.* in kgC m-2"),
        (3.2e-6, 3.2, "1,000,000 times too small"),
        (PROFILE / 12, PROFILE, "12 times too small, as between a month and a year"),
        (100 * PROFILE, PROFILE, "100 times too large"),
        (-3.2, 3.2, "the sign is not"),
        (-PROFILE, PROFILE, "the sign is not"),
        (PROFILE[:3], PROFILE, r"shape is \(3,\), expected is \(5,\)"),
        (7.0, PROFILE, r"a single number, expected is \(5,\)"),
        (PROFILE, 7.0, r"\(5,\), expected is a single number"),
        (np.arange(6.0).reshape(2, 3), np.arange(6.0).reshape(2, 3).T, "other way round"),
        (PROFILE[::-1], PROFILE, "reversed order"),
        (PROFILE[[0, 2, 1, 3, 4]], PROFILE, "their order is not"),
        (3.23, 3.2, "close, but 0.94 % off"),
        (9.0, 3.2, "9 kgC m-2 is too large"),
        (0.0, 3.2, "0 kgC m-2 is too small"),
        (0.5, 0.0, "0.5 kgC m-2 is too large"),
        (PROFILE + [0, 0, 9, 0, 0], PROFILE, "1 of 5 values differ, the first at index 2"),
        ([1.0, np.nan], [1.0, 2.0], "1 of 2 values are not finite"),
        (np.inf, 3.2, "not finite"),
        ("3.2", 3.2, "this is text"),
        (True, 3.2, "True or False"),
        (3.2 + 1j, 3.2, "complex"),
        (1, True, "True or False"),
        (True, False, "other way round"),
        ("clai", "clay", "spelling"),
        ("rock", "clay", "'rock' is not the right word"),
        (["sand", "clay"], ["clay", "sand"], "order is not"),
        (["sand"], ["clay", "sand"], "2 words are expected, these are 1"),
        (5, "clay", "text is expected"),
        ([True, True], [True, False], "1 of 2 values differ"),
        ([5e-5, 5.0], [0.0, 5.0], "1 of 2 values differ, .* which is too large"),
        ([5e-5, 5.02], [0.0, 5.0], "2 of 2 values differ, .* which is too large"),
    ],
)
def test_not_yet_says_what_the_mistake_looks_like(capsys, answer, expected, words):
    text = said(capsys, answer, expected, unit="kgC m-2", hint="Mind the layers.")
    assert re.match(f"Not yet: .*{words}", text), text
    assert text.endswith("Mind the layers.\n") and len(text.splitlines()) == 1


def test_a_number_without_a_unit_has_none_in_any_message(capsys):
    for answer in (3.2, 3200.0, 3.23, 9.0):
        assert not re.search(r"in 1\b| 1[ .:;]", said(capsys, answer, 3.2, unit="1")), answer


def test_the_tolerance_of_a_zero_is_rounding_noise(capsys):
    largest, rtol = 100.0, 1e-2
    for share, word in ((0.9e-6, "Right"), (1.1e-6, "Not yet")):
        given = [share * rtol * largest, largest * (1 + 0.9 * rtol)]
        assert said(capsys, given, [0.0, largest], rtol=rtol).startswith(word)
    assert said(capsys, [0.9 * rtol, 0.0], [0.0, 0.0], rtol=rtol).startswith("Right")


def test_the_expected_value_is_never_given_away(capsys):
    for wrong in (1.0, 3.3, 99.0, -3.21987, 3219.87, [1.0, 2.0], "x", None):
        assert "3.2" not in said(capsys, wrong, 3.21987).replace("3.3", "").replace("3,2", "")


class Broken:
    """Raises at whatever is asked of it."""

    def __array__(self, *given, **options):
        raise RuntimeError("broken")

    def __eq__(self, other):
        raise RuntimeError("broken")

    __hash__ = None


@pytest.mark.parametrize(
    "odd",
    [Broken(), object(), {"a": 1}, print, int, [[1], [2, 3]], [], (), set(), np.array("x"), b"x",
     [Broken()], iter([1]), xr.Dataset({"a": 1}), pd.DataFrame({"a": ["x"]}), np.array([None, 1])],
)  # fmt: skip
def test_no_value_of_a_student_raises(capsys, odd):
    for expected in (3.2, PROFILE, "clay", ["a", "b"], True):
        text = said(capsys, odd, expected, hint="Think.")
        assert text.startswith(("Not yet: ", "No answer yet: ")), text


SOLUTION = '''\
site = sites.isel(site=0)
total, (mean, *rest) = parts(  # answer
    site, "a # answer in a text"
)
for month in range(12):  # answer
    total += month
@cache
def share(x: float) -> float:  # answer
    """Return it."""
    return x / total
def each(x: float) -> float:  # answer
    @cache
    def half() -> float:
        return x / 2
    return half()
total = total / 12  # answer
label = "carbon"'''

STRIPPED = '''\
site = sites.isel(site=0)
total = ...  # your answer
mean = ...  # your answer
rest = ...  # your answer
@cache
def share(x: float) -> float:
    """Return it."""
    ...  # your answer
def each(x: float) -> float:
    ...  # your answer
label = "carbon"'''


def test_what_a_student_gets_of_a_solution():
    assert answers.stripped(SOLUTION) == STRIPPED
    assert answers.stripped(STRIPPED) == STRIPPED
    assert answers.stripped("plot(x)  # answer") == answers.STUB
    assert answers.stripped(answers.STUB) == answers.STUB


def test_the_book_shows_a_solution_without_marks():
    text = answers.shown(SOLUTION)
    assert ast.dump(ast.parse(text)) == ast.dump(ast.parse(SOLUTION))
    assert "# answer\n" not in text and '"a # answer in a text"' in text


def cell(kind: str, source: str, *tags: str) -> dict:
    return {"cell_type": kind, "id": f"c{abs(hash(source)) % 999}", "source": source,
            "metadata": {"tags": list(tags)}}  # fmt: skip


def lesson(*middle: dict) -> list[dict]:
    """Return a chapter in the lesson format with two exercises, and cells put before the end."""
    cells = [cell("markdown", "# Title"), cell("markdown", "**You will learn**", "lesson")]
    for name in ("a", "b"):
        cells += [
            cell("markdown", f"**Exercise {name}.**", "exercise"),
            cell("code", f"base = 1\n{name} = base + 1  # answer", "solution"),
            cell("markdown", f"So {name}.", "solution"),
            cell("code", f"check({name}, 2, hint='Add.')", "check"),
        ]
    return [*cells, *middle, cell("markdown", "## Summary", "summary")]


def changed(number: int, **change) -> list[dict]:
    cells = lesson()
    cells[number] = cells[number] | change
    return cells


def test_a_chapter_as_it_should_be():
    assert lesson_rules.faults(lesson()) == []
    assert lesson_rules.faults(lesson(cell("code", "a = 3\nprint(a)"))) == []
    assert lesson_rules.faults(lesson(cell("code", "c = [b for b in range(3)]"))) == []


@pytest.mark.parametrize(
    ("cells", "words"),
    [
        (lesson(cell("code", "print(a)")), "uses 'a', which the answer of an earlier"),
        (lesson(cell("code", "a += 1")), "uses 'a'"),
        (lesson(cell("code", "def f():\n    return b")), "uses 'b'"),
        (changed(7, source="b = a + 1  # answer"), "uses 'a'"),
        (changed(3, source="a = 2  # answer\nprint(a)"), "line 2: uses the answer 'a'"),
        (changed(3, source="d['x'] = 1  # answer\nprint(d)\na = 2  # answer"), "answer 'd'"),
        (changed(5, source="check(a + 1, 3)"), "another way"),
        (changed(5, source="check(a, a)"), "another way"),
        (changed(5, source="print(a)"), "another way"),
        (changed(9, source="check(a, 2)"), "'a', which a student's notebook does not have"),
        (changed(3, source="for a in [2]:  # answer\n    pass"), "does not have"),
        (changed(3, source="a = 2"), "without an answer"),
        (changed(3, source="if True:\n    a = 2  # answer"), "line 2: mark the first line"),
        (changed(3, source="def a(x): return 2 * x  # answer"), "line 1: begin each statement"),
        (
            changed(3, source="def a(  # answer\n    x\n):\n    'Double.'; return 2 * x"),
            "line 1: begin each statement of the function 'a' on a line of its own",
        ),
        (lesson(cell("code", "z = 2  # answer")), "not tagged 'solution'"),
        (changed(4, metadata={"tags": ["check"]}), "that is for code"),
        (changed(5, metadata={"tags": []}), "no code cell tagged 'check'"),
        (changed(3, metadata={"tags": []}), "no code cell tagged 'solution'"),
        (changed(2, metadata={"tags": []}), "1 cells are tagged 'exercise'"),
        (changed(-1, metadata={"tags": []}), "0 cells are tagged 'summary'"),
        (changed(-1, source="The end"), "does not begin with '## Summary'"),
        (lesson()[:1] + lesson()[2:3] + lesson()[1:2] + lesson()[3:], "directly after the title"),
        ([*lesson(), cell("markdown", "Next")], "the last cell is not tagged"),
    ],
)
def test_what_breaks_the_rules(cells, words):
    found = "\n".join(lesson_rules.faults(cells))
    assert words in found, found


def source_of(file: Path) -> dict:
    notebook = json.loads(file.read_text(encoding="utf-8"))
    for each in notebook["cells"]:
        each["source"] = "".join(each["source"])
    return notebook


@pytest.mark.parametrize("file", NOTEBOOKS, ids=lambda file: file.stem)
def test_every_chapter_keeps_the_rules(file):
    cells = source_of(file)["cells"]
    assert lesson_rules.faults(cells) == []
    if lesson_rules.is_lesson(cells):
        text = "\n".join(each["source"] for each in cells if each["cell_type"] == "markdown")
        for part in (
            "**You will learn**",
            "**You need**",
            "**Time**",
            "**Predict.**",
            "**Compare.**",
        ):
            assert part in text, f"{part} is missing"
        assert len(quiz.load(file.stem)) >= 3, f"{quiz.file_of(file.stem).name} asks too little"


@pytest.mark.parametrize("file", NOTEBOOKS, ids=lambda file: file.stem)
def test_a_student_gets_everything_but_the_answers(file):
    source = source_of(file)
    student = class_notebooks.for_class(source, "student", "twin", {})
    again = class_notebooks.for_class(student, "student", "twin", {})
    assert again == student
    kept = {each["id"]: each for each in student["cells"]}
    for each in source["cells"]:
        code, solution = each["cell_type"] == "code", lesson_rules.tagged(each, "solution")
        if (tags := str(each["metadata"].get("tags"))).count("only:") and "only:twin" not in tags:
            assert each["id"] not in kept
        elif not code:
            assert (each["id"] in kept) != solution
        else:
            text = "".join(kept[each["id"]]["source"])
            compile(answers.code_of(text), file.stem, "exec")
            assert not answers.marked_lines(text)
            assert solution or text == each["source"]
            ours = [line for line in text.splitlines() if answers.STUB not in line]
            assert not solution or set(ours) <= set(answers.shown(each["source"]).splitlines())
    teacher = class_notebooks.for_class(source, "teacher", "twin", {})
    assert len(teacher["cells"]) >= len(student["cells"])


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Move what is made into a folder of its own, with numbers of the first chapter."""
    monkeypatch.setenv("PRODA_BUILD", str(tmp_path / "build"))
    monkeypatch.setenv("PRODA_RESULTS", str(tmp_path / "results"))
    numbers = tmp_path / "results" / "newyork" / "class" / "numbers"
    numbers.mkdir(parents=True)
    (numbers / "01_data.json").write_text('{"data.sites_used": 1401}')
    return tmp_path / "build" / "class"


def test_notebooks_of_a_class(folder):
    import nbformat

    made, count = class_notebooks.write("newyork", "class")
    chapters = [c for c in plan.chapters() if c.treats(studies.info("newyork"))]
    assert {"05_truth", "06_ten_layers"}.isdisjoint(c.notebook for c in chapters)
    assert made == folder and count == len(chapters)
    for kind in ("student", "teacher"):
        files = sorted((folder / kind).glob("*.ipynb"))
        assert [file.stem for file in files] == sorted(chapter.notebook for chapter in chapters)
        for file in files:
            nbformat.validate(nbformat.read(file, as_version=4))
            text = "\n".join(each["source"] for each in source_of(file)["cells"])
            assert "{value}`" not in text.replace("``{value}`", "") and "% only" not in text
            assert not re.search(
                r"\{(numref|eq|ref|cite[:pt]*)\}`|\(eq-[a-z-]+\)|\*(fig|tab)-", text
            )
        first = source_of(folder / kind / "01_data.ipynb")["cells"]
        text = "\n".join(each["source"] for each in first)
        assert "1,401 profiles with … observations" in text
        assert 'study: str = "newyork"' in text and "made up" not in text
        assert "**Question 3.**" in text
        assert ("# Solution" in text) == ("**Right.**" in text) == (kind == "teacher")


def test_every_source_has_names_and_a_year():
    sources = [line for line in (paths.book() / "references.bib").read_text().splitlines()
               if line.startswith("@")]  # fmt: skip
    keys = [line.partition("{")[2].rstrip(", ") for line in sources]
    assert len(keys) > 20
    for key in keys:
        text = class_references.in_words(f"{{cite:p}}`{key}`", {})
        assert re.fullmatch(r"\([A-Z][^,]+, \d{4}\)", text), text
    with pytest.raises(ValueError, match=f"did you mean '{keys[0]}'"):
        class_references.in_words(f"{{cite}}`{keys[0]}x`", {})


def test_figures_and_tables_of_a_notebook_are_counted_where_it_stands_alone():
    shown = {"figure": {"name": "fig-a", "caption": "As {numref}`tab-b`, see {cite:t}`xia2012`."}}
    table = {"table": {"name": "tab-b", "caption": "Carbon."}}
    cells = [
        {"cell_type": "code", "id": name, "source": "1", "metadata": {"mystnb": each}}
        for name, each in (("a", shown), ("b", table))
    ]
    made = class_notebooks.for_class({"cells": cells}, "student", "twin", {})["cells"]
    assert ["".join(each["source"]) for each in made] == [
        "1", "Figure 1. As Table 1, see Xia et al. (2012).", "1", "Table 1. Carbon.",
    ]  # fmt: skip
    assert class_references.in_words("{eq}`eq-nowhere`", {}) == "*eq-nowhere*"


def test_somebodys_work_is_not_overwritten(folder):
    class_notebooks.write("twin", "class")
    class_notebooks.write("twin", "class")
    file = folder / "student" / "02_matrix_model.ipynb"
    work = deepcopy(source_of(file))
    work["cells"][0]["source"] = "mine"
    file.write_text(json.dumps(work))
    with pytest.raises(ValueError, match=r"02_matrix_model.ipynb has been changed"):
        class_notebooks.write("twin", "class")
    assert "mine" in file.read_text()
    file.rename(folder.parent / "mine.ipynb")
    class_notebooks.write("twin", "class")
    (folder / "student" / "notes.txt").write_text("mine")
    with pytest.raises(ValueError, match=r"notes.txt has been changed or added"):
        class_notebooks.write("twin", "class")


def test_a_broken_chapter_leaves_the_notebooks_as_they_were(folder, monkeypatch):
    class_notebooks.write("twin", "class")
    before = {file: file.read_bytes() for file in folder.rglob("*.ipynb")}

    def fail(text: str, name: str) -> None:
        raise quiz.QuizError("broken")

    monkeypatch.setattr(quiz, "read", fail)
    with pytest.raises(quiz.QuizError):
        class_notebooks.write("newyork", "class")
    assert before == {file: file.read_bytes() for file in folder.rglob("*.ipynb")}
    assert not list(folder.parent.rglob("*.partial*"))


def test_an_unknown_study_is_named_with_the_nearest(folder, capsys):
    from proda_lib import cli

    assert cli.main(["class", "--study", "newyrok"]) == 1
    assert "did you mean 'newyork'" in capsys.readouterr().err
    assert not folder.exists()


def test_an_unknown_size_is_named_with_the_nearest_and_replaces_nothing(folder, capsys):
    from proda_lib import cli

    assert cli.main(["class", "--study", "newyork", "--size", "clas"]) == 1
    said = capsys.readouterr().err
    assert "unknown size of study newyork 'clas': did you mean 'class'" in said
    assert not folder.exists()


def test_the_first_chapter_runs_by_hand_with_and_without_answers(folder):
    import contextlib
    import io

    import matplotlib.pyplot as plt

    plt.switch_backend("Agg")
    class_notebooks.write("twin", "class")
    for kind, word in (("student", "No answer yet"), ("teacher", "Right: ")):
        printed, names = io.StringIO(), {}
        with contextlib.redirect_stdout(printed):
            for each in source_of(folder / kind / "01_data.ipynb")["cells"]:
                if each["cell_type"] == "code":
                    code = each["source"].replace('size: str = "class"', 'size: str = "smoke"')
                    exec(compile(code, each["id"], "exec"), names)
        plt.close("all")
        assert [line[: len(word)] for line in printed.getvalue().splitlines()] == [word, word]
