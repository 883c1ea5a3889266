"""The approaches that are compared, by name: one way to fit each, and one to predict with it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal, Protocol

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from proda_lib import predictor, steady_state
from proda_lib.depths import interpolate_to_depth
from proda_lib.nearest import check_known
from proda_lib.predictor import DirectModel, ProcessModel

__all__ = ["APPROACHES", "CANDIDATES", "Approach", "Fitting", "approach", "soil_carbon_at_depth"]

FloatArray = NDArray[np.float64]
Model = ProcessModel | DirectModel


class Fitting(Protocol):
    """What every approach's fit looks like."""

    def __call__(
        self, sites: xr.Dataset, found: xr.Dataset | None, *, seed: int, effort: Mapping[str, Any]
    ) -> Model:
        """Fitting a model to training sites; `found` is their assimilation, the same rows."""


@dataclass(frozen=True)
class Approach:
    """One way to soil carbon at places without a profile.

    Attributes
    ----------
    name : str
        As in the keys of numbers.
    label : str
        As in tables and figures.
    kind : {"process", "direct"}
        Whether soil carbon comes out of the engine.
    fit : Fitting
    """

    name: str
    label: str
    kind: Literal["process", "direct"]
    fit: Fitting


@dataclass(frozen=True)
class DefaultRun:
    """CLM5 with its own parameters, which learns nothing (see `steady_state.default_run`)."""

    def soil_carbon_at_depth(self, sites: xr.Dataset) -> FloatArray:
        """Return SOC at the observed depths, gC m-3, shape (n, observation), NaN pads."""
        soil = steady_state.soil_of(steady_state.default_run(sites))
        return interpolate_to_depth(soil, sites)


def _default(
    sites: xr.Dataset, found: xr.Dataset | None, *, seed: int, effort: Mapping[str, Any]
) -> Model:
    return DefaultRun()


def _batch(
    sites: xr.Dataset, found: xr.Dataset | None, *, seed: int, effort: Mapping[str, Any]
) -> Model:
    from proda_lib.batch import fit_batch

    return fit_batch(sites, seed=seed)


def _two_step(
    sites: xr.Dataset,
    found: xr.Dataset | None,
    *,
    seed: int,
    effort: Mapping[str, Any],
    published: bool = False,
) -> Model:
    from proda_lib.network import DESIGNS, fit_two_step, shortened

    if not published:
        members, epochs = effort["members"], effort["epochs"]
        return fit_two_step(sites, found, members=members, epochs=epochs, seed=seed)
    design = shortened(DESIGNS["published"], effort["published_epochs"])
    return fit_two_step(sites, found, design=design, members=1, seed=seed)


def _end_to_end(
    sites: xr.Dataset,
    found: xr.Dataset | None,
    *,
    seed: int,
    effort: Mapping[str, Any],
    forcing: Literal["own", "mean"] = "own",
) -> Model:
    from proda_lib.network import fit_end_to_end

    members, epochs = effort["members"], effort["soc_epochs"]
    return fit_end_to_end(sites, members=members, epochs=epochs, forcing=forcing, seed=seed)


def _profile_first(
    sites: xr.Dataset, found: xr.Dataset | None, *, seed: int, effort: Mapping[str, Any]
) -> Model:
    from proda_lib.profile_first import fit_profile_first

    return fit_profile_first(sites, seed=seed, trees=effort["trees"])


def _direct(
    sites: xr.Dataset,
    found: xr.Dataset | None,
    *,
    seed: int,
    effort: Mapping[str, Any],
    learner: str,
    **options: Any,
) -> Model:
    from proda_lib import baselines

    return getattr(baselines, learner)(sites, seed=seed, trees=effort["trees"], **options)


#: Functions with options rather than closures: they are sent to other processes.
_FOREST = partial(_direct, learner="fit_forest")

_ALL = (
    Approach("default", "CLM5 default", "process", _default),
    Approach("batch", "batch", "process", _batch),
    Approach(
        "two_step_published", "PRODA as published", "process", partial(_two_step, published=True)
    ),
    Approach("two_step", "PRODA", "process", _two_step),
    Approach("end_to_end", "end to end", "process", _end_to_end),
    Approach(
        "end_to_end_mean",
        "end to end, mean forcing",
        "process",
        partial(_end_to_end, forcing="mean"),
    ),
    Approach("profile_first", "profile first", "process", _profile_first),
    Approach("forest", "forest", "direct", _FOREST),
    Approach("forest_log", "forest of logarithms", "direct", partial(_FOREST, target="log")),
    Approach("boosting", "boosting", "direct", partial(_direct, learner="fit_boosting")),
    Approach(
        "forest_depth",
        "forest on depth alone",
        "direct",
        partial(_FOREST, covariates=False, target="log"),
    ),
)

#: Every approach by its name, process-guided ones first.
APPROACHES: dict[str, Approach] = {one.name: one for one in _ALL}

#: Process-guided approaches among which one is chosen inside the training sites.
CANDIDATES: tuple[str, ...] = ("two_step", "end_to_end", "end_to_end_mean", "profile_first")


def approach(name: str) -> Approach:
    """Return an approach by its name.

    Raises
    ------
    ValueError
        If there is none of this name; the message names the nearest.

    Examples
    --------
    >>> approach("forest").kind
    'direct'
    """
    check_known("approach", name, APPROACHES)
    return APPROACHES[name]


def soil_carbon_at_depth(model: Model, sites: xr.Dataset) -> FloatArray:
    """Return a fitted model's SOC at the observed depths, gC m-3, shape (n, observation).

    Of a model that predicts parameters it comes out of the engine.

    Examples
    --------
    >>> from proda_lib import studies
    >>> sites = studies.load("twin", "smoke").sites
    >>> model = approach("default").fit(sites, None, seed=1, effort={})
    >>> soil_carbon_at_depth(model, sites).shape == sites.observed_soc.shape
    True
    """
    unit: Callable[[xr.Dataset], FloatArray] | None = getattr(model, "unit", None)
    if unit is None:
        return model.soil_carbon_at_depth(sites)
    return predictor.soil_carbon_at_depth(unit(sites), predictor.driven(model, sites))
