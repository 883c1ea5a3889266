"""The chapter's way: networks learn the posterior means that assimilation found at the sites.

`fit_two_step` trains an ensemble in a design of `proda_lib.network.designs`. "published" keeps what
the original does, slips included; each can be changed on its own with `dataclasses.replace`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from proda_lib import folds, metrics
from proda_lib.nearest import check_known
from proda_lib.network import perceptron, training
from proda_lib.network.designs import DESIGNS, Design, functions
from proda_lib.network.encoder import Encoder
from proda_lib.network.ensemble import MARGIN, Ensemble
from proda_lib.parameters import NAMES

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["fit_two_step", "information", "parameter_skill"]

FloatArray = NDArray[np.float64]

#: Variance of a position in the prior range if nothing is known: uniform from 0 to 1.
PRIOR_VARIANCE = 1 / 12

#: Added to every variance: no profile's parameters stand for its surroundings any better.
FLOOR = 0.1**2

#: Share of the rows, the last ones, with which the published design validates.
_LAST = 0.1


def fit_two_step(
    sites: xr.Dataset,
    found: xr.Dataset | None,
    *,
    design: str | Design = "default",
    members: int = 5,
    seed: int,
    epochs: int | None = None,
    grid: xr.Dataset | None = None,
    resample: bool = False,
    told: Callable[[int], None] | None = None,
) -> Ensemble:
    """Train networks to predict the posterior means of the parameters from covariates.

    Parameters
    ----------
    sites : Dataset
        Training sites, n rows.
    found : Dataset
        Their assimilation, the same rows: `used`, `parameter_mean`, `parameter_sd`. Sites without
        a result are left out, under the encoder "published" also those that lack a covariate;
        `options` of the result says how many remain.
    design : str or Design
        A name in `DESIGNS`, or a design of your own.
    members : int
        Networks of the ensemble.
    seed : int
        Fixes the result, bit by bit on one machine.
    epochs : int, optional
        Most epochs, instead of the design's.
    grid : Dataset, optional
        Whose range scales the covariates under "published"; by default the sites.
    resample : bool
        Whether each member learns from 1-degree blocks drawn with replacement, as the original's
        200 bootstrap networks do from sites. The spread of such an ensemble carries the choice of
        places and the scatter of the posterior means about what covariates say; posterior draws as
        targets would count that scatter twice. Encoder and start are those of all sites.
    told : callable, optional
        Called with the number of epochs done, now and then.

    Returns
    -------
    Ensemble
        Of kind "two_step".

    Raises
    ------
    ValueError
        If `found` has other rows than `sites`, or too few sites have a result.
    """
    if found is None or members < 1:
        raise ValueError(
            f"found is {found if found is None else 'given'}, members is {members}: give the "
            "assimilation of the sites and at least one member"
        )
    name = design if isinstance(design, str) else "own"
    if isinstance(design, str):
        check_known("design", design, DESIGNS)
        design = DESIGNS[design]
    _require_same_rows(sites, found)
    encoder = Encoder.fit(sites, scheme=design.scheme, reference=grid)
    data, rows = _data(encoder.transform(sites), found, design)
    taught, held = _validation(design, sites.isel(site=rows), rows, members, seed)
    if resample:
        taught = _resampled(folds.blocks(sites), taught, seed)
    loss, validate, optimiser = functions(design)
    shape = (data["inputs"].shape[1], *design.hidden, len(NAMES))
    most = design.epochs if epochs is None else epochs
    weights, history = training.train(
        loss, perceptron.members(seed, members, shape, scheme=design.start), taught, validate,
        held=held, data=data, optimiser=optimiser, batch=design.batch, epochs=most,
        patience=design.patience, seed=seed, told=told,
    )  # fmt: skip
    options = asdict(design) | {
        "design": name, "activation": "relu", "seed": seed, "epochs": most,
        "sites_given": sites.sizes["site"], "sites_used": len(rows), "resample": resample,
    }  # fmt: skip
    constant = data["constant"].astype(float)
    return Ensemble("two_step", encoder, weights, constant, options, history=history)


def information(sd: ArrayLike) -> FloatArray:
    """Return what a profile adds to the precision of a parameter, 0 to 1; same shape.

    1 / (sd^2 + floor) less the same for the prior, never below 0, relative to a parameter that is
    known exactly: a posterior as wide as the prior weighs nothing, an exact one 1.

    Parameters
    ----------
    sd : array_like
        Posterior standard deviation, positions in the prior range.

    Examples
    --------
    >>> information([0.0, 0.1, 0.2, 0.2887]).round(3).tolist()
    [1.0, 0.44, 0.104, 0.0]
    """
    known, nothing = 1 / FLOOR, 1 / (PRIOR_VARIANCE + FLOOR)
    gained = 1 / (np.asarray(sd, dtype=float) ** 2 + FLOOR) - nothing
    return np.maximum(gained, 0) / (known - nothing)


def parameter_skill(unit: ArrayLike, found: xr.Dataset) -> pd.DataFrame:
    """How well predicted parameters agree with the posterior means at sites, by parameter.

    Parameters
    ----------
    unit : array_like, shape (n, 21)
        Predicted positions in the prior range, for example the mean of an ensemble.
    found : Dataset
        Assimilation of the n sites; those without a result are left out.

    Returns
    -------
    DataFrame
        Rows are parameters. `r2`: squared correlation; `efficiency`: 1 less the squared error
        over the variance of the means; `spread`: standard deviation of the posterior means over
        sites; `removed`: share of the prior variance that a profile removes on average. All 1.
    """
    import pandas as pd

    mean, sd, used = _targets(found)
    good = used & np.isfinite(np.asarray(unit)).all(axis=1)
    predicted, mean = np.asarray(unit, dtype=float)[good], mean[good]
    columns = range(len(NAMES))
    return pd.DataFrame(
        {
            "r2": [metrics.r2(mean[:, k], predicted[:, k]) for k in columns],
            "efficiency": [metrics.efficiency(mean[:, k], predicted[:, k]) for k in columns],
            "spread": mean.std(axis=0),
            "removed": 1 - (sd[good] ** 2).mean(axis=0) / PRIOR_VARIANCE,
        },
        index=pd.Index(NAMES, name="parameter"),
    )


def _require_same_rows(sites: xr.Dataset, found: xr.Dataset) -> None:
    given, wanted = found.sizes["site"], sites.sizes["site"]
    if given != wanted:
        raise ValueError(f"found has {given} sites, sites {wanted}: select the same rows of both")
    if "profile_id" in sites and "profile_id" in found:
        differ = sites["profile_id"].values != found["profile_id"].values
        if differ.any():
            raise ValueError(
                f"{differ.sum()} of {wanted} rows of found are of other profiles than those of "
                "sites: select the same rows of both, in the same order"
            )


def _targets(found: xr.Dataset) -> tuple[FloatArray, FloatArray, NDArray[np.bool_]]:
    """Posterior means, standard deviations, and which sites have them."""
    mean, sd = found["parameter_mean"].values, found["parameter_sd"].values
    return mean, sd, found["used"].values.astype(bool) & np.isfinite(mean + sd).all(axis=1)


def _data(
    inputs: NDArray[np.float32], found: xr.Dataset, design: Design
) -> tuple[dict[str, Any], NDArray[np.int_]]:
    """Arrays that the losses need, all rows, and the rows that can be used."""
    mean, sd, used = _targets(found)
    rows = np.flatnonzero(used & np.isfinite(inputs).all(axis=1))
    if len(rows) < 4:
        raise ValueError(
            f"{len(rows)} of {len(mean)} sites have a result and the covariates needed: give at "
            "least 4 such sites"
        )
    weight = np.ones_like(sd) if design.loss == "squared" else information(sd)
    if design.loss == "parameter":
        weight = np.broadcast_to(weight[rows].mean(axis=0), weight.shape)
    # With unbounded outputs the original starts from nothing.
    constant = np.zeros(len(NAMES))
    if design.output == "sigmoid":
        constant = _constant(mean[rows], weight[rows])
    arrays = {"inputs": inputs, "target": mean, "weight": weight / weight[rows].mean()}
    data = {name: np.nan_to_num(values).astype(np.float32) for name, values in arrays.items()}
    return data | {"constant": constant.astype(np.float32)}, rows


def _constant(mean: FloatArray, weight: FloatArray) -> FloatArray:
    """Logit of the weighted mean, the middle of the prior range counting as one known site."""
    best = ((weight * mean).sum(axis=0) + 0.5) / (weight.sum(axis=0) + 1)
    best = np.clip(best, MARGIN, 1 - MARGIN)
    return np.log(best / (1 - best))


def _validation(
    design: Design, sites: xr.Dataset, rows: NDArray[np.int_], members: int, seed: int
) -> tuple[list[NDArray[np.int_]], list[NDArray[np.int_]]]:
    """Rows to learn from and rows to validate with, for each member."""
    if design.validation == "last":
        first = int(len(rows) * (1 - _LAST))
        return [rows[:first]] * members, [rows[first:]] * members
    taught, held = folds.held_blocks(sites, members, seed=seed)
    return [rows[some] for some in taught], [rows[some] for some in held]


def _resampled(
    block: NDArray[np.int_], taught: list[NDArray[np.int_]], seed: int
) -> list[NDArray[np.int_]]:
    """Draw each member's blocks with replacement, and return the rows in them."""
    random = np.random.default_rng([seed, 1])
    drawn = []
    for rows in taught:
        there = np.unique(block[rows])
        some = random.choice(there, size=len(there))
        drawn.append(np.concatenate([rows[block[rows] == number] for number in some]))
    return drawn
