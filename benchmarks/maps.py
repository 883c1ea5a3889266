"""Seconds and memory of a full set of maps: every source at every cell, drawn and written.

`make bench` prints the table and writes results/benchmarks/maps.csv. Networks and draws are those
that the chapters left: run `proda reproduce` for the study at size class before.
"""

from __future__ import annotations

import argparse
import io
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from proda_lib import (
    folds,
    maps,
    network,
    paths,
    plots,
    results,
    steady_state,
    stocks,
    studies,
)
from proda_lib.cf_netcdf import to_cf
from proda_lib.files import atomic
from proda_lib.grid_prediction import as_prediction, predict
from proda_lib.map_sources import SOURCES
from proda_lib.map_stocks import side_by_side, stock_map
from proda_lib.maps.panels import map_panels, panel_height
from proda_lib.predictor import driven
from proda_lib.references.stand_ins import forest_map, soil_class_means

SEED = 20261120

#: Draws with which memory is put to the test, as many as the batch of size paper has.
DRAWS = 1000

#: What a full set of the twin's maps may take, and with the many draws hold.
MOST_SECONDS, MOST_MB = 60.0, 2000.0


def peak() -> float:
    """Return the most memory that this process has held so far, MB."""
    unit = 1e6 if sys.platform == "darwin" else 1e3  # bytes there, kilobytes elsewhere
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


def on_grid(model: Any, grid: xr.Dataset) -> xr.Dataset:
    """Return the map of networks."""
    return predict(model.unit(grid), driven(model, grid))


def resampled(data: studies.Study, size: str) -> xr.Dataset:
    """Train resampled networks, whose spread is that of PRODA's map, and return their map."""
    effort = studies.sizes(data.name)[size]["learning"]
    taught = np.flatnonzero(~folds.test_set(data.sites, seed=SEED))
    found = results.load_dataset(data.name, size, "assimilation")
    sites, found = data.sites.isel(site=taught), found.isel(site=taught)
    most = {"members": effort["bootstrap"], "epochs": effort["epochs"]}
    model = network.fit_two_step(sites, found, **most, seed=SEED, resample=True)
    return on_grid(model, data.grid)


def maps_of(study: str, size: str) -> dict[str, Callable[[], Any]]:
    """Return what makes each map, by name; nothing has run yet."""
    data = studies.load(study, size)
    sites, grid, folder = data.sites, data.grid, paths.results(study, size)
    draws = results.load_dataset(study, size, "batch").draws.values
    many = np.tile(draws, (-(-DRAWS // len(draws)), 1))[:DRAWS]
    models = {
        name: network.load_model(folder / f"{file}.nc")
        for name, file in {"proda": "network_default", "end_to_end": "end_to_end"}.items()
    }
    known_to = [one for one in stocks.map_intervals() if one[1] <= 2]
    trees = studies.sizes(study)[size]["learning"]["trees"]
    soil = steady_state.soil_of
    return {
        "default": lambda: as_prediction(soil(steady_state.default_run(grid)), grid),
        "batch": lambda: predict(draws, grid),
        **{name: lambda model=model: on_grid(model, grid) for name, model in models.items()},
        "PRODA, resampled networks": lambda: resampled(data, size),
        "soil_class": lambda: soil_class_means(sites, grid, known_to, seed=SEED),
        "forest": lambda: forest_map(sites, grid, known_to, trees=trees, seed=SEED),
        f"(batch, {DRAWS} draws)": lambda: predict(many, grid),
    }


def draw(data: studies.Study, joined: xr.Dataset) -> None:
    """Draw all sources over the depths of Figure 37.3 and render it."""
    columns = [stocks.interval_label(*one) for one in stocks.FROM_SURFACE]
    rows = dict(zip(joined.label.values, joined.stock.sel(interval=columns).values, strict=True))
    extent = maps.extent_of(joined.lon, joined.lat)
    look = {"projection": maps.projection(extent), "height": panel_height(extent, len(rows), 3)}
    figure, axes = plots.subplots(data, len(rows), 3, **look)
    drawn = {name: stock / 1000 for name, stock in rows.items()}
    map_panels(axes, drawn, columns, lon=joined.lon, lat=joined.lat, unit="kgC m$^{-2}$")
    figure.savefig(io.BytesIO(), dpi=150)


def write(data: studies.Study, joined: xr.Dataset) -> None:
    """Write the stocks as a CF file, compressed."""
    made = to_cf(joined, title="benchmark", synthetic=data.synthetic)
    with tempfile.TemporaryDirectory() as folder:
        made.to_netcdf(Path(folder) / "maps.nc", engine="h5netcdf")


def timed(runs: dict[str, Callable[[], Any]]) -> tuple[list[tuple[str, float, float]], list[Any]]:
    """Return seconds and memory so far of each run, and what it gave."""
    rows, found = [], []
    for name, run in runs.items():
        start = time.perf_counter()
        found.append(run())
        rows.append((name, time.perf_counter() - start, peak()))
    return rows, found


def main() -> None:
    """Run the benchmark, print its table and write it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--study", default="twin", help="study (default twin)")
    parser.add_argument("--size", default="class", help="size of the study (default class)")
    options = parser.parse_args()
    data = studies.load(options.study, options.size)
    runs = maps_of(options.study, options.size)
    rows, found = timed(runs)
    named = {name: one for name, one in zip(runs, found, strict=True) if name in SOURCES}
    models = {name: stock_map(one) if "soc" in one else one for name, one in named.items()}
    joined = side_by_side(models, data.grid)
    last = {"Figure 37.3": lambda: draw(data, joined), "CF file": lambda: write(data, joined)}
    rows += timed(last)[0]
    table = pd.DataFrame(rows, columns=["map", "seconds", "peak_mb_so_far"])
    table["study"], table["size"] = options.study, options.size
    table["cells"] = data.grid.sizes["cell"]
    print(table.round(2).to_string(index=False))
    whole = table.seconds[~table["map"].str.startswith("(")].sum()
    for what, value, most, unit in (
        ("a full set of maps, compiling included", whole, MOST_SECONDS, "s"),
        ("memory, at most", peak(), MOST_MB, "MB"),
    ):
        verdict = "met" if value < most else "NOT MET"
        print(f"{what}: {value:.1f} {unit}, limit {most:.0f} {unit}: {verdict}")
    with atomic(paths.results() / "benchmarks" / "maps.csv") as temporary:
        table.to_csv(temporary, index=False)


if __name__ == "__main__":
    main()
