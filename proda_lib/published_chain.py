"""One chain of the published sampler, compiled and in lockstep over chains (after the original).

A test run with uniform steps, then a formal run whose normal steps follow the covariance of what
was recorded. `proda_lib.published_wave` runs chains to their end, `proda_lib.published_sampler`
judges them.

Proposals outside the bounds are redrawn. The uniform steps are independent, so redrawing them is
the same as drawing each inside its bounds at once. The normal steps of a lane are drawn `TRIES` at
a time and the first inside is taken; a lane without any waits where it is, its iteration counter
included, and tries again with the next step, up to `PATIENCE` times; then the iteration counts as a
rejection (the original gives up after 60 seconds).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

from proda_lib.compiled import jax
from proda_lib.published_variants import Variant

import jax.numpy as jnp  # isort: skip

__all__ = [
    "FormalRun",
    "TestRun",
    "formal_block",
    "formal_start",
    "numbers",
    "test_block",
    "test_start",
]

Energy = Callable[[Any, Any], Any]

#: Normal proposals drawn at a time, and how often this is repeated for one iteration.
TRIES = 8
PATIENCE = 500

#: Added to the variances so that the covariance of a few distinct values can be factorised, too:
#: steps of a millionth of the box.
_RIDGE = 1e-12


class TestRun(NamedTuple):
    """State of test runs; one row per lane.

    Attributes
    ----------
    key : Array of uint32, shape (lane, 2)
    half_width : Array, shape (lane,)
    unit : Array, shape (lane, d)
        Position in the unit cube.
    cost : Array, shape (lane,)
    iteration, accepted : Array of int, shape (lane,)
    total, products : Array, shape (lane, d), (lane, d, d)
        Sums over records of the distance from the start, and of its outer product with itself.
    """

    __test__ = False  # not a test of pytest

    key: Any
    half_width: Any
    unit: Any
    cost: Any
    iteration: Any
    accepted: Any
    total: Any
    products: Any


class FormalRun(NamedTuple):
    """State of formal runs; one row per lane, with `TestRun`'s attributes of the same name.

    Attributes
    ----------
    step : Array of int, shape (lane,)
        Steps so far: iterations, and unsuccessful redraws. Numbers the random draws.
    waited : Array of int, shape (lane,)
        Steps without a proposal inside the bounds, since the last iteration.
    given_up : Array of int, shape (lane,)
        Iterations without a proposal.
    acceptance : Array, shape (lane,)
        Share of accepted iterations, as of the last acceptance (sic).
    scale : Array, shape (lane,)
        Factor on the covariance of the records.
    factor : Array, shape (lane, d, d)
        Cholesky factor of the covariance of the steps.
    """

    key: Any
    unit: Any
    cost: Any
    iteration: Any
    accepted: Any
    total: Any
    products: Any
    step: Any
    waited: Any
    given_up: Any
    acceptance: Any
    scale: Any
    factor: Any


_START = 0.5


@partial(jax.jit, static_argnames=("energy", "dimension"))
def test_start(energy: Energy, dimension: int, key: Any, half_width: Any, data: Any) -> TestRun:
    """Start test runs in the middle of the cube; key (lane, 2), half_width (lane,)."""
    lanes = len(key)
    unit = jnp.full((lanes, dimension), _START, float)
    none = jnp.zeros(lanes, int)
    cost = jax.vmap(energy)(unit, data)
    sums = jnp.zeros((lanes, dimension)), jnp.zeros((lanes, dimension, dimension))
    return TestRun(key, half_width, unit, cost, none, none, *sums)


test_start.__test__ = False


@partial(jax.jit, static_argnames=("energy", "variant"))
def test_block(energy: Energy, variant: Variant, run: TestRun, data: Any) -> TestRun:
    """Advance test runs by a block of iterations, at most to their end."""

    def one(run: TestRun, data: Any) -> tuple[TestRun, tuple[Any, Any]]:
        goes_on = run.iteration < variant.test
        iteration = run.iteration + goes_on
        for_move, for_choice = _keys(run.key, iteration)
        low = jnp.maximum(run.unit - run.half_width, 0)
        high = jnp.minimum(run.unit + run.half_width, 1)
        proposed = low + (high - low) * _inside(for_move, run.unit.shape)
        cost = _usable(energy(proposed, data), run.cost)
        accept = goes_on & _accepts(cost - run.cost, iteration, for_choice)
        run = run._replace(
            unit=jnp.where(accept, proposed, run.unit),
            cost=jnp.where(accept, cost, run.cost),
            iteration=iteration,
            accepted=run.accepted + accept,
        )
        return run, (run.unit, goes_on)

    def step(run: TestRun, _: Any) -> tuple[TestRun, tuple[Any, Any]]:
        return jax.vmap(one)(run, data)

    run, records = jax.lax.scan(step, run, length=variant.block)
    return _recorded(run, *records)


test_block.__test__ = False


@partial(jax.jit, static_argnames=("energy", "variant"))
def formal_start(
    energy: Energy, variant: Variant, test: TestRun, key: Any, scale: Any, data: Any
) -> FormalRun:
    """Go on from the end of test runs, with the cost of the starting point (sic).

    `scale` (lane,) is the factor of redone chains, 1 at first.
    """
    lanes, dimension = test.unit.shape
    scale = scale * variant.scale / dimension
    none = jnp.zeros(lanes, int)
    return FormalRun(
        key=key,
        unit=test.unit,
        cost=jax.vmap(energy)(jnp.full_like(test.unit, _START), data),
        iteration=none,
        accepted=none,
        total=jnp.zeros_like(test.total),
        products=jnp.zeros_like(test.products),
        step=none,
        waited=none,
        given_up=none,
        acceptance=jnp.zeros(lanes),
        scale=scale,
        factor=_factor(test, scale, jnp.zeros_like(test.products)),
    )


@partial(jax.jit, static_argnames=("energy", "variant"))
def formal_block(
    energy: Energy, variant: Variant, run: FormalRun, data: Any
) -> tuple[FormalRun, Any, Any]:
    """Advance formal runs by a block of steps, at most to their end, and refresh the covariance.

    Returns
    -------
    run : FormalRun
    unit : Array of float32, shape (lane, step, d)
        Position after each step.
    accepted : Array of bool, shape (lane, step)
        Whether it was newly accepted.
    """

    def step(run: FormalRun, _: Any) -> tuple[FormalRun, tuple[Any, Any, Any]]:
        return jax.vmap(partial(_formal_step, energy, variant.formal))(run, data)

    run, (unit, counts, accepted) = jax.lax.scan(step, run, length=variant.block)
    run = _recorded(run, unit, counts)
    own = (run.iteration > variant.adapt_from)[:, None, None]
    run = run._replace(factor=jnp.where(own, _factor(run, run.scale, run.factor), run.factor))
    return run, unit.swapaxes(0, 1).astype(jnp.float32), accepted.T


def _formal_step(
    energy: Energy, last: int, run: FormalRun, data: Any
) -> tuple[FormalRun, tuple[Any, Any, Any]]:
    """One step of one lane: position, whether an iteration was made, whether it was accepted."""
    goes_on = run.iteration < last
    step = run.step + goes_on
    for_move, for_choice = _keys(run.key, step)
    # One column a candidate: this order of the axes halves the time.
    candidates = run.unit[:, None] + run.factor @ _normal(for_move, (run.unit.size, TRIES))
    inside = ((candidates > 0) & (candidates < 1)).all(axis=0)
    found = inside.any()
    proposed = jnp.where(found, candidates[:, jnp.argmax(inside)], run.unit)
    waited = run.waited + (goes_on & ~found)
    gives_up = waited >= PATIENCE
    counts = goes_on & (found | gives_up)
    iteration = run.iteration + counts
    cost = _usable(energy(proposed, data), run.cost)
    accept = counts & found & _accepts(cost - run.cost, iteration, for_choice)
    accepted = run.accepted + accept
    run = run._replace(
        unit=jnp.where(accept, proposed, run.unit),
        cost=jnp.where(accept, cost, run.cost),
        iteration=iteration,
        accepted=accepted,
        step=step,
        waited=jnp.where(counts, 0, waited),
        given_up=run.given_up + gives_up,
        acceptance=jnp.where(accept, accepted / jnp.maximum(iteration, 1), run.acceptance),
    )
    return run, (run.unit, counts, accept)


def numbers(key: Any, step: Any, shape: tuple[int, ...], kind: str) -> tuple[Any, Any]:
    """Random numbers of one step of one lane, for tests: of its move and of its choice.

    Parameters
    ----------
    key : Array of uint32, shape (2,)
    kind : {"test", "formal"}
        Uniform numbers of shape (d,), or normal ones of shape (d, TRIES).
    """
    for_move, for_choice = _keys(key, step)
    draw = _inside if kind == "test" else _normal
    return draw(for_move, shape), jax.random.uniform(for_choice)


def _keys(key: Any, step: Any) -> Any:
    return jax.random.split(jax.random.fold_in(jax.random.wrap_key_data(key), step))


def _inside(key: Any, shape: tuple[int, ...]) -> Any:
    """Uniform numbers in the open interval, in steps of 2^-23, which cost half."""
    return jax.random.uniform(key, shape, jnp.float32).astype(float) + 2.0**-24


def _normal(key: Any, shape: tuple[int, ...]) -> Any:
    return jax.random.normal(key, shape, jnp.float32).astype(float)


def _usable(cost: Any, old: Any) -> Any:
    """Cost of a model that cannot be solved: 100 more than the old one."""
    return jnp.where(jnp.isfinite(cost), cost, old + 100)


def _accepts(difference: Any, iteration: Any, key: Any) -> Any:
    """Annealed acceptance: exp(-(Jnew - Jold) ln(simu + 2)) > U."""
    return jnp.exp(-difference * jnp.log(iteration + 2.0)) > jax.random.uniform(key)


def _recorded(run: Any, unit: Any, counts: Any) -> Any:
    """Add records (step, lane, d) that count (step, lane) to the sums of the lanes."""
    away = jnp.where(counts[..., None], unit - _START, 0).swapaxes(0, 1)
    products = run.products + jnp.einsum("lsi,lsj->lij", away, away)
    return run._replace(total=run.total + away.sum(axis=1), products=products)


def _factor(run: Any, scale: Any, otherwise: Any) -> Any:
    """Cholesky factor of scale times the covariance of the records, (lane, d, d)."""
    n = jnp.maximum(run.iteration, 2)[:, None, None]
    mean = run.total[:, :, None] / n
    covariance = (run.products - n * mean * mean.swapaxes(1, 2)) / (n - 1)
    ridge = _RIDGE * jnp.eye(run.total.shape[1])
    factor = jnp.linalg.cholesky(scale[:, None, None] * covariance + ridge)
    return jnp.where(jnp.isfinite(factor).all(axis=(1, 2), keepdims=True), factor, otherwise)
