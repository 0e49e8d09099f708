"""Step by step: each message of a client waits until it is let go, and may be changed first.

The flow is the same `auth_flow` as ever: what waits is the thread that drives it, between the
message that the flow yielded and the moment at which it is sent. No lock is held meanwhile, so
the panel, other clients and other cells go on.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from ..protocol.auth_flow import Request


@dataclass(eq=False)
class Held:
    """A message that waits.

    Attributes:
        message (Request): what the flow wants to send.
    """

    message: Request
    _released: threading.Event = field(default_factory=threading.Event, repr=False)


class Stepper:
    """Given to a client as `before_send`, holds its messages while it is on.

    Args:
        on_change: called, in any thread, when a message begins or ends to wait.

    Safe under threads.
    """

    def __init__(self, on_change: Callable[[], None] = lambda: None) -> None:
        self._on_change = on_change
        self._lock = threading.Lock()
        self._on = False
        self._waiting: list[Held] = []

    @property
    def on(self) -> bool:
        """Are messages held? Setting it to False lets all of them go as they are."""
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
        """The message that has waited longest, or None."""
        with self._lock:
            return self._waiting[0].message if self._waiting else None

    def next(self, message: Request | None = None) -> None:
        """Let the message that has waited longest go, as `message` if one is given."""
        with self._lock:
            if not self._waiting:
                return
            held = self._waiting.pop(0)
            if message is not None:
                held.message = message
        held._released.set()
        self._on_change()

    def __call__(self, message: Request) -> Request:
        """Hold the message if the stepper is on; gives what is to be sent."""
        with self._lock:
            if not self._on:
                return message
            held = Held(message)
            self._waiting.append(held)
        self._on_change()
        held._released.wait()
        return held.message
