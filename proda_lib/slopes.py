"""Slopes over space: how a quantity goes with another from place to place, and how surely."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["slope", "slope_resampled"]

FloatArray = NDArray[np.float64]


def slope(
    values: ArrayLike,
    by: ArrayLike,
    *,
    weight: ArrayLike | None = None,
    holding: Sequence[ArrayLike] = (),
) -> FloatArray:
    """Least-squares slope of values by another quantity, others held; shape (...).

    Parameters
    ----------
    values : array_like, shape (..., n)
    by : array_like, shape (n,) or (..., n)
    weight : array_like, shape (n,), optional
        Such as the area of cells.
    holding : sequence of array_like, shape (n,) or (..., n)
        What enters beside `by`, so that the slope is that at unchanged values of it.

    Returns
    -------
    ndarray, shape (...)
        Unit of the values over that of `by`.

    Raises
    ------
    ValueError
        If fewer places are given than coefficients are sought.

    Examples
    --------
    >>> slope([1.0, 3.0, 5.0], [0.0, 1.0, 2.0]).round(6).item()
    2.0
    >>> slope([1.0, 3.0, 5.0, 4.0], [0.0, 1.0, 2.0, 2.0], holding=[[0, 0, 0, 1]]).round(6).item()
    2.0
    """
    values = np.asarray(values, dtype=float)
    others = [np.broadcast_to(np.asarray(one, dtype=float), values.shape) for one in (by, *holding)]
    design = np.stack([np.ones_like(values), *others], axis=-1)
    if values.shape[-1] < design.shape[-1]:
        raise ValueError(
            f"{values.shape[-1]} places are too few for {design.shape[-1]} coefficients: give more"
        )
    root = np.sqrt(np.ones(values.shape[-1]) if weight is None else np.asarray(weight, dtype=float))
    # Columns are centred and scaled, so that metres and shares can stand side by side.
    middle, spread = design[..., 1:].mean(axis=-2), design[..., 1:].std(axis=-2)
    spread = np.where(spread > 0, spread, 1.0)
    design[..., 1:] = (design[..., 1:] - middle[..., None, :]) / spread[..., None, :]
    inverse = np.linalg.pinv(design * root[:, None])
    return np.einsum("...kn,...n->...k", inverse, values * root)[..., 1] / spread[..., 0]


def slope_resampled(
    values: ArrayLike,
    by: ArrayLike,
    places: ArrayLike,
    *,
    holding: Sequence[ArrayLike] = (),
    seed: int,
    resamples: int = 200,
) -> FloatArray:
    """Return the slope in samples of places drawn with replacement, shape (resample,).

    Parameters
    ----------
    values, by : array_like, shape (n,)
    places : array_like of int, shape (n,)
        Rows with the same number are drawn together, such as `proda_lib.folds.blocks`.
    holding, seed
        As in `slope`.
    resamples : int

    Examples
    --------
    >>> x = np.arange(20.0)
    >>> slope_resampled(3 * x, x, np.arange(20) // 2, seed=1, resamples=4).round(6).tolist()
    [3.0, 3.0, 3.0, 3.0]
    """
    values, by = np.asarray(values, dtype=float), np.asarray(by, dtype=float)
    number = np.unique(places, return_inverse=True)[1].ravel()
    count, random = number.max() + 1, np.random.default_rng(seed)
    drawn = random.multinomial(count, np.full(count, 1 / count), size=resamples)
    # A place drawn twice counts twice.
    return np.array([slope(values, by, weight=one[number], holding=holding) for one in drawn])
