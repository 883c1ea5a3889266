"""A tiny project for tests of the runner: three notebooks, a library of three modules, a study.

Also a script: `python toy_project.py FOLDER` runs its chapters, so that a test can kill it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

REPOSITORY = Path(__file__).resolve().parent.parent
PARAMETERS = """study: str = "toy"  # one of what `proda data --list` shows
size: str = "smoke"  # one of smoke, class
"""
SAVE = "from proda_lib import results\nresults.save_numbers(study, size, '{}', {{'{}': {}}})"


def write_notebook(file: Path, *cells: str, parameters: str = "", prose: str = "Look.") -> None:
    tagged = new_code_cell(
        PARAMETERS + parameters, id="parameters", metadata={"tags": ["parameters"]}
    )
    body = [new_code_cell(cell, id=f"cell-{i}") for i, cell in enumerate(cells)]
    notebook = new_notebook(
        cells=[new_markdown_cell(f"# {file.stem}\n{prose}", id="title"), tagged, *body],
        metadata={"kernelspec": {"name": "python3", "display_name": "x", "language": "python"}},
    )
    nbformat.write(notebook, file)


def make(folder: Path) -> None:
    """Write the project's files."""
    notebooks, package = folder / "notebooks", folder / "toylib"
    for place in (notebooks, package):
        place.mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "numbers.py").write_text("'''Results.'''\nfrom toylib import tools\n")
    (package / "tools.py").write_text("def atomic():\n    return 1\n")
    (package / "plots.py").write_text("def draw():\n    return 1\n")
    (notebooks / "plan.toml").write_text(
        '[[chapter]]\nnotebook = "01_data"\npart = "Data"\n'
        '[[chapter]]\nnotebook = "02_model"\nneeds = ["01_data"]\n'
        '[[chapter]]\nnotebook = "03_other"\n'
    )
    write_notebook(
        notebooks / "01_data.ipynb",
        "number = seed + 1",
        SAVE.format("01_data", "data.number", "number"),
        parameters="seed: int = 1  # of the draws, in [0, 99]\n",
    )
    write_notebook(
        notebooks / "02_model.ipynb",
        "from proda_lib import results\n"
        "def later():\n    import toylib.numbers\n"
        "number = results.load_numbers(study, size)['data.number']",
        SAVE.format("02_model", "model.double", "2 * number"),
    )
    write_notebook(
        notebooks / "03_other.ipynb",
        "def later():\n    from toylib import plots\n    return plots",
        "import sys\nsys.stderr.write('a warning')\nsys.executable",
    )


def attach(folder: Path, setattr_: Callable[..., None] = setattr) -> None:
    """Point the library at the project and at a study without data."""
    from proda_lib import paths, studies

    sizes = {"smoke": {"sites": 3, "minutes": 1}, "class": {"sites": 9, "minutes": 1}}
    setattr_(paths, "notebooks", lambda: folder / "notebooks")
    setattr_(paths, "package", lambda: folder / "toylib")
    setattr_(paths, "repository", lambda: REPOSITORY)
    setattr_(studies, "names", lambda: ("toy", "far"))
    setattr_(studies, "info", lambda name: SimpleNamespace(name=name, soil_grids=("CLM5",)))
    setattr_(studies, "sizes", lambda name: sizes)
    setattr_(studies, "missing", lambda name: [] if name == "toy" else ["far.nc"])
    setattr_(studies, "data_key", lambda name, size, soil_grid="CLM5": f"key of {name} {size}")
    setattr_(studies, "load", lambda name, size="class", **_: SimpleNamespace(name=name))


if __name__ == "__main__":
    import signal

    from proda_lib.reproduce.run import reproduce

    # Tests that run in the background of a shell hand down that Ctrl-C is ignored.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    attach(Path(sys.argv[1]))

    reproduce(["toy"], "smoke")
