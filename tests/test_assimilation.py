"""Site-level data assimilation: what comes back, whoever runs it and however often interrupted."""

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

from proda_lib import assimilation, chunk, chunks, cost, engine, scores, studies, workers
from proda_lib.assimilation import assimilate_sites
from proda_lib.compiled import jax
from proda_lib.parameters import NAMES, PRODA
from proda_lib.parts import forget

#: As short as allowed: what these tests look at does not need convergence.
SHORT: dict[str, Any] = {"test": 500, "formal": 1000, "chains": 2, "ess": 1, "rhat": 9.0}
PUBLISHED: dict[str, Any] = {"sampler": "published", "test": 300, "formal": 1000}


@pytest.fixture(scope="module")
def sites() -> xr.Dataset:
    """Seven twin sites: the second has no observation, the last has a single one."""
    some = studies.load("twin", "smoke").sites.isel(site=slice(0, 7)).copy(deep=True)
    some["observed_soc"][1] = np.nan
    some["observed_depth"][1] = np.nan
    for name in ("observed_soc", "observed_depth"):
        some[name][6, 1:] = np.nan
    return some


@pytest.fixture(scope="module")
def exact(sites: xr.Dataset) -> xr.Dataset:
    return assimilate_sites(sites, **SHORT, seed=5, workers=1, show=False)


@pytest.fixture(scope="module")
def published(sites: xr.Dataset) -> xr.Dataset:
    return assimilate_sites(sites, **PUBLISHED, seed=5, workers=1, show=False)


def test_every_site_keeps_its_row(sites: xr.Dataset, exact: xr.Dataset) -> None:
    np.testing.assert_array_equal(exact.profile_id, sites.profile_id)
    assert exact.reason.values.tolist() == ["", "no observation", "", "", "", "", ""]
    assert exact.status.values[1] == "excluded" and not exact.used[1]
    assert np.isnan(exact.parameter_mean[1]).all() and exact.evaluations[1] == 0
    others = exact.isel(site=[0, 2, 3, 4, 5, 6])
    assert np.isfinite(others.parameter_mean).all() and others.used.all()
    assert exact.attrs["sites_given"] == 7 and exact.attrs["sites_used"] == 6
    table = assimilation.exclusions(exact)
    assert table.values.tolist() == [["used", 6], ["no observation", 1]]


def test_everything_has_units(exact: xr.Dataset, published: xr.Dataset) -> None:
    for found in (exact, published):
        for name, variable in found.data_vars.items():
            assert {"units", "long_name"} <= set(variable.attrs), name


def test_the_summary_is_that_of_the_draws(sites: xr.Dataset, exact: xr.Dataset) -> None:
    row = exact.isel(site=3)
    draws = row.draws.values.astype(float)
    assert draws.shape == (100, 21) and (draws > 0).all() and (draws < 1).all()
    # The kept draws are a sample of those that were averaged.
    error = 5 * row.parameter_sd.values / np.sqrt(20)
    assert (np.abs(draws.mean(axis=0) - row.parameter_mean.values) < error).all()
    assert (np.diff(row.parameter_quantile.values, axis=0) > 0).all()
    assert list(row.parameter.values) == list(NAMES)
    physical = assimilation.physical(exact, row.parameter_mean.values)
    np.testing.assert_allclose(physical, PRODA.to_physical(row.parameter_mean.values))
    # SOC at the mean parameters is the model's, read at the observed depths.
    data = jax.tree.map(lambda leaf: leaf[0], cost.site_data(sites.isel(site=[3])))
    own = engine.soil_carbon_at_depth(physical, data.forcing, data.reading)
    there = np.isfinite(row.observed_soc.values)
    np.testing.assert_allclose(row.soc_at_mean.values[there], np.asarray(own)[there], rtol=1e-9)
    assert np.isnan(row.soc_mean.values[~there]).all()


def test_efficiencies_are_those_of_each_chain(exact: xr.Dataset, published: xr.Dataset) -> None:
    for found, chains in ((exact, 2), (published, 3)):
        assert found.efficiency.dims == found.r2_original.dims == ("site", "chain")
        assert found.sizes["chain"] == chains
        soc, observed = found.chain_soc_mean.values, found.observed_soc.values[:, None]
        np.testing.assert_allclose(found.efficiency, scores.efficiency(observed, soc))
        np.testing.assert_allclose(found.r2_original, scores.r2_original(observed, soc))
    assert np.isnan(exact.efficiency[6]).all(), "a single depth has no efficiency"


