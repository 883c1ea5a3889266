"""Mistakes of units and order that show in the values of a whole column, found by reasoning.

A column of centimetres never ends at 2; a bulk density in kg m-3 is never 1.3. Each function
returns problems; `explained` columns need no further complaint about single rows.
"""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from proda_lib.own_profiles.columns import CARBON
from proda_lib.own_profiles.findings import about_file, about_rows

__all__ = ["UNUSUAL_SOC", "swapped", "units"]

#: kg m-3. Of the 8,701 layers of the study newyork three hold more.
UNUSUAL_SOC = 200.0

#: cm: all layers of a table that end above this were given in m, if profiles have several layers.
_METRES = 5.0
#: kg m-3: a bulk density below this is in g cm-3 (rock has 2.65).
_GRAMS = 3.0
#: g kg-1: uppermost layers with a median below this are in percent, or from a desert.
_PERCENT = 6.0
_TOP = 30.0  # cm


def swapped(values: pd.DataFrame) -> pd.DataFrame:
    """Say whether longitude and latitude stand in each other's column.

    They do if most latitudes are beyond a pole and every pair is a place when swapped. With the
    cells of a study at hand `proda_lib.own_profiles.places` sees more.
    """
    beyond = values.lat[values.lat.abs() > 90]
    if len(beyond) <= len(values) / 2 or not (
        values.lon.abs().max() <= 90 and values.lat.abs().max() <= 180
    ):
        return pd.DataFrame()
    return about_rows(
        beyond, "lat", "error", "beyond a pole, while every longitude would do as a latitude",
        "lon and lat are swapped: exchange the names of the two columns",
    )  # fmt: skip


def units(values: pd.DataFrame, profile: pd.Series) -> Iterator[tuple[str, pd.DataFrame]]:
    """Yield column and problem for each column whose unit is another one.

    Parameters
    ----------
    values : DataFrame
        As `proda_lib.own_profiles.table.numbers` returns it.
    profile : Series
        Name of the profile of each row.
    """
    deepest = values.lower_cm.max()
    if 0 < deepest < _METRES and profile[profile != ""].duplicated().any():
        yield "lower_cm", about_file(
            "lower_cm", "error", f"the deepest layer of all ends at {deepest:g} cm",
            "depths look like m: multiply upper_cm and lower_cm by 100",
        )  # fmt: skip
    density = values.bulk_density_kg_m3
    if density.notna().any() and density.max() < _GRAMS:
        yield "bulk_density_kg_m3", about_file(
            "bulk_density_kg_m3", "error", f"the largest value of all is {density.max():g} kg m-3",
            "this looks like g cm-3: multiply by 1000",
        )  # fmt: skip
    stones = values.coarse_fraction
    if 1 < stones.max() <= 100:
        yield "coarse_fraction", about_rows(
            stones[stones > 1], "coarse_fraction", "error", "a share is at most 1",
            "this looks like percent: divide the whole column by 100",
        )  # fmt: skip
    yield from _carbon(values)


def _carbon(values: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    soc, content, density = values.soc_kg_m3, values.oc_g_kg, values.bulk_density_kg_m3
    if soc.median() > 1000 * CARBON:
        yield "soc_kg_m3", about_file(
            "soc_kg_m3", "error", f"half of all values are above {soc.median():,.0f} kg m-3",
            "this looks like g m-3: divide by 1000",
        )  # fmt: skip
    elif len(same := soc[_repeats(soc, content, density)]):
        yield "soc_kg_m3", about_rows(
            same, "soc_kg_m3", "error", "the same number as oc_g_kg, at another bulk density",
            "this looks like g kg-1: leave soc_kg_m3 empty, it is formed from oc_g_kg",
        )  # fmt: skip
    elif (impossible := soc > CARBON * density).any():
        yield "soc_kg_m3", about_rows(
            soc[impossible], "soc_kg_m3", "error",
            "more than organic matter of that bulk density holds (58 %)",
            "if this is g kg-1, name the column oc_g_kg",
        )  # fmt: skip
    top = content[(values.upper_cm >= 0) & (values.upper_cm < _TOP)]
    if top.notna().sum() >= 3 and 0 < top.median() < _PERCENT and content.max() <= 100 * CARBON:
        yield "oc_g_kg", about_file(
            "oc_g_kg", "warning",
            f"half of the layers that begin above 30 cm have less than {top.median():.2g} g kg-1",
            "this looks like percent: then multiply by 10; in a desert it may be right",
        )  # fmt: skip


def _repeats(soc: pd.Series, content: pd.Series, density: pd.Series) -> pd.Series:
    """Say where SOC repeats the content although bulk density is not near 1000 kg m-3."""
    alike = (soc - content).abs() <= 1e-9 * content.abs()
    return alike & (content > 0) & ((density - 1000).abs() > 50)
