"""`AuthClient`: drives the flow. It sends its messages, shares refreshes, and records.

Any number of threads may use one client:

- of the calls that meet one expired token, the first refreshes and the others wait, whichever
  client of the store they come from (`TokenStore.refresh_once`). If it succeeds they retry in
  parallel; if it is refused they all get `LoginRequired`; if the server cannot be reached they
  all get `ServerUnreachable`;
- they share one `requests.Session`, which is not documented as thread-safe. What calls share is
  its connection pool, which is (urllib3), and its cookies, which are switched off. A session for
  each thread would open a connection for each click, since each click has its own thread.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Literal
from urllib.parse import urlsplit

import requests

from ..clock import Clock
from ..errors import LoginRequired, ServerUnreachable, StoreError, TokensNotDeleted
from ..log.event_log import EventLog
from ..protocol.auth_flow import (
    Auth,
    AuthFlow,
    BearerAuth,
    Request,
    may_have_expired,
    read_token,
    refresh_request,
    with_bearer,
)
from ..protocol.single_flight import Flight
from ..protocol.store import TokenStore
from ..protocol.tokens import TokenPair
from .stepper import Stepper
from .transport import (
    HttpTransport,
    OutgoingCall,
    Transport,
    accepted,
    new_id,
    one_action,
    refreshed_facts,
    verdict,
)


class AuthClient:
    """A client of the demo server that keeps its user logged in.

    Args:
        base_url (str): such as "http://127.0.0.1:8000".
        store (TokenStore | None): holds the tokens; in memory by default.
        log (EventLog | None): records each step; a new log by default.
        clock (Clock): returns seconds since the epoch; used for words about expiry, never to
            decide.
        auth: makes the auth scheme from the store. `partial(BearerAuth, clock=clock)` refreshes
            before the token expires.
        logout_path (str | None): the route that ends a session, such as "/logout"; the
            article's server has none.
        name (str): the source of this client's events.

    Attributes:
        base_url, store, log, clock, name: as given.
        transport (Transport): sends the messages.
        before_send: receives each message and returns the one to send instead; a `Stepper`
            waits here. No lock of this process is held during the call. A hook that uses this
            client during a refresh gets `Deadlock`.

    Raises:
        ValueError: `base_url` is not an http or https URL.
    """

    def __init__(
        self,
        base_url: str,
        *,
        store: TokenStore | None = None,
        log: EventLog | None = None,
        clock: Clock = time.time,
        auth: Callable[[TokenStore], Auth] = BearerAuth,
        logout_path: str | None = None,
        name: str = "client",
    ) -> None:
        parts = urlsplit(base_url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"base_url must be like http://127.0.0.1:8000, not {base_url!r}")
        self.base_url = base_url.rstrip("/")
        self.store = store if store is not None else TokenStore()
        self.log = log if log is not None else EventLog(clock=clock)
        self.clock = clock
        self.name = name
        self.before_send: Callable[[Request], Request] = _unchanged
        self._auth = auth(self.store)
        self._logout_path = logout_path
        self._record = self.log.emitter(name)
        self.transport: Transport = HttpTransport(self.base_url)
        self._refreshes = self.store.refreshes

    # What a user does

    def register(self, username: str, password: str) -> dict[str, Any]:
        """Register a user; returns `{_id, username}`.

        Raises:
            Rejected: the server refused.
            ServerUnreachable: no response arrived.
        """
        return accepted(self._post_credentials("/users/register", username, password, new_id()))

    def login(self, username: str, password: str) -> dict[str, Any]:
        """Log in and store the tokens; returns `{accessToken, refreshToken}`.

        Raises:
            Rejected: the server refused; an existing session continues.
            ServerUnreachable: no response arrived, or one without tokens.
        """
        correlation = new_id()
        response = self._post_credentials("/users/login", username, password, correlation)
        answer = accepted(response)
        pair = TokenPair(
            read_token(response, "accessToken"),
            read_token(response, "refreshToken"),
            received_at=self.clock(),
        )
        try:
            self.store.set(pair)
        finally:  # the session has started, even if the file cannot be written
            self._record(
                "session.started",
                correlation=correlation,
                username=username,
                access=dict(pair.access_facts),
                refresh=dict(pair.refresh_facts),
            )
        return answer

    def home(self) -> dict[str, Any]:
        """`GET /home`; returns `{message}`.

        Raises:
            LoginRequired: there is no session, or it has ended.
            Rejected: the server refused for another reason.
            ServerUnreachable: no response arrived.
        """
        response = self.request("GET", "/home")
        if response.status_code in (401, 403) and "Authorization" not in response.request.headers:
            raise LoginRequired("There is no session: log in first")
        return accepted(response)

    def logout(self) -> None:
        """Delete the tokens, and tell the server if it has a route for that.

        Raises:
            ServerUnreachable: the server was not told, so its session lasts until it expires.
                The tokens are deleted all the same.
            TokensNotDeleted: the session has ended, but its file cannot be deleted.
        """
        pair = self.store.get()
        if pair is None:
            return
        with one_action() as correlation:
            try:
                if self._logout_path is not None:
                    self.request("POST", self._logout_path)
            except LoginRequired:
                return  # the session had already ended, and that is recorded
            finally:
                self._forget(pair, correlation)

    def _forget(self, pair: TokenPair, correlation: str) -> None:
        """Delete the tokens of a session, but not those of one that began meanwhile."""
        while (held := self.store.get()) is not None and held.session is pair.session:
            try:
                ended = self.store.replace(held, None)
            except TokensNotDeleted:
                self._record("session.ended", correlation=correlation, reason="logged_out")
                raise
            if ended:
                self._record("session.ended", correlation=correlation, reason="logged_out")

    def request(self, method: str, path: str, **options: Any) -> requests.Response:
        """Send any request, with the access token if there is a session.

        An expired token is refreshed, and the request retried.

        Args:
            method (str), path (str): such as "GET" and "/home"; the path begins with "/".
            options: as in `requests.request`: json, data, files, headers, params, timeout …
                The retry sends the whole body again.

        Returns:
            requests.Response: the final response, whatever its status.

        Raises:
            LoginRequired: the session ended during the request.
            ServerUnreachable: no response arrived.
            ValueError: the path or an option cannot be sent.
        """
        call = self._open_call(method, path, options)
        flow = self._auth.auth_flow(Request(call.method, path))
        try:
            message = next(flow)
            while True:
                send = self._advance if message.replaces is None else self._refresh_once
                message = send(flow, message, call)
        except StopIteration as end:
            response: requests.Response = end.value
            return response

    def probe(self, token: str, kind: Literal["access", "refresh"] = "access") -> requests.Response:
        """Send any token once, outside the flow, without touching the session.

        Args:
            token (str): valid, forged or broken, but ASCII.
            kind: "access" sends it to `GET /home`, "refresh" to `POST /refresh`.

        Returns:
            requests.Response: the response, whatever its status.

        Raises:
            ServerUnreachable: no response arrived.
            ValueError: the token contains characters that no header can carry.
        """
        if not (token.isascii() and token.isprintable()):
            raise ValueError("A token must be printable ASCII to be sent")
        pair = TokenPair(token, token)
        asks = (
            refresh_request(pair)
            if kind == "refresh"
            else with_bearer(Request("GET", "/home"), pair)
        )
        options = {"json": asks.json, "allow_redirects": False}
        call = self._open_call(asks.method, asks.path, options)
        return call.send(self.before_send(replace(asks, purpose="probe")))

    # How the flow is driven

    def _open_call(
        self, method: str, path: str, options: dict[str, Any], correlation: str | None = None
    ) -> OutgoingCall:
        return OutgoingCall(self.transport, self._record, method, path, options, correlation)

    def _advance(self, flow: AuthFlow, message: Request, call: OutgoingCall) -> Request:
        """Send a message, and return the one that follows its response."""
        try:
            response = call.send(self.before_send(message))
        except ServerUnreachable as error:
            return flow.throw(error)  # the flow may go on without a response
        if message.signed_with is not None and may_have_expired(response):
            name, facts = verdict(message.signed_with, response, self.clock())
            self._record(name, correlation=call.correlation, **facts)
        following = flow.send(response)
        old, new = message.replaces or message.signed_with, following.signed_with
        if message.purpose == "refresh" and old and new and new is not old:
            facts = refreshed_facts(old, new)
            self._record("token.refreshed", correlation=call.correlation, **facts)
        return following

    def _refresh_once(self, flow: AuthFlow, message: Request, call: OutgoingCall) -> Request:
        """The same for a refresh: of all callers with one expired token, one sends it."""
        pair = message.replaces
        assert pair is not None

        def lead(flight: Flight) -> Request:
            try:
                following = self._advance(flow, message, call)
            except (LoginRequired, StoreError):
                self._record_outcome(pair, call)
                raise
            if self.store.get() is pair:
                # A refresh ahead of expiry has failed, and this call goes on without it. Those
                # who wait should do the same, rather than try one after the other.
                flight.error = ServerUnreachable("The refresh failed")
            return following

        def follow(error: ServerUnreachable | None) -> Request:
            # Without an error, another call has refreshed or the session has ended.
            return flow.send(None) if error is None else flow.throw(error)

        return self.store.refresh_once(
            pair, lead, follow, patience=call.patience, is_paused=self._is_paused
        )

    def _record_outcome(self, old: TokenPair, call: OutgoingCall) -> None:
        """Record what a refresh has done, if an error took the place of its answer."""
        new = self.store.get()
        if new is None:
            self._record("session.ended", correlation=call.correlation, reason="refresh_refused")
        elif new is not old and new.session is old.session:
            facts = refreshed_facts(old, new)
            self._record("token.refreshed", correlation=call.correlation, **facts)

    def _is_paused(self) -> bool:
        return isinstance(self.before_send, Stepper) and self.before_send.waiting is not None

    def _post_credentials(
        self, path: str, username: str, password: str, correlation: str
    ) -> requests.Response:
        """Register and login carry no token, and no refusal of theirs is an expiry."""
        options = {"json": {"username": username, "password": password}, "allow_redirects": False}
        call = self._open_call("POST", path, options, correlation)
        return call.send(self.before_send(Request("POST", path)))

    def __repr__(self) -> str:
        return f"<AuthClient {self.name!r}, {'logged in' if self.store.get() else 'no session'}>"


def _unchanged(message: Request) -> Request:
    return message
