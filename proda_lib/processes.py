"""Bulk processes: one number per site for each process that shapes soil carbon.

A process acts in every layer and pool; its bulk quantity is a mean weighted by carbon, which can be
compared between sites and drawn on a map. Two definitions have a name. "published" follows the
original code (fun_bulk_process.m). "sound" mends where that differs from the equation it describes:

- environmental modifier: the mean over months of the product of all scalars, oxygen included, not a
  product of means of two of them; nitrogen limits the litters, which have a modifier of their own;
- carbon use efficiency: of the carbon that litter and soil really decompose, all scalars included;
- input allocation: the mean depth at which carbon enters. The published index divides a share at an
  interface by the depth of a node, and which of the deep layers count hangs on rounding.

Baseline decomposition, vertical transport, stocks and residence times are the same in both.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from proda_lib import site_draws
from proda_lib.bulk import OF_SITE
from proda_lib.configurations import CLM5_20, Configuration
from proda_lib.configurations import configuration as configuration_named
from proda_lib.forcing import row_dimension
from proda_lib.inputs import input_share
from proda_lib.soil_grid import CLM5, SoilGrid
from proda_lib.steady_state import Prepared
from proda_lib.transport import Bedrock, Taper

__all__ = ["BULK", "QUANTITIES", "allocation_of", "bulk_processes", "published_allocation"]

FloatArray = NDArray[np.float64]
Definition = Literal["sound", "published"]

#: Unit and meaning of every quantity; the letter is that of the process in `PROCESSES`.
QUANTITIES: dict[str, tuple[str, str]] = {
    "carbon_use_efficiency": ("1", "share of decomposed carbon that is passed on (A)"),
    "baseline_decomposition": ("yr-1", "decomposition rate of soil carbon at modifier 1 (K)"),
    "environmental_modifier": ("1", "environmental modifier of soil carbon (xi)"),
    "vertical_transport": ("yr-1", "share of soil carbon that leaves its layer by mixing (V)"),
    "input_allocation": ("m", "mean depth at which carbon enters (I)"),
    "litter_modifier": ("1", "environmental modifier of litter carbon, nitrogen included"),
    "carbon_input": ("gC m-2 yr-1", "plant carbon input"),
    "stock": ("gC m-2", "soil organic carbon of the column"),
    "stock_1m": ("gC m-2", "soil organic carbon of the upper metre"),
    "residence_time": ("yr", "mean time that carbon spends in the soil pools of the column"),
    "residence_time_1m": ("yr", "mean time that carbon spends in soil pools of the upper metre"),
    "baseline_residence_time": ("yr", "residence time with all monthly scalars taken out"),
}

#: Quantity that stands for each process.
BULK: dict[str, str] = {
    "A": "carbon_use_efficiency",
    "K": "baseline_decomposition",
    "xi": "environmental_modifier",
    "V": "vertical_transport",
    "I": "input_allocation",
    "input": "carbon_input",
}

_PUBLISHED_ALLOCATION = ("1", "effective beta of carbon input (I)")


def bulk_processes(
    parameters: ArrayLike,
    sites: xr.Dataset,
    *,
    definition: Definition = "sound",
    configuration: str | Configuration = CLM5_20,
    bedrock: Bedrock = "closed",
    taper: Taper = "clm",
    default_run: bool = False,
) -> xr.Dataset:
    """Bulk quantity of every process, stocks and residence times at steady state.

    Parameters
    ----------
    parameters : array_like, shape (21,), (n, 21) or (n, draw, 21)
        Physical values in the order of `configuration.names`: one vector for all sites, one each,
        or many draws each.
    sites : Dataset
        A study's sites or grid, n rows.
    definition : {"sound", "published"}
        See the module's description.
    configuration, bedrock, taper : str
        As in `proda_lib.steady_state.pools`. The published numbers go with bedrock "published".
    default_run : bool
        Whether sand, layered litter input and the unscaled water scalar count, as in
        `proda_lib.steady_state.default_run`.

    Returns
    -------
    Dataset
        The `QUANTITIES` by row, with draws by (row, draw); the coordinates of the rows. Only
        "sound" has `litter_modifier`, only "published" has `baseline_residence_time`; the
        published `input_allocation` is an effective beta without unit, NaN where all carbon enters
        the top layer.

    Raises
    ------
    ValueError
        If the definition is unknown, or the parameters are impossible or do not fit the sites.

    Notes
    -----
    With s the share of the column's soil carbon in a layer: K = sum of M_p / tau_p over sum of M_p,
    M_p the soil pools' carbon; xi = sum of s_j xi_j; V = sum of s_j (up_j + down_j); carbon use
    efficiency = sum of f_p Q_p over sum of Q_p, Q_p the decomposition of a litter or soil pool and
    f_p what it passes on; residence time = stock / input. In steady state with bedrock closed
    (1 - carbon use efficiency) sum of Q_p is the input. Then what flows from pool to pool, summed
    over the column, follows from input and transfer fractions alone: the sound carbon use
    efficiency of a site does not depend on rates, environment or depth. The published one does,
    because its fluxes lack nitrogen, oxygen and the course of the year.

    Examples
    --------
    >>> from proda_lib import studies
    >>> sites = studies.load("twin", "smoke").sites.isel(site=slice(2))
    >>> found = bulk_processes(CLM5_20.default, sites)
    >>> found.stock.dims, found.stock.units, bool((found.carbon_use_efficiency < 1).all())
    (('site',), 'gC m-2', True)
    """
    if definition not in ("sound", "published"):
        raise ValueError(f"definition is {definition!r}, allowed are 'sound' and 'published'")
    model = configuration_named(configuration)
    row = row_dimension(sites)
    values = site_draws.vectors(parameters, sites.sizes[row], model, default_run=default_run)
    prepared = site_draws.ready(
        sites, configuration=model, bedrock=bedrock, taper=taper, default_run=default_run
    )
    found = site_draws.evaluate(OF_SITE[definition], values, prepared)
    if definition == "published":
        found["input_allocation"] = allocation_of(values, prepared)
    if np.ndim(parameters) < 3:
        found = {name: value[:, 0] for name, value in found.items()}
    return _dataset(found, sites, row, {"definition": definition, "bedrock": bedrock})


def _dataset(
    found: dict[str, FloatArray], sites: xr.Dataset, row: str, attributes: dict[str, str]
) -> xr.Dataset:
    about = dict(QUANTITIES)
    if attributes["definition"] == "published":
        about["input_allocation"] = _PUBLISHED_ALLOCATION
    variables = {
        name: ((row, "draw")[: found[name].ndim], found[name], {"units": unit, "long_name": text})
        for name, (unit, text) in about.items()
        if name in found
    }
    return xr.Dataset(variables, site_draws.coordinates_of(sites), attributes)


def allocation_of(vectors: FloatArray, sites: Prepared) -> FloatArray:
    """Compute the published input allocation of every site and vector, shape (n, draw).

    In NumPy and not compiled: what rounding decides should not depend on the size of a batch.

    Parameters
    ----------
    vectors : ndarray, shape (n, draw, 21)
        Physical values.
    sites : Prepared
        n rows.
    """
    grid = sites.configuration.grid

    def rows(name: str) -> FloatArray:
        each = [np.asarray(getattr(forcing, name)) for forcing in sites.forcing]
        return np.concatenate(each)[: sites.rows]

    if sites.forcing[0].layered_input is None:
        beta = sites.configuration.value(vectors)["beta"]
        share = input_share(beta, rows("live")[:, None], rows("thawed")[:, None], grid)
    else:
        amount = rows("layered_input").sum(axis=1) * grid.thickness
        share = amount / amount.sum(axis=-1, keepdims=True)
        share = np.repeat(share[:, None], vectors.shape[1], axis=1)
    return published_allocation(share, grid)


def published_allocation(share: ArrayLike, grid: SoilGrid = CLM5) -> FloatArray:
    """Input allocation as published: mean over layers of (1 - F_j)^(1 / 100 z_j), 1.

    F_j is the share of the input down to the base of layer j, z_j the depth of its node, m; layers
    in which F_j rounds to 1 are left out (fun_bulk_process.m). Since each term is beta to the power
    of interface over node, it does not return beta; and whether F_j of a deep layer is 1 or 1e-16
    less decides if the layer counts, so the same beta gives different numbers in Octave and NumPy.

    Parameters
    ----------
    share : array_like, shape (..., layers)
        Share of the input that enters each layer, sum 1.

    Returns
    -------
    ndarray, shape (...)
        NaN where everything enters the top layer.

    Examples
    --------
    >>> float(published_allocation(input_share(0.95)).round(4))
    0.9398
    """
    left = 1 - np.cumsum(np.asarray(share, dtype=float), axis=-1)
    counts = left > 0
    index = np.exp(np.log(np.where(counts, left, 1.0)) / (100 * grid.node))
    number = counts.sum(axis=-1)
    total = np.where(counts, index, 0.0).sum(axis=-1)
    return np.where(number > 0, total / np.maximum(number, 1), np.nan)
