"""SoilGrids 2.0 on a study's cells, from the files aggregated to 5 km (Poggio et al. 2021).

Whole numbers: organic carbon of the fine earth (soc, dg kg-1), its bulk density (bdod, cg cm-3) and
coarse fragments (cfvo, permille of the volume), for six depth intervals, in Goode's homolosine
projection, where all pixels have the same area. Carbon per volume, kg m-3, is soc / 10 x bdod / 100
x (1 - cfvo / 1000), formed in the pixels of the files: the product of means is not the mean of the
product, so the product is formed as early as the files allow. The chapter used the maps of 2017
(Hengl et al.), which are no longer served; these are their successor.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from proda_lib import stocks
from proda_lib.references.cell_box import CellBox, cell_box
from proda_lib.references.files import (
    ABOUT,
    SOILGRIDS_DEPTHS,
    SOILGRIDS_VARIABLES,
    fetch_product,
)
from proda_lib.references.formats import ReferenceFileError, opened_raster
from proda_lib.references.map_form import interval_map, with_shares, with_totals
from proda_lib.studies.cells import CELL_SIZE

__all__ = ["carbon_content", "soilgrids_map"]

FloatArray = NDArray[np.float64]
Intervals = Sequence[tuple[float, float]]

#: Pieces into which a pixel is cut along each side, where it may lie in several cells.
_PIECES = 4

#: What the whole numbers of the files are divided by: g kg-1, kg dm-3, share of the volume.
_DIVISOR = {"soc": 10.0, "bdod": 100.0, "cfvo": 1000.0}


def soilgrids_map(grid: xr.Dataset, intervals: Intervals = stocks.INTERVALS) -> xr.Dataset:
    """Return the stocks of SoilGrids on a study's cells, see `proda_lib.references.load`."""
    found, box = fetch_product("soilgrids250m", download=False), cell_box(grid)
    paths = [found[_name(each, d)] for d in SOILGRIDS_DEPTHS for each in SOILGRIDS_VARIABLES]
    values, transform, crs = _read_alike(paths, box)
    pieces = _cells_of_pieces(values[0].shape, transform, crs, box)
    upper, lower = np.array(intervals, dtype=float).T
    stock, known = np.zeros((grid.sizes["cell"], len(intervals))), np.inf
    anything = np.full(values[0].shape, np.nan)
    for number, depths in enumerate(SOILGRIDS_DEPTHS):
        start = len(SOILGRIDS_VARIABLES) * number
        pixels = carbon_content(*values[start : start + 3])
        anything = np.fmax(anything, pixels)
        content, share = _cell_means(pixels, pieces, box)
        top, base = np.array(depths) / 100
        inside = np.maximum(np.minimum(base, lower) - np.maximum(top, upper), 0.0)
        stock += np.where(inside > 0, content[:, None] * inside, 0.0)
        known = np.minimum(known, np.where(inside > 0, share[:, None], np.inf))
    land = _cell_means(anything, pieces, box)[1]
    seen = np.divide(known, land[:, None], out=np.zeros_like(stock), where=land[:, None] > 0)
    data = with_shares(interval_map(grid, intervals, stock), land, seen)
    return with_totals(data).assign_attrs(ABOUT["soilgrids250m"])


def _name(variable: str, depths: tuple[int, int]) -> str:
    return f"{variable}_{depths[0]}-{depths[1]}cm_mean_5000.tif"


def carbon_content(soc: FloatArray, bdod: FloatArray, cfvo: FloatArray) -> FloatArray:
    """Return carbon per volume of soil, gC m-3, from the whole numbers of the files.

    Parameters
    ----------
    soc, bdod, cfvo : array_like
        dg kg-1, cg cm-3, permille of the volume; NaN where there is no data.

    Examples
    --------
    >>> float(carbon_content(200, 130, 100))  # 20 g kg-1 x 1300 kg m-3 x 0.9
    23400.0
    """
    soc, bdod, cfvo = (
        np.asarray(value, dtype=float) / _DIVISOR[name]
        for name, value in (("soc", soc), ("bdod", bdod), ("cfvo", cfvo))
    )
    return 1000.0 * soc * bdod * (1 - cfvo)


