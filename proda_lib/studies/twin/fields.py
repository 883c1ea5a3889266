"""Random fields: smooth functions of position that make the synthetic landscape irregular."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from proda_lib.studies.twin.geometry import albers, land_cells
from proda_lib.studies.twin.tables import seed, table

__all__ = ["RandomField", "draw_field", "hidden_fields", "landscape_field"]

FloatArray = NDArray[np.float64]

_ROWS = 2048  # points evaluated at once: keeps the cosine table in the processor's cache


@dataclass(frozen=True, eq=False)
class RandomField:
    """One realisation of a stationary Matern field, evaluated anywhere in the Albers plane.

    f(p) = sqrt(2/M) sum_m cos(k_m . p + phi_m), the random Fourier features of Rahimi and Recht
    (2007). As a function of position it gives sites and cells the same value at the same place, and
    more sites change nothing.

    Attributes
    ----------
    wavenumber : ndarray, shape (features, 2)
        k, radians per km.
    phase : ndarray, shape (features,)
        phi, radians.
    mean, sd : float
        Of the raw field over the land cells; the field returns (raw - mean) / sd.
    """

    wavenumber: FloatArray
    phase: FloatArray
    mean: float = 0.0
    sd: float = 1.0

    def __call__(self, x: FloatArray, y: FloatArray) -> FloatArray:
        """Return the standardised field (mean 0, sd 1 over the land) at Albers x, y in km."""
        out = np.empty(len(x))
        for start in range(0, len(x), _ROWS):
            rows = slice(start, start + _ROWS)
            angle = np.outer(x[rows], self.wavenumber[:, 0])
            angle += np.outer(y[rows], self.wavenumber[:, 1])
            angle += self.phase
            out[rows] = np.cos(angle, out=angle).sum(axis=1)
        return (np.sqrt(2 / len(self.phase)) * out - self.mean) / self.sd


def draw_field(number: int, length_km: float, smoothness: float, features: int) -> RandomField:
    """Draw a Matern field and standardise it over the land cells.

    The spectral density of a Matern covariance with smoothness nu in two dimensions is a Student t
    with 2 nu degrees of freedom (Rasmussen and Williams 2006, chapter 4), so wave numbers are
    k = z / l sqrt(2 nu / chi2), z standard normal.

    Parameters
    ----------
    number : int
        Second number of the seed.
    length_km : float
        Length scale l, km.
    smoothness : float
        nu; 0.5 is rough (exponential covariance), 1.5 smooth.
    features : int
        Number of cosines.

    Examples
    --------
    >>> field = draw_field(1, 60, 1.5, 384)
    >>> values = field(*albers(*land_cells()))
    >>> abs(float(values.mean())) < 1e-12, round(float(values.std()), 12)
    (True, 1.0)
    """
    random = np.random.default_rng([seed(), number])
    z = random.normal(size=(features, 2))
    scale = np.sqrt(2 * smoothness / random.chisquare(2 * smoothness, features))
    wavenumber = z * (scale / length_km)[:, None]
    raw = RandomField(wavenumber, random.uniform(0, 2 * np.pi, features))
    values = raw(*albers(*land_cells()))
    return RandomField(raw.wavenumber, raw.phase, float(values.mean()), float(values.std()))


def _from_row(row: dict[str, Any]) -> RandomField:
    features = row.get("features", table("fields")["features"])
    return draw_field(row["id"], row["length_km"], row["smoothness"], features)


@cache
def landscape_field(name: str) -> RandomField:
    """Return one of the 20 fields behind climate, soil and vegetation (tables/fields.toml).

    Examples
    --------
    >>> landscape_field("clay") is landscape_field("clay")
    True
    """
    return _from_row(table("fields")["landscape"][name])


@cache
def hidden_fields(parameters: int) -> tuple[dict[str, RandomField], tuple[RandomField, ...]]:
    """Return the fields that shape the true parameters and appear in no covariate.

    Parameters
    ----------
    parameters : int
        Number of parameters.

    Returns
    -------
    by_process : dict
        One field per process, shared by its parameters.
    by_parameter : tuple
        One field per parameter.
    """
    spec = table("fields")
    by_process = {name: _from_row(row) for name, row in spec["hidden_by_process"].items()}
    own = spec["hidden_by_parameter"]
    by_parameter = tuple(_from_row(own | {"id": own["first_id"] + i}) for i in range(parameters))
    return by_process, by_parameter
