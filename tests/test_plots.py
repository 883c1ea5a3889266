"""Figures: drawn where they are told to, in the right unit, with depth downwards and no title."""

from __future__ import annotations

import re
from types import SimpleNamespace

import matplotlib
import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

matplotlib.use("Agg")

import matplotlib.pyplot as plt

from proda_lib import plots
from proda_lib.plots.colours import signed_ticks
from proda_lib.soil_grid import CLM5, CLM45

REAL, SYNTHETIC = SimpleNamespace(synthetic=False), SimpleNamespace(synthetic=True)
#: Perceptually uniform or balanced about zero, and told apart by colour-blind readers.
SAFE_MAPS = ("viridis", "cividis", "PuOr", "PuOr_r", "RdBu", "RdBu_r")
RANDOM = np.random.default_rng(37)
DEPTH = np.where(RANDOM.random((60, 8)) < 0.2, np.nan, RANDOM.uniform(0, 3, (60, 8)))
SOC = np.where(np.isnan(DEPTH), np.nan, 4e4 * np.exp(-2 * DEPTH + RANDOM.normal(0, 0.5, (60, 8))))
PROFILES = 3e4 * np.exp(-CLM5.node) * RANDOM.uniform(0.5, 2, (12, 1))
POOLS = RANDOM.uniform(1, 1e4, (7, 20))
TRANSFER = np.diag(np.ones(140)) - 0.3 * np.eye(140, k=-20) - 1e-4 * np.eye(140, k=20)

DRAWN = {
    "depth_distribution": lambda ax: plots.depth_distribution(ax, DEPTH, SOC),
    "profile": lambda ax: plots.profile(
        ax, CLM5.node, PROFILES, observed_depth=DEPTH[0], observed_soc=SOC[0], bedrock=4.0
    ),
    "pools_with_depth": lambda ax: plots.pools_with_depth(ax, CLM5, POOLS),
    "residuals_by_depth": lambda ax: plots.residuals_by_depth(ax, DEPTH, SOC - 5000),
    "observed_against_modelled": lambda ax: plots.observed_against_modelled(ax, SOC, 1.3 * SOC),
    "observations_per_site": lambda ax: plots.observations_per_site(ax, [1, 3, 3, 8]),
    "histogram": lambda ax: plots.histogram(ax, [0.0, 1.0, 10.0], "Depth (m)", log=True),
    "bars": lambda ax: plots.bars(ax, ["no depth", "no SOC"], [3, 5], "Profiles left out"),
    "month_by_depth": lambda ax: plots.month_by_depth(
        ax, CLM5.interface, RANDOM.random((20, 12)), "Water scalar (1)"
    ),
    "litter_input": lambda ax: plots.litter_input(ax, ("cwd", "litter1"), np.ones((2, 12))),
    "matrix_picture": lambda ax: plots.matrix_picture(ax, TRANSFER, label="A (1)"),
    "mass_balance": lambda ax: plots.mass_balance(ax, {"gain": np.ones(7), "loss": -np.ones(7)}),
    "bar_of_bedrock": lambda ax: plots.bar_of_bedrock(ax, ["0-1 m", "1-2 m"], [9, 4], [8, 2]),
}
DEPTH_FIGURES = (
    "depth_distribution", "profile", "pools_with_depth", "residuals_by_depth", "month_by_depth",
)  # fmt: skip
#: Labels of axes that count or name something and so have no unit of their own.
UNITLESS = re.compile(r"^$|^Number of|per site$|left out$|^Month$|^(From|To) pool|^Observations$")


@pytest.fixture(autouse=True)
def closed():
    """Close all figures of a test."""
    yield
    plt.close("all")


@pytest.fixture
def ax():
    """One axis in the book's style."""
    return plots.subplots(REAL)[1]


@pytest.mark.parametrize("name", DRAWN)
def test_draws_on_the_axis_it_is_given(name, ax):
    others = plt.gcf()
    assert DRAWN[name](ax) is ax
    assert plt.gcf() is others and plt.get_fignums() == [others.number]
    assert ax.collections or ax.lines or ax.patches or ax.images
    others.canvas.draw()


@pytest.mark.parametrize("name", DRAWN)
def test_labels_carry_units_and_no_title_is_set(name, ax):
    DRAWN[name](ax)
    for panel in ax.figure.axes:  # the colour bar is an axis too
        assert panel.get_title() == ""
        for label in (panel.get_xlabel(), panel.get_ylabel()):
            assert UNITLESS.search(label) or re.search(r"\(.+\)", label), label
    assert any((ax.get_xlabel(), ax.get_ylabel()))


@pytest.mark.parametrize("name", DRAWN)
def test_colour_maps_are_safe_for_colour_blind_readers(name, ax):
    DRAWN[name](ax)
    for drawn in (*ax.collections, *ax.images):
        if drawn.get_array() is not None:
            assert drawn.get_cmap().name in SAFE_MAPS


