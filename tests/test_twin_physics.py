"""The parts of the synthetic landscape: each against a law, a published case or a limit."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proda_lib.parameters import NAMES, PARAMETERS, index
from proda_lib.soil_grid import CLM5, CLM45
from proda_lib.studies.cells import cell_area
from proda_lib.studies.states import inside
from proda_lib.studies.twin import sampling, soil_climate, tables
from proda_lib.studies.twin.bioclim import bioclimatic, koppen
from proda_lib.studies.twin.climate import (
    MONTH,
    Climate,
    extraterrestrial_radiation,
    potential_evaporation,
)
from proda_lib.studies.twin.fields import draw_field
from proda_lib.studies.twin.geometry import (
    albers,
    bumps,
    distance_to_line,
    land_cells,
)
from proda_lib.studies.twin.landscape import land, landscape, nearest_cell
from proda_lib.studies.twin.soils import texture_class
from proda_lib.studies.twin.truth import drivers, effect, terms
from proda_lib.studies.twin.vegetation import CLASSES, Vegetation, by_class, litter_input, miami

# No time limit per example: a busy machine must not fail a test.
unhurried = settings(deadline=None, max_examples=50)
LON = st.floats(-124, -67)
LAT = st.floats(25, 49)


def weather(temperature: list[float], rain: list[float]) -> Climate:
    """Return the climate of one place from monthly normals (degC, mm)."""
    t, p = np.array([temperature], dtype=float), np.array([rain], dtype=float)
    return Climate(t, p, potential_evaporation(t, np.array([40.0])), np.array([10.0]))


# ------------------------------------------------------------------------------------- geometry
@unhurried
@given(LON, LAT)
def test_albers_keeps_areas(lon, lat):
    step = 1e-3
    x, y = albers([lon, lon + step, lon], [lat, lat, lat + step])
    area = abs((x[1] - x[0]) * (y[2] - y[0]) - (x[2] - x[0]) * (y[1] - y[0]))
    assert area == pytest.approx(float(cell_area(lat + step / 2, step)), rel=1e-4)


def test_albers_is_true_to_scale_on_its_standard_parallels():
    for lat in (29.5, 45.5):
        x, y = albers([-96.0, -95.99], [lat, lat])
        along = np.radians(0.01) * 6371.0088 * np.cos(np.radians(lat))
        assert np.hypot(x[1] - x[0], y[1] - y[0]) == pytest.approx(along, rel=1e-6)


@unhurried
@given(LON, LAT)
def test_distance_to_a_line_with_a_repeated_vertex(lon, lat):
    x, y = albers([lon], [lat])
    line = [(-120.0, 40.0), (-100.0, 35.0), (-80.0, 40.0)]
    repeated = [line[0], line[1], line[1], line[2]]
    distance = distance_to_line(x, y, line)
    np.testing.assert_array_equal(distance, distance_to_line(x, y, repeated))
    corners = np.hypot(*(np.array(albers(*np.transpose(line))) - [x, y]))
    assert 0 <= distance[0] <= corners.min() * (1 + 1e-12)


def test_points_at_sea_and_abroad_are_outside():
    lon = [-90.0, -90.0, -120.0, -100.0, -122.33, -87.5]
    lat = [40.0, 27.0, 50.0, 25.0, 47.6, 43.5]  # the last is in Lake Michigan
    assert inside(lon, lat).tolist() == [True, False, False, False, True, False]


def test_bumps_fall_to_e_to_the_minus_half_at_their_width():
    x, y = albers([-96.0], [40.0])
    assert bumps(x + 150.0, y, [(-96, 40, 2.0, 150)])[0] == pytest.approx(2 * np.exp(-0.5))


# --------------------------------------------------------------------------------------- fields
@pytest.mark.parametrize(("smoothness", "expected"), [(0.5, 0.3679), (1.5, 0.4834)])
def test_fields_have_the_matern_correlation(smoothness, expected):
    # Correlation at one length scale: exp(-1) for nu 1/2, (1 + sqrt 3) exp(-sqrt 3) for nu 3/2.
    length = 60.0
    x, y = albers(*land_cells())
    found = []
    for number in range(900, 906):
        field = draw_field(number, length, smoothness, 1500)
        here, there = field(x, y), field(x + length, y)
        found.append(np.mean(here * there))
    assert np.mean(found) == pytest.approx(expected, abs=0.04)


def test_a_field_is_a_function_of_position():
    x, y = albers(*land_cells())
    field = draw_field(7, 100, 0.5, 384)
    everywhere = field(x, y)
    np.testing.assert_array_equal(field(x[::-1], y[::-1])[::-1], everywhere)
    np.testing.assert_array_equal(field(x[5:6], y[5:6]), everywhere[5:6])


def test_places_do_not_see_each_other():
    lon, lat, _ = sampling.site_positions(40)
    together, alone = landscape(lon, lat), landscape(lon[3:4], lat[3:4])
    for name, value in alone.bioclim.items():
        np.testing.assert_allclose(together.bioclim[name][3], value[0], rtol=1e-12, err_msg=name)
    np.testing.assert_allclose(together.soil.clay[3], alone.soil.clay[0], rtol=1e-12)
    assert together.vegetation.number[3] == alone.vegetation.number[0]


def test_nearest_cell_of_a_cell_is_itself():
    np.testing.assert_array_equal(nearest_cell(*land_cells()), np.arange(3279))


# -------------------------------------------------------------------------------------- climate
def test_radiation_at_special_places():
    pole, equator, south = extraterrestrial_radiation(np.array([85.0, 0.0, -20.0]))
    assert pole[11] == 0 and pole[5] > 40
    # FAO-56, example 8: 32.2 MJ m-2 day-1 at 20 S on 3 September, between two mid-months.
    assert south[7] < 32.2 < south[8]
    assert equator.min() > 33 and equator.max() < 39


@unhurried
@given(st.floats(-30, 40), LAT)
def test_evaporation_rises_with_temperature_and_is_never_negative(temperature, lat):
    month = np.full((1, 12), temperature)
    demand = potential_evaporation(month, np.array([lat]))
    warmer = potential_evaporation(month + 1, np.array([lat]))
    assert (demand >= 0).all() and (warmer >= demand).all()
    assert (demand == 0).all() == (temperature <= -5)


def test_western_slopes_are_wet_and_the_desert_is_dry():
    olympic, plateau, mojave = landscape(
        [-123.8, -119.0, -115.0], [47.5, 47.0, 34.8]
    ).climate.annual_precipitation
    assert olympic > 3 * plateau > 3 * mojave


# Normals invented for the purpose, in the manner of Phoenix, Minneapolis, Los Angeles, Atlanta,
# Singapore and Barrow; their classes follow from the published criteria.
CASES = [
    (4, [13, 15, 18, 22, 27, 32, 35, 34, 31, 25, 17, 12], [20] * 6 + [25] * 6),
    (
        25,
        [-9, -6, 1, 9, 16, 21, 24, 22, 17, 10, 1, -7],
        [25, 22, 45, 65, 85, 105, 105, 100, 80, 60, 40, 28],
    ),
    (
        8,
        [14, 14, 15, 17, 18, 20, 23, 23, 22, 20, 17, 14],
        [80, 90, 60, 25, 8, 2, 1, 1, 5, 15, 30, 70],
    ),
    (14, [6, 8, 12, 17, 21, 25, 27, 26, 23, 17, 12, 8], [110] * 12),
    (1, [27] * 12, [200] * 12),
    (29, [-25, -26, -25, -17, -6, 2, 5, 4, 0, -8, -17, -23], [10] * 12),
    (
        7,
        [-4, -2, 3, 8, 13, 18, 22, 21, 16, 9, 2, -3],
        [9, 9, 18, 28, 40, 36, 32, 28, 22, 18, 14, 10],
    ),
]


@pytest.mark.parametrize(("number", "temperature", "rain"), CASES)
def test_koppen_classes(number, temperature, rain):
    assert koppen(weather(temperature, rain)).tolist() == [number]


def test_bioclimatic_quarters_run_across_the_new_year():
    rain = np.array([100, 10, 10, 10, 10, 10, 10, 10, 10, 10, 90, 95.0])
    temperature = 10 - 10 * np.cos(2 * np.pi * (MONTH - 0.5) / 12)
    bio = bioclimatic(weather(list(temperature), list(rain)))
    assert bio["BIO16"][0] == 285  # November to January
    assert bio["BIO13"][0] == 100 and bio["BIO14"][0] == 10
    assert bio["BIO8"][0] < bio["BIO1"][0] < bio["BIO10"][0]
    assert bio["BIO19"][0] > bio["BIO18"][0]
    assert bio["BIO7"][0] == bio["BIO5"][0] - bio["BIO6"][0]


# ------------------------------------------------------------------------- soils and vegetation
def test_texture_classes_of_the_triangle():
    clay = np.array([60, 45, 40, 33, 34, 28, 18, 15, 10, 5, 6, 4.0])
    silt = np.array([20, 45, 7, 34, 56, 10, 40, 65, 25, 87, 12, 5.0])
    assert texture_class(clay, silt, 100 - clay - silt).tolist() == list(range(1, 13))


@unhurried
@given(st.floats(0, 100), st.floats(0, 1))
def test_every_texture_has_a_class(clay, part):
    silt = (100 - clay) * part
    number = texture_class(np.array([clay]), np.array([silt]), np.array([100 - clay - silt]))
    assert 1 <= number[0] <= 12


@unhurried
@given(st.floats(-10, 35), st.floats(0, 4000))
def test_miami_is_limited_by_the_scarcer_of_warmth_and_water(temperature, rain):
    production = miami(temperature, rain)
    assert 0 <= production < 3000
    assert miami(temperature + 1, rain) >= production <= miami(temperature, rain + 10)
    assert miami(temperature, 0) == 0


def test_litter_is_production_less_the_export():
    number = np.arange(len(CLASSES))
    litter = litter_input(Vegetation(number, np.full(len(number), 600.0)))
    np.testing.assert_allclose(litter.sum(axis=1), 600 * (1 - by_class("export")), rtol=1e-12)
    wood = litter[:, 0] / litter.sum(axis=1)
    assert wood[CLASSES.index("evergreen forest")] > 4 * wood[CLASSES.index("cropland")]
    assert (litter >= 0).all()


def test_an_unknown_vegetation_class_is_an_error():
    with pytest.raises(ValueError):
        Vegetation(np.array([0]), np.array([1.0])).is_class("tundra")


# --------------------------------------------------------------------------------- soil climate
def test_a_sunken_wave_obeys_the_heat_equation():
    # Over one damping depth the year's wave loses 1 - 1/e and lags by 12 / (2 pi) months.
    phase = 2 * np.pi * np.arange(12) / 12
    wave = soil_climate.damped(np.cos(phase)[None], np.array([[0.0, 1.0, 5.0]]))[0]
    harmonic = np.fft.rfft(wave, axis=1)[:, 1] / 6
    np.testing.assert_allclose(np.abs(harmonic), np.exp([0.0, -1.0, -5.0]), rtol=1e-12)
    assert -np.angle(harmonic[1]) == pytest.approx(1.0)
    np.testing.assert_allclose(wave.mean(axis=1), 0, atol=1e-15)


@unhurried
@given(st.floats(0.05, 1.0))
def test_water_potential_inverts_clms_scalar(scalar):
    psi = float(soil_climate.water_potential(scalar))
    assert -2 <= psi <= -0.002 * (1 - 1e-12)
    assert np.log(-2.0 / psi) / np.log(-2.0 / -0.002) == pytest.approx(scalar, rel=1e-9)


def test_frozen_and_dry_soil_decomposes_little():
    wet, dry = np.full((1, 1, 1), 0.9), np.full((1, 1, 1), 0.05)
    mild, frozen = np.full((1, 1, 1), 283.0), np.full((1, 1, 1), 265.0)
    upland, bog = np.array([False]), np.array([True])
    scalar = soil_climate.water_scalar
    assert scalar(wet, mild, upland) > 3 * scalar(dry, mild, upland)
    assert scalar(wet, mild, upland) > 3 * scalar(wet, frozen, upland)
    assert scalar(wet, mild, bog) > scalar(wet, mild, upland)
    assert scalar(dry / 100, frozen, upland) == 0.05


@unhurried
@given(st.floats(0.05, 50))
def test_bedrock_lies_in_its_layer_on_both_grids(depth):
    for grid, shallowest in ((CLM5, 8), (CLM45, 7)):
        number = int(soil_climate.bedrock_layer(np.array([depth]), grid)[0])
        assert shallowest <= number <= grid.layers
        if grid.top[shallowest - 1] < depth < grid.interface[-1]:
            assert grid.top[number - 1] <= depth <= grid.interface[number - 1]


# ---------------------------------------------------------------------------------------- truth
def environment(**changes: float) -> dict[str, np.ndarray]:
    """Return drivers of one humid, average upland place without a special vegetation class."""
    driver = {name: np.zeros(1) for name in drivers(land())}
    driver["humid"] = np.array([0.5])
    return driver | {name: np.array([value]) for name, value in changes.items()}


def response(parameter: str, **changes: float) -> float:
    return float(effect(environment(**changes))[0, index(parameter)])


@unhurried
@given(st.floats(-2, 2), st.floats(0.05, 1), st.floats(0, 2.5), st.sampled_from(["fs1s2", "fs1s3"]))
def test_carbon_use_falls_with_temperature(warm, step, clay, parameter):
    cold = response(parameter, warm=warm, clay=clay)
    assert response(parameter, warm=warm + step, clay=clay) < cold


@unhurried
@given(st.floats(-2, 2), st.floats(-2.4, 2), st.floats(0.05, 1))
def test_carbon_use_rises_with_clay(warm, clay, step):
    for parameter in ("fs1s2", "fs1s3", "fs2s3", "fl1s1"):
        lean = response(parameter, warm=warm, clay=clay)
        assert response(parameter, warm=warm, clay=clay + step) > lean


@pytest.mark.parametrize(
    ("parameter", "driver", "sign"),
    [
        ("tau4s2", "wetland", 1),
        ("tau4s3", "wetland", 1),
        ("tau4s3", "subsoil_clay", 1),
        ("efolding", "cropland", 1),
        ("efolding", "subsoil_clay", 1),
        ("efolding", "coarse_fragments", -1),
        ("w-scaling", "humid", -1),
        ("w-scaling", "rain_seasonality", 1),
        ("q10", "humid", 1),
        ("beta", "shrubland", 1),
        ("beta", "wetland", -1),
        ("diffus", "cropland", -1),
        ("fcwdl2", "evergreen_forest", -1),
        ("cryo", "elevation", 1),
    ],
)
def test_signs_of_the_effects(parameter, driver, sign):
    start = environment()[driver][0]
    change = response(parameter, **{driver: start + 0.5}) - response(parameter)
    assert sign * change > 0


def test_carbon_use_touches_transfers_only():
    warming = effect(environment(warm=1.0)) - effect(environment())
    untouched = [index(name) for name in ("taul1", "fcwdl2", "beta", "efolding")]
    lower = [p.name for p, change in zip(PARAMETERS, warming[0], strict=True) if change < -0.2]
    assert {"fs1s2", "fs1s3", "fs2s3"} <= set(lower)
    assert np.abs(warming[0, untouched]).max() == 0


def test_calcium_bridges_slightly_alkaline_soil_best():
    best = response("fs1s3", alkaline=0.7)
    assert best > response("fs1s3", alkaline=0.0)
    assert best > response("fs1s3", alkaline=2.0)


def test_table_of_truth_names_parameters_and_terms():
    spec = tables.table("truth")
    assert {row["name"] for row in spec["parameter"]} == set(NAMES)
    known = set(terms(environment()))
    used = {name for row in spec["parameter"] for name in row["terms"]}
    used |= set(spec["carbon_use_efficiency"])
    assert used <= known


# ------------------------------------------------------------------------------------- sampling
def test_streams_are_independent():
    first = {name: sampling.stream(name).normal(size=2000) for name in ("noise", "nugget", "order")}
    again = sampling.stream("noise").normal(size=2000)
    np.testing.assert_array_equal(first["noise"], again)
    correlation = np.corrcoef(list(first.values()))
    assert np.abs(correlation - np.eye(3)).max() < 0.1


def test_shallow_bedrock_shortens_profiles_and_leaves_the_others_alone():
    deep = sampling.profile_depths(np.full(50, 8.6))
    mixed = np.full(50, 8.6)
    mixed[10] = 0.3
    shallow = sampling.profile_depths(mixed)
    assert np.nanmax(shallow[10]) < 0.3
    keep = np.arange(50) != 10
    np.testing.assert_array_equal(shallow[keep], deep[keep])


def test_depths_do_not_change_the_errors():
    soc = np.full((20, sampling.MAX_LAYERS), 1e4)
    vegetation = np.zeros(20, dtype=int)
    depth = np.full_like(soc, 0.5)
    full = sampling.observe(soc, depth, vegetation)
    missing = soc.copy()
    missing[:, 3:] = np.nan
    part = sampling.observe(missing, depth, vegetation)
    np.testing.assert_array_equal(part.soc[:, :3], full.soc[:, :3])
    assert np.isnan(part.soc[:, 3:]).all()
