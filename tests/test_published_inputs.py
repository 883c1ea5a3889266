"""The published study's own inputs: synthetic files in their layout, and the real ones at hand."""

from __future__ import annotations

import os
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from proda_lib import paths, steady_state, studies
from proda_lib.configurations import CHAPTER, CLM5_20
from proda_lib.soil_grid import CLM5, CLM45
from proda_lib.studies import download, newyork, schema
from proda_lib.studies.published import build, covariates, filters, forcing, profiles, source
from tests import published_inputs as made

real = pytest.mark.skipif(
    not os.environ.get("PRODA_MIRROR"), reason="real data: set PRODA_MIRROR to a mirror"
)

_USED = ["ordinary", "tie", "gaps", "rising", "shallow", "withheld"]


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder INPUT_DATA of synthetic files; `place` points the library at them."""
    folder = tmp_path_factory.mktemp("published")
    inputs = made.write_all(folder / "mirror")
    (folder / "data").mkdir()
    (folder / "data" / "outlines").symlink_to(paths.data() / "outlines")
    made.write_registry(folder / "data", inputs)
    return inputs


@contextmanager
def _pointed_at(root: Path) -> Iterator[Path]:
    """Point the library at the synthetic files; yield the folder that holds everything."""
    folder = next(each for each in root.parents if each.name == "mirror").parent
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PRODA_CACHE", str(folder / "cache"))
        patch.setenv("PRODA_MIRROR", str(folder / "mirror"))
        patch.setattr(paths, "data", lambda: folder / "data")
        yield folder


@pytest.fixture
def place(root: Path) -> Iterator[Path]:
    with _pointed_at(root) as folder:
        yield folder


@pytest.fixture(scope="module")
def conus(root: Path) -> studies.Study:
    with _pointed_at(root):
        return studies.load("conus", "smoke")


def _by_name(study: studies.Study) -> dict[str, int]:
    return {made.NAMES[number]: i for i, number in enumerate(study.sites.profile_id.values)}


def test_the_study_has_the_common_form_and_the_right_sites(conus: studies.Study) -> None:
    schema.check(conus.sites, "site", "conus")
    schema.check(conus.grid, "cell", "conus")
    assert list(_by_name(conus)) == _USED
    assert not conus.synthetic and conus.sites.attrs["soil_grid"] == "CLM5"
    assert conus.sites.source_profile_id.values[0] == 1001
    # All but New York and Kansas lie at sea, in Canada or abroad.
    assert conus.grid.lon.values.tolist() == [-74.75, -100.25]
    assert conus.grid.source_row.values.tolist() == [0, 1]
    assert conus.grid.area.values[0] == pytest.approx(3091 * np.cos(np.radians(42.25)), rel=1e-3)


def test_everything_left_out_is_counted_once(conus: studies.Study) -> None:
    table = conus.exclusions.set_index("reason")
    found = {reason: n for reason, n in table.profiles.items() if n}
    assert found == {
        "profile without the country code of the United States (156)": 2,
        "profile outside the box of the lower 48 states": 1,
        "profile without complete forcing": 1,
        "profile without carbon input": 1,
        "profile without a positive observation": 1,
        "profile with a single positive observation": 1,
    }
    assert table.profiles.sum() + conus.sites.sizes["site"] == len(made.PROFILES)
    assert table.layers["layer with SOC of exactly 0"] == 1
    assert table.layers["layer with SOC or depth missing"] == 2
    assert table.cells["cell of the map outside the box of the lower 48 states"] == 1
    assert table.cells["cell of the map in the box but not in these states"] == 2
    assert table.cells.sum() + conus.grid.sizes["cell"] == len(made.GRID)


def test_values_are_those_of_the_nearest_cell(conus: studies.Study) -> None:
    sites = conus.sites
    for name, cell in {
        "ordinary": made.NEW_YORK,
        "tie": made.NEW_YORK,
        "gaps": made.KANSAS,
    }.items():
        site = sites.isel(site=_by_name(conus)[name])
        for variable, field in forcing.FIELDS.items():
            np.testing.assert_array_equal(site[variable].values, made.field(field, cell).T)
        inputs = np.stack([made.field(field, cell) for field in forcing.INPUTS])
        by_hand = (inputs * CLM5.thickness).sum(axis=-1)
        np.testing.assert_allclose(site.litter_input.values, by_hand)
        np.testing.assert_allclose(site.layered_litter_input.values, inputs.sum(axis=1))
        assert site.sand.values[3] == made.field("CELLSAND", cell)[0, 3]
        assert int(site.bedrock_layer) == 12 + made.CELLS.index(cell)
        seconds = 365 * 86400
        production = made.field("NPP", cell)[0] * seconds
        assert float(site.net_primary_production) == pytest.approx(production)
    assert (sites.oxygen_scalar.values == 1).all()
    assert len(np.unique(sites.forcing_id)) == 2


def test_observations_are_those_of_the_profile_in_their_order(conus: studies.Study) -> None:
    for name in ("ordinary", "tie", "gaps"):
        site = conus.sites.isel(site=_by_name(conus)[name])
        layers = made.PROFILES[name][-1]
        expected = [(z, c) for z, c in layers if np.isfinite(z) and np.isfinite(c) and c > 0]
        there = np.isfinite(site.observed_soc.values)
        np.testing.assert_allclose(
            site.observed_depth.values[there], [z / 100 for z, _ in expected]
        )
        np.testing.assert_array_equal(site.observed_soc.values[there], [c for _, c in expected])


def test_covariates_are_the_original_columns(conus: studies.Study) -> None:
    table = covariates.covariate_table()
    assert len(table) == 60 and table.site_column.is_unique
    # Names of `newyork` keep their units and kinds; the others are those of the twin's 60.
    merged = newyork.covariate_table().merge(table, on="name", suffixes=("", "_60"))
    assert len(merged) == 38
    assert (merged.units == merged.units_60).all() and (merged.kind == merged.kind_60).all()
    twin = pd.read_csv(Path(studies.__file__).parent / "twin" / "tables" / "covariates.csv")
    assert twin[["name", "units", "kind"]].equals(table[["name", "units", "kind"]])
    rows = made.site_rows()
    site = conus.sites.isel(site=_by_name(conus)["gaps"])
    own = rows[made.NAMES.index("gaps")]
    for name, column in {"BIO1": 19, "Clay_Content_30cm": 46, "nbedrock": 80}.items():
        assert float(site.covariates.sel(covariate=name)) == own[column - 1]
        cell = conus.grid.isel(cell=1)
        assert float(cell.covariates.sel(covariate=name)) == made.grid_rows()[1, column - 4]
    assert conus.sites.complete_covariates.values.all()


def test_the_rules_before_the_network_mark_sites(conus: studies.Study) -> None:
    index = _by_name(conus)
    eligible = {name for name, i in index.items() if conus.sites.eligible.values[i]}
    # Layers of zero SOC count here, as in the original; the others each break a rule.
    assert eligible == {"ordinary", "tie", "gaps"}
    listed = {name for name, i in index.items() if conus.sites.listed.values[i]}
    assert listed == {"ordinary", "gaps"}


@pytest.mark.parametrize("configuration", [CLM5_20, CHAPTER], ids=lambda each: each.name)
def test_both_configurations_run(place: Path, configuration) -> None:
    study = studies.load("conus", "smoke", soil_grid=configuration.grid.name)
    schema.check(study.sites, "site", "conus")
    schema.check(study.grid, "cell", "conus")
    for rows in (study.sites, study.grid):
        soc = steady_state.soil_carbon(configuration.default, rows, configuration=configuration)
        assert soc.shape == (len(soc), configuration.grid.layers)
        assert np.isfinite(soc).all() and (soc[:, 0] > 0).all()


def test_the_world_has_every_profile_and_the_frozen_ground(place: Path) -> None:
    study = studies.load("global", "class", soil_grid="CLM45")
    assert list(_by_name(study)) == [*_USED, "siberia"]
    site = study.sites.isel(site=-1)
    assert (site.active_layer_depth.values == 0.7).all()
    assert (site.active_layer_depth_last_year.values == 0.8).all()
    assert bool(site.eligible) and study.grid.sizes["cell"] == 3
    assert study.name == "global" and study.data_hash != studies.data_key("conus", "class")


def test_ten_layers_keep_what_must_be_kept(conus: studies.Study, place: Path) -> None:
    ten = studies.load("conus", "smoke", soil_grid="CLM45").sites
    twenty = conus.sites
    for name in ("litter_input", "active_layer_depth", "net_primary_production", "observed_soc"):
        np.testing.assert_array_equal(ten[name].values, twenty[name].values)
    total = twenty.layered_litter_input.values @ CLM5.thickness
    np.testing.assert_allclose(ten.layered_litter_input.values @ CLM45.thickness, total)
    # By hand: node 5 of CLM4.5 (0.2121934 m) lies between CLM5's nodes 4 (0.16) and 5 (0.26).
    share = (CLM45.node[4] - 0.16) / 0.10
    by_hand = (1 - share) * twenty.soil_temperature[:, 3] + share * twenty.soil_temperature[:, 4]
    np.testing.assert_allclose(ten.soil_temperature[:, 4].values, by_hand.values)
    ratio = twenty.water_potential[:, 4] / twenty.water_potential[:, 3]
    by_hand = twenty.water_potential[:, 3] * ratio**share
    np.testing.assert_allclose(ten.water_potential[:, 4].values, by_hand.values)
    np.testing.assert_array_equal(ten.water_scalar[:, 0].values, twenty.water_scalar[:, 0].values)
    # Layer 1 of CLM4.5 (1.75 cm) lies within layer 1 of CLM5, layer 2 holds 2.5 mm of it.
    inside = (0.02 - CLM45.interface[0]) / CLM45.thickness[1]
    sand = twenty.sand.values
    np.testing.assert_allclose(ten.sand.values[:, 0], sand[:, 0])
    np.testing.assert_allclose(
        ten.sand.values[:, 1], inside * sand[:, 0] + (1 - inside) * sand[:, 1]
    )
    # Layers 12 and 13 of CLM5 end at 2.28 and 2.72 m: in CLM4.5's layers 9 (2.296 m) and 10.
    assert sorted(set(ten.bedrock_layer.values.tolist())) == [9, 10]


def test_nearest_cells_by_hand() -> None:
    lon, lat = source.nearest_cells(
        [-179.9, -179.375, -179.3749, 179.9, -74.375], [89.9, 89.53125, 89.5312, -89.9, 42.1875]
    )
    assert lon.tolist() == [0, 0, 1, 575, 168]
    assert lat.tolist() == [0, 0, 1, 383, 101]
    places = np.random.default_rng(1).uniform([-180, -90], [180, 90], (500, 2)).T
    lon, lat = source.nearest_cells(*places)
    np.testing.assert_array_equal(lon, np.abs(source.LON[:, None] - places[0]).argmin(axis=0))
    np.testing.assert_array_equal(lat, np.abs(source.LAT[:, None] - places[1]).argmin(axis=0))


def test_a_field_is_read_in_pieces(root: Path) -> None:
    lon, lat = np.array(made.CELLS).T
    tracemalloc.start()
    values = source.read_cells(root / f"{made.CASE}TSOI.mat", lon, lat, 20)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    for i, cell in enumerate(made.CELLS):
        np.testing.assert_array_equal(values[i], made.field("TSOI", cell).T)
    # The whole field would be 425 MB.
    assert peak < 120e6


def test_network_rules_each_on_its_own() -> None:
    nan = np.nan
    soc = {
        "falls": [9, 5, 1], "one layer": [9, nan, nan], "rises": [1, 5, 9],
        "maximum last": [8, 1, 9], "two maxima": [9, 1, 9], "flat": [5, 5, 5],
    }  # fmt: skip
    depth = np.where(np.isnan(list(soc.values())), nan, [[0.1, 0.3, 0.9]])
    n = len(soc)
    rules = filters.network_rules(depth, np.array(list(soc.values())), np.full(n, 51.0), np.ones(n))
    rules.index = list(soc)
    assert rules.all(axis=1)[rules.all(axis=1)].index.tolist() == ["falls"]
    assert not rules.layers["one layer"] and not rules.falling["rises"]
    assert not rules.maximum_above["maximum last"] and rules.maximum_above["two maxima"]
    assert not rules.first_above_last["flat"] and rules.falling["flat"]
    other = filters.network_rules(depth[:2], np.ones((2, 3)), np.array([50.0, nan]), [39, 40])
    assert not other.deep.any() and other.country.tolist() == [False, True]


def test_strange_values_are_missing_and_counted() -> None:
    layers = pd.DataFrame(
        {
            "profile_id": [1, 1, 2, 1],
            "node_depth": [-3, 5, 5, 9e9],
            "soc_stock": [1e4, -9999, 2e4, 1e3],
        }
    )
    depth, soc, outside, strange = profiles.observations(np.array([1.0, 3.0]), layers)
    np.testing.assert_array_equal(depth, [[np.nan, 0.05, np.nan], [np.nan] * 3])
    np.testing.assert_array_equal(soc, [[1e4, np.nan, 1e3], [np.nan] * 3])
    assert (outside, strange) == (3, 1)


def test_smaller_sizes_cover_the_region() -> None:
    rng = np.random.default_rng(3)
    lon, lat = rng.uniform(-120, -70, 5000), rng.uniform(25, 49, 5000)
    index = build.spread(lon, lat, 1000, seed=1)
    assert len(np.unique(index)) == 1000 and (index == build.spread(lon, lat, 1000, seed=1)).all()
    assert (index != build.spread(lon, lat, 1000, seed=2)).any()
    share = [
        np.histogram2d(x, y, (5, 3))[0] / len(x) for x, y in ((lon, lat), (lon[index], lat[index]))
    ]
    assert np.abs(share[0] - share[1]).max() < 0.01


def _broken(tmp_path: Path, content: bytes | None = None) -> Path:
    path = tmp_path / "x_TSOI.mat"
    if content is not None:
        path.write_bytes(content)
    return path


def _line(call) -> str:
    with pytest.raises(ValueError) as error:
        call()
    assert "\n" not in str(error.value)
    return str(error.value)


@pytest.mark.parametrize("kind", ["empty", "truncated", "text"])
def test_broken_fields_are_named(tmp_path: Path, root: Path, kind: str) -> None:
    whole = (root / f"{made.CASE}TSOI.mat").read_bytes()
    content = {"empty": b"", "truncated": whole[: len(whole) // 2], "text": b"<html>sorry</html>"}
    path = _broken(tmp_path, content[kind])
    text = _line(lambda: source.read_cells(path, np.array([168]), np.array([101]), 20))
    assert str(path) in text and "cannot be read" in text and "fetch it again" in text


def test_a_field_without_its_variable_or_shape_is_named(tmp_path: Path) -> None:
    path = _broken(tmp_path)
    made.write_field(path, "TSOI", variable="other")
    text = _line(lambda: source.read_cells(path, np.array([0]), np.array([0]), 20))
    assert "lacks var_record_monthly_mean" in text and "it holds other" in text
    made.write_field(path, "ALTMAX")
    text = _line(lambda: source.read_cells(path, np.array([0]), np.array([0]), 20))
    assert "(12, 576, 384)" in text and "(12, 20, 576, 384)" in text


def test_tables_that_do_not_fit_are_named(tmp_path: Path, root: Path) -> None:
    path = tmp_path / "p.nc"
    rows = made.profile_rows()
    made.write_matrix(path, "soc_profile_info", rows[:, :6])
    assert "expected a table of 7 columns" in _line(lambda: profiles.read_profiles(path))
    made.write_matrix(path, "soc_profile_info", rows[:0])
    assert "at least one row" in _line(lambda: profiles.read_profiles(path))
    made.write_matrix(path, "other", rows)
    assert "lacks soc_profile_info, it holds other" in _line(lambda: profiles.read_profiles(path))
    path.write_bytes(b"")
    assert "cannot be read" in _line(lambda: profiles.read_profiles(path))
    mat = tmp_path / "e.mat"
    mat.write_bytes(b"MATLAB 5.0 MAT-file")
    assert "cannot be read" in _line(lambda: covariates.read_grid_table(mat))


def test_exchanged_positions_are_refused(tmp_path: Path, root: Path) -> None:
    path = tmp_path / "p.nc"
    rows = made.profile_rows()
    table = profiles.read_profiles(
        root / f"{made.TABLES}soc_profile_wosis_2019_snapshot_hugelius_mishra.nc"
    )
    swapped = rows[:, [0, 1, 2, 4, 3, 5, 6]]
    made.write_matrix(path, "soc_profile_info", swapped)
    assert "lon and lat seem exchanged" in _line(lambda: profiles.read_profiles(path))
    # Found by the country's box alone, where no latitude is impossible.
    east = swapped[np.abs(swapped[:, 4]) <= 90]
    made.write_matrix(path, "soc_profile_info", east)
    assert "seem exchanged" in _line(lambda: profiles.read_profiles(path))
    rows[2, 3] = 400
    made.write_matrix(path, "soc_profile_info", rows)
    assert "row 3: lon 400" in _line(lambda: profiles.read_profiles(path))
    env = tmp_path / "env.mat"
    columns = np.arange(81)
    columns[[3, 4]] = 4, 3
    made.write_env(env, made.site_rows()[:, columns])
    assert "exchanged" in _line(lambda: covariates.read_site_table(env, table))
    made.write_env(env, made.site_rows()[1:])
    assert "12 rows, the table of profiles 13" in _line(
        lambda: covariates.read_site_table(env, table)
    )
    grid = made.grid_rows()
    grid[:, [0, 1]] = grid[:, [1, 0]]
    made.write_env(env, grid)
    assert "no place on Earth" in _line(lambda: covariates.read_grid_table(env))


def test_a_list_of_other_profiles_is_refused(root: Path) -> None:
    path = root / f"{made.TABLES}eligible_profile_loc_0_cesm2_clm5_cen_vr_v2_whole_time.mat"
    assert np.flatnonzero(filters.listed(path, 13)).tolist() == [0, 6, 12]
    assert "1 to 13" in _line(lambda: filters.listed(path, 12))


def test_a_changed_file_stops_the_study_and_keeps_nothing(
    place: Path, root: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = root / f"{made.CASE}NPP.mat"
    whole = path.read_bytes()
    monkeypatch.setenv("PRODA_CACHE", str(tmp_path))
    try:
        path.write_bytes(whole[:-100])
        with pytest.raises(download.DownloadError, match="expected git blob id") as error:
            studies.load("conus", "smoke")
    finally:
        path.write_bytes(whole)
    assert str(path) in str(error.value) and "`proda data conus`" in str(error.value)
    assert not list(tmp_path.rglob("*.nc"))


def test_without_its_files_a_study_is_left_out_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PRODA_CACHE", str(tmp_path))
    monkeypatch.delenv("PRODA_MIRROR", raising=False)
    chosen, left_out = studies.choose((), "smoke")
    assert chosen == ["twin"]
    assert len(left_out["conus"]) == len(left_out["global"]) == 18
    assert studies.missing("conus") == studies.missing("global")
    assert studies.info("global").large and not studies.info("newyork").large


def test_the_registry_names_one_commit_and_a_check_for_every_file() -> None:
    registered = download.registry("conus")
    names = [file.name for file in registered]
    assert len(set(names)) == 18
    assert names == [file.name for file in download.registry("global")]
    for file in registered:
        assert file.address.endswith(f"/{made.BASE}/{file.name}")
        assert len(bytes.fromhex(file.git_blob)) == 20
        assert (len(bytes.fromhex(file.sha256)) == 32) == (file.bytes is not None)
    assert {each.rpartition("680_")[2] for each in names if "680_" in each} == {
        f"{name}.mat" for name in (*made.FIELDS_2D, *made.FIELDS_3D)
    }


@real
def test_real_files_are_those_registered() -> None:
    from proda_lib import files

    found = 0
    for file in download.registry("conus"):
        path = download.in_mirror(file.address)
        if path is not None and path.is_file():
            assert files.git_blob(path) == file.git_blob
            if file.sha256:
                assert files.sha256(path) == file.sha256 and path.stat().st_size == file.bytes
            found += 1
    assert found >= 5


@real
def test_real_fields_have_land_where_it_is() -> None:
    places = {
        "Amazon": (-60, -3), "Siberia": (110, 70), "New York": (-75, 42.5), "Atlantic": (-40, 30),
    }  # fmt: skip
    lon, lat = source.nearest_cells(*np.array(list(places.values())).T)

    def read(name: str) -> dict[str, np.ndarray]:
        file = next(f for f in download.registry("conus") if f.name == source.field_name(name))
        path = download.in_mirror(file.address)
        assert path is not None
        return dict(zip(places, source.read_cells(path, lon, lat), strict=True))

    thaw, before, bedrock, production = map(read, ("ALTMAX", "ALTMAX_LASTYEAR", "nbedrock", "NPP"))
    for each in (thaw, before, bedrock, production):
        assert np.isnan(each.pop("Atlantic")).all()
    assert (thaw["Amazon"] > 40).all() and (thaw["New York"] > 40).all()
    assert 0.2 < thaw["Siberia"].max() < 2 and (before["Siberia"] > 0).all()
    for each in bedrock.values():
        assert np.ptp(each) == 0 and 1 <= each[0] <= 20 and each[0] == round(each[0])
    annual = {name: each.mean() * 365 * 86400 for name, each in production.items()}
    assert 500 < annual["Amazon"] < 1500 and 300 < annual["New York"] < 900
    assert 20 < annual["Siberia"] < 500


@real
def test_the_real_list_of_eligible_profiles() -> None:
    file = next(f for f in download.registry("conus") if "eligible" in f.name)
    path = download.in_mirror(file.address)
    assert path is not None
    assert filters.listed(path, 113_916).sum() == 72_377
    # The list reaches beyond the 111,380 profiles that a comment of the original names.
    assert "1 to 113916" in _line(lambda: filters.listed(path, 111_380))


def test_large_studies_are_fetched_only_when_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from proda_lib import cli

    monkeypatch.setenv("PRODA_CACHE", str(tmp_path))
    monkeypatch.delenv("PRODA_MIRROR", raising=False)
    asked: list[list[str]] = []

    def fetch(names: list[str], products: list[str], size: str) -> int:
        asked.append(list(names))
        return 0

    monkeypatch.setattr(cli, "_fetch", fetch)
    assert cli.main(["data"]) == cli.main(["data", "conus"]) == 0
    assert asked == [["twin", "newyork"], ["conus"]]
