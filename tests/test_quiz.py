"""Quizzes: read and checked, set as part of a page, marked in a browser without a network."""

from __future__ import annotations

import re

import pytest

from proda_lib import paths
from proda_lib.reproduce import book_lesson, plan, quiz
from proda_lib.reproduce.book_text import BookError
from tests import browser, script_page

GOOD = """
[[question]]
text = 'What does $x^2$ do to a **pool**?'
[[question.choice]]
text = 'It grows by $\\sqrt{x}$.'
say = 'It would, if *x* were negative.'
[[question.choice]]
text = 'It shrinks.'
right = true
say = 'As $x^2$ says.'

[[question]]
text = '''
Two paragraphs.

What is `K`?
'''
[[question.choice]]
text = '<b>Turnover</b>'
right = true
say = 'Yes it is.'
[[question.choice]]
text = 'Transport, which is a long word for a long way of carbon through the column of the soil'
say = 'That is $V$.'
[[question.choice]]
text = 'Input'
say = 'That is $B u$.'
"""


QUIZZES = sorted((paths.book() / "quizzes").glob("*"))


def test_a_quiz_is_read():
    first, second = quiz.read(GOOD, "01_data")
    assert [choice.right for choice in first.choices] == [False, True]
    assert second.text.startswith("Two paragraphs.") and len(second.choices) == 3


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("right = true\nsay = 'As", "say = 'As", "question 1: 0 choices have right = true"),
        ("say = 'That is $V", "right = true\nsay = '", "question 2: 2 choices have right"),
        ("say = 'As $x^2$ says.'", "", "question 1, choice 2: 'say' is missing"),
        ("text = 'Input'", "text = ' '", "question 2, choice 3: 'text' is missing"),
        ("text = 'Input'", "text = 3", "question 2, choice 3: 'text' is missing"),
        ("right = true\nsay = 'As", "rihgt = true\nsay = 'As", "did you mean 'right'"),
        ("[[question]]\ntext = '''", "[[qestion]]\ntext = '''", "did you mean 'question'"),
        ("right = true\nsay = 'As", "right = 'yes'\nsay = 'As", "write true or false"),
        ("'It shrinks.'", "'It shrinks.", "it is not TOML"),
        ("text = 'Input'", "text = '<b>Turnover</b>'", "two choices have the same text"),
        ("text = 'Input'", "text = '$x$'", "a formula alone: add a word"),
        (GOOD[GOOD.index("[[question.choice]]") : GOOD.index("\n\n[[")], "", "0 choices: give two"),
        (GOOD, "", "there is no question"),
        (GOOD, "question = 'Why?'", "'question' is not a list of tables"),
    ],
)
def test_a_mistake_in_a_quiz_is_one_clear_line(old, new, words):
    assert old in GOOD
    with pytest.raises(quiz.QuizError) as error:
        quiz.read(GOOD.replace(old, new, 1), "01_data")
    text = str(error.value)
    assert text.startswith("quiz 01_data") and words in text and "\n" not in text, text


def test_every_quiz_belongs_to_a_chapter_and_can_be_read():
    names = {chapter.notebook for chapter in plan.chapters()}
    for file in QUIZZES:
        assert file.suffix == ".toml" and file.stem in names, f"{file.name} belongs to no chapter"
        for question in quiz.load(file.stem):
            for text in (question.text, *(c.text + c.say for c in question.choices)):
                assert text.count("$") % 2 == 0, f"{file.name}: a $ has no partner: {text}"


def choices(count: int) -> str:
    """Return a question of so many choices."""
    right = ["right = true", *[""] * (count - 1)]
    rows = (f"[[question.choice]]\ntext = '{k}'\nsay = '.'\n{r}\n" for k, r in enumerate(right))
    return "[[question]]\ntext = 'Which?'\n" + "".join(rows)


def test_every_choice_has_a_letter():
    text = quiz.plain(quiz.read(choices(26), "01_data"), answers=False)
    assert "- (a) 0\n" in text and "- (i) 8\n" in text and text.endswith("- (z) 25")
    with pytest.raises(quiz.QuizError, match="question 1 has 27 choices: give two to 26"):
        quiz.read(choices(27), "01_data")


def test_a_check_that_does_not_agree_stops_the_book():
    cell = {"id": "check-1", "metadata": {"tags": ["check"]}, "outputs": []}
    for said in (
        "Not yet: 3 is too large.",
        "No answer yet: replace",
        "Right: 3.\nNot yet: 4.",
        "",
    ):
        with pytest.raises(BookError, match=r"chapter 01_data: the check 'check-1'"):
            book_lesson.check_answered(cell | {"outputs": [{"text": said}]}, "01_data")
    book_lesson.check_answered(cell | {"outputs": [{"text": ["Right: 3 kg.\n"]}]}, "01_data")
    book_lesson.check_answered(cell | {"metadata": {}}, "01_data")


def test_a_solution_is_folded_and_bears_no_marks():
    cell = {"cell_type": "code", "metadata": {"tags": ["solution"]}, "source": "a = 1  # answer"}
    book_lesson.code_cell(cell)
    assert cell["source"] == "a = 1" and "hide-cell" in cell["metadata"]["tags"]
    assert cell["metadata"]["mystnb"]["code_prompt_show"] == "Show the solution"
    text = book_lesson.prose({"metadata": {"tags": ["lesson"]}, "source": "- a"})
    assert "{admonition} In this chapter" in text and "\n- a\n" in text
    assert book_lesson.prose({"metadata": {}, "source": "- a"}) == "- a"


