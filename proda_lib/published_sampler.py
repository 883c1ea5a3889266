"""The sampler of the original PRODA, slips included, in two named variants.

It does not sample the posterior: acceptance is annealed, so that chains close in on the best fit;
only accepted values count; all chains start at one point, and the first cost of the formal run is
that of the starting point. `proda_lib.sampler` is the one to use; this one is to be compared with.

Chains of many sites run in lockstep, those that must be redone together afterwards. Deviations from
the original, each too small to show in a summary: the covariance is refreshed after 100 steps
instead of each, has a ridge of 1e-12, and stays as it was where it cannot be factorised (the
original starts again); redrawing ends after a number of tries instead of 60 seconds; a model
without solution costs 100 more than before in both runs; modelled SOC is averaged over 1,000
values of the second half instead of all. Where the original leaves it open: a chain is redone from
its test run on, with its own factor on the covariance.

Every chain's random numbers follow from the seed, its site's identity, its number and its attempt,
so results do not depend on what runs beside it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from proda_lib.compiled import jax
from proda_lib.published_chain import Energy
from proda_lib.published_result import ChainSummary, PublishedResult, collect, nothing, summarise
from proda_lib.published_variants import VARIANTS, Variant
from proda_lib.published_wave import Attempt, Ended, run_wave

__all__ = ["VARIANTS", "Variant", "run"]

Progress = Callable[[float], None]


def run(
    energy: Energy,
    predict: Energy,
    data: Any,
    observed: ArrayLike,
    identities: Sequence[int],
    variant: str | Variant = "code",
    *,
    seed: int,
    dimension: int = 21,
    layers: ArrayLike | None = None,
    lanes: int = 384,
    keep: int = 100,
    progress: Progress | None = None,
) -> PublishedResult:
    """Run the published sampler at sites and summarise its chains.

    Parameters
    ----------
    energy : callable
        (unit, data) of one site to the cost J, for example `proda_lib.cost.target("proda")`.
    predict : callable
        (unit, data) of one site to modelled SOC, gC m-3, shape (observation,).
    data : pytree
        Arrays with leading axis site. The weights are the caller's: `Variant.weights` names them.
    observed : array_like, shape (site, observation)
        SOC, gC m-3; NaN pads.
    identities : sequence of int, length site
        Number of each site, not negative, from which its random numbers follow.
    variant : {"code", "chapter"} or Variant
    seed : int
        Not negative.
    dimension : int
        Number of parameters.
    layers : array_like of int, shape (site,), optional
        Divisor of the original's RMSE: layers before any were left out. Default: those observed.
    lanes : int
        Chains in lockstep, at most.
    keep : int
        Values of each chain's second half that are returned, evenly spaced.
    progress : callable, optional
        Called with the share of the work that is done, 0 to 1.

    Returns
    -------
    PublishedResult
    """
    variant, observed = _variant(variant), np.asarray(observed, dtype=float)
    sites, names = len(observed), _distinct(identities, len(observed))
    data = jax.tree.map(np.asarray, data)
    count = _Count(progress, sites * variant.chains * (variant.test + variant.formal))
    waiting = deque(Attempt(site, i) for site in range(sites) for i in range(variant.chains))
    redos = np.zeros(sites, int)
    done: dict[tuple[int, int], ChainSummary] = {}
    while waiting:
        wave = [waiting.popleft() for _ in range(min(lanes, len(waiting)))]
        keys = _keys(seed, names, wave)
        ended = run_wave(energy, variant, wave, data, keys, dimension, lanes, count.made)
        for attempt, end in zip(wave, ended, strict=True):
            following = next_attempt(attempt, end, variant)
            if following is None:
                row = jax.tree.map(lambda array, site=attempt.site: array[site], data)
                done[attempt.site, attempt.number] = summarise(attempt, end, predict, row, keep)
                continue
            redos[attempt.site] += following.redos - attempt.redos
            waiting.append(following)
        waiting = deque(attempt for attempt in waiting if redos[attempt.site] <= variant.redos)
        count.expect(len(waiting) * (variant.test + variant.formal))
    layers = np.isfinite(observed).sum(axis=1) if layers is None else layers
    blank = nothing(dimension, keep, observed.shape[1])
    return collect(done, redos, observed, layers, names, variant, seed, blank)


def next_attempt(attempt: Attempt, end: Ended | None, variant: Variant) -> Attempt | None:
    """Return the attempt that must follow one that ended, None if the chain can be kept.

    Too few acceptances of the test run narrow its steps. Acceptance outside the
    variant's limits rescales the covariance by 0.7 or 2.

    Parameters
    ----------
    end : Ended or None
        None after a test run that accepted too little.

    Examples
    --------
    >>> end = Ended(np.zeros((10, 2)), accepted=20, given_up=0, acceptance=0.6)
    >>> next_attempt(Attempt(0, 0), end, VARIANTS["code"]).scale
    2.0
    """
    again = replace(attempt, attempt=attempt.attempt + 1)
    if end is None:
        return replace(again, restarts=attempt.restarts + 1)
    if variant.fewest <= end.acceptance <= variant.most:
        return None
    factor = 0.7 if end.acceptance < variant.fewest else 2.0
    return replace(again, restarts=0, redos=attempt.redos + 1, scale=attempt.scale * factor)


class _Count:
    """Iterations made, of those expected."""

    def __init__(self, progress: Progress | None, expected: int) -> None:
        self.progress, self.done, self.expected = progress, 0, expected

    def made(self, iterations: int) -> None:
        self.done += iterations
        if self.progress is not None:
            self.progress(min(1.0, self.done / self.expected))

    def expect(self, more: int) -> None:
        self.expected = self.done + more


def _keys(
    seed: int, identities: NDArray[np.int_], attempts: Sequence[Attempt]
) -> tuple[NDArray[np.uint32], NDArray[np.uint32]]:
    """Random keys of attempts for the test run and for the formal run, (attempt, 2) each."""
    numbers = np.array([(identities[a.site], a.number, a.attempt) for a in attempts])
    test, formal = np.asarray(_fold(seed, numbers)).swapaxes(0, 1)
    return test, formal


@jax.jit
def _fold(seed: Any, numbers: Any) -> Any:
    def one(row: Any) -> Any:
        key = jax.random.key(seed)
        for number in (row[0], row[1], row[2]):
            key = jax.random.fold_in(key, number)
        return jax.random.key_data(jax.random.split(key))

    return jax.vmap(one)(numbers)


def _distinct(identities: Sequence[int], sites: int) -> NDArray[np.int_]:
    names = np.asarray(identities)
    if names.shape != (sites,) or len(np.unique(names)) != sites:
        raise ValueError(
            f"identities: {len(names)} given, {len(np.unique(names))} of them different, for "
            f"{sites} sites: give each site a number of its own"
        )
    return names


def _variant(variant: str | Variant) -> Variant:
    if isinstance(variant, Variant):
        return variant
    if variant not in VARIANTS:
        raise ValueError(f"variant is {variant!r}, allowed are {', '.join(map(repr, VARIANTS))}")
    return VARIANTS[variant]
