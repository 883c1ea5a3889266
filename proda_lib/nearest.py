"""One line for a name that does not exist, with the nearest that does."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence

__all__ = ["check_allowed", "check_known", "unknown"]


def unknown(kind: str, given: str, allowed: Iterable[str]) -> str:
    """Return one line that says what was given, the nearest that exists, and all that exist.

    Examples
    --------
    >>> unknown("study", "newyrok", ["twin", "newyork"])
    "unknown study 'newyrok': did you mean 'newyork'? There are: twin, newyork"
    """
    names = list(allowed)
    near = difflib.get_close_matches(str(given), names, n=1, cutoff=0.4)
    hint = f"did you mean {near[0]!r}? " if near else ""
    there = f"There are: {', '.join(names)}" if names else "There are none"
    return f"unknown {kind} {given!r}: {hint}{there}"


def check_known(kind: str, given: str, allowed: Iterable[str]) -> None:
    """Raise ValueError with the line of `unknown`, unless the name is one of those allowed.

    Examples
    --------
    >>> check_known("size", "class", ["smoke", "class"])
    """
    names = list(allowed)
    if given not in names:
        raise ValueError(unknown(kind, given, names))


def check_allowed(name: str, value: object, allowed: Sequence[str]) -> None:
    """Raise ValueError unless the value of an option is one of the few allowed.

    Examples
    --------
    >>> check_allowed("bedrock", "open", ("closed", "published"))
    Traceback (most recent call last):
    ValueError: bedrock is 'open', allowed are 'closed', 'published'
    """
    if value not in allowed:
        raise ValueError(f"{name} is {value!r}, allowed are {', '.join(map(repr, allowed))}")
