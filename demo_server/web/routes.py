"""The routes: each parses its request, calls the service, and responds with JSON."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from flask import Flask, Request, Response, g, jsonify, request

from ..auth.auth_service import AuthService, Grant, Identity
from ..classroom.class_clock import MAX_STEP
from ..classroom.class_log import PATH, PROGRESS_PATH
from ..classroom.class_progress import Report
from ..classroom.class_service import ClassService
from ..errors import malformed
from .front_end import PATH as FRONT_END
from .openapi import describe_api
from .parsing import body_of, credentials_in, number_in, optional_text_in


def add_routes(app: Flask, service: AuthService, classroom: ClassService) -> None:
    """Add the routes to `app`: the article's four, those of the service's policy and a class's."""

    def owner_of(request: Request) -> Identity:
        """The user of the request's access token. A later refusal is an event of this user."""
        owner = service.authenticate(_bearer_token(request))
        g.username = owner.username
        return owner

    @app.post("/users/register")
    def register() -> tuple[Response, int]:
        return jsonify(service.register(*credentials_in(request))), 201

    @app.post("/users/login")
    def login() -> tuple[Response, int]:
        credentials = credentials_in(request)
        device_token = None
        if service.policy.guards_login:
            device_token = optional_text_in(body_of(request), "deviceToken")
        return _tokens(service.login(*credentials, device_token or "")), 201

    @app.get("/home")
    def home() -> Response:
        return jsonify(message=f"Welcome {owner_of(request).username}")

    @app.get("/class")
    def class_list() -> Response:
        return jsonify(users=classroom.members(owner_of(request).username))

    @app.post("/refresh")
    def refresh() -> Response:
        return _tokens(service.refresh(optional_text_in(body_of(request), "token")))

    @app.get("/openapi.json")
    def openapi() -> Response:
        return jsonify(describe_api(service.policy, _routes(app)))

    if service.policy.rotates:

        @app.post("/logout")
        def logout() -> tuple[str, int]:
            service.logout(owner_of(request))
            return "", 204

    if classroom.log is not None:

        @app.get(PATH)
        def class_events() -> Response:
            return jsonify(classroom.events(owner_of(request).username, _cursor(request)))

        @app.post(PROGRESS_PATH)
        def report_progress() -> tuple[str, int]:
            owner, body = owner_of(request), body_of(request)
            given: dict[str, Any] = {field.name: body.get(field.name) for field in fields(Report)}
            classroom.report_progress(owner.username, Report(**given))
            return "", 204

    if (clock := classroom.clock) is not None:

        @app.get("/clock")
        def class_time() -> Response:
            return jsonify(now=clock(), ahead=clock.ahead)

        @app.post("/clock")
        def advance_clock() -> Response:
            owner = owner_of(request)
            seconds = number_in(body_of(request), "seconds", 1, MAX_STEP)
            ahead = classroom.advance_clock(owner.username, seconds)
            return jsonify(now=clock(), ahead=ahead)


def _routes(app: Flask) -> set[tuple[str, str]]:
    """The method in lower case and the path of each route, but for the front end's files."""
    return {
        (method.lower(), rule.rule)
        for rule in app.url_map.iter_rules()
        if not rule.rule.startswith(FRONT_END)
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }


def _tokens(grant: Grant) -> Response:
    """Tokens under the article's names. Caches must not keep them (RFC 6749, section 5.1)."""
    names = {"accessToken": grant.access}
    if grant.refresh is not None:
        names["refreshToken"] = grant.refresh
    if grant.device is not None:
        names["deviceToken"] = grant.device
    answer = jsonify(names)
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _bearer_token(request: Request) -> str | None:
    """The token of `Authorization: Bearer …` (RFC 6750, section 2.1), or None.

    RFC 9110, section 11.1: the scheme's name is case-insensitive.
    """
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None


def _cursor(request: Request) -> int:
    """The number `after` in the query; 0 by default."""
    text = request.args.get("after", "0")
    if not (text.isascii() and text.isdigit() and len(text) <= 15):
        raise malformed("after must be the cursor from an earlier response, or 0")
    return int(text)
