"""Soils: texture, chemistry and depth to bedrock, from climate, terrain and random fields.

All numbers are synthetic choices of this study. "Organic matter" here is a proxy of climate, not
the true soil carbon: the covariates must not give the answer away.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit as logistic

from proda_lib.studies.twin.climate import Climate
from proda_lib.studies.twin.places import Places
from proda_lib.studies.twin.terrain import Terrain

__all__ = ["DEPTHS", "Soil", "soil", "texture_class"]

FloatArray = NDArray[np.float64]

#: Depths at which soil properties are given, cm.
DEPTHS = (0, 30, 100)


@dataclass(frozen=True, eq=False)
class Soil:
    """Soil properties of places; those by depth have shape (place, 3) at 0, 30 and 100 cm.

    Attributes
    ----------
    clay, silt, sand : ndarray
        Percent of the fine earth, sum 100.
    cation_exchange : ndarray
        Cation exchange capacity, cmol kg-1.
    bulk_density : ndarray
        kg m-3.
    coarse_fragments, wilting_point : ndarray
        Percent of volume.
    ph : ndarray
        pH in water.
    bedrock_depth : ndarray, shape (place,)
        m.
    humidity, weathering, loess : ndarray, shape (place,)
        Indices: -1 arid to 1 humid; 0 to 1 weathered (warm and humid); 0 to about 1 loess.
    """

    clay: FloatArray
    silt: FloatArray
    sand: FloatArray
    cation_exchange: FloatArray
    bulk_density: FloatArray
    coarse_fragments: FloatArray
    wilting_point: FloatArray
    ph: FloatArray
    bedrock_depth: FloatArray
    humidity: FloatArray
    weathering: FloatArray
    loess: FloatArray


@dataclass(frozen=True, eq=False)
class _Setting:
    """What soil formation depends on, shape (place,)."""

    places: Places
    relief: FloatArray  # m
    temperature: FloatArray  # degC
    humidity: FloatArray
    weathering: FloatArray
    loess: FloatArray
    sandy: FloatArray


def humidity_index(climate: Climate) -> FloatArray:
    """Return tanh(ln(aridity index) / 0.8): 0 where rain balances demand."""
    return np.tanh(np.log(climate.aridity) / 0.8)


def weathering_index(climate: Climate) -> FloatArray:
    """Return 0 to 1, high where it is warm and humid: the belt of Ultisols."""
    warm = logistic((climate.mean_temperature - 15) / 2.5)
    return warm * logistic((climate.aridity - 0.75) / 0.12)


def _clay_ratio(s: _Setting, i: int) -> FloatArray:
    """Return ln(clay / sand) at depth number i: clay moves down, weathered soils are clayey."""
    places = s.places
    surface = -0.78 + 0.42 * places.field("clay") + 0.9 * places.region("heavy")
    surface = surface - 0.75 * s.sandy + 0.15 * s.loess - 0.25 * np.clip(s.relief / 1500, 0, 1)
    illuviated = (0, 0.18, 0.22)[i]
    return surface + 0.35 * s.weathering * (1 + i) + illuviated + 0.10 * i * places.field("profile")


def _silt_ratio(s: _Setting, i: int) -> FloatArray:
    """Return ln(silt / sand) at depth number i: loess is silt; glacial north, sandy drylands."""
    glacial = 0.2 * ((s.humidity > 0) & (s.places.lat > 40))
    ratio = 0.02 + 0.38 * s.places.field("silt") + 0.85 * s.loess - s.sandy + glacial
    return ratio - 0.25 * s.weathering - 0.10 * i - 0.2 * (s.humidity < -0.2)


def _texture(s: _Setting) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return clay, silt and sand, percent; log-ratios to sand keep the sum at 100."""
    clay = np.stack([np.exp(_clay_ratio(s, i)) for i in range(3)], axis=1)
    silt = np.stack([np.exp(_silt_ratio(s, i)) for i in range(3)], axis=1)
    total = clay + silt + 1
    return 100 * clay / total, 100 * silt / total, 100 / total


def _organic_proxy(s: _Setting) -> FloatArray:
    """Return a climatic index of organic matter (place, 3): humid and cool soils hold more."""
    surface = 0.5 + 0.35 * s.humidity - 0.05 * (s.temperature - 10)
    surface = np.clip(surface + 0.15 * s.places.field("density"), 0, 1.5)
    return surface[:, None] * np.array([1, 0.35, 0.12])


