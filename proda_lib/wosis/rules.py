"""Which layers of a snapshot cannot be used, and why.

Rules of one row are applied while a table is read; rules that compare rows (duplicates, overlaps)
when all pieces are together. Every limit is stated here.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from proda_lib.wosis.choice import LayerChoice
from proda_lib.wosis.layout import POSITION_KM

__all__ = [
    "DENSITY_KG_M3",
    "MOST_CARBON",
    "column_rules",
    "duplicates",
    "overlaps",
    "position_km",
    "repeated_profiles",
    "row_rules",
    "true",
]

#: Most organic carbon of a soil, g kg-1: organic matter is 1 / 1.724 = 58 % carbon.
MOST_CARBON = 600.0

#: Bulk densities that a soil can have, kg m-3: from loose peat to solid quartz.
DENSITY_KG_M3 = (20.0, 2650.0)

#: Profiles that agree in all layers are one and the same if they lie within so many degrees.
SAME_PLACE = 0.001

#: Length of a degree of latitude, km.
_KM_PER_DEGREE = 111.2

_Mask = NDArray[np.bool_]


def true(flags: pd.Series) -> _Mask:
    """Say where a column of categories is true; an empty cell is not.

    Examples
    --------
    >>> true(pd.Series(["t", "f", "TRUE", None], dtype="category")).tolist()
    [True, False, True, False]
    """
    yes = [one for one in flags.cat.categories if str(one).strip().casefold() in _TRUE]
    return flags.isin(yes).to_numpy()


_TRUE = {"t", "true", "1", "yes"}


def position_km(uncertainty: pd.Series) -> NDArray[np.float64]:
    """Return how far from its stated place a profile may lie, km; infinite where unknown.

    Parameters
    ----------
    uncertainty : Series of categories
        A class of 2023 (its upper end is taken), or degrees as in 2019 (`geom_accuracy`).

    Examples
    --------
    >>> position_km(pd.Series(["100 m - 1 km", "0.01", None], dtype="category")).tolist()
    [1.0, 1.112, inf]
    """
    known = [_km(str(one)) for one in uncertainty.cat.categories]
    return np.array([*known, np.inf])[uncertainty.cat.codes.to_numpy()]


def _km(text: str) -> float:
    if text in POSITION_KM:
        return POSITION_KM[text]
    try:
        return float(text) * _KM_PER_DEGREE
    except ValueError:
        return np.inf


def row_rules(layers: pd.DataFrame, choice: LayerChoice) -> dict[str, _Mask]:
    """Return for each reason the rows to which it applies, looked at one by one.

    Parameters
    ----------
    layers : DataFrame
        With lon, lat, country, positional_uncertainty, litter (categories but for the first two),
        upper_cm, lower_cm, oc_g_kg.
    choice : LayerChoice
    """
    lon, lat, upper, lower, carbon = (
        layers[name].to_numpy() for name in ("lon", "lat", "upper_cm", "lower_cm", "oc_g_kg")
    )
    rules = {"no position": np.isnan(lon) | np.isnan(lat)}
    if choice.box is not None:
        rules["outside the box"] = ~choice.inside(lon, lat)
    if choice.countries is not None:
        rules["another country"] = ~choice.of_countries(layers["country"])
    if choice.position_within_km is not None:
        far = position_km(layers["positional_uncertainty"])
        rules["position less sure than asked for, or of unknown certainty"] = (
            far > choice.position_within_km
        )
    if choice.litter == "drop":
        rules["flagged as litter or organic surface"] = true(layers["litter"])
    return rules | {
        "no depth": ~(np.isfinite(upper) & np.isfinite(lower)),
        "begins above the surface (litter)": upper < 0,
        "lower depth not below upper depth": lower <= upper,
        "no organic carbon": np.isnan(carbon),
        "organic carbon of exactly 0": carbon == 0,
        f"organic carbon outside 0 to {MOST_CARBON:g} g/kg": (carbon < 0) | (carbon > MOST_CARBON),
    }


def duplicates(layers: pd.DataFrame) -> _Mask:
    """Say which layers repeat an earlier one: the same identifier, or the same depths.

    Parameters
    ----------
    layers : DataFrame
        With profile, layer, upper_cm, lower_cm.

    Examples
    --------
    >>> duplicates(pd.DataFrame({"profile": [1, 1, 2], "layer": [7, 8, 9],
    ...     "upper_cm": [0, 0, 0], "lower_cm": [5, 5, 5]})).tolist()
    [False, True, False]
    """
    same = layers.duplicated(["profile", "layer"])
    return (same | layers.duplicated(["profile", "upper_cm", "lower_cm"])).to_numpy()


def overlaps(layers: pd.DataFrame) -> _Mask:
    """Say which layers reach into a kept one above; of two that begin together the thinner is kept.

    Parameters
    ----------
    layers : DataFrame
        With profile, upper_cm, lower_cm, sorted by them.

    Examples
    --------
    >>> overlaps(pd.DataFrame({"profile": 1, "upper_cm": [0, 5, 20], "lower_cm": [10, 30, 40]})
    ...     ).tolist()
    [False, True, False]
    """
    profile, upper, lower = (
        layers[name].to_numpy() for name in ("profile", "upper_cm", "lower_cm")
    )
    found = np.zeros(len(layers), bool)
    touched = np.flatnonzero((profile[1:] == profile[:-1]) & (upper[1:] < lower[:-1]))
    # Only profiles with neighbours that overlap are walked through: in a sorted profile no two
    # layers overlap unless two neighbours do.
    for first in np.unique(np.searchsorted(profile, profile[touched])):
        bottom = -np.inf
        for row in range(first, int(np.searchsorted(profile, profile[first], side="right"))):
            found[row] = upper[row] < bottom
            bottom = bottom if found[row] else lower[row]
    return found


def repeated_profiles(layers: pd.DataFrame) -> _Mask:
    """Say which layers belong to a profile that an earlier one repeats.

    Databases overlap: a profile is a repetition if place (to `SAME_PLACE` degrees), all depths and
    all organic carbon agree with those of a profile of lower number, of whatever source.

    Parameters
    ----------
    layers : DataFrame
        With profile, lon, lat, upper_cm, lower_cm, oc_g_kg, sorted by profile and depth.
    """
    if layers.empty:
        return np.zeros(0, bool)
    place = (layers[["lon", "lat"]] / SAME_PLACE).round()
    # Adding 0 makes one zero of -0.0 and 0.0, which hash differently.
    said = pd.concat([place, layers[["upper_cm", "lower_cm", "oc_g_kg"]]], axis=1) + 0.0
    hashes = pd.util.hash_pandas_object(said, index=False).to_numpy()
    profile = layers["profile"].to_numpy()
    starts = np.flatnonzero(np.r_[True, profile[1:] != profile[:-1]])
    counts = np.diff(np.r_[starts, len(profile)])
    whole = pd.DataFrame({"layers": counts, "hash": np.add.reduceat(hashes, starts)})
    return np.repeat(whole.duplicated().to_numpy(), counts)


def column_rules(density: NDArray[np.float64], coarse: NDArray[np.float64]) -> dict[str, _Mask]:
    """Return the rows whose density (kg m-3) or coarse fragments (0 to 1) are impossible.

    NaN, not measured, is possible.
    """
    low, high = DENSITY_KG_M3
    return {
        "coarse fragments outside 0 to below 100 % by volume": (coarse < 0) | (coarse >= 1),
        f"bulk density outside {low:g} to {high:g} kg/m3": (density < low) | (density > high),
    }
