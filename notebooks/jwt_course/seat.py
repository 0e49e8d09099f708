"""`join(url)`: a student's place in a class on one server.

    from jwt_course import join

    join("http://class.example:8000")

The server decides: on the lifetimes, on the clock, on what a student may read. A thread asks it
once a second, outside the session, so that it neither refreshes a token nor adds a row to the log:

- `GET /clock` for the class's time, if the server has that route. Each response of the server has
  the time in a header, so the student's own requests bring it too;
- `GET /events` for the student's own events, while the access token is valid;
- `POST /progress` for each exercise on which something has happened since.
"""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import requests

from client_widget import (
    AuthClient,
    ClientError,
    Event,
    EventLog,
    Rejected,
    ServerUnreachable,
    TokenPair,
    describe,
)
from client_widget.client.responses import server_time
from client_widget.client.transport import Transport
from client_widget.clock import Clock, ServerClock
from client_widget.log.event_text import EVENT_NAMES
from client_widget.protocol.answers import json_of
from client_widget.protocol.tokens import is_time
from client_widget.widgets.background import Pulse

from .progress import subscribe

if TYPE_CHECKING:
    from client_widget import LoginPanel

#: Seconds between two questions to the server.
INTERVAL = 1.0

#: A clock that moves by this many seconds or more was moved by the teacher.
MOVED = 1.0

#: Steps of the course that wait to be reported. Of one exercise the last of each kind waits.
MAX_WAITING = 200

# Seconds to connect and to wait. The next question comes soon.
_TIMEOUT = (3.05, 5.0)

# The fields of a server's event that the log takes over, with their types.
_FIELDS: Mapping[str, type | tuple[type, ...]] = {
    "username": str,
    "kind": str,
    "reason": str,
    "family": str,
    "path": str,
    "iat": (int, float),
    "exp": (int, float),
}

_CORRELATION = re.compile(r"[A-Za-z0-9._-]{1,64}", re.ASCII)


class CannotJoin(ClientError):
    """There is no place in a class at that address. The message says what to do."""


