"""Covariates: the 60 environmental variables that the deep learning model sees.

Names and order are those of the original network's inputs (its spelling "Garde_Acid" included);
values are exact, without the errors of real maps.
"""

from __future__ import annotations

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy.special import expit as logistic

from proda_lib.soil_grid import CLM5
from proda_lib.studies.twin.landscape import Landscape
from proda_lib.studies.twin.soil_climate import bedrock_layer
from proda_lib.studies.twin.soils import DEPTHS, texture_class
from proda_lib.studies.twin.tables import covariate_table
from proda_lib.studies.twin.vegetation import by_class

__all__ = ["covariates"]

FloatArray = NDArray[np.float64]


def _rounded(field: FloatArray) -> FloatArray:
    """Return a random field as whole numbers -2 to 2: neighbours of a soil type in its list."""
    return np.round(np.clip(field, -2, 2))


def _suborder(view: Landscape) -> FloatArray:
    """Return a code in the style of SoilGrids' USDA suborders, by rules of this study.

    The order of the rules: bog, Ultisol, desert, Mollisol, Spodosol, mountain, else Alfisol.
    """
    soil, plants = view.soil, view.vegetation
    prairie = plants.is_class("grassland") | (plants.is_class("cropland") & (soil.loess > 0.3))
    rules = [
        (plants.is_class("wetland"), 10),
        (soil.weathering > 0.5, 84),
        (soil.humidity < -0.45, 16),
        (prairie, 62),
        (view.climate.mean_temperature < 5.5, 74),
        (view.terrain.relief > 500, 50),
    ]
    code = np.select([where for where, _ in rules], [number for _, number in rules], 85)
    return code + _rounded(view.places.field("soil_order"))


def _wrb_subgroup(view: Landscape) -> FloatArray:
    """Return a code in the style of SoilGrids' WRB subgroups, by rules of this study."""
    soil = view.soil
    rules = [
        (view.vegetation.is_class("wetland"), 50),
        (soil.weathering > 0.5, 2),
        (soil.humidity < -0.45, 27),
        (soil.loess > 0.4, 85),
        (soil.sand[:, 0] > 65, 7),
    ]
    code = np.select([where for where, _ in rules], [number for _, number in rules], 29)
    return code + _rounded(view.places.field("profile"))


def _acid_grade(view: Landscape) -> FloatArray:
    """Return the grade of acid subsoil, 0 to 4: humid soils are acid."""
    grade = 1.5 + 2.2 * view.soil.humidity - 0.6 * view.places.field("acidity")
    return np.clip(np.round(grade), 0, 4)


def _by_depth(name: str, values: FloatArray) -> dict[str, FloatArray]:
    return {f"{name}_{depth}cm": values[:, i] for i, depth in enumerate(DEPTHS)}


def _soil_columns(view: Landscape) -> dict[str, FloatArray]:
    soil = view.soil
    return {
        "Abs_Depth_to_Bedrock": 100 * soil.bedrock_depth,
        **_by_depth("Bulk_Density", soil.bulk_density),
        **_by_depth("CEC", soil.cation_exchange),
        **_by_depth("Clay_Content", soil.clay),
        **_by_depth("Coarse_Fragments_v", soil.coarse_fragments),
        "Garde_Acid": _acid_grade(view),
        "Occurrence_R_Horizon": 100 * logistic((1.6 - soil.bedrock_depth) / 0.6),
        **_by_depth("pH_Water", 10 * soil.ph),
        **_by_depth("Sand_Content", soil.sand),
        **_by_depth("Silt_Content", soil.silt),
        **_by_depth("SWC_v_Wilting_Point", soil.wilting_point),
        **_by_depth("Texture_USDA", texture_class(soil.clay, soil.silt, soil.sand)),
        "USDA_Suborder": _suborder(view),
        "WRB_Subgroup": _wrb_subgroup(view),
        "nbedrock": bedrock_layer(soil.bedrock_depth, CLM5),
    }


def _plant_columns(view: Landscape) -> dict[str, FloatArray]:
    number, production = view.vegetation.number, view.vegetation.net_primary_production
    spread = 0.08 + 0.06 * np.abs(view.places.field("productivity"))
    carbon = by_class("carbon")[number] * np.clip(production / 550, 0.2, 2)
    return {
        "ESA_Land_Cover": by_class("esa")[number],
        "cesm2_npp": production,
        "cesm2_npp_std": production * spread,
        "cesm2_vegc": carbon,
    }


def covariates(view: Landscape, row: str) -> xr.DataArray:
    """Return the covariates of places.

    Parameters
    ----------
    view : Landscape
    row : str
        Name of the first dimension, "site" or "cell".

    Returns
    -------
    DataArray, dimensions (row, covariate)
        Coordinates covariate, covariate_units and covariate_kind ("continuous" or "category").
    """
    columns = {
        "Lon": view.places.lon,
        "Lat": view.places.lat,
        "Elevation": view.terrain.elevation,
        "Koppen_Climate_2018": view.koppen,
        **view.bioclim,
        **_soil_columns(view),
        **_plant_columns(view),
    }
    table = covariate_table()
    values = np.column_stack([np.asarray(columns[line["name"]], dtype=float) for line in table])
    coords = {
        "covariate": [line["name"] for line in table],
        "covariate_units": ("covariate", [line["units"] for line in table]),
        "covariate_kind": ("covariate", [line["kind"] for line in table]),
    }
    attrs = {
        "units": "see covariate_units",
        "long_name": "environmental covariates of the deep learning model",
    }
    return xr.DataArray(values, coords, (row, "covariate"), attrs=attrs)
