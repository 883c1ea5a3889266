"""Groups of covariates: what kind of property of a place each one is.

The table covariate_groups.csv has the five groups of the original's permutation test
(permutation_test_cesm2_best_guess.py): 20 covariates of texture, 10 chemical, 20 of climate, 4 of
vegetation and 6 of geography. A study with fewer covariates has fewer in each group.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable
from functools import cache
from importlib import resources

import numpy as np
from numpy.typing import NDArray

from proda_lib.nearest import unknown

__all__ = ["COARSE", "GROUPS", "columns_of", "group_of"]

#: The groups in the order of the original's files, and what is in them.
GROUPS: dict[str, str] = {
    "texture": "bulk density, clay, silt, sand, stones, texture and soil classes",
    "chemical": "cation exchange capacity, pH, grade of acidity, wilting point",
    "climate": "temperature and precipitation (BIO1 to BIO19), climate class",
    "vegetation": "land cover, net primary production, carbon of plants",
    "geography": "longitude, latitude, elevation, depth to bedrock",
}

#: The talk's coarser groups, of those above.
COARSE: dict[str, tuple[str, ...]] = {
    "edaphic": ("texture", "chemical"),
    "climate": ("climate",),
    "vegetation": ("vegetation",),
    "others": ("geography",),
}


@cache
def _table() -> dict[str, str]:
    """Group of each covariate by its name."""
    text = resources.files("proda_lib").joinpath("covariate_groups.csv").read_text("utf-8")
    return {row["name"]: row["group"] for row in csv.DictReader(text.splitlines())}


def group_of(name: str) -> str:
    """Name the group of a covariate.

    Raises
    ------
    ValueError
        If no group has this covariate.

    Examples
    --------
    >>> group_of("Clay_Content_0cm"), group_of("BIO1"), group_of("Elevation")
    ('texture', 'climate', 'geography')
    """
    try:
        return _table()[name]
    except KeyError:
        line = unknown("covariate", name, _table()).split(" There are:")[0]
        raise ValueError(f"{line} Give it a group in covariate_groups.csv") from None


def columns_of(names: Iterable[str]) -> dict[str, NDArray[np.int_]]:
    """Find the columns of each group among the covariates of a study.

    Parameters
    ----------
    names : iterable of str
        Covariates in the order of their columns.

    Returns
    -------
    dict of str to ndarray of int
        Columns of each of `GROUPS` that has any, in that order.

    Raises
    ------
    ValueError
        If a covariate belongs to no group, or is there twice.

    Examples
    --------
    >>> {group: columns.tolist() for group, columns in columns_of(["BIO1", "Lon", "BIO2"]).items()}
    {'climate': [0, 2], 'geography': [1]}
    """
    names = [str(name) for name in names]
    if len(set(names)) < len(names):
        twice = sorted({name for name in names if names.count(name) > 1})
        raise ValueError(f"covariates given twice: {', '.join(twice)}; give each once")
    own = np.array([group_of(name) for name in names])
    return {group: np.flatnonzero(own == group) for group in GROUPS if (own == group).any()}
