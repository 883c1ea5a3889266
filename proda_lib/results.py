"""What a chapter leaves for later chapters and for the prose: numbers, tables and data sets.

All lie under results/<study>/<size>/ and are written whole or not at all.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from proda_lib import paths
from proda_lib.files import atomic

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

__all__ = [
    "MissingResult",
    "Number",
    "label",
    "load_dataset",
    "load_numbers",
    "load_table",
    "merge_numbers",
    "save_dataset",
    "save_json",
    "save_numbers",
    "save_table",
    "save_tree",
]

#: What a number of the book may be: the prose also takes words from there.
Number = float | int | str | bool

_KEY = re.compile(r"[A-Za-z][\w-]*(\.[\w-]+)*")
_NAME = re.compile(r"[\w.-]+")


class MissingResult(FileNotFoundError):
    """A result that no finished chapter has written."""


def _name(name: str) -> str:
    if not _NAME.fullmatch(name) or name.startswith("."):
        raise ValueError(f"result name {name!r}: use letters, digits, '_', '-' and '.' only")
    return name


def save_json(path: Path, content: Any) -> Path:
    """Write JSON with sorted keys, whole or not at all; NaN and infinity are refused."""
    with atomic(path) as temporary:
        text = json.dumps(content, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False)
        temporary.write_text(text + "\n", encoding="utf-8")
    return path


def _plain(key: str, value: object) -> Number:
    """Return a number as plain Python (numpy scalars have `item`), or say what is wrong."""
    if not _KEY.fullmatch(key):
        raise ValueError(f"number {key!r}: write keys like table_37_1.default.r2")
    item = getattr(value, "item", None)
    if callable(item) and getattr(value, "size", 1) == 1:
        value = item()
    if not isinstance(value, bool | int | float | str):
        kind = type(value).__name__
        raise TypeError(f"number {key!r} is a {kind}: give one number, one word or one truth value")
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"number {key!r} is {value}: leave it out or say why it cannot be known")
    return value


def save_numbers(study: str, size: str, notebook: str, numbers: Mapping[str, Number]) -> Path:
    """Save the numbers of a chapter's figures and prose.

    Parameters
    ----------
    study, size : str
    notebook : str
        Name of the chapter's notebook without suffix, for example "01_data".
    numbers : mapping
        Full keys to numbers; the unit belongs to the key or to the prose.

    Returns
    -------
    Path
        results/<study>/<size>/numbers/<notebook>.json

    Raises
    ------
    ValueError, TypeError
        If a key is malformed or a value is not one finite number, word or truth value.

    Examples
    --------
    >>> save_numbers("twin", "smoke", "01_data", {"data.mean": float("nan")})
    Traceback (most recent call last):
    ValueError: number 'data.mean' is nan: leave it out or say why it cannot be known
    """
    plain = {key: _plain(key, value) for key, value in numbers.items()}
    return save_json(paths.results(study, size) / "numbers" / f"{_name(notebook)}.json", plain)


def load_numbers(study: str, size: str) -> dict[str, Number]:
    """Return the numbers of all chapters of a study at a size, merged.

    Raises
    ------
    ValueError
        If two chapters use the same key.

    Examples
    --------
    >>> load_numbers("no-such-study", "smoke")
    {}
    """
    merged: dict[str, Number] = {}
    origin: dict[str, str] = {}
    for file in sorted((paths.results(study, size) / "numbers").glob("[!.]*.json")):
        for key, value in json.loads(file.read_text(encoding="utf-8")).items():
            if key in origin:
                raise ValueError(
                    f"number {key!r} of {study} {size} is written by {origin[key]} and by "
                    f"{file.stem}: rename one of them, or delete the file of a chapter that is gone"
                )
            merged[key], origin[key] = value, file.stem
    return merged


def merge_numbers(study: str, size: str) -> Path:
    """Write results/<study>/<size>/numbers.json, the union of all chapters' numbers."""
    return save_json(paths.results(study, size) / "numbers.json", load_numbers(study, size))


def save_table(study: str, size: str, name: str, table: pd.DataFrame) -> Path:
    """Save a table as results/<study>/<size>/<name>.csv; units belong to the column names.

    Raises
    ------
    ValueError
        If the table has row labels, which a CSV file without them would lose.
    """
    import pandas as pd

    if not isinstance(table.index, pd.RangeIndex):
        raise ValueError(f"table {name!r} has row labels: call reset_index() to keep them")
    path = paths.results(study, size) / f"{_name(name)}.csv"
    with atomic(path) as temporary:
        table.to_csv(temporary, index=False)
    return path


def load_table(study: str, size: str, name: str) -> pd.DataFrame:
    """Return a table that an earlier chapter saved; raise MissingResult if there is none."""
    import pandas as pd

    return pd.read_csv(_existing(study, size, f"{_name(name)}.csv"))


def save_dataset(study: str, size: str, name: str, dataset: xr.Dataset) -> Path:
    """Save a Dataset as results/<study>/<size>/<name>.nc (netCDF-4).

    Attributes say which study it belongs to, and that it is synthetic where the study is.
    """
    path = paths.results(study, size) / f"{_name(name)}.nc"
    with atomic(path) as temporary:
        labelled = dataset.assign_attrs(label(study, size))
        labelled.to_netcdf(temporary, engine="h5netcdf")
    return path


def save_tree(study: str, size: str, name: str, tree: xr.DataTree) -> Path:
    """Save a tree of groups as results/<study>/<size>/<name>.nc, labelled as by `save_dataset`."""
    path = paths.results(study, size) / f"{_name(name)}.nc"
    packed = {"zlib": True, "complevel": 4}
    encoding = {
        node.path: {variable: packed for variable in node.data_vars} for node in tree.subtree
    }
    with atomic(path) as temporary:
        labelled = tree.copy()
        labelled.attrs |= label(study, size)
        labelled.to_netcdf(temporary, engine="h5netcdf", encoding=encoding)
    return path


def label(study: str, size: str) -> dict[str, str]:
    """Return what every file says: its study and size, and that it is synthetic where it is.

    Examples
    --------
    >>> label("newyork", "smoke")
    {'study': 'newyork', 'size': 'smoke'}
    """
    from proda_lib import studies
    from proda_lib.studies.study import SYNTHETIC

    synthetic = study in studies.names() and studies.info(study).synthetic
    return {"study": study, "size": size} | ({"data": SYNTHETIC} if synthetic else {})


def load_dataset(study: str, size: str, name: str) -> xr.Dataset:
    """Return a Dataset that an earlier chapter saved; raise MissingResult if there is none."""
    import xarray as xr

    return xr.load_dataset(_existing(study, size, f"{_name(name)}.nc"), engine="h5netcdf")


def _existing(study: str, size: str, file: str) -> Path:
    path = paths.results(study, size) / file
    if not path.exists():
        raise MissingResult(
            f"{file} of study {study}, size {size} is missing: run the chapter that writes it, "
            f"with `proda reproduce --study {study} --size {size}`"
        )
    return path
