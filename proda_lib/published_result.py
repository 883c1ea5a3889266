"""What the published sampler reports of its chains (fun_save_da.m of the original)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from proda_lib.compiled import jax
from proda_lib.published_chain import Energy
from proda_lib.published_variants import Variant
from proda_lib.published_wave import Attempt, Ended
from proda_lib.scores import efficiency, gelman_rubin_original, r2_original

__all__ = ["QUANTILES", "ChainSummary", "PublishedResult", "collect", "gev_mode", "summarise"]

FloatArray = NDArray[np.float64]

#: Probabilities of the reported quantiles.
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)

#: Values of a second half at which SOC is modelled, evenly spaced.
_MODELLED = 1000


@dataclass(frozen=True)
class ChainSummary:
    """One chain: the second half of its accepted values, and SOC modelled with them.

    Attributes are those of `PublishedResult` of the same names, for one site and chain.
    """

    mean: FloatArray
    sd: FloatArray
    quantiles: FloatArray
    draws: FloatArray
    soc_mean: FloatArray
    soc_sd: FloatArray
    accepted: int
    acceptance: float
    given_up: int
    restarts: int
    redos: int
    scale: float


@dataclass(frozen=True)
class PublishedResult:
    """Chains of many sites; all parameters in the unit cube. NaN where a site failed.

    Attributes
    ----------
    variant : Variant
    seed : int
    identities : ndarray of int, shape (site,)
    failed : ndarray of bool, shape (site,)
        More chains were redone than allowed.
    mean, sd : ndarray, shape (site, chain, d)
        Of the second half of the accepted values, all of them, repeats not counted.
    quantiles : ndarray, shape (site, chain, d, quantile)
        At `QUANTILES`.
    draws : ndarray of float32, shape (site, chain, keep, d)
        Evenly spaced values of the second half.
    soc_mean, soc_sd : ndarray, shape (site, chain, observation)
        Modelled SOC over up to 1,000 evenly spaced values, gC m-3.
    accepted, given_up, restarts, redos : ndarray, shape (site, chain)
        Accepted values; iterations that found no proposal inside the bounds; test runs repeated
        since the last redo; repetitions for acceptance outside the limits.
    acceptance : ndarray, shape (site, chain)
        As of the last acceptance.
    scale : ndarray, shape (site, chain)
        Factor on the covariance of the steps after the redos.
    r2_original, efficiency : ndarray, shape (site, chain)
        Of the mean modelled SOC, see `proda_lib.scores`.
    rmse : ndarray, shape (site, chain)
        Of the mean modelled SOC, gC m-3, with the original's divisor (fun_save_da.m).
    gelman_rubin : ndarray, shape (site, d)
        The original's statistic; it judged by the mean over parameters, < 1.05.
    chosen : ndarray of int, shape (site,)
        Chain that is used; -1 where the site failed.
    """

    variant: Variant
    seed: int
    identities: NDArray[np.int_]
    failed: NDArray[np.bool_]
    mean: FloatArray
    sd: FloatArray
    quantiles: FloatArray
    draws: NDArray[np.float32]
    soc_mean: FloatArray
    soc_sd: FloatArray
    accepted: FloatArray
    acceptance: FloatArray
    given_up: FloatArray
    restarts: FloatArray
    redos: FloatArray
    scale: FloatArray
    r2_original: FloatArray
    efficiency: FloatArray
    rmse: FloatArray
    gelman_rubin: FloatArray
    chosen: NDArray[np.int_]

    def of_chosen(self, name: str) -> FloatArray:
        """Return an attribute (site, chain, ...) for the chosen chains, (site, ...)."""
        values = getattr(self, name)
        return values[np.arange(len(values)), np.maximum(self.chosen, 0)]


@partial(jax.jit, static_argnames=("predict",))
def _modelled(predict: Energy, unit: Any, row: Any) -> Any:
    return jax.vmap(predict, (0, None))(unit, row)


def summarise(attempt: Attempt, ended: Ended, predict: Energy, row: Any, keep: int) -> ChainSummary:
    """Summarise a chain that is kept; `row` is its site's data."""
    half = ended.half
    soc = np.asarray(_modelled(predict, _evenly(half, _MODELLED), row))
    return ChainSummary(
        mean=half.mean(axis=0),
        sd=half.std(axis=0, ddof=1),
        quantiles=np.quantile(half, QUANTILES, axis=0).T,
        draws=_evenly(half, keep).astype(np.float32),
        soc_mean=soc.mean(axis=0),
        soc_sd=soc.std(axis=0, ddof=1),
        accepted=ended.accepted,
        acceptance=ended.acceptance,
        given_up=ended.given_up,
        restarts=attempt.restarts,
        redos=attempt.redos,
        scale=attempt.scale,
    )


