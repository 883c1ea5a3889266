"""Synthetic tables in the form of the WoSIS snapshots, for tests: no value is from WoSIS."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

COLUMNS_2023 = (
    "profile_id", "layer_id", "upper_depth", "lower_depth", "organic_surface", "value", "value_avg",
    "date", "dataset_id", "licence", "positional_uncertainty", "longitude", "latitude",
    "country_name", "continent",
)  # fmt: skip

#: What a row says unless told otherwise.
DEFAULTS = {
    "profile_id": 1, "layer_id": 1, "upper_depth": 0, "lower_depth": 10, "organic_surface": "f",
    "value": "{1:20.0}", "value_avg": 20.0, "date": "2009-07-??", "dataset_id": "US-MADE-UP",
    "licence": "CC-BY", "positional_uncertainty": "Circa 100 m", "longitude": -75.5,
    "latitude": 43.25, "country_name": "United States of America", "continent": "Northern America",
}  # fmt: skip


def tsv(path: Path, columns: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> Path:
    """Write a table as the snapshots are written; a cell that is not given is empty."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = ["\t".join(columns)]
    lines += ["\t".join(_cell(row.get(column)) for column in columns) for row in rows]
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path


def _cell(value: Any) -> str:
    text = "" if value is None else str(value)
    return '"' + text.replace('"', '""') + '"' if any(mark in text for mark in '"\t\n') else text


def layer(**changes: Any) -> dict[str, Any]:
    """Return a row of 2023."""
    return DEFAULTS | changes


def snapshot_2023(
    folder: Path, layers: Sequence[Mapping[str, Any]], **values: Mapping[int, float]
) -> Path:
    """Write a snapshot of 2023; `values` gives a property's value by layer_id."""
    inside = folder / "WoSIS_2023_December"
    tsv(inside / "wosis_202312_orgc.tsv", COLUMNS_2023, layers)
    for code, by_layer in values.items():
        rows = [
            dict(row) | {"value_avg": by_layer[row["layer_id"]], "value": "{1:1.0}"}
            for row in layers
            if row["layer_id"] in by_layer
        ]
        if rows:
            tsv(inside / f"wosis_202312_{code}.tsv", COLUMNS_2023, rows)
    return folder


def snapshot_2019(folder: Path, layers: Sequence[Mapping[str, Any]], **values: Any) -> Path:
    """Write the same layers as a snapshot of 2019, with its spellings."""
    inside, profiles = folder / "WoSIS_2019_September", {}
    chemical, physical = [], []
    for row in layers:
        profiles.setdefault(row["profile_id"], {
            "profile_id": row["profile_id"], "dataset_id": row["dataset_id"], "country_id": "NA",
            "country_name": row["country_name"], "geom_accuracy": 0.01,
            "latitude": row["latitude"], "longitude": row["longitude"], "dsds": 150,
        })  # fmt: skip
        same = {
            "profile_id": row["profile_id"], "profile_layer_id": row["layer_id"],
            "upper_depth": row["upper_depth"], "lower_depth": row["lower_depth"],
            "layer_name": "A", "litter": row["organic_surface"],
        }  # fmt: skip
        chemical.append(same | {
            "orgc_value": row["value"], "orgc_value_avg": row["value_avg"],
            "orgc_method": '{1:"dry, "" combustion"}', "orgc_date": "{1:" + row["date"] + "}",
            "orgc_dataset_id": row["dataset_id"], "orgc_license": row["licence"],
        })  # fmt: skip
        physical.append(same | {
            f"{code}_value_avg": by_layer.get(row["layer_id"]) for code, by_layer in values.items()
        })  # fmt: skip
    tsv(inside / "wosis_201909_profiles.tsv", list(next(iter(profiles.values()))),
        list(profiles.values()))  # fmt: skip
    tsv(inside / "wosis_201909_layers_chemical.tsv", list(chemical[0]), chemical)
    tsv(inside / "wosis_201909_layers_physical.tsv", list(physical[0]), physical)
    return folder
