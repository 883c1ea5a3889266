"""WoSIS snapshots: both layouts read to the same table, counts that add up, broken files refused.

All tables are synthetic, in the form of the published ones.
"""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from proda_lib import cli
from proda_lib.references import files
from proda_lib.wosis import bulk_density, reader, rules, snapshot, table
from proda_lib.wosis.layout import DENSITY_CODES, SnapshotError
from proda_lib.wosis.tally import KEPT, READ
from tests.wosis_files import COLUMNS_2023, layer, snapshot_2019, snapshot_2023, tsv

#: Two sound profiles: three layers, one layer.
SOUND = [
    layer(value_avg=30.0),
    layer(layer_id=2, upper_depth=10, lower_depth=30, value_avg=10.0),
    layer(layer_id=3, upper_depth=30, lower_depth=60, value_avg=400.0),
    layer(profile_id=2, layer_id=4, longitude=15.0, latitude=-22.0, country_name="Namibia",
          dataset_id="NA-MADE-UP", licence="CC-BY-NC", date="????-??-??"),
]  # fmt: skip
VALUES = {"bdfi33": {1: 1.2, 2: 1.3}, "bdwsod": {2: 1.5, 4: 1.5}, "cfvo": {1: 20.0, 4: 10.0}}
WRITERS = {"2019": snapshot_2019, "2023": snapshot_2023}
ORGC = "WoSIS_2023_December/wosis_202312_orgc.tsv"


def problem(call: Callable[..., Any], *arguments: Any, **named: Any) -> str:
    with pytest.raises((SnapshotError, ValueError)) as error:
        call(*arguments, **named)
    assert "\n" not in str(error.value)
    return str(error.value)


def counts(report: pd.DataFrame) -> dict[str, tuple[int, int]]:
    return {r.reason: (r.profiles, r.layers) for r in report.itertuples()}


@pytest.mark.parametrize("version", WRITERS)
def test_the_table_has_units_origin_and_source_of_each_layer(version: str, tmp_path: Path) -> None:
    layers, report = snapshot.read(WRITERS[version](tmp_path, SOUND, **VALUES), version)
    assert tuple(layers.columns) == table.COLUMNS
    assert layers.profile.tolist() == [1, 1, 1, 2]
    # Fine earth before whole soil; g/kg and kg/dm3 make kg/m3; published: no coarse fragments.
    guess = 320 + 1300 * np.exp(-0.0089 * 1.724 * 400)
    np.testing.assert_allclose(layers.bulk_density_kg_m3, [1200, 1300, guess, 1500])
    np.testing.assert_allclose(layers.soc_kg_m3, [36, 13, 0.4 * guess, 30])
    np.testing.assert_allclose(layers.coarse_fraction, [0.2, np.nan, np.nan, 0.1])
    origin = ["measured: bdfi33", "measured: bdfi33", "pedotransfer", "measured: bdwsod"]
    assert layers.density_from.tolist() == origin
    assert layers.date.astype(object).fillna("").tolist() == ["2009-07"] * 3 + [""]
    assert layers.country.tolist()[-1] == "Namibia"
    assert layers.licence.tolist() == ["CC-BY"] * 3 + ["CC-BY-NC"]
    assert layers.dataset.tolist()[-1] == "NA-MADE-UP"
    assert layers.positional_uncertainty[0] == {"2019": "0.01", "2023": "Circa 100 m"}[version]
    assert layers["flags"].tolist() == ["", "coarse_unknown", "coarse_unknown",
                                        "undated;whole_soil_density"]  # fmt: skip
    assert counts(report) == {READ: (2, 4), KEPT: (2, 4)}
    gone = "wosis_202312_bdfiod.tsv" if version == "2023" else "bdfiod_value_avg"
    assert any(gone in note for note in report.attrs["notes"])


def test_both_snapshots_and_an_archive_give_the_same_table(tmp_path: Path) -> None:
    new = snapshot.read(snapshot_2023(tmp_path / "new", SOUND, **VALUES), "2023")[0]
    old = snapshot.read(snapshot_2019(tmp_path / "old", SOUND, **VALUES), "2019")[0]
    same = [name for name in table.COLUMNS if name != "positional_uncertainty"]
    pd.testing.assert_frame_equal(new[same], old[same], check_categorical=False)
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for file in (tmp_path / "new").rglob("*.tsv"):
            archive.write(file, f"WoSIS_2023_December/{file.name}")
    pd.testing.assert_frame_equal(snapshot.read(tmp_path / "a.zip", "2023")[0], new)
    inside = tmp_path / "new" / "WoSIS_2023_December"
    pd.testing.assert_frame_equal(snapshot.read(inside, "2023")[0], new)


