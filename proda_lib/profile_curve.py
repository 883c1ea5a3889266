"""The curve of soil carbon between the depths of a profile: layers or an equal-area spline.

A profile is known by the mean of each of its layers. What lies between is a choice: one value per
layer, or the smooth curve of Bishop et al. (1999): a quadratic piece per layer, joined without
steps or kinks, level at both ends. It minimises the mean squared difference between its own layer
means and those given plus `smoothing` times the integral of its squared slope. As the smoothing
goes to 0 it keeps the carbon of every layer.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["Curve", "equal_area_spline", "uniform_layers"]

FloatArray = NDArray[np.float64]


class Curve(NamedTuple):
    """Polynomials of profiles, one per layer: constant + linear t + quadratic t^2.

    t is the depth below the layer's upper boundary, m.

    Attributes
    ----------
    bounds : ndarray, shape (n, layer + 1)
        Depths of the boundaries, m, from the surface down; padded ones repeat the deepest.
    constant, linear, quadratic : ndarray, shape (n, layer)
        gC m-3, gC m-4 and gC m-5; 0 where there is no further layer.
    """

    bounds: FloatArray
    constant: FloatArray
    linear: FloatArray
    quadratic: FloatArray

    def between(self, upper: ArrayLike, lower: ArrayLike, *, positive: bool = False) -> FloatArray:
        """Integrate between two depths, gC m-2, shape (n,); 0 beyond the layers.

        Parameters
        ----------
        upper, lower : array_like, shape () or (n,)
            Depths, m.
        positive : bool
            Count the curve as 0 where it is below 0.
        """
        ends = np.broadcast_arrays(np.zeros(len(self.bounds)), upper, lower)[1:]
        start, stop = (
            np.clip(end[:, None] - self.bounds[:, :-1], 0, np.diff(self.bounds, axis=1))
            for end in ends
        )
        if not positive:
            return (self._to(stop) - self._to(start)).sum(axis=1)
        # Between its zeros a piece has one sign.
        cuts = np.stack([start, *(np.clip(zero, start, stop) for zero in self._zeros()), stop])
        return np.maximum(np.diff(self._to(cuts), axis=0), 0).sum(axis=(0, 2))

    def _to(self, t: FloatArray) -> FloatArray:
        """Integrals of the pieces from 0 to t, gC m-2, shape of t."""
        return t * (self.constant + t * (self.linear / 2 + t * self.quadratic / 3))

    def _zeros(self) -> FloatArray:
        """Where the pieces are 0, t in m, the lesser first, shape (2, n, layer); 0 if nowhere."""
        root = self.linear**2 - 4 * self.quadratic * self.constant
        with np.errstate(all="ignore"):
            # Without loss of digits where the product of the zeros is small.
            half = -(self.linear + np.copysign(np.sqrt(root), self.linear)) / 2
            zeros = np.stack([half / self.quadratic, self.constant / half])
        return np.sort(np.nan_to_num(zeros, posinf=0.0, neginf=0.0), axis=0)


def uniform_layers(bounds: ArrayLike, mean: ArrayLike) -> Curve:
    """Return the curve that has each layer's mean throughout the layer.

    Parameters
    ----------
    bounds : array_like, shape (n, layer + 1)
        m, increasing from the surface; NaN pads.
    mean : array_like, shape (n, layer)
        gC m-3; NaN pads.

    Examples
    --------
    >>> uniform_layers([[0, 0.2, 1.0]], [[5e3, 1e3]]).between(0.1, 0.7).tolist()
    [1000.0]
    """
    bounds, mean = np.asarray(bounds, dtype=float), np.asarray(mean, dtype=float)
    constant = np.where(np.isfinite(mean), mean, 0.0)
    return Curve(_filled(bounds), constant, np.zeros_like(constant), np.zeros_like(constant))


def equal_area_spline(bounds: ArrayLike, mean: ArrayLike, smoothing: float = 0.1) -> Curve:
    """Return the equal-area quadratic spline of each profile (Bishop et al. 1999).

    Parameters
    ----------
    bounds : array_like, shape (n, layer + 1)
        m, increasing from the surface; NaN pads.
    mean : array_like, shape (n, layer)
        gC m-3; NaN pads.
    smoothing : float
        Lambda for depths in centimetres, cm; 0.1 is the usual choice. With 0 the carbon of every
        layer is kept.

    Raises
    ------
    ValueError
        If the smoothing is negative or infinite.

    Examples
    --------
    >>> curve = equal_area_spline([[0, 0.2, 1.0]], [[5e3, 1e3]], smoothing=0)
    >>> curve.between(0.0, 0.2).round(6).tolist(), curve.between(0.2, 1.0).round(6).tolist()
    ([1000.0], [800.0])
    """
    if not 0 <= smoothing < np.inf:
        raise ValueError(f"smoothing is {smoothing:g} cm: give 0 or a positive number")
    bounds, mean = np.asarray(bounds, dtype=float), np.asarray(mean, dtype=float)
    there = np.isfinite(mean)
    mean = np.where(there, mean, 0.0)
    thickness = np.where(there, np.diff(_filled(bounds), axis=1), 1.0)
    steps = _steps(there)
    slope_of_mean = 6 * np.linalg.solve(_stiffness(thickness, there), steps)
    # The integral of the squared slope is mean' penalty mean.
    penalty = steps.swapaxes(1, 2) @ slope_of_mean
    weight = smoothing / 100 * there.sum(axis=1)[:, None, None]  # of depths in metres
    smooth = np.linalg.solve(np.eye(mean.shape[1]) + weight * penalty, mean[..., None])
    slope = np.pad((slope_of_mean @ smooth)[..., 0], ((0, 0), (1, 1)))
    linear, quadratic = slope[:, :-1], np.diff(slope, axis=1) / (2 * thickness)
    constant = smooth[..., 0] - linear * thickness / 2 - quadratic * thickness**2 / 3
    return Curve(_filled(bounds), *(np.where(there, a, 0.0) for a in (constant, linear, quadratic)))


def _filled(bounds: FloatArray) -> FloatArray:
    """Let padded boundaries repeat the deepest."""
    return np.fmax.accumulate(bounds, axis=1)


def _steps(there: NDArray[np.bool_]) -> FloatArray:
    """Differences between the means of neighbouring layers, shape (n, layer - 1, layer)."""
    layers = there.shape[1]
    step = np.eye(layers, k=1)[:-1] - np.eye(layers)[:-1]
    return step * there[:, 1:, None]


def _stiffness(thickness: FloatArray, there: NDArray[np.bool_]) -> FloatArray:
    """Matrix of the slopes at inner boundaries, shape (n, layer - 1, layer - 1).

    No step at a boundary: d_k b_(k-1) + 2 (d_k + d_(k+1)) b_k + d_(k+1) b_(k+1) = 6 times the
    difference of the means, with slopes b and thicknesses d.
    """
    inner = there[:, 1:]
    diagonal = np.where(inner, 2 * (thickness[:, :-1] + thickness[:, 1:]), 1.0)
    beside = np.where(inner[:, 1:], thickness[:, 1:-1], 0.0)
    matrix = diagonal[:, None] * np.eye(diagonal.shape[1])
    row = np.arange(beside.shape[1])
    matrix[:, row, row + 1] = matrix[:, row + 1, row] = beside
    return matrix
