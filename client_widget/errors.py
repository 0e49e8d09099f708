"""The client's errors.

ClientError
├── LoginRequired      there is no session, or it has ended: log in
├── Rejected           the server refused: `status`, `code`, `message`
├── ServerUnreachable  no usable response arrived; the session is kept
└── StoreError         the token file cannot be read or written

None of them holds a token or a password.
"""

from __future__ import annotations


class ClientError(Exception):
    """The root of this package's errors."""


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


class StoreError(ClientError):
    """The token file cannot be read or written. The tokens in memory are kept."""
