"""Maps: stocks of the original, laws that every map obeys, areas, spreads and files."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
import xarray as xr

from proda_lib import maps, stocks, studies
from proda_lib.cf_netcdf import to_cf
from proda_lib.extrapolation import outside_training
from proda_lib.grid_prediction import as_prediction, predict
from proda_lib.map_stocks import side_by_side, stock_map, table_of_totals, with_spread_of
from proda_lib.parameters import PRODA
from proda_lib.soil_grid import CLM5
from proda_lib.steady_state import default_run, soil_of
from proda_lib.studies.cells import EARTH_RADIUS, cell_area, cell_of

from .reference_cases import CASES, sites

# gC m-2 in 0-30, 0-100, 0-200 cm and the whole column, made with the original functions.
PUBLISHED = {
    "A": [19386.918, 45421.982, 75938.265, 269656.4615],
    "B": [30624.304, 74659.521, 110148.03, 120627.6804],
    "C": [51757.332, 158924.36, 305176.17, 409820.0202],
    "D": [7622.2322, 12419.883, 13159.175, 13207.24924],
}
COLUMNS = ["0-30 cm", "0-100 cm", "0-200 cm", "0-860 cm"]


@pytest.fixture(scope="module")
def grid() -> xr.Dataset:
    return studies.load("twin", "smoke").grid.isel(cell=slice(0, None, 60))


@pytest.fixture(scope="module")
def unit(grid: xr.Dataset) -> np.ndarray:
    return np.random.default_rng(3).uniform(0.1, 0.9, (3, grid.sizes["cell"], 21))


def one_cell(case: str) -> xr.Dataset:
    """A reference case as a map of one cell."""
    data = sites(case).drop_dims("observation").rename(site="cell")
    return data.assign(area=("cell", [2500.0]))


def predicted(case: str, bedrock: str) -> xr.Dataset:
    """The map of a reference case."""
    cell, parameters = one_cell(case), CASES[case][-1]
    if case == "D":
        soil = soil_of(default_run(cell, parameters=parameters, bedrock=bedrock))
        return as_prediction(soil, cell)
    return predict(PRODA.to_unit(parameters)[None], cell, bedrock=bedrock)


@pytest.mark.parametrize("case", CASES)
def test_stocks_of_the_reference_cases_are_the_originals(case: str) -> None:
    found = predicted(case, "published").stock.sel(interval=COLUMNS).values[0]
    np.testing.assert_allclose(found, PUBLISHED[case], rtol=5e-7)


def test_closed_bedrock_holds_what_the_original_leaks_and_nothing_below() -> None:
    found = predicted("B", "closed")
    assert found.stock.sel(interval="0-860 cm").item() == pytest.approx(194082, abs=0.5)
    assert (found.soc.values[0, 12:] == 0).all() and found.soc.values[0, 11] > 0


def test_intervals_add_up_and_totals_are_sums_over_cells(grid, unit) -> None:
    found = predict(unit, grid)
    parts = [stocks.interval_label(*one) for one in stocks.INTERVALS]
    together = found.stock.sel(interval=parts).sum("interval")
    np.testing.assert_allclose(together, found.stock.sel(interval="0-200 cm"), rtol=1e-12)
    whole = found.soc.values @ CLM5.thickness
    np.testing.assert_allclose(found.stock.sel(interval="0-860 cm"), whole, rtol=1e-12)
    expected = [stocks.total(each, grid.area) for each in found.stock.values.T]
    np.testing.assert_allclose(found.total, expected, rtol=1e-12)
    np.testing.assert_allclose(found.member_total.mean("member"), found.total, rtol=1e-12)


def test_blocks_change_memory_and_not_numbers(grid, unit) -> None:
    unit = unit.copy()
    unit[:, 4] = np.nan
    small, large = predict(unit, grid, block=16), predict(unit, grid, block=1000)
    xr.testing.assert_allclose(small, large, rtol=1e-12)
    assert np.isnan(small.stock.values[4]).all() and np.isfinite(small.stock.values[5]).all()
    members = np.tile(np.full(21, 0.4), (600, 1))
    every_map = 600 * grid.sizes["cell"] * 20 * 8
    predict(members[:2], grid, block=16)  # compiled outside the measurement
    tracemalloc.start()
    predict(members, grid, block=16)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < every_map


def test_one_vector_for_everywhere_is_the_same_as_the_vector_at_each_cell(grid, unit) -> None:
    everywhere = unit[:, 0]
    repeated = np.repeat(everywhere[:, None], grid.sizes["cell"], axis=1)
    xr.testing.assert_allclose(predict(everywhere, grid), predict(repeated, grid), rtol=1e-12)


def test_the_map_is_the_mean_of_carbon_and_not_the_carbon_of_the_mean(grid, unit) -> None:
    spread = predict(unit, grid).total.values
    middle = predict(unit.mean(axis=0, keepdims=True), grid).total.values
    assert (np.abs(spread / middle - 1) > 0.02).all()


def test_parameters_that_do_not_fit_are_refused_with_what_would(grid, unit) -> None:
    with pytest.raises(ValueError, match=r"shape \(3, 5, 21\), allowed are \(member, 21\)"):
        predict(unit[:, :5], grid)
    partly = unit.copy()
    partly[1, 7] = np.nan
    with pytest.raises(ValueError, match=r"cell 7 is known to 2 of 3 members"):
        predict(partly, grid)
    with pytest.raises(ValueError, match=r"soil has shape \(20,\)"):
        as_prediction(np.ones(20), grid)
    soil = np.ones((2, grid.sizes["cell"], 20))
    soil[0, 3] = np.nan
    with pytest.raises(ValueError, match="cell 3 is known to 1 of 2 members"):
        as_prediction(soil, grid)


def test_a_map_that_knows_no_cell_has_no_total(grid) -> None:
    found = as_prediction(np.full((2, grid.sizes["cell"], 20), np.nan), grid)
    assert np.isnan(found.total).all() and np.isnan(found.member_total).all()
    assert np.isnan(stocks.total(found.stock[:, 0], grid.area))


def test_stones_are_taken_off_stocks_and_totals_only_when_asked(grid, unit) -> None:
    whole = predict(unit, grid)
    fine = predict(unit, grid, coarse_fragments="published")
    xr.testing.assert_equal(fine.soc, whole.soc)
    stones = grid.covariates.sel(covariate="Coarse_Fragments_v_0cm").values / 100
    ratio = (fine.stock / whole.stock).sel(interval="0-30 cm")
    np.testing.assert_allclose(ratio, 1 - stones)
    np.testing.assert_allclose(fine.member_total.mean("member"), fine.total)
    assert (fine.attrs["coarse_fragments"], whole.attrs["coarse_fragments"]) == (
        "published",
        "none",
    )
    again = as_prediction(whole.soc.values, grid, coarse_fragments="published")
    np.testing.assert_allclose(again.stock, fine.stock)
    bare = grid.drop_vars(["covariates", "covariate"])
    with pytest.raises(ValueError, match="use coarse_fragments='none'"):
        predict(unit, bare, coarse_fragments="published")
    with pytest.raises(ValueError, match="allowed are 'none', 'published'"):
        predict(unit, grid, coarse_fragments="all")


def outline_area() -> float:
    """Sum of the states' areas on the sphere, km2; edges are straight in longitude and latitude."""
    area = 0.0
    for state in maps.outline("conus_states"):
        for polygon in getattr(state, "geoms", [state]):
            rings = [(polygon.exterior, 1), *((hole, -1) for hole in polygon.interiors)]
            for ring, sign in rings:
                lon, lat = np.radians(np.array(ring.coords)[:, :2].T)
                middle = (np.sin(lat[1:]) + np.sin(lat[:-1])) / 2
                area += sign * abs((np.diff(lon) * middle).sum())
    return area * EARTH_RADIUS**2


