"""Many parameter vectors per site: their shapes, and a function of one site evaluated for all."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from proda_lib import engine
from proda_lib.compiled import jax
from proda_lib.configurations import CLM5_20, Configuration
from proda_lib.configurations import configuration as configuration_named
from proda_lib.forcing import Forcing, row_dimension
from proda_lib.parameters import require_possible
from proda_lib.steady_state import Prepared, prepare
from proda_lib.transport import Bedrock, Taper
from proda_lib.workers import worker_count

__all__ = ["coordinates_of", "evaluate", "ready", "vectors"]

FloatArray = NDArray[np.float64]

#: Vectors per compiled call at most: each number of them is compiled anew.
_DRAWS = 5


def ready(
    sites: xr.Dataset,
    *,
    configuration: str | Configuration = CLM5_20,
    bedrock: Bedrock = "closed",
    taper: Taper = "clm",
    default_run: bool = False,
) -> Prepared:
    """Prepare sites without their observations, as `proda_lib.steady_state.prepare` does."""
    bare = sites.drop_vars("observed_depth", errors="ignore")
    return prepare(
        bare,
        configuration=configuration_named(configuration),
        bedrock=bedrock,
        taper=taper,
        default_run=default_run,
    )


def vectors(
    parameters: ArrayLike, rows: int, model: Configuration = CLM5_20, *, default_run: bool = False
) -> FloatArray:
    """Arrange parameter vectors by row and draw, shape (rows, draw, 21); a copy.

    Parameters
    ----------
    parameters : array_like, shape (21,), (rows, 21) or (rows, draw, 21)
        Physical values: one vector for all rows, one each, or many draws each.
    rows : int
    model : Configuration
    default_run : bool
        Whether the water scalar is taken as it is, as CLM5's default run does.

    Raises
    ------
    ValueError
        If the parameters are impossible or do not fit the rows.

    Examples
    --------
    >>> vectors(CLM5_20.default, 3).shape
    (3, 1, 21)
    """
    values, count = np.array(parameters, dtype=float), len(model.names)
    fits = values.shape == (count,) or (
        values.ndim in (2, 3) and (values.shape[0], values.shape[-1]) == (rows, count)
    )
    if not fits:
        raise ValueError(
            f"parameters have shape {values.shape}, allowed are ({count},) for all rows, "
            f"({rows}, {count}) or ({rows}, draws, {count}) for the {rows} rows given"
        )
    if values.ndim == 1:
        values = np.repeat(values[None], rows, axis=0)
    if default_run:
        values[..., model.names.index("w-scaling")] = 1.0
    require_possible(values.reshape(-1, count), model.names)
    return values.reshape(rows, -1, count)


def evaluate(
    function: Callable[..., Any], parameters: ArrayLike, sites: Prepared, *more: ArrayLike
) -> Any:
    """Evaluate a function of one site and one vector for all sites and draws, compiled.

    The vectors of a site are taken one after the other, so that they stay in the processor's cache;
    batches of sites run side by side. The numbers depend on neither.

    Parameters
    ----------
    function : callable
        Called as ``function(vector, forcing, configuration, *more)`` for one site, in JAX; one of a
        module, for it is compiled once. Gives an array or a dict of arrays.
    parameters : array_like
        As in `vectors`.
    sites : Prepared
        n rows.
    more : array_like, shape (n, draw, ...)
        What else each vector goes with.

    Returns
    -------
    ndarray or dict of ndarray, shape (n, draw, ...)
        As the function returns it.

    Raises
    ------
    ValueError
        As in `vectors`.
    """
    values = [vectors(parameters, sites.rows, sites.configuration), *map(np.asarray, more)]
    draws = values[0].shape[1]
    size = min(draws, _DRAWS)
    # The last call is filled up with the last vector, the last batch with its last row.
    blocks = [np.minimum(np.arange(at, at + size), draws - 1) for at in range(0, draws, size)]
    lengths = [len(forcing.thawed) for forcing in sites.forcing]

    def of_batch(start: int, forcing: Forcing) -> Any:
        rows = np.minimum(np.arange(start, start + len(forcing.thawed)), sites.rows - 1)
        found = [_call(function, values, rows, block, forcing, sites) for block in blocks]
        return jax.tree.map(lambda *parts: np.concatenate(parts, axis=1)[:, :draws], *found)

    with ThreadPoolExecutor(worker_count()) as pool:
        batches = list(pool.map(of_batch, np.cumsum([0, *lengths[:-1]]), sites.forcing))
    return jax.tree.map(lambda *parts: np.concatenate(parts)[: sites.rows], *batches)


def _call(
    function: Any, values: list[Any], rows: Any, block: Any, forcing: Forcing, sites: Prepared
) -> Any:
    """Evaluate one batch of sites with one block of vectors."""
    own, *more = (each[rows[:, None], block] for each in values)
    compiled = _one_after_the_other(function)
    found = engine.batch(compiled, own, forcing, *more, configuration=sites.configuration)
    return jax.tree.map(np.asarray, found)


@cache  # the same object for the same function, so that it is compiled once
def _one_after_the_other(function: Any) -> Any:
    def of_site(
        draws: Any, forcing: Forcing, *more: Any, configuration: Configuration, **_: Any
    ) -> Any:
        def one(of_draw: tuple[Any, ...]) -> Any:
            return function(of_draw[0], forcing, configuration, *of_draw[1:])

        return jax.lax.map(one, (draws, *more))

    return of_site


def coordinates_of(sites: xr.Dataset) -> dict[str, Any]:
    """Return the coordinates of the rows, for a Dataset of what was found there."""
    row = row_dimension(sites)
    return {name: value for name, value in sites.coords.items() if value.dims == (row,)}
