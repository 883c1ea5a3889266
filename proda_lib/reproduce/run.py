"""The runner: brings chapters up to date, keeps what is finished, resumes where it stopped."""

from __future__ import annotations

import platform
import re
import shutil
import subprocess
import sys
import time
import tomllib
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any, TextIO

import proda_lib
from proda_lib import paths, studies
from proda_lib.files import locked, remove_partial
from proda_lib.reproduce import display, kernel, plan
from proda_lib.reproduce.display import clock
from proda_lib.reproduce.plan import Step
from proda_lib.results import merge_numbers, save_json

__all__ = ["Outcome", "reproduce", "run_step", "version"]


@dataclass(frozen=True)
class Outcome:
    """What became of one step.

    Attributes
    ----------
    study, notebook : str
        The notebook is "data" where the study's data cannot be had.
    state : str
        "done", "kept", "failed" or "skipped".
    seconds : float
        Wall time, s; of the last run where the chapter was kept.
    message : str
        Why it failed or was skipped.
    """

    study: str
    notebook: str
    state: str
    seconds: float = 0.0
    message: str = ""


def reproduce(
    chosen: Sequence[str],
    size: str = "class",
    *,
    only: Sequence[str] = (),
    force: bool = False,
    changed: Mapping[str, Mapping[str, str]] | None = None,
    stream: TextIO | None = None,
) -> list[Outcome]:
    """Bring the chapters of studies up to date.

    Parameters
    ----------
    chosen : sequence of str
        Studies, see `choose`.
    size : str
    only : sequence of str
        Notebooks to bring up to date, with those that they need; all if empty.
    force : bool
        Run also what is up to date (of `only`, if given).
    changed : mapping
        Parameters that differ from the notebooks' own, see `proda_lib.reproduce.plan.settings`.
    stream : file
        Where progress is written; standard output if not given.

    Returns
    -------
    list of Outcome
        One per chapter and study, in the order of the run.
    """
    wanted = plan.with_needs(only)
    todo = []
    with ExitStack() as locks:
        for study in chosen:
            lock = paths.results(study) / f".{size}.lock"
            locks.enter_context(locked(lock, f"the results of {study} {size}"))
            remove_partial(paths.results(study, size))
            _forget_gone(paths.results(study, size))
            for step in plan.steps(study, size, changed):
                if force and not step.reasons and step.notebook in (only or wanted):
                    step = replace(step, reasons=("forced",))
                if step.notebook in wanted:
                    todo.append(step)
        return _run_all(todo, stream or sys.stdout)


def _forget_gone(folder: Path) -> None:
    """Remove what chapters left that are no longer in the plan: their numbers would clash."""
    known = {chapter.notebook for chapter in plan.chapters()}
    for kind in ("numbers", "executed", "provenance", "logs"):
        for file in (folder / kind).glob("[!.]*"):
            if file.name.split(".")[0] not in known:
                file.unlink()


def _run_all(todo: Sequence[Step], stream: TextIO) -> list[Outcome]:
    """Run those steps that are stale, in order, and say so."""
    stale = [step for step in todo if step.reasons]
    print(f"to run: {len(stale)}; up to date: {len(todo) - len(stale)}", file=stream)
    if known := [seconds for step in stale if (seconds := _last_seconds(step)) is not None]:
        print(f"the last runs of {len(known)} of them took {clock(sum(known))}", file=stream)
    for step in stale:
        more = f"; and {len(step.reasons) - 3} more" if len(step.reasons) > 3 else ""
        why = "; ".join(step.reasons[:3]) + more
        print(f"  {step.study} {step.notebook}: {why}", file=stream, flush=True)
    outcomes: list[Outcome] = []
    for step in todo:
        if not step.reasons:
            seconds = _last_seconds(step) or 0.0
            outcomes.append(Outcome(step.study, step.notebook, "kept", seconds))
            continue
        name = f"[{stale.index(step) + 1}/{len(stale)}] {step.study} {step.notebook}"
        outcome = _lacking(step, outcomes) or _bring_up_to_date(step, name, stream)
        text = outcome.message or f"done in {clock(outcome.seconds)}"
        print(f"{name}: {text}", file=stream, flush=True)
        outcomes.append(outcome)
    return outcomes


