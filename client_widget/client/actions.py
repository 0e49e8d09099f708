"""Which calls belong together: the id of a user action, and calls that start at once."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar

_action: ContextVar[str | None] = ContextVar("action", default=None)


def new_id() -> str:
    """The correlation id of the current action, or a new one. It is not a secret."""
    return _action.get() or f"{random.getrandbits(48):012x}"


@contextmanager
def one_action(correlation: str | None = None) -> Iterator[str]:
    """Make all calls of the block in this thread one action; yields its correlation id.

    Args:
        correlation (str | None): that of the action around it, or a new one by default.
    """
    correlation = correlation or new_id()
    outer = _action.set(correlation)
    try:
        yield correlation
    finally:
        _action.reset(outer)


_start: ContextVar[threading.Barrier | None] = ContextVar("start", default=None)


@contextmanager
def starting_with(others: threading.Barrier) -> Iterator[None]:
    """Let the first call of the block leave together with those of other threads.

    Each call signs its message, and all messages are sent before the first is answered. So if
    their token has expired, all of them meet that, however the threads take turns.

    Args:
        others (Barrier): shared by the threads, one party for each. It is broken by a call that
            ends before its message: then nobody waits.
    """
    outer = _start.set(others)
    try:
        yield
    finally:
        if _start.get() is others:
            others.abort()
        _start.reset(outer)


def wait_for_the_others() -> None:
    """Wait, in the first call of a `starting_with` block, until each thread has come here."""
    others = _start.get()
    if others is not None:
        _start.set(None)
        with suppress(threading.BrokenBarrierError):
            others.wait()
