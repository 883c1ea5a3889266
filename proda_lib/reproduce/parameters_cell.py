"""The parameters of a notebook: read from its tagged cell, checked before anything runs.

The cell holds annotated literals only, with what is allowed in the comment::

    example_site: int = 0  # any in [0, 29]
    prior: str = "proda"  # one of proda, binn
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from proda_lib.nearest import check_known

__all__ = ["Parameter", "code_cells", "from_text", "read"]

Value = bool | int | float | str

_TYPES: dict[str, type] = {"bool": bool, "int": int, "float": float, "str": str}
_NUMBER = r"[-+]?[\d_]*\.?\d+(?:[eE][-+]?\d+)?"
_RANGE = re.compile(rf"\bin \[\s*({_NUMBER})\s*,\s*({_NUMBER})\s*\]")
_CHOICES = re.compile(r"\bone of ([\w.+-]+(?:, *[\w.+-]+)+)")


@dataclass(frozen=True)
class Parameter:
    """One parameter of a notebook.

    Attributes
    ----------
    name, type : str
        The type is "bool", "int", "float" or "str".
    default : bool, int, float or str
    comment : str
        What the cell says behind the value, with the allowed range or words.
    """

    name: str
    type: str
    default: Value
    comment: str = ""

    @property
    def range(self) -> tuple[float, float] | None:
        """Allowed range, both ends included; None if any number is."""
        found = _RANGE.search(self.comment)
        return (float(found[1]), float(found[2])) if found else None

    @property
    def choices(self) -> tuple[str, ...]:
        """Allowed words; empty if any is."""
        found = _CHOICES.search(self.comment)
        return tuple(word.strip() for word in found[1].split(",")) if found else ()

    def check(self, value: object, notebook: str) -> Value:
        """Return a value as the parameter's type; a whole number is taken for a float.

        Raises
        ------
        ValueError
            If it is of another type or not allowed; the message says what is.

        Examples
        --------
        >>> Parameter("seed", "int", 1, "in [0, 9]").check(12, "01_data")
        Traceback (most recent call last):
        ValueError: 01_data.seed is 12: give a number in [0, 9]
        """
        if self.type == "float" and type(value) is int:
            value = float(value)
        name = f"{notebook}.{self.name}"
        if type(value) is not _TYPES[self.type]:
            given, example = type(value).__name__, f"{name}={self.default}"
            raise ValueError(
                f"{name} is {value!r} ({given}), expected {self.type}: for example {example}"
            )
        if self.choices:
            check_known(f"value of {name}", str(value), self.choices)
        if self.range and not self.range[0] <= value <= self.range[1]:
            lower, upper = self.range
            raise ValueError(f"{name} is {value}: give a number in [{lower:g}, {upper:g}]")
        return value


def code_cells(notebook: Path) -> list[dict[str, Any]]:
    """Return a notebook's code cells: number (1-based, of all cells), id, tags and source.

    The file is read as plain JSON: to look for changes must not cost the import of nbformat.

    Raises
    ------
    ValueError
        If the file is missing or is no notebook.
    """
    try:
        cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        reason = "no such file" if isinstance(error, FileNotFoundError) else error
        raise ValueError(f"notebook {notebook.stem} cannot be read: {reason}") from None
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
    ValueError
        If there is not exactly one such cell, a line is not an annotated literal, or a default
        lies outside its own range.
    """
    tagged = [cell for cell in code_cells(notebook) if "parameters" in cell["tags"]]
    if len(tagged) != 1:
        raise ValueError(
            f"notebook {notebook.stem} has {len(tagged)} cells tagged 'parameters': give it one"
        )
    cell = tagged[0]
    where = f"notebook {notebook.stem}, parameters cell {cell['number']}"
    try:
        body = ast.parse(cell["source"]).body
    except SyntaxError as error:
        raise ValueError(f"{where}, line {error.lineno}: {error.msg}") from None
    lines = cell["source"].splitlines()
    parameters = [_parse(node, lines[node.lineno - 1], where) for node in body]
    for parameter in parameters:
        parameter.check(parameter.default, notebook.stem)
    return {parameter.name: parameter for parameter in parameters}


def _parse(node: ast.stmt, line: str, where: str) -> Parameter:
    """Read one line of the cell, such as `seed: int = 1  # in [0, 99]`."""
    annotated = isinstance(node, ast.AnnAssign) and node.value is not None
    kind = ast.unparse(node.annotation) if annotated else ""
    if kind not in _TYPES:
        raise ValueError(
            f"{where}: {line.strip()!r} is not a parameter: write `name: type = literal`, "
            f"with a type of {', '.join(_TYPES)}"
        )
    try:
        default = ast.literal_eval(node.value)
    except ValueError:
        raise ValueError(f"{where}: the value of {line.strip()!r} is not a literal") from None
    # The parser counts columns in bytes.
    comment = line.encode()[node.end_col_offset :].decode().strip().lstrip("#").strip()
    return Parameter(ast.unparse(node.target), kind, default, comment)


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
    check_known(f"parameter of {notebook}", name, parameters)
    parameter = parameters[name]
    value: object = text
    if parameter.type == "bool":
        value = {"true": True, "false": False}.get(text.lower(), text)
    elif parameter.type != "str":
        try:
            value = ast.literal_eval(text)
        except (ValueError, SyntaxError):
            pass  # said by `check`, as a text where a number is expected
    return parameter.check(value, notebook)
