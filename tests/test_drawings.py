"""Drawings inside pages: true to the model, readable, linked to chapters that exist."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

import pytest
from docutils.core import publish_parts
from docutils.parsers.rst import directives
from docutils.utils import SystemMessage
from myst_parser.docutils_ import Parser

from proda_lib import paths
from proda_lib.drawings import DRAWINGS, directive
from proda_lib.drawings.svg import WIDTH
from proda_lib.reproduce import output_table


@pytest.mark.parametrize("name", DRAWINGS)
def test_a_drawing_is_well_formed_says_what_it_shows_and_links_to_chapters(name):
    root = ET.fromstring(DRAWINGS[name]())
    assert len(root.attrib["aria-label"]) > 100
    notebooks = {file.stem for file in (paths.repository() / "notebooks").glob("*.ipynb")}
    links = [each.attrib["href"].removeprefix("chapter:") for each in root.iter("a")]
    assert links and set(links) <= notebooks
    assert root.attrib["role"] == "group"  # an image's inside would be hidden from readers


@pytest.mark.parametrize("name", DRAWINGS)
def test_words_stay_in_the_picture_and_in_their_boxes(name):
    root = ET.fromstring(DRAWINGS[name]())
    width, height = (float(each) for each in root.attrib["viewBox"].split()[2:])
    assert width == WIDTH
    for text in root.iter("text"):
        letters = 7.4 if text.attrib["class"] == "strong" else 6.4  # px, at most, on average
        length, x = letters * len(text.text or ""), float(text.attrib["x"])
        shift = {"start": 0.0, "middle": 0.5, "end": 1.0}[text.attrib["text-anchor"]]
        assert x - shift * length >= -2, text.text
        assert x + (1 - shift) * length <= width + 2, text.text
        assert 0 < float(text.attrib["y"]) < height
    for link in root.iter("a"):
        room = float(next(iter(link.iter("rect"))).attrib["width"])
        assert max(6.4 * len(text.text or "") for text in link.iter("text")) <= room


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{drawing} colunm\nA caption.", r"unknown drawing 'colunm': did you mean 'column'"),
        ("{drawing} column", r"drawing 'column' has no caption: write a paragraph"),
        ("{drawing} column\n- a list", r"drawing 'column' has no caption: write a paragraph"),
        ("{output-table}\n:name: tab-a\n\nA.", r"'tab-a': inside stands paragraph, needed"),
        ("{output-table}\n:name: tab-a", r"'tab-a': inside stands nothing, needed"),
        (
            "{output-table}\n:name: tab-a\n\nA.\n\nB.\n\n```{raw} html\n<b>1</b>\n```",
            r"'tab-a': its raw HTML is not a table",
        ),
    ],
)
def test_a_mistake_in_a_directive_is_told_with_page_and_line(text, told):
    directives.register_directive("drawing", directive.Drawing)
    directives.register_directive("output-table", output_table.OutputTable)
    with pytest.raises(SystemMessage, match=rf"^page\.md:3: \(ERROR/3\) .*{told}"):
        publish_parts(
            f"# x\n\n::::{text}\n::::\n", source_path="page.md", parser=Parser(),
            settings_overrides={"myst_enable_extensions": ["colon_fence"], "halt_level": 3,
                                "report_level": 5},
        )  # fmt: skip


def test_colours_come_from_the_style_sheet():
    for draw in DRAWINGS.values():
        assert not re.search(r"#[0-9a-f]{3,6}\b|fill=|stroke=|style=", draw())
