"""The timeline, by its chart's data, with no browser."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from ipywidgets import Widget

from client_widget import AuthClient, EventLog, LoginRequired, ServerUnreachable
from client_widget.clock import Clock
from client_widget.log.event_log import Subscriber
from client_widget.widgets.timeline.chart import COLOURS, Chart
from client_widget.widgets.timeline.timeline import TokenTimeline
from demo_server import DemoClock, DemoServer

from ...conftest import PASSWORD, START
from .buttons import pulses, until


@pytest.fixture
def timeline(log: EventLog, clock: DemoClock) -> Iterator[TokenTimeline]:
    timeline = TokenTimeline(AuthClient("http://127.0.0.1:1", log=log, clock=clock))
    yield timeline
    timeline.close()
    until(lambda: not pulses())


def drawn(timeline: TokenTimeline) -> Chart:
    """The chart, when all events are in it."""
    until(lambda: not pulses())
    assert timeline.chart is not None
    return timeline.chart


def pairs(array: Any) -> list[list[float]]:
    """From where to where each line goes; the library holds one line as a flat array."""
    lines: list[list[float]] = array.reshape(-1, 2).tolist()
    return lines


def rows(chart: Chart) -> list[str]:
    return list(chart.rows.tick_labels.values())


def points(chart: Chart) -> dict[str, list[tuple[float, float]]]:
    """The marks: seconds since the login, and levels of a pile."""
    return {
        name: [(x, round(-y / 0.42)) for x, y in zip(marks.x, marks.y, strict=True)]
        for name, marks in chart.answers.items()
    }


def test_it_is_there_before_its_chart_is(timeline: TokenTimeline) -> None:
    drawn(timeline)
    assert timeline.chart is not None
    assert timeline.children == (timeline.chart.figure, timeline.legend, timeline.words)
    assert not timeline.chart.bars.visible
    assert rows(timeline.chart) == ["requests", "clock moved"]
    assert "No token yet. Requests: 0" in timeline.words.value


def test_a_login_draws_two_bars_and_a_window(timeline: TokenTimeline, ada: AuthClient) -> None:
    chart = drawn(timeline)
    assert chart.bars.visible
    assert pairs(chart.bars.x) == [[0, 60], [0, 300]]
    assert pairs(chart.bars.y) == [[2, 2], [3, 3]]
    assert chart.bars.colors == [COLOURS["access"], COLOURS["refresh"]]
    assert chart.bars.opacities == [1.0, 1.0]
    assert pairs(chart.windows.x) == [[50, 60]]
    assert pairs(chart.windows.y) == [[2, 2]]
    pair = ada.store.get()
    assert pair is not None
    access, refresh = pair.access_facts["token"], pair.refresh_facts["token"]
    assert rows(chart)[2:] == [f"access {access}", f"refresh {refresh}"]
    assert f"Refresh token {refresh}: 300 s left; access token {access}: 60 s left." in (
        timeline.words.value
    )
    assert points(chart) == {"good": [(0, 0), (0, 1)], "bad": [], "none": []}


def test_an_expiry_and_a_refresh(
    timeline: TokenTimeline, ada: AuthClient, clock: DemoClock, log: EventLog
) -> None:
    clock.advance(61)
    log.record("clock.advanced", source="panel", seconds=61)
    ada.home()
    chart = drawn(timeline)
    assert pairs(chart.bars.x) == [[0, 60], [0, 300], [61, 121]]
    assert chart.bars.opacities == [0.4, 1.0, 1.0]
    assert pairs(chart.windows.x) == [[50, 60], [111, 121]]
    assert chart.windows.opacities == [0.4, 1.0]
    assert pairs(chart.moves.x) == [[0, 61]]
    assert list(chart.move_words.text) == ["+61 s"]
    # The 403, the refresh and the retry came at once: they are piled up in this order.
    assert points(chart)["bad"] == [(61, 0)]
    assert points(chart)["good"][2:] == [(61, 1), (61, 2)]
    assert pairs(chart.now.x) == [[61, 61]]


def test_a_refused_refresh_ends_it(
    timeline: TokenTimeline, ada: AuthClient, clock: DemoClock
) -> None:
    clock.advance(362)
    with pytest.raises(LoginRequired):
        ada.home()
    chart = drawn(timeline)
    assert chart.bars.opacities == [0.4, 0.4]
    assert points(chart)["bad"] == [(362, 0), (362, 1)]
    assert "expired 302 s ago" in timeline.words.value
    assert "Requests: 4, refused: 2, no response: 0." in timeline.words.value


def test_no_answer_is_a_mark_of_its_own(
    timeline: TokenTimeline, ada: AuthClient, clock: DemoClock, server: DemoServer
) -> None:
    clock.advance(30)
    server.stop()
    with pytest.raises(ServerUnreachable):
        ada.home()
    chart = drawn(timeline)
    assert points(chart)["none"] == [(30, 0)]
    assert "no response: 1." in timeline.words.value


def test_now_moves_with_the_clock(
    timeline: TokenTimeline, ada: AuthClient, clock: DemoClock
) -> None:
    chart = drawn(timeline)
    for seconds, opacities in ((5, [1.0, 1.0]), (60, [0.4, 1.0]), (500, [0.4, 0.4])):
        clock.advance(START + seconds - clock())
        timeline.refresh()
        assert pairs(chart.now.x) == [[seconds, seconds]]
        assert chart.now_word.x.tolist() == [seconds]
        assert chart.bars.opacities == opacities
        assert chart.x.min < seconds < chart.x.max
    assert "expired 200 s ago" in timeline.words.value


def test_a_tick_sends_little(
    timeline: TokenTimeline, ada: AuthClient, clock: DemoClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only now and the sentence change, so only they are sent."""
    drawn(timeline)
    sent: list[tuple[str, str]] = []

    def send_state(widget: Widget, key: Any = None) -> None:
        names = [key] if isinstance(key, str) else key
        sent.extend((type(widget).__name__, name) for name in names)

    monkeypatch.setattr(Widget, "send_state", send_state)
    clock.advance(1)
    timeline.refresh()
    assert sorted(sent) == [("HTML", "value"), ("Label", "x"), ("Lines", "x")]


