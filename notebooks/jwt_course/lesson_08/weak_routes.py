"""The weak server's routes: those of `demo_server`, and a page that lists the members."""

from __future__ import annotations

from collections.abc import Callable
from html import escape
from typing import TYPE_CHECKING, Any

from flask import Flask, Response, has_request_context, jsonify, request

if TYPE_CHECKING:
    from .weak_server import WeakServer


class Refused(Exception):
    """A request is refused.

    Attributes:
        status (int): the HTTP status.
        code (str), message (str): the same for programs and for people.
        wait (int): seconds until the next attempt, 0 if that is not the reason.
    """

    def __init__(self, status: int, code: str, message: str, wait: int = 0) -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.wait = status, code, message, wait


def correlated(emit: Callable[..., object]) -> Callable[..., object]:
    """`emit`, told of the request under way as well: its `path`, and its id as `correlation`."""

    def emit_here(name: str, **fields: object) -> None:
        if has_request_context():
            fields |= {"correlation": request.headers.get("X-Request-ID"), "path": request.path}
        emit(name, **fields)

    return emit_here


def create_weak_app(server: WeakServer) -> Flask:
    """The Flask app of a weak server."""
    app = Flask("weak_server", static_folder=None)

    @app.post("/users/register")
    def register() -> tuple[Response, int]:
        body = _body()
        if not isinstance(body["username"], str):
            raise Refused(400, "request_malformed", "username must be a string")
        server.register(body["username"], body["password"])
        return jsonify(username=body["username"]), 201

    @app.post("/users/login")
    def login() -> tuple[Response, int]:
        body = _body()
        username = server.log_in(body["username"], body["password"])
        tokens = {f"{kind}Token": server.issue(kind, username) for kind in ("access", "refresh")}
        return jsonify(tokens), 201

    @app.get("/home")
    def home() -> Response:
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        return jsonify(message=f"Welcome {server.authenticate('access', token)}")

    @app.post("/refresh")
    def refresh() -> Response:
        token = str((request.get_json(silent=True) or {}).get("token", ""))
        username = server.authenticate("refresh", token)
        return jsonify(accessToken=server.issue("access", username))

    @app.get("/members")
    def members() -> str:
        # Weak: a name becomes part of the page. Mended: it is shown as the text that it is.
        show = str if server.weaknesses.raw_markup else escape
        return f"<ul>{''.join(f'<li>{show(name)}</li>' for name in server.usernames())}</ul>"

    @app.errorhandler(Refused)
    def refuse(refusal: Refused) -> tuple[Response, int]:
        answer = jsonify(error=refusal.code, message=refusal.message)
        if refusal.wait:
            answer.headers["Retry-After"] = str(refusal.wait)
        return answer, refusal.status

    return app


def _body() -> dict[str, Any]:
    """The JSON of a registration or a login; the password is text."""
    body = request.get_json(silent=True)
    if not isinstance(body, dict) or "username" not in body:
        raise Refused(400, "request_malformed", "Send username and password as JSON")
    if not isinstance(body.get("password"), str):
        raise Refused(400, "request_malformed", "password must be a string")
    return body