def nothing(dimension: int, keep: int, observations: int) -> ChainSummary:
    """Summary of no chain: NaN in the shapes of one.

    Examples
    --------
    >>> nothing(2, 3, 4).draws.shape
    (3, 2)
    """
    parameters, soc = np.full(dimension, np.nan), np.full(observations, np.nan)
    return ChainSummary(
        mean=parameters,
        sd=parameters,
        quantiles=np.full((dimension, len(QUANTILES)), np.nan),
        draws=np.full((keep, dimension), np.nan, np.float32),
        soc_mean=soc,
        soc_sd=soc,
        accepted=0,
        acceptance=np.nan,
        given_up=0,
        restarts=0,
        redos=0,
        scale=np.nan,
    )


def _evenly(values: FloatArray, count: int) -> FloatArray:
    """Take evenly spaced rows, some of them repeatedly if there are fewer than `count`."""
    return values[np.arange(count) * len(values) // count]


def collect(
    chains: Mapping[tuple[int, int], ChainSummary],
    redos: NDArray[np.int_],
    observed: FloatArray,
    layers: ArrayLike,
    identities: NDArray[np.int_],
    variant: Variant,
    seed: int,
    blank: ChainSummary,
) -> PublishedResult:
    """Put the chains of all sites together and choose one of each.

    Parameters
    ----------
    chains : mapping of (site, chain) to ChainSummary
    redos : ndarray of int, shape (site,)
        Chains redone at each site, all together.
    observed : ndarray, shape (site, observation)
    layers : array_like of int, shape (site,)
        Divisor of the RMSE.
    blank : ChainSummary
        What stands where there is no chain, see `nothing`.
    """
    sites, failed = len(observed), redos > variant.redos
    fields: dict[str, Any] = {}
    for name, first in vars(blank).items():
        kind = np.float32 if name == "draws" else float
        values = np.full((sites, variant.chains, *np.shape(first)), np.nan, kind)
        for (site, number), summary in chains.items():
            if not failed[site]:
                values[site, number] = getattr(summary, name)
        fields[name] = values
    rmse = _rmse(observed[:, None], fields["soc_mean"], np.asarray(layers)[:, None])
    chosen = [
        -1 if failed[i] else _choice(variant, rmse[i], seed, identities[i]) for i in range(sites)
    ]
    shown = np.where(np.isnan(observed)[:, None], np.nan, fields["soc_mean"])
    fields["soc_mean"], fields["soc_sd"] = shown, fields["soc_sd"] + 0 * shown
    return PublishedResult(
        variant,
        seed,
        identities,
        failed,
        **fields,
        r2_original=r2_original(observed[:, None], shown),
        efficiency=efficiency(observed[:, None], shown),
        rmse=rmse,
        gelman_rubin=_gelman_rubin(fields["mean"], fields["sd"], fields["accepted"]),
        chosen=np.array(chosen),
    )


def _rmse(observed: FloatArray, modelled: FloatArray, layers: FloatArray) -> FloatArray:
    """RMSE whose divisor is the raw number of layers, before any were left out (fun_save_da.m)."""
    total = np.where(np.isfinite(observed), (modelled - observed) ** 2, 0).sum(axis=-1)
    return np.sqrt(total / layers)


def _choice(variant: Variant, rmse: FloatArray, seed: int, identity: int) -> int:
    if variant.chosen == "lowest rmse":
        return int(np.argmin(rmse))
    return int(np.random.default_rng([seed, identity]).integers(len(rmse)))


def _gelman_rubin(mean: FloatArray, sd: FloatArray, accepted: FloatArray) -> FloatArray:
    squares = sd**2 * (accepted - accepted // 2 - 1)[..., None]
    rows = zip(mean, squares, accepted, strict=True)
    return np.array([gelman_rubin_original(*row) for row in rows])


def gev_mode(values: ArrayLike) -> FloatArray:
    """Compute the original's "MLE", the mode of a fitted extreme value distribution.

    The distribution is fitted to each parameter; its mode is mu + s ((1 + k)^-k - 1) / k, and mu if
    k = 0. Slow: some tenths of a second for each parameter.

    Parameters
    ----------
    values : array_like, shape (n, d)
        Values of one chain, for example `PublishedResult.draws` of a site's chosen chain.

    Returns
    -------
    ndarray, shape (d,)
    """
    from scipy.stats import genextreme

    columns = np.asarray(values, dtype=float).T
    return np.array([_mode(*genextreme.fit(c, 0.1, loc=c.mean(), scale=c.std())) for c in columns])


def _mode(shape: float, location: float, scale: float) -> float:
    k = -shape  # SciPy's sign is the other one
    # From k = -1 on, that of uniform values, the density is highest at its upper end.
    return location if k == 0 else location + scale * (max(1 + k, 0.0) ** -k - 1) / k
