"""Read a WoSIS snapshot: from the tables of ISRIC to a table of layers and a report.

The tables are read piece by piece with only the columns needed, so that memory holds what is kept
and not what is read.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from proda_lib.files import atomic
from proda_lib.nearest import unknown
from proda_lib.wosis import reader, rows, rules, table
from proda_lib.wosis.choice import LayerChoice
from proda_lib.wosis.layout import LAYOUTS, Layout, SnapshotError, Source, find
from proda_lib.wosis.tally import Tally

__all__ = ["checked_target", "read", "write"]

#: Decimals with which what is computed is written; what is read is written as it was read.
_DECIMALS = {"soc_kg_m3": 6, "bulk_density_kg_m3": 3, "coarse_fraction": 6}


def read(
    place: str | os.PathLike[str],
    version: str = "2023",
    *,
    box: tuple[float, float, float, float] | None = None,
    countries: Sequence[str] | None = None,
    position_within_km: float | None = None,
    litter: str = "drop",
    coarse: str = "ignore",
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the usable layers of a snapshot, and what was left out and why.

    Parameters
    ----------
    place : path
        The unpacked folder, a folder that holds it, or the zip archive.
    version : {"2019", "2023"}
    box : (west, south, east, north), optional
        Degrees; west beyond east crosses the date line.
    countries : sequence of str, optional
        Names in English as the snapshot spells them.
    position_within_km : float, optional
        Leave out profiles whose position is less sure than this, km, or of unknown certainty.
    litter : {"drop", "keep"}
        What becomes of layers flagged as litter or organic surface.
    coarse : {"ignore", "correct"}
        "ignore" as published: carbon x bulk density. "correct" takes off the volume of coarse
        fragments, and makes densities of the whole soil those of its fine earth. See `LayerChoice`.

    Returns
    -------
    layers : DataFrame
        Columns `table.COLUMNS`, sorted by profile and depth: profile, layer (WoSIS numbers); lon,
        lat (degrees); upper_cm, lower_cm; soc_kg_m3; oc_g_kg (value_avg, of the fine earth);
        bulk_density_kg_m3; coarse_fraction (0 to 1 by volume, NaN unknown); density_from
        ("measured: CODE" or "pedotransfer"); date (as far as known); country,
        positional_uncertainty (class, or degrees in 2019), dataset, licence as in the snapshot;
        flags (words separated by semicolons: undated, position_unknown, coarse_unknown,
        whole_soil_density, litter).
    report : DataFrame
        Columns reason, profiles, layers; first "(read)", last "(kept)". Layers add up. Its
        attribute `attrs["notes"]` says which tables and columns were not there.

    Raises
    ------
    ValueError
        If an option is not allowed.
    SnapshotError
        If a table is missing, empty, cut off or broken, lacks a column or holds a text or an
        impossible position, or if nothing is left.
    """
    choice = LayerChoice(box, countries, position_within_km, litter, coarse)
    found = find(Path(place), version)
    layout, tally = LAYOUTS[version], Tally()
    notes = _notes(found, layout, choice)
    read_rows, layers = _kept_rows(found, layout, choice, tally)
    layers = tally.drop(layers, {"duplicate layer": rules.duplicates(layers)})
    layers = tally.drop(layers, {"overlaps a layer above": rules.overlaps(layers)})
    repeated = rules.repeated_profiles(layers)
    layers = tally.drop(layers, {"profile repeats another": repeated})
    made = _with_density(layers, found, layout, choice, tally)
    report = tally.report(read_rows, made)
    if made.empty:
        raise SnapshotError(_nothing_left(place, report))
    report.attrs["notes"] = notes
    return made, report


def checked_target(path: str | os.PathLike[str]) -> Path:
    """Return where a table is to be written, or say that its name does not end in .csv.

    Examples
    --------
    >>> checked_target("mine.txt")
    Traceback (most recent call last):
    ValueError: the table is to be written to mine.txt: give a name that ends in .csv
    """
    target = Path(path)
    if target.suffix != ".csv":
        raise ValueError(f"the table is to be written to {target}: give a name that ends in .csv")
    return target


def write(layers: pd.DataFrame, report: pd.DataFrame, path: str | os.PathLike[str]) -> Path:
    """Write layers as CSV and the report beside it, both whole or not at all.

    Parameters
    ----------
    layers, report : DataFrame
        As `read` gives them.
    path : path
        Of the layers, NAME.csv; the report is NAME_report.csv.

    Returns
    -------
    Path
        Of the report.
    """
    target = checked_target(path)
    beside = target.with_name(f"{target.stem}_report.csv")
    with atomic(target) as first, atomic(beside) as second:
        # Rounding first is ten times as fast as a format for each number.
        layers.round(_DECIMALS).to_csv(first, index=False)
        report.to_csv(second, index=False)
    return beside


def _notes(found: Mapping[str, Source], layout: Layout, choice: LayerChoice) -> list[str]:
    """Say what is not there; refuse a choice that needs it."""
    notes = [f"not there: {name}" for what, name in layout.files.items() if what not in found]
    absent = set()
    for what, columns in (("layers", layout.layers), ("profiles", layout.profiles)):
        if columns:
            there = reader.present(found[what], columns).values()
            for column in set(columns) - set(there):
                absent.add(column.name)
                notes.append(f"{found[what].name} has no column {' or '.join(column.spelled)}")
    notes += rows.absent_values(found, layout)
    for option, column in (("countries", "country"),
                           ("position_within_km", "positional_uncertainty")):  # fmt: skip
        if getattr(choice, option) is not None and column in absent:
            raise SnapshotError(f"{option} was given, but {'; '.join(notes)}: leave it out")
    return notes


def _kept_rows(
    found: Mapping[str, Source], layout: Layout, choice: LayerChoice, tally: Tally
) -> tuple[int, pd.DataFrame]:
    """Return how many layers were read, and those that pass the rules of one row."""
    pieces, countries, count = [], set(), 0
    for piece in rows.layers(found, layout, tally):
        count += piece.attrs["rows"]
        countries.update(piece["country"].cat.categories)
        pieces.append(tally.drop(piece, rules.row_rules(piece, choice)))
    known = {name.casefold() for name in countries}
    for name in choice.countries or ():
        if name.casefold() not in known:
            raise SnapshotError(unknown("country", name, sorted(countries)))
    return count, table.join(pieces)


def _with_density(
    layers: pd.DataFrame,
    found: Mapping[str, Source],
    layout: Layout,
    choice: LayerChoice,
    tally: Tally,
) -> pd.DataFrame:
    """Return the finished table: densities and coarse fragments of the kept layers joined."""
    values = rows.values(layers, found, layout)
    coarse, correct = values[:, -1] / 100, choice.coarse == "correct"
    density, code = table.densities(values[:, :-1], coarse, correct)
    bad = rules.column_rules(density, coarse)
    made = table.finish(layers, density, code, coarse, correct, rules.true(layers["litter"]))
    return tally.drop(made, bad).reset_index(drop=True)


def _nothing_left(place: str | os.PathLike[str], report: pd.DataFrame) -> str:
    why = "; ".join(
        f"{n:,} {reason}" for reason, n in zip(report.reason, report.layers, strict=True)
    )
    return (
        f"{place}: no layer is left ({why}): widen the choice, or see whether columns are swapped"
    )
