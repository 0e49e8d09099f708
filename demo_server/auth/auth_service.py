"""What a user does, independent of HTTP: register, log in, authenticate, refresh, log out.

Each action reports what happened through `emit(name, **fields)`. The fields identify a token by
its fingerprint, `iat` and `exp`; tokens, passwords and hashes stay inside.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import bcrypt

from ..clock import Clock
from ..config import ServerConfig
from ..emit import Emit
from ..errors import (
    Refusal,
    TokenKind,
    TokenRefused,
    TooManyAttempts,
    UserExists,
    malformed,
)
from ..policy import POLICIES
from ..storage.database import Database
from ..storage.users import UserRepository
from .login_backoff import Attempt, LoginThrottle
from .signed_ids import SignedIds
from .token_families import FamilyRepository
from .tokens import TokenService, fingerprint


@dataclass(frozen=True)
class Grant:
    """The tokens in a response.

    Attributes:
        access (str): a new access token.
        refresh (str | None): a new refresh token, if the client receives one.
        device (str | None): after a login, the token that the client sends with its next one, if
            the policy counts failures; see `login_backoff.py`.
        session (str): the id of their token family; "" where the policy has none.
    """

    access: str = field(repr=False)
    refresh: str | None = field(default=None, repr=False)
    device: str | None = field(default=None, repr=False)
    session: str = ""


@dataclass(frozen=True)
class Identity:
    """The user and the session that a valid token belongs to.

    Attributes:
        username (str)
        family (str): the id of the token family; "" where the policy has none.
        jti (str): the id of the token; "" where the policy has none.
        ends_at (float | None): when the session ends, in seconds since the epoch; None where the
            policy has no end.
    """

    username: str
    family: str
    jti: str
    ends_at: float | None = None


class AuthService:
    """The article's auth service, with the policy that `config` names.

    Args:
        config (ServerConfig): policy, secrets, lifetimes, the teachers' names, bcrypt's cost.
        database (Database): of mongomock or pymongo.
        clock (Clock): returns seconds since the epoch, for issuing, verifying and the back-off.
        emit: receives the events, as in `create_app`.

    Attributes:
        policy (Policy): what the article and the RFCs do differently.
    """

    def __init__(
        self, config: ServerConfig, *, database: Database, clock: Clock, emit: Emit
    ) -> None:
        self.policy = POLICIES[config.policy]
        self._users = UserRepository(database)
        lifetime = max(config.access_token_ttl, config.refresh_token_ttl)
        self._families = FamilyRepository(database, lifetime, config.session_ttl)
        self._throttle = LoginThrottle(database)
        self._devices = SignedIds(config.refresh_token_secret, "device token")
        self._tokens = TokenService(config, clock)
        self._clock = clock
        self._emit = emit
        self._config = config
        # A well-formed hash that matches no password. It is checked for unknown users, so that
        # both cases take the same time.
        self._nobody = bcrypt.gensalt(config.bcrypt_cost) + b"." * 31

    def register(self, username: str, password: str) -> dict[str, str]:
        """Store a new user and return `{_id, username}`.

        Raises:
            Refusal: `user_exists`, or `request_malformed`: the password is too short.
        """
        # Only the length: NIST SP 800-63B-3, 5.1.1.2, advises against rules about digits and
        # capitals.
        if len(password) < self.policy.min_password:
            raise malformed(
                f"The password must have at least {self.policy.min_password} characters."
            )
        password_hash = bcrypt.hashpw(password.encode(), bcrypt.gensalt(self._config.bcrypt_cost))
        try:
            if username in self._config.teachers:  # even if that account is missing
                raise UserExists(username)
            user = self._users.add(username, password_hash.decode())
        except UserExists:
            self._emit("registration.refused", username=username, reason="user_exists")
            raise Refusal("user_exists", "User already exists") from None
        self._emit("user.registered", username=username)
        return {"_id": user.id, "username": user.username}

    def login(self, username: str, password: str, device_token: str = "") -> Grant:
        """Check the password and return both tokens.

        Args:
            username (str), password (str)
            device_token (str): from an earlier login with this name, or "".

        Raises:
            TooManyAttempts: too many logins with this name failed (policy `rfc`).
            Refusal: `user_unknown` or `password_wrong`; `rfc` answers both the same way.
        """
        device = self._devices.read(username, device_token)
        attempt = self._begin_login(username, device)
        try:
            self._check_password(username, password)
        except Refusal as refusal:
            if attempt is not None:
                self._throttle.fail(attempt, self._clock())
            self._emit("login.refused", username=username, reason=refusal.code)
            raise
        if attempt is not None:
            self._throttle.succeed(attempt, self._clock())
        self._emit("login.accepted", username=username)
        if not self.policy.rotates:
            return Grant(self._issue("access", username), self._issue("refresh", username))
        now = self._clock()
        family, jti = self._families.start(username, now)
        session = Identity(username, family, jti, self._families.end_of_session(now))
        return replace(self._grant(session, jti, now), device=self._devices.issue(username, device))

    def authenticate(
        self, token: str | None, missing: str = "The request carries no bearer token"
    ) -> Identity:
        """The user and session of a valid access token.

        Args:
            token (str | None): the access token.
            missing (str): the message if there is none.

        Raises:
            TokenRefused: the token is missing or not valid now.
        """
        return self._verify("access", token, missing=missing)

    def refresh(self, token: str | None, check: Callable[[Identity], None] | None = None) -> Grant:
        """Exchange a valid refresh token for an access token and, with rotation, its successor.

        Args:
            token (str | None): the refresh token.
            check: called with the token's owner before the token is spent. If it raises, the
                token stays valid.

        Raises:
            TokenRefused: the token is missing, not valid now, or was spent before, or its session
                has reached its end.
        """
        owner = self._verify("refresh", token, missing="token Unavailable!!")
        if check is not None:
            check(owner)
        if not self.policy.rotates:
            return Grant(self._issue("access", owner.username))
        assert token is not None
        about = {"token": fingerprint(token), "family": owner.family, "username": owner.username}
        now = self._clock()
        spent = self._families.spend(owner.jti, now, self._config.refresh_grace)
        if spent is None:
            raise self._reject(
                "refresh", token, "token_invalid", "This server did not issue that refresh token"
            )
        if spent.by_us:
            self._emit("token.spent", kind="refresh", **about)
        elif spent.repeated:
            self._emit("token.repeated", kind="refresh", **about)
        else:
            self._emit("reuse.detected", **about)
            self._revoke(owner, "reuse_detected")
            raise self._reject("refresh", token, "token_spent", "The refresh token is spent")
        return self._grant(owner, spent.successor, spent.at)

    def logout(self, owner: Identity) -> None:
        """End the session that a token belongs to, on every device that shares it."""
        self._revoke(owner, "logged_out")

    def note_of(self, owner: Identity) -> str:
        """The user's note; "" until there is one."""
        user = self._users.find(owner.username)
        return user.note if user is not None else ""

    def write_note(self, owner: Identity, note: str) -> None:
        """Replace the user's note."""
        self._users.write_note(owner.username, note)
        self._emit("note.saved", username=owner.username)

    def _begin_login(self, username: str, device: str) -> Attempt | None:
        """The login as the back-off counts it; None where the policy has no back-off.

        An attempt that an error ends, such as a lost database, is given up after `LEASE` seconds.
        """
        if not self.policy.guards_login:
            return None
        try:
            return self._throttle.begin(username, self._clock(), device)
        except TooManyAttempts as refusal:
            self._emit("login.throttled", username=username, reason=refusal.code, wait=refusal.wait)
            raise

    def _check_password(self, username: str, password: str) -> None:
        user = self._users.find(username)
        if user is None:
            if self.policy.guards_login:
                # As much work as for a known user; otherwise the time would reveal who exists.
                bcrypt.checkpw(password.encode(), self._nobody)
            raise Refusal("user_unknown", "user does not exist!")
        if not bcrypt.checkpw(password.encode(), user.password_hash.encode()):
            raise Refusal("password_wrong", "Unauthorized: Wrong Password!!")

    def _revoke(self, owner: Identity, reason: str) -> None:
        if self._families.revoke(owner.family, reason):
            self._emit(
                "family.revoked", family=owner.family, username=owner.username, reason=reason
            )

    def _grant(self, session: Identity, jti: str, at: float) -> Grant:
        """Both tokens of a session: `jti` and `at` are the refresh token's id and time of issue."""
        about: dict[str, Any] = {"family": session.family, "until": session.ends_at}
        return Grant(
            self._issue("access", session.username, **about),
            self._issue("refresh", session.username, jti=jti, at=at, **about),
            session=session.family,
        )

    def _issue(
        self, kind: TokenKind, username: str, *, family: str | None = None, **options: Any
    ) -> str:
        token, claims = self._tokens.issue(kind, username, family=family, **options)
        about = {"username": username, **_times(claims)}
        if family is not None:
            about["family"] = family
        self._emit("token.issued", kind=kind, token=fingerprint(token), **about)
        return token

    def _verify(self, kind: TokenKind, token: str | None, *, missing: str) -> Identity:
        """The user and session of a valid token. Emits the verdict either way."""
        if not token:
            self._emit("token.rejected", kind=kind, reason="token_missing")
            raise TokenRefused(kind, "token_missing", missing)
        try:
            claims = self._tokens.verify(kind, token)
        except TokenRefused as refusal:
            # The last tokens of a session expire at its end, and then that is the reason. Only a
            # refresh says so: an expired access token needs no database.
            expired = refusal.code == "token_expired" and self.policy.rotates
            if expired and kind == "refresh":
                self._check_session_end(kind, token, refusal.claims)
            raise self._reject(kind, token, refusal.code, refusal.message, refusal.claims) from None
        ends_at = None
        if self.policy.rotates:
            ends_at = self._check_session_end(kind, token, claims)
            if ends_at is None:
                raise self._reject(kind, token, "token_revoked", "The session has ended", claims)
        owner = Identity(
            claims[self.policy.subject], claims.get("sid", ""), claims.get("jti", ""), ends_at
        )
        self._emit(
            "token.accepted",
            kind=kind,
            token=fingerprint(token),
            username=owner.username,
            **_times(claims),
        )
        return owner

    def _check_session_end(self, kind: TokenKind, token: str, claims: Any) -> float | None:
        """When the session of a token ends; None if it is unknown or revoked.

        Raises:
            TokenRefused: `session_expired`: that time has come.
        """
        ends_at = self._families.ends_at(claims["sid"])
        if ends_at is not None and ends_at <= self._clock():
            raise self._reject(
                kind,
                token,
                "session_expired",
                "The session has reached its end: log in again",
                claims,
            )
        return ends_at

    def _reject(
        self, kind: TokenKind, token: str, code: str, message: str, claims: Any = None
    ) -> TokenRefused:
        """Emit the refusal of a token, and return it."""
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
        """The username in the claims of a token with a valid signature."""
        name = claims.get(self.policy.subject) if claims else None
        return {"username": name} if isinstance(name, str) else {}


def _times(claims: Any) -> dict[str, float]:
    """`iat` and `exp` from the claims of a token with a valid signature."""
    return {name: claims[name] for name in ("iat", "exp") if name in claims} if claims else {}
