"""A browser's rules for cookies, as a small model: what it keeps and sends, what a script reads.

    jar = CookieJar()
    jar.store("refresh=…; HttpOnly; Secure; SameSite=Strict; Path=/refresh", LOGIN)
    jar.sent(REFRESH, method="POST", page=SHOP)      # {"refresh": "…"}
    jar.read_by_script(SHOP)                         # {}

It is for the judge of exercise 1, whose hosts do not exist. `model_browser` sends real requests.

The rules are those of RFC 6265, section 5, and of its successor (draft-ietf-httpbis-rfc6265bis)
for `SameSite` and the name prefixes. Two things are simpler here. A site is the last two labels of
a host name. And without `SameSite` the model sends a cookie everywhere: some browsers do, others
take `Lax`, so a server can't rely on it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import SplitResult, urlsplit

#: The shop of this lesson, another team's blog on the same site, and an attacker's site.
SHOP, BLOG, EVIL = "https://shop.example", "https://blog.shop.example", "https://evil.example"

#: Methods that change nothing (RFC 9110, section 9.2.1).
SAFE = ("GET", "HEAD", "OPTIONS")

_LOOPBACK = ("localhost", "127.0.0.1", "[::1]")


@dataclass(frozen=True)
class Cookie:
    """A cookie as a browser keeps it.

    Attributes:
        name (str), value (str)
        host (str): the one that set it, or the one in `Domain`.
        subdomains (bool): it goes to the hosts below, too, because `Domain` was set.
        path (str): it goes to this path and to those below.
        secure (bool), http_only (bool)
        same_site (str): "strict", "lax" or "none".
    """

    name: str
    value: str = field(repr=False)
    host: str
    subdomains: bool
    path: str
    secure: bool
    http_only: bool
    same_site: str


class Refused(Exception):
    """A browser does not keep a cookie. The message says why."""


class CookieJar:
    """The cookies of one browser."""

    def __init__(self) -> None:
        self._cookies: dict[tuple[str, str, str], Cookie] = {}

    def store(self, set_cookie: str, url: str) -> Cookie | None:
        """Keep a cookie as a response sets it.

        Args:
            set_cookie (str): the value of the header `Set-Cookie`.
            url (str): of the request.

        Returns:
            The cookie, or None if its `Max-Age` deletes it at once.

        Raises:
            Refused: a browser would ignore it.
        """
        cookie, lasts = parse(set_cookie, url)
        key = (cookie.name, cookie.host, cookie.path)
        self._cookies.pop(key, None)
        if not lasts:
            return None
        self._cookies[key] = cookie
        return cookie

    def sent(
        self, url: str, *, method: str = "GET", page: str | None = None, navigates: bool = False
    ) -> dict[str, str]:
        """The cookies that go with a request.

        Args:
            url (str): of the request.
            method (str): such as "POST".
            page (str | None): the page that starts the request; None if the user types the URL.
            navigates (bool): the request opens a page, such as a click on a link or a form that is
                submitted.
        """
        to = urlsplit(url)
        same = page is None or site_of(page) == site_of(url)
        return {
            cookie.name: cookie.value
            for cookie in self._cookies.values()
            if _goes_to(cookie, to)
            and (
                same
                or cookie.same_site == "none"
                or (cookie.same_site == "lax" and navigates and method.upper() in SAFE)
            )
        }

    def read_by_script(self, url: str) -> dict[str, str]:
        """What `document.cookie` shows to a script in a page."""
        at = urlsplit(url)
        return {
            cookie.name: cookie.value
            for cookie in self._cookies.values()
            if _goes_to(cookie, at) and not cookie.http_only
        }


def parse(set_cookie: str, url: str) -> tuple[Cookie, bool]:
    """The cookie in a `Set-Cookie`, and whether it lasts: a `Max-Age` of 0 or less deletes it.

    Raises:
        Refused: a browser would ignore it.
    """
    at = urlsplit(url)
    host = at.hostname or ""
    pair, *rest = (part.strip() for part in set_cookie.split(";"))
    name, equals, value = (part.strip() for part in pair.partition("="))
    if not (name and equals):
        raise Refused("it does not begin with name=value")
    given = _attributes(rest)
    secure, domain = "secure" in given, given.get("domain", "").lstrip(".").lower()
    path = given.get("path", "")
    cookie = Cookie(
        name,
        value,
        domain or host,
        subdomains=bool(domain),
        path=path if path.startswith("/") else _default_path(at),
        secure=secure,
        http_only="httponly" in given,
        same_site=_same_site(given.get("samesite", "")),
    )
    if domain and not _is_below(host, domain):
        raise Refused(f"{host} may not set a cookie for {domain}")
    if secure and not _is_secure(at):
        raise Refused("`Secure` needs https, or a loopback address")
    if given.get("samesite", "").lower() == "none" and not secure:
        raise Refused("`SameSite=None` needs `Secure`")
    _check_prefix(cookie)
    return cookie, _lasts(given.get("max-age", ""))


def site_of(url: str) -> str:
    """The site of a URL: its scheme and the last two labels of its host."""
    at = urlsplit(url)
    host = at.hostname or ""
    name = host if host.replace(".", "").isdigit() else ".".join(host.split(".")[-2:])
    return f"{at.scheme}://{name}"


def relation(page: str) -> str:
    """What a browser writes into `Sec-Fetch-Site` of a request from a page to the shop."""
    if page == SHOP:
        return "same-origin"
    return "same-site" if site_of(page) == site_of(SHOP) else "cross-site"


def _attributes(parts: list[str]) -> Mapping[str, str]:
    """By lower-case name. The last of several counts, and unknown ones do nothing."""
    pairs = (part.partition("=") for part in parts)
    return {name.strip().lower(): value.strip() for name, _, value in pairs}


def _same_site(value: str) -> str:
    return value.lower() if value.lower() in ("strict", "lax") else "none"


def _lasts(max_age: str) -> bool:
    number = max_age.removeprefix("-")
    if not number.isdecimal():
        return True  # no Max-Age, or one that a browser ignores
    return int(max_age) > 0


def _check_prefix(cookie: Cookie) -> None:
    name = cookie.name.lower()
    if name.startswith(("__secure-", "__host-")) and not cookie.secure:
        raise Refused(f"the name {cookie.name} needs `Secure`")
    if name.startswith("__host-") and (cookie.subdomains or cookie.path != "/"):
        raise Refused(f"the name {cookie.name} needs `Path=/` and no `Domain`")


def _default_path(at: SplitResult) -> str:
    """RFC 6265, section 5.1.4: the folder of the request's path."""
    return at.path.rpartition("/")[0] or "/"


def _goes_to(cookie: Cookie, at: SplitResult) -> bool:
    host, path = at.hostname or "", at.path or "/"
    here = host == cookie.host or (cookie.subdomains and _is_below(host, cookie.host))
    below = path == cookie.path or path.startswith(cookie.path.rstrip("/") + "/")
    return here and below and (not cookie.secure or _is_secure(at))


def _is_below(host: str, domain: str) -> bool:
    return host == domain or host.endswith(f".{domain}")


def _is_secure(at: SplitResult) -> bool:
    return at.scheme == "https" or at.hostname in _LOOPBACK
