"""How a lesson looks in the book: its box, folded solutions, questions that mark themselves.

Questions are Markdown between pieces of HTML, so that emphasis and formulas are set as everywhere;
`quiz.js` marks them. Without a script the answers can be unfolded.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from proda_lib.reproduce import answers
from proda_lib.reproduce.book_text import BookError
from proda_lib.reproduce.lesson_rules import tagged
from proda_lib.reproduce.quiz import Question

__all__ = ["check_answered", "code_cell", "prose", "questions"]

Cell = dict[str, Any]

#: Longer than any fence of the text inside.
_FENCE = ":" * 7


def prose(cell: Cell) -> str:
    """Return a Markdown cell's text as the book shows it: the lesson's box, a folded solution.

    Examples
    --------
    >>> print(prose({"metadata": {"tags": ["solution"]}, "source": "It falls."}))
    :::::::{dropdown} What you see, and why
    :class-container: proda-solution
    <BLANKLINE>
    It falls.
    :::::::
    """
    text = str(cell["source"])
    if tagged(cell, "lesson"):
        head = [f"{_FENCE}{{admonition}} In this chapter", ":class: proda-lesson"]
    elif tagged(cell, "solution"):
        head = [f"{_FENCE}{{dropdown}} What you see, and why"]
        head.append(":class-container: proda-solution")
    else:
        return text
    return "\n".join([*head, "", text, _FENCE])


def code_cell(cell: Cell) -> None:
    """Fold a solution and leave out the marks of its answers, in place."""
    if not tagged(cell, "solution"):
        return
    cell["source"] = answers.shown(cell["source"])
    cell["metadata"]["tags"] = [*cell["metadata"]["tags"], "hide-cell"]
    cell["metadata"]["mystnb"] = cell["metadata"].get("mystnb", {}) | {
        "code_prompt_show": "Show the solution",
        "code_prompt_hide": "Hide the solution",
    }


def check_answered(cell: Cell, chapter: str) -> None:
    """Raise BookError if a check does not find the chapter's own solution right."""
    if not tagged(cell, "check"):
        return
    said = "".join("".join(output.get("text", "")) for output in cell["outputs"]).strip()
    wrong = [line for line in said.splitlines() if line.startswith(("Not yet", "No answer"))]
    if wrong or "Right:" not in said:
        raise BookError(
            f"chapter {chapter}: the check {cell.get('id', '')!r} does not find the solution right "
            f"({(wrong or ['it says nothing'])[0]}): mend the solution or the check, and run it"
        )


def questions(asked: Iterable[Question], identity: str) -> str:
    """Return the questions of a page as MyST.

    Parameters
    ----------
    asked : iterable of Question
    identity : str
        Of the page among all pages, such as "twin-01_data".
    """
    base = "quiz-" + re.sub(r"[^\w-]", "-", identity)
    parts = ["## Questions", '<div class="proda-quiz">']
    for number, question in enumerate(asked, start=1):
        parts += _question(question, f"{base}-{number}", number)
    parts += ['<p class="proda-quiz-score" role="status"></p>\n</div>']
    return "\n\n".join(parts)


def _question(question: Question, name: str, number: int) -> list[str]:
    """Return the pieces of one question: a form, its choices, the answers to unfold."""
    opening = [
        f'<form class="proda-question" id="{name}" action="#{name}">',
        f'<fieldset aria-labelledby="{name}-number {name}-text">',
        f'<legend id="{name}-number">Question {number}</legend>',
        f'<div id="{name}-text">',
    ]
    parts = ["\n".join(opening), question.text, "</div>"]
    for k, choice in enumerate(question.choices):
        box = f'<input type="radio" name="{name}" value="{k}" id="{name}-{k}">'
        parts += [
            '<div class="proda-choice">',
            f'{box} <label for="{name}-{k}">{choice.text}</label>',
            "</div>",
        ]
    button = f'<button type="submit" aria-label="Check question {number}" hidden>Check</button>'
    parts += [
        f"</fieldset>\n{button}\n"
        '<div class="proda-feedback" role="status"></div>\n'
        '<details class="proda-answers">\n<summary>All choices, and why</summary>'
    ]
    for k, choice in enumerate(question.choices):
        right = " data-right" if choice.right else ""
        word = "Right" if choice.right else "Not this"
        parts += [
            f'<div class="proda-say" data-choice="{k}"{right}>',
            f'<span class="proda-of">{choice.text}</span> **{word}.** {choice.say}',
            "</div>",
        ]
    return [*parts, "</details>\n</form>"]
