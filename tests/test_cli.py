from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from proda_lib import cli, files, studies
from proda_lib.references.files import ADDRESSES
from proda_lib.reproduce import kernel
from proda_lib.soil_grid import CLM5
from proda_lib.studies import download
from proda_lib.studies.schema import LITTER, VARIABLES
from proda_lib.studies.study import StudyInfo
from tests import toy_project

INFO = {
    name: StudyInfo(
        name, name.title(), name == "toy", "About.", f"Licence of {name}.", "Who, 2026."
    )
    for name in ("toy", "far")
}


@pytest.fixture
def project(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("PRODA_RESULTS", str(tmp_path / "results"))
    monkeypatch.setenv("PRODA_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("PRODA_DEBUG", raising=False)
    toy_project.make(tmp_path)
    toy_project.attach(tmp_path, monkeypatch.setattr)
    monkeypatch.setattr(studies, "info", INFO.get)
    return tmp_path


@pytest.fixture
def instant(monkeypatch):
    """Replace the kernel: chapters "run" at once, those named in the set returned fail."""
    failing: set[str] = set()

    def execute(step, started):
        if step.notebook in failing:
            raise kernel.ChapterError("failed in cell 3 `x`: ValueError: no")
        step.executed.parent.mkdir(parents=True, exist_ok=True)
        step.executed.write_text("{}")

    monkeypatch.setattr(kernel, "execute", execute)
    return failing


def sites(**changes) -> xr.Dataset:
    """Return two sites in the form of the schema, with the smallest values allowed."""
    sizes = {"site": 2, "layer": 20, "month": 12, "litter": 4, "observation": 3, "covariate": 5}
    data = xr.Dataset(coords={"profile_id": ("site", [11, 12])}, attrs={"soil_grid": CLM5.name})
    for v in VARIABLES:
        if "site" in v.rows and v.required:
            dims = ("site", *v.dims)
            value = max(v.lower, -1.0) if np.isfinite(v.lower) else 0.0
            array = np.full([sizes[dim] for dim in dims], float(value))
            data[v.name] = (dims, array, {"units": v.units})
    return data.assign_coords(litter=list(LITTER)).assign(**changes)


def test_reproduce_then_status_then_nothing_left_to_do(project, instant, capsys):
    assert cli.main(["reproduce", "--size", "smoke", "--no-book"]) == 0
    out = capsys.readouterr().out
    assert "left out: far, 1 files missing: `make data STUDY=far`" in out
    assert "PRODA_MIRROR" in out
    assert "[3/3] toy 03_other: done" in out
    assert cli.main(["status", "--size", "smoke"]) == 0
    assert capsys.readouterr().out.count("up to date") == 3
    assert cli.main(["reproduce", "--size", "smoke", "--no-book"]) == 0
    assert "to run: 0; up to date: 3" in capsys.readouterr().out
    assert cli.main(["status", "--size", "smoke", "--set", "01_data.seed=3"]) == 0
    out = capsys.readouterr().out
    assert "stale: parameter seed 1 -> 3" in out
    assert "stale: 01_data before it changed" in out


def test_a_failed_chapter_gives_exit_status_1_and_no_book(project, instant, capsys):
    instant.add("01_data")
    assert cli.main(["reproduce", "--size", "smoke"]) == 1
    captured = capsys.readouterr()
    assert "proda: toy 01_data failed in cell 3 `x`: ValueError: no" in captured.err
    assert "Traceback" not in captured.err
    assert "skipped" in captured.out
    assert "book" not in captured.out


def test_two_runs_do_not_write_the_same_results(project, instant, capsys):
    with files.locked(project / "results" / "toy" / ".smoke.lock", "them"):
        assert cli.main(["reproduce", "--size", "smoke", "--no-book"]) == 1
    assert "another run writes the results of toy smoke" in capsys.readouterr().err
    assert cli.main(["reproduce", "--size", "smoke", "--no-book"]) == 0


def test_the_book_follows_a_complete_run(project, instant, capsys, monkeypatch):
    from proda_lib.reproduce import book

    asked = {}

    def build(size=None, pdf=False):
        asked.update(size=size, pdf=pdf)
        return project / "index.html"

    monkeypatch.setattr(book, "build", build)
    assert cli.main(["reproduce", "--size", "smoke"]) == 0
    assert asked == {"size": "smoke", "pdf": False}
    assert str(project / "index.html") in capsys.readouterr().out
    assert cli.main(["book", "--pdf"]) == 0
    assert "proda-book.pdf" in capsys.readouterr().out
    assert asked == {"size": None, "pdf": True}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["reproduce", "--study", "tyo"], "did you mean 'toy'"),
        (["reproduce", "--size", "clas"], "did you mean 'class'"),
        (["reproduce", "--only", "01_dta"], "did you mean '01_data'"),
        (["reproduce", "--set", "01_data.seed=x"], "expected int"),
        (["status", "--set", "01_data.sed=1"], "did you mean 'seed'"),
        (["data", "fra"], "did you mean 'far'"),
        (["check", "no.nc"], "no.nc: there is no such file"),
    ],
)
def test_a_wrong_request_is_one_line_on_stderr(project, capsys, arguments, message):
    assert cli.main(arguments) == 1
    error = capsys.readouterr().err
    assert message in error
    assert error.startswith("proda: ")
    assert error.count("\n") == 1


