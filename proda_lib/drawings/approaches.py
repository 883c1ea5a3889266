"""Ways to say how much carbon is where: what each knows and what it lacks (idea of Figure 37.6)."""

from __future__ import annotations

from proda_lib.drawings.svg import arrow, box, drawing, line, note

__all__ = ["approaches"]

WORDS = (
    "A plane with two axes. Upwards: how much an approach says about mechanisms. To the right: how "
    "well it agrees with measurements everywhere. Field studies stand high on the left. A process "
    "model with parameters set once stands low on the left. One fit for all profiles stands higher "
    "and in the middle. Digital soil mapping stands far right at the bottom. PRODA stands high on "
    "the right; arrows lead to it from the one fit, by parameters free to vary in space, and from "
    "digital soil mapping, by process equations."
)


def approaches() -> str:
    """Return the drawing: five approaches in the plane of agreement and explanation.

    Examples
    --------
    >>> "Digital soil mapping" in approaches()
    True
    """
    pieces = [
        line((24, 440), (24, 26)),
        arrow((24, 440), (24, 24), kind="axis"),
        arrow((24, 440), (394, 440), kind="axis"),
        note(16, 10, "tells more about mechanisms", "small", "start"),
        note(394, 460, "agrees better with measurements, everywhere", "small", "end"),
        box(38, 46, 150, 46, ["Field studies", "one place at a time"], kind="data"),
        arrow((62, 92), (62, 261)),
        note(70, 226, ["written as", "equations"], "small", "start"),
        box(38, 262, 150, 46, ["Process model", "parameters set once"], chapter="04_default_model"),
        arrow((156, 262), (186, 214)),
        note(186, 240, "all profiles, one fit", "small", "start"),
        box(130, 166, 170, 46, ["One fit for all", "batch assimilation"], chapter="12_batch"),
        arrow((262, 166), (288, 120)),
        note(264, 142, "free to vary in space", "small", "end"),
        box(
            222,
            46,
            172,
            72,
            ["PRODA", "fitted place by place,", "learned from environment"],
            kind="result",
            chapter="16_table_37_1",
        ),
        box(
            222,
            372,
            172,
            46,
            ["Digital soil mapping", "statistics alone"],
            kind="data",
            chapter="15_unseen_profiles",
        ),
        arrow((344, 372), (344, 120)),
        note(336, 292, "process equations", "small", "end"),
    ]
    return drawing("approaches", 472, WORDS, pieces)
