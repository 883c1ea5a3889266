"""What drives the model at many sites, as the arrays that the equation needs.

Everything that does not depend on parameters is computed here, once per distinct forcing: in New
York 1,401 sites share 105 of them.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from proda_lib.configurations import CLM5_20, Configuration
from proda_lib.transport import Bedrock, Mixing, Taper, mixing, require_bedrock

__all__ = ["Forcing", "forcing_of", "monthly_forcing_of", "row_dimension", "rows_of"]

FloatArray = NDArray[np.float64]


class Forcing(NamedTuple):
    """Forcing of n rows, or of one; months before layers, so that sums over months are contiguous.

    Attributes
    ----------
    temperature : ndarray, shape (..., 12, layers)
        K.
    water : ndarray, shape (..., 12, layers)
        CLM5's water scalar, 1, or water potential, MPa, as the configuration has it.
    oxygen, nitrogen : ndarray, shape (..., 12, layers)
        Scalars, 1.
    mixing : Mixing of ndarray, shape (..., layers)
    annual_input : ndarray, shape (..., 4)
        Litter input of the column, gC m-2 yr-1.
    thawed : ndarray of bool, shape (...)
        Whether last year's active layer depth was positive in all months.
    live : ndarray of bool, shape (..., layers)
        Layers that hold carbon: down to a closed bedrock, or all as published.
    layered_input : ndarray, shape (..., 4, layers), or None
        Litter input by layer, gC m-3 yr-1, in place of `annual_input` and beta.
    sand : ndarray, shape (..., layers), or None
        Percent; if given, the fast pool's transfers follow the sand rule.
    """

    temperature: Any
    water: Any
    oxygen: Any
    nitrogen: Any
    mixing: Mixing
    annual_input: Any
    thawed: Any
    live: Any
    layered_input: Any = None
    sand: Any = None

    def rows(self, index: Any) -> Forcing:
        """Select rows of the first axis."""
        fields = {
            name: None if value is None else value[index]
            for name, value in self._asdict().items()
            if name != "mixing"
        }
        return Forcing(mixing=Mixing(*(rate[index] for rate in self.mixing)), **fields)


def rows_of(sites: xr.Dataset) -> tuple[NDArray[np.int_], NDArray[np.int_]]:
    """Return the rows with distinct forcing, and for each site which of them it has.

    Sites that `forcing_id` says are alike are checked; without it, or if they differ after all,
    every row stands for itself.

    Returns
    -------
    first : ndarray of int, shape (distinct,)
    which : ndarray of int, shape (n,)
        `first[which]` has the forcing of every site.
    """
    row = row_dimension(sites)
    n = sites.sizes[row]
    if n == 0:
        raise ValueError(f"sites hold no {row}: select at least one")
    if "forcing_id" in sites:
        _, first, which = np.unique(
            sites["forcing_id"].values, return_index=True, return_inverse=True
        )
        names = [name for name in _VARIABLES if name in sites]
        if all(_alike(sites[name].transpose(row, ...).values, first[which]) for name in names):
            return first, which
    return np.arange(n), np.arange(n)


def row_dimension(sites: xr.Dataset) -> str:
    """Return the name of the dimension along which the rows lie, "site" or "cell"."""
    for row in ("site", "cell"):
        if row in sites.dims:
            return row
    raise ValueError("sites has neither a dimension site nor cell: select rows with a slice")


_VARIABLES = (
    "soil_temperature water_scalar water_potential oxygen_scalar nitrogen_scalar sand "
    "active_layer_depth active_layer_depth_last_year bedrock_layer litter_input "
    "layered_litter_input net_primary_production"
).split()


def _alike(values: FloatArray, representative: NDArray[np.int_]) -> bool:
    return bool(np.array_equal(values, values[representative], equal_nan=True))


def forcing_of(
    sites: xr.Dataset,
    configuration: Configuration = CLM5_20,
    *,
    bedrock: Bedrock = "closed",
    taper: Taper = "clm",
    default_run: bool = False,
) -> Forcing:
    """Turn a study's sites, grid or one row of them into the arrays of the equation.

    Parameters
    ----------
    sites : Dataset
        In the common form, on the configuration's soil grid.
    bedrock : {"closed", "published"}
        Whether the column ends at the base of the bedrock layer.
    taper : {"clm", "binn"}
        Lower end of cryoturbation, see `proda_lib.transport.mixing`.
    default_run : bool
        Take sand and layered litter input into account, as CLM5's default run does.

    Raises
    ------
    ValueError
        If the sites lie on another soil grid or lack a variable of the configuration.
    """
    require_bedrock(bedrock)
    grid = configuration.grid
    _require(sites, configuration)
    layer = sites["bedrock_layer"].values.astype(int)
    number = np.arange(1, grid.layers + 1)
    closed = bedrock == "closed"
    last_year = _values(sites, "active_layer_depth_last_year", "month")
    thaw = np.maximum(_values(sites, "active_layer_depth", "month"), last_year)
    layered = default_run and "layered_litter_input" in sites
    return Forcing(
        temperature=_values(sites, "soil_temperature", "month", "layer"),
        water=_values(sites, f"water_{configuration.water}", "month", "layer"),
        oxygen=_values(sites, "oxygen_scalar", "month", "layer"),
        nitrogen=_values(sites, "nitrogen_scalar", "month", "layer"),
        mixing=mixing(thaw, layer, grid, bedrock=bedrock, taper=taper),
        annual_input=_annual_input(sites, configuration),
        thawed=(last_year > 0).all(axis=-1),
        live=(number <= layer[..., None]) | (not closed),
        layered_input=_layered_input(sites, layer, configuration, closed) if layered else None,
        sand=_values(sites, "sand", "layer") if default_run else None,
    )


def monthly_forcing_of(
    sites: xr.Dataset,
    configuration: Configuration = CLM5_20,
    *,
    bedrock: Bedrock = "closed",
    taper: Taper = "clm",
) -> Forcing:
    """Return the forcing of every single month, to follow the equation in time; (n, 12, ...).

    Each month stands for itself: its leading shape is (n, 12), its own axis of months has length 1,
    and its `annual_input` is that of a year of such months. A month lasts a twelfth of a year, so
    that the mean of the months' terms is that of `forcing_of`. Arguments as there.

    Examples
    --------
    >>> from proda_lib import studies
    >>> monthly_forcing_of(studies.load("twin", "smoke").sites.isel(site=slice(2))).water.shape
    (2, 12, 1, 20)
    """
    year = forcing_of(sites, configuration, bedrock=bedrock, taper=taper)
    last_year = _values(sites, "active_layer_depth_last_year", "month")
    thaw = np.maximum(_values(sites, "active_layer_depth", "month"), last_year)
    layer = np.broadcast_to(sites["bedrock_layer"].values.astype(int)[..., None], thaw.shape)
    inputs = np.repeat(year.annual_input[..., None, :], 12, axis=-2)
    if not configuration.partition:
        inputs = 12 * _values(sites, "litter_input", "month", "litter")
    monthly = ("temperature", "water", "oxygen", "nitrogen")
    return year._replace(
        **{name: getattr(year, name)[..., None, :] for name in monthly},
        mixing=mixing(thaw[..., None], layer, configuration.grid, bedrock=bedrock, taper=taper),
        annual_input=inputs,
        thawed=np.broadcast_to(year.thawed[..., None], thaw.shape),
        live=np.repeat(year.live[..., None, :], 12, axis=-2),
    )


def _require(sites: xr.Dataset, configuration: Configuration) -> None:
    if sites.attrs.get("soil_grid") != configuration.grid.name:
        raise ValueError(
            f"sites lie on the soil grid {sites.attrs.get('soil_grid')!r}, configuration "
            f"{configuration.name!r} needs {configuration.grid.name!r}: load the study with "
            f"soil_grid={configuration.grid.name!r} if it has it"
        )
    needed = [f"water_{configuration.water}"]
    needed += ["net_primary_production"] if configuration.partition else ["litter_input"]
    for name in needed:
        if name not in sites:
            raise ValueError(
                f"sites lack {name}, which configuration {configuration.name!r} needs: "
                "choose another study or configuration"
            )


def _values(sites: xr.Dataset, name: str, *last: str) -> FloatArray:
    """Values in double precision with the dimensions `last` behind those of the rows."""
    ordered = sites.variables[name].transpose(..., *last)
    return np.asarray(ordered.values, dtype=float, order="C")


def _annual_input(sites: xr.Dataset, configuration: Configuration) -> FloatArray:
    if configuration.partition:
        production = _values(sites, "net_primary_production")
        return production[..., None] * np.asarray(configuration.partition)
    return _values(sites, "litter_input", "litter", "month").sum(axis=-1)


def _layered_input(
    sites: xr.Dataset, layer: NDArray[np.int_], configuration: Configuration, closed: bool
) -> FloatArray:
    """Input by layer, gC m-3 yr-1; what lies below a closed bedrock enters the bedrock layer."""
    density = _values(sites, "layered_litter_input", "litter", "layer")
    if not closed:
        return density
    thickness = configuration.grid.thickness
    number, base = np.arange(1, configuration.grid.layers + 1), layer[..., None, None]
    amount = density * thickness
    lost = np.where(number > base, amount, 0.0).sum(axis=-1, keepdims=True)
    amount = np.where(number > base, 0.0, amount) + np.where(number == base, lost, 0.0)
    return amount / thickness
