"""What truly controls the twin's parameters: its recipe, with some of the environment exchanged.

The truth of the twin is a sum of named terms of the environment and hidden fields that no covariate
shows (`proda_lib.studies.twin.truth`). Whoever knew the terms, but not the fields, would have a
perfect map of the parameters; permuting what goes into that map is the fairest judge of an
importance that was learned.
"""

from __future__ import annotations

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit

from proda_lib.covariate_groups import GROUPS
from proda_lib.nearest import check_known
from proda_lib.studies.twin import truth
from proda_lib.studies.twin.landscape import landscape
from proda_lib.studies.twin.tables import table
from proda_lib.studies.twin.vegetation import CLASSES

__all__ = ["DRIVER_OF", "GROUP_OF_DRIVER", "Recipe"]

FloatArray = NDArray[np.float64]

#: Group of each driver of the truth, by `proda_lib.covariate_groups.GROUPS`. Loess is seen in silt,
#: weathering comes from climate, relief has no covariate and goes with elevation.
GROUP_OF_DRIVER: dict[str, str] = {
    **dict.fromkeys(("clay", "subsoil_clay", "sand", "coarse_fragments", "loess"), "texture"),
    "alkaline": "chemical",
    **dict.fromkeys(("warm", "humid", "rain_seasonality", "weathered"), "climate"),
    "productive": "vegetation",
    **dict.fromkeys((name.replace(" ", "_") for name in CLASSES), "vegetation"),
    **dict.fromkeys(("elevation", "relief"), "geography"),
}

#: Covariates that the truth reads itself, each as one driver; all others only go with these.
DRIVER_OF: dict[str, str] = {
    "BIO1": "warm",
    "BIO15": "rain_seasonality",
    "Clay_Content_0cm": "clay",
    "Clay_Content_100cm": "subsoil_clay",
    "Sand_Content_0cm": "sand",
    "Coarse_Fragments_v_0cm": "coarse_fragments",
    "pH_Water_0cm": "alkaline",
    "cesm2_npp": "productive",
    "Elevation": "elevation",
}


class Recipe:
    """The truth of places without its hidden fields.

    Parameters
    ----------
    places : Dataset
        n sites or cells of the twin, with lon, lat and covariates.

    Attributes
    ----------
    driver : dict of str to ndarray, shape (n,)
        The environment as the truth reads it.

    Raises
    ------
    ValueError
        If the places are not the twin's: their elevation differs from that of its landscape.

    Examples
    --------
    >>> from proda_lib import studies
    >>> found = Recipe(studies.load("twin", "smoke").sites.isel(site=slice(2)))
    >>> found.unit().shape, found.exchanged(("climate",), [[1, 0], [0, 1]]).shape
    ((2, 21), (2, 2, 21))
    """

    def __init__(self, places: xr.Dataset) -> None:
        self.driver = truth.drivers(landscape(places["lon"].values, places["lat"].values))
        self._covariates = places["covariates"]
        given = self._covariates.sel(covariate="Elevation").values / 1000
        if not np.allclose(given, self.driver["elevation"], atol=1e-6):
            raise ValueError(
                "the places are not the twin's, whose recipe alone is known: give its own"
            )

    def unit(self, driver: dict[str, FloatArray] | None = None) -> FloatArray:
        """Return positions in the prior range by the environment alone, shape (n, 21)."""
        spec = table("truth")
        eta = truth.base() + truth.effect(self.driver if driver is None else driver)
        return spec["lower"] + (spec["upper"] - spec["lower"]) * expit(eta)

    def exchanged(self, groups: tuple[str, ...], orders: ArrayLike) -> FloatArray:
        """Take the drivers of some groups from other places; shape (repeat, n, 21).

        Parameters
        ----------
        groups : tuple of str
            Of `proda_lib.covariate_groups.GROUPS`.
        orders : array_like of int, shape (repeat, n)
            As in `proda_lib.fold_networks.FoldNetworks.exchanged`.
        """
        for group in groups:
            check_known("group", group, GROUPS)
        moved = [name for name, group in GROUP_OF_DRIVER.items() if group in groups]
        return np.array(
            [
                self.unit(self.driver | {name: self.driver[name][order] for name in moved})
                for order in np.asarray(orders)
            ]
        )

    def with_value(self, covariate: str, value: float) -> FloatArray:
        """Return positions in the prior range if all places had one value, shape (n, 21).

        What the truth does not read itself changes nothing (see `DRIVER_OF`). Between values that
        places have, the driver is interpolated.
        """
        check_known("covariate", covariate, map(str, self._covariates["covariate"].values))
        if covariate not in DRIVER_OF:
            return self.unit()
        name = DRIVER_OF[covariate]
        there = self._covariates.sel(covariate=covariate).values
        order = np.argsort(there)
        one = np.interp(value, there[order], self.driver[name][order])
        return self.unit(self.driver | {name: np.full(len(there), one)})
