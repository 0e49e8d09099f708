"""Step by step: pause each message of a client until you send it, and change it first if you like.

The `auth_flow` is unchanged. The thread that drives it waits, after the flow has yielded a message
and before the client sends it. No lock is held meanwhile, so the panel, other clients and other
cells carry on.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from ..protocol.auth_flow import Request


@dataclass(eq=False)
class Held:
    """A paused message.

    Attributes:
        message (Request): the message to send.
    """

    message: Request
    _released: threading.Event = field(default_factory=threading.Event, repr=False)


class Stepper:
    """Pauses a client's messages while it is on. Assign it to the client's `before_send`.

    Args:
        on_change: called, in any thread, when a message is paused or sent.

    Thread-safe.
    """

    def __init__(self, on_change: Callable[[], None] = lambda: None) -> None:
        self._on_change = on_change
        self._lock = threading.Lock()
        self._on = False
        self._waiting: list[Held] = []

    @property
    def on(self) -> bool:
        """Are messages paused? Setting it to False sends all paused messages, unchanged."""
        return self._on

    @on.setter
    def on(self, on: bool) -> None:
        with self._lock:
            self._on = on
            released = [] if on else self._waiting
            if not on:
                self._waiting = []
        for held in released:
            held._released.set()
        self._on_change()

    @property
    def waiting(self) -> Request | None:
        """The message that has waited longest, or None if none waits."""
        with self._lock:
            return self._waiting[0].message if self._waiting else None

    def next(self, message: Request | None = None) -> None:
        """Send the message that has waited longest, or `message` instead of it if one is given."""
        with self._lock:
            if not self._waiting:
                return
            held = self._waiting.pop(0)
            if message is not None:
                held.message = message
        held._released.set()
        self._on_change()

    def __call__(self, message: Request) -> Request:
        """Pause the message if the stepper is on; return the message to send."""
        with self._lock:
            if not self._on:
                return message
            held = Held(message)
            self._waiting.append(held)
        self._on_change()
        held._released.wait()
        return held.message
