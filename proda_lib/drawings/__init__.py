"""Drawings of the book's argument: vector graphics that follow the page's light or dark colours.

Text stays text, so that it can be searched and read aloud; boxes link to the chapters that do what
they say. `DRAWINGS` names them; a page shows one with the directive `drawing`
(`proda_lib.drawings.directive`).
"""

from collections.abc import Callable

from proda_lib.drawings.approaches import approaches
from proda_lib.drawings.column import column
from proda_lib.drawings.workflow import workflow

__all__ = ["DRAWINGS", "approaches", "column", "workflow"]

#: Every drawing by its name.
DRAWINGS: dict[str, Callable[[], str]] = {
    "approaches": approaches,
    "column": column,
    "workflow": workflow,
}
