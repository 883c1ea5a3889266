"""What happens to a text on its way into the book: study blocks, numbers, labels, references.

Pure functions from Markdown to Markdown. The same chapter stands in the book once per study, so
every label gets the study's name in front, and every reference to it as well.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Collection, Mapping

from proda_lib.results import Number

__all__ = [
    "BookError",
    "after_title",
    "fill_known",
    "fill_values",
    "insert",
    "keep_only",
    "labels_in",
    "prefix_labels",
    "title_of",
    "typeset",
    "unlink",
]

_LABEL = r"(?P<label>(?:fig|tab|eq|sec)-[A-Za-z0-9][\w-]*)"
_ROLE = r"\{(?:numref|eq|ref)\}`"

# Where MyST defines a label: a target, an option of a directive, behind an equation, an attribute.
_DEFINITION = re.compile(
    rf"(?m)(?P<before>^\(|^\s*:(?:name|label):[ \t]*|\$\$[ \t]*\(|\{{#){_LABEL}(?=\)|\}}|[ \t]*$)"
)
# Where MyST refers to a label: a role, with or without its own text, or a link.
_REFERENCE = re.compile(rf"(?P<before>{_ROLE}(?:[^`<]*<)?|\]\(#?){_LABEL}(?=>?`|\))")
_ROLE_TO = re.compile(rf"{_ROLE}(?:(?P<text>[^`<]*)<)?{_LABEL}>?`")
_LINK_TO = re.compile(rf"\[(?P<text>[^\]]*)\]\(#?{_LABEL}\)")
_CHAPTER_LINK = re.compile(
    r"\[(?P<text>[^\]]+)\]\((?P<chapter>\d\d_\w+)\.(?:ipynb|md)(?:#[\w-]*)?\)"
)
_VALUE = re.compile(r"(?<!`)\{value\}`(?P<key>[^`:]+)(?::(?P<spec>[^`]*))?`(?!`)")
_TITLE = re.compile(r"(?m)^# +(?P<title>.+?) *$")
_TIMES = "\N{NO-BREAK SPACE}×\N{NO-BREAK SPACE}"
_RAISED = str.maketrans("0123456789+−", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻")
_ONLY = re.compile(r"^% *only: *(?P<studies>[\w, -]+?) *$")


class BookError(ValueError):
    """The book cannot be made; the message names the page and what to do."""


def keep_only(text: str, present: Collection[str], page: str) -> str:
    r"""Keep the blocks between `% only: study, ...` and `% end` that name a study in `present`.

    Raises
    ------
    BookError
        If a block is not closed, closed twice, or opened inside another.

    Examples
    --------
    >>> keep_only("a\n% only: twin\nb\n% end\nc", {"newyork"}, "intro")
    'a\nc'
    """
    kept: list[str] = []
    block: bool | None = None
    for line in text.splitlines():
        opening = _ONLY.match(line)
        closing = re.fullmatch(r"% *end *", line)
        if opening and block is None:
            names = {name.strip() for name in opening["studies"].split(",")}
            block = bool(names & set(present))
        elif closing and block is not None:
            block = None
        elif opening or closing:
            raise BookError(
                f"{page}: {line!r} does not fit: write % only: ... then % end, not nested"
            )
        elif block is not False:
            kept.append(line)
    if block is not None:
        raise BookError(f"{page}: a block '% only:' is not closed: add a line '% end'")
    return "\n".join(kept)


def fill_values(text: str, numbers: Mapping[str, Number], page: str) -> str:
    """Put results where the text says {value}`key` or {value}`key:format`.

    Parameters
    ----------
    text : str
    numbers : mapping
        Key to number, as `proda_lib.results.load_numbers` returns it.
    page : str
        Name of the page, for the message.

    Raises
    ------
    BookError
        If no chapter wrote the key, or the format does not fit.

    Examples
    --------
    >>> fill_values("{value}`sites:,d` sites", {"sites": 1406}, "01_data")
    '1,406 sites'
    """

    def value(match: re.Match[str]) -> str:
        key, spec = match["key"].strip(), match["spec"]
        if key not in numbers:
            near = difflib.get_close_matches(key, numbers, n=1)
            hint = f"; the nearest is {near[0]!r}" if near else ""
            raise BookError(
                f"{page}: no chapter that has run writes the number {key!r}{hint}: mend the key, "
                "or save the number in its notebook and run it"
            )
        try:
            return _formatted(numbers[key], spec)
        except ValueError as error:
            message = f"{page}: {match[0]} does not fit {numbers[key]!r}: {error}"
            raise BookError(message) from None

    return _VALUE.sub(value, text)


def fill_known(text: str, numbers: Mapping[str, Number], otherwise: str) -> str:
    """Put results where the text asks for them, and a sign where there are none.

    Examples
    --------
    >>> fill_known("{value}`sites:,d` of {value}`all:,d`", {"sites": 1406}, "…")
    '1,406 of …'
    """

    def value(match: re.Match[str]) -> str:
        key = match["key"].strip()
        return _formatted(numbers[key], match["spec"]) if key in numbers else otherwise

    return _VALUE.sub(value, text)


def _formatted(number: Number, spec: str | None) -> str:
    """Return a number as the text wants it; without a wish, floats get three digits."""
    if spec is None:
        spec = ".3g" if isinstance(number, float) else ""
    text = format(number, spec) if spec else str(number)
    return text if isinstance(number, str | bool) else typeset(text)


def typeset(number: str) -> str:
    r"""Return a formatted number as it is printed: a true minus, powers of ten as such.

    Examples
    --------
    >>> typeset("-3.1e-05"), typeset("1e+06"), typeset("0e+00"), typeset("1,406")
    ('−3.1\xa0×\xa010⁻⁵', '10⁶', '0', '1,406')
    """
    mantissa, _, exponent = number.replace("-", "−").partition("e")
    if not exponent or not mantissa.strip("−0."):
        return mantissa
    power = f"10{int(exponent.replace('−', '-')):d}".replace("-", "−")
    power = power[:2] + power[2:].translate(_RAISED)
    return power if mantissa == "1" else f"{mantissa}{_TIMES}{power}"


def labels_in(text: str) -> set[str]:
    r"""Return the labels that a Markdown text defines (fig-, tab-, eq-, sec-).

    Examples
    --------
    >>> sorted(labels_in("(sec-data)=\n# Data\n$$ x $$ (eq-x) see {eq}`eq-y`"))
    ['eq-x', 'sec-data']
    """
    return {match["label"] for match in _DEFINITION.finditer(text)}


def prefix_labels(text: str, study: str, labels: Collection[str]) -> str:
    """Put `<study>-` before these labels, where they are defined and where they are referred to.

    Examples
    --------
    >>> prefix_labels("{numref}`fig-a`, [b](#sec-b)", "twin", {"fig-a"})
    '{numref}`twin-fig-a`, [b](#sec-b)'
    """

    def named(match: re.Match[str]) -> str:
        label = match["label"]
        return match["before"] + (f"{study}-{label}" if label in labels else label)

    return _REFERENCE.sub(named, _DEFINITION.sub(named, text))


def unlink(text: str, absent: Mapping[str, str], chapters: Mapping[str, str]) -> str:
    """Turn references to chapters that have not run into plain words.

    Parameters
    ----------
    text : str
    absent : mapping
        Label to the title of the chapter that defines it, for chapters that have not run.
    chapters : mapping
        File name (without suffix) to title of these chapters.

    Examples
    --------
    >>> unlink("see {numref}`fig-a`", {"fig-a": "The data"}, {})
    'see *The data* (not run yet)'
    """

    def words(title: str, text: str | None) -> str:
        own = (text or "").strip()
        return own if own and "%s" not in own else f"*{title}* (not run yet)"

    def label(match: re.Match[str]) -> str:
        title = absent.get(match["label"])
        return match[0] if title is None else words(title, match["text"])

    def link(match: re.Match[str]) -> str:
        title = chapters.get(match["chapter"])
        return match[0] if title is None else words(title, match["text"])

    return _CHAPTER_LINK.sub(link, _LINK_TO.sub(label, _ROLE_TO.sub(label, text)))


def title_of(text: str) -> str | None:
    """Return the first heading of level 1, or None."""
    match = _TITLE.search(text)
    return match["title"] if match else None


def after_title(text: str, addition: str) -> str:
    r"""Put a block after the first heading of level 1.

    Examples
    --------
    >>> after_title("# Data\nText", "Note")
    '# Data\n\nNote\n\nText'
    """
    match = _TITLE.search(text)
    if match is None:
        return f"{addition}\n\n{text}"
    rest = text[match.end() :].lstrip("\n")
    return f"{text[: match.end()]}\n\n{addition}\n\n{rest}".rstrip("\n")


def insert(text: str, parts: Mapping[str, Callable[[], str]], page: str) -> str:
    r"""Replace each line `% insert: name` by the generated part of that name.

    Raises
    ------
    BookError
        If there is no part of that name.

    Examples
    --------
    >>> insert("a\n% insert: b", {"b": lambda: "B"}, "intro")
    'a\nB'
    """

    def part(match: re.Match[str]) -> str:
        if match["name"] not in parts:
            raise BookError(f"{page}: no part {match['name']!r}: choose one of {', '.join(parts)}")
        return parts[match["name"]]()

    return re.sub(r"(?m)^% *insert: *(?P<name>[\w-]+) *$", part, text)
