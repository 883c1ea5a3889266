"""Map units of WISE30sec: the carbon of a unit from the layers of the soils in it (Batjes 2016).

A unit (NEWSUID) holds soils (SCID) with their share (PROP, %), and each soil has layers down to 2 m
(TopDep, BotDep, cm) with organic carbon (ORGC, g per kg of fine earth), bulk density (BULK, kg
dm-3) and coarse fragments (CFRAG, volume %). Carbon per volume is ORGC BULK (1 - CFRAG / 100), kg
m-3. Negative values are codes: see `CODES`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from proda_lib import stocks

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["CODES", "TABLE_COLUMNS", "MapUnits", "map_units"]

FloatArray = NDArray[np.float64]
Intervals = Sequence[tuple[float, float]]

#: Columns of HW30s_FULL.txt that are read.
TABLE_COLUMNS = "NEWSUID SCID PROP Layer TopDep BotDep ORGC BULK CFRAG".split()

#: Shares of a unit, %, up to this are none.
_NO_SHARE = 1e-6

#: What a negative value stands for, and what is made of it: "water" is no land; "none" is land
#: without soil carbon; "unknown" is left out, the other soils of the unit stand for it.
CODES = {
    -1: ("water bodies", "water"),
    -2: ("land ice and glaciers", "none"),
    -3: ("rock outcrops", "none"),
    -4: ("dunes and shifting sands", "unknown"),
    -5: ("salt flats", "unknown"),
    -7: ("rocky sublayers", "none"),
    -9: ("urban areas and other units without soil", "unknown"),
}


class MapUnits(NamedTuple):
    """Stocks of map units.

    Attributes
    ----------
    name : ndarray of str, shape (unit,)
    stock : ndarray, shape (unit, interval)
        gC m-2 of land; NaN where no soil of the unit has a value.
    land : ndarray, shape (unit,)
        Share of the unit that is not water.
    counts : dict
        How many layers of soils fall under each use of `CODES`.
    """

    name: NDArray[np.str_]
    stock: FloatArray
    land: FloatArray
    counts: dict[str, int]


def map_units(table: pd.DataFrame, intervals: Intervals = stocks.INTERVALS) -> MapUnits:
    """Return the stock of every map unit: the mean of its soils, weighted by their shares.

    A soil that ends above a layer of the others holds nothing there. Water is left out of the unit,
    a soil without any value out of the mean, and a single layer without values out of the mean of
    this layer.

    Parameters
    ----------
    table : DataFrame
        One row for each layer of each soil of each unit, with `TABLE_COLUMNS`.
    intervals : sequence of (upper, lower)
        m.

    Examples
    --------
    >>> import pandas as pd
    >>> row = dict(NEWSUID="U1", SCID=1, PROP=100, Layer="D1", TopDep=0, BotDep=20)
    >>> one = map_units(pd.DataFrame([row | dict(ORGC=10, BULK=1.5, CFRAG=20)]), [(0, 0.3)])
    >>> one.stock.tolist()  # 10 g kg-1 x 1500 kg m-3 x 0.8 x 0.2 m
    [[2400.0]]
    """
    name, unit = np.unique(table["NEWSUID"].astype(str).str.strip(), return_inverse=True)
    share, use = table["PROP"].to_numpy(float), _use(table)
    first, wet, blank = _soils(table, use)
    everything, land, known = (
        np.bincount(unit, share * kept, len(name))
        for kept in (first, first & ~wet, first & ~wet & ~blank)
    )
    layer = table.assign(unit=unit).groupby(["unit", "Layer"]).ngroup().to_numpy()
    gap = (use == "unknown") & ~wet & ~blank
    valid = known[unit] - np.bincount(layer, share * gap)[layer]
    density = 1000 * (table["ORGC"] * table["BULK"] * (1 - table["CFRAG"] / 100)).to_numpy(float)
    content = np.where((use == "value") & ~wet & ~blank, density * share, 0.0)
    mean = np.divide(content, valid, out=np.full(len(share), np.nan), where=valid > _NO_SHARE)
    mean[wet | blank] = 0.0
    thickness = _inside(table, intervals)
    amount = np.where(thickness > 0, mean[:, None] * thickness, 0.0)
    stock = np.stack([np.bincount(unit, column, len(name)) for column in amount.T], axis=1)
    stock[known <= _NO_SHARE] = np.nan
    counts = {each: int((use == each).sum()) for each in ("value", "none", "unknown", "water")}
    return MapUnits(name, stock, land / everything, counts)


def _use(table: pd.DataFrame) -> NDArray[np.str_]:
    """Say for each layer whether it has values, no soil carbon, nothing known, or is water."""
    code = np.zeros(len(table))
    for column in ("CFRAG", "BULK", "ORGC"):  # the last that is no value decides
        value = table[column].to_numpy(float)
        code = np.where(value < 0, value, np.where(np.isnan(value), -np.inf, code))
    use = np.where(code < 0, "unknown", "value")
    for number, (_, meaning) in CODES.items():
        use[code == number] = meaning
    return use


def _soils(
    table: pd.DataFrame, use: NDArray[np.str_]
) -> tuple[NDArray[np.bool_], NDArray[np.bool_], NDArray[np.bool_]]:
    """Mark the first layer of each soil, soils that are water, soils of which nothing is known."""
    soil = table.groupby(["NEWSUID", "SCID"]).ngroup().to_numpy()
    layers = np.bincount(soil)
    wet, unknown = (np.bincount(soil, use == each) for each in ("water", "unknown"))
    first = np.zeros(len(table), dtype=bool)
    first[np.unique(soil, return_index=True)[1]] = True
    return first, wet[soil] > 0, (unknown == layers)[soil]


def _inside(table: pd.DataFrame, intervals: Intervals) -> FloatArray:
    """Return how much of each layer lies in each interval, m, shape (layer, interval)."""
    upper, lower = np.array(intervals, dtype=float).T
    top, base = (table[name].to_numpy(float)[:, None] / 100 for name in ("TopDep", "BotDep"))
    return np.maximum(np.minimum(base, lower) - np.maximum(top, upper), 0.0)
