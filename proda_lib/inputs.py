"""Plant carbon input: how much enters which litter pool, and in which layer."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from proda_lib.soil_grid import CLM5, SoilGrid
from proda_lib.transport import DAYS_PER_YEAR, Bedrock, require_bedrock

__all__ = ["input_density", "input_share"]

FloatArray = NDArray[np.float64]


def input_share(
    beta: ArrayLike,
    bedrock_layer: ArrayLike,
    thawed: ArrayLike = True,
    grid: SoilGrid = CLM5,
    *,
    bedrock: Bedrock = "closed",
) -> FloatArray:
    """Share of the carbon input that enters each layer (specification 3.5; Jackson et al. 1996).

    s_j = beta^(100 z_(j-1)) - beta^(100 z_j), z the interfaces in m, normalised to 1. Where the
    soil did not thaw in every month of last year everything enters the top layer.

    Parameters
    ----------
    beta : array_like, shape (...)
        Vertical shape per cm, 0 to 1; a smaller beta keeps the input nearer to the surface.
    bedrock_layer : array_like, shape (...)
        1-based number of the layer that holds bedrock.
    thawed : array_like of bool, shape (...)
        Whether last year's active layer depth was positive in all months.
    bedrock : {"closed", "published"}
        "closed" spreads the input over the layers down to bedrock; "published" over all layers.

    Returns
    -------
    ndarray, shape (..., layers)
        Shares that sum to 1.

    Examples
    --------
    >>> share = input_share(0.95, bedrock_layer=8)
    >>> round(float(share.sum()), 12), float(share[8:].sum())
    (1.0, 0.0)
    """
    require_bedrock(bedrock)
    beta = np.asarray(beta, dtype=float)[..., None]
    base = np.asarray(bedrock_layer, dtype=int)[..., None]
    share = np.power(beta, 100 * grid.top) - np.power(beta, 100 * grid.interface)
    number = np.arange(1, grid.layers + 1)
    if bedrock == "closed":
        share = np.where(number <= base, share, 0.0)
    share = share / share.sum(axis=-1, keepdims=True)
    return np.where(np.asarray(thawed, dtype=bool)[..., None], share, number == 1)


def input_density(litter_input: ArrayLike, share: ArrayLike, grid: SoilGrid = CLM5) -> FloatArray:
    """Carbon input to each litter pool and layer, B u of equation 37.1, gC m-3 day-1.

    Parameters
    ----------
    litter_input : array_like, shape (..., 4, 12)
        Monthly input to cwd and the three litter pools, gC m-2 month-1; only the annual sum enters.
    share : array_like, shape (..., layers)
        Share of each layer (`input_share`), 1.

    Returns
    -------
    ndarray, shape (..., 4, layers)

    Examples
    --------
    >>> density = input_density(np.ones((4, 12)), input_share(0.95, 20))
    >>> (density * CLM5.thickness).sum(axis=-1).round(6).tolist()  # 12 gC m-2 in 365 days
    [0.032877, 0.032877, 0.032877, 0.032877]
    """
    annual = np.asarray(litter_input, dtype=float).sum(axis=-1)
    share = np.asarray(share, dtype=float)
    return annual[..., None] * share[..., None, :] / (DAYS_PER_YEAR * grid.thickness)
