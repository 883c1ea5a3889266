"""Plant carbon input: how much enters which litter pool, and in which layer."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from proda_lib.arrays import namespace
from proda_lib.soil_grid import CLM5, SoilGrid
from proda_lib.transport import DAYS_PER_YEAR

__all__ = ["input_density", "input_share"]

FloatArray = NDArray[np.float64]


def input_share(
    beta: ArrayLike, live: ArrayLike = True, thawed: ArrayLike = True, grid: SoilGrid = CLM5
) -> FloatArray:
    """Share of the carbon input that enters each layer (matrix_fun.m; Jackson et al. 1996).

    s_j = beta^(100 z_(j-1)) - beta^(100 z_j), z the interfaces in m, normalised to 1. Where the
    soil did not thaw in every month of last year everything enters the top layer.

    Parameters
    ----------
    beta : array_like, shape (...)
        Vertical shape per cm, 0 to 1; a smaller beta keeps the input nearer to the surface.
    live : array_like of bool, shape (..., layers)
        Layers that take carbon: those down to a closed bedrock, or all as published.
    thawed : array_like of bool, shape (...)
        Whether last year's active layer depth was positive in all months.

    Returns
    -------
    ndarray, shape (..., layers)
        Shares that sum to 1.

    Examples
    --------
    >>> share = input_share(0.95, live=np.arange(20) < 8)
    >>> round(float(share.sum()), 12), float(share[8:].sum())
    (1.0, 0.0)
    """
    xp = namespace(beta, live, thawed)
    per_metre = 100 * xp.log(xp.asarray(beta, dtype=float))[..., None]
    share = xp.exp(per_metre * grid.top) - xp.exp(per_metre * grid.interface)
    share = xp.where(xp.asarray(live), share, 0.0)
    share = share / share.sum(axis=-1, keepdims=True)
    return xp.where(xp.asarray(thawed)[..., None], share, np.arange(grid.layers) == 0)


def input_density(annual: FloatArray, share: FloatArray, grid: SoilGrid = CLM5) -> FloatArray:
    """Carbon input to each litter pool and layer, B u of equation 37.1, gC m-3 day-1.

    Parameters
    ----------
    annual : ndarray, shape (..., 4)
        Input to cwd and the three litter pools, gC m-2 yr-1.
    share : ndarray, shape (..., layers)
        Share of each layer (`input_share`), 1.

    Returns
    -------
    ndarray, shape (..., 4, layers)

    Examples
    --------
    >>> density = input_density(np.full(4, 12.0), input_share(0.95))
    >>> (density * CLM5.thickness).sum(axis=-1).round(6).tolist()  # 12 gC m-2 in 365 days
    [0.032877, 0.032877, 0.032877, 0.032877]
    """
    return annual[..., None] * share[..., None, :] / (DAYS_PER_YEAR * grid.thickness)
