"""Environmental scalars: how temperature, water, air, nitrogen and depth slow decomposition.

They multiply the baseline decomposition rate and make up xi of equation 37.1. All functions work
elementwise on arrays of any shape.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from proda_lib.arrays import namespace

__all__ = [
    "MAXPSI",
    "MINPSI",
    "depth_scalar",
    "modifiers",
    "temperature_scalar",
    "water_potential_scalar",
    "water_scalar",
]

FloatArray = NDArray[np.float64]

FREEZING = 273.15  # K
REFERENCE = 298.15  # K; the temperature at which the temperature scalar is 1

SMALLEST_EXPONENT = -300.0  # 1; of the depth scalar

#: Water potential below which decomposition stops, MPa (parameter file, minpsi_hr).
MINPSI = -2.0
#: Water potential above which water does not limit decomposition, MPa (maxpsi_hr).
MAXPSI = -0.002


def temperature_scalar(
    temperature: ArrayLike, q10: ArrayLike, frozen_q10: ArrayLike | None = None
) -> FloatArray:
    """Temperature scalar xi_T: Q10 above freezing, a second Q10 in frozen soil.

    xi_T = q10^((T - 298.15)/10) for T >= 273.15 K, else q10^(-2.5) frozen_q10^((T - 273.15)/10);
    1 at 25 degrees Celsius and continuous at freezing (kk_matrix.m of the original).

    Parameters
    ----------
    temperature : array_like
        Soil temperature, K.
    q10, frozen_q10 : array_like
        Temperature sensitivities, 1; `frozen_q10` is `q10` where it is not given, as calibrated.

    Returns
    -------
    ndarray
        xi_T, 1.

    Examples
    --------
    >>> temperature_scalar([298.15, 288.15, 273.15], 2.0).round(4).tolist()
    [1.0, 0.5, 0.1768]
    """
    xp = namespace(temperature, q10)
    temperature = xp.asarray(temperature)
    if frozen_q10 is None:
        # With equal sensitivities the two branches are one function: one exponential, not two.
        return xp.exp((temperature - REFERENCE) * (xp.log(q10) / 10))
    thawed = xp.exp((xp.maximum(temperature, FREEZING) - REFERENCE) * (xp.log(q10) / 10))
    return thawed * xp.exp(xp.minimum(temperature - FREEZING, 0) * (xp.log(frozen_q10) / 10))


def water_scalar(scalar: ArrayLike, scaling: ArrayLike = 1.0) -> FloatArray:
    """Water scalar xi_W: CLM5's W_SCALAR times a calibrated factor, at most 1 (kk_matrix.m).

    Examples
    --------
    >>> water_scalar([0.2, 0.8], 2.0).tolist()
    [0.4, 1.0]
    """
    xp = namespace(scalar, scaling)
    return xp.minimum(1.0, scaling * xp.asarray(scalar))


def water_potential_scalar(
    potential: ArrayLike,
    maxpsi: ArrayLike = MAXPSI,
    minpsi: float = MINPSI,
    floor: float = 0.05,
) -> FloatArray:
    """Water scalar from soil water potential, the chapter's own form.

    xi_W = ln(minpsi/psi) / ln(minpsi/maxpsi) with psi at most maxpsi, 0 below minpsi, and not less
    than `floor` (Andren & Paustian 1987; Orchard & Cook 1983). `maxpsi` is calibrated.

    Parameters
    ----------
    potential : array_like
        Soil water potential, MPa, not positive.
    maxpsi, minpsi : float
        Potentials of full and of no decomposition, MPa.
    floor : float
        Smallest scalar, 1.

    Examples
    --------
    >>> water_potential_scalar([-0.001, -0.02, -5.0]).round(3).tolist()
    [1.0, 0.667, 0.05]
    """
    xp = namespace(potential, maxpsi)
    clipped = xp.clip(xp.asarray(potential), minpsi, maxpsi)
    return xp.maximum(xp.log(minpsi / clipped) / xp.log(minpsi / maxpsi), floor)


def depth_scalar(node: ArrayLike, efolding: ArrayLike) -> FloatArray:
    """Depth scalar xi_D = exp(-z / efolding), z the layer node (kk_matrix.m).

    Not less than exp(-300): an efolding of millimetres would make rates too small for a number,
    and what decays 1e130 times slower than the surface does not decay.

    Parameters
    ----------
    node : array_like
        Depth of the layer nodes, m.
    efolding : array_like
        e-folding depth, m, greater than 0.

    Examples
    --------
    >>> depth_scalar([0.0, 1.0], 0.5).round(4).tolist()
    [1.0, 0.1353]
    """
    xp = namespace(node, efolding)
    return xp.exp(xp.maximum(-xp.asarray(node) / efolding, SMALLEST_EXPONENT))


def modifiers(
    temperature: ArrayLike,
    water: ArrayLike,
    oxygen: ArrayLike,
    nitrogen: ArrayLike,
    depth: ArrayLike,
) -> tuple[FloatArray, FloatArray]:
    """Environmental modifier xi of soil and debris, and that of litter, yearly means (kk_matrix.m).

    The mean over months of xi_T xi_W xi_O times xi_D, the mean of the product and not the product
    of the means; nitrogen xi_N limits the litters only.

    Parameters
    ----------
    temperature, water, oxygen, nitrogen : array_like, shape (..., 12, layers)
        Monthly scalars, 1.
    depth : array_like, shape (..., layers)
        Depth scalar, 1.

    Returns
    -------
    soil, litter : ndarray, shape (..., layers)

    Examples
    --------
    >>> ones = np.ones((12, 1))
    >>> [float(xi[0]) for xi in modifiers(0.5 * ones, ones, ones, 0.5 * ones, [0.2])]
    [0.1, 0.05]
    """
    soil = temperature * water * oxygen
    return soil.mean(-2) * depth, (soil * nitrogen).mean(-2) * depth