@pytest.mark.parametrize("name", DEPTH_FIGURES)
def test_depth_grows_downwards_from_the_surface(name, ax):
    DRAWN[name](ax)
    bottom, top = ax.get_ylim()
    assert bottom > top == 0
    assert ax.get_ylabel() == "Depth (m)"
    surface, deep = ax.transData.transform([(ax.get_xlim()[1], z) for z in (0.1, 1.0)])
    assert surface[1] > deep[1]


@pytest.mark.parametrize("study", [REAL, SYNTHETIC])
def test_stamp_if_and_only_if_synthetic(study):
    figure, axes = plots.subplots(study, 2, 2)
    assert axes.shape == (2, 2)
    assert [t.get_text() for t in figure.texts] == (["synthetic data"] if study.synthetic else [])


def test_stamp_hides_nothing():
    figure, ax = plots.subplots(SYNTHETIC, width="half")
    plots.depth_distribution(ax, DEPTH, SOC)
    figure.canvas.draw()
    stamp = figure.texts[0].get_window_extent()
    assert not stamp.overlaps(ax.get_tightbbox())
    assert figure.bbox.contains(*stamp.p0) and figure.bbox.contains(*stamp.p1)


def test_figure_says_which_widths_there_are():
    with pytest.raises(ValueError, match="'wide', allowed are page, half"):
        plots.subplots(REAL, width="wide")


def test_soc_is_drawn_in_kilograms(ax):
    plots.depth_distribution(ax, np.full(10, 0.5), np.full(10, 2000.0))
    (median,) = ax.lines
    np.testing.assert_allclose(median.get_xdata(), 2.0)
    np.testing.assert_allclose(median.get_ydata(), 0.5)


def test_layers_without_carbon_are_not_drawn(ax):
    soc = np.where(CLM5.node < 2, 5000.0, 0.0)
    plots.profile(ax, CLM5.node, soc)
    drawn = ax.lines[-1].get_ydata()
    np.testing.assert_array_equal(drawn, CLM5.node[CLM5.node < 2])


@settings(max_examples=40, deadline=None)
@given(
    hnp.arrays(float, st.integers(1, 80), elements=st.floats(0.0, 5.0)),
    st.randoms(use_true_random=False),
)
def test_binned_quantiles_are_ordered_and_ignore_order_and_padding(depth, random):
    values = np.sin(17 * depth) + depth
    middle, (low, median, high) = plots.binned_quantiles(depth, values, fewest=2)
    assert np.all((low <= median) & (median <= high)) and np.all(np.diff(middle) > 0)
    order = list(range(len(depth)))
    random.shuffle(order)
    again = plots.binned_quantiles(
        np.append(depth[order], [np.nan, 1.0]), np.append(values[order], [7.0, np.nan]), fewest=2
    )
    np.testing.assert_allclose(again[0], middle)
    np.testing.assert_allclose(again[1], [low, median, high])


@settings(max_examples=15, deadline=None)
@given(hnp.arrays(float, 30, elements=st.sampled_from([0.0, np.nan]) | st.floats(1e-3, 9e6)))
def test_no_observation_disappears_from_the_hexagons(modelled):
    ax = plots.subplots(REAL, width="half")[1]
    modelled[0] = 1.0
    plots.observed_against_modelled(ax, np.full(30, 5000.0), modelled, colour_bar=False)
    counted = sum(c.get_array().sum() for c in ax.collections if c.get_array() is not None)
    assert counted == np.isfinite(modelled).sum()
    plt.close("all")


def test_perfect_model_lies_on_the_line_of_equality(ax):
    plots.observed_against_modelled(ax, SOC, SOC, statistics={"R$^2$": 1.0, "RMSE": "0 kg"})
    (line,) = ax.lines
    np.testing.assert_array_equal(*line.get_data())
    hexagons = ax.collections[0]
    centres = np.array([hexagon.vertices.mean(axis=0) for hexagon in hexagons.get_paths()])
    np.testing.assert_allclose(*np.log10(centres).T, atol=0.1)
    assert ax.texts[0].get_text() == "R$^2$ = 1\nRMSE = 0 kg"


def test_mass_balance_dots_are_the_sums(ax):
    gain, loss = np.arange(7.0), -np.arange(7.0)
    plots.mass_balance(ax, {"input": gain, "respired": loss / 2, "passed on": loss / 2})
    np.testing.assert_allclose(ax.lines[-1].get_xdata(), 0.0, atol=1e-12)
    ends = [patch.get_x() + patch.get_width() for patch in ax.patches]
    assert max(ends) == 6.0 and min(ends) == -6.0


def test_matrix_picture_shows_signs_and_leaves_zeros_white(ax):
    plots.matrix_picture(ax, TRANSFER, label="A (1)")
    (image,) = ax.images
    shade = image.norm(image.get_array())
    assert image.get_array().count() == np.count_nonzero(TRANSFER)
    assert np.all((shade > 0.5) == (image.get_array() > 0))
    assert abs(float(image.norm(-1e-4)) - 0.5) > 0.05  # the smallest entry can be seen


