"""Maps as files that other programs understand: cells on a regular grid, by the CF conventions.

The studies keep cells in a list. Here they become a grid of latitude and longitude with the names,
units and bounds of the Climate and Forecast conventions (CF-1.11, Eaton et al. 2024).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

import proda_lib
from proda_lib.studies.cells import EARTH_RADIUS, grid_places, grid_steps, west_of
from proda_lib.studies.schema import grid_of
from proda_lib.studies.study import SYNTHETIC

__all__ = ["UNITS", "to_cf"]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int_]

#: Units of the project, the same in UDUNITS (which knows no carbon, so long names say it), and the
#: factor between them.
UNITS = {
    "gC m-2": ("kg m-2", 1e-3),
    "gC m-3": ("g m-3", 1.0),
    "Pg C": ("Pg", 1.0),
    "1": ("1", 1.0),
    "m": ("m", 1.0),
    "km2": ("km2", 1.0),
}

#: Stands for no value in the file, as in the archives of model intercomparisons.
_FILL = np.float32(1e20)

_PLACE = {
    "lat": {
        "standard_name": "latitude",
        "long_name": "latitude",
        "units": "degrees_north",
        "axis": "Y",
    },
    "lon": {
        "standard_name": "longitude",
        "long_name": "longitude",
        "units": "degrees_east",
        "axis": "X",
    },
}
_AREA = {
    "standard_name": "cell_area",
    "long_name": "area of the cell on the sphere",
    "units": "km2",
}
_DEPTH = {"standard_name": "depth", "units": "m", "positive": "down"}
_SPHERE = {"grid_mapping_name": "latitude_longitude", "earth_radius": EARTH_RADIUS * 1000}


def to_cf(
    data: xr.Dataset,
    *,
    title: str,
    synthetic: bool,
    size: float | None = None,
    methods: Mapping[str, str] | None = None,
    attributes: Mapping[str, str] | None = None,
) -> xr.Dataset:
    """Put cells on their regular grid, with what the CF conventions ask for.

    Parameters
    ----------
    data : Dataset
        Variables over `cell` and other dimensions, with units and long_name; coordinates `lon`,
        `lat` of the centres (degrees) and, if known, `area` (km2). A dimension `layer` gets the
        depths of the soil grid that the attribute `soil_grid` names; `interval` needs `upper` and
        `lower` (m); names along other dimensions, which are no coordinate variables in
        CF, become label variables: `source` is `source_name` in the file. Attributes that are text
        go into the file; `spread`, what standard deviations stand for, becomes its `comment`.
    title : str
        One line that says what is in the file.
    synthetic : bool
        Whether the data are made up; then the title and an attribute say so.
    size : float, optional
        Width and height of a cell, degrees; by default the least distances of two centres, see
        `proda_lib.studies.cells.grid_steps`.
    methods : mapping, optional
        Variable to its `cell_methods`. By default "area: mean", "area: sum" in Pg C; further
        "interval: sum" for stocks of depth intervals, and "realization: standard_deviation", over
        the members of an ensemble, for names that end in `_sd`.
    attributes : mapping, optional
        More attributes of the file: institution, references, comment.

    Returns
    -------
    Dataset
        Over (..., lat, lon), latitude and longitude rising, NaN where there is no cell; compressed
        when written. `xarray.open_dataset(file).set_index(source="source_name")` selects by name.

    Raises
    ------
    ValueError
        If the cells do not lie on a regular grid, are one only while no size is given, or a unit is
        missing or not one of `UNITS`.

    Examples
    --------
    >>> cells = xr.Dataset(
    ...     {"stock": ("cell", [1e4, 2e4], {"units": "gC m-2", "long_name": "carbon"})},
    ...     {"lon": ("cell", [-80.25, -79.75]), "lat": ("cell", [40.25, 40.75])},
    ... )
    >>> grid = to_cf(cells, title="two cells", synthetic=True)
    >>> grid.stock.values.tolist(), grid.stock.units
    ([[10.0, nan], [nan, 20.0]], 'kg m-2')
    """
    if "cell" not in data.dims:
        raise ValueError(
            f"data have the dimensions {', '.join(map(str, data.dims))}: cell is missing"
        )
    place, axes = _axes(data["lat"].values, west_of(data["lon"].values), size)
    if len(np.unique(np.stack(place), axis=1).T) < data.sizes["cell"]:
        raise ValueError("two cells have the same centre: give each cell once")
    shape = axes["lat"].size, axes["lon"].size
    variables = {
        str(name): _mapped(values, place, shape, (methods or {}).get(str(name)))
        for name, values in data.data_vars.items()
        if name != "area"
    }
    if "area" in data:
        for mapped in variables.values():
            mapped.attrs |= {"cell_measures": "area: area"} if "lat" in mapped.dims else {}
        area = data["area"].assign_attrs(units="km2")
        variables["area"] = _mapped(area, place, shape)
        variables["area"].attrs = _AREA
    used = {dim for variable in variables.values() for dim in variable.dims}
    result = xr.Dataset(variables | axes | _others(data, used))
    told = _provenance(title, synthetic, data.attrs) | dict(attributes or {})
    return _encoded(result.rename({"layer": "depth"} if "layer" in used else {})).assign_attrs(told)


def _axes(
    lat: FloatArray, lon: FloatArray, size: float | None
) -> tuple[tuple[IntArray, IntArray], dict[str, xr.Variable]]:
    """Row and column of each cell; latitude, longitude, their bounds, and the sphere of areas."""
    steps = (size, size) if size else grid_steps(lon, lat)
    column, row = grid_places(lon, lat, steps)
    found = {"crs": xr.Variable((), np.int32(0), _SPHERE)}
    for name, given, place, step in (
        ("lat", lat, row, steps[1]),
        ("lon", lon, column, steps[0]),
    ):
        centre = np.round(given.min() + step * np.arange(place.max() + 1), 9)
        bounds = np.stack([centre - step / 2, centre + step / 2], axis=1)
        found[name] = xr.Variable(name, centre, _PLACE[name] | {"bounds": f"{name}_bnds"})
        found[f"{name}_bnds"] = xr.Variable((name, "bnds"), bounds)
    return (row, column), found


def _mapped(
    values: xr.DataArray, place: tuple[Any, Any], shape: tuple[int, int], method: str | None = None
) -> xr.Variable:
    """One variable on the grid of latitude and longitude, in units that UDUNITS knows."""
    given = values.attrs.get("units")
    if given not in UNITS:
        has = f"has the unit {given!r}" if given else "has no attribute units"
        raise ValueError(
            f"{values.name} {has}, known are {', '.join(UNITS)}: convert it or name its unit first"
        )
    units, factor = UNITS[given]
    told = {"units": units, "long_name": values.attrs.get("long_name", str(values.name))}
    told["cell_methods"] = method or _method(values)
    if "cell" not in values.dims:
        return xr.Variable(values.dims, values.values * factor, told)
    ordered = values.transpose(..., "cell")
    grid = np.full((*ordered.shape[:-1], *shape), np.nan)
    grid[..., place[0], place[1]] = ordered.values * factor
    return xr.Variable((*ordered.dims[:-1], "lat", "lon"), grid, told | {"grid_mapping": "crs"})


def _method(values: xr.DataArray) -> str:
    """Return how a value stands for its cell, its depths and its members, in CF's words."""
    units = values.attrs["units"]
    method = "area: sum" if units == "Pg C" else "area: mean"
    if "interval" in values.dims and units in ("gC m-2", "Pg C"):
        method += " interval: sum"
    return method + " realization: standard_deviation" * str(values.name).endswith("_sd")


