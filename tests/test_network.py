"""Networks: what they read, how they are trained, what a saved one predicts."""

from dataclasses import replace

import numpy as np
import optax
import pytest
import xarray as xr

from proda_lib import folds
from proda_lib.network import (
    DESIGNS,
    Encoder,
    fit_two_step,
    information,
    load_model,
    parameter_skill,
    perceptron,
    save_model,
    training,
)
from proda_lib.network.designs import product_loss
from proda_lib.network.encoder import WEIGHTS
from proda_lib.network.ensemble import MARGIN, Ensemble
from proda_lib.network.two_step import _resampled, _validation
from proda_lib.parameters import NAMES

SMALL = replace(DESIGNS["default"], hidden=(32,), dropout=0.0, rate=1e-2, batch=32)
PUBLISHED = replace(DESIGNS["published"], hidden=(16, 16))


def places(values, kinds=None, names=None):
    """Sites with these covariates, spread over many blocks."""
    values = np.asarray(values, float)
    n, width = values.shape
    names = names or [f"C{k}" for k in range(width)]
    coords = {
        "covariate": names,
        "covariate_kind": ("covariate", kinds or ["continuous"] * width),
        "lon": ("site", np.arange(n) % 40 + 0.5),
        "lat": ("site", np.arange(n) // 40 + 0.5),
    }
    return xr.Dataset({"covariates": (("site", "covariate"), values)}, coords)


def assimilated(mean, sd=0.1, used=True):
    """An assimilation with these posterior means."""
    shape, rows = (("site", "parameter"), np.shape(mean)), len(mean)
    return xr.Dataset(
        {
            "parameter_mean": (shape[0], np.asarray(mean)),
            "parameter_sd": (shape[0], np.broadcast_to(sd, shape[1]).copy()),
            "used": ("site", np.full(rows, used)),
        }
    )


@pytest.fixture(scope="module")
def world():
    """Sites whose parameters follow their covariates smoothly, with a category that matters."""
    random = np.random.default_rng(1)
    x, category = random.normal(size=(300, 3)), random.integers(1, 4, 300)
    logit = np.tanh(x @ random.normal(size=(3, 21))) + np.array([-1, 1.5, 0])[category - 1, None]
    sites = places(np.column_stack([x, category]), ["continuous"] * 3 + ["category"])
    return sites, assimilated(1 / (1 + np.exp(-logit)))


# --- encoder --------------------------------------------------------------------------------------


def test_default_encoder_standardises_numbers_and_makes_an_input_of_every_category():
    codes = np.repeat([10, 20, 30], 10)
    sites = places(np.column_stack([np.arange(30) + 7.0, codes]), ["continuous", "category"])
    encoder = Encoder.fit(sites)
    inputs = encoder.transform(sites)
    assert encoder.names == ("C0", "C1_10.0", "C1_20.0", "C1_30.0")
    assert inputs.dtype == np.float32
    assert inputs[:, 0].mean() == pytest.approx(0, abs=1e-6)
    assert inputs[:, 0].std() == pytest.approx(WEIGHTS["number"])
    assert np.allclose(inputs[:, 1:], WEIGHTS["category"] * np.repeat(np.eye(3), 10, axis=0))


def test_unknown_and_rare_categories_share_an_input_and_missing_ones_have_their_own():
    codes = np.r_[np.repeat([1.0, 2.0], 10), np.repeat(np.nan, 6), 7, 8]
    sites = places(codes[:, None], ["category"])
    encoder = Encoder.fit(sites)
    assert encoder.names == ("C0_-1.0", "C0_1.0", "C0_2.0", "C0_infrequent_sklearn")
    new = encoder.transform(places([[99.0], [8.0], [np.nan], [2.0]], ["category"]))
    assert new.argmax(axis=1).tolist() == [3, 3, 0, 2]
    assert np.array_equal((new > 0).sum(axis=1), np.ones(4))


def test_missing_numbers_become_the_median_and_are_marked():
    values = np.arange(21.0)
    values[3] = np.nan
    sites = places(np.column_stack([values, np.arange(21)]))
    encoder = Encoder.fit(sites)
    assert encoder.names == ("C0", "C1", "missingindicator_C0")
    lacking = encoder.transform(places([[np.nan, np.nan], [np.nanmedian(values), 10]]))
    assert np.allclose(lacking[0, :2], lacking[1, :2])
    assert np.allclose(lacking[:, 2], [WEIGHTS["missing"], 0])


def test_default_inputs_stay_in_range_far_outside_the_training_sites():
    sites = places(np.arange(20.0)[:, None])
    far = Encoder.fit(sites).transform(places([[-1e9], [1e9]]))
    assert far.ravel().tolist() == [-1.5, 1.5]


def test_published_encoder_scales_everything_by_the_grid_and_passes_missing_values_on():
    sites = places([[1.0, 4], [2, 8], [np.nan, 6]], ["continuous", "category"])
    grid = places([[0.0, 0], [4, 10]], ["continuous", "category"])
    inputs = Encoder.fit(sites, scheme="published", reference=grid).transform(sites)
    assert np.allclose(inputs, [[0.25, 0.4], [0.5, 0.8], [np.nan, 0.6]], equal_nan=True)


def test_covariates_are_found_by_name_and_others_are_refused():
    sites = places(np.arange(20.0).reshape(10, 2), names=["BIO1", "Lon"])
    encoder = Encoder.fit(sites)
    turned = sites.isel(covariate=[1, 0])
    assert np.array_equal(encoder.transform(turned), encoder.transform(sites))
    with pytest.raises(ValueError, match="missing Lon, unknown none"):
        encoder.transform(sites.isel(covariate=[0]))
    with pytest.raises(ValueError, match="missing BIO1, unknown BIO2"):
        encoder.transform(places(np.zeros((2, 2)), names=["BIO2", "Lon"]))
    with pytest.raises(ValueError, match="no covariates"):
        encoder.transform(xr.Dataset())


# --- network and training -------------------------------------------------------------------------


def test_members_do_not_depend_on_how_many_there_are():
    few, many = (perceptron.members(3, count, (4, 8, 2)) for count in (1, 5))
    assert np.array_equal(few[0][0][0], many[0][0][0])
    assert not np.array_equal(many[0][0][0], many[0][0][1])


@pytest.mark.parametrize(("scheme", "expected"), [("he", 2 / 400), ("glorot", 2 / 1000)])
def test_weights_start_with_the_variance_of_their_scheme(scheme, expected):
    weight, bias = perceptron.initial(perceptron.jax.random.key(1), (400, 600), scheme=scheme)[0]
    assert np.var(weight) == pytest.approx(expected, rel=0.02)
    assert not bias.any()


def test_dropout_keeps_the_mean_and_needs_a_key():
    weights = [(np.eye(50), np.zeros(50)), (np.full((50, 1), 0.02), np.zeros(1))]
    x = np.ones((400, 50))
    key = perceptron.jax.random.key(0)
    dropped = np.asarray(perceptron.apply(weights, x, dropout=0.4, key=key))
    assert dropped.mean() == pytest.approx(1, abs=0.02)
    assert dropped.std() > 0.05
    assert np.allclose(perceptron.apply(weights, x, dropout=0.4), 1)


def squared(weights, rows, key, data):
    return ((weights - data[rows]) ** 2).mean()


def away(weights, held, data):
    return training.mean_over((weights - data[held]) ** 2, held)


def test_each_member_learns_its_own_rows_and_stops_on_its_own():
    data = np.array([1.0, 1.0, 5.0, 5.0, 1.0, -3.0])
    weights, history = training.train(
        squared, np.zeros(2), [[0, 1], [2, 3]], away, held=[[4], [5]], data=data,
        optimiser=optax.sgd(0.05), batch=2, epochs=60, patience=10, seed=1,
    )  # fmt: skip
    # The first comes nearer to its validation row all the time, the second only goes away.
    assert weights[0] == pytest.approx(1, abs=0.01)
    assert history.best.tolist() == [59, 0]
    assert history.epochs.tolist() == [60, 11]
    assert weights[1] == pytest.approx(0.5)
    assert np.isnan(history.loss[1, 11:]).all()
    assert np.all(np.diff(history.validation[1, :11]) > 0)


def test_members_that_are_judged_together_stop_together():
    data = np.array([1.0, 1.0, 5.0, 5.0, 2.0, 1.0])
    weights, history = training.train(
        squared, np.zeros(2), [[0, 1], [2, 3]], away, held=[[4], [5]], data=data,
        optimiser=optax.sgd(0.05), batch=2, epochs=60, patience=10, together=True, seed=1,
    )  # fmt: skip
    mean = history.validation.mean(axis=0)
    best = int(np.nanargmin(mean))
    assert 0 < best < 20
    assert history.best.tolist() == [best, best]
    assert history.epochs.tolist() == [best + 11] * 2
    assert weights == pytest.approx([1 - 0.9 ** (best + 1), 5 - 5 * 0.9 ** (best + 1)])


def test_without_validation_the_last_weights_are_kept():
    _, history = training.train(
        squared, np.zeros(1), [[0, 1, 2]], data=np.arange(3.0), optimiser=optax.sgd(0.1),
        batch=2, epochs=12, seed=1,
    )  # fmt: skip
    assert history.best.tolist() == [11]
    assert history.loss.shape == (1, 12)
    assert np.isnan(history.validation).all()


def test_training_needs_rows_and_epochs():
    options = {"data": np.zeros(1), "optimiser": optax.sgd(0.1), "batch": 1, "seed": 1}
    with pytest.raises(ValueError, match="0 rows and 5 epochs"):
        training.train(squared, np.zeros(1), [[]], epochs=5, **options)


# --- the published design -------------------------------------------------------------------------


def test_product_loss_is_that_of_the_original():
    target = np.array([[0.2, 0.5], [0.8, 0.4]])
    predicted = np.array([[0.3, 0.5], [0.6, 0.5]])
    error = np.array([0.1, 0, 0.2, 0.1])
    relative = np.array([0.1 / 0.2, 0, 0.2 / 0.8, 0.1 / 0.4])
    expected = 500 * (error**2).mean() * 25 * relative.mean()
    assert float(product_loss(predicted, target)) == pytest.approx(expected)
    padded = np.vstack([target, [[9, 9]]]), np.vstack([predicted, [[1, 1]]])
    value = product_loss(padded[1], padded[0], np.array([0, 1, -1]))
    assert float(value) == pytest.approx(expected)
    assert np.isfinite(product_loss(predicted, np.zeros((2, 2))))


def test_published_design_is_that_of_the_original():
    design = DESIGNS["published"]
    assert design.hidden == (256, 512, 512, 256)
    assert (design.batch, design.epochs, design.patience) == (32, 6000, 1200)
    assert (design.optimiser, design.rate, design.dropout) == ("adadelta", 0.001, 0.0)


def test_published_validation_takes_the_last_tenth_of_the_rows_unshuffled(world):
    rows = np.arange(5, 105)
    taught, held = _validation(DESIGNS["published"], world[0].isel(site=rows), rows, 2, seed=1)
    assert [line.tolist() for line in held] == [list(range(95, 105))] * 2
    assert [line.tolist() for line in taught] == [list(range(5, 95))] * 2


def test_default_validation_keeps_blocks_together_and_differs_between_members(world):
    rows = np.arange(300)
    sites = world[0].assign_coords(lon=world[0].lon // 4, lat=world[0].lat // 4)
    taught, held = _validation(DESIGNS["default"], sites, rows, 5, seed=1)
    block = folds.blocks(sites)
    for own, other in zip(taught, held, strict=True):
        assert not set(block[own]) & set(block[other])
        assert len(own) + len(other) == 300
    assert sorted(np.concatenate(held)) == rows.tolist()


def test_published_outputs_are_unbounded_and_counted(world):
    model = fit_two_step(*world, design=PUBLISHED, members=1, seed=1, epochs=1)
    weights = [*model.weights[:-1], (model.weights[-1][0] * 10, model.weights[-1][1])]
    wild = replace(model, weights=weights)
    raw, unit = wild.raw_unit(world[0]), wild.unit(world[0])
    assert raw.min() < 0 and raw.max() > 1
    assert unit.min() == MARGIN and unit.max() == 1 - MARGIN
    assert wild.outside(world[0]).sum() == (raw != unit).sum() > 0


def test_published_design_leaves_out_sites_with_missing_covariates(world):
    sites = world[0].copy(deep=True)
    sites.covariates[7, 2] = np.nan
    model = fit_two_step(sites, world[1], design=PUBLISHED, members=1, seed=1, epochs=1)
    assert (model.options["sites_given"], model.options["sites_used"]) == (300, 299)
    missing = np.isnan(model.unit(sites)).any(axis=(0, 2))
    assert np.flatnonzero(missing).tolist() == [7]


# --- the default design ---------------------------------------------------------------------------


def test_a_target_as_uncertain_as_the_prior_weighs_nothing():
    weight = information([0.0, 0.05, 0.15, np.sqrt(1 / 12), 0.4])
    assert weight[0] == 1
    assert np.all(np.diff(weight[:4]) < 0)
    assert weight[3] == pytest.approx(0, abs=1e-12)
    assert weight[4] == 0


def test_uncertain_targets_do_not_move_the_network(world):
    sites, found = world
    random = np.random.default_rng(2)
    doubtful = random.random((300, 21)) < 0.5
    noisy = found.assign(
        parameter_mean=found.parameter_mean.where(~doubtful, random.random((300, 21))),
        parameter_sd=found.parameter_sd.where(~doubtful, 0.288),
    )
    design = replace(SMALL, validation="last")
    skill = {}
    for loss in ("precision", "squared"):
        model = fit_two_step(
            sites, noisy, design=replace(design, loss=loss), members=1, seed=1, epochs=60
        )
        skill[loss] = parameter_skill(model.unit(sites)[0], found).efficiency.mean()
    assert skill["precision"] > 0.8 > skill["squared"]


def test_a_smooth_map_is_learnt_and_holds_at_other_sites(world):
    sites, found = world
    new = np.arange(300) % 5 == 0
    model = fit_two_step(
        sites.isel(site=~new), found.isel(site=~new), design=SMALL, members=3, seed=1, epochs=120
    )
    unit = model.unit(sites.isel(site=new))
    assert unit.shape == (3, 60, 21)
    table = parameter_skill(unit.mean(axis=0), found.isel(site=new))
    assert table.efficiency.min() > 0.7
    assert table.r2.mean() > 0.9
    assert np.allclose(table.removed, 1 - 0.12 * 1)


def test_the_seed_fixes_the_result_bit_by_bit(world):
    one, again, other = (
        fit_two_step(*world, design=SMALL, members=2, seed=seed, epochs=5).unit(world[0])
        for seed in (1, 1, 2)
    )
    assert np.array_equal(one, again)
    assert not np.allclose(one, other)
    assert not np.allclose(one[0], one[1])


def test_resampling_draws_whole_blocks_and_keeps_validation_blocks_apart(world):
    sites, _ = world
    block = folds.blocks(sites)
    taught, held = folds.held_blocks(sites, 2, seed=1)
    for rows, given, out in zip(_resampled(block, taught, 1), taught, held, strict=True):
        own, times = np.unique(rows, return_counts=True)
        assert set(own) < set(given)  # some blocks are left out
        for number in np.unique(block[own]):  # blocks come as a whole, as often as drawn
            assert np.array_equal(np.flatnonzero(block == number), own[block[own] == number])
            assert len(set(times[block[own] == number])) == 1
        assert not set(block[out]) & set(block[own])


def test_resampled_members_spread_as_means_of_so_many_sites_do():
    # Two kinds of sites: nothing to learn but two means, whose standard error is known.
    random = np.random.default_rng(3)
    kind = np.tile([-1.0, 1.0], 60)
    mean = 0.5 + 0.25 * kind[:, None] + 0.1 * random.normal(size=(120, len(NAMES)))
    sites, found = places(kind[:, None]), assimilated(np.clip(mean, 0.02, 0.98))
    flat = replace(SMALL, rate=3e-3, batch=96, loss="squared")
    options = {"design": flat, "members": 12, "seed": 5, "epochs": 150}
    spread = {
        resample: fit_two_step(sites, found, resample=resample, **options)
        .unit(sites)[:, :2]
        .std(axis=0, ddof=1)
        .mean()
        for resample in (False, True)
    }
    # A member learns from four fifths of the 60 sites of a kind, and these are drawn again.
    error = 0.1 * np.sqrt(1 / 48 + 1 / 60 / 4)
    assert spread[True] == pytest.approx(error, rel=0.25)
    assert spread[False] < 0.7 * spread[True]


def test_sites_without_a_result_are_left_out_and_wrong_rows_refused(world):
    sites, found = world
    lost = found.assign(used=("site", np.arange(300) >= 10))
    model = fit_two_step(sites, lost, design=SMALL, members=1, seed=1, epochs=1)
    assert model.options["sites_used"] == 290
    with pytest.raises(ValueError, match="found has 299 sites, sites 300"):
        fit_two_step(sites, found.isel(site=slice(1, None)), seed=1)
    number = np.arange(300)
    with pytest.raises(ValueError, match="300 of 300 rows of found are of other profiles"):
        fit_two_step(
            sites.assign_coords(profile_id=("site", number)),
            found.assign_coords(profile_id=("site", number + 1)),
            seed=1,
        )
    with pytest.raises(ValueError, match="0 of 300 sites"):
        fit_two_step(sites, assimilated(np.full((300, 21), 0.5), used=False), seed=1)
    with pytest.raises(ValueError, match="did you mean 'published'"):
        fit_two_step(sites, found, design="publishd", seed=1)


# --- files ----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def trained(world):
    """A small trained ensemble."""
    return fit_two_step(*world, design=SMALL, members=2, seed=1, epochs=3)


def test_a_saved_model_predicts_exactly_the_same(world, trained, tmp_path):
    path = save_model(tmp_path / "model.nc", trained, study="twin")
    again = load_model(path)
    assert np.array_equal(again.raw_unit(world[0]), trained.raw_unit(world[0]))
    assert again.options == {**trained.options, "hidden": [32]}
    assert (again.kind, again.prior.name) == ("two_step", "PRODA")
    for one, other in zip(again.history, trained.history, strict=True):
        assert np.array_equal(one, other, equal_nan=True)
    assert xr.load_dataset(path).attrs["study"] == "twin"
    save_model(path, again)
    assert np.array_equal(load_model(path).unit(world[0]), trained.unit(world[0]))


def test_a_published_model_is_saved_with_the_range_of_the_grid(world, tmp_path):
    grid = places(world[0].covariates.values * 2, ["continuous"] * 3 + ["category"])
    model = fit_two_step(*world, design=PUBLISHED, members=1, seed=1, epochs=1, grid=grid)
    again = load_model(save_model(tmp_path / "model.nc", model))
    assert np.array_equal(again.raw_unit(world[0]), model.raw_unit(world[0]))


def test_a_loaded_model_refuses_other_covariates(world, trained, tmp_path):
    again = load_model(save_model(tmp_path / "model.nc", trained))
    with pytest.raises(ValueError, match="missing C3, unknown none"):
        again.unit(world[0].isel(covariate=slice(3)))


def test_missing_foreign_and_damaged_files_are_named(trained, tmp_path):
    with pytest.raises(FileNotFoundError, match="train the networks"):
        load_model(tmp_path / "nothing.nc")
    foreign = tmp_path / "foreign.nc"
    xr.Dataset({"a": 1}).to_netcdf(foreign, engine="h5netcdf")
    with pytest.raises(ValueError, match="holds something else"):
        load_model(foreign)
    text = tmp_path / "text.nc"
    text.write_text("no netCDF")
    with pytest.raises(ValueError, match="not a readable netCDF file"):
        load_model(text)
    path = save_model(tmp_path / "model.nc", trained)
    half = tmp_path / "half.nc"
    half.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(ValueError, match="not a readable netCDF file"):
        load_model(half)
    changed = xr.load_dataset(path)
    changed.weight_0[0, 0, 0] += 1
    changed.to_netcdf(path, engine="h5netcdf")
    with pytest.raises(ValueError, match="damaged"):
        load_model(path)


def test_a_model_must_fit_the_parameters(trained):
    with pytest.raises(ValueError, match="3 outputs"):
        weight, bias = trained.weights[-1]
        last = (weight[..., :3], bias[..., :3])
        Ensemble("two_step", trained.encoder, [*trained.weights[:-1], last], np.zeros(21), {})
    assert len(NAMES) == 21
