"""Synthetic files in the layout of the published study's inputs, for tests.

Full size (384 x 576 cells), but only a few cells hold numbers; all are made up.
"""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import xarray as xr
from scipy.io import savemat

from proda_lib.files import git_blob
from proda_lib.studies import download

COMMIT = "80899b39ad25b203330d4fe8fd3e4b67d72f602c"
BASE = f"Hardyxu8067/BINN/{COMMIT}/ENSEMBLE/INPUT_DATA"
CASE = "cesm2_simu/spinup_ss/sasu_f05_g16_checked_step4_cesm2_ss_4da_661_680_"
TABLES = "wosis_2019_snap_shot/"

#: Cells with numbers, (column from the west, row from the north): what they lie in.
NEW_YORK, KANSAS, BARREN, PERMAFROST = (168, 101), (127, 106), (111, 117), (464, 42)
CELLS = (NEW_YORK, KANSAS, BARREN, PERMAFROST)

#: lon, lat, country_id, country_name, greatest depth (cm), layers as (cm, gC m-3).
FALLING = [(5, 30_000.0), (20, 15_000.0), (60, 5_000.0)]
PROFILES = {
    "ordinary": (-74.75, 42.3, 1, 156, 120, FALLING),
    "tie": (-74.375, 42.1875, 1, 156, 120, FALLING[:2]),
    "single": (-74.75, 42.3, 1, 156, 120, FALLING[:1]),
    "sea": (-70.0, 40.0, 1, 156, 120, FALLING),
    "canada": (-74.75, 45.1, 2, 30, 120, FALLING),
    "alaska": (-150.0, 64.0, 1, 156, 120, FALLING),
    "gaps": (-100.2, 40.1, 1, 156, 120, [*FALLING, (80, 0.0), (np.nan, 4e3), (90, np.nan)]),
    "barren": (-110.1, 35.0, 1, 156, 120, FALLING),
    "zeros": (-100.2, 40.1, 1, 156, 120, [(5, 0.0), (20, 0.0)]),
    "rising": (-100.2, 40.1, 1, 156, 120, FALLING[::-1][:1] + [(90, 9_000.0)]),
    "shallow": (-100.2, 40.1, 1, 156, 40, FALLING),
    "withheld": (-100.2, 40.1, 68, 156, 120, FALLING),
    "siberia": (110.2, 70.2, 3, 40, 120, FALLING),
}
NAMES = list(PROFILES)

#: Half-degree cells: in New York, Kansas, the sea off it (no forcing), Canada, Siberia.
GRID = [(-74.75, 42.25), (-100.25, 40.25), (-72.25, 41.25), (-75.25, 45.75), (110.25, 70.25)]

_LAYERS = np.arange(20)[None, :]
_MONTHS = np.arange(12)[:, None]


def field(name: str, cell: tuple[int, int]) -> np.ndarray:
    """Return the made-up values of a field in a cell: (12,) or (12, 20)."""
    own = CELLS.index(cell)
    inputs = 0.0 if cell == BARREN else 1.0
    cold = cell == PERMAFROST
    return {
        "TSOI": (260.0 if cold else 280.0) + _MONTHS + 0.1 * _LAYERS + 2 * own,
        "W_SCALAR": 0.3 + 0.02 * _LAYERS + 0.01 * _MONTHS,
        "FPI_vr": 0.9 + 0 * _MONTHS - 0.01 * _LAYERS,
        "SOILPSI": -0.01 * (1 + _LAYERS) * (1 + own) + 0 * _MONTHS,
        "CELLSAND": 30.0 + own + _LAYERS + 0 * _MONTHS,
        "CWD_INPUT_ACC_VECTOR": inputs * (40.0 + _MONTHS) * np.exp(-_LAYERS / 3),
        "LITR1_INPUT_ACC_VECTOR": inputs * (30.0 + 0 * _MONTHS) * np.exp(-_LAYERS / 3),
        "LITR2_INPUT_ACC_VECTOR": inputs * (50.0 + 0 * _MONTHS) * np.exp(-_LAYERS / 3),
        "LITR3_INPUT_ACC_VECTOR": inputs * (25.0 + 0 * _MONTHS) * np.exp(-_LAYERS / 3),
        "ALTMAX": np.full(12, 0.7 if cold else 42.0),
        "ALTMAX_LASTYEAR": np.full(12, 0.8 if cold else 42.0),
        "nbedrock": np.full(12, 12.0 + own),
        "NPP": np.full(12, -1e-9 if cell == BARREN else 1.2e-5 + 1e-6 * own),
    }[name]


FIELDS_2D = ("ALTMAX", "ALTMAX_LASTYEAR", "nbedrock", "NPP")
FIELDS_3D = (
    "TSOI", "W_SCALAR", "FPI_vr", "SOILPSI", "CELLSAND", "CWD_INPUT_ACC_VECTOR",
    "LITR1_INPUT_ACC_VECTOR", "LITR2_INPUT_ACC_VECTOR", "LITR3_INPUT_ACC_VECTOR",
)  # fmt: skip


