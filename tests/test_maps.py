"""Maps: equal areas, outlines without a network, values where they belong."""

from __future__ import annotations

import importlib.util
import os
import socket
from types import SimpleNamespace

import matplotlib
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

matplotlib.use("Agg")

import cartopy.crs as ccrs
import matplotlib.pyplot as plt
from cartopy.geodesic import Geodesic
from pyproj import Geod

from proda_lib import maps, paths, plots

REAL, SYNTHETIC = SimpleNamespace(synthetic=False), SimpleNamespace(synthetic=True)
NEW_YORK = (-79.8, -71.8, 40.4, 45.1)
WORLD = (-180.0, 180.0, -60.0, 80.0)
EARTH = Geod(ellps="WGS84")


@pytest.fixture(autouse=True)
def closed():
    """Close all figures of a test."""
    yield
    plt.close("all")


@pytest.fixture
def offline(monkeypatch):
    """Make every attempt to open a connection fail, and forget what was read."""

    def refuse(*_args, **_keywords):
        raise AssertionError("a map tried to open a network connection")

    monkeypatch.setattr(socket, "socket", refuse)
    monkeypatch.setattr(socket, "create_connection", refuse)
    maps.outline.cache_clear()


def _map(extent=maps.CONUS, study=REAL):
    figure, ax = plots.subplots(study, projection=maps.projection(extent))
    return figure, maps.frame(ax, extent)


def _square(lon, lat, steps=24):
    """Outline of a 1 x 1 degree cell, with points along its edges."""
    side, zero = np.linspace(-0.5, 0.5, steps), np.full(steps, 0.5)
    x = np.concatenate([side, zero, -side, -zero])
    y = np.concatenate([-zero, side, zero, -side])
    return lon + x, lat + y


def _area_ratio(projection, lon, lat):
    """Area on the map over area on the Earth."""
    x, y = _square(lon, lat)
    points = projection.transform_points(ccrs.PlateCarree(), x, y)[:, :2]
    return shapely.Polygon(points).area / abs(EARTH.polygon_area_perimeter(x, y)[0])


@pytest.mark.parametrize("extent", [maps.CONUS, NEW_YORK, WORLD])
@settings(max_examples=25, deadline=None)
@given(st.floats(0.0, 1.0), st.floats(0.0, 1.0))
def test_projections_keep_areas(extent, across, up):
    west, east, south, north = extent
    lon = west + 1 + across * (east - west - 2)
    lat = south + 1 + up * (north - south - 2)
    assert _area_ratio(maps.projection(extent), lon, lat) == pytest.approx(1.0, abs=1e-3)


def test_the_area_test_has_teeth():
    assert abs(_area_ratio(ccrs.Mercator(), -100.0, 45.0) - 1) > 0.5


def test_projection_suits_the_extent():
    albers = maps.projection(maps.CONUS)
    assert isinstance(albers, ccrs.AlbersEqualArea)
    assert (albers.proj4_params["lon_0"], albers.proj4_params["lat_0"]) == (-96.0, 37.5)
    assert (albers.proj4_params["lat_1"], albers.proj4_params["lat_2"]) == (29.5, 45.5)
    regional = maps.projection(NEW_YORK)
    assert regional.proj4_params["lon_0"] == pytest.approx(-75.8)


def test_whole_map_is_drawn_without_a_network(offline):
    figure, ax = _map(study=SYNTHETIC)
    maps.draw_cells(ax, [-100.0, -99.5], [40.0, 40.0], [1.0, 2.0], label="SOC (kgC m$^{-2}$)")
    figure.canvas.draw()
    assert [text.get_text() for text in figure.texts] == ["synthetic data"]
    assert ax.get_title() == ""


def test_outlines_are_the_lower_48_states():
    states = maps.outline("conus_states")
    area = sum(abs(EARTH.geometry_area_perimeter(s)[0]) for s in states) / 1e12
    # The Census Bureau's land area is 7.66 million km2; the file also holds inland water.
    assert len(states) == 49 and 7.66 < area < 7.95
    land = shapely.unary_union(states)
    inside = shapely.contains_xy(land, [-104.98, -84.39, -122.68], [39.74, 33.75, 45.52])
    outside = shapely.contains_xy(land, [-79.38, -106.07, -74.0], [43.70, 28.63, 38.0])
    assert inside.all() and not outside.any()  # Denver, Atlanta, Portland; Toronto, Chihuahua, sea


