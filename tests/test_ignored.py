"""One process made the same everywhere: what changes, what does not, what is lost."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from proda_lib import ignored_variation as ignored
from proda_lib import studies
from proda_lib.parameters import PRODA
from proda_lib.process_change import members_of


@pytest.fixture(scope="module")
def study() -> studies.Study:
    return studies.load("twin", "smoke")


def test_only_the_process_becomes_uniform() -> None:
    own = np.random.default_rng(1).random((2, 5, 21))
    for process in ("A", "K", "xi", "V", "I"):
        found = ignored.made_uniform(own, np.zeros(21), process)
        rows = members_of(process)
        assert (found[..., rows] == 0).all()
        rest = np.setdiff1d(np.arange(21), rows)
        np.testing.assert_array_equal(found[..., rest], own[..., rest])
    assert (ignored.made_uniform(own, np.zeros(21), "all") == 0).all()
    for process in ("full", "input", "environment"):
        np.testing.assert_array_equal(ignored.made_uniform(own, np.zeros(21), process), own)
    each = ignored.made_uniform(own, np.stack([np.zeros(21), np.ones(21)]), "all")
    assert (each[0] == 0).all() and (each[1] == 1).all()


def test_what_is_uniform_already_loses_nothing(study: studies.Study) -> None:
    some = study.sites.isel(site=slice(6))
    same = np.broadcast_to(PRODA.to_physical(np.full(21, 0.4)), (1, 6, 21))
    runs = ignored.profile_runs(same, some, same[:, 0])
    assert set(runs) == {"full", "A", "K", "xi", "V", "I", "all"}
    for found in runs.values():
        np.testing.assert_allclose(found, runs["full"], rtol=1e-12)


def test_the_mean_is_kept_and_spread_is_gone(study: studies.Study) -> None:
    cells = study.grid.isel(cell=slice(0, 40))
    weight = cells.area.values
    found = ignored.averaged(cells, ["litter_input", "soil_temperature"], weight)
    for name in ("litter_input", "soil_temperature"):
        expected = np.average(cells[name].values, axis=0, weights=weight)
        np.testing.assert_allclose(found[name].values[7], expected, rtol=1e-12)
        assert np.ptp(found[name].values, axis=0).max() == 0
    np.testing.assert_array_equal(found.water_scalar, cells.water_scalar)
    few = cells.isel(cell=slice(3))
    others = ignored.averaged(few, ["litter_input"], weight, of=cells)
    assert others.sizes["cell"] == 3
    np.testing.assert_allclose(others.litter_input[1], found.litter_input[7], rtol=1e-12)


def test_maps_lose_only_what_varies_and_follow_the_input(study: studies.Study) -> None:
    cells = study.grid.isel(cell=[0, 700, 1900, 3000])
    unit = np.full((2, 4, 21), 0.4)
    varied = members_of("A")
    unit[..., varied] = np.random.default_rng(2).uniform(0.2, 0.6, (2, 4, len(varied)))
    own = PRODA.to_physical(unit)
    doubled = cells.assign(litter_input=2 * cells.litter_input)
    runs = ignored.map_runs(own, cells, own.mean(axis=1), {"input": doubled})
    assert set(runs) == {"full", "A", "K", "xi", "V", "I", "input", "all"}
    for process in ("K", "xi", "V", "I"):
        np.testing.assert_allclose(runs[process], runs["full"], rtol=1e-12)
    assert np.abs(runs["A"] / runs["full"] - 1).max() > 0.01
    np.testing.assert_allclose(runs["all"], runs["A"], rtol=1e-12)
    np.testing.assert_allclose(runs["input"], 2 * runs["full"], rtol=1e-11)


def test_moved_inputs_have_a_seed(study: studies.Study) -> None:
    some = study.sites.isel(site=slice(12))
    first, _ = ignored.input_moved(some, seed=1)
    again, _ = ignored.input_moved(some, seed=1)
    other, _ = ignored.input_moved(some, seed=2)
    np.testing.assert_array_equal(first.litter_input, again.litter_input)
    assert not np.array_equal(first.litter_input, other.litter_input)
    assert (first.litter_input >= 0).all()
    npp, sd = (some.covariates.sel(covariate=n).values for n in ("cesm2_npp", "cesm2_npp_std"))
    factor = (first.litter_input / some.litter_input).mean(["litter", "month"]).values
    np.testing.assert_allclose(np.abs(factor - 1), np.minimum(2 * sd / npp, 1), rtol=1e-9)


def test_scores_by_depth() -> None:
    depth = np.array([[0.1, 0.2, 0.29, 0.3, 0.6, 0.99, 1.0, 1.5, 2.0, np.nan]])
    observed = np.array([[9.0, 5.0, 4.0, 3.0, 2.5, 2.0, 1.5, 1.0, 0.5, np.nan]])
    modelled = observed.copy()
    modelled[0, 6:9] = 1.0  # the mean of the deepest three
    found = ignored.explained(observed, depth, modelled)
    assert found["0-30 cm"]["efficiency"] == found["30-100 cm"]["efficiency"] == 100
    assert found["below 100 cm"]["efficiency"] == pytest.approx(0)
    squares = ((observed - np.nanmean(observed)) ** 2)[0, :9].sum()
    assert found["all"]["efficiency"] == pytest.approx(100 * (1 - 0.5 / squares))


def test_sizes_do_not_cancel() -> None:
    full = np.array([[[10e3, 5e3], [20e3, 5e3]]])
    run = full + np.array([[[2e3, 0.0], [-1e3, 0.0]]])
    found = ignored.deviation(run, full, [1e6, 2e6])
    assert found.change.sel(depth="column").item() == pytest.approx(0.0, abs=1e-12)
    assert found.apart.sel(depth="column").item() == pytest.approx(4.0)
    assert found.total.sel(depth="column").item() == pytest.approx(50.0)


def test_mistakes_are_named() -> None:
    with pytest.raises(ValueError, match="process"):
        ignored.made_uniform(np.zeros((1, 2, 21)), np.zeros(21), "B")
    with pytest.raises(ValueError, match="values have shape"):
        ignored.made_uniform(np.zeros((1, 2, 21)), np.zeros(20), "A")
    with pytest.raises(ValueError, match="values have shape"):
        ignored.made_uniform(np.zeros((2, 3, 21)), np.zeros((3, 21)), "A")
    with pytest.raises(ValueError, match="cesm2_npp"):
        ignored.input_moved(xr.Dataset({"litter_input": ("site", [1.0])}), seed=1)
