"""Chains of many sites, compiled: their starts, and blocks of iterations with a fixed fit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from proda_lib import moves
from proda_lib.compiled import jax

import jax.numpy as jnp  # isort: skip

__all__ = ["Energy", "Settings", "Watch", "block", "fit", "no_fit", "observe", "start"]

FloatArray = NDArray[np.float64]

_LEAST = 0.01  # spread of a redraw

#: (unit, data) of one site to minus the log likelihood, up to a constant.
Energy = Callable[[Any, Any], Any]

#: (unit, data) of one site to further quantities, (k,).
Watch = Callable[[Any, Any], Any]


@dataclass(frozen=True)
class Settings:
    """How long chains run and when they stop; the defaults suit the 21 parameters of a site.

    Attributes
    ----------
    chains : int
        Per site, at least 2.
    block : int
        Iterations between two fits during warm-up.
    warmup : int
        Blocks of warm-up.
    check : int
        Kept blocks before the first check of convergence; the next ones follow after as many or,
        later, a quarter more of what was kept.
    most : int
        Kept blocks after which a site that has not converged is given up.
    thin : int
        Iterations between two records. Every state counts: a rejected proposal repeats its state.
    ess : float
        Bulk and tail effective sample size that every quantity must reach.
    rhat : float
        Rank-normalised R-hat that no quantity may exceed.
    starts : int
        Prior draws among which each chain chooses its start, by weights exp(-energy / 10).
    archive : int
        Points that give differential and snooker moves their directions.
    stored : int
        Draws per chain that are returned, evenly spaced over those kept.
    lanes : int
        Sites that run side by side, and an eighth of them once they take long. It changes results
        by rounding only; 1 is fastest for a single site.
    """

    chains: int = 8
    block: int = 500
    warmup: int = 12
    check: int = 4
    most: int = 128
    thin: int = 10
    ess: float = 400.0
    rhat: float = 1.01
    starts: int = 32
    archive: int = 1000
    stored: int = 200
    lanes: int = 32

    def __post_init__(self) -> None:
        records = self.block // self.thin * self.check
        for name, least in {"chains": 2, "warmup": 1, "check": 1, "archive": 3}.items():
            if getattr(self, name) < least:
                raise ValueError(f"{name} is {getattr(self, name)}, it must be at least {least}")
        if self.block % self.thin:
            raise ValueError(f"block is {self.block}: give a multiple of thin, {self.thin}")
        if self.most < self.check:
            raise ValueError(f"most is {self.most}, it must be at least check, {self.check}")
        if not 4 <= self.stored <= records:
            raise ValueError(f"stored is {self.stored}, allowed are 4 to {records} (one check)")

    @property
    def sizes(self) -> Sizes:
        """What has to be compiled anew when it changes."""
        return Sizes(self.chains, self.block // self.thin, self.thin, self.starts, self.archive)


class Sizes(NamedTuple):
    """Sizes of the compiled functions, see `Settings`; records per block."""

    chains: int
    records: int
    thin: int
    starts: int
    archive: int


def fit(records: FloatArray, points: int) -> moves.Fit:
    """Fit normal and archive to records (n, d): covariance shrunk by 50 records of 0.5 I, x 1.15.

    The wider normal covers the tails of a posterior that is not quite normal.
    """
    n, d = records.shape
    centre = records.mean(axis=0)
    deviation = records - centre
    # Not a matrix product of BLAS, whose last digits and time depend on its threads.
    squares = np.einsum("ni,nj->ij", deviation, deviation)
    covariance = (squares + 50 * 0.5 * np.eye(d)) / (n + 50)
    factor = np.linalg.cholesky(1.15 * covariance)
    archive = records[np.linspace(0, n - 1, points).round().astype(int)]
    median = np.median(records, axis=0)
    # As wide as the normal, were it one: a second mode does not count.
    spread = 1.483 * np.sqrt(1.15) * np.median(np.abs(records - median), axis=0)
    return moves.Fit(archive, centre, factor, np.linalg.inv(factor), median, spread + _LEAST)


def no_fit(archive: FloatArray) -> moves.Fit:
    """Fit of the prior, for the first block."""
    d = archive.shape[1]
    return moves.Fit(archive, np.zeros(d), np.eye(d), np.eye(d), np.zeros(d), np.ones(d))


@partial(jax.jit, static_argnames=("energy", "sizes", "d"))
def start(energy: Energy, sizes: Sizes, d: int, keys: Any, data: Any) -> Any:
    """Over-dispersed starts of all chains, and prior draws as the first archive."""

    def chain(key: Any, data: Any) -> moves.State:
        def better(best: Any, key: Any) -> tuple[Any, None]:
            for_position, for_choice = jax.random.split(key)
            position = jax.random.normal(for_position, (d,))
            value = moves.evaluate(energy, position, data)
            # The largest score among Gumbel numbers is a draw with weights exp(-energy / 10).
            score = jax.random.gumbel(for_choice) - value / 10
            chosen = (score, moves.State(position, value))
            return jax.tree.map(lambda a, b: jnp.where(score > best[0], a, b), chosen, best), None

        nothing = (-jnp.inf, moves.State(jnp.zeros(d), jnp.inf))
        (_, state), _ = jax.lax.scan(better, nothing, jax.random.split(key, sizes.starts))
        return state

    def site(key: Any, data: Any) -> tuple[moves.State, Any]:
        # Numbers of blocks are folded into the key too: these two are never reached by them.
        for_chains, for_archive = jax.random.fold_in(key, 2**31), jax.random.fold_in(key, 2**31 + 1)
        state = jax.vmap(chain, in_axes=(0, None))(jax.random.split(for_chains, sizes.chains), data)
        return state, jax.random.normal(for_archive, (sizes.archive, d))

    return jax.vmap(site)(keys, data)


@partial(jax.jit, static_argnames=("energy", "sizes"))
def block(
    energy: Energy, sizes: Sizes, keys: Any, done: Any, state: Any, fit: Any, data: Any
) -> Any:
    """Run a block of iterations; states, records and counts (accepted, tried; by kind) per site."""
    kinds = len(moves.MOVES)

    def site(key: Any, done: Any, state: Any, fit: Any, data: Any) -> Any:
        def iterate(carry: Any, key: Any) -> tuple[Any, None]:
            state, counts = carry
            move = partial(moves.step, energy)
            state, kind, accepted = jax.vmap(move, in_axes=(0, 0, None, None))(
                jax.random.split(key, sizes.chains), state, fit, data
            )
            tried = jax.nn.one_hot(kind, kinds)
            now = jnp.stack([(tried * accepted[:, None]).sum(axis=0), tried.sum(axis=0)])
            return (state, counts + now), None

        def record(carry: Any, keys: Any) -> tuple[Any, Any]:
            carry, _ = jax.lax.scan(iterate, carry, keys)
            return carry, (carry[0].position, carry[0].energy)

        keys = jax.random.split(jax.random.fold_in(key, done), (sizes.records, sizes.thin))
        (state, counts), records = jax.lax.scan(record, (state, jnp.zeros((2, kinds))), keys)
        return state, *records, counts

    return jax.vmap(site)(keys, done, state, fit, data)


@partial(jax.jit, static_argnames=("watch",))
def observe(watch: Watch | None, positions: Any, energies: Any, data: Any) -> Any:
    """Quantities of a block's records (site, record, chain): unit cube, energy, watched ones.

    Returns
    -------
    Array, shape (site, chain, record, d + 1 + k)
    """

    def record(found: Any) -> Any:
        positions, energies = found
        unit = moves.to_unit(positions)
        values = [unit, energies[..., None]]
        if watch is not None:
            values.append(jax.vmap(jax.vmap(watch, (0, None)))(unit, data))
        return jnp.concatenate(values, axis=-1)

    # One record after the other: all of them together would not stay in the processor's cache.
    found = jax.lax.map(record, (jnp.swapaxes(positions, 0, 1), jnp.swapaxes(energies, 0, 1)))
    return jnp.moveaxis(found, 0, 2)
