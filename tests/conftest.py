"""What the tests share: a clock that stands still, a log, a server, and a user named ada.

Both ends are wired together here, in notebooks, and nowhere else.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeAlias

import pytest

from client_widget import AuthClient, EventLog, TokenPair
from demo_server import DemoClock, DemoServer, ServerConfig

#: A whole second, so that a token's `iat` is the time of its issue.
START = 1_800_000_000

PASSWORD = "the pass phrase of ada"

#: Who says what when an access token has expired, is refreshed, and the call is sent again.
REFRESHED = [
    ("client", "request.sent"),
    ("server", "token.rejected"),
    ("client", "response.received"),
    ("client", "token.expired"),
    ("client", "request.sent"),
    ("server", "token.accepted"),
    ("server", "token.issued"),
    ("client", "response.received"),
    ("client", "token.refreshed"),
    ("client", "request.retried"),
    ("server", "token.accepted"),
    ("client", "response.received"),
]


@pytest.fixture
def clock() -> DemoClock:
    return DemoClock(start=START, rate=0)


@pytest.fixture
def config() -> ServerConfig:
    return ServerConfig(bcrypt_cost=4)  # the least that bcrypt takes


@pytest.fixture
def log(clock: DemoClock) -> EventLog:
    return EventLog(clock=clock)


class Gate:
    """Listens to the server, and can hold it at an event until a test releases it."""

    def __init__(self, emit: Callable[..., object]) -> None:
        self._emit = emit
        self.hold: Callable[[str, dict[str, Any]], threading.Event | None] = lambda name, fields: (
            None
        )

    def __call__(self, name: str, **fields: Any) -> None:
        self._emit(name, **fields)
        event = self.hold(name, fields)
        if event is not None and not event.wait(timeout=20):
            raise TimeoutError(f"nobody let {name} go")


@pytest.fixture
def gate(log: EventLog) -> Gate:
    return Gate(log.emitter("server"))


@pytest.fixture
def server(config: ServerConfig, clock: DemoClock, gate: Gate) -> Iterator[DemoServer]:
    with DemoServer(config, clock=clock, emit=gate) as server:
        yield server


@pytest.fixture
def client(server: DemoServer, log: EventLog, clock: DemoClock) -> AuthClient:
    return AuthClient(server.url, log=log, clock=clock)


@pytest.fixture
def ada(client: AuthClient) -> AuthClient:
    """A client whose user has registered and logged in just now."""
    client.register("ada", PASSWORD)
    client.login("ada", PASSWORD)
    return client


def pair_of(client: AuthClient) -> TokenPair:
    """The tokens of a client who is logged in."""
    pair = client.store.get()
    assert pair is not None
    return pair


#: Says from now on which threads cannot be started.
ShortOfThreads: TypeAlias = Callable[[Callable[[threading.Thread], bool]], None]


@pytest.fixture
def no_threads(monkeypatch: pytest.MonkeyPatch) -> ShortOfThreads:
    """Lets `Thread.start` raise, as it does in a process that has too many threads."""
    start = threading.Thread.start
    refuse: list[Callable[[threading.Thread], bool]] = [lambda thread: False]

    def start_or_raise(thread: threading.Thread) -> None:
        if refuse[0](thread):
            raise RuntimeError("can't start new thread")
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", start_or_raise)

    def refuse_from_now_on(which: Callable[[threading.Thread], bool]) -> None:
        refuse[0] = which

    return refuse_from_now_on


def in_threads(count: int, call: Callable[[], Any]) -> list[Any]:
    """What `call` returned or raised in each of `count` threads that began together."""
    barrier = threading.Barrier(count)

    def run(_: int) -> Any:
        barrier.wait(timeout=20)
        try:
            return call()
        except Exception as error:
            return error

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(run, range(count)))


def names(events: Any) -> list[tuple[str, str]]:
    """Source and name of each event."""
    return [(event.source, event.name) for event in events]


def hold_refresh_until_rejected(gate: Gate, count: int) -> None:
    """No refresh is answered before the server has rejected `count` access tokens."""
    rejected, all_rejected, lock = [0], threading.Event(), threading.Lock()

    def hold(name: str, fields: dict[str, Any]) -> threading.Event | None:
        if name == "token.rejected" and fields["kind"] == "access":
            with lock:
                rejected[0] += 1
                if rejected[0] == count:
                    all_rejected.set()
        return all_rejected if fields.get("kind") == "refresh" else None

    gate.hold = hold
