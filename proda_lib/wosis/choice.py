"""What to take of a snapshot: where, how sure of the place, and how carbon becomes a density."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from proda_lib.nearest import check_allowed

__all__ = ["LayerChoice"]


@dataclass(frozen=True)
class LayerChoice:
    """Options of `snapshot.read`, checked.

    Attributes
    ----------
    box : (west, south, east, north) or None
        Degrees; west beyond east crosses the date line. None takes the whole world.
    countries : sequence of str or None
        Names in English as the snapshot spells them; capitals do not matter.
    position_within_km : float or None
        Leave out profiles whose position is less sure, or of unknown certainty.
    litter : {"drop", "keep"}
        What becomes of layers flagged as litter or organic surface. Layers that begin above the
        surface (negative upper depth) are left out in any case.
    coarse : {"ignore", "correct"}
        Whether the volume of coarse fragments is taken off. The original study ignores it at
        profiles, and at least half of the layers with carbon do not know it (235,002 layers of
        2019 have it, 471,301 have carbon: doi:10.5194/essd-12-299-2020, table A1), so "ignore" is
        the default: corrected and uncorrected layers are not mixed.

    Examples
    --------
    >>> LayerChoice(box=(-80, 40, -71, 46)).inside(np.array([-75.0, 75.0]), np.array([43.0, 43.0]))
    array([ True, False])
    """

    box: tuple[float, float, float, float] | None = None
    countries: Sequence[str] | None = None
    position_within_km: float | None = None
    litter: str = "drop"
    coarse: str = "ignore"

    def __post_init__(self) -> None:
        check_allowed("litter", self.litter, ("drop", "keep"))
        check_allowed("coarse", self.coarse, ("ignore", "correct"))
        if isinstance(self.countries, str):
            raise ValueError(f"countries is {self.countries!r}: give a list of names")
        if self.position_within_km is not None and not self.position_within_km > 0:
            raise ValueError(
                f"position_within_km is {self.position_within_km:g}, allowed is above 0 km"
            )
        if self.box is not None:
            _check_box(*self.box)

    def inside(self, lon: NDArray[np.float64], lat: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Say which places (degrees) lie in the box, its edges included."""
        if self.box is None:
            return np.ones(len(lon), bool)
        west, south, east, north = self.box
        along = (lon >= west) & (lon <= east) if west <= east else (lon >= west) | (lon <= east)
        return along & (lat >= south) & (lat <= north)

    def of_countries(self, names: pd.Series) -> NDArray[np.bool_]:
        """Say which names (a column of categories) are among the countries wanted."""
        if self.countries is None:
            return np.ones(len(names), bool)
        wanted = {name.casefold() for name in self.countries}
        chosen = [name for name in names.cat.categories if str(name).casefold() in wanted]
        return names.isin(chosen).to_numpy()


def _check_box(west: float, south: float, east: float, north: float) -> None:
    given = f"box is {west:g} {south:g} {east:g} {north:g} (west south east north, degrees)"
    if not (-180 <= west <= 180 and -180 <= east <= 180):
        raise ValueError(f"{given}: west and east must be from -180 to 180")
    if not -90 <= south < north <= 90:
        raise ValueError(f"{given}: south must be below north, both from -90 to 90")
