"""The table of data: which studies and reference products are there, how large, and whose."""

from __future__ import annotations

from collections.abc import Sequence

from proda_lib import paths, studies
from proda_lib.references import files
from proda_lib.studies import own

__all__ = ["rows_shown"]


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
    >>> header[:2], twin[1], twin[3]
    (('study', 'data'), 'present', 'made from a seed')
    """
    rows = [("study", "data", "on disk", "source", "licence")]
    for name in [*chosen, *products]:
        if name in products:
            gone, about = len(files.missing_files(name)), files.ABOUT[name]
            source, licence = about["citation"], about["licence"]
        else:
            gone, info = len(studies.missing(name)), studies.info(name)
            seeded = info.synthetic and name not in own.names()
            source = "made from a seed" if seeded else info.citation
            licence = info.licence
        present = f"{gone} files missing" if gone else "present"
        rows.append((name, present, _disk(name), _short(source), _short(licence)))
    return rows


def _disk(name: str) -> str:
    """Return the room that a study or product takes in the cache, in MB."""
    places = [paths.cache() / "downloads" / name, *(paths.cache() / "studies").glob(f"{name}-*")]
    total = sum(f.stat().st_size for place in places for f in place.rglob("*") if f.is_file())
    return f"{total / 1e6:.1f} MB"


def _short(text: str, length: int = 60) -> str:
    line = " ".join(text.split())
    return line if len(line) <= length else line[: length - 3].rstrip() + "..."
