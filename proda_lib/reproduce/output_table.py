"""Tables that code makes, as numbered tables of the book: a caption above, where from below.

A chapter's page says so with the directive `output-table`, made by `block`. The book's
configuration names this module among Sphinx' extensions; it puts the rows that pandas wrote into a
table that the builder numbers.
"""

from __future__ import annotations

import re
from typing import Any, ClassVar

from docutils import nodes
from docutils.parsers.rst import Directive, directives

__all__ = ["OutputTable", "block", "is_table", "setup"]

_TABLE = re.compile(
    r"(?s)(?P<before>.*?)<table(?P<attributes>[^>]*)>(?P<rows>.*)</table>(?P<after>.*)"
)
_ID = re.compile(r'\bid="(?P<id>[^"]+)"')
_STYLE = re.compile(r"(?s)<style[^>]*>.*?</style>")
#: Longer than any fence of the text inside.
_COLONS, _TICKS = ":" * 6, "`" * 6


def is_table(html: str) -> bool:
    """Tell whether an output is one table, and not xarray's view of a Dataset.

    Examples
    --------
    >>> is_table("<div><table><tr><td>1</td></tr></table></div>"), is_table("<b>1</b>")
    (True, False)
    """
    return _TABLE.fullmatch(html) is not None and "xr-wrap" not in html


def block(html: str, name: str, caption: str, stamp: str) -> str:
    """Return a table as MyST: the directive with its caption, what it was made from, its rows.

    Parameters
    ----------
    html : str
        The output of the cell, with one table.
    name : str
        Label, such as "twin-tab-scores".
    caption, stamp : str
        One paragraph of MyST each.

    Examples
    --------
    >>> print(block("<table><tr><td>1</td></tr></table>", "twin-tab-a", "A *number*.", "Twin."))
    ::::::{output-table}
    :name: twin-tab-a
    <BLANKLINE>
    A *number*.
    <BLANKLINE>
    Twin.
    <BLANKLINE>
    ``````{raw} html
    <table><tr><td>1</td></tr></table>
    ``````
    ::::::
    """
    raw = f"{_TICKS}{{raw}} html\n{html.strip()}\n{_TICKS}"
    return f"{_COLONS}{{output-table}}\n:name: {name}\n\n{caption}\n\n{stamp}\n\n{raw}\n{_COLONS}"


class OutputTable(Directive):
    """A numbered table from a paragraph of caption, one that says where from, and HTML."""

    has_content = True
    option_spec: ClassVar[dict[str, Any]] = {"name": directives.unchanged_required}

    def run(self) -> list[nodes.Node]:
        """Return the table with its rows as they are, in the frame that their style asks for."""
        inside = nodes.Element()
        self.state.nested_parse(self.content, self.content_offset, inside)
        if [type(each) for each in inside] != [nodes.paragraph, nodes.paragraph, nodes.raw]:
            found = ", ".join(each.tagname for each in inside) or "nothing"
            raise self._error(f"inside stands {found}, needed are paragraph, paragraph, raw")
        caption, stamp, raw = inside.children
        parts = _TABLE.fullmatch(raw.astext())
        if parts is None:
            raise self._error("its raw HTML is not a table, write <table>...</table>")
        table = nodes.table("", nodes.title("", "", *caption.children), classes=["proda-output"])
        table += nodes.raw("", parts["rows"], format="html")
        self.add_name(table)
        frame = nodes.container(classes=["proda-output-frame"])
        # A style of pandas asks for the table by a name that the label takes from it.
        frame["ids"] += [match["id"] for match in _ID.finditer(parts["attributes"])]
        frame += nodes.raw("", "".join(_STYLE.findall(parts["before"])), format="html")
        frame += [table, stamp]
        return [frame]

    def _error(self, fault: str) -> Exception:
        """Return an error that says which table is wrong."""
        return self.error(f"output-table {self.options.get('name', 'without a name')!r}: {fault}")


def setup(app: Any) -> dict[str, bool]:
    """Tell Sphinx of the directive."""
    app.add_directive("output-table", OutputTable)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
