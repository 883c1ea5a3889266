"""Vegetation: the class of each place, its net primary production and its litter.

Utilities and shares are synthetic choices of this study; production follows the Miami model.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit as logistic

from proda_lib.studies.schema import LITTER
from proda_lib.studies.twin.climate import Climate
from proda_lib.studies.twin.places import Places
from proda_lib.studies.twin.soils import Soil
from proda_lib.studies.twin.tables import table
from proda_lib.studies.twin.terrain import Terrain

__all__ = ["CLASSES", "Vegetation", "by_class", "litter_input", "miami", "vegetation"]

FloatArray = NDArray[np.float64]

#: Names of the eight classes, in the order of the class numbers 0 to 7.
CLASSES: tuple[str, ...] = (
    "evergreen forest",
    "deciduous forest",
    "mixed forest",
    "shrubland",
    "savanna",
    "grassland",
    "cropland",
    "wetland",
)

_CARBON_OF_DRY_MATTER = 0.45  # gC per g
_CROP_YIELD = 1.08  # cropland produces more than the climate's share


@dataclass(frozen=True, eq=False)
class Vegetation:
    """What grows.

    Attributes
    ----------
    number : ndarray of int, shape (place,)
        Class number, an index into `CLASSES`.
    net_primary_production : ndarray, shape (place,)
        gC m-2 yr-1.
    """

    number: NDArray[np.int64]
    net_primary_production: FloatArray

    def is_class(self, *names: str) -> NDArray[np.bool_]:
        """Say which places have one of the named classes; an unknown name is an error."""
        return np.isin(self.number, [CLASSES.index(name) for name in names])


def by_class(column: str) -> FloatArray:
    """Return one column of tables/vegetation.toml in the order of `CLASSES`.

    Examples
    --------
    >>> by_class("export").tolist()[-2:]
    [0.38, 0.05]
    """
    rows = {row["name"]: row[column] for row in table("vegetation")["class"]}
    return np.array([rows[name] for name in CLASSES])


def _log_ratio(aridity: FloatArray, threshold: float) -> FloatArray:
    return np.log(aridity / threshold)


def needleleaf_index(places: Places, temperature: FloatArray) -> FloatArray:
    """Return how far conifers win over broadleaves: the West, the pine belt, the cold."""
    cold = logistic((4.8 - temperature) / 0.8)
    return logistic((-103 - places.lon) / 2) + 0.85 * places.region("pines") + 0.9 * cold


def _forest_utilities(places: Places, climate: Climate) -> list[FloatArray]:
    """Return the utilities of evergreen, deciduous and mixed forest: aridity above 0.8."""
    t = climate.mean_temperature
    needle, patch = needleleaf_index(places, t), 0.45 * places.field("vegetation")
    tree = 3.0 * np.tanh(_log_ratio(climate.aridity, 0.80) / 0.40)
    mixing = np.exp(-0.5 * ((t - 6.3) / 1.9) ** 2) - 0.5 * np.abs(needle - 0.5)
    return [
        tree - 1.1 + 1.65 * needle + patch,
        tree + 0.25 - 1.6 * needle + 0.8 * logistic((t - 6) / 2) - patch,
        tree + mixing + 0.45 * places.field("silt"),
    ]


def _open_utilities(places: Places, climate: Climate) -> list[FloatArray]:
    """Return the utilities of shrubland (dry), savanna (0.8, warm) and grassland (0.56)."""
    lon, aridity, patch = places.lon, climate.aridity, places.field("vegetation")
    warm = logistic((climate.mean_temperature - 13) / 2)
    dry = np.tanh(_log_ratio(aridity, 0.52) / 0.5)
    east = 0.9 * logistic((lon + 104) / 2)
    savanna = 1.5 - 1.9 * np.abs(_log_ratio(aridity, 0.80)) + 1.2 * warm
    grass = 1.6 - 1.6 * np.abs(_log_ratio(aridity, 0.56)) + 0.7 * logistic((-97 - lon) / 3)
    return [
        1.3 - 3.0 * dry + 0.45 * places.field("clay") - east,
        savanna + 0.27 * patch + 0.45 * places.field("soil_order"),
        grass + 0.4 * patch,
    ]


def _flat_utilities(
    places: Places, land: Terrain, climate: Climate, soil: Soil
) -> list[FloatArray]:
    """Return the utilities of cropland (flat farm belts) and wetland (flat and humid)."""
    flat = np.exp(-land.relief / 250)
    farms = 1.9 * places.region("farms") * (1 + 0.3 * np.clip(soil.humidity, -1, 0))
    stones = 0.03 * (soil.coarse_fragments[:, 0] - 8)
    wet = 1.4 * flat * (climate.aridity > 0.8) + 1.3 * places.region("wetlands")
    return [
        2.7 * flat - 1.4 + farms + 0.6 * places.field("cropland") - stones,
        -1.7 + 1.9 * places.field("wetland") + wet,
    ]


def miami(temperature: ArrayLike, precipitation: ArrayLike) -> FloatArray:
    """Return net primary production of the Miami model, g dry matter m-2 yr-1.

    min[3000 / (1 + exp(1.315 - 0.119 T)), 3000 (1 - exp(-0.000664 P))], Lieth (1973, 1975).

    Parameters
    ----------
    temperature : array_like
        Annual mean, degC.
    precipitation : array_like
        mm yr-1.

    Examples
    --------
    >>> miami([10.0, 10.0], [1e5, 500.0]).round(0).tolist()
    [1406.0, 848.0]
    """
    warmth = 3000 / (1 + np.exp(1.315 - 0.119 * np.asarray(temperature, dtype=float)))
    water = 3000 * (1 - np.exp(-0.000664 * np.asarray(precipitation, dtype=float)))
    return np.minimum(warmth, water)


def vegetation(places: Places, land: Terrain, climate: Climate, soil: Soil) -> Vegetation:
    """Return class and production of places: each class has a utility, the greatest wins."""
    utilities = np.stack(
        _forest_utilities(places, climate)
        + _open_utilities(places, climate)
        + _flat_utilities(places, land, climate, soil)
    )
    number = utilities.argmax(axis=0)
    production = miami(climate.mean_temperature, climate.annual_precipitation)
    production = _CARBON_OF_DRY_MATTER * production * np.exp(0.10 * places.field("productivity"))
    crop = number == CLASSES.index("cropland")
    return Vegetation(number, production * np.where(crop, _CROP_YIELD, 1))


def litter_input(plants: Vegetation) -> FloatArray:
    """Return the litter that enters the soil, gC m-2 yr-1; (place, litter) in the schema's order.

    Production less the exported share; woody debris in proportion to the class's wood, the rest
    in the proportions of forest litter. At steady state nothing stays in the plants.

    Examples
    --------
    >>> forest = Vegetation(np.array([0]), np.array([1000.0]))
    >>> litter_input(forest).round(1).tolist()
    [[303.3, 169.2, 285.3, 142.2]]
    """
    share = np.array([table("vegetation")["litter"][name] for name in LITTER])
    total = plants.net_primary_production * (1 - by_class("export")[plants.number])
    wood = share[0] * by_class("wood")[plants.number]
    rest = (1 - wood) / (1 - share[0])
    return total[:, None] * np.column_stack([wood, *(rest * part for part in share[1:])])
