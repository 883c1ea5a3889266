"""Bulk processes of ensembles: any number of maps or draws, as positions in the prior range."""

from __future__ import annotations

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from proda_lib.bulk import OF_SITE
from proda_lib.nearest import check_allowed
from proda_lib.parameters import PROCESSES, PRODA
from proda_lib.processes import BULK, Definition
from proda_lib.site_draws import evaluate, ready

__all__ = ["bulk_draws", "log_processes"]

FloatArray = NDArray[np.float64]


def bulk_draws(
    unit: ArrayLike, places: xr.Dataset, *, definition: Definition = "sound"
) -> dict[str, FloatArray]:
    """Bulk quantities at steady state for any number of vectors per place.

    As `proda_lib.processes.bulk_processes`, but for the shapes of ensembles, and without the
    published index of allocation.

    Parameters
    ----------
    unit : array_like, shape (..., n, 21)
        Positions in the prior range.
    places : Dataset
        n sites or cells with forcing.
    definition : {"sound", "published"}
        See `proda_lib.processes`; "published" goes with the published bedrock, through which carbon
        is lost, "sound" with a closed one.

    Returns
    -------
    dict of str to ndarray, shape (..., n)
        Quantities and units of `proda_lib.processes.QUANTITIES`.

    Raises
    ------
    ValueError
        If the definition is unknown, or the vectors do not fit the places.

    Examples
    --------
    >>> from proda_lib import studies
    >>> sites = studies.load("twin", "smoke").sites.isel(site=slice(2))
    >>> bulk_draws(np.full((3, 5, 2, 21), 0.5), sites)["stock"].shape
    (3, 5, 2)
    """
    check_allowed("definition", definition, tuple(OF_SITE))
    unit = np.asarray(unit, dtype=float)
    prepared = ready(places, bedrock="closed" if definition == "sound" else "published")
    draws = PRODA.to_physical(unit.reshape(-1, *unit.shape[-2:])).swapaxes(0, 1)
    found = evaluate(OF_SITE[definition], draws, prepared)
    return {name: values.T.reshape(unit.shape[:-1]) for name, values in found.items()}


def log_processes(unit: ArrayLike, places: xr.Dataset) -> FloatArray:
    """Natural logarithm of each bulk process at steady state, shape (..., n, process).

    Parameters
    ----------
    unit, places
        As in `bulk_draws`, definition "sound": carbon use efficiency (1), baseline decomposition
        (yr-1), environmental modifier (1), vertical transport (yr-1) and input allocation (m), in
        the order of `proda_lib.parameters.PROCESSES`.
    """
    found = bulk_draws(unit, places)
    return np.stack([np.log(found[BULK[process]]) for process in PROCESSES], axis=-1)
