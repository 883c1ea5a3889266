"""What a chapter is made from, as hashes with names: its code and the modules that it uses.

Prose, comments and docstrings do not count: only what can change a result.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from proda_lib.files import sha256, text_hash
from proda_lib.reproduce.parameters_cell import code_cells

__all__ = ["modules_of", "notebook_hash"]

#: Modules that bring files from one place to another and cannot change a number.
_PLUMBING = {"files", "paths", "studies.download", "studies.store"}


def notebook_hash(notebook: Path) -> str:
    """Return the hash of a notebook's code cells, without its parameters cell and its prose.

    The ids of the cells belong to it, because the book joins outputs and prose by them.
    """
    cells = [cell for cell in code_cells(notebook) if "parameters" not in cell["tags"]]
    return text_hash(*(f"{cell['id']}\n{cell['source'].rstrip()}" for cell in cells))


def modules_of(notebook: Path, package: Path, studies: tuple[str, ...] = ()) -> dict[str, str]:
    """Return the library files that a notebook uses, directly or not, with their hashes.

    Follows all import statements, also those inside functions, and takes the vendored data whose
    file or folder a source names (a matplotlib style, outlines for maps).

    Parameters
    ----------
    notebook : Path
    package : Path
        Folder of the library.
    studies : tuple of str
        Names of the studies. Where only `studies` itself imports a study's module, the module is
        left out: the key of the data stands for it, and a change of one study must not make the
        chapters of another stale.

    Returns
    -------
    dict of str to str
        File within the repository, such as "proda_lib/matrices.py", to hash.
    """
    own = tuple(f"{package.name}.studies.{study}" for study in studies)
    code = "\n".join(_without_magics(cell["source"]) for cell in code_cells(notebook))
    waiting = set(_imports(code, "", package.name))
    sources = [code]
    modules: dict[str, Path] = {}
    while waiting:
        name = waiting.pop()
        file = _module_file(name, package)
        if file is None or name in modules or name.removeprefix(f"{package.name}.") in _PLUMBING:
            continue
        modules[name] = file
        source = file.read_text(encoding="utf-8")
        found = _imports(source, _home(name, file), package.name)
        if name.startswith(f"{package.name}.studies"):
            found = (other for other in found if not other.startswith(own))
        else:
            sources.append(source)
        waiting.update(found)
    files = set(modules.values()) | set(_vendored(package, "\n".join(sources)))
    return {
        file.relative_to(package.parent).as_posix(): _file_hash(file, file.stat().st_mtime_ns)
        for file in sorted(files)
    }


def _without_magics(source: str) -> str:
    return "\n".join("" if line.lstrip()[:1] in {"%", "!"} else line for line in source.split("\n"))


def _imports(source: str, home: str, package: str) -> Iterator[str]:
    """Yield the absolute names of what a source imports from the package, and their parents.

    `home` is the package of the module, from which relative imports count. What does not parse
    imports nothing here; it fails, with its line, where it is run.
    """
    try:
        tree = ast.parse(source)
    except SyntaxError:
        return
    for node in ast.walk(tree):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            above = home.split(".")[: len(home.split(".")) - node.level + 1] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            names = [f"{base}.{alias.name}" for alias in node.names]
        for name in names:
            parts = name.split(".")
            if parts[0] == package:
                yield from (".".join(parts[:end]) for end in range(1, len(parts) + 1))


def _home(name: str, file: Path) -> str:
    return name if file.name == "__init__.py" else name.rpartition(".")[0]


def _module_file(name: str, package: Path) -> Path | None:
    """Return the file of a module, None if the name is that of a function or a class."""
    path = package.parent.joinpath(*name.split("."))
    for file in (path / "__init__.py", path.with_suffix(".py")):
        if file.is_file():
            return file
    return None


def _vendored(package: Path, source: str) -> Iterator[Path]:
    """Yield the data files of the package and of data/ that a source names.

    Those of studies are left out: the key of the data stands for them.
    """
    data = package.parent / "data"
    for file in (*package.rglob("*"), *data.rglob("*")):
        own = file.is_relative_to(package / "studies") or file.suffix in {".py", ".pyc", ".md"}
        if file.is_file() and not own:
            folder = file.parent.name if file.parent not in (package, data) else ""
            if file.name in source or (folder and f'"{folder}"' in source):
                yield file


@lru_cache(maxsize=512)
def _file_hash(file: Path, _changed: int) -> str:
    """Hash a data file's content, or a module's code without comments and docstrings."""
    if file.suffix != ".py":
        return sha256(file)[:16]
    source = file.read_text(encoding="utf-8")
    try:
        tree = ast.parse(source)
    except SyntaxError:
        return text_hash(source)
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            first = body[0] if body else None
            if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
                node.body = body[1:]
    return text_hash(ast.unparse(tree))
