"""A server with the weaknesses that one finds in the field, one switch for each.

Do not copy code from here: read it beside `demo_server`. Each switch is read where it does its
harm, with the mended line next to it. All switches off, and the attacks of lesson 08 fail.

It listens on loopback only, keeps its users in memory, and says what happens by the event names
of `demo_server`, so that an attack can be seen as events.
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

from client_widget.forge import sign, split
from client_widget.tokens import fingerprint
from demo_server.clock import Clock
from demo_server.server import ignore
from demo_server.wsgi import WsgiServer

from .weak_routes import Refused, correlated, create_weak_app

#: `verify(token, secret, now)` gives the claims of a good token, and raises for any other.
Verify: TypeAlias = Callable[[str, str, float], Mapping[str, Any]]

#: Lifetimes in seconds.
ACCESS_TTL, REFRESH_TTL, LONG_TTL = 60, 300, 30 * 24 * 3600

_FREE_FAILURES, _LONGEST_WAIT = 5, 300

# The running servers by name: starting one stops its namesake, as with `DemoServer`.
_running: dict[str, WeakServer] = {}
_running_lock = threading.RLock()


@dataclass(frozen=True)
class Weaknesses:
    """What is wrong with a `WeakServer`; nothing, if not given.

    Attributes:
        accepts_alg_none (bool): a token may say that it needs no signature.
        one_secret (bool): access and refresh tokens are signed with one secret.
        guessable_secret (bool): the secret of the access tokens is a word.
        tells_unknown_users (bool): a refused login says whether the name or the password is wrong.
        skips_unknown_users (bool): no password is checked for an unknown name, so the refusal
            comes early.
        no_backoff (bool): passwords can be tried without an end.
        takes_operators (bool): a username may be an operator of the database's query language.
        raw_markup (bool): the page of the members shows usernames as HTML.
        long_lived_tokens (bool): an access token is good for 30 days.
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
    """A token is not good. The message says why, and holds nothing of the token."""


