"""Steady state of the soil carbon model, exact and for many sites at once (equation 37.2).

Instead of a dense 140 x 140 solve, the structure is used: woody debris is not mixed and follows
layer by layer; each litter is a tridiagonal system in depth; the three soil pools are a block
tridiagonal one. Elimination carries *losses* instead of diagonals (Grassmann, Taksar & Heyman
1985), so that nothing is subtracted and deep, hardly decaying soil loses no digits.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from proda_lib.depths import Interpolation, interpolate_to_depth
from proda_lib.inputs import input_density, input_share
from proda_lib.matrices import decomposition_rates, transfer_fractions
from proda_lib.parameters import CLM5_DEFAULT, NAMES, by_name, sand_rule
from proda_lib.soil_grid import GRIDS, SoilGrid
from proda_lib.transport import DAYS_PER_YEAR, Bedrock, Taper, mixing, require_bedrock

__all__ = [
    "default_run",
    "pools",
    "respiration",
    "soil_carbon",
    "soil_carbon_at_depth",
    "soil_of",
]

FloatArray = NDArray[np.float64]

SOIL = slice(4, 7)  # positions of the three soil pools among the seven


class _Column(NamedTuple):
    """What the solver needs of n sites; rates day-1, inputs gC m-3 day-1."""

    rates: FloatArray  # (n, 7, layers)
    fractions: FloatArray  # (n, layers or 1, 7, 7), [receiver, donor]
    inputs: FloatArray  # (n, 4, layers)
    above: FloatArray  # (n, layers)
    below: FloatArray  # (n, layers)


def pools(
    parameters: ArrayLike,
    sites: xr.Dataset,
    *,
    bedrock: Bedrock = "closed",
    taper: Taper = "clm",
) -> FloatArray:
    """Steady-state carbon of the seven pools at every site and layer (equation 37.2).

    Parameters
    ----------
    parameters : array_like, shape (n, 21) or (21,)
        Physical values in the order of `proda_lib.parameters.NAMES`.
    sites : Dataset
        A study's sites or grid, n rows.
    bedrock : {"closed", "published"}
        "closed": nothing passes the base of the bedrock layer, nothing lies below it. "published":
        the original matrices, which leak there.
    taper : {"clm", "binn"}
        Lower end of cryoturbation, see `proda_lib.transport.mixing`.

    Returns
    -------
    ndarray, shape (n, 7, layers)
        gC m-3.

    Raises
    ------
    ValueError
        If the parameters are not finite or do not fit the sites.
    """
    require_bedrock(bedrock)
    parameters = _rows(parameters, sites)
    return _solve(_column(parameters, sites, bedrock, taper))


def soil_carbon(
    parameters: ArrayLike,
    sites: xr.Dataset,
    *,
    bedrock: Bedrock = "closed",
    taper: Taper = "clm",
) -> FloatArray:
    """Steady-state soil organic carbon of every layer, gC m-3, shape (n, layers).

    The sum of the fast, slow and passive pools; 0 below a closed bedrock. Arguments as in `pools`.
    """
    return soil_of(pools(parameters, sites, bedrock=bedrock, taper=taper))


def soil_carbon_at_depth(
    parameters: ArrayLike,
    sites: xr.Dataset,
    *,
    bedrock: Bedrock = "closed",
    taper: Taper = "clm",
    interpolation: Interpolation = "linear",
) -> FloatArray:
    """Steady-state soil organic carbon at the observed depths, gC m-3, shape (n, observation).

    NaN where a site has no further observation. Arguments as in `pools` and
    `proda_lib.depths.interpolate_to_depth`.
    """
    layers = soil_carbon(parameters, sites, bedrock=bedrock, taper=taper)
    return interpolate_to_depth(layers, sites, bedrock=bedrock, interpolation=interpolation)


def default_run(
    sites: xr.Dataset,
    *,
    parameters: ArrayLike = CLM5_DEFAULT,
    bedrock: Bedrock = "closed",
    taper: Taper = "clm",
) -> FloatArray:
    """Steady state with CLM5's own parameters, gC m-3, shape (n, 7, layers) (specification 2.2).

    As the original default run: transfers out of the fast pool follow each layer's sand, the water
    scalar is taken as it is, and litter enters layer by layer where the study knows it
    (`layered_litter_input`), otherwise with beta = 0.95. With bedrock closed, layered input below
    bedrock is added to the bedrock layer, so that no carbon is lost. `parameters` varies the
    default, for example with CLM4.5's e-folding depth; its fs1s2, fs1s3 and w-scaling are not used.
    """
    require_bedrock(bedrock)
    parameters = _rows(parameters, sites)
    column = _column(parameters, sites, bedrock, taper, scaled_water=False)
    grid = GRIDS[sites.attrs["soil_grid"]]
    fractions = np.repeat(column.fractions, grid.layers, axis=1)
    fast, slow, passive = range(4, 7)
    fractions[..., slow, fast], fractions[..., passive, fast] = sand_rule(sites["sand"].values)
    inputs = column.inputs
    if "layered_litter_input" in sites:
        inputs = sites["layered_litter_input"].values / DAYS_PER_YEAR
        if bedrock == "closed":
            inputs = _gather_above_bedrock(inputs, sites["bedrock_layer"].values, grid)
    return _solve(column._replace(fractions=fractions, inputs=inputs))


def soil_of(pools: ArrayLike) -> FloatArray:
    """Soil organic carbon of pools: fast + slow + passive, gC m-3, shape (..., layers)."""
    return np.asarray(pools)[..., SOIL, :].sum(axis=-2)


def respiration(pools: ArrayLike, parameters: ArrayLike, sites: xr.Dataset) -> FloatArray:
    """Carbon respired per year by each site's pools, gC m-2 yr-1, shape (n,).

    The sum over pools and layers of (1 - fractions passed on) xi K X; in steady state with bedrock
    closed it equals the input. For runs with `parameters`, not for the default run.
    """
    parameters = _rows(parameters, sites)
    rates = decomposition_rates(parameters, sites)
    respired = 1 - transfer_fractions(parameters).sum(axis=-2)
    grid = GRIDS[sites.attrs["soil_grid"]]
    decomposed = (rates * np.asarray(pools) * grid.thickness).sum(axis=-1)
    return DAYS_PER_YEAR * (respired * decomposed).sum(axis=-1)


def _rows(parameters: ArrayLike, sites: xr.Dataset) -> FloatArray:
    """Broadcast parameter vectors to the sites, shape (n, 21)."""
    n = sites.sizes.get("site", sites.sizes.get("cell"))
    if n is None:
        raise ValueError("sites has neither a dimension site nor cell: select rows with a slice")
    values = np.asarray(parameters, dtype=float)
    if values.shape not in ((len(NAMES),), (n, len(NAMES))):
        raise ValueError(
            f"parameters have shape {values.shape}, allowed are ({len(NAMES)},) for all sites or "
            f"({n}, {len(NAMES)}) for the {n} sites given"
        )
    values = np.broadcast_to(values, (n, len(NAMES)))
    bad = ~np.isfinite(values)
    if bad.any():
        row, column = np.argwhere(bad)[0]
        raise ValueError(f"parameter {NAMES[column]} of row {row} is not finite: leave the row out")
    return values


def _column(
    parameters: FloatArray,
    sites: xr.Dataset,
    bedrock: Bedrock,
    taper: Taper,
    scaled_water: bool = True,
) -> _Column:
    value = by_name(parameters)
    grid = GRIDS[sites.attrs["soil_grid"]]
    last_year = sites["active_layer_depth_last_year"].values
    layer = sites["bedrock_layer"].values.astype(int)
    depth = np.maximum(sites["active_layer_depth"].values, last_year)
    exchange = mixing(depth, layer, grid, bedrock=bedrock, taper=taper)
    thawed = (last_year > 0).all(axis=-1)
    share = input_share(value["beta"], layer, thawed, grid, bedrock=bedrock)
    rates = decomposition_rates(parameters, sites, scaled_water=scaled_water)
    if bedrock == "closed":
        # Nothing lies below bedrock: any positive rate keeps 0 / rate at 0 there.
        below_bedrock = np.arange(1, grid.layers + 1) > layer[:, None]
        rates = np.where(below_bedrock[:, None], 1.0, rates)
    return _Column(
        rates,
        transfer_fractions(parameters)[:, None],
        input_density(sites["litter_input"].values, share, grid),
        *exchange.rates(value["diffus"], value["cryo"]),
    )


def _gather_above_bedrock(
    inputs: FloatArray, layer: NDArray[np.int_], grid: SoilGrid
) -> FloatArray:
    """Move input density below bedrock into the bedrock layer, keeping gC m-2."""
    amount = inputs * grid.thickness
    number = np.arange(1, grid.layers + 1)
    base = np.asarray(layer)[:, None, None]
    lost = np.where(number > base, amount, 0.0).sum(axis=-1, keepdims=True)
    amount = np.where(number > base, 0.0, amount) + np.where(number == base, lost, 0.0)
    return amount / grid.thickness


def _solve(column: _Column) -> FloatArray:
    rates, above, below = column.rates, column.above, column.below
    state = np.empty_like(rates)
    state[:, 0] = column.inputs[:, 0] / rates[:, 0]
    outflow = np.empty_like(rates[:, :4])
    outflow[:, 0] = column.inputs[:, 0]
    for litter in (1, 2, 3):
        gained = column.inputs[:, litter] + column.fractions[..., litter, 0] * outflow[:, 0]
        state[:, litter] = _solve_litter(rates[:, litter], gained, above, below)
        outflow[:, litter] = rates[:, litter] * state[:, litter]
    gained = np.einsum("nlij,njl->nil", _each_layer(column, slice(0, 4)), outflow)
    state[:, SOIL] = _solve_soil(column, gained)
    return state


def _each_layer(column: _Column, donors: slice) -> FloatArray:
    """Fractions that reach the soil pools, shape (n, layers, 3, donors)."""
    layers = column.rates.shape[-1]
    fractions = column.fractions[..., SOIL, donors]
    return np.broadcast_to(fractions, (len(fractions), layers, *fractions.shape[2:]))


def _solve_litter(
    loss: FloatArray, gained: FloatArray, above: FloatArray, below: FloatArray
) -> FloatArray:
    """Solve one tridiagonal system per site, from the surface down and back up; (n, layers).

    `held` is the loss that a layer and everything above it keep of what mixing brings them.
    """
    n, layers = loss.shape
    weight, collected = np.empty((layers, n)), np.empty((layers, n))
    held = carried = np.zeros(n)
    for j in range(layers):
        total = loss[:, j] + above[:, j] * held
        weight[j] = 1 / (total + below[:, j])
        held = total * weight[j]
        collected[j] = gained[:, j] + above[:, j] * carried
        carried = collected[j] * weight[j]
    state = np.empty((n, layers))
    under = np.zeros(n)
    for j in reversed(range(layers)):
        under = state[:, j] = (collected[j] + below[:, j] * under) * weight[j]
    return state


def _solve_soil(column: _Column, gained: FloatArray) -> FloatArray:
    """Solve the block tridiagonal system of the soil pools, from the base up; (n, 3, layers)."""
    n, _, layers = gained.shape
    identity = np.eye(3)
    rates = column.rates[:, SOIL]
    passed = _each_layer(column, SOIL)
    inverse, collected = np.empty((layers, n, 3, 3)), np.empty((layers, n, 3))
    held, carried = np.zeros((n, 3, 3)), np.zeros((n, 3))
    for j in reversed(range(layers)):
        loss = (identity - passed[:, j]) * rates[:, None, :, j]
        total = loss + column.below[:, j, None, None] * held
        inverse[j] = _inverse(total + column.above[:, j, None, None] * identity)
        held = total @ inverse[j]
        collected[j] = gained[:, :, j] + column.below[:, j, None] * carried
        carried = np.einsum("nij,nj->ni", inverse[j], collected[j])
    state = np.empty((n, 3, layers))
    over = np.zeros((n, 3))
    for j in range(layers):
        source = collected[j] + column.above[:, j, None] * over
        over = state[:, :, j] = np.einsum("nij,nj->ni", inverse[j], source)
    return state


def _inverse(matrix: FloatArray) -> FloatArray:
    """Inverse of 3 x 3 matrices by cofactors, scaled by columns so that nothing underflows."""
    scale = np.einsum("nii->ni", matrix)
    a, b, c = np.moveaxis(matrix / scale[:, None, :], 2, 0)
    cofactors = np.stack([np.cross(b, c), np.cross(c, a), np.cross(a, b)], axis=1)
    determinant = np.einsum("ni,ni->n", a, cofactors[:, 0])
    return cofactors / determinant[:, None, None] / scale[:, :, None]
