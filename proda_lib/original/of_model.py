"""Slips of the model and of its forcing: what they do to soil carbon at sites."""

from __future__ import annotations

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from proda_lib import matrices, steady_state
from proda_lib.environment import depth_scalar
from proda_lib.equation import decomposition_rates, terms
from proda_lib.forcing import forcing_of, monthly_forcing_of
from proda_lib.inputs import input_share
from proda_lib.original.effects import Effect, Ground, monthly_scalars, relative, stock
from proda_lib.parameters import (
    BINN,
    CLM5_DEFAULT,
    NAMES,
    POOLS,
    PRODA,
    by_name,
    index,
    sand_rule,
)
from proda_lib.soil_grid import CLM5
from proda_lib.stocks import interval_stock

__all__ = ["MISORDERED", "MONTHS", "model_effects", "rate_with_months", "with_sand"]

FloatArray = NDArray[np.float64]

#: Days of the months, and as TRENDY_CLM5 and BINN_Demo list them.
MONTHS = np.array([31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])
MISORDERED = np.array([31, 30, 31, 28, 31, 30, 31, 31, 30, 31, 30, 31])

_METRE = "SOC stock, 0-1 m"
_WHOLE = "SOC stock of the column"
_BOTTOM = float(CLM5.interface[-1])
_MIDDLE = np.full(len(NAMES), 0.5)

#: Position in the prior range that stands for a lower limit of 0, which has no solution.
_NEAR_ZERO = 0.01


def model_effects(on: Ground, *, dense: int = 20) -> dict[str, Effect]:
    """Effects of the slips of stage "model", by key.

    Parameters
    ----------
    on : Ground
    dense : int
        Sites for which the full matrices are solved, which is slow.
    """
    return _bedrock(on) | _limits(on) | _default(on) | _in_time(on) | _binn(on) | _digits(on, dense)


def _replaced(parameters: FloatArray, name: str, value: float) -> FloatArray:
    changed = parameters.copy()
    changed[..., index(name)] = value
    return changed


def _bedrock(on: Ground) -> dict[str, Effect]:
    sites, parameters = on.sites, on.parameters
    layer = sites["bedrock_layer"].values.astype(int)
    deeper = sites.assign(bedrock_layer=np.minimum(sites["bedrock_layer"] + 1, CLM5.layers))
    closed = stock(parameters, sites, _BOTTOM)
    share = input_share(by_name(parameters)["beta"], thawed=forcing_of(sites).thawed)
    below = np.where(np.arange(1, CLM5.layers + 1) > layer[:, None], share, 0.0).sum(axis=1)
    leaking = stock(parameters, sites, _BOTTOM, bedrock="published")
    return {
        "1a": Effect(f"{_WHOLE}, all of the bedrock rule", relative(leaking, closed)),
        "1b": Effect(_WHOLE, relative(stock(parameters, deeper, _BOTTOM), closed)),
        "2a": Effect("carbon input above bedrock", -100 * below),
    }


def _limits(on: Ground) -> dict[str, Effect]:
    own, sites = on.parameters, on.sites
    found = {}
    for key, name, right in (
        ("3a", "efolding", BINN.lower[index("efolding")]),
        ("3b", "w-scaling", CLM5_DEFAULT[index("w-scaling")]),
    ):
        low = PRODA.to_physical(np.full(len(NAMES), _NEAR_ZERO))[index(name)]
        pair = (stock(_replaced(own, name, value), sites) for value in (low, right))
        words = f"{_METRE}, {name} {low:.2g} against {right:.2g}"
        found[key] = Effect(words, relative(*pair))
    middle, mean = stock(PRODA.to_physical(_MIDDLE), sites), stock(own, sites)
    narrow = stock(BINN.to_physical(_MIDDLE), sites)
    return found | {
        "21a": Effect(f"{_METRE}, middle of the box", relative(middle, mean)),
        "26a": Effect(f"{_METRE}, middles of the boxes", relative(narrow, middle)),
    }


def _default(on: Ground) -> dict[str, Effect]:
    def run(sites: xr.Dataset, parameters: FloatArray = CLM5_DEFAULT) -> FloatArray:
        pools = steady_state.default_run(sites, parameters=parameters)
        return interval_stock(steady_state.soil_of(pools), 0.0, 1.0)

    sites, (most, least) = on.sites, sand_rule([0.0, 100.0])[0]
    limit = 100 * (most - PRODA.upper[index("fs1s2")]) / (most - least)
    own = run(sites)
    inside = run(sites, _replaced(CLM5_DEFAULT, "efolding", PRODA.upper[index("efolding")]))
    enough = run(sites.assign(sand=np.maximum(sites["sand"], limit)))
    half = run(sites.assign(sand=0 * sites["sand"] + 50.0))
    return {
        "4a": Effect(f"{_METRE}, default against nearest in the prior", relative(own, inside)),
        "4b": Effect(f"{_METRE}, default against nearest in the prior", relative(own, enough)),
        "26h": Effect(f"{_METRE}, default run", relative(half, own)),
    }


def with_sand(parameters: FloatArray, sites: xr.Dataset) -> FloatArray:
    """Stock of the upper metre with fitted parameters but sand's fractions, gC m-2, shape (n,)."""
    bare = sites.drop_vars("layered_litter_input", errors="ignore")
    return stock(parameters, steady_state.prepare(bare, default_run=True))