class WeakServer:
    """A small token server to be attacked.

    Args:
        weaknesses (Weaknesses): may be replaced while the server runs.
        clock (Clock): gives seconds since the epoch.
        emit: `emit(name, **fields)`, told what happens inside.
        name (str): one server of a name runs at a time.
        word (str): the secret of a server whose secret is guessable.
        verify (Verify | None): checks tokens instead of the server's own code.

    Attributes:
        weaknesses (Weaknesses): what is wrong now.
        bcrypt_cost (int): rounds of the next password's hash, as a power of two.
        users: the collection of the users, by `username` and `password`, a bcrypt hash.
        app (flask.Flask): what is served.
    """

    def __init__(
        self,
        weaknesses: Weaknesses = Weaknesses(),
        *,
        clock: Clock,
        emit: Callable[..., object] = ignore,
        name: str = "weak",
        word: str = "secret",
        verify: Verify | None = None,
    ) -> None:
        self.weaknesses, self.name = weaknesses, name
        self.users: Any = mongomock.MongoClient()["weak"]["users"]
        # mongomock is not safe under threads.
        self._guard = threading.RLock()
        self.bcrypt_cost = 4
        self._clock = clock
        self._emit = correlated(emit)
        self._word, self._verify = word, verify
        self._strong = {"access": secrets.token_hex(32), "refresh": secrets.token_hex(32)}
        self._nobody = bcrypt.hashpw(secrets.token_bytes(16), bcrypt.gensalt(self.bcrypt_cost))
        self._failures: dict[str, tuple[int, float]] = {}
        self._http: WsgiServer | None = None
        self.app = create_weak_app(self)

    # Tokens

    def secret(self, kind: str) -> str:
        """The key of the tokens of a kind, "access" or "refresh"."""
        # Weak: one key for both kinds, or a word. Mended: random bytes for each kind.
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
        """The username in a good token.

        Raises:
            Refused: `token_missing` or `token_invalid`.
        """
        if not token:
            self._emit("token.rejected", kind=kind, reason="token_missing")
            raise Refused(401, "token_missing", "No token came with the request")
        verify = self._verify or self.verify
        try:
            claims = verify(token, self.secret(kind), self._clock())
            username = claims["username"]
            if not isinstance(username, str):
                raise BadToken("it names no user")
        except Exception as error:
            # The text of an error that is not ours may hold the token.
            why = str(error) if isinstance(error, BadToken) else type(error).__name__
            self._emit(
                "token.rejected",
                kind=kind,
                reason="token_invalid",
                detail=why,
                token=fingerprint(token),
            )
            raise Refused(401, "token_invalid", f"The {kind} token is not good: {why}") from None
        self._emit("token.accepted", kind=kind, token=fingerprint(token), **_shown(claims))
        return username

    def verify(self, token: str, secret: str, now: float) -> Mapping[str, Any]:
        """The claims of a token that this server takes for good.

        Raises:
            BadToken: it does not.
        """
        parts = split(token)
        try:
            header, claims = json.loads(parts.header_text), json.loads(parts.payload_text)
            algorithm, expiry = header["alg"], float(claims["exp"])
        except (ValueError, KeyError, TypeError):
            raise BadToken("it does not have the form of a token") from None
        # Weak: the token says how it is to be checked. Mended: the server knows (RFC 8725, 3.1).
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
        """Store a new user. The name is not looked at: a name is data, whatever is in it.

        Raises:
            Refused: `user_exists`.
        """
        hashed = bcrypt.hashpw(password.encode(), bcrypt.gensalt(self.bcrypt_cost)).decode()
        with self._guard:
            if self.users.find_one({"username": username}) is not None:
                raise Refused(409, "user_exists", "User already exists")
            self.users.insert_one({"username": username, "password": hashed})
        self._emit("user.registered", username=username)

    def log_in(self, username: Any, password: str) -> str:
        """The name of the user who logs in.

        Raises:
            Refused: the name or the password is wrong, or it is too soon to try again.
        """
        weak = self.weaknesses
        # Weak: what JSON brings goes into the query. Mended: a name is text.
        if not weak.takes_operators and not isinstance(username, str):
            raise Refused(400, "request_malformed", "username must be a string")
        if not weak.no_backoff:
            self._admit(str(username))
        with self._guard:
            user = self.users.find_one({"username": username})
        # Weak: an early answer. Mended: an unknown name costs the same check of a password.
        if user is not None or not weak.skips_unknown_users:
            stored = self._nobody if user is None else user["password"].encode()
            if bcrypt.checkpw(password.encode(), stored) and user is not None:
                self._failures.pop(str(username), None)
                self._emit("login.accepted", username=user["username"])
                return str(user["username"])
        reason = "user_unknown" if user is None else "password_wrong"
        self._emit("login.refused", username=str(username), reason=reason)
        # Weak: the true reason goes to whoever asks. Mended: it goes to the log.
        if weak.tells_unknown_users:
            raise Refused(401, reason, f"Refused: {reason.replace('_', ' ')}")
        raise Refused(401, "invalid_credentials", "The username or the password is wrong")

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
                refusal = Refused(429, "too_many_attempts", f"Wait {wait} s", wait)
                self._emit("login.throttled", username=username, reason=refusal.code, wait=wait)
                raise refusal
            failures += 1
            wait = 0 if failures < _FREE_FAILURES else 2 ** min(failures - _FREE_FAILURES, 9)
            self._failures[username] = (failures, now + min(wait, _LONGEST_WAIT))

    # The server

    @property
    def url(self) -> str:
        """`http://127.0.0.1:port`.

        Raises:
            RuntimeError: the server does not run.
        """
        if self._http is None:
            raise RuntimeError("The weak server does not run: call start() first")
        return f"http://127.0.0.1:{self._http.port}"

    def start(self) -> WeakServer:
        """Listen on loopback, in place of the running one of its name; gives the server."""
        with _running_lock:
            namesake = _running.get(self.name)
            if namesake is not None:
                namesake.stop()
            # No parameter for the address: nobody from elsewhere may find this server.
            self._http = WsgiServer(self.app, "127.0.0.1", 0, self.name)
            _running[self.name] = self
        return self

    def stop(self) -> None:
        """Stop within a second."""
        with _running_lock:
            if self._http is not None:
                self._http.close()
                self._http = None
                del _running[self.name]

    def __repr__(self) -> str:
        return f"<WeakServer {self.name!r}, {'stopped' if self._http is None else 'running'}>"


def _shown(claims: Mapping[str, Any]) -> dict[str, Any]:
    """The claims that an event may hold."""
    return {name: claims[name] for name in ("username", "iat", "exp") if name in claims}
