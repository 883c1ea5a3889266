"""One soil column's linear system: the engine, written for one site in JAX and batched with vmap.

Woody debris is not mixed and follows layer by layer. The six other pools solve the linear system
of equation 37.2 in sweeps through depth: down and up for the litters (tridiagonal), up and down for
the soil (3 x 3 blocks). Elimination carries what a layer *loses* instead of its diagonal
(Grassmann, Taksar & Heyman 1985), so nothing is subtracted and deep, hardly decaying soil keeps
its digits. Derivatives come from the same system, transposed (`jax.lax.custom_linear_solve`).

A shift adds the same loss to all pools. The column with a shift of one over a time step is that
step of an implicit scheme; carbon ages and transit times come from the same solves.
"""

from __future__ import annotations

from typing import NamedTuple

from proda_lib.compiled import jax
from proda_lib.transport import Exchange

import jax.numpy as jnp  # isort: skip
from jax import Array, lax  # isort: skip

__all__ = ["Local", "solve", "steady_state"]

#: A 3 x 3 matrix or a vector of soil pools, as nested lists: arithmetic on whole batches at once.
Block = list[list[Array]]
Pools = list[Array]


class Local(NamedTuple):
    """What happens inside a layer.

    Attributes
    ----------
    litter : Array, shape (3, layers)
        Decomposition rates of the litters, day-1.
    soil : Array, shape (layers,)
        Environmental modifier of the soil pools, 1.
    loss : Block of Array, shape () or (layers,)
        Loss matrix of the soil pools at modifier 1, day-1: decomposition on the diagonal, minus
        what each donor (column) passes to each receiver (row) beside it.
    to_soil : Block of Array, shape ()
        Fraction of each litter's (column) decomposition that each soil pool (row) receives, 1.
    """

    litter: Array
    soil: Array
    loss: Block
    to_soil: Block


def steady_state(local: Local, exchange: Exchange, inputs: Array) -> Array:
    """Solve for the carbon of the three litters and three soil pools (equation 37.2).

    Parameters
    ----------
    local : Local
    exchange : Exchange
    inputs : Array, shape (3, layers)
        Carbon entering the litters, gC m-3 day-1, that from woody debris included.

    Returns
    -------
    Array, shape (6, layers)
        gC m-3.
    """
    return solve(local, exchange, jnp.concatenate([inputs, jnp.zeros_like(inputs)]))


def solve(local: Local, exchange: Exchange, sources: Array, shift: Array | None = None) -> Array:
    """Solve (shift + V - A xi K) X = sources for the litters and soil pools.

    Parameters
    ----------
    local : Local
    exchange : Exchange
    sources : Array, shape (6, layers)
        What enters each pool, for example gC m-3 day-1; not negative.
    shift : Array, shape (), optional
        Loss of all pools beside the model's own, day-1, not negative; none if not given.

    Returns
    -------
    Array, shape (6, layers)
        Unit of the sources times day.
    """
    backwards = _backwards(exchange)
    passed_back = _transposed(local.to_soil)
    rates = local.litter if shift is None else local.litter + shift

    def change(state: Array) -> Array:
        """Return what a state loses per day: the system's left-hand side."""
        litter, soil = state[:3], list(state[3:])
        gained = _times(local.to_soil, list(local.litter * litter))
        lost = [local.soil * value for value in _times(local.loss, soil)]
        inside = [*(local.litter * litter), *(o - i for o, i in zip(lost, gained, strict=True))]
        left = jnp.stack(inside) + _mixed(exchange, state)
        return left if shift is None else left + shift * state

    def forwards(_: object, source: Array) -> Array:
        litter = _solve_litter(rates, exchange, source[:3])
        gained = jnp.stack(_times(local.to_soil, list(local.litter * litter)))
        soil = _solve_soil(local.loss, local.soil, exchange, source[3:] + gained, shift)
        return jnp.concatenate([litter, soil])

    def transposed(_: object, source: Array) -> Array:
        loss = _transposed(local.loss)
        soil = _solve_soil(loss, local.soil, backwards, source[3:], shift)
        gained = local.litter * jnp.stack(_times(passed_back, list(soil)))
        return jnp.concatenate([_solve_litter(rates, backwards, source[:3] + gained), soil])

    return lax.custom_linear_solve(change, sources, forwards, transposed)


def _backwards(exchange: Exchange) -> Exchange:
    """Return the exchange of the transposed system."""
    none = jnp.zeros_like(exchange.up[:1])
    above = jnp.concatenate([none, exchange.below[:-1]])
    below = jnp.concatenate([exchange.above[1:], none])
    return exchange._replace(above=above, below=below)


