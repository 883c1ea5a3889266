"""Finished parts of a long computation, kept on disk.

A run that was interrupted or killed finds the parts that it had finished and goes on. A part is
known by a key that changes with everything it was computed from, so an old one is never taken for
another. Parts stay until whoever saved the whole result forgets them.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from proda_lib.files import atomic

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["Parts", "forget"]

_PREFIX = "part-"


class Parts:
    """Parts in one folder; without a folder nothing is kept.

    Parameters
    ----------
    folder : Path or None

    Examples
    --------
    >>> Parts(None).load("any key") is None
    True
    """

    def __init__(self, folder: Path | None) -> None:
        self.folder = None if folder is None else Path(folder)

    def load(self, key: str) -> xr.Dataset | None:
        """Return a finished part, None if there is none that can be read."""
        import xarray as xr

        if self.folder is None or not (file := self._file(self.folder, key)).exists():
            return None
        try:
            return xr.load_dataset(file, engine="h5netcdf")
        except (OSError, ValueError, KeyError):
            file.unlink(missing_ok=True)
            return None

    def save(self, key: str, part: xr.Dataset) -> None:
        """Keep a part, whole or not at all."""
        if self.folder is not None:
            with atomic(self._file(self.folder, key)) as temporary:
                part.to_netcdf(temporary, engine="h5netcdf")

    @staticmethod
    def _file(folder: Path, key: str) -> Path:
        return folder / f"{_PREFIX}{key}.nc"


def forget(folder: Path) -> None:
    """Remove the parts in a folder, nothing else, and the folder once it is empty.

    Examples
    --------
    >>> forget(Path("no-such-folder"))
    """
    for file in [*folder.glob(f"{_PREFIX}*.nc"), *folder.glob(f".{_PREFIX}*.nc")]:
        file.unlink()
    if folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()
