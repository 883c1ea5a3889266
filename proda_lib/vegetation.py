"""Vegetation types of sites and cells, with one set of names for all studies.

Real studies carry land cover of ESA's Climate Change Initiative; the table land_cover.csv says
which of its 37 classes is which of the chapter's types, why, and which is none of them.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from importlib import resources

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from proda_lib.forcing import row_dimension

__all__ = [
    "TYPES",
    "UNKNOWN",
    "LandCover",
    "land_cover",
    "land_cover_tens",
    "type_of_land_cover",
    "vegetation",
]

#: The chapter's vegetation types (section 37.5, Figure 37.5), in the order of figures.
TYPES = (
    "evergreen forest",
    "deciduous forest",
    "mixed forest",
    "shrubland",
    "savanna",
    "grassland",
    "cropland",
    "wetland",
)
#: What a place without land cover is called.
UNKNOWN = "unknown"


@dataclass(frozen=True)
class LandCover:
    """One class of the land cover of ESA's Climate Change Initiative.

    Attributes
    ----------
    code : int
        10 to 220, as in the maps. Tens are classes, numbers between them kinds of a class.
    meaning : str
    type : str
        One of `TYPES`, or a name of its own where the class is none of them.
    reason : str
        Why the class has this type.
    """

    code: int
    meaning: str
    type: str
    reason: str

    @property
    def maps(self) -> bool:
        """Whether the class is one of the chapter's types."""
        return self.type in TYPES


@cache
def land_cover() -> tuple[LandCover, ...]:
    """Return the 37 classes of the legend in the order of their codes.

    Examples
    --------
    >>> classes = land_cover()
    >>> len(classes), classes[0].meaning, classes[0].type
    (37, 'cropland, rainfed', 'cropland')
    >>> sorted({one.type for one in classes if not one.maps})
    ['bare', 'cropland mosaic', 'snow and ice', 'sparse vegetation', 'urban', 'water']
    """
    text = resources.files("proda_lib").joinpath("land_cover.csv").read_text(encoding="utf-8")
    rows = csv.DictReader(text.splitlines())
    return tuple(LandCover(**{**row, "code": int(row["code"])}) for row in rows)


def type_of_land_cover(code: ArrayLike, *, tens: bool = False) -> NDArray[np.str_]:
    """Name the vegetation type of each land-cover code.

    Parameters
    ----------
    code : array_like, any shape
        Codes of the legend, 10 to 220; NaN and 0 are places without land cover.
    tens : bool
        Whether codes are tens, 1 to 22, as in the covariate of the original study. This must be
        said, for 10 and 20 are codes as well as tens.

    Returns
    -------
    ndarray of str, same shape

    Raises
    ------
    ValueError
        For a code that the legend does not have.

    Examples
    --------
    >>> type_of_land_cover([10, 100, np.nan]).tolist()
    ['cropland', 'savanna', 'unknown']
    >>> type_of_land_cover(10, tens=True).item()
    'savanna'
    """
    code = np.nan_to_num(np.asarray(code, dtype=float))
    name_of = {float(one.code): one.type for one in land_cover()}
    if tens:
        name_of = {value / 10: name for value, name in name_of.items() if value % 10 == 0}
    name_of[0.0] = UNKNOWN
    values, place = np.unique(code, return_inverse=True)
    strange = sorted(set(values.tolist()) - set(name_of))
    if strange:
        allowed = "tens are 1 to 22" if tens else "codes are 10 to 220, say tens=True for 1 to 22"
        raise ValueError(f"no land cover has code {strange[0]:g}: {allowed}, 0 or NaN for none")
    return np.array([name_of[value] for value in values.tolist()], str)[place].reshape(code.shape)


def land_cover_tens(places: xr.Dataset) -> NDArray[np.float64]:
    """Return the land cover of each site or cell as tens of its code, 1 to 22, shape (n,).

    From the covariate ESA_Land_Cover; NaN where it is missing, and everywhere if the study has no
    such covariate.

    Examples
    --------
    >>> table = (("site", "covariate"), [[6.0], [np.nan]])
    >>> study = xr.Dataset({"covariates": table}, {"covariate": ["ESA_Land_Cover"]})
    >>> land_cover_tens(study), land_cover_tens(study.assign_coords(covariate=["BIO1"]))
    (array([ 6., nan]), array([nan, nan]))
    """
    row = row_dimension(places)
    if "covariates" in places and "ESA_Land_Cover" in places["covariate"].values:
        covariates = places["covariates"].transpose(row, "covariate")
        return covariates.sel(covariate="ESA_Land_Cover").values.astype(float)
    return np.full(places.sizes[row], np.nan)


def vegetation(places: xr.Dataset) -> NDArray[np.str_]:
    """Name the vegetation type of each site or cell, shape (n,).

    From `vegetation_type` where the study has it, otherwise from the covariate ESA_Land_Cover by
    the table of `land_cover`; "unknown" where that is missing, and everywhere in a study without.

    Examples
    --------
    >>> covariates = (("site", "covariate"), [[6.0], [np.nan]])
    >>> names = {"covariate": ["ESA_Land_Cover"]}
    >>> vegetation(xr.Dataset({"covariates": covariates}, coords=names)).tolist()
    ['deciduous forest', 'unknown']
    """
    if "vegetation_type" in places:
        return places["vegetation_type"].values.astype(str)
    return type_of_land_cover(land_cover_tens(places), tens=True)
