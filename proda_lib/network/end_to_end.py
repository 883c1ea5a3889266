"""Networks that are trained on soil carbon itself, through the engine.

No assimilation comes first: covariates go into the network, its parameters into the matrix model,
and the error of the modelled carbon comes back through both, by exact derivatives. Training starts
at the best single parameter vector, from which the networks learn to deviate.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, Literal

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from proda_lib import folds
from proda_lib.nearest import check_known
from proda_lib.network import perceptron, training
from proda_lib.network.encoder import Encoder
from proda_lib.network.ensemble import Ensemble, with_averages
from proda_lib.network.soc_loss import (
    LOSSES,
    Lessons,
    Loss,
    best_constant,
    filled,
    functions,
    lessons,
)
from proda_lib.parameters import NAMES

__all__ = ["FORCINGS", "STOPPING", "constant_of", "fit_end_to_end"]

IntArray = NDArray[np.int_]
Drive = Literal["own", "litter", "mean"]
Stopping = Literal["blocked", "none"]

#: What drives the model at a site, and the variables of which all sites share the mean.
FORCINGS: dict[str, tuple[str, ...]] = {
    "own": (),
    "litter": ("litter_input",),
    "mean": (
        "soil_temperature",
        "water_scalar",
        "oxygen_scalar",
        "nitrogen_scalar",
        "litter_input",
    ),
}

#: Ways to end the training.
STOPPING = {
    "blocked": "where the mean loss of all members on blocks that they do not learn from is lowest",
    "none": "after all epochs, everything learnt from",
}

_BATCH, _RATE, _DECAY, _DROPOUT, _NOISE = 256, 1e-3, 0.01, 0.4, 0.1

#: Training stops after this share of the epochs without improvement.
_PATIENCE = 0.4

#: Fewest sites that can be learnt from.
_FEWEST = 8


def fit_end_to_end(
    sites: xr.Dataset,
    found: xr.Dataset | None = None,
    *,
    members: int = 5,
    seed: int,
    epochs: int = 100,
    loss: Loss = "mixed",
    forcing: Drive = "own",
    stopping: Stopping = "blocked",
    hidden: Sequence[int] = (128, 128),
    told: Callable[[int], None] | None = None,
) -> Ensemble:
    """Train networks whose parameters make the engine's soil carbon agree with observations.

    Parameters
    ----------
    sites : Dataset
        Training sites with covariates, forcing and observations.
    found : Dataset, optional
        Not used: no assimilation is needed.
    members : int
        Networks, trained side by side, each from its own start.
    seed : int
        Fixes the result, bit by bit on one machine.
    epochs : int
        Most passes over the training sites.
    loss : {"mixed", "squared"}
        See `LOSSES`.
    forcing : {"own", "litter", "mean"}
        What drives the model: each site's own forcing, or litter input, or all temperatures,
        scalars and litter inputs, averaged over the training sites; bedrock and thaw depth are
        always the site's. With averages, run the model on the ensemble's `driven` places.
    stopping : {"blocked", "none"}
        See `STOPPING`.
    hidden : sequence of int
        Units of the hidden layers; none for a linear map.
    told : callable, optional
        Called with the number of epochs done, now and then.

    Returns
    -------
    Ensemble
        Of kind "end_to_end"; `options` has the loss of the constant start ("constant_loss").

    Raises
    ------
    ValueError
        If an option is unknown or there are too few sites, members or epochs.

    Examples
    --------
    >>> fit_end_to_end(xr.Dataset(), members=0, seed=1)
    Traceback (most recent call last):
    ValueError: members is 0, epochs 100: give at least one of each
    """
    _check(sites, members, epochs, loss, forcing, stopping)
    averages = _averages(sites, FORCINGS[forcing])
    encoder = Encoder.fit(sites)
    inputs = encoder.transform(sites)
    data = lessons(with_averages(sites, averages), inputs)
    constant, constant_loss = best_constant(data, len(inputs), loss)
    taught, held = _split(sites, members, seed, stopping)
    # Batches are filled up with rows that do not count; the mean loss must not see them.
    share = np.mean([len(rows) / filled(len(rows)) for rows in taught])
    data = data._replace(constant=constant, layers=data.layers * share)
    taught = _lines(taught)
    learnt, validate = functions(loss, _DROPOUT, _NOISE)
    weights, history = training.train(
        learnt, _start(seed, members, inputs.shape[1], data, hidden), taught,
        validate if held else None, held=held and _lines(held), data=data,
        optimiser=_optimiser(epochs * -(-taught.shape[1] // _BATCH)), batch=_BATCH, epochs=epochs,
        patience=max(1, round(_PATIENCE * epochs)) if held else None, together=bool(held),
        seed=seed, told=told,
    )  # fmt: skip
    weights = [(weights[0][0][:, : inputs.shape[1]], weights[0][1]), *weights[1:]]
    options = {
        "output": "sigmoid", "activation": "relu", "seed": seed, "epochs": epochs, "loss": loss,
        "forcing": forcing, "stopping": stopping, "constant_loss": constant_loss,
        "sites_used": len(inputs), "averages": averages,
    }  # fmt: skip
    return Ensemble("end_to_end", encoder, weights, constant, options, history=history)


def constant_of(model: Ensemble) -> NDArray[np.float64]:
    """Return the positions that the networks started from, one vector for all, shape (1, 21).

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> constant_of(SimpleNamespace(constant=[0.0, 0.0])).tolist()
    [[0.5, 0.5]]
    """
    return 1 / (1 + np.exp(-np.asarray(model.constant)[None]))


def _check(
    sites: xr.Dataset, members: int, epochs: int, loss: str, forcing: str, stopping: str
) -> None:
    check_known("loss", loss, LOSSES)
    check_known("forcing", forcing, FORCINGS)
    check_known("stopping", stopping, STOPPING)
    if members < 1 or epochs < 1:
        raise ValueError(f"members is {members}, epochs {epochs}: give at least one of each")
    if sites.sizes["site"] < _FEWEST:
        raise ValueError(
            f"{sites.sizes['site']} sites to learn from: give at least {_FEWEST}, or use the "
            "default parameters"
        )


def _averages(sites: xr.Dataset, names: Sequence[str]) -> dict[str, Any]:
    """Means of variables over the sites, as lists with the dimensions that remain."""
    means = {name: sites[name].mean("site") for name in names}
    return {
        name: {"dims": list(map(str, mean.dims)), "values": mean.values.astype(float).tolist()}
        for name, mean in means.items()
    }


def _split(
    sites: xr.Dataset, members: int, seed: int, stopping: Stopping
) -> tuple[list[IntArray], list[IntArray] | None]:
    """Rows to learn from and rows to validate with, for each member."""
    if stopping == "none":
        return [np.arange(sites.sizes["site"])] * members, None
    return folds.held_blocks(sites, members, seed=seed)


def _lines(rows: list[IntArray]) -> IntArray:
    """Stack rows of the members, filled up with `training.NO_ROW` to lines of one length."""
    width = filled(max(map(len, rows)))
    stacked = np.full((len(rows), width), training.NO_ROW, dtype=np.int32)
    for line, own in zip(stacked, rows, strict=True):
        line[: len(own)] = own
    return stacked


def _start(
    seed: int, members: int, width: int, data: Lessons, hidden: Sequence[int]
) -> perceptron.Weights:
    """Draw weights of networks that all give 0, with idle ones for the inputs that fill up."""
    weights = perceptron.members(seed, members, (width, *hidden, len(NAMES)))
    last, bias = weights[-1]
    weights[-1] = (0 * last, bias)
    first, bias = weights[0]
    idle = data.inputs.shape[1] - width
    weights[0] = (np.pad(first, ((0, 0), (0, idle), (0, 0))), bias)
    return weights


@lru_cache
def _optimiser(steps: int) -> Any:
    """AdamW, its rate falling to zero like a cosine; the same object for the same length."""
    import optax

    return optax.adamw(optax.cosine_decay_schedule(_RATE, steps), weight_decay=_DECAY)
