"""Observed profiles to stocks over depth intervals, with a rule for what was not sampled.

Observations are the middles of sampled layers; `proda_lib.profile_layers` puts boundaries between
them. Whatever is integrated at the same depths by the same rule can be compared like with like:
pass modelled SOC as `values`.

The default rule was chosen by the true stocks of the synthetic study, where it can be: an interval
counts if half of its soil was sampled; the rest declines exponentially as through the last three
layers. Shorter profiles have a larger error, and demanding more leaves profiles out without making
the others better. What lies above a profile that begins too deep was not sampled either.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from proda_lib.nearest import check_allowed
from proda_lib.profile_curve import Curve, equal_area_spline, uniform_layers
from proda_lib.profile_layers import Boundaries, layer_bounds
from proda_lib.soil_grid import GRIDS
from proda_lib.stocks import INTERVALS, interval_label

__all__ = ["observed_stocks"]

FloatArray = NDArray[np.float64]
Method = Literal["layers", "spline"]
Tail = Literal["exponential", "last", "none"]

#: Deepest middle of a first layer that begins at the surface, m, unless told otherwise. Of New
#: York's profiles with a deeper one more than half cannot have touching layers from the surface (of
#: those up to 0.1 m one in thirteen), and the boundaries of the others are whole inches, in which
#: many soils were described, hardly more often than by chance.
_SURFACE = 0.2
#: Share of an interval's soil that must have been sampled, unless told otherwise.
_REACH = 0.5
#: Deepest layers whose SOC says how it declines below them.
_DECLINE_LAYERS = 3
#: Rounding of middles, m: boundaries may miss a depth by it.
_TOLERANCE = 1e-3


class _Profiles(NamedTuple):
    """Profiles from the top down, shape (n, layer) each but `touching` (n,); NaN pads."""

    depth: FloatArray
    soc: FloatArray
    bounds: FloatArray
    touching: NDArray[np.bool_]


def observed_stocks(
    sites: xr.Dataset,
    intervals: Sequence[tuple[float, float]] = INTERVALS,
    *,
    values: ArrayLike | None = None,
    method: Method = "layers",
    reach: float = _REACH,
    tail: Tail = "exponential",
    bedrock: Literal["model", "ignored"] = "model",
    surface: float = _SURFACE,
    boundaries: Boundaries = "touching",
    smoothing: float = 0.1,
) -> xr.Dataset:
    """Integrate each site's profile over depth intervals.

    Parameters
    ----------
    sites : Dataset
        With `observed_depth` (site, observation) and, unless `values` are given, `observed_soc`.
    intervals : sequence of (upper, lower)
        m.
    values : array_like, shape (site, observation), optional
        Other SOC at the same depths, gC m-3, such as a model's, integrated by the same rule; where
        there is no observation it is not used.
    method : {"layers", "spline"}
        One value per layer, or the equal-area spline of `proda_lib.profile_curve`; where that falls
        below 0 it counts as 0.
    reach : float
        Share of the interval's soil that must have been sampled, 0 to 1; NaN where it is less.
    tail : {"exponential", "last", "none"}
        What lies in the interval below the profile: an exponential decline as through the last
        three layers (no decline where SOC grows with depth, or a profile has one layer), the last
        layer's value, or nothing. Above a profile that begins too deep lies the first layer's
        value, or nothing.
    bedrock : {"model", "ignored"}
        "model": nothing lies below the bedrock layer of the model's column, nor is it asked for,
        unless the profile itself goes deeper; an interval wholly in rock holds 0.
    surface : float
        Deepest middle of a first layer that begins at the surface, m: above a profile that begins
        deeper nothing was sampled.
    boundaries : {"touching", "halfway"}
        As in `profile_layers.layer_bounds`.
    smoothing : float
        Of the spline, cm.

    Returns
    -------
    Dataset
        `stock` (site, interval), gC m-2, NaN where unknown; `covered` (site, interval), the share
        sampled; `bounds` (site, boundary), of the sampled layers, m, NaN pads; `top` and `base`
        (site), the first and the last of them; `boundaries` (site), "touching" where the depths are
        consistent with touching layers, else "halfway".

    Raises
    ------
    ValueError
        If an option is not allowed, an interval is empty, the shapes do not fit, or values lack an
        observed depth.

    Examples
    --------
    >>> depth = (("site", "observation"), [[0.1, 0.5]])
    >>> one = xr.Dataset({"observed_depth": depth, "observed_soc": (depth[0], [[2e4, 1e4]])})
    >>> found = observed_stocks(one, [(0, 0.3), (0.3, 1.0)], tail="last")
    >>> found.stock.values.round(6).tolist(), found.covered.values.round(6).tolist()
    ([[5000.0, 7000.0]], [[1.0, 0.714286]])
    """
    check_allowed("method", method, ("layers", "spline"))
    check_allowed("tail", tail, ("exponential", "last", "none"))
    check_allowed("bedrock", bedrock, ("model", "ignored"))
    if not 0 <= reach <= 1:
        raise ValueError(f"reach is {reach:g}: give a share from 0 to 1")
    profiles = _profiles(sites, values, surface, boundaries)
    top, base = profiles.bounds[:, 0], np.nan_to_num(np.nanmax(profiles.bounds, axis=1))
    floor = np.maximum(_rock(sites, bedrock), base)
    curve = uniform_layers(profiles.bounds, profiles.soc)
    if method == "spline":
        curve = equal_area_spline(profiles.bounds, profiles.soc, smoothing)
    columns = [_column(profiles, curve, ends, base, floor, tail) for ends in intervals]
    stock, covered = (np.stack(part, axis=1) for part in zip(*columns, strict=True))
    # Boundaries of rounded middles may end just above the interval's end.
    known = (covered >= reach - _TOLERANCE) & (base > 0)[:, None]
    found = _dataset(sites, intervals, np.where(known, stock, np.nan), covered)
    options = {"method": method, "tail": tail, "reach": reach, "bedrock": bedrock}
    ends = {name: ("site", end, {"units": "m"}) for name, end in (("top", top), ("base", base))}
    kind = ("site", np.where(profiles.touching, "touching", "halfway"))
    ends["bounds"] = (("site", "boundary"), profiles.bounds, {"units": "m"})
    return found.assign(**ends, boundaries=kind).assign_attrs(**options, surface=surface)


def _profiles(
    sites: xr.Dataset, values: ArrayLike | None, surface: float, boundaries: Boundaries
) -> _Profiles:
    """Return the profiles sorted by depth; observations at one depth become their mean."""
    depth = sites["observed_depth"].transpose("site", ...).values
    observed = np.zeros_like(depth)
    if "observed_soc" in sites:
        observed = sites["observed_soc"].transpose("site", ...).values
    elif values is None:
        raise ValueError("the sites have no observed_soc: give values at their depths instead")
    soc = np.array(observed if values is None else values, dtype=float)
    if soc.shape != depth.shape:
        raise ValueError(
            f"values have shape {soc.shape}, observed depths {depth.shape}: give one per depth"
        )
    there = np.isfinite(depth) & np.isfinite(observed)
    if lacking := int(np.isnan(soc[there]).sum()):
        raise ValueError(
            f"values are missing at {lacking} of {there.sum()} observations: give one wherever SOC "
            "was observed, or leave the profile out"
        )
    order = np.argsort(np.where(there, depth, np.inf), axis=1, kind="stable")
    depth, soc = (
        np.take_along_axis(np.where(there, a, np.nan), order, axis=1) for a in (depth, soc)
    )
    for row in np.nonzero((np.diff(depth, axis=1) == 0).any(axis=1))[0]:
        depth[row], soc[row] = _joined(depth[row], soc[row])
    bounds, touching = layer_bounds(depth, surface=surface, boundaries=boundaries)
    return _Profiles(depth, soc, bounds, touching)


def _joined(depth: FloatArray, soc: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Take the mean of what was observed at one depth."""
    there = np.isfinite(depth)
    distinct, which = np.unique(depth[there], return_inverse=True)
    mean = np.bincount(which, soc[there]) / np.bincount(which)
    pad = np.full(len(depth) - len(distinct), np.nan)
    return np.concatenate([distinct, pad]), np.concatenate([mean, pad])


