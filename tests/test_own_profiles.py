"""A table of your own profiles: reading it, explaining it, and the study made from it."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proda_lib import cli, folds, metrics, paths, steady_state, studies
from proda_lib.own_profiles import check, own_sites
from proda_lib.own_profiles.columns import COLUMNS, LEAST_BLOCKS, LEAST_PROFILES
from proda_lib.own_profiles.findings import FIELDS, lines
from proda_lib.own_profiles.nearest_cell import nearest_cell
from proda_lib.own_profiles.read import ProfileFileError, parse, read
from proda_lib.own_profiles.table import numbers, observations, soc_density
from proda_lib.parameters import CLM5_DEFAULT
from proda_lib.reproduce import book_reference
from proda_lib.studies import own, schema

TEMPLATE = paths.data() / "profiles_template.csv"
BROKEN = paths.data() / "profiles_broken.csv"
HEADER = "profile,lon,lat,upper_cm,lower_cm,soc_kg_m3"
CONTENT = "profile,lon,lat,upper_cm,lower_cm,oc_g_kg,bulk_density_kg_m3,coarse_fraction"
NEW_YORK = (np.array([-75.25, -74.75, -75.25]), np.array([42.25, 42.25, 42.75]))


def told(*rows: str, header: str = HEADER, cells=None) -> list[str]:
    """Return what the check says about a table, without its remark on few profiles."""
    found = check.problems(parse("\n".join([header, *rows])), cells)
    return [line for line in lines(found) if "blocks of one degree" not in line]


def column(name: str, rows: list[str], header: str = HEADER) -> pd.DataFrame:
    found = check.problems(parse("\n".join([header, *rows])))
    return found[found.column == name]


# Reading


def test_the_template_passes_and_gives_known_carbon() -> None:
    table = read(TEMPLATE)
    found = check.problems(table)
    assert not check.has_errors(found)
    assert list(found.column) == ["profile"], "only that five profiles are few"
    layers = observations(table)
    first = layers.iloc[0]
    # 41 g/kg in 980 kg of fine earth per m3, of which 5 % of the volume are stones.
    assert first.soc == pytest.approx(41.0 * 980 * 0.95)
    assert first.depth == pytest.approx(0.05)
    assert layers.loc[6, "soc"] == pytest.approx(29_400)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize(("separator", "point"), [(",", "."), (";", ","), ("\t", ","), (";", ".")])
def test_any_separator_decimal_and_encoding_reads_alike(
    tmp_path: Path, encoding: str, separator: str, point: str
) -> None:
    rows = [["Profile ", "LON", "Lat", "upper cm", "Lower_cm", "soc_kg_m3"]]
    rows += [["Höhe 1", f"7{point}25", f"51{point}5", "0", "10", f"30{point}5"], [""] * 6]
    rows += [["Höhe 1", f"7{point}25", f"51{point}5", "10", "30", f"12{point}25"]]
    file = tmp_path / "profiles.csv"
    file.write_bytes("\r\n".join(separator.join(row) for row in rows).encode(encoding))
    table = read(file)
    assert table.cells.index.tolist() == [2, 4], "a blank line counts, but is no row"
    assert table.cells["profile"].tolist() == ["Höhe 1"] * 2
    assert numbers(table).soc_kg_m3.tolist() == [30.5, 12.25]
    assert not table.unknown and not check.has_errors(check.problems(table))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "the file is empty"),
        (b"\n \n", "the file is empty"),
        (HEADER.encode(), "no row below it"),
        (b"PK\x03\x04rest", "save the sheet as CSV"),
        (b"\x00\x01\x02", "no text"),
    ],
)
def test_what_is_no_table_is_one_line(tmp_path: Path, content: bytes, words: str, capsys) -> None:
    file = tmp_path / "profiles.csv"
    file.write_bytes(content)
    assert cli.main(["check", str(file)]) == 1
    error = capsys.readouterr().err
    assert words in error and error.startswith(f"proda: {file}: ") and error.count("\n") == 1


def test_ten_thousand_columns_too_many_are_one_line() -> None:
    header = HEADER + "".join(f",x{i}" for i in range(10_000))
    said = told("A,7,51,0,10,30" + "," * 10_000, "A,7,51,10,20,20" + "," * 10_000, header=header)
    assert said == [
        "warning: 10,000 columns are not read (x0, x1, x2, ...): names must be as documented"
    ]


def test_ten_thousand_bad_rows_are_one_line() -> None:
    rows = [f"P{i},7,951,0,10,30" for i in range(10_000)]
    said = [line for line in told(*rows) if line.startswith("error")]
    assert said == [
        "error: lat, rows 2 (951), 3 (951), 4 (951) and 9,997 more: outside -90 to 90 "
        "degrees_north: check the unit and the sign; leave empty what is missing"
    ]
    found = check.problems(parse("\n".join([HEADER, *rows])))
    assert (found.column == "lat").sum() == 10_000, "the table of problems has them all"


# Columns


@pytest.mark.parametrize("name", [each.name for each in COLUMNS if each.required])
def test_a_missing_column_is_named_and_the_nearest_offered(name: str) -> None:
    found = told("A,7,51,0,10,30", header=HEADER.replace(name, f"{name}_x"))
    assert found[0] == f"error: {name}: the column is missing: rename '{name}_x' if it is that"


def test_a_column_of_carbon_is_needed_and_none_may_stand_twice() -> None:
    assert (
        "soc_kg_m3: the column is missing (or oc_g_kg" in told("A,7,51,0,10", header=HEADER[:33])[0]
    )
    assert (
        "lat: the column stands there twice" in told("A,7,51,0,10,30,51", header=HEADER + ",lat")[0]
    )


# Slips of whole columns


def test_swapped_positions_are_told_once() -> None:
    rows = ["A,42.1,-175.2,0,10,30", "B,42.3,-175.1,0,10,30"]
    cells = (np.array([-175.2]), np.array([42.2]))
    assert sum("swapped" in line for line in told(*rows, cells=cells)) == 1


@pytest.mark.parametrize("cells", [None, NEW_YORK])
def test_swapped_positions_are_seen_in_the_values(cells) -> None:
    rows = ["A,42.1,-175.2,0,10,30", "B,42.3,-175.1,0,10,30"]
    if cells is not None:  # both are possible latitudes; only the cells tell
        rows = [row.replace("-175", "-75") for row in rows]
        assert not any(line.startswith("error") for line in told(*rows))
    errors = [line for line in told(*rows, cells=cells) if line.startswith("error")]
    assert len(errors) == 1 and "lon and lat are swapped" in errors[0]


def test_a_missing_sign_and_a_far_profile_are_seen_from_the_cells() -> None:
    (sign,) = [line for line in told("A,75.2,42.2,0,10,30", cells=NEW_YORK) if "error" in line]
    assert "put a minus before lon" in sign
    said = told("A,-75.2,42.2,0,10,30", "B,-80,42.2,0,10,30", cells=NEW_YORK)
    (far,) = [line for line in said if "farther" in line]
    assert far.startswith("warning: lon, lat, row 3 (B, 391 km): farther than 100 km")
    (all_far,) = [line for line in told("A,10,50,0,10,30", cells=NEW_YORK) if "error" in line]
    assert "choose the forcing of another study" in all_far


@pytest.mark.parametrize(
    ("header", "rows", "name", "words"),
    [
        (HEADER, ["A,7,51,0,0.1,30", "A,7,51,0.1,1.5,9"], "lower_cm", "look like m: multiply"),
        (HEADER, ["A,7,51,0,10,30000", "A,7,51,10,50,9000"], "soc_kg_m3", "g m-3: divide by 1000"),
        (HEADER, ["A,7,51,0,10,590", "A,7,51,10,50,30"], "soc_kg_m3", "outside 0 to 580"),
        (CONTENT, ["A,7,51,0,10,30,1.3,", "A,7,51,10,50,9,1.5,"], "bulk_density_kg_m3", "g cm-3"),
        (CONTENT, ["A,7,51,0,10,30,1300,15"], "coarse_fraction", "looks like percent: divide"),
        (CONTENT, ["A,7,51,0,10,700,300,"], "oc_g_kg", "outside 0 to 580 g kg-1"),
        (
            CONTENT.replace("coarse_fraction", "soc_kg_m3"), ["A,7,51,0,10,30,1300,30"],
            "soc_kg_m3", "this looks like g kg-1",
        ),
        (
            CONTENT.replace("oc_g_kg", "soc_kg_m3"), ["A,7,51,0,10,300,150,"],
            "soc_kg_m3", "more than organic matter of that bulk density holds",
        ),
    ],
)  # fmt: skip
def test_other_units_are_errors(header: str, rows: list[str], name: str, words: str) -> None:
    found = column(name, rows, header)
    assert (found.severity == "error").all() and len(found)
    assert any(words in line for line in lines(found))


@pytest.mark.parametrize(
    ("header", "rows", "name"),
    [
        (CONTENT, [f"P{i},7,51,0,10,2.1,1300," for i in range(3)], "oc_g_kg"),
        (HEADER, ["A,7,51,0,10,240", "A,7,51,10,30,90"], "soc_kg_m3"),
        (CONTENT, ["A,7,51,0,10,400,1600,"], "soc_kg_m3"),
        (
            CONTENT.replace("coarse_fraction", "soc_kg_m3"), ["A,7,51,0,10,30,1300,20"],
            "soc_kg_m3",
        ),
    ],
)  # fmt: skip
def test_what_may_be_right_is_a_warning(header: str, rows: list[str], name: str) -> None:
    found = column(name, rows, header)
    assert list(found.severity.unique()) == ["warning"]


@given(
    soc=st.lists(st.floats(1, 120), min_size=2, max_size=6),
    density=st.floats(800, 1600),
    lon=st.floats(-170, 170),
    lat=st.floats(-60, 75),
)
@settings(max_examples=15, deadline=None)
def test_plausible_profiles_have_no_error(soc, density, lon, lat) -> None:
    """Carbon per volume or per mass, anywhere, in layers of 15 cm: never an error."""
    rows = [
        f"A,{lon:.4f},{lat:.4f},{15 * i},{15 * i + 15},,{value / density * 1000:.4f},{density:.1f}"
        if i % 2
        else f"A,{lon:.4f},{lat:.4f},{15 * i},{15 * i + 15},{value:.4f},,"
        for i, value in enumerate(soc)
    ]
    table = parse("\n".join([f"{HEADER},oc_g_kg,bulk_density_kg_m3", *rows]))
    assert not check.has_errors(check.problems(table))
    np.testing.assert_allclose(soc_density(numbers(table)), soc, rtol=1e-3)


@given(st.text(max_size=300))
@settings(max_examples=40, deadline=None)
def test_any_text_is_explained_or_refused(text: str) -> None:
    try:
        found = check.problems(parse(f"{HEADER}\n{text}"), NEW_YORK)
    except ProfileFileError:
        return
    assert list(found.columns) == FIELDS
    assert all("\n" not in line for line in lines(found))


# Within profiles


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        (["A,7,51,0,10,30", "A,7,51,0,10,29"], "upper_cm, row 3 (A, 0 to 10 cm): the profile has"),
        (["A,7,51,0,20,30", "A,7,51,15,40,9"], "upper_cm, row 3 (A, 15 to 40 cm): the layer over"),
        (["A,7,51,0,90,30", "A,7,51,5,9,9", "A,7,51,50,70,9"], "rows 3 (A, 5 to 9 cm), 4 (A, 50"),
        (["A,7,51,20,10,30"], "upper_cm, row 2 (20 to 10 cm): a layer begins above"),
        (["A,7,51,0,20,30", "A,7.5,51,20,40,9"], "lon, lat, row 2 (A): the profile has several"),
        (["A,7,51,0,x,30"], "lower_cm, row 2 (x): not a number"),
        (["A,7,51,0,10,inf"], "soc_kg_m3, row 2 (inf): not a number"),
        (["A,7,51,,10,30"], "upper_cm, row 2: the value is missing"),
        (["A,7,51,0,10,30,5"], "row 2 (7 fields): the header has 6 columns"),
        (["A,7,51,0,10,-9999"], "soc_kg_m3, row 2 (-9999): outside 0 to 580"),
        (["A,7,51,0,10,"], "soc_kg_m3: no layer can be used"),
    ],
)
def test_a_mistake_within_a_profile_is_an_error_with_its_row(rows: list[str], words: str) -> None:
    errors = [line for line in told(*rows) if line.startswith("error")]
    assert len(errors) == 1 and words in errors[0]


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        (["A,7,51,-4,0,30", "A,7,51,0,10,20"], "upper_cm, row 2 (-4): layer above the soil"),
        (["A,7,51,0,10,30", "A,7,51,10,20,"], "soc_kg_m3, row 3: layer without SOC"),
        (["A,7,51,0,10,30", "A,7,51,10,20,0"], "soc_kg_m3, row 3 (0): layer with SOC of exactly"),
        (["A,7,51,0,10,3", "A,7,51,10,20,9"], "row 2 (A): the profile's carbon increases"),
        (["A,7,51,0,10,30"], "profile, row 2 (A): a profile of one layer"),
        (["A,7,51,0,9,3", "a,7,51,9,20,2"], "profile, row 3 (a): differs from another name only"),
        (["A,7,51,0,9,3", "B,7,51,0,9,2", "A,7,51,9,20,2"], "rows of the profile do not stand"),
        (["A,7,51,0,9,3", "B,7,51,0,9,2"], "lon, lat: 2 profiles share 1 position"),
    ],
)
def test_what_a_reader_may_judge_is_a_warning(rows: list[str], words: str) -> None:
    said = told(*rows)
    assert any(words in line for line in said)
    assert all(line.startswith("warning") for line in said)


# The example of the page


def test_the_broken_table_shows_every_kind_of_mistake(capsys) -> None:
    assert cli.main(["check", str(BROKEN)]) == 1
    captured = capsys.readouterr()
    said = captured.out.splitlines()
    expected = (
        "error: row 20 (12 fields): the header has 11 columns",
        "error: bulk_density_kg_m3: the largest value of all is 1.15 kg m-3: this looks like g",
        "error: coarse_fraction, rows 2 (5), 3 (8), 4 (8): a share is at most 1",
        "error: profile, row 19: the value is missing: give the name",
        "error: lat, row 5 (143.07): outside -90 to 90",
        "error: lower_cm, row 13: the value is missing",
        "error: soc_kg_m3, rows 9 (12 kg), 10 (9,1): not a number",
        "error: soc_kg_m3, row 11 (640): outside 0 to 580",
        "error: lon, lat, rows 5 (pasture-02), 8 (field-03): the profile has several positions",
        "error: upper_cm, row 7 (70 to 40 cm): a layer begins above where it ends",
        "error: upper_cm, row 4 (beech-01, 10 to 25 cm): the profile has this layer already",
        "error: upper_cm, row 6 (pasture-02, 15 to 40 cm): the layer overlaps",
        "warning: 2 columns are not read (longitude, note)",
        "warning: soc_kg_m3, row 16 (240): above 200 kg m-3, which is rare",
        "warning: upper_cm, row 8 (-4): layer above the soil surface",
        "warning: soc_kg_m3, row 14: layer without SOC",
        "warning: bulk_density_kg_m3, row 12: layer without bulk density",
        "warning: soc_kg_m3, row 15 (0): layer with SOC of exactly 0",
        "warning: profile, row 16 (Slope 04): differs from another name",
        "warning: lon, lat: 2 profiles share 1 position",
        "warning: profile, row 16 (Slope 04): a profile of one layer",
        "warning: soc_kg_m3, row 17 (valley-05): the profile's carbon increases",
        "warning: profile: 6 profiles in 6 blocks",
    )
    assert len(said) == len(expected)
    for line, start in zip(said, expected, strict=True):
        assert line.startswith(start)
    assert captured.err == f"proda: {BROKEN}: 16 errors: mend and check again\n"
    shown = book_reference.profile_check().splitlines()[1:-1]
    assert shown[:-1] == said, "the page shows what the command prints"
    assert shown[-1] == "proda: data/profiles_broken.csv: 16 errors: mend and check again"


def test_the_page_lists_every_column_and_shows_both_files() -> None:
    page = (paths.book() / "own_profiles.md").read_text()
    for part in ("profile-columns", "profile-template", "profile-broken", "profile-check"):
        assert f"% insert: {part}" in page
    table = book_reference.profile_column_table()
    assert all(f"`{each.name}`" in table for each in COLUMNS)
    assert f"{LEAST_PROFILES} profiles in {LEAST_BLOCKS} blocks" in page
    assert TEMPLATE.read_text().splitlines()[3] in book_reference.data_file(TEMPLATE.name)


def test_a_good_table_says_how_much_can_be_used(capsys) -> None:
    assert cli.main(["check", str(TEMPLATE)]) == 0
    captured = capsys.readouterr()
    assert captured.out.splitlines()[-1] == f"{TEMPLATE}: ok, 5 profiles with 20 layers"
    assert captured.err == ""


# The study


@given(st.floats(-179, 179), st.floats(-85, 85))
@settings(max_examples=20, deadline=None)
def test_the_nearest_cell_is_the_nearest_by_haversine(lon: float, lat: float) -> None:
    random = np.random.default_rng(1)
    east, north = random.uniform(-180, 180, 50), random.uniform(-90, 90, 50)
    index, distance = nearest_cell([lon], [lat], east, north)
    half = np.radians([north - lat, east - lon]) / 2
    across = np.cos(np.radians(lat)) * np.cos(np.radians(north)) * np.sin(half[1]) ** 2
    every = 2 * 6371.0088 * np.arcsin(np.sqrt(np.sin(half[0]) ** 2 + across))
    assert every[index[0]] == pytest.approx(every.min(), abs=1e-6)
    assert distance[0] == pytest.approx(every.min(), abs=1e-3)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory):
    """Make a study of the template and one profile far away, under the twin's forcing."""
    folder = tmp_path_factory.mktemp("own")
    table = folder / "table.csv"
    table.write_text(
        TEMPLATE.read_text() + "far-06,-40,42.1,0,10,20,,,\nfar-06,-40,42.1,10,20,9,,,\n"
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PRODA_STUDIES", str(folder / "studies"))
        if not os.environ.get("PRODA_CACHE"):
            patch.setenv("PRODA_CACHE", str(folder / "cache"))
        command = ["own", str(table), "--name", "mysoil", "--forcing", "twin", "--size", "smoke"]
        assert cli.main([*command, "--citation", 'A "quoted" name, 2026.']) == 0
        yield folder / "studies" / "mysoil"


def test_the_study_has_the_common_form_and_runs(made: Path) -> None:
    study = studies.load("mysoil", "smoke")
    schema.check(study.sites, "site")
    schema.check(study.grid, "cell")
    sites, lender = study.sites, studies.load("twin", "smoke").grid
    assert sites.profile.values.tolist() == [
        "beech-01", "pasture-02", "field-03", "slope-04", "valley-05",
    ]  # fmt: skip
    assert int(np.isfinite(sites.observed_soc).sum()) == 20
    assert "area" not in sites and "vegetation_type" in sites
    soil = steady_state.soil_carbon_at_depth(np.tile(CLM5_DEFAULT, (5, 1)), sites)
    assert np.isfinite(soil).sum() == 20 and (soil[np.isfinite(soil)] > 0).all()
    assert metrics.skill(sites.observed_soc.values, soil)["pairs"] == 20
    # Half a degree at 43 N: no profile is farther from a centre than half a diagonal, 34 km.
    assert (sites.forcing_distance < 35).all() and (sites.forcing_distance > 0).all()
    row = lender.isel(cell=int(sites.forcing_id[2]))
    np.testing.assert_array_equal(row.soil_temperature, sites.soil_temperature[2])
    assert abs(float(row.lon) + 77.03) <= 0.26 and abs(float(row.lat) - 42.88) <= 0.26
    own_place = sites.sel(covariate=["Lon", "Lat"]).covariates.values
    np.testing.assert_array_equal(own_place, np.stack([sites.lon, sites.lat], axis=1))


def test_what_is_left_out_is_counted(made: Path) -> None:
    left = studies.load("mysoil", "smoke").exclusions.set_index("reason")
    assert left.loc["profile farther than 100 km from the forcing"].tolist() == [1, 2, 0]
    assert left.profiles.sum() == 1


def test_the_map_has_the_cells_around_the_profiles(made: Path) -> None:
    study = studies.load("mysoil", "smoke")
    assert study.grid.sizes["cell"] >= own_sites.FEWEST_CELLS
    assert float(study.grid.lon.min()) >= float(study.sites.lon.min()) - 1
    one = study.sites.isel(site=[0])
    few = own_sites.map_cells(one, study.grid.isel(cell=slice(0, 15)))
    assert few.sizes["cell"] == own_sites.FEWEST_CELLS


def test_the_study_says_that_its_forcing_is_made_up(made: Path) -> None:
    info = studies.info("mysoil")
    assert info.synthetic and "under made-up forcing" in info.title
    assert "profiles are the user's" in info.made_up and 'A "quoted" name' in info.citation
    assert studies.missing("mysoil") == []
    assert "mysoil" in studies.names() and "mysoil" not in own.lenders()


def test_sizes_are_made_from_the_lenders(made: Path) -> None:
    rows = studies.sizes("mysoil")
    assert list(rows) == ["smoke", "class", "paper"]
    # Six profiles: the far one is only found with the forcing at hand.
    assert rows["class"]["sites"] == 6 == rows["class"]["batch"]["sites"]
    assert rows["class"]["exact"] == studies.sizes("twin")["class"]["exact"]
    sites = studies.load("mysoil", "smoke").sites
    for split in rows["smoke"]["learning"]["splits"]:
        assert folds.splits("mysoil", sites, seed=1, count=2)[split].max() == 1


def test_the_key_follows_the_table_the_description_and_the_lender(made: Path, monkeypatch) -> None:
    key = studies.data_key("mysoil", "smoke")
    assert key == studies.data_key("mysoil", "smoke")
    for file in made.iterdir():
        before = file.read_text()
        file.write_text(before + "\n")
        assert studies.data_key("mysoil", "smoke") != key, file.name
        file.write_text(before)
    assert studies.data_key("mysoil", "smoke") == key
    lent = studies.data_key
    monkeypatch.setattr(
        studies, "data_key", lambda name, *rest: "new" if name == "twin" else lent(name, *rest)
    )
    assert lent("mysoil", "smoke") != key


def test_a_table_broken_later_is_refused_with_its_file(made: Path) -> None:
    file = made / "profiles.csv"
    before = file.read_text()
    try:
        for old, new in (("42.61", "142.61"), ("upper_cm", "top")):
            file.write_text(before.replace(old, new, 1))
            for call in (studies.load, studies.data_key, lambda name, _: studies.sizes(name)):
                with pytest.raises(ValueError, match=r"profiles.csv: \d+ errors, nothing was"):
                    call("mysoil", "smoke")
    finally:
        file.write_text(before)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([str(BROKEN), "--name", "other", "--forcing", "twin"], "mend and check again"),
        (["none.csv", "--name", "other", "--forcing", "twin"], "there is no such file"),
        ([str(TEMPLATE), "--name", "twin", "--forcing", "twin"], "is taken"),
        ([str(TEMPLATE), "--name", "My soil", "--forcing", "twin"], "use at most 31 of a-z"),
        ([str(TEMPLATE), "--name", "reference", "--forcing", "twin"], "is taken"),
        ([str(TEMPLATE), "--name", "mysoil", "--forcing", "twin"], "is there already"),
        ([str(TEMPLATE), "--name", "other", "--forcing", "twni"], "did you mean 'twin'?"),
        ([str(TEMPLATE), "--name", "other", "--forcing", "mysoil"], "There are: twin, newyork"),
    ],
)
def test_a_refused_study_leaves_nothing(made: Path, arguments, words: str, capsys) -> None:
    assert cli.main(["own", *arguments, "--size", "smoke"]) == 1
    error = capsys.readouterr().err
    assert words in error and error.count("\n") == 1
    assert [entry.name for entry in made.parent.iterdir()] == ["mysoil"]


@pytest.mark.parametrize(
    ("text", "words"),
    [("title = ", "cannot be read"), ('title = "a"\n', "lacks citation, farthest_km, forcing")],
)
def test_a_broken_description_is_named(tmp_path: Path, monkeypatch, text: str, words: str) -> None:
    monkeypatch.setenv("PRODA_STUDIES", str(tmp_path))
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "study.toml").write_text(text)
    with pytest.raises(ValueError, match=words) as error:
        studies.info("bad")
    assert "study.toml" in str(error.value) and "\n" not in str(error.value)


@pytest.mark.skipif(
    not os.environ.get("PRODA_MIRROR"), reason="real data: set PRODA_MIRROR to a mirror"
)
def test_under_real_forcing_nothing_is_called_synthetic(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("PRODA_STUDIES", str(tmp_path))
    own.create(TEMPLATE, "real", "newyork", size="smoke")
    study = studies.load("real", "smoke")
    assert not study.synthetic and study.sites.sizes["covariate"] == 38
    assert study.sites.forcing_distance.max() < 35
    schema.check(study.sites, "site")
