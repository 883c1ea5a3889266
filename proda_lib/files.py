"""Files written whole or not at all, and fingerprints of contents."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

__all__ = ["atomic", "git_blob", "locked", "remove_partial", "sha256", "text_hash"]

#: Part of the name of every unfinished file (git ignores these).
PARTIAL = ".partial"


@contextmanager
def atomic(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Yield a temporary path in the same folder; rename it to `path` if all went well.

    Whoever looks at `path` sees the old content or the new, never half of it. The caller may
    write a file or make a folder at the temporary path; its suffix is that of `path`.

    Parameters
    ----------
    path : path
        The final place; its folder is made if missing.

    Raises
    ------
    FileNotFoundError
        If the caller wrote nothing to the temporary path.

    Examples
    --------
    >>> import tempfile
    >>> target = Path(tempfile.mkdtemp()) / "numbers.json"
    >>> with atomic(target) as temporary:
    ...     _ = temporary.write_text("{}")
    >>> [file.name for file in target.parent.iterdir()]
    ['numbers.json']
    """
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f".{target.stem}.{os.getpid()}{PARTIAL}{target.suffix}")
    _remove(temporary)
    try:
        yield temporary
        if not temporary.exists():
            raise FileNotFoundError(
                f"nothing was written for {target.name}: write to the path given"
            )
        _replace(temporary, target)
    finally:
        _remove(temporary)


def _replace(source: Path, target: Path) -> None:
    """Rename, also over a folder that is not empty (which the system refuses)."""
    if not target.is_dir():
        os.replace(source, target)
        return
    old = target.with_name(f".{target.name}.{os.getpid()}.old{PARTIAL}")
    _remove(old)
    os.replace(target, old)
    try:
        os.replace(source, target)
    except OSError:
        os.replace(old, target)
        raise
    _remove(old)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def remove_partial(folder: str | os.PathLike[str]) -> None:
    """Remove what a killed run left unfinished anywhere under a folder, if it exists.

    Examples
    --------
    >>> remove_partial("no-such-folder")
    """
    for path in list(Path(folder).rglob(f".*{PARTIAL}*")):
        _remove(path)


@contextmanager
def locked(path: str | os.PathLike[str], what: str) -> Iterator[None]:
    """Hold a lock file, so that two runs do not write to the same folder.

    The system releases the lock when its holder ends, however it ends. Where the system has no
    such locks (Windows) nothing is held.

    Parameters
    ----------
    path : path
        The lock file; it stays, empty.
    what : str
        What is locked, for the message.

    Raises
    ------
    RuntimeError
        If another process holds it.

    Examples
    --------
    >>> import tempfile
    >>> with locked(Path(tempfile.mkdtemp()) / ".lock", "the results"):
    ...     pass
    """
    try:
        import fcntl
    except ImportError:
        yield
        return
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("w") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise RuntimeError(f"another run writes {what}: wait until it has ended") from None
        yield


def sha256(path: str | os.PathLike[str]) -> str:
    """Return the SHA-256 of a file's content, 64 hexadecimal digits.

    Examples
    --------
    >>> import tempfile
    >>> file = Path(tempfile.mkdtemp()) / "empty"
    >>> file.touch()
    >>> sha256(file)[:12]
    'e3b0c44298fc'
    """
    with open(path, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def git_blob(path: str | os.PathLike[str]) -> str:
    """Return the id that git gives a file's content, 40 hexadecimal digits.

    The SHA-1 of "blob", a blank, the size in bytes, a zero byte and the content: what
    `git hash-object FILE` prints.

    Examples
    --------
    >>> import tempfile
    >>> file = Path(tempfile.mkdtemp()) / "empty"
    >>> file.touch()
    >>> git_blob(file)
    'e69de29bb2d1d6434b8b29ae775ad8c2e48c5391'
    """

    def begun() -> Any:
        return hashlib.sha1(f"blob {Path(path).stat().st_size}\0".encode(), usedforsecurity=False)

    with open(path, "rb") as stream:
        return hashlib.file_digest(stream, begun).hexdigest()


def text_hash(*parts: object) -> str:
    """Return 16 hexadecimal digits that identify a sequence of texts (or of what `str` gives).

    Each part is preceded by its length, so that ("ab", "c") and ("a", "bc") differ.

    Examples
    --------
    >>> text_hash("ab", "c") == text_hash("a", "bc")
    False
    """
    digest = hashlib.sha256()
    for part in parts:
        text = str(part).encode()
        digest.update(f"{len(text)}:".encode() + text)
    return digest.hexdigest()[:16]
