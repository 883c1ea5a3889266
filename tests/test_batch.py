"""Batch data assimilation: the right cost, the right answer, and the same one whatever happens."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr

from proda_lib import batch, batch_chain, batch_target, cost, predictor, steady_state, studies
from proda_lib.batch import assimilate_batch, batch_soil_carbon, fit_batch
from proda_lib.compiled import jax
from proda_lib.parameters import NAMES, PRODA

#: As short as allowed: what these tests look at does not need convergence.
SHORT: dict[str, Any] = {"test": 500, "formal": 1000, "chains": 2, "draws": 20, "show": False}
PUBLISHED: dict[str, Any] = SHORT | {"sampler": "published", "test": 200}


@pytest.fixture(scope="module")
def sites() -> xr.Dataset:
    """Six twin sites, of which the first three share their forcing and the last has no data."""
    some = studies.load("twin", "smoke").sites.isel(site=[0, 0, 0, 1, 2, 3]).copy(deep=True)
    some["observed_soc"][1] *= 1.5
    some["observed_soc"][2, 1:] = np.nan
    some["observed_depth"][2, 1:] = np.nan
    for name in ("observed_soc", "observed_depth"):
        some[name][5] = np.nan
    return some


@pytest.fixture(scope="module")
def exact(sites: xr.Dataset) -> xr.Dataset:
    return assimilate_batch(sites, **SHORT, seed=5, workers=1)


@pytest.fixture(scope="module")
def published(sites: xr.Dataset) -> xr.Dataset:
    return assimilate_batch(sites, **PUBLISHED, seed=5, workers=1)


@pytest.mark.parametrize(
    ("bedrock", "interpolation", "likelihood"),
    [
        ("closed", "linear", "proda"),
        ("closed", "linear", "lognormal"),
        ("closed", "pchip", "proda"),
        ("published", "pchip", "proda"),
    ],
)
def test_the_cost_is_the_sum_of_the_costs_of_the_sites(
    sites: xr.Dataset, bedrock: Any, interpolation: Any, likelihood: Any
) -> None:
    some, unit = sites.isel(site=slice(0, 5)), np.random.default_rng(1).uniform(0.1, 0.9, 21)
    for weights in ("rank", "depth"):
        options = {"bedrock": bedrock, "interpolation": interpolation, "weights": weights}
        each = jax.vmap(cost.target(likelihood), (None, 0))(unit, cost.site_data(some, **options))
        energy = batch_target.target(likelihood)
        for filled in (False, True):
            data = batch_target.batch_data(some, **options, filled=filled)
            assert len(data.forcing.thawed) == 3 or filled
            np.testing.assert_allclose(energy(unit, data), each.sum(), rtol=1e-12)


def test_many_forcings_are_solved_in_portions(
    sites: xr.Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    data, unit = batch_target.batch_data(sites.isel(site=slice(0, 5))), np.full(21, 0.4)
    whole = batch_target.prediction()(unit, data)
    monkeypatch.setattr(batch_target, "_COLUMNS", 2)
    np.testing.assert_allclose(batch_target.prediction()(unit, data), whole, rtol=1e-12)


def test_soil_carbon_is_the_mean_of_the_runs(sites: xr.Dataset) -> None:
    unit = np.random.default_rng(2).uniform(0.2, 0.8, (3, 21))
    runs = [steady_state.soil_carbon_at_depth(PRODA.to_physical(u), sites) for u in unit]
    for interpolation in ("linear", "pchip"):
        found = batch_soil_carbon(unit, sites, interpolation=interpolation)
        assert found.soc_mean.dims == ("site", "observation")
        np.testing.assert_array_equal(np.isnan(found.soc_mean), np.isnan(sites.observed_soc))
        if interpolation == "linear":
            np.testing.assert_allclose(found.soc_mean, np.mean(runs, axis=0), rtol=1e-10)
            np.testing.assert_allclose(found.soc_sd, np.std(runs, axis=0, ddof=1), rtol=1e-8)
    grid = studies.load("twin", "smoke").grid.isel(cell=slice(0, 5))
    cells = [steady_state.soil_carbon(PRODA.to_physical(u), grid) for u in unit]
    found = batch_soil_carbon(unit, grid)
    assert found.soc_mean.dims == ("cell", "layer")
    np.testing.assert_allclose(found.soc_mean, np.mean(cells, axis=0), rtol=1e-10)


def test_results_say_what_was_used(
    sites: xr.Dataset, exact: xr.Dataset, published: xr.Dataset
) -> None:
    for found in (exact, published):
        assert found.used.values.tolist() == [True] * 5 + [False]
        assert found.reason.values[5] == "no observation"
        assert found.attrs["profiles"] == 5 and found.attrs["forcings"] == 3
        assert found.attrs["observations"] == int(np.isfinite(sites.observed_soc).sum())
        assert found.draws.shape == (20, 21) and list(found.parameter.values) == list(NAMES)
        assert (found.draws > 0).all() and (found.draws < 1).all()
        for name, variable in found.data_vars.items():
            assert {"units", "long_name"} <= set(variable.attrs), name
    data = batch_target.batch_data(sites.isel(site=slice(0, 5)))
    own = batch_target.target()(exact.trace.values[1, 7], data)
    np.testing.assert_allclose(exact.trace_cost[1, 7], own, rtol=1e-12)
    assert published.attrs["bedrock"] == "published" and published.attrs["chosen"] in (0, 1)
    chosen = published.chain_mean.values[published.attrs["chosen"]]
    np.testing.assert_allclose(published.parameter_mean, chosen)


@pytest.mark.parametrize("sampler", ["exact", "published"])
def test_the_seed_alone_decides(
    sites: xr.Dataset, exact: xr.Dataset, published: xr.Dataset, sampler: str
) -> None:
    first, options = (exact, SHORT) if sampler == "exact" else (published, PUBLISHED)
    xr.testing.assert_identical(assimilate_batch(sites, **options, seed=5, workers=2), first)
    other = assimilate_batch(sites, **options, seed=6, workers=1)
    assert (other.draws.values != first.draws.values).any()


@pytest.mark.parametrize("sampler", ["exact", "published"])
def test_an_interrupted_chain_ends_as_if_it_had_not_been(
    sites: xr.Dataset,
    exact: xr.Dataset,
    published: xr.Dataset,
    sampler: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    whole, options = (exact, SHORT) if sampler == "exact" else (published, PUBLISHED)
    monkeypatch.setattr(batch_chain, "_EVERY", 0.0)
    saved = batch_chain.Checkpoint.save
    left = 2

    def save(self: Any, arrays: Any) -> None:
        nonlocal left
        saved(self, arrays)
        left -= 1
        if left == 0:
            raise KeyboardInterrupt

    monkeypatch.setattr(batch_chain.Checkpoint, "save", save)
    for _ in range(3):  # within the test run or warm-up, and later
        left = 2
        with pytest.raises(KeyboardInterrupt):
            assimilate_batch(sites, **options, seed=5, workers=1, folder=tmp_path)
    monkeypatch.setattr(batch_chain.Checkpoint, "save", saved)
    again = assimilate_batch(sites, **options, seed=5, workers=1, folder=tmp_path)
    xr.testing.assert_identical(again, whole)
    # All is finished now: nothing is computed again, and another seed is not taken for it.
    start = time.monotonic()
    xr.testing.assert_identical(
        assimilate_batch(sites, **options, seed=5, workers=1, folder=tmp_path), whole
    )
    assert time.monotonic() - start < 5
    other = assimilate_batch(sites, **options, seed=6, workers=1, folder=tmp_path)
    assert (other.draws.values != whole.draws.values).any()


_KILLED = """
import sys, pathlib
from proda_lib import batch, batch_chain, studies
batch_chain._EVERY = 0.0
sites = studies.load("twin", "smoke").sites.isel(site=slice(0, 4))
found = batch.assimilate_batch(
    sites, test=500, formal=4000, chains=2, draws=20, seed=1, workers=1, show=False,
    folder=pathlib.Path(sys.argv[1]) if sys.argv[1] else None,
)
found.to_netcdf(sys.argv[2], engine="h5netcdf")
"""


@pytest.mark.slow
def test_a_killed_run_goes_on(tmp_path: Path) -> None:
    def run(folder: Path | str, file: Path) -> subprocess.Popen[bytes]:
        return subprocess.Popen([sys.executable, "-c", _KILLED, str(folder), str(file)])

    parts, results = tmp_path / "parts", [tmp_path / f"{i}.nc" for i in range(2)]
    killed = run(parts, results[0])
    for _ in range(1200):
        if list(parts.glob("part-*.nc")) or killed.poll() is not None:
            break
        time.sleep(0.1)
    os.kill(killed.pid, signal.SIGKILL)
    killed.wait()
    assert run(parts, results[0]).wait() == 0
    assert run("", results[1]).wait() == 0
    first, second = (xr.load_dataset(file, engine="h5netcdf") for file in results)
    xr.testing.assert_identical(first, second)


@pytest.fixture(scope="module")
def made() -> tuple[xr.Dataset, np.ndarray]:
    """Sites whose observations all come from one vector, and that vector."""
    some = studies.load("twin", "smoke").sites.isel(site=slice(0, 12)).copy(deep=True)
    unit = np.random.default_rng(3).uniform(0.3, 0.7, 21)
    soc = steady_state.soil_carbon_at_depth(PRODA.to_physical(unit), some)
    some["observed_soc"] = some.observed_soc.copy(data=np.maximum(soc, 1.0))
    return some, unit


@pytest.mark.slow
def test_one_vector_is_recovered(made: tuple[xr.Dataset, np.ndarray]) -> None:
    some, unit = made
    many = some.isel(site=np.tile(np.arange(12), 20))  # forcings are solved once all the same
    found = assimilate_batch(
        many, chains=3, test=3000, formal=9000, draws=200, seed=1, workers=1, show=False
    )
    assert found.attrs["profiles"] == 240 and found.attrs["forcings"] == 12
    low, high = found.parameter_quantile.values[[0, -1]]
    assert ((low < unit) & (unit < high)).mean() > 0.7
    away = (found.parameter_mean.values - unit) / found.parameter_sd.values
    assert np.abs(away).max() < 4
    assert found.parameter_sd.values.min() < 0.1  # some are pinned down
    soc = batch_soil_carbon(found.draws, some)
    there = np.isfinite(some.observed_soc.values)
    ratio = (soc.soc_mean.values / some.observed_soc.values)[there]
    assert np.abs(np.log(ratio)).mean() < 0.1
    # The true vector costs nothing, and draws of d parameters about d / 2.
    assert found.trace_cost.values.min() < 21
    assert found.rhat < 3  # short chains, whose course the last digit of a processor decides


def test_the_short_form_predicts_anywhere(made: tuple[xr.Dataset, np.ndarray]) -> None:
    some, _ = made
    options = {"test": 500, "formal": 1000, "members": 4, "starts": 2}
    model = fit_batch(some.isel(site=slice(0, 8)), seed=1, **options)
    again = fit_batch(some.isel(site=slice(0, 8)), None, seed=1, **options)
    np.testing.assert_array_equal(model.draws, again.draws)
    new = some.isel(site=slice(8, 12))
    unit = model.unit(new)
    assert unit.shape == (4, 4, 21) and model.trained_on == 8
    soc = predictor.soil_carbon_at_depth(unit, new)
    same = batch_soil_carbon(model.draws, new).soc_mean
    np.testing.assert_allclose(soc, same, rtol=1e-10)
    error = np.log(soc / new.observed_soc.values)
    assert np.nanmean(np.abs(error)) < 0.3
    few = fit_batch(some, seed=1, forcings=3, **options)
    assert few.trained_on == 3


def test_random_posteriors_come_from_the_sites_that_are_used() -> None:
    draws = np.linspace(0.1, 0.9, 4)[:, None, None] * np.ones((4, 5, 21))
    mean = draws.mean(axis=1)
    mean[3] = np.nan
    found = xr.Dataset(
        {
            "draws": (("site", "draw", "parameter"), draws),
            "parameter_mean": (("site", "parameter"), mean),
            "used": ("site", [True, False, True, False]),
        }
    )
    model = batch.random_posterior(found, members=50, seed=1)
    assert set(model.draws[:, 0]) == {draws[0, 0, 0], draws[2, 0, 0]}
    with pytest.raises(ValueError, match="assimilate sites first"):
        batch.random_posterior(found.assign(used=found.used & False), seed=1)


def test_a_subset_represents_all() -> None:
    sites = studies.load("twin", "smoke").sites
    rows = batch.stratified_subset(sites, 10, seed=1)
    assert len(set(rows.tolist())) == 10 and (np.diff(rows) > 0).all()
    np.testing.assert_array_equal(rows, batch.stratified_subset(sites, 10, seed=1))
    assert (rows != batch.stratified_subset(sites, 10, seed=2)).any()
    everything = np.arange(sites.sizes["site"])
    np.testing.assert_array_equal(batch.stratified_subset(sites, 1000, seed=1), everything)
    with pytest.raises(ValueError, match="count is 0"):
        batch.stratified_subset(sites, 0, seed=1)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"sampler": "gibbs"}, "sampler is 'gibbs', allowed are 'published', 'exact'"),
        ({"variant": "x"}, "variant is 'x', allowed are 'code', 'chapter'"),
        ({"likelihood": "x"}, "likelihood is 'x', allowed are"),
        ({"bedrock": "open"}, "bedrock is 'open', allowed are"),
        ({"interpolation": "cubic"}, "interpolation is 'cubic', allowed are"),
        ({"chains": 1}, "chains is 1, it must be a whole number, at least 2"),
        ({"test": 1.5}, "test is 1.5, it must be a whole number, at least 100"),
        ({"formal": 10}, "formal is 10, it must be a whole number, at least 1000"),
        ({"draws": 0}, "draws is 0, it must be a whole number, at least 1"),
        ({"seed": -1}, "seed is -1, it must be a whole number, at least 0"),
    ],
)
def test_impossible_options_are_refused(
    sites: xr.Dataset, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message) as error:
        assimilate_batch(sites, **SHORT | options)
    assert "\n" not in str(error.value)


def test_sites_without_data_are_refused(sites: xr.Dataset) -> None:
    with pytest.raises(ValueError, match="none of 1 sites can be assimilated: no observation"):
        assimilate_batch(sites.isel(site=[5]), **SHORT)


def test_a_failing_chain_is_told_in_one_line(
    sites: xr.Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(chain: Any, tell: Any) -> Any:
        raise ArithmeticError("no\nnumber")

    monkeypatch.setattr(batch, "run_exact", broken)
    with pytest.raises(RuntimeError, match="failed: ArithmeticError: no number"):
        assimilate_batch(sites, **SHORT, workers=1)
