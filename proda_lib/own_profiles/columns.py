"""The columns of a table of your own profiles: the one list from which page and check are made."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["CARBON", "COLUMNS", "LEAST_BLOCKS", "LEAST_PROFILES", "ProfileColumn", "column"]

#: Share of carbon in organic matter by mass (van Bemmelen's factor): no soil holds more.
CARBON = 0.58

#: Profiles, and 1-degree blocks that hold them, with which fits, networks and maps (chapters 01,
#: 04, 09, 12 to 14, 18 and 22) ran to their end at size smoke. Networks hold back whole blocks.
LEAST_PROFILES, LEAST_BLOCKS = 20, 4


@dataclass(frozen=True)
class ProfileColumn:
    """One column of the table.

    Attributes
    ----------
    name, units, meaning : str
        A column of text has the unit "text".
    lower, upper : float
        Allowed range in that unit, both ends included.
    need : str
        "always", or when a row needs it.
    """

    name: str
    units: str
    lower: float
    upper: float
    meaning: str
    need: str = "always"

    @property
    def required(self) -> bool:
        """Whether every row needs a value."""
        return self.need == "always"

    @property
    def text(self) -> bool:
        """Whether the column holds names, not numbers."""
        return self.units == "text"


_RATIO = "with oc_g_kg"

COLUMNS: tuple[ProfileColumn, ...] = (
    ProfileColumn("profile", "text", 0, 0, "name of the profile, the same in each of its rows"),
    ProfileColumn("lon", "degrees_east", -180, 360, "longitude, the same in each row of a profile"),
    ProfileColumn("lat", "degrees_north", -90, 90, "latitude, the same in each row of a profile"),
    ProfileColumn(
        "upper_cm", "cm", -50, 2000, "depth of the layer's upper end below the soil surface"
    ),
    ProfileColumn(
        "lower_cm", "cm", -50, 2000, "depth of the layer's lower end below the soil surface"
    ),
    ProfileColumn(
        "soc_kg_m3", "kg m-3", 0, 1000 * CARBON,
        "organic carbon in a volume of soil, coarse fragments included", "unless oc_g_kg is given",
    ),
    ProfileColumn(
        "oc_g_kg", "g kg-1", 0, 1000 * CARBON, "organic carbon in a mass of fine earth",
        "unless soc_kg_m3 is given",
    ),
    ProfileColumn(
        "bulk_density_kg_m3", "kg m-3", 10, 2650, "mass of a volume of fine earth", _RATIO
    ),
    ProfileColumn(
        "coarse_fraction", "1", 0, 1, "share of coarse fragments (over 2 mm) in the volume, 0 to 1",
        "never; empty means 0",
    ),
)  # fmt: skip


def column(name: str) -> ProfileColumn:
    """Return the column of that name.

    Raises
    ------
    KeyError
        If there is none.

    Examples
    --------
    >>> column("bulk_density_kg_m3").units
    'kg m-3'
    """
    return {each.name: each for each in COLUMNS}[name]
