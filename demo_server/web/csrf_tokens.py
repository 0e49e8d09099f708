"""CSRF tokens that are signed, bound to a session, and stored nowhere.

The token is in a cookie that the page's scripts may read, and they repeat it in a header. Another
site makes the browser send the cookie but can neither read it nor add the header. This is OWASP's
"signed double-submit cookie". The signature covers the session, so a cookie that an attacker plants
in the browser, such as one of the attacker's own session, does not match.
"""

from __future__ import annotations

import hmac
import re
import secrets

from ..errors import Refusal

_TOKEN = re.compile(r"([0-9a-f]{32})\.([0-9a-f]{64})", re.ASCII)


class CsrfTokens:
    """Issues and checks CSRF tokens.

    Args:
        secret (str): the server's; a separate key is derived from it.
    """

    def __init__(self, secret: str) -> None:
        self._key = hmac.digest(secret.encode(), b"csrf token", "sha256")

    def issue(self, session: str) -> str:
        """A new token of a session: a random id, and its signature."""
        nonce = secrets.token_hex(16)
        return f"{nonce}.{self._signature(session, nonce)}"

    def check(self, session: str, in_cookie: str, in_header: str) -> None:
        """Accept a request that carries the same token of this session in both places.

        Raises:
            Refusal: `csrf_token_missing` or `csrf_token_invalid`.
        """
        if not in_header:
            raise Refusal("csrf_token_missing", "The header X-CSRF-Token is missing")
        found = _TOKEN.fullmatch(in_header)
        if not (
            found
            and hmac.compare_digest(in_cookie.encode(), in_header.encode())
            and hmac.compare_digest(found[2], self._signature(session, found[1]))
        ):
            raise Refusal(
                "csrf_token_invalid",
                "The CSRF token in the header is not the one of this session's cookie",
            )

    def _signature(self, session: str, nonce: str) -> str:
        # A session's id has no NUL, so no other pair has the same text.
        return hmac.digest(self._key, f"{session}\0{nonce}".encode(), "sha256").hex()
