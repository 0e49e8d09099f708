"""Lesson 03's judges: a right flow passes, a wrong one is told where it went wrong."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from jwt_course.lesson_03 import exercises
from jwt_course.lesson_03.flow_by_hand import MadeUpResponse, made_up_store
from jwt_course.lesson_03.judges import CASES, purposes_of, session_of

from client_widget import ArticleAuth, BearerAuth, LoginRequired, Request, ServerUnreachable
from client_widget.protocol.auth_flow import refresh_request, with_bearer

from .learner import AnyText, cell


def verdict(name: str, answer: Any, capsys: pytest.CaptureFixture[str]) -> str:
    """What the exercise that wants `name` prints about an answer."""
    exercises({name: answer})[["predictions", "my_flow"].index(name)].check()
    return capsys.readouterr().out


def test_without_answers_nothing_is_judged() -> None:
    for exercise in exercises({}):
        exercise.assert_check_unattempted()


RIGHT = {
    "a": ["call"],
    "b": ["call", "refresh", "retry"],
    "c": ["call", "refresh"],
    "d": ["call", "refresh", "retry"],
    "e": ["call"],
    "f": ["call", "refresh"],
    "g": ["call", "refresh", "retry"],
}


def test_the_flow_goes_as_the_cases_say() -> None:
    assert {letter: purposes_of(answers) for letter, answers in CASES.items()} == RIGHT


def stepped() -> dict[str, list[str]]:
    """The purposes that a flow yields when each case is stepped by hand."""
    seen: dict[str, list[str]] = {}
    for letter, answers in CASES.items():
        flow = BearerAuth(made_up_store()).auth_flow(Request("GET", "/home"))
        seen[letter] = [next(flow).purpose]
        try:
            for answer in answers:
                seen[letter].append(flow.send(answer).purpose)
        except (StopIteration, LoginRequired, ServerUnreachable):
            pass
    return seen


@pytest.mark.parametrize(
    "predictions",
    [RIGHT, {letter: tuple(purposes) for letter, purposes in RIGHT.items()}, stepped()],
    ids=["lists", "tuples", "stepped by hand"],
)
def test_predictions_may_be_written_or_found_out(
    predictions: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    said = verdict("predictions", predictions, capsys)
    assert said == "q1 is right. All 7 cases, as the flow itself went.\n"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"c": RIGHT["b"]}, "case c, place 3: you say 'retry'; the flow says 'end'."),
        ({"d": ["call", "refresh"]}, "case d, place 3: you say 'end'; the flow says 'retry'."),
        ({"g": ["call", "retry"]}, "case g, place 2: you say 'retry'; the flow says 'refresh'."),
        ({"e": "call"}, "case e must be a list, such as ['call']."),
        ({"a": []}, "case a, place 1: you say 'end'; the flow says 'call'."),
    ],
)  # fmt: skip
def test_a_prediction_is_told_where_it_goes_wrong(
    change: dict[str, Any], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert verdict("predictions", RIGHT | change, capsys) == f"q1 is not right yet: {words}\n"


def test_each_case_wants_a_prediction(capsys: pytest.CaptureFixture[str]) -> None:
    assert "case b has no prediction" in verdict("predictions", {"a": ["call"]}, capsys)
    assert "`predictions` is a list. It should be a dict" in verdict(
        "predictions", ["call"], capsys
    )


def plain(request: Any, store: Any) -> Any:
    """A right flow that builds its messages itself and says nothing of pairs."""
    pair = store.get()
    if pair is None:
        return (yield request)
    response = yield replace(request, headers={"Authorization": f"Bearer {pair.access}"})
    if response.status_code == 403:
        body = {"token": pair.refresh}
        answer = yield Request("POST", "/refresh", json=body, purpose="refresh")
        if answer.status_code >= 400:
            store.replace(pair, None)
            raise LoginRequired("over")
        store.replace(pair, pair.with_access(answer.json()["accessToken"]))
        headers = {"Authorization": f"Bearer {store.get().access}"}
        response = yield replace(request, headers=headers, purpose="retry")
    return response


def in_two(request: Any, store: Any) -> Any:
    """A right flow in two generators."""
    pair = store.get()
    response = yield with_bearer(request, pair)
    if pair is not None and response.status_code == 403:
        yield from refreshing(pair, store)
        response = yield with_bearer(replace(request, purpose="retry"), store.get())
    return response


def refreshing(pair: Any, store: Any) -> Any:
    answer = yield refresh_request(pair)
    match answer.status_code:
        case 200:
            store.set(pair.with_access(answer.json()["accessToken"]))
        case _:
            store.clear()
            raise Over


class Over(LoginRequired):
    """The learner's own error is a LoginRequired too."""


