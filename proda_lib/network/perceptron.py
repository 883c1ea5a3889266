"""Fully connected networks as plain arrays: a list of (weight, bias), one pair per layer.

Every function works on one network. `members` makes several side by side (leading axis member);
map `apply` over them with `jax.vmap`. Weights are in single precision, unlike the engine.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, Literal

import numpy as np

from proda_lib.compiled import jax
from proda_lib.nearest import check_known

import jax.numpy as jnp  # isort: skip

__all__ = ["ACTIVATIONS", "Weights", "apply", "initial", "members"]

#: (weight of shape (inputs, outputs), bias of shape (outputs,)) of each layer, the first first.
Weights = list[tuple[Any, Any]]

#: Number of the random stream that draws weights.
_WEIGHTS = 2**31 - 1

#: Functions between layers, by name.
ACTIVATIONS = {"relu": jax.nn.relu, "silu": jax.nn.silu, "tanh": jnp.tanh}


def initial(key: Any, sizes: Sequence[int], *, scheme: Literal["he", "glorot"] = "he") -> Weights:
    """Draw the weights of a network at random; biases are zero.

    Parameters
    ----------
    key : Array
        Random key of JAX.
    sizes : sequence of int
        Numbers of inputs, of units of each hidden layer, and of outputs.
    scheme : {"he", "glorot"}
        Normal with variance 2 / inputs, made for ReLU; or uniform with variance
        2 / (inputs + outputs), what Keras does unless told otherwise.

    Returns
    -------
    list of (weight, bias)
        Single precision, shapes (inputs, outputs) and (outputs,).

    Examples
    --------
    >>> weights = initial(jax.random.key(1), (38, 128, 21))
    >>> [weight.shape for weight, bias in weights], weights[0][0].dtype.name
    ([(38, 128), (128, 21)], 'float32')
    """
    check_known("scheme of weights", scheme, ("he", "glorot"))
    mode, kind = ("fan_in", "normal") if scheme == "he" else ("fan_avg", "uniform")
    draw = jax.nn.initializers.variance_scaling(2.0 if scheme == "he" else 1.0, mode, kind)
    keys = jax.random.split(key, len(sizes) - 1)
    shapes = pairwise(sizes)
    return [
        (draw(one, shape, jnp.float32), jnp.zeros(shape[1], jnp.float32))
        for one, shape in zip(keys, shapes, strict=True)
    ]


def members(
    seed: int, count: int, sizes: Sequence[int], *, scheme: Literal["he", "glorot"] = "he"
) -> Weights:
    """Draw the weights of several networks, side by side along a leading axis.

    Arguments as in `initial`; a member's weights depend on the seed and its number alone, not on
    how many there are.

    Examples
    --------
    >>> [weight.shape for weight, bias in members(1, 5, (38, 128, 21))]
    [(5, 38, 128), (5, 128, 21)]
    """
    # Training folds the members into the bare seed: weights take another stream.
    root = jax.random.fold_in(jax.random.key(seed), _WEIGHTS)
    keys = jax.vmap(jax.random.fold_in, (None, 0))(root, np.arange(count))
    return jax.vmap(lambda key: initial(key, sizes, scheme=scheme))(keys)


def apply(
    weights: Weights, x: Any, *, activation: str = "relu", dropout: float = 0.0, key: Any = None
) -> Any:
    """Return the outputs of a network; the last layer is linear.

    Parameters
    ----------
    weights : list of (weight, bias)
    x : Array, shape (..., inputs)
    activation : str
        One of `ACTIVATIONS`.
    dropout : float
        Share of the hidden units that are set to zero at random (the others grow so that the mean
        stays), 0 to 1; only while training.
    key : Array, optional
        Random key of JAX. Without it nothing is dropped.

    Returns
    -------
    Array, shape (..., outputs)

    Examples
    --------
    >>> apply([(jnp.eye(2), jnp.ones(2)), (jnp.ones((2, 1)), jnp.zeros(1))], jnp.array([1.0, -3.0]))
    Array([2.], dtype=float64)
    """
    check_known("activation", activation, ACTIVATIONS)
    function = ACTIVATIONS[activation]
    dropped = dropout > 0 and key is not None
    for number, (weight, bias) in enumerate(weights[:-1]):
        x = function(x @ weight + bias)
        if dropped:
            kept = jax.random.bernoulli(jax.random.fold_in(key, number), 1 - dropout, x.shape)
            x = jnp.where(kept, x / (1 - dropout), 0)
    weight, bias = weights[-1]
    return x @ weight + bias
