"""Observed stocks: carbon is kept, boundaries are right, short profiles follow the rule."""

from __future__ import annotations

import os

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from proda_lib import stocks, studies
from proda_lib.land_share import land_share
from proda_lib.profile_curve import equal_area_spline, uniform_layers
from proda_lib.profile_layers import layer_bounds, uneven
from proda_lib.profile_stocks import observed_stocks
from proda_lib.stock_choices import changed_totals
from proda_lib.studies.states import inside

METHODS = ("layers", "spline")
COLUMN = ((0.0, 0.3), (0.3, 1.0), (1.0, 2.0))

thicknesses = st.lists(st.floats(0.02, 0.6), min_size=1, max_size=12)
concentrations = st.lists(st.floats(100.0, 2e5), min_size=12, max_size=12)


def profiles(depth: list, soc: list, **more) -> xr.Dataset:
    """Return sites with these observations."""
    dims = ("site", "observation")
    return xr.Dataset({"observed_depth": (dims, depth), "observed_soc": (dims, soc)} | more)


def padded(thickness: list[float], soc: list[float]) -> tuple[np.ndarray, np.ndarray]:
    """Return boundaries and means of one profile, with two empty layers at its end."""
    nothing = [np.nan, np.nan]
    bounds = np.concatenate([[0.0], np.cumsum(thickness), nothing])
    return bounds[None], np.concatenate([soc[: len(thickness)], nothing])[None]


@given(thicknesses, concentrations)
def test_both_methods_keep_the_carbon_of_every_layer(thickness, soc):
    bounds, mean = padded(thickness, soc)
    for curve in (uniform_layers(bounds, mean), equal_area_spline(bounds, mean, smoothing=0)):
        kept = [
            curve.between(*ends)[0] for ends in zip(bounds[0, :-3], bounds[0, 1:-2], strict=True)
        ]
        np.testing.assert_allclose(kept, np.multiply(thickness, mean[0, :-2]), rtol=1e-6, atol=1e-3)


@given(thicknesses, concentrations, st.floats(0.0, 3.0), st.floats(0.01, 3.0))
def test_parts_of_an_interval_sum_to_the_whole(thickness, soc, upper, more):
    bounds, mean = padded(thickness, soc)
    lower, middle = upper + more, upper + 0.37 * more
    for curve in (uniform_layers(bounds, mean), equal_area_spline(bounds, mean)):
        parts = curve.between(upper, middle) + curve.between(middle, lower)
        np.testing.assert_allclose(parts, curve.between(upper, lower), rtol=1e-7, atol=1e-4)


@settings(deadline=None)  # the first call imports
@given(thicknesses, st.floats(100.0, 2e5))
def test_a_uniform_profile_has_one_stock_whatever_the_method_and_the_tail(thickness, soc):
    bounds, mean = padded(thickness, [soc] * 12)
    middle = (bounds[:, 1:] + bounds[:, :-1]) / 2
    for method in METHODS:
        for tail in ("exponential", "last"):
            found = observed_stocks(
                profiles(middle, mean), method=method, tail=tail, reach=0.0, bedrock="ignored"
            )
            np.testing.assert_allclose(found.stock[0], [0.3 * soc, 0.7 * soc, soc], rtol=1e-6)


@settings(deadline=None)
@given(thicknesses, concentrations, st.sampled_from(["exponential", "last", "none"]))
def test_stocks_of_intervals_sum_to_the_whole_even_where_a_spline_falls_below_zero(
    thickness, soc, tail
):
    middle = (np.cumsum([0.0, *thickness[:-1]]) + np.cumsum(thickness)) / 2
    sites = profiles([middle], [soc[: len(middle)]])
    for method in METHODS:
        found = observed_stocks(sites, [*COLUMN, (0.0, 2.0)], method=method, tail=tail, reach=0.0)
        *parts, whole = found.stock.values[0]
        assert sum(parts) == pytest.approx(whole, rel=1e-9)
        assert min(parts) >= 0


def test_the_part_of_a_spline_below_zero_counts_as_zero():
    bounds, mean = [[0.0, 0.1, 0.4, 0.6, 1.0]], [[9e4, 1e3, 4e4, 1.0]]
    curve = equal_area_spline(bounds, mean, smoothing=0)
    step = np.linspace(0, 1, 20_001)
    layer = np.minimum(np.searchsorted(bounds[0], step, side="right") - 1, 3)
    t = step - np.asarray(bounds[0])[layer]
    pieces = (curve.constant[0], curve.linear[0], curve.quadratic[0])
    value = sum(factor[layer] * t**power for power, factor in enumerate(pieces))
    assert value.min() < -1e3
    expected = np.trapezoid(np.maximum(value, 0), step)
    assert curve.between(0.0, 1.0, positive=True)[0] == pytest.approx(expected, rel=1e-6)
    assert curve.between(0.0, 1.0)[0] == pytest.approx(np.trapezoid(value, step), rel=1e-6)


