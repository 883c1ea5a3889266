"""The report of a snapshot's reading: what was left out and why, so that the counts add up."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

__all__ = ["KEPT", "READ", "Tally"]

#: First and last line of a report: all rows of the table of carbon, and those that remain.
READ, KEPT = "(read)", "(kept)"


class Tally:
    """Counts layers, and the profiles they belong to, under the reason they were left out for.

    Examples
    --------
    >>> tally = Tally()
    >>> layers = pd.DataFrame({"profile": [1.0, 1.0, 2.0]})
    >>> left = tally.drop(layers, {"no depth": np.array([True, False, True])})
    >>> len(left), tally.report(len(layers), left).layers.tolist()
    (1, [3, 2, 1])
    """

    def __init__(self) -> None:
        self._layers: dict[str, int] = {}
        self._profiles: dict[str, set[float]] = {}
        self._read: set[float] = set()

    def seen(self, layers: pd.DataFrame) -> None:
        """Note the profiles of layers that are read."""
        self._read.update(layers["profile"].unique())

    def drop(self, layers: pd.DataFrame, reasons: Mapping[str, NDArray[np.bool_]]) -> pd.DataFrame:
        """Return the layers to which no reason applies; count each other under its first reason.

        Parameters
        ----------
        layers : DataFrame
            With `profile`.
        reasons : mapping
            Reason -> for each layer whether it applies.
        """
        left = np.ones(len(layers), bool)
        for reason, applies in reasons.items():
            out = left & applies
            self._layers[reason] = self._layers.get(reason, 0) + int(out.sum())
            affected = self._profiles.setdefault(reason, set())
            if out.any():
                affected.update(layers["profile"][out].unique())
            left &= ~out
        return layers if left.all() else layers[left]

    def report(self, read: int, kept: pd.DataFrame) -> pd.DataFrame:
        """Return the report: all that was read, every reason that applied, what was kept.

        Parameters
        ----------
        read : int
            Layers that were read.
        kept : DataFrame
            With `profile`.

        Returns
        -------
        DataFrame
            Columns reason, profiles, layers. Layers add up: read = left out + kept. Profiles do
            not: one that loses some of its layers counts under each reason, and as kept.
        """
        rows = [(READ, len(self._read | self._all()), read)]
        rows += [(why, len(self._profiles[why]), n) for why, n in self._layers.items() if n]
        rows += [(KEPT, kept["profile"].nunique(), len(kept))]
        return pd.DataFrame(rows, columns=["reason", "profiles", "layers"])

    def _all(self) -> set[float]:
        return set().union(*self._profiles.values())
