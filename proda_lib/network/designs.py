"""Designs of the networks that learn posterior means, and the losses they are trained with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Literal

from proda_lib.compiled import jax
from proda_lib.nearest import check_known
from proda_lib.network import perceptron, training
from proda_lib.network.encoder import Scheme

import jax.numpy as jnp  # isort: skip

__all__ = ["DESIGNS", "Design", "functions", "product_loss", "shortened"]

#: Stands for a target of zero in the relative error, as Keras' smallest number does.
_SMALLEST = 1e-7


@dataclass(frozen=True)
class Design:
    """How networks are made and trained.

    Attributes
    ----------
    scheme : {"published", "default"}
        Of the encoder.
    hidden : tuple of int
        Units of the hidden layers, ReLU between them.
    output : {"linear", "sigmoid"}
        Unbounded positions, or bounded to 0 to 1.
    loss : {"product", "squared", "precision", "parameter"}
        See `product_loss`; mean squared error; squared error weighted by what the profile says
        about the parameter, `proda_lib.network.two_step.information`; or by the mean of that over
        the sites, so that parameters count by what is known of them, but all sites alike.
    validation : {"last", "blocks"}
        The last 10 % of the rows, or a fold of whole 1-degree blocks, another one for each member.
    optimiser : {"adadelta", "adamw"}
    rate, decay, dropout : float
        Learning rate; weight decay (adamw only); share of hidden units dropped while training.
    batch, epochs, patience : int
        Rows per step; most epochs; epochs without improvement after which a member stops.
    start : {"he", "glorot"}
        Of the weights.
    """

    scheme: Scheme
    hidden: tuple[int, ...]
    output: Literal["linear", "sigmoid"]
    loss: Literal["product", "squared", "precision", "parameter"]
    validation: Literal["last", "blocks"]
    optimiser: Literal["adadelta", "adamw"]
    rate: float
    decay: float
    dropout: float
    batch: int
    epochs: int
    patience: int
    start: Literal["he", "glorot"]

    def __post_init__(self) -> None:
        check_known("output", self.output, ("linear", "sigmoid"))
        check_known("loss", self.loss, ("product", "squared", "precision", "parameter"))
        check_known("validation", self.validation, ("last", "blocks"))
        check_known("optimiser", self.optimiser, ("adadelta", "adamw"))


def product_loss(predicted: Any, target: Any, rows: Any = None) -> Any:
    """Multiply 500 times the squared by 25 times the relative error, the loss of the original.

    ensemble_neural_networking_best_guess.py, `joint_loss`. The product is small as soon as one
    of its factors is; its slope depends on both. Targets of 0 are replaced by 1e-7.

    Parameters
    ----------
    predicted, target : Array, shape (n, parameters)
        Positions in the prior range.
    rows : Array of int, shape (n,), optional
        Rows of -1 are left out.

    Examples
    --------
    >>> round(float(product_loss(jnp.array([[0.5, 0.3]]), jnp.array([[0.4, 0.2]]))), 3)
    46.875
    """
    rows = jnp.zeros(len(target), int) if rows is None else rows
    error = target - predicted
    relative = jnp.abs(error / jnp.where(target == 0, _SMALLEST, target))
    squared = training.mean_over((error**2).mean(axis=1), rows)
    return 500 * squared * 25 * training.mean_over(relative.mean(axis=1), rows)


#: "published": ensemble_neural_networking_best_guess.py with the defaults of its framework
#: (TensorFlow 2: Adadelta with rate 0.001, rho 0.95, epsilon 1e-7; uniform Glorot weights).
DESIGNS = {
    "published": Design(
        scheme="published", hidden=(256, 512, 512, 256), output="linear", loss="product",
        validation="last", optimiser="adadelta", rate=1e-3, decay=0.0, dropout=0.0, batch=32,
        epochs=6000, patience=1200, start="glorot",
    ),
    "default": Design(
        scheme="default", hidden=(128, 128), output="sigmoid", loss="parameter",
        validation="blocks", optimiser="adamw", rate=1e-3, decay=0.01, dropout=0.2, batch=64,
        epochs=300, patience=40, start="he",
    ),
}  # fmt: skip


def shortened(design: Design, epochs: int) -> Design:
    """Return the design with fewer epochs and a learning rate as many times higher.

    Adadelta's steps do not depend on the size of the slope, so the way gone in 6,000 epochs at the
    original's rate of 0.001 is about that of 200 epochs at 0.03.

    Examples
    --------
    >>> short = shortened(DESIGNS["published"], 200)
    >>> short.rate, short.patience
    (0.03, 40)
    """
    rate = design.rate * design.epochs / epochs
    patience = max(1, round(design.patience * epochs / design.epochs))
    return replace(design, epochs=epochs, rate=rate, patience=patience)


def functions(design: Design) -> tuple[Callable[..., Any], Callable[..., Any], Any]:
    """Return loss, validation loss and optimiser of a design, as `training.train` takes them.

    Designs that differ in the weights of their targets alone get the same objects, so that the
    compiled program is used again.
    """
    return _functions(
        design.loss == "product", design.output == "sigmoid", design.dropout,
        design.optimiser, design.rate, design.decay,
    )  # fmt: skip


@lru_cache
def _functions(
    product: bool, bounded: bool, dropout: float, optimiser: str, rate: float, decay: float
) -> tuple[Callable[..., Any], Callable[..., Any], Any]:
    import optax

    def error(weights: Any, rows: Any, data: Any, key: Any = None) -> Any:
        output = perceptron.apply(weights, data["inputs"][rows], dropout=dropout, key=key)
        output = data["constant"] + output
        predicted, target = jax.nn.sigmoid(output) if bounded else output, data["target"][rows]
        if product:
            return product_loss(predicted, target, rows)
        squared = data["weight"][rows] * (target - predicted) ** 2
        return training.mean_over(squared.mean(axis=1), rows)

    def loss(weights: Any, rows: Any, key: Any, data: Any) -> Any:
        return error(weights, rows, data, key)

    if optimiser == "adadelta":
        return loss, error, optax.adadelta(rate, rho=0.95, eps=1e-7)
    return loss, error, optax.adamw(rate, weight_decay=decay)
