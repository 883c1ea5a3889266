"""The plan: which chapters there are, in which order, and which of them are stale and why."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from proda_lib import paths, studies
from proda_lib.code_hash import used_files
from proda_lib.files import text_hash
from proda_lib.nearest import check_known
from proda_lib.reproduce import parameters_cell
from proda_lib.soil_grid import GRIDS
from proda_lib.studies.study import StudyInfo

__all__ = ["Chapter", "Step", "chapters", "settings", "steps", "with_needs"]


@dataclass(frozen=True)
class Chapter:
    """One row of notebooks/plan.toml.

    Attributes
    ----------
    notebook : str
        File name without suffix.
    part : str
        Heading of the book under which it stands.
    needs : sequence of str
        Earlier notebooks whose results it reads.
    studies : sequence of str
        The studies that it is about; empty if about all.
    soil_grids : sequence of str
        Soil grids that a study must have to be treated.
    """

    notebook: str
    part: str = ""
    needs: Sequence[str] = ()
    studies: Sequence[str] = ()
    soil_grids: Sequence[str] = ()

    @property
    def file(self) -> Path:
        """The notebook without outputs."""
        return paths.notebooks() / f"{self.notebook}.ipynb"

    def treats(self, study: StudyInfo) -> bool:
        """Tell whether the chapter is for a study."""
        named = not self.studies or study.name in self.studies
        return named and set(self.soil_grids) <= set(study.soil_grids)


@dataclass(frozen=True)
class Step:
    """One chapter of one study at one size: what it would be made from, and what is stale.

    Attributes
    ----------
    chapter : Chapter
    study, size : str
    parameters : dict
        All parameters of the notebook.
    key : dict
        Named hashes of all that the result depends on.
    reasons : tuple of str
        Why it has to run; empty if its results are up to date.
    """

    chapter: Chapter
    study: str
    size: str
    parameters: dict[str, Any]
    key: dict[str, Any]
    reasons: tuple[str, ...] = ()

    @property
    def notebook(self) -> str:
        """File name of the notebook without suffix."""
        return self.chapter.notebook

    @property
    def folder(self) -> Path:
        """Folder of the results."""
        return paths.results(self.study, self.size)

    @property
    def executed(self) -> Path:
        """The notebook with outputs; there only if all its cells ran."""
        return self.folder / "executed" / f"{self.notebook}.ipynb"

    @property
    def failed(self) -> Path:
        """The notebook with outputs up to the cell that failed."""
        return self.folder / "executed" / f"{self.notebook}.failed.ipynb"

    @property
    def log(self) -> Path:
        """What the kernel and the cells wrote to stderr."""
        return self.folder / "logs" / f"{self.notebook}.txt"

    @property
    def progress(self) -> Path:
        """What a long computation of the chapter last told, while it runs."""
        return self.folder / "logs" / f"{self.notebook}.progress"

    @property
    def provenance(self) -> Path:
        """The record of the last complete run."""
        return self.folder / "provenance" / f"{self.notebook}.json"

    def record(self) -> dict[str, Any] | None:
        """Return the record of the last complete run, None if there is none."""
        try:
            return json.loads(self.provenance.read_text(encoding="utf-8"))
        except (FileNotFoundError, ValueError):
            return None


def chapters() -> list[Chapter]:
    """Return the chapters in the order of notebooks/plan.toml.

    Raises
    ------
    ValueError
        If the plan cannot be read, names a notebook twice or one that does not exist, or lets
        a chapter need one that does not come before it.
    """
    file = paths.notebooks() / "plan.toml"
    try:
        rows = tomllib.loads(file.read_text(encoding="utf-8")).get("chapter", [])
        found = [Chapter(**row) for row in rows]
    except FileNotFoundError:
        raise ValueError(f"there is no {file}: run from a clone of the repository") from None
    except (tomllib.TOMLDecodeError, TypeError) as error:
        raise ValueError(f"notebooks/plan.toml cannot be read: {error}") from None
    earlier: list[str] = []
    for chapter in found:
        where = f"notebooks/plan.toml, {chapter.notebook}"
        if chapter.notebook in earlier:
            raise ValueError(f"{where}: it stands there twice")
        if not chapter.file.is_file():
            raise ValueError(f"{where}: there is no such notebook")
        for name in chapter.needs:
            check_known(f"chapter before {chapter.notebook} in notebooks/plan.toml", name, earlier)
        for name in chapter.studies:
            check_known(f"study of {chapter.notebook} in plan.toml", name, studies.names())
        for name in chapter.soil_grids:
            check_known(f"soil grid of {chapter.notebook} in plan.toml", name, GRIDS)
        earlier.append(chapter.notebook)
    return found


def with_needs(only: Sequence[str] = ()) -> set[str]:
    """Return the names of notebooks and of those that they need; all of the plan if none is given.

    Raises
    ------
    ValueError
        If one is not in the plan; the message names the nearest.
    """
    rows = {chapter.notebook: chapter for chapter in chapters()}
    waiting, wanted = list(only or rows), set()
    while waiting:
        name = waiting.pop()
        check_known("notebook", name, rows)
        wanted.add(name)
        waiting.extend(rows[name].needs)
    return wanted


def settings(assignments: Sequence[str]) -> dict[str, dict[str, str]]:
    """Return notebook -> parameter -> text for assignments like "01_data.example_site=3".

    Raises
    ------
    ValueError
        If one is not of this form or names a notebook that is not in the plan.
    """
    known = [chapter.notebook for chapter in chapters()]
    found: dict[str, dict[str, str]] = {}
    for assignment in assignments:
        target, equals, text = assignment.partition("=")
        notebook, dot, name = target.strip().rpartition(".")
        if not (equals and dot):
            raise ValueError(f"--set {assignment}: write NOTEBOOK.parameter=value")
        check_known(f"notebook of --set {assignment}", notebook, known)
        if name in {"study", "size"}:
            raise ValueError(f"--set {assignment}: use --{name} instead, it holds for all chapters")
        found.setdefault(notebook, {})[name] = text.strip()
    return found


def steps(
    study: str, size: str, changed: Mapping[str, Mapping[str, str]] | None = None
) -> list[Step]:
    """Return what running all chapters of a study at a size means; nothing is run.

    Parameters
    ----------
    study, size : str
        They must exist (`proda_lib.studies.names`, `proda_lib.studies.sizes`).
    changed : mapping
        What `settings` returned.

    Returns
    -------
    list of Step
        In the order of the plan.
    """
    data = studies.data_key(study, size)
    row = studies.sizes(study)[size]
    about = studies.info(study)
    done: dict[str, Step] = {}
    for chapter in chapters():
        if not chapter.treats(about):
            continue
        parameters = _parameters(chapter, study, size, (changed or {}).get(chapter.notebook, {}))
        key = {
            **_code_key(chapter.file),
            "parameters": parameters,
            "data": data,
            "size": {name: value for name, value in row.items() if name != "minutes"},
            "before": {n: text_hash(_json(done[n].key)) for n in chapter.needs if n in done},
        }
        step = Step(chapter, study, size, parameters, json.loads(_json(key)))
        done[chapter.notebook] = replace(step, reasons=_reasons(step))
    return list(done.values())


def _json(key: Mapping[str, Any]) -> str:
    return json.dumps(key, sort_keys=True)


def _code_key(notebook: Path) -> dict[str, Any]:
    """Return the hashes of a notebook's code, without its parameters, and of what it uses.

    The ids of the cells belong to it, because the book joins outputs and prose by them.
    """
    cells = parameters_cell.code_cells(notebook)
    own = (f"{cell['id']}\n{cell['source']}" for cell in cells if "parameters" not in cell["tags"])
    lines = "\n".join(cell["source"] for cell in cells).split("\n")
    code = "\n".join("" if line.lstrip()[:1] in {"%", "!"} else line for line in lines)  # magics
    return {"notebook": text_hash(*own), "modules": used_files(code, paths.package())}


def _parameters(
    chapter: Chapter, study: str, size: str, texts: Mapping[str, str]
) -> dict[str, Any]:
    """Return the values of all parameters of a chapter, checked."""
    declared = parameters_cell.read(chapter.file)
    for name in ("study", "size"):
        if name not in declared:
            raise ValueError(f"notebook {chapter.notebook} has no parameter {name!r}: add it")
    values = {name: parameter.default for name, parameter in declared.items()}
    values |= {"study": study, "size": size}
    for name, text in texts.items():
        values[name] = parameters_cell.from_text(declared, name, text, chapter.notebook)
    return values


def _reasons(step: Step) -> tuple[str, ...]:
    """Return in words why a step has to run, compared with the record of its last run."""
    record = step.record()
    if record is None:
        return ("failed last time" if step.failed.exists() else "never run to its end",)
    old, new = record.get("key", {}), step.key
    reasons = []
    if old.get("notebook") != new["notebook"]:
        reasons.append(f"code of notebooks/{step.notebook}.ipynb changed")
    for what, section in (("parameter", "parameters"), (f"size {step.size}", "size")):
        for name, was, now in _differences(old.get(section, {}), new[section]):
            reasons.append(f"{what} {name} {was} -> {now}")
    for file, was, now in _differences(old.get("modules", {}), new["modules"]):
        how = "is used now" if was is None else "is no longer used" if now is None else "changed"
        reasons.append(f"{file} {how}")
    if old.get("data") != new["data"]:
        reasons.append(f"data of {step.study} {step.size} changed")
    for need, _, _ in _differences(old.get("before", {}), new["before"]):
        reasons.append(f"{need} before it changed")
    for name in (f"executed/{step.executed.name}", *record.get("outputs", [])):
        if not (step.folder / name).exists():
            reasons.append(f"its output {name} is missing")
    return tuple(reasons)


def _differences(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[tuple[str, Any, Any]]:
    """Return name, old and new value (None where there is none) of what differs."""
    names = sorted(old.keys() | new.keys())
    return [(n, old.get(n), new.get(n)) for n in names if old.get(n) != new.get(n)]
