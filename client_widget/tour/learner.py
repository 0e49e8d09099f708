"""The user of the tour. A step acts through a `Learner`."""

from __future__ import annotations

import secrets
from contextlib import suppress
from typing import Any, Protocol

from ..clock import Clock, MovableClock
from ..errors import LoginRequired, Rejected
from ..log.event_log import EventLog
from ..protocol.store import TokenStore

#: How many names to try before giving up: a class of thirty shares one server.
MOST_NAMES = 100


class Client(Protocol):
    """What a tour needs of a client: `AuthClient` has it."""

    name: str
    log: EventLog
    clock: Clock
    store: TokenStore

    def register(self, username: str, password: str) -> dict[str, Any]: ...

    def login(self, username: str, password: str) -> dict[str, Any]: ...

    def home(self) -> dict[str, Any]: ...

    def logout(self) -> None: ...


class Learner:
    """The user of the tour. Its password is made at run time and stays in memory.

    A refusal is not an error here: it is what happened, and the events report it.
    """

    def __init__(self, client: Client, clock: MovableClock) -> None:
        self._client = client
        self._clock = clock
        client.log.follow(clock)
        self._next = 1
        self._username = "learner"
        self._password = secrets.token_urlsafe(16)

    def log_out(self) -> None:
        self._client.logout()

    def register(self) -> None:
        """Register as "learner", or as "learner2" and so on where the name is taken."""
        self._password = secrets.token_urlsafe(16)
        for _ in range(MOST_NAMES):
            self._username = "learner" if self._next == 1 else f"learner{self._next}"
            try:
                self._client.register(self._username, self._password)
            except Rejected as error:
                if error.code != "user_exists":
                    return
                self._next += 1
            else:
                self._next += 1  # the next tour is another user
                return

    def log_in(self) -> None:
        with suppress(Rejected):
            self._client.login(self._username, self._password)

    def ask_home(self) -> None:
        with suppress(LoginRequired, Rejected):
            self._client.home()

    def pass_time(self, seconds: int) -> None:
        self._clock.advance(seconds)
