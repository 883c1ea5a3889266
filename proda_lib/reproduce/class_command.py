"""The command `proda class`: write the notebooks of a class and say where they are."""

from __future__ import annotations

import argparse
from typing import Any

__all__ = ["OPTIONS", "run"]

#: Options of the command, by name: how they are written, and what argparse is told.
OPTIONS: dict[str, tuple[tuple[str, ...], dict[str, Any]]] = {
    "class-study": (("--study",), {"default": "twin", "metavar": "STUDY",
                    "help": "whose data, prose and numbers (default: twin)"}),
    "class-size": (("--size",), {"default": "class",
                   "help": "whose numbers: smoke, class (default) or paper"}),
}  # fmt: skip


def run(options: argparse.Namespace) -> int:
    """Write the notebooks and return the exit status."""
    from proda_lib.reproduce import class_notebooks

    folder, count = class_notebooks.write(options.study, options.size)
    for kind in class_notebooks.KINDS:
        print(f"{count} notebooks of {options.study} for {kind}s: {folder / kind}", flush=True)
    return 0
