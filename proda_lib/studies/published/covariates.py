"""The 60 covariates of the published study, out of its tables of sites and of half-degree cells."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from proda_lib.studies.published.source import read_matrix

__all__ = ["covariate_table", "greatest_depth", "read_grid_table", "read_site_table", "selected"]

FloatArray = NDArray[np.float64]

#: Columns of the two tables. That of the cells is that of the sites without the three columns that
#: say which profile it is, and without the last, the efficiency of the site's fit.
_SITE_COLUMNS, _GRID_COLUMNS, _IDENTITY = 81, 77, 3

_MAX_DEPTH = 73  # column of the site table, counted from 1

#: Farthest that a table's position may lie from the profile's, degrees.
_TOLERANCE = 0.01


def covariate_table() -> pd.DataFrame:
    """Return the covariates in their order: name, units, kind, meaning, site_column.

    Names, order and columns (counted from 1) are those of the original network's inputs. The files
    have no header and no units; units are those of `newyork` where it has the covariate, otherwise
    of the source by name, in agreement with the ranges of the original's `col_max_min`.

    Examples
    --------
    >>> table = covariate_table()
    >>> len(table), table.site_column.iloc[-1].item()
    (60, 80)
    """
    return pd.read_csv(Path(__file__).with_name("covariates.csv"))


def read_site_table(path: Path, profiles: pd.DataFrame) -> FloatArray:
    """Read the table of the sites' environment, a row per profile.

    Parameters
    ----------
    path : Path
    profiles : DataFrame
        Table of profiles, to see that both have the same rows.

    Returns
    -------
    ndarray, shape (profile, 81)

    Raises
    ------
    ValueError
        If the file cannot be read, has another number of rows, or most of its positions differ
        from the profiles'.
    """
    values = read_matrix(path, "EnvInfo", _SITE_COLUMNS)
    if len(values) != len(profiles):
        raise ValueError(
            f"file {path} has {len(values):,} rows, the table of profiles {len(profiles):,}: the "
            "two do not belong together, fetch both again"
        )
    place = profiles[["lon", "lat"]].to_numpy()
    off = (np.abs(values[:, _IDENTITY : _IDENTITY + 2] - place) > _TOLERANCE).any(axis=1)
    if off.mean() > 0.5:
        row = int(np.flatnonzero(off)[0])
        raise ValueError(
            f"file {path}: columns Lon and Lat differ from the table of profiles in {off.sum():,} "
            f"rows, first in row {row + 1} ({values[row, 3]:g}, {values[row, 4]:g} against "
            f"{place[row, 0]:g}, {place[row, 1]:g}): exchanged, or not of the same profiles"
        )
    return values


def read_grid_table(path: Path) -> FloatArray:
    """Read the table of half-degree cells; shape (cell, 77).

    Raises
    ------
    ValueError
        If the file cannot be read, or a latitude is none: then columns are exchanged.
    """
    values = read_matrix(path, "EnvInfo", _GRID_COLUMNS)
    lon, lat = values[:, 0], values[:, 1]
    off = ~((np.abs(lon) <= 180) & (np.abs(lat) <= 90))
    if off.any():
        row = int(np.flatnonzero(off)[0])
        raise ValueError(
            f"file {path}, row {row + 1}: lon {lon[row]:g}, lat {lat[row]:g} is no place on "
            "Earth: the columns are exchanged, or this is not the registered file"
        )
    return values


def selected(table: FloatArray) -> FloatArray:
    """Return the 60 covariates of a table of sites (81 columns) or of cells (77)."""
    before = _IDENTITY if table.shape[1] == _GRID_COLUMNS else 0
    return table[:, covariate_table()["site_column"].to_numpy() - 1 - before]


def greatest_depth(site_table: FloatArray) -> FloatArray:
    """Return the covariate Max_Depth of the sites, cm."""
    return site_table[:, _MAX_DEPTH - 1]
