"""Checks of a reader's answers: what a cell tagged `check` of a chapter calls.

A check says whether an answer is right and, if not, what kind of mistake it looks like: no answer
yet, another shape, another unit, the opposite sign, almost. It never shows the expected value, and
whatever the answer is, it never raises.
"""

from __future__ import annotations

import difflib
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["check"]

FloatArray = NDArray[np.float64]

#: Factors by which an answer in another unit differs from the expected one, and what to look at.
_FACTORS = {
    1e3: "as between g and kg, or m and mm",
    1e6: "as between g and Mg, or km² and m²",
    1e9: "as between kg and Tg",
    1e12: "as between kg and Pg, or g and Tg",
    1e2: "as between m and cm, or a fraction and per cent",
    1e4: "as between ha and m²",
    12.0: "as between a month and a year",
    24.0: "as between an hour and a day",
    365.0: "as between a day and a year",
    86400.0: "as between a second and a day",
    31536000.0: "as between a second and a year",
}
#: Answers within this share of the expected value are called close.
_CLOSE = 0.05
#: Agreement with a factor of `_FACTORS` that counts as that factor.
_SAME_FACTOR = 0.005


def check(
    answer: Any,
    expected: Any,
    *,
    unit: str = "",
    rtol: float = 1e-6,
    hint: str = "",
) -> None:
    """Print whether an answer is right, or what kind of mistake it looks like.

    Parameters
    ----------
    answer : number, array_like, str, bool
        What the reader computed; `...`, None and NaN mean that there is no answer yet.
    expected : number, array_like, str, bool
        What it should be, found by another way where there is one.
    unit : str
        Unit of both, for the message, such as "kgC m-2"; "1", a number without one, is not said.
    rtol : float
        Largest difference that counts as equal, relative to each expected value. Where that is
        zero, only what rounding leaves counts as equal: a millionth of `rtol`, relative to the
        largest of them; where all are zero, `rtol` in the unit itself.
    hint : str
        What to think of, added when the answer is not right.

    Examples
    --------
    >>> check(3.2, 3.2, unit="kgC m-2")
    Right: 3.2 kgC m-2.
    >>> check(3200, 3.2, unit="kgC m-2", hint="Divide by the grams in a kilogram.")
    Not yet: it is 1,000 times too large, as between g and kg, or m and mm: the answer should be
    in kgC m-2. Divide by the grams in a kilogram.
    >>> check(..., 3.2)
    No answer yet: replace the dots, then run this cell.
    """
    unit = "" if unit == "1" else unit
    try:
        fault = _fault(answer, expected, unit, rtol)
        shown = "" if fault else _shown(answer, unit)
    except Exception:  # whatever a reader's object does, a lesson goes on
        fault = f"a value of type {type(answer).__name__} cannot be compared with what is expected"
    if fault is None:
        print(f"Right: {shown}.")
    elif fault == "":
        print("No answer yet: replace the dots, then run this cell.")
    else:
        print(" ".join([f"Not yet: {fault}.", *([hint] if hint else [])]))


def _fault(answer: Any, expected: Any, unit: str, rtol: float) -> str | None:
    """Return None if the answer is right, "" if there is none, else what is wrong with it."""
    if _missing(answer):
        return ""
    if isinstance(expected, bool | np.bool_):
        return _fault_of_truth(answer, bool(expected))
    if isinstance(expected, set | frozenset) and isinstance(answer, list | tuple):
        answer = set(answer)
    wanted = np.asarray(_plain(expected))
    if wanted.dtype.kind in "UO":
        return _fault_of_words(answer, wanted)
    try:
        given = np.asarray(_plain(answer))
        numbers = given.real.astype(float)
    except (TypeError, ValueError):
        return f"a number is expected, this is of type {type(answer).__name__}"
    if given.dtype.kind in "UScb" and wanted.dtype.kind != "b":
        word = {"b": "True or False", "c": "a complex number"}.get(given.dtype.kind, "text")
        return f"a number is expected, this is {word}"
    return _fault_of_numbers(numbers, wanted.astype(float), unit, rtol)


def _plain(value: Any) -> Any:
    """Return a set as a sorted list, and a tensor without what it remembers of its gradient."""
    if isinstance(value, set | frozenset):
        return sorted(value)
    return value.detach() if hasattr(value, "detach") else value


def _missing(answer: Any) -> bool:
    """Tell whether an answer is `...`, None, NaN, or holds nothing else."""
    if answer is ... or answer is None:
        return True
    if isinstance(answer, str):
        return answer.strip() in {"", "..."}
    if isinstance(answer, list | tuple):
        return bool(answer) and all(_missing(each) for each in answer)
    numbers = np.asarray(_plain(answer))
    return numbers.dtype.kind == "f" and numbers.size > 0 and bool(np.isnan(numbers).all())


def _fault_of_truth(answer: Any, expected: bool) -> str | None:
    value = np.asarray(answer)
    if value.dtype.kind != "b" or value.size != 1:
        return "answer with True or False"
    return None if bool(value.item()) == expected else "it is the other way round"


def _fault_of_words(answer: Any, expected: NDArray[Any]) -> str | None:
    """Compare texts, or lists of them, without regard to capitals and blanks at the ends."""
    given = np.asarray(_plain(answer))
    if given.dtype.kind not in "UO" or not all(isinstance(word, str) for word in given.flat):
        return f"text is expected, this is of type {type(answer).__name__}"
    if given.size != expected.size:
        return f"{expected.size:,d} words are expected, these are {given.size:,d}"
    words = [
        (str(a).strip().lower(), str(b).strip().lower())
        for a, b in zip(given.flat, expected.flat, strict=True)
    ]
    wrong = [pair for pair in words if pair[0] != pair[1]]
    if not wrong:
        return None
    if len(words) > 1 and sorted(a for a, _ in words) == sorted(b for _, b in words):
        return "the words are right, their order is not"
    if all(difflib.SequenceMatcher(None, *pair).ratio() > 0.7 for pair in wrong):
        return f"{wrong[0][0]!r} is almost the right word: look at its spelling"
    return f"{wrong[0][0]!r} is not the right word"


