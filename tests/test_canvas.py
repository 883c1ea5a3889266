"""Small maps as pictures: every pixel shows the cell that it lies in."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import Normalize

from proda_lib.maps.canvas import Canvas, canvas_of, small_map
from proda_lib.maps.panels import Points

LON, LAT = (each.ravel() for each in np.meshgrid(np.arange(-99.75, -90), np.arange(36.25, 42)))


@pytest.fixture(scope="module")
def canvas() -> Canvas:
    return canvas_of(LON, LAT, pixels=160)


def test_every_cell_is_shown_at_its_own_place(canvas: Canvas) -> None:
    assert set(np.unique(canvas.cell)) == {-1, *range(LON.size)}
    left, right, bottom, top = canvas.box
    x, y = canvas.project(LON, LAT).T
    rows, columns = canvas.cell.shape
    column = np.round((x - left) / (right - left) * (columns - 1)).astype(int)
    row = np.round((y - bottom) / (top - bottom) * (rows - 1)).astype(int)
    np.testing.assert_array_equal(canvas.cell[row, column], np.arange(LON.size))


def test_cells_of_a_row_have_like_areas(canvas: Canvas) -> None:
    # The projection has equal areas, so pixels count area: cells of one latitude have as many.
    count = np.bincount(canvas.cell[canvas.cell >= 0], minlength=LON.size).reshape(6, 10)
    assert (count.std(axis=1) < 0.05 * count.mean(axis=1)).all()
    mean = count.mean(axis=1)
    cosine = np.cos(np.radians(np.unique(LAT)))
    np.testing.assert_allclose(mean / mean.sum(), cosine / cosine.sum(), rtol=0.03)


def test_unknown_cells_are_blank_and_points_are_drawn(canvas: Canvas) -> None:
    figure, axes = plt.subplots(1, 2)
    value = np.where(np.arange(LON.size) < 10, np.nan, 1.0)
    small_map(axes[0], canvas, value, Normalize(0, 2), "viridis")
    picture = axes[0].images[0].get_array()
    blank = np.isin(canvas.cell, [-1, *range(10)])
    assert (picture[..., 3] == 0)[blank].all() and (picture[..., 3] == 255)[~blank].all()
    points = Points([-95.0], [39.0], [1.0])
    small_map(axes[1], canvas, points, Normalize(0, 2), "viridis")
    place = axes[1].collections[0].get_offsets()
    np.testing.assert_allclose(place, canvas.project([-95.0], [39.0]))
    plt.close(figure)
