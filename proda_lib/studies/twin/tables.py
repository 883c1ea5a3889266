"""The constants of the synthetic landscape, kept as data beside the code."""

from __future__ import annotations

import csv
import tomllib
from functools import cache
from importlib.resources import files
from typing import Any

__all__ = ["SEED", "covariate_table", "table"]

#: First number of every seed of the twin: change it and everything changes.
SEED = 20261120


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
