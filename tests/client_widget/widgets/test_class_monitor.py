"""The class live: rows from events alone, then the view over a real server."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from client_widget import AuthClient, ClassView, Student
from client_widget.widgets.class_monitor.class_state import (
    ENDED,
    EXPIRED,
    LOGGED_IN,
    MUST_WAIT,
    NO_SESSION,
    ClassState,
)
from client_widget.widgets.class_monitor.class_view import MOST_BATCHES, class_table
from demo_server import DemoClock, DemoServer, ServerConfig, open_database

from ...conftest import PASSWORD, START

MARKUP = "<img src=x onerror=alert(1)>"


def event(name: str, at: float = 0, path: str = "/users/login", **fields: Any) -> dict[str, Any]:
    return {"seq": 1, "name": name, "at": at, "path": path, "username": "ada", **fields}


def issued(kind: str, exp: float, **fields: Any) -> dict[str, Any]:
    return event("token.issued", kind=kind, exp=exp, **fields)


LOGIN = [
    event("login.accepted"),
    issued("access", 60, family="f"),
    issued("refresh", 300, family="f"),
]


def ada(*events: dict[str, Any]) -> Student:
    state = ClassState()
    state.add(events)
    [student] = state.rows()
    return student


def test_a_login_lasts_as_long_as_its_tokens() -> None:
    student = ada(*LOGIN)
    assert student == Student("ada", "log in", 0, access_until=60, refresh_until=300, family="f")
    assert [student.state(now) for now in (0, 59, 60, 299, 300)] == [
        LOGGED_IN, LOGGED_IN, EXPIRED, EXPIRED, ENDED]  # fmt: skip


def test_a_registration_is_no_session() -> None:
    student = ada(event("user.registered", 5, "/users/register"))
    assert (student.state(5), student.last_action, student.last_at) == (NO_SESSION, "register", 5)


def test_a_refresh_of_either_policy_is_counted_once() -> None:
    def refresh(name: str, **fields: Any) -> dict[str, Any]:
        return event(name, 70, "/refresh", **fields)

    article = [
        refresh("token.accepted", kind="refresh"),
        refresh("token.issued", kind="access", exp=130),
    ]
    rfc = [
        refresh("token.accepted", kind="refresh"),
        refresh("token.spent", kind="refresh", family="f"),
        refresh("token.issued", kind="access", exp=130, family="f"),
        refresh("token.issued", kind="refresh", exp=370, family="f"),
    ]
    for events, until in ((article, 300), (rfc, 370)):
        student = ada(*LOGIN, *events)
        assert (student.refreshes, student.last_action) == (1, "refresh")
        assert (student.state(129), student.state(131), student.state(until)) == (
            LOGGED_IN, EXPIRED, ENDED)  # fmt: skip


def test_reuse_and_logout_end_the_session_until_the_next_login() -> None:
    ended = {"path": "/refresh", "family": "f"}
    reuse = [
        event("reuse.detected", 9, **ended),
        event("family.revoked", 9, reason="reuse_detected", **ended),
    ]
    student = ada(*LOGIN, *reuse)
    assert (student.state(10), student.reuse) == (ENDED, 1)
    logout = event("family.revoked", 9, "/logout", family="f", reason="logged_out")
    assert ada(*LOGIN, logout).state(10) == ENDED
    assert ada(*LOGIN, *reuse, *LOGIN).state(10) == LOGGED_IN
    # The session of another device is another session.
    assert ada(*LOGIN, {**logout, "family": "other"}).state(10) == LOGGED_IN


def test_refusals_are_counted_and_a_wait_passes() -> None:
    student = ada(
        *LOGIN,
        event("token.rejected", 61, "/home", kind="access", reason="token_expired"),
        event("login.refused", 62, reason="password_wrong"),
        event("login.throttled", 63, reason="too_many_attempts", wait=4),
    )
    assert student.refusals == 3
    assert [student.state(now) for now in (63, 66.9, 67)] == [MUST_WAIT, MUST_WAIT, EXPIRED]


def test_who_did_something_last_comes_first_and_nobodys_events_are_nobodys() -> None:
    state = ClassState()
    state.add([event("user.registered", at, username=name) for at, name in
               [(1, "ada"), (3, "bob"), (2, "cid"), (3, "abe")]])  # fmt: skip
    state.add([{"seq": 9, "name": "token.rejected", "at": 9.0, "path": "/home"}])
    assert [student.username for student in state.rows()] == ["abe", "bob", "cid", "ada"]
    state.add([event("token.accepted", 4, "/home")])
    assert [student.username for student in state.rows()] == ["ada", "abe", "bob", "cid"]
    assert state.rows()[0].last_action == "home"


def test_a_name_is_text() -> None:
    table = class_table((Student(MARKUP, MARKUP),), 0)
    assert "<img" not in table
    assert table.count("&lt;img src=x onerror=alert(1)&gt;") == 2
    assert "Nobody has done anything yet" in class_table((), 0)


@pytest.mark.parametrize(
    "odd",
    [
        None,
        "x",
        [],
        {},
        {"username": "ada", "at": 1},
        {"username": "ada", "name": None, "at": 1},
        {"username": ["ada"], "name": "x", "at": 1},
        {"username": "ada", "name": "x"},
        {"username": "ada", "name": "x", "at": "noon"},
        {"username": "ada", "name": "x", "at": float("nan")},
        {"username": "ada", "name": "x", "at": 10**400},
        {"username": "ada", "name": "x", "at": True},
    ],
)
def test_what_is_no_event_of_a_user_is_ignored(odd: object) -> None:
    state = ClassState()
    state.add([odd, *LOGIN])
    assert state.rows() == (ada(*LOGIN),)


@pytest.mark.parametrize("odd", [None, "soon", [], {}, float("inf"), 10**400, True])
@pytest.mark.parametrize("name", ["token.issued", "login.throttled", "family.revoked"])
def test_a_field_of_another_type_is_left_out(name: str, odd: object) -> None:
    fields = dict.fromkeys(("path", "kind", "family", "exp", "wait"), odd)
    if isinstance(odd, str):
        fields |= {"path": None, "kind": None, "family": None}
    student = ada({"name": name, "username": "ada", "at": 1, **fields})
    assert student == ada({"name": name, "username": "ada", "at": 1})
    assert "ada" in class_table((student,), 0)


class Answers:
    """A transport that answers each request with the next of `bodies`, the last one forever."""

    def __init__(self, *bodies: bytes) -> None:
        self.bodies = list(bodies)
        self.paths: list[str] = []

    def prepare(self, request: requests.Request) -> requests.PreparedRequest:
        request.url = f"http://127.0.0.1:1{request.url}"
        return request.prepare()

    def send(self, prepared: requests.PreparedRequest, **options: Any) -> requests.Response:
        self.paths.append(prepared.path_url)
        response = requests.Response()
        response.status_code, response.request = 200, prepared
        cursor = len(self.paths)
        body = self.bodies.pop(0) if len(self.bodies) > 1 else self.bodies[0]
        response._content = body.replace(b"NEXT", str(cursor).encode())
        return response


def looking_at(*bodies: bytes) -> tuple[ClassView, Answers]:
    client = AuthClient("http://127.0.0.1:1")
    client.transport = answers = Answers(*bodies)
    return ClassView(client), answers


def test_a_cursor_that_never_ends_ends_the_look() -> None:
    view, answers = looking_at(
        b'{"events": [{"name": "user.registered", "username": "ada", "at": 1}], "cursor": NEXT}'
    )
    view.look()
    assert len(answers.paths) == MOST_BATCHES
    assert names(view) == ["ada"]
    view.look()  # goes on where it was
    assert answers.paths[MOST_BATCHES] == f"/events?after={MOST_BATCHES}"
    view.close()


@pytest.mark.parametrize(
    "body",
    [
        b"{}",
        b'{"events": [], "cursor": null}',
        b'{"events": [], "cursor": "7"}',
        b'{"events": [], "cursor": true}',
        b'{"events": [], "cursor": 1e999}',
        b'{"events": [], "cursor": -1}',
        b'{"events": [], "cursor": 1' + b"0" * 30 + b"}",
        b'{"events": {}, "cursor": 1}',
        b'{"events": "none", "cursor": 1}',
        b'{"cursor": 1}',
        b"[]",
        b"<p>Hello</p>",
    ],
)
def test_an_answer_without_events_is_said_and_changes_nothing(body: bytes) -> None:
    good = b'{"events": [{"name": "user.registered", "username": "ada", "at": 1}], "cursor": 0}'
    view, answers = looking_at(good, body)
    view.look()
    for _ in range(2):
        assert view._step() is False
        assert view.notice.value != ""
        assert names(view) == ["ada"]
    assert answers.paths == ["/events?after=0"] * 3
    view.close()


# Over a real server


@pytest.fixture
def school(clock: DemoClock) -> Iterator[DemoServer]:
    config = ServerConfig(bcrypt_cost=4, policy="rfc", class_log=True, teachers=("tess",))
    with DemoServer(config, database=open_database(), clock=clock) as server:
        yield server


def logged_in(server: DemoServer, clock: DemoClock, name: str) -> AuthClient:
    client = AuthClient(server.url, clock=clock)
    client.register(name, PASSWORD)
    client.login(name, PASSWORD)
    return client


@pytest.fixture
def view(school: DemoServer, clock: DemoClock) -> Iterator[ClassView]:
    view = ClassView(logged_in(school, clock, "tess"))
    yield view
    view.close()


def names(view: ClassView) -> list[str]:
    return [student.username for student in view.rows()]


def test_a_look_takes_what_is_new(school: DemoServer, view: ClassView, clock: DemoClock) -> None:
    logged_in(school, clock, MARKUP)
    school.flush()
    view.look()
    assert names(view) == [MARKUP, "tess"]
    assert "<img" not in view.table.value
    clock.advance(61)
    logged_in(school, clock, "ada")
    school.flush()
    view.look()
    assert names(view)[0] == "ada"
    assert "access token expired" in view.table.value
    assert view.rows()[0].last_at == START + 61


def test_a_student_sees_their_own_row(
    school: DemoServer, view: ClassView, clock: DemoClock
) -> None:
    own = ClassView(logged_in(school, clock, "ada"))
    school.flush()
    own.look()
    assert names(own) == ["ada"]
    own.close()


def test_it_looks_only_while_it_is_shown(
    school: DemoServer, view: ClassView, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(view._pulse, "_interval", 0.001)
    assert view._pulse._thread is None  # nobody has shown it yet
    view.presence._handle_custom_msg({"type": "here"}, [])
    thread = view._pulse._thread
    assert thread is not None
    school.flush()
    while not view.rows():
        pass
    assert thread.is_alive()
    view.presence._handle_custom_msg({"type": "bye"}, [])
    thread.join(timeout=20)
    assert not thread.is_alive()
    view.start()
    thread = view._pulse._thread
    assert thread is not None
    view.stop()
    thread.join(timeout=20)
    assert not thread.is_alive()


def test_it_says_why_it_shows_nothing_new_and_goes_on(
    school: DemoServer, view: ClassView, clock: DemoClock
) -> None:
    school.stop()
    assert view._step() is False
    assert "Is the server running?" in view.notice.value
    school.start()
    view._step()
    assert view.notice.value == ""
    stranger = ClassView(AuthClient(school.url, clock=clock))
    stranger._step()
    assert "Refused (401)" in stranger.notice.value
    stranger.close()


def test_what_is_saved_holds_no_secret(school: DemoServer, view: ClassView) -> None:
    school.flush()
    view.look()
    pair = view.client.store.get()
    assert pair is not None
    state = json.dumps([str(child.get_state()) for child in view.children])
    for secret in (PASSWORD, pair.access, pair.refresh, pair.access.split(".")[2]):
        assert secret not in state
    assert repr(view) == "ClassView: run this cell to see it"
