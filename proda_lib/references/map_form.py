"""One form for every map that is not a model's: stocks of cells by interval, and their totals."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from proda_lib import stocks

__all__ = ["DEEPEST", "interval_map", "with_shares", "with_totals"]

#: Depth down to which products and stand-ins know soil carbon, m.
DEEPEST = 2.0

#: What the variables hold.
_NAMES = {
    "stock": "soil organic carbon stock",
    "stock_sd": "soil organic carbon stock, standard deviation, see spread",
    "total": "soil organic carbon stock of all cells",
    "total_low": "lower end of the 95 % interval of the total, see spread",
    "total_high": "upper end of the 95 % interval of the total, see spread",
}


def interval_map(
    grid: xr.Dataset,
    intervals: Sequence[tuple[float, float]],
    stock: ArrayLike,
    sd: ArrayLike | None = None,
) -> xr.Dataset:
    """Return stocks of cells as a Dataset that knows the places and the intervals.

    Parameters
    ----------
    grid : Dataset
        With `lon`, `lat`, `area` (cell).
    intervals : sequence of (upper, lower)
        m; an interval that ends below `DEEPEST` gets NaN.
    stock, sd : array_like, shape (cell, interval)
        gC m-2.

    Examples
    --------
    >>> cells = {"lon": ("cell", [-80.0]), "lat": ("cell", [40.0]), "area": ("cell", [1e3])}
    >>> found = interval_map(xr.Dataset(cells), [(0, 0.3), (0, 8.6)], [[5e3, 9e3]])
    >>> found.stock.sel(interval="0-30 cm").item(), found.stock.sel(interval="0-860 cm").item()
    (5000.0, nan)
    """
    upper, lower = np.array(intervals, dtype=float).T
    given = {
        name: value for name, value in (("stock", stock), ("stock_sd", sd)) if value is not None
    }
    return xr.Dataset(
        {
            name: (
                ("cell", "interval"),
                np.where(lower <= DEEPEST, np.asarray(value, dtype=float), np.nan),
                {"units": "gC m-2", "long_name": _NAMES[name]},
            )
            for name, value in given.items()
        },
        coords={
            "lon": ("cell", grid["lon"].values, {"units": "degrees_east"}),
            "lat": ("cell", grid["lat"].values, {"units": "degrees_north"}),
            "area": ("cell", grid["area"].values, {"units": "km2"}),
            "interval": [stocks.interval_label(*ends) for ends in intervals],
            "upper": ("interval", upper, {"units": "m"}),
            "lower": ("interval", lower, {"units": "m"}),
        },
    )


def with_shares(data: xr.Dataset, land: ArrayLike, known: ArrayLike) -> xr.Dataset:
    """Add how much of each cell is land, and of how much of this land a stock is known.

    Parameters
    ----------
    data : Dataset
        Of `interval_map`.
    land : array_like, shape (cell,)
    known : array_like, shape (cell, interval)
        Of `data`, NaN in `stock` makes it 0.

    Examples
    --------
    >>> cells = {"lon": ("cell", [-80.0]), "lat": ("cell", [40.0]), "area": ("cell", [1e3])}
    >>> deep = interval_map(xr.Dataset(cells), [(0, 0.3), (0, 8.6)], [[5e3, 9e3]])
    >>> with_shares(deep, [0.9], [[0.8, 0.8]]).known.values.tolist()
    [[0.8, 0.0]]
    """
    seen = np.where(np.isfinite(data["stock"]), np.asarray(known, dtype=float), 0.0)
    told = "share of the cell that is land", "share of the land with a stock"
    return data.assign(
        land=("cell", np.asarray(land, dtype=float), {"units": "1", "long_name": told[0]}),
        known=(("cell", "interval"), seen, {"units": "1", "long_name": told[1]}),
    )


def with_totals(
    data: xr.Dataset, sd: NDArray[np.float64] | None = None, draws: int = 0
) -> xr.Dataset:
    """Add the totals over the cells, Pg C, and their 95 % intervals if a spread is given.

    Cells without a stock count nothing; a total is NaN only where no cell has one.

    Parameters
    ----------
    data : Dataset
        Of `interval_map`.
    sd : ndarray, shape (interval,), optional
        Standard deviation of the totals of the draws, gC m-2 km2.
    draws : int
        Their number. The interval is that of `proda_lib.stocks.t_interval`: a few draws have no
        quantiles.

    Examples
    --------
    >>> cells = {"lon": ("cell", [-80.0]), "lat": ("cell", [40.0]), "area": ("cell", [1e3])}
    >>> known = interval_map(xr.Dataset(cells), [(0, 0.3)], [[5e3]])
    >>> found = with_totals(known, np.array([1e5]), 10)
    >>> found.total.item(), round(found.total_low.item(), 6)
    (0.005, 0.004779)
    """
    total = (data["stock"] * data["area"]).sum("cell", min_count=1) * stocks.PETAGRAMS
    each = {"total": total.values}
    if sd is not None:
        ends = stocks.t_interval(each["total"], sd * stocks.PETAGRAMS, draws)
        each |= dict(zip(("total_low", "total_high"), ends, strict=True))
    return data.assign(
        {
            name: ("interval", value, {"units": "Pg C", "long_name": _NAMES[name]})
            for name, value in each.items()
        }
    )
