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

from proda_lib.environment import depth_scalar, temperature_scalar, water_scalar
from proda_lib.inputs import input_density, input_share
from proda_lib.parameters import POOLS, by_name, sand_rule
from proda_lib.soil_grid import CLM5, GRIDS, SoilGrid
from proda_lib.transport import DAYS_PER_YEAR, Bedrock, Taper, mixing

__all__ = [
    "TRANSFERS",
    "MatrixModel",
    "decomposition_rates",
    "matrix_model",
    "solve_dense",
    "transfer_fractions",
    "transfer_matrix",
    "transport_matrix",
]

FloatArray = NDArray[np.float64]

#: (donor, receiver, parameter) of every transfer between pools; cwd also feeds litter3 with
#: 1 - fcwdl2 (specification 3.2).
TRANSFERS = (
    ("litter1", "soil1", "fl1s1"),
    ("litter2", "soil1", "fl2s1"),
    ("litter3", "soil2", "fl3s2"),
    ("soil1", "soil2", "fs1s2"),
    ("soil1", "soil3", "fs1s3"),
    ("soil2", "soil1", "fs2s1"),
    ("soil2", "soil3", "fs2s3"),
    ("soil3", "soil1", "fs3s1"),
)

#: Parameter that holds the turnover time of each pool; both slow litters share theirs.
TURNOVER = ("taucwd", "taul1", "taul2", "taul2", "tau4s1", "tau4s2", "tau4s3")

#: Pools whose decomposition nitrogen limits.
LITTERS = ("litter1", "litter2", "litter3")


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


def transfer_fractions(parameters: ArrayLike) -> FloatArray:
    """Fraction of each donor pool's decomposition that reaches each receiver, shape (..., 7, 7).

    Element [receiver, donor]; the diagonal is 0. What is missing from a column's sum is respired.

    Examples
    --------
    >>> from proda_lib.parameters import CLM5_DEFAULT
    >>> respired = 1 - transfer_fractions(CLM5_DEFAULT).sum(axis=-2)
    >>> respired.round(3).tolist()
    [0.0, 0.55, 0.5, 0.5, 0.51, 0.55, 0.55]
    """
    value = by_name(parameters)
    fractions = np.zeros((*value["q10"].shape, len(POOLS), len(POOLS)))
    position = {pool: i for i, pool in enumerate(POOLS)}
    for donor, receiver, name in TRANSFERS:
        fractions[..., position[receiver], position[donor]] = value[name]
    fractions[..., position["litter2"], position["cwd"]] = value["fcwdl2"]
    fractions[..., position["litter3"], position["cwd"]] = 1 - value["fcwdl2"]
    return fractions


def transfer_matrix(
    parameters: ArrayLike, grid: SoilGrid = CLM5, sand: ArrayLike | None = None
) -> FloatArray:
    """Transfer matrix A of equation 37.1, shape (n, n), 1 (specification 3.2).

    Parameters
    ----------
    parameters : array_like, shape (21,)
        Physical values.
    sand : array_like, shape (layers,), optional
        Sand content, percent; if given, the fast pool's transfers follow CLM5's sand rule in each
        layer, as in the default run, and the values in `parameters` are not used.

    Examples
    --------
    >>> from proda_lib.parameters import CLM5_DEFAULT
    >>> transfer_matrix(CLM5_DEFAULT).shape
    (140, 140)
    """
    fractions = np.repeat(transfer_fractions(parameters)[None], grid.layers, axis=0)
    if sand is not None:
        fast, slow, passive = (POOLS.index(pool) for pool in ("soil1", "soil2", "soil3"))
        fractions[:, slow, fast], fractions[:, passive, fast] = sand_rule(sand)
    fractions[:, range(len(POOLS)), range(len(POOLS))] = -1.0
    blocks = fractions.transpose(1, 2, 0)[:, None] * np.eye(grid.layers)[:, None]
    return np.ascontiguousarray(blocks).reshape(len(POOLS) * grid.layers, -1)


