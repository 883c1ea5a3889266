"""The runner: brings chapters up to date, keeps what is finished, resumes where it stopped."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TextIO

from proda_lib import paths, studies
from proda_lib.files import locked, remove_partial
from proda_lib.reproduce import kernel, plan, provenance
from proda_lib.reproduce.parameters_cell import unknown
from proda_lib.reproduce.plan import PlanError, Step
from proda_lib.reproduce.progress import Progress, clock
from proda_lib.results import merge_numbers, save_json

__all__ = ["Outcome", "choose", "reproduce", "run_step"]

_STOPPED = {"failed", "skipped"}


@dataclass(frozen=True)
class Outcome:
    """What became of one step.

    Attributes
    ----------
    study, notebook : str
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


def choose(
    requested: Sequence[str] = (), size: str = "class"
) -> tuple[list[str], dict[str, list[str]]]:
    """Return the studies to run, and those left out with the files that they lack.

    Parameters
    ----------
    requested : sequence of str
        Names; if empty, every study whose data are present.
    size : str

    Raises
    ------
    PlanError
        If a study or the size is unknown; the message names the nearest.
    """
    for name in requested:
        if name not in studies.names():
            raise PlanError(unknown("study", name, studies.names()))
    left_out = (
        {} if requested else {n: gone for n in studies.names() if (gone := studies.missing(n))}
    )
    chosen = [name for name in (requested or studies.names()) if name not in left_out]
    for name in chosen:
        if size not in studies.sizes(name):
            raise PlanError(unknown(f"size of study {name}", size, studies.sizes(name)))
    return list(dict.fromkeys(chosen)), left_out


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
    stream = stream or sys.stdout
    with ExitStack() as locks:
        for study in chosen:
            lock = paths.results(study) / f".{size}.lock"
            locks.enter_context(locked(lock, f"the results of {study} {size}"))
        return _run_all(_todo(chosen, size, only, force, changed), stream)


def _run_all(todo: Sequence[Step], stream: TextIO) -> list[Outcome]:
    """Run those steps that are stale, in order, and say so."""
    stale = [step for step in todo if step.reasons]
    seconds = {id(step): (step.record() or {}).get("seconds") for step in todo}
    _announce(todo, stale, [seconds[id(step)] for step in stale], stream)
    outcomes: list[Outcome] = []
    for step in todo:
        if not step.reasons:
            outcomes.append(Outcome(step.study, step.notebook, "kept", seconds[id(step)]))
            continue
        name = f"[{stale.index(step) + 1}/{len(stale)}] {step.study} {step.notebook}"
        outcome = _bring_up_to_date(step, name, seconds[id(step)], outcomes, stream)
        text = outcome.message or f"done in {clock(outcome.seconds)}"
        print(f"{name}: {text}", file=stream, flush=True)
        outcomes.append(outcome)
    return outcomes


def _todo(
    chosen: Sequence[str],
    size: str,
    only: Sequence[str],
    force: bool,
    changed: Mapping[str, Mapping[str, str]] | None,
) -> list[Step]:
    """Return the steps asked for, of all studies, with the chapters that they need."""
    rows = {chapter.notebook: chapter for chapter in plan.chapters()}
    for name in only:
        if name not in rows:
            raise PlanError(unknown("notebook", name, rows))
    waiting, wanted = list(only or rows), set()
    while waiting:
        name = waiting.pop()
        wanted.add(name)
        waiting.extend(rows[name].needs)
    todo = []
    for study in chosen:
        remove_partial(paths.results(study, size))
        for step in plan.steps(study, size, changed):
            if step.notebook in wanted:
                if force and step.notebook in (only or rows):
                    step.reasons.append("forced")
                todo.append(step)
    return todo


def _announce(
    todo: Sequence[Step], stale: Sequence[Step], seconds: Sequence[float | None], stream: TextIO
) -> None:
    """Say how much there is to do, why, and how long it took the last time."""
    known = [value for value in seconds if value is not None]
    at_least = "" if len(known) == len(stale) else "at least "
    about = f", {at_least}{clock(sum(known))} by their last runs" if known else ""
    kept = len(todo) - len(stale)
    print(f"to run: {len(stale)}{about}; up to date: {kept}", file=stream, flush=True)
    for step in stale:
        more = f"; and {len(step.reasons) - 3} more" if len(step.reasons) > 3 else ""
        why = "; ".join(step.reasons[:3]) + more
        print(f"  {step.study} {step.notebook}: {why}", file=stream, flush=True)


def _bring_up_to_date(
    step: Step, name: str, expected: float | None, before: Sequence[Outcome], stream: TextIO
) -> Outcome:
    """Run one step, unless the data or a chapter that it needs are not there."""
    stopped = {o.notebook for o in before if o.study == step.study and o.state in _STOPPED}
    missing = [need for need in step.chapter.needs if need in stopped]
    if missing:
        return Outcome(
            step.study, step.notebook, "skipped", message=f"skipped, as it needs {missing[0]}"
        )
    cells = len(json.loads(step.chapter.file.read_text(encoding="utf-8"))["cells"]) + 1
    progress = Progress(name, cells, expected, stream)
    try:
        if not any(o.study == step.study and o.state == "done" for o in before):
            # Data first: made outside the kernels, as their errors are not the notebook's.
            studies.load(step.study, step.size)
        with progress.shown():
            run_step(step, progress.cell)
    except (RuntimeError, OSError, ValueError) as error:
        message = " ".join(str(error).split())
        return Outcome(step.study, step.notebook, "failed", progress.elapsed, message)
    return Outcome(step.study, step.notebook, "done", progress.elapsed)


def run_step(step: Step, started: Callable[[int], None] = lambda cell: None) -> None:
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
    before = provenance.written(step.folder)
    start = time.monotonic()
    kernel.execute(step, started)
    seconds = time.monotonic() - start
    after = provenance.written(step.folder)
    outputs = sorted(file for file in after if after[file] != before.get(file))
    merge_numbers(step.study, step.size)
    save_json(step.provenance, provenance.record(step, seconds, outputs))
