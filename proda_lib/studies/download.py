"""The files of real studies: registered with address and hash, fetched when needed.

A file is taken from the cache, else from the folder PRODA_MIRROR (used in place, laid out as
host/owner/repository/commit/path), else from its address. Whatever the way, its hash must be the
registered one: the SHA-256, or the git blob id where only that is known. A broken download is
continued by the next one.
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
    licence : str
        What the source says about reuse.
    sha256 : str
        Of the content, 64 hexadecimal digits; "" if not known.
    git_blob : str
        Id of the content in git, 40 hexadecimal digits: the check where there is no SHA-256.
    bytes : int or None
        Size; None if not known.
    folder : str
        Folder of the cache: the study's name, or that of the files that several studies share.
    """

    study: str
    name: str
    address: str
    licence: str
    sha256: str = ""
    git_blob: str = ""
    bytes: int | None = None
    folder: str = ""

    @property
    def cached(self) -> Path:
        """Where the cache keeps the file."""
        return paths.cache() / "downloads" / (self.folder or self.study) / self.name

    @property
    def hash(self) -> str:
        """The registered hash: the SHA-256 if known, else the git blob id."""
        return self.sha256 or self.git_blob

    @property
    def hash_kind(self) -> str:
        """How the registered hash is called."""
        return "SHA-256" if self.sha256 else "git blob id"

    def hash_of(self, path: Path) -> str:
        """Return the hash of a file, of the registered kind."""
        return files.sha256(path) if self.sha256 else files.git_blob(path)


def registry(study: str) -> tuple[RegisteredFile, ...]:
    """Return the registered files of a study: none for one that is made from a seed.

    Examples
    --------
    >>> len(registry("newyork"))
    31
    >>> registry("twin")
    ()
    >>> registry("conus")[0].cached == registry("global")[0].cached
    True
    """
    with (paths.data() / "registry.toml").open("rb") as stream:
        table = tomllib.load(stream)
    folder = table.get(study, {}).get("files_of", study)
    entry = table.get(folder, {})
    return tuple(
        RegisteredFile(study=study, licence=entry["licence"], folder=folder, **row)
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
    found = file.hash_of(path)
    if found != file.hash:
        raise DownloadError(
            f"study {file.study!r}: {path} is not the registered file: expected {file.hash_kind} "
            f"{file.hash}, found {found}; move it away (nothing is deleted here) and run "
            f"`proda data {file.study}` to fetch it again from {file.address}"
        )
    return path


def _download(file: RegisteredFile, progress: bool) -> Path:
    """Fetch to a name that says it is a part; only what has the right hash gets the real one."""
    target = file.cached
    part = target.with_name(f"{target.name}.part")
    target.parent.mkdir(parents=True, exist_ok=True)
    continued = part.is_file()
    found = _brought(file, part, progress)
    if found != file.hash and continued:
        # The part was of another file or another version: once more, from the start.
        part.unlink()
        found = _brought(file, part, progress)
    if found != file.hash:
        part.unlink()
        raise DownloadError(
            f"study {file.study!r}: {file.address} no longer serves the registered "
            f"{file.name}: expected {file.hash_kind} {file.hash}, found {found}; nothing was "
            f"kept: {_by_hand(file)}"
        )
    os.replace(part, target)
    return target


def _brought(file: RegisteredFile, part: Path, progress: bool) -> str:
    """Bring a file, or the rest of it, and return the hash of what then lies there."""
    import requests

    from proda_lib.studies.resume import ResumingDownloader

    try:
        ResumingDownloader(progressbar=progress, timeout=TIMEOUT)(file.address, str(part))
    except (requests.RequestException, OSError) as error:
        kept = ""
        if part.is_file():
            kept = f"; {part.stat().st_size:,} bytes are kept and the same command continues them"
        raise DownloadError(
            f"study {file.study!r}: cannot fetch {file.name} from {file.address} "
            f"({_reason(error)}{kept}): {_by_hand(file)}"
        ) from error
    return file.hash_of(part)


def _by_hand(file: RegisteredFile) -> str:
    others = len(set(missing(file.study)) - {file.name})
    rest = f"; {others} more files are missing, see data/registry.toml" if others else ""
    mirror = os.environ.get("PRODA_MIRROR", "").strip()
    how = f"or set PRODA_MIRROR to a folder that has it{rest}"
    if mirror:
        lacks = "lacks it" if Path(mirror).expanduser().is_dir() else "is no folder"
        how = f"or mend PRODA_MIRROR, now {mirror}, which {lacks}{rest}"
    size = "" if file.bytes is None else f" ({file.bytes:,} bytes)"
    return f"put a copy with {file.hash_kind} {file.hash}{size} at {file.cached}, {how}"


def _reason(error: Exception) -> str:
    """Return the shortest useful account: the status of an answer, else the kind of failure."""
    response = getattr(error, "response", None)
    status = getattr(response, "status_code", None)
    return f"HTTP status {status}" if status else type(error).__name__
