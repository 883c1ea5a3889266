"""Progress of long computations: a bar with the time left, and a file for whoever waits outside."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

__all__ = ["FILE", "News", "shown", "told"]

#: Environment variable that names the file in which progress is told to the runner.
FILE = "PRODA_PROGRESS"

#: Share of the work that must be done before it says how long the rest will take.
_ENOUGH = 0.01


class News(NamedTuple):
    """How far a computation is.

    Attributes
    ----------
    done : float
        How much of `total` is done.
    total : int
    left : float
        Estimated time left, s; infinite where nothing is known yet.
    what : str
        What is counted.
    """

    done: float
    total: int
    left: float
    what: str


@contextmanager
def shown(what: str, total: int, *, visible: bool = True) -> Iterator[Callable[[float], None]]:
    """Yield a function that takes how much of `total` is done, and show it.

    What it is told first does not count as work of this run, so that the time left is right after
    an interrupted run, too.

    Parameters
    ----------
    what : str
        What is counted, for example "sites".
    total : int
    visible : bool
        Whether to draw a bar (TQDM_DISABLE=1 also hides it); the file is written in any case.

    Examples
    --------
    >>> with shown("sites", 10, visible=False) as done:
    ...     done(5)
    """
    from tqdm import tqdm

    name = os.environ.get(FILE)
    form = "{desc}: |{bar:30}| {n:.0f} of {total_fmt}, {elapsed}, about {remaining} left"
    with tqdm(total=total, desc=what, bar_format=form, smoothing=0.1, disable=not visible) as bar:
        start, first, most = time.monotonic(), None, 0.0

        def done(amount: float) -> None:
            nonlocal first, most
            if first is None:
                first = most = amount
                bar.initial = amount
                bar.n = amount
            bar.update(max(0.0, amount - most))
            most = max(most, amount)
            if name:
                work = most - first
                known = work >= _ENOUGH * total
                left = (time.monotonic() - start) * (total - most) / work if known else float("inf")
                Path(name).write_text(f"{most:.1f} {total} {left:.0f} {what}", encoding="utf-8")

        try:
            yield done
        finally:
            if name:
                Path(name).unlink(missing_ok=True)


def told(file: Path) -> News | None:
    """Return what a computation last told through a file, None if there is nothing to be read.

    Examples
    --------
    >>> told(Path("no-such-file")) is None
    True
    """
    try:
        amount, total, left, what = file.read_text(encoding="utf-8").split(maxsplit=3)
        return News(float(amount), int(total), float(left), what)
    except (OSError, ValueError):  # not there, or just being written
        return None
