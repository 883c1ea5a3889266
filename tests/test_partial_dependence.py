"""Partial dependence: one covariate the same everywhere, all else as it is."""

from __future__ import annotations

import matplotlib
import numpy as np
import pytest
import xarray as xr

matplotlib.use("Agg")

import matplotlib.pyplot as plt

from proda_lib import studies
from proda_lib.parameters import NAMES, PRODA
from proda_lib.partial_dependence import inner_values, partial_dependence, with_value
from proda_lib.plots.controls import dependence
from proda_lib.processes import bulk_processes


class Reader:
    """A model of two networks whose K parameters read the mean annual temperature alone."""

    members = 2

    def unit(self, places: xr.Dataset) -> np.ndarray:
        """Return positions, the second network 0.1 higher."""
        warmth = places.covariates.sel(covariate="BIO1").values
        found = np.full((2, len(warmth), 21), 0.5)
        found[:, :, NAMES.index("tau4s3")] = 0.4 + 0.01 * warmth
        found[1] += 0.1
        return found


@pytest.fixture(scope="module")
def sites() -> xr.Dataset:
    return studies.load("twin", "smoke").sites.isel(site=slice(5))


def test_each_value_is_the_mean_over_places_of_the_process(sites) -> None:
    values = [5.0, 20.0]
    (found, again) = partial_dependence([Reader(), Reader()], sites, "BIO1", values)
    unit = np.full((5, 21), 0.5)
    unit[:, NAMES.index("tau4s3")] = 0.4 + 0.01 * 20
    by_hand = bulk_processes(PRODA.to_physical(unit), sites).baseline_decomposition.mean().item()
    assert found["baseline_decomposition"].shape == (2, 2)
    assert found["baseline_decomposition"][0, 1] == pytest.approx(by_hand, rel=1e-10)
    np.testing.assert_array_equal(found["stock"], again["stock"])
    # A longer turnover time makes a slower decomposition.
    assert found["baseline_decomposition"][0, 1] < found["baseline_decomposition"][0, 0]


def test_a_covariate_that_is_not_read_gives_a_level_line(sites) -> None:
    (found,) = partial_dependence([Reader()], sites, "Lon", [-120.0, -70.0])
    for values in found.values():
        np.testing.assert_array_equal(values[:, 0], values[:, 1])


def test_only_the_covariate_changes_and_the_places_given_do_not(sites) -> None:
    before = sites.covariates.values.copy()
    changed = with_value(sites, "BIO1", 7.0)
    column = list(sites.covariate.values).index("BIO1")
    assert (changed.covariates.values[:, column] == 7).all()
    rest = np.delete(np.arange(before.shape[1]), column)
    np.testing.assert_array_equal(changed.covariates.values[:, rest], before[:, rest])
    np.testing.assert_array_equal(sites.covariates.values, before)
    xr.testing.assert_identical(changed.soil_temperature, sites.soil_temperature)


def test_values_stay_inside_what_places_have(sites) -> None:
    there = sites.covariates.sel(covariate="BIO1").values
    values = inner_values(sites, "BIO1", 5)
    assert there.min() < values[0] < values[-1] < there.max()
    np.testing.assert_allclose(np.diff(values), np.diff(values)[0])


def test_an_unknown_covariate_is_named_with_the_nearest(sites) -> None:
    with pytest.raises(ValueError, match="unknown covariate 'BIO20': did you mean 'BIO"):
        partial_dependence([Reader()], sites, "BIO20", [1.0])


def test_the_band_is_left_out_where_it_is_not_known() -> None:
    _, (with_band, without) = plt.subplots(1, 2)
    values, mean = [0.0, 1.0, 2.0], [1.0, 2.0, 3.0]
    dependence(with_band, values, mean, [0.1] * 3, values, "#000000", truth=[1.0, 1.0, 1.0])
    dependence(without, values, mean, [np.nan] * 3, values, "#000000")
    assert len(with_band.collections) == 1 and len(without.collections) == 0
    assert {line.get_label() for line in with_band.lines} >= {"PRODA", "truth"}
    plt.close("all")