class Machine:
    """A right flow that is no generator function: a state for each message."""

    def __init__(self, request: Any, store: Any) -> None:
        self.flow = plain(request, store)

    def send(self, answer: Any) -> Any:
        return self.flow.send(answer)

    def __iter__(self) -> Any:
        return self

    def __next__(self) -> Any:
        return self.send(None)


def by_machine(request: Any, store: Any) -> Any:
    return Machine(request, store)


@pytest.mark.parametrize("answer", [plain, in_two, by_machine])
def test_any_right_flow_passes(answer: Any, capsys: pytest.CaptureFixture[str]) -> None:
    said = verdict("my_flow", answer, capsys)
    assert said == (
        "q2 is right. Stepped by hand it went the right way each time. Driven by AuthClient it "
        "left the same 33 facts as the lab's own flow: messages, verdicts and what the caller "
        "got.\n"
    )


class Faults:
    """A flow with one thing wrong, by the name of the fault."""

    def __init__(self, fault: str) -> None:
        self.fault = fault
        self.refreshed = False

    def __call__(self, request: Any, store: Any) -> Any:
        pair = store.get()
        response = yield request if self.fault == "unsigned" else with_bearer(request, pair)
        if self.fault == "no status":
            response = response.status_code
            return response
        late = (403,) if self.fault != "all" else range(400, 600)
        if (pair is None and self.fault != "blind") or response.status_code not in late:
            return response if self.fault != "silent" else None
        if self.fault == "flag" and self.refreshed:
            self.refreshed = False
            return response
        self.refreshed = True
        if self.fault == "retry alone":
            return (yield with_bearer(replace(request, purpose="retry"), pair))
        asks = refresh_request(pair)
        answer = yield with_bearer(asks, pair) if self.fault == "signed refresh" else asks
        if answer.status_code != 200 and self.fault != "no look":
            if self.fault == "refusal returned":
                return answer
            if self.fault != "not cleared":
                store.clear()
            raise LoginRequired("over")
        fresh = pair.with_access(answer.json()["accessToken"])
        if self.fault != "not stored":
            store.set(fresh)
        again = request if self.fault == "not a retry" else replace(request, purpose="retry")
        response = yield with_bearer(again, pair if self.fault == "old token" else fresh)
        while self.fault == "loop" and response.status_code == 403:
            response = yield refresh_request(fresh)
        return response


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("unsigned", "'a call answered with 200': the call has the Authorization None; Bearer "),
        ("no "
         "status", "'a call answered with 200': it ended, but did not return the last response."),
        ("silent", "'a call answered with 200': it ended, but did not return the last response."),
        ("all", "'a call answered with 404': after the 404 it sent one more message (refresh)"),
        ("retry alone", "its message has the purpose 'retry' instead of 'refresh'."),
        ("signed refresh", "the refresh has the Authorization 'Bearer access-1'; none was wanted."),
        ("not stored", "the store holds access-1 and refresh-1; access-2 and refresh-1 were"),
        ("not a retry", "its message has the purpose 'call' instead of 'retry'."),
        ("old token", "the retry has the Authorization 'Bearer access-1'; Bearer access-2 was"),
        ("flag", "'the second expiry: 403, then 200, then 200': after the 403 it ended."),
        ("loop", "is answered with 403': after the 403 it sent one more message (refresh)"),
        ("refusal returned", "it returned; it should have raised LoginRequired."),
        (
            "no look",
            "it raised KeyError: 'accessToken', at line",
        ),
        ("not cleared", "the store still holds a pair; it should be empty."),
        (
            "blind",
            "'no pair in the store, and 403': it raised AttributeError: 'NoneType' object has no "
            "attribute 'refresh', at line",
        ),
    ],
)  # fmt: skip
def test_a_wrong_flow_is_told_the_case(
    fault: str, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    said = verdict("my_flow", Faults(fault), capsys)
    assert said.startswith("q2 is not right yet: case '")
    assert words in said


def test_the_flow_that_the_faults_are_put_into_is_right(capsys: pytest.CaptureFixture[str]) -> None:
    assert verdict("my_flow", Faults("none"), capsys).startswith("q2 is right.")


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (
            lambda request, store: None,
            "my_flow returned None instead of a generator. Does it contain a yield?",
        ),
        (lambda request, store: iter(()), "tuple_iterator instead of a generator"),
        (lambda request, store: (x for x in ()), "before its first message it ended."),
        (lambda request, store: (x for x in ["GET"]), "it yielded a str instead of a Request."),
    ],
)
def test_what_is_no_flow_is_told_so(
    answer: Any, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert words in verdict("my_flow", answer, capsys)


def by_the_lab_only(request: Any, store: Any) -> Any:
    """Right with made-up tokens, and sends a real server something else."""
    pair = store.get()
    if pair is not None and "." in pair.access:
        return ArticleAuth(store).auth_flow(request)
    return plain(request, store)


def test_a_flow_that_is_right_by_hand_is_tried_on_a_server(
    capsys: pytest.CaptureFixture[str],
) -> None:
    said = verdict("my_flow", by_the_lab_only, capsys)
    assert said.startswith("q2 is not right yet: on a real server, fact ")


def test_the_session_that_flows_are_compared_by() -> None:
    """In time; two expiries with a refresh each; and both tokens over."""
    call = [
        "client request.sent GET /home call",
        "server token.accepted /home",
        "client response.received 200 GET /home call",
        "the caller got an answer",
    ]
    late = [
        "client request.sent GET /home call",
        "server token.rejected /home token_expired",
        "client response.received 403 GET /home call",
        "client request.sent POST /refresh refresh",
    ]
    refresh = [
        "server token.accepted /refresh",
        "server token.issued /refresh",
        "client response.received 200 POST /refresh refresh",
        "client request.retried GET /home retry",
        "server token.accepted /home",
        "client response.received 200 GET /home retry",
        "the caller got an answer",
    ]
    refused = [
        "server token.rejected /refresh token_expired",
        "client response.received 403 POST /refresh refresh",
        "the caller got LoginRequired",
    ]
    assert session_of(BearerAuth) == [
        *call, *late, *refresh, *late, *refresh, *late, *refused,
    ]  # fmt: skip


def test_a_made_up_answer_has_what_a_flow_reads() -> None:
    answer = MadeUpResponse(200, {"accessToken": "access-2"})
    assert (answer.status_code, answer.json(), answer.headers) == (
        200,
        {"accessToken": "access-2"},
        {},
    )
    assert repr(answer) == "<MadeUpResponse 200>"
    pair = made_up_store().get()
    assert pair is not None
    assert (pair.access, pair.refresh) == ("access-1", "refresh-1")


BORROWED = (
    (
        "my_flow",
        """
            from client_widget import BearerAuth

            def my_flow(request, store):
                return BearerAuth(store).auth_flow(request)
            """,
        "the messages were right, but `BearerAuth` made them. Write the flow with `yield`, "
        "step by step.",
    ),
    (
        "my_flow",
        """
            from client_widget import BearerAuth

            class Renamed(BearerAuth):
                work = BearerAuth.auth_flow

            def my_flow(request, store):
                flow = Renamed(store).work(request)
                message = next(flow)
                while True:
                    answer = yield message
                    try:
                        message = flow.send(answer)
                    except StopIteration as end:
                        return end.value
            """,
        "the messages were right, but `BearerAuth` made them.",
    ),
    (
        "my_flow",
        """
            from jwt_course.lesson_03.judges import LearnersAuth

            def my_flow(request, store):
                return LearnersAuth(my_flow, store).auth_flow(request)
            """,
        "`my_flow` uses LearnersAuth of jwt_course.lesson_03.judges, which does the work",
    ),
)


@pytest.mark.parametrize(("name", "source", "words"), BORROWED)
def test_what_is_borrowed_is_told_so(
    name: str, source: str, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    said = verdict(name, cell(source)[name], capsys)
    assert said.partition(" is not right yet: ")[2].startswith(words)


@pytest.mark.parametrize(
    ("name", "source", "words"),
    [
        ("my_flow", "my_flow = None", "`my_flow` is None. It should be a function: `def my_flow("),
        (
            "my_flow",
            "def my_flow(request):\n    yield request",
            "`my_flow` takes (request), but it is called with (request, store).",
        ),
        ("my_flow", "my_flow = (x for x in [])", "`my_flow` is a generator. It should be a func"),
        ("predictions", "predictions = None", "`predictions` is None. It should be a dict,"),
    ],
)
def test_what_is_of_another_kind_is_told_so(
    name: str, source: str, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    said = verdict(name, cell(source)[name], capsys)
    assert said.partition(" is not right yet: ")[2].startswith(words)


@pytest.mark.parametrize(
    "trick", [[AnyText("call")], [AnyText("x"), AnyText("x")]], ids=["one", "two"]
)
def test_a_word_that_equals_everything_is_read_as_it_is(
    trick: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    said = verdict("predictions", dict.fromkeys("abcdefg", trick), capsys)
    assert said.startswith("q1 is not right yet: case ")