def test_litter_is_stacked_to_the_whole_input(ax):
    litter = RANDOM.random((4, 12))
    plots.litter_input(ax, ("cwd", "litter1", "litter2", "litter3"), litter)
    tops = np.array([p.get_y() + p.get_height() for p in ax.patches]).reshape(4, 12)
    np.testing.assert_allclose(tops[-1], litter.sum(axis=0))


def _site(grid=CLM5, **dims):
    year = (grid.layers, 12)
    data = {
        "soil_temperature": (("layer", "month"), np.full(year, 283.15)),
        "litter_input": (("litter", "month"), np.ones((4, 12))),
        "sand": (("layer",), np.full(grid.layers, 40.0)),
        "bedrock_layer": ((), grid.layers - 2),
    }
    for scalar in ("water", "nitrogen", "oxygen"):
        data[f"{scalar}_scalar"] = (("layer", "month"), RANDOM.random(year))
    return xr.Dataset(data, attrs={"soil_grid": grid.name}).expand_dims(**dims)


@pytest.mark.parametrize("grid", [CLM5, CLM45])
def test_forcing_of_one_site_in_celsius_to_the_bottom_of_the_column(grid):
    _, axes = plots.subplots(SYNTHETIC, 3, 2, height=7.0)
    plots.forcing_of_site(axes.flatten(), _site(grid))
    np.testing.assert_allclose(axes[0, 0].collections[0].get_array(), 10.0)
    assert axes[2, 1].get_ylim() == (grid.interface[-1], 0.0)
    assert all(ax.get_title() == "" for ax in axes.flat)


def test_covariates_are_drawn_with_name_and_unit():
    _, axes = plots.subplots(REAL, 1, 2)
    plots.covariate_distributions(axes, RANDOM.random((9, 2)), ["BIO_1", "Slope"], ["degC", "1"])
    assert [ax.get_xlabel() for ax in axes] == ["BIO 1\n(degC)", "Slope"]


@pytest.mark.parametrize(
    ("message", "call"),
    [
        ("six axes and one site", lambda ax: plots.forcing_of_site([ax] * 6, _site(site=3))),
        ("^1 axes", lambda ax: plots.forcing_of_site([ax], _site())),
        ("shape \\(20, 7\\).*one row", lambda ax: plots.pools_with_depth(ax, CLM5, POOLS.T)),
        ("square matrix", lambda ax: plots.matrix_picture(ax, np.eye(139), label="A (1)")),
        ("'input'.*one value per pool", lambda ax: plots.mass_balance(ax, {"input": [1, 2]})),
        ("no observation", lambda ax: plots.depth_distribution(ax, [np.nan], [1.0])),
        ("no observation", lambda ax: plots.observed_against_modelled(ax, [np.nan], [1.0])),
        ("no residual", lambda ax: plots.residuals_by_depth(ax, [np.nan], [1.0])),
        ("pass pairs", lambda ax: plots.observed_against_modelled(ax, [1.0, 2.0], [1.0])),
        ("1 axes, 2 covariates, 2 names and 2 units", lambda ax: plots.covariate_distributions(
            [ax], np.ones((3, 2)), ["a", "b"], ["m", "m"])),
    ],
)  # fmt: skip
def test_wrong_input_is_named(message, call, ax):
    with pytest.raises(ValueError, match=message):
        call(ax)


@given(st.floats(1e-6, 1e6), st.floats(1e-6, 1e6))
@settings(max_examples=30, deadline=None)
def test_zero_is_the_middle_of_diverging_colours(low, high):
    for scale in ("diverging", "signed_log"):
        norm, cmap = plots.colour_scale([-low, 0.0, high], scale)
        assert float(norm(0.0)) == pytest.approx(0.5)
        assert cmap in SAFE_MAPS


@pytest.mark.parametrize(
    ("values", "scale", "message"),
    [
        ([0.0, -1.0], "log", "no positive"),
        ([np.nan], "linear", "no finite"),
        ([1], "rainbow", "rain"),
    ],
)
def test_colour_scale_says_what_cannot_be_drawn(values, scale, message):
    with pytest.raises(ValueError, match=message):
        plots.colour_scale(values, scale)


def test_one_value_everywhere_still_has_a_colour():
    for scale in ("linear", "log"):
        norm, _ = plots.colour_scale([3.0, 3.0], scale)
        assert 0 < float(norm(3.0)) < 1


def test_no_more_classes_than_can_be_told_apart():
    assert len(set(plots.qualitative(8))) == 8
    with pytest.raises(ValueError, match="9 classes given, 1 to 8"):
        plots.qualitative(9)


def test_signed_colour_bar_is_labelled_on_both_sides_of_zero(ax):
    norm, _ = plots.colour_scale([-1.0, 1e-5, 1.0], "signed_log", limits=(-1, 1))
    ax.set_xlim(-1, 1)
    signed_ticks(ax.xaxis, norm)
    labels = [text.get_text() for text in ax.get_xticklabels()]
    assert labels[0] == "$-10^{0}$" and labels[-1] == "$10^{0}$" and "0" in labels