class Seat:
    """A student's place in a class; shown in a cell it is the panel.

    Attributes:
        client (AuthClient): talks to the class's server. `logout` ends the session there, if the
            server has a route for that.
        log (EventLog): the client's steps, and the server's events of this student's own actions.
        clock (Clock): the class's time. Only the teacher moves it.
        policy (str): the server's, "article" or "rfc".
        panel (LoginPanel): its form asks for what `join` was not given.
    """

    def __init__(self, url: str, *, verify: bool | str = True, clock: Clock | None = None) -> None:
        """Find the class.

        Raises:
            CannotJoin: no class server answers at `url`.
        """
        self.clock = ServerClock() if clock is None else ServerClock(clock)
        described = _described(url, verify, self.clock)
        paths = described["paths"]
        self.policy = str(described["info"].get("x-policy", ""))
        self.log = EventLog(clock=self.clock)
        self.client = AuthClient(
            url,
            log=self.log,
            clock=self.clock,
            logout_path="/logout" if "/logout" in paths else None,
            verify=verify,
        )
        self.client.transport = _Hearing(self.client.transport, self._hear)
        self._options = {"timeout": _TIMEOUT, "verify": verify, "allow_redirects": False}
        self._has_clock = "/clock" in paths
        self._since = self.clock()
        self._cursor = 0
        self._waiting: dict[tuple[object, ...], Mapping[str, Any]] = {}
        self._looking = threading.Lock()
        self._pulse = Pulse(INTERVAL, self._step)
        self._unsubscribe: Callable[[], None] | None = None
        self._panel: LoginPanel | None = None

    @property
    def panel(self) -> LoginPanel:
        """The panel, created when it is first needed."""
        if self._panel is None:
            from client_widget import LoginPanel  # a lesson without a class loads no widgets

            self._panel = LoginPanel(self.client, clock=self.clock)
        return self._panel

    def log_in(self, name: str, password: str) -> None:
        """Log in, and register first if nobody has that name.

        Raises:
            CannotJoin: the password is not that of this name.
            Rejected: the server refused for another reason, such as a short password.
            ServerUnreachable: no response arrived.
        """
        try:
            self.client.login(name, password)
            return
        except Rejected as refusal:
            if refusal.code == "password_wrong":
                raise CannotJoin(_WRONG_PASSWORD) from None
            if refusal.code not in ("user_unknown", "invalid_credentials"):
                raise
        try:
            self.client.register(name, password)
        except Rejected as refusal:
            if refusal.code == "user_exists":  # with `rfc` only the registration says so
                raise CannotJoin(_WRONG_PASSWORD) from None
            raise
        self.client.login(name, password)

    def report(self, step: Mapping[str, Any]) -> None:
        """Report a step in the course to the class's server with the next look.

        Args:
            step (Mapping): `lesson`, `exercise`, `what`, `correct` and `times`, as
                docs/reference/routes.md describes them. Anything else is left out.
        """
        wanted = {name: step.get(name) for name in _STEP}
        kind = (wanted["lesson"], wanted["exercise"], wanted["what"])
        if kind in self._waiting or len(self._waiting) < MAX_WAITING:
            self._waiting[kind] = wanted

    def follow(self) -> None:
        """Look once a second, and report each step in the course, until `leave`."""
        if self._unsubscribe is None:
            self._unsubscribe = subscribe(self.report)
        self._pulse.start()

    def leave(self) -> None:
        """Stop following the class. The session stays."""
        if self._unsubscribe is not None:
            self._unsubscribe()
            self._unsubscribe = None
        self._pulse.stop()

    def look(self) -> None:
        """Ask the server once for its time and for this student's events, and report progress.

        Raises:
            ServerUnreachable: no response arrived.
        """
        with self._looking:
            if self._has_clock:
                self._ask("GET", "/clock")
            pair = self.client.store.get()
            if pair is None or not self._is_valid(pair):
                return
            while self._waiting:
                kind, step = next(iter(self._waiting.items()))
                answer = self._ask("POST", "/progress", pair, json=step)
                # What the server finds malformed will not be better the next time.
                if answer.status_code not in (204, 400):
                    return
                if self._waiting.get(kind) is step:
                    del self._waiting[kind]
            self._read_events(pair)

    def _ipython_display_(self) -> None:
        from IPython.display import display

        display(self.panel)  # type: ignore[no-untyped-call]

    def __repr__(self) -> str:
        return f"<Seat, {'logged in' if self.client.store.get() else 'no session'}>"

    def _step(self) -> bool:
        with suppress(ServerUnreachable):  # the next step asks again
            self.look()
        return True

    def _is_valid(self, pair: TokenPair) -> bool:
        exp = pair.access_facts.get("exp")
        return is_time(exp) and exp > self.clock()

    def _ask(
        self, method: str, path: str, pair: TokenPair | None = None, **body: Any
    ) -> requests.Response:
        """Send a request outside the session and its log."""
        headers = {} if pair is None else {"Authorization": f"Bearer {pair.access}"}
        transport = self.client.transport
        try:
            prepared = transport.prepare(requests.Request(method, path, headers=headers, **body))
            return transport.send(prepared, **self._options)
        except requests.RequestException:
            # Without its cause, whose text contains the whole URL.
            raise ServerUnreachable(f"{method} {path} failed. Is the server running?") from None

    def _hear(self, response: requests.Response) -> None:
        moved = self.clock.hear(server_time(response))
        if moved >= MOVED:
            self.log.record("clock.advanced", source="server", seconds=round(moved))

    def _read_events(self, pair: TokenPair) -> None:
        answer = json_of(self._ask("GET", f"/events?after={self._cursor}", pair))
        if not isinstance(answer, dict):
            return
        events, cursor = answer.get("events"), answer.get("cursor")
        if not (isinstance(events, list) and type(cursor) is int and 0 <= cursor < 10**15):
            return  # a refusal: the token has expired meanwhile, or the server restarts
        self._cursor = cursor
        for event in events:
            if isinstance(event, dict):
                self._take_over(event)

    def _take_over(self, event: Mapping[str, Any]) -> None:
        """Record a server's event in the student's log, unless it is older than this seat."""
        name, at, correlation = (event.get(key) for key in ("name", "at", "correlation"))
        if not (
            isinstance(name, str) and name in EVENT_NAMES and is_time(at) and at >= self._since
        ):
            return
        if not (isinstance(correlation, str) and _CORRELATION.fullmatch(correlation)):
            correlation = None
        fields = {n: event[n] for n, kind in _FIELDS.items() if isinstance(event.get(n), kind)}
        with suppress(KeyError, TypeError, ValueError):  # a field is missing: no sentence
            describe(Event(0, at, "server", name, correlation, fields))
            self.log.record(name, source="server", correlation=correlation, **fields)


