"""HTTP as the client needs it: requests that can be sent twice, answers in plain terms."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from http.cookiejar import DefaultCookiePolicy
from typing import Any

import requests
from requests.adapters import HTTPAdapter

from ..errors import Rejected, ServerUnreachable
from ..log.masking import mask_answer, mask_body, mask_headers
from ..protocol.auth_flow import Request, Response, error_code
from ..protocol.tokens import TokenPair

#: One id follows one user action through client and server.
CORRELATION_HEADER = "X-Request-ID"

#: Seconds to connect, and seconds to wait for an answer.
TIMEOUT = (3.05, 15.0)

_SEND_OPTIONS = frozenset({"timeout", "allow_redirects", "stream", "verify", "cert", "proxies"})


class JsonAnswer(dict[str, Any]):
    """The JSON object of an answer. Its tokens are values like any other, but are not shown."""

    def __repr__(self) -> str:
        shown = {
            name: "<token>" if name.lower().endswith("token") else value
            for name, value in self.items()
        }
        return repr(shown)


class HttpCall:
    """One call of a user: its request, prepared once, and its correlation id.

    Raises:
        ValueError: the path or an option cannot be sent.
    """

    def __init__(
        self,
        http: requests.Session,
        base_url: str,
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
        self._base_url = base_url
        self._http = http
        self._send_options = {k: v for k, v in options.items() if k in _SEND_OPTIONS}
        self._send_options.setdefault("timeout", TIMEOUT)
        rest = {k: v for k, v in options.items() if k not in _SEND_OPTIONS}
        if "data" in rest:
            rest["data"] = _rewindable(rest["data"])
        self._prepared = self._prepare(self.method, path, **rest)
        # A file is sent from where it stands, both times.
        body: Any = self._prepared.body
        self._body_start: int | None = body.tell() if hasattr(body, "tell") else None

    def _prepare(self, method: str, path: str, **options: Any) -> requests.PreparedRequest:
        request = requests.Request(method, self._base_url + path, **options)
        prepared = self._http.prepare_request(request)
        prepared.headers[CORRELATION_HEADER] = self.correlation
        return prepared

    def prepare(self, message: Request) -> requests.PreparedRequest:
        """The message as requests sends it."""
        if message.purpose == "refresh":
            prepared = self._prepare(message.method, message.path, json=message.json)
        elif message.purpose == "retry":
            prepared = self._prepared.copy()
            if self._body_start is not None:
                body: Any = prepared.body
                body.seek(self._body_start)
        else:
            prepared = self._prepared
        prepared.headers.update(message.headers)
        return prepared

    def send_options(self, message: Request) -> dict[str, Any]:
        """A refresh token follows no redirect: it would go wherever the redirect says."""
        if message.purpose == "refresh":
            return {"timeout": TIMEOUT, "allow_redirects": False}
        return self._send_options


def open_session() -> requests.Session:
    """The session of a client: no cookies, nothing of the environment, a large pool."""
    session = requests.Session()
    # Neither proxies nor .netrc of the environment: a password in .netrc would replace the
    # bearer token, and a proxy cannot reach the loopback of this machine.
    session.trust_env = False
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    for scheme in ("http://", "https://"):
        session.mount(scheme, HTTPAdapter(pool_connections=4, pool_maxsize=64))
    return session


def _rewindable(data: Any) -> Any:
    """The body as something that can be sent twice: what cannot go back is read into memory."""
    if hasattr(data, "read"):
        seekable = getattr(data, "seekable", None)
        return data if seekable is not None and seekable() else data.read()
    if hasattr(data, "__next__"):
        return b"".join(part.encode() if isinstance(part, str) else part for part in data)
    return data


_action: ContextVar[str | None] = ContextVar("action", default=None)


def new_id() -> str:
    """A correlation id; that of the action under way, if there is one.

    It is not a secret, so it need not be hard to guess.
    """
    return _action.get() or f"{random.getrandbits(48):012x}"


@contextmanager
def one_action() -> Iterator[str]:
    """Make all calls of a block, in this thread, one action; gives its correlation id."""
    correlation = new_id()
    outer = _action.set(correlation)
    try:
        yield correlation
    finally:
        _action.reset(outer)


def refusal_of(response: requests.Response) -> dict[str, str]:
    """`error` and `message` of a refusal. The article's own server sends a bare text."""
    try:
        body = response.json()
    except ValueError:
        body = response.text
    if not isinstance(body, dict):
        body = {"message": body}
    return {
        "error": str(body.get("error") or ""),
        "message": str(body.get("message") or response.reason)[:200],
    }


