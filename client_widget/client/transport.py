"""Sends the messages of a call over HTTP, records their events, and reads the responses.

A call is prepared once and can be sent twice. `Transport` is the point where a message leaves the
process.
"""

from __future__ import annotations

import os
import random
import re
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from http.cookiejar import DefaultCookiePolicy
from typing import Any, Protocol

import requests
from requests.adapters import HTTPAdapter

from ..errors import Rejected, ServerUnreachable
from ..log.event_log import Emit
from ..log.masking import mask_answer, mask_body, mask_echoes, mask_headers, mask_text, secrets_in
from ..protocol.answers import Response as AnyResponse
from ..protocol.answers import error_code, json_of, redirected_to, retry_after, text_of
from ..protocol.auth_flow import Request
from ..protocol.tokens import TokenPair
from .in_process import InProcessAdapter, is_in_process

#: One id follows one user action through client and server.
CORRELATION_HEADER = "X-Request-ID"

#: A class server's time in seconds since the epoch, on each of its responses.
TIME_HEADER = "X-Server-Time"

#: Seconds to connect, and seconds to wait for a response. The server's longest wait, for its
#: database, is 14 s; retransmission of a lost SYN takes 3 s.
TIMEOUT = (3.05, 15.0)

#: Bytes of a response that is read into memory, after decompression. The lab's longest has 300,000.
#: For more, `request(…, stream=True)`.
MAX_ANSWER = 16_000_000

#: Characters of a refusal's error and message to keep.
MAX_TOLD = 200

#: The options of a call that apply to its refresh as well. It has its own body, and follows no
#: redirect, which could lead its token anywhere.
_CONNECTION_OPTIONS = frozenset({"timeout", "verify", "cert", "proxies"})

_TIME = re.compile(r"\d{1,12}(\.\d{1,6})?", re.ASCII)

_SEND_OPTIONS = _CONNECTION_OPTIONS | {"allow_redirects", "stream"}


class JsonAnswer(dict[str, Any]):
    """The JSON object of a response. `repr` hides its tokens."""

    def __repr__(self) -> str:
        shown = {
            name: "<token>" if name.lower().endswith("token") else value
            for name, value in self.items()
        }
        return repr(shown)


class Transport(Protocol):
    """The point where a message leaves the process. `HttpTransport` sends it over HTTP."""

    def prepare(self, request: requests.Request) -> requests.PreparedRequest:
        """The request as it will be sent; its `url` is a path of the server."""
        ...

    def send(self, prepared: requests.PreparedRequest, **options: Any) -> requests.Response:
        """Send it, and return the response whatever its status.

        Raises:
            requests.RequestException: no response arrived.
        """
        ...


class BrokenAnswer(requests.RequestException):
    """A response that HTTP does not allow, such as a redirect to what is no URL."""


class LargeAnswer(requests.RequestException):
    """A response that does not fit into memory."""


class Response(requests.Response):
    """A response whose content has an end: a server can send a terabyte, or a kilobyte of gzip that
    becomes one."""

    _content_consumed: bool

    @property
    def content(self) -> bytes:
        """The body.

        Raises:
            LargeAnswer: it is larger than `MAX_ANSWER`.
        """
        if not self._content_consumed:
            pieces, length = [], 0
            for piece in self.iter_content(65_536):
                pieces.append(piece)
                length += len(piece)
                if length > MAX_ANSWER:
                    self.close()
                    raise LargeAnswer
            self._content = b"".join(pieces)
        return super().content or b""


class _Adapter(HTTPAdapter):
    def build_response(self, req: requests.PreparedRequest, resp: Any) -> requests.Response:
        response = super().build_response(req, resp)
        response.__class__ = Response
        return response


class _Session(requests.Session):
    """A session whose errors in a redirect are `BrokenAnswer`, and not mistakes of the caller."""

    def resolve_redirects(
        self, resp: requests.Response, *args: Any, **options: Any
    ) -> Iterator[requests.Response]:
        try:
            yield from super().resolve_redirects(resp, *args, **options)
        except (ValueError, requests.RequestException) as error:
            resp.close()
            if isinstance(error, requests.RequestException):
                raise
            raise BrokenAnswer(type(error).__name__) from None


