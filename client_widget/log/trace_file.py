"""Events from a file: one of `EventLog.to_jsonl`, or a HAR file of a browser's network tab.

A file may come from anyone, so it is read with care:

- It is bounded: 32 MB in all, 64 kB an event.
- Only what a view can draw becomes an event. Anything else is skipped and counted.
- Whatever looks like a token or a password's hash is masked. Of a HAR file's headers and bodies,
  the masks of `masking` show what a log may hold.
"""

from __future__ import annotations

import base64
import json
import math
import os
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from ..errors import TraceError
from ..protocol.tokens import is_time, token_facts
from .event import Event
from .event_text import describe, tone
from .masking import MASKED, mask_again, mask_body, mask_field, mask_headers, mask_text

#: Bytes of a file, and characters of an event as JSON. The longest event of the lab has 3,000.
MAX_FILE, MAX_EVENT = 32_000_000, 65_536

#: Events that are kept, the last ones, as in a new `EventLog`.
MAX_EVENTS = 100_000

#: Who sent the messages of a HAR file.
BROWSER = "browser"

#: The server of a trace that does not name one. No such host exists (RFC 6761, section 6.4).
NOWHERE = "http://trace.invalid"


class Found(NamedTuple):
    """What a file holds.

    Attributes:
        events (list[Event]): in order; `seq` grows, and has a gap where a line was skipped.
        skipped (int): lines or messages that could not be read.
        base_url (str): the server's address.
    """

    events: list[Event]
    skipped: int
    base_url: str = NOWHERE


def events_of_jsonl(source: str | os.PathLike[str]) -> Found:
    """The events of a file of JSON lines.

    Raises:
        TraceError: see `EventLog.from_jsonl`.
    """
    events: list[Event] = []
    skipped = 0
    for line in _text_of(source).split("\n"):
        if not line.strip():
            continue
        event = _event_in(line)
        if event is None or (events and event.seq <= events[-1].seq):
            skipped += 1
        else:
            events.append(event)
    if skipped and not events:
        raise TraceError(
            f"This is not a log as JSON lines: {skipped} lines were read, and none is an event"
        )
    return Found(events[-MAX_EVENTS:], skipped)


def events_of_har(source: str | os.PathLike[str]) -> Found:
    """The messages of a HAR file, as events.

    Raises:
        TraceError: see `EventLog.from_har`.
    """
    try:
        entries = json.loads(_text_of(source))["log"]["entries"]
    except (ValueError, KeyError, TypeError, RecursionError):
        entries = None
    if not isinstance(entries, list):
        raise TraceError("This is not a whole HAR file: export it from the network tab again")
    messages, skipped = [], 0
    for entry in entries:
        try:
            if entry.get("_resourceType") in _OF_SCRIPTS:
                messages.append(_message_in(entry))
        # Anything may be missing, or be of another type.
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError, OverflowError):
            skipped += 1
    drafts: list[dict[str, Any]] = []
    _relate(messages := sorted(messages, key=lambda message: message["at"]))
    for message in messages:
        drafts += _drafts_of(message)
    drafts.sort(key=lambda draft: float(draft["at"]))
    checked = [_checked({"seq": seq, **draft}) for seq, draft in enumerate(drafts, start=1)]
    events = [event for event in checked if event is not None]
    base_url = messages[0]["base_url"] if messages else NOWHERE
    return Found(events[-MAX_EVENTS:], skipped + len(checked) - len(events), base_url)


def _text_of(source: str | os.PathLike[str]) -> str:
    """The text of a file, or the text that was given in place of a path."""
    if isinstance(source, str) and ("\n" in source or source.strip()[:1] in ("", "{")):
        if len(source) > MAX_FILE:
            raise _too_large()
        return source
    try:
        # Not a number, which `open` would take for an open file, and close.
        with open(os.fspath(source), "rb") as file:
            content = file.read(MAX_FILE + 1)
    except (OSError, ValueError, TypeError) as error:
        why = getattr(error, "strerror", None) or "write the path of a file, or its text"
        raise TraceError(f"The trace cannot be read: {why}") from None
    if len(content) > MAX_FILE:
        raise _too_large()
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise TraceError("The trace is not a text in UTF-8") from None


def _too_large() -> TraceError:
    return TraceError(f"The trace is larger than {MAX_FILE // 1_000_000} MB: export less of it")


# Events


def _event_in(line: str) -> Event | None:
    """The event that a line holds; None if it holds none."""
    if len(line) > MAX_EVENT:
        return None
    try:
        document = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return _checked(document)


