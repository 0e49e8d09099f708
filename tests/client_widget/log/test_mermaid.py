"""The flow as a Mermaid sequence diagram."""

from __future__ import annotations

import re
from typing import Any

import pytest

from client_widget import AuthClient, EventLog, LoginRequired, ServerUnreachable
from client_widget.log.event_text import EVENT_NAMES
from client_widget.log.mermaid import escape, to_mermaid
from demo_server import DemoClock, DemoServer

from ...conftest import PASSWORD

LANES = """\
sequenceDiagram
    participant C1 as Client
    participant S as Server
"""

HOSTILE = [
    "<img src=x onerror=alert(1)>",
    "a;b#c%d",
    "%%{init: {}}%%",
    "%% a comment",
    "end",
    "x\nend\nC1->>S: forged\r\u2028y",
    "\"q\" 'q' `q` $$x^2$$",
    "#59;#lt;&lt;&#60;",
    "\ufb02\xb0\xb060\xb6\xdf",  # what Mermaid makes of #60; on its way
    "style:#59;x;",
    "wrap:x",
    "a<br/>b",
    "C1->>S",
    "[a](javascript:alert(1)) **b** @{c}",
    "名前 naïve 😀 e\u0301",
    "\u202eabc\u0000\ufffe",
    "\ud800",
    " \t ",
    "\U0010fffd" * 500,
]


def diagram(log: EventLog) -> str:
    """The diagram of the last action."""
    return log.to_mermaid(log.action()[0].correlation)


def test_a_name_that_is_taken(ada: AuthClient, log: EventLog) -> None:
    with pytest.raises(Exception, match="already exists"):
        ada.register("ada", PASSWORD)
    assert diagram(log) == LANES + (
        "    participant D as Database\n"
        "    C1->>S: #35;3 POST /users/register\n"
        "    S->>D: store ada\n"
        "    rect rgba(255, 70, 70, 0.22)\n"
        "        D-->>S: the name is taken\n"
        "    end\n"
        "    rect rgba(255, 70, 70, 0.22)\n"
        "        S-->>C1: 403 user exists\n"
        "    end\n"
    )


EXPIRY = """\
    C1->>S: #35;3 GET /home<br/>access token
    rect rgba(255, 70, 70, 0.22)
        S-->>C1: 403 expired 1 s ago
    end
    C1->>S: POST /refresh<br/>refresh token, 239 s left
    S-->>C1: 200 new access token
    C1->>S: #35;3 GET /home again<br/>new access token, 60 s left
    S-->>C1: 200
"""


def test_expiry_refresh_and_retry(ada: AuthClient, clock: DemoClock, log: EventLog) -> None:
    clock.advance(61)
    ada.home()
    assert diagram(log) == LANES + EXPIRY
    assert log.to_mermaid().endswith(
        "    Note over C1: ada is logged in\n    Note over C1,D: the clock moves by 61 s\n" + EXPIRY
    )


def test_the_server_is_gone(ada: AuthClient, server: DemoServer, log: EventLog) -> None:
    server.stop()
    with pytest.raises(ServerUnreachable):
        ada.home()
    assert diagram(log) == LANES + (
        "    C1->>S: #35;3 GET /home<br/>access token, 60 s left\n"
        "    rect rgba(255, 70, 70, 0.22)\n"
        "        S--xC1: ✗ no connection\n"
        "    end\n"
    )


def test_two_clients_and_a_moved_clock(
    ada: AuthClient, server: DemoServer, clock: DemoClock, log: EventLog
) -> None:
    """The lanes stand in one order, no matter who spoke first; logs hold more than is drawn."""
    before = len(log)
    log.record("button.pressed", source="panel", button="Home", client="ada's phone")
    phone = AuthClient(server.url, log=log, clock=clock, name="ada's phone")
    with pytest.raises(LoginRequired):
        phone.home()
    log.record("clock.advanced", source="panel", seconds=61)
    log.record("lesson.started", source="a lesson")
    ada.logout()
    assert to_mermaid(list(log)[before:]) == (
        "sequenceDiagram\n"
        "    participant P as Panel\n"
        "    participant C1 as ada's phone\n"
        "    participant C2 as Client\n"
        "    participant S as Server\n"
        "    P->>C1: Home\n"
        "    C1->>S: #35;1 GET /home<br/>without a token\n"
        "    rect rgba(255, 70, 70, 0.22)\n"
        "        S-->>C1: 403 token missing\n"
        "    end\n"
        "    Note over P,S: the clock moves by 61 s\n"
        "    Note over C2: logged out\n"
    )


def test_nothing_to_show_is_a_diagram_too(log: EventLog) -> None:
    nothing = (
        "sequenceDiagram\n    participant C1 as Client\n    participant S as Server\n"
        "    Note over C1,S: Nothing has happened yet.<br/>"
        "Register first#58; each message becomes an arrow.\n"
    )
    assert log.to_mermaid() == nothing
    log.record("server.started", source="server", server="demo")
    assert log.to_mermaid() == log.to_mermaid("no such action") == nothing


