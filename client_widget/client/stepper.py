"""Step by step: pause each message of a client until you send it, and change it first if you like.

The `auth_flow` is unchanged. The thread that drives it waits, after the flow has yielded a message
and before the client sends it. No lock is held meanwhile, so the panel, other clients and other
cells carry on.
"""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias

from ..protocol.auth_flow import Request

Hook: TypeAlias = Callable[[Request], Request]


class HasHook(Protocol):
    """A client whose messages pass through a hook, as those of `AuthClient` do."""

    before_send: Hook


def _in_a_loop() -> bool:
    if sys.platform == "emscripten" and threading.current_thread() is not threading.main_thread():
        return False  # in a browser tab threads are tasks of the loop, which goes on meanwhile
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


@dataclass(eq=False)
class Held:
    """A paused message.

    Attributes:
        message (Request): the message to send.
        in_a_loop (bool): does the waiting thread run an event loop, as the one of a kernel that
            runs cells and handles clicks? While it waits, clicks wait too.
    """

    message: Request
    in_a_loop: bool = field(default_factory=_in_a_loop)
    _released: threading.Event = field(default_factory=threading.Event, repr=False)

    @property
    def title(self) -> str:
        """The message in short, such as "GET /home (call)"."""
        return f"{self.message.method} {self.message.path} ({self.message.purpose})"


class Stepper:
    """Pauses a client's messages while it is on. Assign it to the client's `before_send`.

    Args:
        on_change: called, in any thread, when a message is paused or sent.

    Thread-safe.
    """

    def __init__(self, on_change: Callable[[], None] | None = None) -> None:
        self._listeners: tuple[Callable[[], None], ...] = () if on_change is None else (on_change,)
        self._lock = threading.Lock()
        self._on = False
        self._waiting: list[Held] = []

    @property
    def on(self) -> bool:
        """Are messages paused? Setting it to False sends all paused messages, unchanged."""
        return self._on

    @on.setter
    def on(self, on: bool) -> None:
        self._switch(on)

    def _switch(self, on: bool) -> None:
        with self._lock:
            self._on = on
            released = [] if on else self._waiting
            if not on:
                self._waiting = []
        for held in released:
            held._released.set()
        self._tell()

    @property
    def first(self) -> Held | None:
        """What has waited longest, or None if nothing waits."""
        with self._lock:
            return self._waiting[0] if self._waiting else None

    @property
    def waiting(self) -> Request | None:
        """The message that has waited longest, or None if none waits."""
        first = self.first
        return None if first is None else first.message

    def next(self, message: Request | None = None) -> None:
        """Send the message that has waited longest, or `message` instead of it if one is given."""
        with self._lock:
            if not self._waiting:
                return
            held = self._waiting.pop(0)
            if message is not None:
                held.message = message
        held._released.set()
        self._tell()

    def subscribe(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Call `listener` when a message is paused or sent; returns a function that stops it."""
        with self._lock:
            self._listeners += (listener,)

        def unsubscribe() -> None:
            with self._lock:
                self._listeners = tuple(each for each in self._listeners if each is not listener)

        return unsubscribe

    def __call__(self, message: Request) -> Request:
        """Pause the message if the stepper is on; return the message to send."""
        with self._lock:
            if not self._on:
                return message
            held = Held(message)
            self._waiting.append(held)
        try:
            self._tell()
            # Not without a timeout: then Windows could not interrupt a cell that waits.
            while not held._released.wait(1.0):
                pass
        except BaseException:
            # The cell was interrupted, so its message is not sent and no longer waits.
            with self._lock:
                if held in self._waiting:
                    self._waiting.remove(held)
            self._tell()
            raise
        return held.message

    def _tell(self) -> None:
        for listener in self._listeners:
            listener()


class SharedStepper(Stepper):
    """The stepper that all views of a client share: see `stepper_of`.

    It is the client's `before_send` only while it is on. A message that it sends passes through
    the hook that was there before, which the client gets back when the stepper is off.
    """

    def __init__(self, client: HasHook) -> None:
        super().__init__()
        self._client = client
        self._hook: Hook = client.before_send
        self._switching = threading.Lock()
        self._here = threading.local()
        self._users = 0

    def _switch(self, on: bool) -> None:
        with self._switching:
            if on and self._client.before_send is not self:
                self._hook, self._client.before_send = self._client.before_send, self
            elif not on and self._client.before_send is self:
                self._client.before_send = self._hook
        super()._switch(on)

    def __call__(self, message: Request) -> Request:
        if getattr(self._here, "passing", False):  # the hook calls what was there before it: us
            return message
        hook = self._hook
        message = super().__call__(message)
        self._here.passing = True
        try:
            return hook(message)
        finally:
            self._here.passing = False

    def use(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Subscribe as one who can send the messages; returns a function that ends this.

        When the last one goes, the stepper is off: nobody could send what waits.
        """
        unsubscribe = self.subscribe(listener)
        with self._lock:
            self._users += 1

        def leave() -> None:
            unsubscribe()
            with self._lock:
                self._users -= 1
                last = self._users == 0
            if last:
                self.on = False

        return leave


def stepper_of(client: HasHook) -> SharedStepper:
    """The stepper of a client, the same one at each call. The client keeps it."""
    stepper: SharedStepper = vars(client).setdefault("_stepper", SharedStepper(client))
    return stepper
