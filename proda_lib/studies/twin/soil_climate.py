"""Soil climate: temperature, water, oxygen and nitrogen of each soil layer and month.

Synthetic choices of this study unless a function names a source. Arrays have the shape
(place, layer, month); depths are those of the layer nodes, m.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit as logistic

from proda_lib.soil_grid import SoilGrid, layer_containing
from proda_lib.studies.twin.climate import MONTH, Climate
from proda_lib.studies.twin.places import Places
from proda_lib.studies.twin.soils import Soil
from proda_lib.studies.twin.vegetation import Vegetation

__all__ = [
    "FREEZING", "active_layer_depth", "bedrock_layer", "bucket", "damped", "nitrogen_scalar",
    "oxygen_scalar", "soil_temperature", "water_potential", "water_scalar",
]  # fmt: skip

FloatArray = NDArray[np.float64]

FREEZING = 273.15  # K
_YEAR_SECONDS = 365 * 86400
#: CLM's driest and wettest water potential for decomposition, MPa (minpsi_hr, maxpsi_hr).
MIN_POTENTIAL, MAX_POTENTIAL = -2.0, -0.002
#: Deepest and shallowest layers that may hold bedrock, 1-based, by grid: 0.7 m to the whole column.
_BEDROCK_RANGE = {"CLM5": (8, 20), "CLM45": (7, 10)}
#: Thaw depth of ground without permafrost, m: CLM5's node of its 25th level.
NO_PERMAFROST = 41.998


def bucket(climate: Climate, soil: Soil, years: int = 6) -> FloatArray:
    """Return monthly wetness of the root zone, stored over storable water, 1; (place, month).

    A bucket of 60 to 260 mm filled by rain and emptied by 0.95 of the demand, less when it is
    below 60 % full and when the month is colder than -1 degC; six years of spin-up.
    """
    capacity = np.clip(60 + 4 * soil.clay[:, 0] + 1.1 * soil.silt[:, 0], 60, 260)  # mm
    store = 0.5 * capacity
    wetness = np.empty_like(climate.temperature)
    for _ in range(years):
        for month in range(12):
            supply = np.minimum(1, store / capacity / 0.6)
            thawed = np.where(climate.temperature[:, month] > -1, 1.0, 0.35)
            loss = 0.95 * climate.demand[:, month] * supply * thawed
            store = store + climate.precipitation[:, month] - loss
            store = np.clip(store, 0.02 * capacity, capacity)
            wetness[:, month] = store / capacity
    return wetness


def damped(surface: FloatArray, depth: FloatArray, lag: float = 1.0) -> FloatArray:
    """Let an annual cycle sink in: each harmonic k times exp(-(1 + i lag) sqrt(k) z/d).

    With lag 1 this solves the heat equation under a periodic surface (Hillel 1982): depth d damps
    the year's wave to 1/e and delays it by 1/(2 pi) of a year.

    Parameters
    ----------
    surface : ndarray, shape (place, month)
        Any unit.
    depth : ndarray, shape (place, layer) or (1, layer)
        Depth over damping depth z/d, 1.
    lag : float
        Phase over damping, 1.

    Returns
    -------
    ndarray, shape (place, layer, month)

    Examples
    --------
    >>> wave = np.cos(2 * np.pi * np.arange(12) / 12)[None]
    >>> damped(wave, np.array([[0.0, 1.0]])).max(axis=2).round(2).tolist()
    [[1.0, 0.37]]
    """
    harmonics = np.fft.rfft(surface, axis=1)[:, None, :]
    order = np.sqrt(np.arange(harmonics.shape[-1]))
    attenuation = np.exp(-(1 + 1j * lag) * order * depth[:, :, None])
    return np.fft.irfft(harmonics * attenuation, 12, axis=2)


def ground_temperature(climate: Climate, plants: Vegetation) -> FloatArray:
    """Return monthly temperature of the ground surface, degC; (place, month).

    Below freezing 0.45 of the air's: snow insulates (the n-factor idea of Smith and Riseborough
    2002; the value is a choice of this study). Above, forest is 0.3 K cooler, open land 0.5 K
    warmer.
    """
    air = climate.temperature
    forest = plants.is_class("evergreen forest", "deciduous forest", "mixed forest")
    shade = np.where(forest, -0.3, 0.5)[:, None] * (air > 0)
    return np.where(air < 0, 0.45 * air, air) + shade


def damping_depth(wetness: FloatArray) -> FloatArray:
    """Return the damping depth of the year's temperature wave, m: sqrt(2 alpha / omega).

    Thermal diffusivity alpha = (0.45 + 0.30 mean wetness) 1e-6 m2 s-1: moist soil conducts better.
    """
    diffusivity = (0.45 + 0.30 * wetness.mean(axis=1)) * 1e-6
    return np.sqrt(2 * diffusivity * _YEAR_SECONDS / (2 * np.pi))


def soil_temperature(
    climate: Climate, plants: Vegetation, wetness: FloatArray, node: FloatArray
) -> FloatArray:
    """Return monthly soil temperature at the nodes, K; (place, layer, month)."""
    depth = node[None, :] / damping_depth(wetness)[:, None]
    return damped(ground_temperature(climate, plants), depth) + FREEZING


def layer_wetness(
    places: Places, climate: Climate, wetness: FloatArray, node: FloatArray
) -> FloatArray:
    """Return wetness of the layers, 1: the bucket's cycle damped over 0.9 m, groundwater below."""
    damping = np.broadcast_to(node / 0.9, (1, len(node)))
    layers = np.clip(damped(wetness, damping, lag=0.7), 0.01, 1)
    groundwater = 0.35 * np.tanh(np.log(climate.aridity / 0.8))
    groundwater = groundwater + 0.22 * places.field("groundwater_broad")
    groundwater = groundwater + 0.1 * places.field("groundwater_fine")
    deep = np.clip((node - 0.9) / 1.2, 0, 1)[:, None]
    layers = layers * (1 - 0.35 * deep) + 0.45 * groundwater[:, None, None] * deep
    return np.clip(layers, 0.005, 1)


