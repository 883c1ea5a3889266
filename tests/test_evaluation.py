"""Out-of-fold predictions, choices on inner folds, and scores with their intervals."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from proda_lib import (
    baselines,
    cross_validation,
    fold_tasks,
    inner_choice,
    metrics,
    neighbours,
    skill_scores,
    studies,
)
from proda_lib import skill_layers as layers_module
from proda_lib.folds import splits as splits_of
from proda_lib.parts import forget

OUT_OF_FOLD = partial(cross_validation.out_of_fold, seed=1, workers=1, show=False)


@pytest.fixture(scope="module")
def sites() -> xr.Dataset:
    """All sites of the twin at size smoke."""
    return studies.load("twin", "smoke").sites


@pytest.fixture(scope="module")
def splits(sites: xr.Dataset) -> dict[str, Any]:
    """Three folds by profile and by block."""
    every = splits_of("twin", sites, seed=1, count=3)
    return {name: every[name] for name in ("profile", "block1deg")}


class Mean:
    """The mean SOC of the training profiles everywhere, and how many there were."""

    def __init__(self, sites: xr.Dataset, found: xr.Dataset | None = None, *, seed: int) -> None:
        self.rows = sites["profile_id"].values
        self.value = float(sites["observed_soc"].mean())

    def soil_carbon_at_depth(self, sites: xr.Dataset) -> Any:
        """Return the mean, more of it at greater depth so that it varies."""
        assert not set(self.rows) & set(sites["profile_id"].values)
        SEEN.append((set(self.rows.tolist()), set(sites["profile_id"].values.tolist())))
        return self.value * np.exp(-sites["observed_depth"].values)


SEEN: list[tuple[set[int], set[int]]] = []


class Vector:
    """One parameter vector everywhere, through the engine."""

    def __init__(self, sites: xr.Dataset, found: xr.Dataset | None = None, *, seed: int) -> None:
        self.value = 0.5 + 0.001 * seed
        assert found is None or found.sizes["site"] == sites.sizes["site"]

    def unit(self, places: xr.Dataset) -> Any:
        """Return two members with the same parameters."""
        return np.full((2, places.sizes["site"], 21), self.value)


def failing(sites: xr.Dataset, found: xr.Dataset | None = None, *, seed: int) -> Any:
    """Refuse the second fold."""
    if seed == 2:
        raise RuntimeError("the data\nare odd")
    return Mean(sites, seed=seed)


def made_up(profiles: int = 40, seed: int = 0) -> layers_module.Layers:
    """Make layers of profiles, two at each of half as many places, and three approaches."""
    random = np.random.default_rng(seed)
    place = np.repeat(np.arange(profiles) // 2, 5)
    observed = np.exp(random.normal(9, 1, len(place)))
    modelled = observed * np.exp(random.normal(0, [[0.3], [0.6], [0.6]], (3, len(place))))
    modelled[2] = modelled[1]
    depth = np.tile([0.0, 0.1, 0.4, 1.2, 2.0], profiles)
    return layers_module.Layers(
        ("good", "poor", "same"), observed, modelled, depth, depth > 1.5, place, profiles // 2
    )


def test_every_profile_is_predicted_and_never_learned_from(
    sites: xr.Dataset, splits: dict[str, Any]
) -> None:
    SEEN.clear()
    result = OUT_OF_FOLD(sites, None, {"mean": Mean, "vector": Vector}, splits)
    ids = set(sites["profile_id"].values.tolist())
    assert len(SEEN) == 6
    assert all(train | test == ids and not train & test for train, test in SEEN)
    there = np.isfinite(sites["observed_soc"].values)
    assert (np.isfinite(result["soc"].values) == there).all()
    assert np.isnan(result["unit"].sel(approach="mean")).all()
    expected = 0.501 + 0.001 * result["fold"].values
    np.testing.assert_allclose(result["unit"].sel(approach="vector")[..., 0].values, expected)


def test_processes_give_what_one_process_gives(
    sites: xr.Dataset, splits: dict[str, Any], tmp_path: Path
) -> None:
    fits = {"forest": partial(baselines.fit_forest, trees=5)}
    some = {"block1deg": splits["block1deg"]}
    one = OUT_OF_FOLD(sites, None, fits, some)
    two = OUT_OF_FOLD(sites, None, fits, some, workers=2, folder=tmp_path)
    xr.testing.assert_identical(one.drop_vars("seconds"), two.drop_vars("seconds"))


def test_an_interrupted_run_goes_on_with_one_result(
    sites: xr.Dataset, splits: dict[str, Any], tmp_path: Path
) -> None:
    with pytest.raises(RuntimeError) as error:
        OUT_OF_FOLD(sites, None, {"mean": Mean, "bad": failing}, splits, folder=tmp_path)
    text = "approach 'bad', split 'profile', fold 1: RuntimeError: the data are odd; 1 more failed"
    assert str(error.value) == text
    SEEN.clear()
    fits = {"mean": Mean}
    again = OUT_OF_FOLD(sites, None, fits, splits, folder=tmp_path)
    assert not SEEN  # all were kept
    fresh = OUT_OF_FOLD(sites, None, fits, splits)
    xr.testing.assert_identical(again.drop_vars("seconds"), fresh.drop_vars("seconds"))
    other = sites.assign(observed_soc=sites["observed_soc"] * 2)
    SEEN.clear()
    OUT_OF_FOLD(other, None, fits, splits, folder=tmp_path)
    assert len(SEEN) == 6  # other data, nothing known
    forget(tmp_path)
    assert not tmp_path.exists()


def test_profiles_to_score_are_found_by_their_identity(
    sites: xr.Dataset, splits: dict[str, Any]
) -> None:
    scored = sites.isel(site=[5, 2, 9])
    result = OUT_OF_FOLD(sites, None, {"mean": Mean}, splits, scored=scored)
    every = OUT_OF_FOLD(sites, None, {"mean": Mean}, splits)
    xr.testing.assert_equal(result["soc"], every["soc"].isel(site=[5, 2, 9]))
    stranger = scored.assign_coords(profile_id=("site", [1, 2, 10**6]))
    with pytest.raises(ValueError, match="3 scored profiles do not match"):
        OUT_OF_FOLD(sites, None, {"mean": Mean}, splits, scored=stranger)


def test_impossible_folds_are_refused(sites: xr.Dataset) -> None:
    with pytest.raises(ValueError, match="split 'x' has shape"):
        OUT_OF_FOLD(sites, None, {"mean": Mean}, {"x": np.zeros(len(sites["site"]), int)})
    with pytest.raises(ValueError, match="found has 3 sites"):
        fold_tasks.Tasks(sites, sites.isel(site=slice(3)), sites, {}, None)


def test_the_choice_sees_training_rows_only(sites: xr.Dataset, splits: dict[str, Any]) -> None:
    SEEN.clear()
    fits = {"mean": Mean, "forest": partial(baselines.fit_forest, trees=5)}
    fold = splits["block1deg"]
    some = {"block1deg": fold}
    choice = inner_choice.choose(sites, None, fits, some, inner=2, seed=1, workers=1, show=False)
    assert len(SEEN) == 6
    ids = sites["profile_id"].values
    for k in range(3):
        inside = set(ids[fold != k].tolist())
        assert all(train | test == inside for train, test in SEEN[2 * k : 2 * k + 2])
    # What lies in a fold cannot change the choice for it.
    changed = sites.copy(deep=True)
    changed["observed_soc"][fold == 0] = changed["observed_soc"][fold == 0] ** 1.5
    other = inner_choice.choose(changed, None, fits, some, inner=2, seed=1, workers=1, show=False)
    same = choice.score == other.score
    assert same.sel(fold=0).all() and not same.sel(fold=1).any()


def test_both_at_once_give_what_each_gives_alone(sites: xr.Dataset, splits: dict[str, Any]) -> None:
    some = {"profile": splits["profile"]}
    fits = {"vector": Vector, "boosting": partial(baselines.fit_boosting, trees=5)}
    usual = {"seed": 1, "workers": 1, "show": False}
    predicted, choice = inner_choice.nested(sites, None, fits, fits, some, inner=2, **usual)
    alone = inner_choice.choose(sites, None, fits, some, inner=2, **usual)
    xr.testing.assert_identical(choice.score, alone.score)
    xr.testing.assert_identical(choice.best, alone.best)
    known = inner_choice.chosen(OUT_OF_FOLD(sites, None, fits, some), alone)
    xr.testing.assert_identical(predicted.drop_vars("seconds"), known.drop_vars("seconds"))


def test_the_chosen_approach_is_taken_fold_by_fold(
    sites: xr.Dataset, splits: dict[str, Any]
) -> None:
    some = {"profile": splits["profile"]}
    predicted = OUT_OF_FOLD(sites, None, {"mean": Mean, "vector": Vector}, some)
    names = np.array([["mean", "vector", "mean"]])
    best = xr.DataArray(names, {"split": ["profile"], "fold": range(3)}, ("split", "fold"))
    result = inner_choice.chosen(predicted, inner_choice.Choice(best, best))
    for name, folds in {"mean": [0, 2], "vector": [1]}.items():
        rows = np.isin(predicted["fold"].values[0], folds)
        for variable in ("soc", "unit"):
            picked, source = (
                result[variable].sel(split="profile", approach=one).values[rows]
                for one in ("best", name)
            )
            np.testing.assert_array_equal(picked, source)
    xr.testing.assert_equal(result["soc"].sel(approach=["mean", "vector"]), predicted["soc"])


def test_scores_are_those_of_the_metrics() -> None:
    layers = made_up()
    table = skill_scores.scores(layers, resamples=10, seed=1).set_index(["approach", "score"])
    known = metrics.skill(layers.observed, layers.modelled[0])
    known["nse"] = known.pop("efficiency")
    for name in skill_scores.SCORES:
        assert table.loc[("good", name), "value"] == pytest.approx(known[name], rel=1e-9)


def test_the_bootstrap_draws_places_as_by_hand() -> None:
    layers = made_up()
    fast = skill_scores.bootstrap(layers, resamples=5, seed=3)
    random, share = np.random.default_rng(3), np.full(layers.places, 1 / layers.places)
    times = random.multinomial(layers.places, share, size=5)
    for b in range(5):
        rows = np.repeat(np.arange(len(layers.place)), times[b][layers.place])
        for a in range(3):
            known = metrics.skill(layers.observed[rows], layers.modelled[a, rows])
            slow = [known[name] for name in ("r2", "efficiency", "rmse", "bias", "log_r2")]
            np.testing.assert_allclose(fast[1 + b, a], slow, rtol=1e-9)


def test_an_approach_does_not_differ_from_itself() -> None:
    table = skill_scores.differences(made_up(), "poor", seed=1).set_index("approach")
    assert (table.loc[["poor", "same"], ["value", "low", "high"]] == 0).all(axis=None)
    good = table.loc["good"].set_index("score")
    assert good.loc["r2", "low"] > 0 and good.loc["rmse", "high"] < 0
    with pytest.raises(ValueError, match="reference is 'best', there are good, poor, same"):
        skill_scores.differences(made_up(), "best", seed=1)


def test_intervals_of_independent_places_have_the_known_width() -> None:
    """The standard error of a mean: sd / sqrt(n)."""
    random = np.random.default_rng(0)
    error = 1000 * random.normal(0, 1, 400)
    observed = np.full(400, 1e4) + random.normal(0, 1, 400)
    rest = (np.zeros(400), np.zeros(400, bool), np.arange(400), 400)
    layers = layers_module.Layers(("one",), observed, (observed + error)[None], *rest)
    row = skill_scores.scores(layers, resamples=2000, seed=1).set_index("score").loc["bias"]
    assert row.high - row.low == pytest.approx(2 * 1.96 / 20, rel=0.1)


def test_depth_bins_hold_every_layer_once() -> None:
    layers = made_up()
    table = skill_scores.by_depth(layers, resamples=10, seed=1)
    bins = table[["upper", "lower", "layers"]].drop_duplicates()
    assert bins["layers"].sum() == len(layers.depth)
    assert bins.values.tolist()[:2] == [[0.0, 0.1, 80.0], [0.3, 0.5, 40.0]]
    inside = (layers.depth > 0.3) & (layers.depth <= 0.5)
    row = table[(table.upper == 0.3) & (table.approach == "good") & (table.score == "r2")]
    assert row["value"].item() == pytest.approx(
        metrics.r2(layers.observed[inside], layers.modelled[0, inside])
    )


def test_subsets_leave_out_what_they_say() -> None:
    layers = made_up()
    assert layers_module.subset(layers, "above_bedrock").depth.max() == 1.2
    extreme = layers.observed.copy()
    extreme[0] = 3e5
    some = layers_module.Layers(layers.names, extreme, *list(vars(layers).values())[2:])
    assert len(layers_module.subset(some, "not_extreme").observed) == len(extreme) - 1
    with pytest.raises(ValueError, match="subset is 'deep'"):
        layers_module.subset(layers, "deep")


def test_layers_are_those_that_all_approaches_predict(sites: xr.Dataset) -> None:
    soc = np.stack([sites["observed_soc"].values] * 2)
    soc[1, 0] = np.nan
    data = xr.DataArray(soc, {"approach": ["a", "b"]}, ("approach", "site", "observation"))
    layers = layers_module.layers_of(sites, data)
    assert len(layers.observed) == np.isfinite(sites["observed_soc"].values[1:]).sum()
    assert layers.places == len(sites["site"])
    with pytest.raises(ValueError, match="no predictions of b"):
        layers_module.layers_of(sites, data.where(data.approach == "a"))


def test_what_does_not_vary_has_no_correlation() -> None:
    layers = made_up()
    layers.modelled[0] = 5000.0
    table = skill_scores.scores(layers, resamples=10, seed=1).set_index(["approach", "score"])
    assert table.loc[[("good", "r2"), ("good", "log_r2")], ["value", "low"]].isna().all(axis=None)
    assert np.isfinite(table.loc[("good", "rmse"), "high"])


def test_forests_learn_and_take_missing_covariates(sites: xr.Dataset) -> None:
    gaps = sites.copy(deep=True)
    gaps["covariates"][3, :] = np.nan
    log = partial(baselines.fit_forest, target="log")
    for fit in (partial(baselines.fit_forest, trees=20), partial(log, trees=20)):
        model = fit(sites, seed=1)
        soc = model.soil_carbon_at_depth(gaps)
        assert (np.isfinite(soc) == np.isfinite(sites["observed_soc"].values)).all()
        assert metrics.r2(sites["observed_soc"].values, soc) > 0.5
        np.testing.assert_array_equal(soc, fit(sites, seed=1).soil_carbon_at_depth(gaps))
    assert fit(gaps, seed=1).profile(sites, [0.1, 1.0]).shape == (len(sites["site"]), 2)
    with pytest.raises(ValueError, match="they differ: Lon"):
        model.soil_carbon_at_depth(sites.isel(covariate=slice(1, None)))


def test_pits_at_one_place_set_the_floor() -> None:
    """Pits with a common and an own part of equal variance: correlation 1/2."""
    random = np.random.default_rng(2)
    common = np.repeat(random.normal(0, 0.5, 800), 2)
    log = 9 + (common + random.normal(0, 0.5, 1600))[:, None] + np.zeros(2)
    place = np.repeat(np.arange(800) / 400, 2)
    dims = ("site", "observation")
    depth = np.tile([0.1, 0.5], (1600, 1))
    data = xr.Dataset(
        {"observed_soc": (dims, np.exp(log)), "observed_depth": (dims, depth)},
        {"lon": ("site", place), "lat": ("site", 0 * place)},
    )
    table = neighbours.agreement(data, [(0, 0), (500, 600)])
    assert len(table) == 1 and table["pairs"].item() == 800
    assert table["best_log_r2"].item() == pytest.approx(0.5, abs=0.08)
    assert table["log_sd"].item() == pytest.approx(0.5, rel=0.05)


def test_figures_draw_a_row_per_approach() -> None:
    from matplotlib import pyplot

    from proda_lib.plots import unseen

    layers, labels = made_up(), {"good": "A", "poor": "B", "same": "C"}
    table = skill_scores.scores(layers, resamples=20, seed=1).query("score == 'r2'")
    two = pd.concat([table.assign(split="one"), table.assign(split="two")])
    figure, axes = pyplot.subplots(1, 3)
    unseen.scores_of(axes[0], two, labels, ["same"], "R2 (1)")
    assert [text.get_text() for text in axes[0].get_yticklabels()] == ["A", "B", "C"]
    assert len(axes[0].lines) == 2 and len(axes[0].patches) == 1
    against = skill_scores.differences(layers, "poor", resamples=20, seed=1)
    unseen.differences_of(axes[1], against.query("score == 'r2'"), labels, "R2 (1)")
    clear, tied = axes[1].lines[1:]
    assert clear.get_ydata().tolist() == [0] and tied.get_ydata().tolist() == [1, 2]
    deep = skill_scores.by_depth(layers, resamples=20, seed=1).query("score == 'r2'")
    unseen.score_by_depth(axes[2], deep, labels, "R2 (1)")
    ticks = [text.get_text() for text in axes[2].get_yticklabels()]
    assert ticks == ["0–0.1", "0.3–0.5", "1–1.5", "below 1.5"]
    pyplot.close(figure)
