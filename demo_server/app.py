"""The application factory: every dependency of the app is an argument."""

from __future__ import annotations

import io
import logging
import random
import re
import traceback
from typing import IO, cast

from flask import Flask, Request, Response, g, jsonify, request
from flask_cors import cross_origin
from werkzeug.exceptions import HTTPException, MethodNotAllowed, NotFound, RequestEntityTooLarge
from werkzeug.utils import cached_property

from .auth.auth_service import AuthService
from .classroom.class_clock import clock_for
from .classroom.class_service import ClassService
from .classroom.teachers import create_teachers
from .clock import Clock
from .config import ServerConfig
from .emit import Emit
from .errors import DatabaseUnavailable, Refusal
from .policy import ErrorResponse
from .storage.database import ConnectionFailure, Database
from .web.cookie_routes import add_cookie_routes, site_of_request
from .web.front_end import add_front_end
from .web.routes import add_routes

MAX_BODY_BYTES = 16 * 1024

#: Characters of an unknown path that an event repeats.
MAX_PATH = 128

#: One id follows a user action through client and server.
CORRELATION_HEADER = "X-Request-ID"

#: A class server's time in seconds since the epoch, on each response: how clients follow its clock.
TIME_HEADER = "X-Server-Time"

# What looks like a JWT, whole or cut off, in a path that someone got wrong.
_TOKEN = re.compile(r"eyJ[\w.-]*", re.ASCII)

# The ids that a client may choose. They appear in logs, so spaces and markup are excluded.
_CORRELATION = re.compile(r"[A-Za-z0-9._-]{1,64}", re.ASCII)

# The packages of MongoDB's driver.
_DRIVER = ("pymongo", "bson")

_log = logging.getLogger("demo_server")


class CorrelatedRequest(Request):
    """A request with the id of the user action that caused it."""

    @cached_property
    def correlation(self) -> str:
        """The client's `X-Request-ID`, or a new id if it sent none that can be used."""
        given = self.headers.get(CORRELATION_HEADER, "")
        return given if _CORRELATION.fullmatch(given) else f"{random.getrandbits(48):012x}"


# The current request, with the type that `create_app` sets.
_request = cast(CorrelatedRequest, request)