def _checked(document: Any) -> Event | None:
    """The event that a document describes, masked; None if no view could draw it."""
    try:
        if len(json.dumps(document, ensure_ascii=False).encode()) > 4 * MAX_EVENT:
            return None
        event = Event(**{name: document[name] for name in Event._fields})
        fields = {name: _value(name, value) for name, value in event.fields.items()}
        event = event._replace(fields=MappingProxyType(fields))
        whole = (
            type(event.seq) is int
            and event.seq >= 1
            and is_time(event.at)
            and isinstance(event.correlation, str | None)
            and all(isinstance(text, str) and text for text in (event.source, event.name))
            and _REQUIRED.get(event.name, frozenset()) <= fields.keys()
            and not {"source", "correlation"} & fields.keys()  # the names of what is no field
        )
        # An event without a sentence would break the view that writes it.
        return event if whole and describe(event) and tone(event) else None
    # It has other fields or other types, too many levels, or a text that is no Unicode.
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, IndexError):
        return None


_MESSAGE = frozenset({"method", "path", "purpose"})

#: What views read of an event, besides what its sentence has.
_REQUIRED = {
    "request.sent": _MESSAGE | {"headers", "body"},
    "request.retried": _MESSAGE | {"headers", "body"},
    "response.received": _MESSAGE | {"status", "elapsed", "headers", "body"},
    "request.failed": _MESSAGE,
    "token.refreshed": frozenset({"kind"}),
    "session.started": frozenset({"access", "refresh"}),
}

_TEXTS = _MESSAGE | {
    *("body", "kind", "token", "reason", "detail", "username", "error", "message", "family"),
    *("button", "client", "server", "redirected_to"),
}
_NUMBERS = frozenset({"iat", "exp", "elapsed", "wait", "seconds", "rate"})
_OBJECTS = frozenset({"headers", "access", "refresh"})


def _value(name: str, value: Any) -> Any:
    """The value of a field, masked.

    Raises:
        ValueError: no view can draw it.
    """
    right = (
        isinstance(value, str)
        if name in _TEXTS
        else is_time(value)
        if name in _NUMBERS
        else isinstance(value, dict)
        if name in _OBJECTS
        else type(value) is int and 100 <= value <= 599
        if name == "status"
        else isinstance(value, str | int | float | list | dict | None)
    )
    if not right or (isinstance(value, float) and not math.isfinite(value)):
        raise ValueError
    if isinstance(value, str):
        if name == "body":
            return mask_again(value)
        if name == "path":  # as a client records it
            value = value.partition("?")[0].partition("#")[0]
        return mask_field(name, value)
    if name == "headers":
        if not all(isinstance(each, str) for each in value.values()):
            raise ValueError
        return mask_headers(value)
    if isinstance(value, dict):
        return {key: _value(key, each) for key, each in value.items() if key not in _OBJECTS}
    return [_value("", each) for each in value] if isinstance(value, list) else value


# HAR files

#: Messages of scripts, as Chromium calls them; the files of a page are left out. Another browser
#: does not say.
_OF_SCRIPTS = ("fetch", "xhr", None)

_ID = re.compile(r"[\w.-]{1,64}", re.ASCII)


def _message_in(entry: Any) -> dict[str, Any]:
    """A request and its response as facts, its credentials masked."""
    request, response = entry["request"], entry["response"]
    url = urlsplit(request["url"])
    status = response["status"]
    if url.scheme not in ("http", "https") or not url.hostname or type(status) is not int:
        raise ValueError
    sent, received = _headers(request["headers"]), _headers(response["headers"])
    asked = str((request.get("postData") or {}).get("text") or "")
    content = response.get("content") or {}
    answered = str(content.get("text") or "")
    if content.get("encoding") == "base64":
        answered = base64.b64decode(answered).decode(errors="replace")
    began = datetime.fromisoformat(entry["startedDateTime"]).timestamp()
    path = mask_text(url.path or "/")
    about = {"method": request["method"].upper(), "path": path}
    ids = (headers.get("x-request-id", "") for headers in (sent, received))
    return {
        "at": began,
        "elapsed": max(0.0, float(entry["time"])) / 1000,
        "base_url": f"{url.scheme}://{url.netloc.rpartition('@')[2]}",
        "about": about,
        "refresh": about["method"] == "POST" and path.endswith("/refresh"),
        "login": about["method"] == "POST" and path.endswith("/login"),
        "id": next((name for name in ids if _ID.fullmatch(name) and mask_text(name) == name), ""),
        "status": status,
        "carried": _carried(sent, asked),
        "tokens": _tokens(answered),
        "username": _object(asked).get("username"),
        "refusal": _object(answered),
        "sent": _masked(sent, request.get("postData"), asked),
        "received": _masked(received, content, answered),
    }


