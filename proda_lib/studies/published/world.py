"""The study `global`: all profiles of the published study.

The module has another name because `global` is a word of the language.
"""

from __future__ import annotations

from proda_lib.studies.published.build import Region, make_study
from proda_lib.studies.published.words import ABOUT, CITATION, DIFFERENCES, LICENCE
from proda_lib.studies.study import Study, StudyInfo

__all__ = ["INFO", "make"]

INFO = StudyInfo(
    name="global",
    title="The world, the published study's profiles",
    synthetic=False,
    about=f"{ABOUT} This study takes all profiles and all cells between 56 S and 80 N.",
    licence=LICENCE,
    citation=CITATION,
    weaknesses=(
        "Profiles are many in the United States and few in most of the tropics and of Siberia: "
        "what holds for all profiles need not hold for all land.",
        "The published global study left out profiles whose SOC does not fall with depth, that "
        "are not deeper than 50 cm, or whose country code is 68 or 39 (which countries these are "
        "is not said), and fits with a poor efficiency or chains that disagree. Here such "
        "profiles are kept and marked.",
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

    region = Region(profiles=lambda table: [], cells=lambda lon, lat: [])
    return make_study(INFO, region, download.fetch(INFO.name), size, soil_grid)
