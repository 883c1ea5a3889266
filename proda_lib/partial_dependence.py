"""Partial dependence: what a network says of a process if one covariate were different everywhere.

One covariate is set to the same value at all places of a sample, everything else stays, and the
mean of the predicted bulk process is taken (Friedman, 2001). It shows what the network does, not
what the environment does: covariates that go together are pulled apart.
"""

from __future__ import annotations

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from proda_lib.bulk_draws import bulk_draws
from proda_lib.forcing import row_dimension
from proda_lib.nearest import check_known
from proda_lib.network.ensemble import Ensemble
from proda_lib.processes import Definition

__all__ = ["inner_values", "partial_dependence", "with_value"]

FloatArray = NDArray[np.float64]


def inner_values(
    places: xr.Dataset, covariate: str, count: int = 7, *, share: float = 0.9
) -> FloatArray:
    """Values of a covariate, evenly spaced over the middle of what places have; shape (count,).

    Parameters
    ----------
    places : Dataset
        Sites or cells with covariates.
    covariate : str
    count : int
    share : float
        Of the places that lie between the ends; 0.9: from the 5th to the 95th percentile.

    Examples
    --------
    >>> table = (("cell", "covariate"), np.arange(101.0)[:, None])
    >>> inner_values(xr.Dataset({"covariates": table}, {"covariate": ["BIO1"]}), "BIO1", 3).round()
    array([ 5., 50., 95.])
    """
    values = places["covariates"].values[:, _column(places, covariate)]
    return np.linspace(*np.nanquantile(values, [(1 - share) / 2, (1 + share) / 2]), count)


def with_value(places: xr.Dataset, covariate: str, value: float) -> xr.Dataset:
    """Return places that all have one value of a covariate; their forcing stays.

    Examples
    --------
    >>> table = (("cell", "covariate"), [[1.0, 2.0], [3.0, 4.0]])
    >>> places = xr.Dataset({"covariates": table}, {"covariate": ["BIO1", "Lon"]})
    >>> with_value(places, "BIO1", 9.0).covariates.values.tolist()
    [[9.0, 2.0], [9.0, 4.0]]
    """
    number = _column(places, covariate)
    table = places["covariates"].transpose(row_dimension(places), "covariate").copy(deep=True)
    table.values[:, number] = value
    return places.assign(covariates=table)


def _column(places: xr.Dataset, covariate: str) -> int:
    names = [str(name) for name in places["covariate"].values]
    check_known("covariate", covariate, names)
    return names.index(covariate)


def partial_dependence(
    models: list[Ensemble],
    places: xr.Dataset,
    covariate: str,
    values: ArrayLike,
    *,
    definition: Definition = "sound",
) -> list[dict[str, FloatArray]]:
    """Average the bulk processes over places for values of a covariate, by each network.

    Parameters
    ----------
    models : list of Ensemble
        The same covariates in all of them.
    places : Dataset
        n sites or cells with forcing and covariates.
    covariate : str
    values : array_like, shape (value,)
        That all places get, one after the other.
    definition : {"sound", "published"}

    Returns
    -------
    list of dict of str to ndarray, shape (member, value)
        For each model the quantities of `proda_lib.processes.QUANTITIES`, in their units.

    Raises
    ------
    ValueError
        If the places do not have the covariate.
    """
    changed = [with_value(places, covariate, value) for value in np.asarray(values, dtype=float)]
    # (value, member, n, 21), the members of all models one after the other.
    unit = np.array([np.concatenate([model.unit(one) for model in models]) for one in changed])
    ends = np.cumsum([model.members for model in models])[:-1]
    parts: list[dict[str, FloatArray]] = [{} for _ in models]
    for quantity, found in bulk_draws(unit, places, definition=definition).items():
        for part, mean in zip(parts, np.split(found.mean(axis=-1).T, ends), strict=True):
            part[quantity] = mean
    return parts
