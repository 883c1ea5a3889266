"""Carbon of whole columns for many parameter vectors per place, and its gradients.

Maps of an ensemble under many changes need millions of columns. Places are prepared once, the
vectors of a place are taken one after the other in one compiled call, and batches of places run
side by side; the numbers depend on neither.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from proda_lib import engine
from proda_lib.compiled import jax
from proda_lib.configurations import Configuration
from proda_lib.forcing import Forcing
from proda_lib.parameters import require_possible
from proda_lib.steady_state import Prepared
from proda_lib.workers import worker_count

import jax.numpy as jnp  # isort: skip

__all__ = ["DEPTHS", "column_stock", "each_draw", "rows_first", "stock_gradient"]

FloatArray = NDArray[np.float64]

#: The parts of a column that are summed, by name: down to how many metres.
DEPTHS: dict[str, float] = {"column": np.inf, "0-100 cm": 1.0}

#: Vectors per compiled call: always the same number, or each number would be compiled anew.
_DRAWS = 5


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
    return each_draw(_stock, parameters, places)


def stock_gradient(parameters: ArrayLike, places: Prepared) -> FloatArray:
    """Differentiate the carbon of the column by every parameter, shape (n, draw, 21).

    gC m-2 per unit of the parameter. Exact: one solution of the transposed system (the adjoint)
    gives all of them, and no differences are taken. Arguments as in `column_stock`.
    """
    return each_draw(_gradient, parameters, places)


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


def each_draw(
    function: Any, parameters: ArrayLike, places: Prepared, *more: ArrayLike
) -> dict[str, FloatArray] | FloatArray:
    """Apply a function of one place and one vector to many vectors per place.

    Parameters
    ----------
    function : callable
        (vector, forcing, configuration, *more) in JAX; one of a module, for it is compiled once.
    parameters : array_like, shape (n, draw, 21)
        Physical values.
    places : Prepared
        n places.
    more : array_like, shape (n, draw, ...)
        What else each vector goes with.

    Returns
    -------
    ndarray or dict of ndarray, shape (n, draw, ...)
        As the function returns it.

    Raises
    ------
    ValueError
        As in `column_stock`.
    """
    values = [np.asarray(each, dtype=float) for each in (parameters, *more)]
    _check(values[0], places)
    draws = values[0].shape[1]
    # The last call is filled up with the last vector.
    firsts = range(0, draws, _DRAWS)
    blocks = [np.minimum(np.arange(at, at + _DRAWS), draws - 1) for at in firsts]

    def of_batch(start: int, forcing: Forcing) -> Any:
        rows = np.minimum(np.arange(start, start + len(forcing.thawed)), places.rows - 1)
        found = [_call(function, values, rows, block, forcing, places) for block in blocks]
        return jax.tree.map(lambda *parts: np.concatenate(parts, axis=1)[:, :draws], *found)

    starts = np.cumsum([0, *(len(forcing.thawed) for forcing in places.forcing)])[:-1]
    with ThreadPoolExecutor(worker_count()) as pool:
        batches = list(pool.map(of_batch, starts, places.forcing))
    return jax.tree.map(lambda *parts: np.concatenate(parts)[: places.rows], *batches)


def _call(
    function: Any, values: list[FloatArray], rows: Any, block: Any, forcing: Forcing, places: Any
) -> Any:
    """Evaluate one batch of places with one block of vectors."""
    vectors, *more = (each[rows[:, None], block] for each in values)
    compiled = _one_after_the_other(function)
    found = engine.batch(compiled, vectors, forcing, *more, configuration=places.configuration)
    return jax.tree.map(np.asarray, found)


def _check(values: FloatArray, places: Prepared) -> None:
    count = len(places.configuration.names)
    if values.ndim != 3 or (values.shape[0], values.shape[-1]) != (places.rows, count):
        raise ValueError(
            f"parameters have shape {values.shape}, allowed is ({places.rows}, draws, {count}) for "
            f"the {places.rows} places given"
        )
    require_possible(values.reshape(-1, count), places.configuration.names)


@cache  # the same object for the same function, so that it is compiled once
def _one_after_the_other(function: Any) -> Any:
    def of_place(
        vectors: Any, forcing: Forcing, *more: Any, configuration: Configuration, **_: Any
    ) -> Any:
        def one(of_draw: tuple[Any, ...]) -> Any:
            return function(of_draw[0], forcing, configuration, *of_draw[1:])

        return jax.lax.map(one, (vectors, *more))

    return of_place


def _stock(vector: Any, forcing: Forcing, configuration: Configuration) -> Any:
    """Carbon of one column, gC m-2, shape (2,)."""
    grid = configuration.grid
    inside = [np.clip(depth - grid.top, 0, grid.thickness) for depth in DEPTHS.values()]
    return jnp.asarray(np.stack(inside)) @ engine.soil_carbon(vector, forcing, configuration)


def _gradient(vector: Any, forcing: Forcing, configuration: Configuration) -> Any:
    return jax.grad(lambda own: _stock(own, forcing, configuration)[0])(vector)
