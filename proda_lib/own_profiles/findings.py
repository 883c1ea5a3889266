"""What a check found: one row per row of the file, and the lines that tell it briefly."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import pandas as pd

__all__ = ["FIELDS", "about_file", "about_rows", "joined", "lines"]

#: Columns of a table of problems. `row` is the line of the file, missing where all are meant.
FIELDS = ["row", "column", "value", "severity", "problem", "remedy"]

#: Rows that a line names before it counts.
_MOST = 3


def about_rows(
    values: pd.Series, column: str, severity: str, problem: str, remedy: str
) -> pd.DataFrame:
    """Return the same problem for each row of a series.

    Parameters
    ----------
    values : Series
        What stands there, as text or number; the index is the line of the file.
    column : str
    severity : {"error", "warning"}
    problem, remedy : str

    Examples
    --------
    >>> about_rows(pd.Series(["95"], [2]), "lat", "error", "too large", "mend it").row.tolist()
    [2]
    """
    if values.empty:
        return pd.DataFrame(columns=FIELDS)
    text = [value if isinstance(value, str) else f"{value:g}" for value in values]
    rows = [(row, column, value) for row, value in zip(values.index, text, strict=True)]
    found = pd.DataFrame(rows, columns=FIELDS[:3]).astype({"row": "Int64"})
    return found.assign(severity=severity, problem=problem, remedy=remedy)


def about_file(column: str, severity: str, problem: str, remedy: str) -> pd.DataFrame:
    """Return one problem of the whole file, or of a whole column.

    Examples
    --------
    >>> about_file("lat", "error", "missing", "add it").row.isna().tolist()
    [True]
    """
    rows = [(pd.NA, column, "", severity, problem, remedy)]
    return pd.DataFrame(rows, columns=FIELDS).astype({"row": "Int64"})


def joined(parts: Iterable[pd.DataFrame]) -> pd.DataFrame:
    """Return all problems in one table, errors first, otherwise in the order given.

    Examples
    --------
    >>> joined([]).columns.tolist()[:3]
    ['row', 'column', 'value']
    """
    some = [part for part in parts if len(part)]
    if not some:
        return pd.DataFrame(columns=FIELDS).astype({"row": "Int64"})
    return pd.concat(some).sort_values("severity", kind="stable", ignore_index=True)


def lines(problems: pd.DataFrame) -> Iterator[str]:
    """Yield one line for each kind of problem: its first rows with their values, and the count.

    Examples
    --------
    >>> found = about_rows(pd.Series(["95", "96"], [2, 7]), "lat", "error", "too large", "mend it")
    >>> list(lines(found))
    ['error: lat, rows 2 (95), 7 (96): too large: mend it']
    """
    kinds = ["severity", "column", "problem", "remedy"]
    for (severity, column, problem, remedy), group in problems.groupby(kinds, sort=False):
        where = [_place(row, value) for row, value in zip(group.row, group.value, strict=True)]
        if group.row.isna().all():
            place = ""
        else:
            rest = len(where) - _MOST
            more = f" and {rest:,} more" if rest > 0 else ""
            place = f"row{'s' * (len(where) > 1)} {', '.join(where[:_MOST])}{more}"
        there = ", ".join(part for part in (column, place) if part)
        yield ": ".join(part for part in (severity, there, problem, remedy) if part)


def _place(row: object, value: str) -> str:
    short = value if len(value) <= 40 else f"{value[:37]}..."
    return f"{row} ({short})" if short else f"{row}"
