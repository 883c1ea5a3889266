"""The two descriptions of the published sampler, as numbers (slips included)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["CHAPTER", "CODE", "VARIANTS", "Variant"]


@dataclass(frozen=True)
class Variant:
    """Numbers and choices of the sampler, those first in which its descriptions differ.

    Attributes
    ----------
    name : str
    weights : {"rank", "depth"}
        Weights of the cost that go with it, see `proda_lib.cost.site_data`.
    test, formal : int
        Iterations of the test run and of the formal run.
    fewest, most : float
        Limits of acceptance; a chain outside is redone with rescaled steps.
    chosen : {"lowest rmse", "random"}
        Which chain is used.
    chains : int
    half_width, narrowing : float
        Largest step of the test run, and what it is divided by after a restart.
    enough, restarts : int
        Accepted values that a test run needs, and how often it may be restarted; then unchecked.
    scale : float
        Covariance of the steps is scale / dimension times that of the records.
    adapt_from : int
        Iteration after which the formal run's own records give the covariance.
    block : int
        Steps after which the covariance is refreshed. The original does so at every iteration.
    redos : int
        Most chains of a site that are redone.
    """

    name: str
    weights: Literal["rank", "depth"]
    test: int
    formal: int
    fewest: float
    most: float
    chosen: Literal["lowest rmse", "random"]
    chains: int = 3
    half_width: float = 0.1
    narrowing: float = 1.1
    enough: int = 50
    restarts: int = 3
    scale: float = 2.4
    adapt_from: int = 4000
    block: int = 100
    redos: int = 5


#: As the original code has it (da_cesm2_clm5_cen_vr_v2.m).
CODE = Variant("code", "rank", 20_000, 50_000, 0.10, 0.50, "lowest rmse")

#: As the chapter describes it.
CHAPTER = Variant("chapter", "depth", 20_000, 30_000, 0.15, 0.50, "random")

VARIANTS = {variant.name: variant for variant in (CODE, CHAPTER)}
