"""Vertical transport: mixing of soil layers by animals and roots, and by freezing.

A layer exchanges carbon with its neighbours: x_j changes by -(up_j + down_j) x_j + above_j x_(j-1)
+ below_j x_(j+1), which is row j of -V in equation 37.1. Without advection what a layer gives a
neighbour and what it gets back have equal coefficients: `above` is `up`, `below` is `down`. Mixing
is linear in the two diffusivities, so it is computed here for a diffusivity of 1 and scaled later.
"""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from proda_lib.arrays import namespace
from proda_lib.soil_grid import CLM5, SoilGrid

__all__ = ["BEDROCK", "Bedrock", "Exchange", "Mixing", "Taper", "exchange", "mixing"]

FloatArray = NDArray[np.float64]
Bedrock = Literal["closed", "published"]
Taper = Literal["clm", "binn"]

BEDROCK: tuple[Bedrock, ...] = ("closed", "published")
TAPER: tuple[Taper, ...] = ("clm", "binn")

DAYS_PER_YEAR = 365.0
CRYOTURBATION_LIMIT = 2.0  # m; soils that thaw deeper are not cryoturbated
CRYOTURBATION_DEPTH = 3.0  # m; depth at which cryoturbation has faded out
SMALLEST_DIFFUSIVITY = 1e-30  # m2 day-1; the published codes never mix less than this


class Mixing(NamedTuple):
    """Exchange with the layers above and below, for a diffusivity of 1 m2 yr-1.

    Attributes
    ----------
    bio_up, bio_down, cryo_up, cryo_down : ndarray, shape (..., layers)
        Rates per unit of bioturbation and cryoturbation diffusivity, (m2 yr-1)-1 day-1.
    floor_up, floor_down : ndarray, shape (layers,) or (..., layers)
        What the published floor of the diffusivity adds, day-1; 0 where bedrock is closed.
    """

    bio_up: Any
    bio_down: Any
    cryo_up: Any
    cryo_down: Any
    floor_up: Any
    floor_down: Any


class Exchange(NamedTuple):
    """What layers lose to their neighbours and gain from them, day-1, each (..., layers).

    Elimination relies on above_j below_(j-1) = up_j down_(j-1), which holds for all of them.
    """

    up: Any
    down: Any
    above: Any
    below: Any


def exchange(
    mixing: Mixing,
    bio: ArrayLike,
    cryo: ArrayLike,
    advection: ArrayLike | None = None,
    grid: SoilGrid = CLM5,
) -> Exchange:
    """Exchange between layers for given diffusivities and advection (tri_matrix.m of the original).

    With advection the face between two layers follows Patankar's power law, g = G max(0, 1 - 0.1
    abs(F/G))^5 for conductance G and flow F, and the flow itself is taken upwind. What leaves a
    layer enters the next; nothing flows through the surface or a closed bedrock.

    Parameters
    ----------
    mixing : Mixing
        Of a column with closed bedrock if there is advection.
    bio, cryo : array_like, shape (...)
        Diffusivities of bio- and cryoturbation, m2 yr-1.
    advection : array_like, shape (...), optional
        Downward flow of carbon, m yr-1; none in CLM5. It needs soil that is mixed.

    Examples
    --------
    >>> m = mixing([42.0] * 12, 20)
    >>> round(float(365 * exchange(m, 1e-4, 5e-4).down[0]), 6)  # 1/yr, as the original
    0.166667
    """
    xp = namespace(bio, cryo, mixing.bio_up)
    bio, cryo = xp.asarray(bio)[..., None], xp.asarray(cryo)[..., None]
    up = bio * mixing.bio_up + cryo * mixing.cryo_up + mixing.floor_up
    down = bio * mixing.bio_down + cryo * mixing.cryo_down + mixing.floor_down
    if advection is None:
        return Exchange(up, down, up, down)
    conductance = down * grid.thickness
    mixed = conductance > 0
    flow = xp.where(mixed, xp.asarray(advection)[..., None] / DAYS_PER_YEAR, 0.0)
    peclet = xp.abs(flow) / xp.where(mixed, conductance, 1.0)
    diffusive = conductance * xp.maximum(0.0, 1 - 0.1 * peclet) ** 5
    downward = diffusive + xp.maximum(flow, 0.0)
    upward = diffusive + xp.maximum(-flow, 0.0)
    surface = xp.zeros_like(downward[..., :1])
    from_over = xp.concatenate([surface, downward[..., :-1]], axis=-1)
    to_over = xp.concatenate([surface, upward[..., :-1]], axis=-1)
    return Exchange(*(face / grid.thickness for face in (to_over, downward, from_over, upward)))


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
    """Compute the exchange between layers, mean of the 12 months (tri_matrix.m).

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
    >>> mixing([42.0] * 12, 20).bio_up.shape
    (20,)
    """
    require_bedrock(bedrock)
    if taper not in TAPER:
        raise ValueError(f"taper is {taper!r}, allowed are {' and '.join(map(repr, TAPER))}")
    depth = np.asarray(active_layer_depth, dtype=float)
    layer = np.asarray(bedrock_layer, dtype=int)
    smallest = SMALLEST_DIFFUSIVITY * DAYS_PER_YEAR if bedrock == "published" else 0.0
    floor = np.full((1, grid.layers + 1), smallest)
    rates = []
    for diffusivity in (*_diffusivity_shapes(depth, layer, grid, taper), floor):
        monthly = _exchange_rates(diffusivity, layer[..., None, None], grid, bedrock)
        rates += [rate.mean(axis=-2) for rate in monthly]
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
        # fmax: where the thaw depth is the end itself, 0/0, cryoturbation has faded out.
        fading = np.fmax(0.0, 1 - (interface - thaw) / (end - thaw))
    cryoturbated = in_soil & (thaw > 0) & (thaw <= CRYOTURBATION_LIMIT)
    cryo = np.where(cryoturbated, np.where(interface < thaw, 1.0, fading), 0.0)
    return bio, cryo


def _exchange_rates(
    diffusivity: FloatArray, base: NDArray[np.int_], grid: SoilGrid, bedrock: Bedrock
) -> tuple[FloatArray, FloatArray]:
    """Rates up and down of each layer, day-1, from interface diffusivities, m2 yr-1."""
    node = np.append(grid.node, grid.node_below)
    spacing = np.diff(node)
    weight = (node[1:] - grid.interface) / spacing  # of the diffusivity of the interface below
    upper, lower = diffusivity[..., :-1], diffusivity[..., 1:]
    with np.errstate(divide="ignore"):
        face = 1 / ((1 - weight) / upper + weight / lower) / spacing / DAYS_PER_YEAR
    up = np.concatenate([np.zeros_like(face[..., :1]), face[..., :-1]], axis=-1)
    number = np.arange(1, grid.layers + 1)
    if bedrock == "closed":
        up, down = np.where(number <= base, up, 0.0), np.where(number < base, face, 0.0)
    else:
        # The published rows under bedrock copy their upper face: its slip.
        up, down = (
            np.broadcast_to(up, np.broadcast(up, base).shape),
            np.where(number > base, up, face),
        )
    down[..., -1] = 0.0
    return up / grid.thickness, down / grid.thickness
