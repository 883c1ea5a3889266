"""What happens to texts on their way into the book."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proda_lib.reproduce import book_text
from proda_lib.reproduce.book_text import BookError

LABELS = st.from_regex(r"\A(fig|tab|eq|sec)-[a-z][a-z0-9-]{0,8}\Z")

FORMS = (
    "({})=\n# Title",
    "```{{figure}} a.png\n:name: {}\n```",
    "```{{math}}\n:label: {}\nx\n```",
    "$$ x $$ ({})",
    "[text]{{#{}}}",
    "{{numref}}`{}`",
    "{{numref}}`Figure %s <{}>`",
    "{{eq}}`{}`",
    "{{ref}}`words <{}>`",
    "[words](#{})",
    "[]({})",
)


@given(LABELS, st.sampled_from(FORMS))
def test_a_label_is_prefixed_in_every_form_of_myst_and_only_once(label, form):
    text = book_text.prefix_labels(form.format(label), "twin", {label})
    assert text == form.format(f"twin-{label}")
    assert book_text.prefix_labels(text, "twin", {label}) == text


@given(LABELS, st.sampled_from(FORMS))
def test_labels_of_the_book_itself_are_left_alone(label, form):
    assert book_text.prefix_labels(form.format(label), "twin", set()) == form.format(label)


@given(LABELS, st.sampled_from(FORMS[5:]))
def test_references_to_chapters_that_have_not_run_become_words(label, form):
    text = book_text.unlink(f"see {form.format(label)}.", {label: "The model"}, {})
    assert label not in text and "{" not in text and "](" not in text


def test_prose_in_brackets_is_no_label():
    text = "A garden (fig-tree) and a sec-tion."
    assert book_text.prefix_labels(text, "twin", {"fig-tree"}) == text
    assert book_text.labels_in(text) == set()


@pytest.mark.parametrize(
    ("role", "expected"),
    [
        ("{value}`a.r2`", "0.612"),
        ("{value}`a.r2:.1f`", "0.6"),
        ("{value}`a.sites:,d`", "1,406"),
        ("{value}`a.sites`", "1406"),
        ("{value}`a.name`", "twin"),
        ("{value}`a.on`", "True"),
        ("{value}`a.bias:.1f`", "−17.4"),
        ("{value}`a.error:.0e`", "3\N{NO-BREAK SPACE}×\N{NO-BREAK SPACE}10⁻¹⁶"),
        ("{value}`a.none:.0e`", "0"),
        ("{value}`a.dash`", "e-folding"),
        ("``{value}`a.r2` ``", "``{value}`a.r2` ``"),
    ],
)
def test_numbers_are_looked_up(role, expected):
    numbers = {"a.r2": 0.61234, "a.sites": 1406, "a.name": "twin", "a.on": True}
    numbers |= {"a.bias": -17.36, "a.error": 2.9e-16, "a.none": 0.0, "a.dash": "e-folding"}
    assert book_text.fill_values(role, numbers, "page") == expected


def test_a_missing_number_names_page_key_and_the_nearest():
    with pytest.raises(BookError, match=r"01_data: .*'data\.site'.*nearest is 'data\.sites'"):
        book_text.fill_values("{value}`data.site`", {"data.sites": 1}, "01_data")


def test_a_format_that_does_not_fit_names_page_and_number():
    with pytest.raises(BookError, match=r"01_data: .*key:d.*0\.5"):
        book_text.fill_values("{value}`key:d`", {"key": 0.5}, "01_data")


def test_study_blocks():
    text = "a\n% only: twin, newyork\nb\n% end\n% only: conus\nc\n% end\nd"
    assert book_text.keep_only(text, {"newyork"}, "page") == "a\nb\nd"
    assert book_text.keep_only(text, set(), "page") == "a\nd"
    text = "a\n% only: not twin, conus\nb\n% end\nc"
    assert book_text.keep_only(text, {"twin", "newyork"}, "page") == "a\nb\nc"
    assert book_text.keep_only(text, {"twin"}, "page") == "a\nc"


@pytest.mark.parametrize(
    "text", ["% only: a\nx", "x\n% end", "% only: a\n% only: b\nx\n% end\n% end"]
)
def test_a_study_block_that_does_not_close_names_the_page(text):
    with pytest.raises(BookError, match="intro"):
        book_text.keep_only(text, {"a"}, "intro")


def test_an_unknown_part_names_page_and_choices():
    with pytest.raises(BookError, match=r"intro: no part 'run'.*runs"):
        book_text.insert("% insert: run", {"runs": str}, "intro")
