"""Pages and tables of the book that are generated: from the library, the studies and the runs.

Each function returns Markdown; nothing here writes files.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from datetime import datetime

from proda_lib import parameters, paths
from proda_lib.own_profiles.columns import COLUMNS
from proda_lib.reproduce.book_runs import StudyRun
from proda_lib.reproduce.book_text import table as _table
from proda_lib.reproduce.book_text import typeset
from proda_lib.studies.schema import VARIABLES
from proda_lib.units import unit_text

__all__ = [
    "api_page",
    "data_file",
    "duration",
    "moment",
    "parameter_table",
    "profile_check",
    "profile_column_table",
    "public_modules",
    "run_tables",
    "study_page",
    "study_table",
    "variable_table",
]

#: Parts of the library that readers of the science do not call.
_INTERNAL = (
    "proda_lib.arrays",
    "proda_lib.cli",
    "proda_lib.code_hash",
    "proda_lib.compiled",
    "proda_lib.files",
    "proda_lib.nearest",
    "proda_lib.own_profiles.findings",
    "proda_lib.own_profiles.layers",
    "proda_lib.own_profiles.nearest_cell",
    "proda_lib.own_profiles.places",
    "proda_lib.own_profiles.suspicions",
    "proda_lib.paths",
    "proda_lib.reproduce",
    "proda_lib.studies.download",
    "proda_lib.studies.newyork.",
    "proda_lib.studies.published.",
    "proda_lib.studies.resume",
    "proda_lib.studies.store",
    "proda_lib.studies.twin.",
    "proda_lib.wosis.command",
)


def parameter_table() -> str:
    """Return the 21 parameters, a table per process: symbol, unit, CLM5 default, prior boxes."""
    header = ("no.", "symbol", "name", "meaning", "unit", "CLM5", "prior PRODA", "prior BINN")
    tables = []
    for process, words in parameters.PROCESSES.items():
        rows = [
            _parameter_row(number, row)
            for number, row in enumerate(parameters.PARAMETERS)
            if row.process == process
        ]
        tables.append(f"### {words[0].upper()}{words[1:]}\n\n{_table(header, rows)}\n")
    return "\n".join(tables)


def _parameter_row(number: int, row: parameters.Parameter) -> tuple[object, ...]:
    boxes = (
        _span(box.lower[number], box.upper[number]) for box in (parameters.PRODA, parameters.BINN)
    )
    unit, default = unit_text(row.unit), typeset(f"{row.default:.4g}")
    return (number + 1, f"${row.symbol}$", f"`{row.name}`", row.meaning, unit, default, *boxes)


def _span(lower: float, upper: float) -> str:
    return "&nbsp;to&nbsp;".join(typeset(f"{bound:.4g}") for bound in (lower, upper))


def variable_table() -> str:
    """Return the data dictionary: every variable of the common form of the studies."""
    rows = []
    for variable in VARIABLES:
        only = f"; {variable.rows[0]}s only" if len(variable.rows) == 1 else ""
        meaning = variable.meaning + only + ("" if variable.required else "; optional")
        dims = ", ".join(variable.dims) or "&ndash;"
        unbounded = variable.upper == float("inf")
        bounds = "any" if unbounded else _span(variable.lower, variable.upper)
        unit = f"{unit_text(variable.units)}<br>{bounds}"
        rows.append((f"`{variable.name}`", meaning, unit, dims))
    return _table(("variable", "meaning", "unit, range", "dimensions"), rows)


def profile_column_table() -> str:
    """Return the columns of a table of your own profiles: unit, range, meaning, when needed."""
    rows = []
    for each in COLUMNS:
        unit = unit_text(each.units).replace("_", " ")
        bounds = "" if each.text else f"<br>{_span(each.lower, each.upper)}"
        need = re.sub(r"\w+_\w+", r"`\g<0>`", each.need)
        rows.append((f"`{each.name}`", each.meaning, unit + bounds, need))
    return _table(("column", "meaning", "unit, range", "needed"), rows)


def data_file(name: str) -> str:
    """Return a text file of the folder `data` as a block."""
    return f"```text\n{(paths.data() / name).read_text(encoding='utf-8').rstrip()}\n```"


def profile_check(name: str = "profiles_broken.csv") -> str:
    """Return what `proda check` prints for a table of the folder `data`, as a block."""
    from proda_lib.own_profiles.check import explained

    told, refused = explained(paths.data() / name)
    end = [f"proda: {refused}"] if refused else []
    text = "\n".join([*told, *end]).replace(str(paths.data() / name), f"data/{name}")
    return f"```text\n{text}\n```"


def public_modules() -> Iterator[tuple[str, str]]:
    """Yield name and first line of every public module of the library, without importing any."""
    package = paths.repository() / "proda_lib"
    for file in sorted(package.rglob("*.py")):
        parts = file.relative_to(package.parent).with_suffix("").parts
        name = ".".join(part for part in parts if part != "__init__")
        private = any(part.startswith("_") and part != "__init__" for part in parts)
        if private or name == "proda_lib" or name.startswith(_INTERNAL):
            continue
        tree = ast.parse(file.read_text(encoding="utf-8"))
        if "__all__" in {t.id for node in tree.body for t in _targets(node)}:
            yield name, (ast.get_docstring(tree) or "").partition("\n")[0]


def _targets(node: ast.stmt) -> list[ast.Name]:
    found = node.targets if isinstance(node, ast.Assign) else []
    found = [node.target] if isinstance(node, ast.AnnAssign) else found
    return [target for target in found if isinstance(target, ast.Name)]


def api_page(module: str) -> str:
    """Return the page that documents one module."""
    return (
        f"# {module.removeprefix('proda_lib.')}\n\n"
        f"```{{eval-rst}}\n.. automodule:: {module}\n   :members:\n   :ignore-module-all:\n```\n"
    )


def module_table() -> str:
    """Return the list of public modules with links to their pages."""
    rows = [(f"[`{name}`](api/{name}.md)", first) for name, first in public_modules()]
    return _table(("module", "what it is about"), rows)


def study_table(runs: Sequence[StudyRun]) -> str:
    """Return the list of studies in this copy of the book."""
    if not runs:
        return "No study has run yet: `make reproduce` runs them and fills the book."
    rows = []
    for run in runs:
        made = [chapter.provenance for chapter in run.chapters]
        seconds = sum(float(record.get("seconds", 0)) for record in made)
        last = max(str(record.get("finished", "")) for record in made)
        kind = "**synthetic**" if run.info.synthetic else "real"
        link = f"[{run.info.title}]({run.info.name}/index.md)"
        rows.append(
            (link, kind, run.size, len(run.chapters), duration(seconds), moment(last, "%Y-%m-%d"))
        )
    return _table(("study", "data", "size", "chapters", "computed in", "last run"), rows)


def duration(seconds: float) -> str:
    """Return a duration in s, in minutes where it is long.

    Examples
    --------
    >>> duration(12.3), duration(600)
    ('12 s', '10 min')
    """
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"


def moment(stamp: str, form: str = "%Y-%m-%d %H:%M %Z") -> str:
    """Return a moment written as ISO 8601 in a form that is easier to read."""
    try:
        return f"{datetime.fromisoformat(stamp):{form}}".strip()
    except ValueError:
        return "unknown"


def study_page(run: StudyRun) -> str:
    """Return the opening page of a study: what it is, what it cannot show, whose data they are."""
    info = run.info
    synthetic = (
        ":::{admonition} These data are synthetic\n"
        ":class: proda-banner proda-synthetic\n"
        f"{info.made_up} This holds for every number and map of this study.\n:::\n\n"
    )
    weak = "".join(f"- {sentence}\n" for sentence in info.weaknesses)
    chapters = [
        (
            f"[{chapter.title}]({chapter.name}.ipynb)",
            duration(float(chapter.provenance.get("seconds", 0))),
        )
        for chapter in run.chapters
    ]
    return "\n".join(
        [
            f"# {info.title}\n",
            synthetic if info.synthetic else "",
            f"{info.about}\n",
            f"## What has run\n\nSize *{run.size}*.\n",
            _table(("chapter", "computed in"), chapters) + "\n",
            f"## What these data cannot show\n\n{weak}" if weak else "",
            f"## Licence and citation\n\n{info.licence}\n\n{info.citation}\n",
        ]
    )


def run_tables(runs: Sequence[StudyRun]) -> str:
    """Return what is known about every run: seconds, versions, hashes; then the libraries."""
    if not runs:
        return "Nothing has run yet."
    rows, libraries = [], {}
    for run in runs:
        for chapter in run.chapters:
            made = chapter.provenance
            libraries.update(made.get("packages", {}))
            libraries["Python"] = made.get("python", "unknown")
            data, version = (
                str(made.get("data_hash", ""))[:8],
                made.get("version", "unknown"),
            )
            page = f"[{chapter.name}](../{run.info.name}/{chapter.name}.ipynb)"
            seconds, finished = (
                f"{float(made.get('seconds', 0)):.1f}",
                moment(made.get("finished", "")),
            )
            rows.append((run.info.name, run.size, page, seconds, version, f"`{data}`", finished))
    header = ("study", "size", "chapter", "seconds", "version", "data", "finished")
    versions = [(name, version) for name, version in sorted(libraries.items())]
    return (
        f"{_table(header, rows)}\n\n## Libraries\n\nVersions during these runs.\n\n"
        f"{_table(('library', 'version'), versions)}"
    )
