"""Plain Metropolis chains around the engine, to time one iteration of a sampler."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
import numpy as np
import xarray as xr

from proda_lib import engine
from proda_lib.compiled import jax
from proda_lib.depths import reading_of
from proda_lib.forcing import forcing_of
from proda_lib.parameters import PriorBox


def chains(sites: xr.Dataset, prior: PriorBox, iterations: int) -> Callable[[Any], Any]:
    """Return a compiled function: random keys (site, chain) to the chains' last costs.

    The cost is the weighted misfit with 60 % relative error (the original's, all weights 1);
    proposals are normal with a fixed covariance factor per site, rejected outside the box. The
    chains of a site share its forcing.
    """
    observed = np.nan_to_num(sites["observed_soc"].values, nan=1.0)
    counted = np.isfinite(sites["observed_soc"].values)
    factor = np.tril(np.random.default_rng(1).normal(0, 0.02, (len(observed), 21, 21)))
    data = jax.device_put((forcing_of(sites), reading_of(sites), observed, counted, factor))

    def one(key: Any, forcing: Any, reading: Any, observed: Any, counted: Any, factor: Any) -> Any:
        def cost(unit: Any) -> Any:
            soc = engine.soil_carbon_at_depth(prior.to_physical(unit), forcing, reading)
            return jnp.sum(jnp.where(counted, ((soc - observed) / (0.6 * observed)) ** 2, 0)) / 2

        def step(state: tuple[Any, Any], key: Any) -> tuple[tuple[Any, Any], None]:
            unit, energy = state
            for_move, for_choice = jax.random.split(key)
            proposed = unit + (factor * jax.random.normal(for_move, unit.shape)).sum(axis=1)
            inside = jnp.all((proposed > 0) & (proposed < 1))
            candidate = cost(jnp.clip(proposed, 0.001, 0.999))
            accept = inside & (jnp.log(jax.random.uniform(for_choice)) < energy - candidate)
            moved = jnp.where(accept, proposed, unit), jnp.where(accept, candidate, energy)
            return moved, None

        start = jnp.full(21, 0.5)
        state, _ = jax.lax.scan(step, (start, cost(start)), jax.random.split(key, iterations))
        return state[1]

    of_site = jax.vmap(one, in_axes=(0, None, None, None, None, None))
    compiled = jax.jit(jax.vmap(of_site))
    return lambda keys: compiled(keys, *data)
