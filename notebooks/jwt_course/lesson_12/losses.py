"""A lost update: a tab writes an old copy of the session over newer tokens. As a trace.

A tab that stores its whole state, such as its settings together with the tokens, writes the tokens
back that it has read some time ago.
"""

from __future__ import annotations

from client_widget import AuthClient, EventLog, TokenPair
from client_widget.protocol.tokens import fingerprint
from demo_server import DemoClock, DemoServer, ServerConfig

from ..lab import START, pair_of
from .tabs import PASSWORD, PERIOD


def handed_in(*, before: int = 1, lost: bool = True, again: bool = False) -> str:
    """The trace of a learner whose session ended, as JSON lines.

    `store.written` has the fingerprint of the refresh token that was written.

    Args:
        before (int): refreshes of tab 1 before tab 2 opens.
        lost (bool): does tab 2 write its old copy back?
        again (bool): does tab 2 write the newest tokens a second time, which does no harm?
    """
    clock = DemoClock(start=START, rate=0)
    log = EventLog(clock=clock)
    config = ServerConfig(policy="rfc", bcrypt_cost=4)
    with DemoServer(config, clock=clock, emit=log.emitter("server"), name="a trace") as server:
        one = AuthClient(server.url, log=log, clock=clock, name="tab 1")
        one.register("ada", PASSWORD)
        one.login("ada", PASSWORD)
        stored = _written(log, "tab 1", pair_of(one))
        for _ in range(before):
            stored = _refreshed(one, stored, clock)
        copy = stored  # tab 2 opens, and reads
        stored = _refreshed(one, stored, clock)
        if again:
            stored = _written(log, "tab 2", stored)
        if lost:
            stored = _written(log, "tab 2", copy)
        _refreshed(one, stored, clock)
    return log.to_jsonl()


def _written(log: EventLog, tab: str, pair: TokenPair) -> TokenPair:
    log.record("store.written", source=tab, token=fingerprint(pair.refresh))
    return pair


def _refreshed(client: AuthClient, pair: TokenPair, clock: DemoClock) -> TokenPair:
    """The pair that follows; the same one if the refresh is refused."""
    clock.advance(PERIOD)
    response = client.probe(pair.refresh, "refresh")
    if response.status_code != 200:
        return pair
    answer = response.json()
    fresh = TokenPair(answer["accessToken"], answer["refreshToken"])
    return _written(client.log, client.name, fresh)
