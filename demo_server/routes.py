"""The routes: each parses its request, calls the service, and responds with JSON."""

from __future__ import annotations

import json
from dataclasses import fields
from typing import Any

from flask import Flask, Request, Response, g, jsonify, request

from .auth_service import AuthService, Grant, Identity
from .class_clock import MAX_STEP
from .class_log import PATH, PROGRESS_PATH
from .class_progress import Report
from .config import MAX_PASSWORD_BYTES
from .errors import Refusal
from .front_end import PATH as FRONT_END
from .openapi import describe_api
from .usernames import fault_in


def add_routes(app: Flask, service: AuthService) -> None:
    """Add the article's four routes to `app`, and those of the service's policy."""

    def owner_of(request: Request) -> Identity:
        """The user of the request's access token. A later refusal is an event of this user."""
        owner = service.authenticate(_bearer_token(request))
        g.username = owner.username
        return owner

    @app.post("/users/register")
    def register() -> tuple[Response, int]:
        return jsonify(service.register(*_credentials(request))), 201

    @app.post("/users/login")
    def login() -> tuple[Response, int]:
        credentials = _credentials(request)
        device_token = None
        if service.policy.guards_login:
            device_token = _optional_text(_body(request), "deviceToken")
        return _tokens(service.login(*credentials, device_token or "")), 201

    @app.get("/home")
    def home() -> Response:
        return jsonify(message=f"Welcome {owner_of(request).username}")

    @app.get("/class")
    def class_list() -> Response:
        return jsonify(users=service.class_list(owner_of(request)))

    @app.post("/refresh")
    def refresh() -> Response:
        return _tokens(service.refresh(_optional_text(_body(request), "token")))

    @app.get("/openapi.json")
    def openapi() -> Response:
        return jsonify(describe_api(service.policy, _routes(app)))

    if service.policy.rotates:

        @app.post("/logout")
        def logout() -> tuple[str, int]:
            service.logout(owner_of(request))
            return "", 204

    if service.class_log is not None:

        @app.get(PATH)
        def class_events() -> Response:
            return jsonify(service.class_events(owner_of(request), _cursor(request)))

        @app.post(PROGRESS_PATH)
        def report_progress() -> tuple[str, int]:
            owner, body = owner_of(request), _body(request)
            given: dict[str, Any] = {field.name: body.get(field.name) for field in fields(Report)}
            service.report_progress(owner, Report(**given))
            return "", 204

    if (clock := service.class_clock) is not None:

        @app.get("/clock")
        def class_time() -> Response:
            return jsonify(now=clock(), ahead=clock.ahead)

        @app.post("/clock")
        def advance_clock() -> Response:
            owner = owner_of(request)
            ahead = service.advance_clock(owner, _number(_body(request), "seconds", 1, MAX_STEP))
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
        raise _malformed("after must be the cursor from an earlier response, or 0")
    return int(text)


def _credentials(request: Request) -> tuple[str, str]:
    """The username and password in the body, checked for the database and bcrypt."""
    body = _body(request)
    username, password = _text(body, "username"), _text(body, "password")
    fault = fault_in(username)
    if fault is not None:
        raise _malformed(fault)
    if len(password.encode()) > MAX_PASSWORD_BYTES or "\0" in password:
        raise _malformed(
            f"The password must have at most {MAX_PASSWORD_BYTES} bytes (UTF-8) and no NUL."
        )
    return username, password


def _text(body: dict[str, Any], name: str) -> str:
    value = body.get(name)
    if value is None or value == "":
        raise _malformed(f"Enter a {name}.")
    if not isinstance(value, str):
        raise _malformed(f"The {name} must be a string.")
    try:
        value.encode()
    except UnicodeEncodeError:  # JSON can spell half of a surrogate pair
        raise _malformed(f"The {name} is not valid Unicode.") from None
    return value


def _number(body: dict[str, Any], name: str, low: int, high: int) -> int:
    """A whole number; a form sends it as text."""
    value = body.get(name)
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 15:
        value = int(value)
    if type(value) is not int or not low <= value <= high:
        raise _malformed(f"The field {name} must be a whole number from {low} to {high}.")
    return value


def _optional_text(body: dict[str, Any], name: str) -> str | None:
    value = body.get(name)
    if value is not None and not isinstance(value, str):
        raise _malformed(f"The field {name} must be a string")
    return value


def _body(request: Request) -> dict[str, Any]:
    """The body as an object, from JSON or a form."""
    if request.is_json:
        try:
            body = json.loads(request.get_data())
        except (ValueError, RecursionError):
            raise _malformed("The body is not valid JSON") from None
        if not isinstance(body, dict):
            raise _malformed("The body is not a JSON object")
        return body
    if not request.form and request.content_length:
        raise _malformed("Send the body as application/json or as a form")
    # A repeated field becomes a list, which the checks above refuse.
    fields = request.form.to_dict(flat=False)
    return {name: values[0] if len(values) == 1 else values for name, values in fields.items()}


def _malformed(message: str) -> Refusal:
    return Refusal("request_malformed", message)
