"""Finished parts of a long computation, kept on disk until all of it is done.

A run that was interrupted or killed finds the parts that it had finished and goes on. A part is
known by a key that changes with everything it was computed from, so an old one is never taken for
another.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from proda_lib.files import atomic

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["Parts"]


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
        self.folder = folder

    def _file(self, key: str) -> Path | None:
        return self.folder / f"{key}.nc" if self.folder else None

    def load(self, key: str) -> xr.Dataset | None:
        """Return a finished part, None if there is none that can be read."""
        import xarray as xr

        file = self._file(key)
        if file is None or not file.exists():
            return None
        try:
            return xr.load_dataset(file, engine="h5netcdf")
        except (OSError, ValueError, KeyError):
            file.unlink(missing_ok=True)
            return None

    def save(self, key: str, part: xr.Dataset) -> None:
        """Keep a part, whole or not at all."""
        if (file := self._file(key)) is not None:
            with atomic(file) as temporary:
                part.to_netcdf(temporary, engine="h5netcdf")

    def clear(self, keep: frozenset[str] = frozenset()) -> None:
        """Remove all parts but those to keep, and the folder once it is empty."""
        if self.folder is None or not self.folder.is_dir():
            return
        for file in self.folder.glob("*.nc"):
            if file.stem not in keep:
                file.unlink()
        if not any(self.folder.iterdir()):
            self.folder.rmdir()
