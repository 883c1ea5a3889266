"""Small maps of parameters share their colours, lines along a gradient their scale."""

from __future__ import annotations

from types import SimpleNamespace

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import pytest

from proda_lib import plots
from proda_lib.maps.canvas import canvas_of
from proda_lib.plots.parameter_maps import (
    Column,
    along_gradient,
    parameter_maps,
    shared_colours,
)


@pytest.fixture(autouse=True)
def closed():
    """Close all figures of a test."""
    yield
    plt.close("all")


def test_every_map_of_a_column_has_its_colours_and_every_row_its_values() -> None:
    lon, lat = (a.ravel() for a in np.meshgrid(np.arange(-99.75, -97), np.arange(40.25, 43)))
    canvas = canvas_of(lon, lat, pixels=60)
    value = np.stack([np.full(lon.size, -1.0), np.full(lon.size, 2.0)], axis=1)
    norm, cmap = shared_colours({"one": value}, "diverging")
    _, axes = plots.subplots(SimpleNamespace(synthetic=False), 2, 1, squeeze=False)
    axes = parameter_maps(axes, canvas, ["low", "high"], [Column("map", "(%)", value, norm, cmap)])
    seen = [np.unique(ax.images[0].get_array()[canvas.cell >= 0], axis=0) for ax in axes[:, 0]]
    assert len(seen[0]) == len(seen[1]) == 1
    expected = plt.get_cmap(cmap)(norm([-1.0, 2.0]), bytes=True)
    np.testing.assert_array_equal(np.concatenate(seen), expected)
    with pytest.raises(ValueError, match="values of shape"):
        parameter_maps(axes, canvas, ["a", "b"], [Column("x", "y", value[:, :1], norm, cmap)])
    with pytest.raises(ValueError, match="2 axes given"):
        parameter_maps(axes, canvas, ["a"], [Column("x", "y", value, norm, cmap)])


def test_slopes_along_a_gradient_can_be_compared() -> None:
    _, axes = plots.subplots(SimpleNamespace(synthetic=False), 1, 2)
    value = np.array([[10.0, 50.0], [40.0, 51.0]])
    look = {"names": ["steep", "flat"], "colours": ["C0", "C1"]}
    along_gradient(axes, [0.0, 1.0], value, np.full((2, 2), np.nan), **look)
    spans = [np.ptp(ax.get_ylim()) for ax in axes]
    assert spans[0] == pytest.approx(spans[1]) and spans[0] > 30
    for ax, column in zip(axes, value.T, strict=True):
        assert ax.get_ylim()[0] < column.min() and column.max() < ax.get_ylim()[1]
        np.testing.assert_allclose(ax.lines[0].get_ydata(), column)
