"""`AuthClient` against the server's policy "rfc": 401, rotation, logout, refresh ahead."""

from __future__ import annotations

import threading
import time
from collections import Counter
from functools import partial
from typing import Any

import pytest
import requests

from client_widget import (
    ArticleAuth,
    AuthClient,
    BearerAuth,
    EventLog,
    LoginRequired,
    Rejected,
    Request,
    ServerUnreachable,
    TokenStore,
)
from client_widget.client.transport import HttpTransport
from demo_server import DemoClock, DemoServer, ServerConfig

from ...conftest import (
    PASSWORD,
    START,
    Gate,
    hold_refresh_until_rejected,
    in_threads,
    names,
    pair_of,
)


@pytest.fixture
def config() -> ServerConfig:
    return ServerConfig(bcrypt_cost=4, policy="rfc")


@pytest.fixture
def client(server: DemoServer, log: EventLog, clock: DemoClock) -> AuthClient:
    return AuthClient(server.url, log=log, clock=clock, logout_path="/logout")


ROTATED = [
    ("client", "request.sent"),
    ("server", "token.rejected"),
    ("client", "response.received"),
    ("client", "token.expired"),
    ("client", "request.sent"),
    ("server", "token.accepted"),
    ("server", "token.spent"),
    ("server", "token.issued"),
    ("server", "token.issued"),
    ("client", "response.received"),
    ("client", "token.refreshed"),
    ("client", "request.retried"),
    ("server", "token.accepted"),
    ("client", "response.received"),
]


def statuses(log: EventLog) -> list[int]:
    return [e.fields["status"] for e in log.action() if e.name == "response.received"]


def test_a_401_is_refreshed_and_the_rotated_token_is_kept(
    ada: AuthClient, clock: DemoClock, log: EventLog
) -> None:
    refresh_tokens = set()
    for _ in range(5):
        clock.advance(61)
        assert ada.home() == {"message": "Welcome ada"}
        assert names(log.action()) == ROTATED
        assert statuses(log) == [401, 200, 200]
        pair = ada.store.get()
        assert pair is not None
        refresh_tokens.add(pair.refresh)
        [refreshed] = [e for e in log.action() if e.name == "token.refreshed"]
        facts = {"kind": "access", **pair.access_facts, "refresh": dict(pair.refresh_facts)}
        assert refreshed.fields == facts
    assert len(refresh_tokens) == 5


def test_32_threads_spend_one_refresh_token(
    ada: AuthClient, clock: DemoClock, gate: Gate, log: EventLog
) -> None:
    """Without single flight the second refresh would be a reuse, and end the session."""
    clock.advance(61)
    hold_refresh_until_rejected(gate, 32)
    assert in_threads(32, ada.home) == [{"message": "Welcome ada"}] * 32
    assert [e.name for e in log if e.name in ("token.spent", "reuse.detected")] == ["token.spent"]


def test_a_lack_of_right_is_an_answer_and_not_an_expiry(ada: AuthClient, log: EventLog) -> None:
    answer = ada.request("GET", "/class")
    assert (answer.status_code, answer.json()["error"]) == (403, "insufficient_scope")
    assert names(log.action()) == [
        ("client", "request.sent"),
        ("server", "token.accepted"),
        ("server", "request.refused"),
        ("client", "response.received"),
    ]


def test_a_server_clock_that_is_set_back_ends_no_session(ada: AuthClient, clock: DemoClock) -> None:
    """Its own tokens come from the future then, and are valid again when the clock is."""
    held = ada.store.get()
    clock.advance(-3600)
    with pytest.raises(ServerUnreachable, match="answered with 503: you are still logged in"):
        ada.home()
    assert ada.store.get() is held
    clock.advance(3600)
    assert ada.home() == {"message": "Welcome ada"}


def test_without_a_session_home_asks_to_log_in(client: AuthClient) -> None:
    with pytest.raises(LoginRequired, match="log in first"):
        client.home()


def test_a_reused_token_ends_the_session_of_owner_and_thief(
    ada: AuthClient, server: DemoServer, clock: DemoClock, log: EventLog
) -> None:
    store = TokenStore()
    pair = pair_of(ada)
    store.set(pair)
    thief = AuthClient(server.url, store=store, log=log, clock=clock, name="thief")
    clock.advance(61)
    assert thief.home() == {"message": "Welcome ada"}
    with pytest.raises(LoginRequired):
        ada.home()
    with pytest.raises(LoginRequired):
        thief.home()
    assert [e.name for e in log if e.name.startswith(("reuse", "family"))] == [
        "reuse.detected",
        "family.revoked",
    ]


