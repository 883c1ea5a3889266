"""Warm and cold cells, bands and groups; which parameters the data know."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from proda_lib import climate_gradient as gradient
from proda_lib.parameter_knowledge import verdicts


def grid(warmth: np.ndarray, koppen: np.ndarray | None = None) -> xr.Dataset:
    columns = {"BIO1": warmth} | ({} if koppen is None else {"Koppen_Climate_2018": koppen})
    table = np.stack(list(columns.values()), axis=1)
    return xr.Dataset({"covariates": (("cell", "covariate"), table)}, {"covariate": list(columns)})


def test_thirds_are_thirds() -> None:
    warmth = np.random.default_rng(3).normal(10, 4, 301)
    thirds = gradient.climate_thirds(grid(warmth))
    assert abs(thirds["cold"].sum() - 100) < 2 and abs(thirds["warm"].sum() - 100) < 2
    assert warmth[thirds["cold"]].max() < warmth[thirds["warm"]].min()
    with pytest.raises(ValueError, match="cannot be divided"):
        gradient.climate_thirds(grid(np.ones(9)))
    with pytest.raises(ValueError, match="BIO2"):
        gradient.climate_thirds(grid(warmth), "BIO2")


def test_what_members_share_cancels_in_a_difference() -> None:
    random = np.random.default_rng(4)
    thirds = {"cold": np.arange(10) < 5, "warm": np.arange(10) >= 5}
    shared = random.normal(0, 10, 20)  # a level that all cells of a network share
    members = np.where(thirds["warm"], 1.0, 0.0)[:, None] + shared
    found = gradient.contrast(members.mean(axis=1), members, np.ones(10), thirds)
    assert found.difference == pytest.approx(1.0) and found.difference_half < 1e-9
    assert found.cold_half > 5 and found.verdict == "higher where it is warm"
    noisy = members + random.normal(0, 30, members.shape)
    assert gradient.contrast(members[:, 0], noisy, np.ones(10), thirds).verdict.startswith("not")


def test_areas_count() -> None:
    thirds = {"cold": np.array([True, True, False]), "warm": np.array([False, False, True])}
    value = np.array([1.0, 4.0, 10.0])
    found = gradient.contrast(value, value[:, None] * np.ones(12), [2.0, 1.0, 5.0], thirds)
    assert (found.cold, found.warm) == (2.0, 10.0)


def test_bands_hold_like_numbers_of_cells() -> None:
    position = np.append(np.random.default_rng(5).random(1000), np.nan)
    band = gradient.bands(position, 10)
    assert band[-1] == -1 and set(np.bincount(band[:-1])) <= {99, 100, 101}
    means = gradient.band_means(position, np.where(band < 0, 0, band), np.ones(1001))
    assert np.isnan(means[0]) and (np.diff(means[1:]) > 0).all()
    with pytest.raises(ValueError, match="at least one band"):
        gradient.bands(position, 0)


def test_koppen_groups_or_thirds() -> None:
    warmth, koppen = np.arange(40.0), np.repeat([1, 7, 8, 30], 10).astype(float)
    groups = gradient.climate_groups(grid(warmth, koppen))
    assert [int(cells.sum()) for cells in groups.values()] == [10] * 4
    few = gradient.climate_groups(grid(warmth, np.full(40, 25.0)))
    assert len(few) == 2 and all("third" in name for name in few)


def test_verdicts_follow_the_three_questions() -> None:
    rows = pd.DataFrame(
        {"removed": [0.3, 0.0, 0.3, 0.0], "ratio": [2, 2, 0.5, 0.5], "r2": [0.4, 0.4, 0.4, 0.0]}
    )
    assert verdicts(rows).tolist() == ["mapped", "faint", "no pattern", "prior"]
