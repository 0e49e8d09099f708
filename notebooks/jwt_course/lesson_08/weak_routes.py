"""The weak server's routes: those of `demo_server`, and a page that lists the members."""

from __future__ import annotations

from collections.abc import Callable
from html import escape
from typing import Any

from flask import Flask, Response, has_request_context, jsonify, request

from demo_server.errors import Refusal, TooManyAttempts

from .weak_service import WeakService

#: The status for each reason to refuse; any other is 401.
_STATUS = {"request_malformed": 400, "user_exists": 409, "too_many_attempts": 429}


def correlated(emit: Callable[..., object]) -> Callable[..., object]:
    """`emit`, with the current request's `path`, and its id as `correlation`."""

    def emit_here(name: str, **fields: object) -> None:
        if has_request_context():
            fields |= {"correlation": request.headers.get("X-Request-ID"), "path": request.path}
        emit(name, **fields)

    return emit_here


def create_weak_app(service: WeakService) -> Flask:
    """The Flask app of a weak service."""
    app = Flask("weak_server", static_folder=None)

    @app.post("/users/register")
    def register() -> tuple[Response, int]:
        body = _body()
        if not isinstance(body["username"], str):
            raise Refusal("request_malformed", "username must be a string")
        service.register(body["username"], body["password"])
        return jsonify(username=body["username"]), 201

    @app.post("/users/login")
    def login() -> tuple[Response, int]:
        body = _body()
        username = service.log_in(body["username"], body["password"])
        tokens = {f"{kind}Token": service.issue(kind, username) for kind in ("access", "refresh")}
        return jsonify(tokens), 201

    @app.get("/home")
    def home() -> Response:
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        return jsonify(message=f"Welcome {service.authenticate('access', token)}")

    @app.post("/refresh")
    def refresh() -> Response:
        token = str((request.get_json(silent=True) or {}).get("token", ""))
        username = service.authenticate("refresh", token)
        return jsonify(accessToken=service.issue("access", username))

    @app.get("/members")
    def members() -> str:
        # Weak: a name becomes part of the page. Fixed: it is escaped, so it stays text.
        show = str if service.weaknesses.raw_markup else escape
        return f"<ul>{''.join(f'<li>{show(name)}</li>' for name in service.usernames())}</ul>"

    @app.errorhandler(Refusal)
    def refuse(refusal: Refusal) -> tuple[Response, int]:
        answer = jsonify(error=refusal.code, message=refusal.message)
        if isinstance(refusal, TooManyAttempts):
            answer.headers["Retry-After"] = str(refusal.wait)
        return answer, _STATUS.get(refusal.code, 401)

    return app


def _body() -> dict[str, Any]:
    """The JSON of a registration or a login; the password is text."""
    body = request.get_json(silent=True)
    if not isinstance(body, dict) or "username" not in body:
        raise Refusal("request_malformed", "Send username and password as JSON")
    if not isinstance(body.get("password"), str):
        raise Refusal("request_malformed", "password must be a string")
    return body
