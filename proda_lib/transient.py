"""The equation in time: carbon of sites month by month, by an implicit scheme.

Implicit Euler takes losses at the state that a step leads to. One step is one solve of the column
with a loss of one over the step added, whatever the step: it is stable and positive, and what it
adds to the carbon is its input less what is respired at the new state. Its error is of first order
in the step. How it compares with other ways stands in `proda_lib.dense_time`.
"""

from __future__ import annotations

from functools import partial
from typing import Any, Literal, NamedTuple

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from proda_lib.compiled import jax
from proda_lib.configurations import CLM5_20, Configuration
from proda_lib.configurations import configuration as configuration_named
from proda_lib.engine import response
from proda_lib.equation import TRANSFERS, TURNOVER, Terms, terms
from proda_lib.forcing import forcing_of, monthly_forcing_of, row_dimension
from proda_lib.nearest import check_allowed
from proda_lib.parameters import POOLS
from proda_lib.site_draws import coordinates_of, vectors
from proda_lib.transport import DAYS_PER_YEAR, Bedrock, Taper
from proda_lib.turnover import sources_of

import jax.numpy as jnp  # isort: skip

__all__ = ["System", "course", "system", "with_input", "year_later"]

FloatArray = NDArray[np.float64]
Season = Literal["monthly", "annual"]

_MONTHS = 12


class System(NamedTuple):
    """Sites made ready to be followed in time.

    Attributes
    ----------
    months : Terms
        Of every month, leading shape (n, 12).
    mean : Terms
        Of the year, leading shape (n,).
    configuration : Configuration
    coordinates : dict
        Of the rows.
    row : str
        Dimension of the rows.
    """

    months: Terms
    mean: Terms
    configuration: Configuration
    coordinates: dict[str, Any]
    row: str


def system(
    parameters: ArrayLike,
    sites: xr.Dataset,
    season: Season = "monthly",
    *,
    configuration: str | Configuration = CLM5_20,
    bedrock: Bedrock = "closed",
    taper: Taper = "clm",
) -> System:
    """Prepare sites to be followed in time.

    Parameters
    ----------
    parameters : array_like, shape (21,) or (n, 21)
        Physical values in the order of `configuration.names`.
    sites : Dataset
        A study's sites or grid, n rows.
    season : {"monthly", "annual"}
        Whether forcing is that of each month or the mean of the year all the time. The mean over
        the twelve months of every rate is the same.
    configuration, bedrock, taper : str
        As in `proda_lib.steady_state.pools`.

    Raises
    ------
    ValueError
        If the season is unknown, or the parameters are impossible or do not fit the sites.

    Examples
    --------
    >>> from proda_lib import studies
    >>> sites = studies.load("twin", "smoke").sites.isel(site=slice(2))
    >>> system(CLM5_20.default, sites).months.soil.shape
    (2, 12, 20)
    """
    check_allowed("season", season, ("monthly", "annual"))
    model, row = configuration_named(configuration), row_dimension(sites)
    sites = sites.transpose(row, ...)
    options = {"bedrock": bedrock, "taper": taper}
    values = vectors(parameters, sites.sizes[row], model)
    if values.shape[1] != 1:
        raise ValueError(f"{values.shape[1]} draws per site given: give one vector per site")
    mean = _arrays(terms(values[:, 0], forcing_of(sites, model, **options), model))
    if season == "annual":
        months = jax.tree.map(lambda x: np.repeat(x[:, None], _MONTHS, axis=1), mean)
    else:
        forcing = monthly_forcing_of(sites, model, **options)
        months = _arrays(terms(np.repeat(values, _MONTHS, axis=1), forcing, model))
    return System(months, mean, model, coordinates_of(sites), row)


def _arrays(term: Terms) -> Terms:
    """Parameters that are not calibrated as arrays like the others."""
    shape = np.shape(term.value["q10"])
    value = {name: np.broadcast_to(one, shape) for name, one in term.value.items()}
    return term._replace(value=value)


def with_input(system: System, factor: float) -> System:
    """Return the system with its carbon input times a factor.

    Examples
    --------
    >>> from proda_lib import studies
    >>> one = system(CLM5_20.default, studies.load("twin", "smoke").sites.isel(site=slice(1)))
    >>> round(float((with_input(one, 1.1).mean.inputs / one.mean.inputs).max()), 12)
    1.1
    """
    months, mean = (
        each._replace(inputs=each.inputs * factor) for each in (system.months, system.mean)
    )
    return system._replace(months=months, mean=mean)


