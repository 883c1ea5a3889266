from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import nbformat
import pytest

from proda_lib import paths, studies
from proda_lib.code_hash import used_files
from proda_lib.reproduce import parameters_cell, plan, run
from tests import toy_project
from tests.toy_project import SAVE, write_notebook


@pytest.fixture
def project(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("PRODA_RESULTS", str(tmp_path / "results"))
    # A kernel "python3" that the user has installed must not be taken: this one cannot start.
    kernels = tmp_path / "jupyter" / "kernels" / "python3"
    kernels.mkdir(parents=True)
    stray = {"argv": ["false"], "display_name": "Stray", "language": "python"}
    (kernels / "kernel.json").write_text(json.dumps(stray))
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path / "jupyter"))
    toy_project.make(tmp_path)
    toy_project.attach(tmp_path, monkeypatch.setattr)
    return tmp_path


def reproduce(**options) -> dict[str, run.Outcome]:
    outcomes = run.reproduce(["toy"], "smoke", stream=io.StringIO(), **options)
    return {outcome.notebook: outcome for outcome in outcomes}


def states(**options) -> list[str]:
    return [outcome.state for outcome in reproduce(**options).values()]


def reasons() -> dict[str, list[str]]:
    return {step.notebook: list(step.reasons) for step in plan.steps("toy", "smoke")}


def numbers(project: Path) -> dict[str, float]:
    return json.loads((project / "results" / "toy" / "smoke" / "numbers.json").read_text())


def partial(project: Path) -> list[Path]:
    return list(project.rglob("*.partial*"))


def record_done(*notebooks: str) -> None:
    """Pretend that chapters have run, to test what makes them stale without running them."""
    for step in plan.steps("toy", "smoke"):
        if step.notebook in notebooks:
            for file in (step.provenance, step.executed):
                file.parent.mkdir(parents=True, exist_ok=True)
            step.executed.write_text("{}")
            step.provenance.write_text(json.dumps({"key": step.key, "outputs": []}))


ALL = ("01_data", "02_model", "03_other")


def test_chapters_run_in_order_once_and_are_recorded(project):
    assert states() == ["done", "done", "done"]
    assert numbers(project) == {"data.number": 2, "model.double": 4}
    folder = project / "results" / "toy" / "smoke"
    record = json.loads((folder / "provenance" / "02_model.json").read_text())
    assert record["outputs"] == ["numbers/02_model.json"]
    assert record["data_hash"] == "key of toy smoke"
    assert set(record["key"]["modules"]) == {
        f"toylib/{m}.py" for m in ("__init__", "numbers", "tools")
    }
    assert "numpy" in record["packages"]
    everything = "".join(file.read_text() for file in folder.rglob("*.json"))
    assert str(project) not in everything
    assert partial(project) == []
    # The kernel was this Python; its warning went to the log, not into the book.
    executed = nbformat.read(folder / "executed" / "03_other.ipynb", as_version=4)
    assert executed.cells[-1].outputs[0].data["text/plain"] == repr(sys.executable)
    assert len(executed.cells[-1].outputs) == 1
    assert "a warning" in (folder / "logs" / "03_other.txt").read_text()
    # Nothing is run a second time, and a changed parameter reaches what needs it.
    assert states() == ["kept", "kept", "kept"]
    changed = plan.settings(["01_data.seed=5"])
    assert states(changed=changed) == ["done", "done", "kept"]
    assert numbers(project)["model.double"] == 12


def test_a_failed_chapter_names_its_cell_and_the_next_run_resumes_there(project):
    broken = project / "notebooks" / "01_data.ipynb"
    whole = broken.read_text()
    write_notebook(broken, "number = 1", "\ncheck = number\nassert check > 1, 'too few'")
    outcomes = reproduce()
    assert [o.state for o in outcomes.values()] == ["failed", "skipped", "done"]
    message = outcomes["01_data"].message
    assert message == "failed in cell 4 `check = number`: AssertionError: too few"
    executed = project / "results" / "toy" / "smoke" / "executed"
    assert {f.name for f in executed.iterdir()} == {"01_data.failed.ipynb", "03_other.ipynb"}
    assert partial(project) == []
    assert reasons()["01_data"] == ["failed last time"]
    broken.write_text(whole)
    assert states() == ["done", "done", "kept"]
    assert not (executed / "01_data.failed.ipynb").exists()


def test_a_kernel_that_dies_is_a_failed_chapter(project):
    write_notebook(project / "notebooks" / "01_data.ipynb", "import os\nos._exit(3)")
    outcome = reproduce(only=["01_data"])["01_data"]
    assert outcome.state == "failed"
    assert "cell 3 `import os`: DeadKernelError" in outcome.message