def create_app(config: ServerConfig, *, database: Database, clock: Clock, emit: Emit) -> Flask:
    """The article's backend as a Flask app. It creates the accounts of the teachers.

    Args:
        config (ServerConfig): policy, secrets, lifetimes, bcrypt's cost.
        database (Database): of mongomock or pymongo; see `open_database`.
        clock (Clock): returns seconds since the epoch, for issuing and verifying.
        emit (Emit): receives the events, in the thread that serves the request. The fields
            include `correlation` and `path`, and for a cookie route `site`, if a browser said
            which site sent the request.

    Raises:
        ConfigError: the name of a teacher belongs to a user who registered it.
        TypeError: an argument has the wrong type.
    """
    check_kinds(config, database, clock, emit)

    def emit_here(name: str, /, **fields: object) -> None:
        # The route and not what was sent, which can be of any length.
        rule = request.url_rule
        path = rule.rule if rule else _TOKEN.sub("***", request.path)[:MAX_PATH]
        if path.startswith("/cookie/") and (site := site_of_request()):
            fields["site"] = site
        emit(name, correlation=_request.correlation, path=path, **fields)

    exposed = [CORRELATION_HEADER, *([TIME_HEADER] if config.class_log else [])]
    for_other_origins = cross_origin(
        send_wildcard=True, expose_headers=exposed, automatic_options=False
    )

    app = Flask("demo_server", static_folder=None)
    app.request_class = CorrelatedRequest
    create_teachers(config, database)
    clock = clock_for(config, database, clock)
    service = AuthService(config, database=database, clock=clock, emit=emit_here)
    classroom = ClassService(config, database=database, clock=clock, emit=emit_here)
    deny = service.policy.deny
    add_routes(app, service, classroom)
    add_cookie_routes(app, service, config)
    add_front_end(app, service.policy)

    @app.before_request
    def limit_body() -> None:
        # Flask's MAX_CONTENT_LENGTH would cut a chunked body at the limit and say nothing.
        environ = request.environ
        if "HTTP_TRANSFER_ENCODING" in environ and "wsgi.input_terminated" in environ:
            del environ["HTTP_TRANSFER_ENCODING"]  # from here on the body has a length
            body = _read_up_to(MAX_BODY_BYTES + 1, environ["wsgi.input"])
            environ["wsgi.input"] = io.BytesIO(body)
            environ["CONTENT_LENGTH"] = str(len(body))
        if "CONTENT_LENGTH" in environ and (request.content_length or 0) > MAX_BODY_BYTES:
            raise RequestEntityTooLarge

    @app.after_request
    def add_headers(response: Response) -> Response:
        response.headers.add(CORRELATION_HEADER, _request.correlation)
        if config.class_log:
            response.headers.add(TIME_HEADER, f"{clock():.3f}")
        # Open to all origins, as in the article. flask-cors handles requests with an Origin,
        # preflights included. All others need one constant header, and setting it here saves
        # a tenth of the time of a request to /home.
        if "HTTP_ORIGIN" in request.environ:
            return for_other_origins(lambda: response)()
        response.headers.add("Access-Control-Allow-Origin", "*")
        return response

    @app.errorhandler(Refusal)
    def refuse(refusal: Refusal) -> tuple[Response, int]:
        if refusal.code in _REQUEST_REFUSED:
            user = {"username": g.username} if "username" in g else {}
            emit_here("request.refused", reason=refusal.code, detail=refusal.message, **user)
        return _answer(deny(refusal))

    @app.errorhandler(ConnectionFailure)
    def wait_for_database(error: Exception) -> tuple[Response, int]:
        # The driver's message names the host, so it is not passed on.
        return refuse(DatabaseUnavailable())

    @app.errorhandler(HTTPException)
    def refuse_request(error: HTTPException) -> tuple[Response, int]:
        code, message = _WORDS.get(type(error), ("request_malformed", "The request is malformed"))
        emit_here("request.refused", reason=code)
        response, status = _answer(deny(Refusal(code, message)))
        if isinstance(error, MethodNotAllowed) and error.valid_methods:
            response.headers["Allow"] = ", ".join(error.valid_methods)
        return response, status

    @app.errorhandler(Exception)
    def fail(error: Exception) -> tuple[Response, int]:
        if type(error).__module__.partition(".")[0] in _DRIVER:
            # MongoDB's message can repeat the whole command, with the hash of a password in it.
            frames = "".join(traceback.format_tb(error.__traceback__))
            kind = type(error).__name__
            _log.error("%s %s failed: %s\n%s", request.method, request.path, kind, frames)
        else:
            _log.error("%s %s failed", request.method, request.path, exc_info=error)
        emit_here("server.failed", reason="server_error", detail=type(error).__name__)
        return _answer(deny(Refusal("server_error", "Internal Server Error")))

    return app


def check_kinds(config: object, database: object, clock: object, emit: object) -> None:
    """Check the types of the arguments of `create_app`.

    Raises:
        TypeError: one is wrong. The message says what to pass.
    """
    if not isinstance(config, ServerConfig):
        raise TypeError(
            f"config must be a ServerConfig, such as ServerConfig(policy='rfc'), {_not_a(config)}"
        )
    if not (hasattr(database, "client") and hasattr(database, "__getitem__")):
        raise TypeError(f"database must be one of open_database(), {_not_a(database)}")
    if not callable(clock):
        raise TypeError(
            "clock must be a function that returns seconds, such as time.time without "
            f"parentheses, {_not_a(clock)}"
        )
    if not callable(emit):
        raise TypeError(f'emit must be a function, such as log.emitter("server"), {_not_a(emit)}')


def _not_a(value: object) -> str:
    return f"not a value of type {type(value).__name__}"


#: The refusals that no service has reported.
_REQUEST_REFUSED = frozenset(
    [
        "request_malformed",
        "insufficient_scope",
        "csrf_token_missing",
        "csrf_token_invalid",
        "cross_site_request",
        "database_unavailable",
    ]
)

_WORDS: dict[type[HTTPException], tuple[str, str]] = {
    NotFound: ("route_unknown", "No such route exists"),
    MethodNotAllowed: (
        "method_not_allowed",
        "This route does not accept that method: see the header Allow",
    ),
    RequestEntityTooLarge: (
        "body_too_large",
        f"The body is larger than {MAX_BODY_BYTES} bytes",
    ),
}


def _read_up_to(size: int, stream: IO[bytes]) -> bytes:
    """The first `size` bytes of a stream that may return fewer than it is asked for."""
    data = b""
    while len(data) < size and (piece := stream.read(size - len(data))):
        data += piece
    return data


def _answer(denial: ErrorResponse) -> tuple[Response, int]:
    response = jsonify(denial.body)
    response.headers.update(denial.headers)
    return response, denial.status
