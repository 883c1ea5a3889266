"""The published sampler against a literal transcription, and what its slips do on toy targets."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import genextreme

from proda_lib import cost, studies
from proda_lib import published_chain as chain
from proda_lib.compiled import jax
from proda_lib.published_result import QUANTILES, collect, gev_mode, nothing, summarise
from proda_lib.published_sampler import next_attempt, run
from proda_lib.published_variants import CHAPTER, CODE, VARIANTS
from proda_lib.published_wave import Attempt, Ended, SecondHalf, run_wave
from tests import published_reference as reference

import jax.numpy as jnp  # isort: skip

SHORT = {
    "code": replace(CODE, test=400, formal=1200, adapt_from=300, block=40),
    "chapter": replace(CHAPTER, test=400, formal=900, adapt_from=300, block=30),
}


def gaussian(unit: Any, data: Any) -> Any:
    """Normal in the cube; data: mean (d,) and precision (d, d)."""
    away = unit - data[0]
    return (away @ data[1] @ away) / 2


def itself(unit: Any, data: Any) -> Any:
    return unit


def targets(sites: int, sd: float, d: int = 3, centre: float = 0.6) -> tuple[Any, Any]:
    return np.full((sites, d), centre), np.tile(np.eye(d) / sd**2, (sites, 1, 1))


def keys(count: int, seed: int = 5) -> tuple[np.ndarray, np.ndarray]:
    pair = jax.random.key_data(jax.random.split(jax.random.key(seed), (2, count)))
    return tuple(np.asarray(pair))


CORRELATED = np.linalg.inv([[0.04, 0.015, 0.0], [0.015, 0.02, 0.0], [0.0, 0.0, 0.3]])


@pytest.mark.parametrize("name", ["code", "chapter"])
@pytest.mark.parametrize("tries, patience", [(8, 500), (1, 2)], ids=["usual", "gives up"])
def test_step_by_step_like_a_literal_transcription(name, tries, patience, monkeypatch) -> None:
    monkeypatch.setattr(chain, "TRIES", tries)
    monkeypatch.setattr(chain, "PATIENCE", patience)
    variant = SHORT[name]
    data = np.array([[0.3, 0.6, 0.9]]), CORRELATED[None]

    def energy(unit: Any, row: Any) -> Any:  # a new one, so that nothing compiled is reused
        # No steady state in a corner of the cube.
        return jnp.where((unit > 0.55).all(), jnp.nan, gaussian(unit, row))

    def cost(unit: np.ndarray) -> float:
        away = unit - data[0][0]
        return np.nan if (unit > 0.55).all() else float(away @ CORRELATED @ away) / 2

    for_test, for_formal = keys(1)
    attempt = Attempt(0, 0, scale=2.0)
    ended = run_wave(energy, variant, [attempt], data, (for_test, for_formal), 3, 1, lambda n: None)
    test = reference.test_run(cost, 3, variant, for_test[0], 0.1)
    formal = reference.formal_run(cost, 3, variant, test, for_formal[0], 2.0)
    assert test["accepted"] > 100
    assert ended[0].accepted == len(formal["values"]) > 200
    assert ended[0].acceptance == formal["acceptance"]
    assert ended[0].given_up == formal["given_up"]
    assert (formal["given_up"] > 0) == (tries == 1)
    expected = formal["values"][len(formal["values"]) // 2 :]
    np.testing.assert_allclose(ended[0].half, expected, atol=2e-7)


@pytest.mark.parametrize("iterations", [0, 400])
def test_the_covariance_is_that_of_all_records_repeats_included(iterations: int) -> None:
    variant = replace(SHORT["code"], formal=iterations or 1, adapt_from=0)
    data = np.array([[0.3, 0.6, 0.9]]), CORRELATED[None]
    for_test, for_formal = keys(1)
    state = chain.test_start(gaussian, 3, for_test, np.array([0.1]), data)
    for _ in range(variant.test // variant.block):
        state = chain.test_block(gaussian, variant, state, data)
    formal = chain.formal_start(gaussian, variant, state, for_formal, np.ones(1), data)
    while iterations and int(formal.iteration[0]) < iterations:
        formal, _, _ = chain.formal_block(gaussian, variant, formal, data)

    def cost(unit: np.ndarray) -> float:
        return float(gaussian(unit, (data[0][0], CORRELATED)))

    expected = reference.test_run(cost, 3, variant, for_test[0], 0.1)
    if iterations:
        expected = reference.formal_run(cost, 3, variant, expected, for_formal[0], 1.0)
    found = formal.factor[0] @ formal.factor[0].T
    np.testing.assert_allclose(found, 0.8 * np.cov(expected["records"].T), rtol=1e-7, atol=1e-11)


def test_the_formal_run_goes_on_where_the_test_run_ended_but_with_the_first_cost() -> None:
    data = np.array([[0.3, 0.6, 0.9]]), CORRELATED[None]
    for_test, for_formal = keys(1)
    state = chain.test_start(gaussian, 3, for_test, np.array([0.1]), data)
    middle = float(state.cost[0])
    state = chain.test_block(gaussian, SHORT["code"], state, data)
    formal = chain.formal_start(gaussian, SHORT["code"], state, for_formal, np.ones(1), data)
    np.testing.assert_array_equal(formal.unit, state.unit)
    assert float(formal.cost[0]) == middle > 2 * float(state.cost[0])


@given(st.lists(st.integers(0, 6), min_size=1, max_size=30))
def test_second_half_whatever_the_blocks(lengths: list[int]) -> None:
    half, values = SecondHalf(), np.arange(float(sum(lengths)))[:, None]
    for block in np.split(values, np.cumsum(lengths)[:-1]):
        half.add(block)
    np.testing.assert_array_equal(half.values(), values[len(values) // 2 :])


@pytest.mark.parametrize(
    "variant, acceptance, scale",
    [
        ("code", 0.0999, 0.7), ("code", 0.10, None), ("code", 0.50, None), ("code", 0.501, 2.0),
        ("chapter", 0.149, 0.7), ("chapter", 0.15, None), ("chapter", 0.51, 2.0),
    ],
)  # fmt: skip
def test_acceptance_outside_the_limits_rescales(variant, acceptance, scale) -> None:
    end = Ended(np.zeros((5, 2)), 10, 0, acceptance)
    following = next_attempt(Attempt(3, 1, 2, 1, 1, 0.7), end, VARIANTS[variant])
    if scale is None:
        assert following is None
    else:
        assert following == Attempt(3, 1, 3, 0, 2, 0.7 * scale)


def test_a_site_whose_chains_are_redone_too_often_fails_alone() -> None:
    mean, precision = targets(2, 0.1)
    precision[0] = 0  # flat: everything is accepted, whatever the steps
    variant = SHORT["code"]
    shares: list[float] = []
    result = run(
        gaussian, itself, (mean, precision), mean, [7, 8], variant, seed=1, dimension=3,
        progress=shares.append,
    )  # fmt: skip
    assert result.failed.tolist() == [True, False]
    assert np.isnan(result.mean[0]).all() and np.isnan(result.rmse[0]).all()
    assert np.isfinite(result.mean[1]).all() and np.isfinite(result.gelman_rubin[1]).all()
    assert result.chosen[0] == -1 and result.chosen[1] == np.argmin(result.rmse[1])
    assert shares[-1] == 1.0 and 0 < shares[0] < 0.5


def test_redone_chains_take_larger_steps_until_they_accept_less() -> None:
    data = targets(6, 0.1, d=2)
    variant = SHORT["code"]
    result = run(gaussian, itself, data, data[0], range(6), variant, seed=2, dimension=2)
    kept = ~result.failed
    # In two dimensions about half of the original's small steps are accepted.
    assert 0 < (result.redos[kept] >= 1).mean() < 1
    np.testing.assert_array_equal(result.scale[kept], 2.0 ** result.redos[kept])
    assert ((result.acceptance[kept] >= 0.1) & (result.acceptance[kept] <= 0.5)).all()


def test_a_test_run_that_accepts_too_little_is_narrowed_thrice_then_let_pass() -> None:
    data = targets(1, 0.0008, d=3, centre=0.5)
    variant = replace(SHORT["code"], fewest=0.0, most=1.0)
    result = run(gaussian, itself, data, data[0], [1], variant, seed=3, dimension=3)
    assert (result.restarts == 4).all() and not result.failed[0]
    widths = [Attempt(0, 0, restarts=i).half_width(variant) for i in range(5)]
    np.testing.assert_allclose(0.5 / np.array(widths), [5, 5.5, 6.05, 6.655, 5])


def test_results_do_not_depend_on_what_runs_beside() -> None:
    data = targets(10, 0.15)
    names = np.arange(100, 110)
    variant = replace(SHORT["code"], test=200, formal=400, most=0.45, adapt_from=100)
    whole = run(gaussian, itself, data, data[0], names, variant, seed=4, dimension=3)
    some = np.array([5, 2, 9])
    rows = jax.tree.map(lambda array: array[some], data)
    arguments = gaussian, itself, rows, rows[0], names[some], variant
    part = run(*arguments, seed=4, dimension=3, lanes=5)
    other = run(*arguments, seed=5, dimension=3, lanes=5)
    assert whole.redos[some].any()
    for field in ("mean", "quantiles", "draws", "accepted", "redos", "gelman_rubin", "chosen"):
        expected = getattr(whole, field)[some]
        np.testing.assert_allclose(getattr(part, field), expected, atol=1e-6, err_msg=field)
    assert not np.isclose(other.mean, part.mean).any()
    # Nor do chains or sites share random numbers.
    assert len(np.unique(whole.mean[..., 0])) == whole.mean[..., 0].size


def ends(rng: np.random.Generator, counts: list[int], d: int = 2) -> list[Ended]:
    return [Ended(rng.normal(0.1 * i, 1, (n - n // 2, d)), n, 0, 0.3) for i, n in enumerate(counts)]


def test_statistics_of_a_site_by_hand() -> None:
    rng = np.random.default_rng(1)
    halves = ends(rng, [31, 40, 25])
    observed = np.array([[0.5, 2.0, np.nan]])
    slope = np.array([1.0, 3.0, 9.0])

    def predict(unit: Any, row: Any) -> Any:
        return unit[0] + row

    chains = {
        (0, i): summarise(Attempt(0, i), end, predict, slope, keep=20)
        for i, end in enumerate(halves)
    }
    blank = nothing(2, 20, 3)
    result = collect(chains, np.array([2]), observed, [4], np.array([9]), CODE, 1, blank)

    n = 25  # accepted by the last chain, not halved
    first = [end.half[:, 0] for end in halves]
    means = [column.mean() for column in first]
    between = n / 2 * sum((m - np.mean(means)) ** 2 for m in means)
    within = sum(((c - c.mean()) ** 2).sum() for c in first) / (3 * (n - 1))
    expected = np.sqrt((within * (n - 1) / n + between / n) / within)
    assert result.gelman_rubin[0, 0] == pytest.approx(expected, rel=1e-12)

    # 1,000 evenly spaced values of 16, 20 and 13: nearly equal weights.
    modelled = np.array(means)[:, None] + slope[:2]
    np.testing.assert_allclose(result.soc_mean[0, :, :2], modelled, atol=0.03)
    assert np.isnan(result.soc_mean[0, :, 2]).all()
    errors = result.soc_mean[0, :, :2] - observed[0, :2]
    np.testing.assert_allclose(result.rmse[0], np.sqrt((errors**2).sum(axis=1) / 4))
    spread = result.soc_mean[0, :, :2] - result.soc_mean[0, :, :2].mean(axis=1, keepdims=True)
    statistic = 1 - (errors**2).sum(axis=1) / (spread**2).sum(axis=1)
    np.testing.assert_allclose(result.r2_original[0], statistic)
    assert result.chosen[0] == np.argmin(result.rmse[0])
    for i, half in enumerate(halves):
        np.testing.assert_allclose(result.sd[0, i], half.half.std(axis=0, ddof=1))
        np.testing.assert_allclose(result.quantiles[0, i, :, 2], np.median(half.half, axis=0))
    assert result.of_chosen("quantiles").shape == (1, 2, len(QUANTILES))


def test_the_chapter_takes_any_chain() -> None:
    rng = np.random.default_rng(2)
    chains = {
        (site, i): summarise(Attempt(site, i), end, itself, np.zeros(2), keep=5)
        for site in range(60)
        for i, end in enumerate(ends(rng, [30, 30, 30]))
    }
    arguments = np.zeros(60, int), np.zeros((60, 2)), np.full(60, 2), np.arange(60)
    blank = nothing(2, 5, 2)
    taken = [collect(chains, *arguments, CHAPTER, seed, blank).chosen for seed in (1, 1, 2)]
    assert (np.bincount(taken[0], minlength=3) > 8).all()
    np.testing.assert_array_equal(taken[0], taken[1])
    assert (taken[0] != taken[2]).any()


def test_gev_mode_of_known_distributions() -> None:
    rng = np.random.default_rng(3)
    shapes, location, scale = [-0.2, 0.3], 0.4, 0.05
    draws = np.stack(
        [genextreme(c, location, scale).rvs(4000, random_state=rng) for c in shapes], axis=1
    )
    grid = np.linspace(0.3, 0.5, 20001)
    modes = [grid[np.argmax(genextreme(c, location, scale).pdf(grid))] for c in shapes]
    np.testing.assert_allclose(gev_mode(draws), modes, atol=0.006)


ANNEALED = replace(CODE, test=2000, formal=20_000)
SD = 0.05


@pytest.fixture(scope="module")
def annealed() -> Any:
    data = targets(12, SD, d=10, centre=0.55)
    return run(
        gaussian, itself, data, data[0], range(12), ANNEALED, seed=6, dimension=10, keep=1000
    )


def test_annealing_sharpens_by_the_amount_that_the_rule_implies(annealed: Any) -> None:
    """At inverse temperature b the target is normal with sd / sqrt(b); each accepted value counts
    once, so it has weight in proportion to the chance of leaving its place."""
    rng = np.random.default_rng(7)
    simu = rng.uniform(0.5, 1, 200_000) * ANNEALED.formal
    sd = SD / np.sqrt(np.log(simu + 2))[:, None]
    place = sd * rng.normal(size=(len(simu), 10))
    # Covariance of the steps: of all records, hotter ones included.
    records = SD**2 * np.mean(1 / np.log(np.arange(1, ANNEALED.formal + 1) + 2))
    moved = place + np.sqrt(2.4 / 10 * records) * rng.normal(size=place.shape)
    rise = ((moved**2 - place**2).sum(axis=1) / (2 * sd[:, 0] ** 2)).clip(0)
    leaves = np.exp(-rise)
    expected = np.sqrt((leaves[:, None] * place**2).sum() / leaves.sum() / 10)
    assert expected < 0.4 * SD
    found = np.sqrt(np.mean(annealed.sd**2 + (annealed.mean - 0.55) ** 2))
    assert found == pytest.approx(expected, rel=0.03)


def test_it_passes_its_own_test_where_today_s_fails(annealed: Any) -> None:
    import arviz

    own = annealed.gelman_rubin.mean(axis=1) < 1.05
    today = np.array(
        [
            max(float(arviz.rhat(site[..., i].astype(float))) for i in range(10)) < 1.01
            for site in annealed.draws
        ]
    )
    assert own.mean() > 0.9
    assert today.mean() < 0.5


def test_refreshing_the_covariance_seldom_changes_nothing_that_shows() -> None:
    data = targets(48, 0.2)
    means, spreads = [], []
    for block in (1, 100):
        variant = replace(
            CODE, test=600, formal=2400, adapt_from=400, block=block, fewest=0.0, most=1.0
        )
        result = run(gaussian, itself, data, data[0], range(48), variant, seed=block, dimension=3)
        means.append(result.mean.mean(axis=(1, 2)))
        spreads.append(result.sd.mean(axis=(1, 2)))
    for pair in (means, spreads):
        difference = pair[0].mean() - pair[1].mean()
        error = np.sqrt(sum(values.var(ddof=1) / len(values) for values in pair))
        assert abs(difference) < 3.5 * error
        assert error < 0.02 * 0.2


def test_identities_must_tell_sites_apart() -> None:
    data = targets(2, 0.1)
    with pytest.raises(ValueError, match=r"1 of them different, for 2 sites"):
        run(gaussian, itself, data, data[0], [3, 3], "code", seed=1, dimension=3)
    with pytest.raises(ValueError, match="allowed are 'code', 'chapter'"):
        run(gaussian, itself, data, data[0], [3, 4], "codex", seed=1, dimension=3)


@pytest.mark.skipif(bool(studies.missing("newyork")), reason="the New York data are not here")
@pytest.mark.parametrize("name", ["code", "chapter"])
def test_real_profiles_are_fitted(name: str) -> None:
    sites = studies.load("newyork", "class").sites
    several = np.flatnonzero(np.isfinite(sites["observed_soc"].values).sum(axis=1) > 3)
    some = sites.isel(site=several[::250])
    variant = replace(VARIANTS[name], test=1000, formal=2000, adapt_from=500, fewest=0, most=1)
    data = cost.site_data(some, bedrock="published", interpolation="pchip", weights=variant.weights)
    arguments = cost.target("proda"), cost.prediction(), data, some["observed_soc"].values
    result = run(*arguments, some["profile_id"].values.astype(int), variant, seed=8, lanes=18)
    assert not result.failed.any()
    start = np.full((len(data.observed), 21), 0.5)
    before = jax.vmap(cost.target("proda"))(start, data)
    after = jax.vmap(cost.target("proda"))(result.of_chosen("mean"), data)
    assert np.median(np.asarray(before) / np.asarray(after)) > 10
    assert np.median(result.of_chosen("efficiency")) > 0.5
    shown = np.isfinite(some["observed_soc"].values)
    assert (np.isfinite(result.of_chosen("soc_sd")) == shown).all()
