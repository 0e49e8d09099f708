"""The server's errors.

DemoServerError
├── ConfigError       a setting is wrong; the message says which one and what to write
├── UserExists        the username is taken
└── Refusal           the server refuses a request, and the response says why
    ├── TokenRefused         its token is missing or not valid
    ├── TooManyAttempts      too many logins failed
    └── DatabaseUnavailable  the database cannot be reached

`Refusal.code` names the reason. The server's policy turns it into a response: the article's policy
takes the status from the table `STATUS`; for the other one see `policy.py`.
"""

from __future__ import annotations

import copyreg
from collections.abc import Mapping
from typing import Any, Literal

TokenKind = Literal["access", "refresh"]

#: The article's status for each reason. A refused refresh is 403 here; the article answers 500,
#: as if the server were broken.
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
    "session_expired": 403,
    "insufficient_scope": 403,
    "csrf_token_missing": 403,
    "csrf_token_invalid": 403,
    "cross_site_request": 403,
    "too_many_attempts": 429,
    "route_unknown": 404,
    "method_not_allowed": 405,
    "body_too_large": 413,
    "server_error": 500,
    "database_unavailable": 503,
}


class DemoServerError(Exception):
    """The base class of this package's errors. They can be pickled and copied."""

    def __reduce__(self) -> tuple[Any, ...]:
        # So that pickle and copy keep the attributes: they would call `__init__` with `args`,
        # which is the message.
        return copyreg.__newobj__, (type(self), *self.args), self.__dict__  # type: ignore[attr-defined]


class ConfigError(DemoServerError):
    """A setting is wrong. The message is one line and says what to write instead."""


class UserExists(DemoServerError):
    """The username is taken. Raised by the database's unique index."""


class Refusal(DemoServerError):
    """The server refuses a request.

    Attributes:
        code (str): a key of `STATUS`, for programs.
        message (str): the reason in words, for people.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def malformed(message: str) -> Refusal:
    """The refusal of a request that has a wrong form; the message says what to send instead."""
    return Refusal("request_malformed", message)


class TokenRefused(Refusal):
    """A token is missing or not valid.

    Attributes:
        kind ("access" | "refresh"): which token the request needed.
        claims (Mapping | None): the claims of the token, if its signature is valid.
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
    """Too many logins with one username failed or are in flight, whether or not it is registered.

    Attributes:
        wait (int): seconds until the next attempt is allowed.
    """

    def __init__(self, wait: int, what: str = "Too many failed logins") -> None:
        super().__init__("too_many_attempts", f"{what}: wait {wait} s")
        self.wait = wait


class DatabaseUnavailable(Refusal):
    """The database does not respond, so the request cannot be answered.

    Attributes:
        wait (int): seconds after which to try again.
    """

    def __init__(self) -> None:
        super().__init__(
            "database_unavailable", "The database cannot be reached: try again in a moment"
        )
        self.wait = 2
