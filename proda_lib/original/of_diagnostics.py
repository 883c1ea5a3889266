"""Slips of what is computed from fitted parameters: bulk processes, figures, comparisons."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from proda_lib import metrics, steady_state
from proda_lib.depths import interpolate_to_depth
from proda_lib.environment import depth_scalar
from proda_lib.equation import TURNOVER, Terms, decomposition_rates, terms, transfer_fractions
from proda_lib.forcing import Forcing, forcing_of
from proda_lib.ignored_variation import input_moved
from proda_lib.inputs import input_share
from proda_lib.original.effects import Effect, Ground, monthly_scalars, relative, stock
from proda_lib.parameters import PRODA, by_name
from proda_lib.processes import published_allocation
from proda_lib.proportional_change import STEPS
from proda_lib.soil_grid import CLM5
from proda_lib.steady_state import soil_of

__all__ = [
    "binn_decomposition",
    "bulk_effects",
    "cumulative_mask",
    "efficiencies",
    "figure_effects",
    "net_exchange",
    "soil_modifiers",
]

FloatArray = NDArray[np.float64]

#: Stocks (gC m-2) and residence times (yr) that the original's maps take for valid.
VALID = {"stock": (0.0, 1e6), "residence": (0.0, 1e5)}

_SEEDS = 20  # lots of the sign of a change of input


def bulk_effects(on: Ground) -> dict[str, Effect]:
    """Effects on the bulk processes, by key."""
    forcing = forcing_of(on.sites)
    term = terms(on.parameters, forcing)
    pools = steady_state.pools(on.parameters, on.sites)
    beta = by_name(on.parameters)["beta"]
    share = input_share(beta, thawed=forcing.thawed)
    nudged = share.copy()
    nudged[:, 0] += 1e-15
    index, moved = published_allocation(share), published_allocation(nudged)
    right, means, airless = soil_modifiers(on.parameters, forcing, soil_of(pools))
    cue, with_debris, without_nitrogen = efficiencies(term, forcing, pools)
    gross, net = net_exchange(term, soil_of(pools))
    carbon = (pools * CLM5.thickness).sum(axis=-1)
    rate = np.stack([1 / term.value[name] for name in TURNOVER], axis=-1)
    ours = (rate[:, 4:] * carbon[:, 4:]).sum(axis=1) / carbon[:, 4:].sum(axis=1)
    return {
        "12a": Effect("index of allocation, against beta", relative(index, beta)),
        "12b": Effect("index, for 1e-15 more input on top", relative(moved, index)),
        "12c": Effect("bulk environmental modifier", relative(means, right)),
        "12d": Effect("bulk environmental modifier", relative(airless, right)),
        "12e": Effect("bulk CUE", relative(cue, with_debris)),
        "12f": Effect("bulk CUE", relative(without_nitrogen, cue)),
        "12g": Effect("exchange between layers, gross against net", relative(gross, net)),
        "26o": Effect("bulk decomposition", relative(binn_decomposition(rate, pools), ours)),
        "26p": Effect("baseline residence time", relative(np.zeros(1), np.ones(1))),
    }


def soil_modifiers(
    parameters: FloatArray, forcing: Forcing, soil: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Bulk environmental modifier as it is, as a product of means, and without oxygen, (n,) each.

    Parameters
    ----------
    parameters : ndarray, shape (n, 21)
    forcing : Forcing
        Of n sites.
    soil : ndarray, shape (n, layers)
        Soil carbon, gC m-3.
    """
    warmth, water = monthly_scalars(parameters, forcing)
    weight = soil * CLM5.thickness
    weight = weight / weight.sum(axis=1, keepdims=True)
    weight = weight * depth_scalar(CLM5.node, by_name(parameters)["efolding"][:, None])
    by_layer = (
        (warmth * water * forcing.oxygen).mean(axis=1),
        warmth.mean(axis=1) * water.mean(axis=1) * forcing.oxygen.mean(axis=1),
        (warmth * water).mean(axis=1),
    )
    right, means, airless = ((weight * layers).sum(axis=1) for layers in by_layer)
    return right, means, airless


