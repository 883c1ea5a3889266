"""One chain of the batch assimilation with the original's sampler, resumable.

The chapter runs the sampler of the site level on the sum of all costs: annealed acceptance, a test
run of uniform steps, a formal run whose covariance is that of its records, acceptance control. The
sum is thousands of times steeper than the cost of one profile, so few of the test run's steps are
accepted; the covariance of the formal run has to narrow until they are.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from proda_lib import published_chain as steps
from proda_lib.batch_chain import Chain, Checkpoint, Tell
from proda_lib.batch_target import target
from proda_lib.chains import Energy
from proda_lib.compiled import jax
from proda_lib.published_sampler import next_attempt
from proda_lib.published_variants import Variant
from proda_lib.published_wave import Attempt, Ended

__all__ = ["run_published"]

FloatArray = NDArray[np.float64]

#: What of an attempt a checkpoint holds, and how its chain's state is marked there.
_ATTEMPT, _STATE = ("attempt", "restarts", "redos", "scale"), "state_"


def run_published(chain: Chain, tell: Tell) -> dict[str, NDArray[Any]]:
    """Run a chain to its end, from its last checkpoint if there is one.

    The repetitions that a site may have are shared among the chains. A chain whose acceptance stays
    outside the limits after the last one is kept all the same, with its acceptance: there is no
    other site to use in its place.

    Returns
    -------
    dict
        "unit" (n, d): second half of the accepted values; "accepted", "acceptance", "given_up",
        "restarts", "redos", "scale" as in `proda_lib.published_result.PublishedResult`;
        "evaluations" of all attempts.
    """
    options, checkpoint = chain.options, Checkpoint(chain)
    variant = options.published_variant()
    energy = target(options.likelihood, options.box, configuration=options.configuration)
    kept = checkpoint.load() or {}
    if "unit" in kept:
        return kept
    data = jax.device_put(jax.tree.map(lambda leaf: np.asarray(leaf)[None], chain.data))
    run = _Run(energy, variant, data, chain, checkpoint, tell, len(options.prior[1]))
    attempt = run.resume(kept)
    most = -(-variant.redos // variant.chains)
    while True:
        end = run.attempt(attempt)
        following = next_attempt(attempt, end, variant)
        if following is None or following.redos > most:
            assert end is not None, "an unchecked test run goes on"
            break
        attempt = following
    found = {
        "unit": end.half,
        "accepted": np.array(end.accepted),
        "acceptance": np.array(end.acceptance),
        "given_up": np.array(end.given_up),
        "evaluations": np.array(run.evaluations),
        **{name: np.array(getattr(attempt, name)) for name in _ATTEMPT},
    }
    checkpoint.save(found)
    return found


class _Run:
    """A chain's attempts, one after the other."""

    def __init__(
        self, energy: Energy, variant: Variant, data: Any, chain: Chain, checkpoint: Checkpoint,
        tell: Tell, dimension: int,
    ) -> None:  # fmt: skip
        self.energy, self.variant, self.data = energy, variant, data
        self.seed, self.number = chain.options.seed, chain.number
        self.checkpoint, self.tell, self.dimension = checkpoint, tell, dimension
        self.evaluations = 0
        self.values: list[NDArray[np.float32]] = [np.empty((0, dimension), np.float32)]
        self.state: Any = None

    def resume(self, kept: dict[str, Any]) -> Attempt:
        """Take up where a checkpoint was made, and return its attempt."""
        first = Attempt(0, self.number)
        if not kept:
            return first
        kind = steps.FormalRun if f"{_STATE}factor" in kept else steps.TestRun
        self.state = kind(**{name: kept[_STATE + name] for name in kind._fields})
        self.values, self.evaluations = [kept["values"]], int(kept["evaluations"])
        return replace(first, **{name: kept[name].item() for name in _ATTEMPT})

    def attempt(self, attempt: Attempt) -> Ended | None:
        """Run an attempt from the start or from where it was; None if its test run fails."""
        variant = self.variant
        test_key, formal_key = self._keys(attempt)
        if self.state is None:
            width = np.array([attempt.half_width(variant)])
            self.state = steps.test_start(self.energy, self.dimension, test_key, width, self.data)
        if isinstance(self.state, steps.TestRun):
            self._advance(attempt, variant.test, steps.test_block)
            if int(self.state.accepted[0]) < variant.enough and attempt.checked(variant):
                self.state = None
                return None
            self.state = steps.formal_start(
                self.energy, variant, self.state, formal_key, np.array([attempt.scale]), self.data
            )  # fmt: skip
        self._advance(attempt, variant.formal, steps.formal_block)
        state, self.state = self.state, None
        values = np.concatenate(self.values)
        self.values = [values[:0]]
        counts = int(state.accepted[0]), int(state.given_up[0]), float(state.acceptance[0])
        return Ended(values[len(values) // 2 :].astype(float), *counts)

    def _advance(self, attempt: Attempt, last: int, block: Any) -> None:
        """Run blocks up to an iteration, with a checkpoint now and then."""
        formal = block is steps.formal_block
        before, total = formal * self.variant.test, self.variant.test + self.variant.formal
        while (iteration := int(self.state.iteration[0])) < last:
            found = block(self.energy, self.variant, self.state, self.data)
            if formal:
                self.state, unit, accepted = found
                self.values.append(np.asarray(unit)[0, np.asarray(accepted)[0]])
            else:
                self.state = found
            now = int(self.state.iteration[0])
            self.evaluations += now - iteration
            self.tell(min(1.0, (before + now) / total))
            if self.checkpoint.due():
                self._keep(attempt)

    def _keep(self, attempt: Attempt) -> None:
        state = {_STATE + name: values for name, values in self.state._asdict().items()}
        names = {name: getattr(attempt, name) for name in _ATTEMPT}
        values = np.concatenate(self.values)
        self.checkpoint.save(state | names | {"values": values, "evaluations": self.evaluations})

    def _keys(self, attempt: Attempt) -> tuple[Any, Any]:
        key = jax.random.fold_in(jax.random.key(self.seed), 4)
        for number in (self.number, attempt.attempt):
            key = jax.random.fold_in(key, number)
        test, formal = jax.random.key_data(jax.random.split(key))
        return test[None], formal[None]
