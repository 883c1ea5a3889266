"""Bulk processes: the original's digits, laws that the sound ones obey, shapes and messages."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from proda_lib import equation, steady_state, stocks, studies
from proda_lib.configurations import CHAPTER
from proda_lib.forcing import forcing_of
from proda_lib.inputs import input_share
from proda_lib.parameters import NAMES, PRODA, by_name
from proda_lib.processes import QUANTITIES, bulk_processes, published_allocation
from proda_lib.soil_grid import CLM5

from .reference_cases import CASES, sites

# Original functions in Octave 7.3 (fun_bulk_process.m, fun_var_decom.m), as printed.
PRINTED = {
    "carbon_use_efficiency": [0.41789347, 0.46657704, 0.46691265, 0.499048],
    "baseline_decomposition": [0.0074861066, 0.01836339, 0.015207997, 0.17907431],
    "vertical_transport": [0.01442872, 0.023860363, 0.037948336, 0.038593778],
    "environmental_modifier": [0.030523262, 0.08520094, 0.030077796, 0.20181203],
    "residence_time": [624.20477, 279.23074, 948.65745, 30.572336],
    "baseline_residence_time": [184.60381, 80.202556, 179.36486, 5.1069669],
    "stock": [269656.4615, 120627.6804, 409820.0202, 13207.24924],
    "carbon_input": [432, 432, 432, 432],
}
#: The same of the input allocation, where rounding leaves out the same layers as in Octave.
PRINTED_ALLOCATION = [0.68386099, 0.89602227, 0.89602227, 0.94139984]

UNIT = st.lists(st.floats(0.02, 0.98), min_size=21, max_size=21)


def bulk(case: str, definition: str = "sound", bedrock: str = "closed") -> xr.Dataset:
    """Bulk processes of one reference case."""
    return bulk_processes(
        CASES[case][-1], sites(case), definition=definition, bedrock=bedrock,
        default_run=case == "D",
    )  # fmt: skip


@pytest.mark.parametrize("name", PRINTED)
def test_published_definitions_give_the_original_digits(name: str) -> None:
    found = [bulk(case, "published", "published")[name].item() for case in CASES]
    np.testing.assert_allclose(found, PRINTED[name], rtol=1e-7)


def test_published_allocation_gives_the_original_digits_where_rounding_allows() -> None:
    found = [bulk(case, "published", "published").input_allocation.item() for case in CASES]
    # In case A the last digit of exp, which processors differ in, decides which layers count.
    np.testing.assert_allclose(found[1:], PRINTED_ALLOCATION[1:], rtol=1e-7)
    assert found[0] == pytest.approx(PRINTED_ALLOCATION[0], rel=0.2)


def test_published_allocation_hangs_on_the_last_digit() -> None:
    share = input_share(0.75)
    nudged = share.copy()
    nudged[0] += 2e-15  # less than any measurement could tell
    assert abs(published_allocation(share) - published_allocation(nudged)) > 0.05


def test_other_options_must_not_match() -> None:
    assert abs(bulk("B", "published").residence_time.item() / 279.23074 - 1) > 0.3
    for name in ("carbon_use_efficiency", "environmental_modifier"):
        sound = bulk("B", "sound", "published")[name].item()
        assert abs(sound / PRINTED[name][1] - 1) > 0.005


@pytest.mark.parametrize("case", ["A", "B", "C"])
def test_sound_quantities_are_what_their_formulas_say(case: str) -> None:
    data, vector, found = sites(case), CASES[case][-1], bulk(case).isel(site=0)
    term = equation.terms(vector, forcing_of(data.isel(site=0)))
    carbon = steady_state.pools(vector, data)[0] * CLM5.thickness
    soil, litter = carbon[4:].sum(axis=0), carbon[1:4].sum(axis=0)
    value = by_name(vector)
    rate = [1 / value[name] for name in ("tau4s1", "tau4s2", "tau4s3")]
    expected = {
        "environmental_modifier": np.average(term.soil, weights=soil),
        "litter_modifier": np.average(term.litter, weights=litter),
        "baseline_decomposition": np.average(rate, weights=carbon[4:].sum(axis=1)),
        "vertical_transport": 365 * np.average(term.exchange.up + term.exchange.down, weights=soil),
        "input_allocation": np.average(CLM5.node, weights=term.inputs.sum(axis=0) * CLM5.thickness),
        "stock_1m": stocks.interval_stock(soil / CLM5.thickness, 0, 1),
    }
    for name, number in expected.items():
        assert found[name].item() == pytest.approx(number, rel=1e-10), name
    assert found.residence_time_1m.item() == pytest.approx(expected["stock_1m"] / 432, rel=1e-10)


@given(UNIT, st.sampled_from(["A", "B", "C"]))
@settings(max_examples=30, deadline=None)
def test_what_is_not_passed_on_is_the_input(unit: list[float], case: str) -> None:
    vector, data = PRODA.to_physical(unit), sites(case)
    found = bulk_processes(vector, data).isel(site=0)
    term = equation.terms(vector, forcing_of(data.isel(site=0)))
    carbon = steady_state.pools(vector, data)[0] * CLM5.thickness
    decomposed = 365 * (equation.decomposition_rates(term) * carbon)[1:].sum()
    respired = (1 - found.carbon_use_efficiency.item()) * decomposed
    assert respired == pytest.approx(found.carbon_input.item(), rel=1e-9)


@given(UNIT)
@settings(max_examples=20, deadline=None)
def test_sound_efficiency_depends_on_transfers_and_input_alone(unit: list[float]) -> None:
    changed = np.array(unit)
    changed[[NAMES.index(name) for name in ("q10", "efolding", "tau4s3", "beta", "diffus")]] = 0.4
    pair = [bulk_processes(PRODA.to_physical(each), sites("B")) for each in (unit, changed)]
    pair.append(bulk_processes(PRODA.to_physical(unit), sites("C")))
    values = [found.carbon_use_efficiency.item() for found in pair]
    np.testing.assert_allclose(values, values[0], rtol=1e-9)


def test_oxygen_slows_the_sound_modifier_only() -> None:
    data = sites("A")
    airless = data.assign(oxygen_scalar=0.5 * data.oxygen_scalar)
    # Hardly mixed soil, so that carbon keeps its place while it doubles.
    vector = CASES["A"][-1].copy()
    vector[NAMES.index("diffus")] = 1e-12
    for definition, factor in (("sound", 0.5), ("published", 1.0)):
        before, after = (
            bulk_processes(vector, each, definition=definition).environmental_modifier.item()
            for each in (data, airless)
        )
        assert after / before == pytest.approx(factor, rel=1e-3)


def test_input_of_frozen_soil_enters_at_the_middle_of_the_top_layer() -> None:
    data = sites("C")
    frozen = data.assign(active_layer_depth_last_year=0 * data.active_layer_depth_last_year)
    vector = CASES["C"][-1]
    assert bulk_processes(vector, frozen).input_allocation.item() == pytest.approx(0.01)
    published = bulk_processes(vector, frozen, definition="published")
    assert np.isnan(published.input_allocation.item())


@pytest.fixture(scope="module")
def twin() -> studies.Study:
    return studies.load("twin", "smoke")


@pytest.mark.parametrize("definition", ["sound", "published"])
def test_draws_give_what_vectors_give_one_by_one(twin, definition) -> None:
    some = twin.sites.isel(site=slice(3))
    draws = PRODA.to_physical(np.random.default_rng(1).uniform(0.05, 0.95, (3, 4, 21)))
    together = bulk_processes(draws, some, definition=definition)
    assert together.stock.dims == ("site", "draw")
    for i in range(4):
        one = bulk_processes(draws[:, i], some, definition=definition)
        xr.testing.assert_allclose(together.isel(draw=i), one, rtol=1e-12)
    alone = bulk_processes(draws[2:, 0], some.isel(site=[2]), definition=definition)
    xr.testing.assert_allclose(alone, together.isel(site=[2], draw=0), rtol=1e-12)


def test_the_grid_agrees_with_the_truth(twin) -> None:
    found = bulk_processes(twin.truth.cell_parameters.values, twin.grid)
    stock = twin.truth.cell_soil_carbon.values @ CLM5.thickness
    np.testing.assert_allclose(found.stock, stock, rtol=1e-9)
    assert found.stock.dims == ("cell",)
    assert "lon" in found.coords
    assert all((value > 0).all() for value in found.values())
    assert (found.carbon_use_efficiency < 1).all()


def test_every_quantity_has_a_unit_and_a_meaning() -> None:
    both = {each: bulk("A", each) for each in ("sound", "published")}
    assert set(both["sound"]) | set(both["published"]) == set(QUANTITIES)
    for found in both.values():
        assert all(v.units and v.long_name for v in found.values())
    assert [both[each].input_allocation.units for each in both] == ["m", "1"]


def test_the_chapters_configuration_has_bulk_processes_too() -> None:
    data = studies.load("twin", "smoke", soil_grid="CLM45").sites
    for definition in ("sound", "published"):
        found = bulk_processes(
            CHAPTER.default, data, definition=definition, configuration="chapter"
        )
        assert all(np.isfinite(v).all() and (v > 0).all() for v in found.values())


@pytest.mark.parametrize(
    ("vector", "definition", "says"),
    [
        (CASES["A"][-1], "right", "'sound' and 'published'"),
        (np.ones(20), "sound", r"shape \(20,\), allowed are \(21,\)"),
        (np.ones((2, 21)), "sound", r"for the 1 rows given"),
        (np.zeros(21), "sound", "must be"),
    ],
)
def test_mistakes_get_a_clear_message(vector, definition, says) -> None:
    with pytest.raises(ValueError, match=says):
        bulk_processes(vector, sites("A"), definition=definition)
