"""Two verifiers of the orders service: a careful one, and one with a switch for each weakness.

Do not copy `WeakVerifier`. Each weak line is marked, next to the fixed one. With all switches off,
it refuses the same tokens as `CarefulVerifier`.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jwt

from client_widget.protocol.jwt_by_hand import split
from demo_server.clock import Clock

from .issuer import SigningKey
from .jwks_cache import Jwks, JwksCache

#: PyJWT reads the wall clock, and the lab has its own: the times are compared here.
_UNTIMED: Any = {"require": ["exp", "sub"], "verify_exp": False, "verify_iat": False}

_AUDIENCE = "orders"


class BadToken(Exception):
    """A token is not valid. The message says why, and contains nothing of the token."""


class CarefulVerifier:
    """Verifies with the issuer's published keys, and asks the token for nothing but a name.

    Args:
        cache (JwksCache): the issuer's keys.
        clock (Clock): returns seconds since the epoch.
    """

    def __init__(self, cache: JwksCache, clock: Clock) -> None:
        self.cache, self._clock = cache, clock

    def verify(self, token: str) -> Mapping[str, Any]:
        """The claims of a valid token.

        Raises:
            BadToken: it is not valid.
        """
        jwk = self.cache.key(_header(token).get("kid"))
        if jwk is None:
            raise BadToken("no key has that kid")
        return _decoded(token, jwk, self._clock())


@dataclass(frozen=True)
class Weaknesses:
    """What is wrong with a weak verifier; by default nothing.

    Attributes:
        trusts_jwk (bool): the key may come in the token's header.
        follows_jku (bool): the token's header says where the keys are.
        kid_is_path (bool): `kid` is the name of a file that contains the key.
        kid_in_query (bool): `kid` becomes part of an SQL statement.
        alg_from_token (bool): the token's header says how the key is used.
    """

    trusts_jwk: bool = False
    follows_jku: bool = False
    kid_is_path: bool = False
    kid_in_query: bool = False
    alg_from_token: bool = False


class WeakVerifier:
    """A verifier to attack.

    Args:
        cache (JwksCache): the issuer's keys.
        clock (Clock): returns seconds since the epoch.
        fetch: returns the JWK Set at a URL.
        folder (Path): has the files `keys/` and `static/style.css`, which anyone can download.
        key (SigningKey): the issuer's, for its public key as PEM.

    Attributes:
        weaknesses (Weaknesses): what is wrong now; may be replaced at any time.
    """

    def __init__(
        self,
        cache: JwksCache,
        clock: Clock,
        *,
        fetch: Callable[[str], Jwks],
        folder: Path,
        key: SigningKey,
    ) -> None:
        self.weaknesses = Weaknesses()
        self._cache, self._clock, self._fetch, self._folder = cache, clock, fetch, folder
        self._pem = key.pem()
        self._rows = [(key.kid, json.dumps(key.jwk()))]

    def verify(self, token: str) -> Mapping[str, Any]:
        """The claims of a token that this verifier accepts.

        Raises:
            BadToken: it does not accept it.
        """
        weak, header = self.weaknesses, _header(token)
        kid = header.get("kid")
        # Weak: the token brings its key. Fixed: the key was there before the token.
        if weak.trusts_jwk and "jwk" in header:
            return _decoded(token, header["jwk"], self._clock())
        # Weak: the token says where the keys are. Fixed: the service's configuration does.
        if weak.follows_jku and "jku" in header:
            keys = {jwk["kid"]: jwk for jwk in self._fetch(header["jku"])["keys"]}
            return _decoded(token, keys[kid], self._clock())
        # Weak: a name from outside becomes a path. Fixed: it is compared with known names.
        if weak.kid_is_path and (self._folder / "keys" / str(kid)).is_file():
            secret = (self._folder / "keys" / str(kid)).read_bytes()
            return _by_hmac(token, secret, self._clock())
        # Weak: a name from outside becomes SQL. Fixed: it is compared, or passed as a parameter.
        if weak.kid_in_query:
            return _decoded(token, self._select(str(kid)), self._clock())
        # Weak: the token says how the key is used. Fixed: the key does (RFC 8725, section 3.1).
        if weak.alg_from_token and header.get("alg") == "HS256":
            return _by_hmac(token, self._pem, self._clock())
        return CarefulVerifier(self._cache, self._clock).verify(token)

    def _select(self, kid: str) -> Jwks:
        database = sqlite3.connect(":memory:")  # for one thread, so it is made for each request
        try:
            database.execute("CREATE TABLE keys (kid TEXT, jwk TEXT)")
            database.executemany("INSERT INTO keys VALUES (?, ?)", self._rows)
            row = database.execute(f"SELECT jwk FROM keys WHERE kid = '{kid}'").fetchone()
        except sqlite3.Error:
            raise BadToken("the query failed") from None
        finally:
            database.close()
        if row is None:
            raise BadToken("no key has that kid")
        return dict(json.loads(row[0]))


def _header(token: str) -> dict[str, Any]:
    try:
        header = json.loads(split(token).header_text)
    except ValueError:
        header = None
    if not isinstance(header, dict):
        raise BadToken("it does not have the form of a token")
    return header


def _decoded(token: str, jwk: Jwks, now: float) -> Mapping[str, Any]:
    """The claims, if this key verifies the token with the key's own algorithm."""
    try:
        key = jwt.PyJWK(dict(jwk))
        claims = jwt.decode(
            token, key, algorithms=[key.algorithm_name], audience=_AUDIENCE, options=_UNTIMED
        )
    except jwt.PyJWTError as error:
        raise BadToken(type(error).__name__) from None
    return _in_time(claims, now)


def _by_hmac(token: str, secret: bytes, now: float) -> Mapping[str, Any]:
    """The claims, if this secret signed the token with HS256."""
    signed, _, signature = token.rpartition(".")
    mac = hmac.new(secret, signed.encode(), hashlib.sha256).digest()
    if not hmac.compare_digest(jwt.utils.base64url_encode(mac), signature.encode()):
        raise BadToken("InvalidSignatureError")
    return _in_time(json.loads(split(token).payload_text), now)


def _in_time(claims: Mapping[str, Any], now: float) -> Mapping[str, Any]:
    if now >= claims["exp"]:
        raise BadToken("ExpiredSignatureError")
    return claims
