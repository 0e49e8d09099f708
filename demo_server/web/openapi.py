"""The routes for tools: OpenAPI 3.1, at `/openapi.json`.

Refusals are described once: this table names the codes of each route, and the server's policy says
how it responds to each of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..classroom.class_clock import MAX_STEP
from ..classroom.class_progress import MAX_TIMES, NAME, WHATS
from ..config import MAX_PASSWORD_BYTES
from ..cookie_protection import COOKIES, CSRF_COOKIE, CSRF_HEADER
from ..errors import DatabaseUnavailable, Refusal, TokenKind, TokenRefused, TooManyAttempts
from ..policy import Policy
from ..storage.users import MAX_NOTE
from ..usernames import MAX_LENGTH

_CSRF = ("csrf_token_missing", "csrf_token_invalid")

_OF_A_TOKEN = (
    "token_missing",
    "token_malformed",
    "token_invalid",
    "token_expired",
    "token_not_yet_valid",
    "token_revoked",
    "token_spent",
    "session_expired",
)


@dataclass(frozen=True)
class Operation:
    """A route in the table below.

    Attributes:
        summary (str): what it does.
        status (int): the status on success.
        answer (str): the schema of a successful response; "" if it has no body.
        body (str): the schema of the request's body; "" if it has none.
        token: which token the request needs.
        cookie (bool): whether a cookie carries that token.
        query (tuple[str, ...]): the names of the numbers in its query.
        refusals (tuple[str, ...]): the codes of its refusals, except those of its token.
        database (bool): whether it needs the database with either policy.
    """

    summary: str
    status: int
    answer: str = ""
    body: str = ""
    token: TokenKind | None = None
    cookie: bool = False
    query: tuple[str, ...] = ()
    refusals: tuple[str, ...] = ()
    database: bool = False


OPERATIONS: Mapping[tuple[str, str], Operation] = {
    ("post", "/users/register"): Operation(
        "Register a user",
        201,
        answer="User",
        body="Registration",
        refusals=("request_malformed", "user_exists", "body_too_large"),
        database=True,
    ),
    ("post", "/users/login"): Operation(
        "Log in",
        201,
        answer="Tokens",
        body="Login",
        refusals=(
            "request_malformed",
            "user_unknown",
            "password_wrong",
            "body_too_large",
        ),
        database=True,
    ),
    ("get", "/home"): Operation("The page behind the login", 200, answer="Home", token="access"),
    ("get", "/class"): Operation(
        "The names of all users, for a teacher",
        200,
        answer="Class",
        token="access",
        refusals=("insufficient_scope",),
        database=True,
    ),
    ("get", "/events"): Operation(
        "The events after a cursor: all of them for a teacher, the user's own otherwise",
        200,
        answer="Events",
        token="access",
        query=("after",),
        refusals=("request_malformed",),
        database=True,
    ),
    ("post", "/progress"): Operation(
        "Report a step of one's own in the course",
        204,
        body="Progress",
        token="access",
        refusals=("request_malformed", "body_too_large"),
        database=True,
    ),
    ("get", "/clock"): Operation("The class's time", 200, answer="Clock"),
    ("post", "/clock"): Operation(
        "Move the class's clock forward, for a teacher",
        200,
        answer="Clock",
        body="Step",
        token="access",
        refusals=("request_malformed", "insufficient_scope", "body_too_large"),
        database=True,
    ),
    ("post", "/refresh"): Operation(
        "New tokens for a refresh token",
        200,
        answer="Refreshed",
        body="Refresh",
        token="refresh",
        refusals=("request_malformed", "body_too_large"),
    ),
    ("post", "/logout"): Operation("End the session", 204, token="access"),
    ("post", "/cookie/login"): Operation(
        "Log in; the tokens are in cookies",
        201,
        answer="Home",
        body="Credentials",
        refusals=(
            "request_malformed",
            "user_unknown",
            "password_wrong",
            "cross_site_request",
            "body_too_large",
        ),
        database=True,
    ),
    ("post", "/cookie/refresh"): Operation(
        "New cookies for the refresh token's cookie",
        200,
        answer="Home",
        token="refresh",
        cookie=True,
        refusals=_CSRF,
    ),
    ("get", "/cookie/home"): Operation(
        "The page behind the login, for a cookie",
        200,
        answer="Note",
        token="access",
        cookie=True,
        database=True,
    ),
    ("post", "/cookie/note"): Operation(
        "Replace the user's note",
        200,
        answer="NoteText",
        body="NoteText",
        token="access",
        cookie=True,
        refusals=("request_malformed", "body_too_large", *_CSRF),
        database=True,
    ),
    ("post", "/cookie/logout"): Operation(
        "End the session, and delete its cookies",
        204,
        token="access",
        cookie=True,
        refusals=_CSRF,
    ),
    ("get", "/openapi.json"): Operation("This description", 200, answer="Description"),
}

_TEXT = {"type": "string"}


def _object(required: Mapping[str, Any], **optional: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {**required, **optional},
        "required": list(required),
    }


def _schemas(policy: Policy) -> dict[str, dict[str, Any]]:
    name = {
        "type": "string",
        "minLength": 1,
        "maxLength": MAX_LENGTH,
        "format": "username",
        "description": "in NFC; every character can be seen; no space at either end",
    }
    password = {
        "type": "string",
        "minLength": 1,
        "maxLength": MAX_PASSWORD_BYTES,
        "description": f"at most {MAX_PASSWORD_BYTES} bytes (UTF-8), without NUL",
    }
    access, both = {"accessToken": _TEXT}, {"accessToken": _TEXT, "refreshToken": _TEXT}
    return {
        "Registration": _object(
            {"username": name, "password": {**password, "minLength": policy.min_password}}
        ),
        "Login": _object(
            {"username": name, "password": password},
            **({"deviceToken": _TEXT} if policy.guards_login else {}),
        ),
        "Credentials": _object({"username": name, "password": password}),
        "NoteText": _object({"note": {"type": "string", "minLength": 1, "maxLength": MAX_NOTE}}),
        "Note": _object({"message": _TEXT, "note": _TEXT}),
        "Refresh": _object({"token": {"type": "string", "minLength": 1}}),
        "User": _object({"_id": _TEXT, "username": _TEXT}),
        "Tokens": _object({**both, "deviceToken": _TEXT} if policy.guards_login else both),
        "Refreshed": _object(both if policy.rotates else access),
        "Home": _object({"message": _TEXT}),
        "Class": _object({"users": {"type": "array", "items": _TEXT}}),
        "Events": _object(
            {
                "events": {"type": "array", "items": {"type": "object"}},
                "cursor": {"type": "integer"},
                "refused_logins": {
                    "type": "object",
                    "additionalProperties": {"type": "integer"},
                },
                "progress": {"type": "object", "additionalProperties": {"type": "object"}},
            },
            teachers={"type": "array", "items": _TEXT},
            ahead={"type": "number"},
        ),
        "Progress": _object(
            {
                "lesson": {"type": "string", "pattern": f"^{NAME}$"},
                "exercise": {"type": "string", "pattern": f"^{NAME}$"},
                "what": {"type": "string", "enum": list(WHATS)},
                "correct": {"type": ["boolean", "null"]},
                "times": {"type": "integer", "minimum": 0, "maximum": MAX_TIMES},
            }
        ),
        "Clock": _object({"now": {"type": "number"}, "ahead": {"type": "number"}}),
        "Step": _object({"seconds": {"type": "integer", "minimum": 1, "maximum": MAX_STEP}}),
        "Description": _object({"openapi": _TEXT}),
        "Refusal": _object({"message": _TEXT}, error=_TEXT, error_description=_TEXT),
    }


def describe_api(policy: Policy, routes: set[tuple[str, str]]) -> dict[str, Any]:
    """The OpenAPI description of a server.

    Args:
        policy (Policy): how the server responds to each refusal.
        routes (set[tuple[str, str]]): the method in lower case and the path of each route.

    Returns:
        dict: an OpenAPI 3.1 document, ready for JSON.

    Raises:
        KeyError: a route is not in the table above.
    """
    from apispec import APISpec  # imported here, so that starting a lesson does not wait for it

    spec = APISpec(
        "JWT refresh lab",
        "1",
        openapi_version="3.1.0",
        info={
            "description": f"The demo server with the policy {policy.name!r}.",
            "x-policy": policy.name,
        },
    )
    spec.components.security_scheme("bearer", {"type": "http", "scheme": "bearer"})
    for kind, cookie in COOKIES.items():
        scheme = {"type": "apiKey", "in": "cookie", "name": cookie}
        spec.components.security_scheme(f"{kind} cookie", scheme)
    for name, schema in _schemas(policy).items():
        spec.components.schema(name, schema)
    for method, path in sorted(routes):
        operation = OPERATIONS[method, path]
        spec.path(path, operations={method: _describe(operation, policy)})
    document: dict[str, Any] = spec.to_dict()
    return document


def _describe(operation: Operation, policy: Policy) -> dict[str, Any]:
    success: dict[str, Any] = {"description": "done"}
    if operation.answer:
        success["content"] = _json(operation.answer)
    described: dict[str, Any] = {
        "summary": operation.summary,
        "responses": {str(operation.status): success, **_refusals(operation, policy)},
    }
    if operation.body:
        schema = _json(operation.body)["application/json"]
        media = {"application/json": schema, "application/x-www-form-urlencoded": schema}
        described["requestBody"] = {"required": True, "content": media}
    if parameters := _parameters(operation):
        described["parameters"] = parameters
    if operation.cookie:
        described["security"] = [{f"{operation.token} cookie": []}]
    elif operation.token == "access":
        described["security"] = [{"bearer": []}]
    return described


def _parameters(operation: Operation) -> list[dict[str, Any]]:
    """The numbers in the query, and the header that repeats the CSRF token."""
    number = {"type": "integer", "minimum": 0, "maximum": 10**15 - 1}
    parameters: list[dict[str, Any]] = [
        {"name": name, "in": "query", "schema": number} for name in operation.query
    ]
    if set(_CSRF) & set(operation.refusals):
        description = f"the value of the cookie {CSRF_COOKIE}, if the server set one"
        parameters.append(
            {"name": CSRF_HEADER, "in": "header", "schema": _TEXT, "description": description}
        )
    return parameters


def _refusals(operation: Operation, policy: Policy) -> dict[str, Any]:
    """The refusals by status, with the codes of each."""
    refusals: list[Refusal] = [Refusal(code, "") for code in operation.refusals]
    if policy.guards_login and "password_wrong" in operation.refusals:
        refusals.append(TooManyAttempts(1))
    if operation.token is not None:
        refusals += [TokenRefused(operation.token, code, "") for code in _OF_A_TOKEN]
    if operation.database or (policy.rotates and operation.token is not None):
        refusals.append(DatabaseUnavailable())
    codes: dict[int, list[str]] = {}
    headers: dict[int, list[str]] = {}
    for denial in map(policy.deny, refusals):
        codes.setdefault(denial.status, []).append(denial.body.get("error", "no code"))
        headers.setdefault(denial.status, []).extend(denial.headers)
    return {
        str(status): {
            "description": ", ".join(dict.fromkeys(errors)),
            "content": _json("Refusal"),
            "headers": {name: {"schema": _TEXT} for name in headers[status]},
        }
        for status, errors in codes.items()
    }


def _json(schema: str) -> dict[str, Any]:
    return {"application/json": {"schema": {"$ref": f"#/components/schemas/{schema}"}}}
