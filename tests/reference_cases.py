"""The reference cases A-D: invented forcing with results of the original functions.

Made by running the original MATLAB functions in Octave 7.3 (see tests/golden/README.md). `sites`
builds the forcing in the common form, so that the same Dataset goes through the engine.
"""

from __future__ import annotations

import numpy as np
import xarray as xr

from proda_lib.parameters import CLM5_DEFAULT, PRODA
from proda_lib.soil_grid import CLM5

MONTH = np.arange(1, 13)
Z = CLM5.node[:, None]
WATER = np.clip(0.45 + 0.25 * np.exp(-Z / 3) * np.cos(2 * np.pi * (MONTH - 1) / 12), 0.05, 1)
WARM = 278.15 + 12 * np.exp(-Z / 2) * np.sin(2 * np.pi * (MONTH - 4) / 12)
#: CLM5's defaults as rounded in the reference run (the parameter file was not read there).
ROUNDED = CLM5_DEFAULT.copy()
ROUNDED[[4, 5, 6, 7, 9]] = 3.3333, 0.0541, 0.2041, 0.1370, 222.222
RISING = PRODA.to_physical(0.2 + 0.03 * np.arange(1, 22))

#: temperature (K), water scalar, bedrock layer, thaw depth now and last year (m), parameters
CASES = {
    "A": (np.full((20, 12), 283.15), np.full((20, 12), 0.6), 20, 42.0, 42.0,
          PRODA.to_physical(np.full(21, 0.5))),
    "B": (WARM, WATER, 12, 42.0, 42.0, RISING),
    "C": (WARM - 8, WATER, 15, 0.8, 0.6, RISING),
    "D": (WARM, WATER, 12, 42.0, 42.0, ROUNDED),
}  # fmt: skip


def sites(case: str) -> xr.Dataset:
    """One reference case as a sites Dataset with one row."""
    temperature, water, bedrock, thaw, thaw_last_year, _ = CASES[case]
    litter = np.array([10.0, 8.0, 12.0, 6.0])[:, None] * np.ones(12)
    month = np.ones(12)
    data = {
        "soil_temperature": (("layer", "month"), temperature, "K"),
        "water_scalar": (("layer", "month"), water, "1"),
        "oxygen_scalar": (("layer", "month"), np.ones((20, 12)), "1"),
        "nitrogen_scalar": (("layer", "month"), np.full((20, 12), 0.9), "1"),
        "sand": (("layer",), np.full(20, 40.0), "percent"),
        "active_layer_depth": (("month",), thaw * month, "m"),
        "active_layer_depth_last_year": (("month",), thaw_last_year * month, "m"),
        "bedrock_layer": ((), bedrock, "1"),
        "litter_input": (("litter", "month"), litter, "gC m-2 month-1"),
        "lon": ((), -100.0, "degrees_east"),
        "lat": ((), 40.0, "degrees_north"),
        "covariates": (("covariate",), np.zeros(1), "see covariate_units"),
        "observed_depth": (("observation",), [0.05, 0.30, 1.00], "m"),
        "observed_soc": (("observation",), [3e4, 2e4, 1e4], "gC m-3"),
    }
    if case == "D":
        shape = np.exp(-CLM5.node / 0.2)
        share = shape / (shape * CLM5.thickness).sum()
        layered = litter.sum(axis=1)[:, None] * share
        data["layered_litter_input"] = (("litter", "layer"), layered, "gC m-3 yr-1")
    variables = {
        name: (("site", *dims), np.array(values, dtype=float)[None], {"units": units})
        for name, (dims, values, units) in data.items()
    }
    dataset = xr.Dataset(variables, attrs={"soil_grid": "CLM5"})
    return dataset.assign_coords(profile_id=("site", [case])).set_coords(["lon", "lat"])
