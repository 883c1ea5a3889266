"""The landscape: terrain, climate, soil and vegetation of places, and the model's forcing there."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from proda_lib.soil_grid import SoilGrid
from proda_lib.studies.schema import LITTER, variable
from proda_lib.studies.twin import soil_climate
from proda_lib.studies.twin.bioclim import bioclimatic, koppen
from proda_lib.studies.twin.climate import Climate, climate
from proda_lib.studies.twin.geometry import land_cells
from proda_lib.studies.twin.places import Places
from proda_lib.studies.twin.soils import DEPTHS, Soil, soil
from proda_lib.studies.twin.terrain import Terrain, terrain
from proda_lib.studies.twin.vegetation import Vegetation, litter_input, vegetation

__all__ = ["Landscape", "forcing", "land", "landscape", "nearest_cell"]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Landscape:
    """All that is known of places before the carbon model: each part documents its own units."""

    places: Places
    terrain: Terrain
    climate: Climate
    bioclim: dict[str, FloatArray]
    koppen: NDArray[np.int64]
    soil: Soil
    vegetation: Vegetation


def landscape(lon: ArrayLike, lat: ArrayLike) -> Landscape:
    """Evaluate the landscape at longitudes and latitudes, degrees.

    A function of position alone: other places do not matter.

    Examples
    --------
    >>> everglades = landscape([-81.0], [26.2])
    >>> bool(everglades.climate.mean_temperature[0] > 20)
    True
    """
    places = Places(np.array(lon, dtype=float), np.array(lat, dtype=float))
    ground = terrain(places)
    air = climate(places, ground)
    earth = soil(places, ground, air)
    plants = vegetation(places, ground, air, earth)
    return Landscape(places, ground, air, bioclimatic(air), koppen(air), earth, plants)


@cache
def land() -> Landscape:
    """Return the landscape at the centres of all land cells; evaluated once."""
    return landscape(*land_cells())


def nearest_cell(lon: FloatArray, lat: FloatArray) -> NDArray[np.int64]:
    """Return the number of the land cell nearest to each point, in degrees as the original does.

    Examples
    --------
    >>> lon, lat = land_cells()
    >>> nearest_cell(lon[[7]] + 0.1, lat[[7]] - 0.1).tolist()
    [7]
    """
    from scipy.spatial import KDTree

    tree = KDTree(np.column_stack(land_cells()))
    return tree.query(np.column_stack([lon, lat]))[1].astype(np.int64)


def _sand_profile(earth: Soil, grid: SoilGrid) -> FloatArray:
    """Return sand at the nodes, percent: linear between 0, 30 and 100 cm, constant below."""
    depth = np.array(DEPTHS) / 100
    return np.stack([np.interp(grid.node, depth, sand) for sand in earth.sand])


def _forcing_arrays(view: Landscape, grid: SoilGrid) -> dict[str, FloatArray]:
    places, air, plants = view.places, view.climate, view.vegetation
    wetland = plants.is_class("wetland")
    wetness = soil_climate.bucket(air, view.soil)
    temperature = soil_climate.soil_temperature(air, plants, wetness, grid.node)
    layers = soil_climate.layer_wetness(places, air, wetness, grid.node)
    water = soil_climate.water_scalar(layers, temperature, wetland)
    thaw = np.repeat(soil_climate.active_layer_depth(air)[:, None], 12, axis=1)
    # Only the annual sum of litter enters the model: the months share it equally.
    litter = np.repeat(litter_input(plants)[:, :, None] / 12, 12, axis=2)
    return {
        "soil_temperature": temperature,
        "water_scalar": water,
        "oxygen_scalar": soil_climate.oxygen_scalar(wetland, grid.node),
        "nitrogen_scalar": soil_climate.nitrogen_scalar(places, air, grid.node),
        "water_potential": soil_climate.water_potential(water),
        "sand": _sand_profile(view.soil, grid),
        "active_layer_depth": thaw,
        "active_layer_depth_last_year": thaw,
        "bedrock_layer": soil_climate.bedrock_layer(view.soil.bedrock_depth, grid),
        "litter_input": litter,
        "net_primary_production": plants.net_primary_production,
    }


def forcing(view: Landscape, grid: SoilGrid) -> xr.Dataset:
    """Return the forcing of the carbon model on a soil grid, in the schema's form.

    The same physics at the nodes of either grid: `CLM45` gives the 10-layer view.

    Parameters
    ----------
    view : Landscape
    grid : SoilGrid

    Returns
    -------
    Dataset
        Dimension `cell`; variables, dimensions and units of `proda_lib.studies.schema`.
    """
    arrays = _forcing_arrays(view, grid)
    variables = {name: variable(name, "cell", values) for name, values in arrays.items()}
    coords = {
        "litter": list(LITTER),
        "month": np.arange(1, 13),
        "layer": np.arange(1, grid.layers + 1),
        "depth": ("layer", grid.node, {"units": "m", "long_name": "depth of the layer node"}),
    }
    return xr.Dataset(variables, coords, {"soil_grid": grid.name})
