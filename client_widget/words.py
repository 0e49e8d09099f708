"""Events in plain words: one sentence for each, the same on the panel and in a notebook.

A sentence holds no fingerprint and no time of day, so on a clock that stands still the same
run gives the same words.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from datetime import datetime
from http import HTTPStatus
from typing import Any

from .events import Event

REASONS = {
    "token_missing": "no token came with the request",
    "token_malformed": "it does not have the form of a token",
    "token_invalid": "it is not one of this server's access tokens",
    "token_expired": "it has expired",
    "token_not_yet_valid": "it is not valid yet",
    "user_exists": "the name is taken",
    "user_unknown": "there is no such user",
    "password_wrong": "the password is wrong",
    "route_unknown": "there is no such route",
    "method_not_allowed": "the route has another method",
    "body_too_large": "the body is too large",
    "request_malformed": "the request is malformed",
    "logged_out": "logged out, and both tokens are forgotten",
    "refresh_refused": "the refresh was refused, so log in again",
}


def describe(event: Event) -> str:
    """The event in one sentence."""
    words = _SENTENCES.get(event.name)
    fields = event.fields
    if words is None:
        return " ".join([event.name, *(f"{name}={value}" for name, value in fields.items())])
    sentence = words(fields, event.at)
    # The client's sentences name the path themselves.
    if "path" in fields and "method" not in fields:
        return f"{fields['path']}: {sentence}"
    return sentence


def tone(event: Event) -> str:
    """How the event looks: "good", "bad", "late" or "plain"."""
    name, status = event.name, event.fields.get("status", 0)
    if name == "token.expired" or event.fields.get("reason") == "token_expired":
        return "late"
    if status >= 400 or name.endswith((".refused", ".rejected", ".failed", ".ended")):
        return "bad"
    if status or name.endswith((".accepted", ".issued", ".refreshed", ".started", ".registered")):
        return "good"
    return "plain"


def life(exp: float, at: float) -> str:
    """What is left of a token at a time: "42 s left" or "expired 1 s ago"."""
    left = exp - at
    # As countdowns do: the last second reads 1, and 0 only when it is over.
    return f"{math.ceil(left)} s left" if left > 0 else f"expired {math.floor(-left)} s ago"


def time_of_day(at: float) -> str:
    """Seconds since the epoch as local time, "14:05:09"."""
    try:
        return f"{datetime.fromtimestamp(at):%H:%M:%S}"
    except (OverflowError, ValueError, OSError):  # past the end of the calendar
        return f"{at:.0f}"


def _token(fields: Mapping[str, Any], at: float) -> str:
    """ "the access token (42 s left)" """
    name = f"the {fields.get('kind', 'access')} token"
    return f"{name} ({life(fields['exp'], at)})" if "exp" in fields else name


def _reason(fields: Mapping[str, Any]) -> str:
    reason = str(fields.get("reason", ""))
    return REASONS.get(reason, reason)


def _sent(fields: Mapping[str, Any], at: float) -> str:
    load = f"with {_token(fields, at)}" if "kind" in fields else "without a token"
    again = "again, " if fields["purpose"] == "retry" else ""
    return f"{fields['method']} {fields['path']} {again}{load}"


def _received(fields: Mapping[str, Any], at: float) -> str:
    try:
        phrase = f" {HTTPStatus(fields['status']).phrase}"
    except ValueError:
        phrase = ""
    answer = f"{fields['status']}{phrase} for {fields['method']} {fields['path']}"
    return f"{answer}: {fields['message']}" if "message" in fields else answer


def _rejected(fields: Mapping[str, Any], at: float) -> str:
    kind, reason = fields["kind"], fields["reason"]
    if reason == "token_missing":
        return "no token came with the request"
    if reason == "token_expired":
        return f"{kind} token rejected: {life(fields['exp'], at)}"
    return f"{kind} token rejected: {fields['detail']}"


_SENTENCES: dict[str, Callable[[Mapping[str, Any], float], str]] = {
    # the client's
    "request.sent": _sent,
    "request.retried": _sent,
    "request.failed": lambda f, at: f"{f['method']} {f['path']} failed: {f['reason']}",
    "response.received": _received,
    "session.started": lambda f, at: f"{f['username']} is logged in, and both tokens are stored",
    "session.ended": lambda f, at: f"the session is over: {_reason(f)}",
    "token.expired": lambda f, at: (
        f"the access token {life(f['exp'], at)}" if "exp" in f else "the access token has expired"
    ),
    "token.refused": lambda f, at: f"the access token was refused: {_reason(f)}",
    "token.refreshed": lambda f, at: f"a new access token is stored ({life(f['exp'], at)})",
    # the server's
    "server.started": lambda f, at: f"the server {f['server']} listens",
    "server.stopped": lambda f, at: f"the server {f['server']} has stopped",
    "server.failed": lambda f, at: f"the server failed inside: {f['detail']}",
    "user.registered": lambda f, at: f"{f['username']} is registered",
    "registration.refused": lambda f, at: f"{f['username']} is not registered: {_reason(f)}",
    "login.accepted": lambda f, at: f"the password of {f['username']} is right",
    "login.refused": lambda f, at: f"login of {f['username']} refused: {_reason(f)}",
    "token.issued": lambda f, at: f"{f['kind']} token issued, good for {f['exp'] - f['iat']} s",
    "token.accepted": lambda f, at: f"{f['kind']} token accepted ({life(f['exp'], at)})",
    "token.rejected": _rejected,
    "request.refused": lambda f, at: f"refused: {f.get('detail') or _reason(f)}",
    # the panel's
    "clock.advanced": lambda f, at: f"the clock moved by {f['seconds']} s",
}
