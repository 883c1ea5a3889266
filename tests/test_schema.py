"""The schema refuses data that would give wrong answers, and says where and what to do."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from proda_lib.soil_grid import CLM5
from proda_lib.studies import schema


@pytest.fixture
def sites() -> xr.Dataset:
    """Three invented sites in the common form."""
    n, layers, months, litter = 3, CLM5.layers, 12, len(schema.LITTER)
    sizes = {"layer": layers, "month": months, "litter": litter, "covariate": 2, "observation": 2}
    filling = {"soil_temperature": 283.0, "bedrock_layer": 12, "lat": 42.0, "lon": -75.0}
    data = xr.Dataset(attrs={"soil_grid": "CLM5"})
    for variable in schema.VARIABLES:
        if "site" in variable.rows and variable.required:
            shape = (n, *(sizes[dim] for dim in variable.dims))
            values = np.full(shape, filling.get(variable.name, 0.5))
            data[variable.name] = (("site", *variable.dims), values, {"units": variable.units})
    return data.assign_coords(profile_id=("site", np.array([11, 22, 33])))


def _problem(data: xr.Dataset, row: schema.Row = "site") -> str:
    with pytest.raises(schema.SchemaError) as error:
        schema.check(data, row, "toy")
    assert "\n" not in str(error.value)
    return str(error.value)


def test_common_form_passes(sites: xr.Dataset) -> None:
    assert schema.check(sites) is sites


def test_nan_in_forcing_names_variable_profile_and_remedy(sites: xr.Dataset) -> None:
    sites.soil_temperature[1, 4, 6] = np.nan
    text = _problem(sites)
    for part in ("toy", "soil_temperature", "profile 22", "layer 5", "month 7", "NaN", "fill it"):
        assert part in text


def test_wrong_unit_is_refused(sites: xr.Dataset) -> None:
    sites.soil_temperature.attrs["units"] = "degC"
    text = _problem(sites)
    assert "soil_temperature" in text and "'degC'" in text and "'K'" in text and "convert" in text


def test_celsius_under_the_name_of_kelvin_is_refused(sites: xr.Dataset) -> None:
    sites.soil_temperature[:] = 10.0
    assert "outside 180 to 340" in _problem(sites)


def test_missing_variable_is_named_with_its_meaning(sites: xr.Dataset) -> None:
    text = _problem(sites.drop_vars("nitrogen_scalar"))
    assert "nitrogen_scalar" in text and "missing" in text and "FPI_vr" in text


def test_transposed_variable_is_refused(sites: xr.Dataset) -> None:
    sites["sand"] = sites.sand.transpose("layer", "site")
    assert "sand" in (text := _problem(sites)) and "transpose" in text


def test_wrong_number_of_layers_is_refused(sites: xr.Dataset) -> None:
    assert "layer has length 10, expected 20" in _problem(sites.isel(layer=slice(10)))


def test_ten_layers_pass_on_the_ten_layer_grid(sites: xr.Dataset) -> None:
    shallow = sites.isel(layer=slice(10)).assign(bedrock_layer=sites.bedrock_layer * 0 + 10)
    shallow.bedrock_layer.attrs["units"] = "1"
    shallow.attrs["soil_grid"] = "CLM45"
    assert schema.check(shallow) is shallow


def test_bedrock_below_the_grid_is_refused(sites: xr.Dataset) -> None:
    sites.bedrock_layer[2] = 21
    assert "bedrock_layer" in (text := _problem(sites)) and "profile 33" in text


def test_unknown_soil_grid_is_refused(sites: xr.Dataset) -> None:
    sites.attrs["soil_grid"] = "CLM6"
    assert "CLM5, CLM45" in _problem(sites)


def test_sites_need_their_source_number(sites: xr.Dataset) -> None:
    assert "profile_id" in _problem(sites.drop_vars("profile_id"))


@pytest.mark.parametrize("name", ["observed_soc", "observed_depth"])
def test_half_an_observation_is_refused(sites: xr.Dataset, name: str) -> None:
    sites[name][1, 1] = np.nan
    assert "profile 22" in (text := _problem(sites)) and "without" in text


def test_a_gap_inside_a_profile_is_refused(sites: xr.Dataset) -> None:
    sites.observed_soc[0, 0] = sites.observed_depth[0, 0] = np.nan
    assert "pad only at the end" in _problem(sites)


def test_padding_at_the_end_passes(sites: xr.Dataset) -> None:
    sites.observed_soc[0, 1] = sites.observed_depth[0, 1] = np.nan
    assert schema.check(sites) is sites


def test_cells_need_an_area(sites: xr.Dataset) -> None:
    cells = sites.drop_dims("observation").rename(site="cell")
    assert "area" in _problem(cells, "cell")
