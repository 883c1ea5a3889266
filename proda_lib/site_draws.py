"""Many parameter vectors per site: their shapes, and a function of one site evaluated for all."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from proda_lib import engine
from proda_lib.configurations import CLM5_20, Configuration
from proda_lib.configurations import configuration as configuration_named
from proda_lib.forcing import row_dimension
from proda_lib.parameters import require_possible
from proda_lib.steady_state import Prepared, prepare
from proda_lib.transport import Bedrock, Taper

__all__ = ["coordinates_of", "evaluate", "ready", "vectors"]

FloatArray = NDArray[np.float64]


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
    function: Callable[..., Any], values: FloatArray, sites: Prepared, *more: ArrayLike
) -> dict[str, FloatArray]:
    """Evaluate a function of one site and one vector for all sites and draws, compiled.

    Draws are taken one after the other, so that their number is not compiled in.

    Parameters
    ----------
    function : callable
        Of (21,) parameters, the site's `Forcing` and `more`, with the keywords of
        `proda_lib.engine.batch`; gives a dict of arrays.
    values : ndarray, shape (n, draw, 21)
        From `vectors`.
    sites : Prepared
        n rows.
    more : array_like, shape (n, ...)
        Of each site, the same for all its draws.

    Returns
    -------
    dict of str to ndarray, shape (n, draw, ...)
    """
    batches, start = [], 0
    for forcing in sites.forcing:
        # The last batch is filled up with its last row.
        size = len(forcing.thawed)
        rows = np.minimum(np.arange(start, start + size), sites.rows - 1)
        own = [np.asarray(one)[rows] for one in more]
        draws = [
            engine.batch(
                function, values[rows, draw], forcing, *own, configuration=sites.configuration
            )
            for draw in range(values.shape[1])
        ]
        batches.append({name: np.stack([one[name] for one in draws], 1) for name in draws[0]})
        start += size
    return {
        name: np.concatenate([batch[name] for batch in batches])[: sites.rows]
        for name in batches[0]
    }


def coordinates_of(sites: xr.Dataset) -> dict[str, Any]:
    """Return the coordinates of the rows, for a Dataset of what was found there."""
    row = row_dimension(sites)
    return {name: value for name, value in sites.coords.items() if value.dims == (row,)}
