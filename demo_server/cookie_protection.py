"""How a cookie session is protected against forged requests (CSRF): one frozen object each.

A browser adds the cookies of a server to each request to it, whichever page caused the request::

    COOKIE_SESSION  cookies          CSRF token  a form on another site
    --------------  ---------------  ----------  ------------------------------------------
    careless        SameSite=None    no          is accepted: this is the attack
    samesite        SameSite=Strict  no          arrives without cookies
    csrf_token      SameSite=None    yes         arrives with cookies, and without the token
    both            SameSite=Strict  yes         arrives without either

`both` is what OWASP's cheat sheet on CSRF asks for. SameSite compares *sites*, so it does not stop
a subdomain or another port of the same host; the token does not stop a script in the page itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from .errors import TokenKind

#: The cookie of each kind of token.
COOKIES: Mapping[TokenKind, str] = {"access": "__Host-access", "refresh": "__Secure-refresh"}

CSRF_COOKIE = "__Host-csrf"

#: Where the page repeats the CSRF token. Another site cannot set it without a preflight (CORS).
CSRF_HEADER = "X-CSRF-Token"


@dataclass(frozen=True)
class CookieProtection:
    """What stands between a cookie session and other sites.

    Attributes:
        same_site: the attribute `SameSite` of the cookies (RFC 6265bis, section 5.6.7). It is
            always written: without it Chromium takes `Lax` but sends a cookie for its first two
            minutes with cross-site forms, and other browsers take `None`.
        csrf_token (bool): a request that changes something carries a token in the header
            `X-CSRF-Token`, and a login must not come from another site.
    """

    same_site: Literal["None", "Strict"]
    csrf_token: bool


PROTECTIONS: Mapping[str, CookieProtection] = {
    "careless": CookieProtection("None", csrf_token=False),
    "samesite": CookieProtection("Strict", csrf_token=False),
    "csrf_token": CookieProtection("None", csrf_token=True),
    "both": CookieProtection("Strict", csrf_token=True),
}
