"""The batch assimilation as an approach: learn one vector from training sites, use it everywhere.

Short enough to be repeated for every fold of a cross-validation.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from proda_lib import cost, moves
from proda_lib.batch_chain import exact_chain
from proda_lib.batch_search import search
from proda_lib.batch_target import batch_data, stratified_subset, target
from proda_lib.forcing import row_dimension, rows_of
from proda_lib.transport import Bedrock
from proda_lib.usable import unusable

__all__ = ["Batch", "fit_batch", "random_posterior"]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Batch:
    """The same parameter vectors for every place, one per member.

    Attributes
    ----------
    draws : ndarray, shape (member, 21)
        Positions in the prior range.
    trained_on : int
        Sites whose observations they come from.

    Examples
    --------
    >>> model = Batch(np.full((2, 21), 0.5), trained_on=10)
    >>> model.unit(xr.Dataset(coords={"cell": [0, 1, 2]})).shape
    (2, 3, 21)
    """

    draws: FloatArray
    trained_on: int

    def unit(self, places: xr.Dataset) -> FloatArray:
        """Return parameters, positions in the prior range, shape (member, n, 21).

        Parameters
        ----------
        places : Dataset
            n sites or cells, of which only the number counts.
        """
        n = places.sizes[row_dimension(places)]
        members, d = self.draws.shape
        return np.broadcast_to(self.draws[:, None], (members, n, d))


def fit_batch(
    sites: xr.Dataset,
    found: xr.Dataset | None = None,
    *,
    seed: int,
    test: int = 1000,
    formal: int = 4000,
    members: int = 20,
    starts: int = 4,
    forcings: int = 256,
    likelihood: cost.Likelihood = "proda",
    bedrock: Bedrock = "closed",
) -> Batch:
    """Sample the posterior of one vector, given all observations of the sites.

    One chain from the lowest point that descents find. For results to be published use
    `proda_lib.batch.assimilate_batch`, whose several chains tell whether they agree.

    Parameters
    ----------
    sites : Dataset
        Training sites in the common form; those without usable observations are left out.
    found : Dataset, optional
        Not used: the observations say it all.
    seed : int
    test, formal : int
        Iterations of the warm-up and of what is kept.
    members : int
        Draws of the posterior that are kept.
    starts : int
        Descents.
    forcings : int
        With more distinct forcings than these a stratified subset of so many sites is used, because
        each costs a solution of the model at every iteration.
    likelihood, bedrock : str
        As in `proda_lib.assimilation.assimilate_sites`.

    Returns
    -------
    Batch
    """
    some = sites.isel(site=np.flatnonzero(unusable(sites) == ""))
    if len(rows_of(some)[0]) > forcings:
        some = some.isel(site=stratified_subset(some, forcings, seed))
    data = batch_data(some, bedrock=bedrock, filled=True)
    energy = target(likelihood)
    landscape = search(energy, data, 21, seed, starts)
    # The lowest point only: a single chain need not be started far from where it belongs.
    lowest = type(landscape)(*(values[:1] for values in landscape))
    chain = exact_chain(energy, data, lowest, 0, seed, test, formal)
    records = np.asarray(moves.to_unit(chain["position"]))
    chosen = np.linspace(0, len(records) - 1, members).round().astype(int)
    return Batch(records[chosen], trained_on=some.sizes["site"])


def random_posterior(found: xr.Dataset, *, members: int = 1000, seed: int) -> Batch:
    """Draw sites at random and a vector of each one's posterior, and use them everywhere.

    The third way of the chapter's original article: no pattern in space is learnt, but the spread
    among sites is kept.

    Parameters
    ----------
    found : Dataset
        From `proda_lib.assimilation.assimilate_sites`.
    members : int
        Vectors; sites may occur repeatedly.
    seed : int

    Returns
    -------
    Batch
    """
    kept = np.isfinite(found["parameter_mean"].values).all(axis=1) & found["used"].values
    if not kept.any():
        raise ValueError(f"none of {len(kept)} sites is used: assimilate sites first")
    draws = found["draws"].values[kept].astype(float)
    random = np.random.default_rng(seed)
    site = random.integers(len(draws), size=members)
    draw = random.integers(draws.shape[1], size=members)
    # Single precision may have rounded to the ends of the range, where the model is undefined.
    return Batch(np.clip(draws[site, draw], 1e-6, 1 - 1e-6), trained_on=int(kept.sum()))
