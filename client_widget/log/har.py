"""The log as a HAR 1.2 file, which a browser's network tab opens."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from .event import Event, is_request


def to_har(events: Iterable[Event], base_url: str) -> str:
    """The text of the file: each request that was answered, its tokens masked.

    Args:
        events (Iterable[Event]): in order; those that are no messages are skipped.
        base_url (str): the server's, such as "http://127.0.0.1:8000".
    """
    entries = []
    waiting: dict[tuple[str, str | None, str], Event] = {}
    for event in events:
        key = (event.source, event.correlation, event.fields.get("purpose", ""))
        if is_request(event):
            waiting[key] = event
        elif event.name == "response.received" and key in waiting:
            entries.append(_entry(waiting.pop(key), event, base_url))
    creator = {"name": "jwt-refresh-lab", "version": "1"}
    har = {"log": {"version": "1.2", "creator": creator, "entries": entries}}
    return json.dumps(har, indent=1, ensure_ascii=False)


def _entry(sent: Event, received: Event, base_url: str) -> dict[str, Any]:
    milliseconds = received.fields["elapsed"] * 1000
    request: dict[str, Any] = {
        "method": sent.fields["method"],
        "url": f"{base_url}{sent.fields['path']}",
        "httpVersion": "HTTP/1.1",
        "cookies": [],
        "headers": _headers(sent.fields["headers"]),
        "queryString": [],
        "headersSize": -1,
        "bodySize": len(sent.fields["body"].encode()),
    }
    if sent.fields["body"]:
        kind = sent.fields["headers"].get("Content-Type", "")
        request["postData"] = {"mimeType": kind, "text": sent.fields["body"]}
    body = received.fields["body"]
    content = {
        "size": len(body.encode()),
        "mimeType": received.fields["headers"].get("Content-Type", ""),
        "text": body,
    }
    return {
        "startedDateTime": datetime.fromtimestamp(sent.at, UTC).isoformat(),
        "time": milliseconds,
        "request": request,
        "response": {
            "status": received.fields["status"],
            "statusText": "",
            "httpVersion": "HTTP/1.1",
            "cookies": [],
            "headers": _headers(received.fields["headers"]),
            "content": content,
            "redirectURL": "",
            "headersSize": -1,
            "bodySize": content["size"],
        },
        "cache": {},
        "timings": {"send": 0, "wait": milliseconds, "receive": 0},
    }


def _headers(headers: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in headers.items()]
