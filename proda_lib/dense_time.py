"""One site in time with dense matrices: what the implicit scheme is held against.

The matrix exponential is exact for forcing that is constant within a month; explicit Euler is what
a first program would do. Both write out all matrices of all months (`proda_lib.matrices`), so they
are for one site at a time.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from proda_lib.configurations import CLM5_20, Configuration
from proda_lib.configurations import configuration as configuration_named
from proda_lib.equation import terms
from proda_lib.forcing import monthly_forcing_of, row_dimension
from proda_lib.matrices import assemble
from proda_lib.nearest import check_allowed
from proda_lib.parameters import POOLS
from proda_lib.site_draws import vectors
from proda_lib.transport import DAYS_PER_YEAR, Bedrock

__all__ = [
    "Months",
    "dense_course",
    "dense_months",
    "growth",
    "litter_growth",
    "stable_step",
]

FloatArray = NDArray[np.float64]
Scheme = Literal["exact", "implicit", "explicit"]


class Months(NamedTuple):
    """The matrices of every month of one site, k = 7 x layers states.

    Attributes
    ----------
    system : ndarray, shape (12, k, k)
        A xi K - V, day-1.
    input : ndarray, shape (12, k)
        gC m-3 day-1.
    live : ndarray of bool, shape (k,)
        States that hold carbon. Below a closed bedrock the rates stand for nothing.
    """

    system: FloatArray
    input: FloatArray
    live: NDArray[np.bool_]

    def of_live(self) -> FloatArray:
        """Matrices of the states that hold carbon, day-1, shape (12, live, live)."""
        return self.system[:, self.live][:, :, self.live]


def dense_months(
    parameters: ArrayLike,
    site: xr.Dataset,
    *,
    configuration: str | Configuration = CLM5_20,
    bedrock: Bedrock = "closed",
) -> Months:
    """Write out the matrices of each month for one site.

    Parameters
    ----------
    parameters : array_like, shape (21,)
        Physical values.
    site : Dataset
        Sites or grid with one row left, for example `study.grid.isel(cell=[0])`.

    Examples
    --------
    >>> from proda_lib import studies
    >>> site = studies.load("twin", "smoke").sites.isel(site=[0])
    >>> dense_months(CLM5_20.default, site).system.shape
    (12, 140, 140)
    """
    rows = site.sizes[row_dimension(site)]
    if rows != 1:
        raise ValueError(f"{rows} rows given: select one, for example with isel(site=[0])")
    model = configuration_named(configuration)
    forcing = monthly_forcing_of(site, model, bedrock=bedrock).rows(0)
    each = [assemble(parameters, forcing.rows(month), model) for month in range(12)]
    live = np.tile(forcing.live[0], len(POOLS))
    return Months(
        np.stack([one.system for one in each]), np.stack([one.input for one in each]), live
    )


def dense_course(
    months: Months, years: int, start: ArrayLike | None = None, scheme: Scheme = "exact"
) -> FloatArray:
    """Follow one site month by month with dense matrices, gC m-3, shape (12 x years, k).

    Parameters
    ----------
    months : Months
    years : int
    start : array_like, shape (k,), optional
        gC m-3; bare soil by default.
    scheme : {"exact", "implicit", "explicit"}
        "exact": matrix exponentials, with the input as one more column of the matrix. "implicit",
        "explicit": Euler steps of a month with losses at the state that a step leads to, or comes
        from. Explicit steps beyond `stable_step` lose more than there is, and the error grows from
        step to step.

    Examples
    --------
    >>> rates = Months(np.full((12, 1, 1), -0.1), np.ones((12, 1)), np.array([True]))
    >>> exact, explicit = (dense_course(rates, 1, scheme=s) for s in ("exact", "explicit"))
    >>> round(float(exact[-1, 0]), 3), bool(explicit.min() < 0)
    (10.0, True)
    """
    from scipy.linalg import expm

    check_allowed("scheme", scheme, ("exact", "implicit", "explicit"))
    days, size = DAYS_PER_YEAR / 12, months.input.shape[1]
    whole = np.zeros((12, size + 1, size + 1))
    whole[:, :size, :size], whole[:, :size, size] = days * months.system, days * months.input
    one = np.eye(size + 1)
    steps = {"implicit": lambda: np.linalg.inv(one - whole), "explicit": lambda: one + whole}
    step = expm(whole) if scheme == "exact" else steps[scheme]()
    state = np.append(np.zeros(size) if start is None else np.asarray(start, dtype=float), 1.0)
    found = []
    for month in range(12 * years):
        state = step[month % 12] @ state
        found.append(state[:size])
    return np.array(found)


def stable_step(months: Months) -> float:
    """Longest step with which explicit Euler is stable in every month, day.

    All eigenvalues of the loss, lambda, must lie in the circle ``|1 - h lambda| < 1``, so h is
    the least ``2 Re(lambda) / |lambda|^2``; with real eigenvalues two over the fastest rate.

    Examples
    --------
    >>> rates = np.diag([-0.5, -0.1])
    >>> stable_step(Months(np.stack([rates] * 12), np.zeros((12, 2)), np.full(2, True)))
    4.0
    """
    rates = -np.linalg.eigvals(months.of_live())
    return float((2 * rates.real / np.abs(rates) ** 2).min())


def growth(months: Months, substeps: int = 1) -> float:
    """Factor by which an error of explicit Euler grows in a year, 1; unstable above 1.

    Spectral radius of the product of all steps of a year.

    Examples
    --------
    >>> rates = np.full((12, 1, 1), -0.1)
    >>> round(growth(Months(rates, np.zeros((12, 1)), np.array([True]))), 1)  # (365 / 120 - 1)^12
    5245.9
    """
    days, systems = DAYS_PER_YEAR / 12 / substeps, months.of_live()
    one = np.eye(systems.shape[-1])
    year = one
    for system in systems:
        year = np.linalg.matrix_power(one + days * system, substeps) @ year
    return float(np.abs(np.linalg.eigvals(year)).max())


def litter_growth(parameters: ArrayLike, sites: xr.Dataset) -> FloatArray:
    """`growth` of the metabolic litter alone in monthly steps, shape (n, draw).

    No pool but the litter itself feeds it, so its block of the year's product has its own
    eigenvalues, which the whole has, too: where they exceed 1, explicit Euler is unstable. Where
    they do not, another pool may still make it so.

    Parameters
    ----------
    parameters : array_like, shape (21,), (n, 21) or (n, draw, 21)
        Physical values.
    sites : Dataset
        n rows.

    Examples
    --------
    >>> from proda_lib import studies
    >>> sites = studies.load("twin", "smoke").sites.isel(site=slice(2))
    >>> slow, fast = CLM5_20.default.copy(), CLM5_20.default.copy()
    >>> fast[CLM5_20.names.index("taul1")] = 0.001
    >>> bool((litter_growth(slow, sites) < 1).all()), bool((litter_growth(fast, sites) > 1).all())
    (True, True)
    """
    forcing = monthly_forcing_of(sites)
    values = vectors(parameters, len(forcing.thawed))
    days, layers = DAYS_PER_YEAR / 12, np.arange(forcing.live.shape[-1])
    found = np.empty(values.shape[:2])
    for draw in range(values.shape[1]):
        term = terms(np.repeat(values[:, draw, None], 12, axis=1), forcing)
        up, down, above, below = term.exchange
        rate = term.litter / (DAYS_PER_YEAR * term.value["taul1"][..., None])
        step = np.zeros((*rate.shape, len(layers)))
        kept = np.where(forcing.live, 1 - days * (rate + up + down), 0.0)
        step[..., layers, layers] = kept
        step[..., layers[1:], layers[:-1]] = days * above[..., 1:]
        step[..., layers[:-1], layers[1:]] = days * below[..., :-1]
        year = np.broadcast_to(np.eye(len(layers)), step[:, 0].shape)
        for month in range(12):
            year = step[:, month] @ year
        found[:, draw] = np.abs(np.linalg.eigvals(year)).max(axis=-1)
    return found
