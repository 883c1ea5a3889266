"""Batch data assimilation: all profiles as one data set, one parameter vector for everywhere.

`assimilate_batch` runs several chains on all cores or on a cluster; each goes on from its last
checkpoint if it was interrupted. `batch_soil_carbon` runs the model with the drawn vectors and
averages. `fit_batch` is the short form for cross-validation.
"""

from __future__ import annotations

from dataclasses import asdict
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from proda_lib import batch_result, cost, progress, workers
from proda_lib.batch_chain import Chain, run_exact
from proda_lib.batch_fit import Batch, fit_batch, random_posterior
from proda_lib.batch_published import run_published
from proda_lib.batch_search import Landscape, search
from proda_lib.batch_target import BatchData, batch_data, moments, soil, stratified_subset, target
from proda_lib.batch_target import prediction as prediction_of
from proda_lib.chunk import Options
from proda_lib.compiled import jax
from proda_lib.configurations import CLM5_20, Configuration
from proda_lib.configurations import configuration as configuration_of
from proda_lib.depths import Interpolation
from proda_lib.files import text_hash
from proda_lib.forcing import forcing_of, row_dimension, rows_of
from proda_lib.nearest import check_allowed
from proda_lib.parameters import PriorBox
from proda_lib.published_variants import VARIANTS
from proda_lib.transport import Bedrock
from proda_lib.usable import unusable

__all__ = [
    "Batch",
    "assimilate_batch",
    "batch_soil_carbon",
    "fit_batch",
    "random_posterior",
    "stratified_subset",
]

FloatArray = NDArray[np.float64]

#: Iterations of the test run or warm-up and of the formal run: the chapter's, and our own.
LENGTHS = {"published": (50_000, 200_000), "exact": (10_000, 40_000)}


def assimilate_batch(
    sites: xr.Dataset,
    *,
    sampler: Literal["exact", "published"] = "exact",
    variant: Literal["code", "chapter"] = "code",
    likelihood: cost.Likelihood = "proda",
    prior: PriorBox | None = None,
    configuration: str | Configuration = CLM5_20,
    bedrock: Bedrock | None = None,
    interpolation: Interpolation | None = None,
    chains: int = 3,
    test: int | None = None,
    formal: int | None = None,
    draws: int = 1000,
    seed: int = 0,
    workers: int | None = None,
    scheduler: workers.Scheduler = None,
    folder: Path | None = None,
    show: bool = True,
) -> xr.Dataset:
    """Estimate one parameter vector from the observations of all sites.

    The cost is the sum of the costs of the single profiles, with the weights of the site level.

    Parameters
    ----------
    sites : Dataset
        Soil profiles in the common form; those that cannot be used are left out, with the reason.
    sampler : {"exact", "published"}
        "exact": draws of the posterior exp(-cost). "published": the original's annealed sampler on
        the same cost, as the chapter describes it for the batch; one chain, chosen at random, is
        used.
    variant : {"code", "chapter"}
        Of the published sampler: weights of the layers and limits of acceptance.
    likelihood, prior, configuration
        As in `proda_lib.assimilation.assimilate_sites`.
    bedrock, interpolation : str, optional
        Bottom of the soil and reading at the observed depths; by default "closed" and "linear", for
        the published sampler "published" and "pchip".
    chains : int
        At least 2, so that their agreement can be judged.
    test, formal : int, optional
        Iterations of each chain: of the test run or warm-up, and of the formal run. By default
        50,000 and 200,000 for the published sampler as in the chapter, else 10,000 and 40,000.
    draws : int
        Parameter vectors that are drawn from the result.
    seed : int
        Not negative; it fixes the result, whoever computes it.
    workers, scheduler
        How many processes, or where else the chains run, see `proda_lib.workers`.
    folder : Path, optional
        Where checkpoints of the chains are kept: a run that was killed loses less than a minute.
        They stay until `proda_lib.parts.forget` removes them.
    show : bool
        Whether to draw a progress bar.

    Returns
    -------
    Dataset
        See `proda_lib.batch_result.of_chains`.

    Raises
    ------
    ValueError
        If an option is unknown or impossible, or if no site can be used.
    RuntimeError
        If a chain fails.

    Examples
    --------
    >>> assimilate_batch(xr.Dataset(), chains=1)
    Traceback (most recent call last):
    ValueError: chains is 1, it must be a whole number, at least 2
    """
    options = _options(
        sampler, variant, likelihood, prior, configuration, bedrock, interpolation,
        chains, test, formal, draws, seed,
    )  # fmt: skip
    reasons = unusable(sites)
    if not (reasons == "").any():
        raise ValueError(
            f"none of {len(reasons)} sites can be assimilated: {', '.join(sorted(set(reasons)))}"
        )
    data = batch_data(
        sites.isel(site=np.flatnonzero(reasons == "")), configuration=options.configuration,
        bedrock=options.bedrock, interpolation=options.interpolation, weights=options.weights,
    )  # fmt: skip
    found = _run(data, options, folder, show, workers, scheduler)
    return batch_result.of_chains(found, data, options, sites, reasons)


