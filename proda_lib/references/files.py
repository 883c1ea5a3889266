"""The files of reference products and snapshots: where they are, that they stay the same.

No hash of these files is published. The SHA-256 of each is recorded when it is first seen to be
whole and must be the same ever after: what a figure was made from does not change unnoticed, and a
broken file is never taken for the right one. A file is looked for in the cache, then in the folder
PRODA_MIRROR (used in place, laid out as host/path), and only `fetch_product` goes to the network.
"""

from __future__ import annotations

import json
import os
import shutil
import zipfile
from functools import lru_cache
from pathlib import Path
from urllib.parse import urlsplit

from proda_lib import paths
from proda_lib.files import atomic, sha256
from proda_lib.nearest import check_known
from proda_lib.references.formats import ReferenceFileError, is_whole, opened_zip
from proda_lib.results import save_json
from proda_lib.studies.download import TIMEOUT, in_mirror
from proda_lib.studies.resume import ResumingDownloader

__all__ = [
    "ABOUT",
    "ADDRESSES",
    "READ_BY",
    "SOILGRIDS_DEPTHS",
    "SOILGRIDS_VARIABLES",
    "fetch_product",
    "missing_files",
    "product_folder",
    "zip_member",
]

_HOST = "https://files.isric.org"

#: Properties of SoilGrids that make a stock: carbon, bulk density, coarse fragments.
SOILGRIDS_VARIABLES = ("soc", "bdod", "cfvo")

#: Depth intervals of SoilGrids, cm.
SOILGRIDS_DEPTHS = ((0, 5), (5, 15), (15, 30), (30, 60), (60, 100), (100, 200))

#: Address of every file by product; the file's name is the last part.
ADDRESSES: dict[str, tuple[str, ...]] = {
    "wise30sec": (f"{_HOST}/public/wise/wise_30sec_v1.zip",),
    "soilgrids250m": tuple(
        f"{_HOST}/soilgrids/latest/data_aggregated/5000m/{name}/{name}_{top}-{base}cm_mean_5000.tif"
        for name in SOILGRIDS_VARIABLES
        for top, base in SOILGRIDS_DEPTHS
    ),
    "wosis2019": (f"{_HOST}/public/wosis_snapshot/WoSIS_2019_September.zip",),
    "wosis2023": (f"{_HOST}/public/wosis_snapshot/WoSIS_2023_December.zip",),
}

#: What is to be said about each product wherever it is shown.
ABOUT = {
    "wise30sec": {
        "version": "WISE30sec, version 1",
        "citation": "Batjes 2016, doi:10.1016/j.geoderma.2016.01.034",
        "licence": "CC BY 3.0 (a third-party data card, not seen at ISRIC)",
    },
    "soilgrids250m": {
        "version": "SoilGrids 2.0, means aggregated to 5 km",
        "citation": "Poggio et al. 2021, doi:10.5194/soil-7-217-2021",
        "licence": "CC BY 4.0",
    },
    "wosis2019": {
        "version": "WoSIS snapshot of September 2019",
        "citation": "Batjes, Ribeiro and van Oostrum 2020, doi:10.5194/essd-12-299-2020",
        "licence": "that of each layer's source, in the column licence",
    },
    "wosis2023": {
        "version": "WoSIS snapshot of December 2023",
        "citation": "Batjes, Calisto and de Sousa 2024, doi:10.5194/essd-16-4735-2024",
        "licence": "CC BY 4.0; that of each layer's source is in the column licence",
    },
}

#: What reads each product.
READ_BY = {
    "wise30sec": "when a chapter maps a real study",
    "soilgrids250m": "when a chapter maps a real study",
    "wosis2019": "by `proda wosis --version 2019`",
    "wosis2023": "by `proda wosis --version 2023`",
}

#: First bytes of TIFF and BigTIFF, of either byte order.
_TIFF = (b"II*\x00", b"MM\x00*", b"II+\x00", b"MM\x00+")


def product_folder(product: str) -> Path:
    """Return the folder of the cache that keeps a product's files.

    Examples
    --------
    >>> product_folder("wise30sec").parts[-2:]
    ('downloads', 'wise30sec')
    """
    check_known("reference product", product, ADDRESSES)
    return paths.cache() / "downloads" / product


def missing_files(product: str) -> list[str]:
    """Return the names of a product's files that neither the cache nor a mirror has."""
    check_known("reference product", product, ADDRESSES)
    return [_name(address) for address in ADDRESSES[product] if _found(product, address) is None]


def fetch_product(product: str, *, progress: bool = True, download: bool = True) -> dict[str, Path]:
    """Return a local copy of every file of a product.

    Parameters
    ----------
    product : str
        One of `ADDRESSES`.
    progress : bool
        Whether to show a bar for each download.
    download : bool
        Whether to fetch what is missing; otherwise it is an error.

    Returns
    -------
    dict
        File name -> path. Mirrored files are used where they lie.

    Raises
    ------
    ReferenceFileError
        At the first file that cannot be had, is no file of its kind or broken, or has changed
        since it was first seen. Files that were already fetched stay; an interrupted one is
        continued by the next call.
    """
    check_known("reference product", product, ADDRESSES)
    found = {}
    for address in ADDRESSES[product]:
        path = _found(product, address)
        if path is None:
            if not download:
                raise ReferenceFileError(
                    f"{product}: {_name(address)} is not there: run `proda data {product}`, "
                    f"or {_by_hand(product, address)}"
                )
            path = _download(product, address, progress)
        _check_unchanged(product, address, path)
        found[_name(address)] = path
    return found


