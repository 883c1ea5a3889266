"""The equation in time: solves with a shift, months of forcing, balance, ends, other schemes."""

from __future__ import annotations

from itertools import pairwise

import mpmath
import numpy as np
import pytest
import xarray as xr

from proda_lib import dense_time, engine, matrices, spin_up, studies, transient
from proda_lib.age_distribution import survival
from proda_lib.compiled import jax
from proda_lib.configurations import CHAPTER
from proda_lib.equation import decomposition_rates, terms, transfer_fractions
from proda_lib.forcing import forcing_of, monthly_forcing_of
from proda_lib.parameters import CLM5_DEFAULT, NAMES, PRODA
from proda_lib.process_change import scaled
from proda_lib.soil_grid import CLM5
from proda_lib.turnover import sources_of

from . import exact
from .reference_cases import CASES, sites

RANDOM = np.random.default_rng(7)
ONE_MONTH = 365 / 12
solve = jax.jit(engine.response)


@pytest.fixture(scope="module")
def places() -> xr.Dataset:
    """Three cells of the twin: two without and one with cryoturbated soil."""
    grid = studies.load("twin", "smoke").grid
    shallow = np.flatnonzero((grid.active_layer_depth <= 2).any("month").values)
    return grid.isel(cell=[100, 2000, shallow[0]])


@pytest.fixture(scope="module")
def vectors() -> np.ndarray:
    return PRODA.to_physical(np.random.default_rng(3).uniform(0.2, 0.8, (3, 21)))


@pytest.fixture(scope="module")
def system(vectors: np.ndarray, places: xr.Dataset) -> transient.System:
    return transient.system(vectors, places)


@pytest.mark.parametrize("bedrock", ["closed", "published"])
@pytest.mark.parametrize("shift", [None, 1e-3, 12 / 365])
def test_a_solve_with_a_shift_is_the_dense_one(bedrock: str, shift: float | None) -> None:
    vector, site = CASES["A"][-1], sites("A").isel(site=0)
    term = terms(vector, forcing_of(site, bedrock=bedrock))
    source = RANDOM.uniform(0, 1, (7, 20))
    found = np.asarray(solve(term, source, shift))
    system = matrices.matrix_model(vector, site, bedrock=bedrock).system
    wanted = np.linalg.solve((shift or 0.0) * np.eye(140) - system, source.ravel())
    np.testing.assert_allclose(found.ravel(), wanted, rtol=1e-9)


def test_a_shift_keeps_fifty_digits_and_a_wrong_one_does_not_pass() -> None:
    vector, site = CASES["C"][-1], sites("C").isel(site=0)
    term, shift = terms(vector, forcing_of(site)), 1e-7
    source = RANDOM.uniform(0, 1, (7, 20)) * np.asarray(forcing_of(site).live)
    with mpmath.workdps(50):
        fractions = transfer_fractions(term.value, 20)
        rates = decomposition_rates(term)
        matrix, _ = exact._system(rates, fractions, term.exchange, term.inputs, 20)
        for i, row in enumerate(matrix):
            row[i] += mpmath.mpf(shift)
        solved = exact._solve(matrix, [mpmath.mpf(x) for x in source.T.ravel()])
        wanted = np.array([float(x) for x in solved]).reshape(20, 7).T
    found = np.asarray(solve(term, source, shift))
    np.testing.assert_allclose(found, wanted, rtol=1e-11)
    live = wanted > 0
    other = np.asarray(solve(term, source, None))
    assert np.abs(other[live] / wanted[live] - 1).max() > 0.01


