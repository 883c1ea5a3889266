"""Steady state of the soil carbon model, exact and for many sites at once (equation 37.2).

Everything here takes a Dataset of sites or cells and gives NumPy arrays. The sites are solved in
batches of one size by the compiled functions of `proda_lib.engine`; how the system is solved stands
in `proda_lib.column`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from proda_lib import engine
from proda_lib.compiled import jax
from proda_lib.configurations import CLM5_20, Configuration
from proda_lib.configurations import configuration as configuration_named
from proda_lib.depths import Interpolation, Reading, reading_of
from proda_lib.equation import decomposition_rates, terms, transfer_fractions
from proda_lib.forcing import Forcing, forcing_of, row_dimension, rows_of
from proda_lib.parameters import CLM5_DEFAULT, NAMES, require_possible
from proda_lib.transport import DAYS_PER_YEAR, Bedrock, Taper

__all__ = [
    "Prepared",
    "default_run",
    "pools",
    "prepare",
    "respiration",
    "soil_carbon",
    "soil_carbon_at_depth",
    "soil_carbon_gradient",
    "soil_of",
]

FloatArray = NDArray[np.float64]

#: Sites per compiled batch: large ones fill vector units and stay inside the processor's cache,
#: a single site need not pay for them.
_BATCHES = (16, 256)


@dataclass(frozen=True)
class Prepared:
    """Sites made ready to be solved again and again with other parameters.

    Attributes
    ----------
    configuration : Configuration
    bedrock : {"closed", "published"}
    rows : int
        Number of sites.
    forcing : list of Forcing
        Batches, the last one filled up with repeated rows.
    reading : list of Reading or None
        Where the observations lie, per batch.
    """

    configuration: Configuration
    bedrock: Bedrock
    rows: int
    forcing: list[Forcing]
    reading: list[Reading] | None = None


def prepare(
    sites: xr.Dataset,
    *,
    configuration: str | Configuration = CLM5_20,
    bedrock: Bedrock = "closed",
    taper: Taper = "clm",
    interpolation: Interpolation = "linear",
    default_run: bool = False,
) -> Prepared:
    """Compute what does not depend on parameters, once.

    The functions of this module take the result in place of a Dataset, which pays when the same
    sites are solved with many parameter vectors. Options as in `pools` and `soil_carbon_at_depth`.
    """
    model = configuration_named(configuration)
    row = row_dimension(sites)
    sites = sites.transpose(row, ...)
    first, which = rows_of(sites)
    distinct = sites.isel({row: first})
    options = {"bedrock": bedrock, "taper": taper, "default_run": default_run}
    forcing = forcing_of(distinct, model, **options)
    reading = None
    if "observed_depth" in sites:
        reading = reading_of(sites, bedrock=bedrock, interpolation=interpolation)
    batches = _batches(len(which))
    return Prepared(
        model,
        bedrock,
        len(which),
        [jax.device_put(forcing.rows(which[rows])) for rows in batches],
        reading and [jax.device_put(_take(reading, rows)) for rows in batches],
    )


def _take(reading: Reading, rows: NDArray[np.int_]) -> Reading:
    return jax.tree.map(lambda values: values[rows], reading)


def pools(
    parameters: ArrayLike,
    sites: xr.Dataset | Prepared,
    *,
    configuration: str | Configuration = CLM5_20,
    bedrock: Bedrock = "closed",
    taper: Taper = "clm",
    advection: float | None = None,
) -> FloatArray:
    """Steady-state carbon of the seven pools at every site and layer (equation 37.2).

    Parameters
    ----------
    parameters : array_like, shape (n, 21) or (21,)
        Physical values in the order of `configuration.names`; 18 in the chapter's configuration.
    sites : Dataset or Prepared
        A study's sites or grid, n rows; prepared sites have their own options.
    configuration : str
        "clm5", or "chapter" for sites on the soil grid CLM45.
    bedrock : {"closed", "published"}
        "closed": nothing passes the base of the bedrock layer, nothing lies below it. "published":
        the original matrices, which leak there.
    taper : {"clm", "binn"}
        Lower end of cryoturbation, see `proda_lib.transport.mixing`.
    advection : float, optional
        Downward flow of carbon, m yr-1, with closed bedrock only. CLM5 has none.

    Returns
    -------
    ndarray, shape (n, 7, layers)
        gC m-3.

    Raises
    ------
    ValueError
        If the parameters are not finite or do not fit the sites.
    """
    sites = _prepared(sites, configuration=configuration, bedrock=bedrock, taper=taper)
    return _evaluate(engine.pools, parameters, sites, sites.forcing, advection)


def soil_carbon(
    parameters: ArrayLike,
    sites: xr.Dataset | Prepared,
    *,
    configuration: str | Configuration = CLM5_20,
    bedrock: Bedrock = "closed",
    taper: Taper = "clm",
    advection: float | None = None,
) -> FloatArray:
    """Steady-state soil organic carbon of every layer, gC m-3, shape (n, layers).

    The sum of the fast, slow and passive pools; 0 below a closed bedrock. Arguments as in `pools`.
    """
    sites = _prepared(sites, configuration=configuration, bedrock=bedrock, taper=taper)
    return _evaluate(engine.soil_carbon, parameters, sites, sites.forcing, advection)


def soil_carbon_at_depth(
    parameters: ArrayLike,
    sites: xr.Dataset | Prepared,
    *,
    configuration: str | Configuration = CLM5_20,
    bedrock: Bedrock = "closed",
    taper: Taper = "clm",
    interpolation: Interpolation = "linear",
    advection: float | None = None,
) -> FloatArray:
    """Steady-state soil organic carbon at the observed depths, gC m-3, shape (n, observation).

    NaN where a site has no further observation. Arguments as in `pools`; `interpolation` as in
    `proda_lib.depths`.
    """
    sites = _prepared(
        sites, configuration=configuration, bedrock=bedrock, taper=taper,
        interpolation=interpolation,
    )  # fmt: skip
    if sites.reading is None:
        raise ValueError("the sites have no observed_depth: use soil_carbon for layers")
    batches = list(zip(sites.forcing, sites.reading, strict=True))
    return _evaluate(engine.soil_carbon_at_depth, parameters, sites, batches, advection)


def soil_carbon_gradient(
    parameters: ArrayLike,
    sites: xr.Dataset | Prepared,
    *,
    configuration: str | Configuration = CLM5_20,
    bedrock: Bedrock = "closed",
    taper: Taper = "clm",
    advection: float | None = None,
) -> FloatArray:
    """Differentiate every layer's soil carbon by every parameter, shape (n, layers, parameters).

    gC m-3 per unit of the parameter. Implicit differentiation of the steady state: exact, no
    differences are taken. Arguments as in `pools`.
    """
    sites = _prepared(sites, configuration=configuration, bedrock=bedrock, taper=taper)
    return _evaluate(_gradient, parameters, sites, sites.forcing, advection)


def _gradient(parameters: Any, *rows: Any, **options: Any) -> jax.Array:
    return jax.jacrev(engine.soil_carbon)(parameters, *rows, **options)


def default_run(
    sites: xr.Dataset,
    *,
    parameters: ArrayLike = CLM5_DEFAULT,
    bedrock: Bedrock = "closed",
    taper: Taper = "clm",
) -> FloatArray:
    """Steady state with CLM5's own parameters, gC m-3, shape (n, 7, layers) (fun_var_decom.m).

    As the original default run: transfers out of the fast pool follow each layer's sand, the water
    scalar is taken as it is, and litter enters layer by layer where the study knows it
    (`layered_litter_input`), otherwise with beta = 0.95. With bedrock closed, layered input below
    bedrock is added to the bedrock layer, so that no carbon is lost. `parameters` varies the
    default, for example with CLM4.5's e-folding depth; its fs1s2, fs1s3 and w-scaling are not used.
    """
    unscaled = np.array(parameters, dtype=float)
    unscaled[..., NAMES.index("w-scaling")] = 1.0
    prepared = prepare(sites, bedrock=bedrock, taper=taper, default_run=True)
    return _evaluate(engine.pools, unscaled, prepared, prepared.forcing)


def soil_of(pools: ArrayLike) -> FloatArray:
    """Soil organic carbon of pools: fast + slow + passive, gC m-3, shape (..., layers)."""
    return np.asarray(pools)[..., 4:, :].sum(axis=-2)


def respiration(
    pools: ArrayLike,
    parameters: ArrayLike,
    sites: xr.Dataset,
    configuration: str | Configuration = CLM5_20,
) -> FloatArray:
    """Carbon respired per year by each site's pools, gC m-2 yr-1, shape (n,).

    The sum over pools and layers of (1 - fractions passed on) xi K X; in steady state with bedrock
    closed it equals the input. For runs with `parameters`, not for the default run.
    """
    model = configuration_named(configuration)
    # Rates as published hold in every layer; a closed column has no carbon where they differ.
    forcing = forcing_of(sites, model, bedrock="published")
    term = terms(_rows(parameters, len(pools), model), forcing, model)
    passed_on = transfer_fractions(term.value, model.grid.layers).sum(axis=-2)
    decomposed = decomposition_rates(term) * np.asarray(pools) * model.grid.thickness
    return DAYS_PER_YEAR * ((1 - np.swapaxes(passed_on, -1, -2)) * decomposed).sum(axis=(-1, -2))


def _prepared(sites: xr.Dataset | Prepared, **options: Any) -> Prepared:
    return sites if isinstance(sites, Prepared) else prepare(sites, **options)


def _batches(rows: int) -> list[NDArray[np.int_]]:
    """Split row numbers into batches of one size, the last filled up with its last row."""
    size = next((size for size in _BATCHES if rows <= size), _BATCHES[-1])
    starts = range(0, rows, size)
    return [np.minimum(np.arange(start, start + size), rows - 1) for start in starts]


def _evaluate(
    function: Any,
    parameters: ArrayLike,
    sites: Prepared,
    batches: list[Any],
    advection: float | None = None,
) -> FloatArray:
    if advection is not None and sites.bedrock == "published":
        raise ValueError("advection needs bedrock='closed': the published column is not closed")
    values = _rows(parameters, sites.rows, sites.configuration)
    results = []
    for rows, batch in zip(_batches(sites.rows), batches, strict=True):
        more = (batch,) if isinstance(batch, Forcing) else batch
        solved = engine.batch(
            function, values[rows], *more, configuration=sites.configuration, advection=advection
        )
        results.append(solved)
    return np.concatenate([np.asarray(result) for result in results])[: sites.rows]


def _rows(parameters: ArrayLike, n: int, model: Configuration) -> FloatArray:
    """Broadcast parameter vectors to the sites, shape (n, parameters)."""
    values = np.asarray(parameters, dtype=float)
    count = len(model.names)
    if values.shape not in ((count,), (n, count)):
        raise ValueError(
            f"parameters have shape {values.shape}, allowed are ({count},) for all sites or "
            f"({n}, {count}) for the {n} sites given"
        )
    values = np.broadcast_to(values, (n, count))
    require_possible(values, model.names)
    return values