def course(
    system: System, years: int, start: ArrayLike | None = None, *, substeps: int = 1
) -> xr.Dataset:
    """Follow the carbon of sites for some years (equation 37.1), implicit Euler.

    Parameters
    ----------
    system : System
    years : int
        At least 1.
    start : array_like, shape (n, 7, layers), optional
        gC m-3; bare soil by default.
    substeps : int
        Steps per month. Months have equal length, a twelfth of 365 days.

    Returns
    -------
    Dataset
        `carbon` of all pools and `soil_carbon`, gC m-2, by (row, month) at the end of each month;
        `input` and `respired` in that month, gC m-2; `least`, the smallest concentration of any
        pool and layer, gC m-3; `pools` (row, pool, layer) at the end, gC m-3. The coordinate `time`
        of the months is in years since the start.

    Raises
    ------
    ValueError
        If a count is not at least 1 or the start does not fit.

    Notes
    -----
    (1/dt + L) X_new = X_old / dt + u, with L and u of the month. Summed over the column, transport
    cancels where bedrock is closed; what is respired in a step is dt times the sum of (1 - what is
    passed on) of the decomposition of X_new.

    Examples
    --------
    >>> from proda_lib import studies
    >>> one = system(CLM5_20.default, studies.load("twin", "smoke").sites.isel(site=slice(1)))
    >>> found = course(one, 2)
    >>> gained = (found.input - found.respired).sum("month")
    >>> bool((abs(gained - found.carbon[:, -1]) < 1e-9 * found.carbon[:, -1]).all())
    True
    """
    if years < 1 or substeps < 1:
        raise ValueError(f"{years} years, {substeps} substeps given: give at least 1 of each")
    state, parts = _start(system, start), []
    for _ in range(years):
        state, found = _year(system.months, state, substeps, system.configuration)
        parts.append(found)
    units = dict.fromkeys(parts[0], "gC m-2") | {"least": "gC m-3"}
    variables = {
        name: (
            (system.row, "month"),
            np.concatenate([part[name] for part in parts], axis=1),
            {"units": unit},
        )
        for name, unit in units.items()
    }
    variables["pools"] = ((system.row, "pool", "layer"), np.asarray(state), {"units": "gC m-3"})
    time = ("month", np.arange(1, _MONTHS * years + 1) / _MONTHS, {"units": "yr"})
    return xr.Dataset(variables, {**system.coordinates, "pool": list(POOLS), "time": time})


def year_later(system: System, start: ArrayLike | None = None) -> FloatArray:
    """State of the pools a year after a start, gC m-3, shape (n, 7, layers), as `course`."""
    return np.asarray(_year(system.months, _start(system, start), 1, system.configuration)[0])


def _start(system: System, start: ArrayLike | None) -> FloatArray:
    shape = (len(system.mean.soil), len(POOLS), system.configuration.grid.layers)
    state = np.zeros(shape) if start is None else np.asarray(start, dtype=float)
    if state.shape != shape:
        raise ValueError(
            f"start has shape {state.shape}: give {shape}, carbon of every site, pool and layer"
        )
    return state


@partial(jax.jit, static_argnames=("configuration",))
def _year(
    months: Terms, state: Any, substeps: Any, configuration: Configuration
) -> tuple[Any, dict[str, Any]]:
    """Follow all sites for a year, month by month; substeps do not compile anew."""

    def one(months: Terms, state: Any) -> tuple[Any, dict[str, Any]]:
        follow = partial(_month, substeps=substeps, configuration=configuration)
        return jax.lax.scan(follow, state, months)

    return jax.vmap(one)(months, state)


def _month(
    state: Any, term: Terms, substeps: Any, configuration: Configuration
) -> tuple[Any, dict[str, Any]]:
    """Follow one site for a month; what came and went, gC m-2."""
    step = DAYS_PER_YEAR / _MONTHS / substeps
    thickness, sources = configuration.grid.thickness, sources_of(term)
    lost = (1 - _passed_on(term))[:, None] * _rates(term) * thickness

    def advance(_: Any, carry: tuple[Any, Any]) -> tuple[Any, Any]:
        state, respired = carry
        after = response(term, state / step + sources, 1 / step)
        return after, respired + step * (lost * after).sum()

    state, respired = jax.lax.fori_loop(0, substeps, advance, (state, jnp.zeros(())))
    return state, {
        "carbon": (state * thickness).sum(),
        "soil_carbon": (state[4:] * thickness).sum(),
        "input": DAYS_PER_YEAR / _MONTHS * (sources * thickness).sum(),
        "respired": respired,
        "least": state.min(),
    }


def _rates(term: Terms) -> Any:
    """Decomposition rates of one site, day-1, shape (7, layers)."""
    scale = [term.litter if pool.startswith("litter") else term.soil for pool in POOLS]
    each = zip(scale, TURNOVER, strict=True)
    return jnp.stack([scalar / (DAYS_PER_YEAR * term.value[name]) for scalar, name in each])


def _passed_on(term: Terms) -> Any:
    """Share of each pool's decomposition that other pools receive, shape (7,)."""
    # Woody debris sorts all of its carbon between two litters.
    shares = dict.fromkeys(POOLS, 0.0) | {"cwd": jnp.ones_like(term.value["fcwdl2"])}
    for donor, _, name in TRANSFERS:
        if donor != "cwd":
            shares[donor] = shares[donor] + term.value[name]
    return jnp.stack([shares[pool] for pool in POOLS])
