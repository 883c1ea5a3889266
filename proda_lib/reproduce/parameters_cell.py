"""The parameters of a notebook: read from its tagged cell, checked before anything runs.

The cell holds annotated literals only, with what is allowed in the comment::

    example_site: int = 0  # any in [0, 29]
    prior: str = "proda"  # one of proda, binn
"""

from __future__ import annotations

import ast
import difflib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

__all__ = [
    "Parameter",
    "ParameterError",
    "check",
    "code_cells",
    "from_text",
    "read",
    "unknown",
]

Value = bool | int | float | str

_TYPES: dict[str, type] = {"bool": bool, "int": int, "float": float, "str": str}
_NUMBER = r"[-+]?[\d_]*\.?\d+(?:[eE][-+]?\d+)?"
_RANGE = re.compile(rf"\bin \[\s*({_NUMBER})\s*,\s*({_NUMBER})\s*\]")
_CHOICES = re.compile(r"\bone of ([\w.+-]+(?:, *[\w.+-]+)+)")


class ParameterError(ValueError):
    """A parameter that the notebook does not have, or a value that it does not take."""


@dataclass(frozen=True)
class Parameter:
    """One parameter of a notebook.

    Attributes
    ----------
    name, type : str
        The type is "bool", "int", "float" or "str".
    default : bool, int, float or str
    comment : str
        What the cell says behind the value.
    lower, upper : float or None
        Allowed range, both ends included.
    choices : tuple of str
        Allowed words; empty if any is.
    """

    name: str
    type: str
    default: Value
    comment: str = ""
    lower: float | None = None
    upper: float | None = None
    choices: tuple[str, ...] = ()


def unknown(kind: str, given: str, allowed: Iterable[str]) -> str:
    """Return one line for a name that does not exist, with the nearest that does.

    Examples
    --------
    >>> unknown("study", "newyrok", ["twin", "newyork"])
    "unknown study 'newyrok': did you mean 'newyork'? There are: twin, newyork"
    """
    names = list(allowed)
    near = difflib.get_close_matches(given, names, n=1, cutoff=0.5)
    hint = f"did you mean {near[0]!r}? " if near else ""
    there = f"There are: {', '.join(names)}" if names else "There are none"
    return f"unknown {kind} {given!r}: {hint}{there}"


def code_cells(notebook: Path) -> list[dict[str, Any]]:
    """Return a notebook's code cells: number (1-based, of all cells), id, tags and source.

    The file is read as plain JSON: to look for changes must not cost the import of nbformat.

    Raises
    ------
    ParameterError
        If the file is missing or is no notebook.
    """
    try:
        cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        reason = "no such file" if isinstance(error, FileNotFoundError) else error
        raise ParameterError(f"notebook {notebook.stem} cannot be read: {reason}") from None
    return [
        {
            "number": number,
            "id": cell.get("id", ""),
            "tags": cell.get("metadata", {}).get("tags", []),
            "source": "".join(cell["source"]),
        }
        for number, cell in enumerate(cells, start=1)
        if cell["cell_type"] == "code"
    ]


def read(notebook: Path) -> dict[str, Parameter]:
    """Return a notebook's parameters by name, in the order of its cell tagged `parameters`.

    Raises
    ------
    ParameterError
        If there is not exactly one such cell, a line is not an annotated literal, or a default
        lies outside its own range.
    """
    tagged = [cell for cell in code_cells(notebook) if "parameters" in cell["tags"]]
    if len(tagged) != 1:
        raise ParameterError(
            f"notebook {notebook.stem} has {len(tagged)} cells tagged 'parameters': give it one"
        )
    cell = tagged[0]
    where = f"notebook {notebook.stem}, parameters cell {cell['number']}"
    try:
        body = ast.parse(cell["source"]).body
    except SyntaxError as error:
        raise ParameterError(f"{where}, line {error.lineno}: {error.msg}") from None
    lines = cell["source"].splitlines()
    parameters = [_parse(node, lines, where) for node in body]
    for parameter in parameters:
        check(parameter, parameter.default, notebook.stem)
    return {parameter.name: parameter for parameter in parameters}


def _parse(node: ast.stmt, lines: list[str], where: str) -> Parameter:
    """Read one line of the cell, such as `seed: int = 1  # in [0, 99]`."""
    line = lines[node.lineno - 1]
    annotated = isinstance(node, ast.AnnAssign) and node.value is not None
    kind = ast.unparse(node.annotation) if annotated else ""
    if not annotated or kind not in _TYPES:
        types = ", ".join(_TYPES)
        raise ParameterError(
            f"{where}: {line.strip()!r} is not a parameter: write `name: type = literal`, "
            f"with a type of {types}"
        )
    try:
        default = ast.literal_eval(node.value)
    except ValueError:
        raise ParameterError(f"{where}: the value of {line.strip()!r} is not a literal") from None
    end = len(line.encode()[: node.end_col_offset].decode())
    comment = line[end:].strip().lstrip("#").strip()
    parameter = Parameter(ast.unparse(node.target), kind, default, comment)
    if found := _RANGE.search(comment):
        return replace(parameter, lower=float(found[1]), upper=float(found[2]))
    if found := _CHOICES.search(comment):
        return replace(parameter, choices=tuple(word.strip() for word in found[1].split(",")))
    return parameter


def check(parameter: Parameter, value: object, notebook: str) -> Value:
    """Return a value as the parameter's type, or raise ParameterError naming what is allowed.

    A whole number is taken for a float; nothing else is converted.

    Examples
    --------
    >>> check(Parameter("seed", "int", 1, lower=0, upper=9), 12, "01_data")
    Traceback (most recent call last):
    proda_lib.reproduce.parameters_cell.ParameterError: 01_data.seed is 12: give a number in [0, 9]
    """
    if parameter.type == "float" and type(value) is int:
        value = float(value)
    name = f"{notebook}.{parameter.name}"
    if type(value) is not _TYPES[parameter.type]:
        given = type(value).__name__
        example = f"{name}={parameter.default}"
        raise ParameterError(
            f"{name} is {value!r} ({given}), expected {parameter.type}: for example {example}"
        )
    if parameter.choices and str(value) not in parameter.choices:
        raise ParameterError(unknown(f"value of {name}", str(value), parameter.choices))
    if parameter.lower is not None and not parameter.lower <= value <= parameter.upper:
        span = f"[{parameter.lower:g}, {parameter.upper:g}]"
        raise ParameterError(f"{name} is {value}: give a number in {span}")
    return value


def from_text(parameters: Mapping[str, Parameter], name: str, text: str, notebook: str) -> Value:
    """Return the value that the command line gives for a parameter.

    Parameters
    ----------
    parameters : mapping
        What `read` returned.
    name, text : str
        Both sides of `name=value`.
    notebook : str
        For the message.

    Examples
    --------
    >>> from_text({"seed": Parameter("seed", "int", 1)}, "seed", "2", "01_data")
    2
    """
    if name not in parameters:
        raise ParameterError(unknown(f"parameter of {notebook}", name, parameters))
    parameter = parameters[name]
    value: object = text
    if parameter.type == "bool":
        value = {"true": True, "false": False}.get(text.lower(), text)
    elif parameter.type != "str":
        try:
            value = ast.literal_eval(text)
        except (ValueError, SyntaxError):
            value = text
    return check(parameter, value, notebook)