def _coarse_fragments(s: _Setting) -> FloatArray:
    """Return coarse fragments, percent of volume: mountains are stony, loess and sand are not."""
    log = 1.5 + 0.75 * np.clip(s.relief / 700, 0, 2) + 0.5 * s.places.field("coarse")
    log = log - 0.6 * s.loess - 0.7 * s.sandy + 0.15 * s.places.field("coarse_deep")
    return np.clip(np.exp(log[:, None] + 0.25 * np.arange(3)), 0, 60)


def _ph(s: _Setting) -> FloatArray:
    """Return pH in water: leached where humid, calcareous where dry, rising with depth."""
    surface = 6.35 - 1.15 * s.humidity - 0.25 * s.weathering
    surface = surface - 0.12 * np.clip(s.relief / 900, 0, 2) + 0.22 * s.places.field("acidity")
    deeper = np.array([0, 0.1, 0.3]) * (1 - 0.5 * s.humidity)[:, None]
    return np.clip(surface[:, None] + deeper, 4, 9.2)


def bedrock_depth(s: _Setting) -> FloatArray:
    """Return the depth to bedrock, m: shallow on relief, deep under loess, sand and coasts."""
    log = 0.9 * s.places.field("rock") - 1.35 * np.clip(s.relief / 600, 0, 1.6)
    log = log + 0.9 * s.loess + 0.9 * s.sandy + 0.5 * (s.relief < 40)
    coastal = 0.6 * logistic((200 - s.places.distance_to_gulf_and_atlantic) / 60)
    return np.clip(5.5 * np.exp(log + coastal), 0.7, 45)


def texture_class(clay: FloatArray, silt: FloatArray, sand: FloatArray) -> NDArray[np.int64]:
    """Return the USDA texture class, 1 clay to 12 sand, in the order of SoilGrids.

    Boundaries of the USDA texture triangle. Classes: 1 clay, 2 silty clay,
    3 sandy clay, 4 clay loam, 5 silty clay loam, 6 sandy clay loam, 7 loam, 8 silt loam,
    9 sandy loam, 10 silt, 11 loamy sand, 12 sand.

    Parameters
    ----------
    clay, silt, sand : ndarray
        Percent, sum 100.

    Examples
    --------
    >>> texture_class(*np.array([[60, 20, 5, 18], [20, 60, 5, 42], [20, 20, 90, 40.0]])).tolist()
    [1, 8, 12, 7]
    """
    rules = [
        (silt + 1.5 * clay < 15, 12),
        (silt + 2 * clay < 30, 11),
        ((clay >= 40) & (silt >= 40), 2),
        ((clay >= 35) & (sand >= 45), 3),
        ((clay >= 40) & (sand <= 45), 1),
        ((clay >= 27) & (sand <= 20), 5),
        ((clay >= 27) & (sand <= 45), 4),
        ((clay >= 20) & (silt < 28) & (sand > 45), 6),
        ((silt >= 80) & (clay < 12), 10),
        (silt >= 50, 8),
        ((clay >= 7) & (silt >= 28) & (sand <= 52), 7),
        (sand > 43, 9),
    ]
    return np.select([where for where, _ in rules], [number for _, number in rules], 7)


def soil(places: Places, land: Terrain, climate: Climate) -> Soil:
    """Return the soil properties of places."""
    s = _Setting(
        places,
        land.relief,
        climate.mean_temperature,
        humidity_index(climate),
        weathering_index(climate),
        places.region("loess"),
        places.region("sandy"),
    )
    clay, silt, sand = _texture(s)
    organic = _organic_proxy(s)
    exchange = 4 + 0.42 * clay * (1 - 0.45 * s.weathering[:, None]) + 14 * organic
    density = 1190 + 2.6 * sand + np.array([0, 210, 330]) - 330 * organic
    return Soil(
        clay,
        silt,
        sand,
        np.clip(exchange + 2 * places.field("profile")[:, None], 1, 120),
        np.clip(density + 45 * places.field("density")[:, None], 300, 1800),
        _coarse_fragments(s),
        np.clip(4 + 0.42 * clay + 10 * organic, 2, 75),
        _ph(s),
        bedrock_depth(s),
        s.humidity,
        s.weathering,
        s.loess,
    )
