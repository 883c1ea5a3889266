"""Maps to compare with: reference products, and stand-ins built from a study's own profiles.

A product is fetched once with `proda data wise30sec` or `proda data soilgrids250m`; `available`
says which are there, `load` gives one on a study's cells. Products are of the real world: they are
never offered for a synthetic study.
"""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from typing import TYPE_CHECKING

from proda_lib import stocks
from proda_lib.nearest import check_known

if TYPE_CHECKING:
    import xarray as xr

    from proda_lib.studies.study import Study

__all__ = ["PRODUCTS", "available", "load"]

#: Reference products by name, with the module and the function that read each.
PRODUCTS = {
    "wise30sec": ("wise30sec", "wise30sec_map"),
    "soilgrids250m": ("soilgrids", "soilgrids_map"),
}


def available(study: Study) -> tuple[str, ...]:
    """Return the names of the products that can be compared with a study, in their order.

    Those whose files are all in the cache or in a mirror; none for a synthetic study. Looks for
    the files only, reads and downloads nothing.

    Examples
    --------
    >>> from proda_lib import studies
    >>> available(studies.load("twin", "smoke"))
    ()
    """
    from proda_lib.references import files

    if study.synthetic:
        return ()
    return tuple(name for name in PRODUCTS if not files.missing_files(name))


def load(
    name: str, grid: xr.Dataset, intervals: Sequence[tuple[float, float]] = stocks.INTERVALS
) -> xr.Dataset:
    """Return a product's stocks on a study's cells.

    Parameters
    ----------
    name : str
        One of `PRODUCTS`.
    grid : Dataset
        Cells of half a degree, with `lon`, `lat` (degrees) and `area` (km2).
    intervals : sequence of (upper, lower)
        m; NaN where the product does not reach the lower end.

    Returns
    -------
    Dataset
        `stock` (cell, interval) gC m-2, the mean over the cell's soil; `land` (cell), the share of
        the cell that is land (for SoilGrids: where it has any value, as water and sea are not told
        from land without soil); `known` (cell, interval), the share of this land with a stock (for
        SoilGrids: the least share among the layers of the interval); `total` (interval) Pg C over
        the whole cells. Attributes: citation, licence, version.

    Raises
    ------
    ValueError
        If the product is unknown, or the cells are not of half a degree.
    proda_lib.references.formats.ReferenceFileError
        If a file is missing, is not in its format, does not reach the cells, or has changed since
        it was first seen.
    """
    check_known("reference product", name, PRODUCTS)
    module, function = PRODUCTS[name]
    return getattr(importlib.import_module(f"{__name__}.{module}"), function)(grid, intervals)
