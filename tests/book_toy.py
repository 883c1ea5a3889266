"""A toy book: two small chapters, run for two made-up studies, in a temporary folder."""

from __future__ import annotations

import base64
import copy
import io
import json
import tomllib
from pathlib import Path

import pytest

from proda_lib import paths, studies
from proda_lib.reproduce import book_code_links, book_reference, published_register
from proda_lib.studies.study import StudyInfo

INFOS = {
    "twin": StudyInfo(
        "twin",
        "A toy twin",
        True,
        "Made of nothing.",
        "CC BY 4.0.",
        "Nobody (2026).",
        ("It is a toy.",),
    ),
    "newyork": StudyInfo("newyork", "Toy York", False, "Three pits.", "CC BY 4.0.", "Us."),
}

PLAN = """
[[chapter]]
notebook = "01_data"
part = "Data"
needs = []

[[chapter]]
notebook = "02_model"
part = "Model"
needs = ["01_data"]
"""

#: Modules with a page of their own; all of them are in the book that the real chapters make.
MODULES = ("proda_lib.metrics", "proda_lib.soil_grid", "proda_lib.units")

PARAMETERS = """study: str = "twin"  # one of twin, newyork
size: str = "class"  # one of smoke, class, paper"""

DATA_PROSE = """(sec-data)=
# The data

There are {value}`data.sites:,d` sites in {numref}`fig-sites`; the model follows in
{numref}`fig-pools` and [in its chapter](02_model.ipynb).
See also {ref}`the model <sec-model>`, {eq}`eq-toy` and {ref}`sec-symbols`.

% only: newyork
Only New York has pits.
% end

$$
\\frac{dX}{dt} = B u + A \\xi K X - V X + a + b + c + d + e + f + g + h + i + j + k + l + m + n + o
$$ (eq-toy)
"""

MODEL_PROSE = """(sec-model)=
# The model

Equation {eq}`eq-toy` again, $\\mathbf{A}\\xi\\mathbf{K}$ and $10^{-4}$,
and {numref}`the sites, %s <fig-sites>`, {numref}`tab-layers`.
"""


def png(shift: float) -> str:
    """Return a small figure, base64."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 4))
    axis = figure.subplots()
    axis.plot([0, 1, 2], [0, 1 + shift, 0.5])
    axis.set(xlabel="depth (m)", ylabel="soil organic carbon (kgC m$^{-3}$)")
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=120)
    return base64.b64encode(file.getvalue()).decode()


def markdown(identity: str, source: str) -> dict:
    """Return a markdown cell."""
    return {"cell_type": "markdown", "id": identity, "metadata": {}, "source": source}


def code(identity: str, source: str, outputs: list | None = None, **metadata: object) -> dict:
    """Return a code cell."""
    return {
        "cell_type": "code",
        "id": identity,
        "metadata": metadata,
        "source": source,
        "outputs": outputs or [],
        "execution_count": 1 if outputs else None,
    }


def figure_cell(identity: str, name: str, caption: str) -> dict:
    """Return a code cell that shows a figure."""
    shown = {
        "figure": {"name": name, "caption": caption},
        "image": {"alt": "A line over depth that falls from left to right, made up."},
    }
    data = {"image/png": png(len(name)), "text/plain": "<Figure>"}
    output = {"output_type": "display_data", "metadata": {}, "data": data}
    return code(identity, f"draw({name!r})", [output], mystnb=shown)


def table_cell() -> dict:
    """Return a code cell that shows a table much wider than a telephone."""
    import pandas as pd

    table = pd.DataFrame(
        {f"soil carbon in layer {i} (gC m-3)": [1e4 / (i + 1)] * 3 for i in range(14)}
    )
    output = {"output_type": "execute_result", "execution_count": 1, "metadata": {}}
    look = table.style.set_uuid("wide").set_properties(**{"font-style": "italic"})
    data = {"text/html": look.to_html(), "text/plain": str(table)}
    shown = {"table": {"name": "tab-layers", "caption": "Carbon of {value}`data.sites` *sites*."}}
    return code("table", "table", [output | {"data": data}], mystnb=shown)


def chapters() -> dict[str, list[dict]]:
    """Return the cells of the toy chapters with their outputs."""
    return {
        "01_data": [
            markdown("intro", DATA_PROSE),
            code("parameters", PARAMETERS, tags=["parameters"]),
            figure_cell("sites", "fig-sites", "Where the {value}`data.sites` sites lie."),
            markdown("conclude", "They lie on a line."),
            table_cell(),
            code("long", "x = " + " + ".join(["soil_organic_carbon"] * 12)),
        ],
        "02_model": [
            markdown("intro", MODEL_PROSE),
            code("parameters", PARAMETERS, tags=["parameters"]),
            figure_cell("pools", "fig-pools", "Pools with depth."),
            code("truth", "draw(truth)", tags=["only:twin"]),
            code("solution", "carbon = 2  # answer", tags=["solution"]),
        ],
    }


def notebook(cells: list[dict]) -> str:
    """Return a notebook's text."""
    return json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5})


