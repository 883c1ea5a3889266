"""The rectangle of half-degree cells around a study, onto which rasters are averaged."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from proda_lib.studies.cells import CELL_SIZE, grid_places, west_of

__all__ = ["CellBox", "cell_box"]


class CellBox(NamedTuple):
    """All places of a regular grid between a study's outermost cells.

    Attributes
    ----------
    west, north : float
        Outer edges, degrees; longitude -180 to 180.
    rows, columns : int
        From north to south, from west to east.
    row, column : ndarray of int, shape (cell,)
        Place of each of the study's cells.
    """

    west: float
    north: float
    rows: int
    columns: int
    row: NDArray[np.int_]
    column: NDArray[np.int_]

    @property
    def south(self) -> float:
        """Southern edge, degrees."""
        return self.north - self.rows * CELL_SIZE

    @property
    def east(self) -> float:
        """Eastern edge, degrees."""
        return self.west + self.columns * CELL_SIZE

    def __str__(self) -> str:
        """Say from where to where it reaches."""
        return (
            f"{self.west:g} to {self.east:g} degrees east, {self.south:g} to {self.north:g} north"
        )

    def picked(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the values of the study's cells out of an array (rows, columns, ...)."""
        return values[self.row, self.column]


def cell_box(grid: xr.Dataset) -> CellBox:
    """Return the rectangle around cells of half a degree.

    Parameters
    ----------
    grid : Dataset
        With `lon` (-180 to 180 or 0 to 360) and `lat` of the centres, degrees.

    Raises
    ------
    ValueError
        If the cells do not lie on one regular grid of half a degree.

    Examples
    --------
    >>> cells = xr.Dataset({"lon": ("cell", [-79.75, 281.25]), "lat": ("cell", [44.25, 44.75])})
    >>> box = cell_box(cells)
    >>> (box.west, box.north, box.rows, box.columns), box.row.tolist(), box.column.tolist()
    ((-80.0, 45.0, 2, 3), [1, 0], [0, 2])
    """
    lon, lat = west_of(grid["lon"].values), grid["lat"].values
    column, from_south = grid_places(lon, lat, CELL_SIZE)
    rows, columns = int(from_south.max()) + 1, int(column.max()) + 1
    west, north = float(lon.min()) - CELL_SIZE / 2, float(lat.max()) + CELL_SIZE / 2
    return CellBox(west, north, rows, columns, rows - 1 - from_south, column)
