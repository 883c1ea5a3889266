"""Where the cost of all profiles is lowest, and how it rises around there.

The sum of thousands of costs makes a posterior so narrow that chains from random starts would not
find it. Descents along the exact gradient do; normals fitted to the lowest points give the moves of
`proda_lib.moves` their first directions and scales. Coordinates are those of the moves, in which
the prior is a standard normal.
"""

from __future__ import annotations

from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from proda_lib import moves
from proda_lib.chains import Energy
from proda_lib.compiled import jax
from proda_lib.minimise import minimise

__all__ = ["Landscape", "first_fit", "later_fit", "search", "start"]

FloatArray = NDArray[np.float64]

_TRIES = 400  # evaluations of one descent, at most
_FLAT = 0.05  # slope at which it ends; the depth of the lowest points is known to about 0.01
_DEEP = 10.0  # points by so much higher than the lowest are given up
_STEP = 1e-4  # of the differences between gradients
_SOFTEST = 0.25  # smallest curvature; the prior alone has 1
_ARCHIVE = 1000  # points of the archive
_SHRINK = 50  # records that the normal of the search counts as


class Landscape(NamedTuple):
    """Low points of -log posterior, the lowest first.

    Attributes
    ----------
    position : ndarray, shape (point, d)
        Normal coordinates.
    depth : ndarray, shape (point,)
        -log posterior up to a constant; 1.
    factor : ndarray, shape (point, d, d)
        S of the normal N(position, S S') with the curvature there.
    """

    position: FloatArray
    depth: FloatArray
    factor: FloatArray


def _surface(energy: Energy, position: Any, data: Any) -> Any:
    return moves.evaluate(energy, position, data) + (position**2).sum() / 2


@partial(jax.jit, static_argnames=("energy",))
def _descend(energy: Energy, starts: Any, data: Any) -> Any:
    def one(start: Any) -> Any:
        surface = partial(_surface, energy, data=data)
        return minimise(surface, start, tries=_TRIES, slope=_FLAT)

    return jax.lax.map(one, starts)


@partial(jax.jit, static_argnames=("energy",))
def _slopes(energy: Energy, positions: Any, data: Any) -> Any:
    slope = jax.grad(partial(_surface, energy), argnums=0)
    return jax.lax.map(lambda position: slope(position, data), positions)


def search(energy: Energy, data: Any, dimensions: int, seed: int, starts: int = 12) -> Landscape:
    """Descend from the middle of the prior and from random points of it.

    Parameters
    ----------
    energy : callable
        (unit, data) to minus the log likelihood.
    data : pytree
    dimensions : int
        Number of parameters, d.
    seed : int
    starts : int
        Descents, each of some hundred gradients.

    Returns
    -------
    Landscape
        Points nearly as low as the lowest; the same one may occur more than once.

    Raises
    ------
    RuntimeError
        If the energy is finite at no start.

    Examples
    --------
    >>> def energy(unit, data):
    ...     return ((unit - data) ** 2).sum() / 0.02
    >>> found = search(energy, np.array(0.4), 2, seed=1, starts=2)
    >>> np.asarray(moves.to_unit(found.position[0])).round(1).tolist()
    [0.4, 0.4]
    """
    random = np.random.default_rng([seed, 1])
    first = random.normal(size=(starts, dimensions))
    first[0] = 0.0
    points, depth = map(np.asarray, _descend(energy, first, data))
    if not np.isfinite(depth).any():
        raise RuntimeError(f"the cost is finite at none of {starts} starts: check the observations")
    order = np.argsort(depth, kind="stable")
    kept = order[depth[order] <= depth[order[0]] + _DEEP]
    factors = np.array([_factor(energy, point, data) for point in points[kept]])
    return Landscape(points[kept], depth[kept], factors)


def _factor(energy: Energy, point: FloatArray, data: Any) -> FloatArray:
    """Inverse root of the curvature, from differences of exact gradients."""
    step = _STEP * np.eye(len(point))
    slopes = np.asarray(_slopes(energy, np.concatenate([point + step, point - step]), data))
    curvature = (slopes[: len(point)] - slopes[len(point) :]) / (2 * _STEP)
    values, vectors = np.linalg.eigh((curvature + curvature.T) / 2)
    return vectors / np.sqrt(np.maximum(values, _SOFTEST))


def start(landscape: Landscape, number: int, random: np.random.Generator) -> FloatArray:
    """Choose where chain `number` starts: at a low point of its own if there are enough of them.

    Twice as far from it as draws of its normal are.
    """
    point = number % len(landscape.depth)
    away = random.normal(size=landscape.position.shape[1])
    return landscape.position[point] + 2 * landscape.factor[point] @ away


def first_fit(landscape: Landscape, random: np.random.Generator) -> moves.Fit:
    """Fit the moves to the low points: normal of the lowest, archive of draws around all."""
    n, d = len(landscape.depth), landscape.position.shape[1]
    which = random.integers(n, size=_ARCHIVE)
    away = np.einsum("pij,pj->pi", landscape.factor[which], random.normal(size=(_ARCHIVE, d)))
    archive = landscape.position[which] + away
    factor = landscape.factor[0]
    spread = np.sqrt((factor**2).sum(axis=1))
    centre = landscape.position[0]
    return moves.Fit(archive, centre, factor, np.linalg.inv(factor), centre, spread)


def later_fit(fit: moves.Fit, records: FloatArray) -> moves.Fit:
    """Fit the moves to a chain's records (n, d); half of the archive stays as it was at first.

    Parameters
    ----------
    fit : Fit
        From `first_fit`.
    """
    n = len(records)
    centre = records.mean(axis=0)
    deviation = records - centre
    # Not a matrix product of BLAS, whose last digits depend on its threads.
    squares = np.einsum("ni,nj->ij", deviation, deviation)
    before = np.einsum("ik,jk->ij", fit.factor, fit.factor)
    factor = np.linalg.cholesky(1.15 * (squares + _SHRINK * before) / (n + _SHRINK))
    some = records[np.linspace(0, n - 1, _ARCHIVE // 2).round().astype(int)]
    spread = np.sqrt((factor**2).sum(axis=1))
    archive = np.concatenate([fit.archive[: _ARCHIVE // 2], some])
    median = np.median(records, axis=0)
    return moves.Fit(archive, centre, factor, np.linalg.inv(factor), median, spread)
