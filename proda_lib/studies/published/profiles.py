"""The two tables of soil profiles: where each lies, and its layers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from proda_lib.studies.published.filters import in_united_states
from proda_lib.studies.published.source import read_matrix
from proda_lib.studies.schema import VARIABLES

__all__ = ["LAYER_COLUMNS", "PROFILE_COLUMNS", "observations", "read_layers", "read_profiles"]

FloatArray = NDArray[np.float64]

#: Columns of `soc_profile_info`; `country_name` holds a number as well.
PROFILE_COLUMNS = ("profile_id", "country_id", "country_name", "lon", "lat", "layer_num", "date")

#: Columns of `data_soc_integrate`: depths in cm, SOC in g kg-1 and gC m-3, bulk density, and
#: whether that comes from a pedotransfer function.
LAYER_COLUMNS = (
    "profile_id", "date", "upper_depth", "lower_depth", "node_depth", "soc_layer_weight",
    "soc_stock", "bulk_density", "is_pedo",
)  # fmt: skip

_CM = 0.01  # m


def read_profiles(path: Path) -> pd.DataFrame:
    """Read the table of profiles, a row each, in the order by which the source counts them.

    Raises
    ------
    ValueError
        If the file cannot be read, or a position is not one on Earth; a table with longitude and
        latitude exchanged is refused, too (some scripts label them the other way round).
    """
    values = read_matrix(path, "soc_profile_info", len(PROFILE_COLUMNS))
    table = pd.DataFrame(values, columns=list(PROFILE_COLUMNS))
    _check_positions(table, path)
    return table


def read_layers(path: Path) -> pd.DataFrame:
    """Read the table of layers, a row each; depths in cm as in the file.

    Raises
    ------
    ValueError
        If the file cannot be read.
    """
    values = read_matrix(path, "data_soc_integrate", len(LAYER_COLUMNS))
    return pd.DataFrame(values, columns=list(LAYER_COLUMNS))


def observations(
    profile_id: FloatArray, layers: pd.DataFrame
) -> tuple[FloatArray, FloatArray, int, int]:
    """Gather the layers of profiles, in the order of the table.

    Parameters
    ----------
    profile_id : ndarray, shape (profile,)
    layers : DataFrame
        See `read_layers`.

    Returns
    -------
    depth, soc : ndarray, shape (profile, observation)
        Depth of the layer's middle, m, and SOC, gC m-3. NaN where there is none, and where a value
        lies outside the range of the common form (depth 0 to 20 m, SOC 0 to 2e6 gC m-3).
    outside, strange : int
        Values outside that range; layers whose profile is not among those given.

    Examples
    --------
    >>> layers = pd.DataFrame({"profile_id": [7, 9, 7], "node_depth": [5, 5, 30.0],
    ...                        "soc_stock": [9e3, 8e3, 4e3]})
    >>> depth, soc, outside, strange = observations(np.array([7.0]), layers)
    >>> depth.tolist(), soc.tolist(), strange
    ([[0.05, 0.3]], [[9000.0, 4000.0]], 1)
    """
    of_id = layers.groupby("profile_id", sort=False).indices
    rows = [of_id.get(number, np.empty(0, dtype=int)) for number in profile_id]
    count = np.array([len(row) for row in rows], dtype=int)
    place = np.repeat(np.arange(len(rows)), count), _within_each(count)
    taken = np.concatenate([*rows, np.empty(0, dtype=int)]).astype(int)
    shape = (len(rows), max(1, int(count.max(initial=0))))
    found, outside = [], 0
    columns = {"observed_depth": ("node_depth", _CM), "observed_soc": ("soc_stock", 1.0)}
    for name, (column, factor) in columns.items():
        line = next(each for each in VARIABLES if each.name == name)
        values = layers[column].to_numpy()[taken] * factor
        bad = (values < line.lower) | (values > line.upper)
        outside += int(bad.sum())
        table = np.full(shape, np.nan)
        table[place] = np.where(bad, np.nan, values)
        found.append(table)
    return found[0], found[1], outside, len(layers) - len(np.unique(taken))


def _within_each(count: NDArray[np.int_]) -> NDArray[np.int_]:
    """Count 0, 1, ... within each group of the given sizes."""
    return np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)


def _check_positions(table: pd.DataFrame, path: Path) -> None:
    exchanged = table.rename(columns={"lon": "lat", "lat": "lon"})
    too_far = table["lat"].abs().gt(90) & table["lon"].abs().le(90)
    if too_far.any() or in_united_states(exchanged).sum() > in_united_states(table).sum():
        raise ValueError(
            f"file {path}: columns lon and lat seem exchanged (lat reaches "
            f"{table['lat'].abs().max():g}): the registered file has lon before lat"
        )
    off = ~(table["lat"].abs().le(90) & table["lon"].abs().le(180))
    if off.any():
        row = int(np.flatnonzero(off)[0])
        raise ValueError(
            f"file {path}, row {row + 1}: lon {table['lon'][row]:g}, lat {table['lat'][row]:g} is "
            "no place on Earth, allowed are -180 to 180 and -90 to 90: fetch it again"
        )
