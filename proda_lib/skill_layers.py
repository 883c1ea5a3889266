"""Observed layers with the predictions of several approaches, and subsets of them."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from proda_lib.folds import locations

__all__ = ["EXTREME", "SUBSETS", "Layers", "layers_of", "subset"]

FloatArray = NDArray[np.float64]

#: Observed SOC above this counts as extreme, gC m-3.
EXTREME = 200_000.0

#: Subsets of the layers, and what they hold.
SUBSETS = {
    "all": "all layers",
    "above_bedrock": "layers above the model's bedrock",
    "not_extreme": "layers up to 200 kgC m⁻³",
}


@dataclass(frozen=True)
class Layers:
    """Observed layers with what several approaches predict for them.

    Attributes
    ----------
    names : tuple of str
        Of the approaches.
    observed : ndarray, shape (layer,)
        gC m-3.
    modelled : ndarray, shape (approach, layer)
        gC m-3.
    depth : ndarray, shape (layer,)
        m.
    below_bedrock : ndarray of bool, shape (layer,)
    place : ndarray of int, shape (layer,)
        Numbers from 0; layers of one place are drawn together.
    places : int
        Number of places, also of those without a layer here.
    """

    names: tuple[str, ...]
    observed: FloatArray
    modelled: FloatArray
    depth: FloatArray
    below_bedrock: NDArray[np.bool_]
    place: NDArray[np.int_]
    places: int

    def where(self, mask: ArrayLike) -> Layers:
        """Select layers; the places stay, so that draws remain the same."""
        mask = np.asarray(mask)
        one = ("observed", "depth", "below_bedrock", "place")
        some = {name: getattr(self, name)[mask] for name in one}
        return replace(self, modelled=self.modelled[:, mask], **some)


def layers_of(sites: xr.Dataset, soc: xr.DataArray, places: ArrayLike | None = None) -> Layers:
    """Return the layers that are observed and that every approach predicts.

    Parameters
    ----------
    sites : Dataset
        Observed profiles.
    soc : DataArray, dimensions (approach, site, observation)
        Predicted SOC, gC m-3; rows as in `sites`.
    places : array_like of int, shape (n,), optional
        What is drawn as a whole; by default profiles with the same coordinates.

    Raises
    ------
    ValueError
        If the shapes differ, or if some approach predicts nothing.
    """
    observed = sites["observed_soc"].transpose("site", "observation").values
    modelled = soc.transpose("approach", "site", "observation").values
    if modelled.shape[1:] != observed.shape:
        raise ValueError(
            f"predictions have shape {modelled.shape[1:]}, observations {observed.shape}: give "
            "the predictions of these sites"
        )
    names = tuple(map(str, soc["approach"].values))
    empty = [name for name, values in zip(names, modelled, strict=True) if np.isnan(values).all()]
    if empty:
        raise ValueError(f"no predictions of {', '.join(empty)}: leave out these approaches")
    there = np.isfinite(observed) & np.isfinite(modelled).all(axis=0)
    number = np.unique(locations(sites) if places is None else places, return_inverse=True)[1]
    return Layers(
        names,
        observed[there],
        modelled[:, there],
        sites["observed_depth"].transpose("site", "observation").values[there],
        sites["below_bedrock"].transpose("site", "observation").values[there],
        number[np.nonzero(there)[0]],
        int(number.max()) + 1,
    )


def subset(layers: Layers, name: str) -> Layers:
    """Return one of `SUBSETS`.

    Examples
    --------
    >>> soc, rest = np.array([5e3, 3e5]), (np.zeros(2), np.zeros(2, bool), np.arange(2), 2)
    >>> subset(Layers(("one",), soc, soc[None], *rest), "not_extreme").observed.tolist()
    [5000.0]
    """
    if name not in SUBSETS:
        raise ValueError(f"subset is {name!r}, allowed are {', '.join(map(repr, SUBSETS))}")
    if name == "above_bedrock":
        return layers.where(~layers.below_bedrock)
    if name == "not_extreme":
        return layers.where(layers.observed <= EXTREME)
    return layers
