"""Site-level data assimilation: the posterior of the parameters at every soil profile.

`assimilate_sites` sends sites in chunks to all cores or to a cluster. What comes back depends on
the sites, the options and the seed alone, not on workers, chunks or interruptions: every site has
random numbers of its own. Sites that cannot be used keep their row, with the reason.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from proda_lib import cost, posterior, progress, workers
from proda_lib.chunk import EXACT, Options
from proda_lib.chunks import Chunks
from proda_lib.configurations import CLM5_20, Configuration
from proda_lib.configurations import configuration as configuration_of
from proda_lib.depths import Interpolation
from proda_lib.moves import MOVES
from proda_lib.nearest import check_allowed
from proda_lib.parameters import PriorBox
from proda_lib.published_sampler import VARIANTS
from proda_lib.transport import Bedrock
from proda_lib.usable import unusable

__all__ = ["ESTIMATES", "SAMPLERS", "assimilate_sites", "exclusions", "physical", "point_estimate"]

FloatArray = NDArray[np.float64]

SAMPLERS = ("exact", "published")

#: Named point estimates: of the posterior mean, of each parameter's own mode, and the best fit.
ESTIMATES = ("mean", "mode", "best_fit")

#: Values of rows without a result, where they are not NaN.
_FILL = {"converged": False, "evaluations": 0, "chosen": -1}


def assimilate_sites(
    sites: xr.Dataset,
    *,
    sampler: Literal["exact", "published"] = "exact",
    variant: Literal["code", "chapter"] = "code",
    likelihood: cost.Likelihood = "proda",
    prior: PriorBox | None = None,
    configuration: str | Configuration = CLM5_20,
    bedrock: Bedrock | None = None,
    interpolation: Interpolation | None = None,
    chains: int | None = None,
    test: int | None = None,
    formal: int | None = None,
    ess: float = 400.0,
    rhat: float = 1.01,
    draws: int = 100,
    seed: int = 0,
    chunk: int | None = None,
    workers: int | None = None,
    scheduler: workers.Scheduler = None,
    folder: Path | None = None,
    show: bool = True,
) -> xr.Dataset:
    """Estimate the parameters at every site.

    Parameters
    ----------
    sites : Dataset
        Soil profiles in the common form.
    sampler : {"exact", "published"}
        `proda_lib.sampler`, or `proda_lib.published_sampler` in a variant.
    variant : {"code", "chapter"}
        Of the published sampler.
    likelihood : {"proda", "lognormal"}
        See `proda_lib.cost.target`.
    prior : PriorBox, optional
        By default the configuration's own.
    bedrock, interpolation : str, optional
        Bottom of the soil and reading at the observed depths; by default "closed" and "linear", for
        the published sampler "published" and "pchip" as in the original.
    chains, test, formal : int, optional
        Chains per site, and iterations of each: of the test run or the warm-up, and of the formal
        run (the exact sampler's stop rule ends it earlier). By default 8, 6,000 and 64,000, or
        those of the published variant.
    ess, rhat : float
        Stop rule of the exact sampler: effective sample size, in bulk and tails, that every
        parameter, the cost and SOC at every depth must reach, and R-hat that none may exceed.
    draws : int
        Draws per site that are kept.
    seed : int
        Not negative; with `profile_id` it fixes a site's random numbers.
    chunk : int, optional
        Sites of one task: after a kill, what each worker loses at most. By default 64 for the exact
        sampler and up to 192 for the published one, which repeats some chains at the end of each.
    workers, scheduler
        How many processes, or where else the tasks run, see `proda_lib.workers`.
    folder : Path, optional
        Where finished chunks are kept; a run that was killed goes on there. They stay, so that
        nothing is lost before the result is saved: then `proda_lib.parts.forget` removes them.
    show : bool
        Whether to draw a progress bar.

    Returns
    -------
    Dataset
        One row per site given, in their order, see `proda_lib.posterior`; `status`, `reason` and
        `used` say what became of each.

    Raises
    ------
    ValueError
        If an option is unknown or impossible, or if no site can be used.
    RuntimeError
        If every site fails.
    """
    options = _options(
        sampler, variant, likelihood, prior, configuration, bedrock, interpolation,
        chains, test, formal, ess, rhat, draws, seed,
    )  # fmt: skip
    if chunk is not None and chunk < 1:
        raise ValueError(f"chunk is {chunk}, it must be at least 1")
    reasons = unusable(sites, single=sampler == "exact")
    rows = np.flatnonzero(reasons == "")
    if not len(rows):
        raise ValueError(
            f"none of {len(reasons)} sites can be assimilated: {', '.join(sorted(set(reasons)))}"
        )
    chunks = Chunks(sites, _identities(sites), options, folder)
    length = chunk or (64 if sampler == "exact" else min(192, max(32, -(-len(rows) // 2))))
    split = [rows[i : i + length] for i in range(0, len(rows), length)]
    with progress.shown("sites", len(rows), visible=show) as done:
        chunks.run(split, done, workers, scheduler)
    return _assembled(chunks, sites, reasons)


def _options(
    sampler: str, variant: str, likelihood: str, prior: PriorBox | None, configuration: Any,
    bedrock: str | None, interpolation: str | None, chains: int | None, test: int | None,
    formal: int | None, ess: float, rhat: float, draws: int, seed: int,
) -> Options:  # fmt: skip
    check_allowed("sampler", sampler, SAMPLERS)
    check_allowed("variant", variant, tuple(VARIANTS))
    check_allowed("likelihood", likelihood, cost.LIKELIHOODS)
    check_allowed("bedrock", bedrock or "closed", ("closed", "published"))
    check_allowed("interpolation", interpolation or "linear", ("linear", "pchip"))
    if not (0 <= ess < np.inf and 1 <= rhat < np.inf):
        raise ValueError(f"ess is {ess}, rhat is {rhat}: give an ess of 0 or more, an rhat from 1")
    published = sampler == "published"
    model = configuration_of(getattr(configuration, "name", configuration))
    box = prior or model.prior
    usual = vars(VARIANTS[variant]) if published else EXACT
    counts = {"chains": chains, "test": test, "formal": formal}
    counts = {name: usual[name] if count is None else count for name, count in counts.items()}
    least = {"chains": 2, "test": 100, "formal": 1000, "draws": 1}
    for name, count in (counts | {"draws": draws, "seed": seed}).items():
        if not isinstance(count, int | np.integer) or count < least.get(name, 0):
            raise ValueError(
                f"{name} is {count!r}, it must be a whole number, at least {least.get(name, 0)}"
            )
    return Options(
        sampler=sampler,
        variant=variant,
        likelihood=likelihood,
        configuration=model.name,
        bedrock=bedrock or ("published" if published else "closed"),
        interpolation=interpolation or ("pchip" if published else "linear"),
        prior=(box.name, tuple(map(float, box.lower)), tuple(map(float, box.upper))),
        ess=float(ess),
        rhat=float(rhat),
        draws=int(draws),
        seed=int(seed),
        **{name: int(count) for name, count in counts.items()},
    )


def _identities(sites: xr.Dataset) -> NDArray[np.int64]:
    """Return the number of each site that fixes its random numbers: its profile's, if it serves."""
    if "profile_id" in sites.coords:
        numbers = sites["profile_id"].values
        whole = np.issubdtype(numbers.dtype, np.integer)
        if whole and len(np.unique(numbers)) == len(numbers) and numbers.min() >= 0:
            return numbers.astype(np.int64)
    return np.arange(sites.sizes["site"])


def _assembled(chunks: Chunks, sites: xr.Dataset, reasons: NDArray[np.str_]) -> xr.Dataset:
    """Put parts together, in the order of the sites, with what there is to say of each."""
    if not chunks.found:
        told = "; ".join(sorted(set(chunks.failed.values())))
        raise RuntimeError(f"all {len(chunks.failed)} sites failed: {told}")
    options, model = chunks.options, configuration_of(chunks.options.configuration)
    found = xr.concat(chunks.found, dim="site").sortby("site")
    fill = {name: _FILL.get(name, np.nan) for name in map(str, found.data_vars)}
    found = found.reindex(site=np.arange(len(reasons)), fill_value=fill).drop_vars("site")
    for row, text in chunks.failed.items():
        reasons[row] = text
    status = np.where(found.converged, "converged", "not converged").astype(object)
    status[np.isnan(found.parameter_mean.values).all(axis=1)] = "failed"
    status[reasons != ""] = "excluded"
    status[list(chunks.failed)] = "failed"
    reasons = _told(reasons, status, found, options)
    copied = {name: sites[name] for name in ("observed_soc", "observed_depth")}
    found = found.merge(
        posterior.described(
            {"status": status.astype(str), "reason": reasons.astype(str), "used": reasons == ""}
            | {name: values.values for name, values in copied.items()},
            options.sampler,
        )
    )
    names = ("profile_id", "location_id", "lon", "lat")
    places = {name: sites[name] for name in names if name in sites.coords}
    found = found.assign_coords(places | posterior.coordinates(options.box, model.names))
    if "move" in found.dims:
        found = found.assign_coords(move=list(MOVES))
    return _with_pairs(found, model.names).assign_attrs(_attributes(options, found, sites))


def _told(
    reasons: NDArray[np.str_], status: NDArray[np.object_], found: xr.Dataset, options: Options
) -> NDArray[np.object_]:
    """Say of every site that is not used why."""
    told = reasons.astype(object)
    told[(status == "failed") & (told == "")] = "too many chains redone"
    if options.sampler == "exact":
        told[status == "not converged"] = "not converged"
        return told
    chosen = np.maximum(found.chosen.values, 0).astype(int)
    e = found.efficiency.values[np.arange(len(chosen)), chosen]
    told[(told == "") & (e < 0)] = "efficiency below 0"
    told[(told == "") & np.isnan(e)] = "efficiency undefined"
    return told


def _with_pairs(found: xr.Dataset, names: Sequence[str]) -> xr.Dataset:
    """Keep the correlations that are largest over sites, and name their parameters."""
    every = found.correlation_all.values
    some = every[np.isfinite(every).all(axis=1)]
    size = np.abs(some, dtype=float).mean(axis=0) if len(some) else np.zeros(every.shape[1])
    most = np.argsort(-size, kind="stable")[: posterior.PAIRS]
    first, second = (np.array(names)[i[most]] for i in np.triu_indices(len(names), k=1))
    pairs = posterior.described({"correlation": every[:, most]})
    pairs = pairs.assign_coords(pair_first=("pair", first), pair_second=("pair", second))
    return found.drop_vars("correlation_all").merge(pairs)


def _attributes(options: Options, found: xr.Dataset, sites: xr.Dataset) -> dict[str, Any]:
    names = ["sampler", "likelihood", "configuration", "bedrock", "interpolation"]
    names += ["chains", "test", "formal", "seed"]
    names += ["variant"] if options.sampler == "published" else ["ess", "rhat"]
    return {
        "title": "Site-level data assimilation of soil organic carbon profiles",
        **{name: getattr(options, name) for name in names},
        "prior": options.prior[0],
        "weights": options.weights,
        "parameters_are": "positions in the prior range, 0 to 1 (see prior_lower, prior_upper)",
        "sites_given": found.sizes["site"],
        "sites_used": int(found.used.sum()),
        **{name: value for name, value in sites.attrs.items() if name != "soil_grid"},
    }


def exclusions(found: xr.Dataset) -> pd.DataFrame:
    """Count the sites that are used and, by reason, those that are not.

    Parameters
    ----------
    found : Dataset
        From `assimilate_sites`.

    Returns
    -------
    DataFrame
        Columns "reason" ("used" first) and "profiles".
    """
    reasons = pd.Series(np.where(found.used, "used", found.reason.values))
    counts = reasons.value_counts()
    order = ["used", *sorted(name for name in counts.index if name != "used")]
    return pd.DataFrame({"reason": order, "profiles": [int(counts.get(name, 0)) for name in order]})


def point_estimate(found: xr.Dataset, name: Literal["mean", "mode", "best_fit"]) -> FloatArray:
    """Return a named point estimate of the parameters, positions in the prior range.

    Parameters
    ----------
    found : Dataset
        From `assimilate_sites`.
    name : {"mean", "mode", "best_fit"}
        "mean": least squared error on average. "mode": of each parameter's own distribution.
        "best_fit": closest to the observations, see `proda_lib.estimates.best_fit`; for the
        published sampler, whose annealing makes it nearly a search for the best fit, use "mean".

    Returns
    -------
    ndarray, shape (site, parameter)
        NaN for sites without a result.
    """
    check_allowed("point estimate", name, ESTIMATES)
    variable = f"parameter_{name}"
    if variable not in found:
        raise ValueError(f"these results hold no {name!r}: use 'mean' or 'mode'")
    return found[variable].values


def physical(found: xr.Dataset, unit: ArrayLike) -> FloatArray:
    """Return parameters in their units (`parameter_units`) from positions in the prior range.

    Parameters
    ----------
    unit : array_like, shape (..., parameter)
    """
    lower, upper = found.prior_lower.values, found.prior_upper.values
    return lower + np.asarray(unit, dtype=float) * (upper - lower)
