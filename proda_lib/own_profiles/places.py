"""How the profiles lie to the cells of the study that lends them its forcing."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from proda_lib.own_profiles.findings import about_file, about_rows
from proda_lib.own_profiles.nearest_cell import nearest_cell

__all__ = ["FARTHEST", "of_places"]

#: km: a profile farther than this from the nearest cell is left out.
FARTHEST = 100.0

_SLIPS = {
    "lon and lat are swapped: exchange the names of the two columns": (1, 0, 1),
    "western longitudes are negative: put a minus before lon": (0, 1, -1),
}


def of_places(
    values: pd.DataFrame,
    profile: pd.Series,
    grid_lon: ArrayLike,
    grid_lat: ArrayLike,
    farthest: float = FARTHEST,
) -> Iterator[pd.DataFrame]:
    """Yield profiles that are far from every cell, and what slip would explain it.

    Parameters
    ----------
    values : DataFrame
        As `proda_lib.own_profiles.table.numbers` returns it.
    profile : Series
        Name of the profile of each row.
    grid_lon, grid_lat : array_like, shape (cell,)
        Centres of the cells, degrees.
    farthest : float
        km.
    """
    first = values.loc[~profile.duplicated(), ["lon", "lat"]].dropna()
    first = first[(first.lat.abs() <= 180) & (first.lon.abs() <= 360)]
    if first.empty:
        return

    def far(lon: pd.Series, lat: pd.Series) -> pd.Series:
        outside = (lat.abs() > 90).to_numpy()
        distance = nearest_cell(lon, lat.clip(-90, 90), grid_lon, grid_lat)[1]
        return pd.Series(np.where(outside, np.inf, distance), index=first.index)

    distance = far(first.lon, first.lat)
    too_far = distance > farthest
    for remedy, (east, north, sign) in _SLIPS.items():
        pair = first.iloc[:, [east, north]]
        if too_far.all() and (far(sign * pair.iloc[:, 0], pair.iloc[:, 1]) <= farthest).all():
            yield about_file(
                "lon, lat", "error", f"no profile is within {farthest:g} km of the forcing", remedy
            )
            return
    if too_far.all():
        yield about_file(
            "lon, lat", "error",
            f"no profile is within {farthest:g} km of the forcing, the nearest is "
            f"{distance.min():,.0f} km away",
            "choose the forcing of another study, or mend the positions",
        )  # fmt: skip
        return
    names = profile[too_far.index[too_far]] + distance[too_far].map(", {:,.0f} km".format)
    yield about_rows(
        names[np.isfinite(distance[too_far])], "lon, lat", "warning",
        f"farther than {farthest:g} km from any cell of the forcing",
        "the profile is left out: check its position, western longitudes are negative",
    )  # fmt: skip
