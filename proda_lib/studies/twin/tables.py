"""The constants of the synthetic landscape, kept as data beside the code."""

from __future__ import annotations

import csv
import tomllib
from functools import cache
from importlib.resources import files
from typing import Any

from proda_lib.studies import sizes

__all__ = ["covariate_table", "seed", "table"]


def seed() -> int:
    """Return the first number of every seed of the twin (studies/sizes.toml).

    It is the same at all sizes, because they are nested; change it and everything changes.
    """
    return sizes("twin")["paper"]["seed"]


@cache
def table(name: str) -> dict[str, Any]:
    """Return one table of constants, `tables/<name>.toml`.

    Parameters
    ----------
    name : str
        "fields", "geography", "vegetation" or "truth".

    Returns
    -------
    dict
        As the file has it; shared between callers, so not to be changed.

    Examples
    --------
    >>> table("geography")["ridges"]["ozarks"]["height_m"]
    300
    """
    text = (files(__package__) / "tables" / f"{name}.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


@cache
def covariate_table() -> tuple[dict[str, str], ...]:
    """Return name, units and kind of the 60 covariates, in the original order.

    Examples
    --------
    >>> len(covariate_table()), covariate_table()[3]
    (60, {'name': 'BIO1', 'units': 'degC', 'kind': 'continuous'})
    """
    text = (files(__package__) / "tables" / "covariates.csv").read_text(encoding="utf-8")
    return tuple(csv.DictReader(text.splitlines()))