def _fault_of_numbers(
    given: FloatArray, expected: FloatArray, unit: str, rtol: float
) -> str | None:
    if given.size == expected.size == 1:
        given, expected = given.reshape(()), expected.reshape(())
    if given.shape != expected.shape:
        return _fault_of_shape(given, expected, rtol)
    if _agree(given, expected, rtol).all():
        return None
    if gaps := int((np.isfinite(expected) & ~np.isfinite(given)).sum()):
        which = f"{gaps:,d} of {given.size:,d} values are" if given.ndim else f"{given} is"
        return f"{which} not finite"
    return (
        _fault_of_factor(given, expected, unit, rtol)
        or _fault_of_order(given, expected, rtol)
        or _fault_of_size(given, expected, unit, rtol)
    )


def _agree(given: FloatArray, expected: FloatArray, rtol: float) -> NDArray[np.bool_]:
    """Tell which values are equal within the tolerance; gaps equal gaps."""
    largest = np.nanmax(np.abs(expected), initial=0.0)
    least = rtol * 1e-6 * largest if largest > 0 else rtol
    return np.isclose(given, expected, rtol=rtol, atol=least, equal_nan=True)


def _fault_of_shape(given: FloatArray, expected: FloatArray, rtol: float) -> str:
    if given.T.shape == expected.shape and _agree(given.T, expected, rtol).all():
        return f"the shape is {given.shape}, the axes should be the other way round"
    names = [f"{each.shape}" if each.ndim else "a single number" for each in (given, expected)]
    return f"the shape is {names[0]}, expected is {names[1]}".replace("the shape is a", "this is a")


def _fault_of_factor(given: FloatArray, expected: FloatArray, unit: str, rtol: float) -> str | None:
    """Say so if all values differ by the same well-known factor: another unit, or the sign."""
    counted = np.isfinite(expected) & (expected != 0)
    if not counted.any() or not _agree(given[~counted], expected[~counted], rtol).all():
        return None
    ratio, tolerance = given[counted] / expected[counted], max(rtol, _SAME_FACTOR)
    if np.allclose(ratio, -1.0, rtol=tolerance, atol=0.0):
        return "the size is right, the sign is not"
    in_unit = f": the answer should be in {unit}" if unit else ""
    for factor, example in _FACTORS.items():
        for exact, word in ((factor, "large"), (1 / factor, "small")):
            if np.allclose(ratio, exact, rtol=tolerance, atol=0.0):
                return f"it is {_number(factor)} times too {word}, {example}{in_unit}"
    return None


def _fault_of_order(given: FloatArray, expected: FloatArray, rtol: float) -> str | None:
    if given.ndim == 0:
        return None
    if _agree(given[::-1], expected, rtol).all():
        return "the values are right, but in reversed order"
    if _agree(np.sort(given, axis=None), np.sort(expected, axis=None), rtol).all():
        return "the values are right, their order is not"
    return None


def _fault_of_size(given: FloatArray, expected: FloatArray, unit: str, rtol: float) -> str:
    """Say how far off the values are, without giving the expected ones away."""
    wrong = ~_agree(given, expected, rtol)
    off, scale = np.abs(given - expected)[wrong], np.abs(expected)[wrong]
    # Of zero there is no share: what should be zero is never close.
    shares = np.divide(off, scale, out=np.full_like(off, np.inf), where=scale > 0)
    largest = float(np.max(shares, initial=0.0))
    near = f"close, but {100 * largest:.2g} % off" if 0 < largest <= _CLOSE else ""
    if given.ndim == 0:
        word = "large" if given > expected else "small"
        value = f"{_shown(given, unit)} is too {word}"
        return f"{near}: {value}; do not round on the way" if near else value
    first = tuple(int(index[0]) for index in np.nonzero(wrong))
    place = first[0] if len(first) == 1 else first
    where = f"{int(wrong.sum()):,d} of {given.size:,d} values differ, the first at index {place}"
    if near:
        return f"{near}: {where}"
    return f"{where}, which is too {'large' if given[first] > expected[first] else 'small'}"


def _shown(answer: Any, unit: str) -> str:
    """Return an answer as the message shows it: the value, or how many and from where to where."""
    value = np.asarray(_plain(answer))
    behind = f" {unit}" if unit else ""
    if value.dtype.kind in "UOb":
        return ", ".join(str(each) for each in value.flat)
    if value.size == 1:
        return f"{_number(float(value.item()))}{behind}"
    finite = value[np.isfinite(value)]
    if finite.size == 0:
        return f"{value.size:,d} values"
    ends = f"from {_number(float(finite.min()))} to {_number(float(finite.max()))}"
    return f"{value.size:,d} values, {ends}{behind}"


def _number(value: float) -> str:
    """Return a number in four digits; whole numbers in full.

    Examples
    --------
    >>> _number(1406.0), _number(0.123456), _number(31536000.0)
    ('1,406', '0.1235', '31,536,000')
    """
    whole = np.isfinite(value) and value == round(value) and abs(value) < 1e12
    return f"{round(value):,d}" if whole else f"{value:.4g}"
