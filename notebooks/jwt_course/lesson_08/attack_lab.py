"""Three servers to attack, all of them ours: the weak one, the article's, and the hardened one.

    lab = AttackLab(clock)
    lab.weaken("accepts_alg_none")
    for target in lab:
        answer = target.home(forge_none(target.tokens("mallory").access, "admin"))
        print(target, verdict(answer))

Each has the same users. mallory is the attacker: a user like any other, with her own tokens.
"""

from __future__ import annotations

from collections.abc import Iterator

import requests

from client_widget import AuthClient, EventLog, TokenPair, describe
from demo_server import DemoClock, DemoServer, ServerConfig

from ..lab import pair_of
from .attacks import weak_secrets
from .weak_server import WeakServer
from .weak_service import Weaknesses

#: The attacker's password.
MALLORY = "mallory's own pass phrase"

#: The administrator's password, by its place in the list of well-known words.
ADMIN_WORD = 33


class Target:
    """A server under attack, and its log.

    Args:
        name (str): such as "weak".
        server (DemoServer | WeakServer): it runs.
        log (EventLog): both ends are recorded in it.
        clock (DemoClock): the server's.
    """

    def __init__(
        self, name: str, server: DemoServer | WeakServer, log: EventLog, clock: DemoClock
    ) -> None:
        self.name, self.server, self.log, self._clock = name, server, log, clock
        self._stranger = self.client()
        for username, password in [
            ("admin", weak_secrets()[ADMIN_WORD]),
            ("ada", "a pass phrase of ada's"),
            ("mallory", MALLORY),
        ]:
            self._stranger.register(username, password)

    def client(self) -> AuthClient:
        """A client with no session yet."""
        return AuthClient(self.server.url, log=self.log, clock=self._clock)

    def tokens(self, username: str = "mallory", password: str = MALLORY) -> TokenPair:
        """The tokens of a user who logs in properly."""
        client = self.client()
        client.login(username, password)
        return pair_of(client)

    def home(self, token: str) -> requests.Response:
        """`GET /home` with any token."""
        return self._stranger.probe(token)

    def refresh(self, token: str) -> requests.Response:
        """`POST /refresh` with any token."""
        return self._stranger.probe(token, "refresh")

    def log_in(self, username: object, password: str) -> requests.Response:
        """`POST /users/login` with anything as a username."""
        return self._post("/users/login", username, password)

    def register(self, username: str, password: str) -> requests.Response:
        """`POST /users/register`."""
        return self._post("/users/register", username, password)

    def log_out(self, token: str) -> requests.Response:
        """`POST /logout` with an access token. Not every server has that route."""
        headers = {"Authorization": f"Bearer {token}"}
        return self._stranger.request("POST", "/logout", headers=headers)

    def page(self, path: str) -> str:
        """The text of a page that needs no login."""
        return self._stranger.request("GET", path).text

    def show(self) -> None:
        """Print the events of the last action."""
        for event in self.log.action():
            print(f"{event.source:>6}  {describe(event)}")

    def _post(self, path: str, username: object, password: str) -> requests.Response:
        # The stranger has no session, so the client adds no token and never refreshes.
        body = {"username": username, "password": password}
        return self._stranger.request("POST", path, json=body)

    def __str__(self) -> str:
        return f"{self.name:>7}"


class WeakTarget(Target):
    """A weak server under attack.

    Args:
        clock (DemoClock): the server's clock.
    """

    def __init__(self, clock: DemoClock) -> None:
        log = EventLog(clock=clock)
        self._weak = WeakServer(clock=clock, emit=log.emitter("server"))
        super().__init__("weak", self._weak.start(), log, clock)

    def weaken(self, *weaknesses: str) -> None:
        """Give the server these weaknesses and no other.

        Args:
            weaknesses (str): names of fields of `Weaknesses`.

        Raises:
            TypeError: there is no such weakness.
        """
        self._weak.weaknesses = Weaknesses(**dict.fromkeys(weaknesses, True))


class AttackLab:
    """The three targets, weakest first. Opening a lab stops the servers of the last one.

    Args:
        clock (DemoClock): the servers' clock.
    """

    def __init__(self, clock: DemoClock) -> None:
        self._weak = WeakTarget(clock)
        self._targets = (self._weak, _open_ours("article", clock), _open_ours("rfc", clock))

    def weaken(self, *weaknesses: str) -> None:
        """Give the weak server these weaknesses and no other; none leaves a secure server."""
        self._weak.weaken(*weaknesses)

    def stop(self) -> None:
        """Stop the servers."""
        for target in self:
            target.server.stop()

    def __iter__(self) -> Iterator[Target]:
        return iter(self._targets)

    def __getitem__(self, name: str) -> Target:
        return next(target for target in self if target.name == name)

    def __repr__(self) -> str:
        return f"<AttackLab, {', '.join(target.name for target in self)}>"


def _open_ours(policy: str, clock: DemoClock) -> Target:
    log = EventLog(clock=clock)
    config = ServerConfig(policy=policy, bcrypt_cost=4)
    server = DemoServer(config, clock=clock, emit=log.emitter("server"), name=policy).start()
    return Target(policy, server, log, clock)


def verdict(answer: requests.Response) -> str:
    """A response in a few words, without its tokens: its status, and its code or message."""
    body = answer.json()
    if answer.status_code < 300:
        return f"{answer.status_code} {body.get('message', 'and tokens')}"
    return f"{answer.status_code} {body.get('error', body['message'])}"
