"""Studies: data sets in one common form, read from their source or made from a seed.

>>> names()[:4]
('twin', 'newyork', 'conus', 'global')

`load` is the way in; a study once made is kept in the cache and read from there.
"""

from __future__ import annotations

import importlib
import tomllib
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from proda_lib.nearest import check_known
from proda_lib.studies.study import Study, StudyInfo

__all__ = [
    "Study",
    "StudyInfo",
    "choose",
    "data_key",
    "info",
    "load",
    "missing",
    "names",
    "sizes",
]

#: Name -> module. Synthetic first: it is the one that is always there.
_MODULES = {
    "twin": "twin",
    "newyork": "newyork",
    "conus": "published.conus",
    "global": "published.world",
}

#: Entries of the size table that decide what the data are (the others say how long a run takes).
_DATA_ENTRIES = ("sites", "seed")


def names() -> tuple[str, ...]:
    """Return the names of the known studies, those of your own profiles last.

    Examples
    --------
    >>> "newyork" in names()
    True
    """
    from proda_lib.studies import own

    return (*_MODULES, *own.names())


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
    if name not in _MODULES:
        return _module(name).sizes()
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

    check_known("study", name, names())
    return download.missing(name if name in _MODULES else _module(name).forcing)


def choose(
    requested: Sequence[str] = (), size: str = "class"
) -> tuple[list[str], dict[str, list[str]]]:
    """Return the studies to run, and those left out with the files that they lack.

    Parameters
    ----------
    requested : sequence of str
        Names; if empty, every study whose data are present.
    size : str

    Raises
    ------
    ValueError
        If a study or the size is unknown; the message names the nearest.
    """
    for name in requested:
        check_known("study", name, names())
    left_out = {} if requested else {name: missing(name) for name in names()}
    left_out = {name: files for name, files in left_out.items() if files}
    chosen = [name for name in (requested or names()) if name not in left_out]
    for name in chosen:
        check_known(f"size of study {name}", size, sizes(name))
    return list(dict.fromkeys(chosen)), left_out


def data_key(name: str, size: str = "class", soil_grid: str = "CLM5") -> str:
    """Return 16 hexadecimal digits that identify a study's data, without making them.

    The key changes with the study's code (not its comments), with the library modules that it
    uses, with the hashes of its registered files and with its row of the size table.

    Examples
    --------
    >>> data_key("twin", "smoke") == data_key("twin", "class")
    False
    """
    from proda_lib import paths
    from proda_lib.code_hash import used_files
    from proda_lib.files import text_hash
    from proda_lib.studies import download, store

    row = _row(name, size)
    if name not in _MODULES:
        return text_hash(store.FORMAT, *_module(name).key(size, soil_grid))
    hashes = [(file.name, file.hash) for file in download.registry(name)]
    entries = [(entry, row.get(entry)) for entry in _DATA_ENTRIES]
    code = used_files(f"import {_module_name(name)}", paths.package())
    return text_hash(store.FORMAT, name, soil_grid, entries, hashes, sorted(code.items()))


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
    check_known(f"soil grid of study {name}", soil_grid, module.INFO.soil_grids)
    key = data_key(name, size, soil_grid)
    place = store.place(name, size, soil_grid, key)
    return store.kept(place, module.INFO, key, partial(module.make, size, soil_grid))


def _row(name: str, size: str) -> dict[str, Any]:
    table = sizes(name)
    check_known(f"size of study {name}", size, table)
    return table[size]


def _module(name: str) -> Any:
    """Return what has a study's INFO and make: its module, or a study of your own profiles."""
    from proda_lib.studies import own

    check_known("study", name, names())
    return own.read(name) if name not in _MODULES else importlib.import_module(_module_name(name))


def _module_name(name: str) -> str:
    return f"{__name__}.{_MODULES[name]}"
