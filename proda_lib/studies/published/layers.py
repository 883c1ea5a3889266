"""The forcing of CLM5's 20 layers on the ten layers of the chapter's model.

The chapter's own forcing, a CLM4.5 run on these ten layers, is in no public source. What is a state
at a depth is interpolated between nodes; what is an amount per volume is averaged over each layer.
"""

from __future__ import annotations

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from proda_lib.soil_grid import CLM5, SoilGrid, layer_containing
from proda_lib.studies.schema import variable

__all__ = ["at_nodes", "layer_means", "on_grid"]

FloatArray = NDArray[np.float64]

_STATES = ("soil_temperature", "water_scalar", "oxygen_scalar", "nitrogen_scalar")

#: Wettest water potential that its logarithm is taken of, MPa: far above any value that limits.
_WETTEST = -1e-6


def on_grid(forcing: xr.Dataset, grid: SoilGrid) -> xr.Dataset:
    """Return forcing of CLM5's layers on another grid.

    Temperature and scalars are linear between nodes, water potential in its logarithm (as CLM's
    scalar is), and constant above the first node. Sand and layered input are means over each
    layer; input below the last layer enters the last one, so that the column total stays. The
    bedrock layer is the one that holds the lower interface of CLM5's.

    Parameters
    ----------
    forcing : Dataset
        Of `proda_lib.studies.published.forcing.read_forcing`, dimension `cell`.
    grid : SoilGrid

    Returns
    -------
    Dataset
        The same variables; the same Dataset if the grid is CLM5's.
    """
    if grid is CLM5:
        return forcing
    found = {name: at_nodes(forcing[name].values, grid) for name in _STATES}
    potential = np.minimum(forcing["water_potential"].values, _WETTEST)
    found["water_potential"] = -np.exp(at_nodes(np.log(-potential), grid))
    found["sand"] = layer_means(forcing["sand"].values, grid)
    found["layered_litter_input"] = _whole_input(forcing["layered_litter_input"].values, grid)
    found["bedrock_layer"] = _bedrock(forcing["bedrock_layer"].values, grid)
    kept = forcing.drop_vars([*found, "node"])
    return (
        kept.assign({name: variable(name, "cell", values) for name, values in found.items()})
        .assign_coords(node=("layer", grid.node, {"units": "m"}))
        .assign_attrs(soil_grid=grid.name)
    )


def at_nodes(values: FloatArray, grid: SoilGrid) -> FloatArray:
    """Interpolate what CLM5's nodes have to the nodes of a grid.

    Parameters
    ----------
    values : ndarray, shape (cell, 20, month)
        Any unit.
    grid : SoilGrid

    Returns
    -------
    ndarray, shape (cell, layers, month)
        Constant above CLM5's first node and below its last.

    Examples
    --------
    >>> from proda_lib.soil_grid import CLM45
    >>> at_nodes(CLM5.node[None, :, None], CLM45)[0, 1:3, 0].round(4).tolist()
    [0.0279, 0.0623]
    """
    upper = np.clip(np.searchsorted(CLM5.node, grid.node), 1, CLM5.layers - 1)
    lower = upper - 1
    share = (grid.node - CLM5.node[lower]) / (CLM5.node[upper] - CLM5.node[lower])
    share = np.clip(share, 0, 1)[:, None]
    return (1 - share) * values[:, lower] + share * values[:, upper]


def layer_means(values: FloatArray, grid: SoilGrid) -> FloatArray:
    """Average what CLM5's layers have over the layers of a grid.

    Parameters
    ----------
    values : ndarray, shape (..., 20)
        Constant in each layer, any unit.
    grid : SoilGrid
        Within CLM5's 8.6 m.

    Returns
    -------
    ndarray, shape (..., layers)

    Examples
    --------
    >>> from proda_lib.soil_grid import CLM45
    >>> layer_means(np.full(20, 40.0), CLM45).round(6).tolist() == [40.0] * 10
    True
    """
    bottom = np.minimum(grid.interface[:, None], CLM5.interface)
    overlap = np.clip(bottom - np.maximum(grid.top[:, None], CLM5.top), 0, None)
    return values @ (overlap / grid.thickness[:, None]).T


def _whole_input(density: FloatArray, grid: SoilGrid) -> FloatArray:
    """Average input by layer, gC m-3 yr-1; what enters below the grid enters its last layer."""
    means = layer_means(density, grid)
    below = density @ CLM5.thickness - means @ grid.thickness
    means[..., -1] += below / grid.thickness[-1]
    return means


def _bedrock(layer: FloatArray, grid: SoilGrid) -> FloatArray:
    bottom = np.concatenate([[np.nan], CLM5.interface])[np.nan_to_num(layer).astype(int)]
    return np.where(np.isnan(layer), np.nan, layer_containing(bottom, grid))
