"""Studies: data sets in one common form, read from their source or made from a seed.

>>> names()
('twin', 'newyork')

`load` is the way in; a study once made is kept in the cache and read from there.
"""

from __future__ import annotations

import difflib
import importlib
import tomllib
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

from proda_lib.studies.study import Study, StudyInfo

__all__ = [
    "Study",
    "StudyInfo",
    "data_key",
    "info",
    "load",
    "missing",
    "names",
    "sizes",
]

#: Synthetic first: it is the one that is always there.
_NAMES = ("twin", "newyork")

#: Entries of the size table that decide what the data are (the others say how long a run takes).
_DATA_ENTRIES = ("sites", "seed")


def names() -> tuple[str, ...]:
    """Return the names of the known studies.

    Examples
    --------
    >>> "newyork" in names()
    True
    """
    return _NAMES


def info(name: str) -> StudyInfo:
    """Return what is to be said about a study; reads no data.

    Raises
    ------
    ValueError
        If the study is unknown; the message names the nearest.

    Examples
    --------
    >>> info("newyork").synthetic
    False
    """
    return _module(name).INFO


def sizes(name: str) -> dict[str, dict[str, Any]]:
    """Return a study's rows of the size table: size -> sites, seed, minutes ...

    Examples
    --------
    >>> sizes("twin")["class"]["sites"]
    1000
    """
    _allowed("study", name, names())
    with (Path(__file__).parent / "sizes.toml").open("rb") as stream:
        return tomllib.load(stream)[name]


def missing(name: str) -> list[str]:
    """Return the files of a study that neither the cache nor a mirror has (cheap: no hashing).

    Examples
    --------
    >>> missing("twin")
    []
    """
    from proda_lib.studies import download

    _allowed("study", name, names())
    return download.missing(name)


def data_key(name: str, size: str = "class", soil_grid: str = "CLM5") -> str:
    """Return 16 hexadecimal digits that identify a study's data, without making them.

    The key changes with the study's code (not its comments), with the library modules that it
    uses, with the hashes of its registered files and with its row of the size table.

    Examples
    --------
    >>> data_key("twin", "smoke") == data_key("twin", "class")
    False
    """
    from proda_lib.files import text_hash
    from proda_lib.studies import download, store

    row = _row(name, size)
    hashes = [(file.name, file.sha256) for file in download.registry(name)]
    entries = [(entry, row.get(entry)) for entry in _DATA_ENTRIES]
    return text_hash(name, soil_grid, entries, hashes, store.code_hash(f"{__name__}.{name}"))


def load(name: str, size: str = "class", *, soil_grid: str = "CLM5") -> Study:
    """Return a study: from the cache, else read from its source or made from its seed.

    Parameters
    ----------
    name : str
        One of `names()`.
    size : str
        One of `sizes(name)`: "smoke", "class" or "paper".
    soil_grid : str
        One of the study's `info(name).soil_grids`.

    Returns
    -------
    Study
        `.sites`, `.grid`, `.exclusions`, `.truth` (synthetic only), `.data_hash`.

    Raises
    ------
    ValueError
        If study, size or soil grid is unknown; the message names the nearest.
    proda_lib.studies.download.DownloadError
        If a file of the study cannot be had, or is not the one registered.
    proda_lib.studies.schema.SchemaError
        If the data do not have the common form.
    """
    from proda_lib.studies import store

    module = _module(name)
    _row(name, size)
    _allowed(f"soil grid of study {name!r}", soil_grid, module.INFO.soil_grids)
    key = data_key(name, size, soil_grid)
    place = store.place(name, size, soil_grid, key)
    return store.kept(place, module.INFO, key, partial(module.make, size, soil_grid))


def _row(name: str, size: str) -> dict[str, Any]:
    table = sizes(name)
    _allowed(f"size of study {name!r}", size, table)
    return table[size]


def _module(name: str) -> ModuleType:
    _allowed("study", name, names())
    return importlib.import_module(f"{__name__}.{name}")


def _allowed(what: str, given: str, allowed: Iterable[str]) -> None:
    """Raise a one-line error that names the nearest allowed word, unless `given` is one."""
    known = list(allowed)
    if given in known:
        return
    near = difflib.get_close_matches(str(given), known, n=1, cutoff=0.4)
    hint = f"; did you mean {near[0]}?" if near else ""
    raise ValueError(f"{what} is {given!r}, allowed are {', '.join(known)}{hint}")
