"""Constants of the library that published numbers are set beside, each by a name."""

from __future__ import annotations

import inspect
from functools import lru_cache

from proda_lib.nearest import check_known

__all__ = ["constant", "constants"]


@lru_cache
def constants() -> dict[str, float]:
    """Return every constant that data/published_numbers.toml may name, in the unit used there.

    Examples
    --------
    >>> constants()["chapter_states"]
    70
    """
    from proda_lib import folds, stocks
    from proda_lib.cost import depth_weights
    from proda_lib.parameters import POOLS, PROCESSES
    from proda_lib.published_variants import CHAPTER
    from proda_lib.soil_grid import CLM5, CLM45
    from proda_lib.studies.cells import CELL_SIZE

    share = float(inspect.signature(folds.test_set).parameters["share"].default)
    weights = depth_weights([[0.1, 1.0, 2.0]])[0]
    soil = sum(name.startswith("soil") for name in POOLS)
    return {
        "acceptance_least": 100 * CHAPTER.fewest,
        "acceptance_most": 100 * CHAPTER.most,
        "cell_size": CELL_SIZE,
        "chapter_bottom": 100 * float(CLM45.thickness[-1]),
        "chapter_depth": float(CLM45.interface[-1]),
        "chapter_layers": CLM45.layers,
        "chapter_states": len(POOLS) * CLM45.layers,
        "chapter_top": 100 * float(CLM45.thickness[0]),
        "depth": 100 * float(CLM5.interface[-1]),
        "end_weight": float(weights[0]),
        "intervals": len(stocks.FROM_SURFACE),
        "layers": CLM5.layers,
        "litter_pools": len(POOLS) - soil,
        "metre_weight": float(weights[1]),
        "processes": len(PROCESSES),
        "soil_pools": soil,
        "test_share": 100 * share,
        "train_share": 100 * (1 - share),
    }


def constant(name: str) -> float:
    """Return one of `constants`; raise ValueError with the nearest if there is none.

    Examples
    --------
    >>> constant("layers")
    20
    """
    check_known("constant", name, constants())
    return constants()[name]
