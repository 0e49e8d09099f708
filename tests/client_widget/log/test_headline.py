"""The headline of a story, whole."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest

from client_widget import AuthClient, Event, EventLog, LoginRequired, Rejected, ServerUnreachable
from client_widget.client.actions import one_action
from client_widget.log.event_text import EVENT_NAMES
from client_widget.log.headline import FIRST, LAST, Step, headline, milliseconds_of, text_of
from client_widget.widgets.background import at_once
from demo_server import DemoClock, DemoServer

from ...conftest import PASSWORD, Gate, hold_refresh_until_rejected


def told(events: list[Event]) -> str:
    """The headline, with N in place of its milliseconds, which differ from run to run."""
    return re.sub(r"\d+ ms", "N ms", text_of(headline(events)))


def pressed(client: AuthClient, button: str, act: Callable[[], object]) -> str:
    """The headline of a button, pressed as on the panel."""
    with one_action() as correlation:
        client.log.record(
            "button.pressed",
            source="panel",
            correlation=correlation,
            button=button,
            client=client.name,
        )
        with suppress(LoginRequired, Rejected, ServerUnreachable):
            act()
    return told(client.log.action(correlation))


def test_a_session_by_buttons(client: AuthClient, clock: DemoClock) -> None:
    assert [
        pressed(client, "Register", lambda: client.register("ada", PASSWORD)),
        pressed(client, "Register", lambda: client.register("ada", PASSWORD)),
        pressed(client, "Log in", lambda: client.login("ada", PASSWORD + "!")),
        pressed(client, "Log in", lambda: client.login("ada", PASSWORD)),
        pressed(client, "Home", client.home),
    ] == [
        "Register: 201 · 1 request · N ms",
        "Register: 403 · 1 request · N ms",
        "Log in: 400 · 1 request · N ms",
        "Log in: 201 · 1 request · N ms",
        "Home: 200 · 1 request · N ms",
    ]
    clock.advance(61)
    assert pressed(client, "Home", client.home) == "Home: 403 → refresh → 200 · 3 requests · N ms"
    assert pressed(client, "Log out", client.logout) == "Log out: session ended"
    assert pressed(client, "Home", client.home) == "Home: 403 · 1 request · N ms"


def test_a_refresh_that_is_refused_ends_the_session(ada: AuthClient, clock: DemoClock) -> None:
    clock.advance(301)
    assert pressed(ada, "Home", ada.home) == (
        "Home: 403 → refresh 403 → session ended · 2 requests · N ms"
    )


def test_five_calls_at_once_are_counted(ada: AuthClient, clock: DemoClock, gate: Gate) -> None:
    clock.advance(61)
    hold_refresh_until_rejected(gate, 5)
    assert pressed(ada, "5 × Home", lambda: at_once(5, ada.home)) == (
        "5 × Home: 403 ×5 → refresh → 200 ×5 · 11 requests · N ms"
    )


def test_a_server_that_is_gone(ada: AuthClient, server: DemoServer) -> None:
    server.stop()
    assert pressed(ada, "Home", ada.home) == "Home: no connection · 1 request"


def test_a_call_of_code_is_named_by_its_request(ada: AuthClient, log: EventLog) -> None:
    ada.home()
    assert told(log.action()) == "GET /home: 200 · 1 request · N ms"


def test_code_that_logs_out_is_told_whole(ada: AuthClient, log: EventLog) -> None:
    """There is no button and no request to name, and no word is cut or said twice."""
    ada.logout()
    assert told(log.action()) == "the session has ended: logged out, and both tokens are deleted"


def test_a_client_with_a_name_is_named(server: DemoServer, log: EventLog, clock: DemoClock) -> None:
    left = AuthClient(server.url, log=log, clock=clock, name="left")
    left.register("ada", PASSWORD)
    assert told(log.action()) == "POST /users/register (left): 201 · 1 request · N ms"
    assert pressed(left, "Home", left.home) == "Home (left): 403 · 1 request · N ms"


def test_step_by_step(ada: AuthClient, clock: DemoClock, log: EventLog) -> None:
    """Each headline that the steps of an expiry give; a held message is not sent yet."""
    clock.advance(61)
    seen: list[str] = []

    def look(*_: object) -> None:
        action = log.action()
        if action[0].name == "button.pressed":
            seen.append(told(action))

    leave = log.subscribe(look)
    pressed(ada, "Home", ada.home)
    leave()
    assert list(dict.fromkeys(seen)) == [
        "Home",
        "Home: … · 1 request",
        "Home: 403 · 1 request · N ms",
        "Home: 403 → … · 2 requests · N ms",
        "Home: 403 → refresh · 2 requests · N ms",
        "Home: 403 → refresh → … · 3 requests · N ms",
        "Home: 403 → refresh → 200 · 3 requests · N ms",
    ]


def test_events_that_belong_to_no_call(log: EventLog) -> None:
    moved = log.record("clock.advanced", source="panel", seconds=61)
    started = log.record("server.started", source="server", server="demo")
    assert told([moved]) == "the clock moved by 61 s"
    assert told([started]) == "the demo server has started"


def test_what_only_the_server_tells(log: EventLog) -> None:
    """Another client has sent the request, such as curl: its worst event is the headline."""
    emit = log.emitter("server")
    fine = {"correlation": "a", "path": "/users/login", "kind": "access", "iat": 0, "exp": 60}
    emit("login.accepted", username="ada", **fine)
    emit("token.issued", **fine)
    assert told(log.action("a")) == "/users/login: the password of ada is right · 2 events"
    emit("token.rejected", reason="token_invalid", detail="a wrong signature", **fine)
    assert told(log.action("a")) == (
        "/users/login: access token rejected: a wrong signature · 3 events"
    )


def sent(log: EventLog, correlation: str, *, purpose: str = "call", **answer: Any) -> None:
    """A request, and its response with these fields unless there are none."""
    about = {"source": "client", "correlation": correlation, "purpose": purpose}
    about |= {"method": "GET", "path": "/home"}
    log.record("request.retried" if purpose == "retry" else "request.sent", **about)
    if answer:
        log.record("response.received", **about, **answer)


def test_the_milliseconds_are_those_of_the_slowest_call(log: EventLog) -> None:
    """And the sum of its rows, as they are shown."""
    sent(log, "a.1", status=403, elapsed=0.0014)
    sent(log, "a.1", purpose="refresh", status=200, elapsed=0.0014)
    sent(log, "a.2", status=403, elapsed=0.0016)
    sent(log, "a.1", purpose="retry", status=200, elapsed=0.0064)
    assert text_of(headline(log.action("a"))) == (
        "GET /home: 403 ×2 → refresh → 200 · 4 requests · 8 ms"
    )
    took = [milliseconds_of(event) for event in log.action("a")]
    assert [number for number in took if number is not None] == [1, 1, 2, 6]


def test_different_answers_to_equal_calls_stand_together(log: EventLog) -> None:
    for number, status in enumerate((200, 403, 200)):
        sent(log, f"a.{number}", status=status)
    assert text_of(headline(log.action("a"))) == "GET /home: 200 ×2, 403 · 3 requests"


def test_calls_one_after_the_other_are_steps_and_the_middle_of_many_is_left_out(
    log: EventLog,
) -> None:
    for status in range(200, 202):
        sent(log, "a", status=status)
    assert text_of(headline(log.action("a"))) == "GET /home: 200 → 201 · 2 requests"
    for status in range(202, 250):
        sent(log, "a", status=status)
    assert (FIRST, LAST) == (5, 3)
    assert text_of(headline(log.action("a"))) == (
        "GET /home: 200 → 201 → 202 → 203 → 204 → … → 247 → 248 → 249 · 50 requests"
    )


def test_a_refresh_ahead_of_expiry_comes_first(log: EventLog) -> None:
    sent(log, "a", purpose="refresh", status=200)
    sent(log, "a", status=200)
    assert text_of(headline(log.action("a"))) == "GET /home: refresh → 200 · 2 requests"


def test_what_decides_is_in_the_headline(log: EventLog) -> None:
    sent(log, "a", purpose="refresh")
    log.record("reuse.detected", source="server", correlation="a", username="ada")
    log.record(
        "request.failed", source="client", correlation="a", purpose="refresh", reason="no answer"
    )
    log.record("refresh.postponed", source="client", correlation="a", wait=7)
    parts = headline(log.action("a"))
    assert text_of(parts) == (
        "GET /home: reuse detected → refresh failed → refresh postponed · 1 request"
    )
    assert [part.tone for part in parts if isinstance(part, Step)] == ["bad", "bad", "late"]


@pytest.mark.parametrize("name", sorted(EVENT_NAMES))
def test_an_event_without_its_fields_has_a_headline(log: EventLog, name: str) -> None:
    """An action may hold any event, and code may record any fields."""
    sent(log, "a", status=200)
    log.record(name, source="x", correlation="a")
    assert text_of(headline(log.action("a"))).startswith(("GET /home: 200", ": 200"))


def test_what_a_user_typed_is_cut_to_one_line(log: EventLog) -> None:
    log.record("button.pressed", source="panel", correlation="a", button="x\n" * 99, client="y\nz")
    [title] = headline(log.action("a"))
    assert title == "x " * 29 + "x… (y z)"
