"""A minimiser that runs compiled and in parallel: BFGS with a backtracking line search."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from proda_lib.compiled import jax

import jax.numpy as jnp  # isort: skip

__all__ = ["minimise"]

_DECREASE = 1e-4  # share of the decrease that the slope promises (Armijo)
_SHORTEST = 1e-6  # step, in units of the direction, at which the direction is given up


class _Search(NamedTuple):
    """Where a search is, and which step it tries next."""

    point: Any
    value: Any
    slope: Any
    inverse: Any  # of the Hessian, as far as it is known
    direction: Any
    step: Any
    fresh: Any  # whether nothing is known of the Hessian
    tried: Any
    done: Any


def minimise(
    function: Callable[[Any], Any],
    start: Any,
    *,
    tries: int = 300,
    slope: float = 1e-4,
    radius: float = 1.0,
) -> tuple[Any, Any]:
    """Minimise a function from one start; to be compiled and mapped by the caller.

    A lane that has ended waits for the others unchanged, so that no result depends on them. Steps
    to where the function or its slope is not finite are refused.

    Parameters
    ----------
    function : callable
        Array of shape (d,) to a scalar.
    start : Array, shape (d,)
    tries : int
        Evaluations after which the search ends wherever it is.
    slope : float
        Largest component of the slope at which it ends.
    radius : float
        Longest step.

    Returns
    -------
    point : Array, shape (d,)
    value : Array, shape ()
        Never above that of the start; infinite if it or its slope is not finite there.

    Examples
    --------
    >>> point, value = minimise(lambda x: (x[0] - 3) ** 4 + (x[1] - x[0]) ** 2, jnp.zeros(2))
    >>> point.round(1).tolist(), bool(value < 1e-5)
    ([3.0, 3.0], True)
    """
    with_slope = jax.value_and_grad(function)

    def body(search: _Search) -> _Search:
        trial = search.point + search.step * search.direction
        return _decide(search, trial, *with_slope(trial), tries, slope, radius)

    # The first step has no length and brings value and slope, from which all else follows.
    nothing, zero = jnp.zeros_like(start), jnp.zeros(())
    first = _Search(
        start, zero + jnp.inf, nothing, jnp.eye(start.size), nothing, zero, zero == 0,
        jnp.zeros((), int), zero > 0,
    )  # fmt: skip
    found = jax.lax.while_loop(lambda search: ~search.done, body, first)
    return found.point, found.value


def _decide(
    old: _Search, trial: Any, value: Any, slope: Any, tries: int, least: float, radius: float
) -> _Search:
    """Take the trial or shorten the step, and give up a direction that leads nowhere."""
    promised = old.step * (old.slope @ old.direction)
    good = _usable(value, slope) & (value <= old.value + _DECREASE * promised)
    inverse, learnt = _update(old, trial - old.point, slope - old.slope)
    inverse = jnp.where(good, inverse, old.inverse)
    point, value_now, slope_now = (
        jnp.where(good, new, before)
        for new, before in ((trial, old.point), (value, old.value), (slope, old.slope))
    )
    shorter = old.step * _shortening(promised, value - old.value)
    stuck = ~good & (shorter < _SHORTEST)
    forget = stuck & ~old.fresh
    inverse = jnp.where(forget, jnp.eye(trial.size), inverse)
    ahead = _within(-_times(inverse, slope_now), radius)
    tried = old.tried + 1
    return _Search(
        point, value_now, slope_now, inverse,
        jnp.where(good | forget, ahead, old.direction),
        jnp.where(good | forget, 1.0, shorter),
        jnp.where(good, old.fresh & ~learnt, old.fresh | forget),
        tried,
        (jnp.abs(slope_now).max() < least) | (stuck & old.fresh) | (tried >= tries),
    )  # fmt: skip


def _usable(value: Any, slope: Any) -> Any:
    return jnp.isfinite(value) & jnp.isfinite(slope).all()


def _times(matrix: Any, vector: Any) -> Any:
    return (matrix * vector).sum(axis=-1)


def _within(direction: Any, radius: float) -> Any:
    length = jnp.sqrt((direction**2).sum())
    return direction * jnp.minimum(1.0, radius / jnp.where(length > 0, length, 1.0))


def _shortening(promised: Any, found: Any) -> Any:
    """Where the parabola through both ends is lowest, within 0.1 to 0.5 of the step."""
    share = -promised / (2 * (found - promised))
    return jnp.where(jnp.isfinite(share), jnp.clip(share, 0.1, 0.5), 0.1)


def _update(old: _Search, moved: Any, change: Any) -> tuple[Any, Any]:
    """BFGS, if the slope grew along the step; the first time the scale is taken from the step."""
    along, squared = (moved * change).sum(), (change**2).sum()
    learnt = along > 1e-10 * jnp.sqrt((moved**2).sum() * squared)
    along = jnp.where(learnt, along, 1.0)
    scale = along / jnp.where(squared > 0, squared, 1.0)
    inverse = jnp.where(old.fresh, scale * jnp.eye(moved.size), old.inverse)
    image = _times(inverse, change)
    outer = moved[:, None] * image
    factor = (1 + (change * image).sum() / along) / along
    updated = inverse + factor * moved[:, None] * moved - (outer + outer.T) / along
    return jnp.where(learnt, updated, old.inverse), learnt
