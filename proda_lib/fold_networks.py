"""Networks that predict parameters at sites which they have not seen, also from wrong covariates.

One ensemble per fold of sites, trained without the results of that fold. With some of the
covariates exchanged among the sites of a fold, their predictions show what these were worth.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from proda_lib.network.designs import Design
from proda_lib.network.ensemble import Ensemble
from proda_lib.network.two_step import fit_two_step
from proda_lib.parameters import NAMES

__all__ = ["FoldNetworks", "fit_folds", "orders_within"]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int_]

#: Rows of covariates that are encoded at once.
_MOST_ROWS = 20_000


@dataclass(frozen=True, eq=False)
class FoldNetworks:
    """An ensemble for each fold, made with `fit_folds`.

    Attributes
    ----------
    models : tuple of Ensemble
        Number k has not seen the results of fold k.
    fold : ndarray of int, shape (n,)
        Fold of each site.
    """

    models: tuple[Ensemble, ...]
    fold: IntArray

    def unit(self, sites: xr.Dataset) -> FloatArray:
        """Positions in the prior range at each site by the networks without it, (member, n, 21)."""
        itself = np.arange(len(self.fold))[None]
        return self.exchanged(sites, [np.array([], dtype=int)], itself)[0]

    def exchanged(
        self, sites: xr.Dataset, columns: Sequence[IntArray], orders: ArrayLike
    ) -> FloatArray:
        """Predict with some covariates taken from other sites, all of them from the same one.

        So what these covariates tell about each other stays, and what they tell about the site and
        about its other covariates is lost.

        Parameters
        ----------
        sites : Dataset
            The n sites of `fold`, with covariates.
        columns : sequence of ndarray of int, one per repeat
            Covariates that are exchanged.
        orders : array_like of int, shape (repeat, n)
            The site from which each site takes them, see `orders_within`.

        Returns
        -------
        ndarray, shape (repeat, member, n, 21)
            Positions in the prior range.

        Raises
        ------
        ValueError
            If there are not as many sets of covariates as repeats.
        """
        orders = np.asarray(orders)
        if len(columns) != len(orders):
            raise ValueError(
                f"{len(columns)} sets of covariates are given for {len(orders)} repeats: give one "
                "for each"
            )
        table, names = sites["covariates"].values, sites["covariate"].values
        found = np.empty((len(orders), self.models[0].members, len(self.fold), len(NAMES)))
        for number, model in enumerate(self.models):
            rows = np.flatnonzero(self.fold == number)
            step = max(1, _MOST_ROWS // len(rows))
            for first in range(0, len(orders), step):
                some = orders[first : first + step][:, rows]
                wrong = np.repeat(table[rows][None], len(some), axis=0)
                for one, order, moved in zip(wrong, some, columns[first:], strict=False):
                    one[:, moved] = table[order[:, None], moved]
                places = xr.Dataset(
                    {"covariates": (("site", "covariate"), wrong.reshape(-1, len(names)))},
                    {"covariate": names},
                )
                unit = model.unit(places).reshape(model.members, *some.shape, len(NAMES))
                found[first : first + step][:, :, rows] = unit.swapaxes(0, 1)
        return found


def fit_folds(
    sites: xr.Dataset,
    found: xr.Dataset,
    fold: ArrayLike,
    *,
    members: int,
    seed: int,
    design: str | Design = "default",
    epochs: int | None = None,
) -> FoldNetworks:
    """Train an ensemble without each fold.

    All of them encode the covariates of all sites alike, so that one compiled program trains them;
    covariates are known everywhere, and no result of the fold left out is used.

    Parameters
    ----------
    sites : Dataset
        n sites.
    found : Dataset
        Their assimilation, the same rows.
    fold : array_like of int, shape (n,)
        0-based fold of each site, from `proda_lib.folds`.
    members, seed, design, epochs
        As in `proda_lib.network.fit_two_step`.

    Raises
    ------
    ValueError
        If the folds do not fit the sites, or there is only one.
    """
    fold = np.asarray(fold)
    count = int(fold.max()) + 1 if fold.size else 0
    if fold.shape != (sites.sizes["site"],) or count < 2:
        raise ValueError(
            f"{count} folds are given for {fold.size} of {sites.sizes['site']} sites: give each "
            "site one of at least two folds"
        )
    used = found["used"].values.astype(bool)
    models = [
        fit_two_step(
            sites, found.assign(used=("site", used & (fold != number))),
            design=design, members=members, seed=seed, epochs=epochs,
        )
        for number in range(count)
    ]  # fmt: skip
    return FoldNetworks(tuple(models), fold)


def orders_within(fold: ArrayLike, repeats: int, *, seed: int) -> IntArray:
    """Shuffle the sites of each fold among themselves, shape (repeat, n).

    Parameters
    ----------
    fold : array_like of int, shape (n,)
    repeats : int
    seed : int

    Examples
    --------
    >>> order = orders_within([0, 1, 0, 1], 3, seed=1)
    >>> order.shape, sorted(order[0, [0, 2]].tolist()), sorted(order[0, [1, 3]].tolist())
    ((3, 4), [0, 2], [1, 3])
    """
    fold, random = np.asarray(fold), np.random.default_rng(seed)
    orders = np.tile(np.arange(len(fold)), (repeats, 1))
    for number in np.unique(fold):
        rows = np.flatnonzero(fold == number)
        orders[:, rows] = random.permuted(np.tile(rows, (repeats, 1)), axis=1)
    return orders
