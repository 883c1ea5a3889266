"""Made studies are kept in the cache, whole or not at all, and found again by their key.

A kept study is a folder of netCDF files, a table and a manifest with their SHA-256. One whose
files do not match the manifest is rebuilt.
"""

from __future__ import annotations

import json
import logging
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pandas as pd
import xarray as xr

from proda_lib import files, paths
from proda_lib.studies import schema
from proda_lib.studies.study import Study, StudyInfo

__all__ = ["FORMAT", "kept", "place", "read", "write"]

_LOG = logging.getLogger(__name__)

#: Raise when the layout of a kept study changes.
FORMAT = 1

_DATASETS = ("sites", "grid", "truth")
_MANIFEST = "manifest.json"


def place(name: str, size: str, soil_grid: str, key: str) -> Path:
    """Return the folder in which the cache keeps a made study."""
    return paths.cache() / "studies" / f"{name}-{size}-{soil_grid}-{key}"


def kept(folder: Path, info: StudyInfo, key: str, make: Callable[[], Study]) -> Study:
    """Return the study kept in a folder; make, check and keep it if it is missing or broken.

    Parameters
    ----------
    folder : Path
        See `place`.
    info : StudyInfo
    key : str
        Becomes the study's `data_hash`.
    make : callable
        Makes the study.

    Raises
    ------
    SchemaError
        If what was made does not have the common form; then nothing is kept.
    """
    try:
        return read(folder, info)
    except FileNotFoundError:
        pass
    except (OSError, ValueError, KeyError) as error:
        _LOG.warning("kept study %s is broken (%s): making it again", folder.name, error)
    study = replace(make(), data_hash=key)
    schema.check(study.sites, "site", study.name)
    schema.check(study.grid, "cell", study.name)
    write(study, folder)
    _forget_older(folder)
    return study


def write(study: Study, folder: Path) -> None:
    """Write a study to a folder, whole or not at all."""
    with files.atomic(folder) as temporary:
        temporary.mkdir(parents=True)
        for name in _DATASETS:
            data = getattr(study, name)
            if data is not None:
                data.to_netcdf(
                    temporary / f"{name}.nc",
                    engine="h5netcdf",
                    encoding=_compression(data),
                )
        study.exclusions.to_csv(temporary / "exclusions.csv", index=False)
        hashes = {path.name: files.sha256(path) for path in sorted(temporary.iterdir())}
        manifest = {"size": study.size, "data_hash": study.data_hash, "files": hashes}
        (temporary / _MANIFEST).write_text(json.dumps(manifest, indent=1), encoding="utf-8")


def read(folder: Path, info: StudyInfo) -> Study:
    """Read a kept study into memory.

    Raises
    ------
    FileNotFoundError
        If the folder has no manifest: nothing is kept there.
    ValueError
        If a file is missing or its content is not what the manifest says.
    """
    manifest = json.loads((folder / _MANIFEST).read_text(encoding="utf-8"))
    for name, expected in manifest["files"].items():
        if not (folder / name).is_file() or files.sha256(folder / name) != expected:
            raise ValueError(f"{name} is missing or has changed since it was written")
    data = {
        name: xr.load_dataset(folder / f"{name}.nc", engine="h5netcdf")
        for name in _DATASETS
        if f"{name}.nc" in manifest["files"]
    }
    return Study(
        info=info,
        size=manifest["size"],
        exclusions=pd.read_csv(folder / "exclusions.csv"),
        data_hash=manifest["data_hash"],
        **data,
    )


def _compression(data: xr.Dataset) -> dict[str, dict[str, int]]:
    # Sites share forcing: the lightest compression already finds most of that.
    return {
        str(name): {"zlib": True, "complevel": 1}
        for name, array in data.variables.items()
        if array.dtype.kind == "f" and array.ndim > 1
    }


def _forget_older(folder: Path, keep: int = 2) -> None:
    """Remove all but the newest kept versions of the same study, size and soil grid."""
    family = folder.name.rsplit("-", 1)[0]
    versions = sorted(
        folder.parent.glob(f"{family}-*"),
        key=lambda path: path.stat().st_mtime,
        reverse=True,
    )
    for old in versions[keep:]:
        shutil.rmtree(old, ignore_errors=True)
