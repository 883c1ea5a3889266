"""The study `newyork`: real soil profiles of WoSIS in and around New York State.

1,406 profiles with monthly CLM5 forcing on 20 layers and 38 environmental covariates, and 132
half-degree cells to map, as published with BINN (Hardyxu8067/BINN_Demo). Forcing comes on CLM's
cells, so that neighbours share it: only 105 forcings are distinct.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from proda_lib.studies.newyork.source import (
    Source,
    covariate_table,
    read_grid,
    read_sites,
)
from proda_lib.studies.observations import (
    IMPLAUSIBLE_SOC,
    common_layers,
    trim,
    usable,
    usable_cells,
)
from proda_lib.studies.schema import described
from proda_lib.studies.study import Study, StudyInfo

__all__ = ["IMPLAUSIBLE_SOC", "INFO", "common_layers", "covariate_table", "make"]

INFO = StudyInfo(
    name="newyork",
    title="New York, real profiles",
    synthetic=False,
    about=(
        "Soil profiles of the World Soil Information Service (WoSIS) in and around New York State, "
        "with the monthly climatology of a CLM5 spin-up at each profile and 38 environmental "
        "covariates, and half-degree cells with the same forcing and covariates to map."
    ),
    licence=(
        "The source repository carries no licence file; its parent, Hardyxu8067/BINN, is MIT. "
        "The files are fetched from their source and not redistributed here. WoSIS snapshots "
        "are published by ISRIC; their terms apply to the profiles."
    ),
    citation=(
        "Data files: Hardyxu8067/BINN_Demo, commit a1c5e0e. Profiles: Batjes, N. H., Ribeiro, E. "
        "and van Oostrum, A. (2020), Standardised soil profile data to support global mapping "
        "and modelling (WoSIS snapshot 2019), Earth System Science Data 12, 299, "
        "doi:10.5194/essd-12-299-2020."
    ),
    weaknesses=(
        "Only 105 forcings are distinct: differences between neighbours can come from covariates "
        "alone.",
        "The region is small and humid; no cell has permafrost, so frozen soil is not tested.",
        "Profiles at one place differ among themselves by a standard deviation of about 0.38 in "
        "the logarithm of SOC: no model can do better than that.",
        "Some layers lie deeper than the model's bedrock.",
        "The layered carbon inputs that the CLM5 default run uses are not part of the data.",
        "Sampling dates are not part of the data: SOC is compared with a steady state.",
    ),
)


def make(size: str, soil_grid: str = "CLM5") -> Study:
    """Read the study from its files.

    All profiles that have forcing, some carbon input and at least one positive observation are
    used. Everything else is counted in `exclusions`. Size "smoke" takes `_spread` of them.

    Parameters
    ----------
    size : {"smoke", "class", "paper"}
        "class" and "paper" have the same sites: all usable ones.
    soil_grid : {"CLM5"}
        The forcing exists on CLM5's layers only.

    Returns
    -------
    Study
        Beyond the schema, `sites` has `forcing_id`, `location_id`, `source_row`,
        `complete_covariates` and `zero_depth` per site, `below_bedrock` and `implausible` per
        observation; `grid` has `source_row` and `complete_covariates`.
    """
    from proda_lib.studies import download, sizes

    if soil_grid not in INFO.soil_grids:
        raise ValueError(f"study 'newyork' has forcing on {INFO.soil_grids}, not on {soil_grid!r}")
    row = sizes(INFO.name)[size]
    source = Source(download.fetch(INFO.name))
    sites, exclusions = usable(read_sites(source))
    grid, left_out = usable_cells(read_grid(source))
    if row["sites"] < sites.sizes["site"]:
        layers = np.isfinite(sites.observed_soc).sum("observation").values
        sites = trim(sites.isel(site=_spread(layers, row["sites"], row["seed"])))
    counts = pd.concat([exclusions, left_out], ignore_index=True)
    return Study(INFO, size, described(sites), described(grid), counts)


def _spread(layers: NDArray[np.int64], number: int, seed: int) -> NDArray[np.int64]:
    """Choose places that cover the numbers of layers: evenly spaced ranks, ties in random order.

    Returns sorted indices, the shallowest-sampled and the most finely sampled profile included.
    """
    shuffled = np.random.default_rng(seed).permutation(len(layers))
    ranked = shuffled[np.argsort(layers[shuffled], kind="stable")]
    return np.sort(ranked[np.linspace(0, len(ranked) - 1, number).round().astype(int)])