def test_cells_of_the_twin_cover_the_country() -> None:
    area = float(studies.load("twin", "smoke").grid.area.sum())
    assert outline_area() == pytest.approx(7_803_594, rel=1e-3)
    assert area == pytest.approx(outline_area(), rel=0.005)


def test_the_published_area_is_a_little_less_than_the_true_one() -> None:
    lat = np.arange(-89.75, 90, 0.5)
    degree = 2 * np.pi * 6371.0088 / 360
    sides = [0.5 * degree * np.cos(np.radians(abs(lat + half))) for half in (-0.25, 0.25)]
    np.testing.assert_allclose(stocks.published_area(lat), sum(sides) / 2 * 0.5 * degree)
    short = 1 - stocks.published_area(lat) / cell_area(lat)
    assert (short > 0).all() and short.max() < 1e-5


def test_coarse_fragments_are_taken_off_as_the_original_does() -> None:
    soil, coarse = np.linspace(9e4, 1e3, 20), np.array([5.0, 20.0, 60.0])
    mass = soil * CLM5.thickness
    # Parts of layers 5, 9 and 12 that lie above 30, 100 and 200 cm.
    to_30 = mass[:4].sum() + mass[4] * (0.30 - 0.20) / 0.12
    to_100 = mass[:8].sum() + mass[8] * (1.00 - 0.92) / 0.28
    to_200 = mass[:11].sum() + mass[11] * (2.00 - 1.88) / 0.40
    parts = np.array([to_30, to_100 - to_30, to_200 - to_100]) * (1 - coarse / 100)
    found = [stocks.fine_earth_stock(soil, *one, coarse) for one in stocks.INTERVALS]
    np.testing.assert_allclose(found, parts)
    assert stocks.fine_earth_stock(soil, 0, 2, coarse) == pytest.approx(parts.sum())
    below = (mass.sum() - to_100) * 0.4
    assert stocks.fine_earth_stock(soil, 1, 8.6, coarse) == pytest.approx(below)
    without = stocks.fine_earth_stock(np.tile(soil, (4, 1)), 0.1, 0.5, np.zeros((4, 3)))
    np.testing.assert_allclose(without, stocks.interval_stock(soil, 0.1, 0.5))
    with pytest.raises(ValueError, match="percent of the volume"):
        stocks.fine_earth_stock(soil, 0, 1, [0.1, 120.0, 0.0])


