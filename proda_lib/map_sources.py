"""The sources of maps of soil carbon stocks: names, labels and kinds, in the order of figures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from proda_lib.nearest import check_known

__all__ = ["SOURCES", "MapSource", "SourceKind", "map_source"]

SourceKind = Literal["truth", "reference", "stand-in", "model"]


@dataclass(frozen=True)
class MapSource:
    """What gives a map of stocks.

    Attributes
    ----------
    name : str
        As in files and in the keys of numbers.
    label : str
        As in tables and figures.
    kind : {"truth", "reference", "stand-in", "model"}
        "reference": a published data product; "stand-in": a map made here from the study's own
        profiles where no product is at hand; "model": soil carbon out of the engine.
    """

    name: str
    label: str
    kind: SourceKind


_ALL = (
    MapSource("truth", "truth", "truth"),
    MapSource("wise30sec", "WISE30sec", "reference"),
    MapSource("soilgrids250m", "SoilGrids250m", "reference"),
    MapSource("soil_class", "soil-class means", "stand-in"),
    MapSource("forest", "random forest", "stand-in"),
    MapSource("default", "CLM5 default", "model"),
    MapSource("batch", "batch", "model"),
    MapSource("proda", "PRODA", "model"),
    MapSource("end_to_end", "end to end", "model"),
)

#: Every source by its name, in the order of the rows of figures.
SOURCES: dict[str, MapSource] = {one.name: one for one in _ALL}


def map_source(name: str) -> MapSource:
    """Return a source by its name.

    Raises
    ------
    ValueError
        If there is none of this name; the message names the nearest.

    Examples
    --------
    >>> map_source("soil_class").label
    'soil-class means'
    """
    check_known("source", name, SOURCES)
    return SOURCES[name]