def test_the_most_important_pairs_are_kept(exact: xr.Dataset) -> None:
    assert exact.sizes["pair"] == 20
    size = np.abs(exact.correlation.values).mean(
        axis=0, where=np.isfinite(exact.correlation.values)
    )
    assert (np.diff(size) <= 0).all()
    first, second = (
        [NAMES.index(str(name)) for name in exact[key].values]
        for key in ("pair_first", "pair_second")
    )
    assert all(a < b for a, b in zip(first, second, strict=True))
    one = np.corrcoef(exact.draws.values[0].T)[first[0], second[0]]
    assert abs(one - exact.correlation.values[0, 0]) < 0.35, "from 100 of the draws"


def test_the_published_sampler_leaves_out_what_the_chapter_did(published: xr.Dataset) -> None:
    assert published.reason.values[1] == "no observation"
    assert published.reason.values[6] == "single depth"
    best = published.efficiency.values[np.arange(7), np.maximum(published.chosen.values, 0)]
    below = best < 0
    assert (published.reason.values[below] == "efficiency below 0").all()
    assert not published.used.values[below].any()
    np.testing.assert_array_equal(
        published.chosen[[0, 2, 3, 4, 5]], published.rmse[[0, 2, 3, 4, 5]].argmin("chain")
    )
    assert published.attrs["weights"] == "rank" and published.attrs["bedrock"] == "published"


def saved(found: xr.Dataset, path: Path) -> bytes:
    found.to_netcdf(path, engine="h5netcdf")
    return path.read_bytes()


def test_two_processes_and_other_chunks_change_no_byte(
    sites: xr.Dataset, exact: xr.Dataset, tmp_path: Path
) -> None:
    other = assimilate_sites(sites, **SHORT, seed=5, workers=2, chunk=4, show=False)
    assert saved(other, tmp_path / "a.nc") == saved(exact, tmp_path / "b.nc")


def test_a_running_scheduler_and_other_chunks_change_no_byte(
    sites: xr.Dataset, published: xr.Dataset, tmp_path: Path
) -> None:
    from distributed import LocalCluster

    options = {"n_workers": 1, "threads_per_worker": 1, "dashboard_address": None}
    with LocalCluster(**options) as cluster:
        address = cluster.scheduler_address
        other = assimilate_sites(sites, **PUBLISHED, seed=5, scheduler=address, chunk=3, show=False)
    assert saved(other, tmp_path / "a.nc") == saved(published, tmp_path / "b.nc")


def test_another_seed_gives_other_draws(sites: xr.Dataset, exact: xr.Dataset) -> None:
    one = sites.isel(site=[0])
    other = assimilate_sites(one, **SHORT, seed=6, workers=1, show=False)
    assert (other.draws.values != exact.draws.values[:1]).any()


def test_a_scheduler_that_does_not_answer_is_named() -> None:
    with pytest.raises(RuntimeError, match="no Dask scheduler answers at 'nowhere'"):
        workers.run(chunk.assimilate_chunk, [1], finished=print, scheduler="nowhere")


