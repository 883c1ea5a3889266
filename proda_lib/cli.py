"""The command `proda`: fetch data, run chapters, say what is stale, build the book.

Every error is one line on standard error and a non-zero exit status; PRODA_DEBUG=1 shows where
it came from.
"""

from __future__ import annotations

import argparse
import logging
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import proda_lib
from proda_lib import paths
from proda_lib.reproduce import class_command
from proda_lib.wosis import command as wosis

if TYPE_CHECKING:
    from proda_lib.reproduce.run import Outcome
    from proda_lib.studies.study import Study

__all__ = ["main"]

#: Errors whose message is written for the reader; others are shown with their type.
_CLEAR = (ValueError, RuntimeError, OSError)


class _Terminated(BaseException):
    """SIGTERM was received: a terminated run cleans up like an interrupted one."""


def _terminated(number: int, frame: object) -> None:
    raise _Terminated


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status.

    Parameters
    ----------
    arguments : sequence of str, optional
        As on the command line, without the program's name.

    Examples
    --------
    >>> main(["reproduce", "--study", "twni", "--size", "smoke"])
    1
    """
    options = _parser().parse_args(arguments)
    try:
        signal.signal(signal.SIGTERM, _terminated)
    except ValueError:
        pass  # called from a thread, where handlers cannot be set
    try:
        return options.run(options)
    except _Terminated:
        return _stopped("terminated", 143)
    except KeyboardInterrupt:
        return _stopped("interrupted", 130)
    except Exception as error:
        if os.environ.get("PRODA_DEBUG"):
            raise
        message = str(error)
        if not isinstance(error, _CLEAR) or not message:
            message = f"{type(error).__name__}: {message} (PRODA_DEBUG=1 shows where)"
        return _complain(message)


def _stopped(how: str, code: int) -> int:
    # The kernel's task ends with an error that nobody asks for; asyncio would print it.
    logging.getLogger("asyncio").setLevel(logging.CRITICAL + 1)
    return _complain(f"{how}: finished chapters are kept, the same command resumes", code)


def _complain(message: str, code: int = 1) -> int:
    print(f"proda: {' '.join(message.split())}", file=sys.stderr, flush=True)
    return code


def _parser() -> argparse.ArgumentParser:
    """Return the commands; `_OPTIONS` says what each takes."""
    about = (proda_lib.__doc__ or "").partition("\n")[0]
    parser = argparse.ArgumentParser(prog="proda", description=about)
    parser.add_argument("--version", action="version", version=f"proda {proda_lib.__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for name, (run, text, *options) in {
        "data": (_data, "fetch or make the data of studies, fetch products",
                 "studies", "list", "size"),
        "reproduce": (_reproduce, "run the chapters, build the book",
                      "study", "size", "only", "set", "force", "no-book"),
        "status": (_status, "say which chapters are stale, and why", "study", "size", "set"),
        "book": (_book, "build the book from what has run", "pdf", "shown"),
        "class": (class_command.run, "write the notebooks of a class", *class_command.OPTIONS),
        "check": (_check, "check studies, files of sites or cells, tables of your own profiles",
                  "what", "size", "forcing"),
        "own": (_own, "make a study of a table of your own profiles", "table", "name", "lender",
                "size", "title", "licence", "citation"),
        "wosis": (_wosis, "make a table of soil layers of a WoSIS snapshot", *wosis.OPTIONS),
    }.items():  # fmt: skip
        command = commands.add_parser(name, help=text, description=text)
        command.set_defaults(run=run)
        for option in options:
            names, settings = _OPTIONS[option]
            command.add_argument(*names, **settings)
    return parser


_REPEATED: dict[str, Any] = {"action": "append", "default": []}
_FLAG: dict[str, Any] = {"action": "store_true"}
_OPTIONS: dict[str, tuple[tuple[str, ...], dict[str, Any]]] = {
    "studies": (("study",), {"nargs": "*", "metavar": "STUDY|PRODUCT",
                "help": "default: all studies but conus and global, no product"}),
    "what": (("what",), {"nargs": "*", "metavar": "STUDY|FILE.nc|FILE.csv",
             "help": "default: every study whose data are present"}),
    "table": (("table",), {"metavar": "FILE.csv", "help": "see data/profiles_template.csv"}),
    "name": (("--name",), {"required": True, "help": "short name of the new study"}),
    "forcing": (("--forcing",), {"metavar": "STUDY",
                "help": "check also how far profiles are from the cells of this study"}),
    "lender": (("--forcing",), {"metavar": "STUDY", "required": True,
               "help": "the study that lends forcing and covariates"}),
    "title": (("--title",), {"default": "", "help": "heading of the study in the book"}),
    "licence": (("--licence",), {"default": "", "help": "of the profiles, for the book"}),
    "citation": (("--citation",), {"default": "", "help": "of the profiles, for the book"}),
    "study": (("--study",), _REPEATED | {"metavar": "STUDY",
              "help": "default: every study whose data are present (may be repeated)"}),
    "size": (("--size",), {"default": "class", "help": "smoke, class (default) or paper"}),
    "shown": (("--size",), {"default": None, "help": "default: as each study ran last"}),
    "only": (("--only",), _REPEATED | {"metavar": "NOTEBOOK",
             "help": "this chapter and those it needs (may be repeated)"}),
    "set": (("--set",), _REPEATED | {"metavar": "NOTEBOOK.NAME=VALUE",
            "help": "another value of a notebook's parameter (may be repeated)"}),
    "list": (("--list",), _FLAG | {"help": "only show what there is"}),
    "force": (("--force",), _FLAG | {"help": "run also what is up to date"}),
    "no-book": (("--no-book",), _FLAG | {"help": "do not build the book afterwards"}),
    "pdf": (("--pdf",), _FLAG | {"help": "also print it as PDF"}),
    **class_command.OPTIONS,
    **wosis.OPTIONS,
}  # fmt: skip


def _data(options: argparse.Namespace) -> int:
    """`proda data`: bring data into the cache, and show the table."""
    from proda_lib import data_table, studies
    from proda_lib.nearest import check_known
    from proda_lib.references.files import ADDRESSES

    for name in options.study:
        check_known("study or product", name, [*studies.names(), *ADDRESSES])
    named = [name for name in options.study if name not in ADDRESSES]
    products = [name for name in ADDRESSES if name in options.study]
    nothing = not options.study
    chosen = studies.choose(named or studies.names(), options.size)[0] if named or nothing else []
    unasked = {name for name in chosen if studies.info(name).large and studies.missing(name)}
    wanted = [name for name in chosen if named or name not in unasked]
    failed = 0 if options.list else _fetch(wanted, products, options.size)
    shown = list(ADDRESSES) if nothing else products
    _table(data_table.rows_shown(chosen, shown))
    if options.list and options.study and (gone := data_table.missing_shown(chosen, products))[1:]:
        _table(gone)
    return failed


def _fetch(chosen: Sequence[str], products: Sequence[str], size: str) -> int:
    """Bring studies and products into the cache; return the exit status."""
    from proda_lib import studies
    from proda_lib.references.files import READ_BY, fetch_product

    failed = 0
    for name in [*chosen, *products]:
        try:
            if name in products:
                said = f"{len(fetch_product(name))} files, read {READ_BY[name]}"
            else:
                said = _contents(studies.load(name, size))
        except (ValueError, RuntimeError, OSError) as error:
            failed = _complain(str(error) if name in products else f"{name}: {error}")
        else:
            print(f"{name}: {said}", flush=True)
    return failed


def _contents(study: Study) -> str:
    """Say in one line what a study holds."""
    observations = int(study.sites["observed_soc"].notnull().sum())
    cells = study.grid.sizes["cell"]
    excluded = int(study.exclusions["profiles"].sum())
    return (
        f"{study.sites.sizes['site']:,} sites with {observations:,} observations, {cells:,} cells, "
        f"{excluded:,} profiles excluded"
    )


def _table(rows: Sequence[Sequence[str]]) -> None:
    """Print rows in columns as wide as needed."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        print("  ".join(cells).rstrip(), flush=True)


