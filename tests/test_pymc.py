"""The posterior of one site by PyMC: its gradient, and the same answer as the exact sampler."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import matplotlib
import numpy as np
import pytest
import xarray as xr
from scipy import stats
from scipy.special import ndtr

from proda_lib import cost, diagnostics, pymc_site, studies
from proda_lib.compiled import jax
from proda_lib.parameters import BINN, NAMES
from proda_lib.plots import samplers
from proda_lib.sampler import Draws, Settings, sample

matplotlib.use("Agg")

import matplotlib.pyplot as plt

#: A site whose posterior the likelihood matters for, by half a standard deviation of one parameter.
ROW = 13


@pytest.fixture(scope="module")
def sites() -> xr.Dataset:
    return studies.load("twin", "smoke").sites


@pytest.fixture(scope="module")
def data(sites: xr.Dataset) -> cost.SiteData:
    return cost.site_data(sites.isel(site=[ROW]))


def compiled(inputs: list, outputs: Any, mode: str = "FAST_COMPILE") -> Callable:
    import pytensor

    return pytensor.function(inputs, outputs, mode=mode)


@pytest.mark.parametrize(
    ("likelihood", "mode"), [("proda", "JAX"), ("lognormal", "JAX"), ("proda", "FAST_COMPILE")]
)
def test_gradient_is_that_of_finite_differences(
    likelihood: str, mode: str, data: cost.SiteData
) -> None:
    import pytensor.tensor as pt

    unit = pt.dvector()
    energy = pymc_site.energy_of(data, likelihood, BINN)(unit)
    # A function of the energy, so that what is passed back to it is not 1.
    value = compiled([unit], pt.log1p(energy))
    gradient = compiled([unit], pt.grad(pt.log1p(energy), unit), mode)
    for point in np.random.default_rng(4).uniform(0.2, 0.8, size=(3, 21)):
        steps = 1e-5 * np.eye(21)
        difference = [(value(point + step) - value(point - step)) / 2e-5 for step in steps]
        found = gradient(point)
        np.testing.assert_allclose(found, difference, rtol=1e-5, atol=1e-7 * abs(found).max())
        assert (found != 0).sum() >= 19, "all but two parameters matter somewhere"


@pytest.mark.parametrize("likelihood", cost.LIKELIHOODS)
def test_the_model_is_prior_plus_likelihood(likelihood: str, data: cost.SiteData) -> None:
    built = pymc_site.model(data, likelihood, BINN)
    position = np.random.default_rng(4).normal(size=21)
    one = jax.tree.map(lambda leaf: leaf[0], data)
    energy = float(cost.target(likelihood, BINN)(ndtr(position), one))
    logp = compiled(built.value_vars, built.logp())(position)
    assert logp == pytest.approx(stats.norm.logpdf(position).sum() - energy, rel=1e-6)
    assert built.coords["parameter"] == NAMES


def test_value_and_gradient_come_from_one_evaluation() -> None:
    import pytensor.tensor as pt

    calls = []

    def square(vector: np.ndarray, data: float) -> tuple[np.ndarray, np.ndarray]:
        calls.append(vector)
        return data * (vector**2).sum(), 2 * data * vector

    vector = pt.dvector()
    value = pymc_site.operation(square, 3.0)(vector)[0]
    both = compiled([vector], [value, pt.grad(value, vector)])
    found = both([1.0, 2.0])
    np.testing.assert_array_equal(found[0], 15.0)
    np.testing.assert_array_equal(found[1], [6.0, 12.0])
    assert len(calls) == 1
    with pytest.raises(NotImplementedError, match="cannot be differentiated"):
        pt.grad(pt.grad(value, vector).sum(), vector)


def test_evaluations_are_counted() -> None:
    import pymc as pm

    calls = []

    def bowl(vector: np.ndarray, data: None) -> tuple[np.ndarray, np.ndarray]:
        calls.append(vector)
        return (vector**2).sum() * 50, 100 * vector

    with pm.Model() as built:
        z = pm.Normal("z", shape=2)
        pm.Deterministic("unit", pm.math.invprobit(z))
        pm.Potential("bowl", -pymc_site.operation(bowl, None)(z)[0])
    plain = {"mode": "FAST_COMPILE"}
    chains = pymc_site.draw(built, draws=100, tune=50, chains=2, seed=3, compile_kwargs=plain)
    # A few more for the starting points.
    assert 0 <= len(calls) - chains.evaluations.sum() < 20
    assert (chains.evaluations > [100, 200]).all()


@pytest.mark.parametrize("mode", ["FAST_COMPILE", "JAX"])
def test_what_is_no_number_is_rejected(mode: str, data: cost.SiteData) -> None:
    import pytensor.tensor as pt

    unit = pt.dvector()
    energy = pymc_site.energy_of(data)(unit)
    both = compiled([unit], [energy, pt.grad(energy, unit)], mode)
    value, gradient = both(np.full(21, 0.5))
    assert np.isfinite(value) and np.abs(gradient).max() > 0
    none = np.where(np.array(NAMES) == "efolding", 0.0, 0.5)
    value, gradient = both(none)
    assert value == np.inf and not np.asarray(gradient).any()


def exact(data: cost.SiteData, likelihood: str) -> Draws:
    settings = replace(Settings(), lanes=1, check=8, most=8)
    return sample(cost.target(likelihood), data, [ROW], settings, seed=2)


def differences(chains: pymc_site.Chains, draws: Draws) -> np.ndarray:
    """Differences of the posterior means in standard errors of both together, shape (21,)."""
    found = diagnostics.summary(chains.unit)
    error = np.hypot(found.mcse, draws.diagnostics.mcse[0, :21])
    return (chains.unit.mean(axis=(0, 1)) - draws.mean[0]) / error


@pytest.fixture(scope="module")
def chains(data: cost.SiteData) -> pymc_site.Chains:
    return pymc_site.draw(pymc_site.model(data), draws=250, tune=200, chains=2, seed=5)


def test_the_same_posterior_as_the_exact_sampler(
    chains: pymc_site.Chains, data: cost.SiteData
) -> None:
    draws = exact(data, "proda")
    found = diagnostics.summary(chains.unit)
    assert chains.unit.shape == (2, 250, 21) and found.ess_bulk.min() > 60
    assert chains.divergent.mean() < 0.05
    assert chains.evaluations.min() > 1000
    t = differences(chains, draws)
    assert np.abs(t).max() < 4 and np.sqrt((t**2).mean()) < 1.6
    ratio = chains.unit.std(axis=(0, 1)) / draws.sd[0]
    assert ratio.min() > 0.8 and ratio.max() < 1.25


def test_the_other_likelihood_is_told_apart(chains: pymc_site.Chains, data: cost.SiteData) -> None:
    assert np.abs(differences(chains, exact(data, "lognormal"))).max() > 4


def test_bad_input(sites: xr.Dataset, data: cost.SiteData) -> None:
    import pymc as pm

    with pytest.raises(ValueError, match="of 3 sites"):
        pymc_site.model(cost.site_data(sites.isel(site=[0, 1, 2])))
    with pytest.raises(ValueError, match="likelihood is 'other'"):
        pymc_site.model(data, "other")
    with pm.Model() as bare:
        pm.Normal("z")
    with pytest.raises(ValueError, match="no variable 'unit'"):
        pymc_site.draw(bare)
    with pytest.raises(ValueError, match="tune is 0"):
        pymc_site.draw(pymc_site.model(data), tune=0)
    with pytest.raises(ValueError, match="JAX hangs"):
        pymc_site.draw(pymc_site.model(data), cores=2, mp_ctx="fork")


def test_figures() -> None:
    figure, (left, right) = plt.subplots(1, 2)
    rng = np.random.default_rng(4)
    draws = {"one": rng.random(500), "other": rng.random((4, 100))}
    assert samplers.distributions(left, draws, "q10") is left
    assert left.get_legend_handles_labels()[1] == ["one", "other", "prior"]
    assert samplers.standard_scores(right, [0.1, -0.2, 9.0], "one \N{MINUS SIGN} other") is right
    assert sum(bar.get_height() for bar in right.patches) == 3, "none may disappear"
    figure.canvas.draw()
    with pytest.raises(ValueError, match="0 samplers"):
        samplers.distributions(left, {}, "q10")
    with pytest.raises(ValueError, match="not a number"):
        samplers.standard_scores(right, [np.nan], "difference")
    plt.close(figure)
