"""Ignored variation: one process made the same everywhere while the others keep their map.

What a process' geography is worth shows when it is taken away ("component control",
component_control_soc_stock_cesm2_bootstrap.m). Runs replace parameters of one process, of all, or
forcing, by one value; what that value is decides what is measured. The mean of the very values that
are replaced takes variation away and nothing else, another value shifts the level, too.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from proda_lib import metrics, steady_state
from proda_lib.column_stock import DEPTHS, column_stock, rows_first
from proda_lib.forcing import row_dimension
from proda_lib.nearest import check_known
from proda_lib.network.ensemble import with_averages
from proda_lib.parameters import NAMES, PARAMETERS, PROCESSES
from proda_lib.process_change import members_of
from proda_lib.stocks import PETAGRAMS
from proda_lib.transport import Bedrock

__all__ = [
    "BINS",
    "ENVIRONMENT",
    "RUNS",
    "averaged",
    "deviation",
    "explained",
    "input_moved",
    "made_uniform",
    "map_runs",
    "profile_runs",
]

FloatArray = NDArray[np.float64]

#: Everything that can be ignored; "full" ignores nothing.
RUNS: dict[str, str] = {
    "full": "nothing",
    **PROCESSES,
    "input": "plant carbon input",
    "all": "all 21 parameters",
    "environment": "temperature, water, oxygen and nitrogen",
}

#: Forcing that the environmental modifiers are made of.
ENVIRONMENT = ("soil_temperature", "water_scalar", "oxygen_scalar", "nitrogen_scalar")

#: Depths for which profiles are scored, m: all, and the original's three bins.
BINS: dict[str, tuple[float, float]] = {
    "all": (0.0, np.inf),
    "0-30 cm": (0.0, 0.3),
    "30-100 cm": (0.3, 1.0),
    "below 100 cm": (1.0, np.inf),
}


def made_uniform(parameters: ArrayLike, values: ArrayLike, process: str) -> FloatArray:
    """Give all places the same values of one process, or of "all"; same shape as the parameters.

    Parameters
    ----------
    parameters : array_like, shape (member, n, 21)
        Physical values.
    values : array_like, shape (21,) or (member, 21)
        What to put in their place.
    process : str
        A key of `RUNS`; what is no parameter leaves them as they are.

    Examples
    --------
    >>> found = made_uniform(np.zeros((1, 3, 21)), np.arange(21.0), "xi")
    >>> found[0, 1].nonzero()[0].tolist()
    [2, 3, 19]
    """
    check_known("process", process, RUNS)
    parameters, values = (np.asarray(each, dtype=float) for each in (parameters, values))
    if values.shape not in ((len(NAMES),), (len(parameters), len(NAMES))):
        raise ValueError(
            f"values have shape {values.shape}, allowed are ({len(NAMES)},) for all members or "
            f"({len(parameters)}, {len(NAMES)}), one vector each"
        )
    own = np.zeros(len(PARAMETERS), dtype=bool)
    if process in PROCESSES:
        own[members_of(process)] = True
    own |= process == "all"
    return np.where(own, values.reshape(-1, 1, len(NAMES)), parameters)


def averaged(places: xr.Dataset, names: ArrayLike, weight: ArrayLike | None = None,
             of: xr.Dataset | None = None) -> xr.Dataset:  # fmt: skip
    """Give all places the mean of some forcing; months and layers stay apart.

    Parameters
    ----------
    places : Dataset
        Sites or cells.
    names : sequence of str
        Variables, for example `ENVIRONMENT` or ("litter_input",); those that are not there are
        left out.
    weight : array_like, shape (n,), optional
        Of the rows that the mean is taken over, for example their area.
    of : Dataset, optional
        The rows that it is taken over, if others than the places.

    Examples
    --------
    >>> cells = xr.Dataset({"litter_input": ("cell", [1.0, 4.0])})
    >>> averaged(cells, ["litter_input"], [2.0, 1.0]).litter_input.values.tolist()
    [2.0, 2.0]
    """
    rows = places if of is None else of
    row, means = row_dimension(rows), {}
    weight = np.ones(rows.sizes[row]) if weight is None else np.asarray(weight, dtype=float)
    for name in np.atleast_1d(names):
        if name in rows:
            mean = rows[name].weighted(xr.DataArray(weight, dims=row)).mean(row)
            means[str(name)] = {"dims": list(mean.dims), "values": mean.values}
    return with_averages(places, means)


def input_moved(places: xr.Dataset, *, seed: int) -> tuple[xr.Dataset, float]:
    """Move the carbon input of every place by twice its uncertainty, up or down by lot.

    All inputs times 1 ± 2 npp_std / npp, as the original treats the input
    (component_control_soc_stock_cesm2_bootstrap.m); here the lot has a seed, and inputs end at 0.

    Parameters
    ----------
    places : Dataset
        With the covariates cesm2_npp and cesm2_npp_std.
    seed : int

    Returns
    -------
    Dataset
        The places with their new `litter_input`.
    float
        Share of places in which it would have been negative, 1.

    Raises
    ------
    ValueError
        If the places lack the covariates.
    """
    needed = ("cesm2_npp", "cesm2_npp_std")
    if not set(needed) <= set(places["covariate"].values if "covariate" in places else ()):
        raise ValueError(
            f"places have no covariates {' and '.join(needed)}: use `averaged` for the input"
        )
    row = row_dimension(places)
    npp, sd = (places["covariates"].sel(covariate=name).values for name in needed)
    sign = np.random.default_rng(seed).choice((-1.0, 1.0), places.sizes[row])
    factor = 1 + 2 * sign * np.divide(sd, npp, out=np.zeros_like(npp), where=npp > 0)
    changed = places["litter_input"] * xr.DataArray(np.maximum(factor, 0.0), dims=row)
    changed = changed.transpose(*places["litter_input"].dims)
    found = places.drop_vars("forcing_id", errors="ignore").assign(litter_input=changed)
    return found, float((factor < 0).mean())


def _runs(
    parameters: FloatArray, values: ArrayLike, forced: dict[str, xr.Dataset]
) -> Iterator[tuple[str, FloatArray]]:
    """Yield the name and the parameters of every run that can be made."""
    for name in RUNS:
        if name in forced or name not in ("input", "environment"):
            yield name, made_uniform(parameters, values, name)


def profile_runs(
    parameters: ArrayLike,
    sites: xr.Dataset,
    values: ArrayLike,
    forced: dict[str, xr.Dataset] | None = None,
    *,
    bedrock: Bedrock = "closed",
) -> dict[str, FloatArray]:
    """Soil carbon at the observed depths of every run, gC m-3, each (member, n, observation).

    Parameters
    ----------
    parameters : array_like, shape (member, n, 21)
        Physical values.
    sites : Dataset
        n sites.
    values : array_like, shape (21,) or (member, 21)
        Physical values that are put in the place of a process' own.
    forced : dict, optional
        Sites with other forcing for the runs "input" and "environment" (`averaged`,
        `input_moved`); without them there are no such runs.
    bedrock : {"closed", "published"}

    Returns
    -------
    dict
        By key of `RUNS`.
    """
    parameters, forced = np.asarray(parameters, dtype=float), forced or {}
    own, found = steady_state.prepare(sites, bedrock=bedrock), {}
    for name, changed in _runs(parameters, values, forced):
        places = steady_state.prepare(forced[name], bedrock=bedrock) if name in forced else own
        each = [steady_state.soil_carbon_at_depth(member, places) for member in changed]
        found[name] = np.stack(each)
    return found


def map_runs(
    parameters: ArrayLike,
    grid: xr.Dataset,
    values: ArrayLike,
    forced: dict[str, xr.Dataset] | None = None,
    *,
    bedrock: Bedrock = "closed",
) -> dict[str, FloatArray]:
    """Stocks of the column and the upper metre of every run, gC m-2, each (member, n, 2).

    Arguments as in `profile_runs`, for cells; the last axis as `column_stock.DEPTHS`.
    """
    parameters, forced = np.asarray(parameters, dtype=float), forced or {}
    own, found = steady_state.prepare(grid, bedrock=bedrock), {}
    for name, changed in _runs(parameters, values, forced):
        places = steady_state.prepare(forced[name], bedrock=bedrock) if name in forced else own
        found[name] = np.moveaxis(column_stock(rows_first(changed), places), 1, 0)
    return found


def explained(observed: ArrayLike, depth: ArrayLike, soc: ArrayLike) -> dict[str, dict[str, float]]:
    """Score one prediction in every depth bin: efficiency and R2 of the logarithms, percent.

    Parameters
    ----------
    observed, depth, soc : array_like, shape (n, observation)
        SOC, gC m-3, and depth, m; NaN pads.

    Returns
    -------
    dict
        By key of `BINS`: "efficiency" (the talk's explained variation) and "log_r2"; NaN with
        fewer than 3 observations.

    Examples
    --------
    >>> soc, depth = np.array([[9.0, 4.0, 2.0, 1.0]]), np.array([[0.1, 0.2, 0.25, 2.0]])
    >>> found = explained(soc, depth, soc)
    >>> found["0-30 cm"]["efficiency"], found["below 100 cm"]["efficiency"]
    (100.0, nan)
    """
    observed, depth, soc = (np.asarray(each, dtype=float) for each in (observed, depth, soc))
    found = {}
    for name, (upper, lower) in BINS.items():
        inside = (depth >= upper) & (depth < lower) & np.isfinite(observed) & np.isfinite(soc)
        pair = observed[inside], soc[inside]
        enough = inside.sum() > 2
        found[name] = {
            "efficiency": 100 * metrics.efficiency(*pair) if enough else np.nan,
            "log_r2": 100 * metrics.log_r2(*pair) if enough else np.nan,
        }
    return found


def deviation(stock: ArrayLike, full: ArrayLike, area: ArrayLike) -> xr.Dataset:
    """Totals of a run and how far its map is from that of the full run, by member.

    Parameters
    ----------
    stock, full : array_like, shape (member, n, 2)
        gC m-2, from `map_runs`.
    area : array_like, shape (n,)
        km2.

    Returns
    -------
    Dataset
        By (member, depth), Pg C: `total`, `change` (run minus full) and `apart`, the sum over the
        cells of the absolute difference, which no cancelling of cells makes small.

    Examples
    --------
    >>> found = deviation(np.full((1, 2, 2), 5e3), [[[4e3] * 2, [6e3] * 2]], [1e6, 1e6])
    >>> found.total.values[0, 0].round(6), found.change.values[0, 0], found.apart.values[0, 0]
    (np.float64(10.0), np.float64(0.0), np.float64(2.0))
    """
    stock, full, area = (np.asarray(each, dtype=float) for each in (stock, full, area))
    away = stock - full
    parts = {"total": stock, "change": away, "apart": np.abs(away)}
    return xr.Dataset(
        {
            name: (("member", "depth"), PETAGRAMS * np.einsum("mnd,n->md", values, area),
                   {"units": "Pg C"})
            for name, values in parts.items()
        },
        {"depth": list(DEPTHS)},
    )  # fmt: skip
