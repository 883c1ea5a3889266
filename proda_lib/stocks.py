"""Carbon stocks: soil carbon of layers summed over depth intervals and over the map."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from proda_lib.soil_grid import CLM5, SoilGrid

__all__ = ["INTERVALS", "interval_stock", "total"]

FloatArray = NDArray[np.float64]

#: The chapter's depth intervals, m.
INTERVALS = ((0.0, 0.3), (0.3, 1.0), (1.0, 2.0))


def interval_stock(
    soil: ArrayLike, upper: float, lower: float, grid: SoilGrid = CLM5
) -> FloatArray:
    """Stock between two depths, gC m-2, taking the part of a layer that lies between them.

    Sum over layers of concentration times the thickness inside the interval: exact for
    concentrations that are uniform within layers, as the model's are.

    Parameters
    ----------
    soil : array_like, shape (..., layers)
        Soil organic carbon of layers, gC m-3; 0 below a closed bedrock.
    upper, lower : float
        Depths, m, upper < lower.

    Returns
    -------
    ndarray, shape (...)

    Raises
    ------
    ValueError
        If the interval is empty or turned around.

    Examples
    --------
    >>> float(interval_stock(np.ones(20), 0.0, 0.5))
    0.5
    """
    if not 0 <= upper < lower:
        raise ValueError(f"interval {upper:g} to {lower:g} m: give 0 <= upper < lower")
    inside = np.minimum(grid.interface, lower) - np.maximum(grid.top, upper)
    return np.asarray(soil, dtype=float) @ np.maximum(inside, 0.0)


def total(stock: ArrayLike, area: ArrayLike) -> float:
    """Sum of stocks over cells, Pg C.

    Parameters
    ----------
    stock : array_like, shape (cell,)
        gC m-2; NaN cells count nothing.
    area : array_like, shape (cell,)
        km2.

    Examples
    --------
    >>> total([1e4, 2e4], [1e6, 1e6])
    30.0
    """
    return float(np.nansum(np.asarray(stock, dtype=float) * np.asarray(area) * 1e6) / 1e15)
