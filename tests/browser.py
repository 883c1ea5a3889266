"""Look at a rendered book in headless Chromium, page by page, and say what is wrong.

Also a program: `python tests/browser.py build/html [--shots FOLDER]` prints the problems.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlparse

from proda_lib.reproduce.book import find_chromium

WIDTHS = (1280, 390)
#: A page with everything that it loads, bytes.
HEAVIEST = 2_000_000
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]

#: Runs in the page: everything that a reader would stumble over, as text.
CHECK = """() => {
  const problems = [];
  const article = document.querySelector('article') || document.body;
  for (const image of article.querySelectorAll('img')) {
    const name = image.getAttribute('src');
    if (!image.complete || image.naturalWidth === 0) problems.push(`image ${name} did not load`);
    const alt = (image.getAttribute('alt') || '').trim();
    if (!alt || alt.endsWith('.png')) problems.push(`image ${name} has no alt text`);
    const figure = image.closest('figure'), said = figure && figure.querySelector('.caption-text');
    if (figure && alt.length < 40) problems.push(`${figure.id}: the alt text says little: ${alt}`);
    if (said && said.innerText.trim().startsWith(alt))
      problems.push(`${figure.id}: the alt text is the caption`);
  }
  for (const figure of article.querySelectorAll('figure')) {
    const caption = figure.querySelector('figcaption');
    const words = caption ? caption.innerText.trim() : '';
    if (!words) problems.push(`figure ${figure.id} has no caption`);
    else if (!/^Fig\\. \\d/.test(words)) problems.push(`figure ${figure.id} has no number`);
  }
  for (const output of article.querySelectorAll('.cell_output img'))
    if (!output.closest('figure')) problems.push('a picture stands outside a numbered figure');
  for (const table of article.querySelectorAll('table.proda-output'))
    if (!/^Table \\d+\\.?\\d* .{20}/s.test(table.caption ? table.caption.innerText.trim() : ''))
      problems.push(`table ${table.id} has no number or no caption`);
  for (const output of article.querySelectorAll('.cell_output table'))
    if (!output.closest('.xr-wrap, details, .hide, .cell_output.hidden, .toggle'))
      problems.push('a table stands outside a numbered table');
  for (const math of article.querySelectorAll('.math.notranslate, span.math, div.math'))
    if (!math.querySelector('mjx-container'))
      problems.push(`formula was not set: ${math.innerText.slice(0, 60)}`);
  for (const error of article.querySelectorAll('mjx-merror, .mjx-error, .problematic'))
    problems.push(`broken formula or text: ${error.innerText.slice(0, 60)}`);
  const marks = ['{value}', '{numref}', '{ref}', '{eq}', '{cite', '{chapter}', '% only',
    '% insert'];
  const walker = document.createTreeWalker(article, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const node = walker.currentNode, words = node.data.trim().slice(0, 60);
    if (!node.parentElement.closest('code') && marks.some(mark => node.data.includes(mark)))
      problems.push(`unresolved text: ${words}`);
  }
  if (!article.querySelector('h1')) problems.push('no title');
  return problems;
}"""

#: Runs in the page: the addresses of all links, those of drawings included.
LINKS = """() => [...document.querySelectorAll('a[href]')]
  .map(a => new URL(a.getAttribute('href'), document.baseURI).href)"""

#: Waits until the page has been drawn anew.
DRAWN = "() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"

#: Runs in the page at each width.
OVERFLOW = """() => {
  const width = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth <= width + 1) return [];
  const wide = [...document.querySelectorAll('article *')]
    .filter(e => e.getBoundingClientRect().right > width + 1)
    .slice(0, 3).map(e => `${e.tagName.toLowerCase()}.${e.className}`);
  return [`scrolls sideways at ${width} px: ${wide.join(', ')}`];
}"""

#: Runs in the page with axe-core loaded: what it calls serious or critical, by the rules asked for.
AXE = """rules => axe.run(document, {
    preload: false, resultTypes: ['violations'], ...(rules.length ? {runOnly: rules} : {})
  }).then(found =>
  found.violations.filter(one => ['serious', 'critical'].includes(one.impact)).map(one =>
    `${one.id}, ${one.nodes.length} times: ${one.help}: ` + one.nodes[0].target.join(' ')))"""


def pages(html: Path) -> list[Path]:
    """Return the pages of a book in a folder, without search, index and source listings."""
    skipped = {"search.html", "genindex.html", "py-modindex.html", "index.html"}
    found = sorted(html.rglob("*.html"))
    found = [page for page in found if "_modules" not in page.parts and "_static" not in page.parts]
    return [page for page in found if page.name not in skipped or page.parent != html]


@contextmanager
def browser() -> Iterator[Any]:
    """Yield a headless Chromium."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=find_chromium(), args=FLAGS)
        try:
            yield chromium
        finally:
            chromium.close()


def problems_of(html: Path, chosen: Sequence[Path] | None = None) -> list[str]:
    """Open every page from its file and return what is wrong, page by page.

    Checked are: console errors, requests that leave the folder, weight, pictures (loaded, with alt
    text, in a numbered figure with a caption), formulas (set by MathJax), text that the assembly
    left unresolved, links inside the book, sideways scrolling at 1280 and 390 px, and what
    axe-core calls serious or critical, in light and in dark.
    """
    found: list[str] = []
    with browser() as chromium:
        for path in chosen or pages(html):
            name = path.relative_to(html).as_posix()
            found += [f"{name}: {problem}" for problem in _page_problems(chromium, html, path)]
    return found


