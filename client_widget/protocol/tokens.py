"""Tokens on the client's side: the pair, its fingerprints and its lifetime.

A client cannot verify a token, because it does not have the secret. It can read the claims,
because they are not encrypted (RFC 7519, section 1). It uses them to show a countdown and never
to decide.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, TypeGuard


def fingerprint(token: str) -> str:
    """Eight hexadecimal digits that tell tokens apart in a log that must not hold them."""
    return hashlib.sha256(token.encode(errors="replace")).hexdigest()[:8]


def is_sendable(token: str) -> bool:
    """Whether a header can carry the token unchanged: printable ASCII, not empty, no outer space.

    RFC 6750, section 2.1, allows fewer characters; other servers are not that strict.
    """
    return token.isascii() and token.isprintable() and token.strip() == token != ""


def read_claims(token: str) -> dict[str, Any]:
    """The payload of a JWT, unverified; {} if it cannot be read."""
    try:
        payload = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except (IndexError, ValueError, RecursionError):
        return {}
    return claims if isinstance(claims, dict) else {}


@dataclass(frozen=True, eq=False)
class TokenPair:
    """The two tokens of one session. A pair is immutable: a refresh makes a new one.

    Compare pairs with `is`: it answers "is this the pair that I sent, or has another call
    refreshed since?"

    Attributes:
        access (str): the access token.
        refresh (str): the refresh token.
        session (str): names the login, and is the same object in all pairs of one login, so that
            a call of one user is never retried with the tokens of the next. It is random, and no
            secret.
        received_at (float | None): when the access token arrived, in seconds since the epoch on
            the client's clock; None if unknown.
    """

    access: str = field(repr=False)
    refresh: str = field(repr=False)
    session: str = field(default_factory=lambda: secrets.token_hex(8), repr=False)
    received_at: float | None = None

    def with_access(self, access: str) -> TokenPair:
        """The pair with another access token."""
        return replace(self, access=access)

    def refreshed(
        self, access: str, refresh: str | None = None, received_at: float | None = None
    ) -> TokenPair:
        """The pair after a refresh.

        Args:
            access (str): the new access token.
            refresh (str | None): the new refresh token; without rotation the old one stays.
            received_at (float | None): as in the attribute.
        """
        return replace(
            self, access=access, refresh=refresh or self.refresh, received_at=received_at
        )

    @cached_property
    def lifetime(self) -> float | None:
        """Seconds from `iat` to `exp` of the access token; None if it lacks one of them."""
        facts = self.access_facts
        return facts["exp"] - facts["iat"] if "iat" in facts and "exp" in facts else None

    @property
    def over_at(self) -> float | None:
        """When the access token expires, in seconds since the epoch on the client's clock.

        `exp` is a time on the server's clock, and the two clocks may differ. So the lifetime is
        counted from the moment the token arrived, if that is known.
        """
        if self.received_at is None or self.lifetime is None:
            exp: float | None = self.access_facts.get("exp")
            return exp
        return self.received_at + self.lifetime

    # Facts for the log, computed once for each pair rather than for each request.

    @cached_property
    def access_facts(self) -> Mapping[str, Any]:
        """Fingerprint (`token`), `iat` and `exp` of the access token."""
        return token_facts(self.access)

    @cached_property
    def refresh_facts(self) -> Mapping[str, Any]:
        """Fingerprint (`token`), `iat` and `exp` of the refresh token."""
        return token_facts(self.refresh)

    def __repr__(self) -> str:
        return (
            f"TokenPair(access=<{fingerprint(self.access)}>, refresh=<{fingerprint(self.refresh)}>)"
        )


def token_facts(token: str) -> dict[str, Any]:
    """What a log may hold of a token: its fingerprint, and `iat` and `exp` if it has them."""
    claims = read_claims(token)
    times = {name: claims[name] for name in ("iat", "exp") if is_time(claims.get(name))}
    return {"token": fingerprint(token), **times}


def is_time(value: object) -> TypeGuard[float]:
    """Is a claim a number of seconds (RFC 7519, section 2) that can be counted with?"""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and -1e12 < value < 1e12


#: A token may be refreshed this long before it expires: 10 seconds are plenty for one request…
WINDOW_SECONDS = 10.0
#: … but at most a fifth of its lifetime: a fixed window of ten minutes would refresh a 60-second
#: token on every call.
WINDOW_SHARE = 0.2


def refresh_window(lifetime: float) -> float:
    """How many seconds before its expiry a token of that lifetime may be refreshed."""
    return min(WINDOW_SECONDS, WINDOW_SHARE * lifetime)
