"""Places: where the landscape is evaluated, with what depends on position alone."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from proda_lib.studies.twin.fields import landscape_field
from proda_lib.studies.twin.geometry import albers, bumps, distance_to_line
from proda_lib.studies.twin.tables import table

__all__ = ["Places"]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Places:
    """Points on the map: sites or cell centres.

    Attributes
    ----------
    lon, lat : ndarray, shape (place,)
        Degrees east and north.

    Examples
    --------
    >>> places = Places(np.array([-96.0]), np.array([37.5]))
    >>> round(float(places.distance_to_gulf_and_atlantic[0]) / 100)
    9
    """

    lon: FloatArray
    lat: FloatArray
    _fields: dict[str, FloatArray] = field(default_factory=dict, repr=False)

    def __len__(self) -> int:
        return len(self.lon)

    @cached_property
    def _xy(self) -> tuple[FloatArray, FloatArray]:
        return albers(self.lon, self.lat)

    @property
    def x(self) -> FloatArray:
        """Albers coordinate to the east, km."""
        return self._xy[0]

    @property
    def y(self) -> FloatArray:
        """Albers coordinate to the north, km."""
        return self._xy[1]

    @cached_property
    def distance_to_pacific(self) -> FloatArray:
        """Distance to the Pacific coast, km."""
        return distance_to_line(self.x, self.y, table("geography")["coasts"]["pacific"])

    @cached_property
    def distance_to_gulf_and_atlantic(self) -> FloatArray:
        """Distance to the coasts of the Gulf and the Atlantic, km."""
        coasts = table("geography")["coasts"]
        return distance_to_line(self.x, self.y, coasts["gulf"] + coasts["atlantic"])

    def field(self, name: str) -> FloatArray:
        """Return a random field of the landscape here (mean 0, sd 1 over the land)."""
        if name not in self._fields:
            self._fields[name] = landscape_field(name)(self.x, self.y)
        return self._fields[name]

    def region(self, name: str) -> FloatArray:
        """Return the sum of a region's Gaussian bumps here (tables/geography.toml)."""
        return bumps(self.x, self.y, table("geography")["regions"][name])
