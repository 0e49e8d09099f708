"""Events in plain words: one sentence each, the same on the panel and in a notebook.

A sentence contains neither fingerprints nor times of day, so on a stopped clock each run prints
the same words.
"""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from ..clock import life
from ..display import shown
from .event import Event, is_request

REASONS = {
    "token_missing": "the request carried no token",
    "token_malformed": "it does not have the form of a token",
    "token_invalid": "it is not one of this server's access tokens",
    "token_expired": "it has expired",
    "token_not_yet_valid": "it is not valid yet",
    "token_spent": "it was already used",
    "token_revoked": "its session has ended",
    "session_expired": "its session has reached its end",
    "invalid_token": "it is not valid",
    "insufficient_scope": "the user may not do this",
    "csrf_token_missing": "the CSRF token is missing",
    "csrf_token_invalid": "the CSRF token is not this session's",
    "cross_site_request": "another site sent it",
    "too_many_attempts": "too many logins failed",
    "database_unavailable": "the database is unavailable",
    "user_exists": "the name is taken",
    "user_unknown": "there is no such user",
    "password_wrong": "the password is wrong",
    "route_unknown": "there is no such route",
    "method_not_allowed": "the route has another method",
    "body_too_large": "the body is too large",
    "request_malformed": "the request is malformed",
    "logged_out": "logged out, and both tokens are deleted",
    "reuse_detected": "a spent refresh token was used again",
    "refresh_refused": "the refresh was refused, so log in again",
}


#: From where a browser says that a request came, unless it was the server's own page.
_SITES = {"cross-site": "another site", "same-site": "another origin of this site"}


def describe(event: Event) -> str:
    """The event in one sentence."""
    # Typed text may contain a line break, which would look like a second event.
    fields = {
        name: shown(value) if isinstance(value, str) else value
        for name, value in event.fields.items()
    }
    event = event._replace(fields=fields)
    sentence = _SENTENCES.get(event.name)
    if sentence is None:
        pairs = (f"{shown(name)}={shown(value)}" for name, value in event.fields.items())
        return " ".join([shown(event.name), *pairs])
    text = sentence.format_map(_words(event)) if isinstance(sentence, str) else sentence(event)
    if (sender := _SITES.get(str(fields.get("site")))) is not None:
        text += f"; sent by a page of {sender}"
    # The client's sentences name the path themselves.
    return f"{fields['path']}: {text}" if "path" in fields and "method" not in fields else text


def parties(event: Event) -> tuple[str, str]:
    """From whom to whom: sender and receiver of a message; of any other event its source and ""."""
    source = event.source
    if is_request(event):
        return source, "server"
    if event.name == "response.received":
        return "server", source
    if event.name == "button.pressed":
        return source, str(event.fields.get("client", "client"))
    return source, ""


_GOOD = (".accepted", ".issued", ".refreshed", ".started", ".registered", ".saved")
_BAD = (
    ".refused",
    ".rejected",
    ".failed",
    ".ended",
    ".detected",
    ".revoked",
    ".throttled",
    ".postponed",
)


def tone(event: Event) -> str:
    """How the event looks: "good", "bad", "late" or "plain"."""
    name, status = event.name, event.fields.get("status", 0)
    if name == "token.expired" or event.fields.get("reason") == "token_expired":
        return "late"
    if status >= 400 or name.endswith(_BAD):
        return "bad"
    if status or name.endswith(_GOOD):
        return "good"
    return "plain"


def _words(event: Event) -> dict[str, Any]:
    """The fields, with the reason and the remaining lifetime in words."""
    fields = event.fields
    words = {**fields, "reason": REASONS.get(fields.get("reason", ""), fields.get("reason"))}
    unknown = "has expired" if event.name == "token.expired" else "no expiry known"
    words["life"] = life(fields["exp"], event.at) if "exp" in fields else unknown
    if "exp" in fields and "iat" in fields:
        words["lifetime"] = fields["exp"] - fields["iat"]
    return words


def _sent(event: Event) -> str:
    fields = event.fields
    load = "without a token"
    if "kind" in fields:
        left = f" ({life(fields['exp'], event.at)})" if "exp" in fields else ""
        load = f"with the {fields['kind']} token{left}"
    again = "again, " if fields["purpose"] == "retry" else ""
    return f"{fields['method']} {fields['path']} {again}{load}"


def _received(event: Event) -> str:
    fields = event.fields
    try:
        phrase = f" {HTTPStatus(fields['status']).phrase}"
    except ValueError:
        phrase = ""
    answer = f"{fields['status']}{phrase} for {fields['method']} {fields['path']}"
    if "redirected_to" in fields:
        answer += f", redirected to {fields['redirected_to']}"
    return f"{answer}: {fields['message']}" if "message" in fields else answer


def _rejected(event: Event) -> str:
    fields = event.fields
    if fields["reason"] == "token_missing":
        return REASONS["token_missing"]
    expired = fields["reason"] == "token_expired"
    if expired and "exp" in fields:
        why = life(fields["exp"], event.at)
    else:
        why = fields.get("detail") or _words(event)["reason"]
    return f"{fields['kind']} token rejected: {why}"


def _refused(event: Event) -> str:
    return f"refused: {event.fields.get('detail') or _words(event)['reason']}"


def _refreshed(event: Event) -> str:
    left = life(event.fields["exp"], event.at) if "exp" in event.fields else "no expiry known"
    if "refresh" in event.fields:
        return f"a new access token ({left}) and a new refresh token are stored"
    return f"a new access token is stored ({left})"


def _paced(event: Event) -> str:
    rate = event.fields["rate"]
    if rate == 0:
        return "the clock stands still"
    return "the clock runs in real time" if rate == 1 else f"the clock runs {rate:g} times as fast"


# A sentence with field names in braces, or a function that writes one.
_SENTENCES: dict[str, str | Callable[[Event], str]] = {
    # the client's
    "request.sent": _sent,
    "request.retried": _sent,
    "request.failed": "{method} {path} failed: {reason}",
    "response.received": _received,
    "session.started": "{username} is logged in, and both tokens are stored",
    "session.ended": "the session has ended: {reason}",
    "token.expired": "the access token {life}",
    "token.refused": "the access token was refused: {reason}",
    "token.refreshed": _refreshed,
    "refresh.postponed": "no refresh for {wait} s: the server asked to wait",
    # the server's
    "server.started": "the {server} server has started",
    "server.stopped": "the server {server} has stopped",
    "server.failed": "internal server error: {detail}",
    "user.registered": "{username} is registered",
    "registration.refused": "{username} is not registered: {reason}",
    "login.accepted": "the password of {username} is right",
    "login.refused": "login of {username} refused: {reason}",
    "token.issued": "{kind} token issued, valid for {lifetime} s",
    "token.accepted": "{kind} token accepted ({life})",
    "token.rejected": _rejected,
    "token.spent": "the refresh token of {username} is spent, and its successor is sent",
    "token.repeated": "the refresh token was spent just now: the same successor is sent again",
    "reuse.detected": "a spent refresh token of {username} came again",
    "family.revoked": "the session of {username} has ended, with all its tokens: {reason}",
    "note.saved": "the note of {username} is saved",
    "login.throttled": "login of {username} must wait {wait} s: {reason}",
    "request.refused": _refused,
    # the panel's
    "button.pressed": "{button} was pressed",
    "clock.advanced": "the clock moved by {seconds} s",
    "clock.paced": _paced,
}

#: Every event that the lab records.
EVENT_NAMES = frozenset(_SENTENCES)
