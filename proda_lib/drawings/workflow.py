"""How the three components of PRODA feed each other (idea of Figure 37.1 a)."""

from __future__ import annotations

from proda_lib.drawings.svg import arrow, box, drawing, line, note

__all__ = ["workflow"]

WORDS = (
    "A flow from top to bottom. Three kinds of data stand on top: climate and litter input, soil "
    "profiles, covariates of the environment. The first component, the process model, is driven by "
    "climate and litter. The second, data assimilation, takes the model and the soil profiles and "
    "gives parameters at every profile. The third, a deep learning model, takes these parameters "
    "and the covariates and gives parameters everywhere. With these the same process model "
    "computes maps of carbon, the mechanisms behind them, and carbon at profiles held out, which "
    "is compared with what was measured there."
)


def workflow() -> str:
    """Return the drawing: data, the three components, what comes out.

    Examples
    --------
    >>> workflow().count("<a ")
    12
    """
    return drawing("workflow", 714, WORDS, [*_data(), *_components(), *_outcome()])


def _data() -> list[str]:
    return [
        box(6, 6, 124, 46, ["Climate, litter", "forcing"], kind="data", chapter="01_data"),
        box(138, 6, 124, 46, ["Soil profiles", "carbon by depth"], kind="data", chapter="01_data"),
        box(270, 6, 124, 46, ["Environment", "covariates"], kind="data", chapter="01_data"),
        arrow((68, 52), (68, 93)),
        arrow((200, 52), (200, 205)),
        line((362, 52), (362, 429), kind="flow"),
        arrow((362, 429), (297, 429)),
        line((20, 52), (20, 589), kind="flow"),
        arrow((20, 589), (101, 589)),
    ]


def _components() -> list[str]:
    one = ["1  Process model", "parameters give", "carbon at each depth"]
    two = ["2  Data assimilation", "at each profile: parameters", "that give its carbon"]
    three = ["3  Deep learning", "environment predicts", "parameters"]
    return [
        box(32, 94, 156, 64, one, chapter="02_matrix_model"),
        arrow((124, 158), (150, 205)),
        box(104, 206, 192, 64, two, chapter="07_one_site"),
        arrow((200, 270), (200, 305)),
        box(104, 306, 192, 46, ["Parameters", "at every profile"], kind="result",
            chapter="09_all_sites"),
        arrow((200, 352), (200, 396)),
        box(104, 397, 192, 64, three, chapter="13_network"),
        arrow((200, 461), (200, 495)),
        box(104, 496, 192, 46, ["Parameters", "everywhere"], kind="result",
            chapter="22_parameter_maps"),
        arrow((200, 542), (200, 565)),
        box(102, 566, 196, 46, ["1  Process model again", "the same equations"],
            chapter="18_grid_predictions"),
    ]  # fmt: skip


def _outcome() -> list[str]:
    made = [
        (6, ["Carbon", "maps and stocks"], "19_maps"),
        (138, ["Mechanisms", "what governs it"], "23_processes"),
        (270, ["The test", "profiles held out"], "16_table_37_1"),
    ]
    boxes = [
        box(x, 660, 124, 46, words, kind="result", chapter=chapter) for x, words, chapter in made
    ]
    arrows = [arrow((x, 612), (to, 659)) for x, to in ((150, 80), (200, 200), (250, 320))]
    held = arrow((246, 52), (246, 72), (384, 72), (384, 659), kind="held")
    return [*arrows, *boxes, held, note(354, 92, "some are held out", "small", "end")]
