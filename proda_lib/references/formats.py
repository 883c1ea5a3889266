"""Archives and rasters of reference products: opened, or refused with one clear line."""

from __future__ import annotations

import importlib.util
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

__all__ = ["ReferenceFileError", "is_whole", "opened_raster", "opened_zip"]


class ReferenceFileError(RuntimeError):
    """A file of a product cannot be had or used; the message says what to do."""


def is_whole(product: str, path: Path) -> bool:
    """Say whether a file was read from end to end; False if rasterio, which can, is not installed.

    Raises
    ------
    ReferenceFileError
        If the file is broken.
    """
    if path.suffix == ".zip":
        with opened_zip(product, path) as archive:
            if wrong := archive.testzip():
                raise zipfile.BadZipFile(f"{wrong} does not agree with its checksum")
        return True
    if importlib.util.find_spec("rasterio") is None:
        return False
    with opened_raster(product, path) as source:
        for _, window in source.block_windows(1):
            source.read(1, window=window)
    return True


@contextmanager
def opened_zip(product: str, path: Path) -> Iterator[zipfile.ZipFile]:
    """Open an archive of a product, or say that it is broken, also later when it is read.

    Raises
    ------
    ReferenceFileError
        If the archive or a member is broken.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            yield archive
    except (zipfile.BadZipFile, zlib.error, EOFError) as error:
        raise ReferenceFileError(
            f"{product}: {path} is a broken zip archive ({error}): move it away and run "
            f"`proda data {product}` to fetch it again"
        ) from error


@contextmanager
def opened_raster(product: str, path: Path) -> Iterator[Any]:
    """Open a raster of a product with rasterio, or say that it cannot be read.

    Raises
    ------
    ReferenceFileError
        If the file is no raster or ends too early, or rasterio is not installed.
    """
    try:
        import rasterio
        from rasterio.errors import RasterioError
    except ImportError as error:
        raise ReferenceFileError(
            f"{product}: reading it needs rasterio, which is not installed: run "
            "`pip install -e '.[references]'` in the folder of the project and try again"
        ) from error
    try:
        with rasterio.open(path) as source:
            yield source
    except RasterioError as error:
        reason = " ".join(str(error.__cause__ or error).split())
        raise ReferenceFileError(
            f"{product}: {path} cannot be read as a raster ({reason}): move it away and run "
            f"`proda data {product}` to fetch it again"
        ) from error
