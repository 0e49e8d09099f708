"""The class live: rows from events alone, then the view over a real server."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import requests

from client_widget import AuthClient, ClassView, ClientError, ServerUnreachable, Student
from client_widget.widgets.class_monitor import class_state, class_view
from client_widget.widgets.class_monitor.class_state import (
    ENDED,
    EXPIRED,
    LOGGED_IN,
    NO_SESSION,
    STUCK,
    ClassState,
    by_need,
)
from client_widget.widgets.class_monitor.class_view import class_table, summary
from demo_server import DemoClock, DemoServer, ServerConfig, open_database

from ...conftest import PASSWORD, START
from .buttons import MARKUP, pulses, receive, until


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


def test_a_refused_token_is_no_session() -> None:
    student = ada(event("token.rejected", 5, "/home"))
    assert (student.state(5), student.last_action, student.last_at) == (NO_SESSION, "home", 5)


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
    for events, exp in ((article, 300), (rfc, 370)):
        student = ada(*LOGIN, *events)
        assert (student.refreshes, student.last_action) == (1, "refresh")
        assert (student.state(129), student.state(131), student.state(exp)) == (
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


def test_refusals_are_counted() -> None:
    student = ada(
        *LOGIN,
        event("token.rejected", 61, "/home", kind="access", reason="token_expired"),
        event("request.refused", 62, "/class", reason="insufficient_scope"),
    )
    assert (student.refusals, student.last_action) == (2, "/class")


def test_refused_logins_are_a_number_and_change_nothing_else() -> None:
    state = ClassState()
    state.add(LOGIN)
    [before] = state.rows()
    state.set_refused_logins({"ada": 7, "bob": 1, "eve": "many", "cid": 0, "dan": True})
    assert state.rows() == (
        replace(before, refused_logins=7),
        Student("bob", refused_logins=1),
    )
    assert state.rows()[1].state(0) == NO_SESSION
    state.set_refused_logins({})
    assert state.rows() == (before,)


@pytest.mark.parametrize("value", [None, True, "soon", [], {}, float("nan"), 10**400])
def test_no_event_of_a_server_breaks_the_rows(value: Any) -> None:
    state = ClassState()
    state.add([{}, *({**LOGIN[1], field: value} for field in LOGIN[1])])
    assert {student.username for student in state.rows()} <= {"ada", "soon"}
    for student in state.rows():
        assert student.state(0) in (LOGGED_IN, EXPIRED, NO_SESSION)
    class_table(state.rows(), 0)


def test_rows_and_their_texts_are_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    state = ClassState()
    count = 2 * class_state.MAX_STUDENTS
    state.add(
        event("token.accepted", n, "/" + "x" * 60_000, username=f"u{n}") for n in range(count)
    )
    state.add([event("token.accepted", count, username="y" * 60_000)])
    assert len(state.rows()) == class_state.MAX_STUDENTS
    assert state.rows()[0].username == "y" * 64
    assert state.rows()[1].last_action == "/" + "x" * 63
    table = class_table(state.rows(), 0)
    assert table.count("<tr") == 1 + class_view.MAX_ROWS + 1
    assert f"And {class_state.MAX_STUDENTS - class_view.MAX_ROWS} more" in table
    assert len(table) < 100_000


def test_who_did_something_last_comes_first_and_nobodys_events_are_nobodys() -> None:
    state = ClassState()
    state.add([event("user.registered", at, username=name) for at, name in
               [(1, "ada"), (2, "cid"), (3, "bob"), (3, "abe")]])  # fmt: skip
    state.add([{"seq": 9, "name": "token.rejected", "at": 9.0, "path": "/home"}])
    assert [student.username for student in state.rows()] == ["abe", "bob", "cid", "ada"]
    state.add([event("token.accepted", 4, "/home")])
    assert [student.username for student in state.rows()] == ["ada", "abe", "bob", "cid"]
    assert state.rows()[0].last_action == "home"


IN = {"access_until": 60, "refresh_until": 300}


def test_names_are_sorted_as_in_a_list_of_the_class() -> None:
    names = ("ada", "Ana", "Eli", "Éloïse", "emil", "Zoë")
    rows = by_need([Student(name, **IN) for name in sorted(names)], 10)
    assert tuple(student.username for student in rows) == names


def test_who_needs_help_comes_first() -> None:
    """The rule of `class_state`, from the first to the last."""
    students = [
        Student("very stuck", wrong=STUCK + 4, **IN),
        Student("stuck", wrong=STUCK, right=9, **IN),
        Student("expired long ago", refresh_until=1),
        Student("locked out", refused_logins=STUCK),
        Student("revoked", ended=True, reuse=1, right=1, **IN),
        Student("reads hints", hints=4, right=2, wrong=STUCK - 1, **IN),
        Student("a beginner", right=2, **IN),
        Student("left", ended=True, logged_out=True, right=3, **IN),
        Student("done", right=12, **IN),
        Student("a teacher", teacher=True, wrong=99),
    ]
    assert by_need(reversed(students), 10) == tuple(students)
    assert [student.needs_help(10) for student in students] == [
        "stuck: 7 wrong checks",
        "stuck: 3 wrong checks",
        ENDED,
        "cannot log in",
        "session revoked after reuse",
        *[""] * 5,
    ]


def test_the_class_in_one_sentence() -> None:
    students = (
        Student("ada", right=3, refreshes=1, refusals=1, **IN),
        Student("bob", wrong=STUCK, right=1, refreshes=1, **IN),
        Student("tess", teacher=True, right=50, refreshes=50, refusals=50),
    )
    assert summary(students, 10) == (
        "2 students: 2 logged in. 1 needs help. 4 exercises right, 2 refreshes, 1 refusal."
    )
    assert summary((), 10).startswith("0 students. 0 need help.")


def test_progress_is_part_of_a_row() -> None:
    state = ClassState()
    state.add(LOGIN)
    step = {"lesson": "04", "exercise": "q1", "wrong": 1, "right": 2, "hints": 3, "solutions": 4}
    state.set_progress({"ada": {**step, "at": 5.0}, "bob": {**step, "at": -5.0}})
    state.set_teachers(["tess", 1, None])
    ada, bob = state.rows()
    assert (ada.lesson, ada.exercise, ada.wrong, ada.right, ada.hints, ada.solutions) == (
        "04", "q1", 1, 2, 3, 4)  # fmt: skip
    assert (ada.last_action, ada.last_at) == ("lesson 04, q1", 5.0)
    assert (bob.username, bob.last_action, bob.last_at) == ("bob", "", 0.0)
    assert "<td>04, q1</td>" in class_table((ada,), 0)


@pytest.mark.parametrize("odd", [None, "soon", [], {}, float("inf"), 10**400, True, MARKUP])
def test_no_progress_of_a_server_breaks_the_rows(odd: Any) -> None:
    state = ClassState()
    names = ("lesson", "exercise", "wrong", "right", "hints", "solutions", "at")
    state.set_progress({"ada": dict.fromkeys(names, odd), "bob": odd, "y" * 60_000: {}})
    rows = state.rows()
    assert {row.username for row in rows} - {"bob"} == {"ada", "y" * 64}
    assert "<img" not in class_table(by_need(rows, 0), 0)
    assert summary(rows, 0)


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


# Over a real server


@pytest.fixture
def school(clock: DemoClock) -> Iterator[DemoServer]:
    config = ServerConfig(
        bcrypt_cost=4, policy="rfc", class_log=True, teachers=("tess",), teacher_password=PASSWORD
    )
    with DemoServer(config, database=open_database(), clock=clock) as server:
        yield server


def logged_in(server: DemoServer, clock: DemoClock, name: str) -> AuthClient:
    client = AuthClient(server.url, clock=clock)
    if name not in server.config.teachers:
        client.register(name, PASSWORD)
    client.login(name, PASSWORD)
    return client


@pytest.fixture
def view(
    school: DemoServer, clock: DemoClock, monkeypatch: pytest.MonkeyPatch
) -> Iterator[ClassView]:
    monkeypatch.setattr(class_view, "INTERVAL", 0.001)
    until(lambda: not pulses())
    view = ClassView(logged_in(school, clock, "tess"))
    yield view
    view.close()
    until(lambda: not pulses())


def say(view: ClassView, word: str) -> None:
    """The page tells the view that it is there, or that it has gone."""
    receive(view.presence, {"type": word})


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
    assert names(view) == [MARKUP, "ada", "tess"]
    assert "access token expired" in view.table.value
    assert view.rows()[1].last_at == START + 61


def test_a_student_sees_their_own_row(
    school: DemoServer, view: ClassView, clock: DemoClock
) -> None:
    own = ClassView(logged_in(school, clock, "ada"))
    school.flush()
    own.look()
    assert names(own) == ["ada"]
    own.close()


class Answers:
    """A client whose server answers as a function of the cursor says."""

    clock = staticmethod(lambda: 0.0)

    def __init__(self, answer: Any) -> None:
        self._answer = answer
        self.requests = 0

    def request(self, method: str, path: str) -> requests.Response:
        self.requests += 1
        response = requests.Response()
        response.status_code = 200
        answer = self._answer(int(path.rpartition("=")[2]))
        response.raw = io.BytesIO(json.dumps(answer).encode())
        return response


def test_a_look_at_a_log_that_grows_as_fast_as_it_is_read_ends_and_draws_each_response() -> None:
    client = Answers(
        lambda after: {
            "events": [{**LOGIN[0], "username": f"u{after}", "at": after}],
            "cursor": after + 1,
        }
    )
    view = ClassView(client)  # type: ignore[arg-type]
    drawn: list[str] = []
    view.table.observe(lambda change: drawn.append(change["new"]), names="value")
    view.look()
    assert client.requests == len(drawn) == class_view.MAX_REQUESTS
    assert "u0" in drawn[0]
    assert "u1" not in drawn[0]
    view.look()  # goes on where the first one ended
    assert len(view.rows()) == 2 * class_view.MAX_REQUESTS
    view.close()


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"events": [], "cursor": None},
        {"events": {}, "cursor": 1},
        {"events": [], "cursor": -1},
        {"events": [], "cursor": 10**15},
        {"events": [], "cursor": True},
        {"events": [], "cursor": "7"},
        {"events": [], "cursor": float("inf")},
        {"events": [], "cursor": 1, "refused_logins": []},
    ],
)
def test_an_answer_of_another_server_is_told(answer: Any) -> None:
    view = ClassView(Answers(lambda after: answer))  # type: ignore[arg-type]
    with pytest.raises(ServerUnreachable, match="is it a class log"):
        view.look()
    assert view.rows() == ()
    view.close()


def test_guesses_are_counted_in_a_column_of_their_own(
    school: DemoServer, view: ClassView, clock: DemoClock
) -> None:
    logged_in(school, clock, "ada")
    school.flush()
    view.look()
    before = view.rows()
    for name in ("ada", "nobody", "a" * 64):
        with pytest.raises(ClientError):
            AuthClient(school.url, clock=clock).login(name, "a guess of hers")
    school.flush()
    view.look()
    assert view.rows() == tuple(
        replace(row, refused_logins=1 if row.username == "ada" else 0) for row in before
    )


def test_a_teacher_moves_the_clock_of_the_class_and_watches_the_refreshes(
    clock: DemoClock,
) -> None:
    config = ServerConfig(
        bcrypt_cost=4,
        class_log=True,
        class_clock=True,
        teachers=("tess",),
        teacher_password=PASSWORD,
    )
    with DemoServer(config, clock=clock) as server:
        students = [logged_in(server, clock, name) for name in ("ada", "bob", "cid")]
        view = ClassView(logged_in(server, clock, "tess"))
        assert view.advance.layout.display == "none"  # until the server says that it can be moved
        server.flush()
        view.look()
        assert view.advance.layout.display == ""
        assert "3 students: 3 logged in." in view.counts.value

        view.advance.click()
        view.wait()
        assert view.notice.value == ""
        assert not view.advance.disabled
        assert view.clock() == START + 61
        assert "3 students: 3 with an expired access token." in view.counts.value
        assert "61 s ahead" in view.counts.value

        for student in students:
            student.home()
        server.flush()
        view.look()
        assert "3 students: 3 logged in." in view.counts.value
        assert "3 refreshes, 3 refusals." in view.counts.value
        assert names(view) == ["ada", "bob", "cid", "tess"]

        own = ClassView(students[0])
        own.look()
        assert own.advance.layout.display == "none"
        own.advance.click()  # as a page might that is not the teacher's
        own.wait()
        assert "Refused (403): Only a teacher may move the clock" in own.notice.value
        own.close()
        view.close()


def test_it_looks_only_while_it_is_shown(school: DemoServer, view: ClassView) -> None:
    assert pulses() == []  # nobody has shown it yet
    say(view, "here")
    [thread] = pulses()
    school.flush()
    until(lambda: bool(view.rows()))
    assert thread.is_alive()
    say(view, "bye")
    thread.join(timeout=20)
    assert not thread.is_alive()
    view.start()
    [thread] = pulses()
    view.stop()
    thread.join(timeout=20)
    assert not thread.is_alive()


def test_it_says_why_it_shows_nothing_new_and_goes_on(
    school: DemoServer, view: ClassView, clock: DemoClock
) -> None:
    school.stop()
    view.start()
    until(lambda: "Is the server running?" in view.notice.value)
    school.start()
    until(lambda: view.notice.value == "")
    view.stop()
    until(lambda: not pulses())
    stranger = ClassView(AuthClient(school.url, clock=clock))
    stranger.start()
    until(lambda: "Refused (401)" in stranger.notice.value)
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