def test_coarse_fragments_are_taken_off_where_asked(tmp_path: Path) -> None:
    place = snapshot_2023(tmp_path, SOUND, **VALUES)
    layers = snapshot.read(place, coarse="correct")[0]
    # 1500 kg of soil of which 0.1 x 2650 kg are stones: 1235 kg of fine earth per m3 of soil.
    np.testing.assert_allclose(layers.soc_kg_m3[[0, 3]], [0.03 * 1200 * 0.8, 0.02 * 1235])
    np.testing.assert_allclose(layers.bulk_density_kg_m3[3], 1235 / 0.9)
    np.testing.assert_allclose(layers.soc_kg_m3[1], 13)


DROPPED = {
    "no position": {"longitude": None},
    "flagged as litter or organic surface": {"organic_surface": "t"},
    "no depth": {"lower_depth": None},
    "begins above the surface (litter)": {"upper_depth": -8, "lower_depth": 0},
    "lower depth not below upper depth": {"upper_depth": 60, "lower_depth": 60},
    "no organic carbon": {"value_avg": None},
    "organic carbon of exactly 0": {"value_avg": 0},
    "organic carbon outside 0 to 600 g/kg": {"value_avg": 601},
    "duplicate layer": {"upper_depth": 10, "lower_depth": 30, "value_avg": 11},
    "overlaps a layer above": {"upper_depth": 25, "lower_depth": 29},
    "coarse fragments outside 0 to below 100 % by volume": {"layer_id": 91},
    "bulk density outside 20 to 2650 kg/m3": {"layer_id": 92},
}


@pytest.mark.parametrize(
    ("version", "reason"),
    # In 2019 the position is that of the profile.
    [(v, why) for v in WRITERS for why in DROPPED if (v, why) != ("2019", "no position")],
)
def test_what_cannot_be_used_is_left_out_and_counted(
    version: str, reason: str, tmp_path: Path
) -> None:
    bad = layer(layer_id=90, upper_depth=60, lower_depth=90) | DROPPED[reason]
    values = VALUES | {"bdfiad": {92: 2.7}, "cfvo": {1: 20.0, 4: 10.0, 91: 100.0}}
    place = WRITERS[version](tmp_path, [*SOUND, bad], **values)
    layers, report = snapshot.read(place, version)
    assert counts(report) == {READ: (2, 5), reason: (1, 1), KEPT: (2, 4)}
    assert layers.layer.tolist() == [1, 2, 3, 4]


def test_place_country_and_certainty_are_chosen(tmp_path: Path) -> None:
    far = layer(profile_id=3, layer_id=5, positional_uncertainty="1 km - 10 km", value_avg=5)
    unknown = layer(profile_id=4, layer_id=6, positional_uncertainty=None, value_avg=6)
    place = snapshot_2023(tmp_path, [*SOUND, far, unknown])
    kept = {
        name: set(snapshot.read(place, **options)[0].profile)
        for name, options in {
            "box": {"box": (-80, 40, -71, 46)},
            "line": {"box": (10, -60, -100, 50)},
            "country": {"countries": ["NAMIBIA"]},
            "1 km": {"position_within_km": 1.0},
            "10 km": {"position_within_km": 10.0},
        }.items()
    }
    assert kept == {"box": {1, 3, 4}, "line": {2}, "country": {2}, "1 km": {1, 2},
                    "10 km": {1, 2, 3}}  # fmt: skip
    report = snapshot.read(place, box=(-80, 40, -71, 46))[1]
    assert counts(report)["outside the box"] == (1, 1)
    flagged = snapshot.read(place)[0].set_index("profile")["flags"]
    assert flagged[4] == "position_unknown;coarse_unknown"


