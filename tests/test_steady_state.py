"""The steady state against the original's numbers, exact solutions and the laws it must obey."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proda_lib import depths, matrices, steady_state
from proda_lib.forcing import forcing_of
from proda_lib.parameters import BINN, CLM5_DEFAULT, NAMES, PRODA
from proda_lib.soil_grid import CLM5
from proda_lib.studies import schema

from .reference_cases import CASES, sites

POOL_TOTALS = {  # gC m-2
    "A": [1383.7991, 19.371576, 172.59392, 75.233248, 493.38298, 15534.518, 253628.56],
    "B": [1448.3563, 19.583423, 222.78341, 76.398149, 574.5293, 17755.494, 102297.66],
    "C": [2237.1852, 30.331406, 348.24757, 119.42303, 1346.8579, 62348.89, 346124.27],
}
STOCK = {"A": 269656.4615, "B": 120627.6804, "C": 409820.0202, "D": 13207.24924}
INTERVALS = {  # gC m-2 in 0-0.3, 0-1, 0-2 m
    "A": [19386.918, 45421.982, 75938.265],
    "B": [30624.304, 74659.521, 110148.03],
    "C": [51757.332, 158924.36, 305176.17],
    "D": [7622.2322, 12419.883, 13159.175],
}
LAYERS = {  # gC m-3
    "B": [117044.35, 115579.39, 110425.93, 101412.88, 89216.552, 76127.901, 64803.097, 55521.045,
          47309.4, 39172.205, 30489.042, 20962.201, 10477.784, 0.02369, 0.001045],
    "D": [33682.649, 32824.476, 29827.078, 24868.527, 18564.932, 12196.301, 7140.0506, 3762.4008,
          1799.4726, 786.71584, 315.92509, 115.96395, 35.428887, 0.026474],
}  # fmt: skip


def solve(case: str, **options: str) -> np.ndarray:
    """Pools of one reference case, shape (7, layers)."""
    data, parameters = sites(case), CASES[case][-1]
    if case == "D":
        return steady_state.default_run(data, parameters=parameters, **options)[0]
    return steady_state.pools(parameters, data, **options)[0]


def with_value(name: str, value: float) -> np.ndarray:
    """Parameters of case A, one of them changed."""
    parameters = CASES["A"][-1].copy()
    parameters[NAMES.index(name)] = value
    return parameters


def stock_to(soil: np.ndarray, depth: float) -> float:
    """Soil carbon from the surface to a depth, gC m-2, taking part of the layer that holds it."""
    return float(soil @ np.clip(depth - CLM5.top, 0, CLM5.thickness))


@pytest.mark.parametrize("case", CASES)
def test_reference_cases_form_valid_sites(case: str) -> None:
    schema.check(sites(case))


@pytest.mark.parametrize("case", POOL_TOTALS)
def test_pools_match_the_original(case: str) -> None:
    totals = solve(case, bedrock="published") @ CLM5.thickness
    np.testing.assert_allclose(totals, POOL_TOTALS[case], rtol=5e-8)


@pytest.mark.parametrize("case", STOCK)
def test_stocks_match_the_original(case: str) -> None:
    soil = steady_state.soil_of(solve(case, bedrock="published"))
    np.testing.assert_allclose(soil @ CLM5.thickness, STOCK[case], rtol=1e-9)
    intervals = [stock_to(soil, depth) for depth in (0.3, 1.0, 2.0)]
    np.testing.assert_allclose(intervals, INTERVALS[case], rtol=5e-8)


@pytest.mark.parametrize("case", LAYERS)
def test_layers_match_the_original(case: str) -> None:
    soil = steady_state.soil_of(solve(case, bedrock="published"))
    printed = np.array(LAYERS[case])
    np.testing.assert_allclose(soil[: len(printed)], printed, rtol=3e-4, atol=6e-4)
    np.testing.assert_allclose(soil[:13], printed[:13], rtol=5e-8)


def test_pchip_matches_the_original() -> None:
    at_depth = steady_state.soil_carbon_at_depth(
        CASES["A"][-1], sites("A"), bedrock="published", interpolation="pchip"
    )
    np.testing.assert_allclose(at_depth[0], [80567.215, 48171.34, 32205.702], rtol=5e-8)


def test_closing_the_bedrock_changes_case_b_and_must_not_match() -> None:
    closed = steady_state.soil_of(solve("B")) @ CLM5.thickness
    assert closed == pytest.approx(194082, abs=0.5)
    assert abs(closed / STOCK["B"] - 1) > 0.3


def test_unscaled_water_must_not_match() -> None:
    parameters = CASES["B"][-1].copy()
    parameters[19] = 1.0
    soil = steady_state.soil_carbon(parameters, sites("B"), bedrock="published")[0]
    assert abs(soil @ CLM5.thickness / STOCK["B"] - 1) > 0.1


def test_case_b_loses_carbon_at_published_bedrock_only() -> None:
    data, parameters = sites("B"), CASES["B"][-1]
    respired = {
        bedrock: steady_state.respiration(
            steady_state.pools(parameters, data, bedrock=bedrock), parameters, data
        )[0]
        for bedrock in ("published", "closed")
    }
    assert respired["published"] == pytest.approx(428.5548, abs=1e-4)
    assert respired["closed"] == pytest.approx(432, rel=1e-12)


@pytest.mark.parametrize("case", ["A", "B", "C"])
@pytest.mark.parametrize("bedrock", ["closed", "published"])
def test_steady_state_solves_the_dense_equation(case: str, bedrock: str) -> None:
    parameters, data = CASES[case][-1], sites(case)
    model = matrices.matrix_model(parameters, data.isel(site=0), bedrock=bedrock)
    state = steady_state.pools(parameters, data, bedrock=bedrock)[0].ravel()
    change = model.system @ state + model.input
    assert np.abs(change).max() < 1e-13 * np.abs(model.system * state).max()


@settings(max_examples=60, deadline=None)
@given(
    unit=st.lists(st.floats(0.01, 0.99), min_size=21, max_size=21),
    bedrock_layer=st.integers(1, 20),
    thaw=st.sampled_from([42.0, 1.9, 0.7]),
)
def test_carbon_is_conserved_over_the_whole_prior(
    unit: list[float], bedrock_layer: int, thaw: float
) -> None:
    data = sites("B")
    data["bedrock_layer"][:] = bedrock_layer
    data["active_layer_depth"][:] = thaw
    data["active_layer_depth_last_year"][:] = thaw
    parameters = PRODA.to_physical(unit)
    pools = steady_state.pools(parameters, data)
    assert (pools[..., :bedrock_layer] > 0).all()
    assert (pools[..., bedrock_layer:] == 0).all()
    respired = steady_state.respiration(pools, parameters, data)[0]
    assert respired == pytest.approx(432, rel=1e-12)


@settings(max_examples=40, deadline=None)
@given(unit=st.lists(st.floats(0.02, 0.98), min_size=21, max_size=21), factor=st.floats(0.1, 10))
def test_carbon_is_proportional_to_its_input(unit: list[float], factor: float) -> None:
    parameters, once, scaled = BINN.to_physical(unit), sites("C"), sites("C")
    scaled["litter_input"] *= factor
    expected = factor * steady_state.pools(parameters, once)
    np.testing.assert_allclose(steady_state.pools(parameters, scaled), expected, rtol=1e-12)


def test_woody_debris_turnover_does_not_change_soil_carbon() -> None:
    slow = CASES["B"][-1].copy()
    slow[4] *= 3
    original = steady_state.soil_carbon(CASES["B"][-1], sites("B"))
    np.testing.assert_allclose(steady_state.soil_carbon(slow, sites("B")), original, rtol=1e-13)


def test_without_mixing_every_layer_stands_alone() -> None:
    still = CASES["B"][-1].copy()
    still[:2] = 0.0
    data = sites("B")
    state = steady_state.pools(still, data)[0]
    model = matrices.matrix_model(still, data.isel(site=0))
    layer = 4
    alone = model.system.reshape(7, 20, 7, 20)[:, layer, :, layer]
    expected = np.linalg.solve(alone, -model.input.reshape(7, 20)[:, layer])
    np.testing.assert_allclose(state[:, layer], expected, rtol=1e-12)


def test_batches_give_what_single_sites_give() -> None:
    rng = np.random.default_rng(3)
    data = sites("B").isel(site=[0, 0, 0])
    data["bedrock_layer"] = data["bedrock_layer"].copy(data=[9.0, 14.0, 20.0])
    parameters = PRODA.to_physical(rng.uniform(0.1, 0.9, (3, 21)))
    together = steady_state.pools(parameters, data)
    for i in range(3):
        alone = steady_state.pools(parameters[i], data.isel(site=[i]))[0]
        np.testing.assert_array_equal(together[i], alone)


def test_neither_precision_nor_order_of_the_data_changes_the_numbers() -> None:
    data, parameters = sites("D").isel(site=[0, 0]).reset_coords(drop=True), CASES["D"][-1]
    single = data.astype(np.float32)
    for other, same in (
        (single, single.astype(float)),
        (data.transpose("month", "layer", "litter", ..., "site"), data),
        (data.rename(site="cell").drop_dims("observation"), data),
    ):
        np.testing.assert_array_equal(
            steady_state.pools(parameters, other), steady_state.pools(parameters, same)
        )
        np.testing.assert_array_equal(
            steady_state.default_run(other), steady_state.default_run(same)
        )


def test_layered_input_under_a_closed_bedrock_enters_the_bedrock_layer() -> None:
    data = sites("D")
    whole = data["layered_litter_input"].values @ CLM5.thickness
    for bedrock_layer in (1, 5, 20):
        data["bedrock_layer"][:] = bedrock_layer
        entering = forcing_of(data, default_run=True).layered_input
        np.testing.assert_allclose(entering @ CLM5.thickness, whole, rtol=1e-14)
        assert not entering[..., bedrock_layer:].any()
        above = np.s_[..., : bedrock_layer - 1]
        np.testing.assert_allclose(entering[above], data["layered_litter_input"].values[above])
        debris = steady_state.default_run(data)[:, 0]
        assert (debris[:, :bedrock_layer] > 0).all()


def test_the_default_run_takes_water_and_sand_as_they_are() -> None:
    usual = steady_state.default_run(sites("D"))
    for name, value in (("w-scaling", 0.3), ("fs1s2", 0.1), ("fs1s3", 0.05)):
        changed = CLM5_DEFAULT.copy()
        changed[NAMES.index(name)] = value
        same = steady_state.default_run(sites("D"), parameters=changed)
        np.testing.assert_array_equal(same, usual)


def test_one_frozen_month_last_year_keeps_all_input_at_the_surface() -> None:
    data, parameters = sites("C"), CASES["C"][-1]
    assert (steady_state.pools(parameters, data)[0, 0, :15] > 0).all()
    data["active_layer_depth_last_year"][0, 3] = 0.0
    debris = steady_state.pools(parameters, data)[0, 0]
    assert debris[0] > 0
    assert not debris[1:].any()


def test_depths_under_closed_bedrock_take_the_deepest_live_node() -> None:
    data = sites("B")
    data["bedrock_layer"][:] = 8
    data["observed_depth"][0] = [0.0, 0.8, 3.0]
    soil = np.arange(20.0, 0, -1)[None]
    read = depths.interpolate_to_depth(soil, data)[0]
    assert read.tolist() == [20.0, 13.0, 13.0]


@pytest.mark.parametrize("interpolation", ["linear", "pchip"])
def test_interpolation_returns_node_values_and_gaps(interpolation: str) -> None:
    data = sites("A")
    data["observed_depth"][0] = [CLM5.node[4], CLM5.node[11], np.nan]
    soil = np.linspace(9, 1, 20)[None]
    read = depths.interpolate_to_depth(soil, data, interpolation=interpolation)[0]
    np.testing.assert_allclose(read[:2], soil[0, [4, 11]], rtol=1e-14)
    assert np.isnan(read[2])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"parameters": np.ones(20)}, r"allowed are \(21,\)"),
        ({"parameters": np.full(21, np.nan)}, "diffus of row 0 is nan, it must be finite"),
        ({"parameters": PRODA.lower}, "efolding of row 0 is 0, .* greater than 0"),
        ({"parameters": with_value("w-scaling", 0.0)}, "w-scaling .* greater than 0"),
        ({"parameters": with_value("beta", 1.0)}, "beta of row 0 is 1, .* less than 1"),
        ({"parameters": with_value("diffus", -1e-4)}, "diffus .* not negative"),
        ({"parameters": with_value("fs1s2", 1.2)}, "fs1s2 of row 0 is 1.2, .* from 0 to 1"),
        ({"sites": sites("A").isel(site=[])}, "sites hold no site: select at least one"),
        ({"sites": sites("A").isel(site=0)}, "neither a dimension site nor cell"),
        ({"taper": "clm4"}, "taper is 'clm4', allowed are 'clm' and 'binn'"),
        ({"bedrock": "open"}, "bedrock is 'open', allowed are 'closed' and 'published'"),
    ],
)
def test_bad_arguments_say_what_is_allowed(change: dict, message: str) -> None:
    arguments = {"parameters": CASES["A"][-1], "sites": sites("A")} | change
    with pytest.raises(ValueError, match=message):
        steady_state.pools(**arguments)


def test_an_unknown_interpolation_is_an_error() -> None:
    with pytest.raises(ValueError, match="allowed are 'linear' and 'pchip'"):
        depths.interpolate_to_depth(np.ones((1, 20)), sites("A"), interpolation="cubic")
