"""Seconds and memory of reading a table as large as a WoSIS snapshot, worldwide and for a box.

`make bench` prints the table and writes results/benchmarks/wosis.csv. The tables are synthetic, in
the form of the snapshot of 2023: organic carbon of the size asked for, and bulk density and coarse
fragments for a part of its layers. Each reading is a process of its own.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

from proda_lib import paths
from proda_lib.files import atomic
from proda_lib.wosis import snapshot

SEED = 20261120

#: What reading a table of 1 GB may take and hold.
MOST_SECONDS, MOST_MB = 120.0, 2000.0

#: Layers of a profile, and layers written at once.
LAYERS, BLOCK = 5, 50_000

NAMES = (
    "profile_id", "layer_id", "upper_depth", "lower_depth", "organic_surface", "value", "value_avg",
    "method_options", "date", "dataset_id", "profile_code", "licence", "positional_uncertainty",
    "longitude", "latitude", "country_name", "region", "continent",
)  # fmt: skip
COUNTRIES = ("United States of America", "Brazil", "Namibia", "Kenya", "Viet Nam", "Côte d'Ivoire")
METHOD = (
    '"{""1:sample pretreatment = sieved over 2 mm, technique = dry combustion, '
    'ratio = not applied, calculation = complete oxidation""}"'
)


def block(start: int, unit: str, random: np.random.Generator) -> str:
    """Return rows of layers from number `start` on, with values "carbon", "density" or "coarse"."""
    number = np.arange(start, start + BLOCK)
    profile, step = number // LAYERS, number % LAYERS
    values = {
        "carbon": random.lognormal(2.5, 0.8, BLOCK).clip(0.1, 550),
        "density": random.uniform(0.6, 1.8, BLOCK),
        "coarse": random.integers(0, 60, BLOCK),
    }[unit].round(2)
    lon, lat = (profile * 0.377) % 340 - 170, (profile * 0.193) % 120 - 60
    return "".join(
        f"{p}\t{n}\t{20 * s}\t{20 * s + 20}\tf\t{{1:{v}}}\t{v}\t{METHOD}\t"
        f"{1960 + p % 60}-0{1 + p % 9}-??\tMADE-UP-{p % 40}\tcode {p}\tCC-BY\tCirca 100 m\t"
        f"{x:.5f}\t{y:.5f}\t{COUNTRIES[p % 6]}\tregion\tcontinent\n"
        for n, p, s, v, x, y in zip(number, profile, step, values, lon, lat, strict=True)
    )


def write_tables(folder: Path, size: float) -> int:
    """Write tables whose table of carbon has `size` bytes; return its rows."""
    random, rows = np.random.default_rng(SEED), 0
    with (folder / "wosis_202312_orgc.tsv").open("w", encoding="utf-8") as stream:
        stream.write("\t".join(NAMES) + "\n")
        while stream.tell() < size:
            stream.write(block(rows, "carbon", random))
            rows += BLOCK
    for code, unit, part in (("bdfi33", "density", 4), ("cfvo", "coarse", 2)):
        with (folder / f"wosis_202312_{code}.tsv").open("w", encoding="utf-8") as stream:
            stream.write("\t".join(NAMES) + "\n")
            for start in range(0, rows, part * BLOCK):
                stream.write(block(start, unit, random))
    return rows


def read_once(folder: Path, box: list[float]) -> dict[str, float]:
    """Read a snapshot and write its table; return seconds and memory of this process."""
    start, used = time.perf_counter(), time.process_time()
    layers, report = snapshot.read(folder, "2023", box=tuple(box) if box else None)
    read, read_used = time.perf_counter() - start, time.process_time() - used
    snapshot.write(layers, report, folder / "profiles.csv")
    unit = 1e6 if sys.platform == "darwin" else 1e3  # bytes there, kilobytes elsewhere
    return {
        "kept": len(layers),
        "read_seconds": read,
        "read_cpu_seconds": read_used,
        "write_seconds": time.perf_counter() - start - read,
        "write_cpu_seconds": time.process_time() - used - read_used,
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit,
    }


def measure(folder: Path, box: list[float]) -> dict[str, float]:
    """Read in a process of its own."""
    command = [sys.executable, __file__, "--folder", str(folder), "--box", *map(str, box)]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def main() -> None:
    """Write the tables, read them, print the figures and write them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", type=float, default=1e9, help="bytes of carbon (default 1e9)")
    parser.add_argument("--folder", type=Path, help="only read the tables of this folder")
    parser.add_argument("--box", type=float, nargs="*", default=[], help="W S E N, degrees")
    options = parser.parse_args()
    if options.folder:
        print(json.dumps(read_once(options.folder, options.box)))
        return
    with tempfile.TemporaryDirectory() as place:
        rows = write_tables(Path(place), options.size)
        size = sum(file.stat().st_size for file in Path(place).iterdir()) / 1e6
        measured = {"the world": [], "a box": [-80.0, 40.0, -71.0, 46.0]}
        made = [{"of": name, **measure(Path(place), box)} for name, box in measured.items()]
    found = pd.DataFrame(made).assign(rows=rows, tables_mb=size, carbon_mb=options.size / 1e6)
    print(found.round(1).to_string(index=False))
    print("where CPU seconds are far fewer than seconds, other processes had the cores")
    for what, value, most, unit in (
        ("reading", found.read_seconds.max(), MOST_SECONDS, "s"),
        ("memory, at most", found.peak_mb.max(), MOST_MB, "MB"),
    ):
        verdict = "met" if value < most else "NOT MET"
        print(f"{what}: {value:.1f} {unit}, limit {most:.0f} {unit}: {verdict}")
    with atomic(paths.results() / "benchmarks" / "wosis.csv") as temporary:
        found.to_csv(temporary, index=False)


if __name__ == "__main__":
    main()
