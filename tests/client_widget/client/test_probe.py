"""`AuthClient.probe`: any token is sent once, outside the session."""

from __future__ import annotations

import pytest

from client_widget import (
    AuthClient,
    EventLog,
    ServerUnreachable,
)
from demo_server import DemoClock, DemoServer

from ...conftest import names, pair_of
from .test_auth_client import without_message


class TestProbe:
    def test_a_token_is_sent_once_to_the_route_of_its_kind(
        self, ada: AuthClient, log: EventLog
    ) -> None:
        pair = pair_of(ada)
        assert ada.probe(pair.access).json() == {"message": "Welcome ada"}
        access = log.action()
        assert set(ada.probe(pair.refresh, "refresh").json()) == {"accessToken"}
        refresh = log.action()

        [sent, received] = [e for e in access if e.source == "client"]
        about = {"method": "GET", "path": "/home", "purpose": "probe"}
        assert (sent.name, without_message(sent)) == (
            "request.sent",
            {**about, "kind": "access", **pair.access_facts},
        )
        assert received.name == "response.received"
        assert {**without_message(received), "elapsed": 0} == {
            **about,
            "status": 200,
            "elapsed": 0,
        }

        [sent, received] = [e for e in refresh if e.source == "client"]
        about = {"method": "POST", "path": "/refresh", "purpose": "probe"}
        assert without_message(sent) == {**about, "kind": "refresh", **pair.refresh_facts}
        assert access[0].correlation != refresh[0].correlation

    def test_a_refusal_is_returned_and_changes_nothing(
        self, ada: AuthClient, clock: DemoClock, log: EventLog
    ) -> None:
        pair = pair_of(ada)
        clock.advance(301)
        for token, kind, code in [
            (pair.access, "access", "token_expired"),
            (pair.refresh, "refresh", "token_expired"),
            (pair.refresh, "access", "token_invalid"),
            (pair.access, "refresh", "token_invalid"),
            ("a.b", "access", "token_malformed"),
            ("", "access", "token_missing"),
            ("", "refresh", "token_missing"),
        ]:
            answer = ada.probe(token, kind)  # type: ignore[arg-type]
            assert (answer.status_code, answer.json()["error"]) == (403, code)
            assert names(log.action()) == [
                ("client", "request.sent"),
                ("server", "token.rejected"),
                ("client", "response.received"),
            ]
        assert ada.store.get() is pair

    def test_no_session_is_needed(self, client: AuthClient, ada: AuthClient) -> None:
        pair = pair_of(ada)
        client.logout()
        assert client.probe(pair.access).status_code == 200
        assert client.store.get() is None

    @pytest.mark.parametrize("token", ["a\nb", "a\r\nX: y", "é", "\x7f"])
    def test_what_no_header_can_hold_is_not_sent(
        self, ada: AuthClient, log: EventLog, token: str
    ) -> None:
        before = len(log)
        with pytest.raises(ValueError, match="printable ASCII") as error:
            ada.probe(token)
        assert token not in str(error.value)
        assert len(log) == before

    def test_a_server_that_is_gone_is_said(self, ada: AuthClient, server: DemoServer) -> None:
        server.stop()
        with pytest.raises(ServerUnreachable, match="Is the server running"):
            ada.probe("a.b.c", "refresh")

    def test_a_token_follows_no_redirect(self, ada: AuthClient, server: DemoServer) -> None:
        server.app.view_functions["refresh"] = lambda: ({}, 307, {"Location": "/home"})
        assert ada.probe("a.b.c", "refresh").status_code == 307