def _others(data: xr.Dataset, used: set[Any]) -> dict[str, xr.Variable]:
    """Depths of layers and intervals with their bounds, and labels of dimensions of names."""
    found: dict[str, xr.Variable] = {}
    if "layer" in used:
        soil = grid_of(data)
        bounds = np.stack([soil.top, soil.interface], axis=1)
        told = _DEPTH | {"long_name": "depth of the layer's node", "axis": "Z"}
        found["layer"] = xr.Variable("layer", soil.node, told | {"bounds": "depth_bnds"})
        found["depth_bnds"] = xr.Variable(("layer", "bnds"), bounds)
    if "interval" in used:
        bounds = np.stack([data["upper"].values, data["lower"].values], axis=1)
        told = _DEPTH | {"long_name": "middle of the depth interval", "bounds": "interval_bnds"}
        found["interval_depth"] = xr.Variable("interval", bounds.mean(axis=1), told)
        found["interval_bnds"] = xr.Variable(("interval", "bnds"), bounds)
    for name, values in data.coords.items():
        if values.dtype.kind in "UO" and values.dims[:1] in [(dim,) for dim in used]:
            dim = str(values.dims[0])
            key = str(name) if str(name).startswith(f"{dim}_") else f"{dim}_{name}"
            key = f"{dim}_name" if name == dim else key
            told = {
                "long_name": values.attrs.get("long_name", f"{key.split('_', 1)[1]} of the {dim}")
            }
            found[key] = xr.Variable(dim, values.values.astype(str), told)
    return found


def _provenance(title: str, synthetic: bool, known: Mapping[Any, Any]) -> dict[str, str]:
    """Return what the file says of itself, with the attributes of the data that are text."""
    told = {
        "Conventions": "CF-1.11",
        "title": f"SYNTHETIC: {title}" if synthetic else title,
        "source": f"proda_lib {proda_lib.__version__}",
    }
    made_up = {"data": SYNTHETIC} if synthetic else {}
    comment = {"comment": str(known["spread"])} if "spread" in known else {}
    text = {str(key): value for key, value in known.items() if isinstance(value, str)}
    return text | told | made_up | comment


def _encoded(result: xr.Dataset) -> xr.Dataset:
    """Labels, depths and bounds in their roles, and how each variable is written."""
    labels = [
        name
        for name, values in result.variables.items()
        if values.dtype.kind == "U" or name == "interval_depth"
    ]
    for name, values in result.variables.items():
        if "lat" in values.dims and "lon" in values.dims:
            values.encoding = {
                "dtype": "float32",
                "zlib": True,
                "complevel": 4,
                "_FillValue": _FILL,
            }
        elif values.dtype.kind == "f":
            values.encoding = {"_FillValue": None if _bare(str(name), values) else float(_FILL)}
        if _bare(str(name), values):
            values.encoding["coordinates"] = None
    return result.set_coords(labels)


def _bare(name: str, values: xr.Variable) -> bool:
    """Whether a variable is a coordinate or its bounds, which have no missing values."""
    return name.endswith("_bnds") or "bounds" in values.attrs
