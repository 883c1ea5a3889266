"""The matrix model of one site, dense, to read and to look at: dX/dt = B u + A xi K X - V X.

Equation 37.1 of the chapter with every matrix written out. States are ordered pool by pool, each
from the surface down. For numbers use `proda_lib.steady_state`: a dense solve of these matrices
loses digits where deep soil hardly decays.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from proda_lib.configurations import CLM5_20, Configuration, configuration
from proda_lib.equation import decomposition_rates, terms, transfer_fractions
from proda_lib.forcing import Forcing, forcing_of
from proda_lib.parameters import POOLS, sand_rule
from proda_lib.transport import Bedrock, Exchange, Taper

__all__ = [
    "MatrixModel",
    "assemble",
    "matrix_model",
    "solve_dense",
    "transfer_matrix",
    "transport_matrix",
]

FloatArray = NDArray[np.float64]


class MatrixModel(NamedTuple):
    """The matrices of one site (n = 7 x layers states).

    Attributes
    ----------
    input : ndarray, shape (n,)
        B u, gC m-3 day-1.
    transfer : ndarray, shape (n, n)
        A, 1; -1 on the diagonal.
    rates : ndarray, shape (n,)
        Diagonal of xi K, mean of the year, day-1.
    transport : ndarray, shape (n, n)
        V, day-1.
    """

    input: FloatArray
    transfer: FloatArray
    rates: FloatArray
    transport: FloatArray

    @property
    def system(self) -> FloatArray:
        """A xi K - V, the matrix of equation 37.2, day-1, shape (n, n)."""
        return self.transfer * self.rates - self.transport


def transfer_matrix(
    parameters: ArrayLike,
    sand: ArrayLike | None = None,
    model: Configuration = CLM5_20,
) -> FloatArray:
    """Transfer matrix A of equation 37.1, shape (n, n), 1 (a_matrix.m).

    Parameters
    ----------
    parameters : array_like, shape (21,)
        Physical values.
    sand : array_like, shape (layers,), optional
        Sand content, percent; if given, the fast pool's transfers follow CLM5's sand rule in each
        layer, as in the default run, and the values in `parameters` are not used.

    Examples
    --------
    >>> transfer_matrix(CLM5_20.default).shape
    (140, 140)
    """
    value = model.value(np.asarray(parameters, dtype=float))
    if sand is not None:
        value["fs1s2"], value["fs1s3"] = sand_rule(sand)
    layers = model.grid.layers
    fractions = transfer_fractions(value, layers)
    fractions[:, range(len(POOLS)), range(len(POOLS))] = -1.0
    blocks = fractions.transpose(1, 2, 0)[:, None] * np.eye(layers)[:, None]
    return np.ascontiguousarray(blocks).reshape(len(POOLS) * layers, -1)


def transport_matrix(exchange: Exchange) -> FloatArray:
    """Transport matrix V of equation 37.1, shape (n, n), day-1; woody debris is not mixed.

    Parameters
    ----------
    exchange : Exchange of ndarray, shape (layers,)
        day-1, from `proda_lib.transport.exchange`.

    Examples
    --------
    >>> two = np.array([0.0, 2.0]), np.array([1.0, 0.0])
    >>> V = transport_matrix(Exchange(*two, *two))
    >>> V[2:4, 2:4].tolist(), float(abs(V[:2]).sum())
    ([[1.0, -1.0], [-2.0, 2.0]], 0.0)
    """
    leaving = np.diag(exchange.up + exchange.down)
    arriving = np.diag(exchange.above[1:], -1) + np.diag(exchange.below[:-1], 1)
    mixed = np.diag([0.0] + [1.0] * (len(POOLS) - 1))
    return np.kron(mixed, leaving - arriving)


def matrix_model(
    parameters: ArrayLike,
    site: xr.Dataset,
    *,
    model: str | Configuration = CLM5_20,
    bedrock: Bedrock = "closed",
    taper: Taper = "clm",
    advection: float | None = None,
) -> MatrixModel:
    """Write out all matrices of one site (equation 37.1).

    Parameters
    ----------
    parameters : array_like, shape (21,)
        Physical values.
    site : Dataset
        One row of a study's sites or grid, for example `study.sites.isel(site=0)`.
    model : str
        Configuration, "clm5" or "chapter".
    bedrock, taper, advection : str and float
        As in `proda_lib.steady_state.pools`.
    """
    model = configuration(model)
    forcing = forcing_of(site, model, bedrock=bedrock, taper=taper)
    return assemble(parameters, forcing, model, advection)


def assemble(
    parameters: ArrayLike,
    forcing: Forcing,
    model: Configuration = CLM5_20,
    advection: float | None = None,
) -> MatrixModel:
    """Write out all matrices for the `Forcing` of one site, as `matrix_model` does."""
    parameters = np.asarray(parameters, dtype=float)
    flow = None if advection is None else np.asarray(advection, dtype=float)
    term = terms(parameters, forcing, model, flow)
    density = np.zeros((len(POOLS), model.grid.layers))
    density[:4] = term.inputs
    return MatrixModel(
        density.ravel(),
        transfer_matrix(parameters, model=model),
        decomposition_rates(term).ravel(),
        transport_matrix(term.exchange),
    )


def solve_dense(model: MatrixModel) -> FloatArray:
    """Steady state by a dense solve, X = (A xi K - V)^-1 (-B u), gC m-3, shape (n,) (37.2).

    As the published codes do it: good enough to look at, not a reference (its error grows with the
    condition number, which reaches 1e18 in deep soil).
    """
    return np.linalg.solve(model.system, -model.input)
