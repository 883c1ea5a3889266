"""The table of data: which studies and reference products are here, how large, where from."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlsplit

from proda_lib import paths, studies
from proda_lib.references import files
from proda_lib.studies import download, own

__all__ = ["missing_shown", "rows_shown"]


def rows_shown(chosen: Sequence[str], products: Sequence[str] = ()) -> list[tuple[str, ...]]:
    """Return the rows of the table, its header first; reads and fetches nothing.

    Parameters
    ----------
    chosen : sequence of str
        Studies.
    products : sequence of str
        Reference products.

    Examples
    --------
    >>> header, twin = rows_shown(["twin"])
    >>> header[:3], twin[1], twin[4]
    (('study', 'data', 'download'), 'present', 'made from a seed')
    """
    rows = [("study", "data", "download", "on disk", "from", "licence")]
    for name in [*chosen, *products]:
        product = name in products
        gone = files.missing_files(name) if product else studies.missing(name)
        addresses = _addresses(name, product)
        licence = files.ABOUT[name]["licence"] if product else studies.info(name).licence
        rows.append(
            (
                name,
                f"{len(gone)} of {len(addresses)} files missing" if gone else "present",
                _download(name, product),
                _disk(name),
                "your own profiles" if name in own.names() else _short(_origin(addresses)),
                _short(licence),
            )
        )
    return rows


def missing_shown(chosen: Sequence[str], products: Sequence[str] = ()) -> list[tuple[str, ...]]:
    """Return a row for every file that is missing: whose, its size, its address; header first.

    Parameters as in `rows_shown`.

    Examples
    --------
    >>> missing_shown(["twin"])
    [('study', 'missing file', 'address')]
    """
    rows = [("study", "missing file", "address")]
    for name in chosen:
        gone = set(studies.missing(name))
        for file in download.registry(name):
            if file.name in gone:
                rows.append((name, _megabytes(file.bytes), file.address))
    for name in products:
        gone = set(files.missing_files(name))
        addresses = [one for one in files.ADDRESSES[name] if one.rpartition("/")[2] in gone]
        rows += [(name, _megabytes(None), address) for address in addresses]
    return rows


def _addresses(name: str, product: bool) -> list[str]:
    if product:
        return list(files.ADDRESSES[name])
    return [file.address for file in download.registry(name)]


def _origin(addresses: Sequence[str]) -> str:
    """Return host and folder that the addresses share, or that nothing is fetched."""
    if not addresses:
        return "made from a seed"
    first = urlsplit(addresses[0])
    owner = "/".join(first.path.split("/")[1:3])
    return f"{download.SOURCE_HOSTS.get(first.netloc, first.netloc)}/{owner}"


def _download(name: str, product: bool) -> str:
    """Return the size of a study's or product's files at their source, as far as registered."""
    registered = [] if product else download.registry(name)
    if not registered:
        return "size unknown" if product else ""
    known = [file.bytes for file in registered if file.bytes]
    least = "" if len(known) == len(registered) else "more than "
    return f"{least}{_megabytes(sum(known))}"


def _megabytes(size: int | None) -> str:
    if not size:
        return "size unknown"
    return f"{size / 1e6:.1f} MB" if size >= 1e5 else f"{size / 1e3:.1f} kB"


def _disk(name: str) -> str:
    """Return the room that a study or product takes in the cache."""
    kept = {file.cached for file in download.registry(name)}
    folders = [paths.cache() / "downloads" / name, *(paths.cache() / "studies").glob(f"{name}-*")]
    kept |= {file for folder in folders for file in folder.rglob("*") if file.is_file()}
    total = sum(file.stat().st_size for file in kept if file.is_file())
    return f"{total / 1e6:.1f} MB"


def _short(text: str, length: int = 60) -> str:
    line = " ".join(text.split())
    return line if len(line) <= length else line[: length - 3].rstrip() + "..."
