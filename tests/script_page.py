"""A small page that loads scripts and styles of the book, to try them in a browser."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path

from proda_lib import paths

THEME = "theme/pydata_sphinx_theme/static/styles/pydata-sphinx-theme.css"

#: Runs in the page: contrast of a part's text, or of its outline, against what lies behind it.
CONTRAST = """([selector, property]) => {
  const rgb = text => text.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => [r, g, b]
    .map(v => v / 255).map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, k) => sum + v * [0.2126, 0.7152, 0.0722][k], 0);
  const element = document.querySelector(selector);
  let behind = element;
  const ground = e => rgb(getComputedStyle(e).backgroundColor);
  while ((ground(behind)[3] ?? 1) === 0) behind = behind.parentElement;
  const pair = [rgb(getComputedStyle(element)[property]), ground(behind)].map(light);
  return (Math.max(...pair) + 0.05) / (Math.min(...pair) + 0.05);
}"""


def write(folder: Path, article: str, styles: Sequence[str], scripts: Sequence[str]) -> str:
    """Write a page with the theme's colours into a folder; return its address.

    Styles and scripts are names of files of the book, without suffix, in the order of loading.
    """
    static = paths.book() / "_static"
    theme = Path(str(files("pydata_sphinx_theme"))) / THEME
    sheets = [theme, static / "proda.css", *(static / f"{name}.css" for name in styles)]
    head = "".join(f'<link rel="stylesheet" href="{sheet.as_uri()}">' for sheet in sheets)
    urls = [(static / f"{name}.js").as_uri() for name in scripts]
    head += "".join(f'<script src="{url}"></script>' for url in urls)
    page = folder / "page.html"
    page.write_text(
        '<!doctype html><html lang="en" data-theme="light"><head><meta charset="utf-8"><meta '
        f'name="viewport" content="width=device-width"><title>x</title>{head}</head><body>'
        f'<article class="bd-article">{article}</article></body></html>',
        encoding="utf-8",
    )
    return page.as_uri()
