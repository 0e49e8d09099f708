"""The exercises' interface: check, hint, solution, and what CI asserts."""

from __future__ import annotations

from typing import Any

import pytest
from jwt_course import Exercise, Wrong


def judge(double: Any) -> str:
    if double(4) != 8:
        raise Wrong(f"double(4) gave {double(4)}, and not 8.")
    return "Twice as much."


def exercise(**namespace: Any) -> Exercise:
    return Exercise(
        namespace, "q1", wants=["double"], judge=judge,
        hints=["Think of two.", "Multiply by two.", "return 2 * x"],
        solution="double = lambda x: 2 * x",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("namespace", "words"),
    [
        ({}, "q1 has no answer yet. Replace `double = ...` with your answer.\n"),
        ({"double": ...}, "q1 has no answer yet. Replace `double = ...` with your answer.\n"),
        ({"double": lambda x: x}, "q1 is not right yet: double(4) gave 4, and not 8.\n"),
        ({"double": lambda x: 1 / 0}, "q1 is not right yet: your code raised ZeroDivisionError.\n"),
        ({"double": lambda x: x + x}, "q1 is right. Twice as much.\n"),
    ],
)
def test_check_says_what_it_makes_of_an_answer(
    namespace: dict[str, Any], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    exercise(**namespace).check()
    assert capsys.readouterr().out == words


def test_an_answer_can_be_mended() -> None:
    namespace: dict[str, Any] = {}
    q1 = Exercise(namespace, "q1", wants=["double"], judge=judge, hints=["…"], solution="…")
    q1.assert_check_unattempted()
    namespace["double"] = lambda x: x
    q1.assert_check_failed()
    namespace["double"] = lambda x: 2 * x
    q1.assert_check_passed()


def test_each_hint_says_more_and_the_last_stays(capsys: pytest.CaptureFixture[str]) -> None:
    q1 = exercise()
    for _ in range(4):
        q1.hint()
    assert capsys.readouterr().out.splitlines() == [
        "Hint 1 of 3: Think of two.",
        "Hint 2 of 3: Multiply by two.",
        "Hint 3 of 3: return 2 * x",
        "Hint 3 of 3: return 2 * x",
    ]


def test_solution_shows_a_right_answer(capsys: pytest.CaptureFixture[str]) -> None:
    exercise().solution()
    assert capsys.readouterr().out == "A right answer to q1:\n\ndouble = lambda x: 2 * x\n"


RIGHT, WRONG = {"double": lambda x: 2 * x}, {"double": lambda x: x}


@pytest.mark.parametrize(
    ("namespace", "method"),
    [
        (WRONG, "assert_check_passed"),
        ({}, "assert_check_passed"),
        (RIGHT, "assert_check_failed"),
        ({}, "assert_check_failed"),
        (RIGHT, "assert_check_unattempted"),
        (WRONG, "assert_check_unattempted"),
    ],
)
def test_ci_is_told_when_a_check_is_not_as_expected(namespace: dict[str, Any], method: str) -> None:
    with pytest.raises(AssertionError):
        getattr(exercise(**namespace), method)()
