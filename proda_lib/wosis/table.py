"""The table of layers: pieces put together, densities joined, carbon per volume computed."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from proda_lib.wosis.bulk_density import WHOLE_SOIL, fine_earth, measured, pedotransfer
from proda_lib.wosis.layout import DENSITY_CODES

__all__ = ["COLUMNS", "densities", "finish", "join"]

#: Columns of the table, one row per layer.
COLUMNS = (
    "profile", "layer", "lon", "lat", "upper_cm", "lower_cm", "soc_kg_m3", "oc_g_kg",
    "bulk_density_kg_m3", "coarse_fraction", "density_from", "date", "country",
    "positional_uncertainty", "dataset", "licence", "flags",
)  # fmt: skip

_NUMBERS = ("profile", "layer", "lon", "lat", "upper_cm", "lower_cm", "oc_g_kg")
_TEXTS = ("litter", "date", "country", "positional_uncertainty", "dataset", "licence")

#: Flags in the order in which they are written; each is a power of two in between.
_FLAGS = ("undated", "position_unknown", "coarse_unknown", "whole_soil_density", "litter")


def join(pieces: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Return pieces as one table, its texts as categories, sorted by profile and depth."""
    columns = {name: np.concatenate([piece[name].to_numpy() for piece in pieces])
               for name in _NUMBERS}  # fmt: skip
    for name in _TEXTS:
        columns[name] = pd.api.types.union_categoricals([piece[name] for piece in pieces])
    table = pd.DataFrame(columns).astype({"profile": "int64", "layer": "int64"})
    return table.sort_values(["profile", "upper_cm", "lower_cm"], kind="stable", ignore_index=True)


def densities(
    values: NDArray[np.float64], coarse: NDArray[np.float64], correct: bool
) -> tuple[NDArray[np.float64], NDArray[np.int8]]:
    """Return the measured density of each layer, and the position of its code.

    Parameters
    ----------
    values : array (layer, code)
        kg dm-3 in the order of `DENSITY_CODES`.
    coarse : array (layer)
        Coarse fragments, 0 to 1 by volume; NaN where unknown.
    correct : bool
        Whether coarse fragments are taken off; then a density of the whole soil is converted to
        that of its fine earth, as far as the fragments are known.

    Returns
    -------
    density, code
        kg m-3 (NaN where not measured), and -1 where not measured.
    """
    density, code = measured(values)
    if correct:
        turn = (code >= 0) & WHOLE_SOIL[code] & (coarse > 0) & (coarse < 1)
        density[turn] = fine_earth(density[turn], coarse[turn])
    return density, code


def finish(
    layers: pd.DataFrame,
    density: NDArray[np.float64],
    code: NDArray[np.int8],
    coarse: NDArray[np.float64],
    correct: bool,
    litter: NDArray[np.bool_],
) -> pd.DataFrame:
    """Return the table with density, its origin, carbon per volume, dates and flags.

    SOC density (kg m-3) = organic carbon (g kg-1) / 1000 x bulk density (kg m-3), as in the
    original's pedo_transfer_uncertainty.R, times (1 - coarse fragments) if they are taken off,
    which the original does not do. Unknown fragments count as none, and are flagged.

    Parameters
    ----------
    layers : DataFrame
        As `join` gives it.
    density, code, coarse : array (layer)
        As from `densities`, coarse fragments 0 to 1.
    correct : bool
        Whether coarse fragments are taken off.
    litter : array of bool (layer)
        Which layers are flagged as litter.
    """
    carbon = layers["oc_g_kg"].to_numpy()
    guessed = code < 0
    bulk = np.where(guessed, pedotransfer(carbon), density)
    fine = 1 - np.nan_to_num(coarse) if correct else 1.0
    origin = ["pedotransfer", *(f"measured: {one}" for one in DENSITY_CODES)]
    dates = _dates(layers["date"])
    flagged = (
        dates.isna(), layers["positional_uncertainty"].isna(), np.isnan(coarse),
        ~guessed & WHOLE_SOIL[code], litter,
    )  # fmt: skip
    return layers.assign(
        soc_kg_m3=carbon / 1000 * bulk * fine,
        bulk_density_kg_m3=bulk,
        coarse_fraction=coarse,
        density_from=pd.Categorical.from_codes(code + 1, origin),
        date=dates,
        flags=_flags(flagged),
    )[list(COLUMNS)]


def _dates(texts: pd.Series) -> pd.Categorical:
    """Return dates as far as they are known: 2009-??-?? is 2009, {1:1987-05-01} 1987-05-01."""
    kinds = pd.Series(texts.cat.categories.astype(str))
    known = kinds.str.extract(r"(\d{4}(?:-\d\d(?:-\d\d)?)?)")[0]
    return pd.Categorical(np.append(known.to_numpy(object), None)[texts.cat.codes.to_numpy()])


def _flags(flagged: Sequence[object]) -> pd.Categorical:
    bits = sum(np.asarray(one, int) << number for number, one in enumerate(flagged))
    words = [
        ";".join(word for number, word in enumerate(_FLAGS) if bit >> number & 1)
        for bit in range(1 << len(_FLAGS))
    ]
    return pd.Categorical.from_codes(bits, words).remove_unused_categories()
