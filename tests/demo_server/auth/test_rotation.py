"""Rotation: a refresh token is good once, and a second use ends its family."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests

from client_widget import EventLog, read_claims
from demo_server import DemoClock, DemoServer, ServerConfig, open_database
from demo_server.auth.auth_service import AuthService
from demo_server.auth.tokens import fingerprint
from demo_server.emit import ignore
from demo_server.errors import TokenRefused

from ...conftest import START
from ..api import ADA, Api

GRACE = 5


@pytest.fixture
def config() -> ServerConfig:
    return ServerConfig(bcrypt_cost=4, policy="rfc")


@pytest.fixture
def service(clock: DemoClock) -> AuthService:
    config = ServerConfig(bcrypt_cost=4, policy="rfc", refresh_grace=GRACE)
    service = AuthService(config, database=open_database(), clock=clock, emit=ignore)
    service.register(**ADA)
    return service


def told(log: EventLog) -> list[tuple[str, dict[str, Any]]]:
    """The server's events of the last action, without path and family."""
    return [
        (event.name, {n: v for n, v in event.fields.items() if n not in ("path", "family")})
        for event in log.action()
        if event.source == "server"
    ]


def spend(api: Api, token: str) -> tuple[str, str]:
    """The tokens of a refresh that succeeds."""
    status, body = api.refresh({"token": token})
    assert status == 200
    return body["accessToken"], body["refreshToken"]


def logout(api: Api, token: str) -> int:
    headers = {"Authorization": f"Bearer {token}"}
    return requests.post(f"{api.url}/logout", headers=headers, timeout=20).status_code


def test_each_refresh_gives_a_new_token_and_spends_the_old_one(
    api: Api, tokens: dict[str, str], log: EventLog
) -> None:
    first = tokens["refreshToken"]
    access, second = spend(api, first)
    assert second != first
    about = {"username": "ada", "iat": START}
    assert told(log) == [
        ("token.accepted", {
            "kind": "refresh", "token": fingerprint(first), "exp": START + 300, **about}),
        ("token.spent", {"kind": "refresh", "token": fingerprint(first), "username": "ada"}),
        ("token.issued", {
            "kind": "access", "token": fingerprint(access), "exp": START + 60, **about}),
        ("token.issued", {
            "kind": "refresh", "token": fingerprint(second), "exp": START + 300, **about}),
    ]  # fmt: skip
    _, third = spend(api, second)
    spend(api, third)


def test_a_successor_lives_as_long_as_a_first_one(
    api: Api, tokens: dict[str, str], clock: DemoClock
) -> None:
    clock.advance(299)
    _, second = spend(api, tokens["refreshToken"])
    clock.advance(299)
    spend(api, second)


def test_reuse_ends_the_whole_family_and_says_so(
    api: Api, tokens: dict[str, str], log: EventLog
) -> None:
    first = tokens["refreshToken"]
    access, second = spend(api, first)
    status, body = api.refresh({"token": first})
    assert (status, body["error"]) == (400, "invalid_grant")
    about = {"token": fingerprint(first)}
    times = {"iat": START, "exp": START + 300}
    assert told(log) == [
        ("token.accepted", {"kind": "refresh", "username": "ada", **about, **times}),
        ("reuse.detected", {"username": "ada", **about}),
        ("family.revoked", {"username": "ada", "reason": "reuse_detected"}),
        ("token.rejected", {
            "kind": "refresh", "reason": "token_spent", "detail": "The refresh token is spent",
            **about}),
    ]  # fmt: skip
    # Neither the successor nor any access token of the family is valid any more.
    assert api.refresh({"token": second})[1]["error"] == "invalid_grant"
    for token in (tokens["accessToken"], access):
        status, body = api.home(f"Bearer {token}")
        assert (status, body["message"]) == (401, "The session has ended")


def test_another_login_is_another_family(api: Api, tokens: dict[str, str]) -> None:
    other = api.login()[1]
    spend(api, tokens["refreshToken"])
    api.refresh({"token": tokens["refreshToken"]})
    assert api.home(f"Bearer {other['accessToken']}")[0] == 200
    spend(api, other["refreshToken"])


