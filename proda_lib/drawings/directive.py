"""The directive `drawing`: a drawing of the library as a numbered figure of the book.

The book's configuration names this module among Sphinx' extensions. A drawing stands inside the
page, not in a file of its own, so that it follows the reader's choice of light or dark and its
boxes can be links.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, ClassVar

from docutils import nodes
from docutils.parsers.rst import Directive, directives

from proda_lib.drawings import DRAWINGS
from proda_lib.nearest import unknown

__all__ = ["Drawing", "setup"]

_LINK = re.compile(r'<a href="chapter:(?P<name>\w+)">(?P<inside>.*?)</a>', re.S)


class Drawing(Directive):
    """Show one of `DRAWINGS` as a figure; the content is its caption."""

    required_arguments = 1
    has_content = True
    option_spec: ClassVar[dict[str, Any]] = {"name": directives.unchanged_required}

    def run(self) -> list[nodes.Node]:
        """Return the figure."""
        name = self.arguments[0]
        if name not in DRAWINGS:
            raise self.error(unknown("drawing", name, DRAWINGS))
        words = nodes.Element()
        self.state.nested_parse(self.content, self.content_offset, words)
        if not (words.children and isinstance(words[0], nodes.paragraph)):
            raise self.error(f"drawing {name!r} has no caption: write a paragraph below its name")
        environment = self.state.document.settings.env
        for file in Path(__file__).parent.glob("*.py"):
            environment.note_dependency(str(file))
        figure = nodes.figure("", classes=["align-center"])
        figure += nodes.raw("", DRAWINGS[name](), format="html")
        first, *rest = words.children
        figure += nodes.caption("", "", *first.children)
        if rest:
            figure += nodes.legend("", *rest)
        self.add_name(figure)
        return [figure]


def _link_boxes(app: Any, doctree: nodes.document, page: str) -> None:
    """Give every box the address of its chapter in the first study that has it, or no link."""
    for drawn in doctree.findall(nodes.raw):
        text = drawn.astext()
        if "proda-drawing" not in text:
            continue

        def address(match: re.Match[str]) -> str:
            chapters = app.env.found_docs
            studies = [doc for doc in app.env.toctree_includes.get("intro", []) if doc in chapters]
            found = [doc for doc in studies if doc.endswith(f"/{match['name']}")]
            if not found:
                return match["inside"]
            return f'<a href="{app.builder.get_relative_uri(page, found[0])}">{match["inside"]}</a>'

        drawn.children = [nodes.Text(_LINK.sub(address, text))]


def setup(app: Any) -> dict[str, bool]:
    """Tell Sphinx of the directive."""
    app.add_directive("drawing", Drawing)
    app.connect("doctree-resolved", _link_boxes)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