def test_a_failing_site_is_told_and_the_others_go_on(
    sites: xr.Dataset, exact: xr.Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad = int(sites.profile_id[4])

    def breaks(payload: Any, tell: Any) -> xr.Dataset:
        if bad in payload[1]:
            raise FloatingPointError("no steady\nstate")
        return chunk.assimilate_chunk(payload, tell)

    monkeypatch.setattr(chunks, "assimilate_chunk", breaks)
    found = assimilate_sites(sites, **SHORT, seed=5, workers=1, show=False)
    assert found.reason.values[4] == "FloatingPointError: no steady state"
    assert found.status.values[4] == "failed" and not found.used[4]
    others = [0, 1, 2, 3, 5, 6]
    np.testing.assert_array_equal(found.draws[others], exact.draws[others])


def test_two_sites_may_fail_for_two_reasons(
    sites: xr.Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(payload: Any, tell: Any) -> xr.Dataset:
        raise ValueError(f"profile {payload[1][0]}")

    monkeypatch.setattr(chunks, "assimilate_chunk", breaks)
    with pytest.raises(RuntimeError, match=r"all 2 sites failed: ValueError: profile \d+; .* \d+"):
        assimilate_sites(sites.isel(site=[0, 2]), **SHORT, workers=1, show=False)


def test_when_everything_fails_it_says_so(
    sites: xr.Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(payload: Any, tell: Any) -> xr.Dataset:
        raise MemoryError("no room")

    monkeypatch.setattr(chunks, "assimilate_chunk", breaks)
    with pytest.raises(RuntimeError, match="all 6 sites failed: MemoryError: no room"):
        assimilate_sites(sites, **SHORT, workers=1, show=False)


KILLED = """
import sys
from pathlib import Path
import xarray as xr
from proda_lib.assimilation import assimilate_sites
from proda_lib.compiled import jax
sites = xr.load_dataset(sys.argv[1])
assimilate_sites(sites, test=500, formal=1000, chains=2, ess=1e9, rhat=1.0, seed=5, workers=1,
                 chunk=2, show=False, folder=Path(sys.argv[2]))
"""


def test_a_killed_run_goes_on(sites: xr.Dataset, tmp_path: Path) -> None:
    sites.to_netcdf(tmp_path / "sites.nc")
    folder = tmp_path / "parts"
    command = [sys.executable, "-c", KILLED, tmp_path / "sites.nc", folder]
    running = subprocess.Popen(command)
    deadline = time.monotonic() + 120
    while not list(folder.glob("part-*.nc")):
        assert running.poll() is None and time.monotonic() < deadline, "no part was written"
        time.sleep(0.02)
    os.kill(running.pid, signal.SIGKILL)
    running.wait()
    parts = {file: file.stat().st_mtime_ns for file in folder.glob("part-*.nc")}
    assert parts and len(parts) < 3, "it was killed too late"
    seen: list[list[int]] = []
    original = chunk.assimilate_chunk

    def counted(payload: Any, tell: Any) -> xr.Dataset:
        seen.append(payload[1].tolist())
        return original(payload, tell)

    options = SHORT | {"ess": 1e9, "rhat": 1.0}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(chunks, "assimilate_chunk", counted)
        found = assimilate_sites(
            sites, **options, seed=5, workers=1, chunk=2, show=False, folder=folder
        )
    assert len(seen) == 3 - len(parts), "what was finished is not computed again"
    whole = assimilate_sites(sites, **options, seed=5, workers=1, show=False)
    xr.testing.assert_identical(found, whole)
    # None of them converged, and none is used without saying so.
    assert (found.status.values[[0, 2]] == "not converged").all() and not found.used.any()


def test_parts_stay_until_they_are_forgotten(
    sites: xr.Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = sites.isel(site=[0, 2])
    (tmp_path / "mine.nc").write_text("a file of the user")
    options = SHORT | {"seed": 5, "workers": 1, "show": False, "folder": tmp_path}
    first = assimilate_sites(one, **options)
    (part,) = tmp_path.glob("part-*.nc")
    broken = tmp_path / "part-0123456789abcdef.nc"
    broken.write_text("half a file of another run")
    monkeypatch.setattr(chunks, "assimilate_chunk", None)  # nothing is computed again
    xr.testing.assert_identical(assimilate_sites(one, **options), first)
    part.write_text("damaged")
    with pytest.raises(RuntimeError, match="all 2 sites failed"):
        assimilate_sites(one, **options)
    forget(tmp_path)
    assert [file.name for file in tmp_path.iterdir()] == ["mine.nc"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"sampler": "exakt"}, "sampler is 'exakt', allowed are 'exact', 'published'"),
        ({"variant": "paper"}, "variant is 'paper'"),
        ({"likelihood": "normal"}, "likelihood is 'normal'"),
        ({"configuration": "clm4"}, "configuration is 'clm4'"),
        ({"chains": 1}, "chains is 1, it must be a whole number, at least 2"),
        ({"formal": 10}, "formal is 10"),
        ({"seed": -1}, "seed is -1"),
        ({"draws": 1.5}, "draws is 1.5"),
        ({"draws": 0}, "draws is 0"),
        ({"bedrock": "open"}, "bedrock is 'open'"),
        ({"interpolation": "cubic"}, "interpolation is 'cubic'"),
        ({"rhat": 0.99}, "rhat is 0.99"),
        ({"ess": float("nan")}, "ess is nan"),
        ({"chunk": 0}, "chunk is 0"),
        ({"workers": 0}, "workers is 0"),
    ],
)
def test_impossible_options(sites: xr.Dataset, options: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        assimilate_sites(sites, **options, show=False)


def test_sites_of_which_none_can_be_used(sites: xr.Dataset) -> None:
    with pytest.raises(ValueError, match="none of 1 sites can be assimilated: no observation"):
        assimilate_sites(sites.isel(site=[1]), show=False)


def test_point_estimates_by_name(exact: xr.Dataset, published: xr.Dataset) -> None:
    for name in assimilation.ESTIMATES:
        unit = assimilation.point_estimate(exact, name)  # type: ignore[arg-type]
        assert unit.shape == (7, 21) and np.isfinite(unit[0]).all()
    with pytest.raises(ValueError, match="hold no 'best_fit'"):
        assimilation.point_estimate(published, "best_fit")
    with pytest.raises(ValueError, match="point estimate is 'median'"):
        assimilation.point_estimate(exact, "median")  # type: ignore[arg-type]
