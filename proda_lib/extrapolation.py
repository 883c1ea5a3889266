"""Where a map leaves what its makers have seen, or has a forcing that cannot be right.

Covariates unlike those of the training sites, places far from any of them, cells with next to no
litter.
"""

from __future__ import annotations

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from proda_lib.forcing import row_dimension
from proda_lib.neighbours import distance_to_training

__all__ = ["distance_to_sites", "little_litter", "outside_training"]

#: Share of the median cell's litter below which a cell's forcing is doubted.
LITTLE = 0.25


def outside_training(sites: xr.Dataset, places: xr.Dataset) -> xr.Dataset:
    """Count, at each place, the covariates that training sites do not cover.

    Each covariate is judged on its own: a place inside all ranges may still combine them as no site
    does, so these counts are a lower bound.

    Parameters
    ----------
    sites : Dataset
        Training sites, with covariates (site, covariate) and the coordinate covariate_kind.
    places : Dataset
        Sites or cells, n rows, with the same covariates.

    Returns
    -------
    Dataset
        Over the rows of `places`: `outside`, continuous covariates below the least or above the
        largest value of the sites, or without a value at any site; `farthest`, how far the worst of
        them is beyond, in standard deviations of the sites, infinite where these have none;
        `unseen`, categories that no site has; `missing`, covariates without a value; and by
        covariate `share`, of the places, 1, that are outside or unseen.

    Raises
    ------
    ValueError
        If the covariates differ.

    Examples
    --------
    >>> coords = {
    ...     "covariate": ["BIO1", "soil"],
    ...     "covariate_kind": ("covariate", ["continuous", "category"]),
    ... }
    >>> table = ("site", "covariate")
    >>> sites = xr.Dataset({"covariates": (table, [[1.0, 1], [3.0, 2], [5.0, 2]])}, coords)
    >>> places = xr.Dataset({"covariates": (table, [[7.0, 2], [2.0, 3], [np.nan, 1]])}, coords)
    >>> found = outside_training(sites, places)
    >>> found.outside.values.tolist(), found.unseen.values.tolist(), found.missing.values.tolist()
    ([1, 0, 0], [0, 1, 0], [0, 0, 1])
    """
    names = sites["covariate"].values
    if not np.array_equal(names, places["covariate"].values):
        raise ValueError(
            f"places have {places.sizes['covariate']} covariates, the sites {len(names)} or "
            "others: give places with the covariates of the training sites, in the same order"
        )
    row = row_dimension(places)
    seen = sites["covariates"].transpose("site", "covariate").values
    asked = places["covariates"].transpose(row, "covariate").values
    category, missing = sites["covariate_kind"].values == "category", np.isnan(asked)
    low = np.where(np.isnan(seen), np.inf, seen).min(axis=0)
    high = np.where(np.isnan(seen), -np.inf, seen).max(axis=0)
    beyond = np.maximum(np.maximum(low - asked, asked - high), 0)
    beyond = np.where(category | missing, 0, beyond)
    unseen = np.zeros(asked.shape, bool)
    for column in np.flatnonzero(category):
        unseen[:, column] = ~(missing[:, column] | np.isin(asked[:, column], seen[:, column]))
    varies = np.isfinite(low) & (high > low)
    sd = np.nanstd(np.where(varies, seen, 0.0), axis=0)
    steps = np.divide(beyond, sd, out=np.where(beyond > 0, np.inf, 0.0), where=sd > 0)
    counts = {
        "outside": (beyond > 0).sum(axis=1),
        "farthest": steps.max(axis=1),
        "unseen": unseen.sum(axis=1),
        "missing": missing.sum(axis=1),
    }
    share = ("covariate", ((beyond > 0) | unseen).mean(axis=0))
    data = {name: (row, values, {"units": "1"}) for name, values in counts.items()}
    return xr.Dataset(data | {"share": share}, {"covariate": names})


def distance_to_sites(sites: xr.Dataset, places: xr.Dataset) -> NDArray[np.float64]:
    """Return how far each place is from the nearest site, km, shape (n,).

    Parameters
    ----------
    sites, places : Dataset
        With `lon` and `lat`, degrees.

    Examples
    --------
    >>> sites = xr.Dataset(coords={"lon": ("site", [0.0, 9.0]), "lat": ("site", [0.0, 0.0])})
    >>> cells = xr.Dataset(coords={"lon": ("cell", [1.0, 359.0]), "lat": ("cell", [0.0, 0.0])})
    >>> distance_to_sites(sites, cells).round().tolist()
    [111.0, 111.0]
    """
    both = {
        name: ("site", np.concatenate([places[name].values, sites[name].values]))
        for name in ("lon", "lat")
    }
    asked = len(places["lon"])
    others = np.arange(len(both["lon"][1])) >= asked
    return distance_to_training(xr.Dataset(coords=both), others)[:asked]


def little_litter(grid: xr.Dataset, share: float = LITTLE) -> NDArray[np.bool_]:
    """Return which cells receive much less litter than the median one, shape (cell,).

    Such a forcing is that of water or rock rather than of soil; a model's map is nearly empty
    there, whatever its parameters.

    Parameters
    ----------
    grid : Dataset
        Cells with `litter_input` (cell, litter, month).
    share : float
        Of the median cell's yearly input, below which input counts as little.

    Examples
    --------
    >>> litter = xr.DataArray([[[1.0]], [[10.0]], [[12.0]]], dims=("cell", "litter", "month"))
    >>> little_litter(xr.Dataset({"litter_input": litter})).tolist()
    [True, False, False]
    """
    litter = grid["litter_input"].sum(["litter", "month"]).values
    return np.asarray(litter < share * np.median(litter))
