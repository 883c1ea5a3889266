"""Importance of groups of covariates: real permutation, published variant, groups, the truth's."""

from __future__ import annotations

import matplotlib
import numpy as np
import pandas as pd
import pytest
import xarray as xr

matplotlib.use("Agg")

import matplotlib.pyplot as plt

from proda_lib import fold_networks, studies
from proda_lib.bulk_draws import bulk_draws, log_processes
from proda_lib.covariate_groups import COARSE, GROUPS, columns_of, group_of
from proda_lib.fold_networks import FoldNetworks, fit_folds, orders_within
from proda_lib.importance import constant_ratios, importance, importances, misread
from proda_lib.parameters import NAMES, PROCESSES, PRODA
from proda_lib.plots.controls import Series, agreement, cloud_with_line, importance_rows
from proda_lib.process_change import members_of
from proda_lib.process_errors import carbon_errors, parameter_errors
from proda_lib.processes import bulk_processes
from proda_lib.slopes import slope, slope_resampled
from proda_lib.studies.twin.tables import covariate_table
from proda_lib.true_controls import DRIVER_OF, GROUP_OF_DRIVER, Recipe

RANDOM = np.random.default_rng(28)
COVARIATES = ["Clay_Content_0cm", "Silt_Content_0cm", "BIO1", "BIO12", "Lon", "cesm2_npp"]


class Linear:
    """A known model in the place of an ensemble: the first parameter is a sum of covariates."""

    members = 1

    def __init__(self, weights: np.ndarray) -> None:
        self.weights = weights
        self.seen: list[np.ndarray] = []

    def unit(self, places: xr.Dataset) -> np.ndarray:
        """Return positions; all but the first parameter 0.5."""
        table = places.covariates.values
        self.seen.append(table)
        found = np.full((1, len(table), len(NAMES)), 0.5)
        found[0, :, 0] = 0.5 + table @ self.weights
        return found

    raw_unit = unit


def sites_of(table: np.ndarray, names: list[str] = COVARIATES) -> xr.Dataset:
    """Sites with covariates only."""
    return xr.Dataset({"covariates": (("site", "covariate"), table)}, {"covariate": names})


@pytest.fixture(autouse=True)
def closed():
    """Close all figures of a test."""
    yield
    plt.close("all")


# ---------------------------------------------------------------------------------------- groups


def test_the_originals_60_covariates_fall_into_its_groups() -> None:
    found = columns_of(line["name"] for line in covariate_table())
    sizes = {"texture": 20, "chemical": 10, "climate": 20, "vegetation": 4, "geography": 6}
    assert {name: len(columns) for name, columns in found.items()} == sizes
    assert sorted(np.concatenate(list(found.values()))) == list(range(60))


def test_new_yorks_38_covariates_each_have_one_group() -> None:
    file = studies.__file__.replace("__init__.py", "newyork/covariates.csv")
    found = columns_of(pd.read_csv(file)["name"])
    assert [len(columns) for columns in found.values()] == [17, 9, 7, 1, 4]
    assert sorted(np.concatenate(list(found.values()))) == list(range(38))


def test_coarse_groups_hold_every_group_once() -> None:
    assert sorted(name for names in COARSE.values() for name in names) == sorted(GROUPS)


def test_an_unknown_covariate_is_named_with_the_nearest() -> None:
    with pytest.raises(ValueError, match=r"'Clay_Content_5cm': did you mean 'Clay_Content_0cm'"):
        columns_of(["BIO1", "Clay_Content_5cm"])
    with pytest.raises(ValueError, match="given twice: BIO1"):
        columns_of(["BIO1", "Lon", "BIO1"])
    assert group_of("Garde_Acid") == "chemical"


# ----------------------------------------------------------------------------- permutation itself


