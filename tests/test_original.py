"""Slips of the original: none is lost, each is zero where it must be, golden cases come out."""

from __future__ import annotations

import tomllib

import matplotlib
import numpy as np
import pandas as pd
import pytest
import xarray as xr

matplotlib.use("Agg")

import matplotlib.pyplot as plt

from proda_lib import original, paths, steady_state, studies
from proda_lib.cost import weighted_misfit
from proda_lib.equation import terms
from proda_lib.forcing import forcing_of
from proda_lib.original import of_data, of_diagnostics, of_fit, of_model, of_network
from proda_lib.original.effects import Effect, Ground
from proda_lib.parameters import PRODA
from proda_lib.plots.slips import LEAST, ranked_slips
from proda_lib.scores import efficiency, r2_original
from tests.reference_cases import CASES, sites


def site(case: str) -> Ground:
    """A reference case as the ground of effects; its draws are uniform in the box."""
    random = np.random.default_rng(37)
    unit = random.uniform(0.001, 0.999, (1, 300, 21))
    places = sites(case)
    found = xr.Dataset({"soc_mean": places.observed_soc, "soc_best_fit": places.observed_soc})
    return Ground(places, found, np.asarray(CASES[case][-1])[None], unit)


@pytest.fixture(scope="module")
def leaking() -> Ground:
    """Case B: bedrock in layer 12, seasons, no frost."""
    return site("B")


@pytest.fixture(scope="module")
def even() -> Ground:
    """Case A: no bedrock in the column, and every month like the other."""
    return site("A")


def test_no_slip_is_lost():
    slips = original.slips()
    assert len({slip.key for slip in slips}) == len(slips) == 81
    assert {slip.stage for slip in slips} == set(original.STAGES)
    assert all(slip.original and slip.right and slip.ours and slip.name for slip in slips)


@pytest.mark.parametrize(("entry", "count"), [(12, 8), (26, 15)])
def test_an_entry_with_a_slip_less_or_more_is_refused(monkeypatch, entry, count):
    monkeypatch.setitem(original.PER_ENTRY, entry, count)
    with pytest.raises(ValueError, match=rf"entry {entry} .* {count} are needed"):
        original.slips()


def test_every_slip_points_to_a_chapter_that_is_there():
    plan = tomllib.loads((paths.notebooks() / "plan.toml").read_text())["chapter"]
    names = [chapter["notebook"] for chapter in plan]
    assert {slip.chapter for slip in original.slips()} - {""} <= set(names)
    assert names[-1] == "31_original"


def test_a_slip_without_number_or_reason_is_refused():
    slips = original.slips()
    everything = {slip.key: Effect("x", np.array([1.0])) for slip in slips if not slip.silent}
    table = original.summary(everything, slips)
    assert len(table) == 81 and (table.cases + (table.silent != "")).all()
    del everything["12b"]
    with pytest.raises(ValueError, match=r"12b .* neither an effect nor a reason"):
        original.summary(everything, slips)
    with pytest.raises(ValueError, match="27a"):
        original.summary({"27a": Effect("x", np.zeros(1))}, slips)


def test_an_effect_that_a_study_cannot_tell_says_so():
    slips = tuple(slip for slip in original.slips() if slip.key == "24b")
    table = original.summary({"24b": Effect("no stones are known", np.empty(0))}, slips)
    assert original.told(table.iloc[0]) == "none: this study cannot tell: no stones are known"


def test_the_leak_of_the_reference_case(leaking, even):
    found = of_model._bedrock(leaking)
    # The original functions gave 120627.68 gC m-2; with a closed bottom it is 194082.
    assert found["1a"].values[0] == pytest.approx(100 * (120627.6804 / 194082 - 1), abs=1e-3)
    assert found["1b"].values[0] > 0  # a deeper soil holds more
    assert all(effect.values[0] == 0 for effect in of_model._bedrock(even).values())


