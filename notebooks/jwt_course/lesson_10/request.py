"""What a server sees of a request, and what it knows of the session: for exercise 2."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Request:
    """A request as the server receives it.

    Attributes:
        method (str): such as "POST".
        headers (Mapping[str, str]): by name; `X-CSRF-Token` if the page has sent one.
        cookies (Mapping[str, str]): by name.
    """

    method: str
    headers: Mapping[str, str] = field(repr=False)
    cookies: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True)
class Session:
    """The session that the request's cookie belongs to.

    Attributes:
        username (str): "" if there is no session.
        csrf_token (str | None): the one that the server gave to the page at the login.
    """

    username: str
    csrf_token: str | None = field(repr=False)
