"""Power laws: by how many percent a total changes with one percent of a process.

In ln(total) against ln(process) the slope says it, and a gain follows from it: the analysis of the
proportional change gradient (revision1_main_fig4.R).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

__all__ = ["PowerLaw", "fitted", "gain", "power_law"]

FloatArray = NDArray[np.float64]


class PowerLaw(NamedTuple):
    """total = total_0 exp(intercept) (1 + change)^slope; arrays of one shape, 1."""

    slope: FloatArray
    intercept: FloatArray
    r2: FloatArray


def power_law(total: ArrayLike, change: ArrayLike, start: ArrayLike) -> PowerLaw:
    """Regress ln(total / start) on ln(1 + change).

    Parameters
    ----------
    total, change : array_like, shape (..., step)
        Any unit, and the relative change of the process, 1; steps where it is not known are left
        out.
    start : array_like, shape (...)
        The unchanged total.

    Returns
    -------
    PowerLaw
        NaN where the process does not move.

    Examples
    --------
    >>> change = np.array([-0.2, 0.0, 0.2])
    >>> found = power_law(50 * (1 + change) ** 1.5, change, 50)
    >>> round(float(found.slope), 9), round(float(found.r2), 9)
    (1.5, 1.0)
    """
    total, change = (np.asarray(each, dtype=float) for each in (total, change))
    with np.errstate(divide="ignore", invalid="ignore"):
        y, x = np.log(total / np.asarray(start)[..., None]), np.log1p(change)
    known = np.isfinite(x) & np.isfinite(y)
    count = np.maximum(known.sum(axis=-1), 1)
    x, y = (np.where(known, each, 0.0) for each in (x, y))
    mean_x, mean_y = (each.sum(axis=-1) / count for each in (x, y))
    dx, dy = ((e - m[..., None]) * known for e, m in ((x, mean_x), (y, mean_y)))
    moves = (np.ptp(x, axis=-1) > 1e-9) & (known.sum(axis=-1) > 1)
    square = np.where(moves, (dx**2).sum(axis=-1), np.nan)
    slope = (dx * dy).sum(axis=-1) / square
    spread = np.where((dy**2).sum(axis=-1) > 0, (dy**2).sum(axis=-1), np.nan)
    return PowerLaw(slope, mean_y - slope * mean_x, slope**2 * square / spread)


def gain(start: ArrayLike, slope: ArrayLike, proportion: float = 0.01) -> FloatArray:
    """Compute what a proportion more of a process adds, unit of start.

    start ((1 + proportion)^slope - 1).

    Examples
    --------
    >>> round(float(gain(2404.0, 3.14)), 1)  # the talk's 76 Pg C are a slope of about 3
    76.3
    """
    return np.asarray(start) * np.expm1(np.asarray(slope) * np.log1p(proportion))


def fitted(found: xr.Dataset) -> xr.Dataset:
    """Slopes and gains of the curves of a map.

    Parameters
    ----------
    found : Dataset
        From `proda_lib.proportional_change.curves`, or its mean over members: what an ensemble says
        is the mean of its members' totals.

    Returns
    -------
    Dataset
        By process, depth and, if there are any, member: `slope`, `intercept`, `r2` (1), `start`
        and `gain` of one percent (Pg C), `percent`, the gain over the start (%).

    Examples
    --------
    >>> total = xr.DataArray([[49.0], [50.0], [51.0]], dims=("step", "depth"))
    >>> curves = xr.Dataset({"total": total, "change": ("step", [-0.02, 0.0, 0.02])})
    >>> float(fitted(curves.assign_coords(step=[-0.02, 0.0, 0.02])).slope.round(2).item())
    1.0
    """
    total = found["total"].transpose(..., "step")
    change = found["change"].broadcast_like(total).transpose(*total.dims)
    start = total.sel(step=0.0, drop=True)
    law = power_law(total.values, change.values, start.values)
    more = gain(start.values, law.slope)
    values = law._asdict() | {"start": start.values, "gain": more}
    values["percent"] = 100 * more / start.values
    units = {"start": "Pg C", "gain": "Pg C", "percent": "%"}
    variables = {
        name: (start.dims, value, {"units": units.get(name, "1")}) for name, value in values.items()
    }
    named = (("process",), ("depth",))
    coords = {name: each for name, each in total.coords.items() if each.dims in named}
    return xr.Dataset(variables, coords)
