"""Distributions of ages and transit times, by numerical inversion of their Laplace transforms.

A solve of the column with a shift is a value of a Laplace transform: (lambda + L)^-1 u is that of
exp(-t L) u, the part of an input u that is left after t. Gaver and Stehfest's formula
(Stehfest 1970) inverts it from real shifts, as the engine takes them, without a matrix that is
written out. Transforms of mixed exponential decay, as here, suit it: errors are about 1e-5.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from math import factorial
from typing import Any, Literal

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from proda_lib import site_draws
from proda_lib.compiled import jax
from proda_lib.configurations import CLM5_20, Configuration
from proda_lib.engine import response
from proda_lib.equation import terms
from proda_lib.forcing import Forcing, row_dimension
from proda_lib.nearest import check_allowed
from proda_lib.transport import DAYS_PER_YEAR, Bedrock
from proda_lib.turnover import sources_of

import jax.numpy as jnp  # isort: skip

__all__ = ["KINDS", "inverted", "quantile", "stehfest_weights", "survival"]

FloatArray = NDArray[np.float64]
Kind = Literal["transit", "soil", "system"]

#: What can be asked for, and what its survival function is the share of.
KINDS: dict[str, str] = {
    "transit": "share of the input that is still there after a time",
    "soil": "share of the soil organic carbon that is older than a time",
    "system": "share of all carbon that is older than a time",
}

#: Terms of the inversion: more cancel more digits than they gain.
TERMS = 14

#: Times per compiled call.
_BLOCK = 16

#: Where quantiles are looked for, yr.
_SHORTEST, _LONGEST = 1e-4, 1e9


def stehfest_weights(count: int = TERMS) -> FloatArray:
    """Weights of Stehfest's formula, f(t) = ln2/t sum_k w_k F(k ln2/t), shape (count,).

    Parameters
    ----------
    count : int
        Even, 2 to 18.

    Examples
    --------
    >>> stehfest_weights(4).tolist()
    [-2.0, 26.0, -48.0, 24.0]
    """
    if count not in range(2, 19, 2):
        raise ValueError(f"count is {count}: give an even number from 2 to 18")
    half, weights = count // 2, []
    for k in range(1, count + 1):
        total = 0.0
        for j in range((k + 1) // 2, min(k, half) + 1):
            below = factorial(half - j) * factorial(j) * factorial(j - 1)
            below *= factorial(k - j) * factorial(2 * j - k)
            total += j**half * factorial(2 * j) / below
        weights.append((-1) ** (k + half) * total)
    return np.array(weights)


def inverted(transform: Callable[[Any], Any], time: Any, count: int = TERMS) -> Any:
    """Invert a Laplace transform at one time, by Stehfest's formula; NumPy or JAX.

    Parameters
    ----------
    transform : callable
        F(lambda) = integral of exp(-lambda t) f(t), for an array of shifts (count,); gives an array
        (count, ...).
    time : float
        Greater than 0; unit one over that of the shifts.
    count : int
        See `stehfest_weights`.

    Returns
    -------
    array, shape (...)

    Examples
    --------
    >>> round(float(inverted(lambda shift: 1 / (shift + 1), 1.0)), 5)  # exp(-1)
    0.36788
    """
    step = np.log(2) / time
    values = transform(step * np.arange(1, count + 1))
    weights = stehfest_weights(count).reshape(-1, *(1,) * (values.ndim - 1))
    return step * (weights * values).sum(axis=0)


def _of_site(
    parameters: Any, forcing: Forcing, configuration: Configuration, time: Any
) -> dict[str, Any]:
    """Survival functions of one site at times (time,) in years."""
    term = terms(parameters, forcing, configuration)
    sources, thickness = sources_of(term), configuration.grid.thickness
    carbon = response(term, sources)

    def masses(shift: Any) -> Any:
        """Input in all pools, carbon in all pools and in those of soil, transformed."""
        entered, there = jax.vmap(lambda source: response(term, source, shift))(
            jnp.stack([sources, carbon])
        )
        parts = (entered, there, there[4:])
        return jnp.stack([(part * thickness).sum() for part in parts])

    def left(days: Any) -> Any:
        return inverted(partial(jax.lax.map, masses), days)

    wholes = jnp.stack([(one * thickness).sum() for one in (sources, carbon, carbon[4:])])
    shares = jax.lax.map(left, time * DAYS_PER_YEAR) / wholes
    names: tuple[Kind, ...] = ("transit", "system", "soil")
    return {name: shares[:, i] for i, name in enumerate(names)}


def survival(
    parameters: ArrayLike,
    sites: xr.Dataset,
    time: ArrayLike,
    *,
    configuration: str | Configuration = CLM5_20,
    bedrock: Bedrock = "closed",
) -> xr.Dataset:
    """Survival functions of transit times and ages at steady state.

    With m the thickness of layers, L the loss of the linear system and X its steady state: of the
    input m exp(-t L) u / m u is left after t; of the carbon m exp(-t L) X / m X is older than t,
    m over all pools or over those of the soil. The latter is also how far soil that begins bare is
    from its steady state after t.

    Parameters
    ----------
    parameters : array_like, shape (21,) or (n, 21)
        Physical values.
    sites : Dataset
        n rows.
    time : array_like, shape (time,)
        yr, greater than 0.
    configuration, bedrock : str
        As in `proda_lib.steady_state.pools`.

    Returns
    -------
    Dataset
        `KINDS` by (row, time), from 1 to 0, kept there where the inversion passes them by its
        error.

    Raises
    ------
    ValueError
        If a time is not positive or parameters do not fit.

    Examples
    --------
    >>> from proda_lib import studies
    >>> site = studies.load("twin", "smoke").sites.isel(site=slice(1))
    >>> found = survival(CLM5_20.default, site, [1.0, 100.0])
    >>> bool((found.transit[0, 0] > found.transit[0, 1]).item())
    True
    """
    time = np.asarray(time, dtype=float)
    if time.ndim != 1 or not (time > 0).all():
        raise ValueError("time must be a list of years greater than 0")
    prepared, values = _ready(parameters, sites, configuration, bedrock)
    found = _at(values, prepared, np.repeat(time[None], prepared.rows, axis=0))
    row = row_dimension(sites)
    variables = {
        name: ((row, "time"), found[name], {"units": "1", "long_name": text})
        for name, text in KINDS.items()
    }
    coords = site_draws.coordinates_of(sites) | {"time": ("time", time, {"units": "yr"})}
    return xr.Dataset(variables, coords)


def quantile(
    parameters: ArrayLike,
    sites: xr.Dataset,
    kind: Kind,
    level: float = 0.5,
    *,
    configuration: str | Configuration = CLM5_20,
    bedrock: Bedrock = "closed",
) -> FloatArray:
    """Time that a share of transit times or ages does not exceed, yr, shape (n,).

    The median at level 0.5. At level 0.99 of "soil" it is also the time until soil that begins bare
    holds 99 % of its steady state. Found on the survival function by nested search to 1e-4 of
    itself; arguments as in `survival`.

    Parameters
    ----------
    kind : str
        A key of `KINDS`.
    level : float
        0.001 to 0.999; closer to the ends the error of the inversion counts.

    Examples
    --------
    >>> from proda_lib import studies
    >>> site = studies.load("twin", "smoke").sites.isel(site=slice(1))
    >>> median = {kind: quantile(CLM5_20.default, site, kind)[0] for kind in KINDS}
    >>> bool(median["transit"] < median["soil"])
    True
    """
    check_allowed("kind", kind, tuple(KINDS))
    if not 0.001 <= level <= 0.999:
        raise ValueError(f"level is {level:g}: give a share from 0.001 to 0.999")
    prepared, values = _ready(parameters, sites, configuration, bedrock)
    left, inside = 1 - level, np.linspace(0, 1, _BLOCK)
    low = np.full(prepared.rows, np.log(_SHORTEST))
    width = np.log(_LONGEST) - low
    while width[0] > 1e-3:
        shares = _at(values, prepared, np.exp(low[:, None] + width[:, None] * inside))[kind]
        # The last time before the share falls below; the search stays inside its bracket.
        before = np.clip((shares > left).sum(axis=1) - 1, 0, _BLOCK - 2)
        low, width = low + width * inside[before], width / (_BLOCK - 1)
    rows = np.arange(len(low))
    upper = shares[rows, before], shares[rows, before + 1]
    part = np.clip((upper[0] - left) / np.maximum(upper[0] - upper[1], 1e-300), 0, 1)
    return np.exp(low + part * width)


def _ready(parameters: ArrayLike, sites: xr.Dataset, configuration: Any, bedrock: Bedrock) -> Any:
    prepared = site_draws.ready(sites, configuration=configuration, bedrock=bedrock)
    values = site_draws.vectors(parameters, prepared.rows, prepared.configuration)
    if values.shape[1] != 1:
        raise ValueError(f"{values.shape[1]} draws per site given: give one vector per site")
    return prepared, values


def _at(values: FloatArray, prepared: Any, time: FloatArray) -> dict[str, FloatArray]:
    """Survival functions at times of each row, (n, time) in years, in blocks of one size."""
    blocks = []
    for start in range(0, time.shape[1], _BLOCK):
        columns = np.minimum(np.arange(start, start + _BLOCK), time.shape[1] - 1)
        found = site_draws.evaluate(_of_site, values, prepared, time[:, None, columns])
        blocks.append({name: share[:, 0] for name, share in found.items()})
    return {
        name: np.clip(
            np.concatenate([block[name] for block in blocks], axis=1)[:, : time.shape[1]], 0.0, 1.0
        )
        for name in KINDS
    }
