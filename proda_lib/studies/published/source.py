"""Files of the published study: MATLAB and netCDF, read in pieces and only where needed.

The fields of the CESM2 spin-up are MATLAB 7.3 files (HDF5) of 384 x 576 cells and 12 months, some
on 20 layers. HDF5 shows MATLAB's dimensions in reverse: month, layer, longitude, latitude.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

__all__ = [
    "FIELD",
    "FIELD_VARIABLE",
    "LAT",
    "LON",
    "field_name",
    "nearest_cells",
    "read_cells",
    "read_matrix",
]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

#: Name of a field's file below INPUT_DATA: case, years averaged, variable.
FIELD = "cesm2_simu/spinup_ss/sasu_f05_g16_checked_step4_cesm2_ss_4da_661_680_{}.mat"
FIELD_VARIABLE = "var_record_monthly_mean"

#: Centres of the spin-up's cells, degrees: from the north southward, from the west eastward.
LAT = 90 - 180 / 384 * (np.arange(384) + 0.5)
LON = -180 + 360 / 576 * (np.arange(576) + 0.5)

#: Meridians of cells that are in memory together: 18 MB of a field on 20 layers.
_BLOCK = 24


def field_name(variable: str) -> str:
    """Return the registered name of a field of the spin-up.

    Examples
    --------
    >>> field_name("TSOI").rpartition("_")[2]
    'TSOI.mat'
    """
    return FIELD.format(variable)


def nearest_cells(lon: ArrayLike, lat: ArrayLike) -> tuple[IntArray, IntArray]:
    """Return the nearest cell of the spin-up, longitude and latitude each on its own.

    As the original does: of two centres equally near it takes the first, which is the western and
    the northern one.

    Parameters
    ----------
    lon, lat : array_like, shape (place,)
        Degrees east (-180 to 180) and north.

    Returns
    -------
    lon_index, lat_index : ndarray of int, shape (place,)
        0-based, as `LON` and `LAT`.

    Examples
    --------
    >>> [index.tolist() for index in nearest_cells([-180.0, 0.0], [90.0, 0.0])]
    [[0, 287], [0, 191]]
    """
    return _first_nearest(LON, lon), _first_nearest(-LAT, -np.asarray(lat, dtype=float))


def _first_nearest(centres: FloatArray, values: ArrayLike) -> IntArray:
    """Index of the nearest of ascending centres; half-way between two it is the first."""
    return np.searchsorted((centres[:-1] + centres[1:]) / 2, np.asarray(values, float), side="left")


def read_cells(
    path: Path, lon_index: IntArray, lat_index: IntArray, layers: int | None = None
) -> FloatArray:
    """Read a field of the spin-up at some cells, a block of meridians at a time.

    Parameters
    ----------
    path : Path
    lon_index, lat_index : ndarray of int, shape (cell,)
        See `nearest_cells`.
    layers : int, optional
        Of a field with layers.

    Returns
    -------
    ndarray, shape (cell, month) or (cell, layer, month)
        In the unit of the file.

    Raises
    ------
    ValueError
        If the file is not HDF5, is broken, lacks the variable, or has another shape.
    """
    dims = ("month", *(("layer",) if layers else ()), "lon", "lat")
    shape = (12, *((layers,) if layers else ()), len(LON), len(LAT))
    with _opened(path) as data:
        array = _variable(data, FIELD_VARIABLE, path)
        if array.shape != shape:
            raise ValueError(
                f"file {path}: {FIELD_VARIABLE} has shape {array.shape}, expected {shape} "
                f"({', '.join(dims)}): fetch the registered file again"
            )
        array = array.rename(dict(zip(array.dims, dims, strict=True))).chunk(lon=_BLOCK)
        taken = array.isel(lon=("cell", lon_index), lat=("cell", lat_index))
        values = taken.transpose("cell", ..., "month").compute(scheduler="synchronous")
    return np.asarray(values.values, dtype=float)


def read_matrix(path: Path, name: str, columns: int) -> FloatArray:
    """Read a table of numbers from a netCDF or MATLAB file, whichever way round it lies.

    Parameters
    ----------
    path : Path
        netCDF, MATLAB 7.3 or MATLAB 5.
    name : str
        Of the variable.
    columns : int
        HDF5 and netCDF show MATLAB's columns as rows: the axis of this length is the columns'.

    Returns
    -------
    ndarray, shape (rows, columns)

    Raises
    ------
    ValueError
        If the file cannot be read, lacks the variable, or no axis has that length.
    """
    if path.suffix == ".mat" and not _is_hdf5(path):
        values = _matlab5(path, name)
    else:
        with _opened(path) as data:
            values = _variable(data, name, path).values
    if values.ndim != 2 or columns not in values.shape or not values.size:
        raise ValueError(
            f"file {path}: {name} has shape {values.shape}, expected a table of {columns} "
            "columns with at least one row: fetch the registered file again"
        )
    # MATLAB 5 files keep MATLAB's order; the others show it in reverse.
    kept = path.suffix == ".mat" and not _is_hdf5(path)
    square = values.shape == (columns, columns)
    turned = values.shape[1] != columns or (square and not kept)
    return np.asarray(values.T if turned else values, dtype=float)


def _matlab5(path: Path, name: str) -> NDArray[np.generic]:
    from scipy.io import loadmat

    try:
        content = loadmat(path)
    except Exception as error:  # scipy raises many kinds for a file that is not its own
        raise _unreadable(path, error) from error
    if name not in content:
        raise _lacking(path, name, [key for key in content if not key.startswith("__")])
    return content[name]


@contextmanager
def _opened(path: Path) -> Iterator[xr.Dataset]:
    """Yield a file's variables, unread; failures on the way name the file."""
    engine = {"engine": "h5netcdf", "phony_dims": "sort"} if _is_hdf5(path) else {"engine": "scipy"}
    try:
        data = xr.open_dataset(path, decode_times=False, **engine)
    except Exception as error:  # engines raise many kinds for a file that is not theirs
        raise _unreadable(path, error) from error
    try:
        with data:
            yield data
    except OSError as error:
        raise _unreadable(path, error) from error


def _is_hdf5(path: Path) -> bool:
    import h5py

    return bool(h5py.is_hdf5(path))


def _variable(data: xr.Dataset, name: str, path: Path) -> xr.DataArray:
    if name not in data.variables:
        raise _lacking(path, name, [str(key) for key in data.variables])
    return data[name]


def _lacking(path: Path, name: str, there: list[str]) -> ValueError:
    found = f"it holds {', '.join(there)}" if there else "it holds nothing"
    return ValueError(f"file {path} lacks {name}, {found}: fetch the registered file again")


def _unreadable(path: Path, error: Exception) -> ValueError:
    why = " ".join(str(error).split()) or type(error).__name__
    return ValueError(
        f"file {path} cannot be read ({path.stat().st_size:,} bytes; {why}): it is broken or no "
        "file of its kind, move it away and fetch it again"
    )