def _chosen(options: argparse.Namespace) -> list[str]:
    """Return the studies asked for; say which are left out and how to get them."""
    from proda_lib import studies

    chosen, left_out = studies.choose(options.study, options.size)
    for name, gone in left_out.items():
        print(
            f"left out: {name}, {len(gone)} files missing: `make data STUDY={name}` fetches them "
            f"(or `proda data {name}`), or set PRODA_MIRROR to a folder that holds them",
            flush=True,
        )
    print(f"studies: {', '.join(chosen)} (size {options.size})", flush=True)
    return chosen


def _reproduce(options: argparse.Namespace) -> int:
    """`proda reproduce`: bring chapters up to date, then the book."""
    from proda_lib.reproduce import plan, run

    changed = plan.settings(options.set)
    outcomes = run.reproduce(
        _chosen(options), options.size, only=options.only, force=options.force, changed=changed
    )
    _summary(outcomes)
    failed = [outcome for outcome in outcomes if outcome.state == "failed"]
    for outcome in failed:
        _complain(f"{outcome.study} {outcome.notebook} {outcome.message}")
    if failed:
        return _complain("mend this and run the same command again, it resumes there")
    return 0 if options.no_book else _book(argparse.Namespace(size=options.size, pdf=False))


def _summary(outcomes: Sequence[Outcome]) -> None:
    from proda_lib.reproduce.display import clock

    rows = [("study", "chapter", "", "time")]
    for outcome in outcomes:
        ran = outcome.state in {"done", "kept"}
        rows.append(
            (outcome.study, outcome.notebook, outcome.state, clock(outcome.seconds) if ran else "")
        )
    _table(rows)