class HttpTransport:
    """Sends over HTTP: no cookies, no settings from the environment, one connection pool.

    Args:
        base_url (str): such as "http://127.0.0.1:8000", without a slash at the end. The server at
            "http://in-process:1" is reached without a socket: see `client.in_process`.
    """

    def __init__(self, base_url: str) -> None:
        self._base_url = base_url
        self.session = _Session()
        # Neither proxies nor .netrc from the environment: a password in .netrc would replace the
        # bearer token, and a proxy cannot reach this machine's loopback.
        self.session.trust_env = False
        self.session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        self._process = os.getpid()
        self._open_pool()

    def prepare(self, request: requests.Request) -> requests.PreparedRequest:
        """The request with the server's address in front of its path."""
        request.url = self._base_url + request.url
        if request.headers or request.cookies:
            return self.session.prepare_request(request)
        # With nothing to merge into the session's settings this is the same, in half the time. The
        # session's jar is empty, and accepts no cookie.
        prepared = requests.PreparedRequest()
        prepared.prepare(
            method=request.method,
            url=request.url,
            headers=self.session.headers,
            files=request.files,
            data=request.data,
            json=request.json,
            params=request.params or None,
            auth=request.auth,
            cookies=self.session.cookies,
            hooks=request.hooks,
        )
        return prepared

    def send(self, prepared: requests.PreparedRequest, **options: Any) -> requests.Response:
        """Send it on a pooled connection, and return the response."""
        if self._process != os.getpid():
            # After a fork, parent and child would read each other's answers from one connection.
            self._process = os.getpid()
            self._open_pool()
        # Where proxies are given, requests does not look for those of the environment.
        options.setdefault("proxies", self.session.proxies)
        return self.session.send(prepared, **options)

    def _open_pool(self) -> None:
        if is_in_process(self._base_url):
            self.session.mount("http://", InProcessAdapter())
            return
        for scheme in ("http://", "https://"):
            # One server, and up to 64 calls at once, as in a lesson's stampede.
            self.session.mount(scheme, _Adapter(pool_connections=4, pool_maxsize=64))


class OutgoingCall:
    """One call of a user, prepared once, with all the messages that it takes.

    Args:
        transport (Transport): sends the messages.
        record (Emit): records each message and its response.
        method (str), path (str), options: as in `AuthClient.request`.
        correlation (str | None): the id that all messages share; a new one by default.

    Raises:
        ValueError: the path or an option cannot be sent.
    """

    def __init__(
        self,
        transport: Transport,
        record: Emit,
        method: str,
        path: str,
        options: Mapping[str, Any],
        correlation: str | None = None,
    ) -> None:
        # A path that is a URL could carry the token to another host.
        if not path.startswith("/"):
            raise ValueError(f"path must begin with /, such as /home, not {path!r}")
        self.method = method.upper()
        self.correlation = correlation or new_id()
        self._transport = transport
        self._record = record
        self._send_options = {k: v for k, v in options.items() if k in _SEND_OPTIONS}
        self._send_options.setdefault("timeout", TIMEOUT)
        rest = {k: v for k, v in options.items() if k not in _SEND_OPTIONS}
        if "data" in rest:
            rest["data"] = _rewindable(rest["data"])
        self._prepared = self._prepare(self.method, path, **rest)
        # A file is sent from its current position, both times.
        body: Any = self._prepared.body
        self._body_start: int | None = body.tell() if hasattr(body, "tell") else None

    def send(self, message: Request) -> requests.Response:
        """Send a message of this call, and return its response whatever its status.

        Raises:
            ServerUnreachable: no response arrived.
        """
        prepared, options = self._prepared_for(message), self._options_for(message)
        # Without the query and the fragment: they may contain anything.
        path = mask_text(message.path.partition("?")[0].partition("#")[0])
        about = {"method": message.method, "path": path, "purpose": message.purpose}
        self._record(
            "request.retried" if message.purpose == "retry" else "request.sent",
            correlation=self.correlation,
            **about,
            **_token_facts(message),
            headers=mask_headers(prepared.headers),
            body=mask_body(prepared.body, prepared.headers.get("Content-Type", "")),
        )
        if message.purpose == "call":
            _wait_for_the_others()
        try:
            response = self._transport.send(prepared, **options)
            # A streamed response is the caller's to read, unless it is a refusal.
            streamed = bool(options.get("stream")) and response.status_code < 400
            body = b"" if streamed else response.content
        except requests.RequestException as error:
            reason = _reason(error)
            advice = _ADVICE.get(reason, "Is the server running?")
            self._record("request.failed", correlation=self.correlation, **about, reason=reason)
            # Without its cause, whose text contains the port and the whole URL.
            raise ServerUnreachable(f"{message.method} {path} failed: {reason}. {advice}") from None
        elsewhere, secrets = redirected_to(response), _secrets_in(prepared)
        headers = mask_headers(response.headers)
        self._record(
            "response.received",
            correlation=self.correlation,
            **about,
            status=response.status_code,
            elapsed=round(response.elapsed.total_seconds(), 6),
            **({"redirected_to": elsewhere} if elsewhere else {}),
            **({} if response.status_code < 400 else refusal_of(response)),
            headers={name: mask_echoes(told, secrets) for name, told in headers.items()},
            body=mask_echoes(mask_answer(body, response.headers.get("Content-Type", "")), secrets),
        )
        return response

    @property
    def patience(self) -> float:
        """Seconds to wait for another caller's refresh, by the `timeout` of this call."""
        return patience(self._send_options["timeout"])

    def _prepare(self, method: str, path: str, **options: Any) -> requests.PreparedRequest:
        try:
            prepared = self._transport.prepare(requests.Request(method, path, **options))
        except requests.exceptions.InvalidHeader:
            # Its own message repeats the header, which may hold a token.
            raise ValueError("A header contains characters that cannot be sent") from None
        except requests.exceptions.InvalidJSONError as error:
            raise ValueError(f"json cannot be sent: {error}") from None
        prepared.headers[CORRELATION_HEADER] = self.correlation
        return prepared

    def _prepared_for(self, message: Request) -> requests.PreparedRequest:
        if message.purpose == "refresh":
            prepared = self._prepare(message.method, message.path, json=message.json)
        elif message.purpose == "retry":
            prepared = self._prepared.copy()
            if self._body_start is not None:
                body: Any = prepared.body
                body.seek(self._body_start)
        else:
            prepared = self._prepared
        for name, value in message.headers.items():
            if not (value.isascii() and value.isprintable()):
                raise ValueError(f"The header {name} contains characters that cannot be sent")
        prepared.headers.update(message.headers)
        return prepared

    def _options_for(self, message: Request) -> dict[str, Any]:
        if message.purpose == "refresh":
            kept = {k: v for k, v in self._send_options.items() if k in _CONNECTION_OPTIONS}
            return {**kept, "allow_redirects": False}
        return self._send_options


