"""Ends threads that are in the learner's code, where they wait in vain or loop without end.

Python cannot stop a thread from outside. It can set an exception in it, which is raised once the
thread runs Python code again; so whatever lock it waits for must be released.
"""

from __future__ import annotations

import ctypes
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from inspect import getattr_static

from .frames import frame_of, variables_of
from .learners_code import frame_in
from .waiting import LOOK, looks_needed

#: Seconds to wait for abandoned threads to end, and seconds after which one that is still in the
#: learner's code has caught what was raised in it. One that runs no Python code is left alone; it
#: is a daemon, so it ends with the kernel.
_FAREWELL, _CAUGHT = 2.0, 0.2

_LOCKS = (type(threading.Lock()), type(threading.RLock()))


class Abandoned(SystemExit):
    """A call was still waiting when its race ended. Raised inside its thread, to end it.

    A `SystemExit` ends a thread without a traceback on the screen.
    """


def end(threads: Sequence[threading.Thread], farewell: float = _FAREWELL) -> None:
    """Raise `Abandoned` in threads, and wait until they have ended.

    Args:
        threads (Sequence[Thread])
        farewell (float): real seconds to wait at most. What is left then is hunted in the
            background.
    """
    for thread in threads:
        _raise_in(thread)
    began = time.monotonic()
    while left := [thread for thread in threads if thread.is_alive()]:
        waited = time.monotonic() - began
        for thread in left:
            _release(thread)
            if waited > _CAUGHT:
                _insist(thread)
        if waited > farewell:
            threading.Thread(target=_hunt, args=(left,), name="hunt", daemon=True).start()
            return
        left[0].join(timeout=0.01)


def _hunt(threads: Sequence[threading.Thread]) -> None:
    """Insist in the background, more and more seldom, so that no loop takes the processor."""
    pause = 0.05
    while left := [thread for thread in threads if thread.is_alive()]:
        for thread in left:
            _release(thread)
            _insist(thread)
        time.sleep(pause)
        pause = min(2 * pause, 5.0)


def _raise_in(thread: threading.Thread) -> None:
    ctypes.pythonapi.PyThreadState_SetAsyncExc(
        ctypes.c_ulong(thread.ident or 0), ctypes.py_object(Abandoned)
    )


def _insist(thread: threading.Thread) -> None:
    """Raise again and again for a moment, in a thread that is in the learner's code.

    A loop around a bare `except:` catches what is raised inside the `try`. Sooner or later an
    exception comes while another is handled, and ends the loop. A thread that has left the
    learner's code is cleaning up, and must not be disturbed.
    """
    moment = time.monotonic() + 20 * LOOK
    with short_switches():
        while frame_in(thread) is not None and time.monotonic() < moment:
            _raise_in(thread)


class _Switches:
    """Counts the blocks of `short_switches` that are open: the interval is the process's."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open, self._before = 0, 0.0

    def shorten(self) -> None:
        with self._lock:
            if self._open == 0:
                self._before = sys.getswitchinterval()
                sys.setswitchinterval(1e-6)
            self._open += 1

    def restore(self) -> None:
        with self._lock:
            self._open -= 1
            if self._open == 0:
                sys.setswitchinterval(self._before)


_switches = _Switches()


@contextmanager
def short_switches() -> Iterator[None]:
    """Threads switch far more often than by default."""
    _switches.shorten()
    try:
        yield
    finally:
        _switches.restore()


def _release(thread: threading.Thread) -> None:
    """Release what a thread waits for, if it waits."""
    frame = frame_of(thread)
    if (
        frame is None
        or looks_needed(frame) is None
        or frame.f_code.co_name == "_wait_for_tstate_lock"
    ):
        return  # it runs, or it waits for the end of a thread, which is not to be feigned
    known = variables_of(frame)
    waiter = known.get("waiter")  # in `Condition.wait`: the lock that a notify releases
    me = known.get("self")
    own = getattr(me, "__dict__", {})
    named = [
        found
        for name in frame.f_code.co_names
        for found in (frame.f_globals.get(name), getattr_static(type(me), name, None))
    ]
    named += [  # such as `tab.lock`
        getattr(value, "__dict__", {}).get(name)
        for value in known.values()
        for name in frame.f_code.co_names
    ]
    for lock in [waiter] if waiter else [*known.values(), *own.values(), *named]:
        if isinstance(lock, _LOCKS):
            with suppress(RuntimeError):  # nobody holds it, or another thread must release it
                lock.release()
