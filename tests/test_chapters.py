"""The real chapters: all of them at the smallest size, the strict book made of them, its pages."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import xarray as xr

from proda_lib import paths, studies
from proda_lib.reproduce import book, plan
from tests import browser

#: Studies whose data are here, so that nothing is downloaded.
STUDIES = ("twin", "newyork") if os.environ.get("PRODA_MIRROR") else ("twin",)
PRODA = [sys.executable, "-m", "proda_lib"]

#: Chapters that take long and say nothing about real data that the twin does not.
TWIN_ONLY = {
    "02_matrix_model",
    "03_steady_state",
    "07_one_site",
    "08_pymc",
    "25_in_time",
}

pytestmark = pytest.mark.slow


def only(study: str) -> list[str]:
    """Options that name the chapters to run, none for all."""
    if study == "twin":
        return []
    wanted = (step.notebook for step in plan.steps(study, "smoke"))
    return [f"--only={notebook}" for notebook in wanted if notebook not in TWIN_ONLY]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Run the chapters, one study beside the other, and build the book."""
    place = tmp_path_factory.mktemp("chapters")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PRODA_RESULTS", str(place / "results"))
        patch.setenv("PRODA_BUILD", str(place / "build"))
        patch.setenv("PRODA_WORKERS", "1")
        options = ["--size", "smoke", "--no-book"]
        running = {
            study: subprocess.Popen(
                [*PRODA, "reproduce", "--study", study, *options, *only(study)],
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            )
            for study in STUDIES
        }  # fmt: skip
        for study, process in running.items():
            output, _ = process.communicate(timeout=2700)
            assert process.returncode == 0, f"{study}:\n{output}"
        made = subprocess.run([*PRODA, "book"], capture_output=True, text=True, check=False)
        assert made.returncode == 0, made.stdout + made.stderr
        yield place


@pytest.mark.parametrize("study", STUDIES)
def test_every_chapter_ran_and_is_up_to_date(study: str, folder: Path) -> None:
    stale = {step.notebook for step in plan.steps(study, "smoke") if step.reasons}
    assert stale == (set() if study == "twin" else TWIN_ONLY)


@pytest.mark.parametrize(
    ("study", "name"),
    [("twin", "assimilation_published"), *((study, "assimilation") for study in STUDIES)],
)
def test_results_say_what_they_are(study: str, name: str, folder: Path) -> None:
    found = xr.load_dataset(folder / "results" / study / "smoke" / f"{name}.nc")
    sites = studies.load(study, "smoke").sites
    assert set(found.profile_id.values) <= set(sites.profile_id.values)
    assert found.efficiency.dims == found.r2_original.dims == ("site", "chain")
    assert all({"units", "long_name"} <= set(each.attrs) for each in found.data_vars.values())
    assert found.attrs["sites_used"] == int(found.used.sum()) > 0
    assert ("SYNTHETIC" in found.attrs.get("data", "")) == studies.info(study).synthetic


def test_results_open_as_the_page_on_other_programs_says(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    page = (paths.repository() / "book" / "results_elsewhere.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    monkeypatch.chdir(folder)
    for block in blocks:
        exec(block.replace("/class/", "/smoke/"), {})
    assert len(blocks) == 3
    printed = capsys.readouterr().out
    assert "kg m-2" in printed and "q10" in printed and "total_pg" in printed


def test_every_page_in_a_browser(folder: Path) -> None:
    if book.find_chromium() is None:
        pytest.skip("no Chromium: install it or set PRODA_CHROMIUM")
    html = folder / "build" / "html"
    pages = [page for page in browser.pages(html) if page.parent.name in STUDIES]
    pages += sorted((html / "reference").glob("*.html"))
    assert len(pages) > 12
    assert browser.problems_of(html, pages) == []
