"""What is wrong within profiles: layers twice or across each other, names and places mixed up."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from proda_lib.own_profiles.findings import about_file, about_rows
from proda_lib.own_profiles.table import left_out, soc_density

__all__ = ["of_layers", "of_profiles"]


def of_layers(values: pd.DataFrame, profile: pd.Series) -> Iterator[pd.DataFrame]:
    """Yield layers that end where they begin, stand twice or overlap, and carbon that rises.

    Parameters
    ----------
    values : DataFrame
        As `proda_lib.own_profiles.table.numbers` returns it.
    profile : Series
        Name of the profile of each row.
    """
    frame = values.assign(profile=profile)[profile != ""]
    frame = frame.dropna(subset=["upper_cm", "lower_cm"])
    pairs = zip(frame.upper_cm, frame.lower_cm, strict=True)
    ends = pd.Series([f"{a:g} to {b:g} cm" for a, b in pairs], index=frame.index, dtype=object)
    turned = frame.upper_cm >= frame.lower_cm
    yield about_rows(
        ends[turned], "upper_cm", "error", "a layer begins above where it ends",
        "give upper_cm less than lower_cm; litter above the soil has negative depths",
    )  # fmt: skip
    twice = frame.duplicated(["profile", "upper_cm", "lower_cm"]) & ~turned
    yield about_rows(
        (frame.profile + ", " + ends)[twice], "upper_cm", "error",
        "the profile has this layer already", "remove one, or give replicates names of their own",
    )  # fmt: skip
    order = frame[~turned & ~twice].sort_values(["profile", "upper_cm"], kind="stable")
    deepest = order.groupby("profile").lower_cm.cummax()
    above = deepest.groupby(order.profile).shift()
    crossing = order.index[order.upper_cm < above - 1e-9].sort_values()
    yield about_rows(
        (frame.profile + ", " + ends)[crossing], "upper_cm", "error",
        "the layer overlaps one that begins above it",
        "let each layer begin where the one above ends, or below",
    )  # fmt: skip
    yield _rising(order)


def _rising(layers: pd.DataFrame) -> pd.DataFrame:
    """Return profiles whose carbon rises with depth: their correlation is above 0.

    The original study leaves such profiles out (its data_cleansing); here they are only marked.
    """
    soc, depth = soc_density(layers), (layers.upper_cm + layers.lower_cm) / 2
    frame = pd.DataFrame({"profile": layers.profile, "soc": soc, "depth": depth})
    frame = frame[left_out(layers) == ""]
    middle = frame.groupby("profile")[["soc", "depth"]].transform("mean")
    together = ((frame.soc - middle.soc) * (frame.depth - middle.depth)).groupby(frame.profile)
    rising = together.sum()
    return about_rows(
        _first_rows(frame.profile, rising.index[rising > 1e-9]), "soc_kg_m3", "warning",
        "the profile's carbon increases with depth",
        "compare with its source; peat and buried soils do that",
    )  # fmt: skip


def of_profiles(values: pd.DataFrame, profile: pd.Series) -> Iterator[pd.DataFrame]:
    """Yield profiles at several places, in several parts or with several spellings; few layers.

    Parameters as in `of_layers`.
    """
    named = profile[profile != ""]
    places = values.loc[named.index, ["lon", "lat"]]
    moved = places.groupby(named).transform("nunique").max(axis=1) > 1
    yield about_rows(
        _first_rows(named, named[moved].unique()), "lon, lat", "error",
        "the profile has several positions",
        "give all its rows the same lon and lat, or names of their own",
    )  # fmt: skip
    parts = (named != named.shift()).groupby(named).sum()
    yield about_rows(
        _first_rows(named, parts.index[(parts > 1) & ~moved.groupby(named).any()]),
        "profile", "warning", "rows of the profile do not stand together",
        "two profiles may bear one name: then rename one",
    )  # fmt: skip
    spelt = pd.Series(named.unique())
    plain = spelt.str.lower().str.replace(r"[\s_.-]+", "", regex=True)
    yield about_rows(
        _first_rows(named, spelt[plain.duplicated()]), "profile", "warning",
        "differs from another name only in capitals, blanks or dashes",
        "write the same profile alike everywhere",
    )  # fmt: skip
    yield from _shared(named, places)
    layers = named.groupby(named).transform("size")
    yield about_rows(
        named[layers == 1], "profile", "warning", "a profile of one layer",
        "it is used, but says nothing about the change with depth",
    )  # fmt: skip


def _shared(named: pd.Series, places: pd.DataFrame) -> Iterator[pd.DataFrame]:
    """Yield a note on places that several profiles share."""
    first = places.assign(profile=named).drop_duplicates("profile").dropna()
    shared = first[first.duplicated(["lon", "lat"], keep=False)]
    if len(shared):
        count = len(shared.drop_duplicates(["lon", "lat"]))
        places_shared = f"{count:,} position{'s' * (count > 1)}"
        yield about_file(
            "lon, lat", "warning", f"{len(shared):,} profiles share {places_shared}",
            "this is fine if it is true: they stay together when profiles are hidden",
        )  # fmt: skip


def _first_rows(profile: pd.Series, wanted: object) -> pd.Series:
    """Return the first row of each of these profiles, with its name."""
    return profile[profile.isin(wanted) & ~profile.duplicated()]
