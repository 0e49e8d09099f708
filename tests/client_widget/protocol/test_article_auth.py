"""The article's interceptor, driven by `AuthClient`."""

from __future__ import annotations

import pytest

from client_widget import (
    ArticleAuth,
    AuthClient,
    EventLog,
    Rejected,
)
from demo_server import DemoClock, DemoServer, ServerConfig

from ...conftest import PASSWORD


class TestArticle:
    def test_five_expiries_in_a_row_fail_every_second_time(
        self, log: EventLog, clock: DemoClock
    ) -> None:
        config = ServerConfig(bcrypt_cost=4, refresh_token_ttl=3000)
        with DemoServer(config, clock=clock) as server:
            statuses = {}
            for name, auth in (("ada", ArticleAuth), ("bob", None)):
                client = AuthClient(
                    server.url,
                    clock=clock,
                    **({"auth": auth} if auth else {}),  # type: ignore[arg-type]
                )
                client.register(name, PASSWORD)
                client.login(name, PASSWORD)
                statuses[auth] = []
                for _ in range(5):
                    clock.advance(61)
                    statuses[auth].append(client.request("GET", "/home").status_code)
        assert statuses == {ArticleAuth: [200, 403, 200, 403, 200], None: [200] * 5}

    def test_after_a_refused_refresh_the_tokens_are_still_there(
        self, server: DemoServer, ada: AuthClient, clock: DemoClock
    ) -> None:
        article = AuthClient(server.url, clock=clock, store=ada.store, auth=ArticleAuth)
        clock.advance(301)
        with pytest.raises(Rejected) as refusal:
            article.home()
        assert refusal.value.code == "token_expired"
        assert ada.store.get() is not None
