"""End-to-end training: exact gradients, the constant start, what is learnt from carbon alone."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import xarray as xr

from proda_lib import cost, metrics, predictor, steady_state, studies
from proda_lib.compiled import jax
from proda_lib.network import load_model, perceptron, save_model
from proda_lib.network.end_to_end import constant_of, fit_end_to_end
from proda_lib.network.soc_loss import Lessons, best_constant, functions, layer_loss, lessons
from proda_lib.parameters import NAMES, PRODA

import jax.numpy as jnp  # isort: skip

#: Options of every training here, so that one compiled program serves all.
OPTIONS = {"members": 2, "epochs": 30, "seed": 3, "stopping": "none"}


@pytest.fixture(scope="module")
def sites() -> xr.Dataset:
    """120 sites whose slow carbon turns over the slower, the larger their first covariate is."""
    few = studies.load("twin", "smoke").sites
    random = np.random.default_rng(5)
    many = few.isel(site=np.arange(120) % 30)
    coordinates = {name: ("site", random.uniform(-5, 5, 120)) for name in ("lon", "lat")}
    many = many.assign_coords(coordinates).drop_vars("forcing_id", errors="ignore")
    signal = random.uniform(-1, 1, 120)
    many["covariates"] = many.covariates.copy(data=random.normal(size=many.covariates.shape))
    many["covariates"][:, 0] = signal
    unit = np.full((120, len(NAMES)), 0.5)
    unit[:, [NAMES.index("tau4s2"), NAMES.index("fl3s2")]] += 0.45 * signal[:, None]
    soc = steady_state.soil_carbon_at_depth(PRODA.to_physical(unit), many)
    many["observed_soc"] = many.observed_soc.copy(data=soc)
    many["covariate_kind"] = many.covariate_kind.copy(data=["continuous"] * many.sizes["covariate"])
    return many


@pytest.fixture(scope="module")
def halves(sites):
    return sites.isel(site=slice(0, 60)), sites.isel(site=slice(60, 120))


@pytest.fixture(scope="module")
def model(halves):
    return fit_end_to_end(halves[0], **OPTIONS)


def arranged(sites: xr.Dataset) -> Lessons:
    inputs = np.random.default_rng(1).normal(size=(sites.sizes["site"], 40))
    return lessons(sites, inputs.astype(np.float32))


def test_gradient_agrees_with_differences_at_two_sites(halves):
    data = arranged(halves[0].isel(site=slice(0, 2)))
    weights = perceptron.initial(jax.random.key(2), (data.inputs.shape[1], len(NAMES)))
    weights = jax.tree.map(lambda values: 0.3 * values.astype(float), weights)
    loss, _ = functions("mixed", 0.0, 0.0)
    at = jax.jit(jax.value_and_grad(lambda own: loss(own, jnp.arange(2), jax.random.key(0), data)))
    slope = at(weights)[1]
    along = jax.tree.map(
        lambda values: np.random.default_rng(values.size).normal(size=values.shape), weights
    )
    products = jax.tree.map(lambda one, other: (one * other).sum(), slope, along)
    expected = sum(float(value) for value in jax.tree.leaves(products))
    step = 1e-5

    def moved(size):
        return at(jax.tree.map(lambda values, way: values + size * way, weights, along))[0]

    assert (moved(step) - moved(-step)) / (2 * step) == pytest.approx(expected, rel=1e-5)
    assert abs(expected) > 1e-6


def test_layers_that_do_not_count_are_left_out(halves):
    some = halves[0].isel(site=slice(0, 3))
    wrong = some.assign(implausible=xr.zeros_like(some.observed_soc, dtype=bool))
    wrong["implausible"][0, 0] = True
    kept, fewer = arranged(some), arranged(wrong)
    assert kept.sites.weight.shape[0] == 64
    assert float(kept.sites.weight[:3].sum() - fewer.sites.weight[:3].sum()) == 1


def test_losses_of_single_layers():
    assert float(layer_loss(40e3, 20e3, "squared")) == 1
    mixed = layer_loss(jnp.array([0.0, 50.0]), jnp.array([50.0, 0.0]))
    assert mixed.tolist() == [0, 0], "below the floor nothing is told apart"


def test_training_starts_at_the_best_constant(halves, model):
    """Networks without training give the constant, and no other constant near it is better."""
    data = arranged(halves[0])
    logits, loss = best_constant(data, 60)
    assert np.allclose(logits, model.constant, atol=1e-6)
    assert loss == model.options["constant_loss"]
    untrained = dataclasses.replace(model, weights=jax.tree.map(lambda w: 0 * w, model.weights))
    unit = untrained.unit(halves[0])
    assert np.allclose(unit, np.clip(constant_of(model), 1e-4, 1 - 1e-4))
    assert loss == pytest.approx(mean_loss(unit, halves[0]), rel=1e-6)
    random = np.random.default_rng(0)
    for size in (0.02, 0.3):
        near = 1 / (1 + np.exp(-(logits + size * random.normal(size=(1, len(NAMES))))))
        assert mean_loss(near, halves[0]) > loss - 2e-3


def mean_loss(unit: np.ndarray, sites: xr.Dataset) -> float:
    unit = np.broadcast_to(unit[:1], (1, sites.sizes["site"], len(NAMES)))
    modelled = predictor.soil_carbon_at_depth(unit, sites)
    there = cost.site_data(sites).weight > 0
    return float(np.asarray(layer_loss(modelled, sites.observed_soc.values))[there].mean())


def test_learns_what_a_constant_cannot_know(halves, model):
    _, unseen = halves
    soc = predictor.soil_carbon_at_depth(model.unit(unseen), unseen)
    one = np.broadcast_to(constant_of(model), (1, 60, len(NAMES)))
    constant = predictor.soil_carbon_at_depth(one, unseen)
    observed = unseen.observed_soc.values
    assert metrics.efficiency(observed, soc) > metrics.efficiency(observed, constant) + 0.02
    assert metrics.log_r2(observed, soc) > metrics.log_r2(observed, constant) + 0.01
    assert model.history.loss[:, -1].mean() < model.history.loss[:, 0].mean()


def test_the_seed_fixes_the_result(halves, model):
    again = fit_end_to_end(halves[0], **OPTIONS)
    assert np.array_equal(again.unit(halves[1]), model.unit(halves[1]))
    other = fit_end_to_end(halves[0], **OPTIONS | {"seed": 4})
    assert not np.array_equal(other.unit(halves[1]), model.unit(halves[1]))


def test_averaged_forcing_is_kept_in_the_file(halves, tmp_path):
    model = fit_end_to_end(halves[0], **OPTIONS | {"forcing": "mean"})
    again = load_model(save_model(tmp_path / "end_to_end.nc", model))
    there = again.driven(halves[1])
    assert np.array_equal(again.unit(halves[1]), model.unit(halves[1]))
    assert there.soil_temperature.std("site").max() < 1e-9
    mean = halves[0].litter_input.mean("site")
    assert np.allclose(there.litter_input, mean.transpose(*there.litter_input.dims[1:]))
    assert (there.bedrock_layer == halves[1].bedrock_layer).all()
    soc = predictor.soil_carbon_at_depth(again.unit(halves[1]), there)
    assert np.isfinite(soc[np.isfinite(halves[1].observed_soc.values)]).all()


def test_own_forcing_is_left_alone(halves, model):
    assert model.driven(halves[1]) is halves[1]


def test_blocked_stopping_keeps_blocks_apart(halves):
    model = fit_end_to_end(halves[0], **OPTIONS | {"stopping": "blocked"})
    history = model.history
    assert np.isfinite(history.validation[:, 0]).all()
    mean = history.validation.mean(axis=0)
    assert set(history.best) == {int(np.argmin(mean))}


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"loss": "cubic"}, "cubic"),
        ({"forcing": "none"}, "none"),
        ({"stopping": "early"}, "early"),
        ({"members": 0}, "members is 0"),
        ({"epochs": 0}, "epochs 0"),
    ],
)
def test_wrong_options_are_named(halves, wrong, message):
    with pytest.raises(ValueError, match=message) as caught:
        fit_end_to_end(halves[0], **OPTIONS | wrong)
    assert "\n" not in str(caught.value)


def test_too_few_sites_or_blocks_are_an_error(halves):
    with pytest.raises(ValueError, match="3 sites to learn from"):
        fit_end_to_end(halves[0].isel(site=slice(0, 3)), seed=1)
    same = halves[0].assign_coords(lon=halves[0].lon * 0, lat=halves[0].lat * 0)
    with pytest.raises(ValueError, match="one block"):
        fit_end_to_end(same, seed=1, stopping="blocked")