def penalised(level: np.ndarray, thickness: np.ndarray, smoothing: float) -> np.ndarray:
    """Return the layer means of the best curve on a fine mesh: a solution by other means."""
    per = 60  # mesh points per layer
    width = np.repeat(thickness / per, per)
    average = np.kron(np.eye(len(level)), np.full((1, per), 1 / per))
    between = (width[1:] + width[:-1]) / 2
    slope = np.diff(np.eye(len(width)), axis=0) / between[:, None]
    normal = average.T @ average / len(level) + smoothing * slope.T @ (between[:, None] * slope)
    return average @ np.linalg.solve(normal, average.T @ level / len(level))


@pytest.mark.parametrize("smoothing", [0.1, 3.0])
def test_the_spline_minimises_what_it_says(smoothing):
    thickness, level = (
        np.array([5.0, 12.0, 30.0, 8.0, 45.0]),
        np.array([60.0, 35.0, 30.0, 9.0, 4.0]),
    )
    bounds = np.concatenate([[0], np.cumsum(thickness)])[None] / 100
    curve = equal_area_spline(bounds, level[None], smoothing)
    found = [curve.between(*ends)[0] for ends in zip(bounds[0, :-1], bounds[0, 1:], strict=True)]
    expected = penalised(level, thickness, smoothing)
    np.testing.assert_allclose(found / (thickness / 100), expected, rtol=2e-3)
    assert not np.allclose(expected, level, rtol=2e-2)


def test_the_spline_has_neither_steps_nor_kinks_and_is_level_at_its_ends():
    bounds = np.array([[0.0, 0.1, 0.25, 0.7, 1.4]])
    curve = equal_area_spline(bounds, [[50.0, 30.0, 8.0, 5.0]])
    width = np.diff(bounds)[0]
    constant, linear, quadratic = curve.constant[0], curve.linear[0], curve.quadratic[0]
    end = constant + linear * width + quadratic * width**2
    np.testing.assert_allclose(end[:-1], constant[1:])
    slope = linear + 2 * quadratic * width
    np.testing.assert_allclose(slope[:-1], linear[1:], atol=1e-9)
    np.testing.assert_allclose([linear[0], slope[-1]], 0, atol=1e-9)


@given(thicknesses)
def test_boundaries_of_touching_layers_are_exact(thickness):
    bounds, _ = padded(thickness, [1.0] * 12)
    found, touching = layer_bounds((bounds[:, 1:] + bounds[:, :-1]) / 2, surface=np.inf)
    assert touching.all()
    np.testing.assert_allclose(found, bounds, atol=1e-9)


def test_boundaries_can_be_put_half_way():
    found, touching = layer_bounds([[0.05, 0.2, 0.45]], boundaries="halfway")
    np.testing.assert_allclose(found, [[0, 0.125, 0.325, 0.575]])
    assert not touching.any()


def test_a_lone_deep_sample_is_not_a_column():
    sites = profiles([[1.12]], [[157e3]])
    found = observed_stocks(sites, COLUMN)
    assert np.isnan(found.stock).all()
    np.testing.assert_allclose([found.top[0], found.base[0]], [0.92, 1.32])
    np.testing.assert_allclose(found.covered, [[0.0, 0.08 / 0.7, 0.32]])
    whole = observed_stocks(sites, COLUMN, surface=np.inf)
    np.testing.assert_allclose(whole.covered, 1.0)
    np.testing.assert_allclose(whole.stock[0], 157e3 * np.array([0.3, 0.7, 1.0]))


def test_what_lies_above_a_deep_first_layer_is_filled_but_not_sampled():
    # Half-way boundaries: 0.2, 0.4 and 0.6 m.
    sites = profiles([[0.3, 0.5]], [[2e4, 1e4]])
    found = {
        tail: observed_stocks(sites, [(0, 0.3), (0.3, 0.6)], tail=tail, reach=0.0)
        for tail in ("last", "none")
    }
    np.testing.assert_allclose(found["last"].stock, [[6e3, 4e3]])
    np.testing.assert_allclose(found["none"].stock, [[2e3, 4e3]])
    np.testing.assert_allclose(found["last"].covered, [[1 / 3, 1.0]])
    assert np.isnan(observed_stocks(sites, [(0, 0.3)]).stock).all()


