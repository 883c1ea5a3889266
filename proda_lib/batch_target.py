"""What the batch assimilation compares: one parameter vector with all profiles at once.

The model is solved once per distinct forcing; the observations of all profiles are then read from
those columns, laid end to end, so that thousands of profiles cost little more than their forcings.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, partial
from typing import Any, NamedTuple

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from proda_lib import cost, engine, folds
from proda_lib.compiled import jax
from proda_lib.configurations import CLM5_20, Configuration
from proda_lib.configurations import configuration as configuration_of
from proda_lib.depths import Interpolation, Reading, read, reading_of
from proda_lib.forcing import Forcing, forcing_of, rows_of
from proda_lib.parameters import PriorBox
from proda_lib.transport import Bedrock

import jax.numpy as jnp  # isort: skip

__all__ = [
    "BatchData",
    "batch_data",
    "columns",
    "moments",
    "prediction",
    "soil",
    "stratified_subset",
    "target",
]

FloatArray = NDArray[np.float64]

#: Columns that are solved side by side, at most: memory bounds them on large grids.
_COLUMNS = 1024

#: `batch_data` can fill up to multiples of so many columns and observations, so that data sets of
#: similar size share one compiled function.
_FILLED = (128, 2048)

#: Degrees of the blocks that `stratified_subset` spreads its sites over.
_BLOCK = 5.0


class BatchData(NamedTuple):
    """Arrays of all profiles together.

    Attributes
    ----------
    forcing : Forcing
        One row per distinct forcing.
    which : ndarray of int, shape (profile,), or None
        Row of the forcing of each profile, for pchip. None for linear reading: then `reading` and
        what follows have one long axis of observations in place of profile and observation.
    reading : Reading
        For linear, `over` counts through the layers of all columns laid end to end.
    observed : ndarray, shape (profile, observation) or (observation,)
        SOC, gC m-3; 1 in pads.
    weight : ndarray, shape as observed
        1; 0 in pads.
    """

    forcing: Forcing
    which: Any
    reading: Reading
    observed: Any
    weight: Any


def batch_data(
    sites: xr.Dataset,
    *,
    configuration: str | Configuration = CLM5_20,
    bedrock: Bedrock = "closed",
    interpolation: Interpolation = "linear",
    weights: cost.Weights = "rank",
    filled: bool = False,
) -> BatchData:
    """Arrays of sites for the functions of this module.

    Parameters
    ----------
    sites : Dataset
        In the common form, with observations.
    weights : {"rank", "depth"}
        As at the site level, see `proda_lib.cost.site_data`.
    filled : bool
        Whether to fill up with columns and observations that do not count, so that other sites
        need no other compiled function; for linear reading only.
    """
    observed, depth = sites["observed_soc"].values, sites["observed_depth"].values
    first, which = rows_of(sites)
    model = configuration_of(configuration)
    forcing = forcing_of(sites.isel(site=first), model, bedrock=bedrock)
    reading = reading_of(sites, bedrock=bedrock, interpolation=interpolation)
    weigh = cost.rank_weights(observed, depth) if weights == "rank" else cost.depth_weights(depth)
    if interpolation == "pchip":
        reading = reading._replace(share=np.nan_to_num(reading.share))
        return BatchData(forcing, which, reading, np.nan_to_num(observed, nan=1.0), weigh)
    there = np.isfinite(depth)
    over = (which[:, None] * model.grid.layers + reading.over)[there]
    flat = (over, reading.share[there], np.nan_to_num(observed[there], nan=1.0), weigh[there])
    if filled:
        rows = np.minimum(np.arange(_up(len(first), _FILLED[0])), len(first) - 1)
        forcing = forcing.rows(rows)
        missing = _up(len(over), _FILLED[1]) - len(over)
        pairs = zip(flat, (0, 0.0, 1.0, 0.0), strict=True)
        flat = tuple(np.pad(a, (0, missing), constant_values=v) for a, v in pairs)
    return BatchData(forcing, None, Reading(flat[0], flat[1]), flat[2], flat[3])


def _up(count: int, multiple: int) -> int:
    return -(-count // multiple) * multiple


def columns(parameters: Any, forcing: Forcing, configuration: Configuration) -> jax.Array:
    """Soil carbon of one parameter vector at every forcing, gC m-3, shape (forcing, layers)."""

    def column(row: Forcing) -> jax.Array:
        return engine.soil_carbon(parameters, row, configuration)

    if len(forcing.thawed) <= _COLUMNS:
        return jax.vmap(column)(forcing)
    return jax.lax.map(column, forcing, batch_size=_COLUMNS)


@lru_cache
def prediction(
    prior: PriorBox | None = None, configuration: str | Configuration = CLM5_20
) -> Callable[[Any, BatchData], Any]:
    """Return the function (unit, data) to modelled SOC, gC m-3, in the shape of `data.observed`.

    Parameters
    ----------
    prior : PriorBox, optional
        Box that the unit cube stands for; by default the configuration's own.
    """
    model = configuration_of(configuration)
    box = prior or model.prior

    def predict(unit: Any, data: BatchData) -> Any:
        soil = columns(box.to_physical(unit), data.forcing, model)
        if data.which is None:
            return read(soil.ravel(), data.reading)
        return jax.vmap(read)(soil[data.which], data.reading)

    return predict


@lru_cache
def target(
    likelihood: cost.Likelihood = "proda",
    prior: PriorBox | None = None,
    *,
    configuration: str | Configuration = CLM5_20,
) -> Callable[[Any, BatchData], Any]:
    """Return the energy (unit, data): the sum over all profiles of the energy of one.

    Parameters
    ----------
    likelihood : {"proda", "lognormal"}
        As in `proda_lib.cost.target`, of which this is the sum.
    """
    if likelihood not in cost.LIKELIHOODS:
        raise ValueError(f"likelihood is {likelihood!r}, allowed are 'proda' and 'lognormal'")
    predict = prediction(prior, configuration)

    def energy(unit: Any, data: BatchData) -> Any:
        modelled = predict(unit, data)
        if likelihood == "proda":
            return cost.weighted_misfit(modelled, data.observed, data.weight).sum()
        return cost.log_misfit(modelled, data.observed, data.weight > 0).sum()

    return energy


@lru_cache
def soil(
    prior: PriorBox | None = None, configuration: str | Configuration = CLM5_20
) -> Callable[[Any, Forcing], Any]:
    """Return the function (unit, forcing) to soil carbon, gC m-3, shape (forcing, layers)."""
    model = configuration_of(configuration)
    box = prior or model.prior
    return lambda unit, forcing: columns(box.to_physical(unit), forcing, model)


@partial(jax.jit, static_argnames=("function",))
def _moments(function: Any, unit: Any, data: Any) -> tuple[Any, Any]:
    def add(carry: Any, draw: Any) -> tuple[Any, None]:
        # Welford's sums: a small spread about a large mean keeps its digits.
        mean, squares, count = carry
        value = function(draw, data)
        away = value - mean
        mean = mean + away / (count + 1)
        return (mean, squares + away * (value - mean), count + 1), None

    nothing = jnp.zeros_like(jax.eval_shape(function, unit[0], data), float)
    (mean, squares, count), _ = jax.lax.scan(add, (nothing, nothing, 0.0), unit)
    return mean, jnp.sqrt(squares / jnp.maximum(count - 1, 1))


def moments(function: Any, unit: FloatArray, data: Any) -> tuple[FloatArray, FloatArray]:
    """Average a function (unit, data) over draws; mean and standard deviation, in its shape.

    Parameters
    ----------
    function : callable
        Hashable, and the same object for the same function, so that it is compiled once.
    unit : ndarray, shape (draw, d)
    data : pytree
        What `function` takes, the same for all draws.
    """
    mean, sd = _moments(function, jnp.asarray(unit), data)
    return np.asarray(mean), np.asarray(sd)


def stratified_subset(sites: xr.Dataset, count: int, seed: int) -> NDArray[np.int_]:
    """Choose sites that represent all: spread over blocks of 5 degrees and depths of bedrock.

    Sites are put in order, by block, then by bedrock layer, then at random, and taken at equal
    intervals, so every part of the order gives its share (systematic sampling).

    Parameters
    ----------
    sites : Dataset
        In the common form, n sites.
    count : int
        Number of sites to choose, at least 1; all if there are not more.
    seed : int

    Returns
    -------
    ndarray of int
        Sorted rows.

    Examples
    --------
    >>> places = xr.Dataset(
    ...     {"bedrock_layer": ("site", [9, 9, 9, 9])},
    ...     {"lon": ("site", [1.0, 1, 8, 8]), "lat": ("site", [0.0] * 4)},
    ... )
    >>> chosen = stratified_subset(places, 2, seed=1)
    >>> int(chosen[0]) in (0, 1), int(chosen[1]) in (2, 3)
    (True, True)
    """
    if count < 1:
        raise ValueError(f"count is {count}, it must be at least 1")
    n = sites.sizes["site"]
    if count >= n:
        return np.arange(n)
    random = np.random.default_rng(seed)
    keys = (random.permutation(n), sites["bedrock_layer"].values, folds.blocks(sites, _BLOCK))
    places = np.floor((np.arange(count) + random.uniform()) * n / count).astype(int)
    return np.sort(np.lexsort(keys)[places])
