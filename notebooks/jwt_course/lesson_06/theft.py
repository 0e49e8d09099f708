"""What can happen to a refresh token: a thief copies it, a response is lost, two callers send it at
once. And what a grace period changes, tried on a real server.
"""

from __future__ import annotations

from dataclasses import dataclass

from client_widget import (
    AuthClient,
    Event,
    EventLog,
    LoginRequired,
    Request,
    ServerUnreachable,
    TokenStore,
    read_claims,
)
from demo_server import DemoClock, DemoServer, ServerConfig
from demo_server.storage.database import Database

from ..concurrency import together
from ..lab import START

#: Ada's; she is the owner.
PASSWORD = "a pass phrase of ada"

#: Seconds from one call of the owner to the next: the access token has just expired.
PERIOD = 61

#: Seconds after which the owner tries again, and the thief comes.
RETRY_AFTER, THIEF_AFTER = 2, 10

#: How many refreshes the thief may make before a trial counts as "not detected".
ROUNDS = 5

#: The events of server and clients that affect a token family.
DECISIVE = (
    "token.spent",
    "token.repeated",
    "reuse.detected",
    "family.revoked",
    "token.refreshed",
    "session.ended",
)


def decides(event: Event) -> bool:
    """Is the event a refresh request, or does it affect the token family?"""
    asked = event.name == "request.sent" and event.fields["path"] == "/refresh"
    return asked or event.name in DECISIVE


def family_of(client: AuthClient) -> str:
    """The id of the token family that a client's session belongs to.

    Raises:
        LoginRequired: there is no session.
    """
    pair = client.store.get()
    if pair is None:
        raise LoginRequired("There is no session: log in first")
    family: str = read_claims(pair.refresh)["sid"]
    return family


def steal(owner: AuthClient, name: str = "thief") -> AuthClient:
    """A second client that holds a copy of the owner's tokens, and records into the same log."""
    pair = owner.store.get()
    if pair is None:
        raise LoginRequired("There is no session to steal: log in first")
    store = TokenStore()
    store.set(pair)
    return AuthClient(owner.base_url, store=store, log=owner.log, clock=owner.clock, name=name)


def lose_next_refresh(client: AuthClient) -> None:
    """Let the next refresh of `client` reach the server, and lose the response on its way back.

    Another client, "network" in the log, sends the message and keeps the response.
    """
    network = AuthClient(client.base_url, log=client.log, clock=client.clock, name="network")
    undisturbed = client.before_send

    def lose(message: Request) -> Request:
        pair = message.replaces
        if pair is None:
            return undisturbed(message)
        client.before_send = undisturbed
        network.probe(pair.refresh, "refresh")
        raise ServerUnreachable("POST /refresh: the response was lost")

    client.before_send = lose


def race(database: Database) -> tuple[str, list[str]]:
    """Let owner and thief refresh at once, on a server over `database`.

    Returns:
        The family's id, and the names of the server's events that affected it, sorted: the order of
        the two callers is random.
    """
    clock = DemoClock(start=START, rate=0)
    log = EventLog(clock=clock)
    config = ServerConfig(policy="rfc", bcrypt_cost=4)
    emit = log.emitter("server")
    with DemoServer(config, database=database, clock=clock, emit=emit, name="race") as server:
        owner = AuthClient(server.url, clock=clock, name="owner")
        owner.register("ada", PASSWORD)
        owner.login("ada", PASSWORD)
        family, thief = family_of(owner), steal(owner)
        clock.advance(PERIOD)
        together(owner.home, thief.home)
    return family, sorted(event.name for event in log if event.name in DECISIVE)


@dataclass(frozen=True)
class GraceTrial:
    """What a grace period did.

    Attributes:
        grace (int): in seconds.
        survived (bool): did the owner's session survive a lost response?
        detected_at (int | None): which refresh of the thief was detected, 1 for the first; None if
            none was.
    """

    grace: int
    survived: bool
    detected_at: int | None


def try_grace(
    grace: int, *, retry_after: int = RETRY_AFTER, thief_after: int = THIEF_AFTER
) -> GraceTrial:
    """Try a grace period on two sessions of a new server.

    Args:
        grace (int): `ServerConfig.refresh_grace`, in seconds.
        retry_after (int): seconds after which the owner tries again when a response is lost.
        thief_after (int): seconds by which the thief comes after the owner, each time; 0 to 60.
    """
    clock = DemoClock(start=START, rate=0)
    config = ServerConfig(policy="rfc", refresh_grace=grace, bcrypt_cost=4)
    with DemoServer(config, clock=clock, name="grace trial") as server:
        owner = AuthClient(server.url, log=EventLog(clock=clock), clock=clock, name="owner")
        owner.register("ada", PASSWORD)
        owner.login("ada", PASSWORD)
        survived = _survives(owner, clock, retry_after)
        owner.login("ada", PASSWORD)
        return GraceTrial(grace, survived, _detection(owner, clock, thief_after))


def _survives(owner: AuthClient, clock: DemoClock, retry_after: int) -> bool:
    clock.advance(PERIOD)
    lose_next_refresh(owner)
    try:
        owner.home()
    except ServerUnreachable:
        clock.advance(retry_after)
    try:
        owner.home()
    except LoginRequired:
        return False
    return True


def _detection(owner: AuthClient, clock: DemoClock, thief_after: int) -> int | None:
    thief = steal(owner)
    clock.advance(PERIOD)
    for refresh in range(1, ROUNDS + 1):
        owner.home()
        clock.advance(thief_after)
        try:
            thief.home()
        except LoginRequired:
            return refresh
        clock.advance(PERIOD - thief_after)
    return None


def grace_table(trials: list[GraceTrial]) -> str:
    """The trials as lines of text."""
    lines = [f"{'grace':>5}  {'after a lost response':21}  the thief"]
    lines += [f"{t.grace:>3} s  {lost_words(t):21}  {thief_words(t)}" for t in trials]
    return "\n".join(lines)


def lost_words(trial: GraceTrial) -> str:
    """What happened to the owner's session after a lost response."""
    return "the session goes on" if trial.survived else "the session ends"


def thief_words(trial: GraceTrial) -> str:
    """What happened to the thief."""
    if trial.detected_at is None:
        return f"is not detected in {ROUNDS} refreshes"
    return f"is detected at refresh {trial.detected_at}"
