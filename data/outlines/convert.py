"""Make the outlines of the maps from two npm packages (run by hand, once).

    npm pack us-atlas@3.0.1 world-atlas@2.0.2
    for archive in *.tgz; do mkdir "${archive%.tgz}"; tar -xzf "$archive" -C "${archive%.tgz}"; done
    python convert.py us-atlas-3.0.1/package/states-10m.json \
        world-atlas-2.0.2/package/countries-50m.json

Both packages hold TopoJSON: quantised, delta-coded arcs that neighbours share. The output is
plain GeoJSON in degrees, simplified to 0.01 degrees (states) and 0.03 degrees (backdrop).
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry import MultiPolygon, Polygon, box, mapping

#: FIPS codes that are not among the lower 48 states and the District of Columbia.
OUTSIDE_CONUS = {"02", "15", "60", "66", "69", "72", "78"}
#: West, south, east, north of the backdrop, degrees.
BACKDROP = (-130.0, 20.0, -60.0, 55.0)
#: ISO 3166 numeric code of the United States, whose land the states draw.
UNITED_STATES = "840"
DECIMALS = 3


def arcs_of(topology: dict[str, Any]) -> list[NDArray[np.float64]]:
    """Decode the arcs: a running sum of integer steps, scaled and shifted, degrees."""
    scale, shift = (np.array(topology["transform"][key]) for key in ("scale", "translate"))
    return [np.cumsum(np.array(arc), axis=0) * scale + shift for arc in topology["arcs"]]


def ring(numbers: list[int], arcs: list[NDArray[np.float64]]) -> NDArray[np.float64]:
    """Join arcs to a ring; a negative number ~i is arc i backwards, joints occur once."""
    parts = [arcs[i] if i >= 0 else arcs[~i][::-1] for i in numbers]
    return np.concatenate([parts[0], *(part[1:] for part in parts[1:])])


def geometry(item: dict[str, Any], arcs: list[NDArray[np.float64]]) -> MultiPolygon:
    """Build the shape of one TopoJSON geometry, degrees."""
    polygons = item["arcs"] if item["type"] == "MultiPolygon" else [item["arcs"]]
    return MultiPolygon(
        [Polygon(ring(p[0], arcs), [ring(hole, arcs) for hole in p[1:]]) for p in polygons]
    )


def tidy(shape: shapely.Geometry, tolerance: float) -> shapely.Geometry:
    """Simplify to a tolerance (degrees), round, and keep only valid polygons."""
    return shapely.set_precision(shape.simplify(tolerance), 10.0**-DECIMALS)


def coordinates(nested: Any) -> Any:
    """Turn nested tuples of numbers into lists, without the noise of binary fractions."""
    if isinstance(nested, (list, tuple)):
        return [coordinates(part) for part in nested]
    return round(nested, DECIMALS)


def feature(shape: shapely.Geometry, **properties: str) -> dict[str, Any]:
    """Return a GeoJSON feature."""
    shape = mapping(shape)
    shape["coordinates"] = coordinates(shape["coordinates"])
    return {"type": "Feature", "properties": properties, "geometry": shape}


def save(path: Path, features: list[dict[str, Any]]) -> None:
    """Write a GeoJSON feature collection without spaces."""
    collection = {"type": "FeatureCollection", "features": features}
    path.write_text(json.dumps(collection, separators=(",", ":")), encoding="utf-8")
    print(f"{path.name}: {len(features)} features, {path.stat().st_size / 1000:.0f} kB")


def states(topology: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the lower 48 states and the District of Columbia."""
    arcs = arcs_of(topology)
    return [
        feature(
            tidy(geometry(item, arcs), 0.01),
            fips=item["id"],
            name=item["properties"]["name"],
        )
        for item in topology["objects"]["states"]["geometries"]
        if item["id"] not in OUTSIDE_CONUS
    ]


def neighbours(topology: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the land around the United States, clipped to BACKDROP."""
    arcs, window, features = arcs_of(topology), box(*BACKDROP), []
    for item in topology["objects"]["countries"]["geometries"]:
        if item.get("id") == UNITED_STATES or not item.get("arcs"):
            continue
        land = shapely.make_valid(geometry(item, arcs)).intersection(window)
        # Islands smaller than 0.02 square degrees (some 200 km2) do not show at this scale.
        parts = [p for p in shapely.get_parts(land) if p.geom_type == "Polygon" and p.area > 0.02]
        if parts:
            features.append(
                feature(tidy(MultiPolygon(parts), 0.03), name=item["properties"]["name"])
            )
    return features


def main(states_file: str, countries_file: str) -> None:
    """Write both outlines beside this script."""
    folder = Path(__file__).resolve().parent
    read = (json.loads(Path(name).read_text("utf-8")) for name in (states_file, countries_file))
    save(folder / "conus_states.geojson", states(next(read)))
    save(folder / "neighbours_land.geojson", neighbours(next(read)))


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("give two files: states-10m.json of us-atlas, countries-50m.json of world-atlas")
    main(*sys.argv[1:])