def _cells_of_pieces(
    shape: tuple[int, ...], transform: Any, crs: Any, box: CellBox
) -> NDArray[np.int32]:
    """Cut every pixel into pieces of equal area and say in which cell of the box each lies.

    Places between the corners of a pixel are interpolated from them.

    Returns
    -------
    ndarray of int, shape (pieces, pixels)
        Number of the cell, one more than its place in the box; 0 outside.
    """
    from rasterio.warp import transform as warped

    rows, columns = shape
    x = transform.c + transform.a * np.arange(columns + 1)
    y = transform.f + transform.e * np.arange(rows + 1)
    corner = [each.ravel() for each in np.meshgrid(x, y)]
    lon, lat = (
        np.reshape(each, (rows + 1, columns + 1)) for each in warped(crs, "EPSG:4326", *corner)
    )
    middle = (np.arange(_PIECES) + 0.5) / _PIECES
    found = np.empty((_PIECES**2, rows * columns), dtype=np.int32)
    for number, (down, across) in enumerate(product(middle, middle)):
        east, north = (_between(each, down, across).ravel() for each in (lon, lat))
        column, row = (east - box.west) / CELL_SIZE, (box.north - north) / CELL_SIZE
        inside = (column >= 0) & (column < box.columns) & (row >= 0) & (row < box.rows)
        place = np.where(inside, row, 0).astype(int) * box.columns
        found[number] = np.where(inside, place + np.where(inside, column, 0).astype(int) + 1, 0)
    return found


def _between(corner: FloatArray, down: float, across: float) -> FloatArray:
    """Return values inside the pixels from those at their corners, shape (rows, columns)."""
    upper = (1 - across) * corner[:-1, :-1] + across * corner[:-1, 1:]
    lower = (1 - across) * corner[1:, :-1] + across * corner[1:, 1:]
    return (1 - down) * upper + down * lower


def _cell_means(
    content: FloatArray, pieces: NDArray[np.int32], box: CellBox
) -> tuple[FloatArray, FloatArray]:
    """Mean over the soil of each cell, and the share of the cell that has soil, shape (cell,)."""
    soil, size = np.isfinite(content).ravel(), box.rows * box.columns + 1
    value, amount, known, whole = np.nan_to_num(content).ravel(), 0.0, 0.0, 0.0
    for cell in pieces:
        amount = amount + np.bincount(cell, value, size)
        known = known + np.bincount(cell, soil, size)
        whole = whole + np.bincount(cell, minlength=size)
    mean = np.divide(amount, known, out=np.full(size, np.nan), where=known > 0)
    share = known / np.maximum(whole, 1)
    return tuple(box.picked(each[1:].reshape(box.rows, box.columns)) for each in (mean, share))


def _read_alike(paths: list[Path], box: CellBox) -> tuple[list[FloatArray], Any, Any]:
    """Read the part of each file around the cells; NaN where there is no data."""
    values, first = [], None
    for path in paths:
        with opened_raster("soilgrids250m", path) as source:
            _check_projection(path, source)
            window = _window(source, box, path)
            place = (source.transform, source.crs, source.width, source.height)
            if first is not None and place != first:
                raise ReferenceFileError(
                    f"soilgrids250m: {path} lies on other pixels than {paths[0]}: fetch both from "
                    "one release"
                )
            first = place
            value = source.read(1, window=window, masked=True).astype(float).filled(np.nan)
            transform, crs = source.window_transform(window), source.crs
        # No soil has no density: where a file has 0 there, it has no data.
        least = 1 if path.name.startswith("bdod") else 0
        values.append(np.where(value >= least, value, np.nan))
    return values, transform, crs


def _check_projection(path: Path, source: Any) -> None:
    kind = source.crs.to_dict().get("proj") if source.crs else None
    if kind != "igh":
        raise ReferenceFileError(
            f"soilgrids250m: {path} has the coordinates {source.crs or 'none'}, expected Goode's "
            "homolosine projection (+proj=igh): give the file as it is served, not warped"
        )


def _window(source: Any, box: CellBox, path: Path) -> Any:
    """Return the pixels around the cells, or say that the file does not hold them."""
    from rasterio.warp import transform_bounds
    from rasterio.windows import Window, from_bounds

    ends = transform_bounds(
        "EPSG:4326", source.crs, box.west, box.south, box.east, box.north, densify_pts=101
    )
    wanted = from_bounds(*ends, source.transform)
    first = np.array([wanted.col_off, wanted.row_off])
    last, size = first + [wanted.width, wanted.height], np.array([source.width, source.height])
    if (first < -1).any() or (last > size + 1).any():
        raise ReferenceFileError(
            f"soilgrids250m: {path} does not reach all cells, {box}: give the global file"
        )
    first = np.maximum(np.floor(first).astype(int) - 2, 0)
    last = np.minimum(np.ceil(last).astype(int) + 2, size)
    return Window(*map(int, (*first, *(last - first))))
