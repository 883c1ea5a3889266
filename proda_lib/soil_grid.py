"""Vertical grids of the soil column: CLM5 (20 layers) and CLM4.5 (10 layers).

A layer has a node (where its carbon and forcing are defined), a thickness and a lower interface.
CLM5's numbers are a table of the model; CLM4.5's follow from a formula of its technical note.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["CLM5", "CLM45", "GRIDS", "SoilGrid", "layer_containing"]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class SoilGrid:
    """Layers of a soil column, from the surface down.

    Attributes
    ----------
    name : str
        "CLM5" or "CLM45".
    node : ndarray, shape (layers,)
        Depth of the layer nodes, m.
    thickness : ndarray, shape (layers,)
        Layer thickness, m.
    interface : ndarray, shape (layers,)
        Depth of the lower interface of each layer, m.
    node_below, interface_below : float
        Node and lower interface of the level under the last carbon layer, m; the transport
        scheme needs them, no carbon is kept there.

    Examples
    --------
    >>> CLM5.layers, float(CLM5.interface[-1])
    (20, 8.6)
    >>> CLM45.layers, round(float(CLM45.interface[-1]), 2)
    (10, 3.8)
    """

    name: str
    node: FloatArray
    thickness: FloatArray
    interface: FloatArray
    node_below: float = field(repr=False)
    interface_below: float = field(repr=False)

    def __post_init__(self) -> None:
        for array in (self.node, self.thickness, self.interface):
            array.setflags(write=False)

    @property
    def layers(self) -> int:
        """Number of layers that carry carbon."""
        return len(self.node)

    @property
    def top(self) -> FloatArray:
        """Depth of the upper interface of each layer, m."""
        return np.concatenate([[0.0], self.interface[:-1]])


def _clm5() -> SoilGrid:
    """CLM5's levels 1-21 (table of the original code; node = layer middle for levels 1-20)."""
    thickness = np.array(
        [0.02, 0.04, 0.06, 0.08, 0.12, 0.16, 0.20, 0.24, 0.28, 0.32]
        + [0.36, 0.40, 0.44, 0.54, 0.64, 0.74, 0.84, 0.94, 1.04, 1.14]
    )
    # Rounded to the table's centimetres: a running sum of binary fractions would not be 8.6.
    interface = np.round(np.cumsum(thickness), 2)
    node = np.round(interface - thickness / 2, 3)
    return SoilGrid("CLM5", node, thickness, interface, node_below=9.795, interface_below=10.99)


def _clm45(levels: int = 15, kept: int = 10, scale: float = 0.025) -> SoilGrid:
    """CLM4.5's exponential grid, z_i = 0.025 m (exp[(i - 1/2)/2] - 1), built with 15 levels.

    The chapter keeps the first 10. Built with 10 levels from the start, the last layer would be
    0.37 m thinner and the column 3.43 m deep instead of the chapter's 3.8 m.
    """
    node = scale * (np.exp(0.5 * (np.arange(1, levels + 1) - 0.5)) - 1)
    interface = (node[:-1] + node[1:]) / 2
    thickness = np.diff(np.concatenate([[0.0], interface]))
    return SoilGrid(
        "CLM45",
        node[:kept].copy(),
        thickness[:kept].copy(),
        interface[:kept].copy(),
        node_below=float(node[kept]),
        interface_below=float(interface[kept]),
    )


CLM5 = _clm5()
CLM45 = _clm45()
GRIDS: dict[str, SoilGrid] = {grid.name: grid for grid in (CLM5, CLM45)}


def layer_containing(depth: ArrayLike, grid: SoilGrid = CLM5) -> NDArray[np.int64]:
    """Return the 1-based number of the layer that contains a depth.

    Parameters
    ----------
    depth : array_like
        Depth below the surface, m.
    grid : SoilGrid

    Returns
    -------
    ndarray of int
        1 for the top layer; `grid.layers` for everything below the last interface.

    Examples
    --------
    >>> layer_containing([0.01, 0.02, 1.0, 99.0]).tolist()
    [1, 1, 9, 20]
    """
    number = np.searchsorted(grid.interface, np.asarray(depth, dtype=float), side="left") + 1
    return np.minimum(number, grid.layers)
