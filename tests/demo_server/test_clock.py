"""`DemoClock`: runs with real time, or as the lesson wants."""

from __future__ import annotations

import math
import time
from typing import Any

import pytest

from demo_server import DemoClock


def test_it_starts_now_and_runs_with_real_time() -> None:
    clock = DemoClock()
    before = time.time()
    now = clock()
    assert abs(now - before) < 5
    assert clock() >= now
    assert clock.rate == 1


def test_at_rate_0_it_stands_still_until_moved() -> None:
    clock = DemoClock(start=1000, rate=0)
    assert [clock(), clock()] == [1000, 1000]
    clock.advance(61)
    assert clock() == 1061
    clock.advance(-1.5)
    assert clock() == 1059.5


def test_the_rate_counts_from_the_moment_it_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    real = 50.0
    monkeypatch.setattr("demo_server.clock.time.monotonic", lambda: real)
    clock = DemoClock(start=1000, rate=60)
    real += 2
    assert clock() == 1120
    clock.rate = 10
    assert clock() == 1120
    real += 2
    assert clock() == 1140
    clock.advance(5)
    real += 1
    assert clock() == 1155
    clock.rate = 0
    real += 100
    assert clock() == 1155


@pytest.mark.parametrize("bad", [math.nan, math.inf, "1", None, True])
def test_what_is_no_number_of_seconds_is_refused(bad: Any) -> None:
    clock = DemoClock(start=1000, rate=0)
    with pytest.raises(ValueError, match="finite number"):
        clock.advance(bad)
    with pytest.raises(ValueError, match="finite number"):
        clock.rate = bad
    assert clock() == 1000


@pytest.mark.parametrize("bad", [1e300, -1e12, 10**400])
def test_it_stays_where_seconds_can_be_counted(bad: float) -> None:
    clock = DemoClock(start=1000, rate=0)
    with pytest.raises(ValueError, match=r"seconds must be a finite number .* to 1e\+12"):
        clock.advance(bad)
    with pytest.raises(ValueError, match="start must be"):
        DemoClock(start=bad)
    clock.advance(0.9e12)
    with pytest.raises(ValueError, match="the time after the move must be"):
        clock.advance(0.9e12)
    assert clock() == 1000 + 0.9e12


def test_a_clock_does_not_run_backwards() -> None:
    with pytest.raises(ValueError, match=r"use advance\(\)"):
        DemoClock(rate=-1)


def test_a_listener_is_told_of_each_move_until_it_leaves() -> None:
    clock, told = DemoClock(start=1000, rate=0), []
    leave = clock.subscribe(lambda seconds: told.append((seconds, clock())))
    clock.advance(61)
    clock.advance(0)  # no move
    clock.advance(-1)
    leave()
    clock.advance(5)
    assert told == [(61, 1061), (-1, 1060)]
