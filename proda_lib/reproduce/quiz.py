r"""The questions at the end of a chapter: read from `book/quizzes/<notebook>.toml` and checked.

Each question has two or more choices of which exactly one is right, and says of every choice why::

    [[question]]
    text = '''What does $\xi$ do to the turnover of a pool?'''

    [[question.choice]]
    text = 'It scales it by the conditions of the soil.'
    right = true
    say = 'Temperature, water and oxygen slow decomposition down.'
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from string import ascii_lowercase
from typing import Any

from proda_lib import paths
from proda_lib.nearest import check_known

__all__ = ["Choice", "Question", "QuizError", "file_of", "load", "plain", "read"]


class QuizError(ValueError):
    """A quiz cannot be used; the message names file, question and remedy."""


@dataclass(frozen=True)
class Choice:
    """One answer to choose from: inline Markdown, and what is said to whoever chose it."""

    text: str
    say: str
    right: bool = False


@dataclass(frozen=True)
class Question:
    """A question in Markdown with its choices, exactly one of them right."""

    text: str
    choices: tuple[Choice, ...]


def file_of(notebook: str) -> Path:
    """Return the file of a chapter's questions, whether there is one or not.

    Examples
    --------
    >>> file_of("01_data").parts[-3:]
    ('book', 'quizzes', '01_data.toml')
    """
    return paths.book() / "quizzes" / f"{notebook}.toml"


def load(notebook: str) -> tuple[Question, ...]:
    """Return the questions of a chapter; none if it has no file of them.

    Raises
    ------
    QuizError
        As `read`.
    """
    file = file_of(notebook)
    return read(file.read_text(encoding="utf-8"), notebook) if file.exists() else ()


def read(text: str, name: str) -> tuple[Question, ...]:
    r"""Return the questions that a TOML text holds.

    Parameters
    ----------
    text : str
    name : str
        Name of the notebook, for the message.

    Raises
    ------
    QuizError
        At the first mistake: a name that does not exist, a text that is missing, fewer than two
        choices or more than there are letters, not exactly one of them right.

    Examples
    --------
    >>> read("[[question]]\ntext = 'Why?'\nchoices = []", "01_data")
    Traceback (most recent call last):
    proda_lib.reproduce.quiz.QuizError: quiz 01_data, question 1: unknown name 'choices': did you
    mean 'choice'? There are: text, choice
    """
    where = f"quiz {name}"
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise QuizError(f"{where}: it is not TOML: {error}") from None
    _check_names(content, ("question",), where)
    questions = _tables(content, "question", where)
    if not questions:
        raise QuizError(f"{where}: there is no question: begin one with [[question]]")
    return tuple(
        _question(table, f"{where}, question {number}")
        for number, table in enumerate(questions, start=1)
    )


def _question(table: Mapping[str, Any], where: str) -> Question:
    _check_names(table, ("text", "choice"), where)
    text = _text(table, "text", where)
    tables = _tables(table, "choice", where)
    if not 2 <= len(tables) <= len(ascii_lowercase):
        raise QuizError(
            f"{where} has {len(tables)} choices: give two to {len(ascii_lowercase)}, one for a "
            "letter, each under [[question.choice]]"
        )
    choices = tuple(
        _choice(each, f"{where}, choice {number}") for number, each in enumerate(tables, start=1)
    )
    if (right := sum(choice.right for choice in choices)) != 1:
        raise QuizError(f"{where}: {right} choices have right = true: mark exactly one")
    if len({choice.text for choice in choices}) < len(choices):
        raise QuizError(f"{where}: two choices have the same text: change one")
    return Question(text, choices)


def _choice(table: Mapping[str, Any], where: str) -> Choice:
    _check_names(table, ("text", "right", "say"), where)
    right = table.get("right", False)
    if not isinstance(right, bool):
        raise QuizError(f"{where}: right is {right!r}: write true or false")
    text, say = (" ".join(_text(table, key, where).split()) for key in ("text", "say"))
    if re.fullmatch(r"\$[^$]*\$", text):
        raise QuizError(
            f"{where}: its text is a formula alone: add a word, or write a plain number"
        )
    return Choice(text, say, right)


def _check_names(table: Mapping[str, Any], allowed: Iterable[str], where: str) -> None:
    for name in table:
        try:
            check_known("name", name, allowed)
        except ValueError as error:
            raise QuizError(f"{where}: {error}") from None


def _tables(table: Mapping[str, Any], name: str, where: str) -> list[dict[str, Any]]:
    found = table.get(name, [])
    if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
        raise QuizError(f"{where}: {name!r} is not a list of tables: give each two brackets")
    return found


def _text(table: Mapping[str, Any], name: str, where: str) -> str:
    text = table.get(name, "")
    if not isinstance(text, str) or not text.strip():
        raise QuizError(f"{where}: {name!r} is missing or empty: write a text")
    return text.strip()


def plain(questions: Iterable[Question], answers: bool) -> str:
    """Return the questions as Markdown for a notebook, for a teacher with the answers.

    Examples
    --------
    >>> why = Question("Why?", (Choice("So.", "Yes.", True), Choice("No.", "No.")))
    >>> print(plain([why], answers=False))
    ## Questions
    <BLANKLINE>
    **Question 1.** Why?
    <BLANKLINE>
    - (a) So.
    - (b) No.
    """
    lines = ["## Questions"]
    for number, question in enumerate(questions, start=1):
        lines += ["", f"**Question {number}.** {question.text}", ""]
        letters = ascii_lowercase[: len(question.choices)]
        for letter, choice in zip(letters, question.choices, strict=True):
            mark = "**Right.** " if choice.right else ""
            behind = f" – {mark}{choice.say}" if answers else ""
            lines.append(f"- ({letter}) {choice.text}{behind}")
    return "\n".join(lines)
