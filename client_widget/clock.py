"""Clocks: those that a lesson can move, a server's clock, and times in plain words."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from datetime import datetime
from typing import Protocol, TypeAlias, runtime_checkable

#: Returns seconds since the epoch, as `time.time` does.
Clock: TypeAlias = Callable[[], float]


def check_clock(clock: object) -> None:
    """Raise a TypeError that says what to pass, if `clock` cannot be called."""
    if not callable(clock):
        raise TypeError(
            "clock must be a function that returns seconds, such as time.time without "
            f"parentheses, not a value of type {type(clock).__name__}"
        )


@runtime_checkable
class MovableClock(Protocol):
    """A clock that a lesson can move."""

    def __call__(self) -> float: ...

    def advance(self, seconds: float) -> None:
        """Move by `seconds` at once; a negative number moves it back."""
        ...

    def subscribe(self, listener: Callable[[float], object]) -> Callable[[], None]:
        """Call `listener(seconds)` after each `advance`; returns a function that stops it."""
        ...


@runtime_checkable
class PacedClock(MovableClock, Protocol):
    """A clock that can be moved and has a pace, such as `DemoClock`."""

    rate: float


#: A difference below this is the network's, in seconds.
JITTER = 0.5

#: Responses in a row that must be late before a clock moves back: one alone was slow.
LATE = 3


class ServerClock:
    """A server's clock, as its responses report it: a local clock and a difference.

    Calling it returns seconds since the epoch. It needs no request, so a countdown runs on between
    two responses.

    Args:
        clock (Clock): the local clock.
    """

    def __init__(self, clock: Clock = time.time) -> None:
        self._clock = clock
        self._ahead = 0.0
        self._late = 0

    def __call__(self) -> float:
        """The server's time as far as it is known, in seconds since the epoch."""
        return self._clock() + self._ahead

    def hear(self, now: float | None) -> float:
        """Follow the time in a response that has just arrived.

        Args:
            now (float | None): the server's time in seconds since the epoch; None if the response
                has none.

        Returns:
            float: by how many seconds this clock has moved; 0 for a difference of the network's.
        """
        if now is None:
            return 0.0
        moved = now - self()
        self._late = self._late + 1 if moved < -JITTER else 0
        if abs(moved) < JITTER or 0 < self._late < LATE:
            return 0.0
        self._ahead += moved
        self._late = 0
        return moved


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
