"""What a map says about climate: warm against cold cells, means along a gradient, climate groups.

A number of a map comes from an ensemble of networks, what is uncertain about it from networks that
were trained on resampled sites (`proda_lib.uncertainty`). A difference is taken network by network,
so that what warm and cold cells share cancels.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from proda_lib.uncertainty import half_width

__all__ = [
    "KOPPEN_GROUPS",
    "Contrast",
    "band_means",
    "bands",
    "climate_groups",
    "climate_thirds",
    "contrast",
    "covariate_of",
    "verdict",
]

BoolArray = NDArray[np.bool_]
FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int_]

#: Main groups of the Koeppen-Geiger classes 1 to 30 (Beck et al. 2018) as the original joins them
#: (revision1_main_fig3.R): the last class of each. Polar climates count as boreal.
KOPPEN_GROUPS: dict[str, int] = {
    "tropical (A)": 3,
    "arid (B)": 7,
    "temperate (C)": 16,
    "boreal (D, E)": 30,
}


class Contrast(NamedTuple):
    """Means of a quantity over the coldest and the warmest cells, unit of the quantity.

    Attributes
    ----------
    cold, warm, difference : float
        The last one is warm less cold.
    cold_half, warm_half, difference_half : float
        Half the widths of 95 % intervals; NaN with too few members.
    verdict : str
        See `verdict`.
    """

    cold: float
    warm: float
    difference: float
    cold_half: float
    warm_half: float
    difference_half: float
    verdict: str


def covariate_of(grid: xr.Dataset, name: str) -> FloatArray:
    """One covariate of a study's cells or sites by its name, in its own unit, shape (n,).

    Raises
    ------
    ValueError
        If there is no such covariate.

    Examples
    --------
    >>> table = (("cell", "covariate"), [[3.0], [9.0]])
    >>> some = xr.Dataset({"covariates": table}, {"covariate": ["BIO1"]})
    >>> covariate_of(some, "BIO1").tolist()
    [3.0, 9.0]
    """
    known = [str(one) for one in grid["covariate"].values]
    if name not in known:
        raise ValueError(f"covariate {name!r} is unknown, there are {', '.join(known)}: choose one")
    table = grid["covariates"].sel(covariate=name).values
    return np.asarray(table, dtype=float)


def climate_thirds(grid: xr.Dataset, covariate: str = "BIO1") -> dict[str, BoolArray]:
    """Tell which cells belong to the coldest and which to the warmest third, shape (cell,) each.

    Thirds of the cells that have the covariate, each counting alike. The original compares climate
    groups of the globe; a study may lie in a single one.

    Parameters
    ----------
    grid : Dataset
        With covariates.
    covariate : str
        Mean annual temperature unless another one is named.

    Returns
    -------
    dict
        "cold" and "warm".

    Raises
    ------
    ValueError
        If the covariate is unknown or the same everywhere.

    Examples
    --------
    >>> table = (("cell", "covariate"), [[1.0], [5.0], [9.0]])
    >>> some = xr.Dataset({"covariates": table}, {"covariate": ["BIO1"]})
    >>> climate_thirds(some)["warm"].tolist()
    [False, False, True]
    """
    value = covariate_of(grid, covariate)
    low, high = np.nanquantile(value, [1 / 3, 2 / 3])
    if not low < high:
        raise ValueError(
            f"{covariate} is {low:g} at both ends of the middle third: cells cannot be divided by "
            "it, choose another covariate"
        )
    return {"cold": value <= low, "warm": value >= high}


def contrast(
    value: ArrayLike, resampled: ArrayLike, area: ArrayLike, thirds: dict[str, BoolArray]
) -> Contrast:
    """Compare the means of a map over its coldest and its warmest cells, weighted by area.

    Parameters
    ----------
    value : array_like, shape (cell,)
        The map: the mean over PRODA's networks.
    resampled : array_like, shape (cell, member)
        The maps of the resampled networks.
    area : array_like, shape (cell,)
    thirds : dict
        From `climate_thirds`.

    Returns
    -------
    Contrast

    Examples
    --------
    >>> thirds = {"cold": np.array([True, False]), "warm": np.array([False, True])}
    >>> found = contrast([1.0, 3.0], [[1.0] * 12, np.linspace(2.9, 3.1, 12)], [1.0, 1.0], thirds)
    >>> found.difference, round(found.difference_half, 3), found.verdict
    (2.0, 0.144, 'higher where it is warm')
    """
    numbers, halves = {}, {}
    for name in ("cold", "warm"):
        rows = thirds[name]
        weight = np.asarray(area, dtype=float)[rows]
        numbers[name] = np.average(np.asarray(value, dtype=float)[rows], weights=weight)
        halves[name] = np.average(np.asarray(resampled, dtype=float)[rows], 0, weight)
    difference = numbers["warm"] - numbers["cold"]
    half = half_width(halves["warm"] - halves["cold"])
    return Contrast(
        float(numbers["cold"]), float(numbers["warm"]), float(difference),
        float(half_width(halves["cold"])), float(half_width(halves["warm"])), float(half),
        verdict(difference, half),
    )  # fmt: skip


def verdict(difference: float, half: float) -> str:
    """Say in words what a difference, warm less cold, and half the width of its interval tell.

    Examples
    --------
    >>> verdict(-0.3, 0.1), verdict(0.3, 0.4), verdict(0.3, float("nan"))
    ('higher where it is cold', 'not distinguished', 'not distinguished')
    """
    if not abs(difference) > half:
        return "not distinguished"
    return f"higher where it is {'warm' if difference > 0 else 'cold'}"


def bands(position: ArrayLike, count: int) -> IntArray:
    """Divide cells into bands along a gradient, with about as many cells each; shape (cell,).

    Cells at the same position stay together, so that a band may be larger or empty.

    Parameters
    ----------
    position : array_like, shape (cell,)
        Such as a temperature or a latitude; NaN belongs to no band.
    count : int
        Bands.

    Returns
    -------
    ndarray of int
        0 for the lowest, -1 for none.

    Examples
    --------
    >>> bands([8.0, 2.0, np.nan, 4.0, 6.0], 2).tolist()
    [1, 0, -1, 0, 1]
    """
    position = np.asarray(position, dtype=float)
    if count < 1:
        raise ValueError(f"count is {count}: give at least one band")
    inner = np.nanquantile(position, np.arange(1, count) / count)
    number = np.searchsorted(inner, position, side="left")
    return np.where(np.isfinite(position), number, -1)


def band_means(value: ArrayLike, band: ArrayLike, area: ArrayLike) -> FloatArray:
    """Mean of maps over each band, weighted by area, shape (band, ...).

    Parameters
    ----------
    value : array_like, shape (cell, ...)
        NaN makes its band's mean NaN.
    band : array_like of int, shape (cell,)
        From `bands`.
    area : array_like, shape (cell,)

    Returns
    -------
    ndarray
        NaN for a band without cells.

    Examples
    --------
    >>> band_means([1.0, 4.0, 9.0], [0, 0, 2], [2.0, 1.0, 5.0]).tolist()
    [2.0, nan, 9.0]
    """
    value, band = np.asarray(value, dtype=float), np.asarray(band)
    area = np.asarray(area, dtype=float)
    found = np.full((band.max() + 1, *value.shape[1:]), np.nan)
    for number in range(len(found)):
        rows = band == number
        if rows.any():
            found[number] = np.average(value[rows], 0, area[rows])
    return found


def climate_groups(grid: xr.Dataset, fewest: int = 10) -> dict[str, BoolArray]:
    """Group cells by climate: Koeppen's main groups, or thirds by temperature; (cell,) each.

    Parameters
    ----------
    grid : Dataset
        With the covariates Koppen_Climate_2018 (classes 1 to 30) and BIO1.
    fewest : int
        Cells that a group must have.

    Returns
    -------
    dict
        Those of `KOPPEN_GROUPS` that have enough cells, if they are two or more; else the thirds
        of `climate_thirds`, with their limit in the name.

    Examples
    --------
    >>> table = (("cell", "covariate"), [[25.0, 1.0], [25.0, 5.0], [26.0, 9.0]])
    >>> some = xr.Dataset({"covariates": table}, {"covariate": ["Koppen_Climate_2018", "BIO1"]})
    >>> list(climate_groups(some, fewest=1))
    ['coldest third (to 3.7 °C)', 'warmest third (from 6.3 °C)']
    """
    if "Koppen_Climate_2018" in grid["covariate"].values:
        groups = _koppen(covariate_of(grid, "Koppen_Climate_2018"))
        groups = {name: cells for name, cells in groups.items() if cells.sum() >= fewest}
        if len(groups) > 1:
            return groups
    thirds, warmth = climate_thirds(grid), covariate_of(grid, "BIO1")
    low, high = np.nanquantile(warmth, [1 / 3, 2 / 3])
    return {
        f"coldest third (to {low:.1f} °C)": thirds["cold"],
        f"warmest third (from {high:.1f} °C)": thirds["warm"],
    }


def _koppen(number: FloatArray) -> dict[str, BoolArray]:
    """Cells of each main group."""
    first, found = 1, {}
    for name, last in KOPPEN_GROUPS.items():
        found[name] = (number >= first) & (number <= last)
        first = last + 1
    return found
