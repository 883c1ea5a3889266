"""The book: assembled from its source and from every chapter that has run, then rendered.

The table of contents follows what has run: the same chapters once per study. The build is strict
(a warning is an error), needs no network, and a failed one leaves the previous book in place.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from proda_lib import paths
from proda_lib.files import atomic, locked, text_hash
from proda_lib.reproduce import (
    book_chapter,
    book_code_links,
    book_files,
    book_glossary,
    book_links,
    book_model_page,
    book_model_picture,
    book_pages,
    book_reference,
    book_teaching,
    book_text,
    plan,
    published_numbers,
    side_by_side,
)
from proda_lib.reproduce.book_runs import References, StudyRun, what_has_run
from proda_lib.reproduce.book_text import BookError

__all__ = ["BookError", "assemble", "build", "find_chromium", "what_has_run"]

#: Decide, beside the pages, whether a book must be rendered again.
_BUILDERS = ("jupyter-book", "sphinx", "myst-nb", "sphinx-book-theme", "pydata-sphinx-theme")
_BROWSERS = ("chromium", "chromium-browser", "google-chrome")


def build(size: str | None = None, pdf: bool = False) -> Path:
    """Assemble and render the book of everything that has run.

    Parameters
    ----------
    size : str, optional
        Show each study at this size where it has run at it, else at the size it ran last.
    pdf : bool
        Also print the book to pdf/proda-book.pdf (needs Chromium).

    Returns
    -------
    Path
        The page to open: html/index.html in the build folder.

    Raises
    ------
    BookError
        If a page asks for a number that does not exist, or the builder gives any warning.
    """
    folder = paths.build()
    with locked(folder / ".lock", "the book"):
        pages = assemble(what_has_run(size))
        index = folder / "html" / "index.html"
        key = _key(pages)
        stamp = folder / "html" / ".key"
        if not (index.exists() and stamp.exists() and stamp.read_text() == key):
            _write(pages, folder / "source")
            _publish(_sphinx("html"), folder / "html", key)
        if pdf:
            _print(_sphinx("singlehtml") / "intro.html", folder / "pdf" / "proda-book.pdf")
        return index


def assemble(runs: Sequence[StudyRun]) -> dict[str, bytes]:
    """Return every file of the book's source, by path; nothing is written.

    Raises
    ------
    BookError
        Naming page and number, label or block that does not fit.
    """
    pages: dict[str, bytes] = {}
    for file in sorted(paths.book().rglob("*")):
        name = file.relative_to(paths.book()).as_posix()
        if name.startswith("quizzes/") or any(part.startswith(".") for part in file.parts):
            continue  # the pages hold the questions
        if file.is_file():
            pages[name] = _prose(file, name, runs) if file.suffix == ".md" else file.read_bytes()
    glossary = (paths.book() / "glossary.md").read_text(encoding="utf-8")
    pages[book_glossary.SCRIPT] = book_glossary.script(glossary).encode()
    planned = plan.chapters()
    for run in runs:
        references = References.of(run, planned)
        pages[f"{run.info.name}/index.md"] = book_reference.study_page(run).encode()
        for chapter in run.chapters:
            ran = book_links.where_it_ran(chapter.name, runs)
            others = [each.info.name for each in ran if each is not run]
            notebook = book_chapter.page(chapter, run, references, others)
            text = json.dumps(notebook, indent=1, ensure_ascii=False)
            pages[f"{run.info.name}/{chapter.name}.ipynb"] = text.encode()
            pages |= book_chapter.downloads(chapter, run)
    pages |= side_by_side.pictures(runs) | {book_model_picture.FILE: book_model_picture.picture()}
    for module, _ in book_reference.public_modules():
        pages[f"reference/api/{module}.md"] = book_reference.api_page(module).encode()
    pages["_toc.yml"] = _table_of_contents(pages["_toc.yml"].decode(), runs).encode()
    return pages


def _prose(file: Path, name: str, runs: Sequence[StudyRun]) -> bytes:
    """Return a page of the book's own, with its blocks, generated parts and numbers."""
    if name.startswith("_static/"):
        return file.read_bytes()
    present = {run.info.name for run in runs}
    present |= {f"{run.info.name}/{chapter.name}" for run in runs for chapter in run.chapters}
    text = book_text.keep_only(file.read_text(encoding="utf-8"), present, name)
    text = book_code_links.link_code(book_teaching.fill_run_times(text, runs, name))
    parts = {
        "studies": lambda: book_reference.study_table(runs),
        "parameters": book_reference.parameter_table,
        "variables": book_reference.variable_table,
        "chapter-times": lambda: book_teaching.chapter_times(runs),
        "files": lambda: book_files.file_tables(runs),
        "modules": book_reference.module_table,
        "profile-columns": book_reference.profile_column_table,
        "profile-template": lambda: book_reference.data_file("profiles_template.csv"),
        "profile-broken": lambda: book_reference.data_file("profiles_broken.csv"),
        "profile-check": book_reference.profile_check,
        "runs": lambda: book_reference.run_tables(runs),
        "published-numbers": lambda: published_numbers.tables(runs),
        "published-summary": lambda: published_numbers.summary(runs),
        "published-claims": lambda: published_numbers.claims(runs),
        "side-by-side": lambda: side_by_side.page_parts(runs),
    } | book_model_page.parts(runs)
    numbers = {f"{run.info.name}.{key}": n for run in runs for key, n in run.numbers.items()}
    if "{value}`try." in text:
        numbers |= book_model_page.numbers()
    text = book_links.chapter_links(book_text.insert(text, parts, name), runs, name)
    return book_text.fill_values(text, numbers, name).encode()