class TestLimit:
    def test_the_last_events_without_half_an_action(self, log: EventLog) -> None:
        for action in ("a1", "a2", "a3"):
            for _ in range(3):
                log.record("session.started", source="client", correlation=action, username=action)
        head = "sequenceDiagram\n    participant C1 as Client\n"
        step = "    Note over C1: {} is logged in\n"
        assert log.to_mermaid(limit=4) == (
            head + "    Note over C1: the last 3 of 9 events\n" + 3 * step.format("a3")
        )
        # The action itself is longer than the limit.
        assert log.to_mermaid("a3", limit=2) == (
            head + "    Note over C1: the last 2 of 3 events\n" + 2 * step.format("a3")
        )
        assert "events" not in log.to_mermaid(limit=9)

    def test_an_event_of_no_action_is_one_of_its_own(self, log: EventLog) -> None:
        for seconds in (1, 2, 3):
            log.record("clock.advanced", source="panel", seconds=seconds)
        log.record("session.started", source="client", correlation="a1", username="ada")
        assert log.to_mermaid(limit=2).splitlines()[2:] == [
            "    Note over C1: the last 2 of 4 events",
            "    Note over C1: the clock moves by 3 s",
            "    Note over C1: ada is logged in",
        ]

    def test_it_is_1_or_more(self, log: EventLog) -> None:
        with pytest.raises(ValueError, match="limit must be 1 or more, not 0"):
            log.to_mermaid(limit=0)

    def test_the_worst_log_stays_below_what_jupyterlab_draws(self, log: EventLog) -> None:
        for name in ["request.sent", "response.received", "token.rejected", "login.refused"]:
            long = dict.fromkeys(
                ["method", "path", "kind", "status", "error", "reason", "detail", "username"],
                HOSTILE[-1],
            )
            for _ in range(200):
                log.record(name, source=HOSTILE[-1], **long)
            assert len(log.to_mermaid()) < 100_000


#: What a line may be, whatever was typed.
TEXT = r"(?:[\w .,/()'…–×✗-]|#\d+;|<br/>)+"
LINE = re.compile(
    r"sequenceDiagram"
    rf"|    participant (P|C\d|S|D) as {TEXT}"
    rf"|    Note over (P|C\d|S|D)(,C\d|,[SD])?: {TEXT}"
    r"|    rect rgba\(255, 70, 70, 0\.22\)"
    rf"|(    )?    (P|C\d|S|D)(->>|-->>|--x)(P|C\d|S|D): {TEXT}"
    r"|    end"
)


def lines_are_whole(text: str) -> bool:
    return all(LINE.fullmatch(line) for line in text.removesuffix("\n").split("\n"))


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_no_text_breaks_the_diagram_or_is_markup(log: EventLog, text: str) -> None:
    for name in ("request.sent", "request.failed", "response.received", "token.rejected"):
        fields = dict.fromkeys(["method", "path", "kind", "status", "error", "reason"], text)
        log.record(name, source=text, detail=text, exp=text, iat=text, **fields)
    for name in ("user.registered", "login.refused", "session.started", "session.ended"):
        log.record(name, source=text, username=text, reason=text)
    log.record("clock.advanced", source="panel", seconds=text)
    log.record("button.pressed", source="panel", button=text, client=text)
    drawn = log.to_mermaid()
    assert lines_are_whole(drawn)
    assert "<" not in drawn.replace("<br/>", "")
    # No text of a user adds a line: there are as many as for a tame one.
    tame = EventLog()
    for event in log:
        fields = dict.fromkeys(event.fields, "a tame text")
        if "client" in fields:
            fields["client"] = "client"
        source = event.source if event.source == "panel" else "client"
        tame.record(event.name, source=source, **fields)
    assert drawn.count("\n") == tame.to_mermaid().count("\n")
    assert drawn.count("<br/>") == tame.to_mermaid().count("<br/>")


def test_a_hostile_user_is_drawn_as_typed(client: AuthClient, log: EventLog) -> None:
    client.register("<img src=x>;#59; end", PASSWORD)
    assert "    S->>D: store #60;img src#61;x#62;#59;#35;59#59; end\n" in log.to_mermaid()


def test_codes() -> None:
    assert escape("a;b") == "a#59;b"
    assert escape("\u202e\x00") == "#65533;#65533;"
    assert escape("😀 名前 é") == "#128512; 名前 é"
    assert escape("") == escape(" ") == "(empty)"


@pytest.mark.parametrize("fields", [{}, {"status": "x", "exp": None, "iat": True, "kind": 1}])
def test_an_event_by_hand_breaks_nothing(log: EventLog, fields: dict[str, Any]) -> None:
    for name in EVENT_NAMES:
        log.record(name, source="me", **fields)
        assert lines_are_whole(log.to_mermaid())
