"""`join`: a student's one line, against both servers and against what is no class."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

import pytest
from jwt_course import CannotJoin, Seat, join

from client_widget import AuthClient, LoginRequired, Rejected, TokenTimeline, describe
from demo_server import DemoClock, DemoServer, ServerConfig

from ..client_widget.client.wire import http, wire
from ..conftest import PASSWORD, START, in_threads, pair_of
from ..demo_server.mongodb import free_port
from ..demo_server.processes import class_server, port_of
from ..tls import over_tls

SETTINGS: dict[str, Any] = {
    "bcrypt_cost": 4,
    "class_log": True,
    "class_clock": True,
    "teachers": ("tess",),
    "teacher_password": PASSWORD,
}
STEP = {"lesson": "04", "exercise": "q1", "what": "check", "correct": True, "times": 2}


@pytest.fixture(params=["article", "rfc"])
def config(request: pytest.FixtureRequest) -> ServerConfig:
    return ServerConfig(policy=request.param, **SETTINGS)


@pytest.fixture
def server(config: ServerConfig, clock: DemoClock) -> Iterator[DemoServer]:
    with DemoServer(config, clock=clock) as server:
        yield server


Join = Callable[..., Seat]


@pytest.fixture
def sit(server: DemoServer, clock: DemoClock) -> Join:
    """Join as a student with a name; the test itself looks."""

    def sit(name: str | None = "ada", password: str | None = PASSWORD, **options: Any) -> Seat:
        seat = join(server.url, name, password, clock=clock, **options)
        seat.leave()
        return seat

    return sit


@pytest.fixture
def tess(server: DemoServer, clock: DemoClock) -> AuthClient:
    teacher = AuthClient(server.url, clock=clock, name="tess")
    teacher.login("tess", PASSWORD)
    return teacher


def of_server(seat: Seat) -> list[str]:
    return [event.name for event in seat.log if event.source == "server"]


def test_one_line_registers_logs_in_and_shows_the_panel(sit: Join, server: DemoServer) -> None:
    seat = sit()
    assert seat.policy == server.config.policy
    assert seat.client.home() == {"message": "Welcome ada"}
    # The next time the name is known.
    assert sit().client.home() == {"message": "Welcome ada"}
    assert repr(seat) == "<Seat, logged in>"
    assert "ada is logged in." in seat.panel.notice.value
    seat.panel.close()


def test_without_a_password_the_panels_form_asks(sit: Join) -> None:
    seat = sit("ada", None)
    assert (seat.panel.username.value, seat.panel.password.value) == ("ada", "")
    assert seat.client.store.get() is None
    seat.panel.close()


def test_the_panel_has_no_buttons_for_a_clock_that_is_the_teachers(sit: Join) -> None:
    panel = sit().panel
    assert set(panel.buttons) == {"Register", "Log in", "Home", "Log out", "5 × Home"}
    panel.close()


def test_the_servers_events_of_ones_own_actions_are_in_the_log(
    sit: Join, server: DemoServer
) -> None:
    ada, bob = sit("ada"), sit("bob")
    ada.client.home()
    bob.client.home()
    server.flush()
    ada.look()
    told = [event for event in ada.log if event.source == "server"]
    assert {event.fields["username"] for event in told} == {"ada"}
    assert told[-1].name == "token.accepted"
    # Each belongs to the action that caused it.
    assert [event.name for event in ada.log.action(told[-1].correlation)] == [
        "request.sent", "response.received", "token.accepted"]  # fmt: skip
    # The next look repeats nothing, and a look is no action of the student.
    before = len(ada.log)
    ada.look()
    server.flush()
    ada.look()
    assert len(ada.log) == before
    # All views draw events that name no token.
    assert "GET /home" in ada.log.to_mermaid()
    assert "GET /home" in ada.log.to_svg()
    timeline = TokenTimeline(ada.client, clock=ada.clock)
    timeline.refresh()
    timeline.close()
    assert "eyJ" not in ada.log.to_jsonl()


def test_a_new_seat_shows_nothing_from_before(
    sit: Join, server: DemoServer, clock: DemoClock
) -> None:
    sit().client.home()
    server.flush()
    clock.advance(1)
    again = sit("ada", None)
    again.client.login("ada", PASSWORD)
    server.flush()
    again.look()
    assert of_server(again)[0] == "login.accepted"
    assert of_server(again).count("login.accepted") == 1


def test_the_class_follows_the_teachers_clock(
    sit: Join, tess: AuthClient, server: DemoServer
) -> None:
    """Thirty tokens expire at one instant, and thirty clients refresh them."""
    seats = [sit(f"student {number}") for number in range(30)]
    tess.request("POST", "/clock", json={"seconds": 61})
    for seat in seats:
        seat.look()
        assert seat.clock() == START + 61
        [moved] = [event for event in seat.log if event.name == "clock.advanced"]
        assert (moved.source, moved.fields) == ("server", {"seconds": 61})
    waiting = list(seats)
    in_threads(30, lambda: waiting.pop().client.home())
    for seat in seats:
        happened = [event.name for event in seat.log if event.source == "client"]
        assert happened.count("token.expired") == 1
        assert happened.count("token.refreshed") == 1


def test_an_answer_to_the_student_moves_the_clock_too(sit: Join, tess: AuthClient) -> None:
    seat = sit()
    tess.request("POST", "/clock", json={"seconds": 61})
    seat.client.home()
    assert seat.clock() == START + 61


def test_a_machine_whose_clock_is_wrong_follows_the_server(server: DemoServer) -> None:
    seat = join(server.url, "ada", PASSWORD, clock=DemoClock(start=START + 3600, rate=0))
    seat.leave()
    assert seat.clock() == START


def test_an_expired_token_is_not_sent_again_and_again(
    sit: Join, tess: AuthClient, server: DemoServer, clock: DemoClock
) -> None:
    """Else each look would be a refusal of the student in the class view."""
    seat = sit()
    tess.request("POST", "/clock", json={"seconds": 61})
    seat.look()
    seat.look()
    server.flush()
    tess.login("tess", PASSWORD)
    events = tess.request("GET", "/events?after=0").json()["events"]
    assert [event for event in events if event["name"] == "token.rejected"] == []


def test_logout_reaches_the_server(sit: Join, server: DemoServer) -> None:
    seat = sit()
    pair = pair_of(seat.client)
    seat.client.logout()
    status = seat.client.probe(pair.access).status_code
    # The article's server has no route for it.
    assert status == (401 if server.config.policy == "rfc" else 200)
    with pytest.raises(LoginRequired):
        seat.client.home()


def test_steps_of_the_course_reach_the_teacher(
    sit: Join, tess: AuthClient, server: DemoServer
) -> None:
    seat = sit("ada", None)
    seat.report({**STEP, "times": 1, "correct": False})
    seat.report({**STEP, "secret": PASSWORD})  # of one exercise the last counts
    seat.report({**STEP, "what": "hint", "correct": None, "times": 1})
    seat.report({**STEP, "what": "nothing of the kind"})
    seat.look()  # nobody is logged in, so they wait
    seat.log_in("ada", PASSWORD)
    seat.look()
    of_ada = {"lesson": "04", "exercise": "q1", "wrong": 0, "right": 1, "hints": 1, "solutions": 0}
    assert tess.request("GET", "/events").json()["progress"] == {"ada": {**of_ada, "at": START}}
    assert not [event for event in seat.log if event.fields.get("path") == "/progress"]


def test_the_class_server_in_its_own_process(tmp_path: Path) -> None:
    settings = {"CLASS_LOG": "1", "AUTH_POLICY": "rfc", "ACCESS_TOKEN_TTL": "7"}
    with class_server(tmp_path, **settings) as running:
        seat = join(f"127.0.0.1:{port_of(running)}", "ada", PASSWORD, policy="rfc")
        seat.leave()
        pair = seat.client.store.get()
        assert pair is not None
        assert pair.access_facts["exp"] - pair.access_facts["iat"] == 7
        while "login.accepted" not in of_server(seat):  # stored 0.2 s after it happens
            seat.look()
        seat.client.logout()
        assert seat.client.probe(pair.access).status_code == 401


# What is no class, and who may not come in


def refusal(*args: Any, **options: Any) -> str:
    with pytest.raises(CannotJoin) as error:
        join(*args, **options)
    return str(error.value)


def test_no_server_there(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "No server answers at http://127.0.0.1:" in refusal(f"http://127.0.0.1:{free_port()}")
    monkeypatch.delenv("SERVER_URL", raising=False)
    assert "Write the address of the class" in refusal()
    assert "This is no address of a server" in refusal("http://ada:secret@127.0.0.1:1")


def test_the_environment_names_the_class(
    server: DemoServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SERVER_URL", server.url)
    seat = join()
    seat.leave()
    assert seat.client.base_url == server.url


def test_a_server_that_is_no_class_server(clock: DemoClock) -> None:
    with DemoServer(ServerConfig(bcrypt_cost=4), clock=clock, name="alone") as alone:
        assert "start it with CLASS_LOG=1" in refusal(alone.url)


@pytest.mark.parametrize("body", [b"<html>", b"[]", b"{}", b'{"paths": [], "info": {}}'])
def test_another_server(body: bytes) -> None:
    with wire(**{"openapi.json": http(200, body)}) as other:
        assert "Something else than the lab's server answers" in refusal(other.url)


def test_a_lesson_says_which_policy_it_needs(server: DemoServer) -> None:
    other = "rfc" if server.config.policy == "article" else "article"
    said = refusal(server.url, policy=other)
    assert f"needs a server with the policy {other}" in said
    assert f"AUTH_POLICY={other}" in said


def test_a_wrong_password(sit: Join) -> None:
    sit()
    for _ in range(2):
        with pytest.raises(CannotJoin, match="the password is not its own") as error:
            sit("ada", "not the pass phrase")
        assert "not the pass phrase" not in str(error.value)


def test_what_the_server_refuses_is_said_in_its_words(sit: Join, server: DemoServer) -> None:
    with pytest.raises(Rejected, match="must not begin or end with a space"):
        sit(" ada ")


def test_a_certificate_that_is_not_trusted(clock: DemoClock, tmp_path: Path) -> None:
    class Quiet(WSGIRequestHandler):
        def log_message(self, *args: object) -> None:
            """Print nothing."""

    app = DemoServer(ServerConfig(**SETTINGS), clock=clock, name="tls").app
    with over_tls(make_server("127.0.0.1", 0, app, handler_class=Quiet), tmp_path) as tls:
        assert 'verify="class.pem"' in refusal(tls.url)
        seat = join(tls.url, "ada", PASSWORD, verify=tls.certificate)
        seat.leave()
        seat.look()
        assert seat.client.home() == {"message": "Welcome ada"}


HOSTILE: list[Any] = [
    "text",
    {},
    {"name": "token.issued"},
    {"name": "button.pressed"},
    {"name": "token.issued", "kind": "access", "iat": "soon", "exp": []},
    {"name": "token.rejected", "reason": ["x"]},
    {"name": "response.received"},
    {"name": "token.accepted", "kind": "access", "path": "/home", "correlation": "<b>"},
    {"name": "clock.advanced", "seconds": "many"},
]


def test_no_event_of_a_server_breaks_the_log(sit: Join) -> None:
    seat = sit()
    events = [{"at": START, **event} if isinstance(event, dict) else event for event in HOSTILE]
    body = json.dumps({"events": events, "cursor": 9})
    with wire() as hostile:
        hostile.answers["/events?after=0"] = http(200, body.encode())
        seat.client.transport = AuthClient(hostile.url).transport
        seat.look()
    told = [event for event in seat.log if event.source == "server"]
    assert [(event.name, event.correlation) for event in told] == [("token.accepted", None)]
    assert all(describe(event) for event in seat.log)


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"events": {}, "cursor": 1}'])
def test_no_answer_of_a_server_breaks_a_look(sit: Join, body: bytes) -> None:
    seat = sit()
    with wire() as hostile:
        hostile.answers["/events?after=0"] = http(200, body)
        seat.client.transport = AuthClient(hostile.url).transport
        seat.look()
    assert of_server(seat) == []
