"""Read a table of profiles from CSV as people save it, without guessing what a value means.

Any of the separators comma, semicolon and tab; with the last two also decimal commas; UTF-8, UTF-16
or Windows text; headers in capitals or with blanks. Lines keep their number in the file.
"""

from __future__ import annotations

import codecs
import csv
import io
import os
import re
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from proda_lib.own_profiles.columns import COLUMNS

__all__ = ["ProfileFileError", "ProfileTable", "parse", "read"]

_SEPARATORS = {",": "comma", ";": "semicolon", "\t": "tab"}
_DECIMAL_COMMA = re.compile(r"[+-]?\d*,\d+(?:[eE][+-]?\d+)?")
_MISSING = {"", "na", "nan", "n/a", "null", "none", "-"}
_WIDE_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)

csv.field_size_limit(2**31 - 1)  # a cell as long as a novel is refused later, by its column


class ProfileFileError(ValueError):
    """A file that cannot be read as a table of profiles; the message says what to do."""


@dataclass(frozen=True, eq=False)
class ProfileTable:
    """A table of profiles as text.

    Attributes
    ----------
    cells : DataFrame of str
        The documented columns that the file has; the index `row` is the line of the file, 1 for
        the first. Missing values are empty texts.
    unknown : tuple of str
        Columns that are not read.
    twice : tuple of str
        Documented columns that the file has more than once; the first is read.
    ragged : dict of int to int
        Line -> number of fields, where it is not that of the header; such lines are left out.
    width : int
        Number of columns of the file.
    separator : str
        "comma", "semicolon" or "tab".
    """

    cells: pd.DataFrame
    unknown: tuple[str, ...]
    twice: tuple[str, ...]
    ragged: dict[int, int]
    width: int
    separator: str


def read(path: str | os.PathLike[str]) -> ProfileTable:
    """Read a file; every value stays text.

    Raises
    ------
    ProfileFileError
        If there is no such file, it is empty, is no text, or has no row below its header.

    Examples
    --------
    >>> from proda_lib import paths
    >>> read(paths.data() / "profiles_template.csv").separator
    'comma'
    """
    file = Path(path)
    if not file.is_file():
        raise ProfileFileError("there is no such file: give the path of a CSV table")
    return parse(_decoded(file.read_bytes()))


def parse(text: str) -> ProfileTable:
    r"""Read the text of a CSV table.

    Raises
    ------
    ProfileFileError
        If there is no header, or no row below it.

    Examples
    --------
    >>> table = parse("Profile;Lon ;lat;note\nA;7,5;51,0;x\n")
    >>> table.cells.loc[2].to_dict(), table.unknown
    ({'profile': 'A', 'lon': '7.5', 'lat': '51.0'}, ('note',))
    """
    first = next((line for line in text.splitlines() if line.strip()), "")
    if not first:
        raise ProfileFileError("the file is empty: start from data/profiles_template.csv")
    separator = max(_SEPARATORS, key=first.count)
    lines = _lines(text, separator)
    header, rows = lines[0][1], lines[1:]
    if not rows:
        raise ProfileFileError("the file has a header and no row below it: add a row per layer")
    names = ["_".join(name.lower().split()) for name in header]
    known = {each.name for each in COLUMNS}
    places = {name: names.index(name) for name in names if name in known}
    ragged = {line: len(cells) for line, cells in rows if len(cells) != len(header)}
    whole = [(line, cells) for line, cells in rows if line not in ragged]
    values = [[_value(cells[i], separator) for i in places.values()] for _, cells in whole]
    index = pd.Index([line for line, _ in whole], name="row", dtype=int)
    return ProfileTable(
        cells=pd.DataFrame(values, index=index, columns=list(places), dtype=str),
        unknown=tuple(name for name in names if name not in known),
        twice=tuple(name for name in places if names.count(name) > 1),
        ragged=ragged,
        width=len(header),
        separator=_SEPARATORS[separator],
    )


def _lines(text: str, separator: str) -> list[tuple[int, list[str]]]:
    """Return number and fields of each line that is not blank; empty columns at its end are cut."""
    reader = csv.reader(io.StringIO(text), delimiter=separator)
    found, start = [], 1
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                found.append((start, cells))
            start = reader.line_num + 1
    except csv.Error as error:
        raise ProfileFileError(f"line {start} cannot be read ({error}): mend its quotes") from None
    width = max((i + 1 for i, cell in enumerate(found[0][1]) if cell.strip()), default=0)
    return [(line, _cut(cells, width)) for line, cells in found]


def _cut(cells: list[str], width: int) -> list[str]:
    """Cut empty fields beyond the header; a line shorter than the header stays so."""
    while len(cells) > width and not cells[-1].strip():
        cells = cells[:-1]
    return cells


def _value(text: str, separator: str) -> str:
    """Return a cell without blanks around it, a decimal point for a comma, nothing if missing."""
    value = text.strip()
    if value.lower() in _MISSING:
        return ""
    if separator != "," and _DECIMAL_COMMA.fullmatch(value):
        return value.replace(",", ".")
    return value.replace("\N{MINUS SIGN}", "-")


def _decoded(content: bytes) -> str:
    if content.startswith(b"PK"):
        raise ProfileFileError("this is a workbook or an archive, no text: save the sheet as CSV")
    if content.startswith(_WIDE_MARKS):
        return content.decode("utf-16", errors="replace")
    if b"\0" in content:
        raise ProfileFileError("the file holds bytes that are no text: save the table as CSV")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252", errors="replace")
