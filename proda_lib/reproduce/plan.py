"""The plan: which chapters there are, in which order, and which of them are stale and why."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from proda_lib import paths, studies
from proda_lib.files import text_hash
from proda_lib.reproduce import parameters_cell
from proda_lib.reproduce.fingerprint import modules_of, notebook_hash
from proda_lib.reproduce.parameters_cell import Parameter, ParameterError, unknown

__all__ = ["Chapter", "PlanError", "Step", "chapters", "settings", "steps"]


class PlanError(ValueError):
    """A plan or a request that cannot be carried out as written."""


@dataclass(frozen=True)
class Chapter:
    """One row of notebooks/plan.toml.

    Attributes
    ----------
    notebook : str
        File name without suffix.
    part : str
        Heading of the book under which it stands.
    needs : tuple of str
        Earlier notebooks whose results it reads.
    studies : tuple of str
        The studies that it is about; empty if about all.
    """

    notebook: str
    part: str = ""
    needs: tuple[str, ...] = ()
    studies: tuple[str, ...] = ()

    @property
    def file(self) -> Path:
        """The notebook without outputs."""
        return paths.notebooks() / f"{self.notebook}.ipynb"


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
    reasons : list of str
        Why it has to run; empty if its results are up to date.
    """

    chapter: Chapter
    study: str
    size: str
    parameters: dict[str, Any]
    key: dict[str, Any]
    reasons: list[str] = field(default_factory=list)

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
    PlanError
        If the plan cannot be read, names a notebook twice or one that does not exist, or lets
        a chapter need one that does not come before it.
    """
    file = paths.notebooks() / "plan.toml"
    try:
        rows = tomllib.loads(file.read_text(encoding="utf-8")).get("chapter", [])
        found = [
            Chapter(
                row["notebook"],
                row.get("part", ""),
                tuple(row.get("needs", ())),
                tuple(row.get("studies", ())),
            )
            for row in rows
        ]
    except FileNotFoundError:
        raise PlanError(f"there is no {file}: run from a clone of the repository") from None
    except (tomllib.TOMLDecodeError, KeyError, TypeError) as error:
        raise PlanError(f"notebooks/plan.toml cannot be read: {error}") from None
    earlier: list[str] = []
    for chapter in found:
        if chapter.notebook in earlier:
            raise PlanError(f"notebooks/plan.toml names {chapter.notebook} twice")
        if not chapter.file.is_file():
            raise PlanError(f"notebooks/plan.toml names {chapter.notebook}: no such notebook")
        for what, given, allowed in (
            (f"chapter before {chapter.notebook}", chapter.needs, earlier),
            (f"study of {chapter.notebook}", chapter.studies, studies.names()),
        ):
            for name in set(given) - set(allowed):
                raise PlanError(f"notebooks/plan.toml: {unknown(what, name, allowed)}")
        earlier.append(chapter.notebook)
    return found


def settings(assignments: Sequence[str]) -> dict[str, dict[str, str]]:
    """Return notebook -> parameter -> text for assignments like "01_data.example_site=3".

    Raises
    ------
    PlanError
        If one is not of this form or names a notebook that is not in the plan.
    """
    known = [chapter.notebook for chapter in chapters()]
    found: dict[str, dict[str, str]] = {}
    for assignment in assignments:
        target, equals, text = assignment.partition("=")
        notebook, dot, name = target.strip().rpartition(".")
        if not (equals and dot):
            raise PlanError(f"--set {assignment}: write NOTEBOOK.parameter=value")
        if notebook not in known:
            raise PlanError(f"--set {assignment}: {unknown('notebook', notebook, known)}")
        if name in {"study", "size"}:
            raise PlanError(f"--set {assignment}: use --{name} instead, it holds for all chapters")
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
    done: dict[str, Step] = {}
    for chapter in chapters():
        if chapter.studies and study not in chapter.studies:
            continue
        texts = (changed or {}).get(chapter.notebook, {})
        parameters = _parameters(chapter, study, size, texts)
        key = {
            "notebook": notebook_hash(chapter.file),
            "parameters": parameters,
            "modules": modules_of(chapter.file, paths.package(), studies.names()),
            "data": data,
            "size": {name: value for name, value in row.items() if name != "minutes"},
            "before": {n: _digest(done[n].key) for n in chapter.needs if n in done},
        }
        key = json.loads(json.dumps(key))  # as it will be read back from the record
        step = Step(chapter, study, size, parameters, key)
        step.reasons.extend(_reasons(step, done))
        done[chapter.notebook] = step
    return list(done.values())


def _digest(key: Mapping[str, Any]) -> str:
    return text_hash(json.dumps(key, sort_keys=True))


def _parameters(
    chapter: Chapter, study: str, size: str, texts: Mapping[str, str]
) -> dict[str, Any]:
    """Return the values of all parameters of a chapter, checked."""
    declared: dict[str, Parameter] = parameters_cell.read(chapter.file)
    for name in ("study", "size"):
        if name not in declared:
            raise ParameterError(f"notebook {chapter.notebook} has no parameter {name!r}: add it")
    values = {name: parameter.default for name, parameter in declared.items()}
    values |= {"study": study, "size": size}
    for name, text in texts.items():
        values[name] = parameters_cell.from_text(declared, name, text, chapter.notebook)
    return values


def _reasons(step: Step, before: Mapping[str, Step]) -> list[str]:
    """Return in words why a step has to run, compared with the record of its last run."""
    record = step.record()
    if record is None:
        return ["failed last time" if step.failed.exists() else "never run to its end"]
    old, new = record.get("key", {}), step.key
    reasons = []
    if old.get("notebook") != new["notebook"]:
        reasons.append(f"code of notebooks/{step.notebook}.ipynb changed")
    for what, section in (("parameter", "parameters"), (f"size {step.size}", "size")):
        was = old.get(section, {})
        for name in sorted(was.keys() | new[section].keys()):
            if was.get(name) != new[section].get(name):
                change = f"{was.get(name, 'none')} -> {new[section].get(name, 'none')}"
                reasons.append(f"{what} {name} {change}")
    was = old.get("modules", {})
    for file in sorted(was.keys() | new["modules"].keys()):
        if was.get(file) != new["modules"].get(file):
            how = (
                "changed"
                if file in was and file in new["modules"]
                else ("is no longer used" if file in was else "is used now")
            )
            reasons.append(f"{file} {how}")
    if old.get("data") != new["data"]:
        reasons.append(f"data of {step.study} {step.size} changed")
    for need, digest in new["before"].items():
        if old.get("before", {}).get(need) != digest:
            reasons.append(f"{need} before it changed")
    for name in ["executed/" + step.executed.name, *record.get("outputs", [])]:
        if not (step.folder / name).exists():
            reasons.append(f"its output {name} is missing")
    return reasons
