"""Site-level assimilation: cost of a site with either sampler, on one process and on all cores.

`make bench` prints the table and writes results/benchmarks/assimilation.csv. Compare rows of one
run; single times hold for one machine. Functions are compiled before the clock starts; starting
processes is part of what is timed.
"""

from __future__ import annotations

import argparse
import os
import time
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from proda_lib import paths, studies
from proda_lib.assimilation import assimilate_sites
from proda_lib.files import atomic
from proda_lib.workers import worker_count

SEED = 20261120


def timed(sites: xr.Dataset, **options: Any) -> tuple[float, xr.Dataset]:
    """Return the seconds of an assimilation, and what came of it."""
    start = time.perf_counter()
    found = assimilate_sites(sites, seed=SEED, show=False, **options)
    return time.perf_counter() - start, found


def row(sites: xr.Dataset, workers: int, **options: Any) -> dict[str, Any]:
    """Measure one sampler with a number of processes."""
    seconds, found = timed(sites, workers=workers, **options)
    used = found.isel(site=np.isfinite(found.parameter_mean.values).all(axis=1))
    evaluations = used.evaluations.values
    worth = 1000 * used.ess_bulk.values / evaluations
    return {
        "sampler": options.get("sampler", "exact"),
        "processes": workers,
        "sites": used.sizes["site"],
        "seconds": seconds,
        "core_seconds_per_site": seconds * workers / used.sizes["site"],
        "evaluations_per_site": evaluations.mean(),
        "microseconds_per_evaluation": 1e6 * seconds * workers / evaluations.sum(),
        "draws_per_1000_evaluations": np.median(worth),
        "of_the_5th_percentile": np.quantile(worth, 0.05),
        "converged": float(used.converged.mean()),
    }


def main() -> None:
    """Run the benchmark, print its table and write it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--study", default="twin", help="study (default twin)")
    parser.add_argument("--sites", type=int, default=128, help="sites (default 128)")
    options = parser.parse_args()
    every = studies.load(options.study, "class").sites
    rows = np.linspace(0, every.sizes["site"] - 1, options.sites).round().astype(int)
    sites = every.isel(site=rows)
    samplers: list[dict[str, Any]] = [{}, {"sampler": "published", "test": 2000, "formal": 5000}]
    for sampler in samplers:
        timed(sites.isel(site=slice(0, 64)), workers=1, **sampler)  # compiles
    counts = sorted({1, worker_count()})
    table = pd.DataFrame([row(sites, count, **each) for each in samplers for count in counts])
    table["study"], table["cores"] = options.study, os.cpu_count()
    print(table.round(3).T.to_string(header=False))
    with atomic(paths.results() / "benchmarks" / "assimilation.csv") as temporary:
        table.to_csv(temporary, index=False)


if __name__ == "__main__":
    main()
