"""The exact sampler: posterior draws at many sites, each site until it has converged.

`sample` runs chains from over-dispersed starts with the moves of `proda_lib.moves`. During warm-up
the normal and the archive that the moves use are fitted again after every block of iterations, from
the records of all chains of the site; then they are frozen, so that what is kept comes from a fixed
Markov chain whose stationary distribution is the posterior. After every check the sites that are
not finished go on. Sites that never converge are returned with a flag.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from proda_lib import chains
from proda_lib.chains import Energy, Settings, Watch
from proda_lib.compiled import jax
from proda_lib.diagnostics import Diagnostics
from proda_lib.site_chains import Site, Worst

__all__ = ["Draws", "Settings", "Worst", "sample"]

FloatArray = NDArray[np.float64]

_QUICK = 4  # checks after which a site goes on in fewer lanes
_FEWER = 8  # by this factor


@dataclass(frozen=True)
class Draws:
    """What `sample` returns; axis site as given.

    Attributes
    ----------
    unit : ndarray, shape (site, chain, draw, d)
        Draws in the unit cube, evenly thinned to `Settings.stored`.
    energy : ndarray, shape (site, chain, draw)
        1.
    mean, sd : ndarray, shape (site, d)
        Of all kept records, unit cube.
    diagnostics : Diagnostics
        Of all kept records; each of shape (site, d + 1), the energy last.
    worst : Worst
        Of the diagnostics, those of watched quantities included.
    acceptance : ndarray, shape (site, 4)
        Accepted share of each of `proda_lib.moves.MOVES` in the kept phase.
    converged : ndarray of bool, shape (site,)
        Whether a site met the stop rule. Do not use the others without saying so.
    evaluations : ndarray of int, shape (site, 2)
        Energies computed before and in the kept phase, all chains together.
    watched : ndarray, shape (site, chain, draw, k)
        Watched quantities at the draws of `unit`; k is 0 if none are watched.
    watched_mean, watched_sd : ndarray, shape (site, k)
        Of all kept records.
    watched_chain_mean : ndarray, shape (site, chain, k)
        Of all kept records of each chain.
    """

    unit: FloatArray
    energy: FloatArray
    mean: FloatArray
    sd: FloatArray
    diagnostics: Diagnostics
    worst: Worst
    acceptance: FloatArray
    converged: NDArray[np.bool_]
    evaluations: NDArray[np.int_]
    watched: FloatArray
    watched_mean: FloatArray
    watched_sd: FloatArray
    watched_chain_mean: FloatArray


def sample(
    energy: Energy,
    data: Any,
    identities: ArrayLike,
    settings: Settings | None = None,
    seed: int = 0,
    *,
    dimensions: int = 21,
    watch: Watch | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Draws:
    """Draw from the posterior exp(-energy) on the unit cube at every site.

    Parameters
    ----------
    energy : callable
        (unit, data) of one site to a scalar; hashable, and the same object for the same target, so
        that it is compiled once. See `proda_lib.cost.target`.
    data : pytree of arrays with leading axis site
    identities : array_like of int, shape (site,)
        Number of each site; with the seed it fixes the site's results, whatever other sites run
        beside it. Different sites need different numbers.
    settings : Settings, optional
    dimensions : int
        Number of parameters, d.
    watch : callable, optional
        (unit, data) of one site to further quantities, (k,), that have to converge as well, such as
        modelled SOC (`proda_lib.cost.prediction`); hashable like `energy`. What never changes at a
        site, such as a pad, is left out of its convergence.
    progress : callable, optional
        Called with the number of finished sites and of all, after every block.

    Raises
    ------
    ValueError
        If identities do not fit the data or occur twice.

    Examples
    --------
    >>> def energy(unit, data):
    ...     return ((unit - data) ** 2).sum() / 0.02
    >>> short = Settings(warmup=4, check=2, most=2, stored=50, lanes=1)
    >>> draws = sample(energy, np.array([0.5]), [7], short, dimensions=2)
    >>> draws.unit.shape, bool(abs(draws.mean - 0.5).max() < 0.02)
    ((1, 8, 50, 2), True)
    """
    settings = settings or Settings()
    identities = _identities(identities, data)
    root = jax.random.key(seed)
    keys = jax.vmap(lambda number: jax.random.fold_in(root, number))(identities)
    run = _Run(energy, data, keys, settings, dimensions, watch)
    sites = [Site(index, dimensions, settings) for index in range(len(identities))]
    run.start(sites)
    while any(not site.finished for site in sites):
        run.block([site for site in sites if not site.finished])
        if progress is not None:
            progress(sum(site.finished for site in sites), len(sites))
    return _collect(sites)


def _identities(identities: ArrayLike, data: Any) -> NDArray[np.uint32]:
    numbers = np.asarray(identities)
    lengths = {len(leaf) for leaf in jax.tree.leaves(data)}
    if numbers.ndim != 1 or lengths != {len(numbers)} or not len(numbers):
        raise ValueError(
            f"identities have shape {numbers.shape}, data rows {sorted(lengths)}: "
            "give one number per site and at least one site"
        )
    if len(np.unique(numbers)) < len(numbers) or numbers.min() < 0 or numbers.max() >= 2**32:
        raise ValueError("identities must differ from site to site and lie in 0 to 2**32 - 1")
    return numbers.astype(np.uint32)


@dataclass
class _Run:
    """The target and its sites, run side by side in lanes."""

    energy: Energy
    data: Any
    keys: Any
    settings: Settings
    dimensions: int
    watch: Watch | None

    def lanes(self, sites: list[Site], count: int) -> tuple[list[Site], Any, Any]:
        """Return what runs in each lane, its keys and its data; spare lanes repeat sites.

        Always the same number of lanes: another program would round differently.
        """
        lanes = [sites[lane % len(sites)] for lane in range(count)]
        rows = np.array([site.index for site in lanes])
        return lanes, self.keys[rows], jax.tree.map(lambda leaf: leaf[rows], self.data)

    def start(self, sites: list[Site]) -> None:
        s, d = self.settings, self.dimensions
        for first in range(0, len(sites), s.lanes):
            batch = sites[first : first + s.lanes]
            _, keys, data = self.lanes(batch, s.lanes)
            state, archive = jax.device_get(chains.start(self.energy, s.sizes, d, keys, data))
            for lane, site in enumerate(batch):
                site.state = jax.tree.map(lambda leaf: leaf[lane], state)  # noqa: B023
                site.fit = chains.no_fit(archive[lane])

    def next(self, sites: list[Site]) -> tuple[list[Site], int]:
        """Choose the sites of the next block, and the number of lanes.

        Breadth first, so that lanes stay full. A site that takes long goes on in few lanes: its
        own length decides, so that its numbers do not depend on other sites.
        """
        s = self.settings
        quick = [site for site in sites if site.done < s.warmup + _QUICK * s.check]
        count = s.lanes if quick else max(1, s.lanes // _FEWER)
        return sorted(quick or sites, key=lambda site: site.done)[:count], count

    def block(self, unfinished: list[Site]) -> None:
        sites, count = self.next(unfinished)
        lanes, keys, data = self.lanes(sites, count)
        done = np.array([site.done for site in lanes])
        state = _stack([site.state for site in lanes])
        fit = _stack([site.fit for site in lanes])
        state, positions, energies, counts = chains.block(
            self.energy, self.settings.sizes, keys, done, state, fit, data
        )
        records = None
        if done.max() >= self.settings.warmup:
            records = chains.observe(self.watch, positions, energies, data)
        outcome = jax.device_get((state, positions, counts, records))
        for lane, site in enumerate(sites):
            site.add(*jax.tree.map(lambda leaf: leaf[lane].copy(), outcome))  # noqa: B023


def _stack(trees: list[Any]) -> Any:
    return jax.tree.map(lambda *leaves: np.stack(leaves), *trees)


def _collect(sites: list[Site]) -> Draws:
    results = [site.result for site in sites]
    return Draws(**{name: _stack([each[name] for each in results]) for name in results[0]})
