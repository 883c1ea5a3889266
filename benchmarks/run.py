"""Speed and memory of the engine beside dense solves, all in one run on one core.

`make bench` prints the tables and writes results/benchmarks/engine.csv. Ratios of one run hold on
any machine; single times do not. Times are the best of the repetitions, and parameters change from
call to call. The engine runs on a graphics card instead where JAX finds one.
"""

from __future__ import annotations

import os

# One core for every contender: set before NumPy and JAX load.
for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(variable, "1")
flags = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
os.environ.setdefault("XLA_FLAGS", flags)
if hasattr(os, "sched_setaffinity"):
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})

import argparse
import platform
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd
from metropolis import chains

from proda_lib import engine, matrices, paths, steady_state, studies
from proda_lib.compiled import jax
from proda_lib.files import atomic
from proda_lib.forcing import forcing_of
from proda_lib.parameters import BINN, PRODA

SEED = 20261120


def best(run: Callable[[Any], Any], arguments: Sequence[Any], repeats: int) -> float:
    """Return the least seconds of a call, over repeats with changing arguments, after a first."""
    jax.block_until_ready(run(arguments[0]))
    seconds = []
    for i in range(repeats):
        start = time.perf_counter()
        jax.block_until_ready(run(arguments[i % len(arguments)]))
        seconds.append(time.perf_counter() - start)
    return min(seconds)


def vectors(n: int, count: int = 4) -> list[np.ndarray]:
    """Return parameter vectors drawn from the narrower prior, several sets of n."""
    units = np.random.default_rng(SEED).uniform(0.02, 0.98, (count, n, 21))
    return [BINN.to_physical(unit) for unit in units]


def dense_rows(sites: Any, repeats: int, count: int = 20) -> dict[str, float]:
    """Time assembling and solving dense matrices with NumPy, and SciPy-free solving alone."""
    whole = forcing_of(sites.isel(site=slice(0, count)))
    rows = [whole.rows(i) for i in range(count)]
    parameters = vectors(count)

    def both(values: np.ndarray) -> None:
        for row, vector in zip(rows, values, strict=True):
            matrices.solve_dense(matrices.assemble(vector, row))

    models = [matrices.assemble(v, r) for v, r in zip(parameters[0], rows, strict=True)]
    return {
        "dense NumPy: assemble and solve": best(both, parameters, max(2, repeats // 20)) / count,
        "dense NumPy: solve only": best(
            lambda _: [matrices.solve_dense(model) for model in models], [None], repeats // 4
        )
        / count,
    }


def engine_rows(sites: Any, repeats: int) -> dict[str, float]:
    """Time the compiled engine: forward, value and gradient, and the public function."""
    n = sites.sizes["site"]
    forcing = jax.device_put(forcing_of(sites))
    parameters = jax.device_put(vectors(n))
    with_gradient = jax.jit(
        jax.vmap(jax.value_and_grad(lambda p, f: engine.soil_carbon(p, f).sum()))
    )
    prepared = steady_state.prepare(sites)
    return {
        "engine: forward": best(
            lambda p: engine.batch(engine.soil_carbon, p, forcing), parameters, repeats
        )
        / n,
        "engine: value and gradient": best(lambda p: with_gradient(p, forcing), parameters, repeats)
        / n,
        "engine: public function, prepared sites": best(
            lambda p: steady_state.soil_carbon(p, prepared), vectors(n), repeats
        )
        / n,
    }


def metropolis_row(sites: Any, repeats: int, chain: int = 4, steps: int = 200) -> dict[str, float]:
    """Time one iteration of Metropolis chains: proposal, forward run, cost, acceptance."""
    n = sites.sizes["site"] // chain
    run = chains(sites.isel(site=slice(0, n)), PRODA, steps)
    keys = [jax.random.split(jax.random.key(SEED + i), (n, chain)) for i in range(3)]
    seconds = best(run, keys, max(3, repeats // 10)) / (n * chain * steps)
    return {f"Metropolis iteration, {chain} chains a site": seconds}


def memory(sites: Any) -> dict[str, float]:
    """Return memory per 1,000 sites with forcing of their own, MB."""
    n = sites.sizes["site"]
    forcing, parameters = forcing_of(sites), vectors(n)[0]
    used = engine.batch.lower(engine.soil_carbon, parameters, forcing).compile().memory_analysis()
    held = sum(np.asarray(leaf).nbytes for leaf in jax.tree.leaves(forcing))
    scale = 1000 / n / 1e6
    return {"forcing": held * scale, "while solving": used.temp_size_in_bytes * scale}


def main() -> None:
    """Run the benchmark, print its tables and write them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sites", type=int, default=512, help="sites at once (default 512)")
    parser.add_argument("--repeats", type=int, default=60, help="timed calls (default 60)")
    options = parser.parse_args()
    sites = studies.load("twin", "class").sites.isel(site=slice(0, options.sites))
    seconds = dense_rows(sites, options.repeats) | engine_rows(sites, options.repeats)
    seconds |= metropolis_row(sites, options.repeats)
    table = pd.DataFrame(
        {"what": list(seconds), "microseconds_per_site": [1e6 * s for s in seconds.values()]}
    )
    reference = table["microseconds_per_site"].iloc[0]
    table["times_faster_than_dense"] = reference / table["microseconds_per_site"]
    table["sites"] = options.sites
    table["device"] = jax.devices()[0].device_kind
    table["machine"] = f"{platform.machine()}, 1 of {os.cpu_count()} cores"
    print(table.drop(columns=["machine"]).round(2).to_string(index=False))
    print("\nMB per 1,000 sites:", {k: round(v, 1) for k, v in memory(sites).items()})
    with atomic(paths.results() / "benchmarks" / "engine.csv") as temporary:
        table.to_csv(temporary, index=False)


if __name__ == "__main__":
    main()
