"""Figures of posteriors: they show the numbers they are given, and refuse what does not fit."""

from __future__ import annotations

import re
from types import SimpleNamespace

import matplotlib
import numpy as np
import pytest

matplotlib.use("Agg")

import matplotlib.pyplot as plt

from proda_lib import plots

RANDOM = np.random.default_rng(37)
NAMES = ("diffus", "q10", "beta")
CHAINS = RANDOM.random((8, 50))
DRAWS = RANDOM.random((400, 3))
SITES = RANDOM.normal(size=(60, 3))
MATRIX = np.array([[1.0, 0.5, -0.8], [0.5, 1.0, 0.05], [-0.8, 0.05, 1.0]])

DRAWN = {
    "trace": lambda ax: plots.trace(ax, CHAINS, "q10 (1)", step=30),
    "correlations": lambda ax: plots.correlations(ax, MATRIX, NAMES),
    "ranges": lambda ax: plots.ranges(ax, NAMES, SITES, "Difference (sd)", reference=0),
    "cumulative": lambda ax: plots.cumulative(ax, {"a": SITES[:, 0], "b": SITES[:, 1]}, "E (1)"),
}


@pytest.fixture(autouse=True)
def closed():
    """Close all figures of a test."""
    yield
    plt.close("all")


@pytest.fixture
def ax():
    """One axis in the book's style."""
    return plots.subplots(SimpleNamespace(synthetic=False))[1]


@pytest.mark.parametrize("name", DRAWN)
def test_draws_on_the_axis_it_is_given_with_units_and_without_title(name, ax):
    assert DRAWN[name](ax) is ax
    ax.figure.canvas.draw()
    assert len(plt.get_fignums()) == 1
    for panel in ax.figure.axes:
        assert panel.get_title() == ""
        for label in filter(None, (panel.get_xlabel(), panel.get_ylabel())):
            assert re.search(r"\(.+\)", label), label


def test_a_trace_has_a_colour_per_chain_and_counts_iterations(ax):
    plots.trace(ax, CHAINS, "q10 (1)", step=30)
    assert len({line.get_color() for line in ax.lines}) == len(CHAINS)
    assert ax.lines[2].get_xdata()[-1] == 30 * 49
    np.testing.assert_array_equal(ax.lines[2].get_ydata(), CHAINS[2])


@pytest.mark.parametrize("shape", [(50,), (2, 50, 3)])
def test_a_trace_of_several_quantities_is_refused(ax, shape):
    with pytest.raises(ValueError, match=r"pass one quantity, \(chain, draw\)"):
        plots.trace(ax, np.zeros(shape), "q10 (1)")


def test_marginals_are_densities_against_a_flat_prior():
    axes = plots.subplots(SimpleNamespace(synthetic=False), 1, 3)[1]
    truth = [0.1, 0.5, 0.9]
    plots.marginals(axes, DRAWS**2, NAMES, marks=[truth])
    for number, panel in enumerate(axes):
        areas = [patch.get_height() * patch.get_width() for patch in panel.patches]
        assert sum(areas) == pytest.approx(1)
        assert areas[0] > areas[-1], "squares of uniform numbers crowd near 0"
        prior, mark = panel.lines
        assert set(prior.get_ydata()) == {1} and mark.get_xdata()[0] == truth[number]
        assert panel.texts[0].get_text() == NAMES[number] and panel.get_xlim() == (0, 1)


def test_marginals_without_a_panel_for_each_parameter_are_refused():
    axes = plots.subplots(SimpleNamespace(synthetic=False), 1, 2)[1]
    with pytest.raises(ValueError, match="2 axes, 3 parameters and 3 names"):
        plots.marginals(axes, DRAWS, NAMES)


def test_each_correlation_is_drawn_once_and_strong_ones_are_written(ax):
    plots.correlations(ax, MATRIX, NAMES)
    shown = ax.images[0].get_array()
    assert shown.shape == (2, 2) and np.ma.count(np.ma.masked_invalid(shown)) == 3
    assert shown[1, 0] == -0.8 and shown[0, 0] == 0.5
    assert {text.get_text() for text in ax.texts} == {".5", "\N{MINUS SIGN}.8"}
    low, high = ax.images[0].get_clim()
    assert low == -high, "no correlation is the middle of the colours"


def test_correlations_that_do_not_fit_the_names_are_refused(ax):
    with pytest.raises(ValueError, match=r"shape \(3, 3\) for 2 names"):
        plots.correlations(ax, MATRIX, NAMES[:2])


def test_ranges_hold_median_and_percentiles_and_leave_out_nan(ax):
    values = np.vstack([SITES, np.full((5, 3), np.nan)])
    plots.ranges(ax, NAMES, values, "Difference (sd)")
    thin, thick = ax.collections
    np.testing.assert_allclose(ax.lines[0].get_xdata(), np.median(SITES, axis=0))
    for lines, ends in ((thin, (5, 95)), (thick, (25, 75))):
        drawn = np.array([segment[:, 0] for segment in lines.get_segments()])
        np.testing.assert_allclose(drawn, np.percentile(SITES, ends, axis=0).T)
    assert [label.get_text() for label in ax.get_yticklabels()] == list(NAMES)
    assert ax.yaxis_inverted(), "the first name stands on top"


def test_ranges_without_a_column_per_name_are_refused(ax):
    with pytest.raises(ValueError, match=r"pass \(site, name\)"):
        plots.ranges(ax, NAMES, SITES[:, :2], "Difference (sd)")


def test_cumulative_shares_end_at_one_hundred_whatever_is_missing(ax):
    plots.cumulative(ax, {"a": [3.0, np.nan, 1.0, 2.0]}, "E (1)", limits=(0, 2))
    line = ax.lines[0]
    np.testing.assert_array_equal(line.get_xdata(), [1, 1, 2, 3])
    np.testing.assert_allclose(line.get_ydata(), [0, 100 / 3, 200 / 3, 100])
    assert ax.get_xlim() == (0, 2)


def test_an_empty_set_is_named(ax):
    with pytest.raises(ValueError, match="'b' has no finite value"):
        plots.cumulative(ax, {"a": [1.0], "b": [np.nan]}, "E (1)")


def test_a_band_is_drawn_where_there_is_carbon_in_kilograms(ax):
    depth = np.array([0.1, 0.5, 1.0, 2.0])
    plots.depth_band(ax, depth, [2000, 1000, 0, 0], [4000, 3000, 2000, 0], label="90 %")
    corners = ax.collections[0].get_paths()[0].vertices
    assert corners[:, 0].max() == 4 and corners[:, 0].min() > 0
    assert set(corners[:, 1]) == {0.1, 0.5, 1.0}
    plots.profile(ax, depth, [3000, 2000, 1000, 0])
    assert {text.get_text() for text in ax.get_legend().get_texts()} == {"90 %", "modelled"}
