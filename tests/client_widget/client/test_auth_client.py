"""`AuthClient` against a real server: what it returns, raises and records."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from client_widget import (
    AuthClient,
    Deadlock,
    Event,
    EventLog,
    LoginRequired,
    Rejected,
    TokenPair,
    TokenStore,
)
from client_widget.log.masking import mask_token
from demo_server import DemoClock, DemoServer

from ...conftest import PASSWORD, REFRESHED, START, names, pair_of


def without_message(event: Event) -> dict[str, Any]:
    """The fields of an event but for the message itself, which has its own test."""
    return {name: v for name, v in event.fields.items() if name not in ("headers", "body")}


class TestAnswers:
    def test_register_login_and_home_give_the_json(self, client: AuthClient) -> None:
        user = client.register("ada", PASSWORD)
        assert set(user) == {"_id", "username"}
        tokens = client.login("ada", PASSWORD)
        pair = pair_of(client)
        assert tokens == {"accessToken": pair.access, "refreshToken": pair.refresh}
        assert client.home() == {"message": "Welcome ada"}

    def test_what_login_gives_is_not_shown(self, ada: AuthClient) -> None:
        tokens = ada.login("ada", PASSWORD)
        assert repr(tokens) == "{'accessToken': '<token>', 'refreshToken': '<token>'}"

    @pytest.mark.parametrize(
        ("act", "status", "code"),
        [
            (lambda c: c.register("ada", "x"), 403, "user_exists"),
            (lambda c: c.register("", "x"), 400, "request_malformed"),
            (lambda c: c.login("bob", "x"), 401, "user_unknown"),
            (lambda c: c.login("ada", "x"), 400, "password_wrong"),
        ],
    )
    def test_a_refusal_is_raised_and_costs_no_session(
        self, ada: AuthClient, act: Callable[[AuthClient], Any], status: int, code: str
    ) -> None:
        with pytest.raises(Rejected) as refusal:
            act(ada)
        assert (refusal.value.status, refusal.value.code) == (status, code)
        assert refusal.value.message
        assert ada.home() == {"message": "Welcome ada"}

    def test_home_without_a_session_asks_for_a_login(
        self, client: AuthClient, log: EventLog
    ) -> None:
        with pytest.raises(LoginRequired):
            client.home()
        assert names(log.action()) == [
            ("client", "request.sent"),
            ("server", "token.rejected"),
            ("client", "response.received"),
        ]

    def test_request_without_a_session_gives_the_answer(self, client: AuthClient) -> None:
        assert client.request("GET", "/home").status_code == 403
        assert client.request("GET", "/nope").status_code == 404

    def test_request_gives_the_final_answer_whatever_it_is(self, ada: AuthClient) -> None:
        assert ada.request("get", "/home").json() == {"message": "Welcome ada"}
        assert ada.request("DELETE", "/home").status_code == 405

    def test_logout_forgets_the_tokens(self, ada: AuthClient, log: EventLog) -> None:
        ada.logout()
        assert ada.store.get() is None
        [event] = log.action()
        assert (event.name, dict(event.fields)) == ("session.ended", {"reason": "logged_out"})
        ada.logout()  # nothing to end: nothing to tell
        assert list(log)[-1] is event
        with pytest.raises(LoginRequired):
            ada.home()

    @pytest.mark.parametrize("path", ["http://elsewhere/x", "@elsewhere/x", "home", ""])
    def test_a_token_cannot_be_sent_elsewhere(self, ada: AuthClient, path: str) -> None:
        with pytest.raises(ValueError, match="must begin with /"):
            ada.request("GET", path)

    @pytest.mark.parametrize("url", ["", "127.0.0.1:8000", "ftp://x", "http://"])
    def test_a_base_url_is_checked(self, url: str) -> None:
        with pytest.raises(ValueError, match="base_url"):
            AuthClient(url)


class TestExpiry:
    def test_an_expired_token_is_refreshed_and_the_call_retried(
        self, ada: AuthClient, clock: DemoClock, log: EventLog
    ) -> None:
        before = pair_of(ada)
        clock.advance(61)
        assert ada.home() == {"message": "Welcome ada"}
        assert names(log.action()) == REFRESHED
        after = pair_of(ada)
        assert after.access != before.access
        assert after.refresh == before.refresh

    def test_each_event_says_what_happened(
        self, ada: AuthClient, clock: DemoClock, log: EventLog
    ) -> None:
        old = pair_of(ada)
        clock.advance(61)
        ada.home()
        new = pair_of(ada)
        expired, fresh, refresh = (
            dict(old.access_facts),
            dict(new.access_facts),
            dict(new.refresh_facts),
        )
        assert (expired["iat"], expired["exp"]) == (START, START + 60)
        assert (fresh["iat"], fresh["exp"]) == (START + 61, START + 121)
        home = {"method": "GET", "path": "/home", "purpose": "call"}
        again = {**home, "purpose": "retry"}
        post = {"method": "POST", "path": "/refresh", "purpose": "refresh"}
        told = []
        for event in log.action():
            assert event.at == START + 61
            if event.source == "client":
                fields = without_message(event)
                if event.name == "response.received":
                    assert 0 < fields.pop("elapsed") < 20
                told.append((event.name, fields))
        assert told == [
            ("request.sent", {**home, "kind": "access", **expired}),
            (
                "response.received",
                {
                    **home,
                    "status": 403,
                    "error": "token_expired",
                    "message": "The access token has expired",
                },
            ),
            ("token.expired", {"kind": "access", "reason": "token_expired", **expired}),
            ("request.sent", {**post, "kind": "refresh", **refresh}),
            ("response.received", {**post, "status": 200}),
            ("token.refreshed", {"kind": "access", **fresh}),
            ("request.retried", {**again, "kind": "access", **fresh}),
            ("response.received", {**again, "status": 200}),
        ]

    def test_whole_messages_are_in_the_log_with_their_tokens_masked(
        self, ada: AuthClient, clock: DemoClock, log: EventLog
    ) -> None:
        old = pair_of(ada)
        clock.advance(61)
        ada.home()
        new = pair_of(ada)
        masked = {
            name: mask_token(token)
            for name, token in [("old", old.access), ("new", new.access), ("refresh", old.refresh)]
        }
        messages = [event.fields for event in log.action() if "headers" in event.fields]
        sent = messages[0::2]
        assert [fields["headers"].get("Authorization") for fields in sent] == [
            f"Bearer {masked['old']}",
            None,
            f"Bearer {masked['new']}",
        ]
        assert [fields["body"] for fields in sent] == [
            "",
            f'{{"token":"{masked["refresh"]}"}}',
            "",
        ]
        assert {fields["headers"]["X-Request-ID"] for fields in sent} == {
            log.action()[0].correlation
        }
        assert [fields["body"] for fields in messages[1::2]] == [
            '{"error":"token_expired","message":"The access token has expired"}',
            f'{{"accessToken":"{masked["new"]}"}}',
            '{"message":"Welcome ada"}',
        ]

    def test_expiries_in_a_row_are_all_met(self, ada: AuthClient, clock: DemoClock) -> None:
        statuses = []
        for _ in range(4):
            clock.advance(61)
            statuses.append(ada.request("GET", "/home").status_code)
        assert statuses == [200] * 4

    def test_when_the_refresh_token_is_over_so_is_the_session(
        self, ada: AuthClient, clock: DemoClock, log: EventLog
    ) -> None:
        clock.advance(301)
        with pytest.raises(LoginRequired, match="log in again"):
            ada.home()
        assert ada.store.get() is None
        assert names(log.action()) == [
            ("client", "request.sent"),
            ("server", "token.rejected"),
            ("client", "response.received"),
            ("client", "token.expired"),
            ("client", "request.sent"),
            ("server", "token.rejected"),
            ("client", "response.received"),
            ("client", "session.ended"),
        ]
        ada.login("ada", PASSWORD)
        assert ada.home() == {"message": "Welcome ada"}

    def test_request_raises_too_when_the_session_ends_under_it(
        self, ada: AuthClient, clock: DemoClock
    ) -> None:
        clock.advance(301)
        with pytest.raises(LoginRequired):
            ada.request("GET", "/home")

    def test_a_token_that_is_not_good_for_another_reason_is_refreshed_as_well(
        self, ada: AuthClient, log: EventLog
    ) -> None:
        pair = pair_of(ada)
        ada.store.set(pair.with_access(pair.refresh))
        assert ada.home() == {"message": "Welcome ada"}
        [refused] = [event for event in log.action() if event.name == "token.refused"]
        assert refused.fields["reason"] == "token_invalid"

    @pytest.mark.parametrize("name", ["register", "login"])
    def test_a_403_to_a_login_or_a_registration_is_no_expiry(
        self, ada: AuthClient, server: DemoServer, log: EventLog, name: str
    ) -> None:
        server.app.view_functions[name] = lambda: ({"error": "no"}, 403)
        before = ada.store.get()
        with pytest.raises(Rejected):
            getattr(ada, name)("ada", PASSWORD)
        assert names(log.action()) == [
            ("client", "request.sent"),
            ("client", "response.received"),
        ]
        assert ada.store.get() is before


class TestCorrelation:
    def test_one_id_goes_through_client_and_server(
        self, ada: AuthClient, clock: DemoClock, log: EventLog
    ) -> None:
        clock.advance(61)
        before = len(log)
        ada.home()
        ids = {event.correlation for event in list(log)[before:]}
        assert len(ids) == 1
        ada.home()
        assert {event.correlation for event in log.action()}.isdisjoint(ids)


def test_two_clients_share_a_log_under_two_names(
    server: DemoServer, log: EventLog, clock: DemoClock
) -> None:
    store = TokenStore()
    store.set(TokenPair("a.b.c", "d.e.f"))
    for name in ("left", "right"):
        AuthClient(server.url, log=log, clock=clock, name=name).request("GET", "/home")
    assert [event.source for event in log if event.name == "request.sent"] == ["left", "right"]


def test_what_is_shown_of_a_client(client: AuthClient, ada: AuthClient) -> None:
    assert repr(ada) == "<AuthClient 'client', logged in>"
    ada.logout()
    assert repr(ada) == "<AuthClient 'client', no session>"


class TestMisuse:
    def test_a_call_in_a_subscriber_is_refused_and_no_event_waits(
        self, ada: AuthClient, log: EventLog, clock: DemoClock
    ) -> None:
        """The server of a lesson records into the same log, and would wait for the subscriber."""
        raised: list[BaseException] = []

        def refresh_at_once(event: Event) -> None:
            if event.name == "token.expired":
                for act in (ada.home, lambda: ada.login("ada", PASSWORD)):
                    with pytest.raises(Deadlock, match="in a subscriber of the log") as error:
                        act()
                    raised.append(error.value)

        leave = log.subscribe(refresh_at_once)
        clock.advance(61)
        assert ada.home() == {"message": "Welcome ada"}
        assert len(raised) == 2
        leave()
        assert names(log.action()) == REFRESHED
        assert ada.home() == {"message": "Welcome ada"}

    @pytest.mark.parametrize("sent", [None, "GET /home", 5])
    def test_a_hook_that_returns_no_message_is_named(self, ada: AuthClient, sent: Any) -> None:
        ada.before_send = lambda message: sent
        acts = (ada.home, lambda: ada.login("ada", PASSWORD), lambda: ada.probe("a.b.c"))
        for act in acts:
            with pytest.raises(TypeError, match=r"^before_send must return the message to send"):
                act()