def test_the_gradient_of_a_shifted_solve_agrees_with_differences() -> None:
    vector, forcing = CASES["B"][-1], forcing_of(sites("B").isel(site=0))
    weight = RANDOM.uniform(0, 1, (7, 20)) * CLM5.thickness

    def carbon(parameters, shift):
        term = terms(parameters, forcing)
        return (weight * engine.response(term, sources_of(term), shift)).sum()

    both = jax.jit(jax.value_and_grad(carbon, argnums=(0, 1)))
    _, (by_vector, by_shift) = both(vector, 1e-3)
    for name in ("q10", "tau4s2", "fs2s3", "diffus", "beta"):
        step = np.zeros(21)
        step[NAMES.index(name)] = 1e-5 * vector[NAMES.index(name)]
        difference = both(vector + step, 1e-3)[0] - both(vector - step, 1e-3)[0]
        slope = float(difference) / (2 * step.sum())
        assert float(by_vector[NAMES.index(name)]) == pytest.approx(slope, rel=1e-5)
    slope = float(both(vector, 1e-3 + 1e-8)[0] - both(vector, 1e-3 - 1e-8)[0]) / 2e-8
    assert float(by_shift) == pytest.approx(slope, rel=1e-5)


@pytest.mark.parametrize("bedrock", ["closed", "published"])
def test_the_mean_of_the_months_is_the_year(
    bedrock: str, places: xr.Dataset, vectors: np.ndarray
) -> None:
    # A thaw depth that crosses 2 m within the year: some months mix one way, some the other.
    thaw = np.linspace(0.4, 3.2, 12)
    data = places.copy()
    for name in ("active_layer_depth", "active_layer_depth_last_year"):
        values = data[name].transpose("cell", "month").values.copy()
        values[0] = thaw
        data[name] = (("cell", "month"), values)
    year = terms(vectors, forcing_of(data, bedrock=bedrock))
    months = terms(
        np.repeat(vectors[:, None], 12, axis=1), monthly_forcing_of(data, bedrock=bedrock)
    )
    for name in ("soil", "litter", "inputs"):
        mean = getattr(months, name).mean(axis=1)
        np.testing.assert_allclose(mean, getattr(year, name), rtol=1e-12)
    for mean, wanted in zip(months.exchange, year.exchange, strict=True):
        np.testing.assert_allclose(mean.mean(axis=1), wanted, rtol=1e-12, atol=1e-40)
    assert np.ptp(months.exchange.down[0], axis=0).max() > 0, "the months do not differ"


def test_the_mean_of_the_months_is_the_year_with_net_primary_production() -> None:
    data = studies.load("twin", "smoke", soil_grid="CLM45").sites.isel(site=slice(2))
    year = terms(CHAPTER.default, forcing_of(data, CHAPTER), CHAPTER)
    every = np.broadcast_to(CHAPTER.default, (2, 12, 18))
    months = terms(every, monthly_forcing_of(data, CHAPTER), CHAPTER)
    for name in ("soil", "litter", "inputs"):
        np.testing.assert_allclose(getattr(months, name).mean(axis=1), getattr(year, name))


def test_carbon_is_conserved_and_positive(system: transient.System) -> None:
    found = transient.course(system, 20)
    before = np.concatenate([np.zeros((3, 1)), found.carbon[:, :-1]], axis=1)
    gained = found.carbon - before
    error = np.abs(gained - (found.input - found.respired)) / found.carbon
    assert error.max() < 1e-12
    assert (found.least >= 0).all()
    thick = CLM5.thickness
    np.testing.assert_allclose(found.carbon[:, -1], (found.pools.values @ thick).sum(axis=1))
    assert np.abs(gained - found.input).max() > 1, "nothing was respired"


def test_monthly_steps_are_those_of_dense_matrices(
    system: transient.System, vectors: np.ndarray, places: xr.Dataset
) -> None:
    found = transient.course(system, 2)
    for row in range(3):
        months = dense_time.dense_months(vectors[row], places.isel(cell=[row]))
        dense = dense_time.dense_course(months, 2, scheme="implicit")[-1].reshape(7, 20)
        np.testing.assert_allclose(found.pools[row], dense, rtol=1e-9, atol=1e-12)


