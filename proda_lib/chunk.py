"""Data assimilation of a few sites in one process: what a worker does.

`Options` holds every choice that a result depends on, in a form that can be sent to another
process and compared.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from proda_lib import cost, diagnostics, estimates, posterior
from proda_lib.compiled import jax
from proda_lib.configurations import configuration as configuration_of
from proda_lib.parameters import PRIORS, PriorBox
from proda_lib.published_sampler import VARIANTS, Variant
from proda_lib.published_sampler import run as run_published
from proda_lib.sampler import Settings, sample

__all__ = ["EXACT", "Options", "assimilate_chunk"]

FloatArray = NDArray[np.float64]
Tell = Callable[[float], None]

_USUAL = Settings()

#: The exact sampler's numbers, named like those of the published one; iterations per chain.
EXACT = {
    "chains": _USUAL.chains,
    "test": _USUAL.warmup * _USUAL.block,
    "formal": _USUAL.most * _USUAL.block,
}

#: Sites whose SOC is modelled side by side: a fixed number, so that no result depends on it.
_BATCH = 16

#: Chains of the published sampler side by side: a multiple of the three chains of a site.
_LANES = 192

#: Values per chain of the published sampler from which diagnostics are computed.
_KEPT = 1000


@dataclass(frozen=True)
class Options:
    """All choices of an assimilation but the sites, see `proda_lib.assimilation`.

    Attributes
    ----------
    sampler, variant, likelihood, configuration, bedrock, interpolation : str
    prior : tuple of (name, lower, upper)
        Of a box; the limits as tuples.
    chains, test, formal : int
        Iterations per chain: of the test run or warm-up, and (at most) of the formal run.
    ess, rhat : float
        The exact sampler's stop rule.
    draws : int
        Draws per site that are kept.
    seed : int
    """

    sampler: str
    variant: str
    likelihood: str
    configuration: str
    bedrock: str
    interpolation: str
    prior: tuple[str, tuple[float, ...], tuple[float, ...]]
    chains: int
    test: int
    formal: int
    ess: float
    rhat: float
    draws: int
    seed: int

    @property
    def box(self) -> PriorBox:
        """The prior box, the same object whenever the numbers are the same."""
        return _box(*self.prior)

    @property
    def weights(self) -> cost.Weights:
        """Weights of the likelihood "proda"."""
        return VARIANTS[self.variant].weights if self.sampler == "published" else "rank"

    def settings(self) -> Settings:
        """Return the exact sampler's settings."""
        usual = _USUAL
        # Iterations come in blocks.
        warmup, most = (-(-length // usual.block) for length in (self.test, self.formal))
        check = min(usual.check, most)
        records = usual.block // usual.thin * check
        return replace(
            usual, chains=self.chains, warmup=warmup, check=check, most=most, ess=self.ess,
            rhat=self.rhat, stored=min(usual.stored, records),
        )  # fmt: skip

    def published_variant(self) -> Variant:
        """Return the published sampler's numbers."""
        usual = VARIANTS[self.variant]
        return replace(
            usual, chains=self.chains, test=self.test, formal=self.formal,
            adapt_from=min(usual.adapt_from, self.formal // 5),
        )  # fmt: skip


@lru_cache
def _box(name: str, lower: tuple[float, ...], upper: tuple[float, ...]) -> PriorBox:
    known = PRIORS.get(name)
    if known is not None and (tuple(known.lower), tuple(known.upper)) == (lower, upper):
        return known
    return PriorBox(name, "given by the user", np.array(lower), np.array(upper))


def assimilate_chunk(payload: tuple[xr.Dataset, Any, Options], tell: Tell) -> xr.Dataset:
    """Assimilate sites and summarise their posteriors.

    Parameters
    ----------
    payload : (sites, identities, options)
        Sites in the common form, each with observations; a number of each site, from which its
        random numbers follow.
    tell : callable
        Takes the share that is done.
    """
    sites, identities, options = payload
    model = configuration_of(options.configuration)
    data = cost.site_data(
        sites,
        configuration=model,
        bedrock=options.bedrock,
        interpolation=options.interpolation,
        weights=options.weights,
    )
    energy = cost.target(options.likelihood, options.box, configuration=model)
    predict = cost.counted_prediction(options.box, model)
    work = _exact if options.sampler == "exact" else _published
    found = work(energy, predict, data, sites["observed_soc"].values, identities, options, tell)
    pads = np.where(np.isnan(sites["observed_soc"].values), np.nan, 0.0)
    for soc, unit in (("soc_at_mean", "parameter_mean"), ("soc_best_fit", "parameter_best_fit")):
        if unit in found:
            modelled = _modelled(predict, found[unit].values[:, None], data)[:, 0]
            found = found.merge(posterior.described({soc: modelled + pads}, options.sampler))
    return found


def _exact(
    energy: Any, predict: Any, data: Any, observed: Any, identities: Any, options: Options,
    tell: Tell,
) -> xr.Dataset:  # fmt: skip
    draws = sample(
        energy,
        data,
        identities,
        options.settings(),
        options.seed,
        dimensions=len(options.prior[1]),
        watch=predict,
        progress=lambda finished, total: tell(finished / total),
    )
    unit = draws.unit.reshape(len(observed), -1, draws.unit.shape[-1])
    best, _ = estimates.best_fit(energy, data, unit, draws.energy.reshape(len(observed), -1))
    return posterior.of_draws(draws, observed, estimates.marginal_mode(unit), best, options.draws)


def _published(
    energy: Any, predict: Any, data: Any, observed: Any, identities: Any, options: Options,
    tell: Tell,
) -> xr.Dataset:  # fmt: skip
    result = run_published(
        energy,
        predict,
        data,
        observed,
        identities,
        options.published_variant(),
        seed=options.seed,
        dimension=len(options.prior[1]),
        keep=_KEPT,
        lanes=_LANES,
        progress=tell,
    )
    chosen = np.asarray(result.of_chosen("draws"), dtype=float)
    found = diagnostics.summary(np.moveaxis(np.asarray(result.draws, dtype=float), 0, 2))
    some = posterior.evenly(chosen, options.draws)
    soc = _modelled(predict, np.nan_to_num(some, nan=0.5), data)
    modes = estimates.gev_modes(chosen)
    return posterior.of_published(result, modes, found, soc, options.draws)


@partial(jax.jit, static_argnames=("predict",))
def _batch(predict: Any, unit: Any, data: Any) -> Any:
    return jax.vmap(jax.vmap(predict, (0, None)))(unit, data)


def _modelled(predict: Any, unit: FloatArray, data: Any) -> FloatArray:
    """SOC modelled with several parameter vectors per site, (site, draw, observation)."""
    parts = []
    for first in range(0, len(unit), _BATCH):
        rows = np.minimum(np.arange(first, first + _BATCH), len(unit) - 1)
        part = _batch(predict, unit[rows], jax.tree.map(lambda leaf: leaf[rows], data))  # noqa: B023
        parts.append(np.asarray(part)[: len(unit) - first])
    return np.concatenate(parts)