def decomposition_rates(
    parameters: ArrayLike, sites: xr.Dataset, *, scaled_water: bool = True
) -> FloatArray:
    """Decomposition rate of each pool and layer, the diagonal of xi K, day-1 (3.3).

    xi K = mean over months of xi_T xi_W xi_O (xi_N for the three litters) times xi_D / (365 tau):
    the mean of the product, not the product of the means.

    Parameters
    ----------
    parameters : array_like, shape (..., 21)
        Physical values.
    sites : Dataset
        One row or many of a study's sites or grid.
    scaled_water : bool
        Whether w-scaling multiplies the water scalar; the default run leaves it as it is.

    Returns
    -------
    ndarray, shape (..., 7, layers)
    """
    value = by_name(parameters)
    grid = GRIDS[sites.attrs["soil_grid"]]
    warmth = temperature_scalar(sites["soil_temperature"].values, value["q10"][..., None, None])
    water = sites["water_scalar"].values
    if scaled_water:
        water = water_scalar(water, value["w-scaling"][..., None, None])
    scalar = warmth * water * sites["oxygen_scalar"].values
    depth = depth_scalar(grid.node, value["efolding"][..., None])
    without_nitrogen = scalar.mean(axis=-1) * depth
    with_nitrogen = (scalar * sites["nitrogen_scalar"].values).mean(axis=-1) * depth
    rates = [
        (with_nitrogen if pool in LITTERS else without_nitrogen)
        / (DAYS_PER_YEAR * value[turnover][..., None])
        for pool, turnover in zip(POOLS, TURNOVER, strict=True)
    ]
    return np.stack(rates, axis=-2)


def transport_matrix(above: ArrayLike, below: ArrayLike) -> FloatArray:
    """Transport matrix V of equation 37.1, shape (n, n), day-1; woody debris is not mixed (3.4).

    Parameters
    ----------
    above, below : array_like, shape (layers,)
        Exchange rates with the layer above and below, day-1 (`proda_lib.transport.Mixing.rates`).

    Examples
    --------
    >>> V = transport_matrix([0.0, 2.0], [1.0, 0.0])
    >>> V[2:4, 2:4].tolist(), float(abs(V[:2]).sum())
    ([[1.0, -1.0], [-2.0, 2.0]], 0.0)
    """
    above, below = np.asarray(above, dtype=float), np.asarray(below, dtype=float)
    block = np.diag(above + below) - np.diag(above[1:], -1) - np.diag(below[:-1], 1)
    mixed = np.diag([0.0] + [1.0] * (len(POOLS) - 1))
    return np.kron(mixed, block)


def matrix_model(
    parameters: ArrayLike,
    site: xr.Dataset,
    *,
    bedrock: Bedrock = "closed",
    taper: Taper = "clm",
) -> MatrixModel:
    """Write out all matrices of one site (equation 37.1).

    Parameters
    ----------
    parameters : array_like, shape (21,)
        Physical values.
    site : Dataset
        One row of a study's sites or grid, for example `study.sites.isel(site=0)`.
    bedrock, taper : str
        See `proda_lib.transport.mixing`.
    """
    value = by_name(parameters)
    grid = GRIDS[site.attrs["soil_grid"]]
    last_year = site["active_layer_depth_last_year"].values
    layer = site["bedrock_layer"].values
    share = input_share(value["beta"], layer, (last_year > 0).all(-1), grid, bedrock=bedrock)
    density = np.zeros((len(POOLS), grid.layers))
    density[:4] = input_density(site["litter_input"].values, share, grid)
    depth = np.maximum(site["active_layer_depth"].values, last_year)
    exchange = mixing(depth, layer, grid, bedrock=bedrock, taper=taper)
    return MatrixModel(
        density.ravel(),
        transfer_matrix(parameters, grid),
        decomposition_rates(parameters, site).ravel(),
        transport_matrix(*exchange.rates(value["diffus"], value["cryo"])),
    )


def solve_dense(model: MatrixModel) -> FloatArray:
    """Steady state by a dense solve, X = (A xi K - V)^-1 (-B u), gC m-3, shape (n,) (37.2).

    As the published codes do it: good enough to look at, not a reference (its error grows with the
    condition number, which reaches 1e18 in deep soil).
    """
    return np.linalg.solve(model.system, -model.input)
