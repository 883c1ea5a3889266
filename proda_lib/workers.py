"""Independent tasks on all cores, or on a cluster, through Dask.

By default a `LocalCluster` with one process per core is started for the tasks and closed after
them. The address of a running scheduler, the path of its scheduler file, or a cluster object (of
dask-jobqueue, for example) sends the same tasks elsewhere; in notebooks the environment variables
PRODA_SCHEDULER and PRODA_WORKERS do it. One worker means no processes at all.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

__all__ = ["Failure", "Scheduler", "run", "worker_count"]

#: Address or scheduler file (str), a Dask cluster or client, or None for this computer.
Scheduler = Any

#: (payload, tell) to a result; tell takes the share that is done, 0 to 1.
Task = Callable[[Any, Callable[[float], None]], Any]

#: One thread per worker: matrices are small, and cores are used by running sites side by side.
_ENVIRONMENT = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1",
}


class Failure(Exception):
    """What came of a task that raised an exception; its text is one line."""


def worker_count(workers: int | None = None) -> int:
    """Return how many processes to use: as asked, else PRODA_WORKERS, else one per core.

    Examples
    --------
    >>> worker_count(3)
    3
    """
    if workers is None:
        text = os.environ.get("PRODA_WORKERS", "").strip()
        if text and not text.isdigit():
            raise ValueError(f"PRODA_WORKERS is {text!r}: give a number of processes, such as 2")
        available = getattr(os, "sched_getaffinity", None)
        workers = int(text or (len(available(0)) if available else os.cpu_count() or 1))
    if workers < 1:
        raise ValueError(f"workers is {workers}, it must be at least 1")
    return workers


def run(
    task: Task,
    payloads: Sequence[Any],
    *,
    finished: Callable[[int, Any], None],
    progress: Callable[[list[float]], None] = lambda shares: None,
    workers: int | None = None,
    scheduler: Scheduler = None,
) -> None:
    """Run a task on every payload, in any order and place.

    Parameters
    ----------
    task : callable
        (payload, tell) to a result; a function of a module, for it is sent to other processes.
    payloads : sequence
    finished : callable
        Called with the number of a payload and its result, or a `Failure`, as they come.
    progress : callable
        Called with the share of each payload that is done.
    workers : int, optional
        Processes on this computer, see `worker_count`.
    scheduler : str, cluster or client, optional
        Where the tasks run instead; PRODA_SCHEDULER if not given.
    """
    shares = [0.0] * len(payloads)

    def tell(number: int, share: float) -> None:
        shares[number] = max(shares[number], share)  # news may come late
        progress(shares)

    scheduler = scheduler or os.environ.get("PRODA_SCHEDULER", "").strip() or None
    count = min(worker_count(workers), len(payloads))
    if scheduler is None and count <= 1:
        for number, payload in enumerate(payloads):
            finished(number, _caught(task, payload, lambda share: tell(number, share)))  # noqa: B023
            tell(number, 1.0)
        return
    with _client(scheduler, count) as client:
        from distributed import as_completed

        topic = f"proda-progress-{uuid4().hex}"  # others may use the same scheduler
        client.subscribe_topic(topic, lambda event: tell(*event[1]))
        futures = {
            client.submit(_on_worker, task, topic, number, payload, pure=False): number
            for number, payload in enumerate(payloads)
        }
        try:
            for future in as_completed(futures):
                number = futures.pop(future)
                error = future.exception()
                finished(number, future.result() if error is None else Failure(_line(error)))
                tell(number, 1.0)
                future.release()
        finally:
            client.unsubscribe_topic(topic)


def _caught(task: Task, payload: Any, tell: Callable[[float], None]) -> Any:
    try:
        return task(payload, tell)
    except Exception as error:
        return Failure(_line(error))


def _line(error: BaseException) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())}"


def _on_worker(task: Task, topic: str, number: int, payload: Any) -> Any:
    from distributed import get_worker

    worker = get_worker()
    return _caught(task, payload, lambda share: worker.log_event(topic, (number, share)))


@contextmanager
def _client(scheduler: Scheduler, count: int) -> Iterator[Any]:
    """Yield a Dask client; what is started here is closed here."""
    from distributed import Client, LocalCluster

    with ExitStack() as stack:
        if isinstance(scheduler, Client):
            yield scheduler
            return
        if scheduler is None:
            scheduler = stack.enter_context(
                LocalCluster(
                    n_workers=count,
                    threads_per_worker=1,
                    dashboard_address=None,
                    silence_logs=logging.CRITICAL,
                    env=_ENVIRONMENT,
                )
            )
        filed = isinstance(scheduler, str) and Path(scheduler).is_file()
        try:
            client = Client(scheduler_file=scheduler) if filed else Client(scheduler)
        except (OSError, TimeoutError, ValueError) as error:
            raise RuntimeError(
                f"no Dask scheduler answers at {scheduler!r} ({_line(error)}): start one, or unset "
                "PRODA_SCHEDULER to use this computer"
            ) from None
        yield stack.enter_context(client)
