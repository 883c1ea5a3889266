"""Where everything lies. The only module that knows the layout of the repository.

Nothing depends on the current folder. Four places can be moved with environment variables:
PRODA_CACHE (downloads and made studies), PRODA_RESULTS, PRODA_BUILD and PRODA_STUDIES (your own).
"""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs

__all__ = [
    "book",
    "build",
    "cache",
    "data",
    "notebooks",
    "own_studies",
    "package",
    "parts",
    "repository",
    "results",
]


def package() -> Path:
    """Return the folder of the library."""
    return Path(__file__).resolve().parent


def repository() -> Path:
    """Return the root of the repository: the folder that holds the package folder.

    Examples
    --------
    >>> (repository() / "proda_lib" / "paths.py").exists()
    True
    """
    return package().parent


def _moved(variable: str, default: Path) -> Path:
    """Return the folder an environment variable names, else the default."""
    value = os.environ.get(variable, "").strip()
    return Path(value).expanduser().resolve() if value else default


def cache() -> Path:
    """Return the folder of downloads and made studies (PRODA_CACHE, or the platform's cache)."""
    return _moved("PRODA_CACHE", Path(platformdirs.user_cache_dir("proda")))


def results(study: str | None = None, size: str | None = None) -> Path:
    """Return the folder of results, of one study, or of one study at one size.

    Examples
    --------
    >>> results("twin", "class").parts[-2:]
    ('twin', 'class')
    """
    folder = _moved("PRODA_RESULTS", repository() / "results")
    return folder.joinpath(*(part for part in (study, size) if part))


def parts(study: str, size: str, notebook: str) -> Path:
    """Return the folder where a chapter keeps finished parts of a computation until it is done.

    Examples
    --------
    >>> parts("twin", "class", "09_all_sites").parts[-2:]
    ('parts', '09_all_sites')
    """
    return results(study, size) / "parts" / notebook


def own_studies() -> Path:
    """Return the folder of your own studies (PRODA_STUDIES, or studies/ in the repository).

    Examples
    --------
    >>> before = os.environ.pop("PRODA_STUDIES", None)
    >>> own_studies() == repository() / "studies"
    True
    >>> os.environ.update({} if before is None else {"PRODA_STUDIES": before})
    """
    return _moved("PRODA_STUDIES", repository() / "studies")


def build() -> Path:
    """Return the folder of the assembled book (PRODA_BUILD, or build/ in the repository)."""
    return _moved("PRODA_BUILD", repository() / "build")


def notebooks() -> Path:
    """Return the folder of the chapters' notebooks and their plan."""
    return repository() / "notebooks"


def book() -> Path:
    """Return the folder of the book's source."""
    return repository() / "book"


def data() -> Path:
    """Return the folder of the registry of downloads and of vendored data."""
    return repository() / "data"