def test_data_that_cannot_be_had_are_asked_for_once_and_nothing_runs(project, monkeypatch):
    asked = []

    def load(name, size):
        asked.append(name)
        raise RuntimeError("no network")

    monkeypatch.setattr(studies, "load", load)
    outcomes = reproduce()
    assert (outcomes["data"].state, outcomes["data"].message) == ("failed", "no network")
    assert [outcomes[name].state for name in ALL[1:]] == ["skipped", "skipped"]
    assert asked == ["toy"]


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_a_killed_run_leaves_no_half_file_and_resumes(project, how):
    """Killed in the second chapter: the first stays finished, the second starts anew."""
    second = project / "notebooks" / "02_model.ipynb"
    flag = project / "running"
    waiting = f"import pathlib, time\npathlib.Path({str(flag)!r}).touch()\ntime.sleep(60)"
    whole = second.read_text()
    write_notebook(second, SAVE.format("02_model", "model.early", "1"), waiting)
    environment = os.environ | {"PYTHONPATH": str(toy_project.REPOSITORY)}
    script = Path(toy_project.__file__)
    process = subprocess.Popen(
        [sys.executable, str(script), str(project)],
        env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        for _ in range(600):
            if flag.exists() or process.poll() is not None:
                break
            time.sleep(0.1)
        assert flag.exists()
        process.send_signal(how)
        assert process.wait(timeout=60) != 0
    finally:
        process.kill()
    executed = project / "results" / "toy" / "smoke" / "executed"
    assert [f.name for f in executed.glob("[!.]*")] == ["01_data.ipynb"]
    if how == signal.SIGINT:
        assert partial(project) == []
    assert reasons()["01_data"] == []
    assert reasons()["02_model"] == ["never run to its end"]
    second.write_text(whole)
    assert states() == ["kept", "done", "done"]
    assert partial(project) == []
    assert numbers(project) == {"data.number": 2, "model.double": 4}


def test_prose_comments_and_docstrings_do_not_make_a_chapter_stale(project):
    record_done(*ALL)
    notebook = project / "notebooks" / "01_data.ipynb"
    notebook.write_text(notebook.read_text().replace("Look.", "Look closely."))
    library = project / "toylib" / "numbers.py"
    library.write_text("'''Better words.'''\n# why\nfrom toylib import tools\n")
    assert reasons() == {name: [] for name in ALL}


def test_a_changed_module_makes_only_those_stale_that_use_it(project):
    record_done(*ALL)
    (project / "toylib" / "plots.py").write_text("def draw():\n    return 2\n")
    assert reasons() == {"01_data": [], "02_model": [], "03_other": ["toylib/plots.py changed"]}
    (project / "toylib" / "tools.py").write_text("def atomic():\n    return 2\n")
    assert reasons()["02_model"] == ["toylib/tools.py changed"]  # through numbers.py


def test_what_a_renamed_chapter_left_is_forgotten(project):
    states()
    plan_file = project / "notebooks" / "plan.toml"
    plan_file.write_text(plan_file.read_text().replace("03_other", "04_other"))
    (project / "notebooks" / "03_other.ipynb").rename(project / "notebooks" / "04_other.ipynb")
    assert states() == ["kept", "kept", "done"]
    left = [file.name for file in (project / "results").rglob("03_other*")]
    assert left == []


def test_changed_code_reaches_the_chapters_that_need_it(project):
    record_done(*ALL)
    notebook = project / "notebooks" / "01_data.ipynb"
    notebook.write_text(notebook.read_text().replace("seed + 1", "seed + 2"))
    assert reasons() == {
        "01_data": ["code of notebooks/01_data.ipynb changed"],
        "02_model": ["01_data before it changed"],
        "03_other": [],
    }


def test_a_changed_parameter_is_named_with_both_values(project):
    record_done(*ALL)
    first = plan.steps("toy", "smoke", plan.settings(["01_data.seed=2"]))[0]
    assert first.reasons == ("parameter seed 1 -> 2",)


def test_changed_data_make_all_stale(project, monkeypatch):
    record_done(*ALL)
    monkeypatch.setattr(studies, "data_key", lambda name, size: "other")
    assert all("data of toy smoke changed" in why for why in reasons().values())


def test_the_minutes_of_the_size_table_do_not_count_but_its_other_entries_do(project, monkeypatch):
    record_done(*ALL)
    row = {"sites": 3, "minutes": 9}
    monkeypatch.setattr(studies, "sizes", lambda name: {"smoke": row})
    assert reasons()["01_data"] == []
    row["chains"] = 4
    assert reasons()["01_data"] == ["size smoke chains None -> 4"]


def test_a_missing_output_is_made_again_without_what_follows(project):
    reproduce(only=["02_model"])
    (project / "results" / "toy" / "smoke" / "numbers" / "01_data.json").unlink()
    why = reasons()
    assert why["01_data"] == ["its output numbers/01_data.json is missing"]
    assert why["02_model"] == []
    assert reproduce(only=["02_model"])["01_data"].state == "done"


def test_force_runs_only_what_is_named_and_only_includes_what_it_needs(project):
    record_done(*ALL)
    step = plan.steps("toy", "smoke")[0]
    assert not step.reasons
    outcomes = reproduce(only=["02_model"], force=True)
    assert list(outcomes) == ["01_data", "02_model"]
    assert outcomes["01_data"].state == "kept"
    assert outcomes["02_model"].state == "failed"  # 01_data's numbers were only pretended
    assert "KeyError: 'data.number'" in outcomes["02_model"].message


@pytest.mark.parametrize(
    ("assignment", "message"),
    [
        ("01_data.sede=2", "unknown parameter of 01_data 'sede': did you mean 'seed'"),
        ("01_data.seed=two", r"01_data.seed is 'two' \(str\), expected int"),
        ("01_data.seed=1.5", r"01_data.seed is 1.5 \(float\), expected int"),
        ("01_data.seed=True", r"expected int"),
        ("01_data.seed=100", r"01_data.seed is 100: give a number in \[0, 99\]"),
        ("01_dat.seed=1", "unknown notebook .*'01_dat': did you mean '01_data'"),
        ("01_data.study=far", "use --study instead"),
        ("seed=1", "write NOTEBOOK.parameter=value"),
    ],
)
def test_a_wrong_parameter_is_refused_before_anything_runs(project, assignment, message):
    with pytest.raises(ValueError, match=message):
        plan.steps("toy", "smoke", plan.settings([assignment]))
    assert not (project / "results").exists()


@pytest.mark.parametrize(
    ("text", "kind", "expected"),
    [("3", "float", 3.0), ("1e-3", "float", 1e-3), ("-2", "int", -2), ("true", "bool", True),
     ("a b", "str", "a b"), ("007", "str", "007")],
)  # fmt: skip
def test_command_line_values_take_the_declared_type(text, kind, expected):
    default = {"float": 0.0, "int": 0, "bool": False, "str": ""}[kind]
    parameters = {"x": parameters_cell.Parameter("x", kind, default)}
    value = parameters_cell.from_text(parameters, "x", text, "01")
    assert value == expected
    assert type(value) is type(expected)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("seed = 1", "write `name: type = literal`"),
        ("seed: list = []", "write `name: type = literal`"),
        ("seed: int", "write `name: type = literal`"),
        ("seed: int = 1 + x", "not a literal"),
        ("seed: int = 5  # in [0, 4]", r"give a number in \[0, 4\]"),
        ("prior: str = 'prado'  # one of proda, binn", "did you mean 'proda'"),
        ("seed: int =", "line 3"),
    ],
)
def test_a_parameters_cell_with_anything_else_is_refused(tmp_path, line, message):
    write_notebook(tmp_path / "01.ipynb", parameters=f"{line}\n")
    with pytest.raises(ValueError, match=message):
        parameters_cell.read(tmp_path / "01.ipynb")


