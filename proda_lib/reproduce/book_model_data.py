"""What the scripts of the page with the model to touch read: parameters, soil grid, places.

Numbers of the model come from the library and the studies when the book is made. The page's scripts
hold its formulas, and words, looks and ends of sliders that are the page's own.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr

from proda_lib import parameters as model
from proda_lib.configurations import CHAPTER
from proda_lib.environment import FREEZING, REFERENCE, SMALLEST_EXPONENT
from proda_lib.equation import decomposition_rates, terms
from proda_lib.forcing import forcing_of
from proda_lib.reproduce.book_model_places import UNCHANGED, Place
from proda_lib.soil_grid import CLM5
from proda_lib.transport import CRYOTURBATION_DEPTH, CRYOTURBATION_LIMIT, DAYS_PER_YEAR
from proda_lib.units import unit_text

__all__ = ["STEPS", "mean_temperature", "misfit_of", "page_data", "results_of"]

#: What of each layer lies in the upper metre, m.
_IN_METRE = np.clip(1.0 - CLM5.top, 0, CLM5.thickness)

#: Constants of the model's equations: day yr-1, K, 1 and m.
_CONSTANTS = {
    "days_per_year": DAYS_PER_YEAR,
    "freezing": FREEZING,
    "reference": REFERENCE,
    "smallest_exponent": SMALLEST_EXPONENT,
    "cryoturbation_limit": CRYOTURBATION_LIMIT,
    "cryoturbation_depth": CRYOTURBATION_DEPTH,
}

#: Parameters whose slider is logarithmic.
_LOGARITHMIC = ("diffus", "cryo", "efolding", "tau4s2")

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
    # Two ways to about the same profile at the first place, found by trying.
    "slow": {"tau4s2": 48.0, "efolding": 0.38},
    "dry": {"tau4s3": 520.0, "w-scaling": 0.146, "efolding": 2.5},
}


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
        "stock_1m": float((soil * _IN_METRE).sum()),
        "input": entering,
        "residence_time": stock / entering,
        # What is not passed on is respired, and in steady state that is the input.
        "carbon_use_efficiency": float(1 - entering / decomposed[1:].sum()),
    }


def misfit_of(vector: Any, row: xr.Dataset) -> float:
    """Root mean square difference between model and observations of one place, gC m-3.

    Parameters
    ----------
    vector : array_like, shape (21,)
        Physical values.
    row : Dataset
        One row of sites.
    """
    from proda_lib.steady_state import soil_carbon_at_depth

    error = soil_carbon_at_depth(vector, row)[0] - row.observed_soc.values[0]
    return float(np.sqrt(np.nanmean(error**2)))


def mean_temperature(row: xr.Dataset) -> float:
    """Mean soil temperature of the upper metre of one place, degrees Celsius, as its slider has it.

    Parameters
    ----------
    row : Dataset
        One row of sites or grid.
    """
    layers = row.soil_temperature.squeeze().transpose("month", "layer").values
    return float((layers * _IN_METRE).sum(axis=1).mean() - FREEZING)


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
            "in_metre": _IN_METRE.tolist(),
        },
        "constants": _CONSTANTS,
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
