"""What a logout costs: four ways to check an access token, and what each of them asks for.

    try_check("denylist", users=5)

A service beside the login server gets a call of each user every second. One of them, ada, logs
out, and a thief goes on with a copy of her access token. The login server is the lab's, with the
`rfc` policy. Its log says which sessions have ended, and which questions it was asked.

The lab has neither `/introspect` nor a published list. So the service asks `GET /home`, which
answers the same question, and the list is made from the events of the server. A fetch of the list
counts as one request.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import jwt

from client_widget import AuthClient, EventLog
from client_widget.log.pictures.table import Cell, table
from demo_server import DemoClock, DemoServer, ServerConfig, open_database
from demo_server.storage.database import Database

from ..lab import START
from ..outputs import Picture
from .attacker_site import Loot
from .token_lab import TokenLab

#: The ways, the cheapest first.
WAYS = ("local", "denylist", "cached introspection", "introspection")

#: Seconds from the login to ada's logout, and from one fetch of the list to the next.
LOGOUT_AT, EVERY = 23, 10

#: Seconds for which an access token is valid, and for which the service is watched.
LIFETIME = 60

_PASSWORD = "a pass phrase of ada's"


@dataclass(frozen=True)
class Cost:
    """What came of a way.

    Attributes:
        way (str): such as "denylist".
        users (int): how many call the service, once a second.
        calls (int): how many calls the service answered.
        requests (int): how many requests the login server got for them.
        works_for (int): seconds after the logout for which the copy of ada's token worked.
        listed (int): the most entries that the denylist had.
    """

    way: str
    users: int
    calls: int
    requests: int
    works_for: int
    listed: int


class Service:
    """A service that checks access tokens, in one of the `WAYS`.

    Args:
        way (str): such as "denylist".
        secret (str): to verify the signature with.
        login (AuthClient): asks the login server.
        log (EventLog): of the login server.
        clock: of both.
    """

    def __init__(
        self, way: str, secret: str, login: AuthClient, log: EventLog, clock: Callable[[], float]
    ) -> None:
        self.requests = self.listed = 0
        self._check = getattr(self, f"_{way.replace(' ', '_')}")
        self._secret, self._login, self._log, self._clock = secret, login, log, clock
        self._ended: dict[str, float] = {}
        self._known: dict[str, tuple[float, bool]] = {}
        self._fetched = float("-inf")

    def accepts(self, token: str) -> bool:
        """Does it accept the token now?"""
        return bool(self._check(token))

    def _local(self, token: str) -> Mapping[str, Any] | None:
        """The claims, if the signature is valid and the token has not expired."""
        claims = jwt.decode(
            token,
            self._secret,
            algorithms=["HS256"],
            options={"verify_exp": False, "verify_iat": False, "verify_aud": False},
        )
        return claims if self._clock() < claims["exp"] else None

    def _introspection(self, token: str) -> bool:
        self.requests += 1
        return self._login.probe(token).status_code == 200

    def _cached_introspection(self, token: str) -> bool:
        now = self._clock()
        asked, active = self._known.get(token, (float("-inf"), False))
        if now - asked >= EVERY:
            asked, active = now, self._introspection(token)
            self._known[token] = asked, active
        return active and self._local(token) is not None

    def _denylist(self, token: str) -> bool:
        if self._clock() - self._fetched >= EVERY:
            self._fetch()
        claims = self._local(token)
        return claims is not None and claims["sid"] not in self._ended

    def _fetch(self) -> None:
        """The sessions that have ended. One is needed until its last access token has expired."""
        self.requests += 1
        now = self._fetched = self._clock()
        self._ended = {
            event.fields["family"]: event.at
            for event in self._log
            if event.name == "family.revoked" and now < event.at + LIFETIME
        }
        self.listed = max(self.listed, len(self._ended))


def try_check(way: str, users: int = 1) -> Cost:
    """A minute of calls, one a second by each user; ada logs out after `LOGOUT_AT` seconds.

    Args:
        way (str): one of `WAYS`.
        users (int): how many, with ada.
    """
    clock = DemoClock(start=START, rate=0)
    log = EventLog(clock=clock)
    config = ServerConfig(policy="rfc", bcrypt_cost=4, access_token_ttl=LIFETIME)
    calls = works_for = 0
    with DemoServer(config, clock=clock, emit=log.emitter("server"), name="login") as server:
        tokens = [_token(server.url, f"user-{number}") for number in range(1, users)]
        ada = AuthClient(server.url, clock=clock)
        ada.register("ada", _PASSWORD)
        copied = ada.login("ada", _PASSWORD)["accessToken"]
        login = AuthClient(server.url, clock=clock)
        service = Service(way, config.access_token_secret, login, log, clock)
        for second in range(LIFETIME):
            if second == LOGOUT_AT:
                ada.request("POST", "/logout")
            accepted = [service.accepts(token) for token in (*tokens, copied)]
            calls += len(accepted)
            if second >= LOGOUT_AT:
                works_for += accepted[-1]
            clock.advance(1)
    return Cost(way, users, calls, service.requests, works_for, service.listed)


def _token(url: str, username: str) -> str:
    client = AuthClient(url)
    client.register(username, _PASSWORD)
    return str(client.login(username, _PASSWORD)["accessToken"])


def costs_picture(costs: Sequence[Cost]) -> Picture:
    """A row for each way: what was asked, and how long the copy worked."""
    rows = [
        [
            Cell(cost.way),
            Cell(str(cost.users), "muted"),
            Cell(str(cost.calls), "muted"),
            Cell(str(cost.requests), "ok" if cost.requests < cost.calls / 4 else "warn"),
            Cell(f"{cost.works_for} s", "ok" if cost.works_for <= EVERY else "bad"),
        ]
        for cost in costs
    ]
    heads = ["check", "users", "calls", "requests to the login server", "a stolen token works for"]
    words = "\n".join(
        f"{cost.way}, {cost.users} user{'s' * (cost.users > 1)}: "
        f"{cost.requests} requests for {cost.calls} calls; "
        f"the copy worked for {cost.works_for} s after the logout"
        for cost in costs
    )
    return Picture(table("What a logout costs", heads, rows), words)


class CountingDatabase:
    """A database that counts what is asked of it.

    Attributes:
        operations (int): how many operations there were so far.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self.client = database.client  # tells the server which kind of database it is
        self.operations = 0

    def __getitem__(self, name: str) -> Any:
        return _CountingCollection(self, self._database[name])


