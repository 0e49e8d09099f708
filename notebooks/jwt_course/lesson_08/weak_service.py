"""The weaknesses that one finds in real servers, one switch for each.

Do not copy code from here: read it next to `demo_server`. Each switch is read where it does its
harm, next to the fixed line. With all switches off, the attacks of lesson 08 fail.

Users are kept in memory. Events have the names of `demo_server`'s, so an attack shows up as
events.
"""

from __future__ import annotations

import hmac
import json
import math
import secrets
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import bcrypt
import mongomock

from client_widget.protocol.jwt_by_hand import sign, split
from client_widget.protocol.tokens import fingerprint
from demo_server.clock import Clock
from demo_server.errors import Refusal, TooManyAttempts

#: `verify(token, secret, now)` returns the claims of a valid token, and raises for any other.
Verify: TypeAlias = Callable[[str, str, float], Mapping[str, Any]]

#: Lifetimes in seconds: those of `demo_server`, and a month for `long_lived_tokens`.
ACCESS_TTL, REFRESH_TTL, LONG_TTL = 60, 300, 30 * 24 * 3600

#: The back-off of `demo_server`: five free failures, then waits that double, up to five minutes.
_FREE_FAILURES, _LONGEST_WAIT = 5, 300

#: bcrypt's lowest cost, so that a lesson does not wait for it.
_BCRYPT_COST = 4


@dataclass(frozen=True)
class Weaknesses:
    """What is wrong with a weak server; by default nothing.

    Attributes:
        accepts_alg_none (bool): a token may declare that it needs no signature.
        one_secret (bool): access and refresh tokens are signed with one secret.
        guessable_secret (bool): the secret of the access tokens is a word.
        tells_unknown_users (bool): a refused login says whether the name or the password was wrong.
        skips_unknown_users (bool): no password is checked for an unknown name, so the refusal
            comes early (a timing leak).
        no_backoff (bool): passwords can be guessed without limit (brute force).
        takes_operators (bool): a username may be a query operator (NoSQL injection).
        raw_markup (bool): the members' page shows usernames as HTML (XSS).
        long_lived_tokens (bool): an access token is valid for 30 days.
    """

    accepts_alg_none: bool = False
    one_secret: bool = False
    guessable_secret: bool = False
    tells_unknown_users: bool = False
    skips_unknown_users: bool = False
    no_backoff: bool = False
    takes_operators: bool = False
    raw_markup: bool = False
    long_lived_tokens: bool = False


class BadToken(Exception):
    """A token is not valid. The message says why, and contains nothing of the token."""


