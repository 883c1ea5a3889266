"""One value per parameter: marginal modes, best fits, and the original's fitted modes.

A posterior mean is shrunk towards the middle of the prior; these are what else may stand for a
site. All values are positions in the prior range, 0 to 1.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from proda_lib.chains import Energy
from proda_lib.compiled import jax
from proda_lib.minimise import minimise
from proda_lib.moves import to_unit

import jax.numpy as jnp  # isort: skip

__all__ = ["ANNEALED", "best_fit", "gev_modes", "marginal_mode"]

FloatArray = NDArray[np.float64]

#: Temperature at which the original's formal run of 50,000 iterations ends; 1.
ANNEALED = float(1 / np.log(50_002))

#: Cells of the grid on which densities are estimated.
_CELLS = 512

_SITES = 16  # that are minimised side by side
_STARTS = 4  # of a site, and the middle of the prior
_COLUMNS = 256  # that are fitted side by side
_TRIES = 300  # of a search, and half of it of a fit


def marginal_mode(draws: ArrayLike) -> FloatArray:
    """Mode of each parameter's own distribution; 1.

    A Gaussian kernel estimate that is reflected at 0 and 1. Its width is the best one for the slope
    of a normal density, sd (4 / 5 / n)^(1/7) (Chacon, Duong & Wand 2011, Statistica Sinica 21,
    807-840). So that a second mode does not widen it, sd is the smaller of standard deviation and
    length of the shortest interval with half of the draws, over 1.349.

    Parameters
    ----------
    draws : array_like, shape (..., draw, d)
        In 0 to 1.

    Returns
    -------
    ndarray, shape (..., d)
        NaN where a draw is NaN.

    Examples
    --------
    >>> draws = np.random.default_rng(1).beta(5, 2, size=(20_000, 1))
    >>> marginal_mode(draws).round(1).tolist()
    [0.8]
    """
    draws = np.asarray(draws, dtype=float)
    *lead, n, d = draws.shape
    columns = np.ascontiguousarray(np.swapaxes(draws, -1, -2)).reshape(-1, n)
    usable = np.isfinite(columns).all(axis=1)
    modes = np.full(len(columns), np.nan)
    modes[usable] = _kernel_modes(columns[usable])
    return modes.reshape(*lead, d)


def _kernel_modes(columns: FloatArray) -> FloatArray:
    """Modes of rows (column, draw); reflection at both ends is what a cosine transform implies."""
    from scipy.fft import dct, idct

    rows, n = columns.shape
    cell = np.clip((columns * _CELLS).astype(int), 0, _CELLS - 1)
    cell += _CELLS * np.arange(rows)[:, None]
    counts = np.bincount(cell.ravel(), minlength=rows * _CELLS).reshape(rows, _CELLS)
    ordered = np.sort(columns, axis=1)
    half = (ordered[:, n // 2 :] - ordered[:, : n - n // 2]).min(axis=1)
    spread = np.minimum(columns.std(axis=1), half / 1.349)
    width = np.maximum(spread * (4 / 5 / n) ** (1 / 7), 1 / _CELLS)
    wave = np.exp(-((np.pi * np.arange(_CELLS) * width[:, None]) ** 2) / 2)
    density = idct(dct(counts.astype(float), axis=1) * wave, axis=1)
    top = np.argmax(density, axis=1) + _vertex(density)
    return np.clip(top, 0.5, _CELLS - 0.5) / _CELLS


def _vertex(density: FloatArray) -> FloatArray:
    """Place of the top within its cell, 0 to 1, by the parabola through it and its neighbours."""
    rows, top = np.arange(len(density)), np.argmax(density, axis=1)
    edged = np.pad(density, ((0, 0), (1, 1)), mode="edge")
    before, here, after = (edged[rows, top + step] for step in range(3))
    bend = before - 2 * here + after
    return 0.5 + np.where(bend < 0, (before - after) / (2 * np.where(bend < 0, bend, -1.0)), 0.0)


def best_fit(
    energy: Energy,
    data: Any,
    draws: ArrayLike,
    energies: ArrayLike,
    *,
    temperature: float = ANNEALED,
) -> tuple[FloatArray, FloatArray]:
    """Most probable point of the posterior cooled to a temperature; 1.

    The minimum of energy / temperature + z z / 2, where z are the coordinates in which the prior is
    standard normal. At temperature 1 it is the mode of the posterior in z; the colder, the less the
    prior counts. The original's chains end at `ANNEALED`, so their means tend to this point.

    Parameters
    ----------
    energy : callable
        (unit, data) of one site to a scalar that JAX can differentiate; the same object for the
        same target, see `proda_lib.cost.target`.
    data : pytree of arrays with leading axis site
    draws : array_like, shape (site, draw, d)
        Of the posterior. Searches start from the best of each quarter of them, and from the
        middle of the prior.
    energies : array_like, shape (site, draw)
        Of the draws.

    Returns
    -------
    unit : ndarray, shape (site, d)
        Depends on no other site.
    energy : ndarray, shape (site,)

    Examples
    --------
    >>> def energy(unit, data):
    ...     return ((unit - data) ** 2).sum() / 0.02
    >>> draws, energies = np.full((2, 8, 1), 0.4), np.array([[0.5] * 8, [4.5] * 8])
    >>> best_fit(energy, np.array([0.5, 0.7]), draws, energies)[0].round(2).tolist()
    [[0.5], [0.7]]
    """
    draws, energies = np.asarray(draws, dtype=float), np.asarray(energies, dtype=float)
    starts = _starts(draws, energies, temperature)
    found = []
    for first in range(0, len(starts), _SITES):
        # Always as many sites, repeated if need be, so that this is compiled once.
        rows = (first + np.arange(_SITES)) % len(starts)
        part = jax.tree.map(lambda leaf: np.asarray(leaf)[rows], data)  # noqa: B023
        batch = jax.device_get(_cooled(energy, starts[rows], part, temperature))
        found.append(jax.tree.map(lambda leaf: leaf[: len(starts) - first], batch))  # noqa: B023
    unit, value = (np.concatenate(each) for each in zip(*found, strict=True))
    return unit, value


def _starts(draws: FloatArray, energies: FloatArray, temperature: float) -> FloatArray:
    """Choose the starting points in z, (site, start, d)."""
    from scipy.special import ndtri

    position = ndtri(draws)
    value = energies / temperature + (position**2).sum(axis=-1) / 2
    groups = np.array_split(np.arange(draws.shape[1]), _STARTS)
    best = np.stack([group[np.argmin(value[:, group], axis=1)] for group in groups], axis=1)
    starts = np.take_along_axis(position, best[..., None], axis=1)
    return np.concatenate([starts, np.zeros((len(draws), 1, draws.shape[2]))], axis=1)


@partial(jax.jit, static_argnames=("energy",))
def _cooled(energy: Energy, starts: Any, data: Any, temperature: Any) -> Any:
    def site(starts: Any, data: Any) -> Any:
        def cooled(position: Any) -> Any:
            value = energy(to_unit(position), data)
            return value / temperature + (position**2).sum() / 2

        points, values = jax.vmap(lambda start: minimise(cooled, start, tries=_TRIES))(starts)
        unit = to_unit(points[jnp.argmin(values)])
        return unit, energy(unit, data)

    return jax.vmap(site)(starts, data)


def gev_modes(draws: ArrayLike) -> FloatArray:
    """Compute the original's "MLE" for many sites: modes of fitted extreme value distributions.

    The same as `proda_lib.published_result.gev_mode` for each site, much faster. The shape is kept
    above -1, where the likelihood has a maximum; where it would pass -1, the mode is near the
    largest draw.

    Parameters
    ----------
    draws : array_like, shape (n, draw, d)

    Returns
    -------
    ndarray, shape (n, d)
        NaN where a draw is NaN.

    Examples
    --------
    >>> from scipy.stats import genextreme
    >>> draws = genextreme(0.2, 0.4, 0.05).rvs((1, 3000, 1), random_state=1)
    >>> gev_modes(draws).round(2).tolist()
    [[0.41]]
    """
    draws = np.asarray(draws, dtype=float)
    n, count, d = draws.shape
    columns = np.ascontiguousarray(np.swapaxes(draws, 1, 2)).reshape(-1, count)
    centre, sd = columns.mean(axis=1, keepdims=True), columns.std(axis=1, keepdims=True)
    usable = np.isfinite(sd[:, 0]) & (sd[:, 0] > 0)
    white = (columns[usable] - centre[usable]) / sd[usable]
    modes = centre.copy()
    for first in range(0, len(white), _COLUMNS):
        rows = (first + np.arange(_COLUMNS)) % len(white)
        batch = np.asarray(_gev_modes(white[rows]))[: len(white) - first, None]
        some = np.flatnonzero(usable)[first : first + _COLUMNS]
        modes[some] += sd[some] * batch
    return modes.reshape(n, d)


@jax.jit
def _gev_modes(columns: Any) -> Any:
    """Modes of standardised columns (column, draw)."""

    def one(values: Any) -> Any:
        # The Gumbel distribution with the same mean and variance, which any draws may come from.
        start = jnp.array([0.0, -0.45, jnp.log(0.78)])
        point, _ = minimise(lambda point: _gev_misfit(point, values), start, tries=_TRIES // 2)
        shape, location, scale = _gev(point)
        safe = jnp.where(jnp.abs(shape) > 1e-8, shape, 1.0)
        lift = jnp.where(jnp.abs(shape) > 1e-8, ((1 + safe) ** -safe - 1) / safe, 0.0)
        return location + scale * lift

    return jax.vmap(one)(columns)


def _gev(point: Any) -> tuple[Any, Any, Any]:
    """Shape, above -1, location and scale."""
    return jnp.expm1(point[0]), point[1], jnp.exp(point[2])


def _gev_misfit(point: Any, values: Any) -> Any:
    """Minus the mean log density; infinite where a value is beyond the distribution's end."""
    shape, location, scale = _gev(point)
    z = (values - location) / scale
    inside = 1 + shape * z > 0
    small = jnp.abs(shape) < 1e-4
    safe = jnp.where(small, 1.0, shape)
    log = jnp.log1p(jnp.where(inside, safe * z, 0.0)) / safe
    series = z * (1 - shape * z * (1 / 2 - shape * z * (1 / 3 - shape * z / 4)))
    y = jnp.where(small, series, log)
    misfit = point[2] + ((1 + shape) * y + jnp.exp(-y)).mean()
    return jnp.where(inside.all(), misfit, jnp.inf)
