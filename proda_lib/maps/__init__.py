"""Maps: equal-area projections, outlines that need no network, cells, sites and classes."""

from proda_lib.maps.background import frame, outline, outlines
from proda_lib.maps.places import CONUS, extent_of, projection
from proda_lib.maps.values import categories, colour_bar, draw_cells, draw_sites

__all__ = [
    "CONUS",
    "categories",
    "colour_bar",
    "draw_cells",
    "draw_sites",
    "extent_of",
    "frame",
    "outline",
    "outlines",
    "projection",
]
