"""Issue and verify tokens; both use the injected clock.

A token is a JWT (RFC 7519) signed with HS256 (RFC 7518, section 3.2). With the article's policy it
has the claims `username`, `iat` and `exp`, written as Node's jsonwebtoken writes them, so each
side accepts the other's tokens if they share the secret. Access and refresh tokens differ only in
their secret and lifetime, so a refresh token sent as an access token fails on its signature.

With the policy "rfc" a token also names its issuer (`iss`), audience (`aud`), session (`sid`) and
id (`jti`). Its header names its type, `typ` (RFC 9068, section 2.1), so no other kind of JWT passes
for it. The server checks each of them (RFC 8725, sections 3.8 to 3.12).

The checks run in this order: form, algorithm and signature, claims. Unverified claims are never
reported. An access token comes with every request until it expires, so the server remembers the
ones that passed, and from then on checks only their times.
"""

from __future__ import annotations

import hashlib
import math
import re
import secrets
from collections.abc import Mapping
from functools import lru_cache, partial
from typing import Any

import jwt

from ..clock import Clock
from ..config import ServerConfig
from ..errors import TokenKind, TokenRefused
from ..policy import POLICIES

ALGORITHM = "HS256"

#: The claims `iss` and `aud`: this server issues tokens for itself.
ISSUER = AUDIENCE = "demo_server"

#: Seconds of leeway for a token from the future: the clocks of two machines differ, and a wrong
#: clock is set back (RFC 7519, section 4.1.5). Expiry has no leeway here, because lessons count
#: its seconds.
EARLY_LEEWAY = 10

#: Access tokens that a server remembers as its own. The one that was used longest ago is forgotten
#: first, and is then checked in full again.
REMEMBERED = 1024

_PINNED = ("iss", "aud", "jti", "sid")

#: The header `typ` by kind, if the policy pins it. RFC 9068 registers the type of access tokens; no
#: RFC has one for refresh tokens, because only the server that issues them reads them.
_TYPES: Mapping[TokenKind, str] = {"access": "at+jwt", "refresh": "rt+jwt"}

# 32 bytes are 42 characters of base64url and four bits, so the last two bits of the 43rd character
# are unused. Decoders ignore them, and padding as well, so one signature has many spellings. RFC
# 7515, section 2, has one: no padding, and unused bits are zero (RFC 4648, section 3.5). Header and
# payload are signed as text, so they have one spelling anyway.
_SIGNATURE = re.compile(r"[\w-]{42}[AEIMQUYcgkosw048]", re.ASCII)


def fingerprint(token: str) -> str:
    """Eight hexadecimal digits that let a log tell tokens apart without storing them."""
    return hashlib.sha256(token.encode(errors="replace")).hexdigest()[:8]


