"""Turns: what is compared runs in short slices, one after the other, round by round."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping


def take_turns(
    calls: Mapping[str, Callable[[], object]], *, rounds: int, each: int = 1
) -> dict[str, list[float]]:
    """Seconds of one call, by name, in each round.

    A round before the first one is thrown away: connections are made in it.

    Args:
        calls: what to time, by name.
        rounds (int): how many slices each one has.
        each (int): calls of a slice.
    """
    times: dict[str, list[float]] = {name: [] for name in calls}
    for number in range(rounds + 1):
        for name, call in calls.items():
            start = time.perf_counter()
            for _ in range(each):
                call()
            seconds = (time.perf_counter() - start) / each
            if number:
                times[name].append(seconds)
    return times


def seconds_of(call: Callable[[], object], *, least: int = 5, budget: float = 0.2) -> list[float]:
    """Seconds of each call: `least` of them, and more while `budget` seconds last."""
    call()
    times: list[float] = []
    end = time.perf_counter() + budget
    while len(times) < least or (time.perf_counter() < end and len(times) < 1000):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return times
