"""Maps to compare with: stand-ins from profiles, and products in the format of their files."""

from __future__ import annotations

import http.server
import sys
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr

from proda_lib import cli, references, stocks, studies
from proda_lib.cf_netcdf import to_cf
from proda_lib.references import files, stand_ins

#: Two by two cells of half a degree in New York.
CELLS = xr.Dataset(
    {
        "lon": ("cell", [-75.25, -74.75, -75.25, -74.75]),
        "lat": ("cell", [43.25, 43.25, 42.75, 42.75]),
        "area": ("cell", [2000.0, 2000.0, 2010.0, 2010.0]),
    }
)
ALL = (*stocks.INTERVALS, *stocks.FROM_SURFACE[1:])


def sites(classes: list[float], soc: list[float], place: list[float]) -> xr.Dataset:
    """Profiles of 2 m with one value each, at different places."""
    rows, depth = len(classes), np.tile([0.15, 0.65, 1.5], (len(classes), 1))
    covariates = np.column_stack([classes, np.zeros(rows)])
    return xr.Dataset(
        {
            "observed_depth": (("site", "observation"), depth),
            "observed_soc": (("site", "observation"), np.repeat(soc, 3).reshape(rows, 3)),
            "covariates": (("site", "covariate"), covariates),
        },
        coords={
            "lon": ("site", place),
            "lat": ("site", np.zeros(rows)),
            "covariate": ["WRB_Subgroup", "other"],
        },
    )


def classed(classes: list[float]) -> xr.Dataset:
    covariates = np.column_stack([classes, np.zeros(len(classes))])
    return CELLS.assign(covariates=(("cell", "covariate"), covariates)).assign_coords(
        covariate=["WRB_Subgroup", "other"]
    )


def test_cells_take_the_mean_of_their_class_or_of_all_profiles() -> None:
    profiles = sites([1, 1, 2, 2, 3, np.nan], [10, 20, 30, 50, 90, 40], np.arange(6.0))
    found = stand_ins.soil_class_means(
        profiles, classed([1, 2, 3, np.nan]), ALL, seed=1, resamples=50, fewest=2
    )
    # 15 and 40 gC m-3 for the classes, 40 for all: class 3 has one profile, the last cell no class.
    np.testing.assert_allclose(found.stock[:, 0], np.array([15, 40, 40, 40]) * 0.3)
    np.testing.assert_allclose(found.stock.sel(interval="0-200 cm"), np.array([15, 40, 40, 40]) * 2)
    assert found.fallback[:, 0].values.tolist() == [False, False, True, True]
    assert (found.classes, found.classes_too_small, found.fewest) == (2, 1, 2)
    assert float(found.fallback_area[0]) == pytest.approx(4020 / 8020)
    total = stocks.total(found.stock[:, 0], found.area)
    assert float(found.total[0]) == pytest.approx(total)


def test_intervals_that_overlap_add_up_where_fewer_profiles_reach_deep() -> None:
    profiles = sites([1.0] * 8, [float(value) for value in range(10, 90, 10)], np.arange(8.0))
    profiles.observed_depth[:5, 1:] = profiles.observed_soc[:5, 1:] = np.nan
    cells = classed([1, 1, 1, 1])
    found = stand_ins.soil_class_means(profiles, cells, ALL, seed=1, resamples=5, fewest=2)
    assert float(found.stock[0, 2]) != pytest.approx(float(found.stock[0, 0]) / 0.3)
    np.testing.assert_allclose(found.stock[:, :3].sum("interval"), found.stock[:, 4])


def test_profiles_from_one_place_do_not_pretend_to_know_more() -> None:
    soc, place = list(np.random.default_rng(1).uniform(10, 90, 20)), np.arange(20.0)
    cells, one = classed([1, 1, 1, 1]), sites([1.0] * 20, soc, place)
    four = one.isel(site=np.repeat(np.arange(20), 4))
    sd = [
        float(stand_ins.soil_class_means(each, cells, seed=1).stock_sd[0, 0])
        for each in (one, four)
    ]
    assert sd[1] == pytest.approx(sd[0], rel=0.01)
    assert sd[0] == pytest.approx(0.3 * np.std(soc) / np.sqrt(20), rel=0.1)