def _rock(sites: xr.Dataset, bedrock: str) -> FloatArray:
    """Depth below which there is no soil, m, shape (site,); infinite where nothing says so."""
    if bedrock == "ignored" or "bedrock_layer" not in sites:
        return np.full(sites.sizes["site"], np.inf)
    interface = GRIDS[sites.attrs["soil_grid"]].interface
    return interface[sites["bedrock_layer"].values.astype(int) - 1]


def _column(
    profiles: _Profiles,
    curve: Curve,
    ends: tuple[float, float],
    base: FloatArray,
    floor: FloatArray,
    tail: Tail,
) -> tuple[FloatArray, FloatArray]:
    """Stock of one interval, gC m-2, and the share of its soil that was sampled, shape (n,)."""
    upper, lower = ends
    if not 0 <= upper < lower:
        raise ValueError(f"interval {upper:g} to {lower:g} m: give 0 <= upper < lower")
    bottom = np.maximum(np.minimum(lower, floor), upper)
    soil, top = bottom - upper, profiles.bounds[:, 0]
    sampled = np.maximum(np.minimum(base, bottom) - np.maximum(top, upper), 0)
    covered = np.where(soil > 0, sampled / np.where(soil > 0, soil, 1), 1.0)
    stock = curve.between(upper, lower, positive=True)
    if tail != "none":
        above = np.clip(top, upper, bottom) - upper
        stock = stock + np.where(above > 0, above * profiles.soc[:, 0], 0.0)
        stock = stock + _rest(profiles, np.clip(base, upper, bottom), bottom, base, tail)
    return stock, covered


