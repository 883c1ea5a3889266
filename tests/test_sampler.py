"""The exact sampler against exact targets, deliberate faults, importance sampling, calibration.

Sites of a toy target are independent replicates, so that standard errors come from their spread and
from no estimate of autocorrelation.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import xarray as xr
from scipy import stats
from scipy.special import ndtr, ndtri

from proda_lib import cost, moves, studies
from proda_lib.compiled import jax
from proda_lib.diagnostics import summary
from proda_lib.sampler import Draws, Settings, sample

import jax.numpy as jnp  # isort: skip
from jax.scipy.special import ndtri as jax_ndtri

#: Fixed length: no site is ever judged unfinished after its first check.
TOY = Settings(
    block=200, warmup=8, check=12, most=12, thin=5, ess=0, rhat=np.inf, archive=200, stored=480,
    lanes=64,
)  # fmt: skip
DIMENSIONS = 4

#: Largest |t| of some twenty statistics that chance explains: less than one in 5,000 is larger.
LIMIT = 4.5


def gaussian(unit: Any, data: Any = 0.0) -> Any:
    """A linear model of z with unit errors: the posterior is exactly normal."""
    return jnp.sum((MATRIX @ jax_ndtri(unit) - VALUES) ** 2) / 2 + 0 * data


def two_modes(unit: Any) -> Any:
    z = jax_ndtri(unit)
    one, other = (jnp.sum((z - sign * MODE) ** 2) / (2 * MODE_SD**2) for sign in (1, -1))
    return -jnp.logaddexp(jnp.log(SHARE) - one, jnp.log(1 - SHARE) - other)


def triangle(unit: Any) -> Any:
    """No number, as from a model that fails, outside half of the cube."""
    return jnp.where(unit[0] + unit[1] < 1, 0.0, jnp.nan)


def any_target(unit: Any, data: Any) -> Any:
    """All targets in one, so that they are compiled together; `data` says which."""
    values = [0 * unit.sum(), gaussian(unit), two_modes(unit), triangle(unit)]
    return jnp.select([data == target for target in range(len(values))], values)


FLAT, GAUSSIAN, TWO_MODES, TRIANGLE = range(4)
MATRIX = np.array([[3.0, 1.0, 0.0, 0.0], [0.0, 1.0, -1.0, 0.0]])
VALUES = np.array([2.0, -1.0])
MODE, MODE_SD, SHARE = np.array([1.8, 0, 0, 0]), 0.45, 0.7


@pytest.fixture(scope="module")
def toys() -> dict[int, Draws]:
    """64 replicates of every target, 128 of the one with two modes."""
    which = np.repeat([FLAT, GAUSSIAN, TWO_MODES, TRIANGLE], [64, 64, 128, 64])
    draws = sample(any_target, which, np.arange(len(which)), TOY, 1, dimensions=DIMENSIONS)
    names = ("unit", "energy", "mean", "sd", "acceptance")
    return {
        target: replace(draws, **{name: getattr(draws, name)[which == target] for name in names})
        for target in (FLAT, GAUSSIAN, TWO_MODES, TRIANGLE)
    }  # fmt: skip


def largest_t(statistics: np.ndarray, exact: Any) -> float:
    """Largest |t| of statistics (replicate, ...) against exact values."""
    error = statistics.std(axis=0, ddof=1) / np.sqrt(len(statistics))
    return float(np.abs((statistics.mean(axis=0) - exact) / error).max())


def moments(white: np.ndarray) -> np.ndarray:
    """First and second moments of draws (site, chain, draw, d) of a standard normal, per site."""
    second = np.einsum("scdi,scdj->sij", white, white) / np.prod(white.shape[1:3])
    upper = np.triu_indices(white.shape[-1])
    fourth = (white**4).mean(axis=(1, 2))
    return np.concatenate([white.mean(axis=(1, 2)), second[:, *upper], fourth], axis=1)


def exact_moments(d: int = DIMENSIONS) -> np.ndarray:
    return np.concatenate([np.zeros(d), np.eye(d)[np.triu_indices(d)], np.full(d, 3.0)])


def gaussian_t(unit: np.ndarray) -> float:
    """Largest |t| of the moments, whitened with the exact mean and covariance."""
    precision = np.eye(DIMENSIONS) + MATRIX.T @ MATRIX
    centre = np.linalg.solve(precision, MATRIX.T @ VALUES)
    white = (ndtri(unit) - centre) @ np.linalg.cholesky(precision)
    return largest_t(moments(white), exact_moments())


def test_without_data_the_prior_comes_back(toys: dict) -> None:
    draws = toys[FLAT]
    assert largest_t(moments(ndtri(draws.unit)), exact_moments()) < LIMIT
    # Every 40th draw of a chain is as good as independent.
    some = draws.unit[:, :, ::40].reshape(-1, DIMENSIONS)
    assert min(stats.kstest(column, "uniform").pvalue for column in some.T) > 1e-3
    # Half of the redraws come from the prior and are never rejected here.
    others = np.array(moves.MOVES) != "redraw"
    assert (draws.acceptance[:, others] < 0.999).all(), "without rejections the test is empty"


def test_linear_gaussian_mean_and_covariance(toys: dict) -> None:
    assert gaussian_t(toys[GAUSSIAN].unit) < LIMIT


def test_two_modes_have_their_weights(toys: dict) -> None:
    # Each mode is normal with mean y / (1 + s^2) and variance s^2 / (1 + s^2).
    inside = ndtr(MODE[0] / np.sqrt(1 + MODE_SD**2) / MODE_SD)
    exact = SHARE * inside + (1 - SHARE) * (1 - inside)
    right = (toys[TWO_MODES].unit[..., 0] > 0.5).mean(axis=(1, 2))
    assert right.std(ddof=1) / np.sqrt(len(right)) < 0.0013
    assert largest_t(right, exact) < 4


def test_bounded_target(toys: dict) -> None:
    one, other = np.moveaxis(toys[TRIANGLE].unit[..., :2], -1, 0)
    assert (one + other).max() < 1
    found = np.stack([value.mean(axis=(1, 2)) for value in (one, one**2, one * other)], axis=1)
    assert largest_t(found, [1 / 3, 1 / 6, 1 / 12]) < LIMIT


RIGHT, NO_STRETCH, NO_REFERENCE, NO_REDRAW, NUMBER_TWICE, NO_PRIOR = range(6)


@pytest.fixture(scope="module")
def faulty() -> dict[int, np.ndarray]:
    """Draws of the Gaussian target by moves with a fault, which `data` chooses, every state.

    All are compiled together. Snooker moves are many, so that their factor matters.
    """
    now: list[Any] = []

    def spoil(patch: pytest.MonkeyPatch, name: str, fault: int, wrong: Callable) -> None:
        right = getattr(moves, name)

        def either(*given: Any) -> Any:
            pairs = (right(*given), wrong(right(*given)))
            return jax.tree.map(lambda one, other: jnp.where(now[-1] == fault, other, one), *pairs)

        patch.setattr(moves, name, either)

    def step(energy: Any, key: Any, state: Any, fit: Any, data: Any) -> Any:
        now.append(data)
        return once(energy, key, state, fit, data)

    once = moves.step
    which = np.repeat(np.arange(6), 48)
    settings = replace(TOY, warmup=3, check=6, most=6, thin=1, stored=1200, lanes=48)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(moves, "step", step)
        patch.setattr(moves, "_UPTO", (0.2, 0.3, 0.5))
        spoil(patch, "_stretch_ratio", NO_STRETCH, lambda value: 0 * value)
        spoil(patch, "_reference_ratio", NO_REFERENCE, lambda value: 0 * value)
        spoil(patch, "_redraw_ratio", NO_REDRAW, lambda value: 0 * value)
        spoil(patch, "_log_prior", NO_PRIOR, lambda value: 0 * value)
        spoil(
            patch,
            "_random",
            NUMBER_TWICE,
            lambda value: (value[0], value[1].at[1].set(value[1][2])),
        )
        draws = sample(lambda unit, data: gaussian(unit, data), which, np.arange(len(which)),
                       settings, 1, dimensions=DIMENSIONS)  # fmt: skip
    return {fault: draws.unit[which == fault] for fault in range(6)}


@pytest.mark.parametrize("fault", [NO_STRETCH, NO_REFERENCE, NO_REDRAW, NUMBER_TWICE, NO_PRIOR])
def test_deliberate_faults_are_caught(fault: int, faulty: dict) -> None:
    assert gaussian_t(faulty[fault]) > LIMIT


def test_counting_accepted_states_only_is_caught(faulty: dict) -> None:
    assert gaussian_t(faulty[RIGHT]) < LIMIT
    moved = [
        np.concatenate([chain[1:][(np.diff(chain, axis=0) != 0).any(axis=1)] for chain in site])
        for site in faulty[RIGHT]
    ]
    least = min(map(len, moved))
    assert gaussian_t(np.array([states[-least:] for states in moved])[:, None]) > LIMIT


@pytest.fixture(scope="module")
def twin_sites() -> xr.Dataset:
    return studies.load("twin", "smoke").sites


SHORT = Settings(block=40, warmup=2, check=2, most=12, thin=4, ess=16, rhat=np.inf, stored=5,
                 archive=100, lanes=8)  # fmt: skip


def test_neither_neighbours_nor_their_order_change_a_site(twin_sites: xr.Dataset) -> None:
    rows = np.arange(7)
    data = cost.site_data(twin_sites.isel(site=rows))

    def run(some: list[int] | np.ndarray, lanes: int = 8, seed: int = 3) -> Draws:
        part = jax.tree.map(lambda leaf: leaf[some], data)
        settings = replace(SHORT, lanes=lanes)
        return sample(cost.target("proda"), part, some, settings, seed, watch=cost.prediction())

    together = run(rows)
    blocks = together.evaluations[:, 1] / SHORT.block / SHORT.chains
    assert len(np.unique(blocks)) > 1, "sites should stop at different times"
    assert blocks.max() > 4 * SHORT.check, "some should go on in fewer lanes"
    for some in ([int(np.argmax(blocks)), 1, 6], [6, 5, 4, 3, 2, 1, 0]):
        for apart, whole in zip(_leaves(run(some)), _leaves(together), strict=True):
            np.testing.assert_array_equal(apart, whole[some])
    np.testing.assert_allclose(run(rows, lanes=3).mean, together.mean, rtol=1e-9)
    assert (run(rows, seed=4).unit != together.unit).any(axis=(1, 2, 3)).all()


def _leaves(draws: Draws) -> list[np.ndarray]:
    return jax.tree.leaves(vars(draws))


def test_watched_quantities_are_those_of_the_draws(twin_sites: xr.Dataset) -> None:
    data = cost.site_data(twin_sites.isel(site=[0, 1]))
    settings = replace(SHORT, most=2, stored=20)
    draws = sample(cost.target("proda"), data, [0, 1], settings, watch=cost.prediction())
    chains_draws = (jax.vmap(jax.vmap(cost.prediction(), (0, None)), (0, None)), (0, 0))
    modelled = jax.jit(jax.vmap(*chains_draws))(draws.unit, data)
    np.testing.assert_allclose(draws.watched, modelled, rtol=1e-12)
    # Every record is returned here.
    np.testing.assert_allclose(draws.watched_mean, modelled.mean(axis=(1, 2)), rtol=1e-12)
    np.testing.assert_allclose(draws.watched_chain_mean, modelled.mean(axis=2), rtol=1e-12)
    np.testing.assert_allclose(draws.watched_sd, modelled.reshape(2, 160, -1).std(axis=1, ddof=1))
    for site in range(2):
        real = draws.watched[site][..., np.asarray(data.weight[site]) > 0]
        found = [summary(real), jax.tree.map(lambda each: each[site], draws.diagnostics)]  # noqa: B023
        rhat, bulk, tail, _ = (np.concatenate(each) for each in zip(*found, strict=True))
        expected = (rhat.max(), bulk.min(), tail.min())
        assert tuple(each[site] for each in draws.worst) == pytest.approx(expected)


def test_a_watched_quantity_decides_when_a_site_is_finished() -> None:
    def which_mode(unit: Any, data: Any) -> Any:
        return jnp.array([7.0, 1.0]) * jnp.where(jnp.arange(2) > 0, unit[0] > 0.5, 1.0)

    settings = replace(TOY, ess=400, rhat=np.inf, check=1, most=100, stored=40)
    which = np.full(8, TWO_MODES)
    without = sample(any_target, which, np.arange(8), settings, dimensions=4)
    draws = sample(any_target, which, np.arange(8), settings, dimensions=4, watch=which_mode)
    assert without.watched.shape == (8, 8, 40, 0) and without.watched_mean.shape == (8, 0)
    np.testing.assert_array_equal(without.worst.rhat, without.diagnostics.rhat.max(axis=1))
    # The first quantity is a pad and never changes.
    assert draws.converged.all() and (draws.worst.ess_bulk >= 400).all()
    assert (draws.evaluations > without.evaluations).any()


def test_sites_that_do_not_converge_are_returned_and_flagged() -> None:
    def run(**change: Any) -> Draws:
        settings = replace(TOY, **change)
        return sample(any_target, np.full(9, GAUSSIAN), np.arange(9), settings, dimensions=4)

    draws = run(ess=1e6, check=2, most=5, stored=40)
    assert not draws.converged.any()
    assert (draws.evaluations[:, 1] == 5 * TOY.block * TOY.chains).all()
    assert np.isfinite(draws.unit).all()
    calm = run(ess=400, rhat=1.01, check=4, most=100, stored=80)
    assert calm.converged.all()
    assert (calm.diagnostics.rhat <= 1.01).all() and (calm.diagnostics.ess_tail >= 400).all()


def test_moments_and_energies(toys: dict) -> None:
    draws = toys[GAUSSIAN]
    # Every record is returned here.
    np.testing.assert_allclose(draws.mean, draws.unit.mean(axis=(1, 2)))
    np.testing.assert_allclose(draws.sd, draws.unit.std(axis=(1, 2)), rtol=1e-3)
    residual = ndtri(draws.unit) @ MATRIX.T - VALUES
    np.testing.assert_allclose(draws.energy, (residual**2).sum(axis=-1) / 2, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize(
    ("identities", "change", "message"),
    [
        ([1, 1, 2], {}, "must differ"),
        ([1, 2], {}, "one number per site"),
        ([-1, 2, 3], {}, "must differ"),
        ([1, 2, 3], {"chains": 1}, "chains is 1"),
        ([1, 2, 3], {"thin": 7}, "multiple of thin"),
        ([1, 2, 3], {"most": 1}, "at least check"),
        ([1, 2, 3], {"stored": 3}, "stored is 3"),
    ],
)
def test_bad_input(identities: list, change: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        sample(gaussian, np.zeros(3), identities, replace(TOY, **change), dimensions=2)


#: Shallow or rich profiles, of which prior draws explain enough to serve as a check.
REAL = [1204, 224]


@pytest.mark.skipif(
    not os.environ.get("PRODA_MIRROR"), reason="real data: set PRODA_MIRROR to a mirror"
)
def test_importance_sampling_from_the_prior_agrees() -> None:
    sites = studies.load("newyork", "class").sites.isel(site=REAL)
    data, energy = cost.site_data(sites), cost.target("proda")
    draws = sample(energy, data, sites.profile_id.values, replace(Settings(), lanes=2, most=24))
    unit = np.random.default_rng(1).uniform(size=(150, 400, 21))
    at_sites = jax.vmap(energy, in_axes=(None, 0))
    costs = jax.jit(lambda unit: jax.lax.map(jax.vmap(lambda u: at_sites(u, data)), unit))(unit)
    # Tiny e-folding depths overflow: such draws have no weight.
    weights = np.exp(-np.nan_to_num(np.moveaxis(costs, -1, 0), nan=np.inf))
    for site, weight in enumerate(weights):
        assert weight.sum() ** 2 / (weight**2).sum() > 3000, "too few effective draws to compare"
        for power in (1, 2):
            value = unit**power
            mean = (weight[..., None] * value).sum(axis=(0, 1)) / weight.sum()
            error = np.sqrt((weight[..., None] ** 2 * (value - mean) ** 2).sum(axis=(0, 1)))
            found = draws.unit[site] ** power
            sampled = found.std(axis=(0, 1)) / np.sqrt(draws.diagnostics.ess_bulk[site, :-1])
            t = (found.mean(axis=(0, 1)) - mean) / np.hypot(error / weight.sum(), sampled)
            assert np.abs(t).max() < 4 and np.sqrt((t**2).mean()) < 1.6


def calibration(sites: xr.Dataset, count: int, sd: float) -> np.ndarray:
    """Rank of the truth among draws, in 0 to 1, shape (replicate, 22).

    Truths come from the prior, observations from the model with lognormal errors of LOG_SD; the
    posterior is told `sd`. The last rank is that of the energy.
    """
    rng = np.random.default_rng(8)
    data = cost.site_data(sites)
    rows = rng.integers(0, len(data.observed), count)
    data = jax.tree.map(lambda leaf: leaf[rows], data)
    truth = rng.uniform(size=(count, 21))
    modelled = np.asarray(jax.jit(jax.vmap(cost.prediction()))(truth, data))
    observed = modelled * np.exp(cost.LOG_SD * rng.standard_normal(modelled.shape))
    data = data._replace(observed=np.where(data.weight > 0, observed, 1.0))
    energy = cost.target("lognormal", sd=sd)
    short = Settings(block=250, warmup=6, check=8, most=8, thin=10, chains=4, ess=0, rhat=np.inf,
                     stored=50, archive=500, lanes=64)  # fmt: skip
    draws = sample(energy, data, np.arange(count), short, seed=5)
    true_energy = np.asarray(jax.jit(jax.vmap(energy))(truth, data))
    drawn = np.concatenate([draws.unit, draws.energy[..., None]], axis=-1).reshape(count, -1, 22)
    actual = np.concatenate([truth, true_energy[:, None]], axis=1)
    return (drawn < actual[:, None]).mean(axis=1)


def test_calibration_under_the_lognormal_likelihood(twin_sites: xr.Dataset) -> None:
    ranks = calibration(twin_sites, 128, cost.LOG_SD)
    inside = (ranks > 0.05) & (ranks < 0.95)
    assert 0.88 < inside[:, :21].mean() < 0.92
    # Per quantity within 4 binomial standard errors, 22 quantities.
    assert np.abs(inside.mean(axis=0) - 0.9).max() < 4 * np.sqrt(0.9 * 0.1 / len(ranks))
    assert min(stats.kstest(rank, "uniform").pvalue for rank in ranks.T) > 1e-3 / 22


def test_a_wrong_error_is_not_calibrated(twin_sites: xr.Dataset) -> None:
    ranks = calibration(twin_sites, 64, cost.LOG_SD / 2)
    assert stats.kstest(ranks[:, 21], "uniform").pvalue < 1e-6
