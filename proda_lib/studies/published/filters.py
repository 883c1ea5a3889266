"""Which profiles belong to a study, and which the original's network was trained on.

A study's profiles are those of its region that the model can be fitted to: with forcing, with two
usable layers. What the original asked of profiles before it trained its network is kept beside them
(`network_rules`), not applied: the chapter does not have these rules.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from proda_lib.studies.published.source import read_matrix

__all__ = [
    "BOX",
    "UNITED_STATES",
    "WITHHELD_COUNTRIES",
    "in_box",
    "in_united_states",
    "listed",
    "network_rules",
]

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

#: The third column of the table of profiles for the United States, in the code of BINN.
UNITED_STATES = 156

#: West, east, south, north of the conterminous United States in that code, degrees.
BOX = (-124.763068, -66.949895, 24.5, 49.384358)

#: Values of the second column, `country_id`, that the original leaves out before its network.
#: Which countries they are is not said anywhere.
WITHHELD_COUNTRIES = (68, 39)

_LEAST_DEPTH = 50.0  # cm


def in_box(lon: FloatArray, lat: FloatArray) -> BoolArray:
    """Say which places lie in the box of the conterminous United States, its edges included.

    Examples
    --------
    >>> in_box(np.array([-124.763068, -66.0]), np.array([24.5, 40.0])).tolist()
    [True, False]
    """
    west, east, south, north = BOX
    return (lon >= west) & (lon <= east) & (lat >= south) & (lat <= north)


def in_united_states(profiles: pd.DataFrame) -> BoolArray:
    """Say which profiles the rule of BINN counts to the conterminous United States.

    Country code 156 in the column `country_name`, and a position in `BOX`.
    """
    country = profiles["country_name"].to_numpy() == UNITED_STATES
    return country & in_box(profiles["lon"].to_numpy(), profiles["lat"].to_numpy())


def network_rules(
    depth: FloatArray, soc: FloatArray, greatest_depth: FloatArray, country_id: FloatArray
) -> pd.DataFrame:
    """Say which profiles meet each of the original's rules before its network.

    Of `data_cleansing_before_nn`: those of its rules that need no data assimilation. The others
    (efficiency of the best chain, Gelman-Rubin statistic) depend on a run.

    Parameters
    ----------
    depth, soc : ndarray, shape (profile, observation)
        m and gC m-3, layers of zero SOC included; NaN where there is none.
    greatest_depth : ndarray, shape (profile,)
        Covariate Max_Depth, cm.
    country_id : ndarray, shape (profile,)
        Second column of the table of profiles.

    Returns
    -------
    DataFrame of bool
        A row per profile; columns `layers` (two at least), `falling` (correlation of SOC with
        depth not above 0), `maximum_above` (the only maximum is not the last layer),
        `first_above_last`, `deep` (deeper than 50 cm), `country`.

    Examples
    --------
    >>> depth, soc = np.array([[0.1, 0.6], [0.1, 0.6]]), np.array([[9e3, 4e3], [4e3, 9e3]])
    >>> network_rules(depth, soc, np.array([60.0, 60.0]), np.array([1.0, 1.0])).all(axis=1).tolist()
    [True, False]
    """
    there = np.isfinite(depth) & np.isfinite(soc)
    order = np.argsort(~there, axis=1, kind="stable")
    there = np.take_along_axis(there, order, axis=1)
    z = np.where(there, np.take_along_axis(depth, order, axis=1), np.nan)
    c = np.where(there, np.take_along_axis(soc, order, axis=1), np.nan)
    count = there.sum(axis=1)
    last = np.take_along_axis(c, np.maximum(count - 1, 0)[:, None], axis=1)[:, 0]
    greatest = np.where(there, c, -np.inf).max(axis=1)
    only = (c == greatest[:, None]).sum(axis=1) == 1
    return pd.DataFrame(
        {
            "layers": count >= 2,
            "falling": ~(_covariance(z, c, count) > 0),
            "maximum_above": ~(only & (last == greatest)),
            "first_above_last": c[:, 0] > last,
            "deep": greatest_depth > _LEAST_DEPTH,
            "country": ~np.isin(country_id, WITHHELD_COUNTRIES),
        }
    )


def listed(path: Path, profiles: int) -> BoolArray:
    """Read the original's own list of the profiles that meet `network_rules`.

    Parameters
    ----------
    path : Path
        Holds `eligible_loc_0`, numbers counted from 1.
    profiles : int
        In the table of profiles.

    Returns
    -------
    ndarray of bool, shape (profiles,)

    Raises
    ------
    ValueError
        If the file cannot be read, or names a profile that is not in the table.
    """
    number = read_matrix(path, "eligible_loc_0", 1)[:, 0]
    if not ((number >= 1) & (number <= profiles)).all():
        raise ValueError(
            f"file {path} names profiles {number.min():g} to {number.max():g}, but the table of "
            f"profiles has {profiles:,} rows: the two do not belong together, fetch both again"
        )
    found = np.zeros(profiles, dtype=bool)
    found[number.astype(int) - 1] = True
    return found


def _covariance(x: FloatArray, y: FloatArray, count: NDArray[np.int_]) -> FloatArray:
    """Sum of products about the means of each row: it has the sign of the correlation."""
    number = np.maximum(count, 1)
    mean = [np.nansum(each, axis=1) / number for each in (x, y)]
    return np.nansum((x - mean[0][:, None]) * (y - mean[1][:, None]), axis=1)
