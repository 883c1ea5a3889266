"""The study `twin` as a whole: what comes out has the promised size, ranges, truth and errors."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest
import xarray as xr
from scipy.spatial import KDTree

from proda_lib import steady_state
from proda_lib.parameters import NAMES, PRODA
from proda_lib.soil_grid import CLM5, CLM45, SoilGrid
from proda_lib.studies import schema, sizes, twin
from proda_lib.studies.states import inside
from proda_lib.studies.twin import sampling
from proda_lib.studies.twin.geometry import albers
from proda_lib.studies.twin.tables import covariate_table, seed
from proda_lib.studies.twin.vegetation import CLASSES

# Sum of the true soil carbon over 3,279 cells and 20 layers, gC m-3, frozen when first computed.
FROZEN_TRUTH = 1002078292.353362
# Sum of the observations of the smoke size, gC m-3: freezes every stream of random numbers.
FROZEN_SMOKE = 4350252.287762892


@pytest.fixture(scope="module")
def study():
    return twin.make("class")


@pytest.fixture(scope="module")
def coarse():
    return twin.make("smoke", "CLM45")


def stock(soc: np.ndarray, top: float, bottom: float) -> np.ndarray:
    """Return carbon between two depths (m), kgC m-2."""
    inside_layer = np.minimum(CLM5.interface, bottom) - np.maximum(CLM5.top, top)
    return (soc * np.clip(inside_layer, 0, None)).sum(axis=1) / 1000


def at_depth(data: xr.DataArray, grid: SoilGrid, depth: float) -> np.ndarray:
    """Interpolate a profile linearly to a depth (m)."""
    layer = int(np.searchsorted(grid.node, depth))
    share = (depth - grid.node[layer - 1]) / (grid.node[layer] - grid.node[layer - 1])
    upper, lower = data.isel(layer=layer - 1), data.isel(layer=layer)
    return ((1 - share) * upper + share * lower).values


def covariate(data: xr.Dataset, name: str) -> np.ndarray:
    return data.covariates.sel(covariate=name).values


@pytest.mark.parametrize("size", ["smoke", "class"])
@pytest.mark.parametrize("grid", ["CLM5", "CLM45"])
def test_has_the_common_form(size, grid):
    made = twin.make(size, grid)
    schema.check(made.sites, "site", "twin")
    schema.check(made.grid, "cell", "twin")
    assert made.sites.sizes["site"] == sizes("twin")[size]["sites"]
    assert made.synthetic and made.info.weaknesses


def test_the_table_of_sizes_names_the_seed_and_the_number_of_profiles():
    assert {row["seed"] for row in sizes("twin").values()} == {seed()}
    assert sizes("twin")["paper"]["sites"] == sampling.SITES


def test_cells_cover_the_country(study):
    assert study.grid.sizes["cell"] == 3279
    assert float(study.grid.area.sum()) == pytest.approx(7.80e6, abs=0.01e6)


# Percentiles (of cells) that the specification of the twin expects: name, unit factor, values.
EXPECTED = [
    ("BIO1", 1, {1: -1.4, 50: 11, 99: 25}),
    ("BIO12", 1, {1: 205, 50: 700, 99: 1960}),
    ("cesm2_npp", 1, {1: 155, 50: 456, 99: 1005}),
    ("Clay_Content_0cm", 1, {1: 6, 50: 19, 99: 42}),
    ("pH_Water_0cm", 10, {1: 5.2, 50: 6.3, 99: 7.8}),
]


@pytest.mark.parametrize(("name", "factor", "expected"), EXPECTED)
def test_covariates_lie_where_expected(study, name, factor, expected):
    found = np.percentile(covariate(study.grid, name) / factor, list(expected))
    np.testing.assert_allclose(found, list(expected.values()), rtol=0.03, atol=0.3)


def test_forcing_lies_where_expected(study):
    grid = study.grid
    water = grid.water_scalar.mean(["layer", "month"])
    np.testing.assert_allclose(np.percentile(water, [1, 99]), [0.17, 0.89], atol=0.02)
    assert np.percentile(grid.bedrock_layer, [5, 25, 50]).tolist() == [8, 13, 19]
    cold = (grid.active_layer_depth <= 2).all("month")
    assert int(cold.sum()) == 44
    annual = grid.litter_input.sum(["litter", "month"])
    np.testing.assert_allclose(np.percentile(annual, [1, 99]), [147, 900], rtol=0.01)
    temperature = grid.soil_temperature
    # The wave dies out with depth, and the annual mean does not change on the way.
    swing = temperature.max("month") - temperature.min("month")
    assert (swing.diff("layer") < 0).all()
    mean = temperature.mean("month")
    np.testing.assert_allclose(mean, mean.isel(layer=[0] * 20), rtol=1e-12)


def test_every_vegetation_class_is_common(study):
    names, counts = np.unique(study.grid.vegetation_type, return_counts=True)
    assert set(names) == set(CLASSES)
    assert counts.min() > 50


def test_covariates_are_the_sixty_of_the_original(study):
    data = study.grid.covariates
    assert data.sizes["covariate"] == 60
    assert list(data.covariate.values[:4]) == ["Lon", "Lat", "ESA_Land_Cover", "BIO1"]
    assert list(data.covariate.values[-5:]) == [
        "Koppen_Climate_2018", "cesm2_npp", "cesm2_npp_std", "cesm2_vegc", "nbedrock",
    ]  # fmt: skip
    assert np.isfinite(data).all()
    category = data.covariate_kind == "category"
    assert int(category.sum()) == 8
    assert (data[:, category.values] % 1 == 0).all()
    assert {row["kind"] for row in covariate_table()} == {"continuous", "category"}
    for depth in (0, 30, 100):
        parts = [covariate(study.grid, f"{part}_Content_{depth}cm") for part in ("Clay", "Silt")]
        total = sum(parts) + covariate(study.grid, f"Sand_Content_{depth}cm")
        np.testing.assert_allclose(total, 100, rtol=1e-12)


def test_true_parameters_are_inside_the_prior(study):
    for row in ("site", "cell"):
        unit = study.truth[f"{row}_parameters_unit"].values
        assert unit.min() > 0.03 and unit.max() < 0.97
        physical = study.truth[f"{row}_parameters"].values
        np.testing.assert_allclose(PRODA.to_unit(physical), unit, rtol=1e-12)
    assert tuple(study.truth.parameter.values) == NAMES


@pytest.mark.parametrize("row", ["site", "cell"])
def test_carbon_ends_at_bedrock(study, row):
    data = study.sites if row == "site" else study.grid
    soc = study.truth[f"{row}_soil_carbon"].values
    live = np.arange(1, 21) <= data.bedrock_layer.values[:, None]
    assert (soc[live] > 0).all()
    assert (soc[~live] == 0).all()


def test_carbon_balance_of_the_truth(study):
    parameters = study.truth.cell_parameters.values
    pools = steady_state.pools(parameters, study.grid)
    np.testing.assert_array_equal(steady_state.soil_of(pools), study.truth.cell_soil_carbon.values)
    loss = steady_state.respiration(pools, parameters, study.grid)
    gain = study.grid.litter_input.sum(["litter", "month"]).values
    np.testing.assert_allclose(loss, gain, rtol=1e-12)


def test_stock_of_the_country(study):
    soc = study.truth.cell_soil_carbon.values
    assert soc.sum() == pytest.approx(FROZEN_TRUTH, rel=1e-9)
    area = study.grid.area.values * 1e6  # m2
    total = (stock(soc, 0, 2) * area).sum() / 1e12  # Pg
    assert total == pytest.approx(200, abs=2)


def test_humid_regions_hold_more_carbon_than_the_southwest(study):
    lon, lat = study.grid.lon.values, study.grid.lat.values
    carbon = stock(study.truth.cell_soil_carbon.values, 0, 2)

    def mean(west, east, south, north):
        return carbon[(lon > west) & (lon < east) & (lat > south) & (lat < north)].mean()

    southwest = mean(-115, -104, 31.3, 36)
    for box in ((-80, -67, 40.5, 47.5), (-124.7, -116.5, 42.5, 49), (-93, -83, 42, 47.5)):
        assert mean(*box) > 2.5 * southwest


def test_sizes_are_nested(study):
    small = twin.make("smoke")
    n = small.sites.sizes["site"]
    xr.testing.assert_identical(small.sites, study.sites.isel(site=slice(n)))
    xr.testing.assert_identical(small.truth, study.truth.isel(site=slice(n)))
    xr.testing.assert_identical(small.grid, study.grid)
    lon, _, cell = sampling.site_positions(sampling.SITES)
    np.testing.assert_array_equal(lon[:1000], study.sites.lon)
    np.testing.assert_array_equal(cell[:1000], study.sites.forcing_id)


def test_a_fresh_process_makes_the_same_study(study):
    code = (
        "from proda_lib.studies import twin; s = twin.make('smoke').sites;"
        "print(repr(float(s.observed_soc.sum())), repr(float(s.covariates.sum())))"
    )
    alone = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONHASHSEED": "7"}
    result = subprocess.run(
        [sys.executable, "-c", code], env=alone, capture_output=True, text=True, check=True
    )
    soc, covariates = (float(number) for number in result.stdout.split())
    first = study.sites.isel(site=slice(30))
    assert soc == float(first.observed_soc.sum())
    assert covariates == float(first.covariates.sum())
    assert soc == pytest.approx(FROZEN_SMOKE, rel=1e-9)


def test_sites_take_the_forcing_of_the_nearest_cell_and_their_own_covariates(study):
    sites, grid = study.sites, study.grid
    assert inside(sites.lon, sites.lat).all()
    cell = sites.forcing_id.values
    for name in ("soil_temperature", "water_scalar", "litter_input", "bedrock_layer"):
        np.testing.assert_array_equal(sites[name].values, grid[name].values[cell])
    distance = np.hypot(
        sites.lon.values[:, None] - grid.lon.values, sites.lat.values[:, None] - grid.lat.values
    )
    np.testing.assert_allclose(distance[np.arange(len(cell)), cell], distance.min(axis=1))
    np.testing.assert_array_equal(covariate(sites, "Lon"), sites.lon)
    own, of_cell = (covariate(data, "BIO1") for data in (sites, grid))
    assert (own != of_cell[cell]).all()


def test_sites_are_clustered():
    # Pairs per area: more of them closer than 15 km than at 120 to 135 km.
    lon, lat, _ = sampling.site_positions(sampling.SITES)
    tree = KDTree(np.column_stack(albers(lon, lat)))
    near, inner, outer = tree.count_neighbors(tree, [15, 120, 135])
    density = (near - sampling.SITES) / 15**2, (outer - inner) / (135**2 - 120**2)
    assert density[0] > 1.2 * density[1]


def test_profiles_have_plausible_layers(study):
    depth, soc = study.sites.observed_depth.values, study.sites.observed_soc.values
    layers = np.isfinite(soc).sum(axis=1)
    assert np.median(layers) == 6 and layers.min() == 2 and layers.max() == 15
    assert (np.diff(depth, axis=1)[np.isfinite(np.diff(depth, axis=1))] > 0).all()
    assert 0 < np.nanmin(depth) and np.nanmax(depth) < 3
    bottom = CLM5.interface[study.sites.bedrock_layer.values - 1]
    assert (np.nanmax(depth, axis=1) < bottom).all()
    assert not study.sites.below_bedrock.any()
    deepest = np.percentile(np.nanmax(depth, axis=1), [5, 50, 95])
    np.testing.assert_allclose(deepest, [0.59, 1.12, 2.30], rtol=0.06)


def test_observation_error(study):
    truth = study.truth
    error = np.log(study.sites.observed_soc / truth.observed_soc_noiseless).values
    usual = ~truth.organic_rich.values
    assert np.nanstd(error[usual]) == pytest.approx(0.38, abs=0.015)
    assert np.nanmean(error[usual]) == pytest.approx(0, abs=0.02)
    # The layers of a profile share part of the error: sd 0.20 between, 0.32 within profiles.
    within = np.nanstd(error[usual], axis=1, ddof=1)
    assert np.sqrt(np.mean(within**2)) == pytest.approx(0.32, abs=0.02)
    assert np.nanmean(error[~usual, 0]) > 0.8
    assert 0.01 < 1 - usual.mean() < 0.04
    assert np.nanmax(study.sites.observed_soc) <= 180e3


def test_truth_explains_the_observations_better_than_the_default(study):
    from proda_lib.depths import interpolate_to_depth

    observed = study.sites.observed_soc.values
    default = interpolate_to_depth(
        steady_state.soil_of(steady_state.default_run(study.sites)), study.sites
    )
    true = study.truth.observed_soc_noiseless.values
    there = np.isfinite(observed)
    squared = [np.corrcoef(m[there], observed[there])[0, 1] ** 2 for m in (default, true)]
    assert squared[1] > squared[0] + 0.15


def test_ten_layer_view_is_the_same_physics(coarse):
    fine = twin.make("smoke")
    xr.testing.assert_identical(coarse.truth, fine.truth)
    for name in ("observed_soc", "observed_depth", "covariates", "litter_input", "forcing_id"):
        xr.testing.assert_identical(coarse.sites[name].variable, fine.sites[name].variable)
    assert coarse.sites.soil_temperature.sizes["layer"] == 10
    # At a depth between nodes both grids tell the same temperature and sand.
    for name, tolerance in (("soil_temperature", 0.3), ("nitrogen_scalar", 0.01), ("sand", 1.0)):
        values = fine.sites[name], coarse.sites[name]
        there = [
            at_depth(data, grid, 0.3) for data, grid in zip(values, (CLM5, CLM45), strict=True)
        ]
        np.testing.assert_allclose(*there, atol=tolerance)
    bottom = CLM45.interface[coarse.sites.bedrock_layer.values - 1][:, None]
    np.testing.assert_array_equal(
        coarse.sites.below_bedrock, coarse.sites.observed_depth.values > bottom
    )


def test_only_the_drawn_sites_can_be_had():
    with pytest.raises(ValueError, match="25444"):
        sampling.site_positions(sampling.SITES + 1)
    with pytest.raises(KeyError, match="huge"):
        twin.make("huge")
