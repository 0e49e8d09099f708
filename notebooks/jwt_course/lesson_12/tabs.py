"""Two tabs over one store meet one expired token, in an order that is the same on every run.

Both tabs have read the store, and both have been refused, before the first refresh is sent. Then
tab 1's refresh is sent, and tab 2's after it. A way that waits for a lock waits there.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TypeAlias

from client_widget import AuthClient, EventLog, LoginRequired, ServerUnreachable, TokenPair, Trace
from demo_server import DemoClock, DemoServer, ServerConfig

from ..concurrency import Call, Gate, Race
from ..lab import START, pair_of

#: Ada's; both tabs are hers.
PASSWORD = "a pass phrase of ada"

#: Seconds after which the access token has just expired.
PERIOD = 61


class SharedStore:
    """What all tabs see, as `localStorage` is shared by the tabs of one origin.

    Args:
        pair (TokenPair): what it holds.
    """

    def __init__(self, pair: TokenPair) -> None:
        self._pair = pair

    def get(self) -> TokenPair:
        """The pair that is stored now."""
        return self._pair

    def set(self, pair: TokenPair) -> None:
        """Store another pair."""
        self._pair = pair


class Tab:
    """One tab of the page.

    Attributes:
        pair (TokenPair): what the tab has read from the store, and sends.
        store (SharedStore): shared by all tabs.
        lock: shared by all tabs; `with tab.lock:` lets one of them in at a time.
        gate (Gate): holds the tab before each refresh is sent.
        loses_response (bool): is the response to the next refresh lost?
    """

    def __init__(
        self, client: AuthClient, store: SharedStore, lock: threading.Lock, way: Way
    ) -> None:
        self.store, self.lock = store, lock
        self.pair = store.get()
        self.loses_response = False
        self.gate = Gate(opens_at=1)
        self._client, self._way = client, way

    def send(self, pair: TokenPair) -> TokenPair:
        """Send a refresh, and return the new pair.

        Raises:
            LoginRequired: the server refused.
            ServerUnreachable: the response was lost.
        """
        self.gate.wait()
        response = self._client.probe(pair.refresh, "refresh")
        if self.loses_response:
            self.loses_response = False
            raise ServerUnreachable("POST /refresh: the response was lost")
        if response.status_code != 200:
            raise LoginRequired("The refresh was refused")
        answer = response.json()
        return TokenPair(answer["accessToken"], answer["refreshToken"])

    def home(self) -> bool:
        """Open the home page, and refresh if the token is refused. Does the page come?"""
        if self._client.probe(self.pair.access).status_code == 200:
            return True
        with suppress(LoginRequired, ServerUnreachable):
            self.pair = self._way(self)
            return self._client.probe(self.pair.access).status_code == 200
        return False


#: What a tab does when its access token is refused: it returns the pair to go on with.
Way: TypeAlias = Callable[[Tab], TokenPair]


@dataclass(frozen=True)
class Trial:
    """What came of a way.

    Attributes:
        way (str): its name.
        grace (int): the server's, in seconds.
        refreshes (int): how many were sent.
        reuse (int): how many of them looked like a theft.
        pages (tuple[bool, ...]): did the page come, for each tab?
        alive (bool): can the session go on, with what is in the store?
        log (Trace): all that happened.
    """

    way: str
    grace: int
    refreshes: int
    reuse: int
    pages: tuple[bool, ...]
    alive: bool
    log: Trace = field(repr=False, compare=False)


def try_tabs(
    way: Way, *, grace: int = 0, rounds: int = 1, lost: bool = False, later: int = 0
) -> Trial:
    """Let two tabs meet an expired token on a new server with rotation.

    Args:
        way: what a tab does when its token is refused.
        grace (int): `ServerConfig.refresh_grace`, in seconds.
        rounds (int): how often the token expires.
        lost (bool): is the response to tab 1's first refresh lost?
        later (int): seconds that pass before the refresh of tab 2 is sent.
    """
    clock = DemoClock(start=START, rate=0)
    log = EventLog(clock=clock)
    config = ServerConfig(policy="rfc", refresh_grace=grace, bcrypt_cost=4)
    with DemoServer(config, clock=clock, emit=log.emitter("server"), name="two tabs") as server:
        clients = [
            AuthClient(server.url, log=log, clock=clock, name=name) for name in ("tab 1", "tab 2")
        ]
        clients[0].register("ada", PASSWORD)
        clients[0].login("ada", PASSWORD)
        store, lock = SharedStore(pair_of(clients[0])), threading.Lock()
        tabs = [Tab(client, store, lock, way) for client in clients]
        tabs[0].loses_response = lost
        pages: tuple[bool, ...] = ()
        for _ in range(rounds):
            clock.advance(PERIOD)
            with Race(progress=lambda: len(log)) as race:
                pages = _meet(race, tabs, lambda: clock.advance(later))
        trace = EventLog.from_jsonl(log.to_jsonl())
        alive = clients[0].probe(store.get().refresh, "refresh").status_code == 200
    refreshes = [e for e in trace if e.name == "request.sent" and e.fields["path"] == "/refresh"]
    reuse = sum(event.name == "reuse.detected" for event in trace)
    name = getattr(way, "__name__", "yours").replace("_", " ")
    return Trial(name, grace, len(refreshes), reuse, pages, alive, trace)


def _meet(race: Race, tabs: list[Tab], between: Callable[[], object]) -> tuple[bool, ...]:
    calls: list[Call] = []
    for tab in tabs:
        tab.gate = race.gate()
        calls.append(race.call(tab.home))
        race.settle()  # it waits for its gate, or for the lock
    for tab in tabs:
        if tab is not tabs[0]:
            between()
        tab.gate.open()
        race.settle()
    return tuple(call.value is True for call in calls)
