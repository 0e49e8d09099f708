"""Where users are in the course: their own reports, bounded, and for the teacher all of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import requests

from demo_server import DemoClock, DemoServer, ServerConfig
from demo_server.classroom.class_progress import MAX_EXERCISES, MAX_TIMES, ClassProgress, Report

from ...conftest import START, in_threads
from ..api import ADA, TESS, Api, class_config

BOB = {"username": "bob", "password": "the pass phrase of bob"}
RIGHT = {"lesson": "04", "exercise": "q1", "what": "check", "correct": True, "times": 3}
HERE = {"lesson": "04", "exercise": "q1", "wrong": 0, "right": 1, "hints": 0, "solutions": 0}


@pytest.fixture(params=["article", "rfc"])
def config(request: pytest.FixtureRequest) -> ServerConfig:
    return class_config(request.param)


@pytest.fixture
def server(config: ServerConfig, clock: DemoClock) -> Iterator[DemoServer]:
    with DemoServer(config, clock=clock) as server:
        yield server


class User:
    """A user who is logged in."""

    def __init__(self, api: Api, credentials: dict[str, str]) -> None:
        if credentials is not TESS:
            api.register(credentials)
        self.api = api
        self.headers = {"Authorization": f"Bearer {api.login(credentials)[1]['accessToken']}"}

    def report(self, body: Any) -> requests.Response:
        url = self.api.url + "/progress"
        return requests.post(url, json=body, headers=self.headers, timeout=20)

    def events(self) -> dict[str, Any]:
        answer: dict[str, Any] = self.api.send("GET", "/events", headers=self.headers)[1]
        return answer


def test_the_teacher_reads_everyones_progress_and_a_student_their_own(
    api: Api, server: DemoServer
) -> None:
    ada, bob, tess = (User(api, who) for who in (ADA, BOB, TESS))
    assert ada.report(RIGHT).status_code == 204
    assert bob.report({**RIGHT, "correct": False}).status_code == 204
    of_ada, of_bob = {**HERE, "at": START}, {**HERE, "right": 0, "wrong": 3, "at": START}
    assert tess.events()["progress"] == {"ada": of_ada, "bob": of_bob}
    assert ada.events()["progress"] == {"ada": of_ada}
    assert tess.events()["teachers"] == ["tess"]
    assert "teachers" not in ada.events()
    # A report adds nothing to the log of the class.
    server.flush()
    assert "/progress" not in {event["path"] for event in tess.events()["events"]}


def test_only_a_proven_user_reports_and_only_about_themselves(api: Api, server: DemoServer) -> None:
    ada, tess = User(api, ADA), User(api, TESS)
    assert ada.report({**RIGHT, "username": "bob"}).status_code == 204
    assert set(tess.events()["progress"]) == {"ada"}
    ada.headers = {}
    assert ada.report(RIGHT).status_code == (403 if server.config.policy == "article" else 401)


@pytest.mark.parametrize(
    "change",
    [
        {"lesson": ""},
        {"lesson": "a" * 17},
        {"lesson": "04\n"},
        {"exercise": "q.1"},
        {"exercise": "$set"},
        {"exercise": "<b>"},
        {"exercise": None},
        {"exercise": 1},
        {"what": "cheat"},
        {"what": ["check"]},
        {"correct": "yes"},
        {"correct": 1},
        {"times": -1},
        {"times": MAX_TIMES + 1},
        {"times": True},
        {"times": 1.5},
        {"times": None},
    ],
    ids=str,
)
def test_each_field_is_bounded(api: Api, change: dict[str, Any]) -> None:
    ada = User(api, ADA)
    answer = ada.report({**RIGHT, **change})
    assert (answer.status_code, next(iter(change)) in answer.json()["message"]) == (400, True)
    assert ada.events()["progress"] == {}


def test_without_the_class_log_there_is_no_route(clock: DemoClock) -> None:
    with DemoServer(ServerConfig(bcrypt_cost=4), clock=clock) as server:
        assert requests.post(server.url + "/progress", json=RIGHT, timeout=20).status_code == 404


# The summary, over both databases


def step(what: str, times: int = 1, correct: bool | None = None, exercise: str = "q1") -> Report:
    return Report("04", exercise, what, correct, times)


def after(progress: ClassProgress, *steps: Report) -> dict[str, Any]:
    for each in steps:
        progress.add("ada", each, 5.0)
    return progress.read("ada")["ada"]


def test_the_summary_counts_what_is_right_and_what_was_read(database: Any) -> None:
    progress = ClassProgress(database)
    assert progress.read() == {}
    assert progress.read("ada") == {}
    at_q1 = {**HERE, "right": 0, "at": 5.0}
    assert after(progress, step("check", 2, False)) == {**at_q1, "wrong": 2}
    assert after(progress, step("hint"), step("hint", 2)) == {**at_q1, "wrong": 2, "hints": 2}
    assert after(progress, step("check", 3, True)) == {**at_q1, "right": 1, "hints": 2}
    # What is right stays right, a guess is no exercise, and what comes twice counts once.
    again = (step("check", 4, False), step("guess", 1, True), step("hint", 2))
    assert after(progress, *again) == {**at_q1, "right": 1, "hints": 2}
    assert after(progress, step("solution", exercise="q2")) == {
        **at_q1, "exercise": "q2", "right": 1, "hints": 2, "solutions": 1}  # fmt: skip


def test_reports_at_once_are_all_taken(database: Any) -> None:
    progress = ClassProgress(database)
    steps = [step("check", 1, True, f"q{number}") for number in range(8)]
    in_threads(8, lambda: progress.add("ada", steps.pop(), 5.0))
    assert progress.read("ada")["ada"]["right"] == 8


def test_the_exercises_of_one_user_are_bounded(api: Api, clock: DemoClock) -> None:
    ada = User(api, ADA)
    for number in range(MAX_EXERCISES):
        assert ada.report({**RIGHT, "exercise": f"q{number}"}).status_code == 204
    assert ada.report({**RIGHT, "exercise": "more"}).status_code == 400
    assert ada.report(RIGHT).status_code == 204
    assert ada.events()["progress"]["ada"]["right"] == MAX_EXERCISES
