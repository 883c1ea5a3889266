"""Forcing of the carbon model from the fields of the CESM2 spin-up, in the common form."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from proda_lib.soil_grid import CLM5
from proda_lib.studies.published.source import field_name, read_cells
from proda_lib.studies.schema import LITTER, VARIABLES, variable

__all__ = ["FIELDS", "INPUTS", "complete", "read_forcing"]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

#: Variable of the common form -> field of the spin-up with the same unit, on 20 layers.
FIELDS = {
    "soil_temperature": "TSOI",
    "water_scalar": "W_SCALAR",
    "nitrogen_scalar": "FPI_vr",
    "water_potential": "SOILPSI",
}

#: Fields of carbon input by layer, gC m-3 month-1, in the order of `LITTER`.
INPUTS = tuple(f"{pool}_INPUT_ACC_VECTOR" for pool in ("CWD", "LITR1", "LITR2", "LITR3"))

_YEAR_SECONDS = 365 * 86400

#: Averages of 20 years may pass a bound by their rounding: so much is set to the bound.
_ROUNDING = 1e-6


def read_forcing(files: Mapping[str, Path], lon_index: IntArray, lat_index: IntArray) -> xr.Dataset:
    """Read the forcing of some cells of the spin-up.

    Parameters
    ----------
    files : mapping
        Name in the registry -> path.
    lon_index, lat_index : ndarray of int, shape (cell,)
        See `proda_lib.studies.published.source.nearest_cells`.

    Returns
    -------
    Dataset
        The forcing variables of the schema on CLM5's 20 layers, dimension `cell`; NaN where the
        spin-up has none. Carbon inputs by layer become both column totals, sum of input times
        layer thickness as in the original, and annual input by layer. Net primary production is
        the unweighted mean of the months; below zero, which the spin-up has in deserts (to
        -0.3 gC m-2 yr-1), it is zero. The oxygen scalar is 1: that of the spin-up is 1 everywhere
        and its file not needed.
    """

    def field(name: str, layers: int | None = None) -> FloatArray:
        return read_cells(files[field_name(name)], lon_index, lat_index, layers)

    def layered(name: str) -> FloatArray:
        return field(name, CLM5.layers)

    found = {name: layered(source) for name, source in FIELDS.items()}
    found["oxygen_scalar"] = np.where(np.isnan(found["soil_temperature"]), np.nan, 1.0)
    found["sand"] = layered("CELLSAND").mean(axis=2)
    # (litter, cell, layer): each field is let go before the next is read.
    totals, by_layer = zip(*(_inputs(layered(name)) for name in INPUTS), strict=True)
    found["litter_input"] = np.stack(totals, axis=1)
    found["layered_litter_input"] = np.stack(by_layer, axis=1)
    found["active_layer_depth"] = field("ALTMAX")
    found["active_layer_depth_last_year"] = field("ALTMAX_LASTYEAR")
    found["bedrock_layer"] = field("nbedrock")[:, 0]  # the same in all months
    production = field("NPP").mean(axis=1) * _YEAR_SECONDS
    found["net_primary_production"] = np.maximum(production, 0)
    return xr.Dataset(
        {name: variable(name, "cell", _within(name, values)) for name, values in found.items()},
        coords={"litter": list(LITTER), "node": ("layer", CLM5.node, {"units": "m"})},
        attrs={"soil_grid": CLM5.name},
    )


def complete(forcing: xr.Dataset) -> NDArray[np.bool_]:
    """Return which cells have a value everywhere, shape (cell,)."""
    whole = np.ones(forcing.sizes["cell"], dtype=bool)
    for array in forcing.data_vars.values():
        whole &= ~np.isnan(array.values.reshape(len(whole), -1)).any(axis=1)
    return whole


def _inputs(density: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Turn gC m-3 month-1 (cell, layer, month) into column totals and annual input by layer."""
    return np.einsum("clm,l->cm", density, CLM5.thickness), density.sum(axis=2)


def _within(name: str, values: FloatArray) -> FloatArray:
    """Set what passes a bound of the schema by rounding alone to the bound."""
    line = next(each for each in VARIABLES if each.name == name)
    for bound in (line.lower, line.upper):
        near = np.abs(values - bound) <= _ROUNDING * max(1.0, abs(bound))
        outside = (values < line.lower) | (values > line.upper)
        values = np.where(near & outside, bound, values)
    return values
