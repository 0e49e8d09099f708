"""Each faulty client fails, and in the scenario that is meant for it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from jwt_course.lesson_09.client_scenarios import SCENARIOS
from jwt_course.lesson_09.faulty_auths import MuleAuth, OptimistAuth, StrangerAuth
from jwt_course.lesson_09.faulty_clients import LatecomerClient
from jwt_course.lesson_09.grader import find_fault, grade
from jwt_course.lesson_09.mutants import MUTANTS

from client_widget import LoginRequired, Request
from client_widget.protocol.auth_flow import (
    AuthFlow,
    may_have_expired,
    refresh_request,
    with_bearer,
)

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"

FAILS = {
    "flag": {
        "five in a row", "four together", "a late refusal", "refused",
        "refused, and others wait", "a body", "rotation",
    },
    "rush": {"four together", "refused, and others wait", "rotation"},
    "silence": {"refused", "refused, and others wait"},
    "mirror": {"refused", "refused, and others wait"},
    "parcel": {"a body"},
    "door": {"no right"},
    "watch": {"a wrong clock"},
    "keepsake": {"rotation", "a wrong clock"},
    "mule": {"refused again"},
    "latecomer": {"a late refusal"},
    "optimist": {"refused", "refused, and others wait"},
    "stranger": {"another login"},
}  # fmt: skip


def test_there_is_a_row_here_for_each_mutant() -> None:
    assert list(FAILS) == list(MUTANTS)


def test_each_scenario_is_there_for_a_mutant() -> None:
    meant = {mutant.scenario for mutant in MUTANTS.values()}
    assert meant == {scenario.name for scenario in SCENARIOS}


@pytest.mark.parametrize("name", FAILS)
def test_a_mutant_fails_where_it_should_and_nowhere_else(name: str) -> None:
    mutant = MUTANTS[name]
    report = grade(mutant.candidate)
    assert {row.scenario for row in report.failures} == FAILS[name]
    assert mutant.scenario in FAILS[name]


def test_a_mutant_shows_its_trace_and_its_source(capsys: pytest.CaptureFixture[str]) -> None:
    door = MUTANTS["door"]
    door.watch()
    assert capsys.readouterr().out.splitlines() == [
        "client  GET /class with the access token (60 s left)",
        "server  /class: access token accepted (60 s left)",
        "server  /class: refused: Only a teacher may read this",
        "client  403 Forbidden for GET /class: Only a teacher may read this",
        "client  POST /refresh with the refresh token (3000 s left)",
        "server  /refresh: refresh token accepted (3000 s left)",
        "server  /refresh: the refresh token of ada is spent, and its successor is sent",
        "server  /refresh: access token issued, valid for 60 s",
        "server  /refresh: refresh token issued, valid for 3000 s",
        "client  200 OK for POST /refresh",
        "client  a new access token (60 s left) and a new refresh token are stored",
        "client  GET /class again, with the access token (60 s left)",
        "server  /class: access token accepted (60 s left)",
        "server  /class: refused: Only a teacher may read this",
        "client  403 Forbidden for GET /class: Only a teacher may read this",
        "",
        "FAILED  no right",
        "        seen:   GET /class: the caller got 403 insufficient_scope, after 1 refresh, "
        "2 accepted",
        "                access tokens.",
        "        wanted: 403 insufficient_scope goes to the caller: "
        "a new token has no more rights.",
    ]
    assert door.source.startswith("class DoorAuth(BearerAuth):")


@pytest.mark.parametrize("name", FAILS)
def test_nothing_that_is_told_of_a_mutant_names_the_cause(name: str) -> None:
    """The symptom is what a user sees; what a line of code does is for the learner to find."""
    mutant = MUTANTS[name]
    words = mutant.symptom.lower()
    assert not {"lock", "flag", "event", "retry", "rotat", "single flight"} & set(words.split())
    for word in ("#", "fault", "wrong", "bug"):
        assert word not in mutant.source.replace("# no refresh", "").replace("# None: another", "")


@pytest.mark.parametrize("name", FAILS)
def test_the_notebook_quotes_each_symptom_as_it_is_printed(name: str) -> None:
    lesson = NOTEBOOKS / "09_break_and_fix.ipynb"
    quotes = [
        line
        for cell in json.loads(lesson.read_text())["cells"]
        if cell["cell_type"] == "markdown"
        for line in "".join(cell["source"]).splitlines()
        if line.startswith("> ")
    ]
    assert f"> {MUTANTS[name].symptom}" in quotes


class Late(LatecomerClient):
    def _refresh_once(self, flow: AuthFlow, message: Request, call: Any) -> Request:
        if self.store.get() is not message.replaces:
            return flow.send(None)
        return super()._refresh_once(flow, message, call)


class Once(MuleAuth):
    def auth_flow(self, request: Request) -> AuthFlow:
        pair = self._store.get()
        response = yield with_bearer(request, pair)
        assert response is not None
        if pair is not None and may_have_expired(response):
            pair = yield from self._refreshed(pair)
            response = yield with_bearer(replace(request, purpose="retry"), pair)
            assert response is not None
        return response


class Realist(OptimistAuth):
    def _store_refreshed(self, pair: Any, answer: Any) -> None:
        super(OptimistAuth, self)._store_refreshed(pair, answer)


class Friend(StrangerAuth):
    def _refreshed(self, pair: Any) -> Any:
        answer = yield refresh_request(pair)
        if answer is not None:
            self._store_refreshed(pair, answer)
        fresh = self._store.get()
        if fresh is None or fresh.session is not pair.session:
            raise LoginRequired("log in again")
        return fresh


@pytest.mark.parametrize(
    ("name", "fixed"),
    [("mule", Once), ("latecomer", Late), ("optimist", Realist), ("stranger", Friend)],
)
def test_the_last_four_can_be_fixed(name: str, fixed: Callable[..., Any]) -> None:
    assert find_fault(fixed, MUTANTS[name].scenario, patience=5) is None
