"""A client on bad days: no server, no response in time, another server, a redirect, a proxy."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from flask import request as flask_request

from client_widget import (
    AuthClient,
    EventLog,
    Rejected,
    ServerUnreachable,
)
from demo_server import DemoClock, DemoServer

from ...conftest import PASSWORD, names


class TestBadDays:
    def test_a_server_that_is_gone_is_said_and_costs_no_session(
        self, ada: AuthClient, server: DemoServer, log: EventLog
    ) -> None:
        server.stop()
        for act in (ada.home, lambda: ada.login("ada", PASSWORD), lambda: ada.register("b", "x")):
            with pytest.raises(ServerUnreachable, match="Is the server running"):
                act()
            assert names(log.action()) == [
                ("client", "request.sent"),
                ("client", "request.failed"),
            ]
        assert ada.store.get() is not None
        server.start()
        assert ada.home() == {"message": "Welcome ada"}

    def test_an_https_address_of_a_server_that_speaks_http_is_said(
        self, server: DemoServer, log: EventLog
    ) -> None:
        """At once: a browser that prefers https should not wait either."""
        client = AuthClient(server.url.replace("http:", "https:"), log=log, timeout=10)
        with pytest.raises(ServerUnreachable) as error:
            client.home()
        assert str(error.value) == (
            "GET /home failed: no TLS. If the server speaks plain HTTP, begin base_url with http://"
        )
        assert log.action()[-1].fields["reason"] == "no TLS"

    def test_an_answer_that_does_not_come_in_time_is_said(
        self, ada: AuthClient, gate: Any, log: EventLog
    ) -> None:
        import threading

        go = threading.Event()
        gate.hold = lambda name, fields: go
        with pytest.raises(ServerUnreachable, match="no response in time"):
            ada.request("GET", "/home", timeout=0.05)
        go.set()
        assert ada.store.get() is not None

    def test_another_server_is_recognised(self, ada: AuthClient, server: DemoServer) -> None:
        for view in ("login", "register", "home"):
            server.app.view_functions[view] = lambda: "<html>a wifi login page</html>"
        for act in (ada.home, lambda: ada.login("a", "b"), lambda: ada.register("a", "b")):
            with pytest.raises(ServerUnreachable, match="base_url"):
                act()
        assert ada.store.get() is not None

    @pytest.mark.parametrize(
        ("body", "message"),
        [('"a bare text"', "a bare text"), ("plain", "plain"), ("", "IM A TEAPOT")],
    )
    def test_a_refusal_in_the_articles_form_is_understood(
        self, ada: AuthClient, server: DemoServer, body: str, message: str
    ) -> None:
        server.app.view_functions["home"] = lambda: (body, 418)
        with pytest.raises(Rejected) as refusal:
            ada.home()
        assert (refusal.value.status, refusal.value.code) == (418, "")
        assert refusal.value.message.upper() == message.upper() or not body

    def test_a_refresh_token_follows_no_redirect(
        self, ada: AuthClient, server: DemoServer, clock: DemoClock
    ) -> None:
        seen: list[bytes] = []

        def elsewhere() -> Any:
            seen.append(flask_request.get_data())
            return {}, 307, {"Location": "/users/register"}

        server.app.view_functions["refresh"] = elsewhere
        server.app.view_functions["register"] = elsewhere
        clock.advance(61)
        with pytest.raises(ServerUnreachable, match="answered with 307"):
            ada.home()
        assert len(seen) == 1
        assert ada.store.get() is not None

    def test_a_server_clock_that_is_set_back_ends_no_session(
        self, ada: AuthClient, clock: DemoClock
    ) -> None:
        """Its own tokens come from the future then, and are valid again when the clock is."""
        held = ada.store.get()
        clock.advance(-3600)
        with pytest.raises(ServerUnreachable, match="answered with 403: you are still logged in"):
            ada.home()
        assert ada.store.get() is held
        clock.advance(3600)
        assert ada.home() == {"message": "Welcome ada"}

    def test_neither_proxy_nor_netrc_of_the_environment_counts(
        self, ada: AuthClient, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        netrc = tmp_path / "netrc"
        netrc.write_text("machine 127.0.0.1 login x password y\n")
        netrc.chmod(0o600)
        monkeypatch.setenv("NETRC", str(netrc))
        monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
        monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
        assert ada.home() == {"message": "Welcome ada"}
