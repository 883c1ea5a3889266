"""Answers in the solution cells of a chapter: left out for students, shown in the book.

A statement that a student must write bears the comment `# answer` on its first line. What a student
gets instead follows from the statement alone, so the two versions cannot drift apart:

- an assignment becomes `name = ...  # your answer`;
- of a function its decorators, its head and its docstring stay;
- any other statement is left out.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator

__all__ = ["STUB", "assigned", "code_of", "is_answer", "marked_lines", "shown", "stripped"]

#: Stands in a student's notebook where an answer is to be written.
STUB = "# your answer"

_MARK = re.compile(r"#\s*answer\s*")


def marked_lines(source: str) -> set[int]:
    r"""Return the numbers (from 1) of the lines that end with `# answer`.

    Examples
    --------
    >>> sorted(marked_lines("a = 1  # answer\nb = '# answer'"))
    [1]
    """
    tokens = tokenize.generate_tokens(io.StringIO(code_of(source)).readline)
    return {
        token.start[0]
        for token in tokens
        if token.type == tokenize.COMMENT and _MARK.fullmatch(token.string)
    }


def code_of(source: str) -> str:
    r"""Return a cell's source as Python: lines of magic commands become comments.

    Examples
    --------
    >>> code_of("%matplotlib inline\nx = 1")
    '#matplotlib inline\nx = 1'
    """
    return re.sub(r"(?m)^[%!]", "#", source)


def is_answer(node: ast.stmt, marked: set[int]) -> bool:
    """Tell whether a statement bears the mark on its first line."""
    return node.lineno in marked


def assigned(node: ast.stmt) -> list[str]:
    """Return the names that an assignment gives, in order; none for any other statement.

    Examples
    --------
    >>> assigned(ast.parse("a, (b, *c) = d").body[0]), assigned(ast.parse("a[0] = 1").body[0])
    (['a', 'b', 'c'], [])
    """
    if isinstance(node, ast.Assign):
        targets = node.targets
    elif isinstance(node, ast.AnnAssign):
        targets = [node.target]
    else:
        return []
    return list(dict.fromkeys(name for target in targets for name in _names(target)))


def _names(target: ast.expr) -> Iterator[str]:
    if isinstance(target, ast.Name):
        yield target.id
    elif isinstance(target, ast.Starred):
        yield from _names(target.value)
    elif isinstance(target, ast.Tuple | ast.List):
        for each in target.elts:
            yield from _names(each)


def stripped(source: str) -> str:
    r"""Return a solution cell without its answers; without marks, the cell as it is.

    Parameters
    ----------
    source : str
        Python; its marks stand on the first lines of whole statements.

    Examples
    --------
    >>> print(stripped("litter = forcing.sum()\nstock = litter * time  # answer"))
    litter = forcing.sum()
    stock = ...  # your answer
    """
    marked = marked_lines(source)
    lines = source.splitlines()
    stubs: dict[int, list[str]] = {}
    left_out: set[int] = set()
    given: set[str] = set()
    for node in ast.parse(code_of(source)).body:
        if not is_answer(node, marked):
            continue
        first = _first_line(node)
        left_out |= set(range(first, (node.end_lineno or first) + 1))
        stubs.setdefault(first, []).extend(_stub(node, lines, given))
    kept: list[str] = []
    for number, line in enumerate(lines, start=1):
        kept += stubs.get(number, [])
        kept += [] if number in left_out else [line]
    return "\n".join(kept) if any(line.strip() for line in kept) else STUB


def _first_line(node: ast.stmt) -> int:
    """Return the number of the line on which a statement begins, its decorators included."""
    return min([node.lineno, *(each.lineno for each in getattr(node, "decorator_list", []))])


def _stub(node: ast.stmt, lines: list[str], given: set[str]) -> list[str]:
    """Return the lines that stand for an answer; a name that has been given is not given again."""
    if isinstance(node, ast.FunctionDef):
        end = _first_line(node.body[0]) - 1
        if ast.get_docstring(node) is not None:
            end = node.body[0].end_lineno or end
        head = [_MARK.sub("", line).rstrip() for line in lines[_first_line(node) - 1 : end]]
        return [*head, f"    ...  {STUB}"]
    names = [name for name in assigned(node) if name not in given]
    given |= set(names)
    return [f"{name} = ...  {STUB}" for name in names]


def shown(source: str) -> str:
    """Return a solution cell as the book shows it: all statements, without the marks.

    Examples
    --------
    >>> shown("stock = litter * time  # answer")
    'stock = litter * time'
    """
    marked = marked_lines(source)
    return "\n".join(
        re.sub(r"\s*#\s*answer\s*$", "", line) if number in marked else line
        for number, line in enumerate(source.splitlines(), start=1)
    )