def test_the_group_that_a_known_model_reads_matters_and_no_other() -> None:
    table = RANDOM.normal(size=(400, 6)) * 0.1
    table[:, 1] = table[:, 0] + 0.01 * RANDOM.normal(size=400)  # silt follows clay
    model, sites = Linear(np.array([1.0, 1.0, 0, 0, 0, 0])), sites_of(table)
    noise = 0.05
    target = model.unit(sites)[0].copy()
    target[:, 0] += noise * RANDOM.normal(size=400)
    fold = np.arange(400) % 4
    trained = FoldNetworks((model,) * 4, fold)
    orders = orders_within(fold, 20, seed=1)
    right = parameter_errors(trained.unit(sites)[0], target)
    after = {
        name: parameter_errors(trained.exchanged(sites, [moved] * 20, orders).mean(axis=1), target)
        for name, moved in columns_of(COVARIATES).items()
    }
    found = importances(right[:, [3]], {k: v[..., [3]] for k, v in after.items()}, fold, seed=1)[0]
    # A permutation adds 2 Var(clay + silt), which is about 0.08, to the variance of the noise.
    signal = table[:, :2].sum(axis=1)
    expected = 1 + 2 * np.var(signal) / np.mean((target[:, 0] - 0.5 - signal) ** 2)
    assert found["texture"].ratio == pytest.approx(expected, rel=0.06)
    assert found["texture"].chance < 0.01 and found["texture"].low > 10
    for name in ("climate", "geography", "vegetation"):
        assert found[name].ratio == pytest.approx(1.0) and found[name].chance == 1.0


def test_joint_permutation_keeps_what_a_groups_covariates_say_of_each_other() -> None:
    clay = RANDOM.permutation(60.0 + np.arange(60))
    table = np.column_stack([clay, 1000 - clay, np.arange(60.0), *RANDOM.normal(size=(3, 60))])
    model, sites, fold = Linear(np.zeros(6)), sites_of(table), np.arange(60) % 3
    trained = FoldNetworks((model,) * 3, fold)
    trained.exchanged(sites, [np.array([0, 1])] * 5, orders_within(fold, 5, seed=2))
    shown = np.concatenate(model.seen)
    np.testing.assert_allclose(shown[:, 0] + shown[:, 1], 1000)  # together
    np.testing.assert_array_equal(np.sort(shown[:20, 2]), np.arange(0.0, 60, 3))  # others stay
    pairs = {(row[2], row[0]) for row in shown}
    assert len(pairs) > 150, "clay was not moved among the sites"
    # From sites of the same fold only.
    owner = {value: number for number, value in enumerate(clay)}
    assert all(owner[row[0]] % 3 == row[2] % 3 for row in shown)


def test_orders_are_permutations_within_folds_and_fixed_by_the_seed() -> None:
    fold = RANDOM.integers(0, 4, 50)
    orders = orders_within(fold, 6, seed=3)
    assert all(sorted(order) == list(range(50)) for order in orders)
    assert (fold[orders] == fold).all()
    np.testing.assert_array_equal(orders, orders_within(fold, 6, seed=3))
    assert (orders != orders_within(fold, 6, seed=4)).any() and (orders[0] != orders[1]).any()


def test_each_repeat_needs_its_set_of_covariates() -> None:
    trained = FoldNetworks((Linear(np.zeros(6)),) * 2, np.array([0, 1]))
    with pytest.raises(ValueError, match="1 sets of covariates are given for 2 repeats"):
        trained.exchanged(sites_of(np.zeros((2, 6))), [np.array([0])], [[0, 1], [0, 1]])


# ------------------------------------------------------------------------------------- intervals


def test_the_interval_is_over_whole_places() -> None:
    # 200 sites in 4 places; the permutation harms in one place only.
    places, right = np.repeat(np.arange(4), 50), np.ones(200)
    permuted = np.where(places == 0, 5.0, 1.0)[None]
    found = importance(right, permuted, places, seed=1, resamples=4000)
    assert found.ratio == pytest.approx(2.0)
    # The harmed place is drawn 0 to 4 times of 4: the share without it is (3/4)^4.
    assert found.chance == pytest.approx(0.75**4, abs=0.03)
    assert (found.low, found.high) == (1.0, 4.0)
    alone = importance(right, permuted, np.arange(200), seed=1)
    assert alone.high - alone.low < 0.6


