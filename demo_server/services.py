"""What the server does, with no word of HTTP: register, log in, authenticate, refresh.

Each step says what happened through `emit(name, **fields)`. A field never holds a token,
a password or a hash; a token is named by its fingerprint, `iat` and `exp`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import bcrypt

from .database import UserRepository
from .errors import Refusal, TokenKind, TokenRefused, UserExists
from .tokens import TokenService, fingerprint

#: `emit(name, **fields)`: a listener for what happens inside. What it returns is ignored.
Emit: TypeAlias = Callable[..., object]


class AuthService:
    """The article's auth service and token service behind four verbs."""

    def __init__(
        self, users: UserRepository, tokens: TokenService, emit: Emit, *, bcrypt_cost: int = 10
    ) -> None:
        self._users = users
        self._tokens = tokens
        self._emit = emit
        self._bcrypt_cost = bcrypt_cost

    def register(self, username: str, password: str) -> dict[str, str]:
        """Store a new user; gives `{_id, username}`.

        Raises:
            Refusal: `user_exists`.
        """
        password_hash = bcrypt.hashpw(password.encode(), bcrypt.gensalt(self._bcrypt_cost))
        try:
            user = self._users.add(username, password_hash.decode())
        except UserExists:
            self._emit("registration.refused", username=username, reason="user_exists")
            raise Refusal("user_exists", "User already exists") from None
        self._emit("user.registered", username=username)
        return {"_id": user.id, "username": user.username}

    def login(self, username: str, password: str) -> tuple[str, str]:
        """An access token and a refresh token for a user who knows the password.

        Raises:
            Refusal: `user_unknown` or `password_wrong`.
        """
        user = self._users.find(username)
        if user is None:
            self._emit("login.refused", username=username, reason="user_unknown")
            raise Refusal("user_unknown", "user does not exist!")
        if not bcrypt.checkpw(password.encode(), user.password_hash.encode()):
            self._emit("login.refused", username=username, reason="password_wrong")
            raise Refusal("password_wrong", "Unauthorized: Wrong Password!!")
        self._emit("login.accepted", username=username)
        return self._issue("access", username), self._issue("refresh", username)

    def authenticate(self, token: str | None) -> str:
        """The username in a good access token.

        Raises:
            TokenRefused: there is none, or it is not good now.
        """
        return self._verify("access", token, missing="No bearer token came with the request")

    def refresh(self, token: str | None) -> str:
        """A new access token for a good refresh token.

        Raises:
            TokenRefused: there is none, or it is not good now.
        """
        return self._issue("access", self._verify("refresh", token, missing="token Unavailable!!"))

    def _issue(self, kind: TokenKind, username: str) -> str:
        token, claims = self._tokens.issue(kind, username)
        self._emit("token.issued", kind=kind, token=fingerprint(token), **claims)
        return token

    def _verify(self, kind: TokenKind, token: str | None, *, missing: str) -> str:
        """The username in a good token; tells the listener the verdict either way."""
        if not token:
            self._emit("token.rejected", kind=kind, reason="token_missing")
            raise TokenRefused(kind, "token_missing", missing)
        try:
            claims = self._tokens.verify(kind, token)
        except TokenRefused as refusal:
            self._emit(
                "token.rejected",
                kind=kind,
                reason=refusal.code,
                detail=refusal.message,
                token=fingerprint(token),
                **_times(refusal.claims),
            )
            raise
        self._emit(
            "token.accepted",
            kind=kind,
            token=fingerprint(token),
            username=claims["username"],
            **_times(claims),
        )
        username: str = claims["username"]
        return username


def _times(claims: Any) -> dict[str, float]:
    """`iat` and `exp`, of a token whose signature was right."""
    return {name: claims[name] for name in ("iat", "exp") if name in claims} if claims else {}
