"""Turns: what is compared runs in short slices, one after the other, round by round."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping


def take_turns(
    calls: Mapping[str, Callable[[], object]],
    *,
    rounds: int,
    each: int = 1,
    timer: Callable[[], float] = time.perf_counter,
) -> dict[str, list[float]]:
    """Seconds of one call, by name, in each round.

    A round before the first one is thrown away: connections are made in it.

    Args:
        calls: what to time, by name.
        rounds (int): how many slices each one has.
        each (int): calls of a slice.
        timer (Callable): the clock; `time.process_time` for CPU time.
    """
    times: dict[str, list[float]] = {name: [] for name in calls}
    for number in range(rounds + 1):
        for name, call in calls.items():
            start = timer()
            for _ in range(each):
                call()
            seconds = (timer() - start) / each
            if number:
                times[name].append(seconds)
    return times
