"""`VictimSite`: the demo server and, on the same origin, a page with a hole. On loopback only.

The hole is in this server and not in `demo_server`, which only the routes come from. A script in a
page may do what the page may do, so the page has to be on the origin of the routes.
"""

from __future__ import annotations

from pathlib import Path

from flask import Flask, Response, jsonify
from werkzeug.middleware.dispatcher import DispatcherMiddleware

from demo_server import ServerConfig, create_app, open_database
from demo_server.clock import Clock
from demo_server.emit import Emit
from demo_server.serving.local_server import LocalServer
from demo_server.storage.users import UserRepository

PAGES = Path(__file__).parent / "pages"

#: With it, the page runs its own scripts only: a script in a message does nothing.
CONTENT_SECURITY_POLICY = "script-src 'self'"


class VictimSite(LocalServer):
    """A site with a login, and a notice board that shows messages as HTML (stored XSS).

    Args:
        cookie_session (str): how its cookie session is protected; see `ServerConfig`.
        clock (Clock): returns seconds since the epoch.
        emit (Emit): receives the server's events.

    Attributes:
        messages (list[str]): what is on the board; anyone may write there.
        csp (bool): whether the board has a Content-Security-Policy.
    """

    def __init__(self, cookie_session: str, *, clock: Clock, emit: Emit) -> None:
        self.messages: list[str] = ["Lunch is at noon."]
        self.csp = False
        config = ServerConfig(policy="rfc", cookie_session=cookie_session, bcrypt_cost=4)
        database = open_database()
        self._users = UserRepository(database)
        site = create_app(config, database=database, clock=clock, emit=emit)
        app = DispatcherMiddleware(site, {"/board": self._board()})
        super().__init__(app, kind="victim site", name="victim")

    @property
    def board_url(self) -> str:
        """The page with the hole."""
        return f"{self.url}/board/"

    def note_of(self, username: str) -> str:
        """What the server has stored as a user's note; "" if nothing."""
        user = self._users.find(username)
        return user.note if user is not None else ""

    def _board(self) -> Flask:
        app = Flask("board", static_folder=None)

        @app.get("/")
        def page() -> Response:
            answer = Response(page_named("board.html"), content_type="text/html; charset=utf-8")
            if self.csp:
                answer.headers["Content-Security-Policy"] = CONTENT_SECURITY_POLICY
            return answer

        @app.get("/board.js")
        def script() -> Response:
            return Response(page_named("board.js"), content_type="text/javascript; charset=utf-8")

        @app.get("/messages")
        def messages() -> Response:
            return jsonify(self.messages)

        return app


def page_named(name: str) -> str:
    """The text of a file in `pages`, such as "steal.js"."""
    return (PAGES / name).read_text(encoding="utf-8")
