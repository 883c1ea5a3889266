"""From sites to everywhere: cost of the batch's energy and of training through the engine.

`make bench` prints the table and writes results/benchmarks/everywhere.csv. Compare rows of one run;
single times hold for one machine. Functions are compiled before the clock starts.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from proda_lib import batch_target, cost, folds, paths, studies
from proda_lib.compiled import jax
from proda_lib.files import atomic
from proda_lib.forcing import rows_of
from proda_lib.network import fit_end_to_end
from proda_lib.profile_first import fit_profile_first

import jax.numpy as jnp  # isort: skip

SEED = 20261120


def best(run: Callable[[], Any], repeats: int) -> float:
    """Return the least seconds of a call, after a first one."""
    jax.block_until_ready(run())
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        jax.block_until_ready(run())
        seconds.append(time.perf_counter() - start)
    return min(seconds)


def batch_rows(sites: xr.Dataset, repeats: int) -> dict[str, float]:
    """Time the cost of all profiles: solved once per forcing, and once per profile."""
    unit = jnp.full(21, 0.4)
    single, alone = cost.target(), cost.site_data(sites)
    each = jax.jit(lambda unit, data: jax.vmap(single, (None, 0))(unit, data).sum())
    whole, data = jax.jit(batch_target.target()), batch_target.batch_data(sites)
    slope = jax.jit(jax.grad(batch_target.target()))
    np.testing.assert_allclose(whole(unit, data), each(unit, alone), rtol=1e-9)
    return {
        "cost of all profiles, one solution per profile": best(lambda: each(unit, alone), repeats),
        "cost of all profiles, one per forcing": best(lambda: whole(unit, data), repeats),
        "its gradient": best(lambda: slope(unit, data), repeats),
    }


def learning_rows(sites: xr.Dataset) -> dict[str, float]:
    """Time training through the engine, an epoch of one network, and fitting predicted profiles."""
    test = folds.test_set(sites, seed=SEED)
    train, new = sites.isel(site=~test), sites.isel(site=test)
    fit_end_to_end(train, members=3, epochs=10, seed=SEED, stopping="none")
    start = time.perf_counter()
    fit_end_to_end(train, members=3, epochs=30, seed=SEED, stopping="none")
    epoch = (time.perf_counter() - start) / 90
    model = fit_profile_first(train, seed=SEED, trees=20)
    return {
        "one epoch of one network through the engine": epoch,
        "fitting the model to predicted profiles": best(lambda: model.unit(new), 2),
    }


def main() -> None:
    """Run the benchmark, print its table and write it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--study", default="twin", help="study (default twin)")
    parser.add_argument("--repeats", type=int, default=20, help="repetitions (default 20)")
    options = parser.parse_args()
    sites = studies.load(options.study, "class").sites
    seconds = batch_rows(sites, options.repeats) | learning_rows(sites)
    table = pd.DataFrame(
        {"what": list(seconds), "milliseconds": [1e3 * t for t in seconds.values()]}
    )
    table["microseconds_per_site"] = 1e3 * table.milliseconds / sites.sizes["site"]
    table["study"], table["sites"] = options.study, sites.sizes["site"]
    table["forcings"] = len(rows_of(sites)[0])
    print(table.round(3).to_string(index=False))
    with atomic(paths.results() / "benchmarks" / "everywhere.csv") as temporary:
        table.to_csv(temporary, index=False)


if __name__ == "__main__":
    main()
