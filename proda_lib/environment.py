"""Environmental scalars: how temperature, water, air, nitrogen and depth slow decomposition.

They multiply the baseline decomposition rate and make up xi of equation 37.1. All functions work
elementwise on arrays of any shape.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = [
    "MAXPSI",
    "MINPSI",
    "depth_scalar",
    "temperature_scalar",
    "water_potential_scalar",
    "water_scalar",
]

FloatArray = NDArray[np.float64]

FREEZING = 273.15  # K
REFERENCE = 298.15  # K; the temperature at which the temperature scalar is 1

#: Water potential below which decomposition stops, MPa (parameter file, minpsi_hr).
MINPSI = -2.0
#: Water potential above which water does not limit decomposition, MPa (maxpsi_hr).
MAXPSI = -0.002


def temperature_scalar(
    temperature: ArrayLike, q10: ArrayLike, frozen_q10: ArrayLike | None = None
) -> FloatArray:
    """Temperature scalar xi_T: Q10 above freezing, a second Q10 in frozen soil.

    xi_T = q10^((T - 298.15)/10) for T >= 273.15 K, else q10^(-2.5) frozen_q10^((T - 273.15)/10);
    1 at 25 degrees Celsius and continuous at freezing (specification 3.3).

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
    temperature = np.asarray(temperature, dtype=float)
    q10 = np.asarray(q10, dtype=float)
    if frozen_q10 is None:
        # One power instead of two: with equal sensitivities the two branches are one function.
        return np.power(q10, (temperature - REFERENCE) / 10)
    thawed = np.power(q10, (np.maximum(temperature, FREEZING) - REFERENCE) / 10)
    frozen = np.power(frozen_q10, np.minimum(temperature - FREEZING, 0) / 10)
    return thawed * frozen


def water_scalar(scalar: ArrayLike, scaling: ArrayLike = 1.0) -> FloatArray:
    """Water scalar xi_W: CLM5's W_SCALAR times a calibrated factor, at most 1 (3.3).

    Examples
    --------
    >>> water_scalar([0.2, 0.8], 2.0).tolist()
    [0.4, 1.0]
    """
    return np.minimum(1.0, np.asarray(scaling, dtype=float) * np.asarray(scalar, dtype=float))


def water_potential_scalar(
    potential: ArrayLike,
    maxpsi: ArrayLike = MAXPSI,
    minpsi: float = MINPSI,
    floor: float = 0.05,
) -> FloatArray:
    """Water scalar from soil water potential, the chapter's own form (3.3).

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
    maxpsi = np.asarray(maxpsi, dtype=float)
    clipped = np.clip(np.asarray(potential, dtype=float), minpsi, maxpsi)
    return np.maximum(np.log(minpsi / clipped) / np.log(minpsi / maxpsi), floor)


def depth_scalar(node: ArrayLike, efolding: ArrayLike) -> FloatArray:
    """Depth scalar xi_D = exp(-z / efolding), z the layer node (3.3).

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
    return np.exp(-np.asarray(node, dtype=float) / np.asarray(efolding, dtype=float))