def test_a_study_without_soil_classes_is_refused() -> None:
    profiles, cells = sites([1.0], [1.0], [0.0]), classed([1, 1, 1, 1])
    none = profiles.drop_vars(["covariates", "covariate"])
    other = profiles.assign_coords(covariate=["x", "y"])
    for pair in ((other, cells), (none, cells), (profiles, CELLS)):
        with pytest.raises(ValueError, match=r"no soil class.*WRB_Subgroup.*forest_map"):
            stand_ins.soil_class_means(*pair, seed=1)
    for pair in ((none, cells), (profiles, CELLS)):
        with pytest.raises(ValueError, match=r"no covariates.*leave the forest out"):
            stand_ins.forest_map(*pair, seed=1)


def test_the_forest_ends_at_bedrock_and_fills_what_is_missing() -> None:
    study = studies.load("twin", "smoke")
    cells = study.grid.isel(cell=slice(6)).copy(deep=True)
    cells["bedrock_layer"][:] = [20, 3, 20, 20, 20, 20]
    cells["covariates"][2, 5:9] = np.nan
    same = {"trees": 5, "resamples": 3, "trees_of_resample": 2}
    found = stand_ins.forest_map(study.sites, cells, ALL, seed=1, **same)
    # The third layer ends at 12 cm.
    assert float(found.stock[1, 0]) > 0
    np.testing.assert_array_equal(found.stock[1, 1:3], 0.0)
    assert np.isfinite(found.stock).all()
    np.testing.assert_allclose(found.stock[:, :3].sum("interval"), found.stock[:, 4])
    again = stand_ins.forest_map(study.sites, cells, ALL, seed=1, **same)
    xr.testing.assert_identical(found, again)
    assert found.total_low.isnull().all()  # three forests are too few for an interval


def test_a_missing_class_is_the_most_frequent_and_a_missing_number_the_median() -> None:
    profiles = sites([4, 9, 9, 1, 2], [10, 50, 60, 20, 30], np.arange(5.0))
    profiles.covariates[:, 1] = [1, 2, 3, 40, 50]
    kind = {"covariate_kind": ("covariate", ["category", "continuous"])}
    profiles, cells = profiles.assign_coords(kind), classed([9, np.nan, 9, 4])
    cells.covariates[:, 1] = [3, np.nan, np.nan, 3]
    cells = cells.assign(bedrock_layer=("cell", [20] * 4)).assign_attrs(soil_grid="CLM5")
    few = {"trees": 20, "resamples": 2, "trees_of_resample": 1}
    west, missing, other, _ = stand_ins.forest_map(profiles, cells, seed=1, **few).stock.values
    np.testing.assert_array_equal(missing, west)
    np.testing.assert_array_equal(other, west)


def test_stand_ins_become_files_that_other_programs_understand() -> None:
    study = studies.load("twin", "smoke")
    cells, few = study.grid, {"trees": 2, "resamples": 2, "trees_of_resample": 1}
    for found in (
        stand_ins.soil_class_means(study.sites, cells, seed=1, resamples=20),
        stand_ins.forest_map(study.sites, cells, seed=1, **few),
    ):
        written = to_cf(found, title="a stand-in", synthetic=True)
        assert (written.stock.units, written.total.units) == ("kg m-2", "Pg")
        place = {"lat": float(cells.lat[7]), "lon": float(cells.lon[7])}
        np.testing.assert_allclose(written.stock.sel(place), found.stock[7] / 1000)


