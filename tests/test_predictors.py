"""Splits of profiles, the approaches by name, and the profile-first approach."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

from proda_lib import approaches, folds, predictor, profile_first, studies
from proda_lib.parameters import PRODA


@pytest.fixture(scope="module")
def twin() -> studies.Study:
    return studies.load("twin", "smoke")


def places(lon: list[float], lat: list[float]) -> xr.Dataset:
    return xr.Dataset(coords={"lon": ("site", lon), "lat": ("site", lat)})


@given(
    st.lists(st.integers(0, 30), min_size=12, max_size=200).filter(lambda g: len(set(g)) >= 5),
    st.integers(0, 2**31),
)
def test_groups_stay_together_and_every_fold_has_sites(groups: list[int], seed: int) -> None:
    fold = folds.grouped_folds(groups, 5, seed=seed)
    for group in set(groups):
        assert len(set(fold[np.array(groups) == group])) == 1
    assert set(fold) == set(range(5))


def test_folds_are_nearly_equal_and_follow_the_seed() -> None:
    groups = np.arange(1000) // 3
    fold = folds.grouped_folds(groups, 5, seed=1)
    assert np.bincount(fold).max() - np.bincount(fold).min() <= 3
    np.testing.assert_array_equal(fold, folds.grouped_folds(groups, 5, seed=1))
    assert (fold != folds.grouped_folds(groups, 5, seed=2)).mean() > 0.5


def test_too_few_groups_are_an_error() -> None:
    with pytest.raises(ValueError, match="2 groups of sites cannot be dealt out to 5 folds"):
        folds.grouped_folds([0, 0, 1], 5, seed=1)


def test_the_test_set_keeps_co_located_profiles_together() -> None:
    sites = places([float(i // 4) for i in range(400)], [0.0] * 400)
    chosen = folds.test_set(sites, seed=3)
    assert chosen.sum() == 80
    assert set(chosen.reshape(-1, 4).sum(axis=1)) == {0, 4}
    leaky = folds.test_set(sites, seed=3, grouped=False)
    assert leaky.sum() == 80
    assert set(leaky.reshape(-1, 4).sum(axis=1)) >= {1, 2}


def test_an_impossible_share_is_an_error() -> None:
    with pytest.raises(ValueError, match=r"share is 1\.5"):
        folds.test_set(places([0.0, 1.0], [0.0, 0.0]), seed=1, share=1.5)


def test_blocks_hold_what_lies_within_a_degree() -> None:
    sites = places([-74.1, -74.9, -75.1, -74.1], [42.1, 42.9, 42.1, 43.1])
    number = folds.blocks(sites)
    assert number[0] == number[1]
    assert len({*number}) == 3


def test_splits_of_a_made_study_hold_their_groups_together(twin: studies.Study) -> None:
    found = folds.splits("twin", twin.sites, seed=1, count=3)
    assert set(found) == set(folds.SPLITS)
    number = folds.blocks(twin.sites)
    for block in set(number):
        assert len(set(found["block1deg"][number == block])) == 1


@pytest.mark.skipif(
    bool(studies.missing("newyork")),
    reason="needs the New York data: set PRODA_MIRROR, or fetch them with `proda data newyork`",
)
def test_new_york_has_the_folds_of_the_yardsticks() -> None:
    sites = studies.load("newyork", "class").sites
    found = folds.splits("newyork", sites, seed=1)
    number, place = folds.blocks(sites), folds.locations(sites)
    assert all(len(set(found["block1deg"][number == block])) == 1 for block in set(number))
    assert all(len(set(found["coord"][place == one])) == 1 for one in set(place))
    shared = [one for one in set(place) if (place == one).sum() > 1]
    leaking = sum(len(set(found["profile"][place == one])) > 1 for one in shared)
    assert leaking > 0.8 * len(shared)


def test_an_ensemble_predicts_the_mean_of_its_members_carbon(twin: studies.Study) -> None:
    unit = np.random.default_rng(1).uniform(0.3, 0.7, (2, twin.sites.sizes["site"], 21))
    both = predictor.soil_carbon(unit, twin.sites)
    each = [predictor.soil_carbon(unit[i : i + 1], twin.sites) for i in range(2)]
    np.testing.assert_allclose(both, np.mean(each, axis=0), rtol=1e-12)
    mean_parameters = predictor.soil_carbon(unit.mean(axis=0, keepdims=True), twin.sites)
    assert np.abs(mean_parameters - both).max() > 1e-2 * both.max()


def test_profile_first_fits_the_profiles_it_predicts(twin: studies.Study) -> None:
    train, new = twin.sites.isel(site=slice(0, 24)), twin.sites.isel(site=slice(24, None))
    model = profile_first.fit_profile_first(train, seed=1, trees=20)
    unit = model.unit(new)
    assert unit.shape == (1, 6, 21)
    assert ((unit > 0) & (unit < 1)).all()
    depth = xr.DataArray(np.tile(model.depth, (6, 1)), dims=("site", "observation"))
    read = new.drop_dims("observation").assign(observed_depth=depth)
    modelled = predictor.soil_carbon_at_depth(unit, read)
    target = model.profile(new)
    assert np.median(np.abs(np.log(modelled / target))) < 0.1
    middle = predictor.soil_carbon_at_depth(np.full((1, 6, 21), 0.5), read)
    assert np.median(np.abs(np.log(middle / target))) > 0.3


def test_profile_first_needs_no_profile_at_the_place(twin: studies.Study) -> None:
    model = profile_first.fit_profile_first(twin.sites, seed=1, trees=20)
    bare = twin.sites.drop_dims("observation")
    np.testing.assert_array_equal(model.unit(bare), model.unit(twin.sites))
    cells = twin.grid.isel(cell=slice(0, 5))
    assert np.isfinite(PRODA.to_physical(model.unit(cells))).all()


def test_profile_first_does_not_depend_on_the_places_beside(twin: studies.Study) -> None:
    model = profile_first.fit_profile_first(twin.sites, seed=1, trees=20)
    every, some = model.unit(twin.sites), model.unit(twin.sites.isel(site=[4, 9]))
    np.testing.assert_allclose(some[0], every[0, [4, 9]], atol=1e-6)


def test_every_approach_has_a_name_and_a_kind_of_its_own() -> None:
    assert set(approaches.CANDIDATES) < set(approaches.APPROACHES)
    labels = [one.label for one in approaches.APPROACHES.values()]
    assert len(set(labels)) == len(labels)
    with pytest.raises(ValueError, match="forest"):
        approaches.approach("forst")


@pytest.mark.parametrize("name", ["default", "profile_first", "boosting"])
def test_an_approach_predicts_at_every_observed_depth(name: str, twin: studies.Study) -> None:
    effort = studies.sizes("twin")["smoke"]["learning"]
    model = approaches.approach(name).fit(twin.sites, None, seed=1, effort=effort)
    soc = approaches.soil_carbon_at_depth(model, twin.sites)
    np.testing.assert_array_equal(np.isnan(soc), np.isnan(twin.sites.observed_soc))
    assert (soc[np.isfinite(soc)] >= 0).all()
