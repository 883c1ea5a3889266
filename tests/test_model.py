"""The parts of the model: grids, parameters, scalars, transport, inputs and the dense matrices."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

from proda_lib import environment, equation, inputs, matrices, parameters, transport
from proda_lib.forcing import forcing_of
from proda_lib.parameters import BINN, CLM5_DEFAULT, NAMES, PARAMETERS, PRODA, by_name
from proda_lib.soil_grid import CLM5, CLM45, GRIDS

from .reference_cases import CASES, sites

MIRROR = os.environ.get("PRODA_MIRROR", "")
PARAMETER_FILE = Path(
    MIRROR,
    "github.com/Hardyxu8067/BINN/80899b39ad25b203330d4fe8fd3e4b67d72f602c/ENSEMBLE/INPUT_DATA",
    "wosis_2019_snap_shot/clm5_params.c190829.nc",
)

# From the formula of CLM4.5's technical note, computed independently.
CLM45_NODE = [0.0071006, 0.0279250, 0.0622586, 0.1188651, 0.2121934,
              0.3660658, 0.6197585, 1.0380271, 1.7276353, 2.8646071]  # fmt: skip
CLM45_INTERFACE = [0.0175128, 0.0450918, 0.0905618, 0.1655292, 0.2891296,
                   0.4929121, 0.8288928, 1.3828312, 2.2961212, 3.8018819]  # fmt: skip

# Diagonal of V, 1/yr, bio 1e-4 m2/yr, bedrock at the bottom (original tri_matrix.m in Octave).
V_DIAGONAL = [0.166667, 0.133333, 0.0571429, 0.0303571, 0.0142857, 0.00793651, 0.00505051,
              0.0034965, 0.0025641, 0.00196078, 0.00154799, 0.00125313, 0.00100495, 0.000691802,
              0.00049128, 0.000366905, 0.000284455, 0.000226989, 0.00018534,
              8.04764e-05]  # fmt: skip


@pytest.mark.parametrize("grid", GRIDS.values(), ids=str)
def test_layers_fill_the_column(grid) -> None:
    np.testing.assert_allclose(np.cumsum(grid.thickness), grid.interface, rtol=1e-12)
    assert (grid.top < grid.node).all()
    assert (grid.node < grid.interface).all()
    assert grid.interface[-1] < grid.node_below < grid.interface_below


def test_clm5_nodes_are_layer_middles() -> None:
    np.testing.assert_allclose(CLM5.node, (CLM5.top + CLM5.interface) / 2, atol=1e-12)


def test_clm45_matches_its_formula_and_not_the_ten_level_one() -> None:
    np.testing.assert_allclose(CLM45.node, CLM45_NODE, atol=5e-8)
    np.testing.assert_allclose(CLM45.interface, CLM45_INTERFACE, atol=5e-8)
    assert CLM45.thickness[-1] == pytest.approx(1.5057607, abs=5e-8)
    assert CLM45.thickness[-1] != pytest.approx(1.136972, abs=0.3)


def test_priors_hold_ordered_limits_and_sums_of_fractions_below_one() -> None:
    for box in (PRODA, BINN):
        assert (box.lower < box.upper).all()
        top = by_name(box.upper)
        assert top["fs1s2"] + top["fs1s3"] < 1
        assert top["fs2s1"] + top["fs2s3"] < 1


def test_defaults_outside_the_prior_are_the_known_ones() -> None:
    unit = PRODA.to_unit(CLM5_DEFAULT)
    outside = {name for name, u in zip(NAMES, unit, strict=True) if not 0 <= u <= 1}
    assert outside == {"efolding", "fs1s2"}


@given(st.lists(st.floats(0, 1), min_size=21, max_size=21))
def test_unit_and_physical_values_are_inverse(unit: list[float]) -> None:
    physical = PRODA.to_physical(unit)
    np.testing.assert_allclose(PRODA.to_unit(physical), unit, atol=1e-12)
    beyond = PRODA.to_physical(np.append(unit[:-1], 1.01))
    assert PRODA.contains(PRODA.to_physical(np.clip(unit, 0.01, 0.99)))
    assert not PRODA.contains(beyond)


def test_an_unknown_parameter_and_a_short_vector_say_what_is_allowed() -> None:
    with pytest.raises(ValueError, match=r"q11.*q10"):
        parameters.index("q11")
    with pytest.raises(ValueError, match="last axis must hold 21"):
        by_name(np.ones(20))


@pytest.mark.skipif(
    not PARAMETER_FILE.is_file(), reason="needs CLM5's parameter file: PRODA_MIRROR"
)
def test_defaults_are_those_of_the_clm5_parameter_file() -> None:
    with xr.open_dataset(PARAMETER_FILE, decode_times=False, engine="scipy") as file:
        raw = {name: float(np.ravel(file[name].values)[0]) for name in FILE_NAMES}
    year = 365 * 86400
    expected = {
        "diffus": raw["som_diffus"] * year,
        "cryo": raw["cryoturb_diffusion_k"] * year,
        "q10": raw["q10_hr"],
        "efolding": raw["decomp_depth_efolding"],
        "taucwd": raw["tau_cwd"],
        "taul1": raw["tau_l1"],
        "taul2": raw["tau_l2_l3"],
        "tau4s1": raw["tau_s1"],
        "tau4s2": raw["tau_s2"],
        "tau4s3": raw["tau_s3"],
        "fl1s1": 1 - raw["rf_l1s1_bgc"],
        "fl2s1": 1 - raw["rf_l2s1_bgc"],
        "fl3s2": 1 - raw["rf_l3s2_bgc"],
        "fs2s1": 0.42 / 0.45 * (1 - raw["rf_s2s1_bgc"]),
        "fs2s3": 0.03 / 0.45 * (1 - raw["rf_s2s3_bgc"]),
        "fs3s1": 1 - raw["rf_s3s1_bgc"],
        "fcwdl2": 1 - raw["cwd_flig"],
    }
    defaults = by_name(CLM5_DEFAULT)
    for name, value in expected.items():
        assert defaults[name] == pytest.approx(value, rel=1e-5), name
    assert raw["froz_q10"] == raw["q10_hr"]
    assert environment.MINPSI == pytest.approx(raw["minpsi_hr"])
    assert environment.MAXPSI == pytest.approx(raw["maxpsi_hr"])


FILE_NAMES = (
    "som_diffus cryoturb_diffusion_k q10_hr froz_q10 decomp_depth_efolding tau_cwd tau_l1 "
    "tau_l2_l3 tau_s1 tau_s2 tau_s3 rf_l1s1_bgc rf_l2s1_bgc rf_l3s2_bgc rf_s2s1_bgc rf_s2s3_bgc "
    "rf_s3s1_bgc cwd_flig minpsi_hr maxpsi_hr"
).split()


def test_process_groups_are_the_original_ones() -> None:
    position = {p.name: i + 1 for i, p in enumerate(PARAMETERS)}
    groups = {key: {position[p.name] for p in PARAMETERS if p.process == key} for key in "AKVI"}
    groups["xi"] = {position[p.name] for p in PARAMETERS if p.process == "xi"}
    assert groups == {"A": set(range(11, 20)), "K": set(range(5, 11)), "xi": {3, 4, 20}, "I": {21},
                      "V": {1, 2}}  # fmt: skip


@given(st.floats(1.1, 4), st.floats(1.1, 4))
def test_temperature_scalar_is_continuous_at_freezing_and_increases(q10, frozen) -> None:
    around = environment.temperature_scalar([273.15 - 1e-9, 273.15], q10, frozen)
    assert around[0] == pytest.approx(around[1], rel=1e-8)
    warming = environment.temperature_scalar(np.linspace(250, 310, 200), q10, frozen)
    assert (np.diff(warming) > 0).all()
    assert environment.temperature_scalar(298.15, q10, frozen) == pytest.approx(1)
    by_ten = environment.temperature_scalar([263.15, 253.15], q10, frozen)
    assert by_ten[0] / by_ten[1] == pytest.approx(frozen)


@given(st.floats(-50, 0), st.floats(-1.9, -1e-4))
def test_water_potential_scalar_stays_between_floor_and_one(potential, maxpsi) -> None:
    assert 0.05 <= environment.water_potential_scalar(potential, maxpsi) <= 1 + 1e-12


def test_transport_diagonal_matches_the_original() -> None:
    rates = transport.exchange(transport.mixing(np.full(12, 42.0), 20), 1e-4, 5e-4)
    np.testing.assert_allclose(365 * (rates.up + rates.down), V_DIAGONAL, rtol=5e-6)


LEAKS = [  # diffusivities (m2/yr), thaw (m), bedrock layer, leak in the layer below bedrock (m/yr)
    (1e-4, 0.0, 42.0, 14, 1.695e-4),
    (1e-4, 0.0, 42.0, 8, 3.846e-4),
    (0.0, 5e-4, 0.8, 6, 2.778e-3),
]


@pytest.mark.parametrize(("bio", "cryo", "thaw", "layer", "leak"), LEAKS)
def test_published_bedrock_leaks_as_measured_and_closed_does_not(bio, cryo, thaw, layer, leak):
    for bedrock, expected in (("published", leak), ("closed", 0.0)):
        mixed = transport.mixing(np.full(12, thaw), layer, bedrock=bedrock)
        block = matrices.transport_matrix(transport.exchange(mixed, bio, cryo))[20:40, 20:40]
        sums = 365 * (CLM5.thickness @ block)
        scale = 365 * np.abs(block).max()
        if expected:
            assert sums[layer] == pytest.approx(expected, rel=5e-4)
            assert sums[layer + 1] == pytest.approx(-expected, rel=5e-4)
        else:
            assert np.abs(sums).max() < 1e-15 * scale + 1e-20


@pytest.mark.parametrize("thaw", [42.0, 1.9, 0.7, 0.0])
@pytest.mark.parametrize("layer", [1, 2, 8, 15, 20])
def test_uniform_carbon_is_not_moved(thaw: float, layer: int) -> None:
    rates = transport.exchange(transport.mixing(np.full(12, thaw), layer), 1e-4, 5e-4)
    assert all((rate >= 0).all() for rate in rates)
    moved = matrices.transport_matrix(rates) @ np.ones(140)
    assert np.abs(moved).max() < 1e-16


def test_the_two_cryoturbation_tapers_differ_over_shallow_bedrock_only() -> None:
    for layer, same in ((8, False), (16, True)):
        up = [
            transport.mixing(np.full(12, 0.7), layer, taper=taper).cryo_up
            for taper in ("clm", "binn")
        ]
        assert np.allclose(*up, rtol=1e-12) == same


def test_cryoturbation_fades_out_at_the_interface_below_bedrock() -> None:
    mixed = transport.mixing(np.full(12, 0.7), 8)  # bedrock layer 8; layer 9 ends at 1.2 m
    # By hand: shape 1 at 0.68 m and 1 - 0.22 / 0.5 = 0.56 at 0.92 m; the face between the nodes at
    # 0.58 and 0.80 m takes 1 / ((0.10 / 1 + 0.12 / 0.56) / 0.22) = 0.7; layer 7 is 0.2 m thick.
    assert mixed.cryo_down[6] == pytest.approx(0.7 / 0.22 / 0.2 / 365, rel=1e-12)
    assert mixed.cryo_up[7] == pytest.approx(0.7 / 0.22 / 0.24 / 365, rel=1e-12)


def test_advection_follows_the_power_law() -> None:
    mixed = transport.mixing(np.full(12, 42.0), 20)
    rates = transport.exchange(mixed, 1e-4, 0.0, advection=0.01)
    conductance = 1e-4 / 0.03  # m yr-1, nodes 0.03 m apart: flow over conductance is 3
    diffusive = conductance * (1 - 0.1 * 3) ** 5
    assert 365 * rates.down[0] * 0.02 == pytest.approx(diffusive + 0.01, rel=1e-9)
    assert 365 * rates.up[1] * 0.04 == pytest.approx(diffusive, rel=1e-9)


def test_the_deeper_thaw_of_two_years_counts() -> None:
    data = sites("C")
    for name in ("active_layer_depth", "active_layer_depth_last_year"):
        shallow = data.assign({name: data[name] * 0 + 0.1})
        deep = forcing_of(data.assign({name: data[name] * 0 + 1.8})).mixing
        assert (deep.cryo_down >= forcing_of(shallow).mixing.cryo_down).all()
        assert deep.cryo_down[0, 8] > forcing_of(shallow).mixing.cryo_down[0, 8]


def test_the_depth_scalar_is_exponential_down_to_a_hundredth_of_a_metre() -> None:
    found = environment.depth_scalar(np.array([0.5, 2.5]), 0.01)
    np.testing.assert_allclose(found, np.exp([-50.0, -250.0]), rtol=1e-12)


def test_thaw_to_the_interface_below_bedrock_is_no_number_lost() -> None:
    mixed = transport.mixing(np.full(12, 1.2), 8, bedrock="published")  # 1.2 m: base of layer 9
    assert all(np.isfinite(rate).all() for rate in mixed)


def test_soil_that_never_thaws_is_not_mixed() -> None:
    rates = transport.exchange(transport.mixing(np.zeros(12), 20), 1e-4, 5e-4)
    assert not any(rate.any() for rate in rates)


@given(st.floats(0.5, 0.9999), st.integers(1, 20))
def test_input_shares_sum_to_one_above_bedrock(beta, layer) -> None:
    share = inputs.input_share(beta, np.arange(20) < layer)
    assert share.sum() == pytest.approx(1, abs=1e-12)
    assert (share[:layer] >= 0).all()
    assert not share[layer:].any()


def test_input_of_frozen_soil_enters_the_top_layer() -> None:
    share = inputs.input_share([0.9, 0.9], thawed=[True, False])
    assert share[1].tolist() == [1.0] + [0.0] * 19
    assert share[0, 1] > 0


def test_transfer_matrix_respires_the_rest_and_mixes_no_layers() -> None:
    vector = CASES["B"][-1]
    dense = matrices.transfer_matrix(vector).reshape(7, 20, 7, 20)
    columns = -matrices.transfer_matrix(vector).sum(axis=0).reshape(7, 20)
    value = by_name(vector)
    assert columns[0] == pytest.approx(np.zeros(20), abs=1e-15)
    assert columns[4] == pytest.approx(np.full(20, 1 - value["fs1s2"] - value["fs1s3"]))
    other_layer = ~np.eye(20, dtype=bool)
    assert not dense.transpose(0, 2, 1, 3)[:, :, other_layer].any()


def test_sand_rule_replaces_only_the_fast_pool() -> None:
    sand = np.linspace(0, 100, 20)
    plain = matrices.transfer_matrix(CLM5_DEFAULT).reshape(7, 20, 7, 20)
    sandy = matrices.transfer_matrix(CLM5_DEFAULT, sand=sand).reshape(7, 20, 7, 20)
    assert set(map(tuple, np.argwhere(plain != sandy)[:, [0, 2]])) == {(5, 4)}
    layer = np.arange(20)
    t = 0.85 - 0.68 * 0.01 * (100 - sand)
    np.testing.assert_allclose(sandy[5, layer, 4, layer], 1 - t - 0.004)


def test_rates_average_the_product_over_months() -> None:
    data = sites("B").isel(site=0)
    rates = _rates(data)
    of_means = _rates(_annual(data))
    assert not np.allclose(rates, of_means, rtol=1e-3)
    above_bedrock = slice(0, 12)
    value = by_name(CASES["B"][-1])
    ratio = 0.9 * value["tau4s1"] / value["taul1"]  # nitrogen limits litter only
    np.testing.assert_allclose(rates[1, above_bedrock] / rates[4, above_bedrock], ratio)


def _rates(site: xr.Dataset) -> np.ndarray:
    return equation.decomposition_rates(equation.terms(CASES["B"][-1], forcing_of(site)))


def _annual(site: xr.Dataset) -> xr.Dataset:
    flat = site.copy()
    for name in ("soil_temperature", "water_scalar"):
        flat[name] = site[name].mean("month").broadcast_like(site[name]).transpose("layer", "month")
    return flat


def test_woody_debris_stays_where_it_falls() -> None:
    model = matrices.matrix_model(CASES["B"][-1], sites("B").isel(site=0))
    blocks = model.transport.reshape(7, 20, 7, 20)
    assert not blocks[0].any()
    np.testing.assert_array_equal(blocks[1, :, 1], blocks[6, :, 6])
