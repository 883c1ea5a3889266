"""Rules of the lesson format, and what in a chapter breaks them.

Cells are told apart by their tags: `lesson`, `exercise`, `solution`, `check`, `summary`.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from typing import Any

from proda_lib.reproduce import answers, cell_names

__all__ = ["TAGS", "faults", "is_for", "is_lesson", "tagged"]

Cell = dict[str, Any]

#: Tags of the lesson format, and the kinds of cells that bear them.
TAGS = {
    "lesson": {"markdown"},
    "exercise": {"markdown"},
    "solution": {"code", "markdown"},
    "check": {"code"},
    "summary": {"markdown"},
}
#: Exercises that a chapter has at least.
_EXERCISES = 2


def tagged(cell: Cell, tag: str) -> bool:
    """Tell whether a cell bears a tag."""
    return tag in cell["metadata"].get("tags", [])


def is_for(cell: Cell, study: str) -> bool:
    """Tell whether a study has a cell: all have it, unless tags `only:<study>` name others.

    Examples
    --------
    >>> is_for({"metadata": {"tags": ["only:twin"]}}, "newyork"), is_for({"metadata": {}}, "twin")
    (False, True)
    """
    tags = cell["metadata"].get("tags", [])
    named = {tag.removeprefix("only:") for tag in tags if tag.startswith("only:")}
    return not named or study in named


def is_lesson(cells: Sequence[Cell]) -> bool:
    """Tell whether a chapter is written in the lesson format: it has a box of what it teaches."""
    return any(tagged(cell, "lesson") for cell in cells)


def faults(cells: Sequence[Cell]) -> list[str]:
    """Return what in a chapter breaks the rules of the lesson format, one line each.

    Parameters
    ----------
    cells : sequence of dict
        Cells of the notebook, each source one text.
    """
    wrong = [*_of_kinds(cells), *_of_marks(cells), *_of_heads(cells), *_of_answers(cells)]
    if is_lesson(cells):
        wrong += [*_of_frame(cells), *_of_exercises(cells)]
    return wrong


def _of_kinds(cells: Sequence[Cell]) -> Iterator[str]:
    for cell in cells:
        for tag, kinds in TAGS.items():
            if tagged(cell, tag) and cell["cell_type"] not in kinds:
                yield f"{_name(cell)} is tagged {tag!r}: that is for {' or '.join(kinds)} cells"


def _of_frame(cells: Sequence[Cell]) -> Iterator[str]:
    """Hold that the box comes right after the title and the summary last, each once."""
    for tag in ("lesson", "summary"):
        if (number := sum(tagged(cell, tag) for cell in cells)) != 1:
            yield f"{number} cells are tagged {tag!r}: tag one"
    if not tagged(cells[1], "lesson"):
        yield "the cell tagged 'lesson' does not stand directly after the title: move it there"
    if not tagged(cells[-1], "summary"):
        yield "the last cell is not tagged 'summary': end with it"
    for cell in cells:
        if tagged(cell, "summary") and not cell["source"].startswith("## Summary"):
            yield f"{_name(cell)} does not begin with '## Summary'"


def _of_exercises(cells: Sequence[Cell]) -> Iterator[str]:
    """Hold that every exercise has a solution and a check, and that there are two at least."""
    groups = _exercises(cells)
    if len(groups) < _EXERCISES:
        yield f"{len(groups)} cells are tagged 'exercise': write {_EXERCISES} exercises"
    for exercise, group in groups:
        kinds = {
            tag
            for tag in ("solution", "check")
            if any(tagged(cell, tag) and cell["cell_type"] == "code" for cell in group)
        }
        for tag in ("solution", "check"):
            if tag not in kinds:
                yield f"{_name(exercise)} has no code cell tagged {tag!r} behind it: write one"


def _exercises(cells: Sequence[Cell]) -> list[tuple[Cell, list[Cell]]]:
    """Return each exercise with the solution and check cells that follow it without a break."""
    groups: list[tuple[Cell, list[Cell]]] = []
    inside = False
    for cell in cells:
        if tagged(cell, "exercise"):
            groups.append((cell, []))
            inside = True
        elif inside and (tagged(cell, "solution") or tagged(cell, "check")):
            groups[-1][1].append(cell)
        else:
            inside = False
    return groups


def _of_marks(cells: Sequence[Cell]) -> Iterator[str]:
    """Hold that marks stand in solution cells only, on the first lines of whole statements."""
    for cell in _code(cells):
        marked = answers.marked_lines(cell["source"])
        solution = tagged(cell, "solution")
        if marked and not solution:
            yield f"{_name(cell)} marks an answer, but is not tagged 'solution'"
        if solution and not marked:
            yield f"{_name(cell)} is a solution without an answer: mark one with `# answer`"
        first = {node.lineno for node in _body(cell)}
        for line in sorted(marked - first):
            yield f"{_name(cell)}, line {line}: mark the first line of a whole statement"


def _of_heads(cells: Sequence[Cell]) -> Iterator[str]:
    """Hold that the body of a marked function has lines of its own: it is left out line by line."""
    for cell in _code(cells):
        marked, lines = answers.marked_lines(cell["source"]), cell["source"].splitlines()
        for node in _body(cell):
            if not (isinstance(node, ast.FunctionDef) and answers.is_answer(node, marked)):
                continue
            # The head ends before the first statement, or before the second behind a docstring.
            if any(lines[each.lineno - 1][: each.col_offset].strip() for each in node.body[:2]):
                yield (
                    f"{_name(cell)}, line {node.lineno}: begin each statement of the function "
                    f"{node.name!r} on a line of its own"
                )


def _of_answers(cells: Sequence[Cell]) -> Iterator[str]:
    """Hold that a student's notebook runs without an answer: nothing that stays needs one."""
    given: set[str] = set()  # names that only answers give, as far as we have come
    solution: _Solution | None = None  # of the exercise at hand
    for cell in _code(cells):
        if tagged(cell, "check"):
            yield from _of_check(cell, given, solution)
            continue
        solution = _Solution(cell) if tagged(cell, "solution") else None
        before: set[str] = set()
        for node in _body(cell):
            for name in sorted(cell_names.read(node) & (given - before)):
                yield f"{_name(cell)} uses {name!r}, which the answer of an earlier exercise gives"
            before |= cell_names.bound([node])
        given -= before
        if solution is not None:
            yield from solution.faults()
            given |= solution.given