def test_a_permutation_without_effect_on_average_is_not_told_apart() -> None:
    right = RANDOM.exponential(size=300)
    permuted = right + RANDOM.normal(0, 0.2, size=(20, 300))
    found = importance(right, permuted, np.arange(300) // 3, seed=1)
    assert found.low < 1 < found.high and 0.01 < found.chance < 0.99


def test_importance_is_the_same_for_the_same_seed_and_leaves_missing_sites_out() -> None:
    right, permuted = RANDOM.exponential(size=50), RANDOM.exponential(size=(4, 50))
    first = importance(right, permuted, np.arange(50), seed=7)
    again = importance(right, permuted, np.arange(50), seed=7)
    np.testing.assert_array_equal(first.resampled, again.resampled)
    gap = np.append(right, np.nan), np.column_stack([permuted, np.ones(4)])
    with_gap = importance(*gap, np.append(np.arange(50), 3), seed=7)
    assert with_gap.ratio == pytest.approx(first.ratio)


@pytest.mark.parametrize(
    "right, permuted, message",
    [
        (np.ones(3), np.ones((2, 4)), r"shapes \(3,\) and \(2, 4\)"),
        (np.full(3, np.nan), np.ones((2, 3)), "no site has an error"),
    ],
)
def test_bad_errors_are_refused(right, permuted, message) -> None:
    with pytest.raises(ValueError, match=message):
        importance(right, permuted, np.arange(3), seed=1)


# ------------------------------------------------------------------------------ published variant


def test_the_published_variant_is_that_of_a_case_by_hand() -> None:
    # Two sites, one parameter is clay / 10; the grid's clay goes from 0 to 4.
    table = np.zeros((2, 6))
    table[:, 0] = 1.0, 3.0
    grid = sites_of(np.array([[0.0] * 6, [4.0, 1, 1, 1, 1, 1]]))
    model = Linear(np.array([0.1, 0, 0, 0, 0, 0]))
    target = np.full((2, 21), 0.4)
    target[:, 1] = 0.5  # the other parameter of the process
    target[:, 0] = 0.5, 0.9  # predicted are 0.6 and 0.8
    found = constant_ratios(
        model, sites_of(table), target, np.array([0]), reference=grid, replicates=4, seed=5
    )
    assert list(found.columns) == list(PROCESSES)
    u = (np.arange(4) + np.random.default_rng(5).random(4)) / 4
    by_hand = ((0.4 * u) ** 2 + (0.4 * u - 0.4) ** 2) / (0.1**2 + 0.1**2)
    np.testing.assert_allclose(found["V"], by_hand, rtol=1e-12)
    assert members_of("V") == [0, 1]
    assert (found.drop(columns="V") == 1).all(axis=None), "other processes do not read clay"


def test_the_figures_slip_takes_groups_for_processes() -> None:
    table = pd.DataFrame(np.arange(25.0).reshape(5, 5), list(GROUPS), list(PROCESSES))
    seen = misread(table)
    assert seen.loc["K", "texture"] == table.loc["chemical", "A"]
    assert seen.loc["A", "geography"] == table.loc["texture", "I"]
    with pytest.raises(ValueError, match="4 groups and 5 processes"):
        misread(table.iloc[:4])


# --------------------------------------------------------------------------- networks of the folds


class Mean:
    """A model that learns the mean of the results it is shown."""

    members = 1

    def __init__(self, known: np.ndarray) -> None:
        self.known = known

    def unit(self, places: xr.Dataset) -> np.ndarray:
        """Return that mean at all places."""
        return np.tile(self.known.mean(axis=0), (1, places.sizes["site"], 1))


def test_networks_of_a_fold_do_not_know_its_results(monkeypatch) -> None:
    def learn(_, found, **options) -> Mean:
        assert options["members"] == 3 and options["seed"] == 9
        return Mean(found.parameter_mean.values[found.used.values])

    monkeypatch.setattr(fold_networks, "fit_two_step", learn)
    sites, fold = sites_of(np.zeros((6, 6))), np.array([0, 1, 2, 0, 1, 2])
    mean, used = np.tile(np.arange(6.0)[:, None], (1, 21)), np.arange(6) != 4
    made = {"used": ("site", used), "parameter_mean": (("site", "parameter"), mean)}
    found = fit_folds(sites, xr.Dataset(made), fold, members=3, seed=9).unit(sites)
    # Site 4 has no result: fold 0 learns of 1, 2, 5; fold 1 of 0, 2, 3, 5; fold 2 of 0, 1, 3.
    expected = np.array([8 / 3, 10 / 4, 4 / 3])[fold]
    np.testing.assert_allclose(found, np.tile(expected[None, :, None], (1, 1, 21)))
    with pytest.raises(ValueError, match="1 folds are given"):
        fit_folds(sites, xr.Dataset(made), np.zeros(6, int), members=1, seed=1)


# --------------------------------------------------------------------------- errors and processes


@pytest.fixture(scope="module")
def twin():
    """The smallest twin, and true parameters of its first sites."""
    study = studies.load("twin", "smoke")
    return study, study.sites.isel(site=slice(6)), study.truth.site_parameters_unit.values[:6]


def test_draws_give_what_bulk_processes_gives(twin) -> None:
    _, sites, unit = twin
    draws = np.clip(unit + RANDOM.normal(0, 0.02, (2, 6, 21)), 0.01, 0.99)
    found = bulk_draws(draws, sites)
    vectors = PRODA.to_physical(draws).swapaxes(0, 1)
    made = bulk_processes(vectors, sites)
    for name, values in made.items():
        np.testing.assert_allclose(found[name], values.values.T, rtol=1e-10)
    logs = log_processes(draws, sites)
    for number, name in ((0, "carbon_use_efficiency"), (1, "baseline_decomposition"),
                         (2, "environmental_modifier"), (4, "input_allocation")):  # fmt: skip
        np.testing.assert_allclose(np.exp(logs[..., number]), made[name].values.T, rtol=1e-10)
    published = bulk_draws(draws[:1], sites, definition="published")["carbon_use_efficiency"][0]
    other = bulk_processes(vectors[:, :1], sites, definition="published", bedrock="published")
    np.testing.assert_allclose(published, other.carbon_use_efficiency.values[:, 0], rtol=1e-10)
    with pytest.raises(ValueError, match="definition"):
        bulk_draws(draws, sites, definition="other")


def test_errors_vanish_for_the_truth_and_are_pooled_by_process(twin) -> None:
    study, sites, unit = twin
    assert parameter_errors(unit, unit).max() == 0
    off = unit.copy()
    off[:, members_of("K")[0]] += 0.6
    expected = 0.36 / len(members_of("K"))
    np.testing.assert_allclose(parameter_errors(off, unit)[:, list(PROCESSES).index("K")], expected)
    clean = sites.assign(
        observed_soc=sites.observed_soc * 0 + study.truth.observed_soc_noiseless[:6]
    )
    assert carbon_errors(unit[None, None], clean).max() < 1e-20
    # With twice the carbon everywhere each layer is off by ln 2.
    twice = clean.assign(observed_soc=2 * clean.observed_soc)
    layers = (clean.observed_soc.values > 0).sum(axis=1)
    np.testing.assert_allclose(carbon_errors(unit[None, None], twice)[0], layers * np.log(2) ** 2)
    # Two networks: the prediction is the mean of their carbon.
    both = carbon_errors(np.stack([unit, unit])[None], twice)[0]
    np.testing.assert_allclose(both, layers * np.log(2) ** 2)


# ------------------------------------------------------------------------------------- the truth


def test_the_recipe_is_the_truth_but_for_what_is_hidden(twin) -> None:
    study, *_ = twin
    cells = study.grid.isel(cell=slice(0, None, 40))
    truth = study.truth.cell_parameters_unit.values[::40]
    alone = Recipe(cells).unit()
    correlation = [np.corrcoef(alone[:, k], truth[:, k])[0, 1] for k in range(21)]
    assert np.median(correlation) > 0.5, "the environment explains too little"
    assert set(GROUP_OF_DRIVER) == set(Recipe(cells).driver)
    assert set(GROUP_OF_DRIVER.values()) == set(GROUPS)


def test_exchanging_a_group_moves_only_parameters_that_read_it(twin) -> None:
    _, sites, _ = twin
    recipe, order = Recipe(sites), [[5, 4, 3, 2, 1, 0]]
    climate = recipe.exchanged(("climate",), order)[0] - recipe.unit()
    assert np.abs(climate[:, NAMES.index("taul1")]).max() > 0  # humid
    assert np.abs(climate[:, NAMES.index("fcwdl2")]).max() == 0  # forests only
    chemical = recipe.exchanged(("chemical",), order)[0] - recipe.unit()
    assert np.abs(chemical[:, members_of("I")]).max() == 0
    everything = recipe.exchanged(tuple(GROUPS), order)[0]
    np.testing.assert_allclose(everything, recipe.unit()[::-1])
    with pytest.raises(ValueError, match="unknown group 'soil'"):
        recipe.exchanged(("soil",), order)


def test_the_recipe_at_a_places_own_value_is_the_recipe(twin) -> None:
    _, sites, _ = twin
    recipe = Recipe(sites)
    for name in ("BIO1", "Clay_Content_0cm", "pH_Water_0cm"):
        own = sites.covariates.sel(covariate=name).values[3]
        np.testing.assert_allclose(recipe.with_value(name, own)[3], recipe.unit()[3], rtol=1e-9)
    assert "BIO5" not in DRIVER_OF
    np.testing.assert_array_equal(recipe.with_value("BIO5", 99.0), recipe.unit())


def test_efficiency_truly_falls_with_temperature_and_rises_with_clay(twin) -> None:
    study, *_ = twin
    woods = study.grid.vegetation_type.isin(["evergreen forest", "deciduous forest"]).values
    mild = study.grid.covariates.sel(covariate="BIO1").values > 10
    recipe = Recipe(study.grid.isel(cell=np.flatnonzero(woods & mild)[::20]))
    efficiency = NAMES.index("fs2s1")
    cool, warm = (recipe.with_value("BIO1", value)[:, efficiency] for value in (12.0, 16.0))
    poor, rich = (recipe.with_value("Clay_Content_0cm", v)[:, efficiency] for v in (12.0, 18.0))
    assert (cool > warm).all() and (rich > poor).all()


def test_places_of_another_study_have_no_recipe(twin) -> None:
    _, sites, _ = twin
    moved = sites.assign_coords(lon=sites.lon + 1)
    with pytest.raises(ValueError, match="not the twin's"):
        Recipe(moved)


# ---------------------------------------------------------------------------------------- slopes


def test_a_slope_with_others_held_is_that_of_the_makers_equation() -> None:
    x, z = RANDOM.normal(size=(2, 500))
    x = x + 0.8 * z
    y = 2.0 * x - 3.0 * z + 5
    assert slope(y, x, holding=[z]) == pytest.approx(2.0, abs=1e-9)
    assert slope(y, x) == pytest.approx(np.polyfit(x, y, 1)[0], rel=1e-9)
    weight = RANDOM.random(500)
    heavy = np.polyfit(x, y, 1, w=np.sqrt(weight))[0]
    assert slope(y, x, weight=weight) == pytest.approx(heavy, rel=1e-9)
    several = slope(np.stack([y, 2 * y]), np.stack([x, x]), holding=[z])
    np.testing.assert_allclose(several, [2.0, 4.0])
    with pytest.raises(ValueError, match="2 places are too few for 3"):
        slope(y[:2], x[:2], holding=[z[:2]])


def test_resampled_slopes_scatter_as_the_textbook_says() -> None:
    x = RANDOM.normal(size=400)
    y = 1.5 * x + RANDOM.normal(size=400)
    found = slope_resampled(y, x, np.arange(400), seed=1, resamples=400)
    assert found.std() == pytest.approx(1 / np.sqrt(400), rel=0.25)
    np.testing.assert_array_equal(
        found[:5], slope_resampled(y, x, np.arange(400), seed=1, resamples=400)[:5]
    )


# --------------------------------------------------------------------------------------- figures


def test_figures_show_the_numbers_given() -> None:
    _, ax = plt.subplots()
    series = Series([1.2, 1.0], [1.1, 0.9], [1.3, 1.1], "#000000")
    importance_rows(ax, ["texture", "climate"], {"one": series, "two": series}, "A", log=True)
    lines = {line.get_label(): np.asarray(line.get_xdata()).tolist() for line in ax.lines}
    assert lines["one"] == lines["two"] == [1.2, 1.0]
    assert ax.get_ylim()[0] > ax.get_ylim()[1], "the first group is not on top"
    _, ax = plt.subplots()
    table = pd.DataFrame([[10.0, 0.0]], ["texture"], ["A", "K"])
    agreement(ax, table / 2, table)
    assert [10.0] in [np.atleast_1d(line.get_xdata()).tolist() for line in ax.lines]
    _, ax = plt.subplots()
    x = np.array([0.0, 2.0])
    cloud_with_line(ax, x, 3 * x + 1, 3.0, 0.5)
    line = ax.lines[-1]
    np.testing.assert_allclose(line.get_ydata(), 3 * line.get_xdata() + 1)
