"""Point estimates against known distributions, SciPy's fits, and other searches."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pytest
from scipy import stats
from scipy.optimize import rosen
from scipy.special import ndtri

from proda_lib import cost, estimates, studies
from proda_lib.compiled import jax
from proda_lib.minimise import minimise
from proda_lib.published_result import gev_mode

import jax.numpy as jnp  # isort: skip

#: Modes at either end, inside, and the larger of two.
KNOWN = {
    0.0: stats.beta(1, 4),
    1.0: stats.beta(3, 1),
    0.125: stats.beta(2, 8),
    0.8: stats.beta(5, 2),
    0.5: stats.beta(200, 200),
}


def test_marginal_modes_of_known_distributions() -> None:
    draws = np.stack([d.rvs((3, 20_000), random_state=1) for d in KNOWN.values()], axis=-1)
    modes = estimates.marginal_mode(draws)
    assert modes.shape == (3, len(KNOWN)) and (modes > 0).all() and (modes < 1).all()
    np.testing.assert_allclose(modes, np.tile(list(KNOWN), (3, 1)), atol=0.04)
    two = np.concatenate([draws[0, :, 2:3] / 2, 1 - draws[0, :12_000, 2:3] / 2])
    assert estimates.marginal_mode(two) == pytest.approx(0.06, abs=0.03)


def test_marginal_modes_are_symmetric_and_independent_of_other_columns() -> None:
    draws = stats.beta(2, 5).rvs((4, 500, 3), random_state=2)
    modes = estimates.marginal_mode(draws)
    np.testing.assert_allclose(estimates.marginal_mode(1 - draws), 1 - modes, atol=1e-3)
    np.testing.assert_array_equal(estimates.marginal_mode(draws[2, :, 1:]), modes[2, 1:])
    draws[1, 7, 2] = np.nan
    assert np.isnan(estimates.marginal_mode(draws)).sum() == 1
    # Draws that are all the same have their mode there.
    assert estimates.marginal_mode(np.full((10, 1), 0.3)) == pytest.approx(0.3, abs=0.002)


def test_fitted_modes_agree_with_scipy() -> None:
    kinds = [stats.uniform(), stats.beta(2, 5), stats.beta(5, 2), stats.beta(0.8, 4),
             stats.norm(0.4, 0.01), stats.genextreme(0.3, 0.4, 0.05)]  # fmt: skip
    draws = np.stack([kind.rvs((2, 300), random_state=3) for kind in kinds], axis=-1)
    modes = estimates.gev_modes(draws)
    expected = [gev_mode(site) for site in draws]
    np.testing.assert_allclose(modes, expected, atol=3e-4 * draws.std(axis=1).max())


def test_fitted_modes_where_the_likelihood_has_no_maximum_or_nothing_varies() -> None:
    draws = np.stack([stats.beta(4, 0.5).rvs(300, random_state=4), np.full(300, 0.2)], axis=-1)
    draws = np.stack([draws, np.where(np.arange(2) > 0, np.nan, draws)])
    modes = estimates.gev_modes(draws)
    np.testing.assert_allclose(modes, [[1.0, 0.2], [1.0, np.nan]], atol=0.01)
    np.testing.assert_array_equal(estimates.gev_modes(draws[1:]), modes[1:])


def rosenbrock(x: Any) -> Any:
    """Infinite in a corner, so that steps there have to be refused."""
    value = jnp.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)
    return jnp.where(x.sum() > 8, jnp.inf, value)


def test_the_minimiser_finds_a_curved_valley_and_its_lanes_are_independent() -> None:
    assert rosenbrock(np.array([0.3, 0.5, -1])) == pytest.approx(rosen([0.3, 0.5, -1]))
    starts = np.random.default_rng(5).uniform(-1, 1.5, size=(8, 5))
    search = jax.jit(jax.vmap(lambda start: minimise(rosenbrock, start, tries=1000)))
    points, values = search(starts)
    assert (values < rosen(starts.T)).all()
    np.testing.assert_allclose(points[values < 1], 1, atol=1e-3)
    assert (values < 1).sum() >= 6  # a second minimum at 3.9 is known
    np.testing.assert_array_equal(search(starts[::-1])[0][::-1], points)
    few = jax.jit(lambda start: minimise(rosenbrock, start, tries=2))(starts[0])
    assert few[1] <= rosen(starts[0])


@pytest.fixture(scope="module")
def sites() -> cost.SiteData:
    return cost.site_data(studies.load("twin", "smoke").sites.isel(site=slice(0, 20)))


class Draws(NamedTuple):
    unit: np.ndarray  # (site, draw, d)
    energy: np.ndarray
    mean: np.ndarray  # (site, d)


@pytest.fixture(scope="module")
def draws(sites: cost.SiteData) -> Draws:
    """Prior draws, resampled by their weights under each posterior."""
    rng = np.random.default_rng(7)
    unit = rng.uniform(size=(4000, 21))
    at = jax.vmap(jax.vmap(cost.target("proda"), (0, None)), (None, 0))
    energy = np.nan_to_num(jax.jit(at)(unit, sites), nan=np.inf)
    weight = np.exp(energy.min(axis=1, keepdims=True) - energy)
    weight /= weight.sum(axis=1, keepdims=True)
    taken = np.stack([rng.choice(4000, 240, p=each) for each in weight])
    return Draws(unit[taken], np.take_along_axis(energy, taken, axis=1), weight @ unit)


@pytest.fixture(scope="module")
def best(sites: cost.SiteData, draws: Draws) -> tuple[np.ndarray, np.ndarray]:
    return estimates.best_fit(cost.target("proda"), sites, draws.unit, draws.energy)


def cooled(unit: np.ndarray, energy: np.ndarray) -> np.ndarray:
    return energy / estimates.ANNEALED + (ndtri(unit) ** 2).sum(axis=-1) / 2


def test_best_fits_are_below_all_draws_and_other_searches(
    sites: cost.SiteData, draws: Draws, best: tuple
) -> None:
    lowest = cooled(*best)
    assert (lowest[:, None] < cooled(draws.unit, draws.energy)).all()
    # From draws that the search did not start from, and from the prior.
    others = np.concatenate([draws.unit[0, ::24], np.random.default_rng(6).uniform(size=(6, 21))])
    data, energy = jax.tree.map(lambda leaf: leaf[0], sites), cost.target("proda")

    def at_zero(position: Any) -> Any:
        unit = estimates.to_unit(position)
        return energy(unit, data) / estimates.ANNEALED + (position**2).sum() / 2

    _, found = jax.jit(jax.vmap(lambda start: minimise(at_zero, start)))(ndtri(others))
    assert lowest[0] <= found.min() + 1e-4


def test_best_fits_depend_on_no_other_site(sites: cost.SiteData, draws: Draws, best: tuple) -> None:
    some = [17, 3]
    part = jax.tree.map(lambda leaf: leaf[some], sites)
    few = estimates.best_fit(cost.target("proda"), part, draws.unit[some], draws.energy[some])
    for apart, whole in zip(few, best, strict=True):
        np.testing.assert_array_equal(apart, whole[some])


def test_best_fits_fit_better_than_posterior_means(
    sites: cost.SiteData, draws: Draws, best: tuple
) -> None:
    at = jax.jit(jax.vmap(cost.target("proda")))
    np.testing.assert_allclose(at(best[0], sites), best[1], rtol=1e-9)
    assert (best[1] < at(draws.mean, sites)).all()


def test_the_colder_the_less_the_prior_counts() -> None:
    def energy(unit: Any, data: Any) -> Any:
        """Gaussian about `data` in z, with standard deviation 0.5."""
        return ((jax.scipy.special.ndtri(unit) - data) ** 2).sum() / 2 / 0.25

    draws, data = np.full((1, 8, 2), 0.5), np.array([2.0])
    for temperature in (1.0, 0.1):
        unit, value = estimates.best_fit(
            energy, data, draws, np.full((1, 8), 16.0), temperature=temperature
        )
        exact = 2 * 4 / (4 + temperature)
        np.testing.assert_allclose(ndtri(unit), exact, atol=1e-4)
        np.testing.assert_allclose(value, 4 * (exact - 2) ** 2, atol=1e-3)
