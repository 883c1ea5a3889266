"""Explain every problem of a table of profiles: where it is, what it is, what to do."""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterator

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from proda_lib.own_profiles import layers, places, suspicions
from proda_lib.own_profiles.columns import COLUMNS, LEAST_BLOCKS, LEAST_PROFILES, column
from proda_lib.own_profiles.findings import about_file, about_rows, joined, lines
from proda_lib.own_profiles.read import ProfileTable, read
from proda_lib.own_profiles.table import LEFT_OUT, left_out, numbers, soc_density

__all__ = ["explained", "has_errors", "problems", "summary"]

_WAYS = ("soc_kg_m3", "oc_g_kg")
_REMEDIES = {
    LEFT_OUT[0]: ("upper_cm", "it is left out: the model begins at the soil surface"),
    LEFT_OUT[1]: ("soc_kg_m3", "it is left out: give it, or oc_g_kg with bulk_density_kg_m3"),
    LEFT_OUT[2]: ("bulk_density_kg_m3", "it is left out: oc_g_kg needs it"),
    LEFT_OUT[3]: ("soc_kg_m3", "it is left out: leave empty what was not measured"),
}


def problems(table: ProfileTable, cells: tuple[ArrayLike, ArrayLike] | None = None) -> pd.DataFrame:
    r"""Return all problems of a table, errors first.

    Parameters
    ----------
    table : ProfileTable
    cells : (array_like, array_like), optional
        Longitude and latitude of the cells of the study that lends its forcing, degrees.

    Returns
    -------
    DataFrame
        Columns of `proda_lib.own_profiles.findings.FIELDS`: `row` is the line of the file, missing
        where a whole column is meant; `severity` is "error" (no study can be made) or "warning".

    Examples
    --------
    >>> from proda_lib.own_profiles.read import parse
    >>> table = parse("profile,lon,lat,upper_cm,lower_cm,soc_kg_m3\nA,7,95,0,10,30\n")
    >>> found = problems(table)
    >>> int(found.row[0]), found.column[0], found.value[0], found.severity[0]
    (2, 'lat', '95', 'error')
    """
    return joined(_problems(table, cells))


def explained(
    file: str | os.PathLike[str], cells: tuple[ArrayLike, ArrayLike] | None = None
) -> tuple[list[str], str]:
    """Return what `proda check` tells of a file: its lines, and why the file is refused.

    Parameters
    ----------
    file : path
    cells : (array_like, array_like), optional
        As in `problems`.

    Returns
    -------
    told : list of str
        A line for each kind of problem; without errors the last says what can be used.
    refused : str
        Empty without errors.

    Raises
    ------
    proda_lib.own_profiles.read.ProfileFileError
        If the file cannot be read as a table.
    """
    table = read(file)
    found = problems(table, cells)
    told = list(lines(found))
    if has_errors(found):
        count = int((found.severity == "error").sum())
        return told, f"{file}: {count:,} error{'s' * (count > 1)}: mend and check again"
    return [*told, f"{file}: ok, {summary(table)}"], ""


def has_errors(found: pd.DataFrame) -> bool:
    """Say whether a table of problems holds an error.

    Examples
    --------
    >>> has_errors(joined([]))
    False
    """
    return bool((found.severity == "error").any())


def summary(table: ProfileTable) -> str:
    r"""Return how many profiles and layers of a table without errors are used.

    Examples
    --------
    >>> from proda_lib.own_profiles.read import parse
    >>> table = parse("profile,lon,lat,upper_cm,lower_cm,soc_kg_m3\nA,7,51,0,10,30\n")
    >>> summary(table)
    '1 profile with 1 layer'
    """
    used = table.cells["profile"][left_out(numbers(table)) == ""]
    profiles, count = used.nunique(), len(used)
    return f"{profiles:,} profile{'s' * (profiles != 1)} with {count:,} layer{'s' * (count != 1)}"


def _problems(
    table: ProfileTable, cells: tuple[ArrayLike, ArrayLike] | None
) -> Iterator[pd.DataFrame]:
    yield from _of_columns(table)
    if _lacking(table):
        return
    values, profile = numbers(table), table.cells["profile"]
    yield from _of_values(table, values, profile)
    yield from _left_out(values, _readable(table, values))
    yield from layers.of_profiles(values, profile)
    yield from layers.of_layers(values, profile)
    if cells is not None and suspicions.swapped(values).empty:
        yield from places.of_places(values, profile, *cells)
    yield from _enough(values, profile)


def _lacking(table: ProfileTable) -> list[str]:
    """Return the columns without which rows cannot be read."""
    lacking = [each.name for each in COLUMNS if each.required and each.name not in table.cells]
    return lacking + ([] if set(_WAYS) & set(table.cells) else [_WAYS[0]])


