"""The compiled engine: 50-digit solutions, derivatives, advection, the chapter's configuration."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy.interpolate import PchipInterpolator

from proda_lib import depths, engine, matrices, steady_state, studies
from proda_lib.compiled import jax
from proda_lib.configurations import CHAPTER, CLM5_20
from proda_lib.forcing import forcing_of, rows_of
from proda_lib.parameters import BINN, NAMES, PRODA
from proda_lib.soil_grid import CLM5

from .exact import exact_pools
from .reference_cases import CASES, sites


@pytest.fixture(scope="module")
def ten_layers() -> xr.Dataset:
    return studies.load("twin", "smoke", soil_grid="CLM45").sites


def case_with(bedrock: int = 12, thaw: float = 42.0, case: str = "B") -> xr.Dataset:
    data = sites(case)
    data["bedrock_layer"][:] = bedrock
    for name in ("active_layer_depth", "active_layer_depth_last_year"):
        data[name][:] = thaw
    return data


def worst(found: np.ndarray, exact: np.ndarray) -> float:
    """Largest error relative to each pool's own largest value."""
    return float((np.abs(found - exact).max(axis=-1) / exact.max(axis=-1)).max())


@pytest.mark.parametrize("bedrock", range(1, 21))
def test_fifty_digits_over_the_prior_at_every_bedrock_depth(bedrock: int) -> None:
    rng = np.random.default_rng(bedrock)
    unit = rng.uniform(0.001, 0.999, (2, 21))
    unit[1, 3] = rng.uniform(0.012, 0.15)  # small e-folding depths: the hard cases
    data = case_with(bedrock, thaw=[42.0, 1.3][bedrock % 2])
    for vector in PRODA.to_physical(unit):
        found = steady_state.pools(vector, data)[0]
        exact = exact_pools(vector, data.isel(site=0))
        assert worst(found, exact) < 1e-12
        # Each layer for itself, however little or much carbon it holds.
        live = np.s_[:, :bedrock]
        np.testing.assert_allclose(found[live], exact[live], rtol=1e-12)


def test_a_dense_solve_must_not_pass_for_exact() -> None:
    vector = PRODA.to_physical(np.full(21, 0.5))
    vector[3] = 0.2
    data = case_with(15)
    published = matrices.matrix_model(vector, data.isel(site=0), bedrock="published")
    dense = matrices.solve_dense(published).reshape(7, 20)
    found = steady_state.pools(vector, data, bedrock="published")[0]
    assert worst(dense[:, :15], found[:, :15]) > 1e-9


@pytest.mark.parametrize("box", [PRODA, BINN], ids=lambda box: box.name)
@pytest.mark.parametrize("thaw", [42.0, 0.9])
def test_gradients_match_central_differences(box, thaw: float) -> None:
    data = case_with(14, thaw)
    vector = box.to_physical(np.random.default_rng(4).uniform(0.25, 0.75, 21))
    gradient = steady_state.soil_carbon_gradient(vector, data)[0]
    scale = steady_state.soil_carbon(vector, data)[0].max()
    for i, name in enumerate(NAMES):
        step = 1e-5 * vector[i]
        ahead, behind = vector.copy(), vector.copy()
        ahead[i] += step
        behind[i] -= step
        pair = steady_state.soil_carbon(np.stack([ahead, behind]), data.isel(site=[0, 0]))
        slope = (pair[0] - pair[1]) / (2 * step)
        error = np.abs(gradient[:, i] - slope).max() * vector[i] / scale
        assert error < 1e-8, name
    assert not gradient[:, NAMES.index("taucwd")].any()
    assert not gradient[14:].any()


def test_gradients_at_depth_match_differences_with_pchip() -> None:
    data = case_with(20)
    prepared = steady_state.prepare(data, bedrock="published", interpolation="pchip")
    forcing, reading = (jax.tree.map(lambda x: x[0], part[0]) for part in
                        (prepared.forcing, prepared.reading))  # fmt: skip
    vector = BINN.to_physical(np.full(21, 0.4))

    @jax.jit
    def total(p):
        return engine.soil_carbon_at_depth(p, forcing, reading).sum()

    gradient = np.asarray(jax.jit(jax.grad(total))(vector))
    for i in (0, 2, 3, 9, 20):
        ahead, behind = vector.copy(), vector.copy()
        ahead[i] *= 1 + 1e-6
        behind[i] *= 1 - 1e-6
        slope = (total(ahead) - total(behind)) / (2e-6 * vector[i])
        assert gradient[i] == pytest.approx(float(slope), rel=1e-5)


