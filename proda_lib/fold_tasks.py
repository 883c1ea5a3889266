"""Tasks of a cross-validation: one approach, trained on some sites, predicting others.

The sites lie in a file that the tasks read: they are too large to travel with each of them.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from functools import lru_cache, partial
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from proda_lib import predictor, progress, workers
from proda_lib.files import text_hash
from proda_lib.parameters import NAMES
from proda_lib.parts import Parts

__all__ = ["Fit", "Task", "Tasks"]

IntArray = NDArray[np.int_]

#: fit(sites, found, seed=...) to a model of `proda_lib.predictor`.
Fit = Callable[..., Any]


class Task(NamedTuple):
    """What is to be trained and predicted.

    Attributes
    ----------
    approach, split : str
    fold : int
    train : ndarray of int
        Rows of the sites.
    test : ndarray of int
        Rows to predict: of the profiles to score, in an inner cross-validation of the sites.
    seed : int
    inner : int
        Fold of an inner cross-validation, -1 if there is none.
    """

    approach: str
    split: str
    fold: int
    train: IntArray
    test: IntArray
    seed: int
    inner: int = -1

    def __str__(self) -> str:
        within = f", inner fold {self.inner}" if self.inner >= 0 else ""
        return f"approach {self.approach!r}, split {self.split!r}, fold {self.fold}{within}"


class _Payload(NamedTuple):
    folder: Path
    sites: str
    found: str
    scored: str
    fit: Fit
    task: Task


class Tasks:
    """Tasks on the same sites.

    Parameters
    ----------
    sites : Dataset
        To learn from.
    found : Dataset or None
        Their assimilation.
    scored : Dataset
        To predict.
    fits : mapping of str to callable
        Approaches.
    folder : Path or None
        Where the sites and finished tasks are kept; None keeps nothing.
    candidates : mapping of str to callable, optional
        Approaches of inner cross-validations.
    """

    def __init__(
        self,
        sites: xr.Dataset,
        found: xr.Dataset | None,
        scored: xr.Dataset,
        fits: Mapping[str, Fit],
        folder: Path | None,
        candidates: Mapping[str, Fit] | None = None,
    ) -> None:
        rows = sites.sizes["site"]
        if found is not None and found.sizes["site"] != rows:
            raise ValueError(
                f"found has {found.sizes['site']} sites, {rows} are to be learned from: give the "
                "assimilation of the same sites"
            )
        self.folder = folder
        every = {(name, False): fit for name, fit in fits.items()}
        every |= {(name, True): fit for name, fit in (candidates or {}).items()}
        data = {"sites": sites, "scored": scored} | ({} if found is None else {"found": found})
        self.data = {_content(values): values for values in data.values()}
        self.key_of = {name: _content(values) for name, values in data.items()}
        self.fits, self.code = every, {name: _code(fit) for name, fit in every.items()}

    def key(self, task: Task) -> str:
        """Identify a task by everything that its result depends on."""
        rows = (task.train.tolist(), task.test.tolist())
        code = self.code[task.approach, task.inner >= 0]
        data = sorted(self.key_of.items())
        return text_hash(code, data, task.approach, task.fold, *rows, task.seed, task.inner)

    def run(
        self,
        tasks: Sequence[Task],
        count: int | None = None,
        scheduler: workers.Scheduler = None,
        show: bool = True,
    ) -> list[xr.Dataset]:
        """Return the result of each task, see `proda_lib.workers.run` for the rest.

        Raises
        ------
        RuntimeError
            If any fails: the first, by name and fold. All others are finished and kept before.
        """
        parts, keys = Parts(self.folder), [self.key(task) for task in tasks]
        results = {i: part for i, key in enumerate(keys) if (part := parts.load(key)) is not None}
        waiting = [i for i in range(len(tasks)) if i not in results]
        failed: dict[int, str] = {}

        def ended(number: int, result: Any) -> None:
            i = waiting[number]
            if isinstance(result, workers.Failure):
                failed[i] = str(result)
            else:
                parts.save(keys[i], result)
                results[i] = result

        before = len(results)
        with ExitStack() as stack:
            folder = self.folder or Path(stack.enter_context(tempfile.TemporaryDirectory()))
            payloads = self._payloads([tasks[i] for i in waiting], folder)
            done = stack.enter_context(progress.shown("fits", len(tasks), visible=show))
            done(before)
            workers.run(
                _run, payloads, finished=ended, progress=lambda shares: done(before + sum(shares)),
                workers=count, scheduler=scheduler,
            )  # fmt: skip
        if failed:
            first = min(failed)
            more = f"; {len(failed) - 1} more failed" if len(failed) > 1 else ""
            raise RuntimeError(f"{tasks[first]}: {failed[first]}{more}")
        return [results[i] for i in range(len(tasks))]

    def _payloads(self, tasks: list[Task], folder: Path) -> list[_Payload]:
        """Write the sites where the tasks find them."""
        if tasks:
            for key, data in self.data.items():
                Parts(folder).save(key, data)
        sites, found, scored = (self.key_of.get(name, "") for name in ("sites", "found", "scored"))
        return [
            _Payload(
                folder, sites, found, sites if task.inner >= 0 else scored,
                self.fits[task.approach, task.inner >= 0], task,
            )
            for task in tasks
        ]  # fmt: skip


def _run(payload: _Payload, tell: Callable[[float], None]) -> xr.Dataset:
    """Train on some sites and predict others."""
    task = payload.task
    sites = _read(payload.folder, payload.sites).isel(site=task.train)
    found = _read(payload.folder, payload.found).isel(site=task.train) if payload.found else None
    scored = _read(payload.folder, payload.scored).isel(site=task.test)
    start = time.process_time()
    model = payload.fit(sites, found, seed=task.seed + task.fold)
    return _predicted(model, scored).assign(seconds=time.process_time() - start)


def _predicted(model: Any, scored: xr.Dataset) -> xr.Dataset:
    """Return SOC, by the engine if the model predicts parameters, and their mean then."""
    unit = model.unit(scored) if hasattr(model, "unit") else None
    if unit is None:
        soc = model.soil_carbon_at_depth(scored)
    else:
        soc = predictor.soil_carbon_at_depth(unit, predictor.driven(model, scored))
    result = xr.Dataset({"soc": (("site", "observation"), soc)})
    if unit is None:
        return result
    mean = np.mean(unit, axis=0, dtype=float)
    return result.assign(unit=(("site", "parameter"), mean)).assign_coords(parameter=list(NAMES))


@lru_cache(maxsize=4)
def _read(folder: Path, key: str) -> xr.Dataset:
    data = Parts(folder).load(key)
    if data is None:
        raise FileNotFoundError(
            f"the sites are not in {folder}: give a folder that all workers can read"
        )
    return data


def _content(data: xr.Dataset) -> str:
    """Return a hash of what a Dataset says; the bytes of an array of objects are addresses."""
    parts = []
    for name in sorted(map(str, data.variables)):
        values = data[name].values
        plain = values.dtype.kind in "biuf"
        text = np.ascontiguousarray(values).tobytes() if plain else repr(values.tolist()).encode()
        parts.append((name, values.shape, sha256(text).hexdigest()))
    return text_hash(*parts)


def _code(fit: Fit) -> str:
    """Identify an approach: its function, options, and the library modules that it uses."""
    from proda_lib import paths
    from proda_lib.code_hash import used_files

    options: list[Any] = []
    while isinstance(fit, partial):
        options += [fit.args, sorted(fit.keywords.items())]
        fit = fit.func
    module = getattr(fit, "__module__", __name__)
    name = getattr(fit, "__qualname__", repr(fit))
    used = used_files(f"import {__name__}, {module}", paths.package())
    return text_hash(module, name, options, sorted(used.items()))
