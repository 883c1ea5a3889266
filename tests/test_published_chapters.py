"""Chapters on the published study's files, made up for a whole country, in both configurations."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from proda_lib import paths
from proda_lib.files import git_blob
from tests import published_country

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project whose registry has the ids of the made-up files."""
    folder = tmp_path_factory.mktemp("country")
    for name in ("proda_lib", "notebooks", "data", "book"):
        shutil.copytree(
            paths.repository() / name, folder / name,
            ignore=shutil.ignore_patterns("__pycache__"),
        )  # fmt: skip
    shutil.copy(paths.repository() / "pyproject.toml", folder)
    root = published_country.write_all(folder / "mirror", "smoke")
    register(folder / "data" / "registry.toml", root)
    return folder


def register(file: Path, root: Path) -> None:
    """Put the ids of made-up files in place of the real ones."""
    blocks = re.split(r"(?m)^(?=\[)", file.read_text())
    for i, block in enumerate(blocks):
        if block.startswith("[[published.file]]"):
            name = re.search(r'(?m)^name = "(.*)"', block)[1]
            block = re.sub(r"(?m)^(sha256|bytes) = .*\n", "", block)
            blocks[i] = re.sub(r'git_blob = "\w+"', f'git_blob = "{git_blob(root / name)}"', block)
    file.write_text("".join(blocks))


def test_both_configurations_run_through_the_chapters(project: Path) -> None:
    places = {"PRODA_MIRROR": "mirror", "PRODA_CACHE": "cache", "PRODA_RESULTS": "results"}
    environment = os.environ | {name: str(project / place) for name, place in places.items()}
    environment |= {"PYTHONPATH": str(project), "PRODA_STUDIES": str(project / "studies")}
    options = ["--study=conus", "--size=smoke", "--only=01_data", "--only=06_ten_layers"]
    done = subprocess.run(
        [sys.executable, "-m", "proda_lib", "reproduce", *options, "--no-book"],
        cwd=project, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    numbers = json.loads((project / "results" / "conus" / "smoke" / "numbers.json").read_text())
    # The files hold a tenth less of the water scalar than the potential stands for.
    assert numbers["ten.water_difference"] > 0.01
    assert numbers["data.sites_used"] == 30
    assert 0 < numbers["ten.r2_ten"] < 1
