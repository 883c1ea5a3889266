"""The command `proda wosis`: read a snapshot, write its table of layers and the report."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

__all__ = ["OPTIONS", "run"]

#: Options of the command, by name: how they are written, and what argparse is told.
OPTIONS: dict[str, tuple[tuple[str, ...], dict[str, Any]]] = {
    "folder": (("folder",), {"nargs": "?", "metavar": "FOLDER|ARCHIVE.zip",
               "help": "the snapshot; default: what `proda data wosisVERSION` fetched"}),
    "version": (("--version",), {"default": "2023", "help": "2019 or 2023 (default)"}),
    "box": (("--box",), {"nargs": 4, "type": float, "metavar": ("W", "S", "E", "N"),
            "help": "degrees; default: the world"}),
    "country": (("--country",), {"action": "append", "metavar": "NAME",
                "help": "in English as the snapshot spells it (may be repeated)"}),
    "within": (("--position-within",), {"type": float, "metavar": "KM",
               "help": "leave out profiles whose position is less sure"}),
    "litter": (("--litter",), {"default": "drop",
               "help": "layers so flagged: drop (default), keep"}),
    "coarse": (("--coarse",), {"default": "ignore",
               "help": "coarse fragments: ignore (as published, default), correct"}),
    "out": (("--out",), {"default": "profiles.csv", "metavar": "FILE.csv",
            "help": "default: profiles.csv; beside it FILE_report.csv"}),
}  # fmt: skip


def run(options: argparse.Namespace) -> list[tuple[str, ...]]:
    """Read, write, say what was not there, and return the report as rows to print.

    Parameters
    ----------
    options : Namespace
        With the options of `OPTIONS`.

    Raises
    ------
    ValueError
        If an option is not allowed, or the snapshot cannot be used; then nothing is written.
    proda_lib.references.formats.ReferenceFileError
        If no folder is named and no archive was fetched.
    """
    from proda_lib.nearest import check_allowed
    from proda_lib.wosis import layout, snapshot

    check_allowed("version", options.version, tuple(layout.LAYOUTS))
    target = snapshot.checked_target(options.out)
    layers, report = snapshot.read(
        _place(options.folder, options.version),
        options.version,
        box=None if options.box is None else tuple(options.box),
        countries=options.country,
        position_within_km=options.position_within,
        litter=options.litter,
        coarse=options.coarse,
    )
    beside = snapshot.write(layers, report, target)
    for note in report.attrs["notes"]:
        print(note, flush=True)
    print(f"{target}: {len(layers):,} layers; {beside}: what was left out", flush=True)
    rows = report.itertuples(index=False)
    return [tuple(report.columns), *((r.reason, f"{r.profiles:,}", f"{r.layers:,}") for r in rows)]


def _place(folder: str | None, version: str) -> Path:
    """Return the snapshot named, else the archive that was fetched."""
    if folder is not None:
        return Path(folder)
    from proda_lib.references.files import fetch_product

    return next(iter(fetch_product(f"wosis{version}", download=False).values()))