def test_input_below_bedrock_by_hand(leaking):
    beta = CASES["B"][-1][-1]
    below = (beta**228 - beta**860) / (1 - beta**860)  # layer 12 ends at 2.28 m
    found = of_model._bedrock(leaking)["2a"].values[0]
    assert found == pytest.approx(-100 * below, rel=1e-9)


def test_effects_in_time_that_are_known_exactly(leaking, even):
    found = of_model._in_time(leaking)
    assert found["18b"].values[0] == pytest.approx(100 * (1 / 12 - 1), rel=1e-9)
    # Lignin litter gets 8 in place of 6 gC m-2 a month, so there is more carbon.
    assert 0 < found["19b"].values[0] < 100 / 3
    assert found["23a"].values[0] == pytest.approx(194082 / 432, rel=1e-5)
    assert of_model._in_time(even)["17a"].values[0] == pytest.approx(0, abs=1e-9)


def test_more_of_february_cools_the_year(leaking):
    wet = leaking.sites.assign(water_scalar=0 * leaking.sites.water_scalar + 0.5)
    on = leaking._replace(sites=wet)
    assert -1 < of_model._in_time(on)["17a"].values[0] < 0
    assert sorted(of_model.MISORDERED) == sorted(of_model.MONTHS)


def test_binn_rules_do_nothing_without_frost(leaking):
    found = of_model._binn(leaking)
    assert found["26d"].values[0] == 0 and found["26e"].values[0] == 0
    frozen = leaking.sites.copy(deep=True)
    frozen["active_layer_depth_last_year"][:, 0] = 0.0
    spread = of_model._binn(leaking._replace(sites=frozen))["26d"].values[0]
    assert spread > 0  # input that reaches deeper stays longer


def test_dense_solutions_agree_where_nothing_is_lost(even):
    found = of_model._digits(even, 1)
    assert found["26c"].values[0] == pytest.approx(0, abs=1e-6)
    assert abs(found["26j"].values[0]) < 10


def test_bulk_processes_of_the_reference_cases(leaking, even):
    pools = steady_state.pools(leaking.parameters, leaking.sites, bedrock="published")
    forcing, soil = forcing_of(leaking.sites), steady_state.soil_of(pools)
    right, means, airless = of_diagnostics.soil_modifiers(leaking.parameters, forcing, soil)
    assert means[0] == pytest.approx(0.08520094, rel=1e-6)  # the original's Xi of case B
    assert right[0] == pytest.approx(airless[0]) and right[0] != pytest.approx(means[0], rel=1e-3)
    forcing = forcing_of(even.sites)
    term = terms(even.parameters, forcing)
    pools = steady_state.pools(even.parameters, even.sites)
    cue, with_debris, without_nitrogen = of_diagnostics.efficiencies(term, forcing, pools)
    assert without_nitrogen[0] == pytest.approx(0.41789347, rel=1e-7)  # its A of case A
    assert with_debris[0] > cue[0]  # debris passes on all it loses
    found = of_diagnostics.bulk_effects(even)
    assert found["12c"].values[0] == pytest.approx(0, abs=1e-9)
    assert found["12d"].values[0] == pytest.approx(0, abs=1e-9)


def test_less_air_makes_the_airless_modifier_too_large(even):
    stuffy = even._replace(sites=even.sites.assign(oxygen_scalar=0.5 * even.sites.oxygen_scalar))
    assert of_diagnostics.bulk_effects(stuffy)["12d"].values[0] == pytest.approx(100)


def test_balanced_exchange_has_no_net_flux(even):
    term = terms(even.parameters, forcing_of(even.sites))
    gross, net = of_diagnostics.net_exchange(term, np.ones((1, 20)))
    assert net[0] == pytest.approx(0, abs=1e-15) and gross[0] > 0


