"""What is seen while chapters run: which of how many, how far, how long still.

A bar on a terminal, plain lines elsewhere (a log, a continuous integration).
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

__all__ = ["Progress", "clock"]

#: Time between two plain lines about the same chapter, s.
PLAIN_INTERVAL = 15.0


def clock(seconds: float) -> str:
    """Return a duration to be read at a glance.

    Parameters
    ----------
    seconds : float
        Duration, s.

    Examples
    --------
    >>> clock(4.2), clock(75), clock(7260)
    ('4.2 s', '1:15 min', '2:01 h')
    """
    if seconds < 10:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 1:
        return f"{rest} s"
    if minutes < 60:
        return f"{minutes}:{rest:02d} min"
    return f"{minutes // 60}:{minutes % 60:02d} h"


class Progress:
    """Progress of one chapter, shown while its cells run.

    Parameters
    ----------
    name : str
        What to call it, such as "[2/6] twin 02_model".
    cells : int
        Number of its cells.
    expected : float or None
        Duration of its last run, s, if known.
    stream : file
        Where to write.
    """

    def __init__(
        self, name: str, cells: int, expected: float | None, stream: TextIO | None = None
    ) -> None:
        self.name, self.cells, self.expected = name, cells, expected
        self.stream = stream or sys.stdout
        self.done = 0
        self.start = time.monotonic()

    @property
    def elapsed(self) -> float:
        """Time since the start, s."""
        return time.monotonic() - self.start

    def left(self) -> float | None:
        """Return the time left, s: from the last run, else from the cells; None if unknown."""
        if self.expected is not None and self.expected > self.elapsed:
            return self.expected - self.elapsed
        return self.elapsed / self.done * (self.cells - self.done) if self.done else None

    def cell(self, position: int) -> None:
        """Note that the cell at a 0-based position has started."""
        self.done = position

    def line(self) -> str:
        """Return the state in one line."""
        left = self.left()
        rest = f", about {clock(left)} left" if left is not None else ""
        cell = min(self.done + 1, self.cells)
        return f"{self.name}: cell {cell} of {self.cells}, {clock(self.elapsed)}{rest}"

    @contextmanager
    def shown(self) -> Iterator[Progress]:
        """Show the state until the block ends."""
        over = threading.Event()
        watcher = threading.Thread(target=self._watch, args=(over,), daemon=True)
        watcher.start()
        try:
            yield self
        finally:
            over.set()
            watcher.join()

    def _watch(self, over: threading.Event) -> None:
        if not self.stream.isatty():
            while not over.wait(PLAIN_INTERVAL):
                print(self.line(), file=self.stream, flush=True)
            return
        from tqdm import tqdm

        form = "{desc} {bar:20}"
        bar = tqdm(total=self.cells, bar_format=form, leave=False, file=self.stream)
        with bar:
            while not over.wait(0.5):
                bar.n = self.done
                bar.set_description_str(self.line())