def test_the_error_is_of_first_order(
    system: transient.System, vectors: np.ndarray, places: xr.Dataset
) -> None:
    months = dense_time.dense_months(vectors[1], places.isel(cell=[1]))
    true = dense_time.dense_course(months, 1)[-1].reshape(7, 20)
    errors = [
        np.abs(transient.course(system, 1, substeps=k).pools.values[1] - true).max() / true.max()
        for k in (4, 8, 16)
    ]
    assert errors[0] < 0.02
    for coarse, fine in pairwise(errors):
        assert coarse / fine == pytest.approx(2, rel=0.1)


def test_a_steady_state_stays_under_the_mean_and_not_under_the_seasons(
    system: transient.System, vectors: np.ndarray, places: xr.Dataset
) -> None:
    still = transient.system(vectors, places, "annual")
    rest = spin_up.steady(still)
    np.testing.assert_allclose(rest, spin_up.steady(system), rtol=1e-12)
    live = rest > 0
    later = transient.course(still, 10, rest).pools.values
    np.testing.assert_allclose(later[live], rest[live], rtol=1e-11)
    assert np.abs(transient.year_later(system, rest)[live] / rest[live] - 1).max() > 1e-3


def test_the_periodic_state_is_the_fixed_point_of_a_year(
    system: transient.System, vectors: np.ndarray, places: xr.Dataset
) -> None:
    found, changes = spin_up.periodic(system, tolerance=1e-11)
    assert len(changes) < 15 and changes[-1] < 1e-11
    # Independently: a year is affine, X -> F X + b, and dense matrices solve (I - F) X = b.
    months = dense_time.dense_months(vectors[0], places.isel(cell=[0]))
    year, gained = np.eye(140), np.zeros(140)
    for one, source in zip(months.system, months.input, strict=True):
        step = np.linalg.inv(np.eye(140) - ONE_MONTH * one)
        year, gained = step @ year, step @ (gained + ONE_MONTH * source)
    live = found[0].ravel() > 0
    some = np.ix_(live, live)
    wanted = np.linalg.solve(np.eye(live.sum()) - year[some], gained[live])
    np.testing.assert_allclose(found[0].ravel()[live], wanted, rtol=1e-5)
    with pytest.raises(RuntimeError, match="in 1 rounds"):
        spin_up.periodic(system, most=1)


def test_what_soil_lacks_is_what_is_older(
    system: transient.System, vectors: np.ndarray, places: xr.Dataset
) -> None:
    older = survival(vectors, places, [10.0, 100.0]).soil.values
    soil = spin_up.steady(system)[:, 4:].sum(axis=1) @ CLM5.thickness
    years = [10, 100]
    still = transient.system(vectors, places, "annual")
    found = transient.course(still, 100, substeps=4).soil_carbon.values[:, [119, 1199]]
    np.testing.assert_allclose(found / soil[:, None], 1 - older, rtol=5e-3)
    more = spin_up.after_change(system, transient.with_input(system, 1.1), years)
    np.testing.assert_allclose(more["eventual"] / more["before"], 1.1, rtol=1e-12)
    share = (more["reached"] - soil[:, None]) / (0.1 * soil[:, None])
    np.testing.assert_allclose(share, 1 - older, atol=1e-5)
    for row, until in enumerate(spin_up.years_until(system, 0.9)):
        left = survival(vectors, places, [until]).soil.values[row, 0]
        assert left == pytest.approx(0.1, abs=1e-4)


def test_answers_to_a_change_agree_with_following_it(
    system: transient.System, vectors: np.ndarray, places: xr.Dataset
) -> None:
    before = transient.system(vectors, places, "annual")
    after = transient.system(scaled(vectors, "A", 1.1), places, "annual")
    found = spin_up.after_change(before, after, [50.0])
    followed = transient.course(after, 50, spin_up.steady(before), substeps=2)
    change = followed.soil_carbon.values[:, -1] - found["before"]
    np.testing.assert_allclose(found["reached"][:, 0] - found["before"], change, rtol=5e-3)
    assert (found["eventual"] > found["reached"][:, 0]).all()


