"""What the server says of itself: whole lists of events."""

from __future__ import annotations

from typing import Any

import pytest

from client_widget import AuthClient, ClientError, EventLog
from demo_server import DemoClock
from demo_server.auth.tokens import fingerprint

from ..conftest import PASSWORD, START, pair_of


def told(log: EventLog) -> list[tuple[str, dict[str, Any]]]:
    """The server's events of the last action, without the path."""
    return [
        (event.name, {name: v for name, v in event.fields.items() if name != "path"})
        for event in log.action()
        if event.source == "server"
    ]


def test_register(client: AuthClient, log: EventLog) -> None:
    client.register("ada", PASSWORD)
    assert told(log) == [("user.registered", {"username": "ada"})]
    with pytest.raises(ClientError):
        client.register("ada", PASSWORD)
    assert told(log) == [("registration.refused", {"username": "ada", "reason": "user_exists"})]


def test_login(ada: AuthClient, log: EventLog) -> None:
    pair = pair_of(ada)
    access = {"token": fingerprint(pair.access), "username": "ada", "iat": START, "exp": START + 60}
    refresh = {**access, "token": fingerprint(pair.refresh), "exp": START + 300}
    assert told(log) == [
        ("login.accepted", {"username": "ada"}),
        ("token.issued", {"kind": "access", **access}),
        ("token.issued", {"kind": "refresh", **refresh}),
    ]


@pytest.mark.parametrize(
    ("username", "password", "reason"),
    [("bob", PASSWORD, "user_unknown"), ("ada", "wrong", "password_wrong")],
)
def test_a_refused_login(
    ada: AuthClient, log: EventLog, username: str, password: str, reason: str
) -> None:
    with pytest.raises(ClientError):
        ada.login(username, password)
    assert told(log) == [("login.refused", {"username": username, "reason": reason})]


def test_an_expired_token_and_its_refresh(ada: AuthClient, log: EventLog, clock: DemoClock) -> None:
    old = pair_of(ada)
    clock.advance(61)
    ada.home()
    new = pair_of(ada)
    times = {"iat": START, "exp": START + 60}
    issued = {"username": "ada", "iat": START + 61, "exp": START + 121}
    assert told(log) == [
        (
            "token.rejected",
            {
                "kind": "access",
                "reason": "token_expired",
                "detail": "The access token has expired",
                "token": fingerprint(old.access),
                "username": "ada",
                **times,
            },
        ),
        (
            "token.accepted",
            {
                "kind": "refresh",
                "token": fingerprint(old.refresh),
                "username": "ada",
                "iat": START,
                "exp": START + 300,
            },
        ),
        ("token.issued", {"kind": "access", "token": fingerprint(new.access), **issued}),
        ("token.accepted", {"kind": "access", "token": fingerprint(new.access), **issued}),
    ]


def test_what_a_forged_token_says_of_itself_is_not_repeated(
    client: AuthClient, log: EventLog
) -> None:
    client.request("GET", "/home", headers={"Authorization": "Bearer a.b.c"})
    [(name, fields)] = told(log)
    assert name == "token.rejected"
    assert set(fields) == {"kind", "reason", "detail", "token"}


@pytest.mark.parametrize(
    ("method", "path", "options", "fields"),
    [
        ("GET", "/nope", {}, {"reason": "route_unknown"}),
        ("PUT", "/home", {}, {"reason": "method_not_allowed"}),
        ("POST", "/refresh", {"data": "x" * 20_000}, {"reason": "body_too_large"}),
        (
            "POST",
            "/refresh",
            {"json": []},
            {"reason": "request_malformed", "detail": "The body is not a JSON object"},
        ),
    ],
)
def test_a_request_that_is_none_of_ours(
    client: AuthClient, log: EventLog, method: str, path: str, options: Any, fields: Any
) -> None:
    client.request(method, path, **options)
    assert told(log) == [("request.refused", fields)]


def test_a_token_in_a_path_is_not_repeated(ada: AuthClient, log: EventLog) -> None:
    pair = ada.store.get()
    assert pair is not None
    for cut in (None, 100):
        ada.request("GET", f"/home/{pair.access[:cut]}/more")
        [refused] = [event for event in log.action() if event.source == "server"]
        assert refused.fields["path"] == "/home/***/more"