def accepted(response: requests.Response) -> JsonAnswer:
    """The JSON object of a success.

    Raises:
        Rejected: the answer is a refusal.
        ServerUnreachable: it is not a JSON object, so not the demo server's.
    """
    if response.status_code >= 400:
        refusal = refusal_of(response)
        raise Rejected(response.status_code, refusal["error"], refusal["message"])
    try:
        return JsonAnswer(response.json())
    except (ValueError, TypeError):
        raise ServerUnreachable(
            "The answer is not a JSON object: is base_url the demo server's?"
        ) from None


def exchange(
    http: requests.Session, message: Request, call: HttpCall, record: Callable[..., object]
) -> requests.Response:
    """Send a message of a call and give its answer, whatever its status.

    Args:
        record: `record(name, correlation=…, **fields)`, told of the message and its answer.

    Raises:
        ServerUnreachable: no answer came.
    """
    prepared, options = call.prepare(message), call.send_options(message)
    # Without the query: it is not ours to know what is in it.
    path = message.path.partition("?")[0]
    about = {"method": message.method, "path": path, "purpose": message.purpose}
    record(
        "request.retried" if message.purpose == "retry" else "request.sent",
        correlation=call.correlation,
        **about,
        **_token_facts(message),
        headers=mask_headers(prepared.headers),
        body=mask_body(prepared.body, prepared.headers.get("Content-Type", "")),
    )
    try:
        response = http.send(prepared, **options)
    except requests.RequestException as error:
        late = isinstance(error, requests.Timeout)
        reason = "no answer in time" if late else "no connection"
        record("request.failed", correlation=call.correlation, **about, reason=reason)
        # Without its cause, whose text has the port and the whole URL in it.
        raise ServerUnreachable(
            f"{message.method} {path}: {reason}: is the server running?"
        ) from None
    # An answer that the caller wants to stream is the caller's to read, unless it is refused.
    streamed = bool(options.get("stream")) and response.status_code < 400
    content_type = response.headers.get("Content-Type", "")
    record(
        "response.received",
        correlation=call.correlation,
        **about,
        status=response.status_code,
        elapsed=round(response.elapsed.total_seconds(), 6),
        **({} if response.status_code < 400 else refusal_of(response)),
        headers=mask_headers(response.headers),
        body="" if streamed else mask_answer(response.content, content_type),
    )
    return response


def _token_facts(message: Request) -> dict[str, Any]:
    """What the log may hold of the token that goes with the message."""
    if message.replaces is not None:
        return {"kind": "refresh", **message.replaces.refresh_facts}
    if message.signed_with is not None:
        return {"kind": "access", **message.signed_with.access_facts}
    return {}


def verdict(pair: TokenPair, response: Response, now: float) -> tuple[str, dict[str, Any]]:
    """The event of a refused access token: its name and its fields.

    Args:
        pair: whose access token was sent.
        response: the refusal.
        now (float): seconds since the epoch, on the client's clock.
    """
    reason = error_code(response)
    # Of the two policies only the article's says by its code that a token has expired.
    silent = reason in ("", "invalid_token")
    expired = reason == "token_expired" or (silent and pair.access_facts.get("exp", 0) <= now)
    name = "token.expired" if expired else "token.refused"
    return name, {"kind": "access", "reason": reason, **pair.access_facts}


def refreshed_facts(old: TokenPair, new: TokenPair) -> dict[str, Any]:
    """The fields of `token.refreshed`; with rotation, those of the new refresh token as well."""
    facts = {"kind": "access", **new.access_facts}
    if new.refresh != old.refresh:
        facts["refresh"] = dict(new.refresh_facts)
    return facts
