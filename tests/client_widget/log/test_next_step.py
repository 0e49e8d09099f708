"""The button that the panel marks, from register to the end of the session."""

from __future__ import annotations

from client_widget import AuthClient, EventLog, LoginRequired
from client_widget.log.next_step import NextStep
from demo_server import DemoClock

from ...conftest import PASSWORD


def test_the_mark_follows_the_story(client: AuthClient, clock: DemoClock, log: EventLog) -> None:
    steps = NextStep(client.name)
    log.subscribe(steps.take)

    def marked() -> str:
        return steps.button(client.store.get(), clock())

    assert marked() == "Register"
    client.register("ada", PASSWORD)
    assert marked() == "Log in"
    client.login("ada", PASSWORD)
    assert marked() == "Home"
    client.home()
    assert marked() == "+61 s"
    clock.advance(61)
    assert marked() == "Home"
    client.home()
    assert marked() == "+301 s"
    clock.advance(301)
    assert marked() == "Home"
    try:
        client.home()
    except LoginRequired:
        assert marked() == "Log in"
    client.login("ada", PASSWORD)
    assert marked() == "Home"


def test_another_client_moves_no_mark(log: EventLog) -> None:
    steps = NextStep("client")
    log.subscribe(steps.take)
    log.record("session.started", source="other", username="ada")
    assert steps.button(None, 0.0) == "Register"
