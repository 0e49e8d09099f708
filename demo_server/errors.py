"""The server's errors.

DemoServerError
├── ConfigError       a setting is wrong; the message says which one and what to write
├── UserExists        the database holds that username already
└── Refusal           a request is refused; the answer says why
    ├── TokenRefused         because of its token, or for want of one
    ├── TooManyAttempts      because of too many logins that failed
    └── DatabaseUnavailable  because the database is away

`Refusal.code` says why, and the server's policy how it is answered: the article's with that
code and the status that belongs to it in one table, `STATUS`; see `policy.py` for the other.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

TokenKind = Literal["access", "refresh"]

#: The article's status for each reason to refuse. A refused refresh is 403 here; the
#: article answers 500, as if the server were broken.
STATUS: dict[str, int] = {
    "request_malformed": 400,
    "user_exists": 403,
    "user_unknown": 401,
    "password_wrong": 400,
    "token_missing": 403,
    "token_malformed": 403,
    "token_invalid": 403,
    "token_expired": 403,
    "token_not_yet_valid": 403,
    "token_spent": 403,
    "token_revoked": 403,
    "insufficient_scope": 403,
    "too_many_attempts": 429,
    "route_unknown": 404,
    "method_not_allowed": 405,
    "body_too_large": 413,
    "server_error": 500,
    "database_unavailable": 503,
}


class DemoServerError(Exception):
    """The root of this package's errors."""


class ConfigError(DemoServerError):
    """A setting is wrong. The message is one line that says what to write instead."""


class UserExists(DemoServerError):
    """The username is taken. Raised by the database's unique index."""


class Refusal(DemoServerError):
    """A request is refused.

    Attributes:
        code (str): a key of `STATUS`; programs may rely on it.
        message (str): the same for a person.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class TokenRefused(Refusal):
    """A token is refused, or none came.

    Attributes:
        kind ("access" | "refresh"): which token the request needed.
        claims (Mapping | None): what the token says, once its signature was found right.
    """

    def __init__(
        self,
        kind: TokenKind,
        code: str,
        message: str,
        claims: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(code, message)
        self.kind = kind
        self.claims = claims


class TooManyAttempts(Refusal):
    """Too many logins of one account name failed, known or not.

    Attributes:
        wait (int): seconds until the next attempt.
    """

    def __init__(self, wait: int) -> None:
        super().__init__("too_many_attempts", f"Too many failed logins: wait {wait} s")
        self.wait = wait


class DatabaseUnavailable(Refusal):
    """The database does not answer, so nothing can be said of the request.

    Attributes:
        wait (int): seconds until it is worth another try.
    """

    def __init__(self) -> None:
        super().__init__("database_unavailable", "The database is away: try again in a moment")
        self.wait = 2
