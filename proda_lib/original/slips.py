"""The list of slips: what the original code does, what is right, and which of our choices is which.

The texts stand in slips.toml. They follow a reading of the public repositories PRODA_PUBLIC,
PRODA_MIC, TRENDY_CLM5, SOC_Convergence and BINN_Demo; an entry of that reading may hold several
slips.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from importlib import resources

__all__ = ["PER_ENTRY", "STAGES", "Slip", "slips"]

#: Where in the workflow a slip acts, in its order.
STAGES = ("model", "data", "cost and sampler", "network", "diagnostics", "all")

#: Slips in every entry of the reading: none may be dropped silently.
PER_ENTRY = {
    1: 2, 2: 1, 3: 2, 4: 2, 5: 1, 6: 5, 7: 2, 8: 4, 9: 3, 10: 3, 11: 6, 12: 7, 13: 4, 14: 1,
    15: 1, 16: 2, 17: 1, 18: 3, 19: 3, 20: 5, 21: 1, 22: 2, 23: 1, 24: 2, 25: 1, 26: 16,
}  # fmt: skip


@dataclass(frozen=True)
class Slip:
    """One slip.

    Attributes
    ----------
    entry : int
        Number of the entry, 1 to 26.
    part : str
        Letter within the entry.
    stage : str
        One of `STAGES`.
    name : str
        A few words.
    original, right, ours : str
        What the original does; what is right; the choice of this library that gives either.
    chapter : str
        Notebook that says more, or "".
    silent : str
        Why no number is computed, or "".
    """

    entry: int
    part: str
    stage: str
    name: str
    original: str
    right: str
    ours: str
    chapter: str = ""
    silent: str = ""

    @property
    def key(self) -> str:
        """Entry and part, for example "12b"."""
        return f"{self.entry}{self.part}"


def slips() -> tuple[Slip, ...]:
    """Return all slips in the order of the entries.

    Raises
    ------
    ValueError
        If an entry holds more or fewer slips than `PER_ENTRY` says.

    Examples
    --------
    >>> first = slips()[0]
    >>> first.key, first.name, len(slips()) == sum(PER_ENTRY.values())
    ('1a', 'leak at bedrock', True)
    """
    text = resources.files("proda_lib").joinpath("original/slips.toml").read_text("utf-8")
    found = tuple(Slip(**row) for row in tomllib.loads(text)["slip"])
    for entry, count in PER_ENTRY.items():
        parts = [slip.part for slip in found if slip.entry == entry]
        if parts != [chr(ord("a") + k) for k in range(count)]:
            raise ValueError(f"entry {entry} has the parts {parts}: {count} are needed, from a on")
    return found
