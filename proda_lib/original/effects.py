"""Effects of slips as numbers: one value per site, layer or whatever a slip acts on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from proda_lib.environment import temperature_scalar, water_scalar
from proda_lib.forcing import Forcing
from proda_lib.original.slips import Slip
from proda_lib.parameters import PRODA, by_name
from proda_lib.steady_state import soil_carbon
from proda_lib.stocks import interval_stock

__all__ = [
    "CHANGE",
    "Effect",
    "Ground",
    "ground",
    "monthly_scalars",
    "relative",
    "stock",
    "summary",
    "told",
]

FloatArray = NDArray[np.float64]

#: Unit of effects that can be set side by side: original over right, less one.
CHANGE = "% change"


class Effect(NamedTuple):
    """What a slip does to a quantity.

    Attributes
    ----------
    quantity : str
    values : ndarray
        As many as there are cases; NaN where the slip has no meaning.
    unit : str
        `CHANGE`, or another one.
    """

    quantity: str
    values: FloatArray
    unit: str = CHANGE


class Ground(NamedTuple):
    """Sites on which effects are computed, with what assimilation found there.

    Attributes
    ----------
    sites : Dataset
        n sites of a study.
    found : Dataset
        Their assimilation.
    parameters : ndarray, shape (n, 21)
        Posterior means, physical.
    unit : ndarray, shape (n, draw, 21)
        Posterior draws, positions in the prior range.
    """

    sites: xr.Dataset
    found: xr.Dataset
    parameters: FloatArray
    unit: FloatArray


def ground(sites: xr.Dataset, found: xr.Dataset, count: int) -> Ground:
    """Choose evenly spaced sites among those that assimilation has a result for.

    Parameters
    ----------
    sites, found : Dataset
        A study's sites and their assimilation, the same rows.
    count : int
        Most sites.
    """
    mean = found["parameter_mean"].values
    used = np.flatnonzero(found["used"].values.astype(bool) & np.isfinite(mean).all(axis=1))
    if not len(used):
        raise ValueError("no site has a result: run the chapter on all sites first")
    rows = used[np.unique(np.linspace(0, len(used) - 1, min(count, len(used))).round().astype(int))]
    draws = np.clip(found["draws"].values[rows].astype(float), 1e-6, 1 - 1e-6)
    return Ground(
        sites.isel(site=rows), found.isel(site=rows), PRODA.to_physical(mean[rows]), draws
    )


def relative(original: ArrayLike, right: ArrayLike) -> FloatArray:
    """Change that a slip makes, percent of the right value; NaN where that is 0.

    Examples
    --------
    >>> relative([3.0, 1.0], [2.0, 0.0]).tolist()
    [50.0, nan]
    """
    original, right = np.broadcast_arrays(*(np.asarray(a, float) for a in (original, right)))
    with np.errstate(divide="ignore", invalid="ignore"):
        found = 100 * (original / right - 1)
    return np.where(right != 0, found, np.nan)


def monthly_scalars(parameters: ArrayLike, forcing: Forcing) -> tuple[FloatArray, FloatArray]:
    """Scalars of temperature and water by month, 1, shape (n, 12, layers) each.

    Parameters
    ----------
    parameters : array_like, shape (n, 21)
        Physical values.
    forcing : Forcing
        Of n sites.
    """
    value = by_name(parameters)
    return (
        temperature_scalar(forcing.temperature, value["q10"][:, None, None]),
        water_scalar(forcing.water, value["w-scaling"][:, None, None]),
    )


def stock(
    parameters: ArrayLike, sites: xr.Dataset, lower: float = 1.0, **options: object
) -> FloatArray:
    """Stock of soil carbon from the surface down, gC m-2, shape (n,); options of `soil_carbon`."""
    return interval_stock(soil_carbon(parameters, sites, **options), 0.0, lower)  # type: ignore[arg-type]


def summary(found: Mapping[str, Effect], slips: tuple[Slip, ...]) -> pd.DataFrame:
    """Put slips and effects together, one row for every slip.

    Parameters
    ----------
    found : mapping of str to Effect
        By `Slip.key`.
    slips : tuple of Slip

    Returns
    -------
    DataFrame
        The texts of the slips; `quantity`, `unit`; `median`, `low` and `high` (5 and 95 %) of the
        values, and `size`, `size_low`, `size_high` of their sizes without sign; `cases`. NaN, and
        the reason in `silent`, where there is no number.

    Raises
    ------
    ValueError
        If a slip has neither an effect nor a reason, or an effect belongs to no slip.
    """
    lost = set(found) - {slip.key for slip in slips}
    if lost:
        raise ValueError(f"effects {', '.join(sorted(lost))} belong to no slip: check their keys")
    rows = []
    for slip in slips:
        effect = found.get(slip.key)
        values = np.empty(0) if effect is None else np.ravel(effect.values)
        values = values[np.isfinite(values)]
        reason = slip.silent
        if effect is None and not reason:
            raise ValueError(f"slip {slip.key} ({slip.name}) has neither an effect nor a reason")
        if effect is not None and not len(values):
            reason = f"this study cannot tell: {effect.quantity}"
        there = bool(len(values))
        row = {name: getattr(slip, name) for name in _TEXTS}
        row |= {"quantity": effect.quantity if there and effect else ""}
        row |= {"unit": effect.unit if there and effect else ""}
        for names, some in zip(_ENDS, (values, np.abs(values)), strict=True):
            ends = np.quantile(some, [0.5, 0.05, 0.95]) if there else [np.nan] * 3
            row |= dict(zip(names, map(float, ends), strict=True))
        rows.append(row | {"cases": len(values), "silent": "" if there else reason})
    return pd.DataFrame(rows)


def told(row: pd.Series) -> str:
    """Say an effect in words: median, range and unit, or why there is none.

    Parameters
    ----------
    row : Series
        Of `summary`.

    Examples
    --------
    >>> told(pd.Series({"median": -3.14159, "low": -9.0, "high": 0.0, "unit": CHANGE}))
    '−3.1 % (−9 to 0)'
    """
    if not np.isfinite(row["median"]):
        return f"none: {row['silent']}"
    sign = "+" if row["unit"] == CHANGE else ""
    median, low, high = (_rounded(row[name], sign) for name in ("median", "low", "high"))
    unit = "%" if row["unit"] == CHANGE else row["unit"]
    return f"{median} {unit}" + ("" if low == high else f" ({low} to {high})")


def _rounded(value: float, sign: str) -> str:
    """Two digits, and none behind the point from 10 on; sizes below 0.0005 are 0."""
    if abs(value) < 0.0005:
        return "0"
    if abs(value) >= 1e6:
        text = f"{value:{sign}.1e}"
    else:
        text = f"{value:{sign},.0f}" if abs(value) >= 10 else f"{value:{sign}.2g}"
    return text.replace("-", "\N{MINUS SIGN}")


_TEXTS = ("key", "stage", "name", "original", "right", "ours", "chapter")

_ENDS = (("median", "low", "high"), ("size", "size_low", "size_high"))
