"""The files and columns of the two WoSIS snapshots, and where they lie.

Sources: 2019, Batjes, Ribeiro and van Oostrum 2020, doi:10.5194/essd-12-299-2020, appendices A
(units) and B (files and columns); 2023, Batjes, Calisto and de Sousa 2024,
doi:10.5194/essd-16-4735-2024, with the column names as programs that read the files use them. No
real file was at hand when this was written: a column that only describes (date, licence ...) may
be missing, then it stays empty and the report's notes say so; those that are computed with may not.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from proda_lib.nearest import check_allowed

__all__ = [
    "DENSITY_CODES",
    "LAYOUTS",
    "POSITION_KM",
    "SnapshotColumn",
    "Layout",
    "SnapshotError",
    "Source",
    "find",
]


class SnapshotError(ValueError):
    """A snapshot that cannot be read; the message names file, row, column and the remedy."""


@dataclass(frozen=True)
class SnapshotColumn:
    """One column that is read.

    Attributes
    ----------
    name : str
        What it is called here.
    spelled : tuple of str
        How it is spelled in the files, the first that occurs is taken.
    number : bool
        Whether it holds numbers; otherwise text.
    required : bool
        Whether the file is refused without it.
    """

    name: str
    spelled: tuple[str, ...]
    number: bool = False
    required: bool = False


@dataclass(frozen=True)
class Layout:
    """What a snapshot consists of.

    Attributes
    ----------
    version : str
    files : mapping
        What a file holds -> its name. "layers" has organic carbon; only it, and in 2019
        "profiles", must be there.
    layers, profiles : tuple of SnapshotColumn
        Columns of the layers with organic carbon, and of the profiles (2019 only).
    values : mapping
        What a file holds -> for each property code the spelling of its mean value.
    """

    version: str
    files: Mapping[str, str]
    layers: tuple[SnapshotColumn, ...]
    profiles: tuple[SnapshotColumn, ...]
    values: Mapping[str, Mapping[str, str]]


#: Bulk density, kg dm-3, in order of preference: of fine earth first, because organic carbon is
#: per kg of fine earth; 33 kPa first, because it is nearest to the volume in the field.
DENSITY_CODES = (
    "bdfi33", "bdfiod", "bdfiad", "bdfifm", "bdfins",
    "bdws33", "bdwsod", "bdwsad", "bdwsfm", "bdwsns",
)  # fmt: skip

_PROPERTIES = (*DENSITY_CODES, "cfvo")

#: Upper end of each class of positional uncertainty of 2023, km.
POSITION_KM = {
    "Circa 100 m": 0.1,
    "100 m - 1 km": 1.0,
    "1 km - 10 km": 10.0,
    "Over 10 km": float("inf"),
}


def _number(name: str, *spelled: str) -> SnapshotColumn:
    return SnapshotColumn(name, spelled or (name,), number=True, required=True)


def _ids(layer: str) -> tuple[SnapshotColumn, ...]:
    depths = (_number("upper_cm", "upper_depth"), _number("lower_cm", "lower_depth"))
    return (_number("profile", "profile_id"), _number("layer", layer), *depths)


_PLACE = (_number("lon", "longitude"), _number("lat", "latitude"))

_2019 = Layout(
    version="2019",
    files={
        "layers": "wosis_201909_layers_chemical.tsv",
        "profiles": "wosis_201909_profiles.tsv",
        "physical": "wosis_201909_layers_physical.tsv",
    },
    layers=(
        *_ids("profile_layer_id"),
        _number("oc_g_kg", "orgc_value_avg"),
        SnapshotColumn("litter", ("litter",)),
        SnapshotColumn("date", ("orgc_date",)),
        SnapshotColumn("licence", ("orgc_licence", "orgc_license")),
    ),
    profiles=(
        _number("profile", "profile_id"),
        *_PLACE,
        SnapshotColumn("country", ("country_name",)),
        SnapshotColumn("dataset", ("dataset_id",)),
        SnapshotColumn("positional_uncertainty", ("geom_accuracy",)),
    ),
    values={"physical": {code: f"{code}_value_avg" for code in _PROPERTIES}},
)

_2023 = Layout(
    version="2023",
    files={"layers": "wosis_202312_orgc.tsv"}
    | {code: f"wosis_202312_{code}.tsv" for code in _PROPERTIES},
    layers=(
        *_ids("layer_id"),
        _number("oc_g_kg", "value_avg"),
        *_PLACE,
        SnapshotColumn("litter", ("organic_surface", "litter")),
        SnapshotColumn("date", ("date",)),
        SnapshotColumn("country", ("country_name",)),
        SnapshotColumn("dataset", ("dataset_id",)),
        SnapshotColumn("licence", ("licence", "license")),
        SnapshotColumn("positional_uncertainty", ("positional_uncertainty",)),
    ),
    profiles=(),
    values={code: {code: "value_avg"} for code in _PROPERTIES},
)

#: Layouts by version of the snapshot.
LAYOUTS = {"2019": _2019, "2023": _2023}


@dataclass(frozen=True)
class Source:
    """One table of a snapshot, a file of a folder or a member of a zip archive.

    Attributes
    ----------
    path : Path
        The file, or the archive.
    member : str
        Name inside the archive, empty for a file.
    """

    path: Path
    member: str = ""

    @property
    def name(self) -> str:
        """Name of the file."""
        return (self.member or self.path.name).rpartition("/")[2]

    @contextmanager
    def open(self) -> Iterator[BinaryIO]:
        """Open the table to read its bytes; an archive is not unpacked."""
        if not self.member:
            with self.path.open("rb") as stream:
                yield stream
            return
        with zipfile.ZipFile(self.path) as archive, archive.open(self.member) as stream:
            yield stream


def find(place: Path, version: str) -> dict[str, Source]:
    """Return the tables of a snapshot that are there.

    Parameters
    ----------
    place : Path
        The unpacked folder, a folder that holds it, or the zip archive.
    version : str
        "2019" or "2023".

    Returns
    -------
    dict
        What it holds -> table, in the order of the layout.

    Raises
    ------
    ValueError
        If the version is unknown.
    SnapshotError
        If the place does not exist, is a broken archive or lacks a table that must be there.
    """
    check_allowed("version", version, tuple(LAYOUTS))
    layout = LAYOUTS[version]
    there = _tables(place)
    found = {what: there[name] for what, name in layout.files.items() if name in there}
    for what in ("layers", *(("profiles",) if layout.profiles else ())):
        if what not in found:
            others = [v for v in LAYOUTS if LAYOUTS[v].files[what] in there] if there else []
            hint = f"it is that of {others[0]}: say --version {others[0]}" if others else (
                "give the unpacked folder of the snapshot, or its zip archive"
            )  # fmt: skip
            raise SnapshotError(
                f"{place} holds no {layout.files[what]}, part of the snapshot of {version}: {hint}"
            )
    return found


def _tables(place: Path) -> dict[str, Source]:
    """Return every .tsv by name: in the folder, in its folders, or in the archive."""
    if place.is_dir():
        files = [*sorted(place.glob("*/*.tsv")), *sorted(place.glob("*.tsv"))]
        return {file.name: Source(file) for file in files}
    if not place.is_file():
        raise SnapshotError(f"there is no {place}: name the folder or zip archive of the snapshot")
    try:
        with zipfile.ZipFile(place) as archive:
            names = [name for name in archive.namelist() if name.endswith(".tsv")]
    except zipfile.BadZipFile as error:
        raise SnapshotError(
            f"{place} is no whole zip archive ({error}): name the folder of the unpacked tables, "
            "or fetch the archive again"
        ) from None
    return {source.name: source for source in (Source(place, name) for name in names)}
