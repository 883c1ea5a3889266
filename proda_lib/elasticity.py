"""Elasticities: the percent by which carbon changes with one percent of a process, exactly.

Slopes of the proportional change gradient at the point where nothing has changed yet, from the
engine's derivatives instead of runs with changed processes. One adjoint solution per cell and
vector gives the derivatives by all parameters; the chain rule of `process_change.scaled` turns them
into those by a process.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from proda_lib import process_change
from proda_lib.bulk import OF_SITE
from proda_lib.column_stock import column_stock, rows_first, stock_gradient
from proda_lib.compiled import jax
from proda_lib.parameters import NAMES, PRODA, PriorBox
from proda_lib.processes import BULK
from proda_lib.site_draws import evaluate
from proda_lib.steady_state import prepare
from proda_lib.transport import Bedrock

import jax.numpy as jnp  # isort: skip

__all__ = ["bulk_elasticities", "elasticities", "map_slopes", "published_slopes"]

FloatArray = NDArray[np.float64]

#: Processes that are parameters; plant carbon input is forcing.
_OWN = tuple(process for process in process_change.CHANGES if process != "input")


def elasticities(
    unit: ArrayLike, grid: xr.Dataset, *, bedrock: Bedrock = "closed", prior: PriorBox = PRODA
) -> xr.Dataset:
    """Percent of the column's carbon per percent of each process, by cell and member.

    The derivative d ln(carbon) / d ln(process).

    Parameters
    ----------
    unit : array_like, shape (member, n, 21)
        Positions in the prior range.
    grid : Dataset
        n cells.
    bedrock : {"closed", "published"}
    prior : PriorBox
        Box that the positions refer to.

    Returns
    -------
    Dataset
        `elasticity` (member, process, cell), 1: that of plant carbon input is 1, for the equation
        is linear in it, those of K and xi are one. `by_parameter` (member, parameter, cell), 1, the
        same for single parameters. `stock` (member, cell), gC m-2.

    Raises
    ------
    ValueError
        If the positions do not fit the cells.

    Notes
    -----
    Dividing all rates of an equation by a number multiplies its steady state by it. The rates are
    those of K and V, so their elasticities sum to -1 in every cell, whatever the parameters.

    The steady state is a sum over how often carbon has been passed on since it came from debris or
    plants, and what was passed on k times is proportional to the k-th power of a factor on all
    fractions. So the elasticity to A is the mean number of times that the column's soil carbon has
    been passed on. All of it has been at least once, by litter: the elasticity is at least 1.

    Examples
    --------
    >>> from proda_lib import studies
    >>> cells = studies.load("twin", "smoke").grid.isel(cell=slice(3))
    >>> found = elasticities(np.full((1, 3, 21), 0.5), cells).elasticity
    >>> bool(np.allclose(found.sel(process="K") + found.sel(process="V"), -1))
    True
    """
    vectors, cells = rows_first(prior.to_physical(unit)), prepare(grid, bedrock=bedrock)
    stock, gradient = column_stock(vectors, cells)[..., 0], stock_gradient(vectors, cells)
    each = [(gradient * _direction(vectors, process)).sum(axis=-1) / stock for process in _OWN]
    each.append(np.ones_like(stock))
    single = np.moveaxis(gradient * vectors / stock[..., None], 0, -1)
    names = ("member", "process", "cell")
    return xr.Dataset(
        {
            "elasticity": (names, np.stack(each).transpose(2, 0, 1), {"units": "1"}),
            "by_parameter": (("member", "parameter", "cell"), single, {"units": "1"}),
            "stock": (("member", "cell"), stock.T, {"units": "gC m-2"}),
        },
        {"process": list(process_change.CHANGES), "parameter": list(NAMES)},
    )


def _direction(vectors: FloatArray, process: str) -> FloatArray:
    """Differentiate `scaled` by its factor at 1, same shape."""
    values, one = jnp.asarray(vectors), jnp.ones(vectors.shape[:-1])
    changed = jax.jvp(lambda f: process_change.scaled(values, process, f), (one,), (one,))[1]
    return np.asarray(changed)


def map_slopes(found: xr.Dataset, area: ArrayLike) -> xr.DataArray:
    """Percent of the map's carbon per percent of each process, shape (member, process).

    d ln(total) / d ln(process): the mean of the elasticities, weighted by carbon.

    Parameters
    ----------
    found : Dataset
        From `elasticities`.
    area : array_like, shape (cell,)
        Any unit.

    Examples
    --------
    >>> table = {"elasticity": (("process", "cell"), [[1.0, 3.0]]), "stock": ("cell", [3.0, 1.0])}
    >>> map_slopes(xr.Dataset(table), [1.0, 1.0]).values.tolist()
    [1.5]
    """
    carbon = found["stock"] * xr.DataArray(np.asarray(area, dtype=float), dims="cell")
    return found["elasticity"].weighted(carbon).mean("cell")


def published_slopes(
    unit: ArrayLike, grid: xr.Dataset, *, bedrock: Bedrock = "closed", prior: PriorBox = PRODA
) -> xr.DataArray:
    """Slopes of mode "published" where nothing is moved yet, shape (member, process), 1.

    d ln(total) / dx over the mean of d ln(bulk process) / dx, x the proportion by which positions
    in the prior range are moved. Bulk processes are the sound ones. Arguments as in `elasticities`;
    grid with `area`. NaN where the bulk process does not move.

    Examples
    --------
    >>> from proda_lib import studies
    >>> cells = studies.load("twin", "smoke").grid.isel(cell=slice(3))
    >>> bool((published_slopes(np.full((1, 3, 21), 0.5), cells).sel(process="A") > 1).all())
    True
    """
    start = process_change.moved(unit, "input", 0.0)
    vectors, cells = rows_first(prior.to_physical(start)), prepare(grid, bedrock=bedrock)
    ways = [rows_first(_way(start, process, prior)) for process in _OWN]
    found = evaluate(_rates, vectors, cells, np.stack(ways, axis=2))
    area = grid["area"].values
    total = np.tensordot(area, found["stock"], axes=1)
    rise = np.tensordot(area, found["rise"], axes=1) / total[:, None]
    bulk = _mean_of_known(found["bulk"])
    slope = np.where(bulk != 0, rise, np.nan) / np.where(bulk != 0, bulk, 1)
    slope = np.concatenate([slope, np.ones((len(slope), 1))], axis=1)
    coords = {"process": list(process_change.CHANGES)}
    return xr.DataArray(slope, coords, ("member", "process"))


def bulk_elasticities(
    unit: ArrayLike, grid: xr.Dataset, *, bedrock: Bedrock = "closed", prior: PriorBox = PRODA
) -> xr.DataArray:
    """Percent of the bulk process per percent of the process, shape (member, process), 1.

    Mean over the cells. A bulk process is a mean weighted by carbon, and the weights change, too;
    so it follows the process, but not one to one. NaN for xi, which the equation does not tell from
    K. Arguments as in `elasticities`.

    Examples
    --------
    >>> from proda_lib import studies
    >>> cells = studies.load("twin", "smoke").grid.isel(cell=slice(3))
    >>> found = bulk_elasticities(np.full((1, 3, 21), 0.5), cells)
    >>> bool((found.sel(process="A") > 0.8).all() and (found.sel(process="A") < 1).all())
    True
    """
    vectors, cells = rows_first(prior.to_physical(unit)), prepare(grid, bedrock=bedrock)
    ways = np.stack([_direction(vectors, process) for process in _OWN], axis=2)
    bulk = _mean_of_known(evaluate(_rates, vectors, cells, ways)["bulk"])
    bulk[:, _OWN.index("xi")] = np.nan
    bulk = np.concatenate([bulk, np.ones((len(bulk), 1))], axis=1)
    coords = {"process": list(process_change.CHANGES)}
    return xr.DataArray(bulk, coords, ("member", "process"))


def _mean_of_known(values: FloatArray) -> FloatArray:
    """Mean over the first axis of what is finite; 0 where nothing is."""
    known = np.isfinite(values)
    return np.where(known, values, 0.0).sum(axis=0) / np.maximum(known.sum(axis=0), 1)


def _way(unit: FloatArray, process: str, prior: PriorBox) -> FloatArray:
    """Differentiate the physical values by the proportion that positions are moved by."""
    own = np.isin(np.arange(unit.shape[-1]), process_change.members_of(process))
    # A position at its cap moves no further.
    free = process_change.moved(unit, process, 1e-9) > unit
    return np.where(own & free, unit, 0.0) * (prior.upper - prior.lower)


def _rates(vector: Any, forcing: Any, configuration: Any, ways: Any) -> dict[str, Any]:
    """Stock of one column, its change and the relative change of each bulk process along `ways`."""

    def quantities(own: Any) -> dict[str, Any]:
        found = OF_SITE["sound"](own, forcing, configuration)
        return {name: found[name] for name in ("stock", *(BULK[p] for p in _OWN))}

    def along(way: Any) -> dict[str, Any]:
        return jax.jvp(quantities, (vector,), (way,))[1]

    value, change = quantities(vector), jax.vmap(along)(ways)
    bulk = jnp.stack([change[BULK[p]][i] / value[BULK[p]] for i, p in enumerate(_OWN)])
    return {"stock": value["stock"], "rise": change["stock"], "bulk": bulk}
