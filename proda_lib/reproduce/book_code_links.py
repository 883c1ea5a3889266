"""Names of the library in the prose, linked to the pages that document them."""

from __future__ import annotations

import ast
import re
from collections.abc import Collection
from functools import cache

from proda_lib import paths
from proda_lib.reproduce import book_reference

__all__ = ["link_code", "public_names"]

_NAME = re.compile(r"(?<![`}\w])`(?P<name>[a-z_]\w*(?:\.\w+)+)`(?!`)")


@cache
def public_names() -> frozenset[str]:
    """Return every name with a page: modules, and what is in their `__all__`, without importing.

    Examples
    --------
    >>> sorted({"proda_lib.matrices", "proda_lib.matrices.assemble"} & public_names())
    ['proda_lib.matrices', 'proda_lib.matrices.assemble']
    """
    found = set()
    for module, _ in book_reference.public_modules():
        file = paths.repository().joinpath(*module.split("."))
        file = file / "__init__.py" if file.is_dir() else file.with_suffix(".py")
        found.add(module)
        found.update(f"{module}.{name}" for name in _listed(file.read_text(encoding="utf-8")))
    return frozenset(found)


def _listed(source: str) -> list[str]:
    """Return the names in the `__all__` of a module."""
    for node in ast.parse(source).body:
        targets = node.targets if isinstance(node, ast.Assign) else []
        if any(isinstance(each, ast.Name) and each.id == "__all__" for each in targets):
            return list(ast.literal_eval(node.value))  # type: ignore[attr-defined]
    return []


def link_code(text: str, names: Collection[str] | None = None) -> str:
    """Link `module.function` in a text to its page, where the library has it.

    Parameters
    ----------
    text : str
    names : collection of str, optional
        Full names that have a page; by default those of the library.

    Examples
    --------
    >>> link_code("`cost.prediction`, `a_matrix.m`", {"proda_lib.cost.prediction"})
    '{py:obj}`cost.prediction <proda_lib.cost.prediction>`, `a_matrix.m`'
    """
    known = public_names() if names is None else names

    def linked(match: re.Match[str]) -> str:
        name = match["name"]
        full = f"proda_lib.{name}"
        return f"{{py:obj}}`{name} <{full}>`" if full in known else match[0]

    return _NAME.sub(linked, text)
