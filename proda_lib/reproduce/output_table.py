"""Tables that code makes, as numbered tables of the book: a caption above, where from below.

A chapter's page says so with the directive `output-table`, made by `block`. The book's
configuration names this module among Sphinx' extensions; it puts the rows that pandas wrote into a
table that the builder numbers.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import zip_longest
from typing import Any, ClassVar

from docutils import nodes
from docutils.parsers.rst import Directive, directives

__all__ = ["OutputTable", "block", "is_table", "setup"]

_TABLE = re.compile(
    r"(?s)(?P<before>.*?)<table(?P<attributes>[^>]*)>(?P<rows>.*)</table>(?P<after>.*)"
)
_ID = re.compile(r'\bid="(?P<id>[^"]+)"')
#: What a cell holds that is a number, perhaps with its interval; or that there is none.
_NUMBER = re.compile(r"(?:[^A-Za-z]*\d(?:[^A-Za-z]|\b(?:to|of)\b|e(?=[+-]\d))*|nan|none|–)")
#: Class of a table that its author gave no style.
_PLAIN = "dataframe"
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
        plain = [_PLAIN] if _PLAIN in parts["attributes"] else []
        title = nodes.title("", "", *caption.children)
        table = nodes.table("", title, classes=["proda-output", *plain])
        table += nodes.raw("", _aligned(parts["rows"]), format="html")
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


def _aligned(rows: str) -> str:
    """Mark the cells and heads of columns that hold numbers only, so that they stand to the right.

    Examples
    --------
    >>> head = "<thead><tr><th></th><th>depth</th></tr></thead>"
    >>> _aligned(f"{head}<tbody><tr><th>a</th><td>0.5</td></tr></tbody>")
    ... # doctest: +ELLIPSIS
    '<thead><tr><th></th><th class="proda-number">depth...<td class="proda-number">0.5</td>...'
    """
    from bs4 import BeautifulSoup

    table = BeautifulSoup(rows, "html.parser")
    # From the right: on the left, names of rows reach over several of them.
    lines = [line.find_all("td")[::-1] for line in table.select("tbody tr")]
    columns = list(zip_longest(*lines))
    heads = [line.find_all("th")[::-1] for line in table.select("thead tr")]
    for place, column in enumerate(columns):
        told = [text for cell in column if cell and (text := cell.get_text().strip())]
        if told and all(_NUMBER.fullmatch(text) for text in told):
            above = [head[place] for head in heads if place < len(head) and not _is_wide(head)]
            for cell in [*filter(None, column), *above]:
                cell["class"] = [*cell.get("class", []), "proda-number"]
    return str(table)


def _is_wide(heads: Sequence[Any]) -> bool:
    """Tell whether a row of heads has one that stands over several columns."""
    return any(head.get("colspan", "1") != "1" for head in heads)


def setup(app: Any) -> dict[str, bool]:
    """Tell Sphinx of the directive."""
    app.add_directive("output-table", OutputTable)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
