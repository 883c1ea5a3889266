"""Diagnostics against ArviZ, whichever version is installed, and on chains that must fail."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from proda_lib import diagnostics


def autoregressive(phi: float, draws: int, seed: int = 0) -> np.ndarray:
    """Chains (4, draw, 3): normal, long-tailed, and with ties."""
    noise = np.random.default_rng(seed).normal(size=(4, draws, 3))
    values = noise.copy()
    for t in range(1, draws):
        values[:, t] = phi * values[:, t - 1] + noise[:, t]
    values[..., 1] = np.exp(values[..., 1])
    values[..., 2] = np.round(values[..., 2])
    return values


def by_arviz(draws: np.ndarray) -> np.ndarray:
    """R-hat, bulk and tail ESS, standard error of the mean of (chain, draw); 0.23 and 1.x alike."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import arviz

        data = arviz.from_dict(**_posterior(arviz, draws))
        found = [
            arviz.rhat(data),
            arviz.ess(data, method="bulk"),
            arviz.ess(data, method="tail", prob=(0.05, 0.95)),
            arviz.mcse(data, method="mean"),
        ]
    return np.array([np.squeeze(_variable(each)) for each in found], dtype=float)


def _posterior(arviz: object, draws: np.ndarray) -> dict:
    old = arviz.__version__.startswith("0.")
    return {"posterior": {"x": draws}} if old else {"data": {"posterior": {"x": draws}}}


def _variable(found: object) -> object:
    found = found["posterior"] if "posterior" in found else found
    return found["x"].values


@pytest.mark.parametrize("draws", [100, 101, 1000])
@pytest.mark.parametrize("phi", [-0.5, 0.0, 0.5, 0.95, 0.99])
def test_agreement_with_arviz(phi: float, draws: int) -> None:
    values = autoregressive(phi, draws)
    found = np.array(diagnostics.summary(values))
    for quantity in range(values.shape[-1]):
        exact = by_arviz(values[..., quantity])
        np.testing.assert_allclose(found[:, quantity], exact, rtol=1e-9)


def test_every_function_is_a_column_of_the_summary() -> None:
    values = autoregressive(0.7, 300, seed=3)
    names = ("rhat", "ess_bulk", "ess_tail", "mcse_mean")
    for column, name in zip(diagnostics.summary(values), names, strict=True):
        np.testing.assert_array_equal(getattr(diagnostics, name)(values), column)


def test_effective_sample_size_of_a_known_process() -> None:
    # An autoregressive chain is worth (1 - phi) / (1 + phi) independent draws per draw.
    values = autoregressive(0.8, 20_000)[..., 0]
    assert diagnostics.ess_bulk(values) == pytest.approx(80_000 / 9, rel=0.06)


def test_chains_apart_in_place_or_spread_are_seen() -> None:
    same = np.random.default_rng(1).normal(size=(4, 500))
    assert diagnostics.rhat(same) < 1.01
    assert diagnostics.passes(diagnostics.summary(same))
    for changed in (same + [[0], [0], [0], [1]], same * [[1], [1], [1], [3]]):
        assert diagnostics.rhat(changed) > 1.05
        assert not diagnostics.passes(diagnostics.summary(changed))
    # A drift shared by all chains is seen because they are split.
    assert diagnostics.rhat(same + np.linspace(0, 2, 500)) > 1.05


def test_quantities_do_not_depend_on_each_other_or_on_their_arrangement() -> None:
    values = autoregressive(0.6, 400)
    whole = np.array(diagnostics.summary(values))
    for some in ([1], [2, 0], []):
        apart = np.array(diagnostics.summary(values[..., some]))
        np.testing.assert_array_equal(apart, whole[:, some])
    arranged = diagnostics.summary(np.asfortranarray(values).reshape(4, 400, 3, 1))
    np.testing.assert_array_equal(np.array(arranged)[..., 0], whole)


def test_values_that_never_change_or_are_not_finite_do_not_pass() -> None:
    values = np.random.default_rng(1).normal(size=(4, 100, 3))
    values[..., 1] = 7
    values[0, 3, 2] = np.inf
    found = diagnostics.summary(values)
    assert np.isfinite([each[0] for each in found[:3]]).all()
    assert np.isnan([each[1:] for each in found[:3]]).all()
    assert diagnostics.passes(found, rhat=10, ess=0).tolist() == [True, False, False]


def test_too_few_draws() -> None:
    with pytest.raises(ValueError, match="at least 4 draws"):
        diagnostics.rhat(np.zeros((4, 3)))
