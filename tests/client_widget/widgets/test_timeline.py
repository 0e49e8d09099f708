"""The view that draws the timeline, with no browser."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import pytest

from client_widget import AuthClient, EventLog, TokenTimeline
from client_widget.clock import Clock
from client_widget.log.event_log import Subscriber
from client_widget.log.pictures.timeline import timeline as picture
from client_widget.log.token_lives import spans
from client_widget.protocol.auth_flow import BearerAuth
from demo_server import DemoClock, DemoServer

from ...conftest import PASSWORD
from .buttons import pulses, until


@pytest.fixture
def timeline(log: EventLog, clock: DemoClock) -> Iterator[TokenTimeline]:
    timeline = TokenTimeline(AuthClient("http://127.0.0.1:1", log=log, clock=clock))
    yield timeline
    timeline.close()
    until(lambda: not pulses())


def drawn(timeline: TokenTimeline) -> str:
    """The picture, when all events are in it."""
    until(lambda: not pulses())
    value: str = timeline.picture.value
    return value


def test_it_is_there_before_its_picture_is(timeline: TokenTimeline) -> None:
    assert timeline.children == (timeline.picture,)
    assert "No token yet. Requests: 0" in drawn(timeline)


def test_it_follows_the_log(
    timeline: TokenTimeline, ada: AuthClient, clock: DemoClock, log: EventLog
) -> None:
    clock.advance(61)
    ada.home()
    assert drawn(timeline) == picture(spans(log), clock())


def test_now_moves_with_the_clock(
    timeline: TokenTimeline, ada: AuthClient, clock: DemoClock, log: EventLog
) -> None:
    before = drawn(timeline)
    clock.advance(5)
    timeline.refresh()
    assert timeline.picture.value == picture(spans(log), clock()) != before


@pytest.mark.parametrize("given", [None, False, True])
@pytest.mark.parametrize("ahead", [False, True])
def test_the_refresh_window_is_drawn_if_it_is_used(
    server: DemoServer, clock: DemoClock, log: EventLog, given: bool | None, ahead: bool
) -> None:
    auth = partial(BearerAuth, clock=clock) if ahead else BearerAuth
    client = AuthClient(server.url, log=log, clock=clock, auth=auth)
    client.register("ada", PASSWORD)
    client.login("ada", PASSWORD)
    view = TokenTimeline(client, window=given)
    window = ahead if given is None else given
    assert drawn(view) == picture(spans(log), clock(), window=window)
    view.close()


def test_numbers_are_those_of_the_whole_log(
    ada: AuthClient, log: EventLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("client_widget.widgets.pictures.timeline.RECENT", 3)
    ada.home()
    view = TokenTimeline(ada)
    assert ">3</text>" in drawn(view)
    view.close()


def test_no_token_is_in_what_is_saved(timeline: TokenTimeline, ada: AuthClient) -> None:
    saved = drawn(timeline)
    pair = ada.store.get()
    assert pair is not None
    assert pair.access_facts["token"] in saved
    for secret in (PASSWORD, pair.access, pair.refresh, pair.access.split(".")[2]):
        assert secret not in saved
    assert repr(timeline) == "TokenTimeline: run this cell to see it"


class WatchedLog(EventLog):
    """Says who listens."""

    def __init__(self, *, clock: Clock) -> None:
        super().__init__(clock=clock)
        self.listeners: list[Subscriber] = []

    def subscribe(self, subscriber: Subscriber) -> Callable[[], None]:
        stop = super().subscribe(subscriber)
        self.listeners.append(subscriber)

        def unsubscribe() -> None:
            stop()
            self.listeners = [each for each in self.listeners if each is not subscriber]

        return unsubscribe


def test_a_closed_timeline_leaves_nothing(clock: DemoClock) -> None:
    until(lambda: not pulses())
    log = WatchedLog(clock=clock)
    timeline = TokenTimeline(AuthClient("http://127.0.0.1:1", log=log, clock=clock))
    assert pulses()
    before = drawn(timeline)
    assert len(log.listeners) == 1
    timeline.close()
    assert log.listeners == []
    log.record("clock.advanced", source="panel", seconds=1)
    assert not pulses()
    timeline.refresh()  # a tick that was under way
    assert timeline.picture.value == before


def test_a_timeline_that_is_closed_at_once_draws_nothing(log: EventLog, clock: DemoClock) -> None:
    timeline = TokenTimeline(AuthClient("http://127.0.0.1:1", log=log, clock=clock))
    timeline.close()
    until(lambda: not pulses())
    assert timeline.picture.value == ""


def test_other_events_draw_nothing(timeline: TokenTimeline, log: EventLog) -> None:
    drawn(timeline)
    log.record("token.accepted", source="server")
    assert not pulses()
