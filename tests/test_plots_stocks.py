"""Figures of stocks show what they are given."""

from __future__ import annotations

from types import SimpleNamespace

import matplotlib
import numpy as np
import pytest

matplotlib.use("Agg")

import matplotlib.pyplot as plt

from proda_lib import plots
from proda_lib.plots import stocks as figures

LABELS = ["truth", "random forest", "PRODA", "WISE30sec"]
KINDS = ["truth", "stand-in", "model", "reference"]
NAN = np.nan


@pytest.fixture(autouse=True)
def closed():
    """Close all figures of a test."""
    yield
    plt.close("all")


@pytest.fixture
def ax():
    """One axis in the book's style."""
    return plots.subplots(SimpleNamespace(synthetic=False))[1]


def test_bars_whiskers_and_marks_stand_at_their_values(ax):
    figures.stock_bars(
        ax, LABELS, [80.0, 90.0, 70.0, NAN], KINDS, name="Stock (Pg C)",
        low=[NAN, 85.0, 60.0, NAN], high=[NAN, 99.0, 75.0, NAN], published=[NAN, NAN, 246.0, 98.0],
    )  # fmt: skip
    widths = [bar.get_width() for group in ax.containers for bar in group]
    assert widths == [80, 90, 70], "no bar, not even an edge, without a value"
    low, high, marks = (line.get_xdata() for line in ax.lines)
    np.testing.assert_array_equal(low, [NAN, 85, 60, NAN])
    np.testing.assert_array_equal(high, [NAN, 99, 75, NAN])
    np.testing.assert_array_equal(marks, [NAN, NAN, 246, 98])
    assert [text.get_text() for text in ax.get_yticklabels()] == LABELS
    assert ax.get_ylim() == (3.5, -0.5), "the first is on top"
    assert ax.get_xlim()[0] == 0 and ax.get_xlim()[1] > 246
    assert ax.get_xlabel() == "Stock (Pg C)"


def test_kinds_differ_by_more_than_hue(ax):
    figures.stock_bars(ax, LABELS, [1.0, 1.0, 1.0, 1.0], KINDS)
    bars = [bar for group in ax.containers for bar in group]
    looks = {
        (round(np.dot(b.get_facecolor()[:3], [0.3, 0.6, 0.1]), 1), b.get_hatch()) for b in bars
    }
    assert len(looks) == len(KINDS)


@pytest.mark.parametrize(
    ("labels", "kinds", "message"),
    [(LABELS[:2], KINDS, "pass as many"), (LABELS, ["truth"] * 3 + ["modle"], "modle.*there are")],
)
def test_what_does_not_fit_is_refused(ax, labels, kinds, message):
    with pytest.raises(ValueError, match=message):
        figures.stock_bars(ax, labels, [1.0, 2.0, 3.0, 4.0], kinds)


def test_the_legend_names_each_kind_once(ax):
    figures.stock_legend(ax, [*KINDS, "model"], published="chapter")
    (legend,) = ax.figure.legends
    assert [text.get_text() for text in legend.get_texts()] == [*KINDS, "95 % interval", "chapter"]


def test_lines_of_rules_carry_their_labels(ax):
    lines = {"exponential": [0.1, 0.2], "last": [0.3, NAN]}
    figures.reach_lines(ax, [0.0, 1.0], lines, "error (1)", chosen=0.5)
    marked, *drawn = ax.lines
    assert marked.get_xdata()[0] == 0.5
    assert [line.get_label() for line in drawn] == list(lines)
    np.testing.assert_array_equal(drawn[1].get_ydata(), [0.3, NAN])


def test_a_profiles_layers_and_curves_are_in_kg_and_grow_downwards(ax):
    depth = np.array([0.0, 0.5, 1.0])
    figures.profile_pieces(ax, [0.0, 0.2, 1.0], [5e3, 1e3], depth, {"spline": [6e3, 2e3, NAN]})
    bars = [bar for group in ax.containers for bar in group]
    assert [bar.get_width() for bar in bars] == [5, 1]
    assert [round(bar.get_height(), 9) for bar in bars] == [0.2, 0.8]
    np.testing.assert_array_equal(ax.lines[0].get_xdata(), [6, 2, NAN])
    assert ax.get_ylim() == (1.0, 0.0)
