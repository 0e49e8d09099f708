"""Calls in threads that may never come back, and a way to end them when they do not.

A client under test can hang: its thread waits for something that nobody will say. Python has
no way to end a thread from outside, so what it waits for is found in its frames and let go,
with a `SystemExit` in its way: the thread wakes, and ends there.
"""

from __future__ import annotations

import ctypes
import sys
import threading
import time
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any

_LOCKS = (type(threading.Lock()), type(threading.RLock()))


class Runaway(BaseException):
    """A client sent more messages than any right one would. No `except Exception` stops it."""


class Call:
    """One call, begun in a thread of its own.

    Attributes:
        answer (Any): what it gave, or None.
        error (BaseException | None): what it raised.
        hung (bool): it did not come back, and its thread was ended.
    """

    def __init__(self, call: Callable[[], Any]) -> None:
        self.answer: Any = None
        self.error: BaseException | None = None
        self.hung = False
        self._call = call
        self._thread = threading.Thread(target=self._run, name="graded call", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            self.answer = self._call()
        except BaseException as error:
            self.error = error

    @property
    def done(self) -> bool:
        """Has it come back?"""
        return not self._thread.is_alive()

    def end(self) -> None:
        """End the call's thread, if it still runs, and call it hung."""
        if self.done:
            return
        self.hung = True
        deadline = time.monotonic() + 2.0
        while not self.done and time.monotonic() < deadline:
            _release(self._thread)
            self._thread.join(timeout=0.01)

    @property
    def words(self) -> str:
        """What the caller got: "200", "403 token_expired", "LoginRequired", "no answer (…)"."""
        if self.hung:
            return "no answer (the call hung)"
        if isinstance(self.error, Runaway):
            return "no answer (the client did not stop)"
        if self.error is not None:
            return type(self.error).__name__
        status = getattr(self.answer, "status_code", None)
        if status is None:
            return f"an object of type {type(self.answer).__name__}"
        return f"{status} {_code(self.answer)}".rstrip()


def _code(answer: Any) -> str:
    try:
        return str(answer.json().get("error", ""))
    except (ValueError, AttributeError):
        return ""


def _release(thread: threading.Thread) -> None:
    """Wake a thread, to find a `SystemExit`."""
    frame = sys._current_frames().get(thread.ident or 0)
    ctypes.pythonapi.PyThreadState_SetAsyncExc(
        ctypes.c_ulong(thread.ident or 0), ctypes.py_object(SystemExit)
    )
    for lock in _awaited(frame):
        try:
            lock.release()
        except RuntimeError:  # it is not held, or another thread's to release
            continue


def _awaited(frame: FrameType | None) -> Iterator[Any]:
    """The locks that the innermost frame may wait for.

    A Condition, and with it an Event, a Future and a Queue, waits for a lock in its frame's
    variable `waiter`. A bare lock is most likely an attribute of `self`.
    """
    if frame is None:
        return
    if "waiter" in frame.f_locals:
        yield frame.f_locals["waiter"]
        return
    values = [
        *frame.f_locals.values(),
        *getattr(frame.f_locals.get("self"), "__dict__", {}).values(),
    ]
    yield from (value for value in values if isinstance(value, _LOCKS))
