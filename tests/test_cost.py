"""Cost, likelihoods and scores: known numbers, densities, bad input."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad

from proda_lib import cost, steady_state, studies
from proda_lib.compiled import jax
from proda_lib.parameters import PRODA

SOC = np.array([[30.0, 20, 12, 6, 3]])
DEPTH = np.array([[0.05, 0.15, 0.35, 0.7, 1.2]])


@pytest.fixture(scope="module")
def sites() -> xr.Dataset:
    return studies.load("twin", "smoke").sites


def test_rank_weights_of_the_original() -> None:
    np.testing.assert_allclose(
        cost.rank_weights(SOC, DEPTH), [[6.0653, 1, 1, 1, 6.0653]], atol=1e-4
    )


def test_pads_change_nothing_and_weigh_nothing() -> None:
    pad = np.full((1, 3), np.nan)
    padded = np.hstack([SOC, pad]), np.hstack([DEPTH, pad])
    for weight, alone in (
        (cost.rank_weights(*padded), cost.rank_weights(SOC, DEPTH)),
        (cost.depth_weights(padded[1]), cost.depth_weights(DEPTH)),
    ):
        np.testing.assert_array_equal(weight, np.hstack([alone, np.zeros((1, 3))]))


@given(st.lists(st.floats(1, 1e6), min_size=2, max_size=12, unique=True), st.randoms())
def test_rank_weights_follow_the_layers(values: list, random: object) -> None:
    soc = np.array([values])
    depth = np.linspace(0.1, 2, len(values))[None] ** 2
    weight = cost.rank_weights(soc, depth)
    assert (weight >= 1).all() and (weight <= 10).all()
    # Depth alone in both ranks: the farthest from the mean weighs 10.
    both = cost.rank_weights(depth, depth)[0]
    assert both[np.argmax(np.abs(depth - depth.mean()))] == 10


def test_tied_ranks_keep_the_order_of_layers() -> None:
    # |SOC - mean| ties all over; depth ranks are 1, 4, 3, 2 (mean 1.075).
    weight = cost.rank_weights([[1, 3, 1, 3]], [[0.1, 0.7, 1.5, 2.0]])
    rank = (np.array([1, 2, 3, 4]) + np.array([1, 4, 3, 2])) / 2
    np.testing.assert_allclose(weight[0], np.maximum(1, 10 * np.exp(1 - rank)))


def test_depth_weights_of_the_chapter() -> None:
    expected = [[10, np.exp(-0.15), np.exp(-0.35), np.exp(-0.7), 10]]
    np.testing.assert_allclose(cost.depth_weights(DEPTH), expected)
    assert cost.depth_weights([[0.3, np.nan]]).tolist() == [[10, 0]]


def test_misfit_by_hand_and_on_both_libraries() -> None:
    # (40 - 100)^2 / (2 60^2) = 1/2, (80 - 50)^2 / (2 30^2) = 1/2.
    modelled, observed, weight = [40.0, 80.0, 7.0], [100.0, 50.0, 0.0], [3.0, 1.0, 0.0]
    for module in (np, jax.numpy):
        found = cost.weighted_misfit(*map(module.asarray, (modelled, observed, weight)))
        assert float(found) == pytest.approx(2.0)


def test_a_missing_modelled_value_is_not_a_perfect_one() -> None:
    modelled = np.array([np.nan, 1.0])
    assert np.isnan(cost.weighted_misfit(modelled, np.ones(2), np.ones(2)))
    assert cost.log_misfit(np.zeros(1), np.ones(1), np.ones(1, bool)) == np.inf


def test_lognormal_is_a_density_of_log_soc() -> None:
    def density(log_soc: float) -> float:
        given = (np.array([50.0]), np.exp([log_soc]), np.array([True]))
        return float(np.exp(-cost.log_misfit(*given, sd=0.38)))

    centre = np.log(50)
    assert quad(density, centre - 4, centre + 4)[0] == pytest.approx(1)
    spread = quad(lambda x: (x - centre) ** 2 * density(x), centre - 4, centre + 4)[0]
    assert np.sqrt(spread) == pytest.approx(0.38)


def test_the_relative_error_is_no_density_of_the_observation() -> None:
    def density(observed: float) -> float:
        return float(np.exp(-cost.weighted_misfit(np.array([50.0]), np.array([observed]), [1.0])))

    # It tends to exp(-1 / 0.72) for large observations: its integral does not exist.
    assert density(1e9) == pytest.approx(np.exp(-1 / 0.72), rel=1e-6)


@pytest.mark.parametrize("likelihood", cost.LIKELIHOODS)
def test_energies_of_sites_are_those_of_the_model(sites: xr.Dataset, likelihood: str) -> None:
    sites = sites.isel(site=slice(6))
    unit = np.random.default_rng(2).uniform(0.1, 0.9, (6, 21))
    energy = jax.jit(jax.vmap(cost.target(likelihood)))(unit, cost.site_data(sites))
    modelled = steady_state.soil_carbon_at_depth(PRODA.to_physical(unit), sites)
    observed, depth = sites.observed_soc.values, sites.observed_depth.values
    for site in range(6):
        there = np.isfinite(observed[site])
        o, m = observed[site, there], modelled[site, there]
        if likelihood == "proda":
            weight = cost.rank_weights(o[None], depth[site, there][None])[0]
            expected = np.sum(weight * (m - o) ** 2 / (2 * (0.6 * o) ** 2))
        else:
            normal = np.log(o / m) ** 2 / (2 * 0.38**2) + np.log(0.38) + np.log(2 * np.pi) / 2
            expected = normal.sum()
        assert float(energy[site]) == pytest.approx(expected, rel=1e-10)


def test_energies_have_gradients_in_spite_of_pads(sites: xr.Dataset) -> None:
    data = jax.tree.map(lambda leaf: leaf[0], cost.site_data(sites))
    for likelihood in cost.LIKELIHOODS:
        slope = jax.jit(jax.grad(cost.target(likelihood)))(np.full(21, 0.4), data)
        assert np.isfinite(slope).all() and (np.asarray(slope) != 0).sum() > 15


def test_the_same_target_is_the_same_function() -> None:
    assert cost.target("proda") is cost.target("proda")
    assert cost.target("proda") is not cost.target("lognormal")


@pytest.mark.parametrize(
    ("change", "options", "message"),
    [
        (0.0, {}, "site 2 has an observed SOC of 0"),
        (None, {"weights": "equal"}, "weights is 'equal'"),
        (None, {"interpolation": "cubic"}, "interpolation is 'cubic'"),
    ],
)
def test_bad_sites(sites: xr.Dataset, change: object, options: dict, message: str) -> None:
    sites = sites.copy(deep=True)
    if change is not None:
        sites["observed_soc"][2, 0] = change
    with pytest.raises(ValueError, match=message):
        cost.site_data(sites, **options)


def test_bad_profiles_and_likelihood() -> None:
    with pytest.raises(ValueError, match="one row per profile"):
        cost.rank_weights(SOC[0], DEPTH[0])
    with pytest.raises(ValueError, match="profile 0 has a depth without SOC"):
        cost.rank_weights([[1, np.nan]], [[0.1, 0.2]])
    with pytest.raises(ValueError, match="'proda' and 'lognormal'"):
        cost.target("gaussian")


def test_efficiency_and_the_original_r2_differ_in_the_mean() -> None:
    observed, modelled = np.array([[1.0, 2, 3, np.nan]]), np.array([[2.0, 4, 9, 5]])
    # Squared errors 1 + 4 + 36; about the observed mean 2: 2, about the modelled mean 5: 26.
    assert cost.efficiency(observed, modelled)[0] == pytest.approx(1 - 41 / 2)
    assert cost.r2_original(observed, modelled)[0] == pytest.approx(1 - 41 / 26)
    assert np.isnan(cost.efficiency([[5.0, np.nan]], [[5.0, 1.0]])[0])
    chains = cost.efficiency(observed[:, None], np.stack([modelled, observed], axis=1))
    assert chains.shape == (1, 2) and chains[0, 1] == 1


def test_gelman_rubin_of_the_original_by_hand() -> None:
    # Means 1, 2, 3 about 2; n = 10: B = 10 / 2 x 2 = 10, W = 27 / (3 x 9) = 1.
    found = cost.gelman_rubin_original([1.0, 2.0, 3.0], [9.0, 9.0, 9.0], [40, 7, 10])
    assert found == pytest.approx(np.sqrt(0.9 + 1.0))