class _Solution:
    """A solution cell: the names that its answers give, and those of them that stubs give too."""

    def __init__(self, cell: Cell) -> None:
        self.cell, self.marked = cell, answers.marked_lines(cell["source"])
        nodes = [node for node in _body(cell) if answers.is_answer(node, self.marked)]
        self.given = cell_names.bound(nodes).union(*map(cell_names.changed, nodes))
        self.functions = {node.name for node in nodes if isinstance(node, ast.FunctionDef)}
        self.stubs = self.functions | {name for node in nodes for name in answers.assigned(node)}

    def faults(self) -> Iterator[str]:
        """Yield the statements without the mark that use an answer."""
        answered: set[str] = set()
        for node in _body(self.cell):
            if answers.is_answer(node, self.marked):
                answered |= cell_names.bound([node]) | cell_names.changed(node)
                continue
            for name in sorted(cell_names.read(node) & answered):
                yield (
                    f"{_name(self.cell)}, line {node.lineno}: uses the answer {name!r}, "
                    "so mark it with `# answer` as well"
                )


def _of_check(cell: Cell, given: set[str], solution: _Solution | None) -> Iterator[str]:
    """Hold that the first argument of `check` alone is an answer, of the solution before."""
    stubs = solution.stubs if solution else set()
    for node in _body(cell):
        checked = _checked(node, solution.functions if solution else set())
        for name in sorted(cell_names.read(node, checked) & given):
            yield (
                f"{_name(cell)} uses the answer {name!r} in another way than as the first "
                "argument of check"
            )
        for name in sorted({part.id for part in checked} & (given - stubs)):
            yield (
                f"{_name(cell)} checks {name!r}, which a student's notebook does not have: "
                "assign it in a marked statement of the solution before"
            )


def _checked(node: ast.stmt, functions: set[str]) -> list[ast.Name]:
    """Return the names in the first argument of `check`: answers, and functions that are called."""
    call = node.value if isinstance(node, ast.Expr) else None
    if not (isinstance(call, ast.Call) and ast.unparse(call.func) == "check" and call.args):
        return []
    first = call.args[0]
    parts = first.elts if isinstance(first, ast.Tuple | ast.List) else [first]
    called = [part.func for part in parts if isinstance(part, ast.Call)]
    bare = [part for part in parts if isinstance(part, ast.Name)]
    return bare + [each for each in called if isinstance(each, ast.Name) and each.id in functions]


def _code(cells: Sequence[Cell]) -> list[Cell]:
    return [cell for cell in cells if cell["cell_type"] == "code"]


def _body(cell: Cell) -> list[ast.stmt]:
    return ast.parse(answers.code_of(cell["source"])).body


def _name(cell: Cell) -> str:
    return f"cell {cell.get('id', '')!r}"
