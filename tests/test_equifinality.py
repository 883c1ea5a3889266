"""Equifinality: derivatives, exchanges and look-alikes are what they say, on the twin's truth."""

from __future__ import annotations

import numpy as np
import pytest

from proda_lib import equifinality, predictor, studies

COUNT = 21


@pytest.fixture(scope="module")
def twin():
    """The twin at its smallest."""
    return studies.load("twin", "smoke")


@pytest.fixture(scope="module")
def some(twin):
    """Eight sites, their true parameters and their true SOC."""
    rows = np.arange(8)
    truth = twin.truth.isel(site=rows)
    return (
        twin.sites.isel(site=rows),
        truth.site_parameters_unit.values,
        truth.observed_soc_noiseless.values,
    )


@pytest.fixture(scope="module")
def felt(some):
    """Directions at the truth."""
    return equifinality.directions(some[1], some[0])


def carbon(unit, sites):
    """SOC at the observed depths."""
    return predictor.soil_carbon_at_depth(equifinality.inside(unit)[None], sites)


def test_directions_are_orthonormal(felt):
    products = felt @ np.swapaxes(felt, 1, 2)
    np.testing.assert_allclose(products - np.eye(COUNT), 0, atol=1e-9)


def test_a_step_along_the_first_direction_is_felt_and_one_along_the_last_is_not(some, felt):
    sites, truth, soc = some
    moved = [carbon(truth + 1e-3 * felt[:, k], sites) for k in (0, -1)]
    first, last = (equifinality.log_error(each, soc) for each in moved)
    assert (last < 1e-6).all()
    assert (first > 1e3 * last).all()


def test_directions_stand_in_the_order_of_what_they_do(some, felt):
    sites, truth, soc = some
    each = [equifinality.log_error(carbon(truth + 1e-4 * felt[:, k], sites), soc) for k in range(4)]
    assert (np.diff(each, axis=0) <= 1e-7).all()


@pytest.mark.parametrize("last", [False, True])
def test_all_directions_set_right_are_the_truth_and_none_changes_nothing(some, felt, last):
    _, truth, _ = some
    wrong = np.full_like(truth, 0.5)
    right = equifinality.set_right(wrong, truth, felt, COUNT, last=last)
    np.testing.assert_allclose(right, truth, atol=1e-9)
    same = equifinality.set_right(wrong, truth, felt, 0, last=last)
    np.testing.assert_allclose(same, wrong, atol=1e-9)


def test_first_and_last_directions_share_the_whole_step(some, felt):
    _, truth, _ = some
    wrong = np.full_like(truth, 0.5)
    steps = [
        equifinality.set_right(wrong, truth, felt, count, last=last) - wrong
        for count, last in ((3, False), (COUNT - 3, True))
    ]
    np.testing.assert_allclose(sum(steps), truth - wrong, atol=1e-6)


def test_exchanging_all_gives_the_partners_vector(some, felt):
    _, truth, _ = some
    partner = np.roll(np.arange(len(truth)), 1)
    found = equifinality.exchanged(truth, partner, felt, COUNT)
    np.testing.assert_allclose(found, equifinality.inside(truth[partner]), atol=1e-9)


def test_what_is_not_felt_can_be_exchanged_with_little_harm(some, felt):
    sites, truth, soc = some
    partner = np.roll(np.arange(len(truth)), 1)
    flat = equifinality.exchanged(truth, partner, felt, COUNT - 4, last=True)
    stiff = equifinality.exchanged(truth, partner, felt, 4)
    errors = [np.median(equifinality.log_error(carbon(u, sites), soc)) for u in (flat, stiff)]
    assert errors[0] < 0.3 * errors[1]
    assert np.median(equifinality.distance(flat, truth)) > 0.05


def test_the_truth_itself_is_its_own_look_alike(some):
    sites, truth, soc = some
    np.testing.assert_array_equal(
        equifinality.look_alikes(truth, sites, soc), np.arange(len(truth))
    )


def test_two_draws_from_the_prior_are_as_far_apart_as_said():
    random = np.random.default_rng(1)
    apart = equifinality.distance(random.random((20_000, COUNT)), random.random((20_000, COUNT)))
    assert np.sqrt((apart**2).mean()) == pytest.approx(np.sqrt(1 / 6), abs=0.003)
