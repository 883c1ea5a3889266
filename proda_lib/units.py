"""Units as they are printed: exponents raised, the dimensionless unit as a dash."""

from __future__ import annotations

import re

__all__ = ["unit_text"]

_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_EXPONENT = re.compile(r"(?<=[A-Za-z])-?\d+\b")


def unit_text(unit: str) -> str:
    """Return a unit of the common form as it is printed.

    Examples
    --------
    >>> unit_text("gC m-2 month-1"), unit_text("m2 yr-1"), unit_text("1"), unit_text("0.1 pH")
    ('gC m⁻² month⁻¹', 'm² yr⁻¹', '–', '0.1 pH')
    """
    if unit == "1":
        return "–"
    return _EXPONENT.sub(lambda found: found.group().translate(_RAISED), unit)
