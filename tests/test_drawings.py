"""Drawings inside pages: true to the model, readable, linked to chapters that exist."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

import pytest

from proda_lib import paths
from proda_lib.drawings import DRAWINGS
from proda_lib.drawings.column import TRANSFERS
from proda_lib.drawings.svg import WIDTH
from proda_lib.matrices import transfer_matrix
from proda_lib.parameters import CLM5_DEFAULT, POOLS
from proda_lib.soil_grid import CLM5


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


def test_the_arrows_between_pools_are_the_transfers_of_the_model():
    layers, pools = CLM5.layers, len(POOLS)
    blocks = transfer_matrix(CLM5_DEFAULT).reshape(pools, layers, pools, layers)[:, 0, :, 0]
    drawn = {(donor, to) for donor, receivers in TRANSFERS.items() for to in receivers}
    passed = {
        (POOLS[donor], POOLS[to])
        for to in range(pools)
        for donor in range(pools)
        if to != donor and blocks[to, donor] != 0
    }
    assert drawn == passed


def test_colours_come_from_the_style_sheet():
    for draw in DRAWINGS.values():
        assert not re.search(r"#[0-9a-f]{3,6}\b|fill=|stroke=|style=", draw())