def source_of(cells: list[dict]) -> list[dict]:
    """Return the cells without outputs, as they are kept in git."""
    cells = copy.deepcopy(cells)
    for cell in cells:
        if cell["cell_type"] == "code":
            cell |= {"outputs": [], "execution_count": None}
    return cells


def provenance(
    study: str, size: str, name: str, finished: str = "2026-11-20T10:00:00+00:00"
) -> dict:
    """Return the record of a run."""
    return {
        "notebook": name,
        "study": study,
        "size": size,
        "version": "0.1.0 (abc1234)",
        "data_hash": "0123456789abcdef",
        "seconds": 12.3,
        "finished": finished,
        "python": "3.11.7",
        "packages": {"numpy": "2.4.6"},
        "parameters": {"study": study, "size": size},
    }


def asked_of(chapter: str) -> dict[str, int]:
    """Return the numbers of a chapter that the book's own pages print, all alike."""
    rows = [row for group in published_register.read().groups for row in group.numbers]
    asked = {row.key for row in rows if row.key and row.chapter == chapter}
    text = (paths.data() / "key_numbers.toml").read_text(encoding="utf-8")
    for each in tomllib.loads(text)["chapters"]:
        asked |= {row["key"] for row in each["rows"] if each["notebook"] == chapter}
    return dict.fromkeys(sorted(asked), 1406)


class ToyBook:
    """Folders of a toy book; `run` puts a finished chapter into its results."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder, self.cells = folder, chapters()
        self.notebooks, self.results = folder / "notebooks", folder / "results"
        self.notebooks.mkdir(parents=True)
        monkeypatch.setenv("PRODA_RESULTS", str(self.results))
        monkeypatch.setenv("PRODA_BUILD", str(folder / "build"))
        monkeypatch.setattr(paths, "notebooks", lambda: self.notebooks)
        monkeypatch.setattr(studies, "names", lambda: tuple(INFOS))
        monkeypatch.setattr(studies, "info", INFOS.__getitem__)
        modules = [entry for entry in book_reference.public_modules() if entry[0] in MODULES]
        monkeypatch.setattr(book_reference, "public_modules", lambda: iter(modules))
        # Names of these few modules must not be remembered for books of the whole library.
        names = book_code_links.public_names.__wrapped__
        monkeypatch.setattr(book_code_links, "public_names", names)
        (self.notebooks / "plan.toml").write_text(PLAN)
        self.write_sources()

    def write_sources(self) -> None:
        """Write the notebooks without outputs."""
        for name, cells in self.cells.items():
            (self.notebooks / f"{name}.ipynb").write_text(notebook(source_of(cells)))

    def run(self, study: str, name: str, size: str = "class", **record: str) -> None:
        """Leave what a run of a chapter leaves."""
        folder = self.results / study / size
        cells = copy.deepcopy(self.cells[name])
        injected = code("injected", f'study = "{study}"', tags=["injected-parameters"])
        cells.insert(2, injected)
        made = provenance(study, size, name, **record)
        numbers = {"data.sites": 1406} | asked_of(name) if name == "01_data" else {}
        for path, text in {
            f"executed/{name}.ipynb": notebook(cells),
            f"provenance/{name}.json": json.dumps(made),
            f"numbers/{name}.json": json.dumps(numbers),
        }.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text)
