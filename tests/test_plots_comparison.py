"""Comparison of approaches: sums, scales and ties are right; figures show what they are given."""

from __future__ import annotations

import re
from types import SimpleNamespace

import matplotlib
import numpy as np
import pytest

matplotlib.use("Agg")

import matplotlib.pyplot as plt

from proda_lib import comparison, maps, plots
from proda_lib.plots import comparison as figures
from proda_lib.winners import OTHER, depth_bin, least_error

RANDOM = np.random.default_rng(37)
SITES, LAYERS = 60, 4
DEPTH = np.sort(RANDOM.uniform(0.01, 2, (SITES, LAYERS)), axis=1)
OBSERVED = np.exp(RANDOM.normal(9, 1, (SITES, LAYERS)))
OBSERVED[::3, -1] = DEPTH[::3, -1] = np.nan
MODELLED = {
    "reference": OBSERVED * np.exp(RANDOM.normal(0, 1.0, OBSERVED.shape)),
    "good": OBSERVED * np.exp(RANDOM.normal(0, 0.1, OBSERVED.shape)),
    "twin": OBSERVED * np.exp(RANDOM.normal(0, 0.1, OBSERVED.shape)),
}
LABELS = {"reference": "CLM5 default", "good": "batch", "twin": "PRODA"}
ALL = np.full((SITES, 1), "all")


@pytest.fixture(autouse=True)
def closed():
    """Close all figures of a test."""
    yield
    plt.close("all")


@pytest.fixture
def ax():
    """One axis in the book's style."""
    return plots.subplots(SimpleNamespace(synthetic=False))[1]


def test_profile_carbon_is_that_of_a_uniform_soil_down_to_the_deepest_observation():
    stock = comparison.profile_stock(np.where(np.isfinite(DEPTH), 2000.0, np.nan), DEPTH)
    np.testing.assert_allclose(stock, 2 * np.nanmax(DEPTH, axis=1))


def test_profile_carbon_does_not_depend_on_the_order_of_depths():
    order = RANDOM.permutation(LAYERS)
    expected = comparison.profile_stock(OBSERVED, DEPTH)
    np.testing.assert_allclose(
        comparison.profile_stock(OBSERVED[:, order], DEPTH[:, order]), expected
    )
    # numpy's own rule, below the uppermost observation
    one = np.trapezoid(OBSERVED[1], DEPTH[1]) + OBSERVED[1, 0] * DEPTH[1, 0]
    assert expected[1] == pytest.approx(one / 1000)


def test_deviation_is_scaled_by_its_quantiles_on_either_side():
    found = comparison.scaled_deviation(OBSERVED, MODELLED["reference"], DEPTH)
    difference = comparison.profile_stock(MODELLED["reference"], DEPTH) - comparison.profile_stock(
        OBSERVED, DEPTH
    )
    over, under = difference[difference > 0], difference[difference < 0]
    assert found.over == pytest.approx(np.quantile(over, 0.95))
    assert found.under == pytest.approx(-np.quantile(under, 0.05))
    np.testing.assert_allclose(found.scaled[difference > 0], over / found.over)
    np.testing.assert_allclose(found.scaled[difference < 0], under / found.under)


def test_sites_without_a_model_have_no_deviation_and_one_sided_errors_one_scale():
    modelled = 2 * OBSERVED
    modelled[5] = np.nan
    found = comparison.scaled_deviation(OBSERVED, modelled, DEPTH)
    assert np.isnan(found.scaled[5]) and np.isfinite(np.delete(found.scaled, 5)).all()
    assert np.isnan(found.under) and found.over > 0


def test_layers_that_a_model_lacks_are_left_out_on_both_sides():
    modelled = OBSERVED.copy()
    modelled[1, -1] = np.nan
    found = comparison.scaled_deviation(OBSERVED, modelled, DEPTH)
    np.testing.assert_allclose(found.scaled, 0, atol=1e-12)


def test_neighbours_that_are_alike_are_told_from_speckle():
    lon, lat = RANDOM.uniform(-120, -70, 300), RANDOM.uniform(25, 50, 300)
    assert comparison.neighbour_correlation(lon, lat, np.sin(lon / 5)) > 0.8
    assert abs(comparison.neighbour_correlation(lon, lat, RANDOM.normal(size=300))) < 0.2
    with pytest.raises(ValueError, match="2 places are too few"):
        comparison.neighbour_correlation([1, 1, 2], [0, 0, 0], [1, 2, 3], neighbours=2)


def test_depth_bins_cover_all_depths():
    assert set(depth_bin(DEPTH).ravel()) <= {*depth_bin([0, 0.2, 0.4, 0.7, 1.2, 9]), ""}
    assert ((depth_bin(DEPTH) == "") == np.isnan(DEPTH)).all()


