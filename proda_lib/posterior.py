"""What is kept of the chains of many sites: one Dataset, with units.

Parameters are positions in the prior range, 0 to 1 (`parameter_*` and `draws`); `prior_lower` and
`prior_upper` say what the range stands for.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from proda_lib.parameters import PARAMETERS, PriorBox
from proda_lib.sampler import Draws
from proda_lib.scores import efficiency, r2_original

__all__ = [
    "PAIRS",
    "QUANTILES",
    "coordinates",
    "correlations",
    "described",
    "evenly",
    "of_draws",
    "of_published",
]

FloatArray = NDArray[np.float64]

#: Quantiles of parameters and of modelled SOC.
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)

#: The original's criterion of convergence: the mean over parameters must be smaller.
GELMAN_RUBIN = 1.05

#: How many pairs of parameters the final Dataset holds.
PAIRS = 20

_SOC = "gC m-3"
_CHAIN = "of each chain's mean modelled SOC"

#: Dimensions after site, unit and meaning of every variable.
_VARIABLES: dict[str, tuple[tuple[str, ...], str, str]] = {
    "parameter_mean": (("parameter",), "1", "posterior mean"),
    "parameter_sd": (("parameter",), "1", "posterior standard deviation"),
    "parameter_mode": (("parameter",), "1", "mode of each parameter's own posterior distribution"),
    "parameter_best_fit": (("parameter",), "1", "most probable point of the cooled posterior"),
    "parameter_quantile": (("quantile", "parameter"), "1", "posterior quantiles"),
    "parameter_rhat": (("parameter",), "1", "rank-normalised split R-hat"),
    "parameter_ess_bulk": (("parameter",), "1", "effective sample size, bulk"),
    "parameter_ess_tail": (("parameter",), "1", "effective sample size, 5 and 95 % quantile"),
    "parameter_mcse": (("parameter",), "1", "Monte Carlo standard error of the mean"),
    "draws": (("draw", "parameter"), "1", "posterior draws, evenly spaced"),
    "rhat": ((), "1", "largest R-hat of parameters, cost and modelled SOC"),
    "ess_bulk": ((), "1", "smallest bulk effective sample size of these"),
    "ess_tail": ((), "1", "smallest tail effective sample size of these"),
    "soc_mean": (("observation",), _SOC, "posterior mean of modelled SOC"),
    "soc_sd": (("observation",), _SOC, "posterior standard deviation of modelled SOC"),
    "soc_quantile": (("quantile", "observation"), _SOC, "posterior quantiles of modelled SOC"),
    "soc_at_mean": (("observation",), _SOC, "SOC modelled with the posterior mean parameters"),
    "soc_best_fit": (("observation",), _SOC, "SOC modelled with the best-fit parameters"),
    "chain_soc_mean": (("chain", "observation"), _SOC, "mean of modelled SOC, by chain"),
    "efficiency": (("chain",), "1", f"efficiency E (equation 37.3) {_CHAIN}"),
    "r2_original": (("chain",), "1", f"the original code's R2 {_CHAIN} (fun_save_da.m)"),
    "correlation_all": (("pair_of_all",), "1", "correlation of two parameters"),
    "correlation": (("pair",), "1", "correlation of the two parameters of a pair"),
    "converged": ((), "1", "whether the chains met the criterion of convergence"),
    "acceptance": (("move",), "1", "accepted share of each kind of move"),
    "evaluations": ((), "1", "evaluations of the cost"),
    "observed_soc": (("observation",), _SOC, "observed SOC"),
    "observed_depth": (("observation",), "m", "depth of the observation"),
    "status": ((), "1", "converged, not converged, excluded or failed"),
    "reason": ((), "1", "why a site is not used"),
    "used": ((), "1", "whether the site has a result that no rule leaves out (see reason)"),
    "chosen": ((), "1", "number of the chain that is used, from 0"),
    "chain_mean": (("chain", "parameter"), "1", "mean of the second half of accepted values"),
    "chain_sd": (("chain", "parameter"), "1", "standard deviation of that half"),
    "gelman_rubin": (("parameter",), "1", "the original's Gelman-Rubin statistic"),
    "rmse": (("chain",), _SOC, "root mean square error, with the original's divisor"),
    "accepted": (("chain",), "1", "accepted values of the formal run"),
    "chain_acceptance": (("chain",), "1", "accepted share of the formal run"),
    "redos": (("chain",), "1", "times that a chain was redone for its acceptance"),
}


#: What means something else in the results of the published sampler.
_OF_PUBLISHED = {
    "parameter_mean": "mean of the second half of the chosen chain's accepted values",
    "parameter_sd": "standard deviation of that half",
    "parameter_mode": "mode of an extreme value distribution fitted to that half",
    "parameter_quantile": "quantiles of that half",
    "parameter_rhat": "rank-normalised split R-hat of the second halves of all chains",
    "parameter_ess_bulk": "effective sample size, bulk, of 1,000 accepted values per chain",
    "parameter_ess_tail": "effective sample size, 5 and 95 % quantile, of the same",
    "parameter_mcse": "Monte Carlo standard error of the mean, of the same",
    "draws": "values of the second half of the chosen chain, evenly spaced",
    "rhat": "largest R-hat of the parameters",
    "ess_bulk": "smallest bulk effective sample size of the parameters",
    "ess_tail": "smallest tail effective sample size of the parameters",
    "soc_mean": "mean of SOC modelled with that half",
    "soc_sd": "standard deviation of SOC modelled with that half",
    "soc_quantile": "quantiles of SOC modelled with that half",
    "soc_at_mean": "SOC modelled with parameter_mean",
    "converged": "whether the mean of the original's Gelman-Rubin statistic is below 1.05",
    "used": "whether the site has a result and is kept by the chapter's rules (see converged)",
}


def described(values: dict[str, ArrayLike], sampler: str = "exact") -> xr.Dataset:
    """Return variables as a Dataset with their dimensions, units and meanings.

    Parameters
    ----------
    values : dict of str to array_like
        Known names to arrays with the leading axis site.
    sampler : {"exact", "published"}
        Decides what some names mean.

    Examples
    --------
    >>> described({"rhat": [1.002, 1.01]}).rhat.attrs["units"]
    '1'
    """
    variables = {}
    for name, value in values.items():
        dimensions, units, meaning = _VARIABLES[name]
        if sampler == "published":
            meaning = _OF_PUBLISHED.get(name, meaning)
        attributes = {"units": units, "long_name": meaning}
        variables[name] = (("site", *dimensions), np.asarray(value), attributes)
    return xr.Dataset(variables)


def of_draws(
    draws: Draws, observed: ArrayLike, modes: ArrayLike, best: ArrayLike, keep: int
) -> xr.Dataset:
    """Summarise the exact sampler's draws, the modelled SOC being what it watched.

    Parameters
    ----------
    draws : Draws
    observed : array_like, shape (site, observation)
        SOC, gC m-3; NaN pads.
    modes, best : array_like, shape (site, parameter)
        Point estimates, see `proda_lib.estimates`.
    keep : int
        Draws per site that are kept.
    """
    observed = np.asarray(observed, dtype=float)
    pads = np.where(np.isnan(observed), np.nan, 0.0)
    unit = draws.unit.reshape(len(observed), -1, draws.unit.shape[-1])
    soc = draws.watched.reshape(len(observed), -1, observed.shape[1])
    parameters = slice(0, unit.shape[-1])
    found = draws.diagnostics
    chain_soc = draws.watched_chain_mean + pads[:, None]
    return described(
        {
            "parameter_mean": draws.mean,
            "parameter_sd": draws.sd,
            "parameter_mode": modes,
            "parameter_best_fit": best,
            "parameter_quantile": _quantiles(unit),
            "parameter_rhat": found.rhat[:, parameters],
            "parameter_ess_bulk": found.ess_bulk[:, parameters],
            "parameter_ess_tail": found.ess_tail[:, parameters],
            "parameter_mcse": found.mcse[:, parameters],
            "draws": evenly(unit, keep).astype(np.float32),
            "rhat": draws.worst.rhat,
            "ess_bulk": draws.worst.ess_bulk,
            "ess_tail": draws.worst.ess_tail,
            "soc_mean": draws.watched_mean + pads,
            "soc_sd": draws.watched_sd + pads,
            "soc_quantile": _quantiles(soc) + pads[:, None],
            "chain_soc_mean": chain_soc,
            "efficiency": efficiency(observed[:, None], chain_soc),
            "r2_original": r2_original(observed[:, None], chain_soc),
            "correlation_all": correlations(unit),
            "converged": draws.converged,
            "acceptance": draws.acceptance,
            "evaluations": draws.evaluations.sum(axis=1),
        }
    )


def of_published(
    result: Any, modes: ArrayLike, found: Any, watched: ArrayLike, keep: int
) -> xr.Dataset:
    """Summarise the published sampler's chains; what has no chain is that of the chosen one.

    Parameters
    ----------
    result : proda_lib.published_sampler.PublishedResult
    modes : array_like, shape (site, parameter)
        The original's mode, see `proda_lib.estimates.gev_modes`.
    found : proda_lib.diagnostics.Diagnostics
        Of the kept values of all chains, each of shape (site, parameter).
    watched : array_like, shape (site, draw, observation)
        SOC modelled with evenly spaced values of the chosen chain, gC m-3.
    keep : int
        Draws per site that are kept.
    """
    unit = np.asarray(result.of_chosen("draws"), dtype=float)
    pads = 0 * result.soc_mean[:, 0]
    return described(
        {
            "parameter_mean": result.of_chosen("mean"),
            "parameter_sd": result.of_chosen("sd"),
            "parameter_mode": modes,
            "parameter_quantile": _quantiles(unit),
            "parameter_rhat": found.rhat,
            "parameter_ess_bulk": found.ess_bulk,
            "parameter_ess_tail": found.ess_tail,
            "parameter_mcse": found.mcse,
            "draws": evenly(unit, keep).astype(np.float32),
            "rhat": found.rhat.max(axis=1),
            "ess_bulk": found.ess_bulk.min(axis=1),
            "ess_tail": found.ess_tail.min(axis=1),
            "soc_mean": result.of_chosen("soc_mean"),
            "soc_sd": result.of_chosen("soc_sd"),
            "soc_quantile": _quantiles(np.asarray(watched)) + pads[:, None],
            "chain_soc_mean": result.soc_mean,
            "efficiency": result.efficiency,
            "r2_original": result.r2_original,
            "correlation_all": correlations(unit),
            "converged": result.gelman_rubin.mean(axis=1) < GELMAN_RUBIN,
            "evaluations": _evaluations(result),
            "chosen": result.chosen,
            "chain_mean": result.mean,
            "chain_sd": result.sd,
            "gelman_rubin": result.gelman_rubin,
            "rmse": result.rmse,
            "accepted": result.accepted,
            "chain_acceptance": result.acceptance,
            "redos": result.redos,
        },
        "published",
    )


def _evaluations(result: Any) -> NDArray[np.int_]:
    """Count evaluations of the cost, those of chains and test runs that were repeated too."""
    variant = result.variant
    redone = np.nan_to_num(result.redos, nan=variant.redos / variant.chains).sum(axis=1)
    again = np.nan_to_num(result.restarts).sum(axis=1)
    whole = variant.test + variant.formal
    return ((variant.chains + redone) * whole + again * variant.test).round().astype(int)


def _quantiles(draws: FloatArray) -> FloatArray:
    """Quantiles over axis 1 of (site, draw, ...), as (site, quantile, ...)."""
    return np.moveaxis(np.quantile(draws, QUANTILES, axis=1), 0, 1)


def evenly(draws: FloatArray, keep: int) -> FloatArray:
    """Take evenly spaced draws (axis 1), all of them if there are not more than `keep`.

    Examples
    --------
    >>> evenly(np.arange(10)[None], 4).tolist()
    [[0, 3, 6, 9]]
    """
    count = draws.shape[1]
    return draws[:, np.linspace(0, count - 1, min(keep, count)).round().astype(int)]


def correlations(draws: FloatArray) -> NDArray[np.float32]:
    """Correlation of every two parameters in each site's draws, (site, pair), row by row.

    Examples
    --------
    >>> x = np.linspace(0, 1, 5)
    >>> correlations(np.stack([x, x, -x], axis=-1)[None]).round(6).tolist()
    [[1.0, -1.0, -1.0]]
    """
    first, second = np.triu_indices(draws.shape[-1], k=1)
    deviation = draws - draws.mean(axis=1, keepdims=True)
    with np.errstate(invalid="ignore", divide="ignore"):
        deviation = deviation / np.sqrt((deviation**2).sum(axis=1, keepdims=True))
    matrix = np.swapaxes(deviation, 1, 2) @ deviation
    return matrix[:, first, second].astype(np.float32)


def coordinates(box: PriorBox, names: Sequence[str]) -> dict[str, Any]:
    """Coordinates of parameters and quantiles, for a prior box and the parameters' names."""
    # The chapter's configuration has one parameter that CLM5's table lacks.
    known = {p.name: (p.unit, p.process) for p in PARAMETERS} | {"maxpsi": ("MPa", "xi")}
    return {
        "parameter": ("parameter", list(names)),
        "parameter_units": ("parameter", [known[name][0] for name in names]),
        "parameter_process": ("parameter", [known[name][1] for name in names]),
        "prior_lower": ("parameter", np.asarray(box.lower, dtype=float)),
        "prior_upper": ("parameter", np.asarray(box.upper, dtype=float)),
        "quantile": ("quantile", list(QUANTILES)),
    }
