"""Generated parts of the page with the model to touch: its data, a table without script, the tour.

The page itself is `book/try_it.md`, its scripts lie in `book/_static`; what they read comes from
`proda_lib.reproduce.book_model_data`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from functools import cache

import xarray as xr

from proda_lib.environment import FREEZING, REFERENCE
from proda_lib.parameters import CLM5_DEFAULT, NAMES, PRODA
from proda_lib.reproduce import book_model_data, book_model_picture, book_model_places
from proda_lib.reproduce.book_runs import StudyRun
from proda_lib.reproduce.book_text import table
from proda_lib.results import Number
from proda_lib.soil_grid import CLM5
from proda_lib.transport import CRYOTURBATION_LIMIT

__all__ = ["data_block", "numbers", "parts", "place_table", "step_button"]

#: Number of the step of the tour in which a button stands, and what it says; "assimilate" shows
#: observations and changes nothing.
_BUTTONS = {
    "input": (1, "Double the carbon input"),
    "debris": (2, "Let wood lie longer"),
    "warming": (3, "Warm the soil"),
    "depth": (4, "Slow the soil below"),
    "mixing": (5, "Slow it and mix it"),
    "passing": (6, "Pass more on"),
    "frost": (7, "Freeze the ground"),
    "assimilate": (8, "Show what was observed"),
    "slow": (8, "Show one way"),
    "dry": (8, "Show another way"),
}

#: Soil temperatures at which the reader changes `q10`, degrees Celsius.
_COLD, _WARM = 10.0, 28.0

#: Steps that show the observations.
_OBSERVED = ("assimilate", "slow", "dry")

_QUANTITIES = ("stock", "stock_1m", "residence_time", "carbon_use_efficiency", "passive")


def parts(runs: Sequence[StudyRun]) -> dict[str, Callable[[], str]]:
    """Return the parts of the page by name, for `proda_lib.reproduce.book_text.insert`."""
    names = tuple(run.info.name for run in runs)
    steps = {f"try-{step}": lambda step=step: step_button(step) for step in _BUTTONS}
    return {
        "try-model": lambda: data_block(names),
        "try-places": lambda: place_table(names),
        "try-picture": book_model_picture.block,
    } | steps


@cache
def data_block(studies_run: tuple[str, ...] = ()) -> str:
    """Return the place of the model on the page, and everything that its scripts read."""
    data = book_model_data.page_data(book_model_places.places(studies_run))
    # A text inside a script ends at the first "</", wherever that stands.
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":")).replace("</", "<\\/")
    return (
        "```{raw} html\n"
        '<div id="proda-try"><p>Sliders need JavaScript, which is off here. Picture and table '
        "further down show what one would see before anything is moved.</p></div>\n"
        f'<script type="application/json" id="proda-try-data">{text}</script>\n'
        "```"
    )


@cache
def place_table(studies_run: tuple[str, ...] = ()) -> str:
    """Return the places with their climate and the steady state of CLM5's parameters."""
    header = (
        "place", "data", "soil temperature, 0-1 m (°C)", "carbon input (gC m⁻² yr⁻¹)",
        "SOC stock 0-1 m (kgC m⁻²)", "whole column (kgC m⁻²)", "residence time (yr)",
    )  # fmt: skip
    rows = []
    for place in book_model_places.places(studies_run):
        found = book_model_data.results_of(CLM5_DEFAULT, place.row)
        warmth = book_model_data.mean_temperature(place.row)
        values = (warmth, found["stock_1m"] / 1000, found["stock"] / 1000)
        degrees, upper, column = (f"{value:.1f}".replace("-", "−") for value in values)
        times = f"{found['input']:.0f}", upper, column, f"{found['residence_time']:.1f}"
        kind = "**SYNTHETIC**" if place.synthetic else place.study
        rows.append((place.name, kind, degrees, *times))
    return table(header, rows)


def step_button(step: str) -> str:
    """Return the button that sets the model up for one step of the tour; shown by the script."""
    number, words = _BUTTONS[step]
    dots = " data-observed" if step in _OBSERVED else ""
    return (
        "```{raw} html\n"
        f'<p><button type="button" class="proda-step" id="try-{step}" data-step="{step}" '
        f'data-number="{number}"{dots} hidden>{words}</button></p>\n```'
    )


@cache
def numbers() -> dict[str, Number]:
    """Return what the tour says in numbers: each step at the first place, by the engine.

    Keys are `try.<step>.<quantity>`, a factor, but the misfit in kgC m-3; `try.<step>.set.<name>`,
    what the step sets; `try.clm5.<name>`, CLM5's parameters; `try.q10.<name>`, see `_of_q10`.
    """
    usual = dict(zip(NAMES, CLM5_DEFAULT.tolist(), strict=True))
    first = book_model_places.places()[0]
    row = first.row
    before = _quantities(usual, row)
    found: dict[str, Number] = {f"try.clm5.{name}": value for name, value in usual.items()}
    for step, change in book_model_data.STEPS.items():
        values = {name: value for name, value in change.items() if name in usual}
        forcing = {name: value for name, value in change.items() if name not in usual}
        after = _quantities(usual | values, book_model_places.changed(row, forcing))
        found |= {f"try.{step}.{name}": after[name] / before[name] for name in _QUANTITIES}
        found |= {f"try.{step}.set.{name}": value for name, value in change.items()}
        if step in _OBSERVED:
            vector = list((usual | values).values())
            found[f"try.{step}.misfit"] = book_model_data.misfit_of(vector, row) / 1000
    warming = book_model_data.STEPS["warming"]["warming"]
    found |= _of_q10(row)
    return found | {
        "try.warming.rate": usual["q10"] ** (warming / 10),
        "try.frost.limit": CRYOTURBATION_LIMIT,
        "try.clm5.misfit": book_model_data.misfit_of(CLM5_DEFAULT, row) / 1000,
        "try.truth.misfit": book_model_data.misfit_of(first.truth, row) / 1000,
    }


def _of_q10(row: xr.Dataset) -> dict[str, Number]:
    """Set the largest Q10 against CLM5's in a cold and in a warm soil, and find where they meet.

    Temperatures, degrees Celsius, are means of the upper metre, but `reference`, where the
    temperature scalar of a month and layer is 1; factors are those of the upper metre's carbon.
    """
    from scipy.optimize import brentq

    usual = dict(zip(NAMES, CLM5_DEFAULT.tolist(), strict=True))
    most = float(PRODA.upper[NAMES.index("q10")])
    own = book_model_data.mean_temperature(row)

    def factor(degrees: float) -> float:
        there = book_model_places.changed(row, {"warming": degrees - own})
        with_most, with_usual = (
            _quantities(usual | {"q10": q10}, there)["stock_1m"] for q10 in (most, usual["q10"])
        )
        return with_most / with_usual

    return {
        "try.q10.most": most,
        "try.q10.reference": REFERENCE - FREEZING,
        "try.q10.cold": _COLD,
        "try.q10.cold_stock_1m": factor(_COLD),
        "try.q10.warm": _WARM,
        "try.q10.warm_stock_1m": factor(_WARM),
        "try.q10.crossing": float(brentq(lambda x: factor(x) - 1, _COLD, _WARM, xtol=1e-3)),
    }


def _quantities(values: Mapping[str, float], row: xr.Dataset) -> dict[str, float]:
    """Results of a place that are one number, and the carbon of the passive pool, gC m-2."""
    found = book_model_data.results_of(list(values.values()), row)
    passive = float((found["pools"][-1] * CLM5.thickness).sum())
    return found | {"passive": passive}