def _mixed(exchange: Exchange, state: Array) -> Array:
    """Return what mixing takes from every layer, V X; shape (pools, layers)."""
    nothing = jnp.zeros_like(state[:, :1])
    over = jnp.concatenate([nothing, state[:, :-1]], axis=1)
    under = jnp.concatenate([state[:, 1:], nothing], axis=1)
    return (exchange.up + exchange.down) * state - exchange.above * over - exchange.below * under


def _solve_litter(rates: Array, exchange: Exchange, source: Array) -> Array:
    """Solve the tridiagonal systems of the litters, down and back up; shape (3, layers).

    e = k + up h, w = 1 / (e + down), h = e w is the share of what enters from below that the layer
    and all above it keep; then x = (q + below x_under) w from the base up.
    """
    none = jnp.zeros_like(source[:, 0])

    def down(carry: tuple[Array, Array], layer: tuple[Array, ...]):
        kept, passed = carry
        rate, gained, to_up, to_down, from_above = layer
        loss = rate + to_up * kept
        weight = 1 / (loss + to_down)
        collected = gained + from_above * passed
        return (loss * weight, collected * weight), (weight, collected)

    def up(under: Array, layer: tuple[Array, ...]):
        weight, collected, from_below = layer
        state = (collected + from_below * under) * weight
        return state, state

    layers = (rates.T, source.T, exchange.up, exchange.down, exchange.above)
    _, (weight, collected) = lax.scan(down, (none, none), layers)
    _, state = lax.scan(up, none, (weight, collected, exchange.below), reverse=True)
    return state.T


def _solve_soil(
    loss: Block, modifier: Array, exchange: Exchange, source: Array, shift: Array | None
) -> Array:
    """Solve the block tridiagonal system of the soil pools, up and back down; shape (3, layers).

    E = S + down R, D = E + up I, R = E D^-1 from the base up, where S is the layer's own loss
    matrix and the shift; then x = D^-1 (q + above x_over) from the surface down.
    """
    zero = jnp.zeros_like(source[0, 0])
    layered = any(jnp.ndim(value) > 0 for value in jax.tree.leaves(loss))
    per_layer = jax.tree.map(lambda x: jnp.broadcast_to(x, modifier.shape), loss) if layered else ()

    def up(carry: tuple[Block, Pools], layer: tuple):
        kept, passed = carry
        scale, gained, to_up, to_down, from_below, own = layer
        own = own or loss
        lost = [[scale * own[i][j] + to_down * kept[i][j] for j in range(3)] for i in range(3)]
        if shift is not None:
            lost = [
                [lost[i][j] + shift if i == j else lost[i][j] for j in range(3)] for i in range(3)
            ]
        total = [[lost[i][j] + to_up if i == j else lost[i][j] for j in range(3)] for i in range(3)]
        inverse = _inverse(total)
        collected = _times(inverse, [gained[i] + from_below * passed[i] for i in range(3)])
        return (_product(lost, inverse), collected), (inverse, collected)

    def down(over: Pools, layer: tuple):
        inverse, collected, from_above = layer
        brought = _times(inverse, over)
        state = [collected[i] + from_above * brought[i] for i in range(3)]
        return state, state

    layers = (modifier, list(source), exchange.up, exchange.down, exchange.below, per_layer)
    start = ([[zero] * 3 for _ in range(3)], [zero] * 3)
    _, stored = lax.scan(up, start, layers, reverse=True)
    _, state = lax.scan(down, [zero] * 3, (*stored, exchange.above))
    return jnp.stack(state)


def _times(matrix: Block, vector: Pools) -> Pools:
    return [sum(a * x for a, x in zip(row, vector, strict=True)) for row in matrix]


def _product(left: Block, right: Block) -> Block:
    return _transposed([_times(left, column) for column in _transposed(right)])


def _transposed(matrix: Block) -> Block:
    return [list(column) for column in zip(*matrix, strict=True)]


def _inverse(matrix: Block) -> Block:
    """Inverse of a 3 x 3 matrix by cofactors, scaled so that their products do not underflow."""
    scale = matrix[0][0]
    (a, b, c), (d, e, f), (g, h, i) = [[value / scale for value in row] for row in matrix]
    cofactors = [
        [e * i - f * h, c * h - b * i, b * f - c * e],
        [f * g - d * i, a * i - c * g, c * d - a * f],
        [d * h - e * g, b * g - a * h, a * e - b * d],
    ]
    determinant = scale * (a * cofactors[0][0] + b * cofactors[1][0] + c * cofactors[2][0])
    return [[value / determinant for value in row] for row in cofactors]
