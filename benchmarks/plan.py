"""What each server is asked under load: the bytes of `/home`, of a refresh and of a login."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import requests

from .processes import HERE
from .servers import PASSWORD, USERS

#: Kept connections to each server. Each has a user of its own: by the policy of the RFCs a
#: name that logs in eight times at once has to wait.
CONNECTIONS = len(USERS)


@dataclass(frozen=True)
class Dialect:
    """How a server wants to be asked.

    Attributes:
        login (str), form (bool): the path, and whether it takes a form instead of JSON.
        access, refresh (str): the tokens' names in its answers.
        refresh_as_bearer (bool): the refresh token comes in `Authorization`, else in the body.
        rotates (bool): a refresh token is good once.
    """

    login: str = "/users/login"
    form: bool = False
    access: str = "accessToken"
    refresh: str = "refreshToken"
    refresh_as_bearer: bool = False
    rotates: bool = False


DIALECTS: Mapping[str, Dialect] = {
    "article": Dialect(),
    "rfc": Dialect(rotates=True),
    "express": Dialect(),
    "express-async": Dialect(login="/users/login-async"),
    "fastapi": Dialect("/token", True, "access_token", "refresh_token"),
    "flask-jwt": Dialect(refresh_as_bearer=True),
}


class Visitor:
    """Eight users who are logged in on one server.

    Args:
        name (str): of the dialect.
        url (str): of the server.
    """

    def __init__(self, name: str, url: str) -> None:
        self._dialect = DIALECTS[name]
        self._url = url
        session = requests.Session()
        session.trust_env = False
        answers = [session.request(**self._login(user)) for user in USERS]
        for answer in answers:
            answer.raise_for_status()
        self.access = [answer.json()[self._dialect.access] for answer in answers]
        self._refresh = [answer.json()[self._dialect.refresh] for answer in answers]

    def homes(self) -> dict[str, Any]:
        """A target of load.py: `GET /home`."""
        return self._target("/home", [_raw("GET", self._url, "/home", t) for t in self.access])

    def refreshes(self) -> dict[str, Any]:
        """A target of load.py: a refresh, again and again. It uses the sessions up."""
        asked = []
        for token in self._refresh:
            bearer, body = (token, None) if self._dialect.refresh_as_bearer else ("", token)
            content = "" if body is None else json.dumps({"token": body})
            asked.append(_raw("POST", self._url, "/refresh", bearer, content))
        return self._target("/refresh", asked, self._refresh if self._dialect.rotates else [])

    def logins(self) -> dict[str, Any]:
        """A target of load.py: a login."""
        asked = []
        for user in USERS:
            login = requests.Request(**self._login(user)).prepare()
            body = login.body.decode() if isinstance(login.body, bytes) else str(login.body)
            kind = login.headers["Content-Type"]
            asked.append(_raw("POST", self._url, self._dialect.login, "", body, kind))
        return self._target(self._dialect.login, asked)

    def _login(self, user: str) -> dict[str, Any]:
        credentials = {"username": user, "password": PASSWORD}
        how = "data" if self._dialect.form else "json"
        return {"method": "POST", "url": f"{self._url}{self._dialect.login}", how: credentials}

    def _target(self, path: str, asked: Sequence[str], tokens: Sequence[str] = ()) -> Any:
        return {"url": self._url + path, "requests": list(asked), "tokens": list(tokens)}


def load(targets: Sequence[Any], **plan: float) -> list[list[float]]:
    """Answers per second of each target in each round, from a process of its own.

    Args:
        targets: of a `Visitor`.
        plan: `rounds` and `slice` (seconds), or `answers`; see load.py.
    """
    ran = subprocess.run(
        [sys.executable, str(HERE / "load.py")],
        input=json.dumps({"targets": list(targets), **plan}),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    rates: list[list[float]] = json.loads(ran.stdout)
    return rates


def _raw(
    method: str, url: str, path: str, token: str, body: str = "", kind: str = "application/json"
) -> str:
    lines = [f"{method} {path} HTTP/1.1", f"Host: {urlsplit(url).netloc}", "X-Request-ID: bench"]
    if token:
        lines.append(f"Authorization: Bearer {token}")
    if method == "POST":
        lines += [f"Content-Type: {kind}", f"Content-Length: {len(body)}"]
    return "\r\n".join([*lines, "", body])