def test_litter_is_kept_where_asked_but_never_above_the_surface(tmp_path: Path) -> None:
    litter = layer(profile_id=7, layer_id=8, organic_surface="t", value_avg=450)
    above = layer(profile_id=7, layer_id=9, organic_surface="t", upper_depth=-5, lower_depth=0)
    place = snapshot_2023(tmp_path, [*SOUND, litter, above])
    layers, report = snapshot.read(place, litter="keep")
    assert layers["flags"].tolist()[-1] == "coarse_unknown;litter"
    assert counts(report)["begins above the surface (litter)"] == (1, 1)


def test_a_profile_that_came_through_two_databases_counts_once(tmp_path: Path) -> None:
    again = [row | {"profile_id": 9, "layer_id": 50 + row["layer_id"], "longitude": -75.5002,
                    "dataset_id": "OTHER"} for row in SOUND[:3]]  # fmt: skip
    other = [row | {"profile_id": 10, "layer_id": 80 + row["layer_id"], "longitude": -75.4}
             for row in SOUND[:3]]  # fmt: skip
    layers, report = snapshot.read(snapshot_2023(tmp_path, [*SOUND, *again, *other]))
    assert set(layers.profile) == {1, 2, 10}
    assert counts(report)["profile repeats another"] == (1, 3)


def test_overlaps_keep_as_much_as_fits() -> None:
    layers = pd.DataFrame(
        [(1, 0, 10), (1, 0, 20), (1, 10, 15), (1, 12, 40), (1, 20, 30), (2, 0, 5), (2, 5, 9)],
        columns=["profile", "upper_cm", "lower_cm"],
    )
    assert rules.overlaps(layers).tolist() == [False, True, False, True, False, False, False]


@pytest.mark.parametrize("name", DENSITY_CODES)
def test_every_density_is_used_and_preferred_in_order(name: str) -> None:
    first = DENSITY_CODES.index(name)
    values = np.full((1, len(DENSITY_CODES)), np.nan)
    values[0, first:] = np.arange(first, len(DENSITY_CODES)) + 1.0
    density, code = bulk_density.measured(values)
    assert (density[0], code[0]) == (1000.0 * (first + 1), first)


SMALL = st.one_of(st.none(), st.sampled_from([-5, 0, 5, 10, 20, 30, 700]))
ROWS = st.lists(
    st.builds(
        layer,
        profile_id=st.integers(1, 4), layer_id=st.integers(1, 12),
        upper_depth=SMALL, lower_depth=SMALL, value_avg=SMALL,
        organic_surface=st.sampled_from(["t", "f", None]),
        longitude=st.sampled_from([-75.5, 10.0, None]),
    ),
    min_size=1, max_size=25,
)  # fmt: skip


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(ROWS, st.dictionaries(st.integers(1, 12), st.sampled_from([0.001, 0.9, 1.4, 3.0])))
def test_read_is_kept_and_left_out(
    tmp_path_factory: pytest.TempPathFactory, rows: list[dict[str, Any]], density: dict[int, float]
) -> None:
    sure = [*rows, layer(profile_id=99, layer_id=99, longitude=-75.0)]
    place = snapshot_2023(tmp_path_factory.mktemp("made"), sure, bdfiod=density)
    layers, report = snapshot.read(place, box=(-80, 40, -70, 50))
    lines = report.set_index("reason").layers
    assert lines[READ] == len(sure)
    assert lines[READ] == lines.drop(READ).sum()
    assert lines[KEPT] == len(layers) >= 1
    assert not layers.duplicated(["profile", "upper_cm"]).any()
    for _, one in layers.groupby("profile"):
        assert (one.upper_cm.to_numpy()[1:] >= one.lower_cm.to_numpy()[:-1]).all()
    assert ((layers.soc_kg_m3 > 0) & (layers.upper_cm < layers.lower_cm)).all()


def test_pieces_do_not_change_the_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = snapshot_2023(tmp_path, SOUND, **VALUES)
    whole = snapshot.read(place)[0]
    monkeypatch.setattr(reader, "CELLS", 1)
    pd.testing.assert_frame_equal(snapshot.read(place)[0], whole, check_categorical=False)


def test_ten_thousand_more_columns_change_nothing(tmp_path: Path) -> None:
    place = snapshot_2023(tmp_path, SOUND, **VALUES)
    whole = snapshot.read(place)[0]
    more = [f"more_{number}" for number in range(10_000)]
    tsv(place / ORGC, [*more[:5000], *COLUMNS_2023, *more[5000:]], SOUND)
    pd.testing.assert_frame_equal(snapshot.read(place)[0], whole)


