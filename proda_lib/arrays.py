"""Formulas once for NumPy and JAX: which of the two a function's arguments belong to."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np

__all__ = ["namespace"]


def namespace(*values: Any) -> ModuleType:
    """Return `jax.numpy` if any value is a JAX array, traced ones included, else `numpy`.

    A formula written with it serves the dense matrices that are looked at (NumPy) and the engine
    that is compiled and differentiated (JAX).

    Examples
    --------
    >>> namespace(1.0, np.ones(3)).__name__
    'numpy'
    """
    spaces = [value.__array_namespace__() for value in values if hasattr(value, "shape")]
    return next((space for space in spaces if space is not np), np)
