"""A server and a client for a judge, on a stopped clock.

A judge runs an answer here, and leaves the learner's server and log alone.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import CodeType
from typing import Any

from client_widget import AuthClient, BearerAuth, EventLog, TokenPair, TokenStore
from client_widget.protocol.auth_flow import Auth
from demo_server import DemoClock, DemoServer, ServerConfig
from demo_server.serving.local_server import Transport

#: When a trial's clock begins: a whole second, so that a token's `iat` is the time of its issue.
START = 1_800_000_000


@dataclass(frozen=True)
class Trial:
    """What a judge works with; ada is logged in.

    Attributes:
        clock (DemoClock): stopped at `START` until it is moved.
        log (EventLog): both sides' events, the login included.
        server (DemoServer): runs until the trial ends.
        client (AuthClient): ada's.
        store (WatchedStore): the client's.
    """

    clock: DemoClock
    log: EventLog
    server: DemoServer
    client: AuthClient
    store: WatchedStore

    @property
    def pair(self) -> TokenPair:
        """The pair that the client holds."""
        return pair_of(self.client)


def pair_of(client: AuthClient) -> TokenPair:
    """The pair that a client who is logged in holds."""
    pair = client.store.get()
    assert pair is not None
    return pair


class WatchedStore(TokenStore):
    """A store that knows who has read it.

    So a judge can tell whether the reference did the learner's work, under whatever name.
    """

    def __init__(self) -> None:
        super().__init__()
        self._readers: set[CodeType] = set()

    def get(self) -> TokenPair | None:
        """The pair, or None."""
        self._readers.add(sys._getframe(1).f_code)
        return super().get()

    def read_by(self, function: Callable[..., Any]) -> bool:
        """Has this function read the store?"""
        return getattr(function, "__code__", None) in self._readers


@contextmanager
def trial(
    auth: Callable[[TokenStore], Auth] = BearerAuth,
    *,
    transport: Transport = None,
    **settings: Any,
) -> Iterator[Trial]:
    """Start a server, register ada and log her in; stops the server at the end.

    Args:
        auth: the client's auth scheme, as `AuthClient` takes it.
        transport: how requests reach the server, as in `DemoServer`. "in-process" is faster, but a
            learner's code that sends requests itself reaches only a socket.
        settings: those of `ServerConfig`.
    """
    clock = DemoClock(start=START, rate=0)
    log = EventLog(clock=clock)
    config = ServerConfig(bcrypt_cost=4, **settings)
    emit = log.emitter("server")
    with DemoServer(config, clock=clock, emit=emit, name="trial", transport=transport) as server:
        store = WatchedStore()
        client = AuthClient(server.url, store=store, log=log, clock=clock, auth=auth)
        client.register("ada", "a pass phrase of ada's")
        client.login("ada", "a pass phrase of ada's")
        yield Trial(clock, log, server, client, store)
