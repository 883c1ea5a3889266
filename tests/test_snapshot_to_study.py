"""From a snapshot's tables to a study: what one command writes, the next one reads."""

from __future__ import annotations

import numpy as np
import pytest

from proda_lib import cli, studies
from proda_lib.studies import schema
from tests import wosis_files


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("PRODA_STUDIES", str(tmp_path / "studies"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def layers() -> list[dict]:
    """Return synthetic layers of 24 profiles, four of them beyond the sea."""
    places = [(-75.5 + 0.4 * i, 43.25 - 0.3 * (i % 5)) for i in range(20)]
    places += [(36.8, -1.3 - 0.1 * i) for i in range(4)]
    return [
        wosis_files.layer(
            profile_id=100 + i, layer_id=10 * i + j, longitude=lon, latitude=lat,
            upper_depth=20 * j, lower_depth=20 * j + 20, value_avg=30.0 / (j + 1) + i,
        )
        for i, (lon, lat) in enumerate(places)
        for j in range(3)
    ]  # fmt: skip


def test_a_snapshot_becomes_a_study_by_three_commands(folder, capsys):
    rows = layers()
    wosis_files.snapshot_2023(folder, rows, bdfi33={row["layer_id"]: 1.25 for row in rows[:30]})
    taken = ["wosis", str(folder), "--box", "-80", "40", "-66", "46", "--out", "mine.csv"]
    assert cli.main(taken) == 0
    assert cli.main(["check", "mine.csv", "--forcing", "twin", "--size", "smoke"]) == 0
    assert "20 profiles with 60 layers" in capsys.readouterr().out
    own = ["own", "mine.csv", "--name", "mine", "--forcing", "twin", "--size", "smoke"]
    assert cli.main(own) == 0
    made = studies.load("mine", "smoke")
    schema.check(made.sites, "site", "mine")
    far = made.exclusions.set_index("reason").profiles
    assert made.sites.sizes["site"] == 16  # the rest lies off the twin's coast
    assert far[far > 0].tolist() == [4]
    first = made.sites.observed_soc.values[0]
    np.testing.assert_allclose(first[:3], 1e3 * np.array([30.0, 15.0, 10.0]) * 1.25, rtol=1e-6)