def _of_columns(table: ProfileTable) -> Iterator[pd.DataFrame]:
    for name in _lacking(table):
        near = difflib.get_close_matches(name, table.unknown, n=1, cutoff=0.4)
        remedy = f"rename {near[0]!r} if it is that" if near else "add it"
        other = " (or oc_g_kg with bulk_density_kg_m3)" if name in _WAYS else ""
        yield about_file(name, "error", f"the column is missing{other}", remedy)
    for name in table.twice:
        yield about_file(name, "error", "the column stands there twice", "remove or rename one")
    ragged = pd.Series(table.ragged, dtype=object).map("{:,} fields".format)
    yield about_rows(
        ragged, "", "error", f"the header has {table.width:,} columns",
        "look for a missing or an additional separator; a decimal comma is one",
    )  # fmt: skip
    if table.unknown:
        some = ", ".join(table.unknown[:3]) + (", ..." if len(table.unknown) > 3 else "")
        count = f"{len(table.unknown):,} column{'s are' if len(table.unknown) > 1 else ' is'}"
        yield about_file("", "warning", f"{count} not read ({some})", "names must be as documented")


def _of_values(
    table: ProfileTable, values: pd.DataFrame, profile: pd.Series
) -> Iterator[pd.DataFrame]:
    """Yield gaps, text, slips of whole columns, and single values out of their range."""
    explained = set()
    order = suspicions.swapped(values)
    if len(order):
        explained |= {"lat", "lon"}
        yield order
    for name, found in suspicions.units(values, profile):
        explained.add(name)
        yield found
    for each in COLUMNS:
        if each.name not in table.cells:
            continue
        cells = table.cells[each.name]
        if each.required:
            yield about_rows(
                cells[cells == ""], each.name, "error", "the value is missing",
                f"give the {each.meaning.partition(',')[0]}",
            )  # fmt: skip
        if each.text:
            continue
        yield about_rows(
            cells[(cells != "") & values[each.name].isna()], each.name, "error", "not a number",
            "write digits and a decimal point, no unit; leave empty what is missing",
        )  # fmt: skip
        if each.name not in explained:
            yield _outside(values[each.name], each.name)
    yield from _both_ways(values, explained)


def _outside(values: pd.Series, name: str) -> pd.DataFrame:
    bounds = column(name)
    outside = values[(values < bounds.lower) | (values > bounds.upper)]
    remedy = "check the unit and the sign; leave empty what is missing"
    if name in _WAYS:
        remedy = "no soil holds more than pure organic matter (58 %): check the unit"
    limits = f"outside {bounds.lower:g} to {bounds.upper:g} {bounds.units}"
    return about_rows(outside, name, "error", limits, remedy)


def _both_ways(values: pd.DataFrame, explained: set[str]) -> Iterator[pd.DataFrame]:
    """Yield SOC that is rare, or that differs from what oc and bulk density give."""
    if "soc_kg_m3" in explained:
        return
    soc = values.soc_kg_m3
    carbon, most = soc_density(values), column("soc_kg_m3").upper
    rare = carbon[(carbon > suspicions.UNUSUAL_SOC) & ~(soc > most)]
    yield about_rows(
        rare, "soc_kg_m3", "warning", f"above {suspicions.UNUSUAL_SOC:g} kg m-3, which is rare",
        "if soc_kg_m3 is g kg-1, name it oc_g_kg; if it is formed, check the bulk density",
    )  # fmt: skip
    formed = soc_density(values.assign(soc_kg_m3=np.nan))
    apart = soc[(soc - formed).abs() > 0.1 * formed]
    yield about_rows(
        apart, "soc_kg_m3", "warning",
        "differs by more than 10 % from oc x bulk density x (1 - coarse fraction)",
        "soc_kg_m3 is used: check which is right",
    )  # fmt: skip


def _readable(table: ProfileTable, values: pd.DataFrame) -> pd.Series:
    """Say which rows hold no text where a number should stand."""
    text = [
        (table.cells[name] != "") & values[name].isna() for name in values if name in table.cells
    ]
    return ~np.logical_or.reduce(text)


def _left_out(values: pd.DataFrame, readable: pd.Series) -> Iterator[pd.DataFrame]:
    reason = left_out(values)[readable]
    for why, (name, remedy) in _REMEDIES.items():
        shown = values.loc[readable, name].map("{:g}".format).replace("nan", "")
        yield about_rows(shown[reason == why], name, "warning", why, remedy)
    if len(reason) and (reason != "").all():
        yield about_file(
            "soc_kg_m3", "error", "no layer can be used", "see the reasons in the other lines"
        )


def _enough(values: pd.DataFrame, profile: pd.Series) -> Iterator[pd.DataFrame]:
    """Yield a warning where there are fewer profiles, or fewer blocks, than have been tried."""
    used = values[(left_out(values) == "") & (profile != "")]
    count = profile[used.index].nunique()
    blocks = len(np.unique(np.floor(used[["lon", "lat"]].dropna()), axis=0))
    if 0 < count < LEAST_PROFILES or 0 < blocks < LEAST_BLOCKS:
        yield about_file(
            "profile", "warning",
            f"{count:,} profiles in {blocks:,} blocks of one degree can be used",
            f"networks and maps were tried with {LEAST_PROFILES} in {LEAST_BLOCKS} blocks; "
            "with fewer, chapters that learn from profiles may stop",
        )  # fmt: skip