@pytest.mark.parametrize("end", [60, 300, 7, 5000, 10**7])
def test_ticks_are_round_and_few(
    timeline: TokenTimeline, ada: AuthClient, clock: DemoClock, end: int
) -> None:
    chart = drawn(timeline)
    clock.advance(end)
    timeline.refresh()
    ticks = chart.seconds.tick_values.tolist()
    assert 2 <= len(ticks) <= 13
    assert chart.x.max - chart.x.min < 1000  # an hour later a minute can still be seen
    if end <= 300:
        assert {0, 60, 300} <= set(ticks)


def test_a_second_login_is_second_zero(
    timeline: TokenTimeline, ada: AuthClient, clock: DemoClock
) -> None:
    clock.advance(100)
    ada.login("ada", PASSWORD)
    chart = drawn(timeline)
    assert pairs(chart.bars.x) == [[-100, -40], [-100, 200], [0, 60], [0, 300]]


def test_no_token_is_in_what_is_saved(timeline: TokenTimeline, ada: AuthClient) -> None:
    chart = drawn(timeline)
    widgets: list[Any] = [*timeline.children, *chart.figure.marks, *chart.figure.axes]
    saved = repr([widget.get_state() for widget in widgets])
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
    chart = drawn(timeline)
    assert len(log.listeners) == 1
    timeline.close()
    assert log.listeners == []
    log.record("clock.advanced", source="panel", seconds=1)
    assert not pulses()
    timeline.refresh()  # a tick that was under way
    assert pairs(chart.now.x) == [[0, 0]]
    assert chart.figure.comm is None


def test_a_timeline_that_is_closed_at_once_draws_nothing(log: EventLog, clock: DemoClock) -> None:
    timeline = TokenTimeline(AuthClient("http://127.0.0.1:1", log=log, clock=clock))
    timeline.close()
    until(lambda: not pulses())
    assert timeline.chart is None


def test_other_events_draw_nothing(timeline: TokenTimeline, log: EventLog) -> None:
    drawn(timeline)
    log.record("token.accepted", source="server")
    assert not pulses()
