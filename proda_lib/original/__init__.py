"""What the original code does and what we do: every slip, and its effect in numbers at sites."""

from proda_lib.original.effects import CHANGE, Effect, Ground, ground, relative, summary, told
from proda_lib.original.slips import PER_ENTRY, STAGES, Slip, slips

__all__ = [
    "CHANGE",
    "PER_ENTRY",
    "STAGES",
    "Effect",
    "Ground",
    "Slip",
    "ground",
    "relative",
    "slips",
    "summary",
    "told",
]
