"""The files of the study `newyork`, read into the variables of the schema, nothing left out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from proda_lib.soil_grid import CLM5
from proda_lib.studies.cells import cell_area
from proda_lib.studies.covariates import with_covariates
from proda_lib.studies.observations import with_observations
from proda_lib.studies.schema import LITTER, VARIABLES, described

__all__ = ["Source", "covariate_table", "read_grid", "read_sites"]

FloatArray = NDArray[np.float64]

_PROFILES, _COLUMNS, _CELLS = 1406, 200, 132


@dataclass(frozen=True)
class Source:
    """The verified files by their name in the registry.

    Attributes
    ----------
    files : mapping
        Name -> path (see `proda_lib.studies.download.fetch`).
    """

    files: Mapping[str, Path]

    def read(self, name: str, shape: tuple[int, ...]) -> FloatArray:
        """Read a file of numbers.

        Raises
        ------
        ValueError
            If the file does not hold numbers of that shape; the message names the file.
        """
        path = self.files[name]
        try:
            array = np.load(path) if name.endswith(".npy") else np.loadtxt(path, delimiter=",")
        except ValueError as error:
            raise ValueError(f"file {path} cannot be read as numbers: {error}") from error
        if array.shape != shape:
            raise ValueError(f"file {path} has shape {array.shape}, expected {shape}")
        return array.astype(float)


def covariate_table() -> pd.DataFrame:
    """Return the 38 covariates in the order of the source: name, units, kind, meaning.

    The files have no header. Names and order are those of the original study's network inputs
    (60 of them) reduced to 38; each was checked against its values: pH times ten lies between 37
    and 75, clay and silt never sum to more than 100 percent, the last column is the forcing's
    bedrock layer.

    Examples
    --------
    >>> covariate_table().name.tolist()[:4]
    ['Lon', 'Lat', 'ESA_Land_Cover', 'BIO1']
    >>> len(covariate_table())
    38
    """
    return pd.read_csv(Path(__file__).with_name("covariates.csv"))


def read_sites(source: Source) -> xr.Dataset:
    """Read all 1,406 profiles, usable or not; observations as in the files, gaps included."""
    n = _PROFILES
    environment = source.read("Training_Data/env_info.txt", (n, 38))
    sites = _forcing(source, "Training_Data/model_force_", n, "site")
    sites = with_covariates(sites, environment, "site", covariate_table())
    number = source.read("Training_Data/profile_id.txt", (n,)).astype(np.int64)
    coordinates = {
        "profile_id": (number, "as in the source; order number in WoSIS minus 1"),
        "source_row": (np.arange(n), "0-based row of the source's files"),
        "location_id": (_group(environment[:, :2]), "same number, same place"),
        "forcing_id": (_forcing_id(sites), "same number, same forcing; -1 where incomplete"),
    }
    sites = sites.assign_coords(
        {name: ("site", v, {"long_name": text}) for name, (v, text) in coordinates.items()}
    )
    depth = source.read("Training_Data/obs_soc_depth.txt", (n, _COLUMNS))
    soc = source.read("Training_Data/obs_soc_NY.txt", (n, _COLUMNS))
    return described(with_observations(sites, depth, soc))


def read_grid(source: Source) -> xr.Dataset:
    """Read all 132 cells, usable or not."""
    n = _CELLS
    environment = source.read("Prediction_Data/grid_env_info_NY.txt", (n, 38))
    number = source.read("Prediction_Data/grid_env_info_ID.txt", (n,)).astype(np.int64)
    grid = _forcing(source, "Prediction_Data/model_force_pred_", n, "cell")
    grid = with_covariates(grid, environment, "cell", covariate_table()).assign_coords(
        grid_env_info_ID=("cell", number, {"long_name": "number of the cell in the source"}),
        source_row=("cell", np.arange(n), {"long_name": "0-based row of the source's files"}),
    )
    grid["area"] = ("cell", cell_area(environment[:, 1]))
    return described(grid)


def _forcing(source: Source, prefix: str, n: int, row: str) -> xr.Dataset:
    """Read the CLM5 forcing of profiles or cells into the variables of the schema."""
    layers, months = CLM5.layers, 12

    def monthly(name: str) -> FloatArray:
        return source.read(f"{prefix}{name}.txt", (n, months))

    def profile(name: str) -> FloatArray:
        return source.read(f"{prefix}{name}.npy", (n, layers, months))

    litter = [monthly(f"input_vector_{pool}") for pool in LITTER]
    return xr.Dataset(
        {
            "soil_temperature": ((row, "layer", "month"), profile("soil_temp_profile")),
            "water_scalar": ((row, "layer", "month"), profile("soil_water_profile")),
            "oxygen_scalar": ((row, "layer", "month"), profile("xio")),
            "nitrogen_scalar": ((row, "layer", "month"), profile("xin")),
            "sand": ((row, "layer"), profile("sand_vector").mean(axis=2)),
            "active_layer_depth": ((row, "month"), monthly("altmax_current_profile")),
            "active_layer_depth_last_year": ((row, "month"), monthly("altmax_lastyear_profile")),
            # Constant over the year (a test sees to it).
            "bedrock_layer": ((row,), monthly("nbedrock")[:, 0]),
            "litter_input": ((row, "litter", "month"), np.stack(litter, axis=1)),
        },
        coords={"litter": list(LITTER), "node": ("layer", CLM5.node, {"units": "m"})},
        attrs={"soil_grid": CLM5.name},
    )


def _forcing_id(sites: xr.Dataset) -> NDArray[np.int64]:
    """Give each distinct forcing a number; -1 where a value is missing."""
    dims = {"layer", "month", "litter"}
    names = [v.name for v in VARIABLES if dims & set(v.dims) and v.name in sites]
    blocks = [sites[name].values.reshape(sites.sizes["site"], -1) for name in names]
    table = np.concatenate([*blocks, sites.bedrock_layer.values[:, None]], axis=1)
    whole = ~np.isnan(table).any(axis=1)
    number = np.full(len(table), -1)
    number[whole] = _group(table[whole])
    return number


def _group(table: FloatArray) -> NDArray[np.int64]:
    """Give each distinct row a number, in order of their first appearance."""
    _, first, inverse = np.unique(table, axis=0, return_index=True, return_inverse=True)
    rank = np.empty(len(first), dtype=np.int64)
    rank[np.argsort(first)] = np.arange(len(first))
    return rank[inverse.ravel()]
