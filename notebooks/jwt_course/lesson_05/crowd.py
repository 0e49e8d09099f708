"""A crowd of threads that each make one call, and gates that let them on together.

Nothing here waits for "long enough". `settle` looks at the threads themselves: when each one is
over, or waits for another, none of them can move, and what has happened so far is all that can.
Then a gate is opened. So each run is the same race.
"""

from __future__ import annotations

import linecache
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import FrameType
from typing import Any

#: Seconds for which no thread could move before it is believed. A wait is known for certain. A
#: lock that was let go a moment ago still looks taken, and a wait with a timeout may be over.
WAITS, LOCKS = 0.005, 0.1

#: Seconds without any progress after which threads are left alone, whatever they do: a thread
#: that looks again and again, instead of waiting, never stands still.
PATIENCE = 3.0

_POLL = 0.002


@dataclass(frozen=True)
class End:
    """How a call ended: with `value`, or with `error`."""

    value: Any = None
    error: Exception | None = None


class Crowd:
    """Threads with a call each, all started at once.

    Args:
        calls: what the threads call, one each.
        progress: gives a number that grows with each thing that happens, such as the length of
            an event log.

    Attributes:
        threads (tuple[Thread, ...]): in the order of the calls.
    """

    def __init__(self, calls: Sequence[Callable[[], Any]], progress: Callable[[], int]) -> None:
        self._progress = progress
        self._ends: list[End | None] = [None] * len(calls)
        self.threads = tuple(
            threading.Thread(
                target=self._run, args=(number, call), name=f"caller {number}", daemon=True
            )
            for number, call in enumerate(calls)
        )
        for thread in self.threads:
            thread.start()

    def _run(self, number: int, call: Callable[[], Any]) -> None:
        try:
            self._ends[number] = End(value=call())
        except Exception as error:
            self._ends[number] = End(error=error)

    def ends(self) -> list[End]:
        """Of the calls that are over: how they ended."""
        return [end for end in self._ends if end is not None]

    def alive(self) -> list[threading.Thread]:
        """The threads that are not over."""
        return [thread for thread in self.threads if thread.is_alive()]

    def settle(self) -> None:
        """Wait until each thread is over, or waits for another."""
        seen: tuple[int, int] | None = None
        progress = moved = time.monotonic()
        while True:
            alive = self.alive()
            now = time.monotonic()
            if (state := (self._progress(), len(alive))) != seen:
                seen, progress = state, now
            quiet = _quiet(alive)
            if quiet is None:
                moved = now
            elif now - moved > quiet:
                return
            if now - progress > PATIENCE:
                return
            time.sleep(_POLL)


def _quiet(threads: Sequence[threading.Thread]) -> float | None:
    """For how many seconds the threads must be seen like this; None if one of them can move."""
    frames = sys._current_frames()  # of all threads at one instant
    quiet = [_wait(frames.get(thread.ident or 0)) for thread in threads if thread.is_alive()]
    certain = [seconds for seconds in quiet if seconds is not None]
    return max(certain, default=WAITS) if len(certain) == len(quiet) else None


def _wait(frame: FrameType | None) -> float | None:
    """The same for one thread: is it in a wait that only another thread can end?"""
    if frame is None:
        return None
    if frame.f_code is threading.Condition.wait.__code__:  # an Event's and a Future's as well
        known = frame.f_locals
        if known.get("waiter") not in known["self"]._waiters:
            return None  # it was notified, and is about to go on
        return WAITS if known.get("timeout") is None else LOCKS
    # A lock leaves no frame of its own: the thread stands at the line that takes it.
    line = linecache.getline(frame.f_code.co_filename, frame.f_lineno or 0).strip()
    return LOCKS if line.startswith("with ") or ".acquire(" in line else None