def _table_of_contents(template: str, runs: Sequence[StudyRun]) -> str:
    """Return the contents: the template, with one set of parts per study and the API's pages."""
    import yaml

    contents = yaml.safe_load(template)
    parts: list[dict[str, Any]] = []
    for part in contents["parts"]:
        if "studies" in part:
            parts += [new for run in runs for new in _study_parts(run)]
            continue
        for entry in part["chapters"]:
            if entry.get("sections") == "api":
                modules = book_reference.public_modules()
                entry["sections"] = [{"file": f"reference/api/{name}"} for name, _ in modules]
        parts.append(part)
    return yaml.safe_dump(contents | {"parts": parts}, sort_keys=False, allow_unicode=True)


def _study_parts(run: StudyRun) -> list[dict[str, Any]]:
    """Return the parts of one study; its opening page stands first."""
    name = run.info.name
    parts: dict[str, list[dict[str, str]]] = {}
    for chapter in run.chapters:
        parts.setdefault(chapter.part, []).append({"file": f"{name}/{chapter.name}"})
    next(iter(parts.values())).insert(0, {"file": f"{name}/index"})
    kind = " (synthetic)" if run.info.synthetic else ""
    return [
        {"caption": f"{name}{kind}: {part}", "numbered": True, "chapters": chapters}
        for part, chapters in parts.items()
    ]


def _key(pages: Mapping[str, bytes]) -> str:
    """Return what identifies a rendered book: its source, the library, the builders."""
    import hashlib

    content = [(name, hashlib.sha256(data).hexdigest()) for name, data in sorted(pages.items())]
    library = sorted((paths.repository() / "proda_lib").rglob("*.py"))
    code = [file.read_text(encoding="utf-8") for file in library]
    return text_hash(content, _config().read_text(), code, [version(name) for name in _BUILDERS])


def _config() -> Path:
    return paths.repository() / "_config.yml"


def _write(pages: Mapping[str, bytes], folder: Path) -> None:
    """Bring a folder in line with the pages; unchanged files keep their time."""
    present = {file.relative_to(folder).as_posix(): file for file in folder.rglob("*")}
    present = {name: file for name, file in present.items() if file.is_file()}
    gone = present.keys() - pages.keys()
    changed = {
        name: data
        for name, data in pages.items()
        if name not in present or present[name].read_bytes() != data
    }
    if gone or not all(name.endswith((".md", ".ipynb")) for name in changed):
        _forget()  # contents and styles concern all pages, also those that did not change
    for name in gone:
        present[name].unlink()
    for name, data in changed.items():
        with atomic(folder / name) as temporary:
            temporary.write_bytes(data)


def _sphinx(builder: str) -> Path:
    """Render the assembled source strictly and return the output folder."""
    folder = paths.build()
    options = ["-W", "-n", "--keep-going", "-q", "--builder", builder]
    places = ["--config", str(_config()), "--path-output", str(folder / "render")]
    run = "from jupyter_book.cli.main import main; main()"
    command = [sys.executable, "-c", run, "build", str(folder / "source"), *places, *options]
    path = os.pathsep.join([str(paths.repository()), os.environ.get("PYTHONPATH", "")])
    environment = os.environ | {"PYTHONPATH": path.strip(os.pathsep)}
    complete = folder / "render" / "complete"
    if not complete.exists():
        _forget()  # pages are read only once: a broken or killed build must see its warnings again
    complete.unlink(missing_ok=True)
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    output = folder / "render" / "_build" / builder
    if done.returncode or not (output / "intro.html").exists():
        raise BookError(f"the book was not made, the previous one is kept:\n{_complaints(done)}")
    complete.touch()
    return output


def _complaints(done: subprocess.CompletedProcess[str]) -> str:
    """Return the warnings of a build, each once, without colours and folder names."""
    text = re.sub(r"\x1b\[[0-9;]*m", "", done.stderr)
    for folder in (paths.build() / "source", paths.repository()):
        text = text.replace(str(folder) + os.sep, "")
    lines = list(dict.fromkeys(line for line in text.splitlines() if line.strip()))
    chosen = [line for line in lines if "WARNING" in line or "ERROR" in line]
    return "\n".join(chosen or lines[-15:])


def _forget() -> None:
    """Remove everything that the builder remembers."""
    shutil.rmtree(paths.build() / "render", ignore_errors=True)


def _publish(rendered: Path, folder: Path, key: str) -> None:
    """Put the rendered pages in place of the previous ones."""
    with atomic(folder) as temporary:
        shutil.copytree(rendered, temporary, ignore=shutil.ignore_patterns(".buildinfo"))
        book_pages.lighten(temporary, folder)
        (temporary / ".key").write_text(key)


def find_chromium() -> str | None:
    """Return the path of a Chromium: PRODA_CHROMIUM, else what is on the path, else None."""
    names = [os.environ.get("PRODA_CHROMIUM", ""), *_BROWSERS]
    return next((found for name in names if name and (found := shutil.which(name))), None)


def _print(page: Path, file: Path) -> Path:
    """Print the book, rendered as one page, to a PDF."""
    browser = find_chromium()
    if browser is None:
        raise BookError(
            "the PDF needs Chromium, none was found: install it (package chromium) or set "
            "PRODA_CHROMIUM to its program; the HTML book is complete"
        )
    flags = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    with atomic(file) as temporary:
        options = ["--no-pdf-header-footer", "--virtual-time-budget=20000"]
        options += ["--generate-pdf-document-outline"]
        command = [browser, *flags, *options, f"--print-to-pdf={temporary}", page.as_uri()]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode or not temporary.exists():
            raise BookError(f"Chromium could not print the book: {done.stderr.strip()[-300:]}")
    return file
