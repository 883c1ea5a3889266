"""Columns under changed processes: laws of the linear equation, derivatives, power laws."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from proda_lib import matrices, steady_state, stocks, studies
from proda_lib.column_stock import column_stock, rows_first, stock_gradient
from proda_lib.elasticity import elasticities, map_slopes
from proda_lib.parameters import PRODA, by_name
from proda_lib.power_law import gain, power_law
from proda_lib.process_change import scaled
from proda_lib.proportional_change import curves, largest_factor
from proda_lib.soil_grid import CLM5


@pytest.fixture(scope="module")
def cells() -> xr.Dataset:
    return studies.load("twin", "smoke").grid.isel(cell=[0, 700, 1900, 3000])


@pytest.fixture(scope="module")
def unit() -> np.ndarray:
    return np.random.default_rng(5).uniform(0.15, 0.85, (2, 4, 21))


def test_columns_hold_what_their_layers_hold(cells: xr.Dataset, unit: np.ndarray) -> None:
    found = column_stock(rows_first(PRODA.to_physical(unit)), steady_state.prepare(cells))
    for member in range(2):
        soil = steady_state.soil_carbon(PRODA.to_physical(unit[member]), cells)
        for depth, place in ((8.6, 0), (1.0, 1)):
            expected = stocks.interval_stock(soil, 0, depth)
            np.testing.assert_allclose(found[:, member, place], expected, rtol=1e-12)


def test_gradients_are_those_of_differences(cells: xr.Dataset, unit: np.ndarray) -> None:
    vectors, prepared = rows_first(PRODA.to_physical(unit)), steady_state.prepare(cells)
    gradient = stock_gradient(vectors, prepared)
    for position in (2, 3, 9, 13, 20):
        step = 1e-5 * vectors[..., position]
        ends = [vectors.copy(), vectors.copy()]
        ends[0][..., position] += step
        ends[1][..., position] -= step
        high, low = (column_stock(end, prepared)[..., 0] for end in ends)
        np.testing.assert_allclose(gradient[..., position], (high - low) / (2 * step), rtol=1e-5)


def test_laws_of_the_linear_equation(cells: xr.Dataset, unit: np.ndarray) -> None:
    found = elasticities(unit, cells)
    each = found.elasticity
    np.testing.assert_allclose(each.sel(process="K") + each.sel(process="V"), -1, rtol=1e-9)
    np.testing.assert_array_equal(each.sel(process="K"), each.sel(process="xi"))
    assert (each.sel(process="A") > 0).all() and (each.sel(process="input") == 1).all()
    # Differences of whole runs with the process changed.
    vectors, prepared = rows_first(PRODA.to_physical(unit)), steady_state.prepare(cells)
    for process in ("A", "K", "V", "I"):
        runs = [
            np.log(column_stock(np.asarray(scaled(vectors, process, factor)), prepared)[..., 0])
            for factor in (np.exp(1e-5), np.exp(-1e-5))
        ]
        slope = (runs[0] - runs[1]).T / 2e-5
        np.testing.assert_allclose(each.sel(process=process), slope, rtol=1e-4, atol=1e-7)
    area = cells.area.values
    total = np.average(each.sel(process="A"), weights=found.stock * area, axis=1)
    np.testing.assert_allclose(map_slopes(found, area).sel(process="A"), total, rtol=1e-12)


def test_elasticity_to_transfers_counts_them(cells: xr.Dataset, unit: np.ndarray) -> None:
    # Follow carbon by how often it has been passed on, with the dense matrices of one cell.
    vector = PRODA.to_physical(0.4 + 0.2 * unit[0, 1])
    model = matrices.matrix_model(vector, cells.isel(cell=1))
    soil = np.repeat(np.arange(7) >= 4, 20) * np.tile(CLM5.thickness, 7)
    arriving = (model.transfer + np.eye(140)) * model.rates
    passed_on = np.where(np.arange(140) < 20, 0.0, arriving)  # debris is only sorted
    inside = np.diag(model.rates) + model.transport - (arriving - passed_on)
    state, stock = np.linalg.solve(inside, model.input), []
    for _ in range(200):
        stock.append(soil @ state)
        state = np.linalg.solve(inside, passed_on @ state)
    assert stock[0] == 0 and stock[-1] < 1e-12 * max(stock)
    times = np.average(np.arange(200), weights=stock)
    one = (0.4 + 0.2 * unit[:1, 1:2], cells.isel(cell=[1]))
    found = elasticities(*one)
    assert found.stock.item() == pytest.approx(sum(stock), rel=1e-8)
    assert found.elasticity.sel(process="A").item() == pytest.approx(times, rel=1e-8)


def test_no_pool_passes_on_more_than_it_loses(cells: xr.Dataset) -> None:
    unit = np.full((1, 4, 21), 0.95)
    vector = PRODA.to_physical(unit[0, 0])
    most = by_name(scaled(vector, "A", largest_factor(vector)))
    sums = [most["fs1s2"] + most["fs1s3"], most["fs2s1"] + most["fs2s3"], most["fs3s1"]]
    sums += [most[name] for name in ("fl1s1", "fl2s1", "fl3s2")]
    assert max(sums) == pytest.approx(1.0, rel=1e-12)
    found = curves(unit, cells, steps=[0.0, 0.5])
    assert found.limited.sel(process="A", step=0.5).item() == 1.0
    assert np.isfinite(found.total).all()


def test_input_has_slope_one_and_efficiency_more(cells: xr.Dataset, unit: np.ndarray) -> None:
    for mode in ("sound", "published"):
        found = curves(unit, cells, mode=mode, steps=[-0.1, 0.0, 0.1])
        total, change = found.total.sel(depth="column"), found.change
        law = power_law(total, change, total.sel(step=0.0))
        slope = dict(zip(found.process.values, law.slope.T, strict=True))
        np.testing.assert_allclose(slope["input"], 1, rtol=1e-12)
        assert (slope["A"] > 1).all() and (slope["K"] < 0).all()


def test_power_laws() -> None:
    change = np.array([-0.2, -0.1, 0.0, 0.2])
    law = power_law(7 * (1 + change) ** -1.3, change, 7.0)
    assert law.slope == pytest.approx(-1.3) and law.intercept == pytest.approx(0, abs=1e-12)
    assert np.isnan(power_law([7.0, 7.0], [0.0, 0.0], 7.0).slope)
    # The talk: one percent more of efficiency makes 76 of 2,404 Pg C, a slope of 3.14.
    assert round(float(gain(2404.0, 3.14))) == 76
    assert gain(50.0, 1.0) == pytest.approx(0.5) and gain(50.0, 0.0) == 0


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda u, c: curves(u[0], c), "unit has shape"),
        (lambda u, c: curves(u, c, steps=[0.1]), "and 0"),
        (lambda u, c: curves(u, c, steps=[-1.0, 0.0]), "above -1"),
        (lambda u, c: curves(u, c, mode="both"), "mode"),
        (lambda u, c: rows_first(u[0]), "one member"),
        (lambda u, c: column_stock(u, steady_state.prepare(c)), "rows given"),
    ],
)
def test_mistakes_are_named(call, says, cells: xr.Dataset, unit: np.ndarray) -> None:
    with pytest.raises(ValueError, match=says):
        call(unit, cells)
