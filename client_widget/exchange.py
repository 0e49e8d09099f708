"""One message over HTTP, and the two events that tell of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import requests

from .auth_flow import Request
from .errors import ServerUnreachable
from .masking import mask_answer, mask_body, mask_headers
from .transport import HttpCall, refusal_of


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