def test_spread_comes_from_resamples_and_lies_about_the_map(grid) -> None:
    few = grid.isel(cell=slice(4))
    units = np.random.default_rng(5).uniform(0.3, 0.7, (12, 4, 21))
    alone, resampled = predict(units[:1], few), predict(units, few)
    assert np.isnan(alone.stock_sd).all() and np.isnan(stock_map(alone, "x").total_low).all()
    found = stock_map(with_spread_of(alone, resampled), "12 resamples")
    np.testing.assert_array_equal(found.stock, alone.stock)
    relative = resampled.member_total.std("member", ddof=1) / alone.total
    # Student's t of 11 degrees of freedom at 97.5 %, on the logarithm.
    np.testing.assert_allclose(np.log(found.total_high / alone.total), 2.200985 * relative)
    np.testing.assert_allclose(found.total_low * found.total_high, alone.total**2)
    with pytest.raises(ValueError, match="4 cells of the resampled map lie elsewhere"):
        with_spread_of(alone, resampled.isel(cell=slice(None, None, -1)))


def test_too_few_members_give_no_interval_and_the_others_give_an_honest_one() -> None:
    for members in (3, stocks.FEWEST_MEMBERS - 1):
        totals = np.linspace(9, 11, members)
        assert np.isnan(stocks.spread_of_totals(totals)).all()
        assert np.isnan(stocks.spread_of_totals(totals, about=10.0)).all()
    rng = np.random.default_rng(2)
    # The logarithm of a total, known from resamples with an sd of 0.3: 95 % of intervals hold 1.
    totals = np.exp(rng.normal(0, 0.3, 4000))
    spread = totals * rng.normal(0, 0.3, (12, 4000))
    low, high = stocks.spread_of_totals(spread + totals, about=totals)
    assert (low > 0).all()
    assert ((low < 1) & (high > 1)).mean() == pytest.approx(0.95, abs=0.012)


def test_a_place_lies_in_the_cell_around_it_whatever_the_longitudes_count_from() -> None:
    rng = np.random.default_rng(1)
    lat, lon = (axis.ravel() for axis in np.meshgrid([41.25, 41.75, 42.25], [-80.25, -79.75]))
    some = rng.permutation(6)[:5]
    lon, lat = lon[some], lat[some]
    x, y = rng.uniform(-81, -79, 200), rng.uniform(40.5, 43, 200)
    found = cell_of(x, y, lon, lat)
    inside = (np.abs(x[:, None] - lon) < 0.25) & (np.abs(y[:, None] - lat) < 0.25)
    np.testing.assert_array_equal(found, np.where(inside.any(axis=1), inside.argmax(axis=1), -1))
    assert set(found) == {-1, 0, 1, 2, 3, 4}
    np.testing.assert_array_equal(cell_of(x + 360, y, lon, lat), found)
    np.testing.assert_array_equal(cell_of(x, y, lon + 360, lat), found)


