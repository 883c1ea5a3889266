"""The one form that every study has, and the check that it has it.

Sites and grid cells are `xarray.Dataset`s with the same forcing variables; sites add observations.
`check` names the variable, the site or cell, and what to do.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
import xarray as xr

from proda_lib.soil_grid import GRIDS, SoilGrid

__all__ = [
    "LITTER",
    "SchemaError",
    "VARIABLES",
    "Variable",
    "below_bedrock",
    "check",
    "described",
    "grid_of",
    "variable",
]

Row = Literal["site", "cell"]

#: Names along the dimension `litter`: the four litter pools that receive plant carbon.
LITTER = ("cwd", "litter1", "litter2", "litter3")


class SchemaError(ValueError):
    """Data that do not have the common form; the message says where, what and the remedy."""


@dataclass(frozen=True)
class Variable:
    """One row of the schema: a variable's dimensions (after site or cell), unit and range.

    Attributes
    ----------
    name, units, meaning : str
    dims : tuple of str
        Dimensions that follow `site` or `cell`.
    lower, upper : float
        Allowed range, both ends included.
    rows : tuple of {"site", "cell"}
        Where the variable occurs.
    required : bool
    gaps : bool
        Whether NaN is allowed.
    """

    name: str
    dims: tuple[str, ...]
    units: str
    lower: float
    upper: float
    meaning: str
    rows: tuple[Row, ...] = ("site", "cell")
    required: bool = True
    gaps: bool = False


_PROFILE = ("layer", "month")

VARIABLES: tuple[Variable, ...] = (
    Variable("lon", (), "degrees_east", -180, 360, "longitude"),
    Variable("lat", (), "degrees_north", -90, 90, "latitude"),
    Variable("area", (), "km2", 0, 1e6, "area of the cell on the sphere", rows=("cell",)),
    Variable("soil_temperature", _PROFILE, "K", 180, 340, "monthly mean soil temperature"),
    Variable("water_scalar", _PROFILE, "1", 0, 1, "CLM5's W_SCALAR: decomposition in dry soil"),
    Variable("oxygen_scalar", _PROFILE, "1", 0, 1, "CLM5's O_SCALAR: decomposition without air"),
    Variable("nitrogen_scalar", _PROFILE, "1", 0, 1, "CLM5's FPI_vr: nitrogen limits litter decay"),
    Variable(
        "water_potential", _PROFILE, "MPa", -1e6, 0, "monthly mean soil water potential",
        required=False,
    ),
    Variable("sand", ("layer",), "percent", 0, 100, "sand content, mean of the year"),
    Variable("active_layer_depth", ("month",), "m", 0, 50, "greatest thaw depth, this year"),
    Variable(
        "active_layer_depth_last_year", ("month",), "m", 0, 50, "greatest thaw depth, year before"
    ),
    Variable("bedrock_layer", (), "1", 1, 20, "1-based number of the layer that holds bedrock"),
    Variable(
        "litter_input", ("litter", "month"), "gC m-2 month-1", 0, 1e4,
        "plant carbon entering each litter pool, whole column",
    ),
    Variable(
        "layered_litter_input", ("litter", "layer"), "gC m-3 yr-1", 0, 1e6,
        "plant carbon entering each litter pool by layer, where the source has it",
        required=False,
    ),
    Variable(
        "net_primary_production", (), "gC m-2 yr-1", 0, 5e3, "annual net primary production",
        required=False,
    ),
    Variable(
        "covariates", ("covariate",), "see covariate_units", -np.inf, np.inf,
        "environmental covariates of the deep learning model", gaps=True,
    ),
    Variable(
        "observed_depth", ("observation",), "m", 0, 20, "depth of an observation",
        rows=("site",), gaps=True,
    ),
    Variable(
        "observed_soc", ("observation",), "gC m-3", 0, 2e6, "observed soil organic carbon",
        rows=("site",), gaps=True,
    ),
)  # fmt: skip


def grid_of(data: xr.Dataset) -> SoilGrid:
    """Return the soil grid that a Dataset names in its attribute `soil_grid`.

    Raises
    ------
    SchemaError
        If the attribute is missing or unknown.
    """
    name = data.attrs.get("soil_grid")
    if name not in GRIDS:
        raise SchemaError(
            f"attribute soil_grid is {name!r}, allowed are {', '.join(GRIDS)}: "
            "set it to the grid whose layers the forcing has"
        )
    return GRIDS[name]


def variable(name: str, row: Row, values: np.ndarray) -> xr.Variable:
    """Return values as a variable with the dimensions, units and meaning of the schema.

    Examples
    --------
    >>> variable("sand", "cell", np.full((1, 20), 40.0)).dims
    ('cell', 'layer')
    """
    line = next(each for each in VARIABLES if each.name == name)
    return xr.Variable((row, *line.dims), values, {"units": line.units, "long_name": line.meaning})


def described(data: xr.Dataset) -> xr.Dataset:
    """Set units and meaning of the schema's variables, and return the same Dataset.

    Examples
    --------
    >>> described(xr.Dataset({"sand": ("layer", [40.0])})).sand.units
    'percent'
    """
    for line in VARIABLES:
        if line.name in data.variables:
            data[line.name].attrs.update(units=line.units, long_name=line.meaning)
    return data


def below_bedrock(sites: xr.Dataset) -> xr.Variable:
    """Say which observations lie under the lower interface of the bedrock layer.

    Parameters
    ----------
    sites : Dataset
        With `observed_depth` (m) and `bedrock_layer`; where that is NaN nothing lies below it.

    Returns
    -------
    Variable of bool, dimensions (site, observation)
    """
    layer = np.nan_to_num(sites["bedrock_layer"].values).astype(int)
    bottom = np.concatenate([[np.nan], grid_of(sites).interface])[layer]
    note = {"units": "1", "long_name": "observed under the lower interface of the bedrock layer"}
    dims = ("site", "observation")
    return xr.Variable(dims, sites["observed_depth"].values > bottom[:, None], note)


def check(data: xr.Dataset, row: Row = "site", study: str = "") -> xr.Dataset:
    """Check a Dataset against the schema and return it unchanged.

    Parameters
    ----------
    data : Dataset
        Sites (`row="site"`) or grid cells (`row="cell"`).
    row : {"site", "cell"}
        The dimension along which places are counted.
    study : str
        Name for the message.

    Raises
    ------
    SchemaError
        At the first variable that is missing, has other dimensions or units, holds a gap that is
        not allowed, or a value outside its range.
    """
    where = f"study {study!r}, " if study else ""
    for problem in _problems(data, row):
        raise SchemaError(where + problem)
    return data


def _problems(data: xr.Dataset, row: Row) -> Iterator[str]:
    layers = grid_of(data).layers
    sizes = {"layer": layers, "month": 12, "litter": len(LITTER)}
    for dim, size in sizes.items():
        if data.sizes.get(dim, size) != size:
            yield f"dimension {dim} has length {data.sizes[dim]}, expected {size}"
    if row == "site" and "profile_id" not in data.coords:
        yield "coordinate profile_id is missing: give each site the number its source uses"
    for variable in VARIABLES:
        if row not in variable.rows:
            continue
        if variable.name in data.variables:
            yield from _variable_problems(data[variable.name], variable, row, data)
        elif variable.required:
            yield f"variable {variable.name} ({variable.units}) is missing: {variable.meaning}"
    if row == "site":
        yield from _observation_problems(data)


def _variable_problems(
    array: xr.DataArray, variable: Variable, row: Row, data: xr.Dataset
) -> Iterator[str]:
    dims = (row, *variable.dims)
    if array.dims != dims:
        yield f"variable {variable.name} has dimensions {array.dims}, expected {dims}: transpose it"
        return
    units = array.attrs.get("units")
    if units != variable.units:
        yield (
            f"variable {variable.name} has units {units!r}, expected {variable.units!r}: "
            "convert the values and set the attribute"
        )
    values = np.asarray(array.values, dtype=float)
    upper = grid_of(data).layers if variable.name == "bedrock_layer" else variable.upper
    gap = np.isnan(values) & (not variable.gaps)
    outside = (values < variable.lower) | (values > upper)
    for bad, what, remedy in (
        (gap, "is NaN", "fill it from its source or leave this place out"),
        (outside, f"is outside {variable.lower:g} to {upper:g}", "check the unit and the source"),
    ):
        if bad.any():
            index = tuple(int(i) for i in np.argwhere(bad)[0])
            inside = "".join(f", {dim} {i + 1}" for dim, i in zip(dims[1:], index[1:], strict=True))
            yield (
                f"variable {variable.name} at {_place(data, row, index[0])}{inside} {what} "
                f"(value {values[index]:g} {variable.units}; {int(bad.sum())} such): {remedy}"
            )


def _observation_problems(data: xr.Dataset) -> Iterator[str]:
    if not {"observed_soc", "observed_depth"} <= set(data.variables):
        return
    soc, depth = (np.isnan(data[name].values) for name in ("observed_soc", "observed_depth"))
    for bad, text in (
        (soc != depth, "has a depth without SOC, or SOC without a depth"),
        (~soc & np.maximum.accumulate(soc, axis=1), "has a gap inside: pad only at the end"),
    ):
        if bad.any():
            place = _place(data, "site", int(np.argwhere(bad)[0, 0]))
            yield f"observations of {place}: the profile {text}; mend it in the source table"


def _place(data: xr.Dataset, row: Row, index: int) -> str:
    lat, lon = float(data["lat"][index]), float(data["lon"][index])
    position = f"{abs(lat):.2f} {'NS'[lat < 0]}, {abs(lon):.2f} {'EW'[lon < 0]}"
    if row == "site":
        return f"site {index} (profile {data['profile_id'].values[index]}, {position})"
    return f"cell {index} ({position})"
