"""Residence times, ages and transit times: closed forms, 50 digits, matrix exponentials, laws."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import expm
from scipy.optimize import brentq

from proda_lib import matrices
from proda_lib.age_distribution import inverted, quantile, stehfest_weights, survival
from proda_lib.equation import decomposition_rates, terms, transfer_fractions
from proda_lib.forcing import forcing_of
from proda_lib.parameters import NAMES, PRODA
from proda_lib.process_change import scaled
from proda_lib.processes import bulk_processes
from proda_lib.soil_grid import CLM5
from proda_lib.turnover import QUANTITIES, carbon_times

from . import exact
from .reference_cases import CASES, sites

FRACTIONS = ("fl1s1", "fl2s1", "fl3s2", "fs1s2", "fs1s3", "fs2s1", "fs2s3", "fs3s1")
UNIT = st.lists(st.floats(0.05, 0.95), min_size=21, max_size=21)


def uniform(**own: float) -> tuple[np.ndarray, xr.Dataset]:
    """Case A with input to metabolic litter only, nothing passed on or mixed, no depth scalar."""
    value = dict(zip(NAMES, CASES["A"][-1], strict=True))
    value |= dict.fromkeys(FRACTIONS, 0.0) | {"diffus": 0.0, "cryo": 0.0, "efolding": 1e9}
    value |= {"w-scaling": 1.0, "q10": 2.0} | own
    data = sites("A")
    data["litter_input"][:] = np.array([0.0, 8.0, 0.0, 0.0])[:, None]
    return np.array([value[name] for name in NAMES]), data


MODIFIER = 2.0**-1.5 * 0.6  # of soil in case A, 15 K below the reference
FAST = 0.9 * MODIFIER / 0.05  # litter of 0.05 yr with nitrogen 0.9, yr-1
SLOW = MODIFIER / 0.5


def test_one_pool_has_one_time() -> None:
    vector, data = uniform(taul1=0.05)
    found = carbon_times(vector, data)
    for name in ("transit_time", "transit_time_sd", "system_age"):
        assert found[name].item() == pytest.approx(1 / FAST, rel=1e-6)
    assert found.stock.item() == 0 and np.isnan(found.age.item())
    time = np.array([0.02, 0.1, 0.5, 1.0])
    shares = survival(vector, data, time)
    for name in ("transit", "system"):
        np.testing.assert_allclose(shares[name][0], np.exp(-FAST * time), atol=3e-5)
        assert quantile(vector, data, name)[0] == pytest.approx(np.log(2) / FAST, rel=1e-4)


def test_a_chain_of_two_pools_has_closed_forms() -> None:
    vector, data = uniform(taul1=0.05, fl1s1=0.4, tau4s1=0.5)
    found = carbon_times(vector, data)
    assert found.transit_time.item() == pytest.approx(1 / FAST + 0.4 / SLOW, rel=1e-6)
    assert found.residence_time.item() == pytest.approx(0.4 / SLOW, rel=1e-6)
    # What is in the second pool went through the first one: ages add, and so do their variances.
    assert found.age.item() == pytest.approx(1 / FAST + 1 / SLOW, rel=1e-6)
    assert found.age_sd.item() == pytest.approx(np.hypot(1 / FAST, 1 / SLOW), rel=1e-6)

    def left(t: float) -> float:
        passed = 0.4 * FAST / (SLOW - FAST) * (np.exp(-FAST * t) - np.exp(-SLOW * t))
        return float(np.exp(-FAST * t) + passed)

    def older(t: float) -> float:
        return float((FAST * np.exp(-SLOW * t) - SLOW * np.exp(-FAST * t)) / (FAST - SLOW))

    time = [0.05, 0.3, 1.0, 4.0, 20.0]
    shares = survival(vector, data, time)
    np.testing.assert_allclose(shares.transit[0], [left(t) for t in time], atol=5e-5)
    np.testing.assert_allclose(shares.soil[0], [older(t) for t in time], atol=5e-5)
    for level in (0.1, 0.5, 0.9):
        for name, law in (("transit", left), ("soil", older)):
            wanted = brentq(lambda t, law=law, level=level: law(t) - 1 + level, 1e-6, 1e3)
            assert quantile(vector, data, name, level)[0] == pytest.approx(wanted, rel=1e-3)


@pytest.mark.parametrize("case", ["A", "B", "C"])
def test_ages_have_the_digits_of_an_exact_solve(case: str) -> None:
    vector, site = CASES[case][-1], sites(case).isel(site=0)
    term = terms(vector, forcing_of(site))
    rates = decomposition_rates(term)
    fractions = transfer_fractions(term.value, 20)
    with mpmath.workdps(50):
        matrix, source = exact._system(rates, fractions, term.exchange, term.inputs, 20)
        carbon = exact._solve(matrix, source)
        matrix, _ = exact._system(rates, fractions, term.exchange, term.inputs, 20)
        aged = exact._solve(matrix, list(carbon))
        carbon, aged = (
            np.array([float(x) for x in each]).reshape(20, 7).T for each in (carbon, aged)
        )
    found = carbon_times(vector, sites(case))
    thick, soil = CLM5.thickness, slice(4, 7)
    age = (aged[soil] @ thick).sum() / (carbon[soil] @ thick).sum() / 365
    assert found.age.item() == pytest.approx(age, rel=1e-11)
    assert found.system_age.item() == pytest.approx(
        (aged @ thick).sum() / (carbon @ thick).sum() / 365, rel=1e-11
    )
    live = carbon[soil].sum(axis=0) > 0
    by_layer = aged[soil].sum(axis=0)[live] / carbon[soil].sum(axis=0)[live] / 365
    np.testing.assert_allclose(found.age_by_layer[0][live], by_layer, rtol=1e-11)
    assert np.isnan(found.age_by_layer[0][~live]).all()


@pytest.mark.parametrize("case", ["A", "B", "C"])
def test_distributions_agree_with_matrix_exponentials(case: str) -> None:
    vector, data = CASES[case][-1], sites(case)
    model = matrices.matrix_model(vector, data.isel(site=0))
    thick = np.tile(CLM5.thickness, 7)
    in_soil = thick * (np.arange(140) >= 80)
    carbon = np.linalg.solve(-model.system, model.input)
    time = np.array([0.1, 1.0, 10.0, 300.0, 1e4])
    shares = survival(vector, data, time)
    for number, each in enumerate(time):
        step = expm(365 * each * model.system)
        for name, mass, start in (
            ("transit", thick, model.input),
            ("system", thick, carbon),
            ("soil", in_soil, carbon),
        ):
            wanted = mass @ (step @ start) / (mass @ start)
            assert shares[name][0, number].item() == pytest.approx(wanted, abs=3e-5)


@pytest.mark.parametrize("case", ["A", "B", "C"])
def test_published_residence_times_have_the_original_digits(case: str) -> None:
    # Original functions in Octave 7.3 (fun_var_decom.m), as printed.
    printed = {"A": 624.20477, "B": 279.23074, "C": 948.65745, "D": 30.572336}
    found = carbon_times(CASES[case][-1], sites(case), bedrock="published", default_run=case == "D")
    assert found.residence_time.item() == pytest.approx(printed[case], rel=1e-7)
    layered = found.residence_by_layer.values[0] @ CLM5.thickness
    assert layered == pytest.approx(printed[case], rel=1e-7)


@settings(max_examples=10, deadline=None)
@given(UNIT)
def test_laws_of_ages(unit: list[float]) -> None:
    vector = PRODA.to_physical(np.array(unit))
    found = carbon_times(vector, sites("B")).isel(site=0)
    square = found.transit_time**2 + found.transit_time_sd**2
    assert found.system_age.item() == pytest.approx(
        square.item() / 2 / found.transit_time.item(), rel=1e-9
    )
    assert found.transit_time > found.residence_time
    assert found.age > 0 and found.age_sd > 0
    both = scaled(scaled(vector, "K", 2.0), "V", 2.0)
    faster = carbon_times(both, sites("B")).isel(site=0)
    for name in ("residence_time", "transit_time", "transit_time_sd", "age", "age_sd"):
        assert faster[name].item() == pytest.approx(found[name].item() / 2, rel=1e-9)


def test_more_input_changes_no_time() -> None:
    more = sites("B").assign(litter_input=3 * sites("B").litter_input)
    few, many = (carbon_times(CASES["B"][-1], data) for data in (sites("B"), more))
    assert many.stock.item() == pytest.approx(3 * few.stock.item())
    for name in ("residence_time", "transit_time", "age", "baseline_residence_time"):
        assert many[name].item() == pytest.approx(few[name].item(), rel=1e-12)


def test_the_sound_baseline_is_the_residence_time_in_a_perfect_climate() -> None:
    vector = CASES["B"][-1].copy()
    vector[NAMES.index("w-scaling")] = 1.0
    perfect = sites("B")
    perfect["soil_temperature"][:] = 298.15
    for name in ("water_scalar", "oxygen_scalar", "nitrogen_scalar"):
        perfect[name][:] = 1.0
    found, there = carbon_times(vector, sites("B")), carbon_times(vector, perfect)
    assert found.baseline_residence_time.item() == pytest.approx(there.residence_time.item())
    assert there.baseline_residence_time.item() == pytest.approx(there.residence_time.item())
    # The published one also changes mixing, so it is another number.
    published = bulk_processes(vector, sites("B"), definition="published")
    ratio = published.baseline_residence_time.item() / found.baseline_residence_time.item()
    assert abs(ratio - 1) > 0.1


def test_draws_and_single_vectors_give_the_same() -> None:
    data = xr.concat([sites("B"), sites("C")], "site")
    draws = PRODA.to_physical(np.random.default_rng(1).uniform(0.1, 0.9, (2, 3, 21)))
    found = carbon_times(draws, data)
    assert found.age_by_layer.dims == ("site", "draw", "layer")
    assert set(found) == set(QUANTITIES)
    one = carbon_times(draws[:, 1], data)
    for name in found:
        np.testing.assert_allclose(found[name].isel(draw=1), one[name], rtol=1e-13)


def test_stehfest_weights_are_those_of_the_tables() -> None:
    assert stehfest_weights(6).tolist() == [1, -49, 366, -858, 810, -270]
    for count in (8, 14):
        # The transform of a constant is given back.
        np.testing.assert_allclose((stehfest_weights(count) / np.arange(1, count + 1)).sum(), 1)


def test_few_terms_must_not_pass_for_exact() -> None:
    def transform(shift: np.ndarray) -> np.ndarray:
        return 1 / (1 + shift)

    assert abs(inverted(transform, 1.0, 4) - np.exp(-1)) > 1e-3
    assert abs(inverted(transform, 1.0) - np.exp(-1)) < 1e-6


def test_what_cannot_be_is_said_in_one_line() -> None:
    vector, data = CASES["B"][-1], sites("B")
    for call, message in (
        (lambda: stehfest_weights(5), "even number"),
        (lambda: survival(vector, data, [0.0]), "greater than 0"),
        (lambda: quantile(vector, data, "soil", 1.0), "level is 1"),
        (lambda: quantile(vector, data, "debris"), "kind"),
        (lambda: survival(np.tile(vector, (1, 3, 1)), data, [1.0]), "3 draws"),
        (lambda: carbon_times(vector[:20], data), "shape"),
    ):
        with pytest.raises(ValueError, match=message):
            call()
