"""Loss of predicted soil carbon: from parameters through the engine to the observations.

Every function works on one row of arrays per site, as `lessons` arranges them; JAX differentiates
the losses exactly, the steady state included.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, partial
from typing import Any, Literal, NamedTuple

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from proda_lib import cost
from proda_lib.compiled import jax
from proda_lib.cost import SiteData
from proda_lib.minimise import minimise
from proda_lib.nearest import check_known
from proda_lib.network import perceptron
from proda_lib.network.training import NO_ROW
from proda_lib.parameters import CLM5_DEFAULT, PRODA

import jax.numpy as jnp  # isort: skip

__all__ = [
    "LOSSES",
    "Lessons",
    "Loss",
    "best_constant",
    "filled",
    "functions",
    "layer_loss",
    "lessons",
]

FloatArray = NDArray[np.float64]
Loss = Literal["mixed", "squared"]

#: Losses by name, and what they are the mean of.
LOSSES = {
    "mixed": "squared error of SOC in 20 kgC m-3, and half the squared error of ln SOC",
    "squared": "squared error of SOC in 20 kgC m-3",
}

#: Error of SOC that costs 1, gC m-3.
SCALE = 20_000.0

#: What the squared error of ln SOC counts beside that, 1.
LOG_WEIGHT = 0.5

#: SOC below which logarithms are not told apart, gC m-3.
FLOOR = 100.0

#: Sites to which the constant is fitted, evenly spaced among all if there are more.
_MOST = 4096

#: Numbers of inputs are filled up to a multiple of this, so that folds share one program.
_INPUTS = 64

#: Keeps a constant that the data do not determine in the middle of its range.
_RIDGE = 1e-3


class Lessons(NamedTuple):
    """Arrays of training sites, filled up with rows that are never asked for.

    Attributes
    ----------
    inputs : ndarray, shape (rows, inputs)
        Of the network, single precision.
    real : ndarray, shape (inputs,)
        1 for inputs that are any, 0 for those that fill up.
    sites : SiteData
        `weight` is 1 for layers that count and 0 for others.
    constant : ndarray, shape (21,)
        Logits to which the network adds.
    layers : ndarray, shape ()
        Layers that count, mean over sites.
    """

    inputs: Any
    real: Any
    sites: SiteData
    constant: Any
    layers: Any


def layer_loss(modelled: Any, observed: Any, loss: Loss = "mixed") -> Any:
    """Loss of single layers, 1; see `LOSSES`.

    Parameters
    ----------
    modelled, observed : Array
        SOC, gC m-3.

    Examples
    --------
    >>> float(layer_loss(jnp.array(30e3), jnp.array(10e3), "squared"))
    1.0
    >>> round(float(layer_loss(jnp.array(30e3), jnp.array(10e3))), 3)
    1.603
    """
    modelled, observed = jnp.maximum(modelled, FLOOR), jnp.maximum(observed, FLOOR)
    squared = ((modelled - observed) / SCALE) ** 2
    if loss == "squared":
        return squared
    return squared + LOG_WEIGHT * (jnp.log(modelled) - jnp.log(observed)) ** 2


def lessons(sites: xr.Dataset, inputs: NDArray[np.float32]) -> Lessons:
    """Arrange training sites; the constant is the CLM5 default, see `best_constant`.

    Layers that the study marks as implausible do not count.

    Parameters
    ----------
    sites : Dataset
        n sites, with the forcing that is to drive the model.
    inputs : ndarray, shape (n, inputs)
    """
    data = cost.site_data(sites)
    counted = data.weight > 0
    if "implausible" in sites:
        counted &= ~sites["implausible"].values.astype(bool)
    count, width = inputs.shape
    rows = np.minimum(np.arange(filled(count)), count - 1)
    wide = np.pad(inputs, ((0, 0), (0, -width % _INPUTS)))
    start = np.clip(PRODA.to_unit(CLM5_DEFAULT), 0.02, 0.98)
    everything = Lessons(
        wide[rows],
        (np.arange(wide.shape[1]) < width).astype(np.float32),
        jax.tree.map(lambda values: values[rows], data._replace(weight=counted.astype(float))),
        np.log(start / (1 - start)),
        np.asarray(counted.sum() / count),
    )
    return jax.device_put(everything)


def filled(count: int) -> int:
    """Round a number of rows up, so that folds of similar size share one compiled program.

    Examples
    --------
    >>> filled(30), filled(1000)
    (64, 1024)
    """
    multiple = 64 if count <= 256 else 256
    return -(-count // multiple) * multiple


def best_constant(
    data: Lessons, count: int, loss: Loss = "mixed", *, tries: int = 100
) -> tuple[FloatArray, float]:
    """Find the one parameter vector for all sites that has the least loss.

    A small penalty keeps positions that the data do not determine off the ends of their range.

    Parameters
    ----------
    data : Lessons
        Its constant is the start.
    count : int
        Sites, the first rows of the arrays.
    tries : int
        Evaluations of the loss at most.

    Returns
    -------
    logits : ndarray, shape (21,)
        Of the positions in the prior range.
    loss : float
        Mean over the layers that count, without the penalty.
    """
    chosen = np.linspace(0, count - 1, min(count, _MOST)).round().astype(int)
    rows = chosen[np.minimum(np.arange(filled(len(chosen))), len(chosen) - 1)]
    counts = (np.arange(len(rows)) < len(chosen)).astype(float)
    logits, value = _search(data.sites, rows, counts, data.constant, loss=loss, tries=tries)
    return np.asarray(logits), float(value)


@partial(jax.jit, static_argnames=("loss", "tries"))
def _search(sites: SiteData, rows: Any, counts: Any, start: Any, *, loss: Loss, tries: int) -> Any:
    some = jax.tree.map(lambda values: values[rows], sites)
    weight = some.weight * counts[:, None]

    def value(logits: Any) -> Any:
        every = jnp.broadcast_to(logits, (len(rows), len(logits)))
        return (weight * _losses(every, some, loss)).sum() / weight.sum()

    best, _ = minimise(
        lambda logits: value(logits) + _RIDGE * (logits**2).mean(),
        start, tries=tries, slope=1e-3,
    )  # fmt: skip
    return best, value(best)


def _losses(logits: Any, sites: SiteData, loss: Loss) -> Any:
    """Loss of every layer, shape (n, observation), for logits (n, 21) of the positions."""
    modelled = jax.vmap(cost.prediction(PRODA))(jax.nn.sigmoid(logits), sites)
    return layer_loss(modelled, sites.observed, loss)


@lru_cache
def functions(
    loss: Loss, dropout: float, noise: float
) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """Return loss and validation loss of a network, as `training.train` takes them.

    The same objects for the same arguments, so that compiled programs are used again.

    Parameters
    ----------
    loss : {"mixed", "squared"}
    dropout : float
        Share of the hidden units that are set to zero at random, while training.
    noise : float
        Standard deviation of what is added to the inputs at random, while training.
    """
    check_known("loss", loss, LOSSES)

    def summed(weights: Any, rows: Any, data: Lessons, key: Any = None) -> tuple[Any, Any]:
        """Sum of the loss over the layers that count, and their number."""
        inputs = data.inputs[rows]
        if key is not None:
            key, own = jax.random.split(key)
            drawn = jax.random.normal(own, inputs.shape, inputs.dtype)
            inputs = inputs + noise * drawn * data.real
        logits = data.constant + perceptron.apply(weights, inputs, dropout=dropout, key=key)
        some = jax.tree.map(lambda values: values[rows], data.sites)
        weight = some.weight * (rows != NO_ROW)[:, None]
        return (weight * _losses(logits, some, loss)).sum(), weight.sum()

    def training(weights: Any, rows: Any, key: Any, data: Lessons) -> Any:
        return summed(weights, rows, data, key)[0] / (len(rows) * data.layers)

    def validation(weights: Any, rows: Any, data: Lessons) -> Any:
        total, count = summed(weights, rows, data)
        return total / count

    return training, validation