def test_comments_declare_ranges_and_choices(tmp_path):
    lines = (
        "depth: float = 1.0  # of the soil, in [0.5, 8.6] m\nname: str = 'é # x'  # one of é # x\n"
    )
    write_notebook(tmp_path / "01.ipynb", parameters=lines)
    found = parameters_cell.read(tmp_path / "01.ipynb")
    assert found["depth"].range == (0.5, 8.6)
    assert found["size"].choices == ("smoke", "class")
    assert found["study"].choices == ()
    assert found["name"].default == "é # x"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('[[chapter]]\nnotebook = "04_gone"', "04_gone: there is no such notebook"),
        ('[[chapter]]\nnotebook = "01_data"\n[[chapter]]\nnotebook = "01_data"', "twice"),
        (
            '[[chapter]]\nnotebook = "02_model"\nneeds = ["01_data"]',
            "chapter before 02_model .* '01_data'",
        ),
        ('[[chapter]]\nnotebook = "01_data"\nstudies = ["fra"]', "did you mean 'far'"),
        ('[[chapter]]\nnotebook = "01_data"\nsoil_grids = ["CLM54"]', "did you mean 'CLM5'"),
        ("[[chapter]", "cannot be read"),
        ("[[chapter]]\npart = 'x'", "cannot be read"),
    ],
)
def test_a_wrong_plan_is_refused(project, text, message):
    (project / "notebooks" / "plan.toml").write_text(text)
    with pytest.raises(ValueError, match=message):
        plan.chapters()