class TestLogout:
    def test_the_server_is_told_and_the_tokens_are_forgotten(
        self, ada: AuthClient, log: EventLog, server: DemoServer
    ) -> None:
        pair = pair_of(ada)
        ada.logout()
        assert names(log.action()) == [
            ("client", "request.sent"),
            ("server", "token.accepted"),
            ("server", "family.revoked"),
            ("client", "response.received"),
            ("client", "session.ended"),
        ]
        assert ada.store.get() is None
        assert ada.probe(pair.access).status_code == 401

    def test_an_expired_access_token_is_refreshed_first(
        self, ada: AuthClient, clock: DemoClock, log: EventLog
    ) -> None:
        clock.advance(61)
        ada.logout()
        assert statuses(log) == [401, 200, 204]
        assert names(log.action())[-1] == ("client", "session.ended")
        assert ada.store.get() is None

    def test_a_session_that_is_over_is_not_ended_twice(
        self, ada: AuthClient, clock: DemoClock, log: EventLog
    ) -> None:
        clock.advance(301)
        ada.logout()
        assert [e.fields["reason"] for e in log if e.name == "session.ended"] == ["refresh_refused"]
        ada.logout()
        assert ada.store.get() is None

    def test_the_tokens_are_forgotten_even_if_the_server_is_away(
        self, ada: AuthClient, server: DemoServer
    ) -> None:
        server.stop()
        with pytest.raises(ServerUnreachable):
            ada.logout()
        assert ada.store.get() is None


class TestAhead:
    """Refresh ahead of the expiry: the last min(10 s, 20 %) of a token's life."""

    @pytest.fixture
    def client(self, server: DemoServer, log: EventLog, clock: DemoClock) -> AuthClient:
        auth = partial(BearerAuth, clock=clock)
        return AuthClient(server.url, log=log, clock=clock, auth=auth)

    def test_no_call_is_refused(self, ada: AuthClient, clock: DemoClock, log: EventLog) -> None:
        clock.advance(49)
        ada.home()
        assert statuses(log) == [200]
        clock.advance(1)
        ada.home()
        assert names(log.action()) == [
            ("client", "request.sent"),
            ("server", "token.accepted"),
            ("server", "token.spent"),
            ("server", "token.issued"),
            ("server", "token.issued"),
            ("client", "response.received"),
            ("client", "token.refreshed"),
            ("client", "request.sent"),
            ("server", "token.accepted"),
            ("client", "response.received"),
        ]
        assert statuses(log) == [200, 200]

    def test_one_call_of_many_refreshes(
        self, ada: AuthClient, clock: DemoClock, log: EventLog
    ) -> None:
        clock.advance(55)
        assert in_threads(16, ada.home) == [{"message": "Welcome ada"}] * 16
        assert sum(event.name == "token.spent" for event in log) == 1

    @pytest.mark.parametrize(("lifetime", "window"), [(5, 1), (20, 4), (50, 10), (3600, 10)])
    def test_the_window_is_scaled_to_the_lifetime(
        self, log: EventLog, clock: DemoClock, lifetime: int, window: int
    ) -> None:
        config = ServerConfig(bcrypt_cost=4, access_token_ttl=lifetime, refresh_token_ttl=9000)
        auth = partial(BearerAuth, clock=clock)
        with DemoServer(config, clock=clock, name="other") as server:
            client = AuthClient(server.url, log=log, clock=clock, auth=auth)
            client.register("ada", PASSWORD)
            client.login("ada", PASSWORD)
            clock.advance(lifetime - window - 0.5)
            client.home()
            assert statuses(log) == [200]
            clock.advance(0.5)
            client.home()
            assert statuses(log) == [200, 200]

    @pytest.mark.parametrize("skew", [-300, 300])
    def test_a_clock_that_is_wrong_does_not_matter(
        self, server: DemoServer, clock: DemoClock, log: EventLog, skew: int
    ) -> None:
        """A life counts from the moment at which the token came."""
        own = DemoClock(start=START + skew, rate=0)
        auth = partial(BearerAuth, clock=own)
        client = AuthClient(server.url, log=log, clock=own, auth=auth)
        client.register("ada", PASSWORD)
        client.login("ada", PASSWORD)
        for _ in range(3):
            for seconds, answers in ((40, [200]), (10, [200, 200])):
                clock.advance(seconds)
                own.advance(seconds)
                client.home()
                assert statuses(log) == answers

    def test_a_refresh_that_gets_no_answer_is_not_needed_yet(
        self, ada: AuthClient, clock: DemoClock, log: EventLog
    ) -> None:
        """Once the token has expired it is, and the caller gets the error."""
        self.lose_refreshes(ada)
        clock.advance(55)
        assert ada.home() == {"message": "Welcome ada"}
        assert [e.name for e in log.action() if e.source == "client"] == [
            "request.sent",
            "request.failed",
            "request.sent",
            "response.received",
        ]
        clock.advance(5)
        with pytest.raises(ServerUnreachable):
            ada.home()
        assert ada.store.get() is not None

    def test_a_busy_server_is_asked_once_by_calls_that_come_together(
        self, ada: AuthClient, server: DemoServer, clock: DemoClock, log: EventLog
    ) -> None:
        """Those who wait learn that the refresh did not come through, and use what they have."""
        entered = threading.Barrier(8)

        def busy() -> tuple[str, int]:
            # Until the other seven wait for this refresh.
            deadline = time.monotonic() + 20
            while ada.waiting < 7:
                assert time.monotonic() < deadline
                time.sleep(0.001)
            return "", 503

        server.app.view_functions["refresh"] = busy

        def visit() -> dict[str, Any]:
            entered.wait(timeout=20)
            return ada.home()

        clock.advance(55)
        assert in_threads(8, visit) == [{"message": "Welcome ada"}] * 8
        told = Counter(event.name for event in log if event.source == "client")
        sent = [e.fields["path"] for e in log if e.name == "request.sent"]
        assert (sent.count("/refresh"), sent.count("/home")) == (1, 8)
        assert told["token.refreshed"] == 0

    def test_a_refused_refresh_ends_the_session(self, ada: AuthClient, clock: DemoClock) -> None:
        other = AuthClient(ada.base_url, store=ada.store, clock=clock, logout_path="/logout")
        other.request("POST", "/logout")
        clock.advance(55)
        with pytest.raises(LoginRequired):
            ada.home()
        assert ada.store.get() is None

    @staticmethod
    def lose_refreshes(client: AuthClient) -> None:
        """Let no refresh through."""

        class Losing(HttpTransport):
            def send(self, prepared: requests.PreparedRequest, **options: Any) -> requests.Response:
                if prepared.path_url == "/refresh":
                    raise requests.ConnectionError
                return super().send(prepared, **options)

        client.transport = Losing(client.base_url)


