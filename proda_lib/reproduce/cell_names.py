"""Which names a statement of a cell reads and which it binds."""

from __future__ import annotations

import ast
from collections.abc import Iterable

__all__ = ["bound", "changed", "read"]


def bound(nodes: Iterable[ast.stmt]) -> set[str]:
    r"""Return the names that statements bind, imports and functions among them.

    Examples
    --------
    >>> sorted(bound(ast.parse("import a.b as c\nd, e = [f for f in g]\ndef h(i): j = 1").body))
    ['c', 'd', 'e', 'h']
    """
    found: set[str] = set()
    for node in nodes:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            found.add(node.name)
            continue
        stored: set[str] = set()
        for part in ast.walk(node):
            if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store):
                stored.add(part.id)
            elif isinstance(part, ast.alias):
                stored.add((part.asname or part.name).partition(".")[0])
        found |= stored - _local(node)
    return found


def changed(node: ast.stmt) -> set[str]:
    """Return the names of things whose items or attributes a statement sets.

    Examples
    --------
    >>> sorted(changed(ast.parse("a[0].b = c[1]").body[0]))
    ['a']
    """
    found: set[str] = set()
    for part in ast.walk(node):
        if isinstance(part, ast.Subscript | ast.Attribute) and isinstance(part.ctx, ast.Store):
            root: ast.expr = part
            while isinstance(root, ast.Subscript | ast.Attribute):
                root = root.value
            found |= {root.id} if isinstance(root, ast.Name) else set()
    return found


def read(node: ast.stmt, but: Iterable[ast.expr] = ()) -> set[str]:
    """Return the names that a statement reads; the expressions `but` do not count.

    Examples
    --------
    >>> sorted(read(ast.parse("a += b[c] + sum(d for d in e)").body[0]))
    ['a', 'b', 'c', 'e', 'sum']
    """
    apart = {id(each) for each in but}
    found = {
        part.id
        for part in ast.walk(node)
        if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Load) and id(part) not in apart
    }
    if isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name):
        found.add(node.target.id)
    return found - _local(node)


def _local(node: ast.stmt) -> set[str]:
    """Return the names that belong to comprehensions and to arguments of functions."""
    found: set[str] = set()
    for part in ast.walk(node):
        if isinstance(part, ast.comprehension):
            found |= {each.id for each in ast.walk(part.target) if isinstance(each, ast.Name)}
        elif isinstance(part, ast.arg):
            found.add(part.arg)
    return found
