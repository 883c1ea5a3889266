"""Maps from parameters: the model at every cell, by layer and by depth interval, with its spread.

An ensemble has members: draws of a posterior, networks, resamples. The model runs at each cell with
each member's parameters; the map is the mean of the members' carbon and not the carbon of their
mean parameters. Cells are taken in blocks, so that memory does not grow with the map.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from proda_lib import steady_state, stocks
from proda_lib.nearest import check_allowed
from proda_lib.parameters import NAMES, PRODA, PriorBox
from proda_lib.studies.schema import grid_of
from proda_lib.transport import Bedrock

__all__ = ["COARSE_COVARIATES", "CoarseFragments", "as_prediction", "predict"]

FloatArray = NDArray[np.float64]
CoarseFragments = Literal["none", "published"]
#: Rows of cells to their soil carbon, gC m-3, shape (member, cell, layer).
Solver = Callable[[slice], FloatArray]

#: Cells that are solved together: the memory of a block is members x cells x layers x 8 bytes.
BLOCK = 512

#: Covariates with the coarse fragments at 0, 30 and 100 cm, percent of the volume.
COARSE_COVARIATES = tuple(f"Coarse_Fragments_v_{depth}cm" for depth in (0, 30, 100))

_METRES = {"units": "m"}

_MEANING = {
    "soc": (("cell", "layer"), "gC m-3", "soil organic carbon, mean over members"),
    "soc_sd": (("cell", "layer"), "gC m-3", "soil organic carbon, standard deviation of members"),
    "stock": (("cell", "interval"), "gC m-2", "soil organic carbon stock, mean over members"),
    "stock_sd": (("cell", "interval"), "gC m-2", "stock, standard deviation of members"),
    "total": (("interval",), "Pg C", "stock of all cells, mean over members"),
    "member_total": (("member", "interval"), "Pg C", "stock of all cells, each member"),
    "unit_mean": (("cell", "parameter"), "1", "position in the prior range, mean over members"),
    "unit_sd": (("cell", "parameter"), "1", "position, standard deviation of members"),
}


def predict(
    unit: ArrayLike,
    grid: xr.Dataset,
    *,
    prior: PriorBox = PRODA,
    bedrock: Bedrock = "closed",
    coarse_fragments: CoarseFragments = "none",
    block: int = BLOCK,
) -> xr.Dataset:
    """Run the model with an ensemble's parameters at every cell and summarise the members.

    Parameters
    ----------
    unit : array_like, shape (member, cell, 21) or (member, 21)
        Positions in the prior range; without cells the same everywhere, such as `draws` of
        `proda_lib.batch.assimilate_batch`. NaN where they are unknown: so is the cell then.
    grid : Dataset
        Cells in the common form, with `area` (km2). For an approach with a forcing of its own
        `predictor.driven(model, grid)`.
    prior : PriorBox
        Box that the positions refer to.
    bedrock : {"closed", "published"}
        Bottom of the soil, see `proda_lib.steady_state.pools`.
    coarse_fragments : {"none", "published"}
        What is taken off stocks and totals (not off `soc`) for stones: nothing, or as the original
        does, `stocks.fine_earth_stock` with the covariates `COARSE_COVARIATES` of the cells, where
        what is unknown counts as no stones.
    block : int
        Cells that are solved together: more need more memory, the numbers are the same.

    Returns
    -------
    Dataset
        `soc`, `soc_sd` (cell, layer), gC m-3; `stock`, `stock_sd` (cell, interval), gC m-2, over
        `stocks.map_intervals`; `total` (interval) and `member_total` (member, interval), Pg C, of
        the cells that are known; `unit_mean`, `unit_sd` (cell, parameter). Standard deviations are
        NaN for one member.

    Raises
    ------
    ValueError
        If parameters do not fit the cells, or are NaN for some members of a cell only, or the cells
        have no coarse fragments to take off.

    Examples
    --------
    >>> from proda_lib import studies
    >>> cells = studies.load("twin", "smoke").grid.isel(cell=slice(0, 3))
    >>> found = predict(np.full((2, 21), [[0.4], [0.5]]), cells)
    >>> found.stock.shape, bool((found.stock_sd > 0).all())
    ((3, 6), True)
    """
    unit, cells = np.asarray(unit, dtype=float), grid.sizes["cell"]
    if unit.shape[1:] not in ((len(NAMES),), (cells, len(NAMES))):
        raise ValueError(
            f"unit has shape {unit.shape}, allowed are (member, {len(NAMES)}) for all cells or "
            f"(member, {cells}, {len(NAMES)}) for the {cells} cells given"
        )
    # Broadcast only: parameters that hold everywhere are not repeated in memory.
    each = np.broadcast_to(
        unit if unit.ndim == 3 else unit[:, None], (len(unit), cells, len(NAMES))
    )
    known = np.broadcast_to(_known(unit if unit.ndim == 3 else unit[:, None]), cells)

    def solve(rows: slice) -> FloatArray:
        chosen = np.flatnonzero(known[rows]) + rows.start
        soil = np.full((len(each), len(known[rows]), grid_of(grid).layers), np.nan)
        if len(chosen):
            prepared = steady_state.prepare(grid.isel(cell=chosen), bedrock=bedrock)
            for member, own in zip(soil, each, strict=True):
                own = prior.to_physical(own[chosen])
                member[chosen - rows.start] = steady_state.soil_carbon(own, prepared)
        return soil

    found = _summary(solve, len(each), grid, block, _stones(grid, coarse_fragments))
    for name, values in (("unit_mean", unit.mean(axis=0)), ("unit_sd", _sd(unit))):
        found[name] = np.broadcast_to(values, (cells, len(NAMES)))
    told = {"bedrock": bedrock, "coarse_fragments": coarse_fragments}
    return _dataset(found, grid).assign_coords(parameter=list(NAMES)).assign_attrs(told)


def as_prediction(
    soil: ArrayLike, grid: xr.Dataset, *, coarse_fragments: CoarseFragments = "none"
) -> xr.Dataset:
    """Summarise soil carbon that is there already, such as a default run, in the form of `predict`.

    Parameters
    ----------
    soil : array_like, shape (cell, layer) or (member, cell, layer)
        gC m-3; NaN where unknown.
    grid : Dataset
        The cells.
    coarse_fragments : {"none", "published"}
        As in `predict`.

    Returns
    -------
    Dataset
        As from `predict`, without parameters.

    Raises
    ------
    ValueError
        If the soil does not fit the cells, or is NaN for some members of a cell only.

    Examples
    --------
    >>> cells = xr.Dataset(
    ...     {"area": ("cell", [1e6])},
    ...     {"lon": ("cell", [-100.0]), "lat": ("cell", [40.0])},
    ...     {"soil_grid": "CLM5"},
    ... )
    >>> as_prediction(np.full((1, 20), 1e4), cells).total.round(2).values.tolist()
    [3.0, 7.0, 10.0, 10.0, 20.0, 86.0]
    """
    soil, shape = np.asarray(soil, dtype=float), (grid.sizes["cell"], grid_of(grid).layers)
    if soil.ndim not in (2, 3) or soil.shape[-2:] != shape:
        raise ValueError(
            f"soil has shape {soil.shape}, allowed are {shape} or (member, {shape[0]}, {shape[1]}) "
            f"for the {shape[0]} cells and {shape[1]} layers of the grid"
        )
    soil = soil if soil.ndim == 3 else soil[None]
    _known(soil)
    stones = _stones(grid, coarse_fragments)
    found = _summary(lambda rows: soil[:, rows], len(soil), grid, BLOCK, stones)
    return _dataset(found, grid).assign_attrs(coarse_fragments=coarse_fragments)


def _stones(grid: xr.Dataset, option: CoarseFragments) -> FloatArray | None:
    """Coarse fragments of cells, percent, shape (cell, 3), if they are to be taken off."""
    check_allowed("coarse_fragments", option, ("none", "published"))
    if option == "none":
        return None
    lacking = set(COARSE_COVARIATES) - set(grid["covariate"].values if "covariate" in grid else ())
    if lacking:
        raise ValueError(
            f"cells have no covariates {', '.join(sorted(lacking))}: coarse fragments cannot be "
            "taken off, use coarse_fragments='none'"
        )
    table = grid["covariates"].sel(covariate=list(COARSE_COVARIATES))
    return np.nan_to_num(table.transpose("cell", "covariate").values)


def _known(values: FloatArray) -> NDArray[np.bool_]:
    """Cells that all members know, of shape (member, cell, any); none may be known to some only."""
    finite = np.isfinite(values).all(axis=-1)
    known = finite.all(axis=0)
    if (finite.any(axis=0) & ~known).any():
        cell = int(np.flatnonzero(finite.any(axis=0) & ~known)[0])
        raise ValueError(
            f"cell {cell} is known to {finite[:, cell].sum()} of {len(values)} members: give what "
            "all members have there, or NaN for the whole cell"
        )
    return known


def _summary(
    solve: Solver, members: int, grid: xr.Dataset, block: int, stones: FloatArray | None
) -> dict[str, Any]:
    """Mean and spread of what `solve` gives for each block of cells, and the members' totals."""
    if block < 1:
        raise ValueError(f"block is {block}: give at least 1 cell")
    intervals = stocks.map_intervals(grid_of(grid))
    area, found = grid["area"].values, []
    totals = np.zeros((members, len(intervals)))
    for start in range(0, grid.sizes["cell"], block):
        rows = slice(start, min(start + block, grid.sizes["cell"]))
        soil = solve(rows)
        if stones is None:
            each = [stocks.interval_stock(soil, *one, grid_of(grid)) for one in intervals]
        else:
            fine = stocks.fine_earth_stock
            each = [fine(soil, *one, stones[rows], grid_of(grid)) for one in intervals]
        stock = np.stack(each, axis=-1)
        totals += np.nansum(stock * area[rows, None], axis=1) * stocks.PETAGRAMS
        found.append((soil.mean(axis=0), _sd(soil), stock.mean(axis=0), _sd(stock)))
    names = ("soc", "soc_sd", "stock", "stock_sd")
    summary = dict(zip(names, map(np.concatenate, zip(*found, strict=True)), strict=True))
    totals[:, np.isnan(summary["stock"]).all(axis=0)] = np.nan
    return summary | {"total": totals.mean(axis=0), "member_total": totals}


def _sd(values: FloatArray) -> FloatArray:
    """Return the standard deviation of members, NaN for one."""
    if len(values) < 2:
        return np.full(values.shape[1:], np.nan)
    return values.std(axis=0, ddof=1)


def _dataset(found: dict[str, Any], grid: xr.Dataset) -> xr.Dataset:
    """Arrange a summary with units and coordinates."""
    upper, lower = np.array(stocks.map_intervals(grid_of(grid))).T
    variables = {
        name: xr.Variable(dims, found[name], {"units": units, "long_name": meaning})
        for name, (dims, units, meaning) in _MEANING.items()
        if name in found
    }
    places = {name: ("cell", grid[name].values) for name in ("lon", "lat", "area")}
    depths = {"upper": ("interval", upper, _METRES), "lower": ("interval", lower, _METRES)}
    labels = {
        "interval": [stocks.interval_label(*one) for one in zip(upper, lower, strict=True)],
        "layer": np.arange(1, grid_of(grid).layers + 1),
    }
    return xr.Dataset(variables, places | depths | labels, {"soil_grid": grid.attrs["soil_grid"]})