def test_a_cost_without_numbers_is_the_least():
    observed, weight = np.array([100.0, 50.0]), np.array([6.0, 1.0])
    blank = np.full(2, np.nan)
    assert of_fit.published_cost(blank, observed, weight) == 0.0
    assert np.isnan(weighted_misfit(blank, observed, weight))
    some = np.array([130.0, 20.0])
    ours = weighted_misfit(some, observed, weight)
    assert of_fit.published_cost(some, observed, weight) == pytest.approx(ours)


def test_spread_of_weighted_draws():
    unit = np.random.default_rng(1).uniform(size=(2, 50, 3))
    right = unit.std(axis=1, ddof=1).mean(axis=1)
    assert of_fit.spread_of(unit, np.ones((2, 50))) == pytest.approx(right)
    near = of_fit.spread_of(unit, np.exp(-50 * ((unit - 0.5) ** 2).sum(axis=-1)))
    assert (near < right).all()


def test_redrawing_keeps_away_from_the_walls(leaking):
    found = of_fit.moves(leaking, 2.4, seed=1, proposals=1)
    centre = -np.abs(leaking.unit - 0.5).max(axis=-1)
    assert np.corrcoef(found.inside[0], centre[0])[0, 1] > 0
    redrawn, all_alike = (
        of_fit.spread_of(leaking.unit, w) for w in (found.inside, np.ones((1, 300)))
    )
    assert redrawn[0] < all_alike[0]
    assert ((found.accepted >= 0) & (found.accepted <= 1)).all()


def test_the_count_that_is_not_halved_is_too_strict():
    random = np.random.default_rng(1)
    chains = xr.Dataset(
        {
            "chain_mean": (("site", "chain", "parameter"), random.normal(size=(1, 3, 4))),
            "chain_sd": (("site", "chain", "parameter"), np.ones((1, 3, 4))),
            "accepted": (("site", "chain"), np.full((1, 3), 2000)),
        }
    )
    squared = of_fit._halved(chains)[0]
    # Twice the count halves the variance within: the statistic is farther from 1.
    assert 30 < squared < 110


def test_scores_about_the_modelled_mean():
    observed = np.array([[1.0, 2.0, 3.0]])
    steep, flat = np.array([[0.0, 2.0, 4.0]]), np.array([[1.5, 2.0, 2.5]])
    assert r2_original(observed, steep) > efficiency(observed, steep)
    assert r2_original(observed, flat) < efficiency(observed, flat)


def test_pairs_stay_in_step_without_gaps():
    one, other = np.array([[1.0, 2.0]]), np.array([[3.0, 4.0]])
    assert [side.tolist() for side in of_data.published_pairs(one, other)] == [[1, 2], [3, 4]]


def test_a_straight_profile_has_its_mean_in_the_middle(leaking):
    straight = 100.0 - 10 * np.array([0.01, 0.04, 0.09, 0.16, 0.26, 0.40, 0.58, 0.80, 1.06, 1.36,
                                      1.70, 2.08, *[2.5] * 8])  # fmt: skip
    point, mean = of_data.mean_over_layers(straight[None], leaking.sites)
    assert mean[0, 1:] == pytest.approx(point[0, 1:])
    bent = of_data.mean_over_layers(np.exp(straight / 20)[None], leaking.sites)
    assert (bent[1][0] > bent[0][0])[1:].all()


def test_layers_of_no_carbon_count_as_given(leaking):
    zeros = (("site", "zero"), np.array([[0.7, np.nan]]))
    assert of_data.layers_given(leaking.sites).tolist() == [3]
    assert of_data.layers_given(leaking.sites.assign(zero_depth=zeros)).tolist() == [4]


def test_copies_across_the_cut_by_brute_force():
    rows = 40
    drawn = np.sort(np.random.default_rng(3).integers(rows, size=(5, rows)), axis=1)
    shared = [100 * np.isin(one[36:], one[:36]).mean() for one in drawn]
    assert of_network.copies(rows, seed=3, resamples=5) == pytest.approx(shared)


