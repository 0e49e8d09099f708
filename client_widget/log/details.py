"""The details of an event: the whole message, its token decoded, and a cURL command.

Tokens stay masked unless you ask to reveal them; the event itself never holds one.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable
from typing import TypeAlias

from ..clock import life, time_of_day
from ..display import shown
from ..protocol.tokens import is_time, read_claims
from .event import Event, is_request
from .masking import MASKED

#: Finds a token by its fingerprint; None if it is not remembered.
FindToken: TypeAlias = Callable[[str], str | None]


def details(event: Event, base_url: str, find_token: FindToken, reveal: bool) -> dict[str, str]:
    """Titles and texts to show for an event, in order: plain text, no markup.

    Args:
        event (Event): to be shown.
        base_url (str): the server's, for the cURL command.
        find_token: returns a token by its fingerprint, as `TokenStore.find` does.
        reveal (bool): show tokens instead of their masks.
    """
    fields = event.fields
    parts = {"Message": _message(event), "Token": _token(event, find_token)}
    if is_request(event):
        parts["cURL"] = to_curl(event, base_url)
    if "headers" not in fields:
        shown_fields = {name: value for name, value in fields.items() if name != "path"}
        parts["Event"] = (
            f"{event.name} {shown(json.dumps(shown_fields, ensure_ascii=False, default=str))}"
        )
    shown_parts = {title: text for title, text in parts.items() if text}
    if reveal:
        return {title: unmask(text, find_token) for title, text in shown_parts.items()}
    return shown_parts


def to_curl(event: Event, base_url: str) -> str:
    """A sent message as a shell command with masked tokens, for a server at `base_url`."""
    fields = event.fields
    words = ["curl", "-i", "-X", fields["method"], f"{base_url}{fields['path']}"]
    for name in ("Authorization", "Content-Type", "X-Request-ID"):
        if name in fields["headers"]:
            words += ["-H", f"{name}: {fields['headers'][name]}"]
    if fields["body"]:
        words += ["--data", fields["body"]]
    return shlex.join(words)


def unmask(text: str, find_token: FindToken) -> str:
    """The text with each mask replaced by its token, if the token is remembered."""
    return MASKED.sub(lambda mask: find_token(mask[1]) or mask[0], text)


def _message(event: Event) -> str:
    fields = event.fields
    if "headers" not in fields:
        return ""
    first = f"{fields['method']} {fields['path']} HTTP/1.1"
    if "status" in fields:
        first = f"HTTP/1.1 {fields['status']}"
    lines = [first, *(f"{name}: {value}" for name, value in fields["headers"].items())]
    text = "\n".join([*lines, "", fields["body"]]).rstrip()
    return "\n".join(shown(line, keep="\t\r") for line in text.split("\n"))


def _token(event: Event, find_token: FindToken) -> str:
    """The claims of the event's token, and its remaining lifetime at that moment."""
    fields = event.fields
    if "token" not in fields:
        return ""
    token = find_token(fields["token"])
    claims = read_claims(token) if token else {}
    claims = claims or {name: fields[name] for name in ("iat", "exp") if name in fields}
    lines = [f"{fields.get('kind', '')} token {fields['token']}".strip()]
    for name, value in claims.items():
        timed = name in ("iat", "exp", "nbf") and is_time(value)
        moment = f"  ({time_of_day(value)})" if timed else ""
        lines.append(f"  {shown(name)}: {shown(json.dumps(value, ensure_ascii=False))}{moment}")
    if "exp" in fields:
        lines.append(f"at this moment: {life(fields['exp'], event.at)}")
    if "detail" in fields:
        lines.append(f"refused, because: {shown(fields['detail'])}")
    return "\n".join(lines)
