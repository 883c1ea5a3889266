"""Changes of one process, and numbers with their uncertainty."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from proda_lib import equation
from proda_lib.forcing import forcing_of
from proda_lib.parameters import CLM5_DEFAULT, NAMES, PARAMETERS, PRODA, by_name
from proda_lib.process_change import CHANGES, members_of, moved, scaled
from proda_lib.processes import bulk_processes
from proda_lib.uncertainty import half_width, plus_minus, read_plus_minus

from .reference_cases import CASES, sites


def test_every_parameter_belongs_to_one_process() -> None:
    found = [position for process in CHANGES for position in members_of(process)]
    assert sorted(found) == list(range(21))
    # The groups of component_control_soc_stock_cesm2_bootstrap.m, 1-based there.
    published = {"A": range(11, 20), "K": range(5, 11), "xi": (3, 4, 20), "I": (21,), "V": (1, 2)}
    assert {k: [i + 1 for i in members_of(k)] for k in published} == {
        k: list(v) for k, v in published.items()
    }


def test_positions_are_moved_and_kept_in_the_range_as_published() -> None:
    unit = np.full(21, 0.5)
    unit[[4, 5, 20]] = 0.9, 0.0, 0.99
    found = moved(unit, "K", 0.2)
    assert found[4] == 1.0 and found[5] == 1e-4 and found[20] == 0.98
    np.testing.assert_allclose(found[6:10], 0.6)
    np.testing.assert_allclose(found[10:20], 0.5)
    np.testing.assert_allclose(moved(np.full(21, 0.5), "input", 0.2), 0.5)
    assert unit[5] == 0.0, "the positions given were changed"


def test_every_fraction_rate_and_diffusivity_of_a_process_changes_by_the_factor() -> None:
    vector, forcing = CASES["B"][-1], forcing_of(sites("B").isel(site=0))
    before = equation.terms(vector, forcing)
    fractions = equation.transfer_fractions(before.value, 20)
    for process in ("A", "K", "V"):
        after = equation.terms(scaled(vector, process, 1.07), forcing)
        factor = {each: 1.07 if each == process else 1.0 for each in ("A", "K", "V")}
        found = equation.transfer_fractions(after.value, 20)
        np.testing.assert_allclose(found[..., 1:], factor["A"] * fractions[..., 1:], rtol=1e-12)
        np.testing.assert_allclose(found[..., 0], fractions[..., 0], rtol=1e-12)  # sorts debris
        rates = [equation.decomposition_rates(each) for each in (before, after)]
        np.testing.assert_allclose(rates[1], factor["K"] * rates[0], rtol=1e-12)
        np.testing.assert_allclose(
            after.exchange.down, factor["V"] * before.exchange.down, rtol=1e-12
        )


def test_the_bulk_efficiency_follows_its_fractions_but_not_one_to_one() -> None:
    # More carbon then passes through pools that pass little on.
    vector = CASES["A"][-1]
    found = [
        bulk_processes(each, sites("A")).carbon_use_efficiency.item()
        for each in (vector, scaled(vector, "A", 1.001))
    ]
    assert 1.0005 < found[1] / found[0] < 1.00095


def test_the_mean_depth_of_input_grows_by_the_factor_where_bedrock_is_deep() -> None:
    beta = by_name(CLM5_DEFAULT)["beta"]
    deeper = by_name(scaled(CLM5_DEFAULT, "I", 1.3))["beta"]
    assert np.log(beta) / np.log(deeper) == pytest.approx(1.3, rel=1e-12)


@given(st.floats(0.5, 2.0), st.sampled_from(sorted(CHANGES)))
def test_scaling_there_and_back_changes_nothing(factor: float, process: str) -> None:
    vector = PRODA.to_physical(np.full(21, 0.4))
    there = scaled(vector, process, factor)
    np.testing.assert_allclose(scaled(there, process, 1 / factor), vector, rtol=1e-12)
    moved_names = {n for n, a, b in zip(NAMES, there, vector, strict=True) if a != b}
    own = "K" if process == "xi" else process  # the equation holds only their product
    assert moved_names <= {p.name for p in PARAMETERS if p.process == own} - {"fcwdl2"}


def test_modifiers_and_rates_are_one_product() -> None:
    np.testing.assert_array_equal(scaled(CLM5_DEFAULT, "K", 1.1), scaled(CLM5_DEFAULT, "xi", 1.1))


@pytest.mark.parametrize("function", [lambda: members_of("B"), lambda: moved([0.5] * 21, "k", 0.1)])
def test_an_unknown_process_is_named(function) -> None:
    with pytest.raises(ValueError, match="process"):
        function()


def test_half_a_width_holds_its_share() -> None:
    random = np.random.default_rng(1)
    members = random.normal(3.0, 2.0, (20, 4000))
    # A new draw less the members' centre of zero known exactly: t with 19 degrees of freedom.
    held = np.abs(random.normal(0.0, 2.0, 4000)) < half_width(members)
    assert held.mean() == pytest.approx(0.95, abs=0.015)
    assert np.isnan(half_width(members[:9])).all()
    with pytest.raises(ValueError, match="level"):
        half_width(members, level=95)


@pytest.mark.parametrize(
    ("value", "half", "factor", "text"),
    [
        (2404.3, 105.2, 1, "2,400 ± 110"),
        (44.4, 2.2, 1, "44 ± 2"),
        (0.5634, 0.0196, 100, "56 ± 2"),
        (0.5634, 0.0194, 100, "56.3 ± 1.9"),
        (-0.04567, 0.00996, 1, "−0.046 ± 0.010"),
        (5.0, 0.0, 1, "5"),
        (0.1, 1e-15, 100, "10"),
        (1234.5, float("nan"), 1, "1,234"),
        (1321.7, 3.2, 1, "1,322 ± 3"),
    ],
)
def test_numbers_are_rounded_by_their_uncertainty(value, half, factor, text) -> None:
    assert plus_minus(value, half, factor) == text
    read = read_plus_minus(text)
    assert plus_minus(*read) == text and read[0] == pytest.approx(factor * value, rel=0.02)
