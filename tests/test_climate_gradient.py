"""Warm and cold cells, bands and groups; which parameters the data know."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from proda_lib import climate_gradient as gradient
from proda_lib.parameter_knowledge import knowledge, verdicts
from proda_lib.parameters import NAMES


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
    # Only the larger cold cell is uncertain: two thirds of its half width are that of the mean.
    members = np.stack([np.arange(12.0), np.full(12, 4.0), np.full(12, 10.0)])
    found = gradient.contrast(value, members, [2.0, 1.0, 5.0], thirds)
    alone = gradient.contrast(value, members, [1.0, 0.0, 5.0], thirds)
    assert found.cold_half == pytest.approx(2 / 3 * alone.cold_half) and alone.cold_half > 5


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


def test_a_verdict_needs_more_than_its_interval() -> None:
    assert gradient.verdict(0.2, 0.2) == "not distinguished"
    assert gradient.verdict(0.0, 0.0) == "not distinguished"
    assert gradient.verdict(0.21, 0.2) == "higher where it is warm"
    assert gradient.verdict(-0.21, 0.2) == "higher where it is cold"


def test_half_widths_are_those_of_a_table_of_student() -> None:
    thirds = {"cold": np.array([True, False]), "warm": np.array([False, True])}
    warm = np.tile([-1.0, 1.0], 10)  # variance 20 / 19
    members = np.stack([np.zeros(20), warm])
    found = gradient.contrast([0.0, 3.0], members, [1.0, 1.0], thirds)
    assert found.warm_half == pytest.approx(2.0930 * np.sqrt(20 / 19), rel=1e-4)
    assert found.difference_half == found.warm_half and found.cold_half == 0
    few = gradient.contrast([0.0, 3.0], members[:, :9], [1.0, 1.0], thirds)
    assert few.difference == 3.0 and np.isnan(few.difference_half)
    assert few.verdict == "not distinguished"


def test_cells_at_the_same_position_share_a_band() -> None:
    position = np.repeat([1.0, 2.0, 3.0], [6, 3, 3])
    band = gradient.bands(position, 4)
    assert all(len(set(band[position == one])) == 1 for one in (1.0, 2.0, 3.0))
    assert (np.diff(band) >= 0).all() and band.max() <= 3


@given(
    shares=arrays(float, 30, elements=st.floats(0.1, 10)),
    values=arrays(float, (30, 2), elements=st.floats(-1e3, 1e3)),
    band=arrays(int, 30, elements=st.integers(0, 4)),
)
def test_means_of_bands_add_up_to_the_mean_of_the_map(shares, values, band) -> None:
    means = gradient.band_means(values, band, shares)
    areas = np.bincount(band, shares)
    assert np.isnan(means[areas == 0]).all()
    total = areas[areas > 0] @ means[areas > 0] / shares.sum()
    np.testing.assert_allclose(total, shares @ values / shares.sum(), atol=1e-9)


def test_polar_climates_count_as_boreal_and_unknown_ones_as_none() -> None:
    warmth = np.arange(9.0)
    koppen = np.array([1, 3, 4, 16, 17, 29, 30, 0, np.nan])
    groups = gradient.climate_groups(grid(warmth, koppen), fewest=1)
    assert [int(cells.sum()) for cells in groups.values()] == [2, 1, 1, 3]
    assert np.sum(list(groups.values()), axis=0).tolist() == [1] * 7 + [0] * 2
    fewer = gradient.climate_groups(grid(warmth, koppen), fewest=2)
    assert list(fewer) == ["tropical (A)", "boreal (D, E)"]


def assimilated(mean: np.ndarray, sd: float) -> xr.Dataset:
    """What an assimilation found at sites, every parameter alike."""
    table = np.repeat(mean[:, None], len(NAMES), axis=1)
    return xr.Dataset(
        {
            "parameter_mean": (("site", "parameter"), table),
            "parameter_sd": (("site", "parameter"), np.full(table.shape, sd)),
            "used": ("site", np.ones(len(mean), dtype=bool)),
        }
    )


def test_knowledge_of_a_case_by_hand() -> None:
    mean = np.array([0.1, 0.9, 0.2, 0.4, 0.6, 0.8])
    found, unseen = assimilated(mean, np.sqrt(1 / 48)), np.arange(6) > 1
    predicted = np.repeat(0.3 + 0.5 * mean[:, None], len(NAMES), axis=1)
    predicted[:2] = 0.5  # sites that were learned from do not count
    mapped = np.tile([[0.2], [0.6]], len(NAMES))
    off = np.array([-0.1, 0.1])[:, None, None] * np.array([1.0, 3.0])[:, None]
    table = knowledge(found, unseen, predicted, mapped, mapped + off, [3.0, 1.0])
    assert table.index.tolist() == list(NAMES)
    one = table.loc["q10"]
    # A uniform prior has the variance 1/12; three quarters of the area have the position 0.2.
    assert one.removed == pytest.approx(0.75) and one.r2 == pytest.approx(1.0)
    assert one.varies == pytest.approx(0.4 * np.sqrt(3 / 16))
    assert one.spread == pytest.approx(0.1 * np.sqrt(2))
    assert one.ratio == pytest.approx(one.varies / one.spread)


def test_nothing_is_known_where_the_posterior_is_the_prior() -> None:
    random = np.random.default_rng(6)
    found = assimilated(random.random(400), np.sqrt(1 / 12))
    table = knowledge(
        found,
        np.ones(400, dtype=bool),
        random.random((400, len(NAMES))),
        np.full((50, len(NAMES)), 0.5) + random.normal(0, 0.01, (50, len(NAMES))),
        random.random((12, 50, len(NAMES))),
        np.ones(50),
    )
    assert table.removed.abs().max() < 1e-9 and table.r2.max() < 0.1
    assert set(verdicts(table)) == {"prior"}


@pytest.mark.parametrize(("unseen", "networks"), [(2, 5), (6, 1)])
def test_knowledge_refuses_too_few(unseen: int, networks: int) -> None:
    found, cells = assimilated(np.linspace(0.1, 0.9, 6), 0.1), np.full((2, len(NAMES)), 0.5)
    rows = np.arange(6) < unseen
    sites = np.full((6, len(NAMES)), 0.5)
    with pytest.raises(ValueError, match="3 sites and 2 networks are needed"):
        knowledge(found, rows, sites, cells, np.stack([cells] * networks), [1.0, 1.0])


def test_limits_of_verdicts_count_strictly() -> None:
    row = pd.DataFrame({"removed": [0.1], "ratio": [2.0], "r2": [0.5]})
    assert verdicts(row).tolist() == ["faint"]
    assert verdicts(row, removed=0.09).tolist() == ["mapped"]
    assert verdicts(row, removed=0.09, ratio=2.0).tolist() == ["no pattern"]
    assert verdicts(row, r2=0.5).tolist() == ["prior"]
