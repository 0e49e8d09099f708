"""What a scenario is played on: a server, two clocks, a log, and the client under test.

The server and the client have separate clocks, as in the real world. The server's clock moves a
token past its expiry while the client's stands still, so no client can see the expiry coming, and
each must cope with the refusal. A `Hold` stops requests inside the server, so that every run is
the same race, however the client sends its messages.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from types import TracebackType
from typing import Any, TypeAlias

import bcrypt
from flask import request as served

from client_widget import AuthClient, Event, EventLog, Request, TokenStore
from demo_server import DemoClock, DemoServer, ServerConfig, open_database
from demo_server.storage.database import Database
from demo_server.storage.users import UserRepository

from ..concurrency import Call, Gate, Race, Runaway
from ..lab import START

#: `make_client(url, store=…, log=…, clock=…)` returns the client to grade. A subclass of
#: `AuthClient` is one, too.
MakeClient: TypeAlias = Callable[..., AuthClient]

#: Of an access token, in seconds, as in the other lessons.
LIFETIME = 60

#: Of every user.
PASSWORD = "a pass phrase for the grader"

#: More messages than a correct client sends in any scenario. A client that sends more would go
#: on without end.
MESSAGES = 60

#: bcrypt's lowest cost, so that a login takes no time; a session of 50 minutes, so that only the
#: access token expires until a scenario wants otherwise.
CONFIG = ServerConfig(bcrypt_cost=4, access_token_ttl=LIFETIME, refresh_token_ttl=3000)


class Stage:
    """A new server, a client made by the candidate, and ada logged in with it.

    Args:
        make_client: makes the client under test.
        config (ServerConfig): the server's settings.
        skew (float): seconds by which the client's clock is ahead of the server's.
        patience (float): real seconds without any event after which a call counts as hung.

    Attributes:
        server (DemoServer): has an extra route, `POST /echo`, which accepts any body with a
            bearer token.
        clock, client_clock (DemoClock): both stand still until they are moved.
        log (EventLog): the trace.
        digests (list[str]): of the bodies that came to `/echo`.
    """

    def __init__(
        self,
        make_client: MakeClient,
        *,
        config: ServerConfig = CONFIG,
        skew: float = 0.0,
        patience: float,
    ) -> None:
        self.clock = DemoClock(start=START, rate=0)
        self.client_clock = DemoClock(start=START + skew, rate=0)
        self.log = EventLog(clock=self.clock)
        self.digests: list[str] = []
        self._record = self.log.emitter("server")
        self._race = Race(progress=self.log.__len__, patience=patience)
        self._holds: list[Hold] = []
        self._messages = 0
        # New secrets for each stage: a client cannot bring a token from the last one.
        self.server = DemoServer(
            replace(config),
            database=_with_users("ada", "bob"),
            clock=self.clock,
            emit=self._emit,
            name="the grader's",
        )
        self.server.app.post("/echo")(self._echo)
        self.server.start()
        try:
            self.client = make_client(
                self.server.url, store=TokenStore(), log=self.log, clock=self.client_clock
            )
            self.client.before_send = self._count
            self.client.login("ada", PASSWORD)
        except BaseException:
            self.server.stop()
            raise

    # What a scenario does

    def call(self, method: str = "GET", path: str = "/home", **options: Any) -> Call:
        """Begin `client.request(...)` in a thread."""
        return self._race.call(lambda: self.client.request(method, path, **options))

    def login(self, username: str) -> None:
        """Log another user in with the client under test; a login that hangs is abandoned."""
        self.gather([self._race.call(lambda: self.client.login(username, PASSWORD))])

    def get(self, method: str = "GET", path: str = "/home", **options: Any) -> Call:
        """A call that has ended, or hung and was abandoned."""
        call = self.call(method, path, **options)
        self.gather([call])
        return call

    def gather(self, calls: list[Call]) -> None:
        """Wait until the calls have ended; abandon those that do not."""
        self._race.wait(lambda: all(call.done for call in calls))
        for call in calls:
            call.abandon()

    def hold(self, until: Callable[[str, dict[str, Any]], bool], *, once: bool = False) -> Hold:
        """Hold the server's threads at events of that kind, until the hold is released."""
        hold = Hold(self._race.gate(), until, once)
        self._holds.append(hold)
        return hold

    def wait(self, reached: Callable[[], bool]) -> bool:
        """Wait until `reached()` is true; False if nothing has happened for too long."""
        return self._race.wait(reached)

    def settle(self) -> None:
        """Wait until no call can move: each has ended, waits, or is held in the server."""
        self._race.settle()

    def pass_time(self, seconds: float) -> None:
        """Move both clocks."""
        self.clock.advance(seconds)
        self.client_clock.advance(seconds)

    def since(self, mark: int) -> list[Event]:
        """The events that came after the first `mark` ones."""
        return list(self.log)[mark:]

    # How it is done

    def _emit(self, name: str, /, **fields: Any) -> None:
        self._record(name, **fields)
        for hold in tuple(self._holds):
            if hold.catches(name, fields):
                hold.gate.wait()

    def _count(self, message: Request) -> Request:
        self._messages += 1
        if self._messages > MESSAGES:
            raise Runaway
        return message

    def _echo(self) -> Any:
        self.digests.append(digest(served.get_data()))
        self.server.app.view_functions["home"]()  # refuses an invalid token
        return {"message": "taken"}

    def __enter__(self) -> Stage:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._race.close()
        self.server.stop()


class Hold:
    """Server threads that wait inside a request.

    Args:
        gate (Gate): holds them.
        until: `until(name, fields)` says at which events of the server.
        once (bool): hold only the first of them.
    """

    def __init__(
        self, gate: Gate, until: Callable[[str, dict[str, Any]], bool], once: bool
    ) -> None:
        self.gate = gate
        self._until = until
        self._once = once
        self._caught = False
        self._lock = threading.Lock()

    @property
    def reached(self) -> bool:
        """Is a thread held, or was one?"""
        return self.gate.came > 0

    def release(self) -> None:
        """Let the threads go on, and hold no more."""
        self.gate.open()

    def catches(self, name: str, fields: dict[str, Any]) -> bool:
        """Must the thread wait at this event?"""
        if self.gate.is_open or not self._until(name, fields):
            return False
        with self._lock:
            first, self._caught = not self._caught, True
        return first or not self._once


def _with_users(*names: str) -> Database:
    """A new database, in which the users are registered with `PASSWORD`."""
    database = open_database("")
    users = UserRepository(database)
    for name in names:
        users.add(name, _password_hash())
    return database


@cache
def _password_hash() -> str:
    return bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(CONFIG.bcrypt_cost)).decode()


def digest(body: bytes) -> str:
    """A body's SHA-256, in hexadecimal digits."""
    return hashlib.sha256(body).hexdigest()
