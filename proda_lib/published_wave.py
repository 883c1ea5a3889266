"""Attempts at chains of the published sampler, run side by side from start to end."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from proda_lib import published_chain as chain
from proda_lib.compiled import jax
from proda_lib.published_chain import Energy
from proda_lib.published_variants import Variant

__all__ = ["Attempt", "Ended", "SecondHalf", "run_wave"]

FloatArray = NDArray[np.float64]
Made = Callable[[int], None]

#: Lanes of the second compiled width: for chains that are redone and for the slowest of a wave.
FEW = 32


@dataclass(frozen=True)
class Attempt:
    """One attempt at one chain of one site.

    Attributes
    ----------
    site, number : int
        Row of the site, number of the chain.
    attempt : int
        How many attempts came before; chooses the random numbers.
    restarts : int
        How often its test run accepted too little.
    redos : int
        How often it was redone for its acceptance.
    scale : float
        Factor on the covariance of the formal steps, 1 at first.
    """

    site: int
    number: int
    attempt: int = 0
    restarts: int = 0
    redos: int = 0
    scale: float = 1.0

    def checked(self, variant: Variant) -> bool:
        """Tell whether its test run must accept enough."""
        return self.restarts <= variant.restarts

    def half_width(self, variant: Variant) -> float:
        """Largest step of its test run, in shares of the prior's range.

        Examples
        --------
        >>> from proda_lib.published_variants import CODE
        >>> [round(Attempt(0, 0, restarts=i).half_width(CODE), 4) for i in range(5)]
        [0.1, 0.0909, 0.0826, 0.0751, 0.1]
        """
        narrower = self.restarts if self.checked(variant) else 0
        return variant.half_width / variant.narrowing**narrower


@dataclass(frozen=True)
class Ended:
    """What a formal run leaves.

    Attributes
    ----------
    half : ndarray, shape (n, d)
        Second half of the accepted values, in the unit cube (single precision when stored).
    accepted, given_up : int
        Accepted values, and iterations without a proposal inside the bounds.
    acceptance : float
        Share of accepted iterations, as of the last acceptance.
    """

    half: FloatArray
    accepted: int
    given_up: int
    acceptance: float


class SecondHalf:
    """Accepted values of a chain in progress, as far as they can be in the second half of all.

    Value i can only be there while i >= n // 2 of the n so far, as n only grows: the rest is
    dropped block by block, so the second half is exact and little more than it is kept.

    Examples
    --------
    >>> half = SecondHalf()
    >>> for first in range(0, 9, 3):
    ...     half.add(np.arange(first, first + 3.0)[:, None])
    >>> half.values().ravel().tolist()
    [4.0, 5.0, 6.0, 7.0, 8.0]
    """

    def __init__(self) -> None:
        self._blocks: list[NDArray[Any]] = []
        self._dropped = self._count = 0

    def add(self, values: NDArray[Any]) -> None:
        """Add the accepted values (n, d) of a block, in order."""
        self._blocks.append(values)
        self._count += len(values)
        while self._dropped + len(self._blocks[0]) <= self._count // 2 and len(self._blocks) > 1:
            self._dropped += len(self._blocks.pop(0))

    def values(self) -> FloatArray:
        """Return the second half, the larger one of an odd number; shape (n - n // 2, d)."""
        values = np.concatenate(self._blocks)[self._count // 2 - self._dropped :]
        return values.astype(float)


def run_wave(
    energy: Energy,
    variant: Variant,
    attempts: Sequence[Attempt],
    data: Any,
    keys: tuple[Any, Any],
    dimension: int,
    lanes: int,
    made: Made,
) -> list[Ended | None]:
    """Run attempts to their end.

    Parameters
    ----------
    data : pytree
        NumPy arrays with leading axis site.
    keys : pair of Array of uint32, shape (attempt, 2)
        Of the test runs and of the formal runs.
    lanes : int
        Width that is compiled, at least the number of attempts.
    made : callable
        Told the number of iterations made, now and then.

    Returns
    -------
    list of Ended, or None where the test run accepted too little
    """
    few = min(FEW, lanes)
    rows = _padded(range(len(attempts)), few if len(attempts) <= few else lanes)
    site = np.array([attempt.site for attempt in attempts])[rows]
    data = jax.device_put(jax.tree.map(lambda array: array[site], data))
    width = np.array([attempt.half_width(variant) for attempt in attempts])
    test = chain.test_start(energy, dimension, keys[0][rows], width[rows], data)
    for _ in range(-(-variant.test // variant.block)):
        test = jax.block_until_ready(chain.test_block(energy, variant, test, data))
        made(len(attempts) * variant.block)
    accepted = np.asarray(test.accepted)
    lane = [
        i
        for i, attempt in enumerate(attempts)
        if accepted[i] >= variant.enough or not attempt.checked(variant)
    ]
    scale = np.array([attempt.scale for attempt in attempts])
    state = chain.formal_start(energy, variant, test, keys[1][rows], scale[rows], data)
    ended = _formal(energy, variant, state, data, lane, few, made)
    return [ended.get(i) for i in range(len(attempts))]


def _padded(rows: Sequence[int], width: int) -> NDArray[np.int_]:
    """Fill rows up to a width with the first."""
    return np.array([*rows, *[rows[0]] * (width - len(rows))])


def _formal(
    energy: Energy,
    variant: Variant,
    state: chain.FormalRun,
    data: Any,
    lane: Sequence[int],
    few: int,
    made: Made,
) -> dict[int, Ended]:
    """Run the formal runs of some lanes to their end; others idle."""
    halves = {i: SecondHalf() for i in lane}
    ended: dict[int, Ended] = {}
    row_of = {i: i for i in lane}
    state = _only(state, list(row_of.values()), variant)
    while row_of:
        before = np.asarray(state.iteration)
        state, unit, accepted = chain.formal_block(energy, variant, state, data)
        unit, accepted = np.asarray(unit), np.asarray(accepted)
        iteration = np.asarray(state.iteration)
        made(int((iteration - before).sum()))
        for i, row in list(row_of.items()):
            halves[i].add(unit[row, accepted[row]])
            if iteration[row] >= variant.formal:
                ended[i] = _end(halves.pop(i), state, row)
                del row_of[i]
        if few < len(iteration) and 0 < len(row_of) <= few:
            state, data = _gathered((state, data), _padded(list(row_of.values()), few))
            row_of = {i: row for row, i in enumerate(row_of)}
            state = _only(state, list(row_of.values()), variant)
    return ended


def _only(state: chain.FormalRun, rows: Sequence[int], variant: Variant) -> chain.FormalRun:
    """Let all lanes but these rows idle, as if they were at their end."""
    iteration = np.full(len(state.iteration), variant.formal)
    iteration[list(rows)] = np.asarray(state.iteration)[list(rows)]
    return state._replace(iteration=jax.device_put(iteration))


def _gathered(tree: Any, rows: NDArray[np.int_]) -> Any:
    return jax.tree.map(lambda array: jax.device_put(np.asarray(array)[rows]), tree)


def _end(half: SecondHalf, state: chain.FormalRun, row: int) -> Ended:
    return Ended(
        half=half.values(),
        accepted=int(state.accepted[row]),
        given_up=int(state.given_up[row]),
        acceptance=float(state.acceptance[row]),
    )