def cut(text: str) -> str:
    return text[: len(text) - 20]


BROKEN: dict[str, tuple[Callable[[str], str], str]] = {
    "empty": (lambda text: "", "wosis_202312_orgc.tsv is empty"),
    "names alone": (lambda text: text.splitlines()[0] + "\n", "has a line of column names and no"),
    "cut off": (cut, "is cut off, its last line has no end"),
    "page of an error": (lambda text: "<html>Sorry</html>\n", "has no tab, but begins '<html>"),
    "a column less": (
        lambda text: text.replace("value_avg", "value_mean", 1),
        "lacks a column: unknown column 'value_avg': did you mean 'value_mean'?",
    ),
    "a cell more": (
        lambda text: text.replace("CC-BY-NC", "CC-BY\tNC"),
        "row 4 after the line of names, column longitude: 'Circa 100 m' is no number",
    ),
    "open quote": (lambda text: text.replace("f\t{", 'f\t"{', 1), "is broken (EOF inside string"),
    "text for a number": (
        lambda text: text.replace("\t400.0\t", "\thigh\t"),
        "row 3 after the line of names, column value_avg: 'high' is no number",
    ),
    "swapped": (
        lambda text: text.replace("longitude\tlatitude", "latitude\tlongitude")
        .replace("-75.5\t43.25", "-120.5\t43.25"),
        "row 1 after the line of names: latitude -120.5 and longitude 43.25 are no place on Earth "
        "(-90 to 90, -180 to 180): longitude and latitude look swapped",
    ),
    "no number": (
        lambda text: text.replace("\n2\t4\t", "\n\t4\t"),
        "row 4 after the line of names: the number of the profile is nan",
    ),
}  # fmt: skip


@pytest.mark.parametrize("how", BROKEN)
def test_a_broken_table_is_refused_in_one_line_and_nothing_is_written(
    how: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = snapshot_2023(tmp_path / "in", SOUND, **VALUES)
    change, says = BROKEN[how]
    text = (place / ORGC).read_text(encoding="utf-8")
    assert change(text) != text
    (place / ORGC).write_text(change(text), encoding="utf-8")
    out = tmp_path / "out" / "p.csv"
    assert cli.main(["wosis", str(place), "--out", str(out)]) == 1
    said = capsys.readouterr().err
    assert says in said
    assert len(said.splitlines()) == 1
    assert not out.parent.exists()


def test_not_utf_8_is_said(tmp_path: Path) -> None:
    place = snapshot_2023(tmp_path, SOUND)
    content = (place / ORGC).read_bytes()
    (place / ORGC).write_bytes(content.replace(b"Namibia", b"R\xe9union"))
    assert "wosis_202312_orgc.tsv is not UTF-8" in problem(snapshot.read, place)


def test_a_broken_density_table_is_refused(tmp_path: Path) -> None:
    place = snapshot_2023(tmp_path, SOUND, **VALUES)
    (place / ORGC).with_name("wosis_202312_cfvo.tsv").write_text("a\tb\n1\t2\n")
    assert "wosis_202312_cfvo.tsv lacks a column" in problem(snapshot.read, place)


def test_a_profile_twice_or_nowhere_in_2019(tmp_path: Path) -> None:
    place = snapshot_2019(tmp_path, SOUND)
    profiles = tmp_path / "WoSIS_2019_September/wosis_201909_profiles.tsv"
    lines = profiles.read_text().splitlines(keepends=True)
    profiles.write_text("".join([*lines, lines[-1]]))
    text = problem(snapshot.read, place, "2019")
    assert "row 3 after the line of names: profile 2 occurs a second time" in text
    profiles.write_text("".join(lines[:-1]))
    report = snapshot.read(place, "2019")[1]
    assert counts(report)["profile is not in the table of profiles"] == (1, 1)
    assert counts(report)[READ] == (2, 4)


def test_a_place_that_holds_no_snapshot(tmp_path: Path) -> None:
    assert "there is no" in problem(snapshot.read, tmp_path / "nowhere")
    assert "holds no wosis_202312_orgc.tsv" in problem(snapshot.read, tmp_path)
    snapshot_2019(tmp_path, SOUND)
    assert "say --version 2019" in problem(snapshot.read, tmp_path, "2023")
    (tmp_path / "a.zip").write_bytes(b"PK\x03\x04 cut off")
    assert "is no whole zip archive" in problem(snapshot.read, tmp_path / "a.zip")


def test_a_damaged_member_of_an_archive_is_refused(tmp_path: Path) -> None:
    place = snapshot_2023(tmp_path, SOUND * 50)
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.write(place / ORGC, ORGC)
    content = (tmp_path / "a.zip").read_bytes()
    (tmp_path / "a.zip").write_bytes(content.replace(b"Namibia", b"Nambiia", 1))
    assert "the archive is broken (Bad CRC-32" in problem(snapshot.read, tmp_path / "a.zip")


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"version": "2016"}, "version is '2016', allowed are '2019', '2023'"),
        ({"box": (10, 50, 20, 40)}, "south must be below north"),
        ({"box": (-200, 40, 20, 50)}, "west and east must be from -180 to 180"),
        ({"coarse": "off"}, "coarse is 'off', allowed are 'ignore', 'correct'"),
        ({"position_within_km": 0}, "allowed is above 0 km"),
        ({"countries": ["Nambia"]}, "unknown country 'Nambia': did you mean 'Namibia'?"),
        ({"countries": "Namibia"}, "give a list of names"),
        ({"box": (0, 0, 1, 1)}, "no layer is left (4 (read); 4 outside the box; 0 (kept))"),
    ],
)
def test_options_that_are_not_allowed(options: dict[str, Any], says: str, tmp_path: Path) -> None:
    assert says in problem(snapshot.read, snapshot_2023(tmp_path, SOUND), **options)


