"""Times in plain words, and the clocks that the panel and the tour can move."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import datetime
from typing import Protocol, TypeAlias, runtime_checkable

#: Returns seconds since the epoch, as `time.time` does.
Clock: TypeAlias = Callable[[], float]


@runtime_checkable
class MovableClock(Protocol):
    """A clock that a lesson can move."""

    def __call__(self) -> float: ...

    def advance(self, seconds: float) -> None: ...

    def subscribe(self, listener: Callable[[float], object]) -> Callable[[], None]:
        """Call `listener(seconds)` after each `advance`; returns a function that stops it."""
        ...


@runtime_checkable
class PacedClock(MovableClock, Protocol):
    """A clock that can be moved and has a pace, such as `DemoClock`."""

    rate: float


# Beyond this a float can no longer count seconds.
_END_OF_TIME = 1e15


def life(exp: float, at: float) -> str:
    """What is left of a token at a time: "42 s left" or "expired 1 s ago"."""
    if exp > _END_OF_TIME:
        return "no end in sight"
    left = exp - at
    # Like any countdown: the last second reads 1, and 0 only once it has passed.
    return f"{math.ceil(left)} s left" if left > 0 else f"expired {math.floor(-left)} s ago"


def time_of_day(at: float) -> str:
    """Seconds since the epoch as local time, "14:05:09"."""
    try:
        return f"{datetime.fromtimestamp(at):%H:%M:%S}"
    except (OverflowError, ValueError, OSError):  # past the end of the calendar
        return f"{at:.0f}"
