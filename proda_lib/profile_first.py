"""Profile first: soil carbon predicted by trees, then the model fitted to the predicted profile.

The other way round than the chapter's. What the covariates say about soil carbon is learned
directly, by a forest and by boosting; then every place gets the parameters with which the engine
comes closest to the profile that they predict. The parameters are a most probable point under the
prior: where the profile does not inform them they stay in the middle of their range. No profile of
the place itself is needed, so that maps can be made.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from proda_lib import engine
from proda_lib.baselines import Direct, fit_boosting, fit_forest
from proda_lib.compiled import jax
from proda_lib.configurations import CLM5_20
from proda_lib.depths import reading_of
from proda_lib.forcing import forcing_of, row_dimension, rows_of
from proda_lib.minimise import minimise
from proda_lib.moves import to_unit
from proda_lib.parameters import PRODA
from proda_lib.studies.schema import grid_of

import jax.numpy as jnp  # isort: skip

__all__ = ["ProfileFirst", "fit_profile_first"]

FloatArray = NDArray[np.float64]

#: The model is fitted at the nodes of its layers down to this depth, m: the uppermost too, because
#: the centimetres at the top decide much of the squared error.
_DEEPEST = 2.1

#: Standard deviation of the square root of predicted SOC, (kgC m-3)^0.5: so small that the profile
#: decides wherever it can, and the prior only where it says nothing.
_SD = 0.1

_PLACES = 64  # that are fitted side by side
_TRIES = 80  # of a search


@dataclass(frozen=True)
class ProfileFirst:
    """Learners of profiles, and the depths at which the model is fitted to them.

    Attributes
    ----------
    learners : tuple of Direct
        The predicted profile is their geometric mean.
    depth : ndarray, shape (k,)
        m.
    """

    learners: tuple[Direct, ...]
    depth: FloatArray

    def profile(self, places: xr.Dataset) -> FloatArray:
        """Return the predicted profile at `depth`, gC m-3, shape (n, k)."""
        logs = [np.log(learner.profile(places, self.depth)) for learner in self.learners]
        return np.exp(np.mean(logs, axis=0))

    def unit(self, places: xr.Dataset) -> FloatArray:
        """Return the parameters that fit the predicted profiles, positions, shape (1, n, 21).

        Parameters
        ----------
        places : Dataset
            Sites or cells, n rows, with covariates and forcing.
        """
        row = row_dimension(places)
        rows = places.sizes[row]
        first, which = rows_of(places)
        forcing = forcing_of(places.isel({row: first}), CLM5_20, bedrock="closed")
        depth = np.tile(self.depth, (rows, 1))
        read = places.drop_vars("observed_depth", errors="ignore")
        read = read.drop_dims("observation", errors="ignore")
        reading = reading_of(read.assign(observed_depth=((row, "observation"), depth)))
        target = np.sqrt(self.profile(places) / 1000)
        found = []
        for start in range(0, rows, _PLACES):
            lanes = np.minimum(np.arange(start, start + _PLACES), rows - 1)
            some = jax.tree.map(lambda values: values[lanes], (reading, target))  # noqa: B023
            found.append(np.asarray(_fitted(forcing.rows(which[lanes]), *some)))
        return np.concatenate(found)[None, :rows]


@jax.jit
def _fitted(forcing: Any, reading: Any, target: Any) -> jax.Array:
    """Most probable parameters of places side by side, (n, 21); square roots of kgC m-3."""

    def one(*place: Any) -> jax.Array:
        forcing, reading, target = place

        def energy(z: Any) -> jax.Array:
            parameters = PRODA.to_physical(to_unit(z))
            soc = engine.soil_carbon_at_depth(parameters, forcing, reading)
            residual = (jnp.sqrt(soc / 1000) - target) / _SD
            return ((residual**2).sum() + (z**2).sum()) / 2

        return to_unit(minimise(energy, jnp.zeros(len(PRODA.lower)), tries=_TRIES)[0])

    return jax.vmap(one)(forcing, reading, target)


def fit_profile_first(
    sites: xr.Dataset, found: xr.Dataset | None = None, *, seed: int, trees: int = 200
) -> ProfileFirst:
    """Learn profiles from training sites: a forest of square roots, and Poisson boosting.

    Both serve raw and logarithmic scores at once: the variance of SOC grows with it, about as that
    of a count does.

    Parameters
    ----------
    sites : Dataset
        Training profiles.
    found : Dataset, optional
        Not used: the approach needs no assimilation of sites.
    seed : int
    trees : int
        Of each learner.

    Examples
    --------
    >>> from proda_lib import studies
    >>> sites = studies.load("twin", "smoke").sites
    >>> model = fit_profile_first(sites, seed=1, trees=20)
    >>> model.unit(sites.isel(site=slice(0, 3))).shape
    (1, 3, 21)
    """
    node = grid_of(sites).node
    depth = node[node <= _DEEPEST]
    forest = fit_forest(sites, target="sqrt", trees=trees, seed=seed)
    boosting = fit_boosting(sites, trees=trees, seed=seed)
    return ProfileFirst((forest, boosting), depth)
