"""Carbon of whole columns for many parameter vectors per place, and its gradients.

Maps of an ensemble under many changes need millions of columns: places are prepared once, and only
sums over the column are kept.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from proda_lib import engine
from proda_lib.compiled import jax
from proda_lib.configurations import Configuration
from proda_lib.forcing import Forcing
from proda_lib.site_draws import evaluate
from proda_lib.steady_state import Prepared

import jax.numpy as jnp  # isort: skip

__all__ = ["DEPTHS", "column_stock", "rows_first", "stock_gradient"]

FloatArray = NDArray[np.float64]

#: The parts of a column that are summed, by name: down to how many metres.
DEPTHS: dict[str, float] = {"column": np.inf, "0-100 cm": 1.0}


def column_stock(parameters: ArrayLike, places: Prepared) -> FloatArray:
    """Soil organic carbon of the column and of its upper metre, gC m-2, shape (n, draw, 2).

    Parameters
    ----------
    parameters : array_like, shape (n, draw, 21)
        Physical values, many vectors for each of n places.
    places : Prepared
        From `proda_lib.steady_state.prepare`.

    Returns
    -------
    ndarray
        The last axis as `DEPTHS`.

    Raises
    ------
    ValueError
        If the parameters are impossible or do not fit the places.

    Examples
    --------
    >>> from proda_lib import steady_state, studies
    >>> from proda_lib.parameters import CLM5_DEFAULT
    >>> cells = studies.load("twin", "smoke").grid.isel(cell=slice(2))
    >>> found = column_stock(np.tile(CLM5_DEFAULT, (2, 3, 1)), steady_state.prepare(cells))
    >>> found.shape, bool((found[..., 0] >= found[..., 1]).all())
    ((2, 3, 2), True)
    """
    return evaluate(_stock, parameters, places)


def stock_gradient(parameters: ArrayLike, places: Prepared) -> FloatArray:
    """Differentiate the carbon of the column by every parameter, shape (n, draw, 21).

    gC m-2 per unit of the parameter. Exact: one solution of the transposed system (the adjoint)
    gives all of them, and no differences are taken. Arguments as in `column_stock`.
    """
    return evaluate(_gradient, parameters, places)


def rows_first(members: ArrayLike) -> FloatArray:
    """Members of an ensemble (member, n, 21) as the many vectors of each place, (n, member, 21).

    Examples
    --------
    >>> rows_first(np.zeros((3, 5, 21))).shape
    (5, 3, 21)
    """
    members = np.asarray(members, dtype=float)
    if members.ndim != 3:
        raise ValueError(
            f"parameters have shape {members.shape}, allowed is (member, places, parameters): for "
            "one member put an axis in front"
        )
    return np.ascontiguousarray(np.moveaxis(members, 0, 1))


def _stock(vector: Any, forcing: Forcing, configuration: Configuration) -> Any:
    """Carbon of one column, gC m-2, shape (2,)."""
    grid = configuration.grid
    inside = [np.clip(depth - grid.top, 0, grid.thickness) for depth in DEPTHS.values()]
    return jnp.asarray(np.stack(inside)) @ engine.soil_carbon(vector, forcing, configuration)


def _gradient(vector: Any, forcing: Forcing, configuration: Configuration) -> Any:
    return jax.grad(lambda own: _stock(own, forcing, configuration)[0])(vector)