def efficiencies(
    term: Terms, forcing: Forcing, pools: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Bulk CUE as it is, with woody debris as a donor, and without nitrogen, (n,) each.

    Parameters
    ----------
    term : Terms
        Of n sites.
    forcing : Forcing
    pools : ndarray, shape (n, 7, layers)
        gC m-3.
    """
    rates = decomposition_rates(term)
    passed = transfer_fractions(term.value, CLM5.layers).sum(axis=-2).swapaxes(-1, -2)
    unlimited = rates.copy()
    unlimited[:, 1:4] *= (term.soil / term.litter)[:, None]

    def efficiency(rate: FloatArray, first: int) -> FloatArray:
        lost = (rate * pools * CLM5.thickness)[:, first:]
        return (passed[:, first:] * lost).sum(axis=(1, 2)) / lost.sum(axis=(1, 2))

    return efficiency(rates, 1), efficiency(rates, 0), efficiency(unlimited, 1)


def net_exchange(term: Terms, soil: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Carbon that leaves its layer, and what crosses interfaces on balance, gC m-2 day-1, (n,).

    Parameters
    ----------
    term : Terms
        Of n sites.
    soil : ndarray, shape (n, layers)
        Soil carbon, gC m-3.
    """
    carbon = soil * CLM5.thickness
    down, up = term.exchange.down * carbon, term.exchange.up * carbon
    return (down + up).sum(axis=1), np.abs(down[:, :-1] - up[:, 1:]).sum(axis=1)


def binn_decomposition(rate: FloatArray, pools: FloatArray) -> FloatArray:
    """Bulk decomposition as BINN_Demo computes it, yr-1, shape (n,).

    Mean rate of all seven pools, weighted by sums of concentrations: thickness is multiplied in
    with a wrong shape and cancels.

    Parameters
    ----------
    rate : ndarray, shape (n, 7)
        yr-1.
    pools : ndarray, shape (n, 7, layers)
        gC m-3.

    Examples
    --------
    >>> one = np.array([[[2.0, 0.0]] + 6 * [[0.0, 1.0]]])
    >>> round(float(binn_decomposition(np.array([[4.0] + 6 * [0.0]]), one)[0]), 6)
    1.0
    """
    concentration = pools.sum(axis=-1)
    return (rate * concentration).sum(axis=1) / concentration.sum(axis=1)


def figure_effects(on: Ground, *, draws: int = 20) -> dict[str, Effect]:
    """Effects on what is read from files and drawn, by key; draws stand for bootstrap networks."""
    sites, parameters = on.sites, on.parameters
    own = stock(parameters, sites)
    more = stock(parameters, sites.assign(litter_input=sites["litter_input"] * (1 + STEPS[-1])))
    observed = sites["observed_soc"].values
    uniform, default = (
        interpolate_to_depth(soil, sites)
        for soil in (
            steady_state.soil_carbon(parameters.mean(axis=0), sites),
            soil_of(steady_state.default_run(sites)),
        )
    )
    unexplained = [1 - metrics.efficiency(observed, soc) for soc in (uniform, default)]
    vectors = PRODA.to_physical(on.unit[:, :draws])
    whole = np.stack(
        [stock(vectors[:, k], sites, float(CLM5.interface[-1])) for k in range(vectors.shape[1])]
    )
    litter = sites["litter_input"].sum(("litter", "month")).values
    return {
        "13a": Effect("SOC stock, 0-1 m", relative(more, own)),
        "13b": Effect("unexplained share said to be the default's", relative(*unexplained)),
        "13c": Effect("total stock of a bootstrap", cumulative_mask(whole, whole / litter)),
        "15a": _lots(on, own),
    }


def cumulative_mask(stocks: FloatArray, residence: FloatArray) -> FloatArray:
    """Change of totals by a mask that keeps what earlier bootstraps masked, percent, (bootstrap,).

    Parameters
    ----------
    stocks, residence : ndarray, shape (bootstrap, n)
        gC m-2 and yr; valid inside `VALID`.

    Examples
    --------
    >>> cumulative_mask(np.array([[1.0, 2e6], [1.0, 3.0]]), np.ones((2, 2))).tolist()
    [0.0, -75.0]
    """
    inside = np.ones(stocks.shape, dtype=bool)
    for values, (low, high) in zip((stocks, residence), VALID.values(), strict=True):
        inside &= (values > low) & (values < high)
    growing = np.logical_and.accumulate(inside, axis=0)
    totals = [np.where(mask, stocks, 0).sum(axis=1) for mask in (growing, inside)]
    return relative(*totals)


def _lots(on: Ground, own: FloatArray) -> Effect:
    """Spread of the mean stock over lots of the sign; carbon is proportional to its input."""
    try:
        places = [input_moved(on.sites, seed=seed)[0] for seed in range(_SEEDS)]
    except ValueError:
        return Effect("the standard deviation of NPP is not among its covariates", np.empty(0))
    first = on.sites["litter_input"].sum(("litter", "month")).values
    factors = [p["litter_input"].sum(("litter", "month")).values / first for p in places]
    means = np.array([(own * factor).mean() for factor in factors])
    return Effect("mean stock of the sites, from lot to lot", relative(means, means.mean()))