#: What to do about a failure; for the others: "Is the server running?"
_ADVICE = {
    "the certificate was rejected": "Check base_url, or name the right authority with verify=",
    "the response is too large": "Ask for it with stream=True, and read it with iter_content()",
    "no TLS": "If the server speaks plain HTTP, begin base_url with http://",
    "the response is broken": "Is base_url the demo server's address?",
}


def _reason(error: requests.RequestException) -> str:
    """Why no usable response arrived, in words."""
    if isinstance(error, requests.exceptions.SSLError):
        return "the certificate was rejected" if "CERTIFICATE_VERIFY" in str(error) else "no TLS"
    if isinstance(error, LargeAnswer):
        return "the response is too large"
    if isinstance(error, requests.Timeout):
        return "no response in time"
    broken = (
        BrokenAnswer,
        requests.TooManyRedirects,
        requests.exceptions.InvalidSchema,
        requests.exceptions.ChunkedEncodingError,
        requests.exceptions.ContentDecodingError,
        requests.exceptions.InvalidURL,
    )
    return "the response is broken" if isinstance(error, broken) else "no connection"


def patience(timeout: Any) -> float:
    """Seconds after which a message has been answered or has failed, unless the answer drips.

    Args:
        timeout (float | tuple | None): as in `requests.request`. Where it sets no bound, `TIMEOUT`
            does.
    """
    both = timeout if isinstance(timeout, tuple) else (timeout, timeout)
    bounds = (
        bound if isinstance(bound, (int, float)) else default
        for bound, default in zip(both, TIMEOUT, strict=True)
    )
    return sum(bounds) + 1.0  # and a moment for what is done before and after


def _rewindable(data: Any) -> Any:
    """The body in a form that can be sent twice: what cannot be rewound is read into memory."""
    if hasattr(data, "read"):
        seekable = getattr(data, "seekable", None)
        return data if seekable is not None and seekable() else data.read()
    if hasattr(data, "__next__"):
        return b"".join(part.encode() if isinstance(part, str) else part for part in data)
    return data


_action: ContextVar[str | None] = ContextVar("action", default=None)


def new_id() -> str:
    """The correlation id of the current action, or a new one. It is not a secret."""
    return _action.get() or f"{random.getrandbits(48):012x}"


