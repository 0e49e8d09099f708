"""The panel with a server of the policy "rfc": the same buttons, and what they do there."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from client_widget import AuthClient, EventLog, LoginPanel
from demo_server import DemoClock, DemoServer, ServerConfig

from .buttons import log_in, press


@pytest.fixture
def config() -> ServerConfig:
    return ServerConfig(bcrypt_cost=4, policy="rfc")


@pytest.fixture
def panel(server: DemoServer, log: EventLog, clock: DemoClock) -> Iterator[LoginPanel]:
    client = AuthClient(server.url, log=log, clock=clock, logout_path="/logout")
    panel = LoginPanel(client, clock=clock)
    yield panel
    panel.wait()
    panel.close()


def answers(log: EventLog) -> list[tuple[str, int]]:
    """Path and status of each answer to the last action."""
    fields = [event.fields for event in log.action() if event.name == "response.received"]
    return [(each["path"], each["status"]) for each in fields]


def test_an_expiry_is_met_again_and_again(panel: LoginPanel, log: EventLog) -> None:
    log_in(panel)
    for _ in range(3):
        press(panel, "+61 s", "Home")
        assert answers(log) == [("/home", 401), ("/refresh", 200), ("/home", 200)]
        assert "Welcome ada" in panel.home.value


def test_log_out_tells_the_server(panel: LoginPanel, log: EventLog) -> None:
    log_in(panel)
    press(panel, "Log out")
    assert answers(log) == [("/logout", 204)]
    assert panel.client.store.get() is None
    assert "family.revoked" in [event.name for event in log]
    press(panel, "Home")
    assert "log in first" in panel.notice.value


def test_a_lost_session_asks_for_a_login(panel: LoginPanel, log: EventLog) -> None:
    log_in(panel)
    press(panel, "+301 s", "Home")
    assert answers(log) == [("/home", 401), ("/refresh", 400)]
    assert panel.client.store.get() is None
