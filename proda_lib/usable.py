"""Which profiles can be assimilated at all, and why others cannot."""

from __future__ import annotations

import numpy as np
import xarray as xr
from numpy.typing import NDArray

__all__ = ["unusable"]

_FORCING = ("soil_temperature", "water_scalar", "oxygen_scalar", "nitrogen_scalar", "litter_input")


def unusable(sites: xr.Dataset, *, single: bool = True) -> NDArray[np.object_]:
    """Return why each site cannot be assimilated; "" where it can.

    Parameters
    ----------
    sites : Dataset
        In the common form.
    single : bool
        Whether profiles of one observation may be used. The chapter and the original code leave
        them out: its efficiency has no meaning there.

    Examples
    --------
    >>> soc = xr.DataArray([[5000.0, 900.0], [5000.0, np.nan]], dims=("site", "observation"))
    >>> unusable(xr.Dataset({"observed_soc": soc, "observed_depth": soc / 5000}), single=False)
    array(['', 'single depth'], dtype=object)
    """
    observed = sites["observed_soc"].values
    count = np.isfinite(observed).sum(axis=1)
    reasons = np.full(len(observed), "", dtype=object)
    gaps = np.zeros(len(observed), dtype=bool)
    for name in _FORCING:
        if name in sites:
            gaps |= ~np.isfinite(sites[name].values.reshape(len(observed), -1)).all(axis=1)
    litter = sites["litter_input"].values if "litter_input" in sites else np.ones(observed.shape)
    tests = {
        "no observation": count == 0,
        "observed SOC not above 0": (observed <= 0).any(axis=1),
        "depth or SOC of an observation missing": (
            np.isfinite(observed) != np.isfinite(sites["observed_depth"].values)
        ).any(axis=1),
        "forcing incomplete": gaps,
        "no carbon input": ~(litter.reshape(len(observed), -1) > 0).any(axis=1),
        "single depth": (count == 1) & (not single),
    }
    for reason, holds in tests.items():
        reasons[(reasons == "") & holds] = reason
    return reasons