def _headers(headers: Iterable[Mapping[str, str]]) -> dict[str, str]:
    """Headers by their names in lower case, without those of HTTP/2 that begin with a colon."""
    pairs = ((each["name"].lower(), str(each["value"])) for each in headers)
    return {name: value for name, value in pairs if not name.startswith(":")}


def _masked(headers: Mapping[str, str], about: Any, body: str) -> dict[str, Any]:
    """Headers and body of a message, as a log may hold them."""
    # A browser may leave out the header that says the media type.
    kind = headers.get("content-type") or str((about or {}).get("mimeType"))
    return {"headers": mask_headers(headers), "body": mask_body(body, kind)}


def _object(body: str) -> dict[str, Any]:
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _facts(token: object) -> dict[str, Any] | None:
    """What a log may hold of a token; the file may hold only its fingerprint."""
    if not isinstance(token, str) or not token:
        return None
    masked = MASKED.fullmatch(token)
    return {"token": masked[1]} if masked else token_facts(token)


def _carried(headers: Mapping[str, str], body: str) -> dict[str, Any]:
    """The token of a request, as facts."""
    scheme, _, token = headers.get("authorization", "").partition(" ")
    access = _facts(token) if scheme.lower() == "bearer" else None
    refresh = _facts(_object(body).get("token"))  # as the article's `/refresh` takes it
    kind, facts = ("access", access) if access else ("refresh", refresh)
    return {"kind": kind, **facts} if facts else {}


def _tokens(body: str) -> dict[str, dict[str, Any]]:
    """The tokens of a response, as facts."""
    answer = _object(body)
    found = {kind: _facts(answer.get(f"{kind}Token")) for kind in ("access", "refresh")}
    return {kind: facts for kind, facts in found.items() if facts}


def _relate(messages: Iterable[dict[str, Any]]) -> None:
    """Give each message its `correlation` and its `purpose`.

    Messages with one id are one call. Without ids, a refresh belongs to the last refused call, and
    after a successful refresh a refused call that comes again is retried.
    """
    refused: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    again: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    seen: set[tuple[str, str, str]] = set()
    last = ""
    for number, message in enumerate(messages, start=1):
        target = (message["about"]["method"], message["about"]["path"])
        known, mine = message["id"], f"har-{number}"
        purpose = "call"
        if message["refresh"]:
            purpose, correlation = "refresh", known or last or mine
            if message["status"] < 400:
                for key in list(refused):
                    again[key] += refused.pop(key)
        elif known:
            correlation = known
            purpose = "retry" if (known, *target) in seen else "call"
            seen.add((known, *target))
        elif again[target]:
            purpose, correlation = "retry", again[target].pop(0)
        else:
            correlation = mine
            if message["status"] in (401, 403):
                refused[target].append(correlation)
                last = correlation
        if message["login"]:
            refused.clear()
            again.clear()
            last = ""
        message |= {"correlation": correlation, "purpose": purpose}


def _drafts_of(message: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The events of a message, without their numbers."""
    about = {**message["about"], "purpose": message["purpose"]}
    end = message["at"] + message["elapsed"]
    status, tokens = message["status"], message["tokens"]

    def draft(name: str, at: float, **fields: Any) -> dict[str, Any]:
        who = {"source": BROWSER, "correlation": message["correlation"]}
        return {"at": at, "name": name, **who, "fields": fields}

    retried = message["purpose"] == "retry"
    name = "request.retried" if retried else "request.sent"
    yield draft(name, message["at"], **about, **message["carried"], **message["sent"])
    if not status or status < 0:  # the browser gave up
        yield draft("request.failed", end, **about, reason="no response")
        return
    refusal = message["refusal"] if status >= 400 else {}
    told = {name: str(refusal[name])[:200] for name in ("error", "message") if name in refusal}
    taken = {"status": status, "elapsed": round(message["elapsed"], 6)}
    yield draft("response.received", end, **about, **taken, **told, **message["received"])
    if status >= 400:
        return
    if message["login"] and len(tokens) == 2:
        username = str(message["username"] or "")[:200]
        yield draft("session.started", end, username=username, **tokens)
    elif message["refresh"] and "access" in tokens:
        more = {"refresh": tokens["refresh"]} if "refresh" in tokens else {}
        yield draft("token.refreshed", end, kind="access", **tokens["access"], **more)
