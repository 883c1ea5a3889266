"""The real New York study: what is used, what is left out, and why."""

from __future__ import annotations

import os

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from proda_lib import studies
from proda_lib.soil_grid import CLM5
from proda_lib.studies import newyork, observations, schema

real = pytest.mark.skipif(
    not os.environ.get("PRODA_MIRROR"), reason="real data: set PRODA_MIRROR to a mirror"
)


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> studies.Study:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PRODA_CACHE", str(tmp_path_factory.mktemp("cache")))
        return studies.load("newyork", "class")


@pytest.fixture(scope="module")
def raw() -> tuple[xr.Dataset, xr.Dataset]:
    from proda_lib.studies import download
    from proda_lib.studies.newyork import source

    files = source.Source(download.fetch("newyork"))
    return source.read_sites(files), source.read_grid(files)


@real
def test_counts_of_the_study(study: studies.Study) -> None:
    sites = study.sites
    layers = np.isfinite(sites.observed_soc).sum("observation")
    assert (sites.sizes["site"], int(layers.sum())) == (1401, 8701)
    assert len(np.unique(sites.forcing_id)) == 105
    assert int((sites.observed_soc > 150_000).sum()) == 95
    assert int((sites.observed_soc > 200_000).sum()) == 3
    assert studies.sizes("newyork")["class"]["sites"] == 1401
    assert study.grid.sizes["cell"] == 131


@real
def test_everything_left_out_is_counted(study: studies.Study, raw) -> None:
    profiles, layers = study.exclusions.profiles.sum(), study.exclusions.layers.sum()
    assert profiles + study.sites.sizes["site"] == raw[0].sizes["site"] == 1406
    used = np.isfinite(study.sites.observed_soc).sum()
    assert int(layers + used) == int(np.isfinite(raw[0].observed_soc).sum()) == 8733
    assert study.exclusions.cells.sum() + study.grid.sizes["cell"] == 132
    assert study.exclusions.set_index("reason").layers["layer with SOC of exactly 0"] == 17


@real
def test_common_layers_are_those_of_the_published_scores(study: studies.Study) -> None:
    common = newyork.common_layers(study.sites)
    soc = common.observed_soc.values
    assert common.sizes["site"] == 1360
    assert int(np.isfinite(soc).sum()) == 8481
    assert int((soc == 0).sum()) == 17
    assert (np.isnan(soc) == np.isnan(common.observed_depth.values)).all()
    # One value alone carries 11 % of the total sum of squares.
    values = soc[np.isfinite(soc)]
    squares = (values - values.mean()) ** 2
    assert squares.max() / squares.sum() == pytest.approx(0.11, abs=0.005)


@real
def test_implausible_value_is_flagged_and_kept(study: studies.Study) -> None:
    rows, columns = np.nonzero(study.sites.implausible.values)
    assert study.sites.source_row.values[rows].tolist() == [1110]
    assert study.sites.observed_soc.values[rows, columns] == pytest.approx(931_680)
    assert study.sites.observed_depth.values[rows, columns] == pytest.approx(0.01)


@real
def test_profiles_and_places_of_the_source(raw) -> None:
    sites = raw[0]
    assert (int(sites.profile_id[0]), int(sites.profile_id[-1])) == (19830, 109825)
    _, shared = np.unique(sites.location_id, return_counts=True)
    assert ((shared > 1).sum(), shared[shared > 1].sum()) == (84, 225)
    below = sites.below_bedrock
    assert (int(below.sum()), int(below.any("observation").sum())) == (599, 233)


@real
def test_forcing_has_the_units_it_claims(raw) -> None:
    from proda_lib.studies import download

    sites = raw[0]
    annual = sites.litter_input.sum("month").where(sites.forcing_id >= 0).mean("site")
    assert annual.sel(litter="cwd") == pytest.approx(162.5, abs=1)
    # Cellulose litter is twice the lignin litter in CLM5's partition of these plants.
    assert annual.sel(litter="litter2") / annual.sel(litter="litter3") == pytest.approx(2, abs=0.01)
    files = download.fetch("newyork")
    bedrock = np.loadtxt(files["Training_Data/model_force_nbedrock.txt"], delimiter=",")
    sand = np.load(files["Training_Data/model_force_sand_vector.npy"])
    assert np.nanmax(np.ptp(bedrock, axis=1)) == 0, "bedrock moves within the year"
    assert np.nanmax(np.ptp(sand, axis=2)) == 0, "sand changes within the year"


