"""Direct learners: soil carbon from covariates and depth, without a process model.

What they reach on the same profiles is the yardstick of every approach that goes through the
engine: it shows what the covariates say. Every layer of a profile is one example, with the depth
beside the covariates. Trees take the codes of categories as numbers, and a missing covariate goes
down a branch that training chose for it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from proda_lib.forcing import row_dimension
from proda_lib.nearest import check_known

__all__ = ["Direct", "fit_boosting", "fit_forest"]

FloatArray = NDArray[np.float64]
Target = Literal["raw", "log", "sqrt"]

#: gC in a kgC: learners see SOC in kgC m-3.
_KILO = 1000.0

#: What a learner sees of SOC, and the way back.
_TRANSFORMS: dict[str, tuple[Any, Any]] = {
    "raw": (np.asarray, np.asarray),
    "log": (np.log, np.exp),
    "sqrt": (np.sqrt, np.square),
}


@dataclass(frozen=True)
class Direct:
    """A fitted learner of SOC at a depth.

    Attributes
    ----------
    learner : object
        Of scikit-learn, fitted.
    names : tuple of str
        Covariates that it takes, in order, before the depth; none if it knows the depth alone.
    target : {"raw", "log", "sqrt"}
        Whether it learned SOC, its logarithm or its square root. What is predicted of a transformed
        value and transformed back is rather a median than a mean: lower than the mean of skewed
        values.
    """

    learner: Any
    names: tuple[str, ...]
    target: Target

    def soil_carbon_at_depth(self, sites: xr.Dataset) -> FloatArray:
        """Return SOC at the observed depths, gC m-3, shape (n, observation), NaN pads."""
        return self._predicted(sites, sites["observed_depth"].transpose("site", ...).values)

    def profile(self, places: xr.Dataset, depth: ArrayLike) -> FloatArray:
        """Return SOC of every place at the same depths.

        Parameters
        ----------
        places : Dataset
            Sites or cells, n rows.
        depth : array_like, shape (k,)
            m.

        Returns
        -------
        ndarray, shape (n, k)
            gC m-3.
        """
        rows = places.sizes[row_dimension(places)]
        return self._predicted(places, np.tile(np.asarray(depth, dtype=float), (rows, 1)))

    def _predicted(self, places: xr.Dataset, depth: FloatArray) -> FloatArray:
        there = np.isfinite(depth)
        features = _features(_covariates(places, self.names), depth, there)
        with _one_thread():
            value = self.learner.predict(features)
        soc = np.full(depth.shape, np.nan)
        soc[there] = _KILO * _TRANSFORMS[self.target][1](value)
        return soc


def fit_forest(
    sites: xr.Dataset,
    found: xr.Dataset | None = None,
    *,
    target: Target = "raw",
    covariates: bool = True,
    trees: int = 200,
    seed: int,
) -> Direct:
    """Fit a random forest, with leaves of at least 3 layers and 40 % of the features per split.

    Parameters
    ----------
    sites : Dataset
        Training profiles.
    found : Dataset, optional
        Not used: direct learners need no assimilation.
    target : {"raw", "log", "sqrt"}
        Whether to learn SOC, its logarithm or its square root.
    covariates : bool
        Whether to know more than the depth.
    trees : int
    seed : int

    Examples
    --------
    >>> one = xr.Dataset(
    ...     {"observed_depth": (("site", "observation"), [[0.1, 0.5, 1.0]] * 4)},
    ... ).assign(observed_soc=lambda x: 8000 - 5000 * x.observed_depth)
    >>> forest = fit_forest(one, covariates=False, trees=10, seed=1)
    >>> bool(np.all(np.diff(forest.profile(one, [0.1, 0.5, 1.0])) < 0))
    True
    """
    from sklearn.ensemble import RandomForestRegressor

    check_known("target", target, tuple(_TRANSFORMS))
    share = 0.4 if covariates else 1.0
    learner = RandomForestRegressor(
        trees, min_samples_leaf=3, max_features=share, n_jobs=1, random_state=seed
    )
    names = _names(sites) if covariates else ()
    return _fitted(learner, sites, names, target)


def fit_boosting(
    sites: xr.Dataset, found: xr.Dataset | None = None, *, trees: int = 200, seed: int
) -> Direct:
    """Fit gradient boosted trees by the Poisson deviance of SOC, whose variance grows with it.

    Arguments as in `fit_forest`. Nothing is held back for stopping: layers of one profile on both
    sides would mislead it.
    """
    from sklearn.ensemble import HistGradientBoostingRegressor

    learner = HistGradientBoostingRegressor(
        loss="poisson", learning_rate=0.05, max_iter=trees, early_stopping=False, random_state=seed
    )
    return _fitted(learner, sites, _names(sites), "raw")


def _fitted(learner: Any, sites: xr.Dataset, names: tuple[str, ...], target: Target) -> Direct:
    soc = sites["observed_soc"].transpose("site", ...).values / _KILO
    depth = sites["observed_depth"].transpose("site", ...).values
    used = np.isfinite(depth) & (soc > 0)
    if not used.any():
        raise ValueError("the training sites hold no layer with positive SOC: give other sites")
    features = _features(_covariates(sites, names), depth, used)
    with _one_thread():
        learner.fit(features, _TRANSFORMS[target][0](soc[used]))
    return Direct(learner, names, target)


def _names(places: xr.Dataset) -> tuple[str, ...]:
    return tuple(map(str, places["covariate"].values))


def _covariates(places: xr.Dataset, names: tuple[str, ...]) -> FloatArray:
    """Return the covariates of every place, shape (n, names), or say that they are others."""
    row = row_dimension(places)
    if not names:
        return np.empty((places.sizes[row], 0))
    there = _names(places)
    if there != names:
        odd = sorted(set(there) ^ set(names)) or ["in another order"]
        raise ValueError(
            f"the learner was trained with {len(names)} covariates, these places have "
            f"{len(there)}; they differ: {', '.join(odd)}. Give places of the same study"
        )
    return places["covariates"].transpose(row, "covariate").values


def _features(covariates: FloatArray, depth: FloatArray, there: NDArray[np.bool_]) -> FloatArray:
    """Return one row per layer that is there: the covariates of its profile and its depth."""
    row = np.nonzero(there)[0]
    return np.column_stack([covariates[row], depth[there]])


def _one_thread() -> Any:
    from threadpoolctl import threadpool_limits

    return threadpool_limits(1)
