"""Studies by name, size and soil grid; the cache of made studies."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from proda_lib import paths, studies
from proda_lib.studies import schema, store

INFO = studies.StudyInfo(
    "toy", "Toy", True, about="made up", licence="none", citation="none", soil_grids=("CLM5",)
)


def _study(value: float = 283.0) -> studies.Study:
    """Make a study of two places in the common form."""
    dims = {"layer": 20, "month": 12, "litter": 4, "covariate": 1, "observation": 1}
    data = {}
    for row in ("site", "cell"):
        data[row] = xr.Dataset(attrs={"soil_grid": "CLM5"})
        for v in schema.VARIABLES:
            if row in v.rows and v.required:
                shape = (2, *(dims[dim] for dim in v.dims))
                fill = {"soil_temperature": value, "bedrock_layer": 9}.get(v.name, 0.5)
                data[row][v.name] = ((row, *v.dims), np.full(shape, fill), {"units": v.units})
    sites = data["site"].assign_coords(
        profile_id=("site", [1, 2]), place=("site", ["a", "bc"]), good=("site", [True, False])
    )
    table = pd.DataFrame([("none", 0, 0)], columns=["reason", "profiles", "layers"])
    return studies.Study(INFO, "smoke", sites, data["cell"], table)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (
            lambda: studies.load("newyrok"),
            ("'newyrok'", "twin, newyork, conus, global", "did you mean 'newyork'?"),
        ),
        (lambda: studies.info("twinn"), ("'twinn'", "did you mean 'twin'?")),
        (lambda: studies.missing("x"), ("'x'", "twin, newyork")),
        (lambda: studies.load("newyork", "clas"), ("'clas'", "did you mean 'class'?")),
        (lambda: studies.load("newyork", soil_grid="CLM45"), ("'CLM45'", "There are: CLM5")),
        (lambda: studies.data_key("twin", "papper"), ("'papper'", "did you mean 'paper'?")),
    ],
)
def test_mistyped_names_are_refused_with_the_nearest(call, words) -> None:
    with pytest.raises(ValueError) as error:
        call()
    assert all(word in str(error.value) for word in words)
    assert "\n" not in str(error.value)


def test_every_study_has_every_size_with_a_seed() -> None:
    for name in studies.names():
        table = studies.sizes(name)
        assert list(table) == ["smoke", "class", "paper"]
        sites = [row["sites"] for row in table.values()]
        assert sites == sorted(sites)
        assert all(isinstance(row["seed"], int) for row in table.values())


def test_keys_differ_between_sizes_and_agree_between_calls() -> None:
    keys = {studies.data_key("newyork", size) for size in ("smoke", "class", "paper")}
    assert keys == {studies.data_key("newyork", size) for size in ("smoke", "class", "paper")}
    assert len(keys) == 2, "class and paper of newyork are the same data"


def test_kept_study_comes_back_as_it_was_made(tmp_path: Path) -> None:
    made = store.kept(tmp_path / "toy-smoke-CLM5-1", INFO, "1", _study)
    again = store.kept(tmp_path / "toy-smoke-CLM5-1", INFO, "1", lambda: pytest.fail("made anew"))
    xr.testing.assert_identical(made.sites, again.sites)
    xr.testing.assert_identical(made.grid, again.grid)
    pd.testing.assert_frame_equal(made.exclusions, again.exclusions)
    assert again.data_hash == "1" and again.truth is None and again.sites.good.dtype == bool


@pytest.mark.parametrize("damage", ["shorten", "remove", "manifest"])
def test_broken_cache_is_made_again(tmp_path: Path, damage: str, caplog) -> None:
    folder = tmp_path / "toy-smoke-CLM5-1"
    store.kept(folder, INFO, "1", _study)
    file = folder / ("manifest.json" if damage == "manifest" else "sites.nc")
    if damage == "remove":
        file.unlink()
    else:
        file.write_bytes(file.read_bytes()[:50])
    again = store.kept(folder, INFO, "1", lambda: _study(290.0))
    assert float(again.sites.soil_temperature[0, 0, 0]) == 290.0
    assert "broken" in caplog.text
    assert float(store.read(folder, INFO).sites.soil_temperature[0, 0, 0]) == 290.0


def test_a_study_without_the_common_form_is_not_kept(tmp_path: Path) -> None:
    with pytest.raises(schema.SchemaError, match="soil_temperature"):
        store.kept(tmp_path / "toy-smoke-CLM5-1", INFO, "1", lambda: _study(np.nan))
    assert not list(tmp_path.iterdir())


def test_an_interrupted_write_leaves_nothing(tmp_path: Path) -> None:
    broken = replace(_study(), grid=xr.Dataset({"a": ("cell", [object()])}))
    with pytest.raises(Exception, match=r"."):
        store.write(broken, tmp_path / "toy")
    assert not list(tmp_path.iterdir())


def test_the_data_key_follows_code_tables_and_files_but_not_comments(tmp_path, monkeypatch) -> None:
    package = tmp_path / "proda_lib"
    shutil.copytree(paths.package(), package, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(paths.data(), tmp_path / "data")
    monkeypatch.setattr(paths, "package", lambda: package)

    def changed(file: str, text: str) -> list[str]:
        """Return the studies whose key an added text changes."""
        before = {name: studies.data_key(name) for name in studies.names()}
        with (tmp_path / file).open("a") as stream:
            stream.write(text)
        return [name for name in before if studies.data_key(name) != before[name]]

    assert changed("proda_lib/studies/newyork/source.py", "\n# A comment.\n") == []
    assert changed("proda_lib/studies/store.py", "\nx = 1\n") == []
    assert changed("proda_lib/studies/newyork/source.py", "\nx = 1\n") == ["newyork"]
    assert changed("proda_lib/studies/newyork/covariates.csv", "a,b,c,d\n") == ["newyork"]
    published = ["conus", "global"]
    assert changed("proda_lib/studies/published/covariates.csv", "a,b,c,d\n") == published
    assert changed("proda_lib/studies/published/build.py", "\nx = 1\n") == published
    assert changed("proda_lib/studies/published/conus.py", "\nx = 1\n") == ["conus"]
    assert changed("proda_lib/studies/twin/tables/truth.toml", "\n[x]\n") == ["twin"]
    assert changed("data/outlines/conus_states.geojson", " ") == ["twin", "conus"]
    assert changed("data/outlines/lakes.geojson", " ") == []
    assert changed("proda_lib/steady_state.py", "\nx = 1\n") == ["twin"]
    assert changed("proda_lib/soil_grid.py", "\nx = 1\n") == ["twin", "newyork", *published]