def test_logout_ends_the_family_at_once(api: Api, tokens: dict[str, str], log: EventLog) -> None:
    assert logout(api, tokens["accessToken"]) == 204
    assert told(log)[1:] == [("family.revoked", {"username": "ada", "reason": "logged_out"})]
    assert api.home(f"Bearer {tokens['accessToken']}")[0] == 401
    assert api.refresh({"token": tokens["refreshToken"]})[0] == 400
    assert logout(api, tokens["accessToken"]) == 401


def test_a_token_of_a_database_that_was_emptied_is_refused(
    config: ServerConfig, clock: DemoClock
) -> None:
    """The signature is right, but nobody knows the session."""
    old = AuthService(config, database=open_database(), clock=clock, emit=ignore)
    old.register(**ADA)
    grant = old.login(**ADA)
    new = AuthService(config, database=open_database(), clock=clock, emit=ignore)
    for use, token in ((new.authenticate, grant.access), (new.refresh, grant.refresh)):
        with pytest.raises(TokenRefused) as refused:
            use(token)
        assert refused.value.code == "token_revoked"


class TestGrace:
    def test_within_it_the_same_successor_is_answered(
        self, service: AuthService, clock: DemoClock
    ) -> None:
        """So an answer that was lost on its way does not end the session."""
        first = service.login(**ADA).refresh
        clock.advance(7)
        lost = service.refresh(first)
        clock.advance(GRACE - 1)
        again = service.refresh(first)
        assert again.refresh == lost.refresh
        service.authenticate(again.access)
        service.refresh(again.refresh)

    def test_after_it_reuse_is_detected(self, service: AuthService, clock: DemoClock) -> None:
        first = service.login(**ADA).refresh
        second = service.refresh(first)
        clock.advance(GRACE)
        for token in (first, second.refresh):
            with pytest.raises(TokenRefused):
                service.refresh(token)

    def test_an_older_token_is_reuse_within_it_too(
        self, service: AuthService, clock: DemoClock
    ) -> None:
        """A thief's copy of an earlier generation, although each was spent this second."""
        first = service.login(**ADA).refresh
        second = service.refresh(first).refresh
        third = service.refresh(second)
        again = service.refresh(second)
        assert again.refresh == third.refresh
        with pytest.raises(TokenRefused) as refused:
            service.refresh(first)
        assert refused.value.code == "token_spent"
        for end in (lambda: service.authenticate(again.access), lambda: service.refresh(second)):
            with pytest.raises(TokenRefused) as refused:
                end()
            assert refused.value.code == "token_revoked"

    def test_the_same_token_spelled_differently_gains_nothing(self, service: AuthService) -> None:
        """Neither a use nor an alarm: it is not a token."""
        first: Any = service.login(**ADA).refresh
        successor = service.refresh(first).refresh
        for other in spellings(first):
            with pytest.raises(TokenRefused) as refused:
                service.refresh(other)
            assert refused.value.code == "token_malformed"
        assert service.refresh(first).refresh == successor

    def test_two_who_use_the_successor_are_detected(
        self, service: AuthService, clock: DemoClock
    ) -> None:
        """Thief and owner both hold it: the second to come after the grace ends the session."""
        first = service.login(**ADA).refresh
        owners, thiefs = service.refresh(first), service.refresh(first)
        service.refresh(thiefs.refresh)
        clock.advance(GRACE)
        with pytest.raises(TokenRefused) as refused:
            service.refresh(owners.refresh)
        assert refused.value.code == "token_spent"

    def test_without_it_a_clock_set_back_opens_no_window(
        self, config: ServerConfig, clock: DemoClock
    ) -> None:
        service = AuthService(config, database=open_database(), clock=clock, emit=ignore)
        service.register(**ADA)
        clock.advance(20)
        first = service.login(**ADA).refresh
        clock.advance(20)
        service.refresh(first)
        clock.advance(-10)
        with pytest.raises(TokenRefused):
            service.refresh(first)


