"""A JWK Set that is fetched when it is needed, and not more often than that."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from demo_server.clock import Clock

Jwks: TypeAlias = Mapping[str, Any]


class JwksCache:
    """The keys of an issuer, as a service remembers them.

    Args:
        fetch: returns the issuer's JWK Set.
        clock (Clock): returns seconds since the epoch.
        max_age (float): seconds after which the set is fetched again.
        cooldown (float | None): an unknown `kid` leads to a fetch if the last one is at least this
            many seconds ago. With 0 it always does; with None it never does.

    Attributes:
        fetches (int): how often the set was fetched.
    """

    def __init__(
        self,
        fetch: Callable[[], Jwks],
        clock: Clock,
        *,
        max_age: float = 300,
        cooldown: float | None = 30,
    ) -> None:
        self.fetches = 0
        self._fetch, self._clock = fetch, clock
        self._max_age, self._cooldown = max_age, cooldown
        self._keys: dict[str, Jwks] = {}
        self._fetched_at: float | None = None
        self._guard = threading.Lock()

    def key(self, kid: object) -> Jwks | None:
        """The JWK with this `kid`, or None. The `kid` is only compared, never used in a lookup.

        Raises:
            Exception: the set had to be fetched, and `fetch` failed.
        """
        with self._guard:
            too_old = self._age() >= self._max_age
            if too_old or (self._find(kid) is None and self._may_ask_again()):
                self._refresh()
            return self._find(kid)

    def _age(self) -> float:
        return float("inf") if self._fetched_at is None else self._clock() - self._fetched_at

    def _may_ask_again(self) -> bool:
        return self._cooldown is not None and self._age() >= self._cooldown

    def _find(self, kid: object) -> Jwks | None:
        return next((jwk for jwk in self._keys.values() if jwk["kid"] == kid), None)

    def _refresh(self) -> None:
        self.fetches += 1
        self._fetched_at = self._clock()  # a failed fetch counts too: it must not be repeated
        self._keys = {jwk["kid"]: jwk for jwk in self._fetch()["keys"] if "kid" in jwk}

    def __repr__(self) -> str:
        return f"<JwksCache with {', '.join(self._keys) or 'no key'}, fetched {self.fetches} times>"
