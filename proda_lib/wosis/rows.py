"""Rows of a snapshot as they are read: place and source joined, identifiers and positions checked.

In 2019 the place is in a table of profiles of its own and all densities are in one table; in 2023
each layer has its place and each density is a table.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from proda_lib.wosis import reader
from proda_lib.wosis.layout import DENSITY_CODES, Layout, SnapshotColumn, SnapshotError, Source
from proda_lib.wosis.tally import Tally

__all__ = ["absent_values", "layers", "values"]

#: Identifiers are whole numbers below this, so that two of them fit into one.
_MOST_ID = 2.0**31


def layers(found: Mapping[str, Source], layout: Layout, tally: Tally) -> Iterator[pd.DataFrame]:
    """Yield the layers with organic carbon piece by piece, each with its place and source.

    Parameters
    ----------
    found : mapping
        Tables as `layout.find` gives them.
    layout : Layout
    tally : Tally
        Is told the profiles, and the layers whose profile is not known.

    Yields
    ------
    DataFrame
        All columns of the layout, empty where the table has none; its `attrs["rows"]` is the number
        of rows read.

    Raises
    ------
    SnapshotError
        At the first broken table, identifier that is no whole number, or impossible position.
    """
    profiles = _profiles(found["profiles"], layout.profiles) if layout.profiles else None
    for piece in reader.chunks(found["layers"], layout.layers):
        rows = len(piece)
        _check_ids(piece, found["layers"], ("profile", "layer"))
        tally.seen(piece)
        if profiles is not None:
            at = profiles.index.get_indexer(piece["profile"])
            place = profiles.iloc[at].set_index(piece.index)
            piece = pd.concat([piece, place], axis=1)
            piece = tally.drop(piece, {"profile is not in the table of profiles": at < 0})
        else:
            _check_places(piece, found["layers"])
        piece = _with_gaps(piece, (*layout.layers, *layout.profiles))
        piece.attrs["rows"] = rows
        yield piece


def _profiles(source: Source, columns: Sequence[SnapshotColumn]) -> pd.DataFrame:
    """Return the table of profiles of 2019 by their number."""
    pieces = []
    for piece in reader.chunks(source, columns):
        _check_ids(piece, source, ("profile",))
        _check_places(piece, source)
        texts = piece.select_dtypes("category").columns
        pieces.append(piece.astype(dict.fromkeys(texts, object)))
    made = pd.concat(pieces)
    twice = made["profile"].duplicated()
    if twice.any():
        raise SnapshotError(
            f"{source.name}, row {twice.idxmax() + 1} after the line of names: profile "
            f"{made.profile[twice.idxmax()]:.0f} occurs a second time: leave one of the rows"
        )
    made = made.astype(dict.fromkeys(made.select_dtypes(object).columns, "category"))
    return made.set_index("profile")


def _with_gaps(piece: pd.DataFrame, columns: Sequence[SnapshotColumn]) -> pd.DataFrame:
    """Return a piece with an empty column for each that the table does not have."""
    gone = [column.name for column in columns if column.name not in piece]
    empty = pd.Categorical([None] * len(piece), categories=pd.Index([], dtype="str"))
    return piece.assign(**dict.fromkeys(gone, empty))


def _check_ids(piece: pd.DataFrame, source: Source, names: Sequence[str]) -> None:
    for name in names:
        value = piece[name].to_numpy()
        bad = ~((value >= 0) & (value < _MOST_ID) & (value == np.floor(value)))
        if bad.any():
            row = piece.index[bad.argmax()]
            raise SnapshotError(
                f"{source.name}, row {row + 1} after the line of names: the number of the {name} "
                f"is {piece[name][row]:g}, allowed are whole numbers: mend the row"
            )


def _check_places(piece: pd.DataFrame, source: Source) -> None:
    lon, lat = piece["lon"].to_numpy(), piece["lat"].to_numpy()
    bad = (np.abs(lat) > 90) | (np.abs(lon) > 180)
    if not bad.any():
        return
    row = piece.index[bad.argmax()]
    lat, lon = piece["lat"][row], piece["lon"][row]
    swapped = abs(lat) <= 180 and abs(lon) <= 90
    remedy = "longitude and latitude look swapped: name their columns aright" if swapped else (
        "mend the row"
    )  # fmt: skip
    raise SnapshotError(
        f"{source.name}, row {row + 1} after the line of names: latitude {lat:g} and longitude "
        f"{lon:g} are no place on Earth (-90 to 90, -180 to 180): {remedy}"
    )


def values(kept: pd.DataFrame, found: Mapping[str, Source], layout: Layout) -> NDArray[np.float64]:
    """Return the densities and coarse fragments of layers.

    Parameters
    ----------
    kept : DataFrame
        With profile and layer, no layer twice.
    found, layout
        As for `layers`.

    Returns
    -------
    array (layer, code)
        `DENSITY_CODES` in kg dm-3, last coarse fragments in % by volume; NaN where there is none.
    """
    index, codes = pd.Index(_key(kept)), (*DENSITY_CODES, "cfvo")
    made = np.full((len(kept), len(codes)), np.nan)
    ids = tuple(column for column in layout.layers if column.name in ("profile", "layer"))
    for what, spelled in layout.values.items():
        if what not in found:
            continue
        for piece in reader.chunks(found[what], (*ids, *_value_columns(spelled))):
            _check_ids(piece, found[what], ("profile", "layer"))
            at = index.get_indexer(_key(piece))
            for code in spelled:
                if code in piece:
                    _fill(made[:, codes.index(code)], at, piece[code].to_numpy())
    return made


def _fill(column: NDArray[np.float64], at: NDArray[np.intp], given: NDArray[np.float64]) -> None:
    """Put values in their place, in place; the first of a layer counts."""
    use = (at >= 0) & ~np.isnan(given)
    place, first = np.unique(at[use], return_index=True)
    empty = np.isnan(column[place])
    column[place[empty]] = given[use][first[empty]]


def _key(layers: pd.DataFrame) -> NDArray[np.int64]:
    """Return one number for profile and layer."""
    profile, layer = (layers[name].to_numpy().astype(np.int64) for name in ("profile", "layer"))
    return (profile << 31) + layer


def _value_columns(spelled: Mapping[str, str]) -> list[SnapshotColumn]:
    """Return the columns of values; a table that is all about one must have it."""
    alone = len(spelled) == 1
    return [SnapshotColumn(code, (name,), True, alone) for code, name in spelled.items()]


def absent_values(found: Mapping[str, Source], layout: Layout) -> list[str]:
    """Return a note for each density or other value that a table lacks.

    Raises
    ------
    SnapshotError
        If a table that is all about one value lacks it.
    """
    notes = []
    for what, spelled in layout.values.items():
        if what in found:
            there = reader.present(found[what], _value_columns(spelled))
            gone = [name for name in spelled.values() if name not in there]
            notes += [f"{found[what].name} has no column {name}" for name in gone]
    return notes