def _name(address: str) -> str:
    return urlsplit(address).path.rpartition("/")[2]


def _found(product: str, address: str) -> Path | None:
    candidates = (product_folder(product) / _name(address), in_mirror(address))
    return next((path for path in candidates if path is not None and path.is_file()), None)


def _download(product: str, address: str, progress: bool) -> Path:
    """Fetch to a name that says it is a part; only a file of its kind gets the real one."""
    target = product_folder(product) / _name(address)
    part = target.with_name(f"{target.stem}.part{target.suffix}")  # its end tells its kind
    part.parent.mkdir(parents=True, exist_ok=True)
    if part.is_file():
        _bring(product, address, part, progress)
        if _is_usable(product, address, part):
            os.replace(part, target)
            return target
        part.unlink()  # the part was of another version: once more, from the start
    _bring(product, address, part, progress)
    if not _is_of_kind(address, part):
        size = part.stat().st_size
        part.unlink()
        raise ReferenceFileError(
            f"{product}: {address} sent {size:,} bytes that are no "
            f"{address.rpartition('.')[2]} file, nothing was kept: try again later, or "
            f"{_by_hand(product, address)}"
        )
    os.replace(part, target)
    return target


def _bring(product: str, address: str, part: Path, progress: bool) -> None:
    """Bring a file, or the rest of it; what came before a connection broke is kept."""
    import requests

    try:
        ResumingDownloader(progressbar=progress, timeout=TIMEOUT)(address, str(part))
    except (requests.RequestException, OSError) as error:
        status = getattr(getattr(error, "response", None), "status_code", None)
        reason = f"HTTP status {status}" if status else type(error).__name__
        kept = ""
        if part.is_file() and not part.stat().st_size:
            part.unlink()
        elif part.is_file():
            kept = f"; {part.stat().st_size:,} bytes are kept and the same command continues them"
        raise ReferenceFileError(
            f"{product}: cannot fetch {_name(address)} from {address} ({reason}{kept}): "
            f"{_by_hand(product, address)}"
        ) from error


def _is_of_kind(address: str, path: Path) -> bool:
    """Say whether a file is what its name says, and not a page that says sorry."""
    if address.endswith(".zip"):
        return zipfile.is_zipfile(path)
    with path.open("rb") as stream:
        return stream.read(4) in _TIFF


def _is_usable(product: str, address: str, path: Path) -> bool:
    """Say whether a file that was put together from two answers is one file."""
    if not _is_of_kind(address, path):
        return False
    try:
        is_whole(product, path)
    except ReferenceFileError:
        return False
    return True


def _by_hand(product: str, address: str) -> str:
    target = product_folder(product) / _name(address)
    mirror = os.environ.get("PRODA_MIRROR", "").strip()
    now = f", now {mirror}," if mirror else ""
    parts = urlsplit(address)
    return (
        f"put a copy at {target}, or set PRODA_MIRROR{now} to a folder that has it as "
        f"{parts.netloc}{parts.path}"
    )


def _check_unchanged(product: str, address: str, path: Path) -> None:
    """Record the SHA-256 of a file when it is first seen whole, later compare with the record."""
    record = product_folder(product) / "sha256.json"
    known: dict[str, str] = json.loads(record.read_text("utf-8")) if record.is_file() else {}
    hash_ = _hash(path)
    if _name(address) not in known:
        if is_whole(product, path):
            save_json(record, known | {_name(address): hash_})
    elif known[_name(address)] != hash_:
        raise ReferenceFileError(
            f"{product}: {path} has changed: SHA-256 {known[_name(address)]} when it was first "
            f"seen, now {hash_}; move it away and run `proda data {product}`, or, if the new one "
            f"is wanted, remove its line from {record}"
        )


def _hash(path: Path) -> str:
    """Return the SHA-256 of a file, computed once as long as size and time stay the same."""
    state = path.stat()
    return _hash_of_state(path, state.st_size, state.st_mtime_ns)


@lru_cache(maxsize=64)
def _hash_of_state(path: Path, size: int, time: int) -> str:
    return sha256(path)


def zip_member(product: str, archive: Path, ending: str) -> Path:
    """Return a file of a zip archive, unpacked into the cache when first wanted.

    Parameters
    ----------
    product : str
    archive : Path
    ending : str
        How the member's name ends; archives differ in the folders around it.

    Raises
    ------
    ReferenceFileError
        If the archive is broken or has no such member.
    """
    target = product_folder(product) / f"{_hash(archive)[:16]}-{ending}"
    if target.is_file():
        return target
    with opened_zip(product, archive) as content:
        names = [name for name in content.namelist() if name.rpartition("/")[2] == ending]
        if not names:
            raise ReferenceFileError(
                f"{product}: {archive} holds no {ending}, but {len(content.namelist())} other "
                f"files: is it the archive of {ADDRESSES[product][0]}?"
            )
        with content.open(names[0]) as source, atomic(target) as temporary:
            with temporary.open("wb") as stream:
                shutil.copyfileobj(source, stream)
    return target
