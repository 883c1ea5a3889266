"""Vegetation: every land cover has its type; stocks by type and their intervals are right."""

from __future__ import annotations

import os
import re

import matplotlib
import numpy as np
import pandas as pd
import pytest
import xarray as xr
from scipy.stats import t

matplotlib.use("Agg")

import matplotlib.pyplot as plt

from proda_lib import paths, stocks, studies
from proda_lib.plots.vegetation import differences_by_type, stocks_of_type
from proda_lib.studies.twin.vegetation import CLASSES, by_class
from proda_lib.vegetation import TYPES, UNKNOWN, land_cover, type_of_land_cover, vegetation
from proda_lib.vegetation_stocks import map_stocks_by_type, stocks_by_type

RANDOM = np.random.default_rng(37)
SITES = 90
NAMES = np.repeat(["wetland", "grassland", "shrubland"], SITES // 3)
OBSERVED = np.exp(RANDOM.normal(9, 0.6, (SITES, 3)))
MODEL = OBSERVED * np.exp(RANDOM.normal(0.1, 0.1, OBSERVED.shape))
STOCKS = {"observed": OBSERVED, "model": MODEL}
PLACES = np.arange(SITES)


@pytest.fixture(autouse=True)
def closed():
    """Close all figures of a test."""
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    return stocks_by_type(STOCKS, NAMES, PLACES, seed=1)


# ------------------------------------------------------------------------------------ land cover


def test_the_legend_is_complete_and_every_class_has_a_reason():
    codes = [10, 11, 12, 20, 30, 40, 50, 60, 61, 62, 70, 71, 72, 80, 81, 82, 90, 100, 110, 120]
    codes += [121, 122, 130, 140, 150, 151, 152, 153, 160, 170, 180, 190, 200, 201, 202, 210, 220]
    assert [one.code for one in land_cover()] == codes
    assert all(one.meaning and one.type and one.reason for one in land_cover())
    assert {one.type for one in land_cover() if one.maps} == set(TYPES)


def test_kinds_of_a_class_have_its_type():
    of_class = {one.code: one.type for one in land_cover()}
    assert all(of_class[10 * (code // 10)] == name for code, name in of_class.items())


def test_the_synthetic_study_uses_the_same_names_and_codes():
    assert TYPES == CLASSES
    assert tuple(type_of_land_cover(by_class("esa"), tens=True)) == CLASSES


@pytest.mark.parametrize(("code", "tens"), [(23, True), (6.5, True), (61, True), (6, False)])
def test_a_code_that_is_not_in_the_legend_is_an_error(code, tens):
    with pytest.raises(ValueError, match=rf"no land cover has code {code:g}: "):
        type_of_land_cover([10, code], tens=tens)


def test_types_keep_the_shape_and_missing_land_cover_is_said():
    found = type_of_land_cover([[120, np.nan], [0, 61]])
    assert found.tolist() == [["shrubland", UNKNOWN], [UNKNOWN, "deciduous forest"]]
    assert type_of_land_cover([]).shape == (0,)


def test_a_study_with_types_of_its_own_keeps_them():
    values = (("site", "covariate"), np.array([[6.0], [20.0]]))
    sites = xr.Dataset({"covariates": values}, coords={"covariate": ["ESA_Land_Cover"]})
    assert vegetation(sites).tolist() == ["deciduous forest", "bare"]
    assert vegetation(sites.assign(vegetation_type=("site", ["x", "y"]))).tolist() == ["x", "y"]


def test_a_study_without_land_cover_has_no_types():
    values = (("cell", "covariate"), np.ones((2, 1)))
    for cells in (
        xr.Dataset({"covariates": values}, coords={"covariate": ["BIO1"]}),
        xr.Dataset(coords={"lon": ("cell", [0.0, 1.0])}),
    ):
        assert vegetation(cells).tolist() == [UNKNOWN, UNKNOWN]


@pytest.mark.skipif(not os.environ.get("PRODA_MIRROR"), reason="real data: set PRODA_MIRROR")
def test_real_land_cover_maps(tmp_path, monkeypatch):
    monkeypatch.setenv("PRODA_CACHE", str(tmp_path))
    sites = studies.load("newyork", "class").sites
    count = pd.Series(vegetation(sites)).value_counts()
    assert count["deciduous forest"] == 573 and count["cropland mosaic"] == 213
    assert count[[name for name in TYPES if name in count]].sum() == 1401 - 213 - 43 - 17


def test_the_reference_page_shows_the_table_as_it_is():
    page = (paths.repository() / "book" / "reference" / "maps.md").read_text(encoding="utf-8")
    rows = re.findall(r"(?m)^\| (\d+) \| (.+) \| (.+) \| (.+) \|$", page)
    shown = [(int(code), *rest) for code, *rest in rows]
    wanted = [(o.code, o.meaning, o.type if o.maps else "–", o.reason) for o in land_cover()]
    assert shown == wanted


# ---------------------------------------------------------------------------------------- stocks


def test_means_and_spread_are_those_of_the_profiles(table):
    here = table[(table.upper == 0.3) & (table.source == "model")].set_index("type")
    frame = pd.DataFrame({"type": NAMES, "stock": MODEL[:, 1] / 1000}).groupby("type").stock
    pd.testing.assert_series_equal(here["mean"].sort_index(), frame.mean(), check_names=False)
    pd.testing.assert_series_equal(here["sd"].sort_index(), frame.std(), check_names=False)
    error = (MODEL - OBSERVED)[NAMES == "wetland", 1].mean() / 1000
    assert here.difference["wetland"] == pytest.approx(error)


def test_intervals_of_the_mean_are_as_wide_as_theory_says(table):
    expected = 2 * t.ppf(0.975, 29) * table.sd / np.sqrt(table.sites)
    np.testing.assert_allclose((table.high - table.low) / expected, 1, atol=0.15)


@pytest.mark.parametrize(("skewed", "least"), [(False, 0.93), (True, 0.84)])
def test_intervals_of_six_places_hold_the_true_mean_as_often_as_they_say(skewed, least):
    many, few = 400, 6
    of_places = np.random.default_rng(5).normal(3, 0.8, (many * few, 1))
    values, truth = (np.exp(of_places), np.exp(3 + 0.32)) if skewed else (of_places, 3)
    stocks = {"observed": np.zeros_like(values), "model": 1000 * values}
    options = {"intervals": [(0, 1)], "seed": 1, "resamples": 200}
    names, places = np.repeat(np.arange(many), few).astype(str), np.arange(many * few)
    found = stocks_by_type(stocks, names, places, **options).query("source == 'model'")
    for low, high in ("low high".split(), "difference_low difference_high".split()):
        assert least < ((found[low] < truth) & (truth < found[high])).mean() < 0.975


def test_a_higher_level_gives_wider_intervals_and_two_places_are_the_least(table):
    wide = stocks_by_type(STOCKS, NAMES, PLACES, seed=1, level=0.999)
    assert ((wide.low < table.low) & (wide.high > table.high)).all()
    one_place = stocks_by_type(STOCKS, NAMES, np.zeros(SITES, int), seed=1, fewest=1)
    assert one_place.low.isna().all() and one_place["mean"].notna().all()
    with pytest.raises(ValueError, match=r"level is 95: give a share"):
        stocks_by_type(STOCKS, NAMES, PLACES, seed=1, level=95)


def test_a_paired_difference_is_better_known_than_either_mean(table):
    model = table[table.source == "model"]
    assert ((model.difference_high - model.difference_low) < 0.5 * (model.high - model.low)).all()


def test_profiles_of_one_place_are_one_witness(table):
    twice = {name: np.repeat(values, 2, axis=0) for name, values in STOCKS.items()}
    names = np.repeat(NAMES, 2)
    together = stocks_by_type(twice, names, np.repeat(PLACES, 2), seed=1)
    apart = stocks_by_type(twice, names, np.arange(2 * SITES), seed=1)
    width = [(each.high - each.low).mean() for each in (table, together, apart)]
    assert width[1] == pytest.approx(width[0]) and width[2] < 0.8 * width[0]
    assert (together.sites == 2 * table.sites).all() and (together.places == table.places).all()


def test_only_profiles_count_that_every_source_has():
    part = MODEL.copy()
    part[:28, 0] = np.nan
    found = stocks_by_type({"observed": OBSERVED, "model": part}, NAMES, PLACES, seed=1)
    few = found[(found["type"] == "wetland") & (found.upper == 0)].set_index("source")
    assert few.sites.tolist() == [2, 2]
    assert few["mean"]["observed"] == pytest.approx(OBSERVED[28:30, 0].mean() / 1000)
    assert few[["low", "high", "difference_low"]].isna().all(axis=None)
    assert found[found["type"] == "shrubland"].sites.unique().tolist() == [30]


def test_sources_on_other_sites_are_refused():
    with pytest.raises(ValueError, match=r"'model' have shape \(5, 3\), allowed is \(90, 3\)"):
        stocks_by_type(STOCKS | {"model": MODEL[:5]}, NAMES, PLACES, seed=1)


def test_stocks_of_types_add_up_to_the_map():
    stock = np.stack([OBSERVED, MODEL])
    stock[1, :4, 0] = np.nan
    area = RANDOM.uniform(1, 3, SITES)
    names = {"source": ["a", "b"], "interval": ["x", "y", "z"], "area": ("cell", area)}
    maps = xr.Dataset({"stock": (("source", "cell", "interval"), stock)}, names)
    found = map_stocks_by_type(maps, NAMES)
    whole = found.groupby(["source", "interval"])[["total", "share", "area_km2"]].sum()
    assert whole.total["b", "x"] == pytest.approx(stocks.total(stock[1, :, 0], area))
    np.testing.assert_allclose(whole.share, 1)
    assert whole.area_km2["b", "x"] == pytest.approx(area[4:].sum())
    one = found.set_index(["source", "interval", "type"]).loc["a", "z", "grassland"]
    inside = NAMES == "grassland"
    mean = np.average(OBSERVED[inside, 2], weights=area[inside]) / 1000
    assert one["mean"] == pytest.approx(mean)


# --------------------------------------------------------------------------------------- figures


@pytest.mark.parametrize("spread", ["half_sd", "interval"])
def test_bars_and_error_bars_show_the_numbers(table, spread):
    some = table[table["type"] == "wetland"]
    labels = {"observed": "observed", "model": "m"}
    ax = stocks_of_type(plt.figure().add_subplot(), some, labels, spread=spread)
    drawn = [bar.get_width() for bars in ax.containers for bar in bars]
    expected = some.sort_values(["source", "upper"], ascending=[False, True])
    np.testing.assert_allclose(drawn, expected["mean"])
    ends = np.concatenate([np.array(c.get_segments())[:, :, 0] for c in ax.collections])
    low, high = ("low", "high") if spread == "interval" else ("mean", "mean")
    half = 0 if spread == "interval" else expected.sd / 2
    np.testing.assert_allclose(ends[:, 0], expected[low] - half)
    np.testing.assert_allclose(ends[:, 1], expected[high] + half)
    assert ax.yaxis.get_inverted() and ax.get_xlim()[0] <= ends.min()
    assert next(iter(ax.get_yticklabels())).get_text() == "0-30 cm"


def test_panels_may_share_their_axis(table):
    axes = plt.figure().subplots(1, 2, sharex=True)
    for ax, factor in zip(axes, (1, 5), strict=True):
        some = table[table["type"] == "wetland"].copy()
        some[["mean", "sd", "low", "high"]] *= factor
        stocks_of_type(ax, some, {"observed": "observed", "model": "m"})
    longest = max(bar.get_width() for bars in axes[1].containers for bar in bars)
    assert axes[0].get_xlim()[1] > longest and axes[0].get_xlim()[0] == 0


def test_marks_are_filled_where_zero_is_left_out(table):
    some = table[table.upper == 0].copy()
    some.loc[some["type"] == "wetland", "difference_low"] = -1.0
    ax = differences_by_type(plt.figure().add_subplot(), some, {"model": "m"})
    marks = [line for line in ax.lines if line.get_marker() == "o"]
    filled, open_ = (line for line in marks if len(line.get_xdata()))
    rows = some[some.source == "model"].set_index("type")
    assert open_.get_markerfacecolor() == "white" and filled.get_markerfacecolor() != "white"
    np.testing.assert_allclose(open_.get_xdata(), [rows.difference["wetland"]])
    assert len(filled.get_xdata()) == 2
