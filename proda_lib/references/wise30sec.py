"""WISE30sec on a study's cells: a raster of soil map units at 30 arc-seconds (Batjes 2016).

The raster holds a number for each map unit, one table the name of the unit of a number, another the
soils of the unit, see `proda_lib.references.wise_units`.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from proda_lib import stocks
from proda_lib.references.cell_box import CellBox, cell_box
from proda_lib.references.files import (
    ABOUT,
    fetch_product,
    zip_member,
)
from proda_lib.references.formats import ReferenceFileError, opened_raster
from proda_lib.references.map_form import interval_map, with_shares, with_totals
from proda_lib.references.wise_units import TABLE_COLUMNS, MapUnits, map_units
from proda_lib.studies.cells import CELL_SIZE

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["unit_means", "wise30sec_map"]

FloatArray = NDArray[np.float64]
Intervals = Sequence[tuple[float, float]]

_ARCHIVE = "wise_30sec_v1.zip"
_MEMBERS = ("wise_30sec_v1.tif", "wise_30sec_v1.tsv", "HW30s_FULL.txt")


def wise30sec_map(grid: xr.Dataset, intervals: Intervals = stocks.INTERVALS) -> xr.Dataset:
    """Return the stocks of WISE30sec on a study's cells, see `proda_lib.references.load`."""
    archive = fetch_product("wise30sec", download=False)[_ARCHIVE]
    raster, numbers, table = (zip_member("wise30sec", archive, name) for name in _MEMBERS)
    units = map_units(_table(table, TABLE_COLUMNS, ","), intervals)
    codes = _table(numbers, ["pixel_vaue", "description"], "\t")  # spelt so in the file
    return unit_means(raster, codes, units, grid, intervals)


def _table(path: Path, columns: list[str], separator: str) -> pd.DataFrame:
    import pandas as pd

    table = pd.read_csv(path, sep=separator, encoding="latin-1", low_memory=False)
    table.columns = table.columns.astype(str).str.strip()
    lacking = [name for name in columns if name not in table]
    if lacking:
        raise ReferenceFileError(
            f"wise30sec: {path} lacks the columns {', '.join(lacking)}; it has "
            f"{', '.join(table.columns[:12])}: is it the file of {_ARCHIVE}?"
        )
    return table[columns]


def unit_means(
    raster: str | Path,
    codes: pd.DataFrame,
    units: MapUnits,
    grid: xr.Dataset,
    intervals: Intervals = stocks.INTERVALS,
) -> xr.Dataset:
    """Average map units over cells, by the land of their pixels.

    A pixel belongs to the cell in which its centre lies; its area goes with the cosine of its
    latitude.

    Parameters
    ----------
    raster : path
        Numbers of map units, in geographical coordinates.
    codes : DataFrame
        `pixel_vaue` and `description`: the number and the name of each unit.
    units : MapUnits
        With stocks of these intervals.
    grid : Dataset
        Cells of half a degree.
    intervals : sequence of (upper, lower)
        m.

    Returns
    -------
    Dataset
        As of `proda_lib.references.load`. Attributes also count the pixels whose number has no
        unit, and how many layers have values, no soil, nothing known, or are water.

    Raises
    ------
    proda_lib.references.formats.ReferenceFileError
        If the raster is projected, or does not reach all cells.
    """
    box = cell_box(grid)
    with opened_raster("wise30sec", Path(raster)) as source:
        if source.crs is None or not source.crs.is_geographic:
            raise ReferenceFileError(
                f"wise30sec: {raster} has the coordinates {source.crs}, expected longitude and "
                "latitude (EPSG:4326): give the raster as it is in the archive, not projected"
            )
        _check_reach(source, box, raster)
        unit_of = _units_of_numbers(codes, units)
        bands = [_band(source, unit_of, units, box, row) for row in range(box.rows)]
    area, land, astray, known, carbon = (np.stack(each) for each in zip(*bands, strict=True))
    with np.errstate(invalid="ignore", divide="ignore"):
        data = interval_map(grid, intervals, box.picked(carbon / known))
        share, seen = box.picked(land / area), box.picked(known / land[..., None])
    data = with_shares(data, np.nan_to_num(share), np.nan_to_num(seen))
    found = {f"layers_{use}": number for use, number in units.counts.items()}
    found["pixels_without_unit"] = int(box.picked(astray).sum())
    return with_totals(data).assign_attrs(ABOUT["wise30sec"] | found)


def _check_reach(source: Any, box: CellBox, raster: str | Path) -> None:
    """Refuse a raster of less than the cells: what it lacks is not known to be sea."""
    ends, pixel = source.bounds, abs(source.transform.e)
    beyond = (ends.left - box.west, box.east - ends.right, ends.bottom - box.south)
    if max(*beyond, box.north - ends.top) > pixel / 2:
        raise ReferenceFileError(
            f"wise30sec: {raster} does not reach all cells, {box}: give the global raster of "
            f"{_ARCHIVE}"
        )


def _units_of_numbers(codes: pd.DataFrame, units: MapUnits) -> NDArray[np.int_]:
    """Return the row of `units` for each pixel number: -1 for no data, -2 for a number astray.

    The last entry stands for all larger numbers.
    """
    row = {name: position for position, name in enumerate(units.name)}
    number = codes["pixel_vaue"].to_numpy(int)
    unit_of = np.full(number.max() + 2, -2)
    for one, name in zip(number, codes["description"].astype(str).str.strip(), strict=True):
        unit_of[one] = row.get(name, -1 if name.lower() == "nodata" else -2)
    unit_of[0] = -1
    return unit_of


def _band(
    source: Any, unit_of: NDArray[np.int_], units: MapUnits, box: CellBox, row: int
) -> tuple[FloatArray, ...]:
    """Add up the pixels of one row of cells: area, land, pixels astray, land with a stock, carbon.

    Shape (columns,) each, the last two (columns, interval); areas relative to a pixel at the
    equator.
    """
    from rasterio.windows import Window

    north, corner = box.north - row * CELL_SIZE, source.transform
    lat = corner.f + (np.arange(source.height) + 0.5) * corner.e
    lon = corner.c + (np.arange(source.width) + 0.5) * corner.a
    rows = np.flatnonzero((lat < north) & (lat >= north - CELL_SIZE))
    columns = np.flatnonzero((lon >= box.west) & (lon < box.east))
    number = np.empty((len(rows), len(columns)), dtype=int)
    if number.size:
        window = Window(columns[0], rows[0], len(columns), len(rows))
        number[:] = source.read(1, window=window, masked=True).filled(0)
    unit = unit_of[np.clip(number, 0, len(unit_of) - 1)].ravel()
    cell = np.tile(((lon[columns] - box.west) / CELL_SIZE).astype(int), len(rows))
    area = np.repeat(np.cos(np.radians(lat[rows])), len(columns))
    land = area * np.where(unit >= 0, units.land[unit], unit == -2)
    stock = np.where((unit >= 0)[:, None], units.stock[unit], np.nan)
    known = land[:, None] * np.isfinite(stock)

    def summed(value: FloatArray) -> FloatArray:
        return np.bincount(cell, value, box.columns)

    return (
        summed(area),
        summed(land),
        summed(unit == -2),
        np.stack([summed(each) for each in known.T], axis=1),
        np.stack([summed(each) for each in (known * np.nan_to_num(stock)).T], axis=1),
    )