def test_sources_stand_side_by_side_in_one_order_with_gaps_where_nothing_is_known(grid, unit):
    model = stock_map(predict(unit, grid), "3 draws")
    forest = model[["stock"]].sel(interval=["0-30 cm"]).drop_attrs() * 2
    joined = side_by_side({"proda": model, "forest": forest}, grid)
    assert joined.source.values.tolist() == ["forest", "proda"]
    assert joined.spread.values.tolist() == ["none", "3 draws"]
    twice = joined.total.sel(source="forest", interval="0-30 cm")
    assert twice == pytest.approx(2 * model.total.sel(interval="0-30 cm").item())
    table = table_of_totals(joined)
    assert table.groupby("source").size().to_dict() == {"forest": 1, "proda": 6}
    assert (table.cells == grid.sizes["cell"]).all()
    assert table.area_km2.iloc[0] == pytest.approx(grid.area.values.sum())
    with pytest.raises(ValueError, match="did you mean 'proda'"):
        side_by_side({"proba": model}, grid)
    with pytest.raises(ValueError, match="forest has 2 cells"):
        side_by_side({"forest": forest.isel(cell=slice(2))}, grid)
    with pytest.raises(ValueError, match="cells of proda lie elsewhere"):
        side_by_side({"proda": model.isel(cell=slice(None, None, -1))}, grid)
    east = model.assign_coords(lon=model.lon + 360)
    assert side_by_side({"proda": east}, grid).sizes["cell"] == grid.sizes["cell"]


@pytest.fixture(scope="module")
def file(grid, unit, tmp_path_factory: pytest.TempPathFactory) -> xr.Dataset:
    layers = predict(unit, grid)[["soc", "unit_mean"]]
    joined = side_by_side({"proda": stock_map(predict(unit, grid), "draws")}, grid)
    together = xr.merge([layers, joined], combine_attrs="override").assign_attrs(spread="draws")
    made = to_cf(together, title="a test", synthetic=True, size=0.5)
    path = tmp_path_factory.mktemp("cf") / "maps.nc"
    made.to_netcdf(path, engine="h5netcdf")
    return xr.open_dataset(path)


def test_a_cf_file_brings_every_cell_back_to_its_place(file, grid, unit) -> None:
    expected = predict(unit, grid)
    at = {name: xr.DataArray(grid[name].values, dims="cell") for name in ("lat", "lon")}
    soc = file.soc.sel(at).transpose("cell", "depth")
    np.testing.assert_allclose(soc, expected.soc, rtol=1e-6)
    stock = file.set_index(source="source_name", interval="interval_name").stock
    stock = stock.sel(at).sel(source="proda", interval="0-100 cm")
    np.testing.assert_allclose(1000 * stock, expected.stock.sel(interval="0-100 cm"), rtol=1e-6)
    assert int(np.isfinite(file.soc.isel(depth=0)).sum()) == grid.sizes["cell"]
    np.testing.assert_allclose(file.area.sel(at), grid.area, rtol=1e-6)


def test_a_cf_file_says_what_the_conventions_ask_for(file) -> None:
    assert file.attrs["Conventions"] == "CF-1.11" and "history" not in file.attrs
    assert file.attrs["title"].startswith("SYNTHETIC") and "made up" in file.attrs["data"]
    for name, standard, units in (
        ("lat", "latitude", "degrees_north"),
        ("lon", "longitude", "degrees_east"),
        ("depth", "depth", "m"),
        ("interval_depth", "depth", "m"),
        ("area", "cell_area", "km2"),
    ):
        assert (file[name].standard_name, file[name].units) == (standard, units)
    assert file.depth.positive == "down"
    for name in ("lat", "lon", "depth", "interval_depth"):
        bounds = file[file[name].bounds].values
        assert (bounds[:, 0] < file[name]).all() and (file[name] < bounds[:, 1]).all()
    np.testing.assert_allclose(np.diff(file.lat_bnds), 0.5)
    np.testing.assert_array_equal(file.depth_bnds.values[1:, 0], file.depth_bnds.values[:-1, 1])
    for name in ("soc", "stock", "stock_sd", "unit_mean"):
        assert file[name].units in ("g m-3", "kg m-2", "1")
        assert file[name].cell_measures == "area: area"
        assert file[name].encoding["zlib"] and file[name].encoding["_FillValue"] > 1e19
    assert "standard_name" not in file.stock.attrs
    for name, method in {
        "soc": "area: mean",
        "stock": "area: mean interval: sum",
        "stock_sd": "area: mean interval: sum realization: standard_deviation",
        "total": "area: sum interval: sum",
    }.items():
        assert file[name].cell_methods == method
    assert file.attrs["comment"] == "draws" and file.attrs["bedrock"] == "closed"
    assert file.source_kind.long_name == "truth, reference product, stand-in or model"
    for name in ("interval_bnds", "depth_bnds", "lat_bnds"):
        assert "coordinates" not in file[name].encoding


