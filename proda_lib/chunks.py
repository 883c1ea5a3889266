"""Sites in chunks: run anywhere, kept on disk once finished, tried again in halves if they fail."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from proda_lib import workers
from proda_lib.chunk import Options, assimilate_chunk
from proda_lib.files import text_hash
from proda_lib.parts import Parts

__all__ = ["Chunks"]


class Chunks:
    """Chunks of one assimilation: those finished, and the sites that failed.

    Attributes
    ----------
    found : list of Dataset
        Finished chunks; their coordinate `site` is the row among the sites given.
    failed : dict of int to str
        Row to reason.
    """

    def __init__(
        self,
        sites: xr.Dataset,
        identities: NDArray[np.int64],
        options: Options,
        folder: Path | None,
    ) -> None:
        self.sites, self.identities, self.options = sites, identities, options
        self.parts = Parts(folder)
        self.code = _code()
        self.found: list[xr.Dataset] = []
        self.failed: dict[int, str] = {}

    def key(self, rows: NDArray[np.int_]) -> str:
        """Identify a chunk by everything that its result depends on."""
        some = self.sites.isel(site=rows)
        contents = [_content(some[name].values) for name in sorted(map(str, some.data_vars))]
        return text_hash(self.options, self.code, self.identities[rows].tolist(), *contents)

    def run(
        self,
        chunks: list[NDArray[np.int_]],
        done: Callable[[float], None],
        count: int | None = None,
        scheduler: workers.Scheduler = None,
    ) -> None:
        """Run chunks; halve those that fail until the sites that fail are alone.

        Parameters
        ----------
        chunks : list of ndarray of int
            Rows of the sites of each.
        done : callable
            Takes how many sites are done.
        count, scheduler
            See `proda_lib.workers.run`.

        Raises
        ------
        RuntimeError
            If all sites fail for the same reason.
        """
        everything = sum(map(len, chunks))
        while chunks:
            waiting = [rows for rows in chunks if not self._known(rows)]
            failures: dict[int, str] = {}
            finished = everything - sum(map(len, waiting))

            def told(shares: list[float]) -> None:
                lengths = map(len, waiting)  # noqa: B023
                work = sum(share * n for share, n in zip(shares, lengths, strict=True))
                done(finished + work)  # noqa: B023

            def ended(number: int, result: Any) -> None:
                if isinstance(result, workers.Failure):
                    failures[number] = str(result)  # noqa: B023
                else:
                    self._keep(waiting[number], result)  # noqa: B023

            payloads = [
                (self.sites.isel(site=rows), self.identities[rows], self.options)
                for rows in waiting
            ]
            workers.run(
                assimilate_chunk, payloads, finished=ended, progress=told, workers=count,
                scheduler=scheduler,
            )  # fmt: skip
            chunks = self._halves(waiting, failures, everything)

    def _known(self, rows: NDArray[np.int_]) -> bool:
        part = self.parts.load(self.key(rows))
        if part is not None:
            self.found.append(part.assign_coords(site=rows))
        return part is not None

    def _keep(self, rows: NDArray[np.int_], part: xr.Dataset) -> None:
        self.parts.save(self.key(rows), part)
        self.found.append(part.assign_coords(site=rows))

    def _halves(
        self, waiting: list[NDArray[np.int_]], failures: dict[int, str], everything: int
    ) -> list[NDArray[np.int_]]:
        """Return what to try again, and note single sites that failed."""
        sites = sum(len(waiting[number]) for number in failures)
        alike = len(set(failures.values())) == 1 and (len(failures) > 1 or everything == 1)
        if alike and sites == everything:
            raise RuntimeError(f"all {everything} sites failed: {next(iter(failures.values()))}")
        again = []
        for number, reason in failures.items():
            rows = waiting[number]
            if len(rows) == 1:
                self.failed[int(rows[0])] = reason
            else:
                again += np.array_split(rows, 2)
        return again


def _content(values: NDArray[Any]) -> str:
    """Return a hash of what an array says; the bytes of an array of objects are addresses."""
    plain = values.dtype.kind in "biuf"
    return sha256(values.tobytes() if plain else repr(values.tolist()).encode()).hexdigest()


def _code() -> str:
    """Return a hash of the library modules that results depend on."""
    from proda_lib import paths
    from proda_lib.code_hash import used_files

    return text_hash(sorted(used_files("import proda_lib.chunk", paths.package()).items()))