def write_field(path: Path, name: str, *, variable: str = "var_record_monthly_mean") -> None:
    """Write a field as MATLAB 7.3 does: HDF5 behind a header of 512 bytes."""
    layers = (20,) if name in FIELDS_3D else ()
    path.parent.mkdir(parents=True, exist_ok=True)
    with h5py.File(path, "w", userblock_size=512) as file:
        data = file.create_dataset(
            variable, (12, *layers, 576, 384), chunks=(12, *layers, 1, 384), compression="gzip",
            fillvalue=np.nan, dtype="f8",
        )  # fmt: skip
        data.attrs["MATLAB_class"] = np.bytes_("double")
        for lon, lat in CELLS:
            data[..., lon, lat] = field(name, (lon, lat))
    with path.open("r+b") as stream:
        stream.write(b"MATLAB 7.3 MAT-file, synthetic, HDF5 schema 1.00 .".ljust(124))
        stream.write(b"\x00\x02IM")


def write_matrix(path: Path, name: str, rows: np.ndarray, engine: str = "h5netcdf") -> None:
    """Write a table as MATLAB's netCDF shows it to others: columns first."""
    path.parent.mkdir(parents=True, exist_ok=True)
    xr.Dataset({name: (("column", "row"), np.asarray(rows, dtype=float).T)}).to_netcdf(
        path, engine=engine
    )


def write_env(path: Path, rows: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    savemat(path, {"EnvInfo": np.asarray(rows, dtype=float)})


def profile_rows() -> np.ndarray:
    """Table of profiles; the source's number is 1000 + order number."""
    return np.array(
        [
            (1001 + i, country, name, lon, lat, len(layers), 1990)
            for i, (lon, lat, country, name, _, layers) in enumerate(PROFILES.values())
        ]
    )


def layer_rows() -> np.ndarray:
    own = [
        [(1001 + i, 1990, depth - 1, depth + 1, depth, 10.0, soc, 1.3, 0) for depth, soc in layers]
        for i, (*_, layers) in enumerate(PROFILES.values())
    ]
    # Not sorted by profile, and the layers of the first two alternate; one belongs to no profile.
    mixed = [row for pair in zip(own[0], own[1], strict=False) for row in pair]
    rest = [*own[0][len(own[1]) :], (5, 1990, 0, 2, 1, 10.0, 1e4, 1.3, 0)]
    return np.array([*(row for rows in own[:1:-1] for row in rows), *mixed, *rest])


def site_rows() -> np.ndarray:
    rows = np.arange(1, 82) + 100.0 * np.arange(len(PROFILES))[:, None]
    for i, (lon, lat, _, _, greatest, _) in enumerate(PROFILES.values()):
        rows[i, [0, 1, 3, 4, 72]] = i + 1, 1001 + i, lon, lat, greatest
    return rows


def grid_rows() -> np.ndarray:
    rows = np.arange(4, 81) + 1000.0 * np.arange(1, len(GRID) + 1)[:, None]
    rows[:, :2] = GRID
    return rows


def write_all(mirror: Path) -> Path:
    """Write every file that conus and global need; return the folder INPUT_DATA."""
    root = mirror / "github.com" / BASE
    for name in (*FIELDS_2D, *FIELDS_3D):
        write_field(root / f"{CASE}{name}.mat", name)
    snapshot = "wosis_2019_snapshot_hugelius_mishra"
    write_matrix(root / f"{TABLES}soc_profile_{snapshot}.nc", "soc_profile_info", profile_rows())
    layers = layer_rows()
    # One of the two as a netCDF of the classic kind: which the source's are is not known.
    write_matrix(
        root / f"{TABLES}soc_data_integrate_{snapshot}.nc", "data_soc_integrate", layers, "scipy"
    )
    write_env(root / f"{TABLES}{snapshot}_env_info.mat", site_rows())
    write_env(root / f"{TABLES}world_grid_envinfo_present.mat", grid_rows())
    listed = [NAMES.index(name) + 1 for name in ("ordinary", "gaps", "siberia")]
    savemat(
        root / f"{TABLES}eligible_profile_loc_0_cesm2_clm5_cen_vr_v2_whole_time.mat",
        {"eligible_loc_0": np.array(listed, dtype=np.int32)[:, None]},
    )
    return root


def write_registry(folder: Path, root: Path) -> None:
    """Register the made-up files under the names and addresses of the real ones."""
    lines = ['[conus]\nfiles_of = "published"\n[global]\nfiles_of = "published"\n']
    lines.append('[published]\nlicence = "synthetic"\n')
    for file in download.registry("conus"):
        blob = git_blob(root / file.name)
        lines.append(
            f'[[published.file]]\nname = "{file.name}"\naddress = "{file.address}"\n'
            f'git_blob = "{blob}"\n'
        )
    (folder / "registry.toml").write_text("".join(lines))
