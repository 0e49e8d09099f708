"""What a response says: its error, its tokens, and whether it refuses a refresh.

The responses come from a network, so any of them may be broken: a login page of a hotel, a proxy's
error in HTML, JSON that is cut off. Every function here takes any response and either returns
something usable or raises `ServerUnreachable`.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Protocol
from urllib.parse import urlsplit

from ..errors import ServerUnreachable
from .tokens import is_sendable


class Response(Protocol):
    """What the flow reads of a response. The responses of requests and httpx qualify.

    Two more attributes are read if they exist, under the names of both libraries: `text`, the body
    as a string, and `history`, the responses that redirected to this one, with their `url`.
    """

    @property
    def status_code(self) -> int: ...

    @property
    def headers(self) -> Mapping[str, str]: ...

    def json(self) -> Any:
        """The body, parsed.

        Raises:
            ValueError: the body is not JSON.
        """


#: The statuses with which a server refuses a refresh token: RFC 6749, section 5.2, and the
#: article's 403.
REFUSED = (400, 401, 403)

#: The server cannot refresh at the moment, whatever the body says.
NOT_NOW = (429, 502, 503, 504)

#: The error codes of RFC 6749, section 5.2.
OAUTH_ERRORS = frozenset(
    {
        "invalid_request",
        "invalid_client",
        "invalid_grant",
        "unauthorized_client",
        "unsupported_grant_type",
        "invalid_scope",
    }
)

#: A refusal that blames the server's clock, which was set back: the token will be valid again.
TOO_EARLY = "token_not_yet_valid"

#: The article answers a refused refresh with 500 and the error object of jsonwebtoken.
JSONWEBTOKEN_ERRORS = frozenset({"TokenExpiredError", "JsonWebTokenError", "NotBeforeError"})

#: The texts with which the article's server refuses.
ARTICLE_TEXTS = frozenset(
    {
        "token Unavailable!!",
        "user does not exist!",
        "Unauthorized: Wrong Password!!",
        "User already exists",
    }
)


def json_of(response: Response) -> Any:
    """The body, parsed; None if it is not JSON, or nested too deeply to be read."""
    try:
        return response.json()
    except (ValueError, RecursionError):
        return None


def text_of(response: Response) -> str:
    """The body as text; "" if it cannot be decoded.

    A server can name a codec that refuses every text, such as "undefined".
    """
    try:
        return str(getattr(response, "text", ""))
    except (ValueError, LookupError):
        return ""


def error_code(response: Response) -> str:
    """The `error` of a refusal, from its challenge (RFC 6750, section 3) or its body.

    "" if it has none: the article's server sends plain text.
    """
    header = response.headers.get("WWW-Authenticate", "")
    for scheme, facts in challenges(header):
        if scheme == "bearer" and facts.get("error"):
            return facts["error"]
    body = json_of(response)
    code = body.get("error") if isinstance(body, dict) else None
    return code if isinstance(code, str) else ""


def redirected_to(response: Response) -> str:
    """The origin of the response if a redirect led to another one than the request's, else ""."""
    history: Sequence[Any] = getattr(response, "history", ())
    if not history:
        return ""
    origins = [_origin(str(getattr(each, "url", ""))) for each in (history[0], response)]
    return "" if origins[0] == origins[-1] else origins[-1]


def refuses_refresh(response: Response) -> bool:
    """Whether a response to a refresh says that the refresh token is not valid.

    Only such a response may end a session. Everything else, such as a proxy's error page, says
    nothing about the token.
    """
    status, body = response.status_code, json_of(response)
    facts = body if isinstance(body, dict) else {}
    code = facts.get("error")
    if status in NOT_NOW or code == TOO_EARLY:
        return False
    if isinstance(code, str) and code in OAUTH_ERRORS:
        return True
    if status == 500:
        return str(facts.get("name")) in JSONWEBTOKEN_ERRORS
    text = body if isinstance(body, str) else text_of(response)
    return status in REFUSED and (isinstance(body, dict) or text.strip() in ARTICLE_TEXTS)


def read_token(response: Response, name: str) -> str:
    """The token of that name in a response.

    Raises:
        ServerUnreachable: there is none that can be sent, so this is another server than the demo
            server.
    """
    body = json_of(response)
    token = body.get(name) if isinstance(body, dict) else None
    if not isinstance(token, str) or not token:
        raise ServerUnreachable(
            f"The response contains no {name}. Is base_url the demo server's address?"
        )
    if not is_sendable(token):
        raise ServerUnreachable(
            f"The response contains no {name} that a header can carry. "
            "Is base_url the demo server's address?"
        )
    return token


def read_grant(response: Response) -> tuple[str, str | None]:
    """The new access token of a refresh, and the new refresh token if the server rotates.

    Raises:
        ServerUnreachable: there is no access token that can be sent.
    """
    access = read_token(response, "accessToken")
    refresh = json_of(response).get("refreshToken")
    return access, refresh if isinstance(refresh, str) and is_sendable(refresh) else None


def retry_after(response: Response) -> float | None:
    """Seconds to wait, from the header `Retry-After` (RFC 9110, section 10.2.3), or None.

    A date in the header is compared with the response's own `Date`, if it has one, because the
    server's clock and ours may differ.
    """
    value = response.headers.get("Retry-After", "").strip()
    if value.isascii() and value.isdigit() and len(value) <= 9:
        return float(value)
    then = _http_date(value)
    if then is None:
        return None
    sent = _http_date(response.headers.get("Date", ""))
    return max(0.0, then - (time.time() if sent is None else sent))


_WORD = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_CHALLENGE = re.compile(
    rf'(?P<name>{_WORD})\s*=\s*(?:"(?P<quoted>(?:[^"\\]|\\.)*)"|(?P<bare>{_WORD}))'
    rf"|(?P<scheme>{_WORD})"
)


def challenges(header: str) -> Iterator[tuple[str, dict[str, str]]]:
    """The challenges of a `WWW-Authenticate` header (RFC 9110, section 11.6.1).

    Yields the scheme and its parameters; the names are in lower case. A header may hold several
    challenges, and a value may be quoted or not.
    """
    scheme, facts = "", dict[str, str]()
    for found in _CHALLENGE.finditer(header[:4096]):
        if found["scheme"]:
            if scheme:
                yield scheme, facts
            scheme, facts = found["scheme"].lower(), {}
        else:
            quoted = found["quoted"]
            value = found["bare"] if quoted is None else re.sub(r"\\(.)", r"\1", quoted)
            facts[found["name"].lower()] = value
    if scheme:
        yield scheme, facts


def _origin(url: str) -> str:
    """The scheme, host and port of a URL, for comparison and for people; "" if it is none."""
    try:
        parts = urlsplit(url)
        port = parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    except ValueError:
        return ""
    host = parts.hostname or ""
    return f"{parts.scheme}://{f'[{host}]' if ':' in host else host}:{port}"


def _http_date(text: str) -> float | None:
    try:
        then = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    aware = then if then.tzinfo else then.replace(tzinfo=UTC)
    return (aware - datetime.fromtimestamp(0, UTC)).total_seconds()
