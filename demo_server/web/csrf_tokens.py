"""CSRF tokens that are signed, bound to a session, and stored nowhere.

The token is in a cookie that the page's scripts may read, and they repeat it in a header. Another
site makes the browser send the cookie but can neither read it nor add the header. This is OWASP's
"signed double-submit cookie". The signature covers the session, so a cookie that an attacker plants
in the browser, such as one of the attacker's own session, does not match.
"""

from __future__ import annotations

import hmac

from ..auth.signed_ids import SignedIds
from ..errors import Refusal


class CsrfTokens:
    """Issues and checks CSRF tokens.

    Args:
        secret (str): the server's.
    """

    def __init__(self, secret: str) -> None:
        self._ids = SignedIds(secret, "csrf token")

    def issue(self, session: str) -> str:
        """A new token of a session."""
        return self._ids.issue(session)

    def check(self, session: str, in_cookie: str, in_header: str) -> None:
        """Accept a request that carries the same token of this session in both places.

        Args:
            session (str): the id of the token family.
            in_cookie, in_header (str): what the request carries; "" for nothing.

        Raises:
            Refusal: `csrf_token_missing` or `csrf_token_invalid`.
        """
        if not in_header:
            raise Refusal("csrf_token_missing", "The header X-CSRF-Token is missing")
        same = hmac.compare_digest(in_cookie.encode(), in_header.encode())
        if not (same and self._ids.read(session, in_header)):
            raise Refusal(
                "csrf_token_invalid",
                "The CSRF token in the header is not the one of this session's cookie",
            )