_STEP = ("lesson", "exercise", "what", "correct", "times")

_WRONG_PASSWORD = (
    "This name is registered, and the password is not its own. Check the password, or choose "
    "another name if this one belongs to somebody else."
)


class _Hearing:
    """A transport that passes each response on to a listener before the caller sees it."""

    def __init__(self, transport: Transport, hear: Any) -> None:
        self._transport = transport
        self._hear = hear

    def prepare(self, request: requests.Request) -> requests.PreparedRequest:
        return self._transport.prepare(request)

    def send(self, prepared: requests.PreparedRequest, **options: Any) -> requests.Response:
        response = self._transport.send(prepared, **options)
        self._hear(response)
        return response


def _described(url: str, verify: bool | str, clock: ServerClock) -> dict[str, Any]:
    """The description of the server at `url`, from `/openapi.json`.

    Raises:
        CannotJoin: no class server answers there.
    """
    log = EventLog()
    try:
        client = AuthClient(url, log=log, timeout=_TIMEOUT, verify=verify)
        answer = client.request("GET", "/openapi.json", allow_redirects=False)
    except ValueError:
        raise CannotJoin(
            "This is no address of a server. Write it as your teacher shows it, such as "
            'join("http://class.example:8000").'
        ) from None
    except ServerUnreachable:
        reason = [event.fields["reason"] for event in log if event.name == "request.failed"][-1]
        raise CannotJoin(_UNREACHABLE.get(reason, _NOBODY).format(url=url)) from None
    described = json_of(answer)
    parts = ("paths", "info") if isinstance(described, dict) else ()
    if not parts or not all(isinstance(described.get(part), dict) for part in parts):
        raise CannotJoin(
            f"Something else than the lab's server answers at {url}. Check the address with your "
            "teacher."
        )
    if "/events" not in described["paths"]:
        raise CannotJoin(
            f"The server at {url} is no class server: it keeps no class log. Ask your teacher to "
            "start it with CLASS_LOG=1."
        )
    clock.hear(server_time(answer))
    found: dict[str, Any] = described
    return found


_NOBODY = (
    "No server answers at {url}. Check the address with your teacher, and that both machines are "
    "in the same network."
)

_UNREACHABLE = {
    "the certificate was rejected": (
        "The certificate of {url} is not one that this machine trusts. Do not go on with verify="
        'False: ask your teacher for the file of its authority, and write verify="class.pem".'
    ),
    "no response in time": (
        "The server at {url} does not respond in time. Wait a moment, then run the cell again."
    ),
    "the response is broken": (
        "Something else than the lab's server answers at {url}. Check the address with your "
        "teacher: it begins with http:// or https://."
    ),
}

_current: Seat | None = None


def join(
    url: str | None = None,
    name: str | None = None,
    password: str | None = None,
    *,
    policy: str | None = None,
    verify: bool | str = True,
    clock: Clock | None = None,
) -> Seat:
    """Join the class at `url`: a student's one line.

    Args:
        url (str | None): the address that the teacher shows; by default that of the environment
            variable `SERVER_URL`.
        name, password (str | None): log in with these, and register if the name is new. Without
            them the panel's form asks.
        policy (str | None): "article" or "rfc" if a lesson needs that one.
        verify (bool | str): as in `AuthClient`.
        clock (Clock | None): the local clock; `time.time` by default.

    Returns:
        Seat: as the last line of a cell it shows the panel. It follows the class until the next
        `join` in this kernel.

    Raises:
        CannotJoin: there is no such class; the message says what to do.
        Rejected: the server refused the registration or the login.
    """
    global _current
    url = url or os.environ.get("SERVER_URL", "")
    if not url:
        raise CannotJoin(
            'Write the address of the class, such as join("http://class.example:8000").'
        )
    seat = Seat(url if "://" in url else f"http://{url}", verify=verify, clock=clock)
    if policy is not None and seat.policy != policy:
        raise CannotJoin(
            f"This lesson needs a server with the policy {policy}, and the class's server has "
            f"{seat.policy or 'an unknown one'}. Ask your teacher to start it with "
            f"AUTH_POLICY={policy}, or take this lesson in your own lab."
        )
    if name is not None and password is not None:
        seat.log_in(name, password)
    elif name is not None:
        seat.panel.username.value = name
    if _current is not None:
        _current.leave()
    _current = seat
    seat.follow()
    return seat
