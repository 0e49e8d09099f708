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

import math
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import replace
from typing import Any, Literal
from urllib.parse import urlsplit

import requests

from ..clock import Clock, check_clock
from ..errors import Deadlock, LoginRequired, ServerUnreachable, StoreError, TokensNotDeleted
from ..log.event_log import EventLog
from ..protocol.answers import Response, error_code, read_token, redirected_to, retry_after
from ..protocol.auth_flow import (
    EXPIRED,
    Auth,
    AuthFlow,
    BearerAuth,
    Request,
    may_have_expired,
    refresh_request,
    with_bearer,
)
from ..protocol.single_flight import Flight
from ..protocol.store import TokenStore
from ..protocol.tokens import TokenPair
from .actions import new_id, one_action
from .outgoing_call import TIMEOUT, OutgoingCall
from .responses import accepted, told
from .stepper import Stepper
from .transport import HttpTransport, Transport

#: Seconds that a call waits for a refresh ahead of expiry: its token is still valid.
EARLY_LIMIT = 3.0


class AuthClient:
    """A client of the demo server that keeps its user logged in.

    Args:
        base_url (str): such as "http://127.0.0.1:8000".
        store (TokenStore | None): holds the tokens; in memory by default.
        log (EventLog | None): records each step; a new log by default.
        clock (Clock | None): returns seconds since the epoch; by default the auth scheme's, or
            `time.time`. It describes expiry in the log, and measures the wait for a server that
            asked for one (`Retry-After`).
        auth: makes the auth scheme from the store. `partial(BearerAuth, clock=clock)` refreshes
            before the token expires.
        logout_path (str | None): the route that ends a session, such as "/logout"; the
            article's server has none.
        name (str): the source of this client's events.
        timeout (float | tuple[float, float]): seconds to connect and seconds to wait for each
            part of a response, or one number for both. `request(…, timeout=)` overrides it.
        verify (bool | str): whether to check the certificate of an https server, or the file or
            folder of the authorities to trust. `request(…, verify=)` overrides it.

    Attributes:
        base_url, store, log, clock, name: as given.
        transport (Transport): sends the messages.
        before_send: receives each message and returns the one to send instead; a `Stepper`
            waits here. No lock of this process is held during the call. A hook that uses this
            client during a refresh gets `Deadlock`.

    Raises:
        ValueError: `base_url` is not an http or https URL, or contains a username; a timeout is
            not a positive number; the client and its auth scheme have two clocks.
        TypeError: an argument has the wrong type.
    """

    def __init__(
        self,
        base_url: str,
        *,
        store: TokenStore | None = None,
        log: EventLog | None = None,
        clock: Clock | None = None,
        auth: Callable[[TokenStore], Auth] = BearerAuth,
        logout_path: str | None = None,
        name: str = "client",
        timeout: float | tuple[float, float] = TIMEOUT,
        verify: bool | str = True,
    ) -> None:
        _check_kinds(base_url, store, log, clock, auth)
        self.base_url = _checked(base_url)
        self.store = store if store is not None else TokenStore()
        self._auth = auth(self.store)
        self._scheme_clock: Clock | None = getattr(self._auth, "clock", None)
        self.clock = _one_clock(clock, self._scheme_clock)
        self.log = log if log is not None else EventLog(clock=self.clock)
        self.name = name
        self.before_send: Callable[[Request], Request] = _unchanged
        self._logout_path = logout_path
        # By username. A logout keeps them: they are for the next login, and open nothing.
        self._device_tokens: dict[str, str] = {}
        self._record = self.log.emitter(name)
        self._options = {"timeout": _positive(timeout), "verify": verify}
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

        A server with a back-off returns a `deviceToken` too. The client keeps it in memory and
        sends it with the next login of that user, which then does not wait for strangers who guess
        the password.

        Raises:
            Rejected: the server refused; an existing session continues.
            ServerUnreachable: no response arrived, or one without tokens.
        """
        correlation = new_id()
        known = self._device_tokens.get(username)
        response = self._post_credentials(
            "/users/login",
            username,
            password,
            correlation,
            **({} if known is None else {"deviceToken": known}),
        )
        answer = accepted(response)
        device_token = answer.get("deviceToken")
        if isinstance(device_token, str):
            self._device_tokens[username] = device_token
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
        without = "Authorization" not in response.request.headers
        if response.status_code in EXPIRED and without and not redirected_to(response):
            raise LoginRequired("There is no session: log in first")
        answer = accepted(response)
        if not isinstance(answer.get("message"), str):
            raise ServerUnreachable(
                "The response contains no message. Is base_url the demo server's address?"
            )
        return answer

    def logout(self) -> None:
        """Delete the tokens, and tell the server if it has a route for that.

        Raises:
            ServerUnreachable: the server was not told, so its session lasts until it expires.
                The tokens are deleted anyway.
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
        while (held := self.store.get()) is not None and held.session == pair.session:
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
        asked = Request(call.method, path)
        flow = self._auth.auth_flow(asked)
        try:
            message = next(flow)
            if message.replaces is not None:
                flow, message = self._refresh_ahead(flow, message, call, asked)
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
        return call.send(self._hooked(replace(asks, purpose="probe")))

    @property
    def waiting(self) -> int:
        """How many calls wait for the refresh that another call has sent."""
        return self._refreshes.waiting

    @property
    def refreshes_ahead(self) -> bool:
        """Does the auth scheme refresh a token before it expires, by a clock?"""
        return self._scheme_clock is not None

    # How the flow is driven

    def _open_call(
        self, method: str, path: str, options: dict[str, Any], correlation: str | None = None
    ) -> OutgoingCall:
        if self.log.is_telling:
            raise Deadlock(
                "This call was made in a subscriber of the log, while no other event can be "
                "recorded: make it in another thread, such as with threading.Thread(…).start()"
            )
        options = {**self._options, **options}
        return OutgoingCall(self.transport, self._record, method, path, options, correlation)

    def _advance(self, flow: AuthFlow, message: Request, call: OutgoingCall) -> Request:
        """Send a message, and return the one that follows its response."""
        try:
            response = call.send(self._hooked(message))
        except ServerUnreachable as error:
            return flow.throw(error)  # the flow may carry on without a response
        if message.signed_with is not None and may_have_expired(response):
            self._record_refusal(message.signed_with, response, call)
        if message.replaces is not None and (wait := retry_after(response)):
            self.store.postpone_refresh(message.replaces, self.clock(), wait)
        following = flow.send(response)
        old, new = message.replaces or message.signed_with, following.signed_with
        if message.purpose == "refresh" and old and new and new is not old:
            self._record_refreshed(old, new, call)
        return following

    def _refresh_ahead(
        self, flow: AuthFlow, message: Request, call: OutgoingCall, asked: Request
    ) -> tuple[AuthFlow, Request]:
        """Refresh before the call, for `EARLY_LIMIT` at most: the call can go on without it.

        A refresh that takes longer is not broken off. It may have spent the refresh token, so its
        response must be stored when it arrives, and nobody may refresh meanwhile.
        """
        if isinstance(self.before_send, Stepper) and self.before_send.on:
            # A person decides when each message is sent.
            return flow, self._refresh_once(flow, message, call)
        done: Future[Request] = Future()

        def refresh() -> None:
            try:
                done.set_result(self._refresh_once(flow, message, call))
            except BaseException as error:
                done.set_exception(error)

        try:
            threading.Thread(target=refresh, name="refresh ahead", daemon=True).start()
        except RuntimeError:  # no thread can be started here
            return flow, self._refresh_once(flow, message, call)
        try:
            return flow, done.result(EARLY_LIMIT)
        except TimeoutError:
            # The thread keeps its flow, and this call gets another one.
            flow = self._auth.auth_flow(asked)
            first = next(flow)
            late = ServerUnreachable("The refresh takes too long")
            return flow, first if first.replaces is None else flow.throw(late)

    def _refresh_once(self, flow: AuthFlow, message: Request, call: OutgoingCall) -> Request:
        """Do the same for a refresh: of all callers with one expired token, one sends it."""
        pair = message.replaces
        assert pair is not None
        wait = self.store.refresh_wait(pair, self.clock())
        if wait:
            self._record("refresh.postponed", correlation=call.correlation, wait=math.ceil(wait))
            return flow.throw(
                ServerUnreachable(
                    f"The server asks to wait {math.ceil(wait)} s before the next refresh: "
                    "you are still logged in",
                    wait,
                )
            )

        def lead(flight: Flight) -> Request:
            try:
                following = self._advance(flow, message, call)
            except (LoginRequired, StoreError):
                self._record_outcome(pair, call)
                raise
            if self.store.get() is pair:
                # A refresh ahead of expiry has failed, and this call carries on without it. The
                # waiting callers should do the same, rather than try one after the other.
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
        elif new is not old and new.session == old.session:
            self._record_refreshed(old, new, call)

    def _record_refreshed(self, old: TokenPair, new: TokenPair, call: OutgoingCall) -> None:
        """Record the new access token; with rotation, the new refresh token as well."""
        facts = {"kind": "access", **new.access_facts}
        if new.refresh != old.refresh:
            facts["refresh"] = dict(new.refresh_facts)
        self._record("token.refreshed", correlation=call.correlation, **facts)

    def _record_refusal(self, pair: TokenPair, response: Response, call: OutgoingCall) -> None:
        """Record that an access token was refused, or had expired."""
        reason = error_code(response)
        # Only the article's policy has an error code for an expired token.
        silent = reason in ("", "invalid_token")
        expired = reason == "token_expired" or (
            silent and pair.access_facts.get("exp", 0) <= self.clock()
        )
        name = "token.expired" if expired else "token.refused"
        said = told(reason, (pair.access, pair.refresh))
        facts = {"kind": "access", "reason": said, **pair.access_facts}
        self._record(name, correlation=call.correlation, **facts)

    def _is_paused(self) -> bool:
        return isinstance(self.before_send, Stepper) and self.before_send.waiting is not None

    def _post_credentials(
        self, path: str, username: str, password: str, correlation: str, **more: str
    ) -> requests.Response:
        """Register and login carry no bearer token, so a refusal is never an expiry."""
        body = {"username": username, "password": password, **more}
        options = {"json": body, "allow_redirects": False}
        call = self._open_call("POST", path, options, correlation)
        return call.send(self._hooked(Request("POST", path)))

    def _hooked(self, message: Request) -> Request:
        """The message that `before_send` returns for a message."""
        sent = self.before_send(message)
        if not isinstance(sent, Request):
            raise TypeError(
                "before_send must return the message to send, such as the one that it received, "
                f"{_not_a(sent)}"
            )
        return sent

    def __repr__(self) -> str:
        return f"<AuthClient {self.name!r}, {'logged in' if self.store.get() else 'no session'}>"


