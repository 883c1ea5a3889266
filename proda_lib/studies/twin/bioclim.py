"""Summaries of a climate: the 19 bioclimatic variables and the Köppen-Geiger class."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from proda_lib.studies.twin.climate import MONTH, Climate

__all__ = ["bioclimatic", "koppen"]

FloatArray = NDArray[np.float64]


def _quarters(monthly: FloatArray) -> FloatArray:
    """Sum every three consecutive months, the year taken as a ring; (place, first month)."""
    return monthly + np.roll(monthly, -1, axis=1) + np.roll(monthly, -2, axis=1)


def bioclimatic(climate: Climate) -> dict[str, FloatArray]:
    """Return BIO1 to BIO19 by the definitions of WorldClim (Fick and Hijmans 2017).

    Temperatures in degC, precipitation in mm per year, month or quarter. BIO3 and BIO15 in percent,
    BIO4 in 0.01 K. Standard deviations are those of the twelve months (divided by 12).

    Parameters
    ----------
    climate : Climate

    Returns
    -------
    dict
        "BIO1" to "BIO19", each of shape (place,).

    Examples
    --------
    >>> flat = Climate(np.full((1, 12), 9.0), np.full((1, 12), 50.0), np.ones((1, 12)), np.ones(1))
    >>> bio = bioclimatic(flat)
    >>> bio["BIO1"].tolist(), bio["BIO12"].tolist(), bio["BIO15"].tolist(), bio["BIO16"].tolist()
    ([9.0], [600.0], [0.0], [150.0])
    """
    t, p = climate.temperature, climate.precipitation
    daily = climate.diurnal_range[:, None] * (1 + 0.12 * np.cos(2 * np.pi / 12 * (MONTH - 7)))
    warm, wet = _quarters(t) / 3, _quarters(p)
    row = np.arange(len(t))
    bio = {
        1: t.mean(axis=1),
        2: daily.mean(axis=1),
        4: 100 * t.std(axis=1),
        5: (t + daily / 2).max(axis=1),
        6: (t - daily / 2).min(axis=1),
        8: warm[row, wet.argmax(axis=1)],
        9: warm[row, wet.argmin(axis=1)],
        10: warm.max(axis=1),
        11: warm.min(axis=1),
        12: p.sum(axis=1),
        13: p.max(axis=1),
        14: p.min(axis=1),
        # The mean plus one keeps a rainless place finite.
        15: 100 * p.std(axis=1) / (1 + p.mean(axis=1)),
        16: wet.max(axis=1),
        17: wet.min(axis=1),
        18: wet[row, warm.argmax(axis=1)],
        19: wet[row, warm.argmin(axis=1)],
    }
    bio[7] = bio[5] - bio[6]
    bio[3] = 100 * bio[2] / bio[7]
    return {f"BIO{number}": bio[number] for number in range(1, 20)}


def _arid(climate: Climate) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Say where it is arid (B) and desert (BW): rain below 10 or 5 times a threshold."""
    t, p = climate.mean_temperature, climate.precipitation
    total, summer = p.sum(axis=1), p[:, 3:9].sum(axis=1)
    winter = total - summer
    threshold = np.where(
        winter > 0.7 * total, 2 * t, np.where(summer > 0.7 * total, 2 * t + 28, 2 * t + 14)
    )
    return total < 10 * threshold, total < 5 * threshold


def _dry_season(precipitation: FloatArray) -> NDArray[np.int64]:
    """Return 0 where the summer is dry (s), 1 where the winter is (w), 2 elsewhere (f)."""
    summer = precipitation[:, 3:9]
    winter = np.roll(precipitation, 3, axis=1)[:, :6]
    dry_summer = (summer.min(axis=1) < 40) & (summer.min(axis=1) < winter.max(axis=1) / 3)
    dry_winter = winter.min(axis=1) < summer.max(axis=1) / 10
    return np.where(dry_summer, 0, np.where(dry_winter, 1, 2))


def koppen(climate: Climate) -> NDArray[np.int64]:
    """Return the Köppen-Geiger class, 1 to 30, by the criteria of Beck et al. (2018).

    For the northern hemisphere: the halves of the year are April to September and the rest.

    Parameters
    ----------
    climate : Climate

    Returns
    -------
    ndarray of int, shape (place,)
        1 Af, 4 BWh, 7 BSk, 14 Cfa, 25 Dfa, 29 ET, ...

    Examples
    --------
    >>> wave = -np.cos(2 * np.pi * (MONTH - 0.6) / 12)
    >>> rain = np.full((1, 12), 80.0)
    >>> [koppen(Climate(mean + 11 * wave[None], rain, rain, rain[:, 0]))[0] for mean in (18, 6)]
    [np.int64(14), np.int64(26)]
    """
    t, p = climate.temperature, climate.precipitation
    coldest, warmest, months_warm = t.min(axis=1), t.max(axis=1), (t > 10).sum(axis=1)
    arid, desert = _arid(climate)
    hot = climate.mean_temperature >= 18
    driest = p.min(axis=1)
    summer = np.where(warmest >= 22, 0, np.where(months_warm >= 4, 1, 2))
    season = _dry_season(p)
    tropical = np.where(driest >= 60, 1, np.where(driest >= 100 - p.sum(axis=1) / 25, 2, 3))
    cold_summer = np.where((summer == 2) & (coldest < -38), 3, summer)
    return np.select(
        [arid, coldest >= 18, warmest <= 10, coldest > 0],
        [
            np.where(desert, 4, 6) + ~hot,
            tropical,
            np.where(warmest > 0, 29, 30),
            8 + 3 * season + summer,
        ],
        17 + 4 * season + cold_summer,
    )
