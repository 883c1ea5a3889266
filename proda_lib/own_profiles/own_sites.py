"""Sites and cells of a study of your own profiles, in the common form."""

from __future__ import annotations

import numpy as np
import pandas as pd
import xarray as xr

from proda_lib.own_profiles.nearest_cell import nearest_cell
from proda_lib.own_profiles.read import ProfileTable
from proda_lib.own_profiles.table import LEFT_OUT, left_out, numbers, observations
from proda_lib.studies.cells import west_of
from proda_lib.studies.schema import VARIABLES, below_bedrock, variable
from proda_lib.studies.study import EXCLUSION_COLUMNS

__all__ = ["FEWEST_CELLS", "map_cells", "sites"]

#: The map has at least so many cells, where the lender has them.
FEWEST_CELLS = 12

#: Variables of a cell that a site takes over; not its area and its numbers in the lender's source.
_LENT = {each.name for each in VARIABLES if "site" in each.rows}
_LENT |= {"vegetation_type", "complete_covariates"}

#: Degrees around the profiles that the map shows too.
_MARGIN = 1.0


def sites(
    table: ProfileTable, grid: xr.Dataset, farthest: float
) -> tuple[xr.Dataset, pd.DataFrame]:
    """Return the usable profiles with forcing and covariates of their nearest cells.

    Parameters
    ----------
    table : ProfileTable
        Without errors.
    grid : Dataset
        Cells of the study that lends its forcing, in the common form.
    farthest : float
        km; profiles farther from every cell are left out.

    Returns
    -------
    sites : Dataset
        In the common form. Covariates Lon and Lat are the profile's own; `profile` is the name in
        the table, `forcing_id` the number of the cell, `forcing_distance` how far its centre is
        (km), `location_id` the same for the same position.
    exclusions : DataFrame
        Columns reason, profiles, layers, cells.
    """
    layers = observations(table)
    first = layers.drop_duplicates("number")
    cell, distance = nearest_cell(first.lon, first.lat, west_of(grid["lon"]), grid["lat"])
    near = distance <= farthest
    counts = _exclusions(table, layers, first[~near], farthest)
    first, cell, distance = first[near], cell[near], distance[near]
    own = [name for name in grid.variables if "cell" in grid[name].dims and name not in _LENT]
    lent = grid.drop_vars(own).isel(cell=cell).rename(cell="site")
    lent = lent.assign_coords(
        {
            "lon": variable("lon", "site", first.lon.to_numpy()),
            "lat": variable("lat", "site", first.lat.to_numpy()),
            "profile_id": _label(first.number, "order of the profile in the table, from 0"),
            "profile": _label(first.profile.to_numpy(dtype=str), "name of the profile"),
            "location_id": _label(_positions(first), "same number, same place"),
            "forcing_id": _label(cell, "number of the lender's cell"),
            "forcing_distance": _label(distance, "distance of the cell's centre", "km"),
        }
    )
    depth, soc = (_padded(layers, first.number, name) for name in ("depth", "soc"))
    lent["observed_depth"] = variable("observed_depth", "site", depth)
    lent["observed_soc"] = variable("observed_soc", "site", soc)
    lent["below_bedrock"] = below_bedrock(lent)
    return _with_own_place(lent), counts


def map_cells(places: xr.Dataset, grid: xr.Dataset) -> xr.Dataset:
    """Return the lender's cells around the profiles: their bounding box and a margin of 1 degree.

    Where these are fewer than 12, the 12 nearest to the middle of the profiles.

    Parameters
    ----------
    places : Dataset
        With `lon` and `lat`, degrees.
    grid : Dataset
        Cells of the study that lends its forcing.
    """
    inside = np.ones(grid.sizes["cell"], dtype=bool)
    for name in ("lon", "lat"):
        own, cells = west_of(places[name]), west_of(grid[name])
        inside &= (cells >= own.min() - _MARGIN) & (cells <= own.max() + _MARGIN)
    if inside.sum() < FEWEST_CELLS:
        middle = [[float(west_of(places[name]).mean())] for name in ("lon", "lat")]
        _, distance = nearest_cell(west_of(grid["lon"]), grid["lat"], *middle)
        inside = np.zeros(len(distance), dtype=bool)
        inside[np.argsort(distance, kind="stable")[:FEWEST_CELLS]] = True
    return grid.isel(cell=np.flatnonzero(inside))


def _label(values: np.ndarray | pd.Series, meaning: str, units: str = "1") -> xr.Variable:
    return xr.Variable(("site",), np.asarray(values), {"units": units, "long_name": meaning})


def _positions(first: pd.DataFrame) -> np.ndarray:
    return first.groupby(["lon", "lat"], sort=False).ngroup().to_numpy()


def _padded(layers: pd.DataFrame, number: pd.Series, name: str) -> np.ndarray:
    """Return a column of the layers as (site, observation), NaN at the end of short profiles."""
    kept = layers[layers.number.isin(number)]
    order = kept.groupby("number").cumcount()
    wide = kept.assign(order=order).pivot(index="number", columns="order", values=name)
    return wide.loc[number].to_numpy()


def _with_own_place(lent: xr.Dataset) -> xr.Dataset:
    """Put the profile's position in place of the cell's among the covariates."""
    values = lent["covariates"].values.copy()
    for name, own in (("Lon", lent["lon"]), ("Lat", lent["lat"])):
        values[:, np.flatnonzero(lent["covariate"].values == name)] = own.values[:, None]
    return lent.assign(covariates=lent["covariates"].copy(data=values))


def _exclusions(
    table: ProfileTable, layers: pd.DataFrame, far: pd.DataFrame, farthest: float
) -> pd.DataFrame:
    """Count layers by the reason why they are not used, then profiles."""
    reason, profile = left_out(numbers(table)), table.cells["profile"]
    rows = [(why, 0, int((reason == why).sum()), 0) for why in LEFT_OUT]
    rows.append(
        ("profile without a usable layer", profile.nunique() - layers.profile.nunique(), 0, 0)
    )
    gone = int(layers.number.isin(far.number).sum())
    rows.append((f"profile farther than {farthest:g} km from the forcing", len(far), gone, 0))
    counts = pd.DataFrame(rows, columns=EXCLUSION_COLUMNS)
    return counts[(counts.profiles > 0) | (counts.layers > 0)].reset_index(drop=True)