def batch_soil_carbon(
    unit: ArrayLike,
    places: xr.Dataset,
    *,
    prior: PriorBox | None = None,
    configuration: str | Configuration = CLM5_20,
    bedrock: Bedrock = "closed",
    interpolation: Interpolation = "linear",
) -> xr.Dataset:
    """Run the model with drawn vectors at every place and average, once per distinct forcing.

    Parameters
    ----------
    unit : array_like, shape (draw, d)
        Positions in the prior range, such as `draws` of `assimilate_batch`.
    places : Dataset
        Sites, or cells of a grid.
    bedrock, interpolation : str
        Bottom of the soil, and reading at the observed depths of sites.

    Returns
    -------
    Dataset
        `soc_mean`, `soc_sd` over the draws, gC m-3: (site, observation) for sites with observed
        depths, NaN pads; (cell, layer) for cells.
    """
    unit = np.atleast_2d(np.asarray(unit, dtype=float))
    model = configuration_of(configuration)
    row = row_dimension(places)
    if "observed_depth" not in places:
        first, which = rows_of(places)
        forcing = forcing_of(places.isel({row: first}), model, bedrock=bedrock)
        found = [values[which] for values in moments(soil(prior, model), unit, forcing)]
        return batch_result.carbon(*found, (row, "layer"))
    data = batch_data(
        places, configuration=model, bedrock=bedrock, interpolation=interpolation
    )  # fmt: skip
    found = moments(prediction_of(prior, model), unit, data)
    there = np.isfinite(places["observed_depth"].values)
    return batch_result.carbon(*(_padded(values, there) for values in found), (row, "observation"))


def _padded(values: FloatArray, there: NDArray[np.bool_]) -> FloatArray:
    """Put values of observations, one after the other or with pads, where the sites have them."""
    padded = np.full(there.shape, np.nan)
    padded[there] = values if values.ndim == 1 else values[there]
    return padded


def _options(
    sampler: str, variant: str, likelihood: str, prior: PriorBox | None, configuration: Any,
    bedrock: str | None, interpolation: str | None, chains: int, test: int | None,
    formal: int | None, draws: int, seed: int,
) -> Options:  # fmt: skip
    check_allowed("sampler", sampler, tuple(LENGTHS))
    check_allowed("variant", variant, tuple(VARIANTS))
    check_allowed("likelihood", likelihood, cost.LIKELIHOODS)
    check_allowed("bedrock", bedrock or "closed", ("closed", "published"))
    check_allowed("interpolation", interpolation or "linear", ("linear", "pchip"))
    published = sampler == "published"
    model = configuration_of(getattr(configuration, "name", configuration))
    box = prior or model.prior
    test, formal = (
        usual if given is None else given
        for given, usual in zip((test, formal), LENGTHS[sampler], strict=True)
    )
    counts = {"chains": chains, "test": test, "formal": formal, "draws": draws, "seed": seed}
    least = {"chains": 2, "test": 100, "formal": 1000, "draws": 1, "seed": 0}
    for name, count in counts.items():
        if not isinstance(count, int | np.integer) or count < least[name]:
            raise ValueError(
                f"{name} is {count!r}, it must be a whole number, at least {least[name]}"
            )
    return Options(
        sampler=sampler,
        variant=variant,
        likelihood=likelihood,
        configuration=model.name,
        bedrock=bedrock or ("published" if published else "closed"),
        interpolation=interpolation or ("pchip" if published else "linear"),
        prior=(box.name, tuple(map(float, box.lower)), tuple(map(float, box.upper))),
        ess=0.0,  # chains of the batch have a fixed length
        rhat=np.inf,
        **{name: int(count) for name, count in counts.items()},
    )


def _run(
    data: BatchData, options: Options, folder: Path | None, show: bool, count: int | None,
    scheduler: workers.Scheduler,
) -> list[dict[str, NDArray[Any]]]:  # fmt: skip
    """Run all chains, and return what they found in their order."""
    task = run_published if options.sampler == "published" else run_exact
    landscape: Landscape | None = None
    if options.sampler == "exact":
        energy = target(options.likelihood, options.box, configuration=options.configuration)
        landscape = search(energy, data, len(options.prior[1]), options.seed)
    key = _key(data, options)
    payloads = [
        Chain(data, options, number, folder, f"{key}-{number}", landscape)
        for number in range(options.chains)
    ]
    found: dict[int, Any] = {}
    with progress.shown("chains", options.chains, visible=show) as done:
        workers.run(
            task, payloads, finished=found.__setitem__, progress=lambda shares: done(sum(shares)),
            workers=count, scheduler=scheduler,
        )  # fmt: skip
    failed = sorted({str(each) for each in found.values() if isinstance(each, workers.Failure)})
    if failed:
        raise RuntimeError(f"chains of the batch assimilation failed: {'; '.join(failed)}")
    return [found[number] for number in range(options.chains)]


def _key(data: BatchData, options: Options) -> str:
    """Name everything that a chain's result depends on."""
    from proda_lib import paths
    from proda_lib.code_hash import used_files

    code = sorted(used_files("import proda_lib.batch", paths.package()).items())
    contents = [sha256(np.asarray(leaf).tobytes()).hexdigest() for leaf in jax.tree.leaves(data)]
    return "batch-" + text_hash(sorted(asdict(options).items()), code, *contents)