class TestDeviceToken:
    """The client sends the device token of its last login with the next one of that user."""

    def lock_out(self, server: DemoServer) -> None:
        wrong = {"username": "ada", "password": "wrong"}
        for _ in range(6):
            answer = requests.post(f"{server.url}/users/login", json=wrong, timeout=20)
        assert answer.status_code == 429

    def test_a_client_that_logged_in_before_does_not_wait(
        self, ada: AuthClient, server: DemoServer
    ) -> None:
        ada.logout()
        self.lock_out(server)
        with pytest.raises(Rejected) as refused:
            AuthClient(server.url).login("ada", PASSWORD)
        assert refused.value.status == 429
        ada.login("ada", PASSWORD)
        assert ada.home() == {"message": "Welcome ada"}

    def test_each_user_has_their_own(self, ada: AuthClient, server: DemoServer) -> None:
        ada.register("bob", PASSWORD)
        ada.login("bob", PASSWORD)
        self.lock_out(server)
        ada.login("ada", PASSWORD)
        ada.login("bob", PASSWORD)

    def test_no_log_and_no_repr_has_it(self, ada: AuthClient, log: EventLog) -> None:
        answer = ada.login("ada", PASSWORD)
        token = answer["deviceToken"]
        bodies = [e.fields["body"] for e in log.action() if "body" in e.fields]
        assert [body.count('"deviceToken":"<token ') for body in bodies] == [1, 1]
        for text in (log.to_jsonl(), repr(ada), repr(answer)):
            assert token not in text

    def test_registration_does_not_send_it(self, ada: AuthClient, log: EventLog) -> None:
        with pytest.raises(Rejected):
            ada.register("ada", PASSWORD)
        [sent] = [e for e in log.action() if e.name == "request.sent"]
        assert "deviceToken" not in sent.fields["body"]


def test_the_articles_interceptor_does_not_know_401(
    server: DemoServer, log: EventLog, clock: DemoClock
) -> None:
    client = AuthClient(server.url, log=log, clock=clock, auth=ArticleAuth)
    client.register("ada", PASSWORD)
    client.login("ada", PASSWORD)
    clock.advance(61)
    with pytest.raises(Rejected) as refused:
        client.home()
    assert refused.value.code == "invalid_token"


def test_the_articles_interceptor_keeps_its_refresh_token(log: EventLog, clock: DemoClock) -> None:
    with DemoServer(ServerConfig(bcrypt_cost=4), clock=clock, name="article") as server:
        client = AuthClient(server.url, log=log, clock=clock, auth=ArticleAuth)
        client.register("ada", PASSWORD)
        client.login("ada", PASSWORD)
        clock.advance(61)
        client.home()
    [refreshed] = [event for event in log if event.name == "token.refreshed"]
    assert set(refreshed.fields) == {"kind", "token", "iat", "exp"}


def test_before_send_sees_a_refresh_ahead(ada: AuthClient, clock: DemoClock) -> None:
    """So a stepper holds it like any other message."""
    seen: list[Request] = []

    def see(message: Request) -> Request:
        seen.append(message)
        return message

    client = AuthClient(
        ada.base_url, store=ada.store, clock=clock, auth=partial(BearerAuth, clock=clock)
    )
    client.before_send = see
    clock.advance(55)
    client.home()
    assert [message.purpose for message in seen] == ["refresh", "call"]
