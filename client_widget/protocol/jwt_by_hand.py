"""A JWT by hand: take a token apart, forge another, and say what a server makes of it.

A token has three parts joined by dots: header, payload and signature (RFC 7515, section 3.1).
Each is base64url without padding (RFC 7515, appendix C). The signature covers the bytes of the
first two, so anyone who changes them must sign again, and needs the secret for that.

This module does not verify: only the server can, because only the server has the secret. It
uses no JWT library, so you can read it in one go.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..clock import life, time_of_day
from .tokens import is_time


@dataclass(frozen=True)
class Parts:
    """A token in its three parts.

    Attributes:
        header_text, payload_text (str): decoded; "" if that part cannot be decoded.
        signature (str): still base64url; "" if there is none. Together with the other two it
            is the token, so `repr` omits it.
    """

    header_text: str
    payload_text: str
    signature: str = field(repr=False)


def split(token: str) -> Parts:
    """The parts of a token; of a malformed one, the parts that can be read."""
    header, payload, signature = _segments(token)
    return Parts(_decode(header), _decode(payload), signature)


def with_payload(token: str, text: str) -> str:
    """The token with another payload and its old signature, which no longer matches.

    The signature covers bytes, not claims (RFC 7515, section 5.1): one extra space is enough.
    """
    header, _, signature = _segments(token)
    return f"{header}.{_encode(text.encode())}.{signature}"


def sign(header: str, payload_text: str, secret: str | bytes) -> str:
    """A token signed with HS256 (RFC 7518, section 3.2), whatever the header says.

    Args:
        header (str), payload_text (str): as text, usually JSON.
        secret (str | bytes): the key.
    """
    signed = f"{_encode(header.encode())}.{_encode(payload_text.encode())}"
    key = secret.encode() if isinstance(secret, str) else secret
    signature = hmac.new(key, signed.encode(), hashlib.sha256).digest()
    return f"{signed}.{_encode(signature)}"


def unsigned(token: str) -> str:
    """The token as an unsecured JWT (RFC 7519, section 6): alg none, an empty signature.

    A server that lets the token choose the algorithm accepts it (RFC 8725, section 2.1).
    """
    _, payload, _ = _segments(token)
    header = _encode(b'{"alg":"none"}')
    return f"{header}.{payload}."


def read_object(text: str) -> dict[str, Any]:
    """The JSON object that a payload must be (RFC 7519, section 7.2).

    Raises:
        ValueError: the text is not a JSON object; the message tells a person why.
    """
    try:
        value = json.loads(text, parse_constant=_no_constant)
        text.encode()
    except json.JSONDecodeError as error:
        raise ValueError(
            f"The payload is not JSON: line {error.lineno}, column {error.colno}: {error.msg}"
        ) from None
    except (ValueError, RecursionError):
        raise ValueError("The payload is not JSON that can be sent") from None
    if not isinstance(value, dict):
        raise ValueError("The payload is not a JSON object: write it between { and }")
    return value


def describe_claims(claims: Mapping[str, Any], now: float) -> list[tuple[str, Any, str]]:
    """Each claim as name, value, and meaning at that time; "" for an unknown claim.

    Args:
        claims (Mapping): the payload.
        now (float): seconds since the epoch.
    """
    return [(name, value, _meaning(name, value, now)) for name, value in claims.items()]


def verdict_words(status: int, error_code: str) -> str:
    """Why the server accepted or refused a token, and on a second line what would change that.

    Args:
        status (int): the HTTP status of the answer.
        error_code (str): the `error` of a refusal; "" where there is none.
    """
    code = "ok" if status < 300 else error_code
    return _VERDICTS.get(code, f"The response {status} is not a verdict on the token.")


# The texts follow the order in which the server checks: form, signature, then times.
_VERDICTS = {
    "ok": (
        "The signature matches the header and the payload, and the token has not expired. The "
        "article's server looks nothing up: the token alone says who you are.\n"
        "What would change it: time, once exp is reached; or one changed character anywhere."
    ),
    "token_missing": (
        "The request carried no token, so the server does not know who is asking.\n"
        "What would change it: a token in the header Authorization: Bearer … (RFC 6750, "
        "section 2.1), or in the body for a refresh."
    ),
    "token_malformed": (
        "This is not a header, a payload and a signature in base64url, joined by dots, so there "
        "was nothing to check.\n"
        "What would change it: a token in the form of a JWT (RFC 7519, section 7.2)."
    ),
    "token_invalid": (
        "This server does not make such a signature for such a token, or a claim is wrong. The "
        "signature is checked first: until it matches, the server trusts none of the claims.\n"
        "What would change it: the token exactly as the server issued it, sent to the route it "
        "is for; or the server's secret, which never leaves the server."
    ),
    "token_expired": (
        "The signature matches, but the time in exp has passed (RFC 7519, section 4.1.4).\n"
        "What would change it: a new token, from a refresh or a login. A later exp in this one "
        "would break its signature."
    ),
    "token_spent": (
        "The signature matches, but this refresh token was already used. Each works once, so a "
        "second use suggests a thief, and the server ended the session (RFC 9700, section "
        "4.14.2).\n"
        "What would change it: a new login."
    ),
    "token_revoked": (
        "The signature matches, but the session of this token has ended.\n"
        "What would change it: a new login."
    ),
    "invalid_token": (
        "The server does not say whether the token is forged, has expired, or belongs to a session "
        "that has ended (RFC 6750, section 3.1). Its own log has the reason.\n"
        "What would change it: a new token, from a refresh or a login."
    ),
    "invalid_grant": (
        "The refresh token is forged, expired, spent, or from a session that has ended (RFC 6749, "
        "section 5.2). The server's own log has the reason.\n"
        "What would change it: a new login."
    ),
    "token_not_yet_valid": (
        "The signature matches, but the time in iat or nbf is in the future (RFC 7519, section "
        "4.1.5): this server's clock is behind.\n"
        "What would change it: time, or a server whose clock is right."
    ),
}

# RFC 7519, section 4.1, and the one claim of this lab.
_MEANINGS = {
    "iss": "who issued the token",
    "sub": "who the token is about",
    "aud": "who the token is meant for",
    "jti": "the id of the token",
    "sid": "the session, and so the family, that the token belongs to",
    "username": "who the token is about; anyone who has the token can read it",
}


def _meaning(name: str, value: object, now: float) -> str:
    if name not in ("iat", "nbf", "exp"):
        return _MEANINGS.get(name, "")
    if not is_time(value):
        return "not a number of seconds since 1970 (RFC 7519, section 2)"
    if name == "exp":
        return f"expires at {time_of_day(value)}: {life(value, now)}"
    words = "issued at" if name == "iat" else "not valid before"
    return f"{words} {time_of_day(value)}: {_distance(value, now)}"


def _distance(at: float, now: float) -> str:
    """How far a moment is: "18 s ago", or "in 5 s"."""
    gone = now - at
    return f"{math.floor(gone)} s ago" if gone >= 0 else f"in {math.ceil(-gone)} s"


def _segments(token: str) -> tuple[str, str, str]:
    """The text between the dots; "" for a missing part."""
    header, _, rest = token.partition(".")
    payload, _, signature = rest.partition(".")
    return header, payload, signature


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _decode(segment: str) -> str:
    padded = segment + "=" * (-len(segment) % 4)
    try:
        return base64.b64decode(padded, altchars=b"-_", validate=True).decode()
    except ValueError:
        return ""


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")
