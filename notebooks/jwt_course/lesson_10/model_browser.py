"""`ModelBrowser`: what a browser does with cookies, as a model in Python.

A notebook has no browser, so this model sends the requests of the lesson. It follows the rules that
decide them, and nothing else:

- A cookie goes to its host, whatever the port, and to the paths below its `Path` (RFC 6265, 5.1.4).
- A `Secure` cookie is taken and sent over https or to a loopback address.
- `__Host-` needs `Secure` and `Path=/`, `__Secure-` needs `Secure` (RFC 6265bis, 4.1.3).
- `SameSite` (RFC 6265bis, 5.6.7): a page of another site sends a `Strict` cookie never, a `Lax`
  cookie only with a link, and a `None` cookie with a form, too. Without the attribute, a cookie is
  `Lax`, but for its first two minutes goes with a form, as in Chromium.
- A script reads the cookies of its host that are not `HttpOnly`.
- `Sec-Fetch-Site` says which page a request comes from.

It does no CORS: a page's script sends to its own origin only. The tests compare it with Chromium.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urljoin, urlsplit

import requests

from demo_server.clock import Clock

#: Where a browser takes http for secure.
_LOOPBACK = ("127.0.0.1", "localhost", "::1", "in-process")

#: Seconds for which Chromium sends a cookie without `SameSite` with a form of another site.
LAX_ALLOWING_UNSAFE = 120


@dataclass(frozen=True)
class Cookie:
    """A cookie as the browser keeps it from `since` to `until`; `repr` omits its value."""

    name: str
    value: str = field(repr=False)
    host: str
    path: str
    http_only: bool
    same_site: str
    since: float
    until: float


class ModelBrowser:
    """A browser with its cookies and its local storage.

    Args:
        clock (Clock): the browser's, in seconds: cookies expire by it.

    Attributes:
        local_storage (dict[str, dict[str, str]]): what the scripts of each origin have stored.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.local_storage: dict[str, dict[str, str]] = {}
        self._cookies: dict[tuple[str, str, str], Cookie] = {}

    def open(self, url: str) -> requests.Response:
        """Open an address that the user has typed."""
        return self._send("GET", url, page="", navigates=True)

    def click_link(self, page: str, url: str) -> requests.Response:
        """Follow a link on a page.

        Args:
            page (str): the address of the page.
            url (str): where the link leads.
        """
        return self._send("GET", url, page=page, navigates=True)

    def submit(self, page: str, url: str, form: Mapping[str, str]) -> requests.Response:
        """Send a form on a page, which may lead to any site.

        Args:
            page (str): the address of the page.
            url (str): the form's `action`.
            form (Mapping[str, str]): its fields.
        """
        return self._send("POST", url, page=page, navigates=True, data=dict(form))

    def fetch(
        self,
        page: str,
        method: str,
        path: str,
        *,
        json: object = None,
        headers: Mapping[str, str] | None = None,
    ) -> requests.Response:
        """Send what a script in a page sends to its own origin.

        Args:
            page (str): the address of the page.
            method (str), path (str), json (object), headers (Mapping): the request.

        Raises:
            ValueError: the path leads to another origin.
        """
        url = urljoin(page, path)
        if origin_of(url) != origin_of(page):
            raise ValueError("the model's scripts send to their own origin only")
        return self._send(
            method, url, page=page, navigates=False, json=json, headers=dict(headers or {})
        )

    def document_cookie(self, page: str) -> dict[str, str]:
        """The cookies that a script in a page can read, by name."""
        return {each.name: each.value for each in self._kept_for(page) if not each.http_only}

    def cookie_names(self, url: str) -> list[str]:
        """The names of all cookies for an address, as the developer tools list them."""
        return sorted(each.name for each in self._kept_for(url))

    def storage_of(self, page: str) -> dict[str, str]:
        """The local storage of a page's origin."""
        return self.local_storage.setdefault(origin_of(page), {})

    def _send(
        self,
        method: str,
        url: str,
        *,
        page: str,
        navigates: bool,
        headers: dict[str, str] | None = None,
        **body: Any,
    ) -> requests.Response:
        relation = _relation(page, url)
        headers = {**(headers or {}), "Sec-Fetch-Site": relation}
        cookies = [
            each
            for each in self._kept_for(url)
            if relation != "cross-site" or self._crosses_sites(each, method, navigates)
        ]
        if cookies:
            headers["Cookie"] = "; ".join(f"{each.name}={each.value}" for each in cookies)
        with requests.Session() as session:
            session.trust_env = False
            # This class keeps the cookies.
            answer = session.request(
                method, url, headers=headers, timeout=20, allow_redirects=False, **body
            )
        for header in re.split(r", (?=[^;,=]+=)", answer.headers.get("Set-Cookie", "")):
            self._take(header, url)
        return answer

    def _take(self, header: str, url: str) -> None:
        """Keep, replace or delete a cookie, or ignore a header that breaks a rule."""
        first, *rest = (part.strip() for part in header.split(";"))
        name, separator, value = first.partition("=")
        path, attributes = "/", {}
        for part in rest:
            key, _, text = part.partition("=")
            attributes[key.lower()] = text.lower()
            path = text if key.lower() == "path" else path
        secure, same_site = "secure" in attributes, attributes.get("samesite", "")
        prefixed = name.startswith(("__Host-", "__Secure-"))
        if not separator or (secure and not _is_secure(url)):
            return
        if (prefixed or same_site == "none") and not secure:
            return
        if name.startswith("__Host-") and (path != "/" or "domain" in attributes):
            return
        host, now = urlsplit(url).hostname or "", self._clock()
        until = now + float(attributes.get("max-age", math.inf))
        self._cookies[host, path, name] = Cookie(
            name, value, host, path, "httponly" in attributes, same_site, now, until
        )

    def _kept_for(self, url: str) -> list[Cookie]:
        parts = urlsplit(url)
        return [
            each
            for each in self._cookies.values()
            if each.host == parts.hostname
            and _is_below(parts.path or "/", each.path)
            and self._clock() < each.until
        ]

    def _crosses_sites(self, cookie: Cookie, method: str, navigates: bool) -> bool:
        """Whether a cookie goes with a request that a page of another site causes."""
        if not navigates or cookie.same_site == "strict":
            return False  # Chromium blocks the third-party cookies of fetch
        if cookie.same_site == "none" or method == "GET":
            return True
        return not cookie.same_site and self._clock() - cookie.since < LAX_ALLOWING_UNSAFE

    def __repr__(self) -> str:
        return "<ModelBrowser>"


def origin_of(url: str) -> str:
    """Scheme, host and port: what shares a local storage (RFC 6454, section 4)."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def site_of(url: str) -> str:
    """What `SameSite` compares: the scheme and the host, without the port.

    For a domain name it would be the registrable domain. In a browser tab all servers have one
    host, so there the port counts.
    """
    parts = urlsplit(url)
    return (
        origin_of(url) if parts.hostname == "in-process" else f"{parts.scheme}://{parts.hostname}"
    )


def _relation(page: str, url: str) -> str:
    """The value of `Sec-Fetch-Site` for a request of a page; of the user if there is no page."""
    if not page:
        return "none"
    if origin_of(page) == origin_of(url):
        return "same-origin"
    return "same-site" if site_of(page) == site_of(url) else "cross-site"


def _is_secure(url: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme == "https" or parts.hostname in _LOOPBACK


def _is_below(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder.rstrip("/") + "/")
