"""The engine: steady-state carbon of one site, compiled by JAX and batched over sites.

Functions here take one site's parameters and `Forcing` as JAX arrays, so that samplers and networks
can vmap, scan and differentiate them. For Datasets of sites use `proda_lib.steady_state`.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from proda_lib import column
from proda_lib.column import Local
from proda_lib.compiled import jax
from proda_lib.configurations import CLM5_20, Configuration
from proda_lib.depths import Reading, read
from proda_lib.equation import Terms, terms
from proda_lib.forcing import Forcing
from proda_lib.transport import DAYS_PER_YEAR

import jax.numpy as jnp  # isort: skip

__all__ = ["batch", "local", "pools", "response", "soil_carbon", "soil_carbon_at_depth"]


def pools(
    parameters: Any,
    forcing: Forcing,
    configuration: Configuration = CLM5_20,
    advection: Any = None,
) -> jax.Array:
    """Steady-state carbon of the seven pools of one site, gC m-3, shape (7, layers).

    Parameters
    ----------
    parameters : Array, shape (len(configuration.names),)
        Physical values.
    forcing : Forcing
        Of one site.
    advection : Array, shape (), optional
        Downward flow of carbon, m yr-1.
    """
    term = terms(parameters, forcing, configuration, advection)
    debris_loss = term.soil / (DAYS_PER_YEAR * term.value["taucwd"])
    return jnp.concatenate([(term.inputs[0] / debris_loss)[None], _mixed_pools(term)])


def response(term: Terms, sources: jax.Array, shift: jax.Array | None = None) -> jax.Array:
    """Solve (shift + V - A xi K) X = sources for all seven pools of one site, shape (7, layers).

    With the carbon input as sources and no shift this is the steady state (equation 37.2), with
    sources X_0 / dt + B u and a shift of 1 / dt the implicit Euler step of equation 37.1.

    Parameters
    ----------
    term : Terms
        Of one site.
    sources : Array, shape (7, layers)
        What enters each pool; not negative.
    shift : Array, shape (), optional
        Loss of all pools beside the model's own, day-1; none if not given.
    """
    rate = term.soil / (DAYS_PER_YEAR * term.value["taucwd"])
    debris = sources[0] / (rate if shift is None else rate + shift)
    into_litter = sources[1:4] + _from_debris(term)[:, None] * (rate * debris)
    rest = jnp.concatenate([into_litter, sources[4:]])
    return jnp.concatenate([debris[None], column.solve(local(term), term.exchange, rest, shift)])


def soil_carbon(
    parameters: Any,
    forcing: Forcing,
    configuration: Configuration = CLM5_20,
    advection: Any = None,
) -> jax.Array:
    """Steady-state soil organic carbon of one site, gC m-3, shape (layers,). As `pools`."""
    # Without woody debris: its derivatives overflow in deep soil and would spoil a gradient.
    return _mixed_pools(terms(parameters, forcing, configuration, advection))[3:].sum(axis=0)


def soil_carbon_at_depth(
    parameters: Any,
    forcing: Forcing,
    reading: Reading,
    configuration: Configuration = CLM5_20,
    advection: Any = None,
) -> jax.Array:
    """Steady-state soil organic carbon of one site where it is read, gC m-3, shape (observation,).

    Parameters
    ----------
    reading : Reading
        Of one site, from `proda_lib.depths.reading_of`.
    """
    return read(soil_carbon(parameters, forcing, configuration, advection), reading)


@partial(jax.jit, static_argnames=("function", "configuration"))
def batch(
    function: Any,
    parameters: jax.Array,
    forcing: Forcing,
    *more: Any,
    configuration: Configuration = CLM5_20,
    advection: Any = None,
) -> jax.Array:
    """Evaluate a function of this module for many sites at once, compiled.

    Parameters
    ----------
    function : callable
        For example `soil_carbon`.
    parameters : Array, shape (n, parameters)
    forcing, more : pytrees with leading axis n
    advection : Array, shape (), optional
    """

    def one(vector: Any, *rows: Any) -> jax.Array:
        return function(vector, *rows, configuration=configuration, advection=advection)

    return jax.vmap(one)(parameters, forcing, *more)


def _mixed_pools(term: Terms) -> jax.Array:
    """Steady state of litter and soil, gC m-3, shape (6, layers); debris passes its input on."""
    into_litter = term.inputs[1:] + _from_debris(term)[:, None] * term.inputs[0]
    return column.steady_state(local(term), term.exchange, into_litter)


def _from_debris(term: Terms) -> jax.Array:
    """Share of the debris' decomposition that each litter receives, shape (3,)."""
    share = term.value["fcwdl2"]
    return jnp.stack([jnp.zeros_like(share), share, 1 - share])


def local(term: Terms) -> Local:
    """Arrange decomposition and transfers of one site as `column` solves them."""
    value, zero = term.value, jnp.zeros_like(term.value["q10"])
    fast, slow, passive = (
        1 / (DAYS_PER_YEAR * value[name]) for name in ("tau4s1", "tau4s2", "tau4s3")
    )
    metabolic, other = (1 / (DAYS_PER_YEAR * value[name]) for name in ("taul1", "taul2"))
    return Local(
        litter=term.litter * jnp.stack([metabolic, other, other])[:, None],
        soil=term.soil,
        loss=[
            [fast, -value["fs2s1"] * slow, -value["fs3s1"] * passive],
            [-value["fs1s2"] * fast, slow, zero],
            [-value["fs1s3"] * fast, -value["fs2s3"] * slow, passive],
        ],
        to_soil=[
            [value["fl1s1"], value["fl2s1"], zero],
            [zero, zero, value["fl3s2"]],
            [zero, zero, zero],
        ],
    )
