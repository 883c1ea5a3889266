"""Places of the page with the model to touch: a few that differ, with their forcing.

They are chosen by a rule from studies when the book is made: always from the synthetic twin, and
from real studies that have run, whose forcing gets into the reader's own book and never into the
repository.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import NamedTuple

import numpy as np
import xarray as xr

__all__ = ["UNCHANGED", "Place", "changed", "places"]

#: Changes of a place's forcing that leave it as it is: warming, K; factors of moisture and carbon
#: input; greatest thaw depth, m, and bedrock layer, None for the place's own.
UNCHANGED: dict[str, float | None] = {
    "warming": 0.0,
    "moisture": 1.0,
    "input": 1.0,
    "thaw": None,
    "bedrock": None,
}


class Place(NamedTuple):
    """One place of a study.

    Attributes
    ----------
    name : str
        What it is, in words.
    study : str
    synthetic : bool
    row : Dataset
        One row of the study's sites or grid.
    truth : ndarray, shape (21,), or None
        True parameters of a synthetic place.
    """

    name: str
    study: str
    synthetic: bool
    row: xr.Dataset
    truth: np.ndarray | None


@cache
def places(studies_run: tuple[str, ...] = ()) -> tuple[Place, ...]:
    """Return the places of the page: of the twin, and of the studies that have run.

    Parameters
    ----------
    studies_run : tuple of str
        Names. Studies whose data are not here, or large, are left out.

    Examples
    --------
    >>> [place.name.partition(":")[0] for place in places()]
    ['medium', 'coldest', 'warmest', 'driest', 'wettest', 'frozen']
    """
    from proda_lib import studies

    found = list(_places_of("twin", frozen=True))
    for name in studies_run:
        known = name in studies.names() and name != "twin"
        if known and not studies.info(name).large and not studies.missing(name):
            found += _places_of(name)
    return tuple(found)


def _places_of(name: str, frozen: bool = False) -> list[Place]:
    """Places of a study that differ: chosen by soil temperature, moisture and carbon input."""
    from proda_lib import studies

    study = studies.load(name, "smoke")
    truth = study.truth
    found = []
    for words, site in _extremes(study.sites).items():
        row = study.sites.isel(site=[site])
        known = None if truth is None else truth.site_parameters.values[site]
        found.append(Place(_described(words, row), name, study.synthetic, row, known))
    if frozen:
        cell = int(study.grid.active_layer_depth.max("month").values.argmin())
        row = study.grid.isel(cell=[cell])
        known = None if truth is None else truth.cell_parameters.values[cell]
        found.append(Place(_described("frozen", row), name, study.synthetic, row, known))
    return found


def _extremes(sites: xr.Dataset) -> dict[str, int]:
    """Find the site in the middle of a study, and those at the ends of its climate."""
    climate = np.column_stack(
        [
            sites.soil_temperature.mean(("layer", "month")),
            sites.water_scalar.mean(("layer", "month")),
            sites.litter_input.sum(("litter", "month")),
        ]
    )
    rank = climate.argsort(axis=0).argsort(axis=0) - (len(climate) - 1) / 2
    warmth, moisture = climate[:, 0], climate[:, 1]
    chosen = {
        "medium": int(np.abs(rank).sum(axis=1).argmin()),
        "coldest": int(warmth.argmin()),
        "warmest": int(warmth.argmax()),
        "driest": int(moisture.argmin()),
        "wettest": int(moisture.argmax()),
    }
    first = {site: words for words, site in reversed(chosen.items())}
    return {words: site for words, site in chosen.items() if first[site] == words}


def _described(words: str, row: xr.Dataset) -> str:
    """Name a place: what it stands for, vegetation, coordinates."""
    lat, lon = float(row.lat.item()), float(row.lon.item())
    north, east = "N" if lat >= 0 else "S", "E" if lon >= 0 else "W"
    where = f"{abs(lat):.1f}° {north}, {abs(lon):.1f}° {east}".replace("° ", "°\N{NO-BREAK SPACE}")
    kind = f"{row.vegetation_type.item()}, " if "vegetation_type" in row else ""
    return f"{words}: {kind}{where}"


def changed(row: xr.Dataset, change: Mapping[str, float | None]) -> xr.Dataset:
    """Return a place's row with another forcing; the page's script does the same.

    Parameters
    ----------
    row : Dataset
        One row of sites or grid.
    change : mapping
        Some of `UNCHANGED`.
    """
    change = UNCHANGED | dict(change)
    row = row.assign(
        soil_temperature=row.soil_temperature + change["warming"],
        water_scalar=np.minimum(1.0, row.water_scalar * change["moisture"]),
        litter_input=row.litter_input * change["input"],
    )
    if change["thaw"] is not None:
        thaw = xr.full_like(row.active_layer_depth, change["thaw"])
        row = row.assign(active_layer_depth=thaw, active_layer_depth_last_year=thaw)
    if change["bedrock"] is not None:
        row = row.assign(bedrock_layer=xr.full_like(row.bedrock_layer, int(change["bedrock"])))
    return row