def test_columns_that_describe_may_be_missing_unless_they_are_asked_for(tmp_path: Path) -> None:
    place = snapshot_2023(tmp_path, SOUND)
    gone = ("licence", "positional_uncertainty", "organic_surface", "date")
    tsv(place / ORGC, [name for name in COLUMNS_2023 if name not in gone], SOUND)
    layers, report = snapshot.read(place)
    assert layers.licence.isna().all()
    assert "wosis_202312_orgc.tsv has no column licence or license" in report.attrs["notes"]
    text = problem(snapshot.read, place, position_within_km=1)
    assert "position_within_km was given, but" in text


def test_the_command_writes_table_and_report(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = snapshot_2023(tmp_path / "in", SOUND, **VALUES)
    out = tmp_path / "mine.csv"
    box = ["--box", "-80", "40", "-71", "46"]
    assert cli.main(["wosis", str(place), "--version", "2023", *box, "--out", str(out)]) == 0
    said = capsys.readouterr().out
    assert "outside the box  1         1" in said
    assert "not there: wosis_202312_bdfiod.tsv" in said
    layers = pd.read_csv(out)
    np.testing.assert_allclose(layers.soc_kg_m3[:2], [36, 13])
    assert layers.density_from.tolist()[0] == "measured: bdfi33"
    report = pd.read_csv(tmp_path / "mine_report.csv")
    assert report.columns.tolist() == ["reason", "profiles", "layers"]
    assert sorted(file.name for file in tmp_path.iterdir()) == ["in", "mine.csv", "mine_report.csv"]
    assert cli.main(["wosis", str(place), "--out", str(tmp_path / "mine.txt")]) == 1
    assert "give a name that ends in .csv" in capsys.readouterr().err


def test_the_archive_that_was_fetched_is_read_and_must_not_change(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PRODA_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("PRODA_MIRROR", raising=False)
    out = ["--out", str(tmp_path / "p.csv")]
    assert cli.main(["wosis", *out]) == 1
    assert "run `proda data wosis2023`" in capsys.readouterr().err
    place = snapshot_2023(tmp_path / "made", SOUND)
    target = files.product_folder("wosis2023") / "WoSIS_2023_December.zip"
    target.parent.mkdir(parents=True)
    with zipfile.ZipFile(target, "w") as archive:
        archive.write(place / ORGC, ORGC)
    assert cli.main(["wosis", *out]) == 0
    with zipfile.ZipFile(target, "a") as archive:
        archive.writestr("more.txt", "another archive")
    assert cli.main(["wosis", *out]) == 1
    assert "has changed: SHA-256" in capsys.readouterr().err
