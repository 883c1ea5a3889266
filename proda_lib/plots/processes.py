"""The five processes in figures: their colours, the same everywhere."""

from __future__ import annotations

from proda_lib.plots.colours import GREY, OKABE_ITO

__all__ = ["PROCESS_COLOURS"]

#: By key of `process_change.CHANGES`, those of the original's figures.
PROCESS_COLOURS: dict[str, str] = {
    "A": OKABE_ITO["orange"],
    "K": OKABE_ITO["yellow"],
    "xi": OKABE_ITO["sky"],
    "V": OKABE_ITO["blue"],
    "I": OKABE_ITO["vermillion"],
    "input": OKABE_ITO["green"],
    "all": GREY,
}
