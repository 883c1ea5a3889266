"""Recovery: honest intervals are told from dishonest ones, and correlation from information."""

from __future__ import annotations

import numpy as np
import pytest

from proda_lib import recovery

RANDOM = np.random.default_rng(37)
SITES, DRAWS = 4000, 99
NAMES = ("told", "hinted", "untold")


def normal_example(spread: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """Truth from a standard normal prior, exact posterior draws after one noisy look at it.

    The three quantities are observed with noise of standard deviation 0.5, 2 and 100; `spread`
    multiplies the posterior standard deviation.
    """
    noise = np.array([0.5, 2.0, 100.0])
    truth = RANDOM.normal(size=(SITES, 3))
    seen = truth + noise * RANDOM.normal(size=(SITES, 3))
    variance = noise**2 / (1 + noise**2)
    mean = seen / (1 + noise**2)
    draws = RANDOM.normal(size=(SITES, DRAWS, 3))
    return truth, mean[:, None] + spread * np.sqrt(variance) * draws


def test_honest_posteriors_cover_as_they_should_however_little_they_know() -> None:
    truth, draws = normal_example()
    table = recovery.recovery(truth, recovery.summary(draws), NAMES, prior_variance=1.0)
    for level in (50, 90):
        low, high = recovery.nominal_range(level / 100, SITES, 0.9999)
        assert table[f"coverage_{level}"].between(low, high).all()
    np.testing.assert_allclose(table.removed, [0.8, 0.2, 0.0], atol=0.02)
    np.testing.assert_allclose(table.correlation, np.sqrt([0.8, 0.2, 0]), atol=0.06)
    np.testing.assert_allclose(table.bias, 0, atol=0.08)
    assert list(table.index) == list(NAMES)


@pytest.mark.parametrize(("spread", "sign"), [(0.7, -1), (1.5, 1)])
def test_dishonest_posteriors_are_found_out(spread: float, sign: int) -> None:
    truth, draws = normal_example(spread)
    table = recovery.recovery(truth, recovery.summary(draws), NAMES, prior_variance=1.0)
    low, high = recovery.nominal_range(0.9, SITES, 0.9999)
    assert ((table.coverage_90 < low) if sign < 0 else (table.coverage_90 > high)).all()


def test_few_draws_do_not_bias_coverage() -> None:
    truth, draws = normal_example()
    few = recovery.summary(draws[:, :19])
    low, high = recovery.nominal_range(0.9, 3 * SITES, 0.9999)
    assert low < recovery.covered(truth, few, 0.9).mean() < high
    # The usual interpolation between order statistics does.
    ends = np.quantile(draws[:, :19], (0.05, 0.95), axis=1)
    assert ((ends[0] <= truth) & (truth <= ends[1])).mean() < low


def test_ranks_of_honest_posteriors_are_uniform() -> None:
    truth, draws = normal_example()
    place = recovery.rank(truth, draws)
    counts = np.histogram(place, bins=10, range=(0, 1))[0]
    expected = place.size / 10
    assert ((counts - expected) ** 2 / expected).sum() < 35  # 9 degrees of freedom, p = 6e-5


def test_a_quantity_that_never_changes_has_no_correlation() -> None:
    truth, draws = normal_example()
    truth[:, 2] = 0.0
    table = recovery.recovery(truth, recovery.summary(draws), NAMES)
    assert np.isnan(table.correlation["untold"])


def test_mistakes_get_a_clear_message() -> None:
    truth, draws = normal_example()
    estimate = recovery.summary(draws)
    with pytest.raises(ValueError, match=r"level is 0.8, allowed are 0.5 and 0.9"):
        recovery.covered(truth, estimate, 0.8)
    with pytest.raises(ValueError, match="names are 2"):
        recovery.recovery(truth, estimate, NAMES[:2])
