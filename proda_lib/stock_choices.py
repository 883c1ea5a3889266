"""What decisions do to a total stock: bedrock, stones, areas and shores."""

from __future__ import annotations

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike

from proda_lib import stocks
from proda_lib.grid_prediction import COARSE_COVARIATES
from proda_lib.land_share import land_share
from proda_lib.studies.schema import grid_of

__all__ = ["changed_totals"]


def changed_totals(
    soil: ArrayLike,
    grid: xr.Dataset,
    upper: float = 0.0,
    lower: float = 2.0,
    *,
    others: dict[str, ArrayLike] | None = None,
) -> dict[str, float]:
    """Sum a map of stocks as it is and with one decision changed at a time, Pg C.

    Parameters
    ----------
    soil : array_like, shape (cell, layer)
        gC m-3.
    grid : Dataset
        The cells, with `area` (km2) and, if known, coarse fragments at 0, 30 and 100 cm among the
        `covariates`: `Coarse_Fragments_v_0cm` and so on, percent of the volume. Cells where they
        are unknown count as having none.
    upper, lower : float
        Depths, m.
    others : dict of str to array_like, shape (cell, layer), optional
        Other maps of soil carbon to be summed as the first, such as one with another bedrock.

    Returns
    -------
    dict
        "as in the maps", the names of `others`, "less coarse fragments"
        (`stocks.fine_earth_stock`; left out without such covariates), "area as published"
        (`stocks.published_area`), "land only" (areas times `land_share`).

    Examples
    --------
    >>> covariates = (("cell", "covariate"), [[10.0, 10.0, 10.0]])
    >>> data = {"area": ("cell", [2.5e3]), "covariates": covariates}
    >>> places = {"lon": ("cell", [-100.25]), "lat": ("cell", [40.25])}
    >>> places |= {"covariate": list(COARSE_COVARIATES)}
    >>> one = xr.Dataset(data, places, {"soil_grid": "CLM5"})
    >>> found = changed_totals(np.full((1, 20), 5e3), one)
    >>> round(found["as in the maps"], 6), round(found["less coarse fragments"], 6)
    (0.025, 0.0225)
    """
    layers, area = grid_of(grid), grid["area"].values
    maps = {"as in the maps": soil, **(others or {})}
    found = {
        name: stocks.total(stocks.interval_stock(one, upper, lower, layers), area)
        for name, one in maps.items()
    }
    if "covariates" in grid and set(COARSE_COVARIATES) <= set(grid["covariate"].values.tolist()):
        coarse = np.nan_to_num(grid["covariates"].sel(covariate=list(COARSE_COVARIATES)).values)
        fine = stocks.fine_earth_stock(soil, upper, lower, coarse, layers)
        found["less coarse fragments"] = stocks.total(fine, area)
    stock = stocks.interval_stock(soil, upper, lower, layers)
    plane, land = stocks.published_area(grid["lat"]), land_share(grid["lon"], grid["lat"])
    found["area as published"] = stocks.total(stock, plane)
    found["land only"] = stocks.total(stock, area * land)
    return found
