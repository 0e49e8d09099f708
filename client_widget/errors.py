"""The client's errors.

ClientError
├── LoginRequired      there is no session, or it has ended: log in
├── Rejected           the server refused: `status`, `code`, `message`
├── ServerUnreachable  no usable response arrived; the session is kept
│   └── RefreshPending     another call or process is refreshing, and does not finish
├── Deadlock           the call would wait for itself
├── TraceError         the file is no trace, or an event is recorded into one
└── StoreError         the token file cannot be used
    ├── TokensNotSaved     it cannot be written; the session continues in memory
    └── TokensNotDeleted   it cannot be deleted; after a restart the session would be back

None of them holds a token or a password.
"""

from __future__ import annotations

import copyreg
from typing import Any


class ClientError(Exception):
    """The root of this package's errors. They can be pickled and copied."""

    def __reduce__(self) -> tuple[Any, ...]:
        # So that pickle and copy keep the attributes: they would call `__init__` with `args`,
        # which is the message.
        return copyreg.__newobj__, (type(self), *self.args), self.__dict__  # type: ignore[attr-defined]


class LoginRequired(ClientError):
    """There is no session, or it ended during the request. Log in."""


class Rejected(ClientError):
    """The server refused the request.

    Attributes:
        status (int): the HTTP status.
        code (str): the `error` of the answer, or "" if the server gave none.
        message (str): the `message` of the answer.
        retry_after (float | None): the seconds that the server asks to wait (`Retry-After`).
    """

    def __init__(
        self, status: int, code: str, message: str, retry_after: float | None = None
    ) -> None:
        super().__init__(f"{status} {code}: {message}" if code else f"{status}: {message}")
        self.status = status
        self.code = code
        self.message = message
        self.retry_after = retry_after


class ServerUnreachable(ClientError):
    """No usable response arrived. The session is kept: try again.

    Attributes:
        retry_after (float | None): the seconds that the server asks to wait (`Retry-After`);
            None if it did not say.
    """

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class RefreshPending(ServerUnreachable):
    """Another call or process is refreshing the tokens and does not finish. Try again."""


class Deadlock(ClientError):
    """The call was made during the refresh that it needs, or in a subscriber of the log.

    It would wait for itself.
    """


class TraceError(ClientError):
    """A file cannot be read as a trace, or a trace is recorded into. The message says why."""


class StoreError(ClientError):
    """The token file cannot be used. The message says what to do."""


class TokensNotSaved(StoreError):
    """The token file cannot be written. The session continues in memory, until a restart."""


class TokensNotDeleted(StoreError):
    """The token file cannot be deleted. The session has ended, and a restart would resume it."""
