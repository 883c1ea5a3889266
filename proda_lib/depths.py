"""Observed depths: reading a modelled profile where it was observed."""

from __future__ import annotations

from typing import Literal

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from proda_lib.soil_grid import GRIDS
from proda_lib.transport import Bedrock

__all__ = ["Interpolation", "interpolate_to_depth"]

FloatArray = NDArray[np.float64]
Interpolation = Literal["linear", "pchip"]


def interpolate_to_depth(
    soil: ArrayLike,
    sites: xr.Dataset,
    *,
    bedrock: Bedrock = "closed",
    interpolation: Interpolation = "linear",
) -> FloatArray:
    """Read soil carbon of layers at the observed depths (specification 3.6).

    With bedrock closed only layers down to bedrock are read, and depths outside their nodes take
    the value of the nearest node. "published" bedrock reads all nodes; there "pchip" continues the
    end pieces, as the original does.

    Parameters
    ----------
    soil : array_like, shape (n, layers)
        Soil organic carbon of layers, gC m-3.
    sites : Dataset
        With `observed_depth` (m) and `bedrock_layer`.
    interpolation : {"linear", "pchip"}

    Returns
    -------
    ndarray, shape (n, observation)
        gC m-3; NaN where `observed_depth` is NaN.
    """
    soil = np.asarray(soil, dtype=float)
    depth = sites["observed_depth"].values
    node = GRIDS[sites.attrs["soil_grid"]].node
    live = np.full(len(soil), len(node))
    if bedrock == "closed":
        live = np.minimum(sites["bedrock_layer"].values.astype(int), len(node))
    if bedrock == "closed" or interpolation == "linear":
        depth = np.clip(depth, node[0], node[live - 1][:, None])
    if interpolation == "linear":
        return _linear(soil, depth, node)
    if interpolation != "pchip":
        raise ValueError(f"interpolation is {interpolation!r}, allowed are 'linear' and 'pchip'")
    from scipy.interpolate import PchipInterpolator

    curves = (
        PchipInterpolator(node[:last], values[:last])(at)
        for last, values, at in zip(live, soil, depth, strict=True)
    )
    return np.array(list(curves))


def _linear(soil: FloatArray, depth: FloatArray, node: FloatArray) -> FloatArray:
    above = np.clip(np.searchsorted(node, depth) - 1, 0, len(node) - 2)
    weight = (depth - node[above]) / (node[above + 1] - node[above])
    upper = np.take_along_axis(soil, above, axis=1)
    lower = np.take_along_axis(soil, above + 1, axis=1)
    # The last live node may have an empty layer under it: its weight is 0, so nothing is mixed in.
    return (1 - weight) * upper + weight * lower