def test_a_chapter_about_one_study_is_left_out_of_the_others(project):
    file = project / "notebooks" / "plan.toml"
    file.write_text(
        file.read_text().replace('"01_data"\npart', '"01_data"\nstudies = ["far"]\npart')
    )
    assert list(reasons()) == ["02_model", "03_other"]
    assert [step.notebook for step in plan.steps("far", "smoke")] == list(ALL)


def test_a_chapter_about_a_soil_grid_is_left_out_where_it_is_missing(project, monkeypatch):
    file = project / "notebooks" / "plan.toml"
    file.write_text(
        file.read_text().replace('"01_data"\npart', '"01_data"\nsoil_grids = ["CLM45"]\npart')
    )
    assert list(reasons()) == ["02_model", "03_other"]
    both = SimpleNamespace(name="far", soil_grids=("CLM5", "CLM45"))
    monkeypatch.setattr(studies, "info", lambda name: both)
    assert [step.notebook for step in plan.steps("far", "smoke")] == list(ALL)


def test_studies_are_chosen_by_what_is_present(project):
    assert studies.choose() == (["toy"], {"far": ["far.nc"]})
    assert studies.choose(["far"], "smoke")[0] == ["far"]  # asked for: to be fetched
    with pytest.raises(ValueError, match="did you mean 'toy'"):
        studies.choose(["toi"])
    with pytest.raises(ValueError, match="did you mean 'class'"):
        studies.choose(["toy"], "clas")


def test_imports_are_followed_through_functions_relatives_and_packages(tmp_path):
    package = tmp_path / "lib"
    sources = {
        "__init__.py": "",
        "top.py": "def f():\n    from .deep import inner\n",
        "deep/__init__.py": "from ..side import thing",
        "deep/inner.py": "open('style.txt')",
        "deep/style.txt": "red",
        "deep/unused.txt": "blue",
        "side.py": "import numpy, lib.paths\nthing = 'data', \"maps\"",
        "paths.py": "import lib.alone",
        "alone.py": "",
        "studies/__init__.py": "from lib import alone",
        "studies/one.py": "",
    }
    for name, source in sources.items():
        (package / name).parent.mkdir(parents=True, exist_ok=True)
        (package / name).write_text(source)
    (tmp_path / "data" / "maps").mkdir(parents=True)
    for name in ("maps/a.geojson", "unused.csv", "table.csv"):
        (tmp_path / "data" / name).write_text("1")
    code = "import lib.top\nfrom lib.studies import one\ntable = 'far/table.csv'"
    used = ["__init__.py", "deep/__init__.py", "deep/inner.py", "deep/style.txt", "side.py",
            "studies/one.py", "top.py"]  # fmt: skip
    found = used_files(code, package)
    assert list(found) == ["data/maps/a.geojson", "data/table.csv", *(f"lib/{n}" for n in used)]
    (package / "deep" / "style.txt").write_text("green")
    changed = used_files(code, package)
    assert [name for name in found if found[name] != changed[name]] == ["lib/deep/style.txt"]


def test_every_vendored_file_belongs_to_some_code():
    """Or a change of it would make nothing stale."""
    package = paths.package()
    names = (file.relative_to(package.parent).with_suffix("") for file in package.rglob("*.py"))
    code = "".join(f"import {'.'.join(name.parts)}\n" for name in names)
    notebooks = [parameters_cell.code_cells(chapter.file) for chapter in plan.chapters()]
    code += "\n".join(cell["source"] for cells in notebooks for cell in cells)
    listed = {name for name in used_files(code, package) if not name.endswith(".py")}
    there = {
        file.relative_to(package.parent).as_posix()
        for folder in (package, paths.data())
        for file in folder.rglob("*.*")
        if file.is_file() and file.suffix not in {".py", ".pyc", ".md"}
    }
    # Both are in the key of a study's data, row by row.
    assert there - listed <= {"data/registry.toml", "proda_lib/studies/sizes.toml"}


def test_outputs_and_parameters_do_not_make_a_chapter_stale(project):
    record_done(*ALL)
    file = project / "notebooks" / "03_other.ipynb"
    notebook = nbformat.read(file, as_version=4)
    notebook.cells[-1].outputs = [nbformat.v4.new_output("stream", text="1")]
    notebook.cells[1].source += "# Another comment."
    nbformat.write(notebook, file)
    assert reasons()["03_other"] == []
    notebook.cells[-1].source += "\nx = 2"
    nbformat.write(notebook, file)
    assert reasons()["03_other"] == ["code of notebooks/03_other.ipynb changed"]