def water_scalar(
    layers: FloatArray, temperature: FloatArray, wetland: NDArray[np.bool_]
) -> FloatArray:
    """Return CLM5's W_SCALAR, decomposition in dry soil, 0.05 to 1; (place, layer, month).

    0.80 (1 + ln(w) / 4.6)^1.6: logarithmic in wetness w, in the manner of the logarithm of water
    potential of Andren and Paustian (1987). Frozen soil has little liquid water: 0.55 of it at
    0 degC, falling by 0.35 per kelvin to 0.12. Wetlands are wetter than their climate.
    """
    moist = 0.80 * np.clip(1 + np.log(layers) / 4.6, 0, 1) ** 1.6
    liquid = np.maximum(0.12, 0.55 + 0.35 * (temperature - FREEZING))
    moist = moist * np.where(temperature < FREEZING, liquid, 1.0)
    return np.clip(np.where(wetland[:, None, None], 1.15 * moist + 0.08, moist), 0.05, 1)


def water_potential(scalar: ArrayLike) -> FloatArray:
    """Return the soil water potential that CLM would turn into a given water scalar, MPa.

    CLM's scalar is ln(psi_min / psi) / ln(psi_min / psi_max) with psi_min -2 MPa and psi_max
    -0.002 MPa (Andren & Paustian 1987, as CLM uses it); this is its inverse
    psi = psi_min (psi_max / psi_min)^scalar. The 10-layer model configuration needs it.

    Parameters
    ----------
    scalar : array_like
        0 to 1.

    Examples
    --------
    >>> water_potential([0.0, 0.5, 1.0]).round(4).tolist()
    [-2.0, -0.0632, -0.002]
    """
    ratio = MAX_POTENTIAL / MIN_POTENTIAL
    return MIN_POTENTIAL * ratio ** np.asarray(scalar, dtype=float)


def oxygen_scalar(wetland: NDArray[np.bool_], node: FloatArray) -> FloatArray:
    """Return CLM5's O_SCALAR, 1 except in wetlands, 0.45 below 0.4 m there; (place, layer, month).

    In the real CLM5 forcing of New York it is 1 everywhere; the wetlands are the twin's own.
    """
    lack = 0.55 * np.clip(node / 0.4, 0, 1)[None, :] * wetland[:, None]
    return np.repeat(1 - lack[:, :, None], 12, axis=2)


def nitrogen_scalar(places: Places, climate: Climate, node: FloatArray) -> FloatArray:
    """Return CLM5's FPI_vr, how far nitrogen allows litter decay; (place, layer, month).

    Near 1, less at the very surface, in the cold, and in places at depth; 3 % more in September.
    """
    surface = 0.10 * np.exp(-node / 0.015)
    patch = 0.02 * np.abs(places.field("nitrogen"))
    cold = 0.10 * logistic((3 - climate.mean_temperature) / 1.2)
    deep = 0.25 * np.clip((node - 2) / 4, 0, 1)
    poor = logistic(1.5 * places.field("nitrogen_deep"))
    annual = 0.985 - surface - (patch + cold)[:, None] - deep * poor[:, None]
    season = 1 + 0.03 * np.cos(2 * np.pi / 12 * (MONTH - 8.5))
    return np.clip(np.clip(annual, 0.05, 1)[:, :, None] * season, 0.003, 1)


def active_layer_depth(climate: Climate) -> FloatArray:
    """Return the greatest thaw depth, m: 0.5 to 2 where the mean is below -1 degC; (place,).

    Elsewhere CLM5's value for ground without permafrost. The real CLM5 has no permafrost in the
    conterminous US; a few cold cells are kept so that cryoturbation is exercised.
    """
    mean = climate.mean_temperature
    return np.where(mean < -1, np.clip(2 + 0.45 * (mean + 1), 0.5, 2.0), NO_PERMAFROST)


def bedrock_layer(depth: FloatArray, grid: SoilGrid) -> NDArray[np.int64]:
    """Return the 1-based number of the layer that holds bedrock, not above about 0.7 m.

    Parameters
    ----------
    depth : ndarray
        Depth to bedrock, m.
    grid : SoilGrid

    Examples
    --------
    >>> from proda_lib.soil_grid import CLM5, CLM45
    >>> depth = np.array([0.1, 2.0, 40.0])
    >>> bedrock_layer(depth, CLM5).tolist(), bedrock_layer(depth, CLM45).tolist()
    ([8, 12, 20], [7, 9, 10])
    """
    return np.clip(layer_containing(depth, grid), *_BEDROCK_RANGE[grid.name])
