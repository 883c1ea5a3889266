"""Where on Earth a map is: its extent and an equal-area projection that suits it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from proda_lib.studies.cells import west_of

if TYPE_CHECKING:
    from cartopy.crs import Projection

__all__ = ["CONUS", "Extent", "extent_of", "projection"]

#: West, east, south, north, degrees.
Extent = tuple[float, float, float, float]

#: The conterminous United States.
CONUS: Extent = (-124.9, -66.8, 24.4, 49.5)


def extent_of(lon: ArrayLike, lat: ArrayLike, margin: float = 0.5) -> Extent:
    """Return the box around places.

    Parameters
    ----------
    lon, lat : array_like
        Degrees; longitude -180 to 180 or 0 to 360.
    margin : float
        Added on every side, degrees.

    Returns
    -------
    (west, east, south, north) : tuple of float
        Degrees.

    Raises
    ------
    ValueError
        Without any place.

    Examples
    --------
    >>> extent_of([280.0, 281.0], [42.0, 43.0])
    (-80.5, -78.5, 41.5, 43.5)
    """
    lon, lat = west_of(lon), np.asarray(lat, float)
    if lon.size == 0 or lat.size == 0:
        raise ValueError("no places given, at least one is needed to choose a map's extent")
    west, east = float(lon.min()) - margin, float(lon.max()) + margin
    south, north = float(lat.min()) - margin, float(lat.max()) + margin
    return max(west, -180.0), min(east, 180.0), max(south, -90.0), min(north, 90.0)


def projection(extent: Extent) -> Projection:
    """Return an equal-area projection that suits an extent.

    Albers with standard parallels 29.5 and 45.5 N for (most of) the conterminous United States
    (Snyder 1987, Map projections: a working manual, USGS Professional Paper 1395, section 14),
    Equal Earth for more than 100 degrees of longitude, Lambert azimuthal about the centre else.

    Parameters
    ----------
    extent : (west, east, south, north)
        Degrees.

    Examples
    --------
    >>> type(projection(CONUS)).__name__
    'AlbersEqualArea'
    """
    import cartopy.crs as ccrs

    west, east, south, north = extent
    if east - west > 100:
        return ccrs.EqualEarth(central_longitude=0.0)
    in_conus = west >= -130 and east <= -60 and south >= 20 and north <= 55
    if in_conus and east - west > 25:
        return ccrs.AlbersEqualArea(-96.0, 37.5, standard_parallels=(29.5, 45.5))
    return ccrs.LambertAzimuthalEqualArea((west + east) / 2, (south + north) / 2)