def _page_problems(chromium: Any, html: Path, path: Path) -> list[str]:
    size = {"width": WIDTHS[0], "height": 900}
    page = chromium.new_page(viewport=size, color_scheme="light", reduced_motion="reduce")
    found: list[str] = []
    loaded: set[str] = set()
    page.on("console", lambda m: found.append(f"console: {m.text}") if m.type == "error" else None)
    page.on("pageerror", lambda error: found.append(f"script error: {error}"))
    page.on("request", lambda r: found.append(f"asks for {r.url}") if _outside(r.url) else None)
    page.on("requestfailed", lambda request: found.append(f"did not load: {request.url}"))
    page.on("requestfinished", lambda request: loaded.add(request.url))
    page.goto(path.as_uri(), wait_until="load")
    _settle(page)
    found += page.evaluate(CHECK) + _heavy(loaded)
    page.evaluate((files("axe_playwright_python") / "axe.min.js").read_text())
    found += [f"axe: {problem}" for problem in page.evaluate(AXE, [])]
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        page.evaluate(DRAWN)  # scripts of the page answer to the new size
        found += page.evaluate(OVERFLOW)
    narrow = page.evaluate(AXE, ["scrollable-region-focusable"])
    found += [f"axe at {WIDTHS[-1]} px: {problem}" for problem in narrow]
    page.evaluate("() => document.documentElement.setAttribute('data-theme', 'dark')")
    found += [f"axe in dark: {problem}" for problem in page.evaluate(AXE, ["color-contrast"])]
    found += _broken_links(page, path)
    page.close()
    return found


def _heavy(loaded: set[str]) -> list[str]:
    """Return what is too much, with the heaviest files, of files that a page has loaded."""
    sizes = {_file(url): _file(url).stat().st_size for url in loaded if url.startswith("file:")}
    if (total := sum(sizes.values())) <= HEAVIEST:
        return []
    most = sorted(sizes, key=lambda file: -sizes[file])[:3]
    named = ", ".join(f"{file.name} {sizes[file] / 1e6:.2f} MB" for file in most)
    return [f"weighs {total / 1e6:.2f} MB with all that it loads: {named}"]


def _outside(url: str) -> bool:
    return not url.startswith(("file:", "data:", "blob:", "about:"))


def _settle(page: Any) -> None:
    """Wait until MathJax has set the formulas."""
    page.evaluate(
        "() => window.MathJax && window.MathJax.startup && window.MathJax.startup.promise"
    )
    page.evaluate("() => document.fonts.ready.then(() => true)")


def _broken_links(page: Any, path: Path) -> list[str]:
    """Return links to files of the book, or to places in its pages, that do not exist."""
    links = page.evaluate(LINKS)
    found = []
    for link in sorted({link for link in links if link.startswith("file:")}):
        target, place = _file(link), unquote(urlparse(link).fragment)
        if not target.exists():
            found.append(f"link to a missing page {link}")
        elif place and target.suffix == ".html" and place not in _places(target):
            found.append(f"link to a missing place {link}")
    return found


def _file(link: str) -> Path:
    return Path(unquote(urlparse(link).path))


@cache
def _places(page: Path) -> frozenset[str]:
    """Return the names of places in a page."""
    return frozenset(re.findall(r'\bid="([^"]+)"', page.read_text(encoding="utf-8")))


def found_by_search(html: Path, words: str) -> list[str]:
    """Return the pages that the book's own search finds, opened from its file."""
    with browser() as chromium:
        page = chromium.new_page()
        page.goto((html / "search.html").as_uri() + f"?q={words}", wait_until="load")
        page.wait_for_function("() => /finished|found/i.test(document.body.innerText)")
        page.wait_for_selector(".search li a")
        return page.evaluate(
            "() => [...document.querySelectorAll('.search li a')].map(a => a.getAttribute('href'))"
        )


def shots(html: Path, folder: Path, chosen: Sequence[Path] | None = None) -> list[Path]:
    """Photograph pages, wide and narrow, light and dark, into a folder; return the files."""
    folder.mkdir(parents=True, exist_ok=True)
    made = []
    with browser() as chromium:
        for path in chosen or pages(html):
            name = path.relative_to(html).with_suffix("").as_posix().replace("/", "_")
            for width in WIDTHS:
                for scheme in ("light", "dark"):
                    file = folder / f"{name}_{width}_{scheme}.png"
                    size = {"width": width, "height": 900}
                    page = chromium.new_page(viewport=size, color_scheme=scheme)
                    page.goto(path.as_uri(), wait_until="load")
                    _settle(page)
                    page.screenshot(path=file, full_page=True)
                    page.close()
                    made.append(file)
    return made


def main() -> int:
    """Print the problems of the book in a folder; exit status 1 if there are any."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("html", type=Path)
    parser.add_argument("--shots", type=Path, help="also photograph every page into this folder")
    given = parser.parse_args()
    found = problems_of(given.html.resolve())
    print("\n".join(found) or f"{len(pages(given.html))} pages, no problems")
    if given.shots:
        shots(given.html.resolve(), given.shots)
    return bool(found)


if __name__ == "__main__":
    raise SystemExit(main())
