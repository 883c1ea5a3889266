"""From a checked table to observations: depth (m) and organic carbon (gC m-3) of each layer."""

from __future__ import annotations

import numpy as np
import pandas as pd

from proda_lib.own_profiles.columns import COLUMNS
from proda_lib.own_profiles.read import ProfileTable

__all__ = ["LEFT_OUT", "left_out", "numbers", "observations", "soc_density"]

#: Why a layer is not used, in the order in which reasons count.
LEFT_OUT = (
    "layer above the soil surface",
    "layer without SOC",
    "layer without bulk density",
    "layer with SOC of exactly 0",
)


def numbers(table: ProfileTable) -> pd.DataFrame:
    r"""Return the documented columns of numbers as floats; NaN where there is none.

    Examples
    --------
    >>> from proda_lib.own_profiles.read import parse
    >>> numbers(parse("profile,lon\nA,7.5\nB,east\n")).lon.tolist()
    [7.5, nan]
    """
    values = {
        each.name: pd.to_numeric(_of(table.cells, each.name), errors="coerce")
        for each in COLUMNS
        if not each.text
    }
    found = pd.DataFrame(values, index=table.cells.index, dtype=float)
    return found.where(np.isfinite(found))


def _of(cells: pd.DataFrame, name: str) -> pd.Series:
    return cells[name] if name in cells else pd.Series("", index=cells.index)


def soc_density(values: pd.DataFrame) -> pd.Series:
    r"""Return the organic carbon of each layer, kg m-3; NaN where it is not known.

    As given in `soc_kg_m3`, else oc / 1000 x bulk density x (1 - coarse fraction), the bulk density
    that of fine earth; coarse fragments hold no carbon. The same formula as SOC stocks are made
    with from SoilGrids and WISE30sec (`data/README.md`).

    Examples
    --------
    >>> from proda_lib.own_profiles.read import parse
    >>> table = parse("oc_g_kg,bulk_density_kg_m3,coarse_fraction\n20,1300,0.1\n")
    >>> round(float(soc_density(numbers(table)).iloc[0]), 6)
    23.4
    """
    fine = 1 - values.coarse_fraction.fillna(0)
    formed = values.oc_g_kg / 1000 * values.bulk_density_kg_m3 * fine
    return values.soc_kg_m3.fillna(formed)


def left_out(values: pd.DataFrame) -> pd.Series:
    r"""Return why each layer is not used, one of `LEFT_OUT`, or an empty text.

    Examples
    --------
    >>> from proda_lib.own_profiles.read import parse
    >>> table = parse("upper_cm,lower_cm,soc_kg_m3\n-3,0,40\n0,10,30\n10,20,\n")
    >>> left_out(numbers(table)).tolist()
    ['layer above the soil surface', '', 'layer without SOC']
    """
    soc = soc_density(values)
    conditions = (
        values.upper_cm < 0,
        values.soc_kg_m3.isna() & values.oc_g_kg.isna(),
        soc.isna(),
        soc == 0,
    )
    reason = np.select(conditions, LEFT_OUT, default="")
    return pd.Series(reason, index=values.index)


def observations(table: ProfileTable) -> pd.DataFrame:
    """Return the layers that are used, in the order of the file's profiles and of depth.

    Parameters
    ----------
    table : ProfileTable
        Without errors (see `proda_lib.own_profiles.check.problems`).

    Returns
    -------
    DataFrame
        `profile`, `number` (of the profile in the file, from 0), `lon`, `lat` (degrees, -180 to
        180), `depth` (m, middle of the layer), `soc` (gC m-3); the index is the line of the file.

    Examples
    --------
    >>> from proda_lib import paths
    >>> from proda_lib.own_profiles.read import read
    >>> layers = observations(read(paths.data() / "profiles_template.csv"))
    >>> len(layers), float(layers.depth.iloc[0]), round(float(layers.soc.iloc[0]))
    (20, 0.05, 38171)
    """
    from proda_lib.studies.cells import west_of

    values = numbers(table)
    profile = table.cells["profile"]
    layers = pd.DataFrame(
        {
            "profile": profile,
            "number": pd.factorize(profile)[0],
            "lon": west_of(values.lon),
            "lat": values.lat,
            "depth": (values.upper_cm + values.lower_cm) / 200,
            "soc": 1000 * soc_density(values),
        }
    )
    used = layers[left_out(values) == ""]
    return used.sort_values(["number", "depth"], kind="stable")
