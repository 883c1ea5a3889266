"""The record beside every finished chapter: what was run, with what, when and how long.

It holds no path and no name of a user or a machine, so it can be printed in the book.
"""

from __future__ import annotations

import platform
import re
import subprocess
import tomllib
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

import proda_lib
from proda_lib import paths
from proda_lib.reproduce.plan import Step

__all__ = ["packages", "record", "version", "written"]


def version() -> str:
    """Return the version of the package, and of the repository where there is one.

    Examples
    --------
    >>> version().startswith(proda_lib.__version__)
    True
    """
    command = ["git", "describe", "--always", "--dirty", "--tags"]
    try:
        answer = subprocess.run(
            command,
            cwd=paths.repository(),
            capture_output=True,
            text=True,
            timeout=10,
            check=True,
        ).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return proda_lib.__version__
    return f"{proda_lib.__version__} ({answer})"


def packages() -> dict[str, str]:
    """Return the versions of the libraries that the project asks for.

    Examples
    --------
    >>> "numpy" in packages()
    True
    """
    project = tomllib.loads((paths.repository() / "pyproject.toml").read_text(encoding="utf-8"))
    found = {}
    for requirement in project["project"]["dependencies"]:
        name = re.split(r"[^\w.-]", requirement)[0]
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue  # not asked for on this Python
    return dict(sorted(found.items()))


def record(step: Step, seconds: float, outputs: list[str]) -> dict[str, Any]:
    """Return the record of a chapter that has just run to its end.

    Parameters
    ----------
    step : Step
    seconds : float
        Wall time, s.
    outputs : list of str
        Files that it wrote, relative to the folder of results.
    """
    return {
        "notebook": step.notebook,
        "study": step.study,
        "size": step.size,
        "version": version(),
        "data_hash": step.key["data"],
        "seconds": round(seconds, 1),
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
        "python": platform.python_version(),
        "packages": packages(),
        "parameters": step.parameters,
        "outputs": outputs,
        "key": step.key,
    }


def written(folder: Path) -> dict[str, tuple[int, int]]:
    """Return the results in a folder by name, with what changes when one is written again."""
    own = {"executed", "provenance", "logs"}
    found = {}
    for file in folder.rglob("*"):
        name = file.relative_to(folder)
        if file.is_file() and name.parts[0] not in own and name.name != "numbers.json":
            found[name.as_posix()] = (file.stat().st_mtime_ns, file.stat().st_ino)
    return found
