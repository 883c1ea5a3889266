"""Bulk density of the fine earth: measured where it was, else from the published function.

WoSIS distinguishes the density of the fine earth (bdfi..) from that of the whole soil with its
coarse fragments (bdws..), each at 33 kPa, oven dry, air dry, field moist or in a state not given
(Batjes, Ribeiro and van Oostrum 2020, doi:10.5194/essd-12-299-2020, table A1). Which of them the
original study took is not published; the order here, `layout.DENSITY_CODES`, is our choice.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from proda_lib.wosis.layout import DENSITY_CODES

__all__ = ["PARTICLE_DENSITY", "WHOLE_SOIL", "fine_earth", "measured", "pedotransfer"]

#: Density of rock fragments, kg m-3: the value commonly assumed, near that of quartz.
PARTICLE_DENSITY = 2650.0

#: Whether each of `DENSITY_CODES` is a density of the whole soil.
WHOLE_SOIL = np.array([code.startswith("bdws") for code in DENSITY_CODES])


def pedotransfer(oc_g_kg: ArrayLike) -> NDArray[np.float64]:
    """Return bulk density from organic carbon, 320 + 1300 exp(-0.0089 x 1.724 OC).

    The original's function, BD (g cm-3) = 0.32 + 1.30 exp(-0.0089 x SOC (g/kg) x 1.724), as in its
    script pedo_transfer_uncertainty.R; 1.724 makes organic matter of organic carbon.

    Parameters
    ----------
    oc_g_kg : array
        Organic carbon of the fine earth, g kg-1.

    Returns
    -------
    array
        kg m-3.

    Examples
    --------
    >>> pedotransfer([0.0, 20.0, 500.0]).round().tolist()
    [1620.0, 1276.0, 321.0]
    """
    matter = 1.724 * np.asarray(oc_g_kg, dtype=float)
    return 320.0 + 1300.0 * np.exp(-0.0089 * matter)


def measured(values: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.int8]]:
    """Return the first density that was measured, and which it is.

    Parameters
    ----------
    values : array (layer, code)
        kg dm-3 in the order of `DENSITY_CODES`; NaN where not measured.

    Returns
    -------
    density : array (layer)
        kg m-3; NaN where none was measured.
    code : array of int (layer)
        Position in `DENSITY_CODES`, -1 where none was measured.

    Examples
    --------
    >>> row = np.full((1, len(DENSITY_CODES)), np.nan)
    >>> row[0, DENSITY_CODES.index("bdfiod")] = 1.3
    >>> density, code = measured(row)
    >>> float(density[0]), DENSITY_CODES[code[0]]
    (1300.0, 'bdfiod')
    """
    there = ~np.isnan(values)
    first = there.argmax(axis=1)
    density = 1000.0 * np.take_along_axis(values, first[:, None], axis=1)[:, 0]
    return density, np.where(there.any(axis=1), first, -1).astype(np.int8)


def fine_earth(whole: ArrayLike, coarse_fraction: ArrayLike) -> NDArray[np.float64]:
    """Return the density of the fine earth of a soil with coarse fragments.

    Mass of the soil without its fragments over volume without them,
    (whole - fraction x `PARTICLE_DENSITY`) / (1 - fraction): a balance of mass and volume. It is
    negative where fragments would weigh more than the soil.

    Parameters
    ----------
    whole : array
        Density of the whole soil, kg m-3.
    coarse_fraction : array
        By volume, 0 to below 1.

    Examples
    --------
    >>> float(fine_earth(1600.0, 0.2).round(1))
    1337.5
    """
    fraction = np.asarray(coarse_fraction, dtype=float)
    return (np.asarray(whole, dtype=float) - PARTICLE_DENSITY * fraction) / (1 - fraction)
