from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proda_lib import files


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_failed_write_keeps_the_old_file_and_leaves_nothing_else(tmp_path):
    target = tmp_path / "table.csv"
    target.write_text("old")
    with pytest.raises(RuntimeError, match="full"), files.atomic(target) as temporary:
        temporary.write_text("ha")
        raise RuntimeError("disk is full")
    assert target.read_text() == "old"
    assert names(tmp_path) == ["table.csv"]


def test_the_old_file_is_whole_until_the_new_one_is(tmp_path):
    target = tmp_path / "deep" / "table.csv"
    with files.atomic(target) as temporary:
        temporary.write_text("new")
        assert temporary.parent == target.parent
        assert temporary.suffix == ".csv"
        assert not target.exists()
    assert target.read_text() == "new"
    assert names(target.parent) == ["table.csv"]


def test_a_folder_replaces_a_folder_that_is_not_empty(tmp_path):
    target = tmp_path / "html"
    for content in ("first", "second"):
        with files.atomic(target) as temporary:
            temporary.mkdir()
            (temporary / f"{content}.html").write_text(content)
    assert names(target) == ["second.html"]
    assert names(tmp_path) == ["html"]


def test_writing_nothing_is_an_error(tmp_path):
    with (
        pytest.raises(FileNotFoundError, match=r"table\.csv"),
        files.atomic(tmp_path / "table.csv"),
    ):
        pass


def test_leftovers_of_a_killed_run_are_removed_and_nothing_else(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / ".table.123.partial.csv").write_text("ha")
    folder = tmp_path / ".html.99.partial"
    folder.mkdir()
    (folder / ".x.1.partial.html").write_text("")
    (tmp_path / "partial.csv").write_text("mine")
    files.remove_partial(tmp_path)
    assert names(tmp_path) == ["a", "partial.csv"]
    assert names(tmp_path / "a") == []


def test_sha256_of_a_known_content(tmp_path):
    file = tmp_path / "abc"
    file.write_bytes(b"abc")
    # FIPS 180-2, appendix B.1
    expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert files.sha256(file) == expected


@given(st.lists(st.text()), st.lists(st.text()))
def test_different_sequences_have_different_hashes(first, second):
    assert (files.text_hash(*first) == files.text_hash(*second)) == (first == second)
