"""A server's clock as its responses report it."""

from __future__ import annotations

import pytest
import requests

from client_widget.client.responses import TIME_HEADER, server_time
from client_widget.clock import ServerClock
from demo_server import DemoClock

from ..conftest import START


def test_it_follows_what_it_hears_and_runs_on_in_between() -> None:
    local = DemoClock(start=0, rate=0)
    clock = ServerClock(local)
    assert clock.hear(START) == START
    local.advance(5)
    assert clock() == START + 5
    assert clock.hear(START + 66) == 61
    assert clock() == START + 66


def test_what_the_network_adds_does_not_move_it() -> None:
    local = DemoClock(start=START, rate=0)
    clock = ServerClock(local)
    assert [clock.hear(START - 0.4), clock.hear(START + 0.4), clock.hear(None)] == [0, 0, 0]
    assert clock() == START


def test_one_slow_response_does_not_set_it_back_but_three_do() -> None:
    """The time in a response was true when it was sent."""
    local = DemoClock(start=START, rate=0)
    clock = ServerClock(local)
    assert [clock.hear(START - 9), clock.hear(START), clock.hear(START - 9)] == [0, 0, 0]
    assert [clock.hear(START - 9), clock.hear(START - 9)] == [0, -9]
    assert clock() == START - 9


@pytest.mark.parametrize(
    ("text", "time"),
    [("1800000000.123", 1800000000.123), ("12", 12.0), ("", None), ("nan", None), ("-1", None),
     ("1e9", None), ("9" * 400, None), ("\u0661", None)],
)  # fmt: skip
def test_only_a_time_is_read(text: str, time: float | None) -> None:
    response = requests.Response()
    response.headers[TIME_HEADER] = text
    assert server_time(response) == time
