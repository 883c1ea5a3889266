"""Terrain: elevation from a plateau, basins, twelve ridges and a random field.

Shapes and heights are synthetic choices of this study (tables/geography.toml).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit as logistic

from proda_lib.studies.twin.geometry import distance_to_line
from proda_lib.studies.twin.places import Places
from proda_lib.studies.twin.tables import table

__all__ = ["Terrain", "terrain"]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Terrain:
    """The shape of the land.

    Attributes
    ----------
    elevation : ndarray, shape (place,)
        m above sea level.
    relief : ndarray, shape (place,)
        Part of it that belongs to ridges, m.
    """

    elevation: FloatArray
    relief: FloatArray


def ridge_relief(places: Places) -> FloatArray:
    """Return the height of the ridges, m: sum of h exp(-d^2 / 2 w^2), d the distance to a crest."""
    relief = np.zeros(len(places))
    for ridge in table("geography")["ridges"].values():
        distance = distance_to_line(places.x, places.y, ridge["line"])
        relief += ridge["height_m"] * np.exp(-0.5 * (distance / ridge["width_km"]) ** 2)
    return relief


def plateau(places: Places) -> FloatArray:
    """Return the smooth base of the land, m: coastal plain, High Plains ramp, western plateau."""
    lon, lat = places.lon, places.lat
    high_plains = 280 * logistic((-92 - lon) / 2.5) + 950 * logistic((-102.2 - lon) / 1.3)
    # The plateau begins east of the Cascades and the Sierra, whose crest runs south-east.
    crest = -119.8 - 0.25 * np.clip(lat - 42, -6, 0) - 0.6 * np.clip(lat - 36, -4, 0)
    east_of_crest = logistic((lon - crest) / 0.7)
    intermountain = logistic((-105 - lon) / 1.5) * logistic((lat - 35.5) / 1.5) * logistic(46 - lat)
    inland = logistic((places.distance_to_gulf_and_atlantic - 250) / 80)
    base = 60 + 100 * inland + np.where(lon < -80, high_plains * east_of_crest, 0)
    base = base + 200 * east_of_crest * intermountain - places.region("basins")
    return np.where(lon > -92, base + 60 * logistic((lat - 39) / 2), base)


def terrain(places: Places) -> Terrain:
    """Return elevation and relief of places.

    Examples
    --------
    >>> land = terrain(Places(np.array([-106.3, -90.0]), np.array([38.5, 32.0])))
    >>> bool(land.elevation[0] > 2500 > 300 > land.elevation[1])
    True
    """
    relief, base, roughness = ridge_relief(places), plateau(places), places.field("relief")
    rugged = (25 + 0.07 * np.maximum(base, 0)) * roughness
    elevation = np.maximum(base + relief * (1 + 0.22 * roughness) + rugged, 2.0)
    return Terrain(elevation, relief)