def rendered(questions: tuple[quiz.Question, ...]) -> str:
    """Return questions as the book's parser sets them; a warning of the parser is an error."""
    from docutils.core import publish_parts
    from myst_parser.docutils_ import Parser

    source = "# x\n\n" + book_lesson.questions(questions, "twin-01_data")
    options = {"myst_enable_extensions": ["dollarmath", "attrs_inline"], "report_level": 2}
    options |= {"halt_level": 2, "math_output": "LaTeX", "doctitle_xform": False}
    parts = publish_parts(source, parser=Parser(), writer_name="html5", settings_overrides=options)
    return parts["html_body"]


@pytest.mark.parametrize("file", QUIZZES, ids=lambda file: file.stem)
def test_every_quiz_can_be_set(file):
    questions = quiz.load(file.stem)
    html = rendered(questions)
    assert html.count("<form") == html.count("</form>") == len(questions)
    assert html.count('type="radio"') == sum(len(each.choices) for each in questions)
    words = re.sub(r'(?s)<tt class="math.*?</tt>|<code.*?</code>', "", html)
    assert not [mark for mark in ("$", "**", "`", "{") if mark in words]


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """Write a page with two questions."""
    body = rendered(quiz.read(GOOD, "01_data"))
    return script_page.write(tmp_path_factory.mktemp("page"), body, ["lesson"], ["quiz"])


@pytest.fixture(params=browser.WIDTHS)
def page(request, chromium, address):
    """Open the page; any request after it has loaded and any error of a script fails the test."""
    wrong = []
    opened = chromium.new_page(viewport={"width": request.param, "height": 900})
    opened.on("pageerror", lambda error: wrong.append(str(error)))
    opened.on("console", lambda m: wrong.append(m.text) if m.type == "error" else None)
    opened.goto(address)
    opened.on("request", lambda r: wrong.append(f"asks for {r.url}"))
    yield opened
    opened.close()
    assert not wrong


def feedback(page, number: int) -> str:
    return page.locator(".proda-question").nth(number).locator(".proda-feedback").inner_text()


def score(page) -> str:
    return page.locator(".proda-quiz-score").inner_text()


def press(page, number: int) -> None:
    page.get_by_role("button", name="Check").nth(number).click()


def test_the_mouse_marks_wrong_and_right(page):
    press(page, 0)
    assert feedback(page, 0) == "Choose an answer first."
    page.get_by_label("It grows").check()
    press(page, 0)
    assert "Not this. It would, if x were negative." in feedback(page, 0)
    assert score(page) == "0 of 2 right."
    assert not page.get_by_text("All choices").first.is_visible()
    page.get_by_text("It shrinks.", exact=True).first.click()  # the words, not the small circle
    assert feedback(page, 0) == "" and score(page) == "0 of 2 right."
    press(page, 0)
    assert "Right. As" in feedback(page, 0) and score(page) == "1 of 2 right."
    assert page.get_by_text("All choices").first.is_visible()
    page.get_by_label("Turnover").check()
    press(page, 1)
    assert score(page) == "2 of 2 right." and "Yes it is." in feedback(page, 1)


def test_the_keyboard_marks_wrong_and_right(page):
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert "Not this" in feedback(page, 0)
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")  # from the choice itself
    assert "Right" in feedback(page, 0) and score(page) == "1 of 2 right."


def test_names_for_those_who_hear_the_page(page):
    group = page.get_by_role("group", name="Question 1 What does")
    assert group.get_by_role("radio").count() == 2
    assert page.locator(".proda-feedback[role=status]").count() == 2
    assert page.locator(".proda-quiz-score[role=status]").count() == 1
    ids = page.evaluate("() => [...document.querySelectorAll('[id]')].map(e => e.id)")
    assert len(ids) == len(set(ids))
    assert page.locator("strong", has_text="pool").count() == 1
    assert page.locator("legend + div .math").count() == 1  # set, not left as dollars
    assert "$" not in page.locator("article").inner_text()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_text_and_focus_stand_out(page, theme):
    page.evaluate("t => document.documentElement.setAttribute('data-theme', t)", theme)
    page.get_by_label("It grows").check()
    press(page, 0)
    for part in (".proda-question legend", ".proda-question button", ".is-wrong strong"):
        assert page.evaluate(script_page.CONTRAST, [part, "color"]) >= 4.5, part
    assert page.evaluate(script_page.CONTRAST, [".is-wrong .proda-feedback strong", "color"]) >= 4.5
    page.get_by_label("It shrinks").check()
    press(page, 0)
    assert page.evaluate(script_page.CONTRAST, [".is-right .proda-feedback strong", "color"]) >= 4.5
    page.keyboard.press("Tab")
    page.keyboard.press("Shift+Tab")
    assert page.evaluate(script_page.CONTRAST, ["button:focus", "outlineColor"]) >= 3


def test_choices_are_large_enough_for_a_finger_and_fit(page):
    assert page.evaluate(browser.OVERFLOW) == []
    for box in (page.locator(".proda-choice"), page.get_by_role("button", name="Check")):
        assert min(each.bounding_box()["height"] for each in box.all()) >= 32


def test_without_a_script_the_answers_can_be_unfolded(chromium, address):
    context = chromium.new_context(java_script_enabled=False)
    opened = context.new_page()
    opened.goto(address)
    assert opened.get_by_role("button", name="Check").count() == 0
    opened.locator("summary").first.click()
    assert opened.get_by_text("It shrinks. Right.").is_visible()
    assert opened.get_by_text("if x were negative").is_visible()
    context.close()