@contextmanager
def one_action(correlation: str | None = None) -> Iterator[str]:
    """Make all calls of the block in this thread one action; yields its correlation id.

    Args:
        correlation (str | None): that of the action around it, or a new one by default.
    """
    correlation = correlation or new_id()
    outer = _action.set(correlation)
    try:
        yield correlation
    finally:
        _action.reset(outer)


_start: ContextVar[threading.Barrier | None] = ContextVar("start", default=None)


@contextmanager
def starting_with(others: threading.Barrier) -> Iterator[None]:
    """Let the first call of the block leave together with those of other threads.

    Each call signs its message, and all messages are sent before the first is answered. So if
    their token has expired, all of them meet that, however the threads take turns.

    Args:
        others (Barrier): shared by the threads, one party for each. It is broken by a call that
            ends before its message: then nobody waits.
    """
    outer = _start.set(others)
    try:
        yield
    finally:
        if _start.get() is others:
            others.abort()
        _start.reset(outer)


def _wait_for_the_others() -> None:
    others = _start.get()
    if others is not None:
        _start.set(None)
        with suppress(threading.BrokenBarrierError):
            others.wait()


def refusal_of(response: requests.Response) -> dict[str, str]:
    """`error` and `message` of a refusal. The article's server sends plain text."""
    body = json_of(response)
    if body is None:
        body = text_of(response)
    if not isinstance(body, dict):
        body = {"message": body}
    secrets = _secrets_in(response.request)
    return {
        "error": _told(body.get("error"), secrets),
        "message": _told(body.get("message"), secrets) or _told(response.reason, secrets),
    }


def _secrets_in(request: requests.PreparedRequest | None) -> list[str]:
    """The credentials of a request. A careless server repeats them in its response."""
    if request is None:
        return []
    _, _, token = str(request.headers.get("Authorization", "")).partition(" ")
    return [token, *secrets_in(request.body, str(request.headers.get("Content-Type", "")))]


def _told(text: object, secrets: Iterable[str]) -> str:
    """A text of a server as an event and an error may hold it; "" if it is no text."""
    if not isinstance(text, str):
        return ""
    # JSON can spell half of a surrogate pair, which nothing can print.
    clean = text.encode(errors="replace").decode()
    return mask_echoes(mask_text(clean), secrets)[:MAX_TOLD]


def server_time(response: requests.Response) -> float | None:
    """The time of a class server in seconds since the epoch; None if the response has none."""
    text = response.headers.get(TIME_HEADER, "")
    return float(text) if _TIME.fullmatch(text) else None


def accepted(response: requests.Response) -> JsonAnswer:
    """The JSON object of a success.

    Raises:
        Rejected: the response is a refusal.
        ServerUnreachable: the body is not a JSON object, so this is another server.
    """
    if response.status_code >= 400:
        refusal = refusal_of(response)
        elsewhere = redirected_to(response)
        message = refusal["message"]
        raise Rejected(
            response.status_code,
            refusal["error"],
            f"{message} (redirected to {elsewhere})" if elsewhere else message,
            retry_after(response),
        )
    answer = json_of(response)
    if not isinstance(answer, dict):
        raise ServerUnreachable(
            "The response is not a JSON object. Is base_url the demo server's address?"
        )
    return JsonAnswer(answer)


def _token_facts(message: Request) -> dict[str, Any]:
    """What the log may record of the token in the message."""
    if message.replaces is not None:
        return {"kind": "refresh", **message.replaces.refresh_facts}
    if message.signed_with is not None:
        return {"kind": "access", **message.signed_with.access_facts}
    return {}


def verdict(pair: TokenPair, response: AnyResponse, now: float) -> tuple[str, dict[str, Any]]:
    """The event of a refused access token: its name and its fields.

    Args:
        pair: whose access token was sent.
        response: the refusal.
        now (float): seconds since the epoch, on the client's clock.
    """
    reason = error_code(response)
    # Only the article's policy has an error code for an expired token.
    silent = reason in ("", "invalid_token")
    expired = reason == "token_expired" or (silent and pair.access_facts.get("exp", 0) <= now)
    name = "token.expired" if expired else "token.refused"
    told = _told(reason, (pair.access, pair.refresh))
    return name, {"kind": "access", "reason": told, **pair.access_facts}


def refreshed_facts(old: TokenPair, new: TokenPair) -> dict[str, Any]:
    """The fields of `token.refreshed`; with rotation, those of the new refresh token as well."""
    facts = {"kind": "access", **new.access_facts}
    if new.refresh != old.refresh:
        facts["refresh"] = dict(new.refresh_facts)
    return facts
