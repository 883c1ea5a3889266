"""Soil organic carbon from predicted parameters: what every process-guided approach ends with.

An approach learns from training sites and then gives parameters for any place with covariates and
forcing, one vector per member of its ensemble. The engine turns each vector into soil carbon; the
prediction is the mean of the members' carbon, not the carbon of their mean parameters.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from proda_lib import steady_state
from proda_lib.parameters import PRODA, PriorBox
from proda_lib.transport import Bedrock

__all__ = ["DirectModel", "ProcessModel", "driven", "soil_carbon", "soil_carbon_at_depth"]

FloatArray = NDArray[np.float64]


class ProcessModel(Protocol):
    """A fitted approach whose soil carbon comes out of the engine.

    It may have a method `driven(places)` that returns the places with the forcing that its
    parameters are meant for, where this is not their own.
    """

    def unit(self, places: xr.Dataset) -> FloatArray:
        """Return parameters, positions in the prior range, shape (member, n, 21)."""


class DirectModel(Protocol):
    """A fitted approach that predicts soil carbon without a process model."""

    def soil_carbon_at_depth(self, sites: xr.Dataset) -> FloatArray:
        """Return SOC at the observed depths, gC m-3, shape (n, observation), NaN pads."""


def driven(model: object, places: xr.Dataset) -> xr.Dataset:
    """Return places with the forcing on which a model's parameters are to be run."""
    change = getattr(model, "driven", None)
    return places if change is None else change(places)


def soil_carbon_at_depth(
    unit: FloatArray, sites: xr.Dataset, *, prior: PriorBox = PRODA, bedrock: Bedrock = "closed"
) -> FloatArray:
    """Mean of the members' soil carbon at the observed depths, gC m-3, shape (n, observation).

    Parameters
    ----------
    unit : ndarray, shape (member, n, 21)
        Positions in the prior range.
    sites : Dataset
        n sites.
    """
    prepared = steady_state.prepare(sites, bedrock=bedrock)
    each = [steady_state.soil_carbon_at_depth(prior.to_physical(one), prepared) for one in unit]
    return np.mean(each, axis=0)


def soil_carbon(
    unit: FloatArray, places: xr.Dataset, *, prior: PriorBox = PRODA, bedrock: Bedrock = "closed"
) -> FloatArray:
    """Mean of the members' soil carbon of every layer, gC m-3, shape (n, layers).

    Arguments as in `soil_carbon_at_depth`; places may be sites or cells.
    """
    prepared = steady_state.prepare(places, bedrock=bedrock)
    return np.mean(
        [steady_state.soil_carbon(prior.to_physical(one), prepared) for one in unit], axis=0
    )
