"""Equifinality: right carbon from wrong parameters, measured where the true ones are known.

Parameters are positions in the prior range. A site's observations see only a few directions of the
parameter space, those along which SOC at the observed depths changes most; along the others a
parameter vector may be far from the truth without leaving a trace in SOC.
"""

from __future__ import annotations

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from proda_lib import steady_state
from proda_lib.depths import interpolate_to_depth
from proda_lib.parameters import PRODA, PriorBox

__all__ = ["directions", "distance", "exchanged", "inside", "log_error", "look_alikes", "set_right"]

FloatArray = NDArray[np.float64]

#: How near to the ends of the prior range a position may come; some ends are impossible, such as
#: turnover times of 0.
_EDGE = 1e-4

#: SOC below 1 gC m-3 counts as 1 in logarithms.
_LEAST = 1.0


def inside(unit: ArrayLike) -> FloatArray:
    """Move positions that left the prior range to its ends, same shape.

    Examples
    --------
    >>> inside([-0.5, 0.5]).tolist()
    [0.0001, 0.5]
    """
    return np.clip(np.asarray(unit, dtype=float), _EDGE, 1 - _EDGE)


def distance(unit: ArrayLike, truth: ArrayLike) -> FloatArray:
    """Root mean square difference of positions over the parameters; 1.

    Two independent draws from the prior are 0.41 apart (the square root of 1/6).

    Parameters
    ----------
    unit, truth : array_like, shape (..., parameter)

    Examples
    --------
    >>> float(distance([0.2, 0.9], [0.6, 0.9]).round(3))
    0.283
    """
    difference = np.asarray(unit, dtype=float) - np.asarray(truth, dtype=float)
    return np.sqrt((difference**2).mean(axis=-1))


def log_error(soc: ArrayLike, truth: ArrayLike) -> FloatArray:
    """Root mean square difference of ln SOC over the depths of each site; 1.

    Parameters
    ----------
    soc, truth : array_like, shape (..., n, observation)
        gC m-3; NaN pads.

    Examples
    --------
    >>> log_error([[np.e * 5e3, 5e3, np.nan]], [[5e3, 5e3, np.nan]]).round(3).tolist()
    [0.707]
    """
    soc, truth = (np.log(np.maximum(values, _LEAST)) for values in (soc, truth))
    return np.sqrt(np.nanmean((soc - truth) ** 2, axis=-1))


def directions(unit: ArrayLike, sites: xr.Dataset, *, prior: PriorBox = PRODA) -> FloatArray:
    """Directions of the parameter space at each site, those that move ln SOC most first.

    The right singular vectors of the derivative of ln SOC at the observed depths by the positions:
    to first order a step along one of them changes ln SOC independently of the others, and those
    beyond the number of observations change nothing.

    Parameters
    ----------
    unit : array_like, shape (n, 21)
        Where to differentiate.
    sites : Dataset
        n sites.
    prior : PriorBox

    Returns
    -------
    ndarray, shape (n, 21, 21)
        Orthonormal rows.
    """
    physical = prior.to_physical(inside(unit))
    by_layer = steady_state.soil_carbon_gradient(physical, sites) * (prior.upper - prior.lower)
    count = by_layer.shape[-1]
    # Reading between nodes is linear, so derivatives are read like SOC itself.
    by_depth = [interpolate_to_depth(by_layer[..., k], sites) for k in range(count)]
    soc = steady_state.soil_carbon_at_depth(physical, sites)
    relative = np.stack(by_depth, axis=-1) / np.maximum(soc, _LEAST)[..., None]
    return np.linalg.svd(np.nan_to_num(relative), full_matrices=True)[2]


def set_right(
    unit: ArrayLike, truth: ArrayLike, directions: FloatArray, count: int, *, last: bool = False
) -> FloatArray:
    """Correct parameter vectors along some directions only, shape (n, 21).

    Parameters
    ----------
    unit, truth : array_like, shape (n, 21)
    directions : ndarray, shape (n, 21, 21)
        From `directions`.
    count : int
        Number of directions that get their true value.
    last : bool
        Whether to begin with those that move SOC least.

    Examples
    --------
    >>> axes = np.eye(3)[None]
    >>> set_right([[0.5, 0.5, 0.5]], [[0.2, 0.3, 0.4]], axes, 1).tolist()
    [[0.2, 0.5, 0.5]]
    >>> set_right([[0.5, 0.5, 0.5]], [[0.2, 0.3, 0.4]], axes, 1, last=True).tolist()
    [[0.5, 0.5, 0.4]]
    """
    chosen = directions[:, directions.shape[1] - count :] if last else directions[:, :count]
    return inside(unit + _along(chosen, np.asarray(truth) - np.asarray(unit)))


def exchanged(
    unit: ArrayLike, partner: ArrayLike, directions: FloatArray, count: int, *, last: bool = False
) -> FloatArray:
    """Give each site the components of its partner's vector along some directions, shape (n, 21).

    Parameters
    ----------
    unit : array_like, shape (n, 21)
    partner : array_like of int, shape (n,)
        Row of each site's partner.
    directions, count, last
        As for `set_right`.

    Examples
    --------
    >>> axes = np.eye(2)[None].repeat(2, axis=0)
    >>> exchanged([[0.1, 0.2], [0.8, 0.9]], [1, 0], axes, 1).round(6).tolist()
    [[0.8, 0.2], [0.1, 0.9]]
    """
    return set_right(unit, np.asarray(unit)[partner], directions, count, last=last)


def _along(directions: FloatArray, step: FloatArray) -> FloatArray:
    """Part of a step (n, 21) that lies in the span of orthonormal directions (n, k, 21)."""
    return np.einsum("nkp,nkq,nq->np", directions, directions, step, optimize=True)


def look_alikes(
    candidates: ArrayLike, sites: xr.Dataset, truth: ArrayLike, *, prior: PriorBox = PRODA
) -> NDArray[np.int_]:
    """For each site, the candidate whose parameters give SOC nearest to the truth there.

    Parameters
    ----------
    candidates : array_like, shape (m, 21)
        For example true parameters of other places.
    sites : Dataset
        n sites.
    truth : array_like, shape (n, observation)
        SOC, gC m-3; NaN pads.
    prior : PriorBox

    Returns
    -------
    ndarray of int, shape (n,)
        Rows of `candidates`.
    """
    prepared = steady_state.prepare(sites)
    physical = prior.to_physical(inside(candidates))
    errors = [
        log_error(steady_state.soil_carbon_at_depth(one, prepared), truth) for one in physical
    ]
    return np.argmin(errors, axis=0)
