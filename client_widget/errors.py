"""The client's errors.

ClientError
├── LoginRequired      there is no session, or it has ended: log in
├── Rejected           the server refused: `status`, `code`, `message`
├── ServerUnreachable  no usable response arrived; the session is kept
└── StoreError         the token file cannot be read or written

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
    """

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(f"{status} {code}: {message}" if code else f"{status}: {message}")
        self.status = status
        self.code = code
        self.message = message


class ServerUnreachable(ClientError):
    """No usable response arrived. The session is kept: try again."""


class StoreError(ClientError):
    """The token file cannot be read or written. The tokens in memory are kept."""
