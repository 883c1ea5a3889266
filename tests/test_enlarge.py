"""Figures open enlarged: by mouse and keyboard, wide and narrow, light and dark."""

from __future__ import annotations

import base64

import pytest

from tests import book_toy, browser, script_page

ALT = "A line over depth that falls from left to right."
FIGURE = (
    f'<figure><img alt="{ALT}" src="a.png"><figcaption><p><span class="caption-number">'
    'Fig. 1.1 </span><span class="caption-text">A toy.</span></p></figcaption></figure>'
)

#: Runs in the page: whether a part lies inside the window.
IN_SIGHT = """selector => {
  const box = document.querySelector(selector).getBoundingClientRect();
  return box.left >= -1 && box.right <= innerWidth + 1 && box.top >= -1
    && box.bottom <= innerHeight + 1 && box.width > 0;
}"""


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """Write a page with one figure."""
    folder = tmp_path_factory.mktemp("page")
    (folder / "a.png").write_bytes(base64.b64decode(book_toy.png(0.0)))
    body = f'<div style="max-width:700px"><h1>x</h1>{FIGURE}</div>'
    return script_page.write(folder, body, ["enlarge"], ["enlarge"])


@pytest.fixture(params=browser.WIDTHS)
def page(request, chromium, address):
    """Open the page; anything asked from a network and any error of a script fails the test."""
    wrong = []
    opened = chromium.new_page(viewport={"width": request.param, "height": 800})
    opened.on("pageerror", lambda error: wrong.append(str(error)))
    opened.on("request", lambda r: wrong.append(r.url) if browser._outside(r.url) else None)
    opened.goto(address)
    yield opened
    opened.close()
    assert not wrong


def is_open(page):
    return page.evaluate("() => !!document.querySelector('dialog[open]')")


def width_of(page, selector):
    return page.evaluate("s => document.querySelector(s).getBoundingClientRect().width", selector)


def test_enter_opens_escape_closes_and_the_focus_returns(page):
    page.keyboard.press("Tab")
    on_page = width_of(page, "figure img")
    page.keyboard.press("Enter")
    assert is_open(page)
    assert width_of(page, "dialog img") >= 1.5 * on_page
    assert all(page.evaluate(IN_SIGHT, part) for part in ("dialog", ".proda-enlarged-bar"))
    page.keyboard.press("Escape")
    assert not is_open(page)
    assert page.evaluate("() => document.activeElement.matches('button.proda-enlarge')")


def test_a_click_opens_and_a_click_beside_the_picture_closes(page):
    page.click("figure img")
    assert is_open(page)
    for _ in range(6):
        page.click("dialog button[aria-label=Smaller]")
    assert page.evaluate(IN_SIGHT, "dialog img")  # the whole picture, however often
    area = page.query_selector(".proda-enlarged-area").bounding_box()
    page.mouse.click(area["x"] + 3, area["y"] + area["height"] - 3)
    assert not is_open(page)


def test_keys_change_the_size_about_the_middle(page):
    page.click("figure img")
    middle = """() => { const a = document.querySelector('.proda-enlarged-area');
        const i = document.querySelector('dialog img');
        return (a.scrollLeft + a.clientWidth / 2) / i.clientWidth; }"""
    page.keyboard.press("-")
    before, where = width_of(page, "dialog img"), page.evaluate(middle)
    page.keyboard.press("+")
    assert width_of(page, "dialog img") == pytest.approx(1.4 * before, rel=0.01)
    assert page.evaluate(middle) == pytest.approx(where, abs=0.01)
    page.keyboard.press("-")
    assert width_of(page, "dialog img") == pytest.approx(before, rel=0.01)


def test_the_focus_stays_in_the_dialog_while_it_is_open(page):
    page.click("figure img")
    inside = "() => !!document.activeElement.closest('dialog') || document.activeElement.tagName"
    for _ in range(6):
        page.keyboard.press("Tab")
        assert page.evaluate(inside) in (True, "BODY")  # BODY: the browser's own bar


def test_names_for_those_who_hear_the_page(page):
    button = page.get_by_role("button", name=f"{ALT} Enlarge")
    button.click()
    assert page.get_by_role("dialog", name="Fig. 1.1").get_by_alt_text("A line").count() == 1
    for name in ("Smaller", "Larger", "Close"):
        assert page.get_by_role("button", name=name).count() == 1
    page.get_by_role("button", name="Close").click()
    assert not is_open(page)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_text_and_focus_stand_out(page, theme):
    page.evaluate("t => document.documentElement.setAttribute('data-theme', t)", theme)
    assert page.evaluate(script_page.CONTRAST, [".proda-enlarge-hint", "color"]) >= 4.5
    page.keyboard.press("Tab")
    assert page.evaluate(script_page.CONTRAST, ["button.proda-enlarge", "outlineColor"]) >= 3
    page.keyboard.press("Enter")
    for part in (".proda-enlarged-bar h2", ".proda-enlarged-bar button", ".proda-enlarged-area p"):
        assert page.evaluate(script_page.CONTRAST, [part, "color"]) >= 4.5, part
    page.keyboard.press("Shift+Tab")
    assert page.evaluate(script_page.CONTRAST, ["dialog button:focus", "outlineColor"]) >= 3


def test_the_page_is_otherwise_as_before(page):
    assert page.evaluate(browser.CHECK) == []
    assert page.evaluate(browser.OVERFLOW) == []
    page.emulate_media(media="print")
    assert not page.is_visible(".proda-enlarge-hint")
