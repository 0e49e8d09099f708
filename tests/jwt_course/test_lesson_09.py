"""Lesson 09: what its exercises say of answers."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
from jwt_course.lesson_09 import exercises
from jwt_course.lesson_09.faulty_auths import DoorAuth, FlagAuth
from jwt_course.lesson_09.mutants import MUTANTS, SERVER_MUTANTS

from client_widget import AuthClient, BearerAuth
from client_widget.protocol.auth_flow import AuthFlow, Request, with_bearer
from demo_server import ServerConfig


def verdict(number: int, answer: Any, capsys: pytest.CaptureFixture[str]) -> str:
    exercises({f"mended_{number}": answer})[number - 1].check()
    return capsys.readouterr().out


def test_there_is_an_exercise_for_each_client_and_one_for_the_servers() -> None:
    assert [q.name for q in exercises({})] == [f"q{n}" for n in range(1, len(MUTANTS) + 2)]
    for exercise in exercises({}):
        exercise.assert_check_unattempted()


def test_the_fault_itself_is_no_answer(capsys: pytest.CaptureFixture[str]) -> None:
    assert verdict(1, FlagAuth, capsys) == (
        'q1 is not right yet: the scenario "five in a row" fails.\n'
        "   seen:   expiry 2: the caller got 403 token_expired, after 1 refused access token.\n"
        "   wanted: after each expiry one refresh and one retry, and the caller sees 200.\n"
    )


def test_a_mend_that_breaks_something_else_is_told_so(capsys: pytest.CaptureFixture[str]) -> None:
    class NeverOn403(DoorAuth):
        def auth_flow(self, request: Request) -> AuthFlow:
            response = yield with_bearer(request, self._store.get())
            assert response is not None
            return response

    assert verdict(6, NeverOn403, capsys).startswith(
        'q6 is not right yet: the symptom is gone, but the scenario "five in a row" fails.\n'
        "   seen:   expiry 1: the caller got 403 token_expired, after 1 refused access token.\n"
    )


@pytest.mark.parametrize(
    "answer",
    [
        BearerAuth,
        lambda url, **given: AuthClient(url, auth=partial(BearerAuth, clock=None), **given),
    ],
)
def test_a_scheme_and_a_function_are_taken(answer: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert verdict(7, answer, capsys) == (
        "q7 is right. A duration, measured on one clock, is right on any clock.\n"
    )


def test_what_is_no_client_is_wrong(capsys: pytest.CaptureFixture[str]) -> None:
    assert "seen:   the client raised TypeError." in verdict(1, "FlagAuth", capsys)


@pytest.mark.parametrize("grace", [3, 10, 60])
def test_a_short_grace_is_right(grace: int, capsys: pytest.CaptureFixture[str]) -> None:
    assert verdict(13, ServerConfig(policy="rfc", refresh_grace=grace), capsys) == (
        "q13 is right. The grace is long enough for a lost answer, and too short for a thief.\n"
    )


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (10, "mended_13 must be a ServerConfig, and this is of type int."),
        (ServerConfig(), "after the logout, the access token was still valid."),
        (ServerConfig(policy="rfc"), "2 s later, the same refresh token was answered with 400."),
        (
            ServerConfig(policy="rfc", refresh_grace=61),
            "60 s after its use, the refresh token brought the thief new tokens.",
        ),
    ],
)
def test_other_settings_are_wrong(
    answer: Any, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert words in verdict(13, answer, capsys)


@pytest.mark.parametrize("name", SERVER_MUTANTS)
def test_a_faulty_server_fails_where_it_should(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    mutant = SERVER_MUTANTS[name]
    mutant.watch()
    assert f"FAILED  {mutant.scenario}" in capsys.readouterr().out
    config = mutant.candidate
    assert isinstance(config, ServerConfig)
    assert mutant.source == (
        f"ServerConfig(policy={config.policy!r}, refresh_grace={config.refresh_grace})"
    )