def test_explicit_steps_blow_up_where_they_are_too_long(places: xr.Dataset) -> None:
    fast = CLM5_DEFAULT.copy()
    fast[NAMES.index("taul1")] = 0.005
    one = places.isel(cell=[0])
    months = dense_time.dense_months(fast, one)
    limit, growth = dense_time.stable_step(months), dense_time.growth(months)
    assert limit < ONE_MONTH and growth > 1e3
    assert dense_time.litter_growth(fast, one)[0, 0] == pytest.approx(growth, rel=1e-6)
    # What is computed from eigenvalues is what a run does.
    found = np.abs(dense_time.dense_course(months, 4, scheme="explicit")).max(axis=1)
    assert found[47] / found[35] == pytest.approx(growth, rel=0.01)
    rows = transient.system(np.tile(fast, (3, 1)), places)
    implicit = transient.course(rows, 3)
    assert implicit.least.min() >= 0 and implicit.carbon.max() < 1e5
    assert dense_time.growth(months, substeps=30) < 1


def test_the_longest_stable_step_is_where_runs_begin_to_grow(places: xr.Dataset) -> None:
    months = dense_time.dense_months(CLM5_DEFAULT, places.isel(cell=[0]))
    january = months._replace(system=np.repeat(months.system[:1], 12, axis=0))
    limit = dense_time.stable_step(january)
    for factor, stable in ((0.98, True), (1.02, False)):
        # Rates times the limit over a month make steps of a month as long as `factor` limits.
        scaled_up = january._replace(system=january.system * factor * limit / ONE_MONTH)
        assert (dense_time.growth(scaled_up) < 1) == stable
        found = np.abs(dense_time.dense_course(scaled_up, 60, scheme="explicit")).max(axis=1)
        assert (found[-1] < 100 * found[:12].max()) == stable


def test_layers_without_carbon_do_not_make_steps_unstable() -> None:
    # Cold soil above bedrock keeps litter slow; below it rates stand for nothing.
    fast, data = CASES["C"][-1].copy(), sites("C")
    fast[NAMES.index("taul1")] = 0.03
    data["bedrock_layer"][:] = 8
    months = dense_time.dense_months(fast, data)
    assert dense_time.litter_growth(fast, data)[0, 0] < 1
    assert dense_time.growth(months) < 1
    assert dense_time.stable_step(months) > ONE_MONTH
    found = dense_time.dense_course(months, 10, scheme="explicit")
    assert np.abs(found).max() < 1e6
    everywhere = months._replace(live=np.ones(140, dtype=bool))
    assert dense_time.growth(everywhere) > 1, "the case does not tell them apart"


def test_the_chapter_is_followed_with_seventy_pools() -> None:
    data = studies.load("twin", "smoke", soil_grid="CLM45").sites.isel(site=[0])
    one = transient.system(CHAPTER.default, data, configuration="chapter")
    found = transient.course(one, 2)
    assert found.pools.shape == (1, 7, 10)
    months = dense_time.dense_months(CHAPTER.default, data, configuration=CHAPTER)
    dense = dense_time.dense_course(months, 2, scheme="implicit")[-1]
    np.testing.assert_allclose(found.pools.values.ravel(), dense, rtol=1e-9, atol=1e-12)


def test_what_cannot_be_is_said_in_one_line(system: transient.System, places: xr.Dataset) -> None:
    for call, message in (
        (lambda: transient.course(system, 0), "at least 1"),
        (lambda: transient.course(system, 1, np.zeros((3, 7, 10))), "start has shape"),
        (lambda: transient.system(CLM5_DEFAULT, places, "weekly"), "season"),
        (lambda: transient.system(np.zeros((3, 2, 21)) + CLM5_DEFAULT, places), "2 draws"),
        (lambda: spin_up.years_until(system, 1.0), "share is 1"),
        (lambda: spin_up.soil_left(system, np.zeros((3, 7, 20)), [0.0]), "greater than 0"),
        (lambda: dense_time.dense_months(CLM5_DEFAULT, places), "select one"),
        (lambda: dense_time.dense_course(None, 1, scheme="magic"), "scheme"),
    ):
        with pytest.raises(ValueError, match=message):
            call()
