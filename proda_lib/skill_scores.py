"""Scores of several approaches on the same layers, with intervals from resampled places.

Layers of one profile, and profiles of one place, are no independent witnesses: the bootstrap draws
whole places with replacement. All approaches see the same draws, so that the difference between
two of them is far better known than either score. Scores follow from sums over places, and a
thousand resamples are one product of matrices.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from proda_lib.skill_layers import Layers

__all__ = [
    "BINS",
    "LABELS",
    "SCORES",
    "bootstrap",
    "by_depth",
    "differences",
    "parameter_r2",
    "scores",
]

FloatArray = NDArray[np.float64]

#: Scores in the order of the last axis of `bootstrap`.
SCORES = ("r2", "nse", "rmse", "bias", "log_r2")

#: Headers for tables, with units.
LABELS = {
    "r2": "R² (–)",
    "nse": "NSE (–)",
    "rmse": "RMSE (kgC m⁻³)",
    "bias": "bias (kgC m⁻³)",
    "log_r2": "R² of log SOC (–)",
}

#: Bounds of depth bins, m.
BINS = (0.0, 0.1, 0.3, 0.5, 1.0, 1.5, np.inf)


def bootstrap(layers: Layers, *, resamples: int = 1000, seed: int) -> FloatArray:
    """Score every approach on the layers themselves and on resampled places.

    R2 is the squared correlation, as in Table 37.1; NSE is 1 - SSres / SStot (equation 37.3 over
    all layers); the logarithm takes pairs in which both values are positive.

    Parameters
    ----------
    layers : Layers
    resamples : int
    seed : int
        The same seed draws the same places, also for other approaches and subsets.

    Returns
    -------
    ndarray, shape (1 + resamples, approach, score)
        In the order of `SCORES`, the layers themselves first; RMSE and bias in kgC m-3. NaN where
        there are fewer than 2 pairs or no variance.
    """
    sums = np.stack([_sums(layers, modelled) for modelled in layers.modelled], axis=1)
    random, shares = np.random.default_rng(seed), np.full(layers.places, 1 / layers.places)
    drawn = random.multinomial(layers.places, shares, size=resamples)
    weights = np.concatenate([np.ones((1, layers.places)), drawn])
    total = (weights @ sums.reshape(layers.places, -1)).reshape(-1, *sums.shape[1:])
    plain, log = total[..., :6], total[..., 6:]
    return np.stack([*_plain_scores(plain), _correlation(log) ** 2], axis=-1)


def _sums(layers: Layers, modelled: FloatArray) -> FloatArray:
    """Sum 1, o, m, oo, mm and om over each place's layers, and the same of logarithms."""
    observed, modelled = layers.observed / 1000, modelled / 1000
    shift = observed.mean() if len(observed) else 0.0  # keeps differences of squares exact
    positive = (observed > 0) & (modelled > 0)
    logs = [np.log(np.where(positive, values, 1.0)) for values in (observed, modelled)]
    terms = _products(observed - shift, modelled - shift) + _products(*logs, positive.astype(float))
    return np.stack(
        [np.bincount(layers.place, term, minlength=layers.places) for term in terms], axis=1
    )


def _products(o: FloatArray, m: FloatArray, one: FloatArray | None = None) -> list[FloatArray]:
    return [np.ones_like(o) if one is None else one, o, m, o * o, m * m, o * m]


