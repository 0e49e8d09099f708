"""The frames in which threads are at this moment: where each of them runs, or waits.

Python before 3.12 may collect garbage at any allocation, and so run Python code, and other threads,
in the middle of the two lookups here. Then the whole process stops for good
(https://github.com/python/cpython/issues/106883, until 3.11.9), or reads the variables of a frame
that has just ended, and crashes. So nothing is collected during a lookup.
"""

from __future__ import annotations

import gc
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

# One at a time, so that none turns the collector on again during another's lookup.
_one = threading.Lock()


@contextmanager
def _no_collection() -> Iterator[None]:
    with _one:
        collects = gc.isenabled()
        try:
            gc.disable()
            yield
        finally:
            if collects:
                gc.enable()


def current_frames() -> dict[int, FrameType]:
    """The innermost frame of each thread, by its `ident`, all at one instant."""
    with _no_collection():
        return sys._current_frames()


def frame_of(thread: threading.Thread) -> FrameType | None:
    """The innermost frame of a thread that is running now, or None."""
    return current_frames().get(thread.ident or 0)


def variables_of(frame: FrameType) -> dict[str, Any]:
    """The local variables, as they are now, of a frame that another thread may be in."""
    with _no_collection():
        return dict(frame.f_locals)
