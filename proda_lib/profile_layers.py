"""Boundaries of a profile's sampled layers, of which only the middles are known.

Middles leave the boundaries open by one number, and a profile may have gaps. What can be tested is
whether layers that touch each other and begin at the surface are possible: they must come out in
order. That they are possible is no proof; `uneven` finds the chains that look least like soil.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from proda_lib.nearest import check_allowed

__all__ = ["layer_bounds", "uneven"]

FloatArray = NDArray[np.float64]
Boundaries = Literal["touching", "halfway"]


def layer_bounds(
    depth: ArrayLike, *, surface: float = 0.2, boundaries: Boundaries = "touching"
) -> tuple[FloatArray, NDArray[np.bool_]]:
    """Return the boundaries of the layers whose middles are given.

    Layers that touch each other and begin at the surface have b_0 = 0 and b_k = 2 z_k - b_(k-1).
    Where these boundaries lie between the depths, the profile is consistent with such layers, and
    has them. Elsewhere boundaries are put half-way between the depths, and the deepest layer
    reaches as far below its middle as above.

    A profile whose first middle lies deeper than `surface` is not taken to begin at the surface:
    its first layer reaches as far above its middle as below, at most by `surface`, and what lies
    above was not sampled.

    Parameters
    ----------
    depth : array_like, shape (n, observation)
        m, increasing; NaN pads at the end.
    surface : float
        Deepest middle of a first layer that begins at the surface, m: half of the thickest one.
    boundaries : {"touching", "halfway"}
        "halfway" puts all boundaries half-way.

    Returns
    -------
    bounds : ndarray, shape (n, observation + 1)
        m; NaN pads. The first is 0 where the profile begins at the surface.
    touching : ndarray of bool, shape (n,)
        Whether the boundaries are those of touching layers: consistent with the depths, though
        depths alone cannot prove it.

    Raises
    ------
    ValueError
        If depths do not increase, or an option is not allowed.

    Examples
    --------
    >>> bounds, touching = layer_bounds([[0.05, 0.2, 0.45], [0.1, 0.15, 0.6]])
    >>> bounds.round(3).tolist(), touching.tolist()
    ([[0.0, 0.1, 0.3, 0.6], [0.0, 0.125, 0.375, 0.825]], [True, False])
    >>> layer_bounds([[1.1]])[0].round(3).tolist()
    [[0.9, 1.3]]
    """
    check_allowed("boundaries", boundaries, ("touching", "halfway"))
    if not surface > 0:
        raise ValueError(f"surface is {surface:g} m: give a positive depth, or infinity")
    depth = np.asarray(depth, dtype=float)
    if (np.diff(depth, axis=1) <= 0).any() or (depth < 0).any():
        raise ValueError("depths must be 0 or more and increase along a profile: sort them first")
    chain = np.zeros((len(depth), depth.shape[1] + 1))
    for layer, middle in enumerate(depth.T):
        chain[:, layer + 1] = 2 * middle - chain[:, layer]
    touching = ~(chain[:, :-1] >= depth).any(axis=1) & ~(depth[:, 0] > surface)
    touching &= boundaries == "touching"
    return np.where(touching[:, None], chain, _half_way(depth, surface)), touching


def _half_way(depth: FloatArray, surface: float) -> FloatArray:
    """Boundaries half-way between the depths, m, shape (n, observation + 1)."""
    bounds = np.zeros((len(depth), depth.shape[1] + 1))
    bounds[:, 1:-1] = (depth[:, 1:] + depth[:, :-1]) / 2
    row, first = np.arange(len(depth)), depth[:, 0]
    last = np.maximum(np.isfinite(depth).sum(axis=1) - 1, 0)
    below = np.where(last > 0, bounds[:, 1] - first, surface)
    begins = np.maximum(first - np.minimum(below, surface), 0)
    bounds[:, 0] = np.where(first > surface, begins, 0.0)
    bounds[row, last + 1] = 2 * depth[row, last] - bounds[row, last]
    bounds[:, 1:] = np.where(np.isfinite(depth), bounds[:, 1:], np.nan)
    return bounds


def uneven(bounds: ArrayLike, ratio: float = 3.0) -> NDArray[np.bool_]:
    """Find profiles with a layer far thicker, or far thinner, than both of its neighbours.

    Where layers do not touch, an error of one boundary makes every other layer too thick and those
    between too thin. Real horizons can be as uneven, so this is a hint.

    Parameters
    ----------
    bounds : array_like, shape (n, layer + 1)
        m; NaN pads.
    ratio : float
        Of the thicknesses, above 1.

    Returns
    -------
    ndarray of bool, shape (n,)

    Examples
    --------
    >>> uneven([[0.0, 0.2, 0.23, 0.5], [0.0, 0.05, 0.2, 0.5]]).tolist()
    [True, False]
    """
    thickness = np.diff(np.asarray(bounds, dtype=float), axis=1)
    outer = thickness[:, :-2], thickness[:, 2:]
    inner = thickness[:, 1:-1]
    thick = inner > ratio * np.maximum(*outer)
    thin = inner * ratio < np.minimum(*outer)
    return (thick | thin).any(axis=1)
