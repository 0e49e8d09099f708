"""Messages as a log may hold them: tokens as fingerprints, passwords as stars."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import parse_qsl

from ..protocol.tokens import fingerprint

#: Characters of a body to keep: enough for every answer of the demo server.
MAX_BODY = 2_000

#: Characters of a secret that is looked for in a response.
MIN_ECHO = 6

#: The headers whose values a log may hold. Any other may carry a credential: `Cookie`, an API key,
#: a proxy's password, or the next header that somebody invents.
SHOWN_HEADERS = frozenset(
    [
        "accept",
        "accept-encoding",
        "accept-language",
        "access-control-allow-credentials",
        "access-control-allow-headers",
        "access-control-allow-methods",
        "access-control-allow-origin",
        "access-control-expose-headers",
        "access-control-max-age",
        "access-control-request-headers",
        "access-control-request-method",
        "age",
        "allow",
        "cache-control",
        "connection",
        "content-disposition",
        "content-encoding",
        "content-language",
        "content-length",
        "content-type",
        "date",
        "etag",
        "expires",
        "host",
        "if-modified-since",
        "if-none-match",
        "keep-alive",
        "last-modified",
        "origin",
        "pragma",
        "range",
        "retry-after",
        "server",
        "transfer-encoding",
        "user-agent",
        "vary",
        "www-authenticate",
        "x-request-id",
    ]
)

# Anything that looks like a JWT, or like the hash of a password: bcrypt, argon2, scrypt, crypt(3).
# A text that only begins like one is matched too, without its second half, and left unchanged. Else
# the search would begin again at each of its characters: a body can be `eyJeyJeyJ…` for a megabyte.
_TOKEN = re.compile(r"eyJ[\w-]*+(\.[\w-]++\.[\w-]*+)?", re.ASCII)
_HASH = re.compile(
    r"\$(?:2[abxy]?|argon2\w*|scrypt|pbkdf2[\w-]*|[156y])(\$[\w./+=$,-]++)"
    r"|\b(?:pbkdf2|scrypt|argon2)[\w:-]*+(\$[\w./+=$,-]++)?",
    re.ASCII,
)

#: A masked token, and its fingerprint in it.
MASKED = re.compile(r"<token ([0-9a-f]{8})>", re.ASCII)

# The names of fields that hold a secret, in lower case and without `_` and `-`.
_SECRET = re.compile(
    r"(password|passwd|passphrase|passcode|pwd|pass|pin|otp|secret|secrets|secretkey|apikey|apikeys"
    r"|privatekey|accesskey|signingkey|hash|salt|credential|credentials|authorization|cookie"
    r"|cookies|setcookie|sessionid|csrf|assertion|signature)$"
)
_TOKENS = re.compile(r"(tokens?|jwts?)$")

# A secret in an answer in lower case contains one of these; a backslash could spell any of them.
# With IGNORECASE the search takes ten times as long: it then tries each word at each character.
_SUSPECT = re.compile(
    rb"token|jwt|pass|pwd|pin|otp|secret|key|hash|salt|cred|auth|cookie|session|csrf|assert|signat"
    rb"|eyj|\$|\\"
)


def mask_token(token: str) -> str:
    """A token as `<token 3f2a9c1b>`; unchanged if it is masked already, as in a file of a log."""
    return token if MASKED.fullmatch(token) else f"<token {fingerprint(token)}>"


def mask_headers(headers: Mapping[str, str | bytes]) -> dict[str, str]:
    """Headers as text: credentials of `Authorization` and values of unknown headers are masked."""
    return {name: _mask_header(name.lower(), headers[name]) for name in headers}


def mask_answer(body: bytes, content_type: str) -> str:
    """The body of an answer. It is parsed only if it may contain a token: most contain none, and
    requests should not pay for that."""
    if "json" in content_type and not _SUSPECT.search(body.lower()):
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
            # JSON can spell half of a surrogate pair, which no file and no browser takes.
            text = text.encode(errors="replace").decode()
        elif "x-www-form-urlencoded" in content_type:
            form = body.decode() if isinstance(body, bytes) else body
            text = "&".join(f"{name}={_mask(name, value)}" for name, value in parse_qsl(form))
        else:
            return f"<{len(body)} bytes>"
    except (ValueError, RecursionError):
        return f"<{len(body)} bytes>"
    text = mask_text(text)
    return text if len(text) <= MAX_BODY else text[:MAX_BODY] + "…"


def _mask_header(name: str, value: str | bytes) -> str:
    # HTTP/1.1 headers are bytes; RFC 9110, section 5.5, reads them as ISO 8859-1.
    text = value.decode("latin-1") if isinstance(value, bytes) else str(value)
    if name in SHOWN_HEADERS:
        text = mask_text(text)
        return text if len(text) <= MAX_BODY else text[:MAX_BODY] + "…"
    if name == "authorization":
        return _mask_credentials(text)
    if name == "location":
        return mask_text(text.partition("?")[0].partition("#")[0])
    return "***"


def _mask_credentials(value: str) -> str:
    """A bearer token as its fingerprint. Other credentials can be a password, and a fingerprint
    would let an attacker test guesses."""
    if (whole := _TOKEN.fullmatch(value)) and whole[1]:
        return mask_token(value)
    scheme, _, token = value.partition(" ")
    if scheme.lower() == "bearer":
        return f"{scheme} {mask_token(token)}" if token else scheme
    return f"{scheme} ***" if token else "***"


def mask_field(name: str, text: str) -> str:
    """The text of an event's field, such as one from a file."""
    return "***" if _kind(name) == "secret" else mask_text(text)


