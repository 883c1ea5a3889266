"""Make a study of the published inputs: profiles and cells of a region with what drives them."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from proda_lib.soil_grid import GRIDS
from proda_lib.studies.cells import cell_area
from proda_lib.studies.covariates import with_covariates
from proda_lib.studies.observations import trim, usable, usable_cells, with_observations
from proda_lib.studies.published import covariates, filters, profiles
from proda_lib.studies.published.forcing import complete, read_forcing
from proda_lib.studies.published.layers import on_grid
from proda_lib.studies.published.source import LAT, nearest_cells
from proda_lib.studies.schema import described
from proda_lib.studies.study import EXCLUSION_COLUMNS, Study, StudyInfo

__all__ = ["Region", "make_study", "spread"]

_LOG = logging.getLogger(__name__)

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

_FOLDER = "wosis_2019_snap_shot"
_PROFILES = f"{_FOLDER}/soc_profile_wosis_2019_snapshot_hugelius_mishra.nc"
_LAYERS = f"{_FOLDER}/soc_data_integrate_wosis_2019_snapshot_hugelius_mishra.nc"
_SITES = f"{_FOLDER}/wosis_2019_snapshot_hugelius_mishra_env_info.mat"
_CELLS = f"{_FOLDER}/world_grid_envinfo_present.mat"
_LISTED = f"{_FOLDER}/eligible_profile_loc_0_cesm2_clm5_cen_vr_v2_whole_time.mat"

#: Forcing that `usable` looks at; the rest joins when the sites are chosen.
_LIGHT = ("bedrock_layer", "litter_input")


@dataclass(frozen=True)
class Region:
    """Which profiles and cells belong to a study.

    Attributes
    ----------
    profiles : callable
        Takes the table of profiles; yields pairs of a reason and which profiles it leaves out.
    cells : callable
        The same for longitude and latitude of cells, degrees.
    """

    profiles: Callable[[pd.DataFrame], list[tuple[str, BoolArray]]]
    cells: Callable[[FloatArray, FloatArray], list[tuple[str, BoolArray]]]


def make_study(
    info: StudyInfo, region: Region, files: Mapping[str, Path], size: str, soil_grid: str
) -> Study:
    """Read a study of the published inputs.

    Used are profiles of the region whose spin-up cell has forcing and some carbon input, with two
    positive observations at least: the rules before the original's data assimilation. Its rules
    before the network only mark sites (`eligible`). Everything left out is counted.

    Parameters
    ----------
    info : StudyInfo
    region : Region
    files : mapping
        Name in the registry -> path.
    size : {"smoke", "class", "paper"}
        "paper" takes all usable profiles, the others `spread` them.
    soil_grid : {"CLM5", "CLM45"}

    Returns
    -------
    Study
        Beyond the schema `sites` has, per site, `source_profile_id`, `location_id`, `forcing_id`,
        `complete_covariates`, `eligible` and `listed`, and per observation `below_bedrock` and
        `implausible`; `grid` has `source_row` and `complete_covariates`.
    """
    from proda_lib.studies import sizes

    table = profiles.read_profiles(files[_PROFILES])
    chosen, counts = _left(region.profiles(table), len(table), "profiles")
    cells = covariates.read_grid_table(files[_CELLS])
    cell_rows, cell_counts = _left(region.cells(cells[:, 0], cells[:, 1]), len(cells), "cells")
    cells = cells[cell_rows]
    lon = np.concatenate([table["lon"].to_numpy()[chosen], cells[:, 0]])
    lat = np.concatenate([table["lat"].to_numpy()[chosen], cells[:, 1]])
    forcing, which = _forcing(files, lon, lat, soil_grid)
    # The cells first: nothing else is in memory yet while they are copied without the incomplete.
    grid, incomplete = _grid(cells, cell_rows, forcing, which[len(chosen) :])
    light, more = _sites(files, table, chosen, forcing, which[: len(chosen)])
    sites, unusable = usable(light, single=False)
    row = sizes(info.name)[size]
    if size != "paper" and row["sites"] < sites.sizes["site"]:
        index = spread(sites.lon.values, sites.lat.values, row["sites"], row["seed"])
        sites = trim(sites.isel(site=index))
    heavy = forcing.drop_vars(_LIGHT).isel(cell=sites.forcing_id.values)
    sites = sites.merge(heavy.rename(cell="site")).assign_attrs(forcing.attrs)
    exclusions = pd.concat([counts, more, unusable, cell_counts, incomplete], ignore_index=True)
    return Study(info, size, described(sites), described(grid), exclusions)


def spread(lon: FloatArray, lat: FloatArray, number: int, seed: int) -> IntArray:
    """Choose places that cover a region as densely as all do; sorted indices.

    Places are ranked along bands of ten degrees of latitude, within them by blocks of one degree,
    within these at random; ranks are evenly spaced.

    Examples
    --------
    >>> spread(np.arange(10.0), np.zeros(10), 3, seed=1).tolist()
    [0, 4, 9]
    """
    shuffled = np.random.default_rng(seed).permutation(len(lon))
    keys = [np.floor(key[shuffled]) for key in (lat, lon, lat / 10)]
    ranked = shuffled[np.lexsort(keys)]
    return np.sort(ranked[np.linspace(0, len(ranked) - 1, number).round().astype(int)])


def _left(
    reasons: list[tuple[str, BoolArray]], number: int, what: str
) -> tuple[IntArray, pd.DataFrame]:
    """Return the rows that no reason leaves out, and a table in which each row counts once."""
    left = np.ones(number, dtype=bool)
    rows = []
    for reason, bad in reasons:
        rows.append({"reason": reason, what: int((left & bad).sum())})
        left &= ~bad
    return np.flatnonzero(left), _counted(rows)


def _counted(rows: list[dict[str, object]]) -> pd.DataFrame:
    table = pd.DataFrame(rows).reindex(columns=EXCLUSION_COLUMNS)
    return table.fillna(0).astype({name: int for name in EXCLUSION_COLUMNS[1:]})


def _forcing(
    files: Mapping[str, Path], lon: FloatArray, lat: FloatArray, soil_grid: str
) -> tuple[xr.Dataset, IntArray]:
    """Return the forcing of all places' cells, each once, and the number of each place's cell."""
    lon_index, lat_index = nearest_cells(lon, lat)
    number, which = np.unique(lon_index * len(LAT) + lat_index, return_inverse=True)
    forcing = read_forcing(files, number // len(LAT), number % len(LAT))
    return on_grid(forcing, GRIDS[soil_grid]), which


def _sites(
    files: Mapping[str, Path],
    table: pd.DataFrame,
    chosen: IntArray,
    forcing: xr.Dataset,
    which: IntArray,
) -> tuple[xr.Dataset, pd.DataFrame]:
    """Return the region's profiles, usable or not, with the forcing in `_LIGHT`."""
    picked = table.iloc[chosen]
    every = profiles.read_layers(files[_LAYERS])
    depth, soc, outside, _ = profiles.observations(picked["profile_id"].to_numpy(), every)
    environment = covariates.read_site_table(files[_SITES], table)[chosen]
    rules = filters.network_rules(
        depth, soc, covariates.greatest_depth(environment), picked["country_id"].to_numpy()
    )
    eligible = rules.all(axis=1).to_numpy()
    on_list = filters.listed(files[_LISTED], len(table))[chosen]
    if (eligible != on_list).any():
        _LOG.info(
            "%s of %s profiles meet the rules before the network, %s are on the original's list, "
            "%s differ", eligible.sum(), len(chosen), on_list.sum(), (eligible != on_list).sum()
        )  # fmt: skip
    sites = forcing[list(_LIGHT)].isel(cell=which).rename(cell="site")
    sites = with_covariates(
        sites, covariates.selected(environment), "site", covariates.covariate_table()
    ).assign_coords(lon=("site", picked["lon"].to_numpy()), lat=("site", picked["lat"].to_numpy()))
    place = picked.groupby(["lon", "lat"], sort=False).ngroup().to_numpy()
    usable_forcing = np.where(complete(forcing)[which], which, -1)
    labels = {
        "profile_id": (chosen, "order number in the source's table of profiles minus 1"),
        "source_profile_id": (picked["profile_id"].to_numpy().astype(np.int64), "as in the source"),
        "location_id": (place, "same number, same place"),
        "forcing_id": (usable_forcing, "same number, same forcing; -1 where incomplete"),
        "eligible": (eligible, "meets the original's rules before its network, fits aside"),
        "listed": (on_list, "is on the original's list of such profiles"),
    }
    sites = sites.assign_coords(
        {name: ("site", v, {"long_name": text}) for name, (v, text) in labels.items()}
    )
    reason = "layer with a depth outside 0 to 20 m, or SOC outside 0 to 2e6 gC m-3"
    return with_observations(sites, depth, soc), _counted([{"reason": reason, "layers": outside}])


def _grid(
    cells: FloatArray, rows: IntArray, forcing: xr.Dataset, which: IntArray
) -> tuple[xr.Dataset, pd.DataFrame]:
    """Return the region's cells that have complete forcing, and how many have not."""
    grid = forcing.isel(cell=which)
    grid = with_covariates(
        grid, covariates.selected(cells), "cell", covariates.covariate_table()
    ).assign_coords(source_row=("cell", rows, {"long_name": "0-based row of the source's table"}))
    grid["area"] = ("cell", cell_area(cells[:, 1]))
    return usable_cells(grid)
