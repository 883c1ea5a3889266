"""Climate: twelve monthly means of temperature, precipitation and evaporative demand.

Shapes and numbers are synthetic choices of this study, fitted by eye to a few remembered city
normals, unless a function names a source. Longitudes and latitudes enter as degrees.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit as logistic

from proda_lib.studies.twin.places import Places
from proda_lib.studies.twin.terrain import Terrain

__all__ = ["MONTH", "Climate", "climate", "extraterrestrial_radiation", "potential_evaporation"]

FloatArray = NDArray[np.float64]

#: Middle of each month, in months since the start of the year.
MONTH: FloatArray = np.arange(12) + 0.5
_YEAR = 2 * np.pi / 12  # radians per month
_DAYS = 30.4  # per month


@dataclass(frozen=True, eq=False)
class Climate:
    """The climate of places.

    Attributes
    ----------
    temperature : ndarray, shape (place, month)
        Air temperature, degC.
    precipitation, demand : ndarray, shape (place, month)
        Precipitation and potential evapotranspiration, mm month-1.
    diurnal_range : ndarray, shape (place,)
        Annual mean of the daily temperature range, K.
    """

    temperature: FloatArray
    precipitation: FloatArray
    demand: FloatArray
    diurnal_range: FloatArray

    @property
    def mean_temperature(self) -> FloatArray:
        """Annual mean temperature, degC."""
        return self.temperature.mean(axis=1)

    @property
    def annual_precipitation(self) -> FloatArray:
        """Annual precipitation, mm yr-1."""
        return self.precipitation.sum(axis=1)

    @property
    def aridity(self) -> FloatArray:
        """Annual precipitation over annual potential evapotranspiration, 1."""
        return self.annual_precipitation / self.demand.sum(axis=1)


def rain_shadow(places: Places) -> FloatArray:
    """Return 1 on the Pacific side of the crest, 0 in its lee; it bends east in the south."""
    return logistic((-120.9 + 0.33 * np.clip(40 - places.lat, 0, 6) - places.lon) / 0.55)


def maritime_weight(places: Places) -> FloatArray:
    """Return how far the Pacific governs temperature, 0 to 1; farther inland in the north."""
    reach = 1 - 0.55 * rain_shadow(places) * logistic((places.lat - 42) / 1.5)
    return np.exp(-((places.distance_to_pacific * reach / 110) ** 1.2))


def mean_temperature(places: Places, land: Terrain) -> FloatArray:
    """Return the annual mean temperature, degC: latitude, Pacific and a lapse rate of 6 K per km.

    The western +8 K stands for heated plateaus; the lapse rate is weaker by the sea.
    """
    m, lat = maritime_weight(places), places.lat
    continental = 25.6 - 0.95 * (lat - 25.8) + 8.0 * logistic((-100.5 - places.lon) / 3.2)
    pacific = 11.5 + 0.42 * (47.6 - lat)
    lapse = 6.0e-3 * land.elevation * (1 - 0.3 * m)
    return (1 - m) * continental + m * pacific - lapse + 0.5 * places.field("temperature")


def temperature_amplitude(places: Places) -> FloatArray:
    """Return half the annual range of temperature, K: wide in the north, small by the sea."""
    lon, lat, m = places.lon, places.lat, maritime_weight(places)
    southwest = 1.8 * logistic((-100 - lon) / 4) * logistic((38 - lat) / 2)
    northwest = 1.5 * logistic((-107 - lon) / 3) * logistic((lat - 41) / 2)
    warm_sea = np.exp(-places.distance_to_gulf_and_atlantic / 90) * logistic((38 - lat) / 3)
    continental = 4.5 + 0.59 * (lat - 25.8) + southwest - northwest - 1.8 * warm_sea
    return (1 - m) * continental + m * (3.8 + 0.18 * (lat - 32.7))


def monthly_temperature(places: Places, land: Terrain) -> FloatArray:
    """Return monthly mean temperature, degC: one cosine, later by the Pacific; (place, month)."""
    lag = 0.62 + 0.5 * maritime_weight(places)  # months
    wave = np.cos(_YEAR * (MONTH - lag[:, None]))
    return mean_temperature(places, land)[:, None] - temperature_amplitude(places)[:, None] * wave


def eastern_rain(places: Places) -> FloatArray:
    """Return rain from the Gulf and the Atlantic, mm yr-1: ends at the 100th meridian."""
    lon, lat = places.lon, places.lat
    humid = logistic((lon + 99.4) / 2.2)
    by_sea = 800 * np.exp(-places.distance_to_gulf_and_atlantic / 430)
    amount = 430 + by_sea * np.clip(1 - 0.036 * (lat - 30), 0.5, 1)
    dry_corner = 0.65 * np.exp(-0.5 * ((lon + 98) ** 2 / 4 + (lat - 26.5) ** 2 / 5))
    return humid * amount * (1.27 - 0.036 * np.clip(lat - 36, 0, 12) - dry_corner)


def pacific_rain(places: Places, land: Terrain) -> FloatArray:
    """Return winter rain from the Pacific, mm yr-1: strong in the north and on windward slopes."""
    shadow = rain_shadow(places)
    north = 230 + 1350 * logistic((places.lat - 41.5) / 2)
    amount = 60 + 130 * shadow
    amount = amount + north * np.exp(-places.distance_to_pacific / 170) * (0.25 + 0.75 * shadow)
    return amount * logistic((-108 - places.lon) / 4) * (1 + 0.9e-3 * land.relief * shadow)


def interior_rain(places: Places) -> FloatArray:
    """Return rain of the interior, mm yr-1: less in the desert and on the Pacific side."""
    return 310 * (1 - places.region("desert")) * (1 - 0.7 * rain_shadow(places))


def mountain_rain(places: Places, land: Terrain) -> FloatArray:
    """Return rain added by mountains, mm yr-1: 0.3 to 0.36 mm per metre of relief."""
    west = 0.36 * logistic((-103 - places.lon) / 1.5) * logistic((places.lat - 33) / 2)
    return land.relief * (west + 0.30 * (places.lon > -95))


def _season(strength: FloatArray, peak: ArrayLike) -> FloatArray:
    """Return a seasonal factor with annual mean 1, 1 + a cos(2 pi (t - peak) / 12)."""
    return 1 + strength[:, None] * np.cos(_YEAR * (MONTH - np.asarray(peak)))


def monthly_precipitation(places: Places, land: Terrain) -> FloatArray:
    """Return monthly precipitation, mm month-1: each source of rain with its season.

    The monsoon's cubed half-wave times 2.36 has an annual mean of about 1/2: half the year is dry.
    """
    lon, lat = places.lon, places.lat
    florida = np.exp(-0.5 * ((lat - 26.5) / 2.2) ** 2) * (lon > -84)
    summer_east = np.clip(0.12 + 0.55 * logistic((-90 - lon) / 2.5) + 0.5 * florida, 0, 0.8)
    winter_west = np.clip(0.95 - 0.03 * (lat - 33), 0.45, 0.95)
    spring_plains = 0.45 * logistic((lon + 106) / 2)
    east = eastern_rain(places) + places.region("lakes")
    mountains = mountain_rain(places, land)
    west = pacific_rain(places, land) + 0.5 * mountains
    interior = interior_rain(places) + 0.5 * mountains
    monsoon = 2.36 * np.maximum(0, np.cos(_YEAR * (MONTH - 7.3))) ** 3
    annual = (
        east[:, None] * _season(summer_east, 6.0 + florida[:, None])
        + west[:, None] * _season(winter_west, 0.4)
        + interior[:, None] * _season(spring_plains, 5.3)
        + places.region("monsoon")[:, None] * monsoon
    )
    return np.maximum(annual, 1) / 12 * np.exp(0.13 * places.field("precipitation"))[:, None]


def extraterrestrial_radiation(lat: FloatArray) -> FloatArray:
    """Return daily solar radiation at the top of the atmosphere, MJ m-2 day-1; (place, month).

    Equations 21 to 25 of FAO-56 (Allen et al. 1998), at the middle of each month.

    Parameters
    ----------
    lat : ndarray, shape (place,)
        Degrees north.

    Examples
    --------
    >>> extraterrestrial_radiation(np.array([40.0]))[0, [0, 5]].round(0).tolist()
    [15.0, 42.0]
    """
    day = _DAYS * MONTH
    inverse_distance = 1 + 0.033 * np.cos(2 * np.pi * day / 365)
    declination = 0.409 * np.sin(2 * np.pi * day / 365 - 1.39)
    phi = np.radians(lat)[:, None]
    sunset = np.arccos(np.clip(-np.tan(phi) * np.tan(declination), -1, 1))
    height = sunset * np.sin(phi) * np.sin(declination)
    height = height + np.cos(phi) * np.cos(declination) * np.sin(sunset)
    return 37.586 * inverse_distance * height  # 24 60 / pi times the solar constant 0.0820


def potential_evaporation(temperature: FloatArray, lat: FloatArray) -> FloatArray:
    """Return potential evapotranspiration, mm month-1: Ra / 2.45 (T + 5) / 100 per day.

    Oudin et al. (2005), with the latent heat of 2.45 MJ kg-1. The factor 1.05 is a choice of this
    study.

    Parameters
    ----------
    temperature : ndarray, shape (place, month)
        degC; below -5 there is no demand.
    lat : ndarray, shape (place,)
        Degrees north.

    Examples
    --------
    >>> potential_evaporation(np.full((1, 12), -10.0), np.array([40.0])).max()
    np.float64(0.0)
    """
    daily = extraterrestrial_radiation(lat) / 2.45 * (temperature + 5) / 100
    return np.maximum(0, daily) * _DAYS * 1.05


def diurnal_range(places: Places, land: Terrain, aridity: FloatArray) -> FloatArray:
    """Return the annual mean daily temperature range, K: wide where dry and high."""
    m = maritime_weight(places)
    inland = 11.2 + 4.2 * np.clip(1 - aridity, -0.5, 1) + 0.0009 * land.elevation
    warm_sea = 2.0 * np.exp(-places.distance_to_gulf_and_atlantic / 60)
    return (1 - m) * inland + m * 7.5 - warm_sea


def climate(places: Places, land: Terrain) -> Climate:
    """Return the monthly climate of places (twelve-month climatology).

    Examples
    --------
    >>> from proda_lib.studies.twin.terrain import terrain
    >>> places = Places(np.array([-94.0, -114.0]), np.array([31.0, 33.0]))
    >>> moist, desert = climate(places, terrain(places)).aridity
    >>> bool(moist > 0.8 > 0.3 > desert)
    True
    """
    temperature = monthly_temperature(places, land)
    precipitation = monthly_precipitation(places, land)
    demand = potential_evaporation(temperature, places.lat)
    aridity = precipitation.sum(axis=1) / np.maximum(demand.sum(axis=1), 1)
    daily = diurnal_range(places, land, aridity)
    return Climate(temperature, precipitation, demand, daily)
