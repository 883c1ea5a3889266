"""What a study is: its data in the common form, and what is to be said about them."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd
import xarray as xr

__all__ = ["EXCLUSION_COLUMNS", "SYNTHETIC", "Study", "StudyInfo"]

#: What every file of a synthetic study says of its data.
SYNTHETIC = "SYNTHETIC: made up, in whole or in part"

#: What the table of exclusions says: the reason, and how many of each it left out.
EXCLUSION_COLUMNS = ["reason", "profiles", "layers", "cells"]


@dataclass(frozen=True)
class StudyInfo:
    """What the book says about a study before any data are read.

    Attributes
    ----------
    name, title : str
        Short name (folder, command line) and heading.
    synthetic : bool
        Whether the data are made up; then every page and figure says so.
    about, licence, citation : str
        One paragraph each, for the pages.
    made_up : str
        Of a synthetic study: what is made up, for the box on every page.
    weaknesses : tuple of str
        What the data cannot show, one sentence each.
    soil_grids : tuple of str
        Soil grids on which the forcing exists ("CLM5", "CLM45").
    large : bool
        Whether its files are fetched only when the study is named.
    """

    name: str
    title: str
    synthetic: bool
    about: str
    licence: str
    citation: str
    weaknesses: tuple[str, ...] = ()
    soil_grids: tuple[str, ...] = ("CLM5",)
    large: bool = False
    made_up: str = "Made up to test the method; says nothing about real soil."


@dataclass(frozen=True)
class Study:
    """One data set in the common form (see `proda_lib.studies.schema`).

    Attributes
    ----------
    info : StudyInfo
    size : str
        "smoke", "class" or "paper".
    sites, grid : Dataset
        Usable soil profiles with forcing and covariates; cells to map.
    exclusions : DataFrame
        Columns `EXCLUSION_COLUMNS`: everything left out, and why.
    truth : Dataset or None
        Of a synthetic study only: true parameters and true soil carbon, at sites and cells.
    data_hash : str
        Content hash of the inputs that the study was made from.
    """

    info: StudyInfo
    size: str
    sites: xr.Dataset
    grid: xr.Dataset
    exclusions: pd.DataFrame
    truth: xr.Dataset | None = None
    data_hash: str = ""

    @property
    def name(self) -> str:
        """Short name of the study."""
        return self.info.name

    @property
    def synthetic(self) -> bool:
        """Whether the data are made up."""
        return self.info.synthetic