@real
def test_covariates_have_the_names_that_their_values_show(study: studies.Study, raw) -> None:
    covariates = study.sites.covariates
    values = pd.DataFrame(covariates.values, columns=covariates.covariate.values)
    assert (values.Lon == study.sites.lon.values).all()
    for depth in ("0cm", "30cm", "100cm"):
        fine = values[f"Clay_Content_{depth}"] + values[f"Silt_Content_{depth}"]
        assert fine.max() <= 100
        assert values[f"pH_Water_{depth}"].between(35, 90).sum() > 1300
    assert values.Bulk_Density_0cm.mean() < values.Bulk_Density_100cm.mean()
    # Temperature falls with elevation and latitude; seasonality does not.
    assert values.BIO1.corr(values.Elevation + 110 * (values.Lat - 42)) < -0.8
    bedrock = values.nbedrock.values == study.sites.bedrock_layer.values
    assert bedrock.mean() > 0.99
    with np.errstate(invalid="ignore"):
        assert set(np.unique(values.Koppen_Climate_2018.dropna())) <= set(range(1, 31))


@real
def test_grid_cells_tile_the_region(study: studies.Study) -> None:
    grid = study.grid
    assert set(np.diff(np.unique(grid.lat))) == {0.5} and set(np.diff(np.unique(grid.lon))) == {0.5}
    # 0.5 degree at 42.75 N: 55.6 km by 40.8 km.
    middle = grid.area.values[grid.lat.values == 42.75]
    assert middle == pytest.approx(55.6 * 40.83, rel=2e-3)


@real
def test_smoke_is_a_spread_of_the_same_profiles(
    study: studies.Study, tmp_path, monkeypatch
) -> None:
    monkeypatch.setenv("PRODA_CACHE", str(tmp_path))
    smoke = studies.load("newyork", "smoke").sites
    assert smoke.sizes["site"] == 60
    number = np.isfinite(smoke.observed_soc).sum("observation").values
    assert number.min() == 1 and number.max() == 31
    whole = study.sites.isel(site=np.isin(study.sites.profile_id, smoke.profile_id))
    np.testing.assert_array_equal(whole.soil_temperature, smoke.soil_temperature)
    again = newyork.make("smoke").sites
    np.testing.assert_array_equal(again.profile_id, smoke.profile_id)


def _invented(soc: list[list[float]], depth: list[list[float]]) -> xr.Dataset:
    """Sites with bedrock in layer 5 (lower interface 0.32 m) and given observations."""
    n = len(soc)
    sites = xr.Dataset(
        {
            "bedrock_layer": ("site", np.full(n, 5.0)),
            "litter_input": (("site", "litter", "month"), np.ones((n, 4, 12))),
        },
        coords={
            "forcing_id": ("site", np.zeros(n, dtype=int)),
            "complete_covariates": ("site", np.ones(n, dtype=bool)),
        },
        attrs={"soil_grid": CLM5.name},
    )
    return observations.with_observations(sites, np.array(depth), np.array(soc))


def test_each_reason_to_leave_out_is_counted_once() -> None:
    nan = np.nan
    sites = _invented(
        soc=[[5.0, 0.0, 3.0], [0.0, nan, nan], [nan, nan, nan], [7.0, 8.0, nan], [1.0, 2.0, nan]],
        depth=[[0.1, 0.2, 0.4], [0.1, nan, nan], [nan, nan, nan], [nan, 0.1, nan], [0.1, 0.2, nan]],
    )
    sites.forcing_id[4] = -1
    kept, counts = observations.usable(sites)
    table = counts.set_index("reason")
    assert table.loc["profile without complete forcing"].tolist() == [1, 2, 0]
    assert table.loc["profile without any observation"].tolist() == [1, 0, 0]
    assert table.loc["profile without a positive observation"].tolist() == [1, 1, 0]
    assert table.loc["layer with SOC or depth missing", "layers"] == 1
    assert table.loc["layer with SOC of exactly 0", "layers"] == 1
    np.testing.assert_array_equal(kept.observed_soc, [[5.0, 3.0], [8.0, nan]])
    np.testing.assert_array_equal(kept.observed_depth, [[0.1, 0.4], [0.1, nan]])
    np.testing.assert_array_equal(kept.below_bedrock, [[False, True], [False, False]])
    common = newyork.common_layers(kept)
    np.testing.assert_array_equal(common.observed_soc, [[5.0, 3.0, 0.0], [8.0, nan, nan]])
    np.testing.assert_array_equal(common.observed_depth, [[0.1, 0.4, 0.2], [0.1, nan, nan]])


def test_covariates_are_38_with_known_kinds() -> None:
    table = newyork.covariate_table()
    assert table.name.is_unique and len(table) == 38
    assert set(table.kind) == {"continuous", "category"}
    assert (table.units[table.kind == "category"] == "class").all()
    assert schema.LITTER[0] == "cwd"
