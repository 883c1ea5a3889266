"""Small maps side by side share their colours; maps are compared with their areas as weights."""

from __future__ import annotations

import io
from types import SimpleNamespace

import matplotlib
import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

matplotlib.use("Agg")

import matplotlib.pyplot as plt

from proda_lib import map_comparison, map_regions, maps, plots
from proda_lib.maps.palette import few_colours
from proda_lib.maps.panels import Points, map_panels, panel_height

RANDOM = np.random.default_rng(37)
LON, LAT = (a.ravel() for a in np.meshgrid(np.arange(-79.75, -74, 0.5), np.arange(41.25, 45, 0.5)))
COLUMNS = ("0-30 cm", "0-100 cm")
LOW = RANDOM.uniform(1, 10, (LON.size, 2))
HIGH = 8 * LOW[::-1]
AREA = RANDOM.uniform(1, 3, LON.size)


@pytest.fixture(autouse=True)
def closed():
    """Close all figures of a test."""
    yield
    plt.close("all")


def drawn(rows, columns=COLUMNS, **keywords):
    """Draw panels; return the figure and what carries the colours, by row and column."""
    extent = maps.extent_of(LON, LAT)
    figure, axes = plots.subplots(
        SimpleNamespace(synthetic=False), len(rows), len(columns),
        projection=maps.projection(extent), height=panel_height(extent, len(rows), len(columns)),
    )  # fmt: skip
    axes = map_panels(axes, rows, columns, lon=LON, lat=LAT, unit="kgC m$^{-2}$", **keywords)
    found = [
        [next((c for c in ax.collections if c.get_array() is not None), None) for ax in row]
        for row in axes
    ]
    return figure, found


def bars(figure):
    return [ax for ax in figure.axes if ax.get_xlabel()]


def test_maps_of_a_column_share_colours_and_columns_have_their_own():
    figure, found = drawn({"low": LOW, "high": HIGH})
    for column in range(2):
        limits = {(row[column].norm.vmin, row[column].norm.vmax) for row in found}
        assert len(limits) == 1
    assert found[0][0].norm.vmax != found[0][1].norm.vmax
    assert [ax.get_xlabel() for ax in bars(figure)] == [
        f"SOC {c} (kgC m$^{{-2}}$)" for c in COLUMNS
    ]


def test_every_map_counts_alike_for_the_colours_however_few_its_points():
    one = Points([-75.0], [42.0], [[1000.0, 1000.0]])
    _, found = drawn({"many": LOW, "one": one})
    assert found[0][0].norm.vmax == 1000


def test_points_lie_where_they_are_and_gaps_are_left_out():
    values = [[5.0, np.nan], [np.nan, np.nan], [2.0, np.nan]]
    sites = Points([-75.0, -76.0, 283.0], [42.0, 43.0, 44.0], values)
    figure, found = drawn({"sites": sites, "map": LOW})
    np.testing.assert_array_equal(sorted(found[0][0].get_array()), [2.0, 5.0])
    assert found[0][1] is None  # nothing known: said, not drawn
    assert "none" in [t.get_text() for ax in figure.axes for t in ax.texts]


def test_a_ratio_of_one_is_the_middle_and_labels_are_ratios():
    ratio = np.full((LON.size, 1), 1.0)
    ratio[0], ratio[1], ratio[2] = 0.5, 2.0, 0.0
    figure, found = drawn({"ratio": ratio}, COLUMNS[:1], scale="ratio", limits=[(0.25, 4)])
    values = found[0][0].get_array()
    assert len(values) == LON.size - 1  # a ratio of zero has no logarithm
    np.testing.assert_allclose(found[0][0].norm(values[:3]), [0.25, 0.75, 0.5])
    labels = [text.get_text() for text in bars(figure)[0].get_xticklabels()]
    assert labels == ["0.25", "0.5", "1", "2", "4"]


@pytest.mark.parametrize(
    ("limits", "labels"),
    [
        ((1 / 4, 4), ["0.25", "0.5", "1", "2", "4"]),
        ((1 / 40, 40), ["0.125", "1", "8"]),
        ((0.75, 4 / 3), ["0.8", "1", "1.2"]),
        ((0.5, 8), ["0.5", "1", "2", "4", "8"]),
        ((0.99, 1.01), ["0.99", "0.995", "1", "1.005", "1.01"]),
    ],
)
def test_a_bar_of_ratios_has_labels_however_long_it_is(limits, labels):
    ratio = np.linspace(*limits, LON.size)[:, None]
    figure, _ = drawn({"ratio": ratio}, COLUMNS[:1], scale="ratio", limits=[limits])
    assert [text.get_text() for text in bars(figure)[0].get_xticklabels()] == labels