def test_every_cell_of_the_forest_has_a_spread() -> None:
    study = studies.load("twin", "smoke")
    cells = study.grid.isel(cell=slice(None, None, 40))
    few = {"trees": 5, "resamples": 10, "trees_of_resample": 2}
    found = stand_ins.forest_map(study.sites, cells, seed=1, **few)
    assert (found.stock_sd[:, 0] > 0).all()
    assert (found.total_low < found.total).all() and (found.total < found.total_high).all()
    assert (found.total_low > 0).all()


# --- WISE30sec ------------------------------------------------------------------------------------

HEADER = "NEWSUID,SCID,PROP,CLAF,Layer,TopDep,BotDep,CFRAG,ORGC,BULK"
LAYERS = [("D1", 0, 20), ("D2", 20, 40), ("D3", 40, 60), ("D4", 60, 80), ("D5", 80, 100)]
LAYERS += [("D6", 100, 150), ("D7", 150, 200)]


def soil(unit: str, number: int, share: int, *values: Any, layers: int = 7) -> list[str]:
    """Rows of one soil with the same coarse fragments, carbon and density in all layers."""
    each = ",".join(str(value) for value in values)
    return [
        f"{unit},{number},{share},X,{n},{top},{base},{each}" for n, top, base in LAYERS[:layers]
    ]


#: WD1: two soils, the second only 20 cm deep. WD2: half water. WD3: a third town. WD4: rock below.
TABLE = [
    HEADER,
    *soil("WD1", 1, 75, 20, 10, 1.5),
    *soil("WD1", 2, 25, 0, 40, 1.0, layers=1),
    *soil("WD2", 1, 50, -1, -1, -1),
    *soil("WD2", 2, 50, 0, 10, 1.0),
    *soil("WD3", 1, 40, -9, -9, -9),
    *soil("WD3", 2, 60, 50, 10, 1.0),
    *soil("WD4", 1, 100, 0, 10, 1.0)[:3],
    *soil("WD4", 1, 100, -7, -7, -7)[3:],
]
NUMBERS = ["pixel_vaue\tdescription", "0\tnodata", "1\tWD1", "2\tWD2", "3\tWD3", "4\tWD4"]


def raster(path: Path, values: np.ndarray, transform: Any, crs: Any, nodata: Any = None) -> Path:
    rasterio = pytest.importorskip("rasterio")
    path.parent.mkdir(parents=True, exist_ok=True)
    rows, columns = values.shape
    with rasterio.open(
        path, "w", driver="GTiff", width=columns, height=rows, count=1, dtype=values.dtype,
        crs=crs, transform=transform, nodata=nodata,
    ) as target:  # fmt: skip
        target.write(values, 1)
    return path


def wise_raster(path: Path, crs: str = "EPSG:4326") -> Path:
    """Map units at 30 arc-seconds; a row and a column more than the cells on each side."""
    from rasterio.transform import from_origin

    numbers = np.zeros((122, 122), np.uint16)
    numbers[1:61, 1:31] = 1  # the north-western cell: half WD1, half sea
    numbers[1:61, 61:91], numbers[1:61, 91:121] = 2, 3
    numbers[61:121, 1:61] = 4
    numbers[61:91, 61:121] = 9  # a number without a unit
    step = 1 / 120
    return raster(path, numbers, from_origin(-75.5 - step, 43.5 + step, step, step), crs)


#: Goode's homolosine projection, and where the files of the tests begin in it.
IGH = "+proj=igh +datum=WGS84 +units=m"
LEFT, TOP = -9_200_000.0, 4_950_000.0


