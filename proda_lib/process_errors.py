"""How far predicted parameters are off, in the parameters of each process and in soil carbon."""

from __future__ import annotations

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from proda_lib import steady_state
from proda_lib.parameters import PROCESSES, PRODA
from proda_lib.process_change import members_of

__all__ = ["carbon_errors", "parameter_errors"]

FloatArray = NDArray[np.float64]


def parameter_errors(unit: ArrayLike, target: ArrayLike) -> FloatArray:
    """Squared error of the parameters of each process, shape (..., n, process).

    The original's measure: the mean over the parameters of a process, all alike.

    Parameters
    ----------
    unit : array_like, shape (..., n, 21)
        Predicted positions in the prior range.
    target : array_like, shape (n, 21)
        What they should be.

    Examples
    --------
    >>> parameter_errors(np.full((1, 21), 0.5), np.full((1, 21), 0.4)).round(3).tolist()
    [[0.01, 0.01, 0.01, 0.01, 0.01]]
    """
    squared = (np.asarray(unit, dtype=float) - np.asarray(target, dtype=float)) ** 2
    return np.stack([squared[..., members_of(each)].mean(axis=-1) for each in PROCESSES], axis=-1)


def carbon_errors(unit: ArrayLike, sites: xr.Dataset) -> FloatArray:
    """Squared error of ln SOC at each site, summed over its observed depths; shape (repeat, n).

    Depths at which nothing was found, or at which the model has no soil, do not count.

    Parameters
    ----------
    unit : array_like, shape (repeat, member, n, 21)
        Positions in the prior range; the prediction is the mean of the members' carbon.
    sites : Dataset
        n sites with forcing and observations.

    Examples
    --------
    >>> from proda_lib import studies
    >>> sites = studies.load("twin", "smoke").sites.isel(site=slice(2))
    >>> carbon_errors(np.full((3, 1, 2, 21), 0.4), sites).shape
    (3, 2)
    """
    observed, errors = sites["observed_soc"].values, []
    prepared = steady_state.prepare(sites)
    for members in PRODA.to_physical(np.asarray(unit, dtype=float)):
        soc = np.mean([steady_state.soil_carbon_at_depth(one, prepared) for one in members], axis=0)
        there = (observed > 0) & (soc > 0)
        ratio = np.where(there, soc, 1.0) / np.where(there, observed, 1.0)
        errors.append((np.log(ratio) ** 2).sum(axis=-1))
    return np.array(errors)
