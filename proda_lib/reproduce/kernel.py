"""Run one notebook with Papermill in a kernel of the very Python that runs this."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

from proda_lib import paths, progress
from proda_lib.files import atomic
from proda_lib.reproduce.parameters_cell import code_cells
from proda_lib.reproduce.plan import Step

__all__ = ["ChapterError", "execute"]

#: Hash seed: sets of words in the same order in every run. Bars of tqdm would fill the book with
#: carriage returns.
_ENVIRONMENT = {"PYTHONHASHSEED": "0", "TQDM_DISABLE": "1"}

#: Threads of the linear algebra: one, because its sums depend on how many there are, and the
#: matrices here (140 x 140) are too small to gain; users may set another number.
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


class ChapterError(RuntimeError):
    """A notebook that stopped before its end; the message names the cell and the exception."""


def execute(step: Step, started: Callable[[int], object] = lambda cell: None) -> None:
    """Run a step's notebook and leave it with outputs at `step.executed`.

    What the kernel and the cells write to stderr goes to `step.log`: the book is the same
    everywhere.

    Parameters
    ----------
    step : Step
    started : callable
        Called with the 0-based position of each cell when it starts.

    Raises
    ------
    ChapterError
        If a cell fails or the kernel dies; the outputs so far are then at `step.failed`.
    """
    import nbformat

    running: dict[str, Any] = {}

    def on_cell_start(cell: Any, cell_index: int) -> None:
        running.update(cell)
        started(cell_index)

    step.log.parent.mkdir(parents=True, exist_ok=True)
    with atomic(step.executed) as output, step.log.open("w", encoding="utf-8") as log:
        try:
            _papermill(step, output, log, on_cell_start)
        except Exception as error:
            if output.exists():
                os.replace(output, step.failed)
            raise ChapterError(_account(step, running, error)) from error
        notebook = nbformat.read(output, as_version=4)
        _clean(notebook, log)
        nbformat.write(notebook, output)
    if not step.log.stat().st_size:
        step.log.unlink()


def _papermill(step: Step, output: Path, log: IO[str], on_cell_start: Callable[..., None]) -> None:
    import papermill

    logging.getLogger("papermill").setLevel(logging.CRITICAL)
    papermill.execute_notebook(
        str(step.chapter.file),
        str(output),
        parameters=step.parameters,
        kernel_name="python3",
        cwd=str(paths.notebooks()),
        progress_bar=False,
        start_timeout=300,
        kernel_manager_class=_kernel_manager(log, {progress.FILE: str(step.progress)}),
        on_cell_start=on_cell_start,
        record_timing=False,
        extra_arguments=["--log-level=ERROR"],
    )


def _kernel_manager(log: IO[str], more: dict[str, str]) -> type:
    """Return a manager whose kernel is this Python, whatever kernels the user has installed.

    A kernel "python3" in the user's folder would otherwise win over that of the environment.
    `more` are variables of the environment of this kernel alone.
    """
    from jupyter_client.kernelspec import KernelSpecManager
    from jupyter_client.manager import AsyncKernelManager

    class Manager(AsyncKernelManager):
        def _kernel_spec_manager_default(self) -> KernelSpecManager:
            return KernelSpecManager(parent=self, kernel_dirs=[])

        async def start_kernel(self, **keywords: Any) -> None:
            environment = os.environ | _environment() | more
            await super().start_kernel(stderr=log, **(keywords | {"env": environment}))

    return Manager


def _environment() -> dict[str, str]:
    """Return the variables of a notebook's run; folders absolute, as it runs in another one."""
    folders = {
        "PRODA_CACHE": paths.cache(),
        "PRODA_RESULTS": paths.results(),
        "PRODA_BUILD": paths.build(),
    }
    if mirror := os.environ.get("PRODA_MIRROR"):
        folders["PRODA_MIRROR"] = Path(mirror).expanduser().resolve()
    # The library that plans is the library that runs, installed or not.
    library = [str(paths.repository()), os.environ.get("PYTHONPATH", "")]
    return {
        **_ENVIRONMENT,
        **{name: os.environ.get(name, "1") for name in _THREADS},
        **{name: str(folder) for name, folder in folders.items()},
        "PYTHONPATH": os.pathsep.join(filter(None, library)),
    }


def _clean(notebook: Any, log: IO[str]) -> None:
    """Move stderr to the log and drop what names folders."""
    notebook.metadata.pop("papermill", None)
    for number, cell in enumerate(notebook.cells, start=1):
        cell.metadata.pop("papermill", None)
        outputs = cell.get("outputs", [])
        for output in outputs:
            if output.get("name") == "stderr":
                log.write(f"--- cell {number}\n{output.text}\n")
        if outputs:
            cell.outputs = [output for output in outputs if output.get("name") != "stderr"]


def _account(step: Step, running: dict[str, Any], error: Exception) -> str:
    """Say in one line what failed in which cell of the notebook that the user edits."""
    numbers = {cell["id"]: cell["number"] for cell in code_cells(step.chapter.file)}
    where = ""
    if running.get("id") in numbers:
        first = next((line for line in running["source"].splitlines() if line.strip()), "").strip()
        where = f" in cell {numbers[running['id']]} `{first}`"
    # Papermill's error carries that of the cell.
    kind = getattr(error, "ename", type(error).__name__)
    text = str(getattr(error, "evalue", error)).strip().partition("\n")[0]
    hint = "" if hasattr(error, "ename") else f" (see {step.log})"
    return f"failed{where}: {': '.join(filter(None, (kind, text)))}{hint}"
