"""Messages as a log may hold them: tokens as fingerprints, passwords as stars."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

from ..protocol.tokens import fingerprint

#: Characters of a body to keep: enough for every answer of the demo server.
MAX_BODY = 2_000

# Anything that looks like a JWT, anywhere in a text.
_TOKEN = re.compile(r"eyJ[\w-]*\.[\w-]+\.[\w-]*", re.ASCII)


# A token in an answer contains one of these; a backslash could spell any of them.
_SUSPECT = re.compile(rb"token|eyJ|\\", re.IGNORECASE)


def mask_token(token: str) -> str:
    """A token as `<token 3f2a9c1b>`."""
    return f"<token {fingerprint(token)}>"


def mask_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """Headers with the credentials of `Authorization` masked."""
    return {
        name: _mask_credentials(value) if name.lower() == "authorization" else value
        for name, value in headers.items()
    }


def mask_answer(body: bytes, content_type: str) -> str:
    """The body of an answer. It is parsed only if it may contain a token: most contain none, and
    requests should not pay for that."""
    if "json" in content_type and not _SUSPECT.search(body):
        return body[:MAX_BODY].decode(errors="replace").rstrip()
    return mask_body(body, content_type)


def mask_body(body: object, content_type: str) -> str:
    """A body as text, "" if there is none. Of other types than JSON and forms, only the size."""
    if not body:
        return ""
    if not isinstance(body, (bytes, str)):
        return "<a stream>"
    try:
        if "json" in content_type:
            masked = _mask("", json.loads(body))
            text = json.dumps(masked, ensure_ascii=False, separators=(",", ":"))
        elif "x-www-form-urlencoded" in content_type:
            form = body.decode() if isinstance(body, bytes) else body
            text = "&".join(f"{name}={_mask(name, value)}" for name, value in parse_qsl(form))
        else:
            return f"<{len(body)} bytes>"
    except (ValueError, RecursionError):
        return f"<{len(body)} bytes>"
    text = _TOKEN.sub(lambda found: mask_token(found[0]), text)
    return text if len(text) <= MAX_BODY else text[:MAX_BODY] + "…"


def _mask_credentials(value: str) -> str:
    scheme, _, token = value.partition(" ")
    return f"{scheme} {mask_token(token)}" if token else mask_token(scheme)


def _mask(name: str, value: Any) -> Any:
    """A JSON value, masked according to its name."""
    if isinstance(value, dict):
        return {key: _mask(key, inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_mask(name, inner) for inner in value]
    if not isinstance(value, str) or not value:
        return value
    lower = name.lower()
    if lower.endswith(("password", "secret")):
        return "***"
    return mask_token(value) if lower.endswith("token") else value
