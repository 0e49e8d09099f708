"""What the server does, with no word of HTTP: register, log in, authenticate, refresh.

Each step says what happened through `emit(name, **fields)`. A field never holds a token,
a password or a hash; a token is named by its fingerprint, `iat` and `exp`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import bcrypt

from .class_log import ClassEvents
from .clock import Clock
from .config import ServerConfig
from .database import Database
from .emit import Emit
from .errors import Refusal, TokenKind, TokenRefused, TooManyAttempts, UserExists
from .login_backoff import LoginThrottle
from .policy import POLICIES
from .token_families import FamilyRepository
from .tokens import TokenService, fingerprint
from .users import UserRepository


@dataclass(frozen=True)
class Grant:
    """The tokens of an answer.

    Attributes:
        access (str): a new access token.
        refresh (str | None): a new refresh token, where the client is to have one.
    """

    access: str = field(repr=False)
    refresh: str | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Identity:
    """Who a good token speaks for.

    Attributes:
        username (str)
        family (str): the id of the token family; "" where the policy has none.
        jti (str): the id of the token; "" where the policy has none.
    """

    username: str
    family: str
    jti: str


class AuthService:
    """The article's auth service and token service, by the policy of `config`."""

    def __init__(
        self, config: ServerConfig, *, database: Database, clock: Clock, emit: Emit
    ) -> None:
        self.policy = POLICIES[config.policy]
        self._users = UserRepository(database)
        lifetime = max(config.access_token_ttl, config.refresh_token_ttl)
        self._families = FamilyRepository(database, lifetime)
        self._throttle = LoginThrottle(database)
        self.class_log = ClassEvents(database) if config.class_log else None
        self._tokens = TokenService(config, clock)
        self._clock = clock
        self._emit = emit
        self._config = config
        # In the form of a hash, but that of no password: checked for a user who is not there.
        self._nobody = bcrypt.gensalt(config.bcrypt_cost) + b"." * 31

    def register(self, username: str, password: str) -> dict[str, str]:
        """Store a new user; gives `{_id, username}`.

        Raises:
            Refusal: `user_exists`.
        """
        password_hash = bcrypt.hashpw(password.encode(), bcrypt.gensalt(self._config.bcrypt_cost))
        try:
            user = self._users.add(username, password_hash.decode())
        except UserExists:
            self._emit("registration.refused", username=username, reason="user_exists")
            raise Refusal("user_exists", "User already exists") from None
        self._emit("user.registered", username=username)
        return {"_id": user.id, "username": user.username}

    def login(self, username: str, password: str) -> Grant:
        """Both tokens for a user who knows the password.

        Raises:
            TooManyAttempts: the policy makes this name wait.
            Refusal: `user_unknown` or `password_wrong`; the policy may answer both alike.
        """
        if self.policy.guards_login:
            wait = self._throttle.admit(username, self._clock())
            if wait:
                refusal = TooManyAttempts(wait)
                self._emit("login.throttled", username=username, reason=refusal.code, wait=wait)
                raise refusal
        try:
            self._check_password(username, password)
        except Refusal as refusal:
            self._emit("login.refused", username=username, reason=refusal.code)
            raise
        if self.policy.guards_login:
            self._throttle.forget(username)
        self._emit("login.accepted", username=username)
        family = jti = None
        if self.policy.rotates:
            family, jti = self._families.start(username, self._clock())
        return Grant(
            self._issue("access", username, family=family),
            self._issue("refresh", username, family=family, jti=jti),
        )

    def authenticate(self, token: str | None) -> Identity:
        """Who a good access token speaks for.

        Raises:
            TokenRefused: there is none, or it is not good now.
        """
        return self._verify("access", token, missing="No bearer token came with the request")

    def refresh(self, token: str | None) -> Grant:
        """A new access token for a good refresh token, and its successor if the policy rotates.

        Raises:
            TokenRefused: there is none, or it is not good now.
        """
        owner = self._verify("refresh", token, missing="token Unavailable!!")
        if not self.policy.rotates:
            return Grant(self._issue("access", owner.username))
        assert token is not None
        about = {"token": fingerprint(token), "family": owner.family, "username": owner.username}
        now = self._clock()
        spent = self._families.spend(owner.jti, now)
        if spent is None:
            raise self._reject(
                "refresh", token, "token_invalid", "No such refresh token was issued"
            )
        if spent.by_us:
            self._emit("token.spent", kind="refresh", **about)
        elif self._config.refresh_grace and now - spent.at < self._config.refresh_grace:
            self._emit("token.repeated", kind="refresh", **about)
        else:
            self._emit("reuse.detected", **about)
            self._revoke(owner, "reuse_detected")
            raise self._reject("refresh", token, "token_spent", "The refresh token is spent")
        return Grant(
            self._issue("access", owner.username, family=owner.family),
            self._issue(
                "refresh", owner.username, family=owner.family, jti=spent.successor, at=spent.at
            ),
        )

    def logout(self, owner: Identity) -> None:
        """End the session that a token belongs to, on all devices that share it."""
        self._revoke(owner, "logged_out")

    def class_list(self, owner: Identity) -> list[str]:
        """The names of all users, for a teacher.

        Raises:
            Refusal: `insufficient_scope`: the user is known, but no teacher.
        """
        if owner.username not in self._config.teachers:
            raise Refusal("insufficient_scope", "Only a teacher may read this")
        return self._users.names()

    def class_events(self, owner: Identity, after: int) -> tuple[list[dict[str, Any]], int]:
        """What happened after the cursor `after`: for a teacher to all users, else to the owner."""
        assert self.class_log is not None
        teacher = owner.username in self._config.teachers
        return self.class_log.read(after, None if teacher else owner.username)

    def _check_password(self, username: str, password: str) -> None:
        user = self._users.find(username)
        if user is None:
            if self.policy.guards_login:
                # The work that a known user costs, or the time would tell the two apart.
                bcrypt.checkpw(password.encode(), self._nobody)
            raise Refusal("user_unknown", "user does not exist!")
        if not bcrypt.checkpw(password.encode(), user.password_hash.encode()):
            raise Refusal("password_wrong", "Unauthorized: Wrong Password!!")

    def _revoke(self, owner: Identity, reason: str) -> None:
        if self._families.revoke(owner.family, reason):
            self._emit(
                "family.revoked", family=owner.family, username=owner.username, reason=reason
            )

    def _issue(
        self,
        kind: TokenKind,
        username: str,
        *,
        family: str | None = None,
        jti: str | None = None,
        at: float | None = None,
    ) -> str:
        token, claims = self._tokens.issue(kind, username, family=family, jti=jti, at=at)
        about = {"username": username, **_times(claims)}
        if family is not None:
            about["family"] = family
        self._emit("token.issued", kind=kind, token=fingerprint(token), **about)
        return token

    def _verify(self, kind: TokenKind, token: str | None, *, missing: str) -> Identity:
        """Who a good token speaks for; tells the listener the verdict either way."""
        if not token:
            self._emit("token.rejected", kind=kind, reason="token_missing")
            raise TokenRefused(kind, "token_missing", missing)
        try:
            claims = self._tokens.verify(kind, token)
        except TokenRefused as refusal:
            raise self._reject(kind, token, refusal.code, refusal.message, refusal.claims) from None
        owner = Identity(claims[self.policy.subject], claims.get("sid", ""), claims.get("jti", ""))
        if self.policy.rotates and not self._families.is_live(owner.family):
            raise self._reject(kind, token, "token_revoked", "The session was ended", claims)
        self._emit(
            "token.accepted",
            kind=kind,
            token=fingerprint(token),
            username=owner.username,
            **_times(claims),
        )
        return owner

    def _reject(
        self, kind: TokenKind, token: str, code: str, message: str, claims: Any = None
    ) -> TokenRefused:
        """The refusal of a token, of which the listener has been told."""
        self._emit(
            "token.rejected",
            kind=kind,
            reason=code,
            detail=message,
            token=fingerprint(token),
            **self._owner(claims),
            **_times(claims),
        )
        return TokenRefused(kind, code, message, claims)

    def _owner(self, claims: Any) -> dict[str, str]:
        """Of a token whose signature was right, the user whom it names."""
        name = claims.get(self.policy.subject) if claims else None
        return {"username": name} if isinstance(name, str) else {}


def _times(claims: Any) -> dict[str, float]:
    """`iat` and `exp`, of a token whose signature was right."""
    return {name: claims[name] for name in ("iat", "exp") if name in claims} if claims else {}