def _last_seconds(step: Step) -> float | None:
    """Return how long the last complete run took, s."""
    return (step.record() or {}).get("seconds")


def _lacking(step: Step, before: Sequence[Outcome]) -> Outcome | None:
    """Return why a step cannot run: its data or a chapter that it needs are not there."""
    states = {outcome.notebook: outcome.state for outcome in before if outcome.study == step.study}
    for need in step.chapter.needs:
        if states.get(need) in {"failed", "skipped"}:
            return Outcome(
                step.study, step.notebook, "skipped", 0.0, f"skipped, as it needs {need}"
            )
    if "data" in states:
        return Outcome(
            step.study, step.notebook, "skipped", 0.0, "skipped, as the data are missing"
        )
    try:
        # Made outside the kernels, as their errors are not the notebook's; then kept in the cache.
        if not {"done", "failed"} & set(states.values()):
            studies.load(step.study, step.size)
    except (RuntimeError, OSError, ValueError) as error:
        return Outcome(step.study, "data", "failed", 0.0, _one_line(error))
    return None


def _bring_up_to_date(step: Step, name: str, stream: TextIO) -> Outcome:
    """Run one step and say what became of it."""
    start = time.monotonic()
    try:
        with display.progress(step, name, _last_seconds(step), stream) as started:
            run_step(step, started)
    except (RuntimeError, OSError, ValueError) as error:
        seconds = time.monotonic() - start
        return Outcome(step.study, step.notebook, "failed", seconds, _one_line(error))
    return Outcome(step.study, step.notebook, "done", time.monotonic() - start)


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__


def run_step(step: Step, started: Callable[[int], object] = lambda cell: None) -> None:
    """Run one step and record it; the record is written last and removed first.

    So a chapter counts as finished only if everything of it is there, also after a kill.

    Parameters
    ----------
    step : Step
    started : callable
        Called with the 0-based position of each cell when it starts.

    Raises
    ------
    ChapterError
        If a cell fails.
    """
    for file in (step.provenance, step.executed, step.failed):
        file.unlink(missing_ok=True)
    before = _written(step.folder)
    start = time.monotonic()
    kernel.execute(step, started)
    seconds = time.monotonic() - start
    after = _written(step.folder)
    outputs = sorted(file for file in after if after[file] != before.get(file))
    merge_numbers(step.study, step.size)
    save_json(step.provenance, _record(step, seconds, outputs))
    shutil.rmtree(paths.parts(step.study, step.size, step.notebook), ignore_errors=True)


def _written(folder: Path) -> dict[str, tuple[int, int]]:
    """Return the results in a folder by name, with what changes when one is written again."""
    found = {}
    for file in folder.rglob("*"):
        name = file.relative_to(folder)
        own = name.parts[0] in {"executed", "provenance", "logs", "parts", "numbers.json"}
        if file.is_file() and not own:
            found[name.as_posix()] = (file.stat().st_mtime_ns, file.stat().st_ino)
    return found


def _record(step: Step, seconds: float, outputs: list[str]) -> dict[str, Any]:
    """Return what the book and the next run must know; no path, no name of a user or machine."""
    project = tomllib.loads((paths.repository() / "pyproject.toml").read_text(encoding="utf-8"))
    asked = {re.split(r"[^\w.-]", text)[0] for text in project["project"]["dependencies"]}
    installed = {each.name.lower(): each.version for each in metadata.distributions() if each.name}
    return {
        "notebook": step.notebook,
        "study": step.study,
        "size": step.size,
        "version": version(),
        "data_hash": step.key["data"],
        "seconds": round(seconds, 1),
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
        "python": platform.python_version(),
        "packages": {name: installed[name] for name in sorted(asked) if name in installed},
        "parameters": step.parameters,
        "outputs": outputs,
        "key": step.key,
    }


def version() -> str:
    """Return the version of the package, and of the repository where git can tell.

    Examples
    --------
    >>> version().startswith(proda_lib.__version__)
    True
    """
    command = ["git", "-C", str(paths.repository()), "describe", "--always", "--dirty", "--tags"]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, timeout=10, check=True)
    except (OSError, subprocess.SubprocessError):
        return proda_lib.__version__
    return f"{proda_lib.__version__} ({answer.stdout.strip()})"
