"""What the page with the model to touch needs: parameters, soil grid, places with their forcing.

Everything comes from the library and the studies when the book is made, so that the page's script
holds formulas only. Forcing of real studies gets into the reader's own book, never into the
repository.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple

import numpy as np
import xarray as xr

from proda_lib import parameters as model
from proda_lib.configurations import CHAPTER
from proda_lib.equation import decomposition_rates, terms
from proda_lib.forcing import forcing_of
from proda_lib.soil_grid import CLM5
from proda_lib.transport import DAYS_PER_YEAR
from proda_lib.units import unit_text

__all__ = ["STEPS", "UNCHANGED", "Place", "changed", "page_data", "places", "results_of"]

#: Parameters whose slider is logarithmic.
_LOGARITHMIC = ("diffus", "cryo", "efolding", "tau4s2")

#: Changes of a place's forcing that leave it as it is: warming, K; factors of moisture and carbon
#: input; greatest thaw depth, m, and bedrock layer, None for the place's own.
UNCHANGED: dict[str, float | None] = {
    "warming": 0.0,
    "moisture": 1.0,
    "input": 1.0,
    "thaw": None,
    "bedrock": None,
}

#: The steps of the page's tour: changes of parameters and forcing, from CLM5's values.
STEPS: dict[str, dict[str, float]] = {
    "input": {"input": 2.0},
    "debris": {"taucwd": 6.0},
    "warming": {"warming": 5.0},
    "depth": {"efolding": float(CHAPTER.default[CHAPTER.names.index("efolding")])},
    "mixing": {
        "efolding": float(CHAPTER.default[CHAPTER.names.index("efolding")]),
        "diffus": float(model.PRODA.upper[model.index("diffus")]),
    },
    "passing": {"fs2s3": 2 * float(model.CLM5_DEFAULT[model.index("fs2s3")])},
    "frost": {"thaw": 0.5},
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
    ['middling', 'coldest', 'warmest', 'driest', 'wettest', 'frozen']
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
        "middling": int(np.abs(rank).sum(axis=1).argmin()),
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
    where = (
        f"{abs(lat):.1f}° {'N' if lat >= 0 else 'S'}, {abs(lon):.1f}° {'E' if lon >= 0 else 'W'}"
    )
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


def results_of(vector: Any, row: xr.Dataset) -> dict[str, Any]:
    """Steady state of one place by the engine: what the page shows.

    Parameters
    ----------
    vector : array_like, shape (21,)
        Physical values.
    row : Dataset
        One row of sites or grid.

    Returns
    -------
    dict
        pools, shape (7, layers), and soil, shape (layers,), gC m-3; stock and stock_1m, gC m-2;
        input, gC m-2 yr-1; residence_time, yr; carbon_use_efficiency, 1. Definitions as the "sound"
        ones of `proda_lib.processes`.
    """
    from proda_lib.steady_state import pools, soil_of

    state = pools(vector, row)[0]
    soil = soil_of(state)
    term = terms(np.asarray(vector, dtype=float)[None], forcing_of(row))
    entering = float(DAYS_PER_YEAR * (term.inputs[0] * CLM5.thickness).sum())
    decomposed = DAYS_PER_YEAR * decomposition_rates(term)[0] * state * CLM5.thickness
    stock = float((soil * CLM5.thickness).sum())
    return {
        "pools": state,
        "soil": soil,
        "stock": stock,
        "stock_1m": float((soil * np.clip(1.0 - CLM5.top, 0, CLM5.thickness)).sum()),
        "input": entering,
        "residence_time": stock / entering,
        # What is not passed on is respired, and in steady state that is the input.
        "carbon_use_efficiency": float(1 - entering / decomposed[1:].sum()),
    }


def page_data(chosen: Sequence[Place]) -> dict[str, Any]:
    """Return everything that the page's scripts read, ready for JSON."""
    from proda_lib.plots.colours import OKABE_ITO
    from proda_lib.plots.profiles import POOL_COLOURS, POOL_LABELS

    return {
        "grid": {
            "node": CLM5.node.tolist(),
            "thickness": CLM5.thickness.tolist(),
            "interface": CLM5.interface.tolist(),
            "node_below": CLM5.node_below,
            "interface_below": CLM5.interface_below,
        },
        "pools": [
            {"name": name, "label": label, "colour": OKABE_ITO[colour]}
            for (name, label), colour in zip(POOL_LABELS.items(), POOL_COLOURS, strict=True)
        ],
        "processes": model.PROCESSES,
        "parameters": [_parameter(number) for number in range(len(model.PARAMETERS))],
        "unchanged": UNCHANGED,
        "presets": _presets(),
        "steps": STEPS,
        "places": [_place(place) for place in chosen],
    }


def _parameter(number: int) -> dict[str, Any]:
    """One parameter with its prior and the ends of its slider, which hold CLM5's value."""
    row = model.PARAMETERS[number]
    lower, upper = float(model.PRODA.lower[number]), float(model.PRODA.upper[number])
    least = lower
    if lower == 0 and row.process != "A":  # no meaning at 0: the other box begins above it
        least = float(model.BINN.lower[number])
    return {
        "name": row.name,
        "meaning": row.meaning,
        "unit": "" if row.unit == "1" else unit_text(row.unit),
        "process": row.process,
        "default": row.default,
        "prior": [lower, upper],
        "least": min(least, row.default),
        "most": max(upper, row.default),
        "logarithmic": row.name in _LOGARITHMIC,
    }


def _presets() -> dict[str, list[float]]:
    """Parameter vectors with a name, for all places."""
    shallow = model.CLM5_DEFAULT.copy()
    shallow[model.index("efolding")] = STEPS["depth"]["efolding"]
    return {
        "CLM5 default": model.CLM5_DEFAULT.tolist(),
        "CLM5 with the e-folding depth of CLM4.5": shallow.tolist(),
        "middle of the prior box PRODA": model.PRODA.to_physical([0.5] * 21).tolist(),
        "middle of the prior box BINN": model.BINN.to_physical([0.5] * 21).tolist(),
    }


def _place(place: Place) -> dict[str, Any]:
    """Return forcing, observations, truth and the engine's result of one place."""
    row = place.row.squeeze()
    by_month = {
        name: row[variable].transpose("month", "layer").values.tolist()
        for name, variable in (
            ("temperature", "soil_temperature"),
            ("water", "water_scalar"),
            ("oxygen", "oxygen_scalar"),
            ("nitrogen", "nitrogen_scalar"),
        )
    }
    forcing = by_month | {
        "thaw": row.active_layer_depth.values.tolist(),
        "thaw_last_year": row.active_layer_depth_last_year.values.tolist(),
        "bedrock_layer": int(row.bedrock_layer),
        "annual_input": row.litter_input.sum("month").values.tolist(),
    }
    result = results_of(model.CLM5_DEFAULT, place.row)
    return {
        "name": place.name,
        "study": place.study,
        "synthetic": place.synthetic,
        "forcing": forcing,
        "observed": _observed(row),
        "truth": None if place.truth is None else place.truth.tolist(),
        "engine": {name: np.asarray(value).tolist() for name, value in result.items()},
    }


def _observed(row: xr.Dataset) -> list[list[float]]:
    """Pairs of depth, m, and observed soil carbon, gC m-3; none for a cell of the map."""
    if "observed_soc" not in row:
        return []
    pairs = np.column_stack([row.observed_depth.values, row.observed_soc.values])
    return pairs[np.isfinite(pairs).all(axis=1)].tolist()