class _CountingCollection:
    def __init__(self, counter: CountingDatabase, collection: Any) -> None:
        self._counter, self._collection = counter, collection

    def __getattr__(self, name: str) -> Any:
        self._counter.operations += 1
        return getattr(self._collection, name)


def lookups_of_home(policy: str) -> int:
    """How many database operations one `GET /home` takes, with a valid access token."""
    database = CountingDatabase(open_database())
    config = ServerConfig(policy=policy, bcrypt_cost=4)
    with DemoServer(config, database=database, name=f"{policy} counted") as server:
        client = AuthClient(server.url)
        client.register("ada", _PASSWORD)
        client.login("ada", _PASSWORD)
        before = database.operations
        client.home()
        return database.operations - before


def session_length(session_ttl: int, every: int = 240) -> int:
    """Seconds from the login until a refresh is refused, if the client refreshes all the time.

    Args:
        session_ttl (int): the planned end of the session, in seconds.
        every (int): seconds from one refresh to the next.
    """
    clock = DemoClock(start=START, rate=0)
    config = ServerConfig(policy="rfc", bcrypt_cost=4, session_ttl=session_ttl)
    with DemoServer(config, clock=clock, name="session") as server:
        client = AuthClient(server.url, clock=clock)
        client.register("ada", _PASSWORD)
        refresh = client.login("ada", _PASSWORD)["refreshToken"]
        lasted = 0
        while True:
            clock.advance(every)
            lasted += every
            answer = client.probe(refresh, "refresh")
            if answer.status_code != 200:
                return lasted
            refresh = answer.json()["refreshToken"]


def stays_logged_in(lab: TokenLab, stolen: Loot, minutes: int = 60) -> bool:
    """Whether mallory is still ada after so many minutes, if she refreshes every four of them.

    The page is closed meanwhile. The clock of the lab is moved.

    Args:
        lab (TokenLab): with ada's server.
        stolen (Loot): a refresh token.
        minutes (int): how long.
    """
    mallory = AuthClient(lab.victim.url)
    refresh, access = stolen.token, ""
    for _ in range(minutes // 4):
        lab.clock.advance(240)
        answer = mallory.probe(refresh, "refresh")
        if answer.status_code != 200:
            return False
        refresh, access = answer.json()["refreshToken"], answer.json()["accessToken"]
    return mallory.probe(access).status_code == 200
