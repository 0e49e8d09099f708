"""The frames in which threads are at this moment: where each of them runs, or waits."""

from __future__ import annotations

import gc
import sys
import threading
from types import FrameType

# One at a time, so that none turns the collector on again while another looks.
_one = threading.Lock()


def current_frames() -> dict[int, FrameType]:
    """The innermost frame of each thread, by its `ident`, all at one instant.

    It is `sys._current_frames` without garbage collection meanwhile. Before Python 3.11.9, a
    collection there can run Python code while the interpreter holds the lock that a second
    caller, or a new thread, waits for, and the whole process stops for good: see
    https://github.com/python/cpython/issues/106883.
    """
    with _one:
        collects = gc.isenabled()
        try:
            gc.disable()
            return sys._current_frames()
        finally:
            if collects:
                gc.enable()


def frame_of(thread: threading.Thread) -> FrameType | None:
    """The innermost frame of a thread that is running now, or None."""
    return current_frames().get(thread.ident or 0)