@pytest.mark.parametrize("interpolation", ["linear", "pchip"])
@pytest.mark.parametrize("bedrock", [1, 2, 9])
def test_gaps_in_observations_leave_gradients_whole(interpolation: str, bedrock: int) -> None:
    data = case_with(bedrock)
    data["observed_depth"][0] = [0.05, np.nan, 3.0]
    prepared = steady_state.prepare(data, interpolation=interpolation)
    forcing, reading = (jax.tree.map(lambda x: x[0], part[0]) for part in
                        (prepared.forcing, prepared.reading))  # fmt: skip

    def total(p):
        at_depth = engine.soil_carbon_at_depth(p, forcing, reading)
        return jax.numpy.where(jax.numpy.isnan(at_depth), 0.0, at_depth).sum()

    gradient = np.asarray(jax.jit(jax.grad(total))(CASES["B"][-1]))
    assert np.isfinite(gradient).all()
    assert gradient[NAMES.index("q10")] != 0


@pytest.mark.parametrize("thaw", [42.0, 1.3, 0.0])
def test_no_efolding_depth_of_the_prior_is_too_small(thaw: float) -> None:
    vectors = np.tile(CASES["B"][-1], (4, 1))
    vectors[:, NAMES.index("efolding")] = [0.03, 0.015, 0.005, 1e-4]
    data = case_with(20, thaw).isel(site=[0] * 4)
    pools = steady_state.pools(vectors, data)
    for vector, found in zip(vectors, pools, strict=True):
        exact = exact_pools(vector, data.isel(site=0), digits=400)
        np.testing.assert_allclose(found, exact, rtol=1e-12, atol=1e-300)
    assert np.isfinite(steady_state.soil_carbon_gradient(vectors, data)).all()


def test_curvature_matches_differences_of_gradients() -> None:
    forcing = jax.tree.map(lambda x: x[0], forcing_of(case_with(14)))
    vector, name = BINN.to_physical(np.full(21, 0.4)), NAMES.index("q10")

    @jax.jit
    def gradient(p):
        return jax.grad(lambda q: jax.numpy.log(engine.soil_carbon(q, forcing)[0]))(p)

    direction = np.eye(21)[name]
    _, curvature = jax.jvp(gradient, (vector,), (direction,))
    step = 1e-5 * direction
    slope = (gradient(vector + step) - gradient(vector - step)) / 2e-5
    np.testing.assert_allclose(curvature * vector, slope * vector, atol=1e-7)


def test_a_flow_of_zero_changes_nothing() -> None:
    data, vector = case_with(), CASES["B"][-1]
    still = steady_state.pools(vector, data)
    np.testing.assert_allclose(steady_state.pools(vector, data, advection=0.0), still, rtol=1e-13)


@pytest.mark.parametrize("flow", [-2e-3, 5e-4, 0.05])
def test_advection_conserves_carbon_and_solves_the_equation(flow: float) -> None:
    data, vector = case_with(16), CASES["B"][-1]
    pools = steady_state.pools(vector, data, advection=flow)
    assert (pools[..., :16] > 0).all()
    assert steady_state.respiration(pools, vector, data)[0] == pytest.approx(432, rel=1e-12)
    # Rounded coefficients of an upwind scheme conserve carbon to rounding only, and the exact
    # solution of the rounded system shows it; the engine conserves by construction.
    exact = exact_pools(vector, data.isel(site=0), advection=flow)
    np.testing.assert_allclose(pools[0], exact, rtol=1e-10, atol=1e-300)
    dense = matrices.matrix_model(vector, data.isel(site=0), advection=flow)
    assert np.abs(dense.system @ pools[0].ravel() + dense.input).max() < 1e-10


def test_downward_flow_carries_carbon_down() -> None:
    data, vector = case_with(20), CASES["B"][-1]
    depth = [
        (soil @ (CLM5.thickness * CLM5.node)) / (soil @ CLM5.thickness)
        for flow in (-1e-4, 0.0, 1e-4)
        for soil in steady_state.soil_carbon(vector, data, advection=flow)
    ]
    assert depth[0] < depth[1] < depth[2]


def test_advection_through_an_open_bedrock_is_refused() -> None:
    prepared = steady_state.prepare(sites("B"), bedrock="published")
    for function in (
        steady_state.pools,
        steady_state.soil_carbon,
        steady_state.soil_carbon_at_depth,
        steady_state.soil_carbon_gradient,
    ):
        with pytest.raises(ValueError, match="advection needs bedrock='closed'"):
            function(CASES["B"][-1], prepared, advection=1e-3)


def test_the_chapter_has_seventy_pools_that_respire_their_input(ten_layers) -> None:
    unit = np.random.default_rng(8).uniform(0.1, 0.9, (ten_layers.sizes["site"], 18))
    parameters = CHAPTER.prior.to_physical(unit)
    pools = steady_state.pools(parameters, ten_layers, configuration="chapter")
    assert pools.shape[1:] == (7, 10)
    respired = steady_state.respiration(pools, parameters, ten_layers, "chapter")
    share = sum(CHAPTER.partition)
    production = ten_layers["net_primary_production"].values
    np.testing.assert_allclose(respired, share * production, rtol=1e-12)