def _check_kinds(base_url: object, store: object, log: object, clock: object, auth: object) -> None:
    """Mistakes that are easily made, named before the first request fails."""
    if not isinstance(base_url, str):
        raise TypeError(f"base_url must be text, such as server.url, {_not_a(base_url)}")
    if store is not None and not isinstance(store, TokenStore):
        raise TypeError(f"store must be a TokenStore, {_not_a(store)}")
    if log is not None and not isinstance(log, EventLog):
        raise TypeError(f"log must be an EventLog, {_not_a(log)}")
    if clock is not None:
        check_clock(clock)
    if not callable(auth):
        raise TypeError(
            "auth must make the scheme from the store: pass the class itself, such as BearerAuth, "
            f"{_not_a(auth)}"
        )


def _not_a(value: object) -> str:
    return f"not a value of type {type(value).__name__}"


def _checked(base_url: str) -> str:
    """The URL without a slash at the end. It is shown in logs, so it must hold no password."""
    try:
        parts = urlsplit(base_url)
        host = parts.hostname or ""
        usable = parts.scheme in ("http", "https") and host != "" and parts.port != 0
        # As requests does with each message; urllib3 asks for a name that DNS can look up.
        requests.Request("GET", base_url).prepare()
        host.encode("idna")
    except ValueError:
        usable = False
    if not usable:
        raise ValueError("base_url must be a URL such as http://127.0.0.1:8000")
    if parts.username is not None or parts.query or parts.fragment:
        raise ValueError("base_url must hold an address only: no username, password, ? or #")
    return base_url.rstrip("/")


def _one_clock(clock: Clock | None, of_the_scheme: Clock | None) -> Clock:
    """The clock of a client. A token's age measured with two clocks would mean nothing."""
    if clock is not None and of_the_scheme is not None and clock != of_the_scheme:
        raise ValueError("The client and its auth scheme have two clocks: give both the same")
    return clock or of_the_scheme or time.time


def _positive(timeout: float | tuple[float, float]) -> float | tuple[float, float]:
    parts = timeout if isinstance(timeout, tuple) else (timeout,)
    good = (isinstance(part, (int, float)) and part is not True and part > 0 for part in parts)
    if not all(good) or len(parts) > 2:
        raise ValueError("timeout must be seconds, or a pair of seconds to connect and to wait")
    return timeout


def _unchanged(message: Request) -> Request:
    return message
