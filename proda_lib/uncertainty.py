"""Numbers with their uncertainty: the spread of an ensemble's members as "x ± y".

Members are resamples, networks or posterior draws. What their spread contains is for the text to
say; here it only becomes an interval.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from proda_lib.stocks import FEWEST_MEMBERS

__all__ = ["half_width", "plus_minus", "read_plus_minus"]

FloatArray = NDArray[np.float64]

#: An uncertainty that is so small a part of the number is rounding.
_EXACT = 1e-9


def half_width(members: ArrayLike, level: float = 0.95) -> FloatArray:
    """Half the width of the interval in which a number lies, by Student's t; same unit.

    t times the standard deviation of the members: for a number that is made once with all that is
    known, whose resamples say how uncertain it is.

    Parameters
    ----------
    members : array_like, shape (member, ...)
        The number of each member; NaN makes the result NaN.
    level : float
        Share inside, between 0 and 1.

    Returns
    -------
    ndarray, shape (...)
        NaN with fewer than `stocks.FEWEST_MEMBERS` members.

    Examples
    --------
    >>> round(float(half_width(np.arange(20.0))), 2)
    12.38
    >>> bool(np.isnan(half_width([1.0, 2.0])))
    True
    """
    from scipy.stats import t

    if not 0 < level < 1:
        raise ValueError(f"level is {level:g}: give a share between 0 and 1")
    members = np.asarray(members, dtype=float)
    if len(members) < FEWEST_MEMBERS:
        return np.full(members.shape[1:], np.nan)
    return t.ppf((1 + level) / 2, len(members) - 1) * members.std(axis=0, ddof=1)


def plus_minus(value: float, half: float = math.nan, factor: float = 1.0) -> str:
    """Write a number with its uncertainty, both rounded by the latter.

    The uncertainty keeps one digit, two if it begins with 1.

    Parameters
    ----------
    value, half : float
        The number and half the width of its interval, the same unit; NaN: without one.
    factor : float
        What both are multiplied by, for example 100 for percent.

    Examples
    --------
    >>> plus_minus(1321.7, 74.6), plus_minus(0.0312, 0.00123), plus_minus(0.56, 0.02, 100)
    ('1,320 ± 70', '0.0312 ± 0.0012', '56 ± 2')
    >>> plus_minus(-3.14159), plus_minus(-0.04, 0.3)
    ('−3.14', '0.0 ± 0.3')
    """
    value, half = factor * float(value), abs(factor) * float(half)
    if not math.isfinite(half) or half <= _EXACT * abs(value):
        text = f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
        return text.replace("-", "\N{MINUS SIGN}")
    power = math.floor(math.log10(half))
    digits = -power + (half / 10**power < 1.95)
    shown = (f"{round(x, digits):z,.{max(digits, 0)}f}" for x in (value, half))  # z: no minus 0
    return " ± ".join(shown).replace("-", "\N{MINUS SIGN}")


def read_plus_minus(text: str) -> tuple[float, float]:
    """Return a number and half the width of its interval from what `plus_minus` wrote.

    Examples
    --------
    >>> read_plus_minus("1,320 ± 70"), read_plus_minus("−3.14")
    ((1320.0, 70.0), (-3.14, nan))
    """
    plain = text.replace("\N{MINUS SIGN}", "-").replace(",", "")
    value, _, half = plain.partition("±")
    return float(value), float(half) if half else math.nan