@pytest.mark.parametrize("scale", ["linear", "log", "diverging", "ratio"])
def test_a_column_without_any_value_has_no_bar_and_says_so(scale):
    gaps = LOW.copy()
    gaps[:, 1] = 0 if scale in ("log", "ratio") else np.nan
    figure, found = drawn({"a": gaps, "b": gaps}, scale=scale)
    assert [row[1] for row in found] == [None, None]
    assert len(bars(figure)) == 1
    assert sum(t.get_text() == "none" for ax in figure.axes for t in ax.texts) == 2


def test_a_palette_makes_a_small_file_that_looks_the_same():
    figure, _ = drawn({"low": LOW, "high": HIGH})
    figure.canvas.draw()
    figure.set_layout_engine("none")  # the same in both
    plain, small = io.BytesIO(), io.BytesIO()
    figure.savefig(plain, bbox_inches="tight")
    few_colours(figure).savefig(small, bbox_inches="tight")
    assert len(small.getvalue()) < 0.6 * len(plain.getvalue())
    one, other = (np.asarray(Image.open(file).convert("RGB"), float) for file in (plain, small))
    assert one.shape == other.shape
    assert np.abs(one - other).max() < 25 and np.abs(one - other).mean() < 3


def test_no_difference_is_the_middle():
    _, found = drawn({"a": LOW - 2, "b": 2 - LOW}, scale="diverging")
    assert float(found[0][0].norm(0.0)) == 0.5
    assert found[0][0].norm.vmin == -found[1][0].norm.vmax


def test_names_and_columns_are_written_and_no_title():
    figure, _ = drawn({"soil-class means of the profiles": LOW, "batch": HIGH})
    written = [text.get_text() for ax in figure.axes for text in ax.texts]
    assert {"0-30 cm", "0-100 cm", "batch", "soil-class means\nof the profiles"} <= set(written)
    assert not any(ax.get_title() for ax in figure.axes)


def test_maps_fill_the_width_of_the_page():
    figure, _ = drawn({"a": LOW, "b": HIGH, "c": LOW}, COLUMNS)
    figure.canvas.draw()
    panels = [ax.get_window_extent().width for ax in figure.axes if hasattr(ax, "projection")]
    assert sum(panels[:2]) > 0.88 * figure.bbox.width


@pytest.mark.parametrize(
    ("rows", "columns", "keywords", "message"),
    [
        ({"a": LOW[:, :1]}, COLUMNS, {}, r"row 'a' has values of shape \(96, 1\)"),
        ({"a": Points([1.0], [1.0], LOW)}, COLUMNS, {}, r"are \(1, 2\): give one value"),
        ({"a": LOW}, COLUMNS, {"scale": "cubic"}, "scale is 'cubic', allowed are 'linear'"),
    ],
)
def test_what_does_not_fit_is_said_in_one_line(rows, columns, keywords, message):
    with pytest.raises(ValueError, match=message) as error:
        drawn(rows, columns, **keywords)
    assert "\n" not in str(error.value)


def test_too_few_axes_are_said():
    extent = maps.extent_of(LON, LAT)
    _, ax = plots.subplots(SimpleNamespace(synthetic=False), projection=maps.projection(extent))
    with pytest.raises(ValueError, match="1 axes given for 1 rows and 2 columns: give 2"):
        map_panels(ax, {"a": LOW}, COLUMNS, lon=LON, lat=LAT, unit="1")


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 5), st.integers(0, 2**31))
def test_a_cell_split_into_equal_parts_changes_no_score(parts, seed):
    random = np.random.default_rng(seed)
    reference, stock = np.exp(random.normal(9, 1, (2, 12)))
    area = random.uniform(1, 5, 12)
    whole = map_comparison.map_agreement(reference, stock, area)
    split = [np.repeat(a, [parts] + [1] * 11) for a in (reference, stock, area)]
    split[2][:parts] /= parts
    for name, value in map_comparison.map_agreement(*split).items():
        assert name == "cells" or value == pytest.approx(whole[name], rel=1e-9)


