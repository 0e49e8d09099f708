"""For each exercise the tests try three right ways at least, five wrong ones, and two cheats.

This counts the cases of the tests themselves, so a case that is taken away is missed.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import pytest
from jwt_course.lesson_04.judges import judge_fixed, judge_one, judge_own

from . import test_lesson_02 as l02
from . import test_lesson_03 as l03
from . import test_lesson_04 as l04
from . import test_lesson_05 as l05
from . import test_lesson_06 as l06
from . import test_lesson_07 as l07
from . import test_lesson_08 as l08
from . import test_lesson_09 as l09
from . import test_lesson_10 as l10
from . import test_lesson_11 as l11
from . import test_lesson_12 as l12
from . import test_mutants
from .test_solutions import LESSONS, exercises


class Ways(NamedTuple):
    """How many ways to answer an exercise the tests try."""

    right: int
    wrong: int
    cheats: int


def cases(test: Any, **only: Any) -> int:
    """How many cases a test has.

    Args:
        test: parametrized.
        only: for a parameter's name the value that it must have, or a function that says so.
    """
    count, left = 1, set(only)
    for mark in test.pytestmark:
        if mark.name != "parametrize":
            continue
        names, values = mark.args
        names = names.split(", ") if isinstance(names, str) else list(names)
        found = [case if len(names) > 1 else (case,) for case in values]
        for name in left & set(names):
            wanted, at = only[name], names.index(name)
            fits = wanted if callable(wanted) else None
            found = [c for c in found if (fits(c[at]) if fits else c[at] == wanted)]
            left.discard(name)
        count *= len(found)
    assert not left, f"{test.__name__} has no parameter {left}"
    return count


def _lesson_02(name: str, right: Any, wrong: Any) -> Ways:
    tricks = cases(l02.test_a_trick_is_seen, name=name)
    borrowed = cases(l02.test_an_answer_from_the_judge_is_not_taken, name=name)
    return Ways(cases(right), cases(wrong), tricks + borrowed)


def _lesson_04(judge: Any) -> Ways:
    def is_it(its: Any) -> bool:
        return its is judge

    return Ways(
        cases(l04.test_each_right_way_is_taken, judge=is_it),
        cases(l04.test_each_wrong_way_is_refused_with_what_was_seen, judge=is_it),
        cases(l04.test_the_reference_is_refused, judge=is_it),
    )


def _lesson_09(number: int) -> Ways:
    """Each faulty client is a wrong answer to each exercise: every scenario is run."""
    name = list(l09.RIGHT)[number - 1]
    return Ways(
        1 + len(set(l09.RIGHT[name])),  # the solution, which its notebook checks
        cases(test_mutants.test_a_mutant_fails_where_it_should_and_nowhere_else),
        cases(l09.test_the_reference_is_nobodys_fix),
    )


def _by_number(tests: Any, number: int) -> Ways:
    """Of a lesson whose cases begin with the number of their exercise."""

    def count(test: Any, tried: dict[str, Any]) -> int:
        return cases(test, which=lambda key: tried[key][0] == number)

    return Ways(
        count(tests.test_each_right_way_passes, tests.RIGHT),
        count(tests.test_each_wrong_way_is_told_what_is_wrong, tests.WRONG),
        count(tests.test_a_trick_is_seen, tests.CHEATS),
    )


def _lesson_12(exercise: str) -> Ways:
    tests = l12.TestExercises
    return Ways(
        cases(tests.test_a_right_answer, exercise=exercise),
        cases(tests.test_a_wrong_answer, exercise=exercise),
        cases(tests.test_a_trick_is_seen, exercise=exercise),
    )


WAYS = {
    "02 q1": _lesson_02(
        "decode_part",
        l02.test_decode_part_may_pad_in_any_way,
        l02.test_decode_part_is_told_what_is_wrong,
    ),
    "02 q2": _lesson_02(
        "sign", l02.test_sign_is_right_if_the_server_takes_it, l02.test_sign_is_told_what_is_wrong
    ),
    "02 q3": _lesson_02(
        "verify",
        l02.test_verify_may_be_by_hand_or_by_a_library,
        l02.test_verify_is_told_which_forgery_it_took,
    ),
    "02 q4": _lesson_02(
        "is_over",
        l02.test_is_over_agrees_with_the_server,
        l02.test_is_over_is_told_at_which_moment_it_is_wrong,
    ),
    "03 q1": Ways(
        cases(l03.test_predictions_may_be_written_or_found_out),
        cases(l03.test_a_prediction_is_told_where_it_goes_wrong),
        cases(l03.test_a_word_that_equals_everything_is_read_as_it_is),
    ),
    "03 q2": Ways(
        cases(l03.test_any_right_flow_passes),
        cases(l03.test_a_wrong_flow_is_told_the_case),
        cases(l03.test_what_is_borrowed_is_told_so, name="my_flow"),
    ),
    "04 q1": _lesson_04(judge_fixed),
    "04 q2": _lesson_04(judge_own),
    "04 q3": _lesson_04(judge_one),
    "05 q1": Ways(
        cases(l05.TestForecast.test_the_right_numbers),
        cases(l05.TestForecast.test_the_numbers_that_are_off_are_named),
        cases(l05.TestForecast.test_a_trick_is_seen),
    ),
    "05 q2": Ways(
        cases(l05.TestSingleFlight.test_each_right_way_is_taken),
        cases(l05.TestSingleFlight.test_a_wrong_way_is_told_what_was_seen),
        cases(l05.TestSingleFlight.test_what_is_borrowed_is_told_so),
    ),
    "05 q3": Ways(
        cases(l05.TestWindow.test_each_right_way_is_taken),
        cases(l05.TestWindow.test_a_wrong_way_is_told_what_was_seen),
        cases(l05.TestWindow.test_a_trick_is_seen),
    ),
    "06 q1": Ways(
        cases(l06.test_spend_is_taken),
        cases(l06.test_spend_is_refused),
        cases(l06.test_a_borrowed_spend_is_told_so),
    ),
    "06 q2": Ways(
        cases(l06.test_the_rule_is_taken),
        cases(l06.test_another_rule_is_refused),
        cases(l06.test_a_rule_that_is_a_trick_is_seen),
    ),
    "06 q3": Ways(
        cases(l06.test_a_grace_between_the_two_is_taken),
        cases(l06.test_another_grace_is_refused),
        cases(l06.test_a_grace_that_claims_to_fit_is_seen),
    ),
    "07 q1": Ways(
        cases(l07.test_parameters_is_taken),
        cases(l07.test_parameters_is_refused),
        cases(l07.test_parameters_is_not_borrowed),
    ),
    "07 q2": Ways(
        cases(l07.test_what_to_do_is_taken),
        cases(l07.test_what_to_do_is_refused),
        cases(l07.test_a_trick_for_what_to_do_is_seen),
    ),
    "07 q3": Ways(
        cases(l07.test_answer_is_taken),
        cases(l07.test_answer_is_refused),
        cases(l07.test_a_trick_for_answer_is_seen),
    ),
    "08 q1": Ways(
        cases(l08.test_q1_takes_any_token_that_the_server_takes_for_admins),
        cases(l08.test_q1_says_what_the_server_makes_of_a_wrong_answer),
        cases(l08.test_q1_sees_a_trick),
    ),
    "08 q2": Ways(
        cases(l08.test_q2_takes_any_way_to_check_a_token),
        cases(l08.test_q2_says_what_got_through),
        cases(l08.test_q2_sees_a_trick),
    ),
    "08 q3": Ways(
        cases(l08.test_q3_takes_any_way_to_check_a_login),
        cases(l08.test_q3_says_what_got_in),
        cases(l08.test_q3_sees_a_trick),
    ),
    "08 q4": Ways(
        cases(l08.test_q4_takes_any_way_to_search),
        cases(l08.test_q4_says_what_is_missing_or_too_much),
        cases(l08.test_q4_sees_a_trick),
    ),
    **{f"09 q{number}": _lesson_09(number) for number in range(1, len(l09.RIGHT) + 1)},
    "09 q13": Ways(
        cases(l09.test_a_short_grace_is_right),
        cases(l09.test_other_settings_are_wrong),
        cases(l09.test_neither_a_disguise_nor_a_faulty_server_is_an_answer),
    ),
    **{f"10 q{number}": _by_number(l10, number) for number in (1, 2, 3)},
    **{f"11 q{number}": _by_number(l11, number) for number in (1, 2, 3, 4)},
    "12 q1": Ways(
        cases(l12.TestExercises.test_a_right_refresh),
        cases(l12.TestExercises.test_a_wrong_refresh),
        cases(l12.TestExercises.test_a_borrowed_refresh),
    ),
    "12 q2": _lesson_12("q2"),
    "12 q3": _lesson_12("q3"),
}


def test_every_exercise_is_here() -> None:
    assert list(WAYS) == [
        f"{lesson[-2:]} {exercise.name}" for lesson in LESSONS for exercise in exercises(lesson, {})
    ]


@pytest.mark.parametrize("exercise", WAYS)
def test_an_exercise_is_tried_in_enough_ways(exercise: str) -> None:
    ways = WAYS[exercise]
    assert ways.right >= 3
    assert ways.wrong >= 5
    assert ways.cheats >= 2