@pytest.mark.parametrize(
    ("lon", "message"),
    [([-80.25, -79.75, -79.4], "1 of 3 cells are off"), ([-80.25] * 3, "same centre")],
)
def test_cells_that_form_no_grid_are_refused(lon, message) -> None:
    cells = xr.Dataset(
        {"soc": ("cell", [1.0, 2.0, 3.0], {"units": "gC m-3"})},
        {"lon": ("cell", lon), "lat": ("cell", [40.25] * 3)},
    )
    with pytest.raises(ValueError, match=message):
        to_cf(cells, title="", synthetic=False, size=0.5)


@pytest.mark.parametrize(
    ("attributes", "message"),
    [({"units": "t ha-1"}, "soc has the unit 't ha-1'"), ({}, "soc has no attribute units")],
)
def test_values_without_a_unit_that_the_file_may_have_are_refused(attributes, message) -> None:
    cell = xr.Dataset({"soc": ("cell", [1.0], attributes)}, {"lon": ("cell", [-80.25])})
    cell = cell.assign_coords(lat=("cell", [40.25]))
    with pytest.raises(ValueError, match=message):
        to_cf(cell, title="", synthetic=False, size=0.5)


def test_a_single_row_of_cells_is_as_high_as_they_are_wide() -> None:
    cells = xr.Dataset(
        {"soc": ("cell", [1.0, 2.0], {"units": "gC m-3"})},
        {"lon": ("cell", [280.0, 281.25]), "lat": ("cell", [40.0] * 2)},
    )
    made = to_cf(cells, title="", synthetic=False)
    assert made.lat_bnds.values.tolist() == [[39.375, 40.625]]
    assert made.lon.values.tolist() == [-80.0, -78.75]
    with pytest.raises(ValueError, match="give its size"):
        to_cf(cells.isel(cell=[0]), title="", synthetic=False)


def test_training_sites_are_never_outside_themselves_and_a_shifted_one_is() -> None:
    study = studies.load("twin", "smoke")
    inside = outside_training(study.sites, study.sites)
    assert not inside[["outside", "unseen", "missing"]].to_array().any()
    table = study.sites.covariates.values.copy()
    table[2, 3] = table[:, 3].max() + 2 * table[:, 3].std()  # BIO1, a number
    table[4, 2] = 99  # ESA_Land_Cover, a class
    shifted = study.sites.assign(covariates=(("site", "covariate"), table))
    found = outside_training(study.sites, shifted)
    assert np.flatnonzero(found.outside).tolist() == [2]
    assert np.flatnonzero(found.unseen).tolist() == [4]
    assert found.farthest.values[2] == pytest.approx(2)


def test_a_covariate_that_says_nothing_at_the_sites_is_left_by_any_other_value() -> None:
    coords = {"covariate": ["a", "b"], "covariate_kind": ("covariate", ["continuous"] * 2)}
    table = ("site", "covariate")
    sites = xr.Dataset({"covariates": (table, [[3.0, np.nan], [3.0, np.nan]])}, coords)
    places = xr.Dataset({"covariates": (table, [[3.0, np.nan], [3.1, np.nan], [3.0, 1]])}, coords)
    found = outside_training(sites, places)
    assert found.outside.values.tolist() == [0, 1, 1]
    assert found.farthest.values.tolist() == [0, np.inf, np.inf]
