"""Training of one network or of several side by side, with early stopping.

The loss and the validation loss are the caller's; they receive row numbers and the data. Whole
epochs are compiled. What comes out depends on the arguments and the seed alone.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from proda_lib.compiled import jax

import jax.numpy as jnp  # isort: skip

if TYPE_CHECKING:
    import optax

__all__ = ["History", "mean_over", "padded", "train"]

FloatArray = NDArray[np.float64]

#: Row number of places that hold no row.
NO_ROW = -1

#: Numbers of rows are rounded up to a multiple of this, so that folds of similar size share one
#: compiled program.
_MULTIPLE = 64

#: Epochs between two looks at whether all members have stopped.
_STRETCH = 10


class History(NamedTuple):
    """How a training went; NaN after a member has stopped.

    Attributes
    ----------
    loss : ndarray, shape (member, epoch)
        Mean training loss of each epoch, while the weights were changing.
    validation : ndarray, shape (member, epoch)
        Validation loss after each epoch; NaN without one.
    best : ndarray of int, shape (member,)
        0-based epoch whose weights were kept.
    epochs : ndarray of int, shape (member,)
        Epochs that were run.
    """

    loss: FloatArray
    validation: FloatArray
    best: NDArray[np.int_]
    epochs: NDArray[np.int_]


class _State(NamedTuple):
    """Where a member's training is."""

    weights: Any
    memory: Any  # of the optimiser
    best: Any
    lowest: Any  # validation loss of the best weights
    at: Any  # its epoch
    epoch: Any
    stopped: Any