def test_an_unexpected_error_is_one_line_unless_debugging(project, capsys, monkeypatch):
    def broken(name):
        raise KeyError("inside")

    monkeypatch.setattr(studies, "missing", broken)
    assert cli.main(["status"]) == 1
    assert capsys.readouterr().err == "proda: KeyError: 'inside' (PRODA_DEBUG=1 shows where)\n"
    monkeypatch.setenv("PRODA_DEBUG", "1")
    with pytest.raises(KeyError):
        cli.main(["status"])


def test_an_interrupted_run_says_that_it_resumes(project, capsys, monkeypatch):
    def interrupted(step, started):
        raise KeyboardInterrupt

    monkeypatch.setattr(kernel, "execute", interrupted)
    assert cli.main(["reproduce", "--size", "smoke"]) == 130
    assert "the same command resumes" in capsys.readouterr().err


def test_data_list_shows_studies_without_fetching(project, capsys, monkeypatch):
    def load(name, size="class"):
        raise AssertionError("fetched")

    address = "https://raw.githubusercontent.com/far/away/c0ffee/far.nc"
    file = download.RegisteredFile(
        study="far", name="far.nc", address=address, licence="None.", sha256="0" * 64, bytes=120
    )
    monkeypatch.setattr(download, "registry", lambda name: (file,) if name == "far" else ())
    monkeypatch.setattr(studies, "load", load)
    place = project / "cache" / "studies" / "toy-class-CLM5-abc"
    place.mkdir(parents=True)
    (place / "sites.nc").write_bytes(bytes(2_500_000))
    assert cli.main(["data", "--list"]) == 0
    head, toy, far, *products = capsys.readouterr().out.splitlines()
    assert head.split() == ["study", "data", "download", "on", "disk", "from", "licence"]
    assert toy.split("  ")[0] == "toy"
    assert "2.5 MB" in toy
    assert "made from a seed" in toy
    assert "1 of 1 files missing" in far and "0.1 kB" in far and "github.com/far/away" in far
    assert "Licence of far." in far
    assert [row.split()[0] for row in products] == list(ADDRESSES)
    assert all("missing" in row and "files.isric.org" in row for row in products)
    assert cli.main(["data", "--list", "far", "wise30sec"]) == 0
    *_, head, far, product = capsys.readouterr().out.splitlines()
    assert far.split()[0] == "far" and far.endswith(f"0.1 kB        {address}")
    assert product.endswith("https://files.isric.org/public/wise/wise_30sec_v1.zip")


def test_data_that_cannot_be_fetched_give_exit_status_1(project, capsys, monkeypatch):
    def load(name, size="class"):
        raise RuntimeError(f"no network for {name}")

    monkeypatch.setattr(studies, "load", load)
    assert cli.main(["data", "far"]) == 1
    assert "proda: far: no network for far" in capsys.readouterr().err


def test_check_accepts_a_file_in_the_form_and_names_what_is_wrong(project, capsys):
    good, bad = project / "good.nc", project / "bad.nc"
    data = sites()
    data.to_netcdf(good, engine="h5netcdf")
    data["soil_temperature"][1, 3, 0] = np.nan
    data.to_netcdf(bad, engine="h5netcdf")
    assert cli.main(["check", str(good), str(bad)]) == 1
    captured = capsys.readouterr()
    assert captured.out == f"{good}: ok, 2 sites\n"
    assert "soil_temperature at site 1 (profile 12" in captured.err
    assert "is NaN" in captured.err
    assert captured.err.count("\n") == 1


def test_the_module_runs_from_any_folder(tmp_path):
    answer = subprocess.run(
        [sys.executable, "-m", "proda_lib", "--help"],
        cwd=tmp_path, env={"PYTHONPATH": str(toy_project.REPOSITORY)},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    for command in ("data", "reproduce", "status", "book", "check"):
        assert command in answer.stdout
