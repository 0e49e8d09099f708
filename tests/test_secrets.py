"""No token, password or hash in an event, a log record, an error or a repr."""

from __future__ import annotations

import logging
import traceback

import pytest

from client_widget import ArticleAuth, AuthClient, ClientError, EventLog, TokenPair, describe
from demo_server import DemoClock, DemoServer, ServerConfig, open_database

PASSWORD = "5ecret-of-ada"


def test_a_whole_session_tells_no_secret(
    clock: DemoClock,
    log: EventLog,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    caplog.set_level(logging.DEBUG)
    config = ServerConfig(bcrypt_cost=4)
    database = open_database()
    pairs: set[TokenPair] = set()
    errors: list[str] = []
    shown: list[str] = [repr(config)]

    def attempt(client: AuthClient, *act: str) -> None:
        name, *arguments = act
        try:
            shown.append(repr(getattr(client, name)(*arguments)))
        except ClientError:
            errors.append(traceback.format_exc())
        pair = client.store.get()
        if pair is not None:
            pairs.add(pair)
        shown.extend(map(repr, (client, client.store, pair)))

    with DemoServer(config, database=database, clock=clock, emit=log.emitter("server")) as server:
        for auth in (AuthClient, None):
            options = {} if auth else {"auth": ArticleAuth}
            client = AuthClient(server.url, log=log, clock=clock, **options)  # type: ignore[arg-type]
            attempt(client, "home")
            attempt(client, "register", "ada", PASSWORD)
            attempt(client, "register", "ada", PASSWORD)
            attempt(client, "login", "ada", PASSWORD + "!")
            attempt(client, "login", "bob", PASSWORD)
            attempt(client, "login", "ada", PASSWORD)
            attempt(client, "home")
            for seconds in (-100, 161, 61, 301):
                clock.advance(seconds)
                attempt(client, "home")
            attempt(client, "login", "ada", PASSWORD)
            pair = client.store.get()
            assert pair is not None
            for method, path, options_ in [
                ("POST", "/refresh", {"json": {"token": pair.access}}),
                ("POST", "/refresh", {"json": {"token": [pair.refresh]}}),
                ("GET", f"/nope?token={pair.access}", {}),
                ("POST", "/users/login", {"data": "{" + PASSWORD}),
            ]:
                client.request(method, path, **options_)
            attempt(client, "logout")
        client.login("ada", PASSWORD)
        server.stop()
        attempt(client, "home")
        attempt(client, "login", "ada", PASSWORD)

    hashes = [user["password"] for user in database["users"].find()]
    assert len(hashes) == 1
    assert len(pairs) >= 6
    assert len(errors) >= 10
    secrets = {config.access_token_secret, config.refresh_token_secret, PASSWORD, *hashes}
    for pair in pairs:
        for token in (pair.access, pair.refresh):
            secrets |= {token, token.split(".")[2]}
    told = "\n".join(
        [
            log.to_jsonl(),
            *(describe(event) for event in log),
            *(repr(event) for event in log),
            # urllib3 writes whole URLs at DEBUG; the one with a token in its query is ours.
            *(record.getMessage().split("?")[0] for record in caplog.records),
            *errors,
            *shown,
            *capfd.readouterr(),
        ]
    )
    assert "session.ended" in told
    assert [secret for secret in secrets if secret in told] == []
