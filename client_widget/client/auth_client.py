"""`AuthClient`: drives the flow over HTTP. It sends, shares refreshes, and records.

Threads: a client may be used by any number of them.

- Single flight: of the calls that meet one expired token, the first refreshes and the others
  wait for its end. When it succeeds they retry, in parallel; when it is refused they all get
  `LoginRequired`; when the server is not there they all get `ServerUnreachable`. No lock is
  held while a message is on its way.
- They share one `requests.Session`. It is not documented as safe under threads; what is
  shared between calls is its connection pool, which is safe (urllib3), and its cookies,
  which are switched off here. The tests hold it under 32 threads. A session for each thread
  would open a new connection for each click, since each click has a thread of its own.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import replace
from typing import Any, Literal
from urllib.parse import urlsplit

import requests

from ..clock import Clock
from ..errors import LoginRequired, ServerUnreachable
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
from ..protocol.store import TokenStore
from ..protocol.tokens import TokenPair
from .transport import (
    HttpCall,
    accepted,
    exchange,
    new_id,
    one_action,
    open_session,
    refreshed_facts,
    verdict,
)


class AuthClient:
    """A client of the demo server that keeps its user logged in.

    Args:
        base_url (str): such as "http://127.0.0.1:8000".
        store (TokenStore | None): where the tokens are; in memory, if not given.
        log (EventLog | None): where each step is recorded; a log of its own, if not given.
        clock: gives seconds since the epoch; used for words about expiry, never to decide.
        auth: makes the auth scheme from the store. `partial(BearerAuth, clock=clock)` refreshes
            ahead of the expiry.
        logout_path (str | None): where the server ends a session, such as "/logout"; the
            article's has no such route.
        name (str): the source of this client's events.

    Attributes:
        base_url, store, log, clock, name: as given.
        before_send: is given each message and gives the one to send instead; a `Stepper`
            waits here. No lock is held when it is called.

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
        self.before_send: Callable[[Request], Request] = _as_it_is
        self._auth = auth(self.store)
        self._logout_path = logout_path
        self._record = self.log.emitter(name)
        self._http = open_session()
        self._refreshes = threading.Lock()
        self._flight: Future[None] | None = None

    # What a user does

    def register(self, username: str, password: str) -> dict[str, Any]:
        """Register a user; gives `{_id, username}`.

        Raises:
            Rejected: the server refused.
            ServerUnreachable: no answer came.
        """
        return accepted(self._post_credentials("/users/register", username, password, new_id()))

    def login(self, username: str, password: str) -> dict[str, Any]:
        """Log in and store the tokens; gives `{accessToken, refreshToken}`.

        Raises:
            Rejected: the server refused; a session that was there goes on.
            ServerUnreachable: no answer came, or none with tokens in it.
        """
        correlation = new_id()
        response = self._post_credentials("/users/login", username, password, correlation)
        answer = accepted(response)
        pair = TokenPair(
            read_token(response, "accessToken"),
            read_token(response, "refreshToken"),
            received_at=self.clock(),
        )
        self.store.set(pair)
        self._record(
            "session.started",
            correlation=correlation,
            username=username,
            access=dict(pair.access_facts),
            refresh=dict(pair.refresh_facts),
        )
        return answer

    def home(self) -> dict[str, Any]:
        """`GET /home`; gives `{message}`.

        Raises:
            LoginRequired: there is no session, or it ended.
            Rejected: the server refused for another reason.
            ServerUnreachable: no answer came.
        """
        response = self.request("GET", "/home")
        if response.status_code in (401, 403) and "Authorization" not in response.request.headers:
            raise LoginRequired("There is no session: log in first")
        return accepted(response)

    def logout(self) -> None:
        """Forget the tokens, and tell the server if it has a route for it.

        Raises:
            ServerUnreachable: the server was not told, so its session lasts until it expires.
                The tokens are forgotten all the same.
        """
        pair = self.store.get()
        if pair is None:
            return
        with one_action() as correlation:
            try:
                if self._logout_path is not None:
                    self.request("POST", self._logout_path)
            except LoginRequired:
                return  # the session was over already, and this has been recorded
            finally:
                self._forget(pair, correlation)

    def _forget(self, pair: TokenPair, correlation: str) -> None:
        """Forget the tokens of a session, but not those of another that began meanwhile."""
        while (held := self.store.get()) is not None and held.session is pair.session:
            if self.store.replace(held, None):
                self._record("session.ended", correlation=correlation, reason="logged_out")

    def request(self, method: str, path: str, **options: Any) -> requests.Response:
        """Any request, signed if there is a session, refreshed and retried if need be.

        Args:
            method (str), path (str): such as "GET" and "/home"; the path begins with "/".
            options: those of `requests.request`: json, data, files, headers, params,
                timeout … A body is sent whole again on the retry.

        Returns:
            requests.Response: the final answer, whatever its status.

        Raises:
            LoginRequired: the session ended under the request.
            ServerUnreachable: no answer came.
            ValueError: the path or an option cannot be sent.
        """
        call = HttpCall(self._http, self.base_url, method, path, options)
        flow = self._auth.auth_flow(Request(call.method, path))
        try:
            message = next(flow)
            while True:
                message = self._answer(flow, message, call)
        except StopIteration as end:
            response: requests.Response = end.value
            return response

    def probe(self, token: str, kind: Literal["access", "refresh"] = "access") -> requests.Response:
        """Send any token once, outside the flow: the session neither helps nor notices.

        Args:
            token (str): good, forged or broken, but ASCII.
            kind: "access" sends it to `GET /home`, "refresh" to `POST /refresh`.

        Returns:
            requests.Response: the answer, whatever its status.

        Raises:
            ServerUnreachable: no answer came.
            ValueError: the token has characters that no header can hold.
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
        call = HttpCall(self._http, self.base_url, asks.method, asks.path, options)
        return self._send(replace(asks, purpose="probe"), call)

    # How the flow is driven

    def _answer(self, flow: AuthFlow, message: Request, call: HttpCall) -> Request:
        """Get the message its answer, and give the message that follows."""
        pair = message.replaces
        while pair is not None:
            # The lock covers the look and the decision, not the refresh.
            with self._refreshes:
                if self.store.get() is not pair:
                    return flow.send(None)  # another call has refreshed, or the session ended
                flight = self._flight
                if flight is None:
                    flight = self._flight = Future()
                    break
            try:
                flight.result()
            except ServerUnreachable as error:
                return flow.throw(ServerUnreachable(str(error)))
        else:
            return self._exchange(flow, message, call)

        try:
            following = self._exchange(flow, message, call)
            if self.store.get() is pair:
                # The flow can do without: the refresh was ahead of time. Those who wait should
                # know, and not try one after the other.
                flight.set_exception(ServerUnreachable("The refresh did not come through"))
            return following
        except LoginRequired:
            self._record("session.ended", correlation=call.correlation, reason="refresh_refused")
            raise
        except ServerUnreachable as error:
            flight.set_exception(error)
            raise
        finally:
            with self._refreshes:
                self._flight = None
            if not flight.done():
                flight.set_result(None)

    def _exchange(self, flow: AuthFlow, message: Request, call: HttpCall) -> Request:
        """Send the message, send the flow its answer, and give the message that follows."""
        try:
            response = self._send(message, call)
        except ServerUnreachable as error:
            return flow.throw(error)  # the flow may know what to do without an answer
        if message.signed_with is not None and may_have_expired(response):
            self._record_refused(message.signed_with, response, call)
        following = flow.send(response)
        old, new = message.replaces or message.signed_with, following.signed_with
        if message.purpose == "refresh" and old and new and new is not old:
            facts = refreshed_facts(old, new)
            self._record("token.refreshed", correlation=call.correlation, **facts)
        return following

    def _send(self, message: Request, call: HttpCall) -> requests.Response:
        return exchange(self._http, self.before_send(message), call, self._record)

    def _record_refused(self, pair: TokenPair, response: requests.Response, call: HttpCall) -> None:
        name, facts = verdict(pair, response, self.clock())
        self._record(name, correlation=call.correlation, **facts)

    def _post_credentials(
        self, path: str, username: str, password: str, correlation: str
    ) -> requests.Response:
        """Register and login: never signed, and no refusal of theirs is an expiry."""
        options = {"json": {"username": username, "password": password}, "allow_redirects": False}
        return self._send(
            Request("POST", path),
            HttpCall(self._http, self.base_url, "POST", path, options, correlation),
        )

    def __repr__(self) -> str:
        return f"<AuthClient {self.name!r}, {'logged in' if self.store.get() else 'no session'}>"


def _as_it_is(message: Request) -> Request:
    return message
