"""The glossary: read from its page, and its terms on a page, by mouse, keyboard and finger."""

from __future__ import annotations

import pytest

from proda_lib import paths
from proda_lib.reproduce import book_glossary
from proda_lib.reproduce.book_text import BookError
from tests import browser

PAGE = """
% everyday: draw

```{glossary}
:sorted:

SOC
soil organic carbon
    Carbon of the soil,
    per volume.

    See {cite:p}`x`.

pool
    A part of the carbon.

draw
posterior draw
    One set of parameters.

R-hat
    Compares chains.
```
"""

BODY = """<article class="bd-article"><h1>Pool</h1><p id="p">A <code>pool</code>.
Pools hold soil
organic carbon; SOC is carbon, a pool is a pool, we draw a posterior draw; carpool, pool-like,
soc. R-hats.</p><p style="margin-top: 3000px"><a id="last" href="#p">end</a></p></article>"""


def test_the_first_paragraph_is_the_meaning_and_everyday_names_are_not_marked():
    found = book_glossary.terms(PAGE)
    assert [term.names for term in found] == [
        ("SOC", "soil organic carbon"),
        ("pool",),
        ("draw", "posterior draw"),
        ("R-hat",),
    ]
    assert found[0].meaning == "Carbon of the soil, per volume."
    assert found[2].marked == ("posterior draw",)


@pytest.mark.parametrize(
    ("page", "words"),
    [
        ("# Words", "no block"),
        ("```{glossary}\npool\nflux\n```\n", "'pool' has no meaning"),
        ("```{glossary}\npool\n    A $p$.\n```\n", "'pool' must be plain words"),
        ("```{glossary}\npool\n    A.\nPool\n    B.\n```\n", r"\['pool'\]"),
        ("% everyday: flux\n```{glossary}\npool\n    A.\n```\n", r"\['flux'\]"),
    ],
)
def test_a_page_that_cannot_be_read_says_where(page, words):
    with pytest.raises(BookError, match=words):
        book_glossary.terms(page)


def test_the_book_has_a_glossary_that_can_be_read():
    found = book_glossary.terms((paths.book() / "glossary.md").read_text(encoding="utf-8"))
    assert len(found) >= 60
    assert all(20 < len(term.meaning) < 330 for term in found)
    anchors = [term.anchor for term in found]
    assert len(set(anchors)) == len(anchors)


@pytest.fixture(params=browser.WIDTHS)
def page(request, chromium, tmp_path):
    """Open a page with terms; a script's error or a request to anywhere fails the test."""
    wrong = []
    static = paths.book() / "_static"
    (tmp_path / "terms_data.js").write_text(book_glossary.script(PAGE), encoding="utf-8")
    (tmp_path / "page.html").write_text(
        '<!doctype html><html lang="en" data-content_root="../"><head><meta charset="utf-8"><meta '
        'name="viewport" content="width=device-width"><title>x</title>'
        f'<link rel="stylesheet" href="{(static / "terms.css").as_uri()}">'
        f'<script src="{(static / "terms.js").as_uri()}"></script>'
        f'<script src="terms_data.js"></script></head><body>{BODY}</body></html>',
        encoding="utf-8",
    )
    size = {"width": request.param, "height": 800}
    opened = chromium.new_page(viewport=size, has_touch=request.param < 600)
    opened.on("pageerror", lambda error: wrong.append(str(error)))
    opened.on("request", lambda r: wrong.append(r.url) if browser._outside(r.url) else None)
    opened.goto((tmp_path / "page.html").as_uri())
    yield opened
    opened.close()
    assert not wrong


def marked(page):
    return page.evaluate(
        "() => [...document.querySelectorAll('.proda-term')].map(a => a.textContent)"
    )


def meanings(page):
    """Return the meanings in sight; each must lie inside the window."""
    return page.evaluate(
        """() => [...document.querySelectorAll('[role=tooltip]')].filter(tip => {
          const box = tip.getBoundingClientRect();
          return box.width > 0 && box.left >= 0 && box.right <= innerWidth && box.top >= 0
            && box.bottom <= innerHeight;
        }).map(tip => tip.textContent)"""
    )


def test_the_first_appearance_in_the_text_is_marked(page):
    assert marked(page) == ["Pools", "soil\norganic carbon", "posterior draw", "R-hats"]
    link = page.query_selector(".proda-term")
    assert link.get_attribute("href") == "../glossary.html#term-pool"


def test_focus_shows_the_meaning_and_escape_closes_it(page):
    page.keyboard.press("Tab")
    assert page.evaluate("() => document.activeElement.className") == "proda-term"
    assert meanings(page) == ["pool A part of the carbon."]
    described = page.evaluate("() => document.activeElement.getAttribute('aria-describedby')")
    assert page.text_content(f"#{described}") == meanings(page)[0]
    page.keyboard.press("Escape")
    assert meanings(page) == []
    page.keyboard.press("Tab")
    assert meanings(page) == ["SOC, soil organic carbon Carbon of the soil, per volume."]
    page.focus("#last")  # far below
    assert meanings(page) == []


def test_the_pointer_shows_it_and_may_move_onto_it(page):
    page.hover(".proda-term")
    assert len(meanings(page)) == 1
    page.hover("[role=tooltip]:not([hidden])")
    page.wait_for_timeout(300)
    assert len(meanings(page)) == 1
    page.mouse.move(5, 700)
    page.wait_for_function("() => !document.querySelector('[role=tooltip]:not([hidden])')")


@pytest.mark.parametrize("page", [min(browser.WIDTHS)], indirect=True)
def test_the_first_tap_shows_it_and_a_tap_elsewhere_closes_it(page):
    page.tap(".proda-term")
    assert len(meanings(page)) == 1 and page.url.endswith("page.html")
    page.tap("#p", position={"x": 1, "y": 1})
    assert meanings(page) == []
