"""Vertical transport: mixing of soil layers by animals and roots, and by freezing.

A layer exchanges carbon with its neighbours: the rate of change of concentration x_j is
-a_j (x_j - x_(j-1)) - c_j (x_j - x_(j+1)). `a` (with the layer above) and `c` (below) are all that
is needed of the tridiagonal V of equation 37.1. V is linear in the two diffusivities, so both are
computed here for a diffusivity of 1 and scaled later.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from proda_lib.soil_grid import CLM5, SoilGrid

__all__ = ["BEDROCK", "Bedrock", "Mixing", "Taper", "mixing", "require_bedrock"]

FloatArray = NDArray[np.float64]
Bedrock = Literal["closed", "published"]
Taper = Literal["clm", "binn"]

BEDROCK: tuple[Bedrock, ...] = ("closed", "published")

DAYS_PER_YEAR = 365.0
CRYOTURBATION_LIMIT = 2.0  # m; soils that thaw deeper are not cryoturbated
CRYOTURBATION_DEPTH = 3.0  # m; depth at which cryoturbation has faded out
SMALLEST_DIFFUSIVITY = 1e-30  # m2 day-1; the published codes never mix less than this


@dataclass(frozen=True)
class Mixing:
    """Exchange with the layers above and below, for a diffusivity of 1 m2 yr-1.

    Attributes
    ----------
    bio_above, bio_below, cryo_above, cryo_below : ndarray, shape (..., layers)
        Exchange rates per unit of bioturbation and cryoturbation diffusivity, (m2 yr-1)-1 day-1.
    floor_above, floor_below : ndarray, shape (..., layers)
        What the published floor of the diffusivity adds, day-1; zero if bedrock is closed.
    """

    bio_above: FloatArray
    bio_below: FloatArray
    cryo_above: FloatArray
    cryo_below: FloatArray
    floor_above: FloatArray
    floor_below: FloatArray

    def rates(self, bio: ArrayLike, cryo: ArrayLike) -> tuple[FloatArray, FloatArray]:
        """Return the exchange rates with the layer above and below, day-1, shape (..., layers).

        Parameters
        ----------
        bio, cryo : array_like, shape (...)
            Diffusivities of bio- and cryoturbation, m2 yr-1.
        """
        bio, cryo = np.asarray(bio)[..., None], np.asarray(cryo)[..., None]
        above = bio * self.bio_above + cryo * self.cryo_above + self.floor_above
        below = bio * self.bio_below + cryo * self.cryo_below + self.floor_below
        return above, below


def require_bedrock(bedrock: str) -> None:
    """Raise a ValueError unless `bedrock` is one of `BEDROCK`."""
    if bedrock not in BEDROCK:
        raise ValueError(f"bedrock is {bedrock!r}, allowed are {' and '.join(map(repr, BEDROCK))}")


def mixing(
    active_layer_depth: ArrayLike,
    bedrock_layer: ArrayLike,
    grid: SoilGrid = CLM5,
    *,
    bedrock: Bedrock = "closed",
    taper: Taper = "clm",
) -> Mixing:
    """Compute the exchange between layers, mean of the 12 months (specification 3.4, 13.1).

    Where the soil thaws deeper than 2 m, bioturbation mixes everything down to bedrock; where it
    thaws less, cryoturbation mixes down to the active layer depth and fades out linearly to 3 m or
    bedrock. Diffusivities live on layer interfaces; the face between two layers takes their
    distance-weighted harmonic mean.

    Parameters
    ----------
    active_layer_depth : array_like, shape (..., 12)
        The greater of this and last year's greatest thaw depth, m.
    bedrock_layer : array_like, shape (...)
        1-based number of the layer that holds bedrock.
    grid : SoilGrid
    bedrock : {"closed", "published"}
        "closed" lets nothing pass the base of the bedrock layer. "published" reproduces the
        original matrices: mixing reaches a layer too deep, and that one loses carbon to nowhere.
    taper : {"clm", "binn"}
        Where cryoturbation ends: at 3 m or bedrock (MATLAB code), or always at 3 m (PyTorch code).

    Returns
    -------
    Mixing

    Examples
    --------
    >>> m = mixing([42.0] * 12, 20)
    >>> above, below = m.rates(bio=1e-4, cryo=5e-4)
    >>> round(float(365 * below[0]), 6)  # 1/yr, reference value of the specification
    0.166667
    """
    require_bedrock(bedrock)
    depth = np.asarray(active_layer_depth, dtype=float)
    layer = np.asarray(bedrock_layer, dtype=int)
    bio, cryo = _diffusivity_shapes(depth, layer, grid, taper)
    floor = np.full(grid.layers + 1, SMALLEST_DIFFUSIVITY * DAYS_PER_YEAR)
    rates = []
    for shape in (bio, cryo, floor):
        above, below = _exchange_rates(shape, layer, grid, bedrock)
        if shape is floor:
            if bedrock == "closed":
                above, below = np.zeros_like(above), np.zeros_like(below)
        else:
            above, below = above.mean(axis=-2), below.mean(axis=-2)
        rates += [above, below]
    return Mixing(*rates)


def _diffusivity_shapes(
    depth: FloatArray, layer: NDArray[np.int_], grid: SoilGrid, taper: Taper
) -> tuple[FloatArray, FloatArray]:
    """Diffusivities of 1 m2 yr-1 at the interfaces, shape (..., 12, layers + 1)."""
    interface = np.append(grid.interface, grid.interface_below)
    number = np.arange(1, grid.layers + 2)
    in_soil = number <= layer[..., None, None] + 1
    thaw = depth[..., None]
    bio = np.where(in_soil & (thaw > CRYOTURBATION_LIMIT), 1.0, 0.0)
    # Python index `layer` of the 1-based interfaces is the interface below the bedrock layer.
    base = interface[layer] if taper == "clm" else np.full(layer.shape, np.inf)
    end = np.minimum(CRYOTURBATION_DEPTH, base)[..., None, None]
    with np.errstate(divide="ignore", invalid="ignore"):
        fading = np.maximum(0.0, 1 - (interface - thaw) / (end - thaw))
    cryoturbated = in_soil & (thaw > 0) & (thaw <= CRYOTURBATION_LIMIT)
    cryo = np.where(cryoturbated, np.where(interface < thaw, 1.0, fading), 0.0)
    return bio, cryo


def _exchange_rates(
    diffusivity: FloatArray, layer: NDArray[np.int_], grid: SoilGrid, bedrock: Bedrock
) -> tuple[FloatArray, FloatArray]:
    """Exchange rates above and below each layer, day-1, from interface diffusivities, m2 yr-1."""
    node = np.append(grid.node, grid.node_below)
    spacing = np.diff(node)
    weight = (node[1:] - grid.interface) / spacing  # of the diffusivity of the interface below
    upper, lower = diffusivity[..., :-1], diffusivity[..., 1:]
    with np.errstate(divide="ignore"):
        face = 1 / ((1 - weight) / upper + weight / lower) / spacing / DAYS_PER_YEAR
    below = face.copy()
    above = np.concatenate([np.zeros_like(face[..., :1]), face[..., :-1]], axis=-1)
    number = np.arange(1, grid.layers + 1)
    base = layer[..., None] if diffusivity.ndim == 1 else layer[..., None, None]
    if bedrock == "closed":
        below = np.where(number < base, below, 0.0)
        above = np.where(number <= base, above, 0.0)
    else:
        # The published rows under bedrock copy their upper face: 13.1 of the specification.
        below = np.where(number > base, above, below)
    below[..., -1] = 0.0
    return above / grid.thickness, below / grid.thickness
