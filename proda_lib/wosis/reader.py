"""Tables of a snapshot, read piece by piece: only the columns wanted, broken files refused.

Format (Batjes, Ribeiro and van Oostrum 2020, doi:10.5194/essd-12-299-2020, appendix B): separated
by tabs, text in double quotes where needed, UTF-8, the first line names the columns.
"""

from __future__ import annotations

import csv
import os
import zipfile
import zlib
from collections.abc import Iterator, Sequence

import pandas as pd

from proda_lib.nearest import unknown
from proda_lib.wosis.layout import SnapshotColumn, SnapshotError, Source

__all__ = ["chunks", "header", "present"]

#: Cells held at once, all columns counted: a piece has fewer rows the more columns there are.
CELLS = 2_000_000

#: Text that stands for no number; in columns of text only an empty cell does ("NA" is Namibia).
_NO_NUMBER = ["", "NA", "NaN", "nan", "NULL"]

_AGAIN = "fetch the snapshot again and unpack it"


def header(source: Source) -> list[str]:
    """Return the names of a table's columns.

    Raises
    ------
    SnapshotError
        If the table is empty, not UTF-8, or its first line is not separated by tabs.
    """
    with source.open() as stream:
        line = stream.readline()
    if not line.strip():
        raise SnapshotError(f"{source.name} is empty: {_AGAIN}")
    try:
        text = line.decode("utf-8-sig").rstrip("\r\n")
    except UnicodeDecodeError as error:
        raise SnapshotError(
            f"{source.name}, line 1: not UTF-8 ({error.reason}): {_AGAIN}"
        ) from None
    if "\t" not in text:
        raise SnapshotError(
            f"{source.name}, line 1 has no tab, but begins {text[:40]!r}: it must name the "
            f"columns, separated by tabs; {_AGAIN}"
        )
    return next(csv.reader([text], delimiter="\t"))


def present(source: Source, columns: Sequence[SnapshotColumn]) -> dict[str, SnapshotColumn]:
    """Return spelling -> column, of those columns that a table has.

    Raises
    ------
    SnapshotError
        If a required one is missing; the message names the nearest that there is.
    """
    there = header(source)
    found = {}
    for column in columns:
        spelled = next((name for name in column.spelled if name in there), None)
        if spelled is not None:
            found[spelled] = column
        elif column.required:
            near = unknown("column", column.spelled[0], there[:30])
            more = f" and {len(there) - 30} more" if len(there) > 30 else ""
            raise SnapshotError(f"{source.name} lacks a column: {near}{more}; {_AGAIN}")
    return found


def chunks(source: Source, columns: Sequence[SnapshotColumn]) -> Iterator[pd.DataFrame]:
    """Yield a table piece by piece, columns named as in the layout.

    Parameters
    ----------
    source : Source
    columns : sequence of SnapshotColumn
        Those that are read; one that is not required may be missing.

    Yields
    ------
    DataFrame
        Numbers as float, text as categories. The index counts the rows of the table from 0.

    Raises
    ------
    SnapshotError
        If the table is empty, cut off, not UTF-8, lacks a column, or has a text where a number
        belongs, as in a row whose cells are shifted.
    """
    found = present(source, columns)
    _check_end(source)
    types = {name: float if column.number else "category" for name, column in found.items()}
    pieces = 0
    for piece in _pieces(source, found, types):
        pieces += 1
        texts = {name: _texts(piece[name]) for name in found if not found[name].number}
        named = {name: column.name for name, column in found.items()}
        yield piece.assign(**texts).rename(columns=named)
    if not pieces:
        raise SnapshotError(f"{source.name} has a line of column names and no rows: {_AGAIN}")


def _texts(column: pd.Series) -> pd.Series:
    """Return categories as text: pandas makes numbers of those of a piece that look like them."""
    texts = pd.Index([str(one) for one in column.cat.categories], dtype="str")
    return column.cat.rename_categories(texts)


def _pieces(
    source: Source, found: dict[str, SnapshotColumn], types: dict[str, object]
) -> Iterator[pd.DataFrame]:
    """Yield pieces with the columns as they are spelled; problems in one clear line."""
    rows = max(1, CELLS // len(header(source)))
    gaps = {name: _NO_NUMBER if column.number else [""] for name, column in found.items()}
    try:
        with source.open() as stream, pd.read_csv(
            stream, sep="\t", quotechar='"', encoding="utf-8-sig", usecols=list(found),
            dtype=types, keep_default_na=False, na_values=gaps, chunksize=rows, low_memory=False,
        ) as reader:  # fmt: skip
            yield from (piece for piece in reader if len(piece))
    except UnicodeDecodeError as error:
        raise SnapshotError(f"{source.name} is not UTF-8 ({error.reason}): {_AGAIN}") from None
    except pd.errors.ParserError as error:
        raise SnapshotError(
            f"{source.name} is broken ({str(error).rpartition('C error: ')[2].strip()}): {_AGAIN}"
        ) from None
    except (zipfile.BadZipFile, zlib.error, EOFError) as error:
        raise SnapshotError(
            f"{source.path}, {source.name}: the archive is broken ({error}): fetch it again"
        ) from None
    except ValueError as error:
        if any(types[name] is float for name in found):
            _name_text(source, found)
        raise SnapshotError(f"{source.name} cannot be read ({error}): {_AGAIN}") from None


def _name_text(source: Source, found: dict[str, SnapshotColumn]) -> None:
    """Raise with row and column of the first text where a number belongs."""
    numbers = {name: column for name, column in found.items() if column.number}
    for piece in _pieces(source, numbers, dict.fromkeys(numbers, "str")):
        for name in numbers:
            cells = piece[name]
            bad = pd.to_numeric(cells, errors="coerce").isna() & cells.notna()
            if bad.any():
                row = bad.idxmax()
                raise SnapshotError(
                    f"{source.name}, row {row + 1} after the line of names, column {name}: "
                    f"{cells[row]!r} is no number: mend the row, or {_AGAIN}"
                )


def _check_end(source: Source) -> None:
    """Refuse a file that does not end with a line end; archives have their own checksums."""
    if source.member:
        return
    with source.path.open("rb") as stream:
        stream.seek(-1, os.SEEK_END)
        if stream.read(1) in b"\r\n":
            return
    raise SnapshotError(
        f"{source.name} is cut off, its last line has no end: {_AGAIN} (a file that another "
        "program wrote whole needs a line end after its last row)"
    )
