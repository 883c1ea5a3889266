"""The stocks of all sources of maps side by side: one Dataset and one table of totals."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from proda_lib import stocks
from proda_lib.map_sources import SOURCES, map_source
from proda_lib.studies.schema import grid_of

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["NO_SPREAD", "side_by_side", "stock_map", "table_of_totals", "with_spread_of"]

#: Says of a source that nothing is known of its spread.
NO_SPREAD = "none"

_VARIABLES = {
    "stock": ("gC m-2", "soil organic carbon stock"),
    "stock_sd": ("gC m-2", "soil organic carbon stock, standard deviation, see spread"),
    "total": ("Pg C", "soil organic carbon stock of all cells"),
    "total_low": (
        "Pg C",
        "soil organic carbon stock of all cells, lower end of the 95 % interval, see spread",
    ),
    "total_high": (
        "Pg C",
        "soil organic carbon stock of all cells, upper end of the 95 % interval, see spread",
    ),
}

_TEXTS = {
    "name": "source of the map",
    "label": "source as in figures",
    "kind": "truth, reference product, stand-in or model",
    "spread": "what the standard deviation and the 95 % interval contain",
}


def with_spread_of(prediction: xr.Dataset, resampled: xr.Dataset) -> xr.Dataset:
    """Return a prediction whose standard deviations and members' totals are those of another one.

    A map is made once with all that is known; resamples of it say how uncertain it is.

    Parameters
    ----------
    prediction, resampled : Dataset
        From `proda_lib.grid_prediction.predict`, the same cells.

    Returns
    -------
    Dataset
        As `prediction`; the attribute `resamples` says how many members the spread has.

    Raises
    ------
    ValueError
        If the cells are not the same.
    """
    _check_cells("the resampled map", resampled, prediction)
    names = ("soc_sd", "stock_sd", "unit_sd", "member_total")
    kept = prediction.drop_vars(names, errors="ignore")
    spread = {name: resampled[name].variable for name in names if name in resampled}
    return kept.assign(spread).assign_attrs(resamples=resampled.sizes["member"])


def stock_map(prediction: xr.Dataset, spread: str = NO_SPREAD) -> xr.Dataset:
    """Stocks, totals and the totals' 95 % intervals of a prediction.

    Parameters
    ----------
    prediction : Dataset
        From `proda_lib.grid_prediction`, perhaps through `with_spread_of`.
    spread : str
        What the spread of the members stands for, in words; by default it stands for nothing and
        is left out. For resamples the interval is about the total of the map itself, see
        `proda_lib.stocks.spread_of_totals`.

    Returns
    -------
    Dataset
        `stock`, `stock_sd` (cell, interval), gC m-2; `total`, `total_low`, `total_high`
        (interval), Pg C; the attribute `spread`.
    """
    found = prediction[["stock", "stock_sd", "total"]]
    about = prediction["total"].values if "resamples" in prediction.attrs else None
    ends = stocks.spread_of_totals(prediction["member_total"].values, about)
    if spread == NO_SPREAD:
        ends = (np.full(found.sizes["interval"], np.nan),) * 2
        found = found.assign(stock_sd=found["stock_sd"] * np.nan)
    low, high = (("interval", end) for end in ends)
    return found.assign(total_low=low, total_high=high).assign_attrs(spread=spread)


def side_by_side(maps: Mapping[str, xr.Dataset], grid: xr.Dataset) -> xr.Dataset:
    """Put the stocks of several sources into one Dataset, in the order of `map_sources.SOURCES`.

    Parameters
    ----------
    maps : mapping
        Source to its Dataset: from `stock_map`, `proda_lib.references` or your own, with `stock`
        (cell, interval) and, as far as known, `stock_sd`, `total`, `total_low`, `total_high` and
        the attribute `spread`. Intervals that a source lacks are NaN.
    grid : Dataset
        The cells, with `area`.

    Returns
    -------
    Dataset
        The five variables over source, cell and interval; coordinates `label`, `kind` and `spread`
        of the sources, `lon`, `lat`, `area` of the cells, `upper`, `lower` (m) of the intervals.

    Raises
    ------
    ValueError
        If a source is unknown or has other cells than the grid.

    Examples
    --------
    >>> grid = xr.Dataset(
    ...     {"area": ("cell", [1e6])},
    ...     {"lon": ("cell", [-100.0]), "lat": ("cell", [40.0])},
    ...     {"soil_grid": "CLM5"},
    ... )
    >>> soil = xr.Dataset({"stock": (("cell", "interval"), [[5e3]])}, {"interval": ["0-30 cm"]})
    >>> found = side_by_side({"forest": soil}, grid)
    >>> found.total.values[0].tolist(), found.kind.values.tolist()
    ([5.0, nan, nan, nan, nan, nan], ['stand-in'])
    """
    sources = [map_source(name) for name in sorted(maps, key=_place)]
    upper, lower = np.array(stocks.map_intervals(grid_of(grid))).T
    labels = [stocks.interval_label(*one) for one in zip(upper, lower, strict=True)]
    parts = [_complete(maps[one.name], one.name, grid, labels) for one in sources]
    joined = xr.concat(parts, dim="source", combine_attrs="drop")
    texts = {name: [getattr(one, name) for one in sources] for name in ("name", "label", "kind")}
    texts["spread"] = [maps[one.name].attrs.get("spread", NO_SPREAD) for one in sources]
    of_source = {
        "source" if name == "name" else name: ("source", text, {"long_name": _TEXTS[name]})
        for name, text in texts.items()
    }
    places = {name: ("cell", grid[name].values) for name in ("lon", "lat", "area")}
    depths = {"upper": ("interval", upper), "lower": ("interval", lower), "interval": labels}
    for name, (units, meaning) in _VARIABLES.items():
        joined[name].attrs = {"units": units, "long_name": meaning}
    return joined.assign_coords(of_source | places | depths).assign_attrs(
        soil_grid=grid.attrs["soil_grid"]
    )


def _place(name: str) -> int:
    map_source(name)
    return list(SOURCES).index(name)


def _complete(found: xr.Dataset, name: str, grid: xr.Dataset, labels: list[str]) -> xr.Dataset:
    """All five variables over all intervals, NaN where a source has none."""
    _check_cells(name, found, grid)
    plain = found[[each for each in _VARIABLES if each in found]].reset_coords(drop=True)
    plain = plain.reindex(interval=labels).transpose("cell", "interval", ...)
    if "total" not in plain:
        sums = [stocks.total(each, grid["area"].values) for each in plain["stock"].values.T]
        known = np.isfinite(plain["stock"].values).any(axis=0)
        plain["total"] = ("interval", np.where(known, sums, np.nan))
    for each in _VARIABLES.keys() - plain.data_vars.keys():
        plain[each] = plain["total" if each.startswith("total") else "stock"] * np.nan
    return plain


def _check_cells(name: str, found: xr.Dataset, grid: xr.Dataset) -> None:
    """Refuse a map of other cells, or of the same in another order, as far as it says where."""
    if found.sizes["cell"] != grid.sizes["cell"]:
        raise ValueError(
            f"{name} has {found.sizes['cell']} cells, the grid {grid.sizes['cell']}: give a map of "
            "the same cells, in the same order"
        )
    there = [one for one in ("lon", "lat") if one in found and one in grid]
    pairs = [(found[one].values, grid[one].values) for one in there]
    off = [np.abs((one - other + 180) % 360 - 180) > 1e-6 for one, other in pairs]
    if np.any(off):
        raise ValueError(
            f"{np.any(off, axis=0).sum()} cells of {name} lie elsewhere than the grid's: give a "
            "map of the same cells, in the same order"
        )


def table_of_totals(found: xr.Dataset) -> pd.DataFrame:
    """Tabulate the totals of `side_by_side`, one row per source and interval that is known.

    Returns
    -------
    DataFrame
        Columns source, label, kind, interval, total_pg, low_pg, high_pg (Pg C, 95 %), spread (what
        the interval contains), cells (with a stock) and area_km2 (of these).
    """
    import pandas as pd

    known = np.isfinite(found["stock"])
    counted = {"cells": known.sum("cell"), "area_km2": (known * found["area"]).sum("cell")}
    totals = {"total": "total_pg", "total_low": "low_pg", "total_high": "high_pg"}
    chosen = found[list(totals)].rename(totals).assign(counted)
    table = (
        chosen.transpose("source", "interval").to_dataframe(["source", "interval"]).reset_index()
    )
    columns = ["source", "label", "kind", "interval", *totals.values(), "spread", *counted]
    return pd.DataFrame(table[table["cells"] > 0][columns]).reset_index(drop=True)