def test_scores_of_a_map_that_is_a_multiple_of_the_reference():
    found = map_comparison.map_agreement(LOW[:, 0], 3 * LOW[:, 0], AREA)
    mean = np.average(LOW[:, 0], weights=AREA)
    assert found["bias"] == pytest.approx(2 * mean / 1000)
    for name, value in {"r2": 1.0, "log_r2": 1.0, "spread_ratio": 3.0}.items():
        assert found[name] == pytest.approx(value)


def test_only_cells_that_both_maps_know_count():
    gaps = LOW[:, 0].copy()
    gaps[:10] = np.nan
    found = map_comparison.map_agreement(gaps, LOW[:, 1], AREA)
    assert found == map_comparison.map_agreement(LOW[10:, 0], LOW[10:, 1], AREA[10:])
    with pytest.raises(ValueError, match="share 2 cells with a value: 3 are needed"):
        map_comparison.map_agreement([1, 2, np.nan, 3], [1, 2, 3, np.nan], np.ones(4))


def test_cell_means_are_of_the_sites_inside():
    where = RANDOM.integers(0, LON.size, 300)
    lon = LON[where] + RANDOM.uniform(-0.249, 0.249, 300) + 360
    lat = LAT[where] + RANDOM.uniform(-0.249, 0.249, 300)
    value = RANDOM.normal(size=(300, 2))
    value[:50, 1] = np.nan
    found = map_comparison.cell_means(lon, lat, value, LON, LAT)
    for cell in range(LON.size):
        inside = value[where == cell]
        for column in range(2):
            known = inside[np.isfinite(inside[:, column]), column]
            expected = known.mean() if known.size else np.nan
            assert found[cell, column] == pytest.approx(expected, nan_ok=True)


def test_sites_beyond_the_cells_count_nowhere():
    found = map_comparison.cell_means([-70.0, LON[5]], [30.0, LAT[5]], [1.0, 2.0], LON, LAT)
    assert np.nansum(found) == 2.0 and np.isfinite(found).sum() == 1


@pytest.mark.parametrize("members", [3, 20, np.inf])
def test_honest_spread_covers_what_it_says_however_few_members_it_has(members):
    truth = RANDOM.normal(size=20_000)
    sd = np.exp(RANDOM.normal(size=truth.size))
    stock, area = truth + RANDOM.normal(size=truth.size) * sd, np.ones(truth.size)
    if np.isfinite(members):  # known from members only
        sd = (sd * RANDOM.normal(size=(members, truth.size))).std(axis=0, ddof=1)
    for level in (0.5, 0.95):
        covered = map_comparison.covered_by_spread(truth, stock, sd, area, members, level=level)
        assert covered == pytest.approx(level, abs=0.012)


def test_one_member_has_no_spread():
    with pytest.raises(ValueError, match="members is 1: a spread takes at least 2"):
        map_comparison.covered_by_spread([1.0], [1.0], [0.0], [1.0], 1)


def test_regions_are_boxes_on_a_continent_and_thirds_of_height_in_a_state():
    lon, lat = (a.ravel() for a in np.meshgrid(np.arange(-124, -67), np.arange(25, 49)))
    height = RANDOM.uniform(0, 900, lon.size)

    def grid(lon, lat):
        values = (("cell", "covariate"), height[: len(lon), None])
        coords = {"lon": ("cell", lon), "lat": ("cell", lat), "covariate": ["Elevation"]}
        return xr.Dataset({"covariates": values}, coords)

    boxes = map_regions.regions_of(grid(lon, lat))
    assert set(boxes) == set(map_regions.REGIONS)
    assert sum(inside.astype(int) for inside in boxes.values()).max() == 1  # a cell has one region
    thirds = list(map_regions.regions_of(grid(LON, LAT)).values())
    assert sum(third.astype(int) for third in thirds).tolist() == [1] * LON.size
    assert all(abs(third.mean() - 1 / 3) < 0.02 for third in thirds)


def test_a_state_without_heights_is_not_divided():
    bare = xr.Dataset(coords={"lon": ("cell", LON), "lat": ("cell", LAT)})
    with pytest.raises(ValueError, match="no covariate 'Elevation'") as error:
        map_regions.regions_of(bare)
    assert "\n" not in str(error.value)


def test_the_gradient_does_not_depend_on_the_level():
    position = RANDOM.normal(size=LON.size)
    value = np.exp(0.7 * position + RANDOM.normal(0, 0.1, LON.size))
    slope = map_regions.slope_along(value, position, AREA)
    assert slope == pytest.approx(0.7, abs=0.05)
    assert map_regions.slope_along(5 * value, position, AREA) == pytest.approx(slope)
