"""Covariates of sites or grid cells as the inputs of a network.

>>> sorted(SCHEMES)
['default', 'published']

An encoder is fixed by the table of covariates that it was fitted to, and made again from it: that
table is what a saved model holds.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from proda_lib.forcing import row_dimension
from proda_lib.nearest import check_known

__all__ = ["SCHEMES", "Encoder"]

FloatArray = NDArray[np.float64]

Scheme = Literal["default", "published"]

#: Ways to encode covariates.
SCHEMES = {
    "default": "numbers standardised, one input per category, missing values marked",
    "published": "everything a number, scaled by the range over the grid",
}

#: A category with fewer rows than this shares its input with other rare ones.
RARE = 5

#: Factors on the inputs: categories have many of them, mostly 0, and should not drown the numbers.
WEIGHTS = {"number": 0.5, "missing": 0.3, "category": 0.3}

#: Numbers are cut off at so many standard deviations.
_FARTHEST = 3.0

#: Stands for a category that is missing; the studies' codes are positive.
_MISSING = -1.0

_CATEGORY = "category"


@dataclass(frozen=True, eq=False)
class Encoder:
    """How covariates become inputs; made with `fit`.

    Attributes
    ----------
    scheme : {"default", "published"}
        "default": each continuous covariate is standardised and cut off at 3 standard deviations (a
        missing value becomes the median, with an input that marks it if training sites lack it,
        too); each category has an input, 0 unless it is there; missing is a category of its own,
        rare and unknown ones are "infrequent". Inputs are then weighted, see `WEIGHTS`.
        "published": all covariates are numbers, category codes too, scaled to 0 to 1 by their
        range over a reference, as ensemble_neural_networking_best_guess.py has it. Rows with
        a missing covariate have NaN inputs.
    covariates, kinds : tuple of str
        Names, and "continuous" or "category" for each.
    table : ndarray, shape (rows, covariates)
        What it was fitted to.
    """

    scheme: Scheme
    covariates: tuple[str, ...]
    kinds: tuple[str, ...]
    table: FloatArray
    _fitted: Any = field(init=False, repr=False)

    def __post_init__(self) -> None:
        check_known("scheme", self.scheme, SCHEMES)
        maker = _default if self.scheme == "default" else _published
        transformer = maker(np.array(self.kinds) == _CATEGORY)
        object.__setattr__(self, "_fitted", transformer.fit(self.table))

    @classmethod
    def fit(
        cls, sites: xr.Dataset, *, scheme: Scheme = "default", reference: xr.Dataset | None = None
    ) -> Encoder:
        """Fit an encoder to training sites.

        Parameters
        ----------
        sites : Dataset
            With covariates (site, covariate) and the coordinate covariate_kind.
        scheme : {"default", "published"}
        reference : Dataset, optional
            Places whose range scales the covariates under "published", the original's grid; by
            default the sites.

        Examples
        --------
        >>> coords = {"covariate": ["BIO1"], "covariate_kind": ("covariate", ["continuous"])}
        >>> values = (("site", "covariate"), [[2.0], [4.0], [6.0]])
        >>> sites = xr.Dataset({"covariates": values}, coords)
        >>> Encoder.fit(sites, scheme="published").transform(sites).ravel().tolist()
        [0.0, 0.5, 1.0]
        """
        names = tuple(map(str, sites["covariate"].values))
        kinds = tuple(map(str, sites["covariate_kind"].values))
        table = _table(sites, names)
        if scheme == "published":
            table = _table(sites if reference is None else reference, names)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", RuntimeWarning)  # a covariate that nobody has
                table = np.stack([np.nanmin(table, axis=0), np.nanmax(table, axis=0)])
        return cls(scheme, names, kinds, table)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the inputs."""
        return tuple(map(str, self._fitted.get_feature_names_out(list(self.covariates))))

    def transform(self, places: xr.Dataset) -> NDArray[np.float32]:
        """Return the inputs of places, shape (n, inputs), in single precision.

        Raises
        ------
        ValueError
            If their covariates are not those that the encoder was fitted to.
        """
        return self.encoded(_table(places, self.covariates))

    def encoded(self, table: FloatArray) -> NDArray[np.float32]:
        """Return the inputs for covariates (rows, covariates) in the order of `covariates`."""
        return self._fitted.transform(table).astype(np.float32)


def _table(places: xr.Dataset, names: tuple[str, ...]) -> FloatArray:
    """Covariates in the order of the names; the places must have these and no others."""
    if "covariates" not in places:
        raise ValueError("places have no covariates: give sites or grid cells of a study")
    given = list(map(str, places["covariate"].values))
    missing, foreign = sorted(set(names) - set(given)), sorted(set(given) - set(names))
    if missing or foreign:
        raise ValueError(
            f"covariates differ from those of the training: missing {_some(missing)}, unknown "
            f"{_some(foreign)}; give the {len(names)} covariates of the training, or train anew"
        )
    ordered = places["covariates"].transpose(row_dimension(places), "covariate").values
    return np.asarray(ordered, dtype=float)[:, [given.index(name) for name in names]]


def _some(names: list[str]) -> str:
    rest = f" and {len(names) - 4} more" if len(names) > 4 else ""
    return (", ".join(names[:4]) or "none") + rest


def _published(category: NDArray[np.bool_]) -> Any:
    from sklearn.preprocessing import MinMaxScaler

    return MinMaxScaler()


def _default(category: NDArray[np.bool_]) -> Any:
    from sklearn.compose import ColumnTransformer
    from sklearn.impute import MissingIndicator, SimpleImputer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler

    median = SimpleImputer(strategy="median", keep_empty_features=True)
    limits = {"a_min": -_FARTHEST, "a_max": _FARTHEST}
    cut = FunctionTransformer(np.clip, kw_args=limits, feature_names_out="one-to-one")
    own_level = SimpleImputer(strategy="constant", fill_value=_MISSING, keep_empty_features=True)
    levels = OneHotEncoder(
        handle_unknown="infrequent_if_exist", min_frequency=RARE, sparse_output=False
    )
    numbers, categories = np.flatnonzero(~category), np.flatnonzero(category)
    return ColumnTransformer(
        [
            ("number", make_pipeline(median, StandardScaler(), cut), numbers),
            ("missing", MissingIndicator(error_on_new=False), numbers),
            ("category", make_pipeline(own_level, levels), categories),
        ],
        transformer_weights=WEIGHTS,
        verbose_feature_names_out=False,
    )
