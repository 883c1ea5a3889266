"""What the batch assimilation reports of its chains: one Dataset, with units."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from proda_lib import diagnostics
from proda_lib.batch_target import BatchData, target
from proda_lib.chunk import Options
from proda_lib.compiled import jax
from proda_lib.configurations import configuration as configuration_of
from proda_lib.posterior import QUANTILES, coordinates
from proda_lib.scores import gelman_rubin_original

__all__ = ["carbon", "of_chains"]

FloatArray = NDArray[np.float64]

#: Values per chain of `trace`, evenly spaced.
_TRACE = 500

_VARIABLES: dict[str, tuple[tuple[str, ...], str, str]] = {
    "parameter_mean": (("parameter",), "1", "posterior mean"),
    "parameter_sd": (("parameter",), "1", "posterior standard deviation"),
    "parameter_quantile": (("quantile", "parameter"), "1", "posterior quantiles"),
    "draws": (("draw", "parameter"), "1", "vectors drawn from the posterior"),
    "parameter_rhat": (("parameter",), "1", "rank-normalised split R-hat"),
    "parameter_ess_bulk": (("parameter",), "1", "effective sample size, bulk, all chains"),
    "parameter_ess_tail": (("parameter",), "1", "effective sample size, 5 and 95 % quantile"),
    "rhat": ((), "1", "largest R-hat of parameters and cost"),
    "ess_bulk": ((), "1", "smallest bulk effective sample size of these"),
    "gelman_rubin": (("parameter",), "1", "the original's Gelman-Rubin statistic"),
    "chain_mean": (("chain", "parameter"), "1", "mean of each chain"),
    "chain_sd": (("chain", "parameter"), "1", "standard deviation of each chain"),
    "trace": (("chain", "record", "parameter"), "1", "values of each chain, evenly spaced"),
    "trace_cost": (("chain", "record"), "1", "cost J, all profiles together, at these values"),
    "acceptance": (("chain",), "1", "share of accepted iterations"),
    "evaluations": (("chain",), "1", "costs computed, all attempts together"),
    "redos": (("chain",), "1", "repetitions for acceptance outside the limits"),
    "restarts": (("chain",), "1", "test runs repeated since the last redo"),
    "within_limits": (("chain",), "1", "whether the acceptance lies within the variant's limits"),
    "used": (("site",), "1", "whether the profile was part of the batch"),
    "reason": (("site",), "1", "why a profile was not part of the batch"),
    "soc_mean": ((), "gC m-3", "modelled SOC, mean over the drawn vectors"),
    "soc_sd": ((), "gC m-3", "modelled SOC, standard deviation over the drawn vectors"),
}


def carbon(mean: FloatArray, sd: FloatArray, dimensions: tuple[str, ...]) -> xr.Dataset:
    """Return modelled SOC as a Dataset with units.

    Examples
    --------
    >>> carbon(np.ones((2, 3)), np.zeros((2, 3)), ("cell", "layer")).soc_mean.attrs["units"]
    'gC m-3'
    """
    return xr.Dataset(
        {
            name: (dimensions, values, _attributes(name))
            for name, values in {"soc_mean": mean, "soc_sd": sd}.items()
        }
    )


def of_chains(
    found: Sequence[dict[str, NDArray[Any]]],
    data: BatchData,
    options: Options,
    sites: xr.Dataset,
    reasons: NDArray[np.object_],
) -> xr.Dataset:
    """Summarise the chains of a batch assimilation.

    Parameters
    ----------
    found : sequence of dict
        Of `proda_lib.batch_chain.run_exact` or `proda_lib.batch_published.run_published`.
    data : BatchData
        What they ran on.
    options : Options
    sites : Dataset
        All sites that were given.
    reasons : ndarray of str, shape (site,)
        Why a site was left out, "" if it was not.

    Returns
    -------
    Dataset
        Parameters are positions in the prior range. Mean, quantiles and draws are those of all
        chains together or, for the published sampler, of the chain `chosen` (attribute).
    """
    published = options.sampler == "published"
    random = np.random.default_rng([options.seed, 5])
    chosen = int(random.integers(len(found)))
    units = [each["unit"] for each in found]
    used = units[chosen] if published else np.concatenate(units)
    values = _posterior(used, options.draws, random)
    values |= _chains(found, data, options) | _of_sampler(found, options)
    values |= {"used": reasons == "", "reason": reasons.astype(str)}
    variables = {n: (_VARIABLES[n][0], np.asarray(v), _attributes(n)) for n, v in values.items()}
    model = configuration_of(options.configuration)
    result = xr.Dataset(variables, coordinates(options.box, model.names))
    places = {n: sites[n] for n in ("profile_id", "lon", "lat") if n in sites.coords}
    attributes = _options_told(options) | ({"chosen": chosen} if published else {})
    counts = {
        "profiles": int((reasons == "").sum()),
        "observations": int((np.asarray(data.weight) > 0).sum()),
        "forcings": len(data.forcing.thawed),
    }
    return result.assign_coords(places).assign_attrs(attributes | counts)


def _posterior(unit: FloatArray, draws: int, random: np.random.Generator) -> dict[str, Any]:
    chosen = random.choice(len(unit), size=draws, replace=draws > len(unit))
    return {
        "parameter_mean": unit.mean(axis=0),
        "parameter_sd": unit.std(axis=0, ddof=1),
        "parameter_quantile": np.quantile(unit, QUANTILES, axis=0),
        "draws": unit[chosen],
    }


def _chains(
    found: Sequence[dict[str, NDArray[Any]]], data: BatchData, options: Options
) -> dict[str, Any]:
    """Diagnose the chains of either sampler."""
    shortest = min(len(each["unit"]) for each in found)
    if shortest < 4:
        raise RuntimeError(f"a chain has {shortest} values: use more iterations (formal)")
    length = min(_TRACE, shortest)
    trace = np.stack([_evenly(each["unit"], length) for each in found])
    cost = _trace_cost(found, trace, data, options)
    every = np.stack([_evenly(each["unit"], shortest) for each in found])
    summary = diagnostics.summary(every)
    of_cost = diagnostics.summary(cost)
    return {
        "trace": trace,
        "trace_cost": cost,
        "parameter_rhat": summary.rhat,
        "parameter_ess_bulk": summary.ess_bulk,
        "parameter_ess_tail": summary.ess_tail,
        "rhat": max(summary.rhat.max(), float(of_cost.rhat)),
        "ess_bulk": summary.ess_bulk.min(),
        "chain_mean": [each["unit"].mean(axis=0) for each in found],
        "chain_sd": [each["unit"].std(axis=0, ddof=1) for each in found],
        "acceptance": [float(each["acceptance"]) for each in found],
        "evaluations": [int(each["evaluations"]) for each in found],
    }


def _trace_cost(
    found: Sequence[dict[str, NDArray[Any]]], trace: FloatArray, data: BatchData, options: Options
) -> FloatArray:
    """Cost at the values of the trace; the published sampler has not kept it."""
    if "cost" in found[0]:
        return np.stack([_evenly(each["cost"], trace.shape[1]) for each in found])
    energy = target(options.likelihood, options.box, configuration=options.configuration)
    flat = trace.reshape(-1, trace.shape[-1])
    return np.asarray(_costs(energy, flat, data)).reshape(trace.shape[:-1])


def _costs(energy: Any, unit: FloatArray, data: BatchData) -> Any:
    return jax.jit(lambda unit, data: jax.lax.map(lambda one: energy(one, data), unit))(unit, data)


def _of_sampler(found: Sequence[dict[str, NDArray[Any]]], options: Options) -> dict[str, Any]:
    """Report what the published sampler alone has."""
    if options.sampler != "published":
        return {}
    variant = options.published_variant()
    acceptance = np.array([float(each["acceptance"]) for each in found])
    mean = np.array([each["unit"].mean(axis=0) for each in found])
    sd = np.array([each["unit"].std(axis=0, ddof=1) for each in found])
    accepted = np.array([int(each["accepted"]) for each in found])
    lengths = np.array([len(each["unit"]) for each in found])
    return {
        "gelman_rubin": gelman_rubin_original(mean, sd**2 * (lengths - 1)[:, None], accepted),
        "redos": [int(each["redos"]) for each in found],
        "restarts": [int(each["restarts"]) for each in found],
        "within_limits": (variant.fewest <= acceptance) & (acceptance <= variant.most),
    }


def _evenly(values: FloatArray, count: int) -> FloatArray:
    return values[np.linspace(0, len(values) - 1, count).round().astype(int)]


def _attributes(name: str) -> dict[str, str]:
    _, units, meaning = _VARIABLES[name]
    return {"units": units, "long_name": meaning}


def _options_told(options: Options) -> dict[str, Any]:
    names = ["sampler", "likelihood", "configuration", "bedrock", "interpolation", "weights"]
    names += ["chains", "test", "formal", "seed"]
    names += ["variant"] if options.sampler == "published" else []
    return {
        "title": "Batch data assimilation: one parameter vector for all profiles",
        **{name: getattr(options, name) for name in names},
        "prior": options.prior[0],
        "parameters_are": "positions in the prior range, 0 to 1 (see prior_lower, prior_upper)",
    }
