"""One chain of the batch assimilation that samples the posterior itself, resumable.

The moves are those of the site-level sampler. During warm-up they are fitted to the chain's own
records after every block; then they are frozen. What a block does follows from the seed, the number
of the chain and the number of the block, so a chain that goes on from a checkpoint ends like one
that was never interrupted.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from proda_lib import chains, moves
from proda_lib.batch_search import Landscape, first_fit, later_fit, start
from proda_lib.batch_target import target
from proda_lib.chains import Energy, Sizes
from proda_lib.chunk import Options
from proda_lib.compiled import jax
from proda_lib.parts import Parts

__all__ = ["BLOCK", "Chain", "Checkpoint", "exact_chain", "run_exact"]

FloatArray = NDArray[np.float64]
Tell = Callable[[float], None]

#: Iterations of a block, and between two records of it.
BLOCK, _THIN = 500, 10

#: Seconds between two checkpoints: about what a kill loses.
_EVERY = 20.0

_SIZES = Sizes(chains=1, records=BLOCK // _THIN, thin=_THIN, starts=1, archive=0)


class Chain(NamedTuple):
    """Which chain a task runs; everything it needs can be sent to another process.

    Attributes
    ----------
    data : BatchData of ndarray
    options : Options
    number : int
    folder : Path or None
        Where its checkpoints are kept.
    key : str
        Names everything that the chain's result depends on.
    landscape : Landscape or None
        For the exact sampler.
    """

    data: Any
    options: Options
    number: int
    folder: Path | None
    key: str
    landscape: Landscape | None = None


class Checkpoint:
    """Arrays of an unfinished chain, kept on disk now and then; nothing without a folder.

    Parameters
    ----------
    chain : Chain

    Examples
    --------
    >>> Checkpoint(Chain(None, None, 0, None, "key")).load() is None
    True
    """

    def __init__(self, chain: Chain) -> None:
        self._parts, self._key = Parts(chain.folder), chain.key
        self._last = time.monotonic()

    def load(self) -> dict[str, NDArray[Any]] | None:
        """Return the arrays that were kept last, None if there are none."""
        part = self._parts.load(self._key)
        return None if part is None else {str(n): v.values for n, v in part.data_vars.items()}

    def save(self, arrays: Mapping[str, Any]) -> None:
        """Keep arrays in place of those kept before."""
        variables = {}
        for name, value in arrays.items():
            value = np.asarray(value)
            variables[name] = ([f"{name}_{axis}" for axis in range(value.ndim)], value)
        self._parts.save(self._key, xr.Dataset(variables))
        self._last = time.monotonic()

    def due(self) -> bool:
        """Tell whether it is time for the next one."""
        return time.monotonic() - self._last > _EVERY


def run_exact(chain: Chain, tell: Tell) -> dict[str, NDArray[Any]]:
    """Run a chain to its end, from its last checkpoint if there is one.

    Returns
    -------
    dict
        "unit" (record, d) and "cost" (record,) of the formal run, "acceptance" () of its
        iterations, "evaluations" () of the whole chain.
    """
    options, checkpoint = chain.options, Checkpoint(chain)
    energy = target(options.likelihood, options.box, configuration=options.configuration)
    assert chain.landscape is not None, "the exact sampler needs a landscape"
    lengths = (options.test, options.formal)
    run = partial(exact_chain, energy, chain.data, chain.landscape, chain.number, options.seed)
    found = run(*lengths, kept=checkpoint.load(), keep=checkpoint, tell=tell)
    return {
        "unit": np.asarray(moves.to_unit(found["position"])),
        "cost": found["energy"],
        "acceptance": found["counts"][0].sum() / max(found["counts"][1].sum(), 1),
        "evaluations": np.array(_blocks(options.test + options.formal) * BLOCK),
    }


def exact_chain(
    energy: Energy, data: Any, landscape: Landscape, number: int, seed: int, test: int, formal: int,
    *, kept: dict[str, Any] | None = None, keep: Checkpoint | None = None,
    tell: Tell = lambda share: None,
) -> dict[str, FloatArray]:  # fmt: skip
    """Run the blocks of one chain.

    Parameters
    ----------
    energy : callable
    data : pytree
    landscape : Landscape
    number, seed : int
        The chain's random numbers follow from both.
    test, formal : int
        Iterations of the warm-up and of what is kept, in whole blocks.
    kept : dict, optional
        What a checkpoint held.

    Returns
    -------
    dict
        "position" (record, d), "energy" (record,) of the formal run; "counts" (2, move).
    """
    warmup, blocks = _blocks(test), _blocks(test) + _blocks(formal)
    random = np.random.default_rng([seed, 2, number])
    first = first_fit(landscape, random)
    at = start(landscape, number, random)
    # One site, one chain: the compiled functions of the site level have axes for several.
    data = jax.device_put(jax.tree.map(lambda leaf: np.asarray(leaf)[None], data))
    key = jax.random.fold_in(jax.random.fold_in(jax.random.key(seed), 3), number)[None]
    state, done, now = _resumed(kept, energy, at, data)
    fit, size = first, _SIZES.records
    for block in range(len(done["energy"]) // size, blocks):
        if block and (block <= warmup or fit is first):
            records = done["position"][: size * min(block, warmup)]
            fit = later_fit(first, records[len(records) // 2 :]) if len(records) else first
        state, position, cost, counts = chains.block(
            energy, _SIZES, key, np.array([block]), state, _leading(fit), data
        )
        now = now + np.asarray(counts[0]) * (block >= warmup)
        done = {
            "position": np.concatenate([done["position"], np.asarray(position)[0, :, 0]]),
            "energy": np.concatenate([done["energy"], np.asarray(cost)[0, :, 0]]),
        }
        tell((block + 1) / blocks)
        if keep is not None and (keep.due() or block == blocks - 1):
            held = {"at": state.position, "at_energy": state.energy, "counts": now}
            keep.save(done | held)
    return {name: values[warmup * size :] for name, values in done.items()} | {"counts": now}


def _blocks(iterations: int) -> int:
    return -(-iterations // BLOCK)


def _leading(tree: Any) -> Any:
    return jax.tree.map(lambda leaf: np.asarray(leaf)[None], tree)


def _resumed(kept: dict[str, Any] | None, energy: Energy, at: FloatArray, data: Any) -> Any:
    """State, records and counts as a checkpoint has them, or those of a new chain."""
    if kept is not None:
        state = moves.State(kept["at"], kept["at_energy"])
        return state, {name: kept[name] for name in ("position", "energy")}, kept["counts"]
    value = _first_energy(energy, at, jax.tree.map(lambda leaf: leaf[0], data))
    state = moves.State(at[None, None], np.asarray(value)[None, None])
    records = {"position": np.empty((0, len(at))), "energy": np.empty(0)}
    return state, records, np.zeros((2, len(moves.MOVES)))


@partial(jax.jit, static_argnames=("energy",))
def _first_energy(energy: Energy, position: Any, data: Any) -> Any:
    return moves.evaluate(energy, position, data)
