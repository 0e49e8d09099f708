"""Three verifiers to attack, all of them ours: a weak one, a careful one, and the lab's server.

    lab = KeyLab(clock)
    lab.weaken("trusts_jwk")
    for target in lab:
        print(target, verdict(target.ask(target.token("mallory"))))

The weak and the careful one are orders services that verify the tokens of one issuer. The third is
`demo_server` with the `rfc` policy, which verifies its own tokens with HS256.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import requests

from client_widget import AuthClient, EventLog, describe
from demo_server import DemoClock, DemoServer, ServerConfig
from demo_server.serving.registry import Stoppable

from .issuer import Issuer, SigningKey
from .jwks_cache import JwksCache
from .services import JwksService, OrdersService, fetch_jwks
from .verifiers import CarefulVerifier, Weaknesses, WeakVerifier

#: A file that the weak service lets everyone download.
STYLE = b"body { color: #1f2328; }\n"

_PASSWORD = "mallory's own pass phrase"


class Target:
    """A service under attack.

    Args:
        name (str): such as "weak".
        issue: returns a valid token of a user.
        ask: sends any token, and returns the response.
    """

    def __init__(
        self, name: str, issue: Callable[[str], str], ask: Callable[[str], requests.Response]
    ) -> None:
        self.name, self.token, self.ask = name, issue, ask

    def __str__(self) -> str:
        return f"{self.name:>7}"


class KeyLab:
    """An issuer, and the three targets, weakest first.

    Args:
        clock (DemoClock): of all services.

    Attributes:
        key (SigningKey): the issuer's; the attacker knows its public half.
        issuer (Issuer), jwks (JwksService): they publish and sign.
        style (bytes): what everyone can download from the weak service.
    """

    style = STYLE

    def __init__(self, clock: DemoClock) -> None:
        self.key = SigningKey.generate("key-1")
        self.issuer = Issuer(self.key, clock=clock)
        self.jwks = JwksService(self.issuer).start()
        self._folder = TemporaryDirectory()
        self._weak = self._weak_verifier(clock, Path(self._folder.name))
        careful = CarefulVerifier(self._cache(clock), clock)
        services = {
            "weak": OrdersService(self._weak.verify, "weak orders").start(),
            "careful": OrdersService(careful.verify, "careful orders").start(),
        }
        self._log = EventLog(clock=clock)
        config = ServerConfig(policy="rfc", bcrypt_cost=4)
        emit = self._log.emitter("server")
        self._rfc = DemoServer(config, clock=clock, emit=emit, name="rfc for keys").start()
        self._client = AuthClient(self._rfc.url, log=self._log, clock=clock)
        self._client.register("mallory", _PASSWORD)
        self._services: list[Stoppable] = [*services.values(), self.jwks, self._rfc]
        self._targets = (
            *(Target(name, self.issuer.issue, each.ask) for name, each in services.items()),
            Target("rfc", self._rfc_token, self._client.probe),
        )

    def weaken(self, *weaknesses: str) -> None:
        """Give the weak verifier these weaknesses and no other.

        Raises:
            TypeError: there is no such weakness.
        """
        self._weak.weaknesses = Weaknesses(**dict.fromkeys(weaknesses, True))

    def said(self) -> str:
        """Why the `rfc` server refused the last token, from its log."""
        return [describe(event) for event in self._log if event.name == "token.rejected"][-1]

    def stop(self) -> None:
        """Stop all services."""
        for service in self._services:
            service.stop()
        self._folder.cleanup()

    def _cache(self, clock: DemoClock) -> JwksCache:
        return JwksCache(lambda: fetch_jwks(self.jwks.jwks_url), clock)

    def _weak_verifier(self, clock: DemoClock, folder: Path) -> WeakVerifier:
        for name in ("keys", "static"):
            (folder / name).mkdir()
        (folder / "static" / "style.css").write_bytes(STYLE)
        cache = self._cache(clock)
        return WeakVerifier(cache, clock, fetch=fetch_jwks, folder=folder, key=self.key)

    def _rfc_token(self, username: str) -> str:
        return str(self._client.login(username, _PASSWORD)["accessToken"])

    def __iter__(self) -> Iterator[Target]:
        return iter(self._targets)

    def __getitem__(self, name: str) -> Target:
        return next(target for target in self._targets if target.name == name)

    def __repr__(self) -> str:
        return f"<KeyLab, {', '.join(target.name for target in self)}>"


def verdict(answer: requests.Response) -> str:
    """A response in a few words."""
    body = answer.json()
    return f"{answer.status_code} {body['message' if answer.ok else 'error']}"