@pytest.mark.parametrize("blocks", [2, 4, 9])
def test_sites_asked_about_are_not_taught(blocks):
    lon = np.arange(40) % blocks + np.linspace(0.1, 0.8, 40)
    covariates = np.ones((40, 2))
    covariates[::7, 0] = np.nan
    names = {"profile_id": ("site", np.arange(40))}
    places = xr.Dataset(
        {"covariates": (("site", "covariate"), covariates)},
        names | {"lon": ("site", lon), "lat": ("site", 0 * lon + 0.5)},
    )
    mean = (("site", "parameter"), np.full((40, 21), 0.5))
    found = xr.Dataset({"used": ("site", np.arange(40) != 3), "parameter_mean": mean}, names)
    given = of_network.school(places, found, seed=1)
    asked, taught = (set(part.profile_id.values) for part in (given.asked, given.taught))
    assert asked and not asked & taught and 3 not in asked
    assert not asked & set(range(0, 40, 7))
    apart = {int(x) for x in given.asked.lon.values} & {int(x) for x in given.taught.lon.values}
    assert not apart or blocks < 4


def test_errors_scatter_with_the_seed_alone():
    places = studies.load("twin", "smoke").sites
    unit = np.random.default_rng(1).uniform(0.2, 0.8, (places.sizes["site"], 21))
    found = xr.Dataset(
        {
            "used": ("site", np.full(len(unit), True)),
            "parameter_mean": (("site", "parameter"), unit),
            "parameter_sd": (("site", "parameter"), np.full(unit.shape, 0.1)),
        },
        {"profile_id": places["profile_id"]},
    )
    given = of_network.school(places, found, seed=1)
    few = {"members": 2, "epochs": 3}
    errors = of_network.seed_errors(given, seed=1, trainings=3, **few)
    assert len(set(errors)) == 3 and (errors > 0).all()
    assert of_network.seed_errors(given, seed=2, trainings=1, **few)[0] == errors[1]


def test_even_targets_have_even_weights():
    assert of_network.small_targets(np.full((40, 2), 0.3)) == pytest.approx(0)
    assert (of_network.small_targets(np.random.default_rng(1).random((400, 2))) > 100).all()


def test_a_growing_mask_depends_on_the_order():
    stocks = np.array([[1.0, 5.0], [2.0, 2e6], [3.0, 7.0]])
    age = np.ones_like(stocks)
    assert of_diagnostics.cumulative_mask(stocks[[0, 2]], age[[0, 2]]).tolist() == [0, 0]
    forwards = of_diagnostics.cumulative_mask(stocks, age)
    backwards = of_diagnostics.cumulative_mask(stocks[::-1], age)
    assert forwards[-1] == pytest.approx(-70) and backwards[0] == 0


def test_effects_read_from_files(leaking):
    found = of_diagnostics.figure_effects(leaking, draws=2)
    assert found["13a"].values[0] == pytest.approx(20)
    assert not len(found["15a"].values)  # this site has no standard deviation of NPP


def test_the_figure_shows_every_row_it_is_given():
    rows = [
        {"stage": stage, "name": f"{stage} {k}", "median": sign * 10.0**k,
         "size": 10.0**k, "size_low": 0.0, "size_high": 10.0 ** (k + 1)}
        for stage in ("model", "network") for k, sign in ((0, 1), (2, -1))
    ]  # fmt: skip
    figure, ax = plt.subplots()
    ranked_slips(ax, pd.DataFrame(rows))
    labels = [tick.get_text() for tick in ax.get_yticklabels()]
    assert labels == ["MODEL", "model 2", "model 0", "NETWORK", "network 2", "network 0"]
    assert min(line.get_xdata()[0] for line in ax.lines) >= LEAST
    filled = [line.get_markerfacecolor() != "white" for line in ax.lines]
    assert filled == [False, True, False, True]
    plt.close(figure)


def test_positions_of_the_near_limit_are_inside_the_box():
    low = PRODA.to_physical(np.full(21, of_model._NEAR_ZERO))
    assert PRODA.contains(low) and (low > 0).all()
