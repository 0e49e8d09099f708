"""Does a thread wait for another one? Its frame says so, to those who look several times."""

from __future__ import annotations

import linecache
import sys
import threading
from types import FrameType

from .frames import frame_of, variables_of

#: Seconds between two looks at the threads.
LOOK = 0.001

#: How many looks in a row must find that no call can move, before we believe it. A wait for a
#: notification is certain, up to a thread that was about to record something. A lock that was
#: released a moment ago still looks taken, and a wait with a timeout may be about to end.
LOOKS_AT_WAITS, LOOKS_AT_LOCKS = 5, 100
if sys.platform == "emscripten":
    # In a browser tab no thread is interrupted: one that was released goes on at the next look.
    LOOKS_AT_LOCKS = 20


def waits(thread: threading.Thread) -> bool:
    """Can only another thread move this one?"""
    return looks_needed(frame_of(thread)) is not None


def looks_needed(frame: FrameType | None) -> int | None:
    """How many looks must find a thread here, to know that only another thread can move it.

    None if it can move by itself.
    """
    if frame is None:
        return None
    if frame.f_code is threading.Condition.wait.__code__:  # an Event's, a Future's, a Queue's too
        known = variables_of(frame)
        if known.get("waiter") not in known["self"]._waiters:
            return None  # it was notified, and is about to go on
        return LOOKS_AT_WAITS if known.get("timeout") is None else LOOKS_AT_LOCKS
    # Taking a lock leaves no Python frame: the thread is at the line that takes it.
    line = linecache.getline(frame.f_code.co_filename, frame.f_lineno or 0).strip()
    takes_lock = line.startswith("with ") or (".acquire(" in line and "False" not in line)
    return LOOKS_AT_LOCKS if takes_lock else None
