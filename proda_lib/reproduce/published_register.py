"""The register of published numbers: data/published_numbers.toml, read and checked."""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from proda_lib import paths
from proda_lib.nearest import unknown

__all__ = ["ANSWERS", "Group", "PublishedNumber", "Reason", "Register", "RegisterError", "read"]

#: Where ours comes from; a number has one of these or none.
_ORIGINS = ("key", "rows", "setting", "library")
_SOURCES = ("chapter", "slides", "abstract")
#: Whether ours can be compared.
ANSWERS = ("yes", "in part", "no")


class RegisterError(ValueError):
    """The register is wrong; the message names the row and what to do."""


@dataclass(frozen=True)
class Reason:
    """Whether ours can be compared with a published number, and why.

    Attributes
    ----------
    can : {"yes", "in part", "no"}
    short, long : str
        A few words for the table; a sentence for the notes below it.
    studies : mapping
        Studies for which the answer is another one.
    """

    can: str
    short: str
    long: str
    studies: Mapping[str, Reason] = field(default_factory=dict)

    def of(self, study: str) -> Reason:
        """Return the answer for a study."""
        return self.studies.get(study, self)


@dataclass(frozen=True)
class PublishedNumber:
    """One number of the sources, and where ours is found.

    Attributes
    ----------
    what : str
        The quantity.
    printed : str
        The number as it is printed, with its uncertainty.
    value : float
        The number, in `unit`.
    unit, place : str
        Unit; where in the source it stands.
    find : tuple of str
        Texts of the source that hold it.
    reason : str
        Name of a reason.
    also : str
        How the source prints it elsewhere.
    key, over, chapter : str
        Key of a number of ours, a key that it is divided by, the chapter that saves them.
    rows : mapping
        Table, column and the values that choose a row of it.
    setting, beside : str
        Entries of the table of sizes.
    library : str
        Name of a constant.
    factor : float
        What ours is multiplied by to have the unit.
    form : str
        Format of ours.
    """

    what: str
    printed: str
    value: float
    unit: str
    place: str
    find: tuple[str, ...]
    reason: str
    also: str = ""
    key: str = ""
    over: str = ""
    chapter: str = ""
    rows: Mapping[str, str] = field(default_factory=dict)
    setting: str = ""
    beside: str = ""
    library: str = ""
    factor: float = 1.0
    form: str = ".3g"


@dataclass(frozen=True)
class Group:
    """Numbers that stand in one table: title, source ("chapter", "slides", "abstract"), rows."""

    title: str
    source: str
    numbers: tuple[PublishedNumber, ...]


@dataclass(frozen=True)
class Register:
    """All groups, and the reasons that their numbers name."""

    groups: tuple[Group, ...]
    reasons: Mapping[str, Reason]


def read(file: Path | None = None) -> Register:
    """Return the register.

    Parameters
    ----------
    file : Path, optional
        data/published_numbers.toml if not given.

    Raises
    ------
    RegisterError
        Naming the row, what is wrong with it and what is allowed.

    Examples
    --------
    >>> sum(len(group.numbers) for group in read().groups) > 60
    True
    """
    file = file or paths.data() / "published_numbers.toml"
    try:
        content = tomllib.loads(file.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise RegisterError(f"{file.name} is not TOML: {error}") from None
    parts = ("reasons", "groups")
    _check_fields(content, file.name, parts, parts)
    reasons = {name: _reason(name, row) for name, row in content["reasons"].items()}
    groups = tuple(map(_group, content["groups"]))
    _check(groups, reasons)
    return Register(groups, reasons)


def _reason(name: str, row: Mapping[str, Any]) -> Reason:
    own = {key: value for key, value in row.items() if not isinstance(value, dict)}
    if set(own) != {"can", "short", "long"}:
        raise RegisterError(f"reason {name!r} has {', '.join(own)}: give can, short and long")
    if own["can"] not in ANSWERS:
        raise RegisterError(f"reason {name!r}: {unknown('answer', own['can'], ANSWERS)}")
    studies = {key: _reason(f"{name}.{key}", each) for key, each in row.items() if key not in own}
    return Reason(**own, studies=studies)


def _group(row: Mapping[str, Any]) -> Group:
    names = [each.name for each in fields(Group)]
    _check_fields(row, f"group {row.get('title', 'without a title')!r}", names, names)
    return Group(row["title"], row["source"], tuple(map(_number, row["numbers"])))


def _number(row: Mapping[str, Any]) -> PublishedNumber:
    where = f"published number {row.get('what', 'without a name')!r}"
    needed = ("what", "printed", "value", "unit", "place", "find", "reason")
    _check_fields(row, where, [each.name for each in fields(PublishedNumber)], needed)
    find = row["find"]
    # A text alone would be taken apart into its letters, which every source holds.
    if not (isinstance(find, list) and find and all(isinstance(each, str) for each in find)):
        raise RegisterError(f'{where}: find is {find!r}: write a list of texts, as in ["0.62"]')
    return PublishedNumber(**{**row, "find": tuple(find)})


def _check_fields(
    row: Mapping[str, Any], where: str, allowed: Collection[str], needed: Collection[str]
) -> None:
    """Raise RegisterError for a name that is not allowed, or if one that is needed is missing."""
    for name in row:
        if name not in allowed:
            raise RegisterError(f"{where}: {unknown('field', name, allowed)}")
    if missing := [name for name in needed if name not in row]:
        raise RegisterError(f"{where} lacks {', '.join(missing)}: write them")


def _check(groups: tuple[Group, ...], reasons: Mapping[str, Reason]) -> None:
    for group in groups:
        if group.source not in _SOURCES:
            message = unknown("source", group.source, _SOURCES)
            raise RegisterError(f"group {group.title!r}: {message}")
        for row in group.numbers:
            origins = [name for name in _ORIGINS if getattr(row, name)]
            where = f"published number {row.what!r}"
            if len(origins) > 1:
                raise RegisterError(f"{where} has {' and '.join(origins)}: keep one of them")
            if row.reason not in reasons:
                raise RegisterError(f"{where}: {unknown('reason', row.reason, reasons)}")
            if (row.key or row.rows) and not row.chapter:
                raise RegisterError(f"{where} lacks its chapter: name the notebook that saves it")