def rate_with_months(
    parameters: FloatArray, sites: xr.Dataset, days: NDArray[np.int_]
) -> FloatArray:
    """Weigh months by days in the decomposition of the column's soil carbon, relative, shape (n,).

    The environmental modifier of each layer, mean over the year with the given days of the months,
    weighted by the layer's carbon; to be compared between lists of days.

    Parameters
    ----------
    parameters : ndarray, shape (n, 21)
    sites : Dataset
    days : ndarray of int, shape (12,)

    Examples
    --------
    >>> from proda_lib import studies
    >>> sites = studies.load("twin", "smoke").sites.isel(site=slice(2))
    >>> vectors = np.tile(CLM5_DEFAULT, (2, 1))
    >>> two = rate_with_months(vectors, sites, 2 * MONTHS)  # only the proportions count
    >>> bool(np.allclose(two, rate_with_months(vectors, sites, MONTHS)))
    True
    """
    forcing = forcing_of(sites)
    warmth, water = monthly_scalars(parameters, forcing)
    year = np.einsum("m,nml->nl", days / days.sum(), warmth * water * forcing.oxygen)
    carbon = steady_state.soil_carbon(parameters, sites) * CLM5.thickness
    weight = carbon * depth_scalar(CLM5.node, by_name(parameters)["efolding"][:, None])
    return (weight * year).sum(axis=1)


def _in_time(on: Ground) -> dict[str, Effect]:
    sites, parameters = on.sites, on.parameters
    own, litter = stock(parameters, sites), sites["litter_input"]
    copied = litter.copy()
    metabolic, lignin = 1, 3  # behind woody debris
    copied[{"litter": lignin}] = litter.isel(litter=metabolic).values
    rates = [rate_with_months(parameters, sites, days) for days in (MISORDERED, MONTHS)]
    residence = stock(parameters, sites, _BOTTOM) / litter.sum(("litter", "month")).values
    twelfth = stock(parameters, sites.assign(litter_input=litter / 12))
    return {
        "17a": Effect("decomposition rate of soil carbon", relative(*rates)),
        "18a": Effect(_METRE, relative(with_sand(parameters, sites), own)),
        "18b": Effect(f"{_METRE}, in the long run", relative(twelfth, own)),
        "18c": Effect(
            "most that a pool loses in a month; unstable above 200", 100 * _lost_in_a_month(on),
            "% of the pool",
        ),
        "19b": Effect(_METRE, relative(stock(parameters, sites.assign(litter_input=copied)), own)),
        "23a": Effect("residence time, to be compared with the length of history", residence, "yr"),
    }  # fmt: skip


def _lost_in_a_month(on: Ground) -> FloatArray:
    """Largest product of rate and month of metabolic litter and fast carbon, top layer, (n,)."""
    vectors = np.repeat(on.parameters[:, None], 12, axis=1)
    rates = decomposition_rates(terms(vectors, monthly_forcing_of(on.sites)))
    fast = [POOLS.index(pool) for pool in ("litter1", "soil1")]
    return (rates[:, :, fast, 0] * MONTHS[:, None]).max(axis=(1, 2))


def _binn(on: Ground) -> dict[str, Effect]:
    sites, parameters = on.sites, on.parameters
    last = sites["active_layer_depth_last_year"]
    spread = last.where(~(last.mean("month") > 0), np.maximum(last, 1e-6))
    own = stock(parameters, sites)
    wider = stock(parameters, sites.assign(active_layer_depth_last_year=spread))
    tapers = (stock(parameters, sites, bedrock="published", taper=t) for t in ("binn", "clm"))
    return {
        "26d": Effect(_METRE, relative(wider, own)),
        "26e": Effect(_METRE, relative(*tapers)),
    }


def _digits(on: Ground, count: int) -> dict[str, Effect]:
    """Effects of dense solutions in double and single precision."""
    rows = np.unique(np.linspace(0, len(on.parameters) - 1, count).round().astype(int))
    exact = stock(on.parameters[rows], on.sites.isel(site=rows), bedrock="published")
    kept, zeroed, single = [], [], []
    for row in rows:
        model = matrices.matrix_model(
            on.parameters[row], on.sites.isel(site=row), bedrock="published"
        )
        pools = matrices.solve_dense(model)
        kept.append(_of_pools(pools, _BOTTOM))
        zeroed.append(_of_pools(np.maximum(pools, 0), _BOTTOM))
        single.append(_of_pools(_single(model), 1.0))
    return {
        "26c": Effect(f"{_WHOLE}, kept against set to 0", relative(kept, zeroed)),
        "26j": Effect(_METRE, relative(single, exact)),
    }


def _of_pools(pools: FloatArray, lower: float) -> float:
    """Stock of dense pools, (140,), gC m-2."""
    soil = steady_state.soil_of(pools.reshape(len(POOLS), -1))
    return float(interval_stock(soil, 0.0, lower))


def _single(model: matrices.MatrixModel) -> FloatArray:
    system, sources = (each.astype(np.float32) for each in (model.system, -model.input))
    try:
        return np.linalg.solve(system, sources).astype(float)
    except np.linalg.LinAlgError:
        return np.full(len(sources), np.nan)
