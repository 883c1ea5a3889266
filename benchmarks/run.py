"""Speed and memory of the steady state: structured solve beside a dense one, in one run.

`make bench` prints the table and writes it to results/benchmarks/steady_state.csv. Ratios of one
run hold on any machine; single times do not. All solve the same sites; "per site" is the median
of the repeats divided by the sites.
"""

from __future__ import annotations

import os

# One thread for all contenders: set before numpy loads its linear algebra.
for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = "1"

import argparse
import platform
import time
import tracemalloc
from collections.abc import Callable

import numpy as np
import pandas as pd

from proda_lib import matrices, paths, steady_state, studies
from proda_lib.files import atomic
from proda_lib.parameters import BINN


def measure(run: Callable[[], object], sites: int, repeats: int) -> dict[str, float]:
    """Median microseconds per site and peak memory in MB of a call."""
    run()  # the first call pays for imports and allocations
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        run()
        seconds.append(time.perf_counter() - start)
    tracemalloc.start()
    run()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return {"microseconds_per_site": 1e6 * np.median(seconds) / sites, "peak_MB": peak / 1e6}


def benchmark(repeats: int, dense_sites: int) -> pd.DataFrame:
    """Time all ways to the steady state on sites of the twin, one row each."""
    sites = studies.load("twin", "class").sites
    n = sites.sizes["site"]
    unit = np.random.default_rng(20261120).uniform(0.05, 0.95, (n, 21))
    parameters = BINN.to_physical(unit)

    def dense() -> None:
        for i in range(dense_sites):
            matrices.solve_dense(matrices.matrix_model(parameters[i], sites.isel(site=i)))

    one = sites.isel(site=[0])
    rows = {
        "dense, one site at a time": measure(dense, dense_sites, repeats),
        "structured, one site at a time": measure(
            lambda: steady_state.pools(parameters[0], one), 1, repeats
        ),
        f"structured, {n:,} sites at once": measure(
            lambda: steady_state.pools(parameters, sites), n, repeats
        ),
    }
    table = pd.DataFrame(rows).T.rename_axis("method").reset_index()
    slowest = table["microseconds_per_site"].iloc[0]
    return table.assign(faster_than_dense=slowest / table["microseconds_per_site"])


def main() -> None:
    """Run the benchmark and write its table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=5, help="timed calls (default 5)")
    parser.add_argument("--dense-sites", type=int, default=30, help="sites solved densely")
    options = parser.parse_args()
    table = benchmark(options.repeats, options.dense_sites)
    table["machine"] = f"{platform.machine()}, {os.cpu_count()} cores, one used"
    table["python"] = platform.python_version()
    print(table.drop(columns=["machine", "python"]).round(1).to_string(index=False))
    with atomic(paths.results() / "benchmarks" / "steady_state.csv") as temporary:
        table.to_csv(temporary, index=False)


if __name__ == "__main__":
    main()
