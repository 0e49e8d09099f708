"""The sequence picture, from whole logs."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from client_widget import AuthClient, ClientError, EventLog, LoginRequired, ServerUnreachable
from client_widget.client.actions import one_action
from client_widget.log.event import action_of
from client_widget.log.event_text import EVENT_NAMES
from client_widget.log.pictures.sequence import APART, SEND, sequence
from client_widget.log.story import FIRST
from client_widget.widgets.background import at_once
from demo_server import DemoClock, DemoServer

from ....conftest import PASSWORD
from .reading import SVG, root_of, said, texts, texts_in

EXPIRY = [
    "403 expired 1 s ago",
    "POST /refresh",
    "refresh token, 239 s left",
    "200 new access token",
    "#3 GET /home again",
    "new access token, 60 s left",
    "200",
]


def picture(log: EventLog) -> str:
    """The picture of the last action."""
    return log.to_svg(log.action()[-1].correlation and log.action()[0].correlation)


def test_register_asks_the_database(client: AuthClient, log: EventLog) -> None:
    client.register("ada", PASSWORD)
    assert texts(picture(log)) == [
        *["Client", "Server", "Database"],
        *["#1 POST /users/register", "store ada", "stored", "201"],
    ]


def test_login(ada: AuthClient, log: EventLog) -> None:
    drawn = picture(log)
    assert texts(drawn) == [
        *["Client", "Server", "Database"],
        *["#2 POST /users/login", "find ada", "found", "201 both tokens"],
        "ada is logged in",
    ]
    assert texts_in(drawn, "bad") == []


@pytest.mark.parametrize(
    ("username", "red"), [("bob", ["none", "401 user unknown"]), ("ada", ["400 password wrong"])]
)
def test_refused_logins_are_red(
    ada: AuthClient, log: EventLog, username: str, red: list[str]
) -> None:
    with pytest.raises(ClientError):
        ada.login(username, "wrong")
    drawn = picture(log)
    badges = texts_in(drawn, "bad")
    assert badges == [words for words in red if words != "none"]
    assert set(red) <= set(texts(drawn))


def test_an_expiry_is_told_once_in_three_numbered_requests(
    ada: AuthClient, clock: DemoClock, log: EventLog
) -> None:
    clock.advance(61)
    ada.home()
    drawn = picture(log)
    assert texts(drawn) == [
        *["Client", "Server", "refresh", "retry"],
        *["#3 GET /home", "access token", *EXPIRY],
    ]
    assert texts_in(drawn, "bad") == ["403 expired 1 s ago"]
    assert texts_in(drawn, "ok") == ["200 new access token", "200"]
    view_box = root_of(drawn).get("viewBox", "").split()
    assert float(view_box[2]) < 500
    assert float(view_box[3]) < 500


def test_it_has_a_text_alternative(ada: AuthClient, clock: DemoClock, log: EventLog) -> None:
    clock.advance(61)
    with one_action() as action:
        log.record("button.pressed", source="panel", correlation=action, button="Home")
        ada.home()
    drawn = log.to_svg(action)
    root = root_of(drawn)
    assert root.get("role") == "img"
    assert [child.tag for child in root][:2] == [f"{SVG}title", f"{SVG}desc"]
    assert said(drawn, "title") == "The flow of Home"
    assert said(drawn, "desc") == (
        "Panel to Client: Home. Client to Server: #3 GET /home (access token). "
        "Server to Client: 403 expired 1 s ago. "
        "Client to Server: refresh: POST /refresh (refresh token, 239 s left). "
        "Server to Client: 200 new access token. "
        "Client to Server: retry: #3 GET /home again (new access token, 60 s left). "
        "Server to Client: 200. Client to Panel: Welcome ada."
    )


def test_five_calls_at_once_are_five_numbers_and_one_refresh(
    ada: AuthClient, clock: DemoClock, log: EventLog
) -> None:
    clock.advance(61)
    with one_action() as action:
        log.record("button.pressed", source="panel", correlation=action, button="5 × Home")
        at_once(5, ada.home)
    drawn = log.to_svg(action)
    assert texts(drawn) == [
        *["Panel", "Client", "Server", "refresh", "retry", "5 × Home"],
        *["#3–7 GET /home ×5", "access token", "403 expired 1 s ago ×5"],
        *EXPIRY[1:4],
        *["#3–7 GET /home again ×5", "new access token, 60 s left", "200 ×5", "Welcome ada ×5"],
    ]


def test_a_call_that_differs_has_an_arrow_of_its_own(log: EventLog) -> None:
    about = {"method": "GET", "path": "/home", "purpose": "call"}
    for n in (1, 2, 3):
        log.record("request.sent", source="client", correlation=f"a.{n}", **about)
    for n, status in ((3, 200), (1, 403), (2, 200)):
        log.record(
            "response.received", source="client", correlation=f"a.{n}", status=status, **about
        )
    assert texts(log.to_svg("a")) == [
        *["Client", "Server", "#1–3 GET /home ×3", "without a token", "200 ×2", "403"]
    ]


def test_a_second_may_pass_between_equal_messages(clock: DemoClock, log: EventLog) -> None:
    facts = {"kind": "access", "token": "a1b2c3d4", "exp": clock()}
    about = {"method": "GET", "path": "/home", "purpose": "call"}
    for n in (1, 2):
        clock.advance(1)
        log.record("request.sent", source="client", correlation=f"a.{n}", **about, **facts)
    for n in (1, 2):
        received = {**about, "status": 403, "error": "token_expired"}
        log.record("response.received", source="client", correlation=f"a.{n}", **received)
    assert texts(log.to_svg("a")) == [
        *["Client", "Server", "#1–2 GET /home ×2", "access token", "403 expired 1 s ago ×2"]
    ]


def test_equal_messages_of_one_call_are_not_merged(log: EventLog) -> None:
    about = {"method": "GET", "path": "/home", "purpose": "call"}
    for status in (200, 200):
        log.record("request.sent", source="client", correlation="a", **about)
        log.record("response.received", source="client", correlation="a", status=status, **about)
    assert texts(log.to_svg("a"))[2:] == [
        *["#1 GET /home", "without a token", "200"],
        *["#2 GET /home", "without a token", "200"],
    ]


def test_a_refused_refresh_ends_the_session(
    ada: AuthClient, clock: DemoClock, log: EventLog
) -> None:
    clock.advance(301)
    with pytest.raises(LoginRequired):
        ada.home()
    assert texts_in(picture(log), "bad") == [
        *["403 expired 241 s ago", "403 expired 1 s ago", "the session has ended"]
    ]


def test_the_server_is_gone(ada: AuthClient, server: DemoServer, log: EventLog) -> None:
    server.stop()
    with pytest.raises(ServerUnreachable):
        ada.home()
    assert texts_in(picture(log), "bad") == ["✗ no connection"]


def test_two_clients_and_a_moved_clock(
    ada: AuthClient, server: DemoServer, clock: DemoClock, log: EventLog
) -> None:
    before = len(log)
    phone = AuthClient(server.url, log=log, clock=clock, name="ada's phone")
    with pytest.raises(LoginRequired):
        phone.home()
    clock.advance(61)
    log.record("lesson.started", source="a lesson")
    ada.logout()
    assert texts(sequence(list(log)[before:], number=log.call_number)) == [
        *["ada's phone", "Client", "Server", "#3 GET /home", "without a token"],
        *["403 token missing", "the clock moves by 61 s", "logged out"],
    ]


def test_the_servers_events_alone(ada: AuthClient, log: EventLog) -> None:
    ada.home()
    server = [event for event in log if event.source == "server"]
    assert texts(sequence(server))[-3:] == [
        *["access token issued", "refresh token issued", "access token accepted, 60 s left"]
    ]


def test_a_held_message_is_a_gap(ada: AuthClient, log: EventLog) -> None:
    assert texts_in(log.to_svg(held="GET /home (call)"), "warn") == ["GET /home (call) is held"]


def test_nothing_to_show_is_a_picture_too(log: EventLog) -> None:
    assert texts(log.to_svg()) == ["Client", "Server", FIRST, "Nothing has happened yet."]
    assert log.to_svg() == log.to_svg("no such action")


def test_numbers_go_on_behind_the_limit(ada: AuthClient, log: EventLog) -> None:
    for _ in range(3):
        ada.home()
    assert texts(log.to_svg(limit=3)) == [
        *["Client", "Server", "the last 3 of 18 events"],
        *["#5 GET /home", "access token, 60 s left", "200"],
    ]
    with pytest.raises(ValueError, match="limit must be 1 or more, not 0"):
        log.to_svg(limit=0)


HOSTILE = [
    "<img src=x onerror=alert(1)>",
    "</text><script>alert(1)</script>",
    "]]>&amp;&#60;",
    "\"'><svg onload=x>",
    "\u202eabc\u0000\ufffe\ud800",
    "שלום",
    "",
    " \t\n ",
    "名前" * 500,
]


def hostile_log(text: str) -> EventLog:
    log = EventLog(clock=lambda: 0.0)
    for name in sorted(EVENT_NAMES):
        fields: dict[str, Any] = dict.fromkeys(
            ["method", "path", "kind", "status", "error", "reason", "username", "body"], text
        )
        fields |= dict.fromkeys(["button", "client", "seconds", "wait", "exp", "token"], text)
        log.record(name, source=text, correlation="a", **fields)
    return log


@pytest.mark.parametrize("text", HOSTILE)
def test_buttons_hold_no_markup_of_others(text: str) -> None:
    drawn = root_of(sequence(hostile_log(text), held=text, controls={APART, SEND}, playable=True))
    assert drawn.get("role") == ("group" if text else "img")
    tags = {element.tag.partition("}")[2] for element in drawn.iter()}
    assert tags <= {*["svg", "title", "desc", "style", "g", "line", "polygon", "rect", "text"],
                    *["circle", "foreignObject", "button"]}  # fmt: skip
    names = [name for element in drawn.iter() for name in element.attrib]
    assert not any(name.startswith("on") for name in names)


def test_calls_apart_have_a_lane_each_and_say_it_once(
    ada: AuthClient, clock: DemoClock, log: EventLog
) -> None:
    clock.advance(61)
    at_once(3, ada.home)
    drawn = log.to_svg(action_of(log.action()[0]), apart=True)
    assert texts(drawn)[:5] == ["#3", "#4", "#5", "Server", "refresh"]
    told = texts(drawn)
    assert sorted(words for words in told if "again" in words) == [
        f"#{n} GET /home again" for n in (3, 4, 5)
    ]
    assert (told.count("access token"), told.count("new access token, 60 s left")) == (1, 1)
    assert (told.count("403 expired 1 s ago"), told.count("200 new access token")) == (3, 1)
    assert "×" not in "".join(told)


@settings(deadline=None)
@given(st.one_of(st.sampled_from(HOSTILE), st.text()))
def test_what_somebody_typed_stays_text(text: str) -> None:
    root = root_of(hostile_log(text).to_svg())
    tags = {element.tag.removeprefix(SVG) for element in root.iter()}
    assert tags <= {"svg", "title", "desc", "style", "g", "line", "polygon", "rect", "text"}
    tame = root_of(hostile_log("x" * len(text)).to_svg())
    assert len(list(root.iter(f"{SVG}rect"))) <= len(list(tame.iter(f"{SVG}rect"))) + 5


@pytest.mark.parametrize("fields", [{}, {"status": "x", "exp": None, "iat": True, "kind": 1}])
def test_an_event_by_hand_breaks_nothing(log: EventLog, fields: dict[str, Any]) -> None:
    for name in sorted(EVENT_NAMES):
        log.record(name, source="me", **fields)
        root_of(log.to_svg())


def test_no_secret_is_drawn(ada: AuthClient, log: EventLog) -> None:
    pair = ada.store.get()
    assert pair is not None
    ada.home()
    for secret in (PASSWORD, pair.access, pair.refresh, pair.access.split(".")[2]):
        assert secret not in log.to_svg()