def spellings(token: str) -> list[str]:
    """Texts that a lenient decoder of base64 reads as the same token."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    last = alphabet.index(token[-1])
    unused_bits = [token[:-1] + alphabet[last + bits] for bits in (1, 2, 3)]
    return [*unused_bits, token + "=", token + "==", token + "\n", token + "."]


class TestSessionEnd:
    """A session ends at a planned time, however often it is refreshed."""

    TTL = 400

    @pytest.fixture
    def config(self) -> ServerConfig:
        return ServerConfig(bcrypt_cost=4, policy="rfc", session_ttl=self.TTL, refresh_grace=GRACE)

    def test_no_token_outlives_it(self, api: Api, clock: DemoClock, log: EventLog) -> None:
        api.register()
        token = api.login()[1]["refreshToken"]
        expiries = []
        for _ in range(3):
            clock.advance(130)
            token = spend(api, token)[1]
            issued = [e.fields["exp"] for e in log if e.name == "token.issued"]
            expiries.append(tuple(at - START for at in issued[-2:]))
        assert expiries == [(190, 400), (320, 400), (400, 400)]

    def test_a_refresh_after_it_is_refused_and_the_event_says_why(
        self, api: Api, clock: DemoClock, log: EventLog
    ) -> None:
        api.register()
        token = api.login()[1]["refreshToken"]
        clock.advance(299)
        access, token = spend(api, token)
        clock.advance(100)
        access, token = spend(api, token)
        assert api.home(f"Bearer {access}")[0] == 200
        clock.advance(1)
        message = "The session has reached its end: log in again"
        status, body = api.refresh({"token": token})
        assert (status, body["error"], body["message"]) == (400, "invalid_grant", message)
        assert told(log) == [
            ("token.rejected", {
                "kind": "refresh", "reason": "session_expired", "detail": message,
                "token": fingerprint(token), "username": "ada",
                "iat": START + 399, "exp": START + self.TTL}),
        ]  # fmt: skip
        status, body = api.home(f"Bearer {access}")
        assert (status, body["error"]) == (401, "invalid_token")
        # A new login is a new session.
        spend(api, api.login()[1]["refreshToken"])

    def test_a_shorter_setting_does_not_wait_for_the_tokens(self, clock: DemoClock) -> None:
        """What counts is the end in the database, whatever the token's own `exp` says."""
        config = ServerConfig(bcrypt_cost=4, policy="rfc", session_ttl=self.TTL)
        database = open_database()
        service = AuthService(config, database=database, clock=clock, emit=ignore)
        service.register(**ADA)
        grant = service.login(**ADA)
        database["families"].update_one({}, {"$set": {"ends_at": START + 10}})
        clock.advance(9)
        service.authenticate(grant.access)
        clock.advance(1)
        for use, token in ((service.authenticate, grant.access), (service.refresh, grant.refresh)):
            with pytest.raises(TokenRefused) as refused:
                use(token)
            assert refused.value.code == "session_expired"

    def test_an_idle_session_expires_before_it(
        self, api: Api, clock: DemoClock, log: EventLog
    ) -> None:
        api.register()
        token = api.login()[1]["refreshToken"]
        clock.advance(300)
        assert api.refresh({"token": token})[1]["message"] == "The refresh token has expired"
        assert told(log)[-1][1]["reason"] == "token_expired"

    def test_the_grace_period_does_not_extend_it(self, api: Api, clock: DemoClock) -> None:
        api.register()
        token = api.login()[1]["refreshToken"]
        clock.advance(299)
        token = spend(api, token)[1]
        clock.advance(98)
        successor = spend(api, token)[1]
        clock.advance(2)
        assert spend(api, token)[1] == successor
        clock.advance(1)
        assert api.refresh({"token": token})[0] == 400

    def test_by_default_it_is_a_working_day_on_a_clock_of_any_fraction(self) -> None:
        clock = DemoClock(start=START + 0.75, rate=0)
        config = ServerConfig(bcrypt_cost=4, policy="rfc", refresh_token_ttl=10**6)
        service = AuthService(config, database=open_database(), clock=clock, emit=ignore)
        service.register(**ADA)
        token: Any = service.login(**ADA).refresh
        assert read_claims(token)["exp"] == START + 8 * 3600


THREADS = 32


def test_over_http_exactly_one_wins(
    server: DemoServer, api: Api, tokens: dict[str, str], short_switches: None
) -> None:
    barrier = threading.Barrier(THREADS)

    def use(token: str) -> int:
        barrier.wait(timeout=20)
        return api.refresh({"token": token})[0]

    with ThreadPoolExecutor(THREADS) as pool:
        for _ in range(10):
            token = api.login()[1]["refreshToken"]
            answers = sorted(pool.map(use, [token] * THREADS))
            assert answers == [200] + [400] * (THREADS - 1)
