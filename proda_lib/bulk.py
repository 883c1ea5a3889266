"""Bulk quantities of one site, compiled; `proda_lib.processes` asks for sites and draws of them."""

from __future__ import annotations

from typing import Any

import numpy as np

from proda_lib import engine
from proda_lib.compiled import jax
from proda_lib.configurations import Configuration
from proda_lib.environment import (
    depth_scalar,
    temperature_scalar,
    water_potential_scalar,
    water_scalar,
)
from proda_lib.equation import TRANSFERS, TURNOVER, Terms, decomposition_rates, terms
from proda_lib.forcing import Forcing
from proda_lib.parameters import POOLS
from proda_lib.transport import DAYS_PER_YEAR

import jax.numpy as jnp  # isort: skip

__all__ = ["OF_SITE"]

#: Pools that microbes decompose: all but woody debris, which only breaks up.
_LITTER, _SOIL = slice(1, 4), slice(4, 7)
_DONORS = slice(1, 7)


def _sound(parameters: Any, forcing: Forcing, configuration: Configuration) -> dict[str, Any]:
    """Quantities of one site."""
    term = terms(parameters, forcing, configuration)
    pools = engine.pools(parameters, forcing, configuration)
    carbon = pools * configuration.grid.thickness
    decomposed = decomposition_rates(term) * carbon
    share = term.inputs.sum(axis=0) * configuration.grid.thickness
    middle = (configuration.grid.top + configuration.grid.interface) / 2
    return _shared(term, carbon, configuration) | {
        "carbon_use_efficiency": _passed_on(term, decomposed),
        "environmental_modifier": _mean(term.soil, carbon[_SOIL].sum(axis=0)),
        "litter_modifier": _mean(term.litter, carbon[_LITTER].sum(axis=0)),
        "input_allocation": _mean(middle, share),
    }


def _published(parameters: Any, forcing: Forcing, configuration: Configuration) -> dict[str, Any]:
    """Quantities of one site as fun_bulk_process.m has them."""
    term = terms(parameters, forcing, configuration)
    carbon = engine.pools(parameters, forcing, configuration) * configuration.grid.thickness
    warmth, water = _monthly(term, forcing, configuration)
    modifier = warmth.mean(axis=0) * water.mean(axis=0)
    modifier = modifier * depth_scalar(configuration.grid.node, term.value["efolding"])
    rate = jnp.stack([1 / term.value[name] for name in TURNOVER])[:, None]
    # fun_var_decom.m: every pool is slowed by nitrogen, and months count by their reciprocal.
    scalars = (1 / (warmth * water * forcing.oxygen * forcing.nitrogen)).mean(axis=0)
    soil = carbon[_SOIL].sum(axis=0)
    shared = _shared(term, carbon, configuration)
    return shared | {
        "carbon_use_efficiency": _passed_on(term, rate * modifier * carbon, mean_fractions=True),
        "environmental_modifier": _mean(modifier, soil),
        "baseline_residence_time": (soil / scalars).sum() / shared["carbon_input"],
    }


def _shared(term: Terms, carbon: jax.Array, configuration: Configuration) -> dict[str, Any]:
    """Quantities that both definitions agree on; carbon of pools and layers, gC m-2."""
    grid, soil = configuration.grid, carbon[_SOIL].sum(axis=0)
    carbon_input = DAYS_PER_YEAR * (term.inputs * grid.thickness).sum()
    rate = jnp.stack([1 / term.value[name] for name in TURNOVER[_SOIL]])
    inside = np.clip(1.0 - grid.top, 0, grid.thickness) / grid.thickness
    return {
        "baseline_decomposition": _mean(rate, carbon[_SOIL].sum(axis=1)),
        "vertical_transport": DAYS_PER_YEAR * _mean(term.exchange.up + term.exchange.down, soil),
        "carbon_input": carbon_input,
        "stock": soil.sum(),
        "stock_1m": (soil * inside).sum(),
        "residence_time": soil.sum() / carbon_input,
        "residence_time_1m": (soil * inside).sum() / carbon_input,
    }


def _mean(values: Any, weight: Any) -> jax.Array:
    return (values * weight).sum() / weight.sum()


def _passed_on(term: Terms, decomposed: Any, mean_fractions: bool = False) -> jax.Array:
    """Share of what litter and soil decompose, (7, layers), that other pools receive."""
    received = 0.0
    for donor, _, name in TRANSFERS:
        if donor != "cwd":
            fraction = jnp.asarray(term.value[name])  # by layer where sand decides
            fraction = fraction.mean() if mean_fractions else fraction
            received += (fraction * decomposed[POOLS.index(donor)]).sum()
    return received / decomposed[_DONORS].sum()


def _monthly(term: Terms, forcing: Forcing, configuration: Configuration) -> tuple[Any, Any]:
    """Scalars of temperature and water of one site, each (12, layers)."""
    warmth = temperature_scalar(forcing.temperature, term.value["q10"])
    if configuration.water == "scalar":
        return warmth, water_scalar(forcing.water, term.value["w-scaling"])
    return warmth, water_potential_scalar(forcing.water, term.value["maxpsi"])


#: By definition: the quantities of one site and vector, for `proda_lib.site_draws.evaluate`.
OF_SITE = {"sound": _sound, "published": _published}