def _status(options: argparse.Namespace) -> int:
    """`proda status`: say what is stale and why."""
    from proda_lib.reproduce import plan

    changed = plan.settings(options.set)
    rows = [("study", "chapter", "")]
    for study in _chosen(options):
        for step in plan.steps(study, options.size, changed):
            state = f"stale: {'; '.join(step.reasons)}" if step.reasons else "up to date"
            rows.append((study, step.notebook, state))
    _table(rows)
    return 0


def _book(options: argparse.Namespace) -> int:
    """`proda book`: build the book and say where it is."""
    from proda_lib.reproduce import book

    page = book.build(size=options.size, pdf=options.pdf)
    print(f"book: open {page}", flush=True)
    if options.pdf:
        print(f"PDF: {paths.build() / 'pdf' / 'proda-book.pdf'}", flush=True)
    return 0


def _wosis(options: argparse.Namespace) -> int:
    """`proda wosis`: write the table of a snapshot and show what was left out."""
    _table(wosis.run(options))
    return 0


def _check(options: argparse.Namespace) -> int:
    """`proda check`: one line per study or file, exit status 1 if one is not as it should be."""
    from proda_lib import studies

    files = [what for what in options.what if what.endswith(".nc")]
    tables = [what for what in options.what if what.endswith(".csv")]
    names = [what for what in options.what if what not in (*files, *tables)]
    chosen = studies.choose(names, options.size)[0] if names or not options.what else []
    failed = max([0, *(_explained(what, options.forcing, options.size) for what in tables)])
    for what in [*chosen, *files]:
        try:
            text = _check_file(Path(what)) if what in files else _check_study(what, options.size)
            print(f"{what}: ok, {text}", flush=True)
        except (ValueError, RuntimeError, OSError) as error:
            failed = _complain(f"{what}: {error}")
    return failed


def _explained(file: str, forcing: str | None, size: str) -> int:
    """Print every problem of a table of profiles; return 1 if one is an error."""
    from proda_lib.own_profiles.check import explained
    from proda_lib.studies import own

    try:
        told, refused = explained(file, own.cells_of(forcing, size) if forcing else None)
    except ValueError as error:
        return _complain(f"{file}: {error}")
    print("\n".join(told), flush=True)
    return _complain(refused) if refused else 0


def _own(options: argparse.Namespace) -> int:
    """`proda own`: check a table of profiles, then make a study of it."""
    from proda_lib.studies import own

    if _explained(options.table, options.forcing, options.size):
        return 1
    told = {name: getattr(options, name) for name in ("size", "title", "licence", "citation")}
    folder = own.create(options.table, options.name, options.forcing, **told)
    print(f"study {options.name}: {folder}; next: proda reproduce --study {options.name}")
    return 0


def _check_study(name: str, size: str) -> str:
    from proda_lib import studies
    from proda_lib.studies import schema

    study = studies.load(name, size)
    schema.check(study.sites, "site", name)
    schema.check(study.grid, "cell", name)
    return _contents(study)


def _check_file(file: Path) -> str:
    """Check a file of sites or cells against the schema."""
    import xarray as xr

    from proda_lib.studies import schema

    if not file.is_file():
        raise FileNotFoundError("there is no such file")
    try:
        data = xr.load_dataset(file, engine="h5netcdf")
    except OSError as error:
        raise ValueError(f"it cannot be read as a netCDF4 file ({error}): save it as one") from None
    row = next((name for name in ("site", "cell") if name in data.dims), None)
    if row is None:
        raise schema.SchemaError("it has neither a dimension site nor a dimension cell: add one")
    schema.check(data, row)
    return f"{data.sizes[row]:,} {row}s"
