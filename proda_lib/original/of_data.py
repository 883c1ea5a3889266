"""Slips of the data and of the scores of single profiles."""

from __future__ import annotations

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from proda_lib import metrics, profile_layers, steady_state, stocks
from proda_lib.depths import interpolate_to_depth
from proda_lib.grid_prediction import COARSE_COVARIATES
from proda_lib.original.effects import Effect, Ground, relative
from proda_lib.soil_grid import CLM5

__all__ = ["COUNTS", "data_effects", "layers_given", "mean_over_layers", "published_pairs"]

FloatArray = NDArray[np.float64]

#: Profiles of the conterminous United States, as the chapter counts them in two places.
COUNTS = (26_509, 26_905)

_POINTS = 9  # at which a sampled layer is read to average it


def data_effects(on: Ground) -> dict[str, Effect]:
    """Effects of the slips of stage "data", of the divisor of RMSE and of misaligned pairs."""
    sites, parameters = on.sites, on.parameters
    soil = steady_state.soil_carbon(parameters, sites)
    observed = sites["observed_soc"].values
    leaking = steady_state.soil_carbon(parameters, sites, bedrock="published")
    straight, curved = (
        interpolate_to_depth(leaking, sites, bedrock="published", interpolation=kind)
        for kind in ("linear", "pchip")
    )
    point, average = mean_over_layers(soil, sites)
    few, many = COUNTS
    used = np.isfinite(observed).sum(axis=1)
    return {
        "9c": Effect("RMSE of a profile", relative(np.sqrt(used / layers_given(sites)), 1.0)),
        "14a": Effect("unexplained share, if one value is missing", _misaligned(on, observed)),
        "24a": Effect("modelled SOC of a sampled layer", relative(point, average)),
        "24b": _stones(soil, sites),
        "25a": Effect("number of profiles", relative([few], [many])),
        "26b": Effect("modelled SOC at an observed depth", relative(straight, curved)),
    }


def layers_given(sites: xr.Dataset) -> NDArray[np.int_]:
    """Count the layers of profiles before those of no carbon were left out, shape (n,)."""
    used = np.isfinite(sites["observed_soc"].values).sum(axis=1)
    zeros = sites["zero_depth"].values if "zero_depth" in sites else np.empty((len(used), 0))
    return used + np.isfinite(zeros).sum(axis=1)


def mean_over_layers(soil: FloatArray, sites: xr.Dataset) -> tuple[FloatArray, FloatArray]:
    """Modelled SOC at the middles of sampled layers, and its mean over them, gC m-3.

    The profile is straight between nodes. Boundaries of the layers are those of
    `proda_lib.profile_layers`, for only middles are known; profiles whose depths do not increase
    are left out.

    Parameters
    ----------
    soil : ndarray, shape (n, layers)
    sites : Dataset
        n sites.

    Returns
    -------
    point, mean : ndarray, shape (n, observation)
        NaN pads.
    """
    depth = sites["observed_depth"].values
    point, mean = np.full(depth.shape, np.nan), np.full(depth.shape, np.nan)
    place = (np.arange(_POINTS) + 0.5) / _POINTS
    for row in np.flatnonzero(~(np.diff(depth, axis=1) <= 0).any(axis=1)):
        bounds = profile_layers.layer_bounds(depth[row][None])[0][0]
        number = int(np.isfinite(depth[row]).sum())
        top, base = bounds[:number, None], bounds[1 : number + 1, None]
        last = int(sites["bedrock_layer"].values[row])
        node, carbon = CLM5.node[:last], soil[row, :last]
        point[row, :number] = np.interp((top + base)[:, 0] / 2, node, carbon)
        mean[row, :number] = np.interp(top + place * (base - top), node, carbon).mean(axis=1)
    return point, mean


def _stones(soil: FloatArray, sites: xr.Dataset) -> Effect:
    quantity = "SOC stock, 0-1 m, whole soil against fine earth"
    if not set(COARSE_COVARIATES) <= set(sites["covariate"].values.tolist()):
        return Effect("coarse fragments are not among its covariates", np.empty(0))
    coarse = sites["covariates"].sel(covariate=list(COARSE_COVARIATES)).values
    known = np.isfinite(coarse).all(axis=1)
    whole = stocks.interval_stock(soil[known], 0.0, 1.0)
    fine = stocks.fine_earth_stock(soil[known], 0.0, 1.0, coarse[known])
    return Effect(quantity, relative(whole, fine))


def published_pairs(observed: FloatArray, modelled: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Pair values as the original's scores do: NaN are taken out of each side by itself.

    Examples
    --------
    >>> one, other = published_pairs(np.array([1.0, 2.0, 3.0]), np.array([np.nan, 2.0, 3.0]))
    >>> one.tolist(), other.tolist()
    ([1.0, 2.0], [2.0, 3.0])
    """
    one, other = (side[np.isfinite(side)] for side in (np.ravel(observed), np.ravel(modelled)))
    count = min(len(one), len(other))
    return one[:count], other[:count]


def _misaligned(on: Ground, observed: FloatArray) -> FloatArray:
    """Change of the unexplained share if the first value of the model is missing, percent."""
    seen = np.isfinite(observed)
    pairs = observed[seen], on.found["soc_mean"].values[seen].copy()
    right = 1 - metrics.efficiency(*pairs)
    pairs[1][0] = np.nan
    return relative([1 - metrics.efficiency(*published_pairs(*pairs))], [right])
