"""Fetch a large file in pieces: what came is kept, and the next try goes on where it stopped."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

__all__ = ["ResumingDownloader"]

#: Bytes that are written at a time: so much at most is lost where a connection breaks.
_PIECE = 1 << 16

#: How often one call asks again after a connection that broke but had brought something.
_TRIES = 5

_PARTIAL_CONTENT, _RANGE_NOT_SATISFIABLE = 206, 416


class ResumingDownloader:
    """A downloader in pooch's form that continues a file of which a part is already there.

    Asks for the missing rest with an HTTP Range request. A server that ignores it sends the whole
    file, which then replaces the part. Whether the result is the right file is not known here:
    check its hash, and remove it if it differs.

    Parameters
    ----------
    progressbar : bool
        Whether to show how much has come.
    timeout : (float, float)
        Seconds to wait for a connection, and for the next piece.

    Examples
    --------
    >>> ResumingDownloader(progressbar=False).timeout
    (4.0, 30.0)
    """

    def __init__(
        self, progressbar: bool = True, timeout: tuple[float, float] = (4.0, 30.0)
    ) -> None:
        self.progressbar = progressbar
        self.timeout = timeout

    def __call__(self, url: str, output_file: str, pooch: object = None) -> None:
        """Bring the file at an address to a place, continuing what lies there.

        Parameters
        ----------
        url : str
        output_file : str
            Kept when the connection breaks.
        pooch : object
            Not used; part of pooch's form.

        Raises
        ------
        requests.RequestException
            If the server cannot be reached, answers with an error, or the connection broke
            several times.
        """
        import requests

        part = Path(output_file)
        for attempt in range(1, _TRIES + 1):
            before = _size(part)
            try:
                return self._append(url, part)
            except (requests.ConnectionError, requests.exceptions.ChunkedEncodingError):
                # Asking again makes sense only where the last answer brought something.
                if attempt == _TRIES or _size(part) <= before:
                    raise

    def _append(self, url: str, part: Path) -> None:
        import requests

        have = _size(part)
        # Packed on the way, the bytes of an answer would not be those of the file.
        headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={have}-"} if have else {})
        with requests.get(url, headers=headers, stream=True, timeout=self.timeout) as answer:
            if have and answer.status_code == _RANGE_NOT_SATISFIABLE:
                return  # nothing is left to send: the part is whole, or wrong
            answer.raise_for_status()
            resumed = answer.status_code == _PARTIAL_CONTENT
            with (
                part.open("ab" if resumed else "wb") as stream,
                self._bar(answer.headers, have if resumed else 0) as bar,
            ):
                for piece in answer.iter_content(_PIECE):
                    stream.write(piece)
                    bar.update(len(piece))

    def _bar(self, headers: Mapping[str, str], have: int) -> Any:
        from tqdm import tqdm

        length = headers.get("Content-Length")
        return tqdm(
            total=have + int(length) if length else None,
            initial=have,
            unit="B",
            unit_scale=True,
            leave=False,
            disable=not self.progressbar,
        )


def _size(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0