def test_the_chapter_matches_fifty_digits_and_its_dense_matrices(ten_layers) -> None:
    unit = np.random.default_rng(9).uniform(0.05, 0.95, 18)
    vector = CHAPTER.prior.to_physical(unit)
    row = ten_layers.isel(site=[3])
    found = steady_state.pools(vector, row, configuration="chapter")[0]
    exact = exact_pools(vector, row.isel(site=0), CHAPTER)
    np.testing.assert_allclose(found, exact, rtol=1e-12, atol=1e-300)
    model = matrices.matrix_model(vector, row.isel(site=0), model="chapter")
    assert model.system.shape == (70, 70)
    assert np.abs(model.system @ found.ravel() + model.input).max() < 1e-10


def test_wetter_limits_in_the_chapter_slow_decomposition(ten_layers) -> None:
    vectors = np.stack([CHAPTER.default, CHAPTER.default])
    vectors[:, -1] = [-0.0005, -0.05]  # potential above which water does not limit, MPa
    strict, lenient = (
        steady_state.soil_carbon(vector, ten_layers, configuration="chapter").sum(axis=1)
        for vector in vectors
    )
    assert (strict >= lenient).all()
    assert (strict > 1.05 * lenient).any()


def test_a_configuration_refuses_sites_on_another_grid(ten_layers) -> None:
    with pytest.raises(ValueError, match="configuration 'clm5' needs 'CLM5'"):
        steady_state.pools(CLM5_20.default, ten_layers)
    with pytest.raises(ValueError, match="allowed are 'clm5', 'chapter'"):
        steady_state.pools(CLM5_20.default, sites("A"), configuration="clm4")


@settings(max_examples=40, deadline=None)
@given(
    values=st.lists(st.floats(0.1, 1e5), min_size=20, max_size=20),
    live=st.integers(1, 20),
    bedrock=st.sampled_from(["closed", "published"]),
)
# Both ends turn so sharply that their slopes are limited: random values seldom do.
@example(values=[100.0, 110.0, *np.linspace(10, 1, 16), 110.0, 100.0], live=20, bedrock="published")
def test_pchip_is_scipys(values: list[float], live: int, bedrock: str) -> None:
    data = sites("A")
    data["bedrock_layer"][:] = live
    depth = np.array([0.0, 0.03, 0.5, 1.7, 6.0, 8.03, 9.5, np.nan])
    data = data.drop_dims("observation").assign(
        observed_depth=(("site", "observation"), depth[None], {"units": "m"})
    )
    soil = np.array(values)
    found = depths.interpolate_to_depth(soil[None], data, bedrock=bedrock, interpolation="pchip")
    last = live if bedrock == "closed" else 20
    node = CLM5.node[:last]
    at = np.clip(depth, node[0], node[-1]) if bedrock == "closed" else depth
    if last == 1:
        expected = np.where(np.isnan(depth), np.nan, soil[0])
    else:
        expected = PchipInterpolator(node, soil[:last])(at)
    np.testing.assert_allclose(found[0], expected, rtol=1e-9, atol=1e-9 * soil.max())


def test_any_number_of_sites_gives_the_same_numbers() -> None:
    data = studies.load("twin", "smoke").sites
    many = data.isel(site=np.arange(300) % data.sizes["site"])
    vector = BINN.to_physical(np.full(21, 0.5))
    together = steady_state.soil_carbon(vector, many)
    few = steady_state.soil_carbon(vector, data.isel(site=[7]))
    np.testing.assert_allclose(together[[7, 37]], np.tile(few, (2, 1)), rtol=1e-13)
    prepared = steady_state.prepare(many)
    np.testing.assert_array_equal(steady_state.soil_carbon(vector, prepared), together)


def test_sites_with_one_forcing_share_it_and_others_never_do() -> None:
    data = sites("B").isel(site=[0, 0, 0])
    data = data.assign(forcing_id=("site", [5, 5, 5]))
    assert len(rows_of(data)[0]) == 1
    warmer = data.copy(deep=True)
    warmer["soil_temperature"][2] += 5.0
    first, which = rows_of(warmer)
    assert first[which].tolist() == [0, 1, 2]
    stock = steady_state.soil_carbon(CASES["B"][-1], warmer).sum(axis=1)
    assert stock[0] == stock[1] > stock[2]


def test_forcing_rows_are_those_of_single_sites() -> None:
    data = studies.load("twin", "smoke").sites
    whole, one = forcing_of(data), forcing_of(data.isel(site=4))
    for found, expected in zip(jax.tree.leaves(whole.rows(4)), jax.tree.leaves(one), strict=True):
        np.testing.assert_array_equal(found, expected)
