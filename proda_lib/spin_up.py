"""Where the equation in time comes to rest, and how far it has come, without following it there.

The slowest carbon needs tens of thousands of years, so nobody steps until nothing changes. The
steady state of the year's mean is one solve; the state that a year of seasons returns to is a few
years of stepping with the slow way cut short (a semi-analytical spin-up, cf. Xia et al. 2012); how
far carbon has come a time after a change follows from a Laplace transform.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from proda_lib.age_distribution import inverted
from proda_lib.compiled import jax
from proda_lib.engine import response
from proda_lib.equation import Terms
from proda_lib.transient import System, year_later
from proda_lib.transport import DAYS_PER_YEAR

__all__ = ["after_change", "periodic", "soil_left", "steady", "years_until"]

FloatArray = NDArray[np.float64]


def steady(system: System) -> FloatArray:
    """Steady state of the year's mean, gC m-3, shape (n, 7, layers) (equation 37.2)."""
    return np.asarray(_solved(system.mean, _sources(system.mean)))


def periodic(
    system: System, *, tolerance: float = 1e-10, most: int = 60
) -> tuple[FloatArray, list[float]]:
    """State to which a year returns it, and how it was found.

    With r what a year adds to a state and L the loss of the year's mean, a round corrects the state
    by L^-1 r / T + r / 2, the beginning of the series of (1 - exp(-T L))^-1, and follows a year,
    which settles the fast pools. Without seasons the error of a pool that stands for itself falls
    to 2 % or less per round.

    Parameters
    ----------
    system : System
    tolerance : float
        Largest change of any layer in a year, relative to the largest layer of its pool.
    most : int
        Rounds.

    Returns
    -------
    pools : ndarray, shape (n, 7, layers)
        At the end of December, gC m-3.
    changes : list of float
        Largest relative change in a year, before each round and at the end. A round takes two years
        of stepping.

    Raises
    ------
    RuntimeError
        If the rounds do not suffice.

    Examples
    --------
    >>> from proda_lib import studies, transient
    >>> from proda_lib.parameters import CLM5_DEFAULT
    >>> sites = studies.load("twin", "smoke").sites.isel(site=slice(1))
    >>> pools, changes = periodic(transient.system(CLM5_DEFAULT, sites))
    >>> changes[-1] < 1e-10 < changes[0], len(changes) < 20
    (True, True)
    """
    state, changes = steady(system), []
    for _ in range(most):
        after = year_later(system, state)
        scale = np.maximum(np.abs(after).max(axis=2, keepdims=True), np.finfo(float).tiny)
        changes.append(float((np.abs(after - state) / scale).max()))
        if changes[-1] < tolerance:
            return after, changes
        gained = after - state
        slow = np.asarray(_solved(system.mean, gained / DAYS_PER_YEAR))
        state = year_later(system, state + gained / 2 + slow)
    raise RuntimeError(
        f"no periodic state to {tolerance:g} in {most} rounds, the last year changed it by "
        f"{changes[-1]:.1e}: raise `most` or the tolerance"
    )


def after_change(before: System, after: System, years: ArrayLike) -> dict[str, FloatArray]:
    """Soil carbon some years after a step from one system to another, under the year's means.

    From the steady state X of the first, X(t) = X' + exp(-t L') (X - X'), with X' and L' of the
    second: exact but for the inversion (`proda_lib.age_distribution`), no step is taken.

    Parameters
    ----------
    before, after : System
        The same n rows.
    years : array_like, shape (time,)
        Greater than 0.

    Returns
    -------
    dict
        `before` and `eventual`, gC m-2, shape (n,); `reached`, gC m-2, shape (n, time).

    Raises
    ------
    ValueError
        If a time is not positive.

    Examples
    --------
    >>> from proda_lib import studies, transient
    >>> from proda_lib.parameters import CLM5_DEFAULT
    >>> sites = studies.load("twin", "smoke").sites.isel(site=slice(1))
    >>> now = transient.system(CLM5_DEFAULT, sites)
    >>> found = after_change(now, transient.with_input(now, 1.1), [100.0])
    >>> bool((found["before"] < found["reached"][:, 0]).all())
    True
    """
    start, end = steady(before), steady(after)
    left = soil_left(after, start - end, years)
    now, eventual = _soil(start, after), _soil(end, after)
    return {"before": now, "eventual": eventual, "reached": eventual[:, None] + left}


def soil_left(system: System, state: ArrayLike, years: ArrayLike) -> FloatArray:
    """Soil carbon that is left of a state after some years without input, gC m-2, (n, time).

    The soil pools of exp(-t L) X under the year's mean.

    Parameters
    ----------
    system : System
        n rows.
    state : array_like, shape (n, 7, layers)
        gC m-3, of any sign.
    years : array_like, shape (time,) or (n, time)
        Greater than 0.
    """
    state, years = np.asarray(state, dtype=float), np.asarray(years, dtype=float)
    if not (years > 0).all():
        raise ValueError("years must be numbers greater than 0")
    days = DAYS_PER_YEAR * np.broadcast_to(years, (len(state), years.shape[-1]))
    thickness = system.configuration.grid.thickness
    each = (_soil_left(system.mean, state, column, thickness) for column in days.T)
    return np.stack([np.asarray(one) for one in each], axis=-1)


def years_until(system: System, share: float) -> FloatArray:
    """Years in which soil that begins bare gathers a share of its steady state, shape (n,).

    What it still lacks after t is what is left of the steady state itself. Bisection on the
    logarithm of time, from a day to a billion years.

    Parameters
    ----------
    system : System
    share : float
        0.001 to 0.999, for example 0.99.

    Examples
    --------
    >>> from proda_lib import studies, transient
    >>> from proda_lib.parameters import CLM5_DEFAULT
    >>> sites = studies.load("twin", "smoke").sites.isel(site=slice(1))
    >>> now = transient.system(CLM5_DEFAULT, sites)
    >>> bool(years_until(now, 0.9)[0] < years_until(now, 0.99)[0])
    True
    """
    if not 0.001 <= share <= 0.999:
        raise ValueError(f"share is {share:g}: give one from 0.001 to 0.999")
    state = steady(system)
    wanted = (1 - share) * _soil(state, system)
    low, high = (np.full(len(state), np.log(t)) for t in (1 / DAYS_PER_YEAR, 1e9))
    for _ in range(26):
        middle = (low + high) / 2
        lacking = soil_left(system, state, np.exp(middle)[:, None])[:, 0] > wanted
        low, high = np.where(lacking, middle, low), np.where(lacking, high, middle)
    return np.exp((low + high) / 2)


def _soil(state: FloatArray, system: System) -> FloatArray:
    """Soil carbon of the column, gC m-2, shape (n,)."""
    return state[:, 4:].sum(axis=1) @ system.configuration.grid.thickness


def _sources(term: Terms) -> FloatArray:
    """Carbon input of all sites, gC m-3 day-1, shape (n, 7, layers)."""
    return np.concatenate([term.inputs, np.zeros_like(term.inputs[:, :3])], axis=1)


@jax.jit
def _solved(mean: Terms, sources: Any) -> Any:
    return jax.vmap(response)(mean, sources)


@jax.jit
def _soil_left(mean: Terms, states: Any, days: Any, thickness: Any) -> Any:
    """Soil carbon of exp(-t L) X at a time of each site, gC m-2, shape (n,)."""

    def one(term: Terms, state: Any, time: Any) -> Any:
        def transformed(shift: Any) -> Any:
            return (response(term, state, shift)[4:] * thickness).sum()

        return inverted(partial(jax.lax.map, transformed), time)

    return jax.vmap(one)(mean, states, days)
