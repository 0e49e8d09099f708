"""Time is injected: a clock is a callable that returns seconds since the epoch.

`time.time` is one. Issuing and verifying use the same clock, so a test can move it by an hour
without waiting.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TypeAlias

Clock: TypeAlias = Callable[[], float]

#: The largest number of seconds that a clock can show or be moved by, and its highest rate: beyond
#: this, a token's times are no numbers to count with.
MOST = 1e12


def utc_now() -> datetime:
    """The wall clock, which only the database's cleanup follows."""
    return datetime.now(UTC)


class DemoClock:
    """A thread-safe clock that a lesson can move.

    Args:
        start (float | None): where it starts, in seconds since the epoch; now by default.
        rate (float): lab seconds per real second. 1 runs with real time, 60 makes a
            minute pass each second, 0 stops the clock until `advance`.

    Raises:
        ValueError: `start` or `rate` is not a finite number below `MOST`, or `rate` is negative.
    """

    def __init__(self, start: float | None = None, rate: float = 1.0) -> None:
        start = time.time() if start is None else _finite("start", start)
        self._moving = threading.Lock()
        # Lab time, real time and rate at the last change. The tuple is replaced as a whole, so
        # a reader needs no lock.
        self._anchor = (start, time.monotonic(), _valid_rate(rate))
        self._listeners: tuple[Callable[[float], object], ...] = ()

    def __call__(self) -> float:
        """The lab's time, in seconds since the epoch."""
        lab, real, rate = self._anchor
        return lab + (time.monotonic() - real) * rate

    def advance(self, seconds: float) -> None:
        """Move the clock by `seconds` at once; a negative number moves it back.

        Raises:
            ValueError: `seconds`, or the time after the move, is not a finite number below `MOST`.
        """
        by = _finite("seconds", seconds)
        with self._moving:
            after = _finite("the time after the move", self() + by)
            self._anchor = (after, time.monotonic(), self._anchor[2])
        for listener in self._listeners if by else ():
            listener(seconds)

    def subscribe(self, listener: Callable[[float], object]) -> Callable[[], None]:
        """Call `listener(seconds)` after each `advance` but by 0; returns a function to stop it."""
        with self._moving:
            self._listeners += (listener,)

        def unsubscribe() -> None:
            with self._moving:
                self._listeners = tuple(each for each in self._listeners if each is not listener)

        return unsubscribe

    @property
    def rate(self) -> float:
        """Lab seconds per real second. Setting it keeps the time and changes the pace."""
        return self._anchor[2]

    @rate.setter
    def rate(self, rate: float) -> None:
        with self._moving:
            self._anchor = (self(), time.monotonic(), _valid_rate(rate))

    def __repr__(self) -> str:
        return f"DemoClock(rate={self.rate:g})"


def _finite(name: str, value: float) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not -MOST < value < MOST:
        # An integer that is too large can be too long for `repr`, too.
        given = "an integer beyond that" if type(value) is int else f"{value!r:.40}"
        raise ValueError(
            f"{name} must be a finite number of seconds, from -{MOST:g} to {MOST:g}, not {given}"
        )
    return float(value)


def _valid_rate(rate: float) -> float:
    rate = _finite("rate", rate)
    if rate < 0:
        raise ValueError(f"rate must be 0 or more, not {rate:g}: use advance() to go back")
    return rate
