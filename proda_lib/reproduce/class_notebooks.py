"""Notebooks of a class, made from the chapters: for students without answers, for teachers with.

Both are made from the same source for one study and run by hand like the chapters. Prose that is
about other studies is left out; numbers in the prose come from the last results, and are an
ellipsis where there are none.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any

from proda_lib import paths, results, studies
from proda_lib.files import atomic, locked, sha256, text_hash
from proda_lib.nearest import check_known
from proda_lib.reproduce import answers, book_text, class_references, plan, quiz
from proda_lib.reproduce.lesson_rules import is_for, tagged
from proda_lib.results import Number

__all__ = ["KINDS", "for_class", "write"]

Notebook = dict[str, Any]

#: For whom notebooks are made, each into a folder of this name.
KINDS = ("student", "teacher")
#: Says of each file what was written, so that a change by hand is noticed.
_WRITTEN = ".written.json"
_ELLIPSIS = "…"


def write(study: str, size: str) -> tuple[Path, int]:
    """Write the notebooks of every chapter of a study, for both kinds, whole or not at all.

    Parameters
    ----------
    study : str
        Whose prose they hold, and on whose data they run.
    size : str
        Whose numbers the prose has, where the chapter has run at it.

    Returns
    -------
    Path
        The folder, with one folder for each kind.
    int
        Number of chapters.

    Raises
    ------
    ValueError
        If the study or the size does not exist, a chapter cannot be read, or a notebook written
        before has been changed since: it is somebody's work.
    """
    check_known(f"size of study {study}", size, studies.sizes(study))
    folder = paths.build() / "class"
    with locked(paths.build() / ".class.lock", "the notebooks of the class"):
        _refuse_if_changed()
        made = dict(_all(study, size))
        with atomic(folder) as temporary:
            for name, text in made.items():
                (temporary / name).parent.mkdir(parents=True, exist_ok=True)
                (temporary / name).write_text(text, encoding="utf-8")
            hashes = {name: sha256(temporary / name) for name in made}
            (temporary / _WRITTEN).write_text(json.dumps(hashes, indent=1), encoding="utf-8")
    return folder, len(made) // len(KINDS)


def _refuse_if_changed() -> None:
    """Raise ValueError if the folder holds anything but what was written into it."""
    folder = paths.build() / "class"
    record = folder / _WRITTEN
    hashes = json.loads(record.read_text(encoding="utf-8")) if record.exists() else {}
    for file in sorted(folder.rglob("*")):
        name = file.relative_to(folder).as_posix()
        hidden = any(part.startswith(".") for part in file.relative_to(folder).parts)
        if file.is_file() and not hidden and hashes.get(name) != sha256(file):
            raise ValueError(
                f"{file} has been changed or added since the notebooks were written: "
                "move it to another folder, or remove it, and try again"
            )


def _all(study: str, size: str) -> Iterator[tuple[str, str]]:
    """Yield the files of all chapters of a study: name within the folder, text."""
    numbers, about = results.load_numbers(study, size), studies.info(study)
    for chapter in plan.chapters():
        if not chapter.treats(about):
            continue
        source = json.loads(chapter.file.read_text(encoding="utf-8"))
        own = {"run.seconds": seconds} if (seconds := _seconds(study, size, chapter)) else {}
        asked = quiz.load(chapter.notebook)
        for kind in KINDS:
            made = for_class(source, kind, study, {**numbers, **own}, asked)
            text = json.dumps(made, indent=1, ensure_ascii=False)
            yield f"{kind}/{chapter.notebook}.ipynb", f"{text}\n"


def _seconds(study: str, size: str, chapter: plan.Chapter) -> float | None:
    """Return how long the last run of a chapter took, s; None if there is none."""
    record = paths.results(study, size) / "provenance" / f"{chapter.notebook}.json"
    return json.loads(record.read_text(encoding="utf-8"))["seconds"] if record.exists() else None


def for_class(
    source: Notebook,
    kind: str,
    study: str,
    numbers: Mapping[str, Number],
    asked: tuple[quiz.Question, ...] = (),
) -> Notebook:
    """Return a chapter as students or teachers get it.

    Parameters
    ----------
    source : dict
        The notebook without outputs.
    kind : {"student", "teacher"}
    study : str
    numbers : mapping
        Results by key, for the prose.
    asked : tuple of Question
        Questions of the chapter, put at the end.
    """
    made = deepcopy(source)
    shown = [cell for cell in made["cells"] if is_for(cell, study)]
    labels = class_references.numbered(shown)

    def prose(text: str) -> str:
        return class_references.in_words(_prose(text, study, numbers), labels)

    cells = []
    for cell in shown:
        text = "".join(cell["source"])
        if cell["cell_type"] == "markdown":
            text = prose(text)
        if tagged(cell, "parameters"):
            text = _with_study(text, study)
        if tagged(cell, "solution"):
            text = _solution(cell, text, kind)
        if text is not None:
            below = class_references.captions(cell)
            cell["metadata"].pop("mystnb", None)  # how the book shows it
            cells.append(cell | {"source": _lines(text)})
            cells += [_added(f"{labels[name]}. {prose(words)}", name) for _, name, words in below]
    if asked:
        cells.append(_added(prose(quiz.plain(asked, answers=kind == "teacher")), "questions"))
    return made | {"cells": cells}


def _added(text: str, name: str) -> dict[str, Any]:
    """Return a Markdown cell that the chapter does not have."""
    identity = f"{name}-{text_hash(text)[:8]}"
    return {"cell_type": "markdown", "id": identity, "metadata": {}, "source": _lines(text)}


def _solution(cell: dict[str, Any], text: str, kind: str) -> str | None:
    """Return a solution without its answers, or marked as one; None if nothing is to be shown."""
    code = cell["cell_type"] == "code"
    if kind == "student":
        return answers.stripped(text) if code else None
    return f"# Solution\n{text}" if code else f"**Solution.** {text}"


def _prose(text: str, study: str, numbers: Mapping[str, Number]) -> str:
    """Return Markdown for one study, its numbers filled in."""
    kept = book_text.keep_only(text, {study}, "the notebooks of the class")
    return book_text.fill_known(kept, numbers, _ELLIPSIS).rstrip("\n")


def _with_study(text: str, study: str) -> str:
    """Return the cell of parameters with this study as the default."""
    return re.sub(r'(?m)^(study: str = )"[^"]*"', rf'\g<1>"{study}"', text)


def _lines(text: str) -> list[str]:
    return text.splitlines(keepends=True)
