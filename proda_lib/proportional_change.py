"""The proportional change gradient: how a map's carbon answers to a proportion of each process.

One process after the other is changed by the same proportion everywhere, and the total of the map
is followed; `proda_lib.power_law` turns what is found into slopes and gains. Two modes have a name,
those of `proda_lib.process_change`: "published" moves positions in the prior range, and how far the
process went is the mean relative change of its bulk process; "sound" changes the process itself.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from proda_lib import process_change
from proda_lib.bulk import OF_SITE
from proda_lib.column_stock import DEPTHS, column_stock
from proda_lib.nearest import check_allowed
from proda_lib.parameters import NAMES, PRODA, PriorBox, by_name
from proda_lib.processes import BULK, Definition, allocation_of
from proda_lib.site_draws import evaluate
from proda_lib.steady_state import Prepared, prepare
from proda_lib.stocks import PETAGRAMS
from proda_lib.transport import Bedrock

__all__ = ["STEPS", "curves", "largest_factor"]

FloatArray = NDArray[np.float64]
Mode = Literal["sound", "published"]

#: The original's proportions: -20 % to 20 % in 11 steps.
STEPS: FloatArray = np.round(np.linspace(-0.2, 0.2, 11), 2)

#: Fractions that each pool passes on; their sum cannot be above 1.
_DONORS = (("fl1s1",), ("fl2s1",), ("fl3s2",), ("fs1s2", "fs1s3"), ("fs2s1", "fs2s3"), ("fs3s1",))


def largest_factor(parameters: ArrayLike) -> FloatArray:
    """Largest factor by which all transfer fractions can grow, shape (...).

    The least over the pools of one over the sum of what the pool passes on: with more, a pool would
    pass on more than it loses.

    Parameters
    ----------
    parameters : array_like, shape (..., 21)
        Physical values.

    Examples
    --------
    >>> from proda_lib.parameters import CLM5_DEFAULT
    >>> round(float(largest_factor(CLM5_DEFAULT)), 4)  # litter passes on half
    2.0
    """
    value = by_name(parameters)
    passed = np.max([sum(value[name] for name in pool) for pool in _DONORS], axis=0)
    return 1 / np.maximum(passed, np.finfo(float).tiny)


def curves(
    unit: ArrayLike,
    grid: xr.Dataset,
    *,
    mode: Mode = "sound",
    steps: ArrayLike = STEPS,
    definition: Definition = "sound",
    bedrock: Bedrock = "closed",
    prior: PriorBox = PRODA,
) -> xr.Dataset:
    """Total of the map for every member, process and proportion.

    Parameters
    ----------
    unit : array_like, shape (member, n, 21)
        Positions in the prior range.
    grid : Dataset
        n cells with `area`, km2.
    mode : {"sound", "published"}
        See the module's description. Under "sound" K and xi are one, for the equation holds only
        their product, and no pool of a cell passes on more than it loses (`largest_factor`).
    steps : array_like, shape (step,)
        Proportions above -1, 0 among them.
    definition : {"sound", "published"}
        Of the bulk processes of mode "published", see `proda_lib.processes`.
    bedrock : {"closed", "published"}
    prior : PriorBox
        Box that the positions refer to.

    Returns
    -------
    Dataset
        `total` (member, process, step, depth), Pg C; `change` (member, process, step), mean over
        cells of the relative change of the process, 1, without cells where it is not known or 0;
        `limited` (member, process, step), share of the area in which the factor was cut, 1.

    Raises
    ------
    ValueError
        If the mode is unknown, positions do not fit the cells or 0 is not among the steps.

    Notes
    -----
    Plant carbon input is not run: the equation is linear in it, so carbon is proportional to it.

    Examples
    --------
    >>> from proda_lib import studies
    >>> cells = studies.load("twin", "smoke").grid.isel(cell=slice(3))
    >>> found = curves(np.full((1, 3, 21), 0.5), cells, steps=[0.0, 0.01])
    >>> rise = found.total.diff("step").sel(depth="column").squeeze()
    >>> bool(rise.sel(process="A") > 0), bool(rise.sel(process="K") < 0)
    (True, True)
    """
    check_allowed("mode", mode, ("sound", "published"))
    steps = np.asarray(steps, dtype=float)
    if not (steps == 0).any() or (steps <= -1).any():
        raise ValueError(f"steps are {steps.tolist()}: give proportions above -1, and 0")
    unit, cells = _members(unit, grid), prepare(grid, bedrock=bedrock)
    area, parts = grid["area"].values, {}
    kind = definition if mode == "published" else None
    base = _run(_changed(unit, "input", np.zeros(1), mode, prior)[0], cells, kind, True)
    for process in process_change.CHANGES:
        if process == "input":
            parts[process] = _proportional(base.stock, steps, area)
        elif process == "xi" and mode == "sound":
            parts[process] = parts["K"]
        else:
            parts[process] = _follow(unit, process, steps, mode, prior, cells, base, kind, area)
    return _dataset(parts, steps, {"mode": mode, "definition": definition, "bedrock": bedrock})


class _Run(NamedTuple):
    """Cells with many vectors each: stock (n, draw, 2), gC m-2, and bulk processes (n, draw)."""

    stock: FloatArray
    bulk: dict[str, FloatArray]


class _Part(NamedTuple):
    """One process: shapes (member, step, depth), (member, step) and (member, step)."""

    total: FloatArray
    change: FloatArray
    limited: FloatArray


def _members(unit: ArrayLike, grid: xr.Dataset) -> FloatArray:
    unit, shape = np.asarray(unit, dtype=float), (grid.sizes["cell"], len(NAMES))
    if unit.ndim != 3 or unit.shape[1:] != shape:
        raise ValueError(
            f"unit has shape {unit.shape}, allowed is (member, {shape[0]}, {shape[1]}) for the "
            f"{shape[0]} cells given"
        )
    return unit


def _changed(
    unit: FloatArray, process: str, steps: FloatArray, mode: Mode, prior: PriorBox
) -> tuple[FloatArray, FloatArray | None]:
    """Physical values (n, member * step, 21), and the factors taken (n, member, step)."""
    if mode == "published":
        moved = [process_change.moved(unit, process, step) for step in steps]
        values, factor = prior.to_physical(np.stack(moved, axis=1)), None
    else:
        own = prior.to_physical(unit)
        factor = np.broadcast_to(1 + steps[None, :, None], (len(unit), len(steps), unit.shape[1]))
        if process == "A":
            factor = np.minimum(factor, largest_factor(own)[:, None])
        values = process_change.scaled(own[:, None], process, factor)
        # Rounding may leave a fraction of a full pool a hair above 1.
        values = np.where(_FRACTIONS, np.minimum(values, 1.0), values)
        factor = np.moveaxis(factor, -1, 0)
    return np.moveaxis(values, 2, 0).reshape(unit.shape[1], -1, len(NAMES)), factor


_FRACTIONS = np.isin(NAMES, [name for pool in _DONORS for name in pool])


def _run(
    values: FloatArray, cells: Prepared, definition: Definition | None, allocation: bool
) -> _Run:
    """Solve the cells, with bulk processes if a definition is given."""
    if definition is None:
        return _Run(column_stock(values, cells), {})
    found = evaluate(OF_SITE[definition], values, cells)
    if definition == "published" and allocation:
        found["input_allocation"] = allocation_of(values, cells)
    return _Run(np.stack([found.pop("stock"), found.pop("stock_1m")], axis=-1), found)


def _totals(stock: FloatArray, area: FloatArray) -> FloatArray:
    """Sum over the cells, Pg C; shape (n, draw, 2) to (draw, 2)."""
    return np.tensordot(area, stock, axes=1) * PETAGRAMS


def _proportional(stock: FloatArray, steps: FloatArray, area: FloatArray) -> _Part:
    """Carbon under other inputs: the same proportion."""
    base = _totals(stock, area)
    change = np.broadcast_to(steps, (len(base), len(steps)))
    return _Part(base[:, None] * (1 + steps[:, None]), change, np.zeros(change.shape))


def _follow(
    unit: FloatArray,
    process: str,
    steps: FloatArray,
    mode: Mode,
    prior: PriorBox,
    cells: Prepared,
    base: _Run,
    definition: Definition | None,
    area: FloatArray,
) -> _Part:
    """Run one process at all steps but 0."""
    away, members = np.flatnonzero(steps != 0), len(unit)
    values, factor = _changed(unit, process, steps[away], mode, prior)
    run = _run(values, cells, definition, process == "I")
    total = np.repeat(_totals(base.stock, area)[:, None], len(steps), axis=1)
    total[:, away] = _totals(run.stock, area).reshape(members, len(away), -1)
    change, limited = np.zeros((2, members, len(steps)))
    if factor is None:
        name = BULK[process]
        bulk = run.bulk[name].reshape(len(values), members, len(away))
        with np.errstate(divide="ignore", invalid="ignore"):
            relative = bulk / base.bulk[name][..., None] - 1
        known = np.isfinite(relative)
        count = np.maximum(known.sum(axis=0), 1)
        mean = np.where(known, relative, 0.0).sum(axis=0) / count
        change[:, away] = np.where(known.any(axis=0), mean, np.nan)
    else:
        change[:, away] = factor.mean(axis=0) - 1
        cut = factor < 1 + steps[away]
        limited[:, away] = np.tensordot(area / area.sum(), cut, axes=1)
    return _Part(total, change, limited)


def _dataset(parts: dict[str, _Part], steps: FloatArray, told: dict[str, str]) -> xr.Dataset:
    dims = ("member", "process", "step", "depth")
    total, change, limited = (np.stack(each, axis=1) for each in zip(*parts.values(), strict=True))
    return xr.Dataset(
        {
            "total": (dims, total, {"units": "Pg C"}),
            "change": (dims[:3], change, {"units": "1"}),
            "limited": (dims[:3], limited, {"units": "1"}),
        },
        {"process": list(parts), "step": steps, "depth": list(DEPTHS)},
        told,
    )
