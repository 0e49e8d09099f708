"""Whether anybody is looking, by the messages of a page and a clock that is moved."""

from __future__ import annotations

import pytest

from client_widget.widgets.presence import GONE_AFTER, Presence

from .buttons import receive


class Seconds:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Seconds:
    return Seconds()


@pytest.fixture
def reports() -> list[float]:
    """When `on_report` was called."""
    return []


@pytest.fixture
def presence(clock: Seconds, reports: list[float]) -> Presence:
    return Presence(on_report=lambda: reports.append(clock.now), clock=clock)


def send(presence: Presence, kind: str) -> None:
    receive(presence, {"type": kind})


def test_nobody_looks_before_the_first_report(presence: Presence, reports: list[float]) -> None:
    assert not presence.watched
    send(presence, "here")
    assert presence.watched
    assert reports == [1000]


def test_a_report_counts_for_sixty_seconds(presence: Presence, clock: Seconds) -> None:
    assert GONE_AFTER == 60
    send(presence, "here")
    clock.now += 59.9
    assert presence.watched
    clock.now += 0.1
    assert not presence.watched


def test_each_report_counts_from_its_own_time(
    presence: Presence, clock: Seconds, reports: list[float]
) -> None:
    for _ in range(20):
        send(presence, "here")
        clock.now += 10
        assert presence.watched
    clock.now += 50
    assert not presence.watched
    send(presence, "here")  # the page was late
    assert presence.watched
    assert len(reports) == 21


def test_a_bye_counts_at_once_until_another_page_reports(
    presence: Presence, reports: list[float]
) -> None:
    send(presence, "here")
    send(presence, "bye")
    assert not presence.watched
    assert len(reports) == 1  # a bye wakes nobody
    send(presence, "here")
    assert presence.watched


def test_a_view_may_count_as_watched_before_a_page_reports(
    presence: Presence, clock: Seconds, reports: list[float]
) -> None:
    presence.report()
    assert presence.watched
    assert reports == [1000]
    clock.now += GONE_AFTER
    assert not presence.watched


def test_nobody_looks_at_what_is_closed(presence: Presence) -> None:
    send(presence, "here")
    presence.close()
    assert not presence.watched
