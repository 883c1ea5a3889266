"""Vegetation types of sites and cells, with one set of names for all studies."""

from __future__ import annotations

import numpy as np
import xarray as xr
from numpy.typing import NDArray

__all__ = ["LAND_COVER", "vegetation"]

#: Classes of the covariate ESA_Land_Cover (the tens of ESA CCI's class codes) by vegetation type,
#: with the chapter's names (Figure 37.5) where they fit.
LAND_COVER = {
    "cropland": (1, 2),
    "cropland mosaic": (3, 4),
    "deciduous forest": (6, 8),
    "evergreen forest": (5, 7),
    "mixed forest": (9,),
    "savanna": (10, 11),
    "shrubland": (12,),
    "grassland": (13,),
    "wetland": (16, 17, 18),
    "urban": (19,),
}


def vegetation(places: xr.Dataset) -> NDArray[np.str_]:
    """Name the vegetation type of each site or cell, shape (n,).

    From `vegetation_type` where the study has it, otherwise from the covariate ESA_Land_Cover by
    `LAND_COVER`; "unknown" where it is missing.

    Examples
    --------
    >>> covariates = (("site", "covariate"), [[6.0], [np.nan]])
    >>> names = {"covariate": ["ESA_Land_Cover"]}
    >>> vegetation(xr.Dataset({"covariates": covariates}, coords=names)).tolist()
    ['deciduous forest', 'unknown']
    """
    if "vegetation_type" in places:
        return places["vegetation_type"].values.astype(str)
    code = places["covariates"].sel(covariate="ESA_Land_Cover").values
    name_of = {number: name for name, numbers in LAND_COVER.items() for number in numbers}
    return np.array([name_of.get(number, "unknown") for number in code])