class Products:
    """A cache of its own, and where the files of products go."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def wise(self, table: list[str] = TABLE, crs: str = "EPSG:4326") -> Path:
        target = self.root / "downloads" / "wise30sec" / "wise_30sec_v1.zip"
        target.parent.mkdir(parents=True, exist_ok=True)
        inside = "wise_30sec_v1/Interchangeable_format"
        with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.write(wise_raster(self.root / "w.tif", crs), f"{inside}/wise_30sec_v1.tif")
            archive.writestr(f"{inside}/wise_30sec_v1.tsv", "\n".join(NUMBERS))
            archive.writestr(f"{inside}/HW30s_FULL.txt", "\n".join(table))
        return target

    def soilgrids(self, change: dict[str, Any] | None = None, crs: str = IGH) -> None:
        for name in references.files.missing_files("soilgrids250m"):
            variable = name.partition("_")[0]
            value = {"soc": 200, "bdod": 130, "cfvo": 100} | (change or {})
            self.one(name, value[variable], crs)

    def one(self, name: str, value: Any, crs: str = IGH) -> None:
        from rasterio.transform import from_origin

        path = self.root / "downloads" / "soilgrids250m" / name
        place = from_origin(LEFT, TOP, 5000, 5000) if "igh" in crs else from_origin(-90, 50, 1, 1)
        values = np.empty((80, 260), np.int16)
        values[:] = value
        raster(path, values, place, crs, nodata=-32768)


@pytest.fixture
def products(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Products:
    monkeypatch.setenv("PRODA_CACHE", str(tmp_path))
    monkeypatch.delenv("PRODA_MIRROR", raising=False)
    return Products(tmp_path)


def problem(call: Any, *arguments: Any, **named: Any) -> str:
    with pytest.raises(files.ReferenceFileError) as error:
        call(*arguments, **named)
    assert "\n" not in str(error.value)
    return str(error.value)


def test_wise30sec_agrees_with_pixels_computed_by_hand(products: Products) -> None:
    products.wise()
    found = references.load("wise30sec", CELLS, ALL)
    west, east, south_west, _ = found.stock.values
    # 75 % with 10 g/kg x 1500 kg m-3 x 0.8 = 12 kg m-3, 25 % with 40 kg m-3 down to 20 cm.
    first = 0.75 * 12e3 * np.array([0.3, 0.7, 1.0]) + 0.25 * np.array([40e3 * 0.2, 0, 0])
    np.testing.assert_allclose(west[:3], first)
    # The next cell: WD2, half water, with 10 kg m-3; WD3 with 5 kg m-3 stands for its town too.
    np.testing.assert_allclose(east[0], (0.5 * 10e3 + 1.0 * 5e3) / 1.5 * 0.3)
    np.testing.assert_allclose(south_west[:3], [3e3, 3e3, 0.0])  # rock below 60 cm
    np.testing.assert_allclose(found.land, [0.5, 0.75, 1.0, 0.5], atol=3e-3)
    assert found.known[2].values.tolist() == [1.0] * 5
    np.testing.assert_allclose(found.stock[:, :3].sum("interval", skipna=False), found.stock[:, 4])


def test_numbers_without_a_unit_and_codes_are_counted(products: Products) -> None:
    products.wise()
    found = references.load("wise30sec", CELLS)
    assert found.pixels_without_unit == 30 * 60
    assert (found.layers_water, found.layers_unknown, found.layers_none) == (7, 7, 4)
    assert np.isnan(found.stock[3]).all() and not found.known[3].any()
    assert float(found.total[0]) == pytest.approx(stocks.total(found.stock[:, 0], found.area))


def test_a_column_that_is_missing_is_named(products: Products) -> None:
    products.wise([row.replace("ORGC", "TOTC") for row in TABLE])
    text = problem(references.load, "wise30sec", CELLS)
    assert "HW30s_FULL.txt lacks the columns ORGC" in text and "TOTC" in text


def test_a_projected_raster_is_refused(products: Products) -> None:
    products.wise(crs="EPSG:3857")
    assert "EPSG:3857, expected longitude and" in problem(references.load, "wise30sec", CELLS)


def test_a_truncated_archive_says_what_to_do(products: Products) -> None:
    archive = products.wise()
    archive.write_bytes(archive.read_bytes()[:-400])
    text = problem(references.load, "wise30sec", CELLS)
    assert "broken zip archive" in text and "`proda data wise30sec`" in text
    products.wise()  # what is put in its place is not taken for a change
    assert references.load("wise30sec", CELLS).sizes["cell"] == 4


def test_an_archive_with_a_damaged_member_is_not_recorded(products: Products) -> None:
    archive = products.wise()
    content = bytearray(archive.read_bytes())
    content[200:260] = bytes(60)
    archive.write_bytes(content)
    assert "broken zip archive" in problem(files.fetch_product, "wise30sec", download=False)
    assert not (archive.parent / "sha256.json").exists()


def test_the_archive_is_hashed_once(products: Products, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    monkeypatch.setattr(files, "sha256", lambda path: seen.append(path) or "0" * 64)
    products.wise()
    references.load("wise30sec", CELLS)
    assert len(seen) == 1


def test_longitudes_from_0_to_360_are_the_same_cells(products: Products) -> None:
    products.wise()
    products.soilgrids()
    turned = CELLS.assign(lon=CELLS.lon + 360)
    for name in references.PRODUCTS:
        found, same = references.load(name, turned), references.load(name, CELLS)
        np.testing.assert_array_equal(found.stock, same.stock)
        assert float(found.lon[0]) == 284.75 and np.isfinite(found.stock[0]).all()


@pytest.mark.parametrize("name", list(references.PRODUCTS))
def test_cells_beyond_the_files_are_an_error_not_a_blank(products: Products, name: str) -> None:
    products.wise()
    products.soilgrids()
    for east, north in ((0, 1.5), (0, -40), (-60, 0)):  # the first lies across the edge
        moved = CELLS.assign(lon=CELLS.lon + east, lat=CELLS.lat + north)
        assert "does not reach all cells" in problem(references.load, name, moved)


def test_cells_off_half_degrees_are_refused(products: Products) -> None:
    products.wise()
    with pytest.raises(ValueError, match=r"1 of 4 cells are off a regular grid of 0\.5"):
        references.load("wise30sec", CELLS.assign(lon=CELLS.lon + [0, 0.1, 0, 0]))


# --- SoilGrids ------------------------------------------------------------------------------------


def test_soilgrids_agrees_with_a_pixel_computed_by_hand(products: Products) -> None:
    products.soilgrids()
    found = references.load("soilgrids250m", CELLS, ALL)
    # 20 g/kg x 1300 kg m-3 x (1 - 0.1) = 23.4 kg m-3 everywhere.
    np.testing.assert_allclose(found.stock, 23_400 * np.tile([0.3, 0.7, 1, 1, 2], (4, 1)))
    np.testing.assert_allclose(found.land, 1.0)


def test_soilgrids_says_how_much_of_the_land_it_knows(products: Products) -> None:
    from rasterio.warp import transform

    products.soilgrids()
    x, _ = transform("EPSG:4326", IGH, [-75.25], [43.25])
    half = np.full((80, 260), 200, np.int16)
    half[:, int((x[0] - LEFT) / 5000) :] = -32768
    products.one("soc_60-100cm_mean_5000.tif", half)
    found = references.load("soilgrids250m", CELLS, ALL)
    np.testing.assert_allclose(found.land, 1.0)
    upper, middle = found.known.sel(interval="0-30 cm"), found.known.sel(interval="30-100 cm")
    np.testing.assert_array_equal(upper, 1.0)
    assert 0.3 < float(middle[0]) < 0.7  # the north-western cell is cut in the middle
    assert float(middle[1]) == 0 and np.isnan(found.stock.sel(interval="30-100 cm")[1])
    np.testing.assert_array_equal(found.known.sel(interval="0-200 cm"), middle)


def test_layers_of_soilgrids_lie_where_their_names_say(products: Products) -> None:
    products.soilgrids()
    products.one("soc_30-60cm_mean_5000.tif", 0)
    found = references.load("soilgrids250m", CELLS, [(0.2, 0.7)])
    np.testing.assert_allclose(found.stock, 23_400 * 0.2)


def test_soilgrids_is_averaged_over_the_area_of_a_cell(products: Products) -> None:
    from rasterio.warp import transform

    products.soilgrids({"bdod": 100, "cfvo": 0})
    soc = np.random.default_rng(1).integers(0, 2000, (80, 260))
    soc[soc < 500] = -32768
    for top, base in files.SOILGRIDS_DEPTHS:
        products.one(f"soc_{top}-{base}cm_mean_5000.tif", soc)
    found = references.load("soilgrids250m", CELLS, [(0, 1)])
    # The other way round: a dense net of points in the cell, and the pixel in which each lies.
    fine = (np.arange(400) + 0.5) / 800 - 0.25
    for cell in range(4):
        lon, lat = np.meshgrid(float(CELLS.lon[cell]) + fine, float(CELLS.lat[cell]) + fine)
        x, y = np.array(transform("EPSG:4326", IGH, lon.ravel(), lat.ravel()))
        value = soc[((TOP - y) / 5000).astype(int), ((x - LEFT) / 5000).astype(int)]
        area, soil = np.cos(np.radians(lat.ravel())), value >= 0
        expected = 100 * np.average(value, weights=area * soil)
        assert float(found.stock[cell, 0]) == pytest.approx(expected, rel=0.003)
        assert float(found.land[cell]) == pytest.approx(np.average(soil, weights=area), abs=0.003)


def test_without_rasterio_the_reader_is_told(products, monkeypatch: pytest.MonkeyPatch) -> None:
    products.soilgrids()
    monkeypatch.setitem(sys.modules, "rasterio", None)
    assert "`pip install -e '.[references]'`" in problem(references.load, "soilgrids250m", CELLS)
    assert not (files.product_folder("soilgrids250m") / "sha256.json").exists()  # read by nobody


def test_files_that_do_not_belong_together_are_refused(products: Products) -> None:
    products.soilgrids()
    products.one("bdod_0-5cm_mean_5000.tif", 130, "EPSG:4326")
    text = problem(references.load, "soilgrids250m", CELLS)
    assert "EPSG:4326" in text and "+proj=igh" in text


def test_a_raster_that_ends_too_early_is_named(products: Products) -> None:
    products.soilgrids()
    path = products.root / "downloads" / "soilgrids250m" / "cfvo_5-15cm_mean_5000.tif"
    path.write_bytes(path.read_bytes()[:3000])
    text = problem(references.load, "soilgrids250m", CELLS)
    assert "cfvo_5-15cm" in text and "cannot be read as a raster" in text
    path.unlink()
    products.one(path.name, 100)
    assert references.load("soilgrids250m", CELLS).sizes["cell"] == 4


# --- files ----------------------------------------------------------------------------------------


@pytest.fixture
def server(products: Products, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, bytes]]:
    """Serve what the test puts into the dict, by path; the product wise30sec lies there."""
    served: dict[str, bytes] = {}

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            content = served.get(self.path)
            if content is None:
                self.send_error(404)
                return
            start = int(self.headers.get("Range", "bytes=0-")[6:-1])
            served["starts"] = served.get("starts", b"") + f"{start} ".encode()
            end = len(content) - len(served.get("cut", b""))
            self.send_response(206 if start else 200)
            self.send_header("Content-Length", str(len(content) - start))
            self.end_headers()
            self.wfile.write(content[start:end])

        def log_message(self, *args: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as local:
        threading.Thread(target=local.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{local.server_port}/wise_30sec_v1.zip"
        monkeypatch.setitem(files.ADDRESSES, "wise30sec", (address,))
        yield served
        local.shutdown()


def test_a_download_is_recorded_and_must_stay_the_same(products: Products, server) -> None:
    made = products.wise()
    server["/wise_30sec_v1.zip"] = made.read_bytes()
    made.unlink()
    assert files.missing_files("wise30sec") == ["wise_30sec_v1.zip"]
    files.fetch_product("wise30sec", progress=False)
    server.clear()
    assert references.load("wise30sec", CELLS).sizes["cell"] == 4
    made.write_bytes(made.read_bytes() + b"more")
    text = problem(references.load, "wise30sec", CELLS)
    assert "has changed" in text and "move it away" in text


@pytest.mark.parametrize(
    ("answer", "expected"),
    [(None, "HTTP status 404"), (b"<html>sorry</html>", "18 bytes that are no zip file")],
)
def test_what_cannot_be_fetched_leaves_nothing(products, server, answer, expected) -> None:
    if answer is not None:
        server["/wise_30sec_v1.zip"] = answer
    text = problem(files.fetch_product, "wise30sec", progress=False)
    for part in (expected, "http://127.0.0.1", "downloads/wise30sec/wise_30sec_v1.zip", "MIRROR"):
        assert part in text
    folder = files.product_folder("wise30sec")
    assert not folder.exists() or list(folder.iterdir()) == []


def test_a_product_that_came_in_part_is_continued(products: Products, server) -> None:
    made = products.wise()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("long.bin", np.random.default_rng(1).bytes(300_000))
    whole = made.read_bytes()
    made.unlink()
    server |= {"/wise_30sec_v1.zip": whole, "cut": b"x" * 100_000}
    text = problem(files.fetch_product, "wise30sec", progress=False)
    (part,) = made.parent.iterdir()
    came = part.stat().st_size
    assert part.name == "wise_30sec_v1.part.zip" and 0 < came <= len(whole) - 100_000
    assert f"{came:,} bytes are kept" in text and files.missing_files("wise30sec")
    del server["cut"], server["starts"]
    files.fetch_product("wise30sec", progress=False)
    assert made.read_bytes() == whole and server["starts"] == f"{came} ".encode()


def test_a_part_of_another_product_file_is_thrown_away(products: Products, server) -> None:
    made = products.wise()
    whole = made.read_bytes()
    made.unlink()
    server["/wise_30sec_v1.zip"] = whole
    # Its end is the right one, so it is a zip archive by its looks; its members are broken.
    made.with_name("wise_30sec_v1.part.zip").write_bytes(b"x" * (len(whole) // 2))
    files.fetch_product("wise30sec", progress=False)
    assert made.read_bytes() == whole
    assert server["starts"] == f"{len(whole) // 2} 0 ".encode()


def test_a_mirror_is_used_in_place(products: Products, monkeypatch: pytest.MonkeyPatch) -> None:
    mirror = products.root / "mirror"
    target = mirror / "files.isric.org" / "public" / "wise" / "wise_30sec_v1.zip"
    target.parent.mkdir(parents=True)
    products.wise().rename(target)
    monkeypatch.setenv("PRODA_MIRROR", str(mirror))
    assert files.fetch_product("wise30sec", download=False)["wise_30sec_v1.zip"] == target
    real = studies.Study(studies.info("newyork"), "class", CELLS, CELLS, None)  # type: ignore[arg-type]
    made = studies.Study(studies.info("twin"), "class", CELLS, CELLS, None)  # type: ignore[arg-type]
    assert references.available(real) == ("wise30sec",)
    assert references.available(made) == ()


def test_the_command_lists_products_and_says_what_is_missing(products, server, capsys) -> None:
    assert cli.main(["data", "wise30sec", "--list"]) == 0
    assert "1 files missing" in capsys.readouterr().out
    assert cli.main(["data", "wise30sec"]) == 1
    assert "HTTP status 404" in capsys.readouterr().err
    made = products.wise()
    server["/wise_30sec_v1.zip"] = made.read_bytes()
    made.unlink()
    assert cli.main(["data", "wise30sec"]) == 0
    assert "present" in capsys.readouterr().out


def test_an_unknown_product_names_the_nearest() -> None:
    with pytest.raises(ValueError, match="did you mean 'wise30sec'"):
        references.load("wise30", CELLS)
