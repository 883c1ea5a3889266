"""Observed depths: reading a modelled profile where it was observed.

"linear" goes straight from node to node. "pchip" is the original's shape-preserving cubic (Fritsch
& Carlson 1980; Fritsch & Butland 1984). With bedrock closed only layers down to bedrock are read,
and depths beyond the nodes take the value of the nearest one; as published, all nodes are read
and pchip continues its end pieces.
"""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from proda_lib.compiled import jax
from proda_lib.soil_grid import GRIDS
from proda_lib.transport import Bedrock, require_bedrock

import jax.numpy as jnp  # isort: skip

__all__ = ["Interpolation", "Reading", "interpolate_to_depth", "read", "reading_of"]

FloatArray = NDArray[np.float64]
Interpolation = Literal["linear", "pchip"]


class Reading(NamedTuple):
    """Where profiles are read; one row per site, or one site.

    Attributes
    ----------
    over : ndarray of int, shape (..., observation)
        0-based layer whose node lies above the depth.
    share : ndarray, shape (..., observation)
        Position between this node and the next, 0 to 1; beyond where pchip continues. NaN pads.
    last : ndarray of int, shape (...), or None
        0-based last layer that is read, for pchip; None for linear.
    node : ndarray, shape (..., layers), or None
        Node depths, m, for pchip.
    """

    over: Any
    share: Any
    last: Any = None
    node: Any = None


def reading_of(
    sites: xr.Dataset,
    *,
    bedrock: Bedrock = "closed",
    interpolation: Interpolation = "linear",
) -> Reading:
    """Find where in the layers the observations of sites lie.

    Parameters
    ----------
    sites : Dataset
        With `observed_depth` (m, NaN pads) and `bedrock_layer`.

    Returns
    -------
    Reading
        One row per site.
    """
    require_bedrock(bedrock)
    if interpolation not in ("linear", "pchip"):
        raise ValueError(f"interpolation is {interpolation!r}, allowed are 'linear' and 'pchip'")
    node = GRIDS[sites.attrs["soil_grid"]].node
    depth = sites["observed_depth"].values
    last = np.full(len(depth), len(node) - 1)
    if bedrock == "closed":
        last = np.minimum(last, sites["bedrock_layer"].values.astype(int) - 1)
    if bedrock == "closed" or interpolation == "linear":
        depth = np.clip(depth, node[0], node[last][:, None])
    highest = np.maximum(last - 1, 0)[:, None]
    over = np.clip(np.searchsorted(node, depth) - 1, 0, highest)
    share = (depth - node[over]) / (node[over + 1] - node[over])
    if interpolation == "linear":
        return Reading(over, share)
    return Reading(over, share, last, np.tile(node, (len(depth), 1)))


def read(soil: Any, reading: Reading) -> jax.Array:
    """Read one site's soil carbon (layers,) at its depths, shape (observation,), same unit.

    NaN pads, with a derivative of 0, so that a cost that leaves it out has a gradient.
    """
    padded = jnp.isnan(reading.share)
    t = jnp.where(padded, 0.0, reading.share)
    return jnp.where(padded, jnp.nan, _between(soil, reading, t))


def _between(soil: Any, reading: Reading, t: Any) -> jax.Array:
    """Read soil carbon at position t between the nodes of a reading, 0 to 1."""
    upper, lower = soil[reading.over], soil[reading.over + 1]
    if reading.last is None:
        return (1 - t) * upper + t * lower
    slope = _slopes(soil, reading.node, reading.last)
    width = reading.node[reading.over + 1] - reading.node[reading.over]
    # Hermite's cubic through both nodes with both slopes.
    rise = lower - upper
    start = width * slope[reading.over] - rise
    end = rise - width * slope[reading.over + 1]
    cubic = upper + t * rise + t * (1 - t) * ((1 - t) * start + t * end)
    # A single live layer has no curve: its value holds everywhere.
    return jnp.where(reading.last > 0, cubic, upper)


def interpolate_to_depth(
    soil: ArrayLike,
    sites: xr.Dataset,
    *,
    bedrock: Bedrock = "closed",
    interpolation: Interpolation = "linear",
) -> FloatArray:
    """Read soil carbon of layers (n, layers) at the observed depths, same unit, (n, observation).

    NaN where a site has no further observation.
    """
    reading = reading_of(sites, bedrock=bedrock, interpolation=interpolation)
    return np.asarray(_read_all(jnp.asarray(soil), reading))


@jax.jit
def _read_all(soil: Any, reading: Reading) -> jax.Array:
    return jax.vmap(read)(soil, reading)


def _slopes(soil: Any, node: Any, last: Any) -> jax.Array:
    """Slopes of pchip at the nodes, those beyond `last` without meaning; shape (layers,).

    Inside: weighted harmonic mean of the neighbouring slopes, 0 at an extremum. At the ends: the
    three-point formula, limited so that the shape is kept (as MATLAB and SciPy do).
    """
    width = jnp.diff(node)
    steep = jnp.diff(soil) / width
    before, after = steep[:-1], steep[1:]
    monotone = before * after > 0
    near, far = width[:-1] + 2 * width[1:], 2 * width[:-1] + width[1:]
    inverse = near / jnp.where(monotone, before, 1.0) + far / jnp.where(monotone, after, 1.0)
    inside = jnp.where(monotone, (near + far) / inverse, 0.0)
    first = _end_slope(width[0], width[1], steep[0], steep[1], last > 1)
    final = _end_slope(width[last - 1], width[last - 2], steep[last - 1], steep[last - 2], last > 1)
    slope = jnp.concatenate([first[None], inside, inside[-1:]])
    return slope.at[last].set(final)


def _end_slope(width: Any, next_width: Any, steep: Any, next_steep: Any, curved: Any) -> jax.Array:
    """Slope at an end node; `steep` itself where there are only two nodes."""
    slope = ((2 * width + next_width) * steep - width * next_steep) / (width + next_width)
    slope = jnp.where(slope * steep <= 0, 0.0, slope)
    overshoots = (steep * next_steep <= 0) & (jnp.abs(slope) > 3 * jnp.abs(steep))
    return jnp.where(curved, jnp.where(overshoots, 3 * steep, slope), steep)
