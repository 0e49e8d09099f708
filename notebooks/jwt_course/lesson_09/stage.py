"""What a scenario is played on: a server, two clocks, a log, and the client under test.

The server's clock and the client's are two, since they are in the world. The server's moves a
token past its expiry while the client's stands still, so no client can see it coming, and each
must cope with the refusal. Messages can be held inside the server, so that a race is the same
at each run.
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from types import TracebackType
from typing import Any, TypeAlias

import bcrypt
from flask import request as served

from client_widget import AuthClient, Event, EventLog, Request, TokenStore
from demo_server import DemoClock, DemoServer, ServerConfig, open_database
from demo_server.database import Database, UserRepository

from .threads import Call, Runaway

#: `make_client(url, store=…, log=…, clock=…)` gives the client to be graded. A subclass of
#: `AuthClient` is one, too.
MakeClient: TypeAlias = Callable[..., AuthClient]

START = 1_800_000_000
LIFETIME = 60
PASSWORD = "a pass phrase for the grader"

#: Real seconds without any event after which the calls have come as far as they can.
SETTLED = 0.02

#: Seconds between two looks at what is waited for.
_LOOK = 0.001

#: A right client sends fewer messages in any scenario.
MESSAGES = 60

CONFIG = ServerConfig(bcrypt_cost=4, access_token_ttl=LIFETIME, refresh_token_ttl=3000)


class Stage:
    """A server of its own, a client made by the candidate, and ada logged in with it.

    Args:
        make_client: makes the client under test.
        config (ServerConfig): the server's settings.
        skew (float): seconds by which the client's clock is ahead of the server's.
        patience (float): real seconds without any event after which a call counts as hung.

    Attributes:
        server (DemoServer): has a route of its own, `POST /echo`, which takes any body with a
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
        self._patience = patience
        self._holds: list[Hold] = []
        self._calls: list[Call] = []
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
        call = Call(lambda: self.client.request(method, path, **options))
        self._calls.append(call)
        return call

    def get(self, method: str = "GET", path: str = "/home", **options: Any) -> Call:
        """A call that has come back, or hung and was ended."""
        call = self.call(method, path, **options)
        self.gather([call])
        return call

    def gather(self, calls: list[Call]) -> None:
        """Wait until the calls have come back; end those that do not."""
        # Twice the patience of a hold: what is held goes on first.
        self._wait(lambda: all(call.done for call in calls), 2 * self._patience)
        for call in calls:
            call.end()

    def hold(self, until: Callable[[str, dict[str, Any]], bool], *, once: bool = False) -> Hold:
        """Hold the server's threads at events of that kind, until they are let go."""
        hold = Hold(until, once)
        self._holds.append(hold)
        return hold

    def wait(self, reached: Callable[[], bool]) -> bool:
        """Wait for something to be so; tells whether it came to be."""
        return self._wait(reached, self._patience)

    def settle(self) -> None:
        """Wait until nothing happens any more: all threads wait for what is held."""
        self._wait(lambda: False, SETTLED)

    def pass_time(self, seconds: float) -> None:
        """Move both clocks."""
        self.clock.advance(seconds)
        self.client_clock.advance(seconds)

    def since(self, mark: int) -> list[Event]:
        """The events that came after the first `mark` ones."""
        return list(self.log)[mark:]

    # How it is done

    def _wait(self, reached: Callable[[], bool], patience: float) -> bool:
        # Looks are counted, and not the time: on a busy machine each takes longer.
        seen, looks = len(self.log), 0
        while not reached():
            if len(self.log) != seen:
                seen, looks = len(self.log), 0
            elif looks * _LOOK > patience:
                return False
            looks += 1
            time.sleep(_LOOK)
        return True

    def _emit(self, name: str, **fields: Any) -> None:
        self._record(name, **fields)
        for hold in tuple(self._holds):
            if hold.catches(name, fields):
                self._wait(hold.let_go.is_set, self._patience)

    def _count(self, message: Request) -> Request:
        self._messages += 1
        if self._messages > MESSAGES:
            raise Runaway
        return message

    def _echo(self) -> Any:
        self.digests.append(digest(served.get_data()))
        self.server.app.view_functions["home"]()  # refuses a token that is not good
        return {"message": "taken"}

    def __enter__(self) -> Stage:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for hold in self._holds:
            hold.let_go.set()
        for call in self._calls:
            call.end()
        self.server.stop()


class Hold:
    """Server threads that wait inside a request.

    Attributes:
        let_go (threading.Event): set it, and they go on.
        reached (threading.Event): is set when the first of them waits.
    """

    def __init__(self, until: Callable[[str, dict[str, Any]], bool], once: bool) -> None:
        self.let_go = threading.Event()
        self.reached = threading.Event()
        self._until = until
        self._once = once
        self._lock = threading.Lock()

    def catches(self, name: str, fields: dict[str, Any]) -> bool:
        """Is it to wait, at this event?"""
        if self.let_go.is_set() or not self._until(name, fields):
            return False
        with self._lock:
            if self._once and self.reached.is_set():
                return False
            self.reached.set()
        return True


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