def _plain_scores(total: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    n, o, m, oo, mm, om = np.moveaxis(total, -1, 0)
    with np.errstate(invalid="ignore", divide="ignore"):
        residual = np.maximum(oo - 2 * om + mm, 0.0)
        nse = 1 - residual / _positive(oo - o * o / n, oo)
        return _correlation(total) ** 2, nse, np.sqrt(residual / n), (m - o) / n


def _correlation(total: FloatArray) -> FloatArray:
    n, o, m, oo, mm, om = np.moveaxis(total, -1, 0)
    with np.errstate(invalid="ignore", divide="ignore"):
        spread = _positive(oo - o * o / n, oo) * _positive(mm - m * m / n, mm)
        return (om - o * m / n) / np.sqrt(spread)


def _positive(variance: FloatArray, scale: FloatArray) -> FloatArray:
    """Return NaN for what is no variance but rounding."""
    return np.where(variance > 1e-12 * scale, variance, np.nan)


def scores(
    layers: Layers, *, resamples: int = 1000, level: float = 0.95, seed: int
) -> pd.DataFrame:
    """Tabulate all scores of all approaches with their intervals.

    Returns
    -------
    DataFrame
        Columns "approach", "score", "value", "low", "high" and "layers". The interval holds the
        middle `level` of the resamples.

    Examples
    --------
    >>> observed = np.array([1e3, 2e3, 4e3, 3e3])
    >>> rest = (np.zeros(4), np.zeros(4, bool), np.arange(4), 4)
    >>> table = scores(Layers(("perfect",), observed, observed[None], *rest), seed=1)
    >>> table[table.score == "nse"][["value", "low", "high"]].values.round(12).tolist()
    [[1.0, 1.0, 1.0]]
    """
    every = bootstrap(layers, resamples=resamples, seed=seed)
    return _table(every, layers, level)


def differences(
    layers: Layers, reference: str, *, resamples: int = 1000, level: float = 0.95, seed: int
) -> pd.DataFrame:
    """Tabulate how far all approaches' scores are above those of one of them.

    The difference is taken resample by resample.

    Returns
    -------
    DataFrame
        Columns as `scores`, and "reference".

    Examples
    --------
    >>> observed, modelled = np.array([1e3, 2e3, 4e3]), np.array([[1e3, 2e3, 4e3], [3e3, 1e3, 2e3]])
    >>> rest = (np.zeros(3), np.zeros(3, bool), np.arange(3), 3)
    >>> table = differences(Layers(("a", "b"), observed, modelled, *rest), "b", seed=1)
    >>> table[(table.approach == "a") & (table.score == "bias")]["value"].round(3).tolist()
    [0.333]
    """
    if reference not in layers.names:
        raise ValueError(f"reference is {reference!r}, there are {', '.join(layers.names)}")
    every = bootstrap(layers, resamples=resamples, seed=seed)
    every = every - every[:, [layers.names.index(reference)]]
    return _table(every, layers, level).assign(reference=reference)


def by_depth(
    layers: Layers, bounds: Sequence[float] = BINS, *, resamples: int = 1000, level: float = 0.95,
    seed: int,
) -> pd.DataFrame:  # fmt: skip
    """Tabulate all scores within depth bins (upper < depth <= lower bound, 0 m in the first).

    Returns
    -------
    DataFrame
        Columns as `scores`, and "upper" and "lower", the bounds in m. Bins without layers are
        left out.
    """
    tables = []
    for upper, lower in pairwise(bounds):
        inside = (layers.depth <= lower) & ((layers.depth > upper) | (upper == bounds[0]))
        if inside.sum() > 1:
            table = scores(layers.where(inside), resamples=resamples, level=level, seed=seed)
            tables.append(table.assign(upper=upper, lower=lower))
    return pd.concat(tables, ignore_index=True)


def _table(every: FloatArray, layers: Layers, level: float) -> pd.DataFrame:
    ends = [(1 - level) / 2, (1 + level) / 2]
    known = np.where(np.isnan(every).all(axis=0), 0.0, every)
    low, high = np.nanquantile(known[1:], ends, axis=0)
    gap = np.where(np.isnan(every[0]), np.nan, 0.0)
    index = pd.MultiIndex.from_product([layers.names, SCORES], names=["approach", "score"])
    columns = {"value": every[0], "low": low + gap, "high": high + gap}
    table = pd.DataFrame({name: values.ravel() for name, values in columns.items()}, index=index)
    return table.assign(layers=len(layers.observed)).reset_index()


def parameter_r2(target: ArrayLike, predicted: ArrayLike) -> FloatArray:
    """Squared correlation over sites of each parameter's target and prediction; 1.

    Parameters
    ----------
    target, predicted : array_like, shape (site, parameter)
        Sites where either is NaN are left out.

    Returns
    -------
    ndarray, shape (parameter,)
        NaN where the prediction does not vary.

    Examples
    --------
    >>> parameter_r2([[0, 1], [1, 2], [2, 4]], [[5, 1], [6, 1], [7, 1]]).tolist()
    [1.0, nan]
    """
    target, predicted = np.asarray(target, dtype=float), np.asarray(predicted, dtype=float)
    both = np.isfinite(target).all(axis=1) & np.isfinite(predicted).all(axis=1)
    o, m = target[both] - target[both].mean(axis=0), predicted[both] - predicted[both].mean(axis=0)
    scale = len(o) * np.abs(predicted[both], dtype=float).mean(axis=0) ** 2
    varies = _positive((m * m).sum(axis=0), scale)
    return (o * m).sum(axis=0) ** 2 / ((o * o).sum(axis=0) * varies)
