"""Sampling: where soil profiles lie, how they are divided, and what is measured in them.

Imitates a collection such as WoSIS; numbers are synthetic choices of this study. Every random
product has its own stream of numbers, and all are drawn for every site that may ever be used: a
smaller size takes the first sites, so sizes are nested and products independent.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from proda_lib.studies.cells import CELL_SIZE
from proda_lib.studies.states import inside
from proda_lib.studies.twin.landscape import Landscape, land, nearest_cell
from proda_lib.studies.twin.tables import seed
from proda_lib.studies.twin.vegetation import by_class

__all__ = [
    "MAX_LAYERS", "SITES", "Observations", "observe", "profile_depths", "site_positions", "stream",
]  # fmt: skip

FloatArray = NDArray[np.float64]

#: Sites of the largest size: as many profiles as the chapter assimilated.
SITES = 25_444
#: Most layers of a profile.
MAX_LAYERS = 15
#: One independent stream of random numbers each; append, never reorder.
_STREAMS = ("positions", "order", "depths", "nugget", "noise", "outliers")

_PER_CLUSTER = 12  # sites per cluster parent
_SCATTER = 0.30  # degrees, standard deviation around the parent
_ALONE = 0.30  # share of sites outside clusters
PROFILE_SD, LAYER_SD = 0.20, 0.32  # of ln SOC: shared by a profile, and of each layer
_CAP = 180e3  # gC m-3: pure organic soil


def stream(product: str) -> np.random.Generator:
    """Return the generator of one random product; the others do not notice.

    Examples
    --------
    >>> bool(stream("noise").random() == stream("noise").random())
    True
    """
    children = np.random.SeedSequence(seed()).spawn(len(_STREAMS))
    return np.random.default_rng(children[_STREAMS.index(product)])


def sampling_weight(view: Landscape) -> FloatArray:
    """Return how likely a cell is to be visited, sum 1: farms, Northeast, California, Corn Belt."""
    lon, lat = view.places.lon, view.places.lat

    def around(lon0: float, width: float, lat0: float, height: float) -> FloatArray:
        return np.exp(-0.5 * (((lon - lon0) / width) ** 2 + ((lat - lat0) / height) ** 2))

    habit = 1 + 0.8 * around(-75, 5, 42, 3) + 0.8 * around(-121, 2, 38, 2.5)
    habit = habit + 0.5 * around(-93, 5, 42, 3)
    weight = by_class("sampling")[view.vegetation.number] * habit * np.cos(np.radians(lat))
    return weight / weight.sum()


def _candidates(
    random: np.random.Generator, parents: NDArray[np.int64], popularity: FloatArray, count: int
) -> FloatArray:
    """Return positions (candidate, lon and lat): a cluster process plus sites on their own."""
    weight, places = sampling_weight(land()), land().places
    alone = random.random(count) < _ALONE
    own_cell = random.choice(len(weight), count, p=weight)
    cluster_cell = parents[random.choice(len(parents), count, p=popularity)]
    cell = np.where(alone, own_cell, cluster_cell)
    within = random.uniform(-CELL_SIZE / 2, CELL_SIZE / 2, (count, 2))
    scatter = _SCATTER * random.normal(size=(count, 2))
    lat = places.lat[cell] + np.where(alone, within[:, 0], scatter[:, 0])
    east = np.where(alone, within[:, 1], scatter[:, 1] / np.cos(np.radians(lat)))
    return np.column_stack([places.lon[cell] + east, lat])


@cache
def _all_positions() -> FloatArray:
    """Return all sites in their final, permuted order; (site, lon and lat), degrees."""
    random = stream("positions")
    count = SITES // _PER_CLUSTER
    parents = random.choice(len(land().places), count, p=sampling_weight(land()))
    popularity = random.gamma(0.6, 1, count)  # a few clusters hold many sites
    popularity /= popularity.sum()
    kept = np.empty((0, 2))
    while len(kept) < SITES:
        more = _candidates(random, parents, popularity, SITES)
        kept = np.concatenate([kept, more[inside(*more.T)]])
    return kept[:SITES][stream("order").permutation(SITES)]


def site_positions(count: int) -> tuple[FloatArray, FloatArray, NDArray[np.int64]]:
    """Return the first sites of the one draw: a Thomas cluster process inside the outline.

    Parameters
    ----------
    count : int
        Number of sites, at most `SITES`.

    Returns
    -------
    lon, lat : ndarray, shape (site,)
        Degrees.
    cell : ndarray of int, shape (site,)
        The nearest cell, whose forcing the site takes.

    Raises
    ------
    ValueError
        If more sites are asked for than are drawn.
    """
    if not 1 <= count <= SITES:
        raise ValueError(f"{count} sites asked for, the twin has 1 to {SITES}: choose a size")
    lon, lat = _all_positions()[:count].T
    return lon.copy(), lat.copy(), nearest_cell(lon, lat)


def profile_depths(bedrock: FloatArray) -> FloatArray:
    """Return the mid-depths of the profiles' layers, m; (site, observation), NaN where none.

    About six layers, at most fifteen; to about 1.35 m, never below bedrock; thin layers on top.

    Parameters
    ----------
    bedrock : ndarray, shape (site,)
        Lower interface of the layer that holds bedrock, m; of the first sites.
    """
    random, sites = stream("depths"), len(bedrock)
    drawn = np.exp(random.normal(np.log(6), 0.36, SITES))[:sites]
    number = np.clip(np.round(drawn), 2, MAX_LAYERS)[:, None]
    base = np.clip(np.exp(random.normal(np.log(1.35), 0.42, SITES)), 0.25, 3)[:sites]
    jitter = random.uniform(-0.2, 0.2, (SITES, MAX_LAYERS - 1))[:sites]
    step = np.arange(MAX_LAYERS + 1)
    boundary = np.minimum(base, bedrock)[:, None] * (step / number) ** 1.25
    moved = boundary[:, 1:-1] + jitter * np.diff(boundary[:, :-1], axis=1)
    boundary[:, 1:-1] = np.where(step[1:-1] < number, moved, boundary[:, 1:-1])
    middle = np.round((boundary[:, 1:] + boundary[:, :-1]) / 2, 3)
    return np.where(step[:-1] < number, middle, np.nan)


@dataclass(frozen=True, eq=False)
class Observations:
    """What was measured.

    Attributes
    ----------
    soc : ndarray, shape (site, observation)
        gC m-3, NaN where there is no layer.
    organic_rich : ndarray of bool, shape (site,)
        Profiles with far more carbon than their model can have.
    """

    soc: FloatArray
    organic_rich: NDArray[np.bool_]


def observe(soc: FloatArray, depth: FloatArray, vegetation: NDArray[np.int64]) -> Observations:
    """Measure soil carbon with error.

    ln observed = ln true + 0.20 N(profile) + 0.32 N(layer); a few organic-rich profiles are times
    exp[N(1.2, 0.35) exp(-z / 1 m)]; at most 180 kg m-3.

    Parameters
    ----------
    soc : ndarray, shape (site, observation)
        True soil organic carbon at the observed depths, gC m-3, of the first sites.
    depth : ndarray, shape (site, observation)
        m.
    vegetation : ndarray of int, shape (site,)
        Class numbers: wetlands are often organic-rich.
    """
    sites = len(soc)
    noise = stream("noise")
    profile = PROFILE_SD * noise.normal(size=(SITES, 1))[:sites]
    layer = LAYER_SD * noise.normal(size=(SITES, MAX_LAYERS))[:sites]
    outliers = stream("outliers")
    rich = outliers.random(SITES)[:sites] < by_class("outliers")[vegetation]
    factor = np.where(rich, outliers.normal(1.2, 0.35, SITES)[:sites], 0)
    log = np.log(soc) + profile + layer + factor[:, None] * np.exp(-depth)
    return Observations(np.minimum(np.exp(log), _CAP), rich)


def nugget(sites: int, parameters: int) -> FloatArray:
    """Return standard normal numbers (site, parameter): how neighbouring profiles differ."""
    return stream("nugget").normal(size=(SITES, parameters))[:sites]
