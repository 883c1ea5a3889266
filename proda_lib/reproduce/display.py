"""What the runner shows while a chapter runs: cells done, time left, and how far a long cell is."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TextIO

from proda_lib.progress import News, told
from proda_lib.reproduce.parameters_cell import code_cells
from proda_lib.reproduce.plan import Step

__all__ = ["clock", "progress"]

#: Seconds between two lines about a long computation in a log.
_EVERY = 30.0


@contextmanager
def progress(
    step: Step, name: str, last: float | None, stream: TextIO
) -> Iterator[Callable[[int], None]]:
    """Show cells done and time left: a bar on a terminal, lines elsewhere (a log).

    Parameters
    ----------
    step : Step
    name : str
        What the chapter is called here.
    last : float or None
        How long its last run took, s.
    stream : file

    Yields
    ------
    callable
        To be called with the 0-based position of each cell when it starts.
    """
    from tqdm import tqdm

    title = name if last is None else f"{name} (last time {clock(last)})"
    if not stream.isatty():
        print(f"{title}: running", file=stream, flush=True)
    form = "{desc}: {bar:20} cell {n_fmt} of {total_fmt}, {elapsed}"
    cells = code_cells(step.chapter.file)[-1]["number"] + 1  # and that of the parameters
    step.progress.unlink(missing_ok=True)  # of a run that was killed
    over = threading.Event()
    with tqdm(
        total=cells, desc=title, file=stream, leave=False, smoothing=0,
        bar_format=form + ", about {remaining} left", disable=not stream.isatty(),
    ) as bar:  # fmt: skip

        def tick() -> None:  # the clock goes on while a long cell runs
            said = time.monotonic()
            while not over.wait(1.0):
                news = told(step.progress)
                # Cells say little about the time left while one of them is long.
                left = f"; {_words(news)}" if news else ", about {remaining} left"
                bar.bar_format = form + left
                bar.refresh()
                if news and not stream.isatty() and time.monotonic() - said >= _EVERY:
                    said = time.monotonic()
                    print(f"{name}: {_words(news)}", file=stream, flush=True)

        watcher = threading.Thread(target=tick, daemon=True)
        watcher.start()
        try:
            yield lambda cell: bar.update(cell - bar.n)
        finally:
            over.set()
            watcher.join()


def _words(news: News) -> str:
    left = f", about {clock(news.left)} left" if math.isfinite(news.left) else ""
    return f"{news.done:,.0f} of {news.total:,} {news.what}{left}"


def clock(seconds: float) -> str:
    """Return a duration in s to be read at a glance.

    Examples
    --------
    >>> clock(4.2), clock(75), clock(7260)
    ('4.2 s', '1:15 min', '2:01 h')
    """
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 1:
        return f"{seconds:.1f} s"
    return f"{minutes}:{rest:02d} min" if minutes < 60 else f"{minutes // 60}:{minutes % 60:02d} h"
