"""Studies of your own profiles: a table, and another study that lends forcing and covariates.

Each is a folder in `proda_lib.paths.own_studies()` with `profiles.csv` and `study.toml`. A profile
takes forcing and covariates of the nearest cell; that, and how far it is, is said with the data.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from proda_lib import files, paths
from proda_lib.nearest import check_known
from proda_lib.own_profiles import check, own_sites
from proda_lib.own_profiles import read as profile_files
from proda_lib.own_profiles.columns import LEAST_BLOCKS
from proda_lib.own_profiles.places import FARTHEST
from proda_lib.own_profiles.table import observations
from proda_lib.studies.study import Study, StudyInfo

__all__ = ["OwnStudy", "cells_of", "create", "lenders", "names", "read"]

_TABLE, _ABOUT, _NAME = "profiles.csv", "study.toml", re.compile(r"[a-z][a-z0-9_]{0,30}")
#: Folders of the book that a study of that name would fall into, and what is no study.
_TAKEN = ("notebooks", "reference", "wise30sec", "soilgrids250m", "wosis2019", "wosis2023")
_SMOKE = 60  # most sites of that size

_WEAK = (
    "Forcing and covariates are those of the nearest cell of another study, not of the profile: "
    "profiles that share a cell differ in their carbon alone, and what varies within a cell cannot "
    "be learned.",
    "The cell's soil, vegetation and bedrock need not be those of the profile.",
    "Depth of an observation is the middle of its layer.",
)


def names() -> tuple[str, ...]:
    """Return the names of your own studies, in alphabetical order.

    Examples
    --------
    >>> "twin" in names()
    False
    """
    found = {file.parent.name for file in paths.own_studies().glob(f"*/{_ABOUT}")}
    return tuple(sorted(filter(_NAME.fullmatch, found)))


def lenders() -> list[str]:
    """Return the studies that can lend their forcing: all but your own.

    Examples
    --------
    >>> lenders()[0]
    'twin'
    """
    from proda_lib import studies

    return [name for name in studies.names() if name not in names()]


def cells_of(forcing: str, size: str) -> tuple[np.ndarray, np.ndarray]:
    """Return longitude and latitude of the cells of a study that lends its forcing, degrees.

    Raises ValueError if there is no such study or size.
    """
    from proda_lib import studies

    check_known("study that lends its forcing", forcing, lenders())
    grid = studies.load(forcing, size).grid
    return grid.lon.values, grid.lat.values


@dataclass(frozen=True)
class OwnStudy:
    """One study of your own, as `proda_lib.studies` needs it.

    Attributes
    ----------
    name : str
    folder : Path
    about : dict
        Content of study.toml: title, forcing, forcing_size, farthest_km, licence, citation.
    """

    name: str
    folder: Path
    about: dict[str, Any]

    @property
    def forcing(self) -> str:
        """The study that lends its forcing."""
        return self.about["forcing"]

    @property
    def file(self) -> Path:
        """Its table of profiles."""
        return self.folder / _TABLE

    @property
    def INFO(self) -> StudyInfo:
        """What is to be said about the study."""
        from proda_lib import studies

        lent = studies.info(self.forcing)
        return StudyInfo(
            name=self.name,
            title=self.about["title"],
            synthetic=lent.synthetic,
            about=(
                "Soil profiles of a table made by the user of this book. Forcing and covariates "
                f"of each are those of the nearest cell of the study {self.forcing} ({lent.title})."
            ),
            licence=f"Profiles: {self.about['licence']} Forcing and covariates: {lent.licence}",
            citation=f"Profiles: {self.about['citation']} Forcing and covariates: {lent.citation}",
            weaknesses=_WEAK,
            soil_grids=lent.soil_grids,
            made_up=(
                "The profiles are the user's, but forcing and covariates are made up: nothing here "
                "says anything about real soil."
            ),
        )

    def sizes(self) -> dict[str, dict[str, Any]]:
        """Return the rows of the size table, made from those of the lender.

        "smoke" takes at most 60 profiles, the other sizes all. Where fewer than four blocks of one
        degree hold profiles, folds keep only the profiles of one place together.
        """
        from proda_lib import studies

        layers = observations(self._table()).drop_duplicates("profile")
        blocks = len(np.unique(np.floor(layers[["lon", "lat"]]), axis=0))
        rows = {}
        for size, row in studies.sizes(self.forcing).items():
            sites = min(_SMOKE, len(layers)) if size == "smoke" else len(layers)
            share = max(0.5, sites / row["sites"])
            learning = row["learning"]
            if blocks < LEAST_BLOCKS:
                learning = learning | {"splits": ["coord"]}
            rows[size] = row | {
                "sites": sites,
                "minutes": int(np.ceil(row["minutes"] * share)),
                "batch": row["batch"] | {"sites": min(row["batch"]["sites"], sites)},
                "published": row["published"] | {"sites": min(row["published"]["sites"], sites)},
                "learning": learning,
            }
        return rows

    def key(self, size: str, soil_grid: str) -> list[object]:
        """Return all that the data depend on: table, description, lender, code."""
        from proda_lib import studies
        from proda_lib.code_hash import used_files

        code = used_files(f"import {__name__}", paths.package())
        lent = studies.data_key(self.forcing, self.about["forcing_size"], soil_grid)
        own = [files.sha256(self.folder / name) for name in (_TABLE, _ABOUT)]
        return [self.name, self.sizes()[size]["sites"], *own, lent, sorted(code.items())]

    def make(self, size: str, soil_grid: str = "CLM5") -> Study:
        """Make the study.

        Raises
        ------
        proda_lib.own_profiles.read.ProfileFileError
            If the table has an error.
        """
        from proda_lib import studies

        lent = studies.load(self.forcing, self.about["forcing_size"], soil_grid=soil_grid)
        table = self._table()
        _refuse(check.problems(table, (lent.grid.lon, lent.grid.lat)), self.file)
        sites, exclusions = own_sites.sites(table, lent.grid, self.about["farthest_km"])
        sites = _spread(sites, self.sizes()[size]["sites"])
        return Study(self.INFO, size, sites, own_sites.map_cells(sites, lent.grid), exclusions)

    def _table(self) -> profile_files.ProfileTable:
        try:
            table = profile_files.read(self.file)
        except profile_files.ProfileFileError as error:
            raise profile_files.ProfileFileError(f"{self.file}: {error}") from None
        _refuse(check.problems(table), self.file)
        return table


def read(name: str) -> OwnStudy:
    """Return one of your own studies.

    Raises
    ------
    ValueError
        If its study.toml cannot be read, lacks an entry or names no study that lends its forcing.
    """
    folder = paths.own_studies() / name
    file = folder / _ABOUT
    try:
        about = tomllib.loads(file.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"{file} cannot be read ({error}): mend it, or make it anew") from None
    wanted = {"title", "forcing", "forcing_size", "farthest_km", "licence", "citation"}
    if lacking := sorted(wanted - about.keys()):
        raise ValueError(f"{file} lacks {', '.join(lacking)}: add it, or make the study anew")
    check_known(f"study of forcing in {file}", about["forcing"], lenders())
    return OwnStudy(name, folder, about)


def create(
    table: str | os.PathLike[str],
    name: str,
    forcing: str,
    *,
    size: str = "class",
    title: str = "",
    licence: str = "",
    citation: str = "",
) -> Path:
    """Make a study of a table of profiles, whole or not at all, and return its folder.

    Parameters
    ----------
    table : path
        See `proda_lib.own_profiles.columns`.
    name : str
        Small letters, digits and underscores; new.
    forcing : str
        One of `lenders()`.
    size : str
        Size of that study.
    title, licence, citation : str
        For the pages of the book.

    Raises
    ------
    ValueError
        If the name does not do, or the table has an error. Then nothing is written.
    """
    from proda_lib import studies

    _check_name(name)
    cells = cells_of(forcing, size)
    _refuse(check.problems(profile_files.read(table), cells), Path(table))
    kind = ", under made-up forcing" if studies.info(forcing).synthetic else ""
    about = {
        "title": title or f"Own profiles {name}{kind}",
        "forcing": forcing,
        "forcing_size": size,
        "farthest_km": FARTHEST,
        "licence": licence or "not stated by their owner.",
        "citation": citation or "not stated by their owner.",
    }
    folder = paths.own_studies() / name
    with files.atomic(folder) as temporary:
        temporary.mkdir()
        shutil.copyfile(table, temporary / _TABLE)
        # JSON's strings and numbers are also TOML's.
        rows = (
            f"{key} = {json.dumps(value, ensure_ascii=False)}\n" for key, value in about.items()
        )
        (temporary / _ABOUT).write_text("".join(rows), encoding="utf-8")
    return folder


def _check_name(name: str) -> None:
    from proda_lib import studies

    if not _NAME.fullmatch(name):
        raise ValueError(f"--name {name!r}: use at most 31 of a-z, 0-9 and _, a letter first")
    if name in names():
        raise ValueError(
            f"study {name!r} is there already: edit {paths.own_studies() / name / _TABLE}, remove "
            "the folder, or choose another name"
        )
    if name in (*studies.names(), *_TAKEN):
        raise ValueError(f"--name {name!r} is taken: choose another name")


def _refuse(found: pd.DataFrame, file: Path) -> None:
    if check.has_errors(found):
        count = int((found.severity == "error").sum())
        raise profile_files.ProfileFileError(
            f"{file}: {count:,} errors, nothing was made: `proda check {file}` explains them"
        )


def _spread(sites: xr.Dataset, count: int) -> xr.Dataset:
    """Take sites evenly spaced in the order of the file."""
    rows = np.linspace(0, sites.sizes["site"] - 1, min(count, sites.sizes["site"]))
    return sites.isel(site=np.unique(rows.round().astype(int)))
