"""The engine against 400-bit solutions of the published matrices on real forcing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from proda_lib import matrices, steady_state, studies
from proda_lib.forcing import forcing_of
from proda_lib.parameters import NAMES

GOLDEN = Path(__file__).parent / "golden"

pytestmark = pytest.mark.skipif(
    bool(studies.missing("newyork")),
    reason="needs the New York data: set PRODA_MIRROR, or fetch them with `proda data newyork`",
)


def rows(profile_row: np.ndarray, repeats: int) -> xr.Dataset:
    """Sites at rows of the source files, each repeated for its parameter vectors."""
    sites = studies.load("newyork", "class").sites
    position = {int(row): i for i, row in enumerate(sites["source_row"].values)}
    return sites.isel(site=[position[int(row)] for row in np.repeat(profile_row, repeats)])


def worst(found: np.ndarray, expected: np.ndarray, trusted: np.ndarray) -> float:
    """Largest difference relative to each profile's maximum, among trusted cases."""
    scale = np.abs(expected).max(axis=-1, keepdims=True)
    return float((np.abs(found - expected) / scale)[trusted].max())


@pytest.fixture(scope="module")
def warm() -> tuple[dict, xr.Dataset]:
    with np.load(GOLDEN / "steady_state_newyork.npz") as file:
        golden = dict(file)
    assert tuple(golden["parameter_names"]) == NAMES
    return golden, rows(golden["profile_row"], 6)


@pytest.fixture(scope="module")
def cold() -> tuple[dict, xr.Dataset]:
    with np.load(GOLDEN / "steady_state_cold.npz") as file:
        golden = dict(file)
    sites = rows(golden["profile_row"], 5).copy(deep=True)
    sites["soil_temperature"] += float(golden["temperature_shift"])
    thaw = np.tile(golden["active_layer_depth"], 7)[:, None]
    for name in ("active_layer_depth", "active_layer_depth_last_year"):
        sites[name][:] = thaw
    return golden, sites


def test_published_pools_and_soil_carbon(warm: tuple) -> None:
    golden, sites = warm
    parameters = golden["parameters"].reshape(-1, 21)
    trusted = golden["trusted"]
    assert trusted.mean() > 0.9
    pools = steady_state.pools(parameters, sites, bedrock="published")
    assert worst(pools.reshape(60, 6, 140), golden["pools_published"], trusted) < 1e-9
    soil = steady_state.soil_of(pools).reshape(60, 6, 20)
    assert worst(soil, golden["soc_published"], trusted) < 1e-9
    respired = steady_state.respiration(pools, parameters, sites).reshape(60, 6)
    annual = 12 * sites["litter_input"].mean("month").sum("litter").values.reshape(60, 6)
    share = golden["respired_over_input_published"]
    np.testing.assert_allclose((respired / annual)[trusted], share[trusted], rtol=1e-9)


@pytest.mark.parametrize(
    ("taper", "key"), [("clm", "pools_published"), ("binn", "pools_published_binn")]
)
def test_frozen_and_cryoturbated_soil(cold: tuple, taper: str, key: str) -> None:
    golden, sites = cold
    parameters = golden["parameters"].reshape(-1, 21)
    pools = steady_state.pools(parameters, sites, bedrock="published", taper=taper)
    assert worst(pools.reshape(7, 5, 140), golden[key], golden["trusted"]) < 1e-9


def test_bioturbation_in_place_of_cryoturbation_must_not_match(cold: tuple) -> None:
    golden, sites = cold
    thawed = sites.assign(active_layer_depth=sites["active_layer_depth"] * 0 + 42.0)
    parameters = golden["parameters"].reshape(-1, 21)
    pools = steady_state.pools(parameters, thawed, bedrock="published")
    assert worst(pools.reshape(7, 5, 140), golden["pools_published"], golden["trusted"]) > 1e-3


def test_a_wrong_depth_scalar_must_not_match(warm: tuple) -> None:
    golden, sites = warm
    parameters = golden["parameters"].reshape(-1, 21).copy()
    parameters[:, 3] *= 1.001
    pools = steady_state.pools(parameters, sites, bedrock="published").reshape(60, 6, 140)
    assert worst(pools, golden["pools_published"], golden["trusted"]) > 1e-6


def test_closed_bedrock_respires_all_input_on_every_profile(warm: tuple) -> None:
    golden, sites = warm
    parameters = golden["parameters"].reshape(-1, 21)
    pools = steady_state.pools(parameters, sites)
    respired = steady_state.respiration(pools, parameters, sites)
    annual = sites["litter_input"].sum(("litter", "month")).values
    np.testing.assert_allclose(respired, annual, rtol=1e-12)


def test_dense_solve_is_no_reference(warm: tuple) -> None:
    golden, sites = warm
    parameters = golden["parameters"].reshape(-1, 21)
    trusted, errors = golden["trusted"].ravel(), []
    expected = golden["pools_published"].reshape(-1, 140)
    forcing = forcing_of(sites, bedrock="published")
    for i in np.flatnonzero(trusted)[::3]:
        model = matrices.assemble(parameters[i], forcing.rows(i))
        error = np.abs(matrices.solve_dense(model) - expected[i]).max()
        errors.append(error / expected[i].max())
    share_off = float(np.mean(np.array(errors) > 1e-9))
    assert 0 < share_off < 0.2  # some dense solutions have lost seven digits, most have not
    assert np.median(errors) < 1e-9