def test_uneven_layers_are_those_unlike_both_neighbours():
    nan = np.nan
    bounds = [
        [0.0, 0.10, 0.41, 0.51],  # 3.1 times both
        [0.0, 0.31, 0.41, 0.72],  # a third of both
        [0.0, 0.10, 0.41, 0.61],
        [0.0, 0.10, nan, nan],
    ]
    assert uneven(bounds).tolist() == [True, True, False, False]


def test_order_of_depths_does_not_matter_and_equal_depths_are_averaged():
    nan = np.nan
    sites = profiles(
        [[0.05, 0.2, 0.2, 0.7], [0.7, 0.2, 0.05, nan]],
        [[40e3, 10e3, 30e3, 5e3], [5e3, 20e3, 40e3, nan]],
    )
    found = observed_stocks(sites)
    np.testing.assert_allclose(found.stock[0], found.stock[1])
    assert found.boundaries.values.tolist() == ["touching", "touching"]


def test_depths_that_do_not_increase_are_refused():
    with pytest.raises(ValueError, match="sort them"):
        layer_bounds([[0.3, 0.1]])


def test_the_rest_of_the_interval_follows_the_rule():
    # To 1 m, falling by e per 0.5 m; 1-2 m is not sampled, 0.3-1 m is.
    depth = np.arange(0.05, 1.0, 0.1)
    sites = profiles([depth], [np.exp(-depth / 0.5)])
    stock = {
        tail: observed_stocks(sites, [(1, 2), (0, 2)], tail=tail, reach=0.0).stock.values[0]
        for tail in ("none", "last", "exponential")
    }
    assert stock["none"][0] == pytest.approx(0, abs=1e-9)
    assert stock["last"][0] == pytest.approx(np.exp(-0.95 / 0.5))
    assert stock["exponential"][0] == pytest.approx(0.5 * (np.exp(-2) - np.exp(-4)))
    strict = observed_stocks(sites, [(1, 2), (0, 2)], reach=0.5)
    assert np.isnan(strict.stock[0, 0]) and np.isfinite(strict.stock[0, 1])
    np.testing.assert_allclose(strict.covered[0], [0.0, 0.5], atol=1e-9)


def test_layers_without_carbon_have_nothing_below_them():
    sites = profiles([[0.1, 0.4, 0.8]], [[2e4, 1e4, 0.0]])
    found = observed_stocks(sites, [(0.0, 0.2), (0.2, 1.0), (1.0, 2.0)], reach=0.0)
    np.testing.assert_allclose(found.stock, [[4e3, 4e3, 0.0]])


def test_a_model_must_have_a_value_at_every_observation():
    sites = profiles([[0.1, 0.4, 0.8]], [[2e4, 1e4, 5e3]])
    with pytest.raises(ValueError, match="missing at 1 of 3 observations"):
        observed_stocks(sites, values=[[1e4, np.nan, 1e3]])


def test_nothing_lies_below_bedrock_unless_the_profile_goes_deeper():
    # Bedrock layers 8 and 12 end at 0.92 and 2.28 m; both profiles end at 1.2 m.
    sites = profiles([[0.3, 0.9]] * 2, [[2e4, 1e4]] * 2, bedrock_layer=("site", [8, 12]))
    sites.attrs["soil_grid"] = "CLM5"
    found = observed_stocks(sites, [(1, 2), (2, 3)], tail="last", reach=0.0)
    np.testing.assert_allclose(found.stock, [[2e3, 0.0], [10e3, 2.8e3]])
    np.testing.assert_allclose(found.covered, [[1.0, 1.0], [0.2, 0.0]])
    ignored = observed_stocks(sites, [(1, 2)], tail="last", reach=0.0, bedrock="ignored")
    np.testing.assert_allclose(ignored.stock, [[10e3], [10e3]])


def test_a_model_is_integrated_like_the_observations():
    rows = studies.load("twin", "smoke").sites
    model = 3.0 * rows.observed_soc.values
    for method in METHODS:
        observed = observed_stocks(rows, method=method)
        alike = observed_stocks(rows, values=model, method=method)
        np.testing.assert_allclose(alike.stock, 3 * observed.stock, rtol=1e-9)
        np.testing.assert_array_equal(alike.covered, observed.covered)


