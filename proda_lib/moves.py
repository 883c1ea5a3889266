"""Moves of the exact sampler: one step of one chain, in coordinates where the prior is normal.

With unit = Phi(z) a uniform prior on the open cube becomes z ~ N(0, I): no boundaries, no Jacobian.
Four kinds of move are mixed, all reversible with respect to the posterior while their `Fit`
stays as it is:

- "crank-nicolson": z' = m + sqrt(1 - b^2) (z - m) + b S normal keeps N(m, S S') exactly (Neal 1999;
  Cotter et al. 2013), so what is left of the acceptance ratio is posterior over N(m, S S');
- "differential": along the difference of two points of an archive, in a random subspace (DE-MC(Z)
  and DREAM: ter Braak & Vrugt 2008; Vrugt et al. 2009);
- "redraw": some parameters anew, from the prior or from a normal about their medians, which leads
  from mode to mode where few parameters tell them apart;
- "snooker": along the line through a point of the archive (ter Braak & Vrugt 2008).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from proda_lib.compiled import jax

import jax.numpy as jnp  # isort: skip
from jax.scipy.special import ndtr

__all__ = ["MOVES", "Fit", "State", "evaluate", "step", "to_unit"]

MOVES = ("crank-nicolson", "differential", "redraw", "snooker")

#: Upper ends of the shares of all moves but the last: 60, 25, 11 and 4 %.
_UPTO = (0.60, 0.85, 0.96)

_CROSSOVER = (1 / 3, 2 / 3, 1.0)  # shares of the dimensions that a differential move changes
_PERSISTENCE = (0.4, 0.7, 1.0)  # b of the Crank-Nicolson move; 1 forgets the current point
_LONG_JUMPS = 0.1  # share of differential moves with factor 1, which lead from mode to mode
_REDRAWN = (0.0, 0.1, 0.3)  # shares of the dimensions that a redraw changes, one apart
_NOISE = 1e-3  # added to differential moves, so that they reach every point


class Fit(NamedTuple):
    """What the moves of one site know of its posterior; fixed while they run.

    Attributes
    ----------
    archive : Array, shape (points, d)
        Points whose differences give directions.
    centre : Array, shape (d,)
    factor, inverse : Array, shape (d, d)
        S of the normal N(centre, S S'), and its inverse.
    median, spread : Array, shape (d,)
        Of the normals of single parameters.
    """

    archive: Any
    centre: Any
    factor: Any
    inverse: Any
    median: Any
    spread: Any


class State(NamedTuple):
    """Where one chain is: z, shape (d,), and its energy, shape ()."""

    position: Any
    energy: Any


def to_unit(position: Any) -> Any:
    """Map z to the open unit cube.

    Examples
    --------
    >>> to_unit(jnp.array([0.0])).tolist()
    [0.5]
    """
    # Rounding could reach 1 beyond z = 8.2, and energies are defined inside the cube only.
    return jnp.minimum(ndtr(position), 1 - 1e-16)


def evaluate(energy: Callable[[Any, Any], Any], position: Any, data: Any) -> Any:
    """Energy at z; infinite, which is never accepted, where the model gives no number."""
    value = energy(to_unit(position), data)
    return jnp.where(jnp.isnan(value), jnp.inf, value)


def step(
    energy: Callable[[Any, Any], Any], key: Any, state: State, fit: Fit, data: Any
) -> tuple[State, Any, Any]:
    """Move one chain once; a rejected proposal repeats the state.

    Returns
    -------
    state : State
    kind : Array of int, shape ()
        Which of `MOVES` was tried.
    accepted : Array of bool, shape ()
    """
    normal, number = _random(key, state.position.size)
    choice, accept, spare = number[0], number[1], number[2:]
    options = (
        _crank_nicolson(state.position, fit, normal, spare),
        _differential(state.position, fit, normal, spare),
        _redraw(state.position, fit, normal, spare),
        _snooker(state.position, fit, spare),
    )
    kind = (choice > jnp.asarray(_UPTO)).sum()
    proposed, log_ratio = (
        jnp.select([kind == number for number in range(len(MOVES))], each)
        for each in zip(*options, strict=True)
    )
    proposed_energy = evaluate(energy, proposed, data)
    gain = state.energy - proposed_energy + _log_prior(proposed) - _log_prior(state.position)
    accepted = jnp.log(accept) < gain + log_ratio
    return _keep(accepted, State(proposed, proposed_energy), state), kind, accepted


def _random(key: Any, dimensions: int) -> tuple[Any, Any]:
    """Numbers of one step: normal ones, and uniform ones of which each is used once per move."""
    for_normal, for_number = jax.random.split(key)
    normal = jax.random.normal(for_normal, (dimensions,))
    return normal, jax.random.uniform(for_number, (dimensions + 6,))


def _keep(accepted: Any, proposed: State, state: State) -> State:
    return jax.tree.map(lambda new, old: jnp.where(accepted, new, old), proposed, state)


def _log_prior(position: Any) -> Any:
    return -jnp.sum(position**2) / 2


def _times(matrix: Any, vector: Any) -> Any:
    return (matrix * vector).sum(axis=-1)


def _crank_nicolson(position: Any, fit: Fit, normal: Any, number: Any) -> tuple[Any, Any]:
    b = jnp.asarray(_PERSISTENCE)[(number[0] * len(_PERSISTENCE)).astype(int)]
    white = _times(fit.inverse, position - fit.centre)
    proposed = jnp.sqrt(1 - b**2) * white + b * normal
    return fit.centre + _times(fit.factor, proposed), _reference_ratio(white, proposed)


def _reference_ratio(white: Any, proposed: Any) -> Any:
    """Log of the normal that the move keeps, at the current over the proposed point."""
    return (jnp.sum(proposed**2) - jnp.sum(white**2)) / 2


def _differential(position: Any, fit: Fit, normal: Any, number: Any) -> tuple[Any, Any]:
    one, other = _two_of(fit.archive, number)
    share = jnp.asarray(_CROSSOVER)[(number[2] * len(_CROSSOVER)).astype(int)]
    long = number[3] < _LONG_JUMPS
    changed = (number[4:] < share) | long
    gamma = jnp.where(long, 1.0, 2.38 / jnp.sqrt(2 * jnp.maximum(changed.sum(), 1)))
    move = gamma * (one - other) + _NOISE * normal
    return position + jnp.where(changed, move, 0.0), jnp.zeros(())


def _redraw(position: Any, fit: Fit, normal: Any, number: Any) -> tuple[Any, Any]:
    d = position.size
    share = jnp.asarray(_REDRAWN)[(number[0] * len(_REDRAWN)).astype(int)]
    one = (number[1] * d).astype(int)
    changed = (number[2 : 2 + d] < share) | (jnp.arange(d) == one)
    fitted = fit.median + fit.spread * normal
    proposed = jnp.where(changed, jnp.where(number[2 + d] < 0.5, fitted, normal), position)
    return proposed, _redraw_ratio(fit, changed, position, proposed)


def _redraw_ratio(fit: Fit, changed: Any, position: Any, proposed: Any) -> Any:
    """Log of what redraws come from, at the current over the proposed point."""

    def log_density(position: Any) -> Any:
        white = (position - fit.median) / fit.spread
        prior = jnp.where(changed, position**2 / 2, 0.0).sum()
        fitted = jnp.where(changed, white**2 / 2 + jnp.log(fit.spread), 0.0).sum()
        return jnp.logaddexp(-prior, -fitted)

    return log_density(position) - log_density(proposed)


def _snooker(position: Any, fit: Fit, number: Any) -> tuple[Any, Any]:
    one, other = _two_of(fit.archive, number)
    through = fit.archive[(number[2] * len(fit.archive)).astype(int)]
    gamma = 1.2 + number[3]
    line = position - through
    length = jnp.sum(line**2)
    # A point on the archive's own point has no line and stays.
    along = jnp.sum((one - other) * line) / jnp.where(length > 0, length, 1.0)
    stretch = 1 + gamma * along
    return through + stretch * line, _stretch_ratio(stretch, position.size)


def _stretch_ratio(stretch: Any, dimensions: int) -> Any:
    """Log of |z' - c|^(d - 1) / |z - c|^(d - 1): a line holds less volume near its centre."""
    return (dimensions - 1) * jnp.log(jnp.abs(stretch))


def _two_of(archive: Any, number: Any) -> tuple[Any, Any]:
    """Two different points of the archive."""
    n = len(archive)
    one = (number[0] * n).astype(int)
    shift = 1 + (number[1] * (n - 1)).astype(int)
    return archive[one], archive[(one + shift) % n]
