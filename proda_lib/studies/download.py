"""The files of real studies: registered with address, SHA-256 and size, fetched when needed.

A file is taken from the cache, else from the folder PRODA_MIRROR (used in place, laid out as
host/owner/repository/commit/path), else from its address with pooch. Whatever the way, its
SHA-256 must be the registered one.
"""

from __future__ import annotations

import os
import tomllib
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from proda_lib import files, paths

__all__ = [
    "DownloadError",
    "RegisteredFile",
    "SOURCE_HOSTS",
    "fetch",
    "in_mirror",
    "missing",
    "registry",
]

#: Seconds to wait for a connection, and for the next piece of a file.
TIMEOUT = (4.0, 30.0)

#: The host that serves single files of a repository, and the host it stands for.
SOURCE_HOSTS = {"raw.githubusercontent.com": "github.com"}


class DownloadError(RuntimeError):
    """A file cannot be had or is not the registered one; the message says what to do."""


@dataclass(frozen=True)
class RegisteredFile:
    """One file of the registry.

    Attributes
    ----------
    study, name : str
        The study, and the path by which the study knows the file.
    address : str
        Where its source serves it.
    sha256 : str
        Of the content, 64 hexadecimal digits.
    bytes : int
        Size.
    licence : str
        What the source says about reuse.
    """

    study: str
    name: str
    address: str
    sha256: str
    bytes: int
    licence: str

    @property
    def cached(self) -> Path:
        """Where the cache keeps the file."""
        return paths.cache() / "downloads" / self.study / self.name


def registry(study: str) -> tuple[RegisteredFile, ...]:
    """Return the registered files of a study: none for one that is made from a seed.

    Examples
    --------
    >>> len(registry("newyork"))
    31
    >>> registry("twin")
    ()
    """
    with (paths.data() / "registry.toml").open("rb") as stream:
        entry = tomllib.load(stream).get(study, {})
    return tuple(
        RegisteredFile(study=study, licence=entry["licence"], **row)
        for row in entry.get("file", [])
    )


def in_mirror(address: str) -> Path | None:
    """Return where the mirror holds the file of an address; None without PRODA_MIRROR.

    Examples
    --------
    >>> os.environ["PRODA_MIRROR"], before = "mirror", os.environ.get("PRODA_MIRROR")
    >>> in_mirror("https://raw.githubusercontent.com/owner/name/c0ffee/a/b.txt").as_posix()
    'mirror/github.com/owner/name/c0ffee/a/b.txt'
    >>> _ = os.environ.pop("PRODA_MIRROR") if before is None else os.environ.update(
    ...     PRODA_MIRROR=before)
    """
    root = os.environ.get("PRODA_MIRROR", "").strip()
    if not root:
        return None
    parts = urlsplit(address)
    host = SOURCE_HOSTS.get(parts.netloc, parts.netloc)
    return Path(root).expanduser() / host / unquote(parts.path).lstrip("/")


def missing(study: str) -> list[str]:
    """Return the names of a study's files that are neither in the cache nor in the mirror.

    Looks for the files only; their content is checked when they are fetched.
    """
    return [file.name for file in registry(study) if _present(file) is None]


def fetch(study: str, *, progress: bool = True) -> dict[str, Path]:
    """Return a verified local copy of every file of a study.

    Parameters
    ----------
    study : str
    progress : bool
        Whether to show a bar for each download.

    Returns
    -------
    dict
        Name in the registry -> path. Mirrored files are used where they lie.

    Raises
    ------
    DownloadError
        At the first file that is missing and cannot be downloaded, or whose content differs.
        Files that were already fetched stay.
    """
    return {file.name: _fetch_one(file, progress) for file in registry(study)}


def _present(file: RegisteredFile) -> Path | None:
    candidates = (file.cached, in_mirror(file.address))
    return next((path for path in candidates if path is not None and path.is_file()), None)


def _fetch_one(file: RegisteredFile, progress: bool) -> Path:
    path = _present(file)
    if path is None:
        return _download(file, progress)
    found = files.sha256(path)
    if found != file.sha256:
        raise DownloadError(
            f"study {file.study!r}: {path} is not the registered file: expected SHA-256 "
            f"{file.sha256}, found {found}; move it away (nothing is deleted here) and run "
            f"`proda data {file.study}` to fetch it again from {file.address}"
        )
    return path


def _download(file: RegisteredFile, progress: bool) -> Path:
    import pooch
    import requests

    pooch.get_logger().setLevel("WARNING")
    target = file.cached
    try:
        # pooch writes to a temporary name and renames only what has the right hash.
        pooch.retrieve(
            file.address,
            known_hash=f"sha256:{file.sha256}",
            path=target.parent,
            fname=target.name,
            downloader=pooch.HTTPDownloader(progressbar=progress, timeout=TIMEOUT),
        )
    except ValueError as error:
        raise DownloadError(
            f"study {file.study!r}: {file.address} no longer serves the registered "
            f"{file.name}: {' '.join(str(error).split())}; nothing was kept: "
            f"{_by_hand(file)}"
        ) from error
    except (requests.RequestException, OSError) as error:
        raise DownloadError(
            f"study {file.study!r}: cannot fetch {file.name} from {file.address} "
            f"({_reason(error)}): {_by_hand(file)}"
        ) from error
    return target


def _by_hand(file: RegisteredFile) -> str:
    others = len(set(missing(file.study)) - {file.name})
    rest = f"; {others} more files are missing, see data/registry.toml" if others else ""
    mirror = os.environ.get("PRODA_MIRROR", "").strip()
    how = f"or set PRODA_MIRROR to a folder that has it{rest}"
    if mirror:
        lacks = "lacks it" if Path(mirror).expanduser().is_dir() else "is no folder"
        how = f"or mend PRODA_MIRROR, now {mirror}, which {lacks}{rest}"
    return f"put a copy with SHA-256 {file.sha256} ({file.bytes:,} bytes) at {file.cached}, {how}"


def _reason(error: Exception) -> str:
    """Return the shortest useful account: the status of an answer, else the kind of failure."""
    response = getattr(error, "response", None)
    status = getattr(response, "status_code", None)
    return f"HTTP status {status}" if status else type(error).__name__
