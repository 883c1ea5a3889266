"""The true parameters of the twin: named effects of the environment plus hidden fields.

Each parameter is a sum of named terms (tables/truth.toml) on the logit scale of its unit prior
box. That carbon use efficiency falls with temperature is a finding of PRODA (compare Tao et al.
2023); the other terms are plausible rules, and all sizes are synthetic choices of this study.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit as logistic
from scipy.special import logit

from proda_lib.parameters import NAMES, PARAMETERS
from proda_lib.studies.twin.fields import hidden_fields
from proda_lib.studies.twin.landscape import Landscape
from proda_lib.studies.twin.tables import table
from proda_lib.studies.twin.vegetation import CLASSES

__all__ = ["effect", "hidden_effect", "terms", "unit_parameters"]

FloatArray = NDArray[np.float64]


def drivers(view: Landscape) -> dict[str, FloatArray]:
    """Return the environment as centred and scaled numbers, shape (place,) each.

    Vegetation classes are 0 or 1 under their names with underscores; humid, weathered and loess are
    the soil's indices.
    """
    soil, plants = view.soil, view.vegetation
    scaled = {
        "warm": (view.climate.mean_temperature - 11) / 6.5,
        "clay": np.clip((soil.clay[:, 0] - 20) / 8, -2.5, 3),
        "subsoil_clay": np.clip((soil.clay[:, 2] - 27) / 11, -2.5, 3),
        "humid": soil.humidity,
        "alkaline": (soil.ph[:, 0] - 6.4) / 0.7,
        "sand": (soil.sand[:, 0] - 41) / 9,
        "productive": np.log(plants.net_primary_production / 470) / 0.45,
        "coarse_fragments": np.log(soil.coarse_fragments[:, 0] / 4.5) / 0.75,
        "elevation": view.terrain.elevation / 1000,
        "loess": np.clip(soil.loess, 0, 1),
        "weathered": soil.weathering,
        "rain_seasonality": (view.bioclim["BIO15"] - 22) / 12,
        "relief": np.clip(view.terrain.relief / 800, 0, 1.6),
    }
    classes = {name.replace(" ", "_"): plants.is_class(name).astype(float) for name in CLASSES}
    return scaled | classes


def terms(driver: dict[str, FloatArray]) -> dict[str, FloatArray]:
    """Return every term that tables/truth.toml may name, from the drivers.

    Parameters
    ----------
    driver : dict
        As `drivers` gives it; may be changed by hand to see what a driver does.

    Returns
    -------
    dict
        The drivers themselves, their saturating or combined forms, and carbon_use_efficiency.
    """
    t, h, p = driver["warm"], driver["humid"], driver["alkaline"]
    grass = driver["grassland"] + driver["savanna"] + 0.5 * driver["cropland"]
    made = driver | {
        "warm_saturating": np.tanh(0.9 * t),
        "warm_clay": t * driver["clay"],
        "warm_grass": grass * np.tanh(1.2 * np.maximum(t, 0)),
        "cold_dry": logistic((-0.35 - t) / 0.15) * logistic(-h / 0.08),
        "cool_humid": logistic((-0.45 - t) / 0.2) * logistic((h - 0.12) / 0.08),
        "acid_humid": np.tanh(-p) * (h > 0),
        "very_acid": np.maximum(0, -p - 0.8),
        # Calcium bridges mineral and organic matter around pH 6.9.
        "calcium": np.exp(-0.5 * ((p - 0.7) / 0.5) ** 2),
        # Soil fauna mixes moist, mild soils.
        "soil_fauna": np.tanh(1.4 * (h + 0.1)) * np.exp(-0.5 * ((t - 0.1) / 1.1) ** 2),
        "sandy": np.tanh(2 * (driver["sand"] - 1)),
        "very_sandy": np.tanh(1.5 * (driver["sand"] - 1.2)),
        "subsoil_clay_saturating": np.tanh(driver["subsoil_clay"]),
        "subsoil_clay_soft": np.tanh(0.9 * driver["subsoil_clay"]),
        "altitude": driver["elevation"] - 1.2,
    }
    efficiency = _weighted(table("truth")["carbon_use_efficiency"], made)
    return made | {"carbon_use_efficiency": efficiency}


def _weighted(weights: dict[str, float], term: dict[str, FloatArray]) -> FloatArray:
    return sum((weight * term[name] for name, weight in weights.items()), np.array(0.0))


def _rows() -> list[dict[str, object]]:
    """Return the rows of tables/truth.toml in the order of the parameters."""
    rows = {row["name"]: row for row in table("truth")["parameter"]}
    return [rows[name] for name in NAMES]


def effect(driver: dict[str, FloatArray]) -> FloatArray:
    """Return what the environment does to each parameter, logit units; (place, parameter).

    gain x sum(weight x term), without the base, the offset and the hidden fields.

    Parameters
    ----------
    driver : dict
        As `drivers` gives it.
    """
    term = terms(driver)
    columns = [_weighted(row["terms"], term) for row in _rows()]
    return table("truth")["gain"] * np.stack(np.broadcast_arrays(*columns), axis=-1)


def base() -> FloatArray:
    """Return each parameter's base and offset, logit units; (parameter,)."""
    return np.array([logit(row["base"]) + row.get("offset", 0.0) for row in _rows()])


def hidden_effect(x: FloatArray, y: FloatArray) -> FloatArray:
    """Return what no covariate shows, logit units; (place, parameter).

    One Matern field per process, shared by its parameters with a sign each, and one per parameter.
    """
    shared, own = hidden_fields(len(NAMES))
    spread, own_spread = table("truth")["process_sd"], table("truth")["own_sd"]
    values = {name: spread[name] * field(x, y) for name, field in shared.items()}
    columns = [
        row["process_sign"] * values[parameter.process] + own_spread * field(x, y)
        for row, parameter, field in zip(_rows(), PARAMETERS, own, strict=True)
    ]
    return np.stack(columns, axis=-1)


def unit_parameters(view: Landscape, nugget: ArrayLike = 0.0) -> FloatArray:
    """Return the true parameters of places on the unit prior box; (place, parameter).

    0.03 + 0.94 logistic(base + effect + hidden effect + nugget_sd nugget).

    Parameters
    ----------
    view : Landscape
    nugget : array_like, shape (place, parameter)
        Standard normal numbers: what differs between neighbouring profiles; 0 at cells.
    """
    spec = table("truth")
    eta = base() + effect(drivers(view)) + hidden_effect(view.places.x, view.places.y)
    eta = eta + spec["nugget_sd"] * np.asarray(nugget, dtype=float)
    return spec["lower"] + (spec["upper"] - spec["lower"]) * logistic(eta)
