"""Stand-ins for reference maps, built from a study's own profiles without a process model.

Two ways in which soil carbon has been mapped: the mean of the profiles of each soil class, as soil
maps do, and a machine-learning map. They are no independent references: they know the profiles
that the other maps know, and only these. Neither says anything of the soil below 2 m. The spread
of both comes from resampled places: profiles from one place stay together.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from proda_lib import folds, stocks
from proda_lib.baselines import Direct, fit_forest
from proda_lib.references.map_form import interval_map, with_totals
from proda_lib.soil_grid import GRIDS

__all__ = ["CLASS_COVARIATES", "forest_map", "soil_class_means"]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int_]
Intervals = Sequence[tuple[float, float]]

#: Covariates that hold a soil class; the first that a study has is used.
CLASS_COVARIATES = ("WRB_Subgroup", "USDA_Suborder")


def soil_class_means(
    sites: xr.Dataset,
    grid: xr.Dataset,
    intervals: Intervals = stocks.INTERVALS,
    *,
    seed: int,
    resamples: int = 1000,
    fewest: int = 5,
) -> xr.Dataset:
    """Give every cell the mean observed stock of the profiles of its soil class.

    A class with fewer profiles than `fewest` takes the mean of all profiles, as do cells without
    a class or with one that no profile has; `fallback` marks these cells. Intervals that overlap
    are summed from the same pieces, so that their stocks add up although fewer profiles reach
    deeper.

    Parameters
    ----------
    sites, grid : Dataset
        Of one study, with a covariate of `CLASS_COVARIATES`.
    intervals : sequence of (upper, lower)
        m.
    seed : int
    resamples : int
        Draws of the places with replacement, for the spread.
    fewest : int
        Profiles that a class needs for a mean of its own, counted for each piece into which
        intervals that overlap are cut.

    Returns
    -------
    Dataset
        `stock`, `stock_sd` (cell, interval) gC m-2; `total`, `total_low`, `total_high` (interval)
        Pg C, the sum over the cells and its 95 % interval; `fallback` (cell, interval);
        `fallback_area` (interval), the share of the area in cells so marked. NaN in an interval
        that no profile reaches. Attributes: the covariate, how many `classes` have a mean of their
        own and how many are `classes_too_small` for one in any interval, `fewest`, and what the
        spread is.

    Raises
    ------
    ValueError
        If the sites or the cells have no soil class.

    Examples
    --------
    >>> from proda_lib import studies
    >>> study = studies.load("twin", "smoke")
    >>> found = soil_class_means(study.sites, study.grid, seed=1, resamples=100)
    >>> found.covariate, bool((found.total_low < found.total).all()), found.fewest
    ('WRB_Subgroup', True, 5)
    """
    from proda_lib.profile_stocks import observed_stocks

    covariate = _class_covariate(sites, grid)
    member, of_cell = _membership(sites, grid, covariate)
    pieces, inside = _pieces(intervals)
    known = observed_stocks(sites, pieces)["stock"].transpose("site", "interval").values
    alone = _sums(np.isfinite(known), member)[0] >= fewest
    mean = _class_means(known, member, alone, inside)[0]
    drawn = _class_means(known, member, alone, inside, _place_weights(sites, resamples, seed))
    own = ~(~alone[:, :, None] & inside).any(axis=1)
    area = np.bincount(of_cell, grid["area"].values, minlength=len(own))
    data = interval_map(grid, intervals, mean[of_cell], drawn.std(axis=0, ddof=1)[of_cell])
    fallback = ~own[of_cell] | (of_cell == len(own) - 1)[:, None]
    told = "whether the cell takes the mean of all profiles", "share of the area in such cells"
    data["fallback"] = (("cell", "interval"), fallback, {"units": "1", "long_name": told[0]})
    share = np.average(fallback, axis=0, weights=grid["area"].values)
    data["fallback_area"] = ("interval", share, {"units": "1", "long_name": told[1]})
    totals = np.einsum("dci,c->di", drawn, area)
    return with_totals(data, totals.std(axis=0, ddof=1), resamples).assign_attrs(
        covariate=covariate,
        classes=int(own[:-1].any(axis=1).sum()),
        classes_too_small=int((~own[:-1].any(axis=1)).sum()),
        fewest=fewest,
        spread=f"{resamples} resamples of the places of the profiles",
    )


def _class_covariate(sites: xr.Dataset, grid: xr.Dataset) -> str:
    there = [each["covariate"].values if "covariates" in each else [] for each in (sites, grid)]
    for name in CLASS_COVARIATES:
        if all(name in each for each in there):
            return name
    raise ValueError(
        f"the study has no soil class: give sites and cells with one of the covariates "
        f"{', '.join(CLASS_COVARIATES)}, or take forest_map"
    )


def _membership(sites: xr.Dataset, grid: xr.Dataset, covariate: str) -> tuple[FloatArray, IntArray]:
    """Tell which sites are of which class, and the class of every cell.

    Returns
    -------
    member : ndarray, shape (site, class)
        1 or 0; the last class holds every site and stands for cells that no other class fits.
    of_cell : ndarray of int, shape (cell,)
    """
    code, wanted = (each["covariates"].sel(covariate=covariate).values for each in (sites, grid))
    names = np.unique(code[np.isfinite(code)])
    member = np.column_stack([code[:, None] == names, np.ones(len(code))])
    match = wanted[:, None] == names
    return member, np.where(match.any(axis=1), match.argmax(axis=1), len(names))


def _place_weights(sites: xr.Dataset, resamples: int, seed: int) -> IntArray:
    """Draw places with replacement; how often each site is taken, shape (resamples, site)."""
    place = folds.locations(sites)
    count = int(place.max()) + 1
    random = np.random.default_rng(seed)
    return random.multinomial(count, np.full(count, 1 / count), size=resamples)[:, place]


def _sums(value: ArrayLike, member: FloatArray, weight: ArrayLike | None = None) -> FloatArray:
    """Add up values (site, interval) by class, for each draw of weights (draw, site)."""
    table = np.einsum("sc,si->sci", member, np.asarray(value, dtype=float))
    weight = np.ones((1, len(member))) if weight is None else np.asarray(weight, dtype=float)
    return (weight @ table.reshape(len(member), -1)).reshape(len(weight), *table.shape[1:])


def _pieces(intervals: Intervals) -> tuple[Intervals, NDArray[np.bool_]]:
    """Cut intervals that overlap into pieces that do not; which lie in which, (piece, interval)."""
    edges = sorted({edge for interval in intervals for edge in interval})
    pieces = list(pairwise(edges))
    inside = [
        [top <= upper and lower <= base for top, base in intervals] for upper, lower in pieces
    ]
    return pieces, np.array(inside)


def _class_means(
    known: FloatArray,
    member: FloatArray,
    own: NDArray[np.bool_],
    inside: NDArray[np.bool_],
    weight: ArrayLike | None = None,
) -> FloatArray:
    """Mean stock by draw, class and interval, summed over the pieces of the interval.

    A class with too few profiles takes the mean of all, so does a draw without any of a class.
    """
    count = _sums(np.isfinite(known), member, weight)
    total = _sums(np.nan_to_num(known), member, weight)
    mean = np.divide(total, count, out=np.full_like(total, np.nan), where=count > 0)
    mean = np.where(own & (count > 0), mean, mean[:, -1:])
    return np.where(inside, mean[..., None], 0.0).sum(axis=-2)


def forest_map(
    sites: xr.Dataset,
    grid: xr.Dataset,
    intervals: Intervals = stocks.INTERVALS,
    *,
    trees: int = 100,
    seed: int,
    resamples: int = 10,
    trees_of_resample: int = 10,
) -> xr.Dataset:
    """Map stocks with a random forest of soil carbon on covariates and depth.

    The forest is asked at the nodes of the model's layers and summed over depth as the model is,
    down to the bedrock of the cell: a forest does not know where soil ends. A number that is
    missing takes the median of the sites, a class that is missing their most frequent one.

    Where only some profiles were sampled, the forest tells of all places what these hold: of New
    York's profiles one in eleven has a sample above 2 cm, mostly of organic layers, and in held-out
    profiles the forest's uppermost 5 cm hold 4.0 kgC m-2 where 2.4 were observed.

    Parameters
    ----------
    sites, grid : Dataset
        Of one study, with covariates; those that the coordinate `covariate_kind` calls "category"
        are classes, all others numbers.
    intervals : sequence of (upper, lower)
        m.
    trees : int
        Of the forest whose map this is.
    seed : int
    resamples : int
        Draws of the places with replacement, for the spread.
    trees_of_resample : int
        Trees of the forest that every draw is given. They are few, and what that adds to the spread
        is left in: the spread is rather too wide than too narrow.

    Returns
    -------
    Dataset
        `stock`, `stock_sd` (cell, interval) gC m-2; `total`, `total_low`, `total_high` (interval)
        Pg C, the sum over the cells and its 95 % interval. An attribute says what the spread is.

    Raises
    ------
    ValueError
        If the sites or the cells have no covariates, or different ones.

    Examples
    --------
    >>> from proda_lib import studies
    >>> study = studies.load("twin", "smoke")
    >>> cells = study.grid.isel(cell=slice(5))
    >>> found = forest_map(study.sites, cells, trees=5, seed=1, resamples=3)
    >>> dict(found.sizes)
    {'cell': 5, 'interval': 3}
    """
    usual = _usual(sites, grid)
    sites, grid = (
        each.assign(covariates=each["covariates"].fillna(usual)) for each in (sites, grid)
    )
    stock = _forest_stock(fit_forest(sites, trees=trees, seed=seed), grid, intervals)
    drawn = []
    for number, times in enumerate(_place_weights(sites, resamples, seed)):
        taken = sites.isel(site=np.repeat(np.arange(len(times)), times))
        forest = fit_forest(taken, trees=trees_of_resample, seed=seed + 1 + number)
        drawn.append(_forest_stock(forest, grid, intervals))
    data = interval_map(grid, intervals, stock, np.std(drawn, axis=0, ddof=1))
    total = np.einsum("dci,c->di", drawn, grid["area"].values)
    return with_totals(data, total.std(axis=0, ddof=1), resamples).assign_attrs(
        trees=trees, spread=f"{resamples} resamples of the places of the profiles"
    )


def _usual(sites: xr.Dataset, grid: xr.Dataset) -> xr.DataArray:
    """Return what stands for each covariate where it is missing: median, or most frequent class."""
    if "covariates" not in sites or "covariates" not in grid:
        raise ValueError(
            "the study has no covariates, from which a forest predicts: give sites and cells with "
            "covariates, or leave the forest out"
        )
    value = sites["covariates"].transpose("site", "covariate")
    usual = value.median("site")
    if "covariate_kind" in sites.coords:
        for number in np.flatnonzero(sites["covariate_kind"].values == "category"):
            code = value.values[:, number]
            known, times = np.unique(code[np.isfinite(code)], return_counts=True)
            if len(known):
                usual[number] = known[times.argmax()]
    return usual


def _forest_stock(forest: Direct, grid: xr.Dataset, intervals: Intervals) -> FloatArray:
    """Stocks of every cell, shape (cell, interval), gC m-2."""
    layers = GRIDS[grid.attrs["soil_grid"]]
    deepest = int(np.searchsorted(layers.interface, max(lower for _, lower in intervals))) + 1
    soil = np.zeros((grid.sizes["cell"], layers.layers))
    soil[:, :deepest] = forest.profile(grid, layers.node[:deepest])
    below = np.arange(layers.layers) >= grid["bedrock_layer"].values[:, None]
    soil[below] = 0.0
    return np.stack(
        [stocks.interval_stock(soil, upper, lower, layers) for upper, lower in intervals], axis=1
    )
