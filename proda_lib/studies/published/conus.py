"""The study `conus`: the published study's profiles of the conterminous United States."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from proda_lib.studies.published.build import Region, make_study
from proda_lib.studies.published.filters import UNITED_STATES, in_box, in_united_states
from proda_lib.studies.published.words import ABOUT, CITATION, DIFFERENCES, LICENCE
from proda_lib.studies.states import inside
from proda_lib.studies.study import Study, StudyInfo

__all__ = ["INFO", "make"]

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

INFO = StudyInfo(
    name="conus",
    title="Conterminous United States, the published study's profiles",
    synthetic=False,
    about=(
        f"{ABOUT} This study is the part that the book chapter treats: profiles with the country "
        "code of the United States in the box of the lower 48 states, and the half-degree cells "
        "whose centre lies in these states."
    ),
    licence=LICENCE,
    citation=CITATION,
    weaknesses=(
        "The chapter ran CLM4.5 on 10 layers with soil temperature and water potential of a "
        "CLM4.5 spin-up, and took net primary production of 2000 to 2014. Here everything comes "
        "from a CESM2/CLM5 spin-up on 20 layers; for the 10-layer model it is interpolated.",
        "How the chapter split production among litter pools, and its prior ranges, are not "
        "published; ours are stated with the model's configurations.",
        "The chapter counts 26,905 profiles in one place and 26,509 in another, and used 25,444 "
        "after those with an efficiency below zero or a single depth were left out. The country "
        "code and the box give the number used here; profiles are not left out by efficiency.",
        "Covariates are the 60 of the global study; the chapter does not list its own.",
        *DIFFERENCES,
    ),
    soil_grids=("CLM5", "CLM45"),
    large=True,
)


def make(size: str, soil_grid: str = "CLM5") -> Study:
    """Read the study from its files, see `proda_lib.studies.published.build.make_study`.

    Parameters
    ----------
    size : {"smoke", "class", "paper"}
    soil_grid : {"CLM5", "CLM45"}
    """
    from proda_lib.studies import download

    region = Region(profiles=_profiles, cells=_cells)
    return make_study(INFO, region, download.fetch(INFO.name), size, soil_grid)


def _profiles(table: pd.DataFrame) -> list[tuple[str, BoolArray]]:
    abroad = table["country_name"].to_numpy() != UNITED_STATES
    return [
        ("profile without the country code of the United States (156)", abroad),
        ("profile outside the box of the lower 48 states", ~in_united_states(table)),
    ]


def _cells(lon: FloatArray, lat: FloatArray) -> list[tuple[str, BoolArray]]:
    boxed = in_box(lon, lat)
    in_states = boxed.copy()
    in_states[boxed] = inside(lon[boxed], lat[boxed])
    return [
        ("cell of the map outside the box of the lower 48 states", ~boxed),
        ("cell of the map in the box but not in these states", ~in_states),
    ]