class WeakService:
    """Tokens and users, with the weaknesses that are switched on.

    Args:
        weaknesses (Weaknesses): may be replaced at any time.
        clock (Clock): returns seconds since the epoch.
        emit: `emit(name, **fields)`, called for each event.
        word (str): the secret, if the secret is guessable.
        verify (Verify | None): checks tokens in place of the server's own code.

    Attributes:
        weaknesses (Weaknesses): what is wrong now.
        bcrypt_cost (int): rounds of the next password's hash, as a power of two.
        users: the collection of the users, with `username` and `password`, a bcrypt hash.
    """

    def __init__(
        self,
        weaknesses: Weaknesses,
        *,
        clock: Clock,
        emit: Callable[..., object],
        word: str,
        verify: Verify | None,
    ) -> None:
        self.weaknesses = weaknesses
        self.bcrypt_cost = _BCRYPT_COST
        self.users: Any = mongomock.MongoClient()["weak"]["users"]
        self._guard = threading.RLock()  # mongomock is not thread-safe
        self._clock, self._emit = clock, emit
        self._word, self._verify = word, verify
        self._strong = {"access": secrets.token_hex(32), "refresh": secrets.token_hex(32)}
        # In hexadecimal digits: in a browser tab, bcrypt takes text only.
        word_of_nobody = secrets.token_hex(16).encode()
        self._nobody = bcrypt.hashpw(word_of_nobody, bcrypt.gensalt(self.bcrypt_cost))
        self._failures: dict[str, tuple[int, float]] = {}

    # Tokens

    def secret(self, kind: str) -> str:
        """The key of the tokens of a kind, "access" or "refresh"."""
        # Weak: one key for both kinds, or a word. Fixed: random bytes for each kind.
        if kind == "access" or self.weaknesses.one_secret:
            return self._word if self.weaknesses.guessable_secret else self._strong["access"]
        return self._strong["refresh"]

    def issue(self, kind: str, username: str) -> str:
        """A new token."""
        now = int(self._clock())
        short = LONG_TTL if self.weaknesses.long_lived_tokens else ACCESS_TTL
        lifetime = short if kind == "access" else REFRESH_TTL
        claims = {"username": username, "typ": kind, "iat": now, "exp": now + lifetime}
        header = '{"alg":"HS256","typ":"JWT"}'
        token = sign(header, json.dumps(claims), self.secret(kind))
        self._emit("token.issued", kind=kind, token=fingerprint(token), **_shown(claims))
        return token

    def authenticate(self, kind: str, token: str) -> str:
        """The username in a valid token.

        Raises:
            Refusal: `token_missing` or `token_invalid`.
        """
        if not token:
            self._emit("token.rejected", kind=kind, reason="token_missing")
            raise Refusal("token_missing", "No token came with the request")
        verify = self._verify or self.verify
        try:
            claims = verify(token, self.secret(kind), self._clock())
            username = claims["username"]
            if not isinstance(username, str):
                raise BadToken("it names no user")
        except Exception as error:
            # The message of an error that is not ours may contain the token.
            why = str(error) if isinstance(error, BadToken) else type(error).__name__
            self._emit(
                "token.rejected",
                kind=kind,
                reason="token_invalid",
                detail=why,
                token=fingerprint(token),
            )
            raise Refusal("token_invalid", f"The {kind} token is not valid: {why}") from None
        self._emit("token.accepted", kind=kind, token=fingerprint(token), **_shown(claims))
        return username

    def verify(self, token: str, secret: str, now: float) -> Mapping[str, Any]:
        """The claims of a token that this server accepts.

        Raises:
            BadToken: it does not accept it.
        """
        parts = split(token)
        try:
            header, claims = json.loads(parts.header_text), json.loads(parts.payload_text)
            algorithm, expiry = header["alg"], float(claims["exp"])
        except (ValueError, KeyError, TypeError):
            raise BadToken("it does not have the form of a token") from None
        # Weak: the token says how to check it. Fixed: the server knows (RFC 8725, 3.1).
        if not (self.weaknesses.accepts_alg_none and algorithm == "none"):
            if algorithm != "HS256":
                raise BadToken("its algorithm is not HS256")
            signed_here = sign(parts.header_text, parts.payload_text, secret)
            if not hmac.compare_digest(signed_here.encode(), token.encode()):
                raise BadToken("its signature is not that of this server")
        if now >= expiry:
            raise BadToken("it has expired")
        return dict(claims)

    # Users

    def register(self, username: str, password: str) -> None:
        """Store a new user. A name is data, so it is stored unchecked.

        Raises:
            Refusal: `user_exists`.
        """
        hashed = bcrypt.hashpw(password.encode(), bcrypt.gensalt(self.bcrypt_cost)).decode()
        with self._guard:
            if self.users.find_one({"username": username}) is not None:
                raise Refusal("user_exists", "User already exists")
            self.users.insert_one({"username": username, "password": hashed})
        self._emit("user.registered", username=username)

    def log_in(self, username: Any, password: str) -> str:
        """The name of the user who logs in.

        Raises:
            Refusal: the name or the password is wrong, or it is too soon to try again.
        """
        weak = self.weaknesses
        # Weak: any JSON goes into the query. Fixed: a name must be text.
        if not weak.takes_operators and not isinstance(username, str):
            raise Refusal("request_malformed", "username must be a string")
        if not weak.no_backoff:
            self._admit(str(username))
        with self._guard:
            user = self.users.find_one({"username": username})
        # Weak: an early refusal. Fixed: an unknown name costs the same password check.
        if user is not None or not weak.skips_unknown_users:
            stored = self._nobody if user is None else user["password"].encode()
            if bcrypt.checkpw(password.encode(), stored) and user is not None:
                self._failures.pop(str(username), None)
                self._emit("login.accepted", username=user["username"])
                return str(user["username"])
        reason = "user_unknown" if user is None else "password_wrong"
        self._emit("login.refused", username=str(username), reason=reason)
        # Weak: the caller learns the true reason. Fixed: only the log does.
        if weak.tells_unknown_users:
            raise Refusal(reason, f"Refused: {reason.replace('_', ' ')}")
        raise Refusal("invalid_credentials", "The username or the password is wrong")

    def usernames(self) -> list[str]:
        """The names of all users, in the order of their registration."""
        with self._guard:
            return [user["username"] for user in self.users.find()]

    def _admit(self, username: str) -> None:
        """Count an attempt, or refuse it: five are free, then each doubles the wait."""
        now = self._clock()
        with self._guard:
            failures, until = self._failures.get(username, (0, now))
            if until > now:
                wait = math.ceil(until - now)
                refusal = TooManyAttempts(wait)
                self._emit("login.throttled", username=username, reason=refusal.code, wait=wait)
                raise refusal
            failures += 1
            wait = 0 if failures < _FREE_FAILURES else 2 ** min(failures - _FREE_FAILURES, 9)
            self._failures[username] = (failures, now + min(wait, _LONGEST_WAIT))


def _shown(claims: Mapping[str, Any]) -> dict[str, Any]:
    """The claims that an event may contain."""
    return {name: claims[name] for name in ("username", "iat", "exp") if name in claims}
