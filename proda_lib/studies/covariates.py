"""Covariates of real studies in the common form, from a table that names their columns."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

__all__ = ["with_covariates"]


def with_covariates(
    data: xr.Dataset, values: NDArray[np.float64], row: Literal["site", "cell"], table: pd.DataFrame
) -> xr.Dataset:
    """Add covariates, what is known about each, and the position that the first two give.

    Parameters
    ----------
    data : Dataset
        With the dimension `row`.
    values : ndarray, shape (row, covariate)
        The first two are longitude and latitude, degrees; NaN where a covariate is missing.
    row : {"site", "cell"}
    table : DataFrame
        Columns name, units, kind, meaning: a row per covariate.

    Returns
    -------
    Dataset
        With `covariates`, the coordinates `covariate`, `covariate_units`, `covariate_kind`,
        `covariate_meaning`, `lon`, `lat`, and `complete_covariates`.

    Examples
    --------
    >>> table = pd.DataFrame({"name": ["Lon", "Lat"], "units": ["degrees_east", "degrees_north"],
    ...                       "kind": "continuous", "meaning": ["longitude", "latitude"]})
    >>> with_covariates(xr.Dataset(), np.array([[-75.0, 42.0]]), "cell", table).lat.values.tolist()
    [42.0]
    """
    return data.assign(covariates=((row, "covariate"), values)).assign_coords(
        covariate=table["name"].to_numpy(dtype=str),
        covariate_units=("covariate", table["units"].to_numpy(dtype=str)),
        covariate_kind=("covariate", table["kind"].to_numpy(dtype=str)),
        covariate_meaning=("covariate", table["meaning"].to_numpy(dtype=str)),
        lon=(row, values[:, 0]),
        lat=(row, values[:, 1]),
        complete_covariates=(row, ~np.isnan(values).any(axis=1)),
    )
