"""The page "Published beside ours": every number of the sources beside those of each study."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from proda_lib import results, studies
from proda_lib.reproduce import book_links, published_register
from proda_lib.reproduce.book_runs import StudyRun
from proda_lib.reproduce.book_text import BookError, table, typeset
from proda_lib.reproduce.published_constants import constant
from proda_lib.reproduce.published_register import ANSWERS, Group, PublishedNumber, Reason, Register

__all__ = ["Ours", "claims", "difference", "heading", "narrow_heading", "ours", "summary", "tables"]

#: Units that the quantity itself names.
_COUNTS = (
    *("–", "models", "layers", "pools", "states", "profiles", "chains", "iterations"),
    *("draws", "covariates", "groups", "intervals"),
)
_WORDS = {"chapter": "chapter", "slides": "slides of the talks", "abstract": "abstract"}


class Ours(NamedTuple):
    """Our number beside a published one: as text, and as a number where it is one."""

    text: str
    value: float | None = None


def ours(row: PublishedNumber, run: StudyRun) -> Ours:
    """Return what a study has beside a published number.

    Raises
    ------
    BookError
        If the chapter named has run and does not give it; with the nearest that it gives.
    """
    if row.library:
        return _number(row, float(constant(row.library)))
    if row.setting:
        return _setting(row, run)
    if not row.chapter:
        return Ours("–")
    if not run.ran(row.chapter):
        return Ours("not run yet")
    return _of_table(row, run) if row.rows else _of_key(row, run)


def _number(row: PublishedNumber, value: float, text: str = "") -> Ours:
    return Ours(text or typeset(format(value, row.form)), value)


def _setting(row: PublishedNumber, run: StudyRun) -> Ours:
    """Return an entry of the table of sizes, the default sampler's behind it if there is one."""
    size = studies.sizes(run.info.name).get(run.size)
    if size is None:
        return Ours("–")
    if (found := _entry(size, row.setting)) is None:
        raise BookError(
            f"published number {row.what!r}: size {run.size} of {run.info.name} has no "
            f"{row.setting!r}: mend its `setting` in data/published_numbers.toml"
        )
    first, beside = _number(row, float(found)), _entry(size, row.beside)
    more = "" if beside is None else f"; default sampler {format(beside, row.form)}"
    return Ours(first.text + more, first.value)


def _entry(size: Mapping[str, Any], name: str) -> float | None:
    """Return an entry of one size, named table.entry."""
    table, _, entry = name.partition(".")
    return size.get(table, {}).get(entry)


def _of_key(row: PublishedNumber, run: StudyRun) -> Ours:
    value = _looked_up(row, row.key, run) * row.factor
    if row.over:
        value /= _looked_up(row, row.over, run)
    return _number(row, value, str(run.numbers.get(f"{row.key}_text", "")))


def _looked_up(row: PublishedNumber, key: str, run: StudyRun) -> float:
    what = f"published number {row.what!r}"
    return float(run.number(key, what, row.chapter, "data/published_numbers.toml"))


def _of_table(row: PublishedNumber, run: StudyRun) -> Ours:
    """Return a number of a chapter's table; a study may lack the row, not the column."""
    wanted = dict(row.rows)
    name, column = wanted.pop("table"), wanted.pop("column")
    found = results.load_table(run.info.name, run.size, name)
    if lacking := [each for each in (column, *wanted) if each not in found.columns]:
        raise BookError(
            f"published number {row.what!r}: table {name} of study {run.info.name} has no "
            f"{lacking[0]!r}, it has {', '.join(found.columns)}: mend data/published_numbers.toml"
        )
    for each, value in wanted.items():
        found = found[found[each] == value]
    return _number(row, float(found[column].iloc[0])) if len(found) else Ours("–")


def tables(runs: Sequence[StudyRun]) -> str:
    """Return every published number in one table per subject, with notes under each."""
    register = published_register.read()
    return "\n\n".join(_group(group, runs, register) for group in register.groups)


def _group(group: Group, runs: Sequence[StudyRun], register: Register) -> str:
    studies_shown = [heading(run) for run in runs]
    header = ["quantity", "published", *studies_shown, "can they be compared?"]
    reasons = [register.reasons[row.reason] for row in group.numbers]
    rows = [
        _row(row, reason, runs, group) for row, reason in zip(group.numbers, reasons, strict=True)
    ]
    label = re.sub(r"\W+", "-", group.title.lower()).strip("-")
    names = [run.info.name for run in runs] or [""]
    told = dict.fromkeys((one.short, one.long) for each in reasons for one in _answers(each, names))
    notes = "\n".join(f"- *{short}*: {long}" for short, long in told)
    return (
        f"### {group.title}\n\n:::{{table}} {group.title}. From the {_WORDS[group.source]}.\n"
        f":name: tab-published-{label}\n:class: proda-beside\n\n{table(header, rows)}\n:::\n\n"
        f"{notes}"
    )


