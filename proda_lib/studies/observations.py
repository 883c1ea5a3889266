"""Observations of real studies: their common form, and which can be used."""

from __future__ import annotations

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from proda_lib.studies.schema import VARIABLES, below_bedrock, variable
from proda_lib.studies.study import EXCLUSION_COLUMNS

__all__ = [
    "IMPLAUSIBLE_SOC",
    "common_layers",
    "trim",
    "usable",
    "usable_cells",
    "with_observations",
]

FloatArray = NDArray[np.float64]

#: Soil organic carbon above this is flagged (gC m-3). A soil of nothing but organic matter with
#: 58 % carbon (van Bemmelen's factor) would need a bulk density above 1,000 kg m-3.
IMPLAUSIBLE_SOC = 580_000.0


def with_observations(sites: xr.Dataset, depth: FloatArray, soc: FloatArray) -> xr.Dataset:
    """Add observations (site, observation) and what follows from them.

    Parameters
    ----------
    sites : Dataset
        With `bedrock_layer`.
    depth, soc : ndarray, shape (site, observation)
        m and gC m-3; NaN where there is none.

    Returns
    -------
    Dataset
        With `observed_depth`, `observed_soc`, `below_bedrock` (the depth lies under the lower
        interface of the bedrock layer) and `implausible`. Order is that of the source.
    """
    sites = sites.assign(
        observed_depth=variable("observed_depth", "site", depth),
        observed_soc=variable("observed_soc", "site", soc),
        implausible=(("site", "observation"), soc > IMPLAUSIBLE_SOC, {"units": "1"}),
    )
    return sites.assign(below_bedrock=below_bedrock(sites))


def usable(sites: xr.Dataset, *, single: bool = True) -> tuple[xr.Dataset, pd.DataFrame]:
    """Leave out what cannot be used, and count it; each profile or layer counts once.

    Parameters
    ----------
    sites : Dataset
        With `forcing_id` (-1 where forcing is incomplete), `litter_input`, `bedrock_layer` and
        the observations.
    single : bool
        Whether profiles with a single positive observation are used.

    Returns
    -------
    sites : Dataset
        With `zero_depth` (site, zero): depths of the layers left out for their SOC of 0.
    exclusions : DataFrame
        Columns reason, profiles, layers, cells.
    """
    soc, depth = sites.observed_soc.values, sites.observed_depth.values
    recorded = np.isfinite(soc)
    half = recorded != np.isfinite(depth)
    zero = recorded & (soc == 0) & ~half
    good = recorded & ~half & ~zero
    left = np.ones(len(soc), dtype=bool)
    rows: list[tuple[str, int, int, int]] = []
    alone = good.sum(axis=1) == 1
    for reason, bad in (
        ("profile without complete forcing", sites.forcing_id.values < 0),
        ("profile without carbon input", sites.litter_input.sum(("litter", "month")).values <= 0),
        ("profile without any observation", ~(recorded | half).any(axis=1)),
        ("profile without a positive observation", ~good.any(axis=1)),
        *(() if single else (("profile with a single positive observation", alone),)),
    ):
        now = left & bad
        rows.append((reason, int(now.sum()), int(recorded[now].sum()), 0))
        left &= ~bad
    rows.append(("layer with SOC or depth missing", 0, int(half[left].sum()), 0))
    rows.append(("layer with SOC of exactly 0", 0, int(zero[left].sum()), 0))
    zero_depth = _closed_up(np.where(zero, depth, np.nan), zero)
    kept = with_observations(
        sites.drop_dims("observation"), _closed_up(depth, good), _closed_up(soc, good)
    )
    text = {"units": "m", "long_name": "depths of the layers left out for their SOC of 0"}
    kept["zero_depth"] = (("site", "zero"), zero_depth, text)
    return _whole(trim(kept.isel(site=np.flatnonzero(left)))), pd.DataFrame(
        rows, columns=EXCLUSION_COLUMNS
    )


def usable_cells(grid: xr.Dataset) -> tuple[xr.Dataset, pd.DataFrame]:
    """Leave out cells without complete forcing, and count them (as `usable` does)."""
    names = [v.name for v in VARIABLES if v.dims and not v.gaps and v.name in grid]
    whole = np.ones(grid.sizes["cell"], dtype=bool)
    for name in names:
        whole &= ~np.isnan(grid[name].values.reshape(len(whole), -1)).any(axis=1)
    row = ("cell of the map without complete forcing", 0, 0, int((~whole).sum()))
    return _whole(grid.isel(cell=np.flatnonzero(whole))), pd.DataFrame(
        [row], columns=EXCLUSION_COLUMNS
    )


def common_layers(sites: xr.Dataset) -> xr.Dataset:
    """Return the profiles and layers on which published scores were computed.

    Profiles with all covariates, and with their layers of exactly zero SOC, which `usable` leaves
    out, appended at the end: 1,360 profiles with 8,481 layers at sizes class and paper.

    Parameters
    ----------
    sites : Dataset
        Of the study `newyork`.

    Returns
    -------
    Dataset
        The same variables but `zero_depth`, for its layers are observations again.
    """
    chosen = sites.isel(site=np.flatnonzero(sites.complete_covariates.values))
    zero_depth = chosen.zero_depth.values
    zero_soc = np.where(np.isnan(zero_depth), np.nan, 0.0)
    depth = np.concatenate([chosen.observed_depth.values, zero_depth], axis=1)
    soc = np.concatenate([chosen.observed_soc.values, zero_soc], axis=1)
    there = np.isfinite(soc)
    chosen = chosen.drop_dims(["observation", "zero"])
    return with_observations(chosen, _closed_up(depth, there), _closed_up(soc, there))


def trim(sites: xr.Dataset) -> xr.Dataset:
    """Cut columns in which no site has an observation."""
    width = int(np.isfinite(sites.observed_soc.values).sum(axis=1).max())
    return sites.isel(observation=slice(0, max(1, width)))


def _closed_up(values: FloatArray, there: NDArray[np.bool_]) -> FloatArray:
    """Move what is there to the left, in its order; NaN fills the rest; cut empty columns."""
    order = np.argsort(~there, axis=1, kind="stable")
    width = max(1, int(there.sum(axis=1).max()))
    return np.take_along_axis(np.where(there, values, np.nan), order, axis=1)[:, :width]


def _whole(data: xr.Dataset) -> xr.Dataset:
    """Make the number of the bedrock layer an integer, now that no gap is left."""
    attrs = data.bedrock_layer.attrs
    data["bedrock_layer"] = data.bedrock_layer.astype(np.int64).assign_attrs(attrs)
    return data