def test_half_degree_cells_inside_the_outline():
    lon, lat = np.meshgrid(np.arange(-124.75, -66, 0.5), np.arange(24.25, 50, 0.5))
    land = shapely.unary_union(maps.outline("conus_states"))
    assert shapely.contains_xy(land, lon.ravel(), lat.ravel()).sum() == 3279


def test_neighbours_do_not_cover_the_states():
    neighbours = shapely.unary_union(maps.outline("neighbours_land"))
    assert shapely.contains_xy(neighbours, [-79.38, -106.07], [43.70, 28.63]).all()
    assert not shapely.contains_xy(neighbours, [-104.98, -84.39], [39.74, 33.75]).any()


def test_shared_lakes_are_water():
    lakes = shapely.unary_union(maps.outline("lakes"))
    assert shapely.contains_xy(lakes, [-78.0, -82.0, -87.0], [43.6, 44.5, 47.7]).all()
    assert not shapely.contains_xy(lakes, [-79.38, -83.05], [43.80, 42.33]).any()  # two cities


def test_unknown_outline_names_those_there_are():
    with pytest.raises(FileNotFoundError, match="'mars' not found, there are: conus_states, lakes"):
        maps.outline("mars")


def test_outlines_are_small_and_attributed():
    folder = paths.data() / "outlines"
    readme = (folder / "README.md").read_text(encoding="utf-8")
    for path in folder.glob("*.geojson"):
        assert path.stat().st_size < 150_000 and f"`{path.name}`" in readme
    assert "public domain" in readme and "ISC" in readme


@settings(max_examples=20, deadline=None)
@given(st.floats(-120, -70), st.floats(26, 48), st.sampled_from([0.0, 360.0]))
def test_cells_lie_around_their_centres_with_their_true_area(lon, lat, turn):
    ax = plt.figure().add_subplot(projection=maps.projection(maps.CONUS))
    maps.draw_cells(ax, [lon + turn], [lat], [1.0], label="SOC (kgC m$^{-2}$)", bar=False)
    (drawn,) = ax.collections
    cell = shapely.Polygon(drawn.get_paths()[0].vertices)
    centre = ax.projection.transform_point(lon, lat, ccrs.PlateCarree())
    assert cell.contains(shapely.Point(centre))
    x, y = (np.array(v) for v in _square(0.0, 0.0))
    true = abs(EARTH.polygon_area_perimeter(lon + x / 2, lat + y / 2)[0])
    assert cell.area == pytest.approx(true, rel=2e-3)
    plt.close("all")


def test_cells_without_a_value_are_not_drawn_and_the_bar_has_the_unit():
    figure, ax = _map()
    lon, lat = np.meshgrid(np.arange(-100, -98, 0.5), np.arange(40, 42, 0.5))
    value = np.where(lon.ravel() > -99, np.nan, 7.0)
    maps.draw_cells(ax, lon.ravel(), lat.ravel(), value, label="SOC (kgC m$^{-2}$)", scale="log")
    drawn = ax.collections[-1]
    assert len(drawn.get_paths()) == np.isfinite(value).sum()
    assert drawn.get_cmap().name in ("viridis", "cividis")
    assert [a.get_xlabel() for a in figure.axes if a is not ax] == ["SOC (kgC m$^{-2}$)"]


def test_spacing_of_cells_is_that_of_their_centres():
    _, ax = _map(NEW_YORK)
    maps.draw_cells(ax, [-75.0, -74.375], [42.0, 42.4712], [1, 2], label="x (1)", bar=False)
    west, east = (shapely.Polygon(p.vertices).bounds for p in ax.collections[-1].get_paths())
    # Neighbours across the corner touch and do not overlap (slightly turned by the projection).
    assert abs(west[2] - east[0]) < 2000 and abs(west[3] - east[1]) < 2000


def test_sites_are_where_they_belong_extremes_on_top():
    _, ax = _map(NEW_YORK)
    lon, value = np.array([-75.0, 286.0, -73.0]), np.array([9.0, np.nan, -20.0])
    maps.draw_sites(ax, lon, [42.0, 43.0, 44.0], value, label="Difference (kgC m$^{-2}$)",
                    scale="diverging")  # fmt: skip
    drawn = ax.collections[-1]
    np.testing.assert_array_equal(drawn.get_array(), [9.0, -20.0])
    expected = ax.projection.transform_points(
        ccrs.PlateCarree(), np.array([-75.0, -73.0]), np.array([42.0, 44.0])
    )[:, :2]
    np.testing.assert_allclose(drawn.get_offsets(), expected)
    assert float(drawn.norm(0.0)) == 0.5