def mask_again(body: str) -> str:
    """A body from a file of a log: unchanged, unless someone has put a secret into it."""
    try:
        value = json.loads(body)
        masked = _mask("", value)
    except (ValueError, RecursionError):
        return mask_text(body)
    if masked != value:
        body = json.dumps(masked, ensure_ascii=False, separators=(",", ":"))
    return mask_text(body)


def secrets_in(body: object, content_type: str) -> list[str]:
    """The passwords and tokens in a body of JSON, by the names of their fields."""
    if not isinstance(body, (bytes, str)) or "json" not in content_type:
        return []
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return []
    fields = value.items() if isinstance(value, dict) else ()
    return [inner for name, inner in fields if isinstance(inner, str) and _kind(name)]


def mask_echoes(text: str, secrets: Iterable[str]) -> str:
    """A response's text without the secrets that were sent: some servers repeat what is wrong.

    A secret of fewer than `MIN_ECHO` characters is left, because any text may contain it.
    """
    for secret in secrets:
        if len(secret) >= MIN_ECHO:
            text = text.replace(secret, "***")
    return text


def mask_text(text: str) -> str:
    """A text without what looks like a token or a hash."""
    if "eyJ" not in text and "$" not in text:
        return text  # each token begins with eyJ, and each hash contains a $
    text = _TOKEN.sub(lambda found: mask_token(found[0]) if found[1] else found[0], text)
    return _HASH.sub(lambda found: "***" if found[1] or found[2] else found[0], text)


def _mask(name: str, value: Any) -> Any:
    """A JSON value, masked according to the names above it."""
    if isinstance(value, dict):
        return {key: _mask(_kind(key) or name, inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_mask(name, inner) for inner in value]
    kind = _kind(name)
    if value in (None, "") or isinstance(value, bool) or not kind:
        return value
    return mask_token(value) if kind == "token" and isinstance(value, str) else "***"


def _kind(name: str) -> str:
    """What the name of a field says of its value: "token", "secret", or "" for neither."""
    plain = name.lower().replace("_", "").replace("-", "")
    return "token" if _TOKENS.search(plain) else "secret" if _SECRET.search(plain) else ""
