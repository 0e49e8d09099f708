"""The inspector, by its buttons: each verdict is that of a real server."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from html import unescape
from typing import Any

import pytest

from client_widget import AuthClient, EventLog, TokenInspector, TokenPair
from client_widget.clock import time_of_day
from client_widget.protocol.jwt_by_hand import sign, split, unsigned, verdict_words, with_payload
from client_widget.widgets.token_inspector import WRONG_SECRET
from demo_server import DemoClock, DemoServer

from ...conftest import PASSWORD, START, Gate, names
from ..client.wire import http, wire
from .buttons import MARKUP, until, widgets_in

SENDS = [
    "Send as it is",
    "Send with the edited payload",
    "Re-sign with a wrong secret",
    "Send with alg none",
    "Send to the other route",
]
ONE_PROBE = [
    ("client", "request.sent"),
    ("server", "token.rejected"),
    ("client", "response.received"),
]


@pytest.fixture
def inspector(ada: AuthClient, clock: DemoClock) -> Iterator[TokenInspector]:
    inspector = TokenInspector(ada, clock=clock)
    yield inspector
    inspector.wait()
    inspector.close()


def press(inspector: TokenInspector, label: str) -> list[str]:
    """Press a button and give the lines of the verdict."""
    inspector.buttons[label].click()
    inspector.wait()
    return verdict(inspector)


def verdict(inspector: TokenInspector) -> list[str]:
    return [unescape(text) for text in re.findall(r">([^<]+)<", inspector.verdict.value)]


def edit(inspector: TokenInspector, **claims: Any) -> None:
    inspector.payload.value = json.dumps({**json.loads(inspector.payload.value), **claims})


def session(inspector: TokenInspector) -> TokenPair:
    pair = inspector.client.store.get()
    assert pair is not None
    return pair


def saved(inspector: TokenInspector) -> str:
    """What the notebook would save: the state of all its widgets."""
    return repr([widget.get_state() for widget in widgets_in(inspector)])


def expected(sent: str, answer: str, note: str, status: int, code: str) -> list[str]:
    notes = [note] if note else []
    return [sent, answer, *notes, *verdict_words(status, code).splitlines()]


def at(seconds: int) -> str:
    return time_of_day(START + seconds)


class TestVerdicts:
    def test_a_good_access_token(self, inspector: TokenInspector) -> None:
        assert press(inspector, "Send as it is") == expected(
            f"{at(0)} GET /home, the access token unchanged", "200 OK", "", 200, ""
        )

    def test_a_good_refresh_token(self, inspector: TokenInspector) -> None:
        inspector.kind.value = "refresh"
        assert press(inspector, "Send as it is") == expected(
            f"{at(0)} POST /refresh, the refresh token unchanged",
            "200 OK",
            "The new access token was discarded, so your session is unchanged.",
            200,
            "",
        )

    @pytest.mark.parametrize("kind", ["access", "refresh"])
    @pytest.mark.parametrize(
        ("label", "load", "detail"),
        [
            (
                "Send with the edited payload",
                "with its old signature",
                "The signature does not match this server's key for {} tokens",
            ),
            (
                "Re-sign with a wrong secret",
                "signed with a wrong secret",
                "The signature does not match this server's key for {} tokens",
            ),
            (
                "Send with alg none",
                "with alg none and no signature",
                "The token is not signed with HS256",
            ),
        ],
    )
    def test_a_forgery_is_refused(
        self,
        inspector: TokenInspector,
        log: EventLog,
        kind: str,
        label: str,
        load: str,
        detail: str,
    ) -> None:
        inspector.kind.value = kind
        edit(inspector, username="root", exp=START + 10**6)
        route = {"access": "GET /home", "refresh": "POST /refresh"}[kind]
        assert press(inspector, label) == expected(
            f"{at(0)} {route}, the {kind} token {load}, its payload edited",
            "403 Forbidden token_invalid",
            f"The server says: “{detail.format(kind)}”",
            403,
            "token_invalid",
        )
        assert names(log.action()) == ONE_PROBE

    @pytest.mark.parametrize(
        ("kind", "sent"),
        [
            ("refresh", "GET /home, the refresh token unchanged"),
            ("access", "POST /refresh, the access token unchanged"),
        ],
    )
    def test_a_token_is_good_for_its_own_route_only(
        self, inspector: TokenInspector, kind: str, sent: str
    ) -> None:
        inspector.kind.value = kind
        lines = press(inspector, "Send to the other route")
        assert lines[:2] == [f"{at(0)} {sent}", "403 Forbidden token_invalid"]

    def test_an_expired_token_is_refused_and_not_refreshed(
        self, inspector: TokenInspector, clock: DemoClock, log: EventLog
    ) -> None:
        clock.advance(61)
        assert press(inspector, "Send as it is") == expected(
            f"{at(61)} GET /home, the access token unchanged",
            "403 Forbidden token_expired",
            "The server says: “The access token has expired”",
            403,
            "token_expired",
        )
        assert "lab-late" in inspector.verdict.value
        assert names(log.action()) == ONE_PROBE

    def test_a_later_exp_does_not_help_an_expired_token(
        self, inspector: TokenInspector, clock: DemoClock
    ) -> None:
        clock.advance(61)
        edit(inspector, exp=START + 10**6)
        assert press(inspector, "Send with the edited payload")[1] == "403 Forbidden token_invalid"

    def test_a_token_from_the_future_is_not_valid_yet(
        self, inspector: TokenInspector, clock: DemoClock
    ) -> None:
        clock.advance(-100)
        assert press(inspector, "Send as it is")[1] == "403 Forbidden token_not_yet_valid"

    def test_a_token_of_no_form_is_malformed(self, inspector: TokenInspector) -> None:
        inspector.client.store.set(TokenPair("not a token", "x"))
        assert press(inspector, "Send as it is")[1] == "403 Forbidden token_malformed"
        inspector.refresh()
        assert inspector.parts.value.count("cannot be read") == 3
        inspector.client.store.set(TokenPair("", "x"))
        assert press(inspector, "Send as it is")[1] == "403 Forbidden token_missing"

    def test_what_was_not_edited_has_its_signature_still(self, inspector: TokenInspector) -> None:
        lines = press(inspector, "Send with the edited payload")
        assert lines[0].endswith("with its old signature, its payload not edited")
        assert lines[1] == "200 OK"


@pytest.mark.parametrize("kind", ["access", "refresh"])
def test_the_session_does_not_notice(
    inspector: TokenInspector, clock: DemoClock, kind: str
) -> None:
    before = session(inspector)
    inspector.kind.value = kind
    edit(inspector, username="root")
    for seconds in (0, 61, 301):
        clock.advance(seconds)
        for label in SENDS:
            press(inspector, label)
    assert session(inspector) is before


def test_a_payload_that_is_no_json_is_said_and_not_sent(
    inspector: TokenInspector, log: EventLog
) -> None:
    before = len(log)
    for text, words in [
        ('{"a": }', "The payload is not JSON: line 1, column 7: Expecting value"),
        ("[]", "The payload is not a JSON object: write it between { and }"),
    ]:
        inspector.payload.value = text
        for label in SENDS[1:4]:
            assert press(inspector, label) == [f"{words}. Nothing was sent."]
    assert len(log) == before
    assert press(inspector, "Send as it is")[1] == "200 OK"  # it does not read the editor


def test_without_a_session_nothing_is_sent(inspector: TokenInspector, log: EventLog) -> None:
    inspector.client.logout()
    before = len(log)
    for label in SENDS:
        assert press(inspector, label) == [
            "The token store is empty, so nothing was sent: log in first."
        ]
    assert len(log) == before
    until(lambda: "store is empty" in inspector.parts.value)
    assert (inspector.claims.value, inspector.payload.value) == ("", "")


def test_a_server_that_is_gone_is_said(inspector: TokenInspector, server: DemoServer) -> None:
    server.stop()
    assert press(inspector, "Send as it is") == [
        "GET /home failed: no connection. Is the server running?"
    ]
    server.start()
    assert press(inspector, "Send as it is")[1] == "200 OK"


@pytest.mark.parametrize("body", [b"hello", b"5", b"null", b"[]"])
def test_another_servers_response_to_a_refresh_is_said(body: bytes) -> None:
    with wire(refresh=http(200, body, Content_Type="application/json")) as server:
        client = AuthClient(server.url)
        client.store.set(TokenPair("access-1", "refresh-1"))
        inspector = TokenInspector(client)
        inspector.kind.value = "refresh"
        told = press(inspector, "Send as it is")
        assert "The response is no JSON object. Is base_url the demo server's address?" in told
        inspector.close()


class TestWhatIsShown:
    def test_the_three_parts_and_the_claims(self, inspector: TokenInspector) -> None:
        token = session(inspector).access
        start = split(token).signature[:6] + "…"
        colours = re.findall(r'<div class="([\w-]+)"><b>(\w+)</b>', inspector.parts.value)
        assert colours == [
            ("lab-jwt-header", "Header"),
            ("lab-jwt-payload", "Payload"),
            ("lab-jwt-signature", "Signature"),
        ]
        header, payload, signature = map(
            unescape, re.findall(r"<pre>([^<]*)</pre>", inspector.parts.value)
        )
        assert json.loads(header) == {"alg": "HS256", "typ": "JWT"}
        claims = {"username": "ada", "iat": START, "exp": START + 60}
        assert json.loads(payload) == json.loads(inspector.payload.value) == claims
        assert signature == start
        assert re.findall(r">([^<]+)</t[hd]>", inspector.claims.value)[-3:] == [
            "exp",
            str(START + 60),
            f"expires at {at(60)}: 60 s left",
        ]

    def test_times_follow_the_clock(self, inspector: TokenInspector, clock: DemoClock) -> None:
        clock.advance(18)
        inspector.refresh()
        assert "42 s left" in inspector.claims.value
        assert "18 s ago" in inspector.claims.value
        clock.advance(43)
        inspector.client.log.record("x", source="test")
        until(lambda: "expired 1 s ago" in inspector.claims.value)

    def test_the_other_kind_has_its_own_payload(self, inspector: TokenInspector) -> None:
        edit(inspector, username="root")
        inspector.kind.value = "refresh"
        assert json.loads(inspector.payload.value)["exp"] == START + 300
        assert "300 s left" in inspector.claims.value

    def test_a_refresh_takes_no_edits_away(
        self, inspector: TokenInspector, clock: DemoClock
    ) -> None:
        clock.advance(61)
        edit(inspector, username="root")
        inspector.client.home()
        inspector.refresh()
        assert "60 s left" in inspector.claims.value
        assert json.loads(inspector.payload.value)["username"] == "root"
        inspector.buttons["Undo the edits"].click()
        assert json.loads(inspector.payload.value) == {
            "username": "ada",
            "iat": START + 61,
            "exp": START + 121,
        }

    def test_the_next_session_finds_no_edits(self, inspector: TokenInspector) -> None:
        edit(inspector, username="root")
        inspector.client.login("ada", PASSWORD)
        inspector.refresh()
        assert json.loads(inspector.payload.value)["username"] == "ada"

    def test_fields_and_buttons_have_their_names(self, inspector: TokenInspector) -> None:
        assert (inspector.kind.description, inspector.payload.description) == ("Token", "Payload")
        labels = [*SENDS, "Undo the edits"]
        assert list(inspector.buttons) == labels
        assert [button.description for button in inspector.buttons.values()] == labels

    def test_what_a_user_typed_is_text(self, client: AuthClient) -> None:
        client.register(MARKUP, PASSWORD)
        client.login(MARKUP, PASSWORD)
        inspector = TokenInspector(client)
        press(inspector, "Send as it is")
        assert json.loads(inspector.payload.value)["username"] == MARKUP
        for shown in (inspector.parts.value, inspector.claims.value, inspector.verdict.value):
            assert "<img" not in shown
        assert "&lt;img src=x" in inspector.parts.value
        assert "&lt;img src=x" in inspector.claims.value
        inspector.close()

    def test_what_a_server_says_is_text(
        self, inspector: TokenInspector, server: DemoServer
    ) -> None:
        server.app.view_functions["home"] = lambda: ({"error": MARKUP, "message": MARKUP}, 418)
        press(inspector, "Send as it is")
        assert "<img" not in inspector.verdict.value
        assert inspector.verdict.value.count("&lt;img src=x") == 2


def test_no_token_is_in_what_is_saved_or_told(
    inspector: TokenInspector, log: EventLog, clock: DemoClock, config: Any
) -> None:
    pair = session(inspector)
    secrets = {config.access_token_secret, config.refresh_token_secret, PASSWORD}
    told = [repr(inspector)]
    for kind, token in (("access", pair.access), ("refresh", pair.refresh)):
        inspector.kind.value = kind
        edit(inspector, username="root")
        text = inspector.payload.value
        forged = with_payload(token, text)
        signed = sign(split(token).header_text, text, WRONG_SECRET)
        secrets |= {token, forged, signed, unsigned(forged)}
        secrets |= {split(token).signature, split(signed).signature}
        for label in SENDS:
            press(inspector, label)
            told.append(saved(inspector))
    told += [log.to_jsonl(), *map(repr, log)]
    assert [secret for secret in secrets if secret in "\n".join(told)] == []
    assert "root" in told[1]  # the states were looked at


def test_no_call_blocks_the_kernel(inspector: TokenInspector, gate: Gate) -> None:
    """The click comes back while the server is held; the buttons wait for the verdict."""
    go = threading.Event()
    gate.hold = lambda name, fields: go if name == "token.accepted" else None
    inspector.buttons["Send as it is"].click()
    assert [inspector.buttons[label].disabled for label in SENDS] == [True] * 5
    with pytest.raises(TimeoutError, match="under way"):
        inspector.wait(timeout=0.01)
    go.set()
    inspector.wait()
    assert [inspector.buttons[label].disabled for label in SENDS] == [False] * 5


def test_a_closed_inspector_leaves_no_thread(ada: AuthClient) -> None:
    def mine() -> list[str]:
        return [t.name for t in threading.enumerate() if t.name in ("pulse", "The token")]

    inspector = TokenInspector(ada)
    press(inspector, "Send as it is")
    until(lambda: not mine())
    inspector.close()
    ada.log.record("x", source="test")
    assert not mine()