def _rest(
    profiles: _Profiles, start: FloatArray, stop: FloatArray, base: FloatArray, tail: Tail
) -> FloatArray:
    """Stock from `start` to `stop`, below what was sampled, gC m-2, shape (n,)."""
    last = np.maximum(np.isfinite(profiles.depth).sum(axis=1) - 1, 0)
    row = np.arange(len(last))
    deepest, soc = profiles.depth[row, last], profiles.soc[row, last]
    if tail == "last":
        return np.where(base > 0, soc * (stop - start), 0.0)
    rate = _decline(profiles, last)
    thickness = np.where(rate > 0, -np.expm1(-rate * (stop - start)) / _nonzero(rate), stop - start)
    # An interval that ends above the deepest depth has no rest, and nothing to grow upwards.
    below = np.maximum(start - deepest, 0.0)
    return np.where(base > 0, soc * np.exp(-rate * below) * thickness, 0.0)


def _decline(profiles: _Profiles, last: NDArray[np.int_]) -> FloatArray:
    """Rate at which ln SOC falls with depth through the last layers, m-1, 0 or more, shape (n,)."""
    layer = np.arange(profiles.depth.shape[1])
    used = (layer <= last[:, None]) & (layer > last[:, None] - _DECLINE_LAYERS)
    used &= np.isfinite(profiles.soc)
    count = np.maximum(used.sum(axis=1, keepdims=True), 1)
    centred = []
    for values in (profiles.depth, np.log(np.maximum(profiles.soc, np.finfo(float).tiny))):
        values = np.where(used, values, 0.0)
        centred.append(np.where(used, values - values.sum(axis=1, keepdims=True) / count, 0.0))
    depth, log_soc = centred
    return np.maximum(-(depth * log_soc).sum(axis=1) / _nonzero((depth**2).sum(axis=1)), 0.0)


def _nonzero(values: FloatArray) -> FloatArray:
    return np.where(values == 0, 1.0, values)


def _dataset(
    sites: xr.Dataset,
    intervals: Sequence[tuple[float, float]],
    stock: FloatArray,
    covered: FloatArray,
) -> xr.Dataset:
    upper, lower = np.asarray(intervals, dtype=float).T
    rows = {
        name: ("site", sites[name].values, dict(sites[name].attrs))
        for name in ("profile_id", "lon", "lat")
        if name in sites.variables
    }
    metres = {"units": "m"}
    coords = {
        "interval": [interval_label(*ends) for ends in intervals],
        "upper": ("interval", upper, metres),
        "lower": ("interval", lower, metres),
        **rows,
    }
    dims = ("site", "interval")
    carbon = {"units": "gC m-2", "long_name": "soil organic carbon of the depth interval"}
    share = {"units": "1", "long_name": "share of the interval's soil that was sampled"}
    data = {"stock": (dims, stock, carbon), "covered": (dims, covered, share)}
    return xr.Dataset(data, coords)
