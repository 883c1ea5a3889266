"""Run one notebook with Papermill in a kernel of the very Python that runs this."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

from proda_lib import paths
from proda_lib.files import atomic
from proda_lib.reproduce.plan import Step

__all__ = ["ChapterError", "execute"]

#: Time that a single cell may take, s: ends what hangs, not what is long.
CELL_LIMIT = 48 * 3600

#: Hash seed: sets of words in the same order in every run. Threads of the linear algebra: one,
#: because its sums depend on how many there are, and the matrices here (140 x 140) are too small
#: to gain; users may set another number. Bars of tqdm would fill the book with carriage returns.
_ENVIRONMENT = {"PYTHONHASHSEED": "0", "TQDM_DISABLE": "1"}
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


class ChapterError(RuntimeError):
    """A notebook that stopped before its end; the message names the cell and the exception."""


def execute(step: Step, started: Callable[[int], None] = lambda cell: None) -> None:
    """Run a step's notebook and leave it with outputs at `step.executed`.

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

    current = 0

    def on_cell_start(cell: Any, cell_index: int) -> None:
        nonlocal current
        current = cell_index
        started(cell_index)

    step.log.parent.mkdir(parents=True, exist_ok=True)
    with atomic(step.executed) as temporary, step.log.open("w", encoding="utf-8") as log:
        try:
            _run(step, temporary, log, on_cell_start)
        except Exception as error:
            raise _failure(step, temporary, current, error) from error
        executed = nbformat.read(temporary, as_version=4)
        _clean(executed, log)
        nbformat.write(executed, temporary)
    if not step.log.stat().st_size:
        step.log.unlink()


def _run(step: Step, output: Path, log: IO[str], on_cell_start: Callable[..., None]) -> None:
    """Hand a step's notebook to Papermill."""
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
        execution_timeout=CELL_LIMIT,
        kernel_manager_class=_kernel_manager(log),
        on_cell_start=on_cell_start,
        record_timing=False,
        extra_arguments=["--log-level=ERROR"],
    )


def _kernel_manager(log: IO[str]) -> type:
    """Return a manager whose kernel is this Python, whatever kernels the user has installed.

    A kernel "python3" in the user's folder would otherwise win over that of the environment.
    """
    from jupyter_client.kernelspec import KernelSpecManager
    from jupyter_client.manager import AsyncKernelManager

    class Manager(AsyncKernelManager):
        def _kernel_spec_manager_default(self) -> KernelSpecManager:
            return KernelSpecManager(parent=self, kernel_dirs=[])

        async def start_kernel(self, **kwargs: Any) -> None:
            kwargs["env"] = {**os.environ, **_environment()}
            await super().start_kernel(stderr=log, **kwargs)

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
    threads = {name: os.environ.get(name, "1") for name in _THREADS}
    # The library that plans is the library that runs, installed or not.
    path = os.pathsep.join(filter(None, [str(paths.repository()), os.environ.get("PYTHONPATH")]))
    return (
        _ENVIRONMENT
        | threads
        | {"PYTHONPATH": path}
        | {name: str(folder) for name, folder in folders.items()}
    )


def _clean(notebook: Any, log: IO[str]) -> None:
    """Move stderr to the log and drop what names folders: the book is the same everywhere."""
    notebook.metadata.pop("papermill", None)
    for number, cell in enumerate(notebook.cells, start=1):
        cell.metadata.pop("papermill", None)
        if cell.cell_type != "code":
            continue
        for output in cell.outputs:
            if output.get("name") == "stderr":
                log.write(f"--- cell {number}\n{output.text}\n")
        cell.outputs = [output for output in cell.outputs if output.get("name") != "stderr"]


def _failure(step: Step, temporary: Path, current: int, error: Exception) -> ChapterError:
    """Keep the outputs so far and say in one line what failed where."""
    import nbformat
    from papermill.exceptions import PapermillExecutionError

    where = ""
    if temporary.exists():
        done = nbformat.read(temporary, as_version=4)
        # Papermill puts markers before the cell that failed; the source is what the user edits.
        position = current + (2 if isinstance(error, PapermillExecutionError) else 0)
        cell = done.cells[min(position, len(done.cells) - 1)]
        source = nbformat.read(step.chapter.file, as_version=4)
        number = next((i for i, c in enumerate(source.cells, 1) if c.id == cell.id), current)
        first = next((line for line in cell.source.splitlines() if line.strip()), "").strip()
        where = f" in cell {number} `{first}`"
        with atomic(step.failed) as target:
            nbformat.write(done, target)
    if isinstance(error, PapermillExecutionError):
        text = str(error.evalue).strip().splitlines()
        reason = f"{error.ename}: {text[0]}" if text else error.ename
    else:
        text = str(error).strip().splitlines()
        reason = f"{type(error).__name__}: {text[0] if text else 'no message'} (see {step.log})"
    return ChapterError(f"failed{where}: {reason}")
