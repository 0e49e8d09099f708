"""One call of a user: prepared once, sent up to twice, and recorded each time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import requests

from ..errors import ServerUnreachable
from ..log.event_log import Emit
from ..log.masking import mask_answer, mask_body, mask_echoes, mask_headers, mask_text
from ..protocol.answers import redirected_to
from ..protocol.auth_flow import Request
from .actions import new_id, wait_for_the_others
from .responses import refusal_of, secrets_of
from .transport import BrokenAnswer, LargeAnswer, Transport

#: One id follows one user action through client and server.
CORRELATION_HEADER = "X-Request-ID"

#: Seconds to connect, and seconds to wait for a response. The server's longest wait, for its
#: database, is 14 s; retransmission of a lost SYN takes 3 s.
TIMEOUT = (3.05, 15.0)

#: The options of a call that apply to its refresh as well. It has its own body, and follows no
#: redirect, which could lead its token anywhere.
_CONNECTION_OPTIONS = frozenset({"timeout", "verify", "cert", "proxies"})

_SEND_OPTIONS = _CONNECTION_OPTIONS | {"allow_redirects", "stream"}


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
            wait_for_the_others()
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
        elsewhere, secrets = redirected_to(response), secrets_of(prepared)
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


def _token_facts(message: Request) -> dict[str, Any]:
    """What the log may record of the token in the message."""
    if message.replaces is not None:
        return {"kind": "refresh", **message.replaces.refresh_facts}
    if message.signed_with is not None:
        return {"kind": "access", **message.signed_with.access_facts}
    return {}


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
