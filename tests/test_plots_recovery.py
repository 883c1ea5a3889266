"""Figures of truth and estimate: they show the numbers they are given, and refuse what is odd."""

from __future__ import annotations

import re
from types import SimpleNamespace

import matplotlib
import numpy as np
import pytest

matplotlib.use("Agg")

import matplotlib.pyplot as plt

from proda_lib import plots
from proda_lib.plots import recovery

RANDOM = np.random.default_rng(37)
NAMES = ("diffus", "q10", "beta")
TRUTH = RANDOM.random(60)
ESTIMATE = np.clip(TRUTH + RANDOM.normal(0, 0.1, 60), 0, 1)
RANKS = {"honest": RANDOM.random(500), "too narrow": RANDOM.beta(0.4, 0.4, 500)}
SHARES = {"prior": [1.0, 0.98, 0.9], "posterior": [0.9, 0.85, 0.7]}
REMOVED, CORRELATION = [0.6, 0.1, 0.0], [0.7, 0.2, -0.1]

DRAWN = {
    "coverage": lambda ax: recovery.coverage(ax, NAMES, SHARES, 0.9, (0.85, 0.95)),
    "information": lambda ax: recovery.information(ax, REMOVED, CORRELATION, NAMES),
    "calibration": lambda ax: recovery.calibration(ax, RANKS, "parameters"),
    "truth_against_estimate": lambda ax: recovery.truth_against_estimate(
        ax, TRUTH, ESTIMATE, ESTIMATE - 0.2, ESTIMATE + 0.2, "q10"
    ),
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
    assert ax.get_title() == ""
    for label in filter(None, (ax.get_xlabel(), ax.get_ylabel())):
        assert re.search(r"\(.+\)", label), label


def test_all_estimates_are_drawn_but_only_some_bars(ax):
    recovery.truth_against_estimate(
        ax, TRUTH, ESTIMATE, ESTIMATE - 0.2, ESTIMATE + 0.2, "q10", bars=10
    )
    points, diagonal = ax.lines
    np.testing.assert_array_equal(points.get_xdata(), TRUTH)
    np.testing.assert_array_equal(points.get_ydata(), ESTIMATE)
    np.testing.assert_array_equal(diagonal.get_xdata(), diagonal.get_ydata())
    assert len(ax.collections[0].get_segments()) == 10
    assert ax.get_xlim() == ax.get_ylim() == (0, 1)


def test_what_lies_beyond_the_limits_is_drawn_on_the_edge(ax):
    recovery.truth_against_estimate(
        ax, [1.0, 200.0], [0.01, 5.0], [0.01, 1.0], [2.0, 9.0], "stock", limits=(0.1, 100), log=True
    )
    assert ax.lines[0].get_xdata().tolist() == [1, 100]
    assert ax.lines[0].get_ydata().tolist() == [0.1, 5]
    assert ax.get_xscale() == ax.get_yscale() == "log"


def test_arrays_that_do_not_match_are_refused(ax):
    with pytest.raises(ValueError, match="one value per site"):
        recovery.truth_against_estimate(ax, TRUTH, ESTIMATE[:5], ESTIMATE, ESTIMATE, "q10")


def test_coverage_is_in_percent_with_the_first_name_on_top(ax):
    DRAWN["coverage"](ax)
    assert ax.lines[-1].get_xdata() == pytest.approx([90, 85, 70])
    assert [text.get_text() for text in ax.get_legend().get_texts()] == list(SHARES)
    assert [label.get_text() for label in ax.get_yticklabels()] == list(NAMES)
    assert ax.yaxis_inverted()
    with pytest.raises(ValueError, match="one share per name, 3"):
        recovery.coverage(ax, NAMES, {"short": [0.5]}, 0.9, (0.85, 0.95))


def test_the_most_informed_are_named_beside_the_square_root(ax):
    recovery.information(ax, REMOVED, CORRELATION, NAMES, named=1)
    assert [text.get_text() for text in ax.texts] == ["diffus"]
    line = ax.lines[0]
    np.testing.assert_allclose(line.get_ydata() ** 2, line.get_xdata() / 100)
    with pytest.raises(ValueError, match="one value per name, 3"):
        recovery.information(ax, REMOVED[:2], CORRELATION, NAMES)


def test_calibration_of_honest_ranks_follows_the_diagonal(ax):
    even = (np.arange(1000) + 0.5) / 1000
    recovery.calibration(ax, {"even": even} | RANKS)
    drawn = {line.get_label(): line.get_ydata() for line in ax.lines}
    np.testing.assert_allclose(drawn["even"], ax.lines[0].get_xdata(), atol=0.2)
    assert drawn["too narrow"][100] < 40 < drawn["honest"][100] < 60
