"""How long carbon stays: residence times, transit times and ages of the calibrated system.

At steady state the model is a linear compartmental system, dX/dt = u - L X with L = V - A xi K. The
moments of its transit times and ages are repeated solves with L (Rasmussen et al. 2016; Metzler &
Sierra 2018); none needs a matrix that is written out.

Three times that are easily confused (Sierra et al. 2017): the *transit time* is the age at which
carbon leaves, the mean *age* that of the carbon that is there, and the *residence time* of the
original is the stock of the soil pools over the input, a transit time without the litter.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike

from proda_lib import site_draws
from proda_lib.compiled import jax
from proda_lib.configurations import CLM5_20, Configuration
from proda_lib.engine import response
from proda_lib.environment import depth_scalar
from proda_lib.equation import Terms, terms
from proda_lib.forcing import Forcing, row_dimension
from proda_lib.transport import DAYS_PER_YEAR, Bedrock, Taper

import jax.numpy as jnp  # isort: skip

__all__ = ["QUANTITIES", "carbon_times", "sources_of", "without_environment"]

#: Unit, meaning and further dimension of every quantity.
QUANTITIES: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "carbon_input": ("gC m-2 yr-1", "plant carbon input", ()),
    "stock": ("gC m-2", "soil organic carbon of the column", ()),
    "stock_1m": ("gC m-2", "soil organic carbon of the upper metre", ()),
    "residence_time": ("yr", "stock of the soil pools over the input", ()),
    "baseline_residence_time": ("yr", "the same with all monthly scalars set to 1", ()),
    "transit_time": ("yr", "mean age of the carbon that leaves", ()),
    "transit_time_sd": ("yr", "standard deviation of transit times", ()),
    "age": ("yr", "mean age of the soil organic carbon", ()),
    "age_sd": ("yr", "standard deviation of the age of soil organic carbon", ()),
    "system_age": ("yr", "mean age of all carbon, debris and litter included", ()),
    "residence_by_layer": (
        "yr m-1",
        "soil organic carbon over the input of the column",
        ("layer",),
    ),
    "soil_carbon": ("gC m-3", "soil organic carbon", ("layer",)),
    "age_by_layer": ("yr", "mean age of the layer's soil organic carbon", ("layer",)),
}

_SOIL = slice(4, 7)


def carbon_times(
    parameters: ArrayLike,
    sites: xr.Dataset,
    *,
    configuration: str | Configuration = CLM5_20,
    bedrock: Bedrock = "closed",
    taper: Taper = "clm",
    default_run: bool = False,
) -> xr.Dataset:
    """Stocks, residence times, mean ages and transit times at steady state.

    Parameters
    ----------
    parameters : array_like, shape (21,), (n, 21) or (n, draw, 21)
        Physical values in the order of `configuration.names`: one vector for all sites, one each,
        or many draws each.
    sites : Dataset
        A study's sites or grid, n rows.
    configuration, bedrock, taper : str
        As in `proda_lib.steady_state.pools`.
    default_run : bool
        Whether sand, layered litter input and the unscaled water scalar count, as in
        `proda_lib.steady_state.default_run`.

    Returns
    -------
    Dataset
        The `QUANTITIES` by row, with draws by (row, draw); by layer for those with a layer, where
        ages are NaN in layers without carbon. The coordinates of the rows.

    Raises
    ------
    ValueError
        If the parameters are impossible or do not fit the sites.

    Notes
    -----
    With m the thickness of layers, X = L^-1 u the steady state, Y = L^-1 X and Z = L^-1 Y: mean
    transit time = m X / m u, its second moment 2 m Y / m u; mean age of any part of the carbon =
    m Y / m X over that part, its second moment 2 m Z / m X. The mean age of all carbon is
    E[T^2] / (2 E[T]) of the transit time T, so that it exceeds the mean transit time wherever
    transit times vary more than those of a single pool. With bedrock "published" what leaks away
    leaves, too.

    Examples
    --------
    >>> from proda_lib import studies
    >>> sites = studies.load("twin", "smoke").sites.isel(site=slice(2))
    >>> found = carbon_times(CLM5_20.default, sites)
    >>> bool((found.transit_time > found.residence_time).all()), found.age.units
    (True, 'yr')
    """
    prepared = site_draws.ready(
        sites, configuration=configuration, bedrock=bedrock, taper=taper, default_run=default_run
    )
    values = site_draws.vectors(
        parameters, prepared.rows, prepared.configuration, default_run=default_run
    )
    found = site_draws.evaluate(_of_site, values, prepared)
    leading: tuple[str, ...] = (row_dimension(sites), "draw")
    if np.ndim(parameters) < 3:
        leading, found = leading[:1], {name: value[:, 0] for name, value in found.items()}
    variables = {
        name: ((*leading, *last), found[name], {"units": unit, "long_name": text})
        for name, (unit, text, last) in QUANTITIES.items()
    }
    return xr.Dataset(variables, site_draws.coordinates_of(sites), {"bedrock": bedrock})


def sources_of(term: Terms) -> Any:
    """Carbon input to all seven pools of one site, gC m-3 day-1, shape (7, layers)."""
    return jnp.concatenate([term.inputs, jnp.zeros_like(term.inputs[:3])])


def without_environment(term: Terms, configuration: Configuration = CLM5_20) -> Terms:
    """Return the terms of one site with all monthly scalars set to 1.

    Only the depth scalar, decomposition, transfers, transport and input are left: what the soil
    would do at 25 degrees Celsius, wet, aired and with nitrogen enough. Unlike the published
    baseline (`proda_lib.processes`) it changes decomposition alone and keeps transport as it is.
    """
    depth = depth_scalar(configuration.grid.node, term.value["efolding"])
    return term._replace(soil=depth, litter=depth)


def _of_site(parameters: Any, forcing: Forcing, configuration: Configuration) -> dict[str, Any]:
    """Quantities of one site."""
    term = terms(parameters, forcing, configuration)
    grid, sources = configuration.grid, sources_of(term)
    carbon, once, twice, bare = _solved(term, without_environment(term, configuration), sources)
    soil, aged, spread, baseline = (one[_SOIL].sum(axis=0) for one in (carbon, once, twice, bare))

    def column(values: Any) -> Any:
        return (values * grid.thickness).sum()

    entering = column(sources)
    upper = np.clip(1.0 - grid.top, 0, grid.thickness)
    days = {
        "residence_time": column(soil) / entering,
        "baseline_residence_time": column(baseline) / entering,
        "transit_time": column(carbon) / entering,
        "transit_time_sd": _sd(column(carbon) / entering, 2 * column(once) / entering),
        "age": column(aged) / column(soil),
        "age_sd": _sd(column(aged) / column(soil), 2 * column(spread) / column(soil)),
        "system_age": column(once) / column(carbon),
        "residence_by_layer": soil / entering,
        "age_by_layer": jnp.where(soil > 0, aged / jnp.where(soil > 0, soil, 1.0), jnp.nan),
    }
    return {name: value / DAYS_PER_YEAR for name, value in days.items()} | {
        "carbon_input": DAYS_PER_YEAR * entering,
        "stock": column(soil),
        "stock_1m": (soil * upper).sum(),
        "soil_carbon": soil,
    }


def _solved(term: Terms, bare: Terms, sources: Any) -> Any:
    """L^-1 u, L^-2 u, L^-3 u, and L^-1 u without the environment; shape (4, 7, layers).

    In one scan, so that the solver is compiled once.
    """

    def solve(last: Any, step: tuple[Any, Any, Any]) -> tuple[Any, Any]:
        soil, litter, anew = step
        source = jnp.where(anew, sources, last)
        state = response(term._replace(soil=soil, litter=litter), source)
        return state, state

    soil = jnp.stack([term.soil] * 3 + [bare.soil])
    litter = jnp.stack([term.litter] * 3 + [bare.litter])
    steps = soil, litter, jnp.array([True, False, False, True])
    return jax.lax.scan(solve, jnp.zeros_like(sources), steps)[1]


def _sd(mean: Any, square: Any) -> Any:
    """Return the standard deviation of a mean and a mean square."""
    return jnp.sqrt(jax.nn.relu(square - mean**2))
