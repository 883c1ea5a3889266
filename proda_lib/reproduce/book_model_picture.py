"""A picture of what the page with the model to touch shows before anything is moved.

It is for paper, and for readers whose browser runs no scripts.
"""

from __future__ import annotations

import io
from functools import cache

from proda_lib.parameters import CLM5_DEFAULT
from proda_lib.reproduce import book_model_data, book_model_places
from proda_lib.soil_grid import CLM5

__all__ = ["FILE", "block", "picture"]

#: Where the picture lies in the book's source.
FILE = "try_it_pictures/places.png"


def block() -> str:
    """Return the numbered figure with the picture, as MyST."""
    return (
        f":::{{figure}} {FILE}\n:name: fig-try-places\n"
        ":alt: Six curves of soil organic carbon against depth, one per place, all falling from "
        "the surface down to bedrock. Near the surface the coldest place holds most and the "
        "frozen one least; below half a metre these two hold most.\n\n"
        "Soil organic carbon at steady state with CLM5's parameters at the places of the twin, "
        "named by the first word of their description. SYNTHETIC. Curves end at bedrock. The "
        "axis of carbon is logarithmic, depth is drawn by its square root.\n:::"
    )


@cache
def picture() -> bytes:
    """Draw the carbon of the twin's places with depth; PNG."""
    from matplotlib import pyplot as plt

    from proda_lib import plots, studies

    plots.use_style()
    figure, ax = plots.subplots(studies.info("twin"), height=4.0)
    colours = plots.OKABE_ITO.values()
    for place, colour in zip(book_model_places.places(), colours, strict=False):
        soil = book_model_data.results_of(CLM5_DEFAULT, place.row)["soil"]
        words = place.name.partition(":")[0]
        plots.profile(ax, CLM5.node, soil, label=words, colour=colour, smallest=0.01, deepest=3.0)
    ax.legend(loc="lower right")
    file = io.BytesIO()
    figure.savefig(file, format="png")
    plt.close(figure)
    return file.getvalue()
