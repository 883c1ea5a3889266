"""The structure of the soil carbon model: pools, transfers and layers (idea of Figure 37.1 b)."""

from __future__ import annotations

import numpy as np

from proda_lib.configurations import CLM5_20
from proda_lib.drawings.svg import arrow, box, drawing, line, note
from proda_lib.equation import transfer_fractions
from proda_lib.parameters import POOLS
from proda_lib.soil_grid import CLM5, CLM45, SoilGrid

__all__ = ["column"]

WORDS = (
    "Above, the pools of one layer: plant litter enters woody debris and three litter pools "
    "(metabolic, cellulose, lignin). Woody debris passes to cellulose and lignin litter; metabolic "
    "and cellulose litter to the fast soil pool, lignin litter to the slow one. Fast, slow and "
    "passive soil carbon exchange: fast to slow and passive, slow to fast and passive, passive to "
    "fast. Below, the layers to scale: the chapter's ten down to 3.8 metres and CLM5's twenty down "
    "to 8.6 metres, thin at the surface and thick at depth, each mixing with its neighbours."
)

_PLACES = {
    "cwd": (4, 118, 88, ["Woody", "debris"]),
    "litter1": (124, 56, 96, ["Metabolic", "litter"]),
    "litter2": (124, 114, 96, ["Cellulose", "litter"]),
    "litter3": (124, 172, 96, ["Lignin", "litter"]),
    "soil1": (260, 56, 96, ["Fast", "soil carbon"]),
    "soil2": (260, 124, 96, ["Slow", "soil carbon"]),
    "soil3": (260, 192, 96, ["Passive", "soil carbon"]),
}

_ARROWS = {
    ("cwd", "litter2"): ((92, 134), (123, 134)),
    ("cwd", "litter3"): ((92, 150), (123, 184)),
    ("litter1", "soil1"): ((220, 77), (259, 77)),
    ("litter2", "soil1"): ((220, 130), (259, 92)),
    ("litter3", "soil2"): ((220, 188), (259, 152)),
    ("soil1", "soil2"): ((296, 98), (296, 123)),
    ("soil2", "soil1"): ((320, 124), (320, 99)),
    ("soil2", "soil3"): ((308, 166), (308, 191)),
    ("soil1", "soil3"): ((356, 84), (372, 84), (372, 206), (357, 206)),
    ("soil3", "soil1"): ((356, 222), (388, 222), (388, 68), (357, 68)),
}

_TOP, _PER_METRE = 330.0, 34.0


def column() -> str:
    """Return the drawing: seven pools and their transfers, and the layers of two soil grids.

    Examples
    --------
    >>> "20 layers" in column()
    True
    """
    height = _TOP + _PER_METRE * float(CLM5.interface[-1]) + 12
    return drawing("column", height, WORDS, [*_pools(), *_layers()])


def _pools() -> list[str]:
    shapes = [
        box(x, y, width, 42, words, kind="data" if name[0] in "cl" else "step",
            chapter="02_matrix_model")
        for name, (x, y, width, words) in _PLACES.items()
    ]  # fmt: skip
    passed = np.argwhere(transfer_fractions(CLM5_20.value(CLM5_20.default), layers=1)[0].T)
    shapes += [arrow(*_ARROWS[POOLS[donor], POOLS[receiver]]) for donor, receiver in passed]
    litter = [
        note(4, 12, "plant litter, by depth", "small", "start"),
        line((48, 24), (108, 24), kind="flow"),
        arrow((48, 22), (48, 117)),
        line((108, 24), (108, 196), kind="flow"),
        *(arrow((108, y), (123, y)) for y in (77, 120, 196)),
    ]
    words = "of what decomposes, the rest leaves as CO₂"
    return [*litter, *shapes, note(200, 252, words, "small")]


def _layers() -> list[str]:
    pieces = [
        note(4, 296, "the same in every layer;", "small", "start"),
        note(4, 313, "layers mix with neighbours", "small", "start"),
    ]
    for metres in range(0, 9, 2):
        y = _TOP + _PER_METRE * metres
        pieces += [note(40, y, f"{metres} m", "small", "end"), line((44, y), (52, y))]
    chapters = ((60, CLM45, "Chapter", "06_ten_layers"), (216, CLM5, "CLM5", "02_matrix_model"))
    for x, grid, name, chapter in chapters:
        pieces += _grid(x, grid, name, chapter)
    return pieces


def _grid(x: float, grid: SoilGrid, name: str, chapter: str) -> list[str]:
    """Return one soil grid to scale; its words stand to the right."""
    tops, bottoms = _TOP + _PER_METRE * grid.top, _TOP + _PER_METRE * grid.interface
    pieces = [
        f'<rect class="layer" x="{x:g}" y="{top:.1f}" width="60" height="{bottom - top:.1f}"/>'
        for top, bottom in zip(tops, bottoms, strict=True)
    ]
    thick = grid.thickness > 0.6
    between = [y for y, one, two in zip(bottoms, thick, thick[1:], strict=False) if one and two]
    pieces += [arrow((x + 30, y - 11), (x + 30, y + 11), kind="mixing") for y in between]
    words = [f"{grid.layers} layers", f"{len(POOLS) * grid.layers} pools",
             f"{float(grid.interface[-1]):.1f} m deep"]  # fmt: skip
    return [*pieces, box(x + 66, _TOP, 84, 82, [name, *words], kind="step", chapter=chapter)]