class TokenService:
    """Issues and verifies the tokens of one server.

    Args:
        config (ServerConfig): the secrets, the lifetimes and the policy.
        clock (Clock): returns seconds since the epoch.
    """

    def __init__(self, config: ServerConfig, clock: Clock) -> None:
        self._clock = clock
        self._secrets: dict[TokenKind, str] = {
            "access": config.access_token_secret,
            "refresh": config.refresh_token_secret,
        }
        self._lifetimes: dict[TokenKind, int] = {
            "access": config.access_token_ttl,
            "refresh": config.refresh_token_ttl,
        }
        policy = POLICIES[config.policy]
        self._subject = policy.subject
        self._pins_claims = policy.pins_claims
        # PyJWT always reads the wall clock. It checks form, algorithm, signature and required
        # claims; `_check_times` checks the times by the same rules on the injected clock.
        self._checks: dict[str, Any] = {
            "algorithms": [ALGORITHM],
            "options": {
                "require": ["exp", self._subject, *(_PINNED if self._pins_claims else ())],
                "verify_exp": False,
                "verify_iat": False,
                "verify_nbf": False,
            },
        }
        if self._pins_claims:
            self._checks.update(audience=AUDIENCE, issuer=ISSUER)
        # A signature that is valid stays valid, and checking it is nearly half of a request to
        # /home. lru_cache keeps no exceptions, so a forged token is never in it and displaces
        # nothing.
        self._decode_access = lru_cache(REMEMBERED)(partial(self._decode, "access"))

    def issue(
        self,
        kind: TokenKind,
        username: str,
        *,
        family: str | None = None,
        jti: str | None = None,
        at: float | None = None,
        until: float | None = None,
    ) -> tuple[str, dict[str, Any]]:
        """A token for `username`, and its claims (`iat`, `exp`: seconds since the epoch).

        Args:
            kind ("access" | "refresh"): the token's type.
            username (str): its owner.
            family (str | None): the id of the token family, if the policy pins claims.
            jti (str | None): the id of the token; a new one by default.
            at (float | None): when it is issued, in seconds since the epoch; now by default.
                The same arguments return the same token.
            until (float | None): when its session ends; the token expires then at the latest.
        """
        issued_at = int(self._clock() if at is None else at)
        claims: dict[str, Any] = {
            self._subject: username,
            "iat": issued_at,
            "exp": issued_at + self._lifetimes[kind],
        }
        if until is not None:
            claims["exp"] = min(claims["exp"], int(until))
        headers = None
        if self._pins_claims:
            headers = {"typ": _TYPES[kind]}
            claims.update(iss=ISSUER, aud=AUDIENCE, jti=jti or secrets.token_hex(16), sid=family)
        token = jwt.encode(claims, self._secrets[kind], algorithm=ALGORITHM, headers=headers)
        return token, claims

    def verify(self, kind: TokenKind, token: str) -> dict[str, Any]:
        """The claims of a token that is valid now.

        Raises:
            TokenRefused: `token_malformed`, `token_invalid`, `token_expired` or
                `token_not_yet_valid`.
        """
        decoded = self._decode_access(token) if kind == "access" else self._decode(kind, token)
        claims = dict(decoded)  # the caller's own
        self._check_times(kind, claims)
        return claims

    def _decode(self, kind: TokenKind, token: str) -> Mapping[str, Any]:
        """The claims of a token that this server has issued, whatever the time is.

        Raises:
            TokenRefused: `token_malformed` or `token_invalid`.
        """
        try:
            parts = jwt.decode_complete(token, self._secrets[kind], **self._checks)
        except jwt.InvalidSignatureError:
            raise TokenRefused(
                kind,
                "token_invalid",
                f"The signature does not match this server's key for {kind} tokens",
            ) from None
        except (jwt.DecodeError, UnicodeEncodeError):  # JSON can spell half of a surrogate pair
            raise TokenRefused(
                kind,
                "token_malformed",
                "The token is not a JWT of three base64url parts",
            ) from None
        except jwt.InvalidAlgorithmError:
            raise TokenRefused(
                kind, "token_invalid", f"The token is not signed with {ALGORITHM}"
            ) from None
        except jwt.MissingRequiredClaimError as error:
            raise TokenRefused(
                kind, "token_invalid", f"The token has no claim {error.claim}"
            ) from None
        except (jwt.InvalidTokenError, RecursionError):
            raise TokenRefused(kind, "token_invalid", "A claim in the token is wrong") from None
        if not _SIGNATURE.fullmatch(token.rpartition(".")[2]):
            raise TokenRefused(
                kind, "token_malformed", "The token's signature is not spelled as base64url"
            )
        claims: Mapping[str, Any] = parts["payload"]
        username = claims[self._subject]
        if not _is_text(username):
            raise TokenRefused(
                kind, "token_invalid", f"The claim {self._subject} is not a username"
            )
        if self._pins_claims and parts["header"].get("typ") != _TYPES[kind]:
            raise TokenRefused(kind, "token_invalid", f"The token's type is not {_TYPES[kind]}")
        if self._pins_claims and not (_is_text(claims["sid"]) and _is_text(claims["jti"])):
            raise TokenRefused(kind, "token_invalid", "The token belongs to no session")
        return claims

    def _check_times(self, kind: TokenKind, claims: Mapping[str, Any]) -> None:
        """RFC 7519, section 4.1.4: a token has expired *at* the second of `exp`, not after it."""
        now = self._clock()
        for name in ("exp", "iat", "nbf"):
            if name in claims and not _is_number(claims[name]):
                raise TokenRefused(
                    kind, "token_invalid", f"The claim {name} is not a number of seconds"
                )
        for name in ("iat", "nbf"):
            if name in claims and int(claims[name]) > now + EARLY_LEEWAY:
                raise TokenRefused(
                    kind, "token_not_yet_valid", f"The {kind} token is not valid yet", claims
                )
        if int(claims["exp"]) <= now:
            raise TokenRefused(kind, "token_expired", f"The {kind} token has expired", claims)


def _is_text(value: object) -> bool:
    """Not empty, and Unicode: JSON can spell half of a surrogate pair, which no database takes."""
    if not isinstance(value, str) or not value:
        return False
    try:
        return bool(value.encode())
    except UnicodeEncodeError:
        return False


def _is_number(value: object) -> bool:
    if isinstance(value, float):
        return math.isfinite(value)
    return isinstance(value, int) and not isinstance(value, bool)