def test_other_values_need_no_observed_carbon():
    sites = profiles([[0.1, 0.4, np.nan]], [[2e4, 1e4, np.nan]])
    bare = sites.drop_vars("observed_soc")
    found = observed_stocks(bare, values=sites.observed_soc)
    np.testing.assert_array_equal(found.stock, observed_stocks(sites).stock)
    with pytest.raises(ValueError, match="no observed_soc"):
        observed_stocks(bare)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"method": "splin"}, "method is 'splin'"),
        ({"tail": "linear"}, "tail is 'linear'"),
        ({"bedrock": "open"}, "bedrock is 'open'"),
        ({"boundaries": "exact"}, "boundaries is 'exact'"),
        ({"reach": 1.5}, "share from 0 to 1"),
        ({"surface": 0.0}, "surface is 0 m"),
        ({"values": np.ones((1, 3))}, "one per depth"),
        ({"intervals": [(1.0, 1.0)]}, "upper < lower"),
        ({"method": "spline", "smoothing": -1.0}, "smoothing is -1"),
    ],
)
def test_wrong_options_are_named(wrong, message):
    with pytest.raises(ValueError, match=message):
        observed_stocks(profiles([[0.1, 0.5]], [[1e4, 1e3]]), **wrong)


def test_the_rule_recovers_the_twins_true_stocks():
    data = studies.load("twin", "class")
    true = [stocks.interval_stock(data.truth.site_soil_carbon, *ends) for ends in COLUMN]
    found = observed_stocks(data.sites, values=data.truth.observed_soc_noiseless)
    error = found.stock.values - np.stack(true, axis=1)
    assert ((found.boundaries == "touching") == (data.sites.observed_depth[:, 0] <= 0.2)).all()
    scale = np.mean(true, axis=1)
    assert (np.abs(np.nanmean(error, axis=0)) < 0.05 * scale).all()
    deepest = np.sqrt(np.nanmean(error**2, axis=0)) / scale
    assert (deepest < [0.12, 0.06, 0.05]).all()


def test_land_shares_are_those_of_random_places_in_the_outline():
    lon, lat = np.array([-75.75, -122.25]), np.array([36.0, 37.75])
    random, places = np.random.default_rng(0), 20_000
    sines = np.sin(np.radians(lat + [[-0.25], [0.25]]))
    for k in range(2):
        east = random.uniform(lon[k] - 0.25, lon[k] + 0.25, places)
        north = np.degrees(np.arcsin(random.uniform(*sines[:, k], places)))
        share = land_share(lon[k : k + 1], lat[k : k + 1])
        assert share == pytest.approx(inside(east, north).mean(), abs=0.015)
    inland, lake = land_share([-100.25, -87.0], [40.25, 44.0])
    assert (inland, lake) == (1, 0)
    np.testing.assert_array_equal(land_share(lon + 360, lat), land_share(lon, lat))


@pytest.mark.skipif(not os.environ.get("PRODA_MIRROR"), reason="real data: set PRODA_MIRROR")
def test_profiles_of_new_york(tmp_path, monkeypatch):
    monkeypatch.setenv("PRODA_CACHE", str(tmp_path))
    sites = studies.load("newyork", "class").sites
    found = observed_stocks(sites)
    assert int((found.boundaries == "touching").sum()) == 1236
    assert int((found.top > 0).sum()) == 32
    assert np.isfinite(found.stock).sum("site").values.tolist() == [1381, 1125, 748]


def test_each_decision_changes_a_total_as_it_should():
    cells = studies.load("twin", "smoke").grid.isel(cell=slice(0, 3279, 40))
    cells["covariates"] = cells.covariates.copy()
    for depth, percent in ((0, 10.0), (30, 20.0), (100, 50.0)):
        cells.covariates.loc[{"covariate": f"Coarse_Fragments_v_{depth}cm"}] = percent
    soil = np.full((cells.sizes["cell"], 20), 10e3)
    found = changed_totals(soil, cells, 0, 2, others={"other": np.full_like(soil, 3e3)})
    whole = found["as in the maps"]
    assert whole == pytest.approx(20e3 * float(cells.area.sum()) * 1e-9)
    assert found["other"] == pytest.approx(0.3 * whole)
    # 0.3 x 0.9 + 0.7 x 0.8 + 1 x 0.5 of 2 m.
    assert found["less coarse fragments"] == pytest.approx(1.33 / 2 * whole)
    share = land_share(cells.lon, cells.lat)
    assert share.min() < 0.9
    assert found["land only"] == pytest.approx(whole * np.average(share, weights=cells.area))
    assert 0 < 1 - found["area as published"] / whole < 1e-4


def test_a_study_without_stones_has_no_row_of_them():
    cells = studies.load("twin", "smoke").grid.isel(cell=[0, 1])
    soil = np.full((2, 20), 10e3)
    for without in (cells.drop_vars("covariates"), cells.isel(covariate=[0])):
        found = changed_totals(soil, without)
        assert list(found) == ["as in the maps", "area as published", "land only"]
