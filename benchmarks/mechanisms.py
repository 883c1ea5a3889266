"""Seconds of the ways to a steady state, and of ages: one solve against steps, in one run.

`make bench` prints the table and writes results/benchmarks/mechanisms.csv. Runs that nobody would
wait for are measured over a few steps and scaled by the number of steps that they need. The
parameters are near the middle of the prior range: nothing needs to have run before.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from proda_lib import paths, spin_up, studies, transient, turnover
from proda_lib.age_distribution import survival
from proda_lib.dense_time import dense_course, dense_months, stable_step
from proda_lib.files import atomic
from proda_lib.parameters import PRODA
from proda_lib.transport import DAYS_PER_YEAR

#: Columns that are followed at once, and years over which stepping is timed.
COLUMNS, YEARS = 64, 20

#: Position of all parameters in the prior range.
MIDDLE = 0.4

#: How many times faster than implicit months the steady state must be.
LEAST_GAIN = 1e4


def seconds(run: Callable[[], Any], repeats: int = 5) -> float:
    """Return the least time of a run that has been compiled before."""
    run()
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return min(times)


def ways(study: str, size: str) -> pd.DataFrame:
    """Time every way, seconds per column, with the steps that it needs until within 1 %."""
    grid = studies.load(study, size).grid
    some = grid.isel(cell=np.linspace(0, grid.sizes["cell"] - 1, COLUMNS).round().astype(int))
    vector = PRODA.to_physical(np.full(21, MIDDLE))
    system = transient.system(vector, some)
    start, rounds = spin_up.periodic(system)
    years = float(np.median(spin_up.years_until(system, 0.99)))
    dense = dense_months(vector, some.isel(cell=[COLUMNS // 2]))
    explicit = DAYS_PER_YEAR / stable_step(dense) * years
    step = {
        "one solve, the year's mean": (1, seconds(lambda: spin_up.steady(system)) / COLUMNS),
        "rounds, with seasons": (
            12 * (2 * len(rounds) - 1),
            seconds(lambda: spin_up.periodic(system)) / COLUMNS,
        ),
        "implicit months": (
            12 * years,
            seconds(lambda: transient.course(system, YEARS, start)) / COLUMNS / YEARS * years,
        ),
        "explicit steps, dense matrices": (
            explicit,
            seconds(lambda: dense_course(dense, YEARS, scheme="explicit"))
            / (12 * YEARS)
            * explicit,
        ),
        "ages and transit times": (
            4,
            seconds(lambda: turnover.carbon_times(vector, some)) / COLUMNS,
        ),
        "distribution of ages at 16 times": (
            16 * 14,
            seconds(lambda: survival(vector, some, np.logspace(0, 5, 16))) / COLUMNS,
        ),
    }
    table = pd.DataFrame(step, index=["steps", "seconds_per_column"]).T
    table["over_one_solve"] = table.seconds_per_column / table.seconds_per_column.iloc[0]
    return table.rename_axis("way").reset_index()


def main() -> None:
    """Run the benchmark, print its table and write it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--study", default="twin", help="study (default twin)")
    parser.add_argument("--size", default="smoke", help="size of the study (default smoke)")
    options = parser.parse_args()
    table = ways(options.study, options.size)
    table["study"], table["columns"] = options.study, COLUMNS
    print(table.to_string(index=False, float_format=lambda x: f"{x:,.4g}"))
    gain = table.set_index("way").over_one_solve["implicit months"]
    verdict = "met" if gain > LEAST_GAIN else "NOT MET"
    print(
        f"one solve, times faster than implicit months: {gain:,.0f}, "
        f"least {LEAST_GAIN:,.0f}: {verdict}"
    )
    with atomic(paths.results() / "benchmarks" / "mechanisms.csv") as temporary:
        table.to_csv(temporary, index=False)


if __name__ == "__main__":
    main()
