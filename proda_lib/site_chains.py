"""What the exact sampler holds of one site while its chains run, and what it reports in the end."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from proda_lib import chains, moves
from proda_lib.chains import Settings
from proda_lib.diagnostics import Diagnostics, passes, summary

__all__ = ["Site", "Worst"]

FloatArray = NDArray[np.float64]

#: Quantities whose check comes first.
_FIRST = 4


class Worst(NamedTuple):
    """The diagnostic of the quantity that converged worst, each of shape (site,).

    Attributes
    ----------
    rhat : ndarray
        Largest over parameters, energy and watched quantities; 1.
    ess_bulk, ess_tail : ndarray
        Smallest over the same.
    """

    rhat: FloatArray
    ess_bulk: FloatArray
    ess_tail: FloatArray


@dataclass
class Site:
    """State of one site between blocks.

    Attributes
    ----------
    index : int
        Row among the sites.
    dimensions : int
        Number of parameters, d.
    settings : Settings
    done : int
        Blocks, those of warm-up included.
    finished, converged : bool
    next : int
        Kept blocks at the next check.
    doubt : ndarray
        By how much each parameter and the energy failed the last check, larger is worse.
    state, fit : State, Fit
        Of `proda_lib.moves`.
    positions : list of ndarray, shape (record, chain, d)
        Of the blocks of warm-up.
    records : list of ndarray, shape (chain, record, d + 1 + k)
        Of the blocks that are kept: unit cube, energy and watched quantities.
    counts : ndarray, shape (2, 4)
        Accepted and tried moves of each kind.
    result : dict
        Fields of `proda_lib.sampler.Draws` of this site, once it is finished.
    """

    index: int
    dimensions: int
    settings: Settings
    done: int = 0
    finished: bool = False
    converged: bool = False
    next: int = 0
    doubt: FloatArray = field(default_factory=lambda: np.zeros(0))
    state: Any = None
    fit: Any = None
    positions: list[FloatArray] = field(default_factory=list)
    records: list[FloatArray] = field(default_factory=list)
    counts: FloatArray = field(default_factory=lambda: np.zeros((2, len(moves.MOVES))))
    result: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.next = self.settings.check
        self.doubt = np.zeros(self.dimensions + 1)

    def add(
        self, state: Any, positions: FloatArray, counts: FloatArray, records: FloatArray | None
    ) -> None:
        """Take in a block; records are needed for kept blocks only."""
        self.state = state
        self.done += 1
        kept = self.done - self.settings.warmup
        if kept <= 0:
            self.positions.append(positions)
            recent = np.concatenate(self.positions[len(self.positions) // 2 :])
            self.fit = chains.fit(recent.reshape(-1, self.dimensions), self.settings.archive)
            if kept == 0:
                self.positions = []
            return
        assert records is not None, "kept blocks are observed"
        self.records.append(records)
        self.counts = self.counts + counts
        if kept in (self.next, self.settings.most):
            self._judge(kept)

    def _judge(self, kept: int) -> None:
        """Apply the stop rule to all that was kept."""
        s, quantities = self.settings, np.concatenate(self.records, axis=1)
        found = self._check(quantities, to_the_end=kept >= s.most)
        self.converged = found is not None and bool(passes(found, s.rhat, s.ess).all())
        self.finished = found is not None
        self.next = kept + s.check * max(1, round(kept / s.check / 4))
        if found is not None:
            self.result = self._results(quantities, found)
            self.records = []

    def _check(self, quantities: FloatArray, *, to_the_end: bool) -> Diagnostics | None:
        """Diagnose what may fail first, then the rest; nothing once something has failed.

        What was worst at the last check comes first, and what is watched last.
        """
        s, own = self.settings, self.dimensions + 1
        order = np.argsort(-self.doubt, kind="stable")
        watched = own + np.flatnonzero(_changing(quantities[..., own:]))
        parts = [order[:_FIRST], order[_FIRST:], watched]
        every = []
        for part in parts:
            found = summary(quantities[..., part])
            every.append(found)
            if part is not watched:
                self.doubt[part] = _doubt(found, s)
            if not (to_the_end or passes(found, s.rhat, s.ess).all()):
                return None
        back = np.argsort(np.concatenate(parts), kind="stable")
        return Diagnostics(*(np.concatenate(each)[back] for each in zip(*every, strict=True)))

    def _results(self, quantities: FloatArray, found: Diagnostics) -> dict[str, Any]:
        s, d = self.settings, self.dimensions
        some = np.linspace(0, quantities.shape[1] - 1, s.stored).round().astype(int)
        mean, sd = quantities.mean(axis=(0, 1)), quantities.std(axis=(0, 1), ddof=1)
        warmup = s.chains * (s.starts + s.warmup * s.block)
        return {
            "unit": quantities[:, some, :d],
            "energy": quantities[:, some, d],
            "mean": mean[:d],
            "sd": sd[:d],
            "diagnostics": Diagnostics(*(each[: d + 1] for each in found)),
            "worst": Worst(found.rhat.max(), found.ess_bulk.min(), found.ess_tail.min()),
            "acceptance": self.counts[0] / np.maximum(self.counts[1], 1),
            "converged": np.bool_(self.converged),
            "evaluations": np.array([warmup, s.chains * s.block * (self.done - s.warmup)]),
            "watched": quantities[:, some, d + 1 :],
            "watched_mean": mean[d + 1 :],
            "watched_sd": sd[d + 1 :],
            "watched_chain_mean": quantities[..., d + 1 :].mean(axis=1),
        }


def _changing(quantities: FloatArray) -> NDArray[np.bool_]:
    """Tell which quantities are not the same in all records."""
    first = quantities[:1, :1]
    same = (quantities == first) | (np.isnan(quantities) & np.isnan(first))
    return ~same.all(axis=(0, 1))


def _doubt(found: Diagnostics, settings: Settings) -> FloatArray:
    """Factor by which more draws are needed, roughly; R-hat - 1 falls with their number."""
    with np.errstate(divide="ignore"):
        ess = settings.ess / np.minimum(found.ess_bulk, found.ess_tail)
        rhat = (found.rhat - 1) / (settings.rhat - 1)
    return np.nan_to_num(np.maximum(ess, rhat), nan=np.inf)
