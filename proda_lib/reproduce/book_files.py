"""Data dictionary of the files that the chapters leave, generated from the files themselves.

NetCDF files say what their variables mean and in which unit; the columns of tables are explained in
book/reference/columns.toml.
"""

from __future__ import annotations

import csv
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from proda_lib import paths
from proda_lib.reproduce.book_runs import StudyRun
from proda_lib.reproduce.book_text import table as _table
from proda_lib.units import unit_text

__all__ = ["explained", "file_tables", "saved_tables"]

_SAVES = re.compile(r'results\.save_table\(study, size, "(?P<name>\w+)"')
#: Files that other programs are meant to read; they stand open on the page, others folded.
_FOR_OTHERS = ("maps.nc", "posteriors.nc")


def file_tables(runs: Sequence[StudyRun]) -> str:
    """Return what is in every table and netCDF file that a run left, each file once.

    Parameters
    ----------
    runs : sequence of StudyRun
        A file is described from the first study that has it.
    """
    found: dict[str, tuple[Path, list[str]]] = {}
    for run in runs:
        folder = paths.results(run.info.name, run.size)
        for file in sorted([*folder.glob("*.csv"), *folder.glob("*.nc")]):
            found.setdefault(file.name, (file, []))[1].append(run.info.name)
    if not found:
        return "No chapter has left a file yet."
    known = _columns()
    blocks = [
        _block(file, studies, known)
        for file, studies in sorted(found.values(), key=lambda one: _order(one[0].name))
    ]
    return "\n\n".join(blocks)


def _order(name: str) -> tuple[int, str]:
    rank = 0 if name in _FOR_OTHERS else 1 if name.endswith(".csv") else 2
    return rank, name


def _block(file: Path, studies: list[str], known: Mapping[str, dict[str, str]]) -> str:
    """Return the description of one file."""
    where = f"Studies: {', '.join(studies)}."
    if file.suffix == ".csv":
        about = known.get(file.stem, {}).get("about", "")
        words = f"{about[:1].upper()}{about[1:]}. {where}" if about else where
        with file.open(encoding="utf-8", newline="") as opened:
            names = next(csv.reader(opened), [])
        table = _table(("column", "meaning", "unit"), explained(file.stem, names, known))
        return f"### `{file.name}`\n\n{words}\n\n{table}"
    title, rows = _netcdf(file)
    table = _table(("variable", "meaning", "unit", "dimensions"), rows)
    words = f"{title} {where}".strip()
    if file.name in _FOR_OTHERS:
        return f"### `{file.name}`\n\n{words}\n\n{table}"
    return f":::{{dropdown}} `{file.name}`\n{words}\n\n{table}\n:::"


def explained(
    table: str, names: Sequence[str], known: Mapping[str, dict[str, str]] | None = None
) -> list[tuple[str, str, str]]:
    """Return name, meaning and unit of the columns of a table; dashes where nobody has said it.

    Examples
    --------
    >>> explained("map_totals", ["total_pg", "my own"])
    [('`total_pg`', 'total', 'PgC'), ('`my own`', '–', '–')]
    """
    known = _columns() if known is None else known
    lines = known.get("", {}) | known.get(table, {})
    rows = []
    for name in names:
        unit, _, meaning = lines.get(name, "–; –").partition("; ")
        rows.append((f"`{name}`", meaning, unit))
    return rows


def _columns() -> dict[str, dict[str, str]]:
    """Return what columns.toml says: by table, and for all tables under an empty name."""
    text = (paths.book() / "reference" / "columns.toml").read_text(encoding="utf-8")
    told = tomllib.loads(text)
    return {"": told["column"]} | told["table"]


def _netcdf(file: Path) -> tuple[str, list[tuple[str, ...]]]:
    """Return a file's title and a row per variable: name, meaning, unit, dimensions."""
    import xarray as xr

    rows = []
    with xr.open_datatree(file, engine="h5netcdf") as tree:
        title = str(tree.attrs.get("title", ""))
        for node in tree.subtree:
            group = "" if node.path == "/" else f"{node.path.strip('/')}/"
            variables = {**node.dataset.data_vars, **node.dataset.coords}
            for name, values in variables.items():
                if values.attrs or name not in values.dims:
                    rows.append(_variable_row(f"{group}{name}", values))
    return f"{title}." if title else "", rows


def _variable_row(name: str, values: object) -> tuple[str, ...]:
    told, dims = values.attrs, values.dims  # type: ignore[attr-defined]
    unit = unit_text(str(told["units"])) if "units" in told else "–"
    meaning = str(told.get("long_name", told.get("comment", "–")))
    return f"`{name}`", meaning, unit, ", ".join(map(str, dims)) or "–"


def saved_tables() -> Iterator[tuple[str, str]]:
    """Yield name of the chapter and name of the table for every table that a chapter saves."""
    for file in sorted(paths.notebooks().glob("*.ipynb")):
        text = file.read_text(encoding="utf-8").replace('\\"', '"')
        yield from ((file.stem, match["name"]) for match in _SAVES.finditer(text))