def heading(run: StudyRun) -> str:
    """Return the head of a study's column."""
    return f"{run.info.name} (synthetic)" if run.info.synthetic else run.info.name


def narrow_heading(run: StudyRun) -> str:
    """Return what a cell begins with on narrow screens, which show no head of the column."""
    return f"[{heading(run)}: ]{{.proda-narrow}}"


def _answers(reason: Reason, names: Sequence[str]) -> list[Reason]:
    return [reason.of(name) for name in names]


def _row(
    row: PublishedNumber, reason: Reason, runs: Sequence[StudyRun], group: Group
) -> tuple[str, ...]:
    unit = "" if row.unit in _COUNTS else f" ({row.unit})"
    also = f", {row.also}" if row.also else ""
    published = f"**{row.printed}**{also}<br>[{row.place}]{{.proda-where}}"
    cells = [_cell(row, reason.of(run.info.name), run, runs) for run in runs]
    return (f"{row.what}{unit}", published, *cells, _verdict(reason, runs))


def _cell(row: PublishedNumber, reason: Reason, run: StudyRun, runs: Sequence[StudyRun]) -> str:
    """Return ours with a link to its chapter, and the difference where it means something."""
    found = ours(row, run)
    if found.value is None:
        return narrow_heading(run) + found.text
    text = narrow_heading(run) + book_links.linked(row.chapter, run.info.name, runs, found.text)
    if reason.can == "no":
        return text
    return f"{text}<br>[{difference(row, found)}]{{.proda-where}}"


def difference(row: PublishedNumber, found: Ours) -> str:
    """Return ours minus the published number, with the digits of ours, or that they are the same.

    Examples
    --------
    >>> row = PublishedNumber("R²", "0.62", 0.62, "–", "Table 37.1", (), "scores", form=".2f")
    >>> difference(row, Ours("0.50", 0.5)), difference(row, Ours("0.62", 0.6201))
    ('difference −0.12', 'the same')
    """
    if found.value is None:
        return ""
    if format(found.value, row.form) == format(row.value, row.form):
        return "the same"
    decimals = re.match(r"[^.;±]*\.(\d+)", found.text)
    digits = len(decimals[1]) if decimals else 0
    return f"difference {typeset(format(found.value - row.value, f'+,.{digits}f'))}"


def _verdict(reason: Reason, runs: Sequence[StudyRun]) -> str:
    said = {run.info.name: reason.of(run.info.name) for run in runs}
    if len({(one.can, one.short) for one in said.values()}) <= 1:
        only = next(iter(said.values()), reason)
        return f"{only.can}: {only.short}"
    return "<br>".join(f"{name}: {one.can}, {one.short}" for name, one in said.items())


def summary(runs: Sequence[StudyRun]) -> str:
    """Return how many numbers there are, and for each study how many it answers and how."""
    register = published_register.read()
    rows = [(row, register.reasons[row.reason]) for each in register.groups for row in each.numbers]
    if not runs:
        return f"The register holds {len(rows)} published numbers. No study has run yet."
    lines = []
    for run in runs:
        found = [(ours(row, run), row, reason.of(run.info.name).can) for row, reason in rows]
        given = [(row, our, can) for our, row, can in found if our.value is not None]
        same = sum(can == "yes" and difference(row, our) == "the same" for row, our, can in given)
        yes, part, no = (sum(can == each for *_, can in given) for each in ANSWERS)
        lines.append((heading(run), len(given), yes, same, part, no))
    header = ("study", "numbers of ours", "comparable", "of these the same", "in part", "not")
    return (
        f"The register holds {len(rows)} published numbers.\n\n"
        ":::{table} How many published numbers have one of ours beside them, and can be compared.\n"
        f":name: tab-published-summary\n\n{table(header, lines)}\n:::"
    )


def claims(runs: Sequence[StudyRun]) -> str:
    """Return the sentences of talk and abstract with every study's verdict."""
    chapter, name = "30_beside", "published_beside_sentences"
    shown = list(book_links.where_it_ran(chapter, runs))
    if not shown:
        return f"*{book_links.chapter_title(chapter, 'published')}* has not run in any study yet."
    found = [
        (run, results.load_table(run.info.name, run.size, name).set_index("published").verdict)
        for run in shown
    ]
    sentences = dict.fromkeys(each for _, verdicts in found for each in verdicts.index)
    rows = [
        (each, *(narrow_heading(run) + str(verdicts.get(each, "–")) for run, verdicts in found))
        for each in sentences
    ]
    heads = [f"[{heading(run)}]({run.info.name}/{chapter}.ipynb)" for run in shown]
    return (
        ":::{table} Sentences of the talk and the abstract, and what each study finds.\n"
        f":name: tab-published-claims\n:class: proda-beside\n\n"
        f"{table(['published', *heads], rows)}\n:::"
    )