def test_sites_with_values_need_a_label():
    _, ax = _map(NEW_YORK)
    with pytest.raises(ValueError, match="say what they are, with the unit"):
        maps.draw_sites(ax, [-75.0], [42.0], [1.0])


def test_classes_have_a_legend_and_their_own_colours():
    _, ax = _map()
    names = ["forest", "grassland", "cropland"]
    maps.categories(ax, [-100.0, -99.5, -99.0], [40.0] * 3, [0, 2, np.nan], names)
    assert [text.get_text() for text in ax.get_legend().get_texts()] == names
    drawn = ax.collections[-1]
    colours = drawn.to_rgba(drawn.get_array())
    first, _, third = (matplotlib.colors.to_rgb(code) for code in plots.qualitative(3))
    np.testing.assert_allclose(colours[:, :3], [first, third])


def test_class_without_a_name_is_an_error():
    _, ax = _map()
    with pytest.raises(ValueError, match="class 3 has no name, 2 names given"):
        maps.categories(ax, [-100.0], [40.0], [3], ["a", "b"])


def test_extent_needs_a_place():
    with pytest.raises(ValueError, match="no places given"):
        maps.extent_of([], [])


def test_geodesic_agrees_about_the_frame():
    """A degree of latitude is 111 km on the map's scale as on the Earth's."""
    projection = maps.projection(NEW_YORK)
    ends = projection.transform_points(
        ccrs.PlateCarree(), np.full(2, -75.8), np.array([42.0, 43.0])
    )
    earth = Geodesic().inverse((-75.8, 42.0), (-75.8, 43.0))[0, 0]
    assert np.hypot(*np.diff(ends[:, :2], axis=0)[0]) == pytest.approx(earth, rel=1e-3)


def _converter():
    path = paths.data() / "outlines" / "convert.py"
    specification = importlib.util.spec_from_file_location("convert", path)
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


def test_converter_decodes_shared_and_reversed_arcs():
    """Two unit squares side by side: the arc between them is used once in each direction."""
    topology = {
        "transform": {"scale": [0.5, 0.5], "translate": [10.0, 20.0]},
        "arcs": [
            [[2, 0], [0, 2]],  # the border, northwards
            [[2, 2], [-2, 0], [0, -2], [2, 0]],  # round the west
            [[2, 0], [2, 0], [0, 2], [-2, 0]],  # round the east
        ],
    }
    convert = _converter()
    arcs = convert.arcs_of(topology)
    west = convert.geometry({"type": "Polygon", "arcs": [[0, 1]]}, arcs)
    east = convert.geometry({"type": "MultiPolygon", "arcs": [[[2, -1]]]}, arcs)
    assert west.equals(shapely.box(10, 20, 11, 21)) and east.equals(shapely.box(11, 20, 12, 21))


@pytest.mark.skipif(
    not os.environ.get("PRODA_MIRROR"), reason="needs real data: set PRODA_MIRROR to a mirror"
)
def test_real_sites_and_cells_can_be_drawn(tmp_path, monkeypatch):
    from proda_lib import studies

    monkeypatch.setenv("PRODA_CACHE", str(tmp_path))
    study = studies.load("newyork", "smoke")
    figure, axes = plots.subplots(study, 1, 2)
    plots.depth_distribution(axes[0], study.sites["observed_depth"], study.sites["observed_soc"])
    plots.forcing_of_site(plots.subplots(study, 3, 2)[1].flatten(), study.sites.isel(site=0))
    extent = maps.extent_of(study.grid["lon"], study.grid["lat"])
    _, ax = plots.subplots(study, projection=maps.projection(extent))
    maps.frame(ax, extent)
    cells = (study.grid[name] for name in ("lon", "lat", "bedrock_layer"))
    maps.draw_cells(ax, *cells, label="Layer (1)")
    box = shapely.box(*np.array(ax.get_extent())[[0, 2, 1, 3]])
    drawn = next(c for c in ax.collections if c.get_array() is not None)
    assert all(box.contains(shapely.Polygon(p.vertices)) for p in drawn.get_paths())
    assert figure.texts == []
