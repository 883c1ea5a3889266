"""The published study's files, made up for a whole country: the twin's, in their layout.

Every number is synthetic. The twin's physics and profiles lie behind it, so that all chapters have
something to learn; its water scalar is lowered, so that it no longer follows from the potential.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import xarray as xr
from scipy.io import savemat
from scipy.spatial import cKDTree

from proda_lib import studies
from proda_lib.soil_grid import CLM5
from proda_lib.studies.published import covariates, filters, source
from tests import published_inputs as made

#: Water scalar of the files over the twin's, which follows from the water potential.
DRIER = 0.9

_DAYS = 365


def fields(grid: xr.Dataset) -> dict[str, np.ndarray]:
    """Return the fields at the twin's cells: (cell, month) or (cell, layer, month)."""
    share = np.exp(-CLM5.node / 0.3)
    share /= share @ CLM5.thickness
    inputs = grid.litter_input.values[:, :, None, :] * share[:, None]
    pools = ("CWD", "LITR1", "LITR2", "LITR3")
    months = np.ones(12)
    return {
        "TSOI": grid.soil_temperature.values,
        "W_SCALAR": DRIER * grid.water_scalar.values,
        "FPI_vr": grid.nitrogen_scalar.values,
        "SOILPSI": grid.water_potential.values,
        "CELLSAND": grid.sand.values[:, :, None] * months,
        **{f"{pool}_INPUT_ACC_VECTOR": inputs[:, i] for i, pool in enumerate(pools)},
        "ALTMAX": grid.active_layer_depth.values,
        "ALTMAX_LASTYEAR": grid.active_layer_depth_last_year.values,
        "nbedrock": grid.bedrock_layer.values[:, None] * months,
        "NPP": grid.net_primary_production.values[:, None] * months / (_DAYS * 86400),
    }


def write_fields(root: Path, grid: xr.Dataset) -> None:
    """Write every field: a cell of the spin-up takes the twin's nearest within a degree."""
    import h5py

    lon, lat = (np.flatnonzero(each) for each in _window(grid))
    place = np.stack(np.meshgrid(source.LON[lon], source.LAT[lat], indexing="ij"), axis=-1)
    distance, nearest = cKDTree(np.stack([grid.lon, grid.lat], axis=1)).query(place)
    for name, values in fields(grid).items():
        path = root / f"{made.CASE}{name}.mat"
        made.write_field(path, name)
        window = np.where((distance < 1)[..., None, None], _layered(values)[nearest], np.nan)
        with h5py.File(path, "r+") as file:
            data = file[source.FIELD_VARIABLE]
            block = np.moveaxis(window, (3, 2), (0, 1))
            block = block if data.ndim == 4 else block[:, 0]
            data[..., lon[0] : lon[-1] + 1, lat[0] : lat[-1] + 1] = block


def _window(grid: xr.Dataset) -> tuple[np.ndarray, np.ndarray]:
    west, east = float(grid.lon.min()) - 1, float(grid.lon.max()) + 1
    south, north = float(grid.lat.min()) - 1, float(grid.lat.max()) + 1
    return (
        (source.LON > west) & (source.LON < east),
        (source.LAT > south) & (source.LAT < north),
    )


def _layered(values: np.ndarray) -> np.ndarray:
    return values if values.ndim == 3 else values[:, None, :]


def write_all(mirror: Path, size: str = "class") -> Path:
    """Write every file that conus and global need, with the twin's sites; return INPUT_DATA."""
    twin = studies.load("twin", size)
    root = mirror / "github.com" / made.BASE
    write_fields(root, twin.grid)
    snapshot = "wosis_2019_snapshot_hugelius_mishra"
    tables = root / made.TABLES
    made.write_matrix(tables / f"soc_profile_{snapshot}.nc", "soc_profile_info", _profiles(twin))
    made.write_matrix(
        tables / f"soc_data_integrate_{snapshot}.nc", "data_soc_integrate", _layers(twin), "scipy"
    )
    made.write_env(tables / f"{snapshot}_env_info.mat", _site_table(twin))
    made.write_env(tables / "world_grid_envinfo_present.mat", _cell_table(twin))
    listed = np.arange(1, twin.sites.sizes["site"] + 1, 2, dtype=np.int32)
    savemat(
        tables / "eligible_profile_loc_0_cesm2_clm5_cen_vr_v2_whole_time.mat",
        {"eligible_loc_0": listed[:, None]},
    )
    return root


def _profiles(twin: studies.Study) -> np.ndarray:
    lon, lat = twin.sites.lon.values, twin.sites.lat.values
    count = np.isfinite(twin.sites.observed_soc.values).sum(axis=1)
    number = np.arange(len(lon))
    same = np.ones(len(lon))
    columns = (1001 + number, same, filters.UNITED_STATES * same, lon, lat, count, 1990 * same)
    return np.stack(columns, axis=1)


def _layers(twin: studies.Study) -> np.ndarray:
    soc = twin.sites.observed_soc.values
    site, which = np.nonzero(np.isfinite(soc))
    depth = 100 * twin.sites.observed_depth.values[site, which]
    same = np.ones(len(site))
    columns = (
        1001 + site, 1990 * same, depth - 0.5, depth + 0.5, depth, 10 * same, soc[site, which],
        1.3 * same, 0 * same,
    )  # fmt: skip
    return np.stack(columns, axis=1)


def _site_table(twin: studies.Study) -> np.ndarray:
    sites = twin.sites
    rows = np.full((sites.sizes["site"], 81), np.nan)
    rows[:, covariates.covariate_table()["site_column"] - 1] = sites.covariates.values
    rows[:, 0] = np.arange(1, len(rows) + 1)
    rows[:, 1] = 1000 + rows[:, 0]
    rows[:, 3], rows[:, 4] = sites.lon.values, sites.lat.values
    rows[:, 72] = 100 * np.nanmax(sites.observed_depth.values, axis=1)
    return rows


def _cell_table(twin: studies.Study) -> np.ndarray:
    grid = twin.grid
    rows = np.full((grid.sizes["cell"], 81), np.nan)
    rows[:, covariates.covariate_table()["site_column"] - 1] = grid.covariates.values
    rows[:, 3], rows[:, 4] = grid.lon.values, grid.lat.values
    return rows[:, 3:80]
