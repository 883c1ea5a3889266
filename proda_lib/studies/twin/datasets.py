"""The twin's Datasets: grid, sites and truth, in the common form of all studies."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from proda_lib import steady_state
from proda_lib.parameters import NAMES, PARAMETERS, PRODA
from proda_lib.soil_grid import CLM5, SoilGrid
from proda_lib.studies.cells import cell_area
from proda_lib.studies.schema import below_bedrock, variable
from proda_lib.studies.twin import sampling
from proda_lib.studies.twin.covariates import covariates
from proda_lib.studies.twin.landscape import Landscape, forcing, land, landscape
from proda_lib.studies.twin.truth import unit_parameters
from proda_lib.studies.twin.vegetation import CLASSES

__all__ = ["Sample", "grid_dataset", "sample", "sites_dataset", "truth_dataset"]

FloatArray = NDArray[np.float64]

_SOC = "gC m-3"


@cache
def _cell_forcing(grid: SoilGrid) -> xr.Dataset:
    return forcing(land(), grid)


@cache
def _cell_truth() -> tuple[FloatArray, FloatArray]:
    """Return unit parameters and soil carbon of all cells, on the 20-layer grid."""
    unit = unit_parameters(land())
    return unit, steady_state.soil_carbon(PRODA.to_physical(unit), _cell_forcing(CLM5))


@dataclass(frozen=True, eq=False)
class Sample:
    """The sites of one size, their truth and what was measured there.

    Attributes
    ----------
    view : Landscape
        Evaluated at the sites themselves.
    cell : ndarray of int, shape (site,)
        The nearest cell, whose forcing the site takes.
    unit : ndarray, shape (site, parameter)
        True parameters on the unit prior box.
    soc : ndarray, shape (site, layer)
        True soil organic carbon on the 20-layer grid, gC m-3.
    depth, soc_at_depth : ndarray, shape (site, observation)
        m, and the true soil organic carbon there, gC m-3.
    observed : Observations
    """

    view: Landscape
    cell: NDArray[np.int64]
    unit: FloatArray
    soc: FloatArray
    depth: FloatArray
    soc_at_depth: FloatArray
    observed: sampling.Observations


def _label(row: str, values: np.ndarray, long_name: str) -> xr.Variable:
    return xr.Variable((row,), values, {"units": "1", "long_name": long_name})


def sample(count: int) -> Sample:
    """Visit the first sites: evaluate the landscape, the true parameters and the true carbon there.

    Truth and observations always come from the 20-layer model, whatever grid is studied.

    Parameters
    ----------
    count : int
        Number of sites.
    """
    lon, lat, cell = sampling.site_positions(count)
    view = landscape(lon, lat)
    unit = unit_parameters(view, sampling.nugget(count, len(NAMES)))
    physical = PRODA.to_physical(unit)
    sites = _cell_forcing(CLM5).isel(cell=cell).rename(cell="site")
    depth = sampling.profile_depths(CLM5.interface[sites.bedrock_layer.values - 1])
    sites["observed_depth"] = variable("observed_depth", "site", depth)
    soc = steady_state.soil_carbon(physical, sites)
    at_depth = steady_state.soil_carbon_at_depth(physical, sites)
    observed = sampling.observe(at_depth, depth, view.vegetation.number)
    return Sample(view, cell, unit, soc, depth, at_depth, observed)


def _places(data: xr.Dataset, view: Landscape, row: str) -> xr.Dataset:
    """Add to a forcing what both sites and cells have: position, covariates, vegetation."""
    data = data.assign(covariates=covariates(view, row))
    names = np.array(CLASSES)[view.vegetation.number]
    data["vegetation_type"] = _label(row, names, "vegetation class of section 37.5")
    return data.assign_coords(
        {name: variable(name, row, getattr(view.places, name)) for name in ("lon", "lat")}
    )


def grid_dataset(grid: SoilGrid) -> xr.Dataset:
    """Return the land cells with forcing and covariates, dimension `cell`.

    Parameters
    ----------
    grid : SoilGrid
        CLM5 or CLM45: layers of the forcing.
    """
    data = _places(_cell_forcing(grid), land(), "cell")
    data["area"] = variable("area", "cell", cell_area(land().places.lat))
    return data


def sites_dataset(visited: Sample, grid: SoilGrid) -> xr.Dataset:
    """Return the sites with forcing, covariates and observations, dimension `site`.

    Parameters
    ----------
    visited : Sample
    grid : SoilGrid
        CLM5 or CLM45: layers of the forcing. Observations are the same on both.
    """
    data = _cell_forcing(grid).isel(cell=visited.cell).rename(cell="site")
    data = _places(data, visited.view, "site")
    data["observed_depth"] = variable("observed_depth", "site", visited.depth)
    data["observed_soc"] = variable("observed_soc", "site", visited.observed.soc)
    data["below_bedrock"] = below_bedrock(data)
    data["forcing_id"] = _label("site", visited.cell, "number of the cell whose forcing is taken")
    number = _label("site", np.arange(len(visited.cell)), "number of the made-up profile")
    return data.assign_coords(profile_id=number)


def _parameters(row: str, unit: FloatArray) -> dict[str, xr.Variable]:
    dims = (row, "parameter")
    name = f"{row}_parameters"
    physical = {"units": "see parameter_units", "long_name": "true parameters"}
    scaled = {"units": "1", "long_name": "true parameters on the unit prior box"}
    return {
        name: xr.Variable(dims, PRODA.to_physical(unit), physical),
        f"{name}_unit": xr.Variable(dims, unit, scaled),
    }


def truth_dataset(visited: Sample) -> xr.Dataset:
    """Return what no real study knows: true parameters and true soil carbon.

    Parameters
    ----------
    visited : Sample

    Returns
    -------
    Dataset
        site_parameters, cell_parameters (physical units of the PRODA box) and the same with
        `_unit` (0 to 1); site_soil_carbon, cell_soil_carbon (20 layers, gC m-3);
        observed_soc_noiseless (gC m-3); organic_rich (which profiles are outliers).
    """
    cell_unit, cell_soc = _cell_truth()
    carbon = {"units": _SOC, "long_name": "true soil organic carbon"}
    noiseless = {"units": _SOC, "long_name": "true soil organic carbon at the observed depths"}
    rich = "profile made organic-rich beyond what the model can give"
    variables = {
        **_parameters("site", visited.unit),
        **_parameters("cell", cell_unit),
        "site_soil_carbon": xr.Variable(("site", "layer"), visited.soc, carbon),
        "cell_soil_carbon": xr.Variable(("cell", "layer"), cell_soc, carbon),
        "observed_soc_noiseless": xr.Variable(
            ("site", "observation"), visited.soc_at_depth, noiseless
        ),
        "organic_rich": _label("site", visited.observed.organic_rich, rich),
    }
    coords = {
        "parameter": list(NAMES),
        "parameter_units": ("parameter", [parameter.unit for parameter in PARAMETERS]),
        "layer": np.arange(1, CLM5.layers + 1),
        "depth": ("layer", CLM5.node, {"units": "m", "long_name": "depth of the layer node"}),
    }
    return xr.Dataset(variables, coords, {"soil_grid": CLM5.name})