def test_the_worse_is_told_from_the_best_and_a_tie_is_a_tie():
    found = least_error(OBSERVED, MODELLED, ALL, np.arange(SITES), seed=1).set_index("approach")
    assert found.among_best.to_dict() == {"reference": False, "good": True, "twin": True}
    assert found.best.sum() == 1
    assert found.ratio["reference"] == found.low["reference"] == found.high["reference"] == 1
    assert (found.low <= found.ratio).all() and (found.ratio <= found.high).all()
    expected = np.sqrt(np.nanmean((MODELLED["good"] - OBSERVED) ** 2)) / 1000
    assert found.error["good"] == pytest.approx(expected)


def test_logarithmic_errors_do_not_depend_on_the_unit():
    found = least_error(OBSERVED, MODELLED, ALL, np.arange(SITES), seed=1, log=True)
    ratio = np.log(MODELLED["twin"] / OBSERVED)
    assert found.error[2] == pytest.approx(np.sqrt(np.nanmean(ratio**2)))


def test_all_approaches_are_scored_on_the_observations_that_all_have():
    short = MODELLED | {"good": np.where(np.arange(SITES)[:, None] < 20, MODELLED["good"], np.nan)}
    found = least_error(OBSERVED, short, ALL, np.arange(SITES), seed=1)
    assert set(found.sites) == {20}
    rows = slice(0, 20)
    expected = np.sqrt(np.nanmean((MODELLED["twin"] - OBSERVED)[rows] ** 2)) / 1000
    assert found.error[2] == pytest.approx(expected)


def test_small_classes_are_joined_and_too_few_groups_decide_nothing():
    classes = np.where(np.arange(SITES) < 3, "rare", "common")[:, None]
    found = least_error(OBSERVED, MODELLED, classes, np.arange(SITES), seed=1)
    assert list(dict.fromkeys(found["class"])) == ["common", OTHER]
    assert found[found["class"] == OTHER].among_best.all()
    one_place = least_error(OBSERVED, MODELLED, ALL, np.zeros(SITES, int), seed=1)
    assert one_place.among_best.all()
    with pytest.raises(ValueError, match="no observation has a class"):
        least_error(OBSERVED, MODELLED, np.full((SITES, 1), ""), np.arange(SITES), seed=1)


def test_regression_is_drawn_as_a_curve_with_its_numbers(ax):
    assert figures.regressed(ax, OBSERVED, 2 * OBSERVED + 1000, most=10) is ax
    curve = ax.lines[-1]
    inside = curve.get_ydata() < 500
    np.testing.assert_allclose(
        curve.get_ydata()[inside], 1 + 2 * curve.get_xdata()[inside], rtol=1e-6
    )
    text = ax.texts[0].get_text()
    assert "R$^2$ = 1.00" in text and "kgC m" in text


def test_deviation_map_says_what_its_colours_stand_for():
    extent = maps.CONUS
    ax = plots.subplots(SimpleNamespace(synthetic=False), projection=maps.projection(extent))[1]
    deviation = comparison.Deviation(np.array([-2.0, 0.0, 0.5]), 12.3, 4.56)
    figures.deviation_map(ax, [-100, -90, -80], [30, 35, 40], deviation, "batch")
    assert ax.texts[-1].get_text() == "batch\n$-$1: 4.6 too little, 1: 12 too much"
    assert ax.collections[-1].norm.vmin == -1 and ax.collections[-1].norm.vmax == 1


def test_errors_by_class_fill_the_marks_of_those_level_with_the_best(ax):
    classes = np.where(np.arange(SITES) % 2 == 0, "even", "odd")[:, None]
    table = least_error(OBSERVED, MODELLED, classes, np.arange(SITES), seed=1)
    figures.errors_by_class(ax, table, LABELS, legend=True)
    assert [text.get_text() for text in ax.get_yticklabels()] == ["even (30)", "odd (30)"]
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["batch", "PRODA"]
    assert re.search(r"\(1\)$", ax.get_xlabel())
    drawn = np.sort(np.concatenate([line.get_xdata() for line in ax.lines[1:]]).astype(float))
    np.testing.assert_allclose(drawn, np.sort(table.ratio[table.approach != "reference"]))


def test_distance_and_error_show_every_kind_with_its_median(ax):
    points = {"far": (np.full(9, 0.3), np.arange(9.0)), "near": (np.full(9, 0.1), np.ones(9))}
    figures.distance_against_error(ax, points)
    medians = [(line.get_xdata()[0], line.get_ydata()[0]) for line in ax.lines[1::2]]
    np.testing.assert_allclose(medians, [(0.3, 4), (0.1, 1)])
    assert ax.lines[0].get_ydata().min() == 0.01  # drawn on the floor
    assert "(1)" in ax.get_xlabel() and "(1)" in ax.get_ylabel()


def test_errors_left_are_drawn_from_zero_with_the_level_to_compare(ax):
    figures.errors_left(ax, [0, 1, 2], {"a": [0.5, 0.2, 0.0], "b": [0.5, 0.4, 0.0]}, ceiling=0.3)
    assert ax.get_ylim()[0] == 0
    assert ax.lines[-1].get_ydata() == [0.3, 0.3]
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["a", "b"]
