"""Steady states in 50-digit arithmetic, from the same terms as the engine: the oracle.

Gaussian elimination on the system ordered layer by layer, so that it is banded; with 50 digits the
subtractions that cost a dense double-precision solve its digits do no harm.
"""

from __future__ import annotations

import mpmath
import numpy as np
import xarray as xr

from proda_lib.configurations import CLM5_20, Configuration
from proda_lib.equation import decomposition_rates, terms, transfer_fractions
from proda_lib.forcing import forcing_of

DIGITS = 50
BAND = 7  # states of one layer: no coupling reaches further than the next layer's same pool


def exact_pools(
    parameters: np.ndarray,
    site: xr.Dataset,
    model: Configuration = CLM5_20,
    advection: float | None = None,
    digits: int = DIGITS,
) -> np.ndarray:
    """Pools of one site with closed bedrock, shape (7, layers), rounded from many digits."""
    flow = None if advection is None else np.asarray(advection)
    term = terms(parameters, forcing_of(site, model), model, flow)
    rates, layers = decomposition_rates(term), model.grid.layers
    fractions = transfer_fractions(term.value, layers)
    with mpmath.workdps(digits):
        matrix, source = _system(rates, fractions, term.exchange, term.inputs, layers)
        solution = _solve(matrix, source)
        return np.array([float(x) for x in solution]).reshape(layers, 7).T


def _system(rates, fractions, exchange, inputs, layers):
    """Rows of the system as dictionaries column -> entry, and the right-hand side."""
    mpf = mpmath.mpf
    matrix = [{} for _ in range(7 * layers)]
    source = [mpf(0)] * (7 * layers)
    for j in range(layers):
        for pool in range(7):
            row = matrix[7 * j + pool]
            row[7 * j + pool] = mpf(rates[pool, j])
            if pool:
                row[7 * j + pool] += mpf(exchange.up[j]) + mpf(exchange.down[j])
                if j:
                    row[7 * (j - 1) + pool] = -mpf(exchange.above[j])
                if j < layers - 1:
                    row[7 * (j + 1) + pool] = -mpf(exchange.below[j])
            for donor in np.flatnonzero(fractions[j, pool]):
                passed = mpf(fractions[j, pool, donor]) * mpf(rates[donor, j])
                row[7 * j + donor] = row.get(7 * j + donor, mpf(0)) - passed
            if pool < 4:
                source[7 * j + pool] = mpf(inputs[pool, j])
    return matrix, source


def _solve(matrix, source):
    n = len(source)
    for i in range(n):
        for k in range(i + 1, min(i + BAND + 1, n)):
            if i in matrix[k]:
                factor = matrix[k].pop(i) / matrix[i][i]
                for column, value in matrix[i].items():
                    if column > i:
                        matrix[k][column] = matrix[k].get(column, 0) - factor * value
                source[k] -= factor * source[i]
    solution = [mpmath.mpf(0)] * n
    for i in reversed(range(n)):
        known = sum(value * solution[c] for c, value in matrix[i].items() if c > i)
        solution[i] = (source[i] - known) / matrix[i][i]
    return solution
