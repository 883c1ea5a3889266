"""What is known about each parameter: at profiles, on the map, and at profiles that were not seen.

Three questions with a number each. Does a profile say anything about the parameter? Does its map
vary by more than networks that were trained on other samples disagree? Does the map agree with what
profiles say that no network has seen? The answers together make a word.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from proda_lib.network.two_step import parameter_skill
from proda_lib.parameters import NAMES

__all__ = ["VERDICTS", "knowledge", "verdicts"]

FloatArray = NDArray[np.float64]

#: What the words mean, from the most to the least that is known.
VERDICTS: dict[str, str] = {
    "mapped": "profiles inform it, and its pattern holds",
    "faint": "a single profile says little, yet the pattern that many share holds",
    "no pattern": "profiles inform it, but no pattern of it holds",
    "prior": "neither",
}


def knowledge(
    found: xr.Dataset,
    unseen: ArrayLike,
    predicted: ArrayLike,
    mapped: ArrayLike,
    resampled: ArrayLike,
    area: ArrayLike,
) -> pd.DataFrame:
    """Measure what is known about each parameter; all numbers without unit.

    Parameters
    ----------
    found : Dataset
        Assimilation of the n sites: `parameter_mean`, `parameter_sd`, `used`.
    unseen : array_like of bool, shape (n,)
        Sites from which no network has learned.
    predicted : array_like, shape (n, 21)
        Positions in the prior range that the networks predict at the sites, their mean.
    mapped : array_like, shape (cell, 21)
        The same on the map.
    resampled : array_like, shape (member, cell, 21)
        Positions that each network gives which was trained on resampled sites.
    area : array_like, shape (cell,)

    Returns
    -------
    DataFrame
        Rows are parameters. `removed`: share of the prior variance that a profile removes, mean
        over sites. `varies`: standard deviation of the map, by area. `spread`: standard deviation
        among the resampled networks, median over the area. `ratio`: varies over spread. `r2`:
        squared correlation of prediction and posterior mean at unseen sites.

    Raises
    ------
    ValueError
        With fewer than 3 unseen sites, or fewer than 2 resampled networks.
    """
    mapped, resampled = np.asarray(mapped, dtype=float), np.asarray(resampled, dtype=float)
    rows = np.flatnonzero(unseen)
    if len(rows) < 3 or len(resampled) < 2:
        raise ValueError(
            f"{len(rows)} unseen sites and {len(resampled)} resampled networks given: 3 sites and "
            "2 networks are needed"
        )
    at_sites = parameter_skill(found["parameter_mean"].values, found)
    tested = parameter_skill(np.asarray(predicted)[rows], found.isel(site=rows))
    weight = np.asarray(area, dtype=float) / np.sum(area)
    varies = np.sqrt(weight @ (mapped - weight @ mapped) ** 2)
    spread = _median(resampled.std(axis=0, ddof=1), weight)
    numbers = {"varies": varies, "spread": spread, "ratio": varies / spread}
    table = pd.DataFrame(numbers, index=pd.Index(NAMES, name="parameter"))
    return table.assign(removed=at_sites["removed"], r2=tested["r2"])


def _median(values: FloatArray, weight: FloatArray) -> FloatArray:
    """Weighted median of each column."""
    return np.array(
        [np.quantile(one, 0.5, weights=weight, method="inverted_cdf") for one in values.T]
    )


def verdicts(
    table: pd.DataFrame, *, removed: float = 0.1, ratio: float = 1.0, r2: float = 0.1
) -> pd.Series:
    """Say in a word what is known about each parameter, see `VERDICTS`.

    Parameters
    ----------
    table : DataFrame
        From `knowledge`.
    removed, ratio, r2 : float
        What the columns of these names must exceed: the first one for "profiles inform it", both
        others for "its pattern holds".

    Examples
    --------
    >>> rows = {"removed": [0.3, 0.3, 0.0], "ratio": [2.0, 0.5, 2.0], "r2": [0.4, 0.4, 0.4]}
    >>> verdicts(pd.DataFrame(rows)).tolist()
    ['mapped', 'no pattern', 'faint']
    """
    informed = table["removed"] > removed
    holds = (table["ratio"] > ratio) & (table["r2"] > r2)
    word = np.select(
        [informed & holds, holds, informed], ["mapped", "faint", "no pattern"], "prior"
    )
    return pd.Series(word, index=table.index, name="verdict")
