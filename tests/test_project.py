"""The project around the library: dependencies in step, nothing private in tracked files."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml

import proda_lib
from proda_lib.reproduce import class_references

ROOT = Path(__file__).resolve().parent.parent


def _pyproject() -> dict:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())


def _requirement(text: str) -> tuple[str, set[str], bool]:
    """Return name, set of version clauses, and whether a marker restricts it."""
    text, _, marker = text.partition(";")
    name, clauses = re.fullmatch(r"\s*([\w.-]+)\s*(.*?)\s*", text).groups()
    return name.lower(), {c.strip() for c in clauses.split(",") if c.strip()}, bool(marker)


def _tracked() -> list[Path]:
    """Return the files in git, or those that would be, if git can tell; else skip."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    if not (shutil.which("git") and (ROOT / ".git").exists()):
        pytest.skip("not a git checkout: the list of tracked files is unknown")
    listing = subprocess.run(command, cwd=ROOT, capture_output=True, check=True, text=True).stdout
    paths = (ROOT / name for name in listing.split("\0") if name)
    return [path for path in paths if path.is_file()]


def _texts() -> dict[str, str]:
    texts = {}
    for path in _tracked():
        try:
            texts[path.relative_to(ROOT).as_posix()] = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
    return texts


def _every_dependency() -> list[str]:
    """Requirements of the project, those of its extras included."""
    project = _pyproject()["project"]
    extras = project["optional-dependencies"].values()
    return [*project["dependencies"], *(each for extra in extras for each in extra)]


def test_environment_for_conda_is_in_step_with_pyproject() -> None:
    wanted = _every_dependency()
    listed = yaml.safe_load((ROOT / "environment.yml").read_text())["dependencies"]
    by_pip = next(entry["pip"] for entry in listed if isinstance(entry, dict))
    conda = [entry for entry in listed if isinstance(entry, str)]
    found = {name: clauses for name, clauses, _ in map(_requirement, [*conda, *by_pip[:-1]])}
    assert by_pip[-1] == "-e ."
    assert (
        found.pop("python")
        == _requirement(f"python{_pyproject()['project']['requires-python']}")[1]
    )
    found.pop("pip")
    assert set(found) == {name for name, _, _ in map(_requirement, wanted)}
    for name, clauses, marked in map(_requirement, wanted):
        # A clause for some Pythons only is left to conda's solver.
        assert found[name] == (set() if marked else clauses), name


def test_lock_file_pins_every_dependency_and_names_no_index() -> None:
    wanted = _every_dependency()
    lines = (ROOT / "requirements.lock").read_text().splitlines()
    pinned = {re.split(r"[=;\s]", line)[0] for line in lines}
    assert {name for name, _, _ in map(_requirement, wanted)} <= pinned
    assert all(re.match(r"[\w.-]+==\S+( ;.*)?$", line) for line in lines if line.strip())


def test_version_is_the_same_everywhere() -> None:
    version = _pyproject()["project"]["version"]
    assert proda_lib.__version__ == version
    assert yaml.safe_load((ROOT / "CITATION.cff").read_text())["version"] == version


def test_no_private_path_and_no_registry_address_in_tracked_files() -> None:
    # Written in pieces, or this file would find itself.
    private = [r"/home/" + r"\w+/", r"/Users/" + r"\w+/", r"/" + r"work/", r"/ro" + r"ot/"]
    indexes = [r"pypi\." + r"org/simple", r"index" + r"-url\s*=", r"file" + r"s\.pythonhosted"]
    pattern = re.compile("|".join([*private, *indexes]))
    bad = {
        name: found.group()
        for name, text in _texts().items()
        if (found := pattern.search(text)) and not name.startswith("book/_extra/mathjax")
    }
    assert not bad


def test_notebooks_carry_no_outputs() -> None:
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        cells = json.loads(path.read_text())["cells"]
        assert not any(cell.get("outputs") for cell in cells), path.name


def test_modules_and_functions_stay_short() -> None:
    import ast

    long = []
    for path in sorted((ROOT / "proda_lib").rglob("*.py")):
        text = path.read_text()
        if (lines := len(text.splitlines())) > 350:
            long.append(f"{path.name}: {lines} lines")
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef):
                first = node.body[1] if ast.get_docstring(node) and node.body[1:] else node.body[0]
                if (body := (node.end_lineno or 0) - first.lineno + 1) > 40:
                    long.append(f"{path.name}, {node.name}: {body} lines")
    assert not long


@pytest.mark.skipif(not shutil.which("make"), reason="make is not installed")
@pytest.mark.parametrize("python", ["no-such-python", "false"])
def test_setup_says_what_is_missing(tmp_path: Path, python: str) -> None:
    for name in ("Makefile", "requirements.lock", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path)
    command = ["make", "setup", f"PYTHON={python}"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert python in done.stdout and "3.11, 3.12 or 3.13 is needed" in done.stdout
    assert not (tmp_path / ".venv" / ".complete").exists()


@pytest.mark.skipif(not shutil.which("make"), reason="make is not installed")
def test_setup_without_any_python_says_so(tmp_path: Path) -> None:
    for name in ("Makefile", "requirements.lock", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path)
    tools = tmp_path / "bin"
    tools.mkdir()
    for tool in ("sh", "test", "echo"):
        if found := shutil.which(tool):
            os.symlink(found, tools / tool)
    command = [shutil.which("make"), "setup"]
    environment = {"PATH": str(tools)}
    done = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode != 0 and "No Python 3.11, 3.12 or 3.13 found" in done.stdout


def test_no_two_chapters_name_a_figure_or_a_table_alike() -> None:
    names = [
        name
        for path in sorted((ROOT / "notebooks").glob("*.ipynb"))
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]
        for _, name, _ in class_references.captions(cell)
    ]
    assert len(names) > 200
    assert sorted(names) == sorted(set(names))