def padded(rows: ArrayLike | list[NDArray[np.int_]]) -> NDArray[np.int32]:
    """Stack row numbers of different length, one line per member; `NO_ROW`, -1, fills them up.

    Examples
    --------
    >>> lines = padded([[3, 1, 2], [5]])
    >>> lines.shape, lines[:, :4].tolist()
    ((2, 64), [[3, 1, 2, -1], [5, -1, -1, -1]])
    """
    lines = [np.asarray(line, dtype=np.int32) for line in rows]
    longest = max(len(line) for line in lines)
    width = -(-longest // _MULTIPLE) * _MULTIPLE
    return np.stack(
        [np.pad(line, (0, width - len(line)), constant_values=NO_ROW) for line in lines]
    )


def mean_over(values: Any, rows: Any) -> Any:
    """Mean of one value per row over those that are rows at all; a validation loss needs it.

    Examples
    --------
    >>> float(mean_over(jnp.array([1.0, 3.0, 99.0]), jnp.array([7, 2, -1])))
    2.0
    """
    there = rows != NO_ROW
    return jnp.where(there, values, 0).sum() / jnp.maximum(there.sum(), 1)


def train(
    loss: Callable[..., Any],
    weights: Any,
    rows: ArrayLike | list[NDArray[np.int_]],
    validate: Callable[..., Any] | None = None,
    *,
    held: ArrayLike | list[NDArray[np.int_]] | None = None,
    data: Any = None,
    optimiser: optax.GradientTransformation,
    batch: int,
    epochs: int,
    patience: int | None = None,
    together: bool = False,
    seed: int,
    told: Callable[[int], None] | None = None,
) -> tuple[Any, History]:
    """Train members side by side and return the weights that were best in validation.

    An epoch deals a member's rows out to batches at random; the remainder that fills no batch sits
    the epoch out. All members take the same number of batches, as many as the shortest fills.

    Parameters
    ----------
    loss : callable
        loss(weights, rows, key, data) of one member: row numbers of shape (batch,), a random key
        and the data to a scalar. A function defined once and data passed as `data` let
        later calls use the compiled program again.
    weights : pytree of Array
        Start, with a leading axis member.
    rows : sequence of sequences of int, one per member
        Row numbers to train on, of any length.
    validate : callable, optional
        validate(weights, held, data) of one member to a scalar; see `mean_over` for `held`, which
        may hold `NO_ROW`. Without it the last weights are returned.
    held : sequence of sequences of int, one per member, optional
        Row numbers for `validate`.
    data : pytree of Array, optional
    optimiser : optax.GradientTransformation
    batch, epochs : int
        Rows per step, and most passes over them.
    patience : int, optional
        Epochs without a lower validation loss after which a member stops; by default never.
    together : bool
        Whether all members are judged by the mean of their validation losses, so that they stop
        together: if the few rows of each are a poor judge, all of them are a better one.
    seed : int
        Of the order of the rows and of the keys that the loss gets.
    told : callable, optional
        Called with the number of epochs done, now and then.

    Returns
    -------
    weights : pytree of Array
        Best weights of each member.
    history : History

    Examples
    --------
    >>> import optax
    >>> def loss(weights, rows, key, data):
    ...     return ((weights - data[rows]) ** 2).mean()
    >>> best, history = train(
    ...     loss, jnp.zeros(1), [[0, 1]], data=jnp.array([2.0, 4.0]),
    ...     optimiser=optax.sgd(0.1), batch=2, epochs=40, seed=1,
    ... )
    >>> best.round(2).tolist(), history.epochs.tolist()
    ([3.0], [40])
    """
    lines = [np.asarray(line) for line in rows]
    shortest = min(len(line) for line in lines)
    if shortest == 0 or epochs < 1:
        raise ValueError(
            f"{shortest} rows and {epochs} epochs to train with: give at least one of each"
        )
    batch = min(batch, shortest)
    held_lines = padded(held) if held is not None else np.zeros((len(lines), 1), np.int32)
    advance = partial(
        _advance, loss=loss, validate=validate, optimiser=optimiser, batch=batch,
        steps=shortest // batch, patience=epochs if patience is None else patience,
        together=together,
    )  # fmt: skip
    state = _start(weights, len(lines), optimiser)
    members, losses, checks = np.arange(len(lines)), [], []
    for first in range(0, epochs, _STRETCH):
        numbers = np.arange(first, min(first + _STRETCH, epochs))
        state, (loss_now, check_now) = advance(
            state, members, jax.random.key(seed), padded(lines), held_lines, data, numbers
        )
        losses.append(np.asarray(loss_now))
        checks.append(np.asarray(check_now))
        if told is not None:
            told(int(numbers[-1]) + 1)
        if bool(np.asarray(state.stopped).all()):
            break
    if validate is not None and not np.isfinite(np.asarray(state.lowest)).all():
        raise ValueError(
            "the validation loss is not finite from the first epoch on: look for missing or "
            "extreme values in what the networks learn from, or lower the rate"
        )
    return state.best, _history(state, losses, checks)


def _start(weights: Any, members: int, optimiser: optax.GradientTransformation) -> _State:
    weights = jax.tree.map(jnp.asarray, weights)
    nothing = jnp.zeros(members, int)
    return _State(
        weights, jax.vmap(optimiser.init)(weights), weights, jnp.full(members, jnp.inf), nothing,
        nothing, jnp.zeros(members, bool),
    )  # fmt: skip


def _history(state: _State, losses: list[Any], checks: list[Any]) -> History:
    done = np.asarray(state.epoch)
    most = int(done.max())
    return History(
        np.concatenate(losses, axis=1)[:, :most].astype(float),
        np.concatenate(checks, axis=1)[:, :most].astype(float),
        np.asarray(state.at),
        done,
    )


@partial(
    jax.jit,
    static_argnames=("loss", "validate", "optimiser", "batch", "steps", "patience", "together"),
)
def _advance(
    state: _State, members: Any, key: Any, rows: Any, held: Any, data: Any, numbers: Any,
    *, loss: Any, validate: Any, optimiser: Any, batch: int, steps: int, patience: int,
    together: bool,
) -> tuple[_State, Any]:  # fmt: skip
    """Run some epochs of all members; a member that has stopped stays as it is."""

    def of_member(old: _State, member: Any, rows: Any, held: Any) -> tuple[_State, Any]:
        own = jax.random.fold_in(key, member)

        def epoch(old: _State, number: Any) -> tuple[_State, Any]:
            new, mean = _epoch(
                old, jax.random.fold_in(own, number), rows, data, loss, optimiser, batch, steps
            )
            value = mean if validate is None else validate(new.weights, held, data)
            judge = jax.lax.pmean(value, "member") if together else value
            new = _judged(new, judge, validate is None, patience)
            kept = jax.tree.map(lambda a, b: jnp.where(old.stopped, a, b), old, new)
            shown = jnp.nan if validate is None else value
            return kept, tuple(jnp.where(old.stopped, jnp.nan, each) for each in (mean, shown))

        return jax.lax.scan(epoch, old, numbers)

    return jax.vmap(of_member, axis_name="member")(state, members, rows, held)


def _epoch(
    state: _State, key: Any, rows: Any, data: Any, loss: Any, optimiser: Any, batch: int, steps: int
) -> tuple[_State, Any]:
    """Pass once over a member's rows in random order; also return the mean loss."""
    import optax

    order_key, loss_key = jax.random.split(key)
    lot = jax.random.uniform(order_key, rows.shape)
    order = jnp.argsort(jnp.where(rows == NO_ROW, 2.0, lot))[: steps * batch]

    def step(carry: Any, given: Any) -> tuple[Any, Any]:
        weights, memory = carry
        some, number = given
        value, slope = jax.value_and_grad(loss)(
            weights, some, jax.random.fold_in(loss_key, number), data
        )
        change, memory = optimiser.update(slope, memory, weights)
        return (optax.apply_updates(weights, change), memory), value

    given = (rows[order].reshape(steps, batch), jnp.arange(steps))
    (weights, memory), values = jax.lax.scan(step, (state.weights, state.memory), given)
    return state._replace(weights=weights, memory=memory, epoch=state.epoch + 1), values.mean()


def _judged(state: _State, value: Any, always: bool, patience: int) -> _State:
    """Keep the weights if they are the best so far, and stop after too long a wait."""
    better = jnp.asarray(True) if always else value < state.lowest
    now = state.epoch - 1
    best = jax.tree.map(lambda new, old: jnp.where(better, new, old), state.weights, state.best)
    at = jnp.where(better, now, state.at)
    return state._replace(
        best=best, at=at,
        lowest=jnp.where(better, value, state.lowest).astype(state.lowest.dtype),
        stopped=(now - at >= patience) | ~jnp.isfinite(value),
    )  # fmt: skip
