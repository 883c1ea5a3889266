"""Which files of the library a piece of code uses, and what they say, as hashes.

Only what can change a result counts: not comments, docstrings or formatting, and not the modules
that bring files from one place to another.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from proda_lib.files import sha256, text_hash

__all__ = ["used_files"]

#: Modules that cannot change a number, by their name within the package.
_PLUMBING = {
    "code_hash",
    "files",
    "lessons",
    "nearest",
    "parts",
    "paths",
    "progress",
    "workers",
} | {f"studies{name}" for name in ("", ".download", ".resume", ".store", ".study")}


class _Code(NamedTuple):
    """What a source says: its hash, the names it imports, the last parts of paths in its texts."""

    hash: str
    imports: frozenset[str]
    words: frozenset[str]


def used_files(code: str, package: Path) -> dict[str, str]:
    """Return the library files that a code uses, directly or not, with their hashes.

    Follows every import statement, also those inside functions. Vendored data count where a source
    names the file or the folder that it lies in ("outlines"): data beside the module, and those of
    the repository's folder `data`.

    Parameters
    ----------
    code : str
        Python source; what does not parse uses nothing here, and fails where it is run.
    package : Path
        Folder of the library.

    Returns
    -------
    dict of str to str
        File within the repository, such as "proda_lib/matrices.py", to hash.

    Examples
    --------
    >>> from proda_lib import paths
    >>> list(used_files("from proda_lib.soil_grid import CLM5", paths.package()))
    ['proda_lib/__init__.py', 'proda_lib/soil_grid.py']
    """
    data = package.parent / "data"
    start = _parse(code, "", package.name)
    hashes = {file: sha256(file)[:16] for file in _named(start.words, data)}
    waiting = set(start.imports)
    while waiting:
        name = waiting.pop()
        file = _module_file(name, package)
        if file is None or file in hashes or name.removeprefix(f"{package.name}.") in _PLUMBING:
            continue
        module = _parse_file(file, _home(name, file), package.name, file.stat().st_mtime_ns)
        hashes[file] = module.hash
        waiting |= module.imports
        for folder in (file.parent, data):
            hashes |= {found: sha256(found)[:16] for found in _named(module.words, folder)}
    return {file.relative_to(package.parent).as_posix(): hashes[file] for file in sorted(hashes)}


@lru_cache(maxsize=512)
def _parse_file(file: Path, home: str, package: str, _changed: int) -> _Code:
    return _parse(file.read_text(encoding="utf-8"), home, package)


def _parse(source: str, home: str, package: str) -> _Code:
    try:
        tree = ast.parse(source)
    except SyntaxError:
        return _Code(text_hash(source), frozenset(), frozenset())
    imports = frozenset(_imports(tree, home, package))
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            if ast.get_docstring(node, clean=False) is not None:
                node.body = node.body[1:] or [ast.Pass()]
    texts = (node.value for node in ast.walk(tree) if isinstance(node, ast.Constant))
    words = {text.rpartition("/")[2] for text in texts if isinstance(text, str)}
    return _Code(text_hash(ast.unparse(tree)), imports, frozenset(words))


def _imports(tree: ast.AST, home: str, package: str) -> Iterator[str]:
    """Yield the absolute names of what is imported from the package, and their parents.

    `home` is the package of the module, from which relative imports count.
    """
    for node in ast.walk(tree):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            above = home.split(".")[: len(home.split(".")) - node.level + 1] if node.level else []
            base = [*above, *([node.module] if node.module else [])]
            names = [".".join([*base, alias.name]) for alias in node.names]
        for name in names:
            parts = name.split(".")
            if parts[0] == package:
                yield from (".".join(parts[:end]) for end in range(1, len(parts) + 1))


def _home(name: str, file: Path) -> str:
    return name if file.name == "__init__.py" else name.rpartition(".")[0]


def _module_file(name: str, package: Path) -> Path | None:
    """Return the file of a module, None if the name is that of a function or a class."""
    path = package.parent.joinpath(*name.split("."))
    candidates = (path / "__init__.py", path.with_suffix(".py"))
    return next((file for file in candidates if file.is_file()), None)


def _named(words: frozenset[str], folder: Path) -> Iterator[Path]:
    """Yield the data files in a folder, or one folder below, that are named among the words."""
    for file in (*folder.glob("*.*"), *folder.glob("*/*.*")):
        if file.suffix in {".py", ".pyc", ".md"}:
            continue
        if file.name in words or (file.parent != folder and file.parent.name in words):
            yield file
