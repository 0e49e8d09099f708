"""A guess: what the learner says, what it was, and what a saved notebook shows."""

from __future__ import annotations

import importlib
import json
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest
from IPython.core.formatters import DisplayFormatter
from jwt_course.copies import MANIFEST
from jwt_course.guess import Guess, guess, in_order
from jwt_course.progress import FILE

from client_widget import display
from client_widget.display import COLUMNS

SVG = "{http://www.w3.org/2000/svg}"


def refreshes() -> Guess:
    number = {3: "each of the calls refreshes"}
    question = guess("How many refreshes?", number=number, judge=len)
    [asked] = in_order("jwt_course.lesson_05", question)
    return asked


def page() -> Guess:
    question = guess(
        "Who gets the <page>?",
        ((200, 403), "Only A", "B finds the flag"),
        ((200, 200), "Both", "there is no flag"),
    )
    [asked] = in_order("jwt_course.lesson_04", question)
    return asked


def said(asked: Guess, seen: Any, capsys: pytest.CaptureFixture[str]) -> str:
    asked.reveal(seen)
    return capsys.readouterr().out.strip()


@pytest.mark.parametrize(
    ("answer", "seen", "sentence"),
    [
        ("2", "abc", "You said 2, it was 3, because each of the calls refreshes."),
        (" 03 ", "abc", "You said 3, and it was 3, because each of the calls refreshes."),
        ("", "abc", "It was 3, because each of the calls refreshes."),
        ("many", "abc", "It was 3, because each of the calls refreshes."),
        ("3", "abcd", "You said 3, it was 4, which this lesson never saw."),
    ],
)
def test_a_number(
    answer: str, seen: str, sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = refreshes()
    asked.ask().answer.value = answer
    assert said(asked, seen, capsys) == sentence


@pytest.mark.parametrize(
    ("answer", "seen", "sentence"),
    [
        ("Both", (200, 403), "You said “Both”, it was “Only A”, because B finds the flag."),
        ("Both", (200, 200), "You said “Both”, and it was “Both”, because there is no flag."),
        (None, (200, 200), "It was “Both”, because there is no flag."),
        ("Both", (403, 403), "You said “Both”, it was something else: none of these answers."),
    ],
)
def test_a_choice(
    answer: str | None, seen: Any, sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = page()
    asked.ask().answer.value = answer
    assert said(asked, seen, capsys) == sentence


def test_nothing_stops_without_a_question(capsys: pytest.CaptureFixture[str]) -> None:
    assert said(page(), (200, 200), capsys) == "It was “Both”, because there is no flag."


def test_the_view_says_what_to_do_next_and_takes_no_guess_afterwards() -> None:
    asked = refreshes()
    view = asked.ask()
    assert "Answer, then run the next cell." in view.status.value
    for typed in ("x", "9" * 5000):
        view.answer.value = typed
        assert "Type a whole number, such as 3." in view.status.value
    view.answer.value = "2"
    assert "You say 2. Now run the next cell." in view.status.value
    assert not view.answer.disabled
    asked.reveal("abc")
    assert view.answer.disabled
    assert 'role="status"' in view.status.value


def test_it_has_a_label_and_the_question_is_its_tooltip() -> None:
    for asked in (refreshes(), page()):
        view = asked.ask()
        assert view.answer.description == "Your guess"
        assert view.answer.tooltip == asked.question
    assert "&lt;page&gt;" in page().ask().children[0].value


def test_a_saved_notebook_shows_one_line_and_a_picture_the_same_each_time() -> None:
    first, second = (DisplayFormatter().format(page().ask())[0] for _ in range(2))
    for kind in ("text/plain", "image/svg+xml"):
        assert first[kind] == second[kind]
    assert first["text/plain"] == "Who gets the <page>? Only A / Both"
    assert "application/vnd.jupyter.widget-view+json" in first
    picture = ET.fromstring(first["image/svg+xml"])
    texts = [each.text for each in picture.iter(f"{SVG}text")]
    assert texts == ["Who gets the <page>?", "Only A", "Both"]
    assert len(list(picture.iter(f"{SVG}circle"))) == 2
    assert picture.findtext(f"{SVG}desc") == "Who gets the <page>? Only A; Both"


def test_a_picture_of_a_number_has_a_field_and_long_questions_are_broken() -> None:
    asked = guess("Is this a question that is " + "very " * 30 + "long?", number={1: "it is"})
    bundle, _ = DisplayFormatter().format(asked.ask())
    texts = [each.text for each in ET.fromstring(bundle["image/svg+xml"]).iter(f"{SVG}text")]
    assert texts[-1] == "a number"
    assert 2 < len(texts) < 6
    assert " ".join(str(text) for text in texts[:-1]) == asked.question


def test_the_first_guess_is_recorded_in_a_copy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / MANIFEST).touch()
    monkeypatch.chdir(tmp_path)
    asked = page()
    asked.reveal((200, 200))
    assert not (tmp_path / FILE).exists()  # there was no guess
    asked = page()
    asked.ask().answer.value = "Both"
    asked.reveal((200, 403))
    asked.ask().answer.value = "Only A"
    asked.reveal((200, 403))  # the answer is known by now
    [event] = map(json.loads, (tmp_path / FILE).read_text().splitlines())
    del event["at"]
    assert event == {"lesson": "04", "exercise": "g1", "did": "guess", "right": False}


def test_a_question_has_choices_or_a_number() -> None:
    with pytest.raises(ValueError, match="choices or a number"):
        guess("What?")
    with pytest.raises(ValueError, match="choices or a number"):
        guess("What?", (1, "One", "it is"), number={1: "it is"})


@pytest.mark.parametrize("lesson", [*(f"lesson_0{n}" for n in range(1, 10)), "class_live"])
def test_the_questions_of_a_lesson_have_several_answers_and_reasons(lesson: str) -> None:
    questions = importlib.import_module(f"jwt_course.{lesson}").guesses()
    assert [asked.name for asked in questions] == [f"g{n + 1}" for n in range(len(questions))]
    for asked in questions:
        assert asked.lesson.removeprefix("jwt_course.") == lesson
        assert asked.question.endswith("?")
        words = [words for _, words, _ in asked.answers]
        assert len(words) == len(set(words)) != 1
        assert all(not why.endswith(".") and why for _, _, why in asked.answers)


@pytest.mark.parametrize("answer", ["2", None])
def test_a_long_answer_is_broken_between_words(
    answer: str | None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(display, "COLUMNS", COLUMNS)
    why = "each of the calls refreshes " * 5 + "in the end"
    asked = guess("How many?", number={3: why})
    asked.ask().answer.value = answer or ""
    asked.reveal(3)
    said = capsys.readouterr().out
    assert " ".join(said.split()) == (
        f"You said 2, it was 3, because {why}." if answer else f"It was 3, because {why}."
    )
    assert 60 < max(map(len, said.splitlines())) <= 80
