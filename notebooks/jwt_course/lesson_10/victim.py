"""Ada's browser as a model: it keeps tokens, runs scripts, submits forms, and asks a real server.

    victim = Victim(server)
    victim.log_in("cookie")
    loot = victim.run_script()                  # XSS: a script of mallory's in the shop's page
    victim.submit_form(EVIL, {"note": "…"})     # CSRF: a form on mallory's site

Which cookies go with a request, and which a script reads, is decided by the `CookieJar`. The
requests are real, and the server's answers too: its address stands for https://shop.example.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import requests

from client_widget import AuthClient
from demo_server import DemoClock, DemoServer
from demo_server.cookie_protection import CSRF_COOKIE, CSRF_HEADER

from .cookies import SHOP, CookieJar, each_set_cookie, relation

#: Where the page keeps the tokens.
Place = Literal["localStorage", "cookie"]

PASSWORD = "a pass phrase of ada's"


@dataclass(frozen=True)
class Loot:
    """What a script has read in the page.

    Attributes:
        read (Mapping[str, str]): by name, from `localStorage` and from `document.cookie`.
    """

    read: Mapping[str, str] = field(repr=False)

    @property
    def names(self) -> tuple[str, ...]:
        """What it has read, without the values."""
        return tuple(sorted(self.read))

    def __str__(self) -> str:
        return ", ".join(f"{name} ({len(self.read[name])} characters)" for name in self.names)


class Victim:
    """Ada's browser, at a server that knows her.

    Args:
        server (DemoServer): with the policy `rfc`, and for cookies with a `cookie_session`.

    Attributes:
        jar (CookieJar): its cookies.
        local_storage (dict[str, str]): what the shop's page has stored there.
    """

    def __init__(self, server: DemoServer) -> None:
        self._url = server.url
        self.jar = CookieJar()
        self.local_storage: dict[str, str] = {}

    def log_in(self, place: Place) -> list[str]:
        """Log in as ada, and keep the tokens; returns the `Set-Cookie` lines without values."""
        credentials = {"username": "ada", "password": PASSWORD}
        if place == "localStorage":
            self.local_storage = self.send("POST", "/users/login", json=credentials).json()
            self.local_storage.pop("deviceToken", None)
            return []
        answer = self.send("POST", "/cookie/login", json=credentials)
        return [_without_value(line) for line in _lines(answer)]

    def send(
        self,
        method: str,
        path: str,
        *,
        page: str = SHOP,
        navigates: bool = False,
        headers: Mapping[str, str] | None = None,
        json: Mapping[str, str] | None = None,
        form: Mapping[str, str] | None = None,
    ) -> requests.Response:
        """Send a request as a browser does, with the cookies and headers that it adds itself.

        Args:
            method (str), path (str): to the shop's server.
            page (str): the origin of the page that starts it.
            navigates (bool): the request opens a page.
            headers (Mapping[str, str] | None): those that the page's script sets.
            json, form (Mapping[str, str] | None): the body.
        """
        url = SHOP + path
        cookies = self.jar.sent(url, method=method, page=page, navigates=navigates)
        own = {
            "Origin": page,
            "Sec-Fetch-Site": relation(page),
        }
        if cookies:
            own["Cookie"] = "; ".join(f"{name}={value}" for name, value in cookies.items())
        answer = requests.request(
            method,
            self._url.rstrip("/") + path,
            headers={**(headers or {}), **own},
            json=json,
            data=form,
            timeout=10,
        )
        for line in _lines(answer):
            self.jar.store(line, url)
        return answer

    def run_script(self) -> Loot:
        """A script of mallory's runs in the shop's page (XSS), and reads what it can."""
        return Loot({**self.local_storage, **self.jar.read_by_script(SHOP)})

    def script_posts(self, note: str) -> requests.Response:
        """That script sends a request from the page, as the page itself does."""
        csrf = self.jar.read_by_script(SHOP).get(CSRF_COOKIE)
        headers = {} if csrf is None else {CSRF_HEADER: csrf}
        return self.send("POST", "/cookie/note", headers=headers, json={"note": note})

    def submit_form(self, page: str, note: str) -> requests.Response:
        """A page of another origin submits a form to the shop by script (CSRF)."""
        return self.send("POST", "/cookie/note", page=page, navigates=True, form={"note": note})

    def note(self) -> str:
        """Ada's note, as her own page shows it."""
        return str(self.send("GET", "/cookie/home").json()["note"])


def _lines(answer: requests.Response) -> list[str]:
    return each_set_cookie(answer.headers.get("Set-Cookie", ""))


def _without_value(set_cookie: str) -> str:
    """Without `Expires` too: it says the same as `Max-Age`, by the wall clock."""
    pair, *rest = set_cookie.split("; ")
    kept = [part for part in rest if not part.startswith("Expires=")]
    return "; ".join([f"{pair.partition('=')[0]}=…", *kept])


def stays_logged_in(server: DemoServer, loot: Loot, clock: DemoClock, *, minutes: int) -> bool:
    """Whether mallory can act as ada on her own machine, if she refreshes every four minutes.

    Args:
        server (DemoServer): ada's.
        loot (Loot): what mallory's script has sent her.
        clock (DemoClock): of the server; it is moved on.
        minutes (int): for how long.
    """
    mallory = AuthClient(server.url)
    refresh = loot.read.get("refreshToken", "nothing")
    access = loot.read.get("accessToken", "nothing")
    for _ in range(minutes // 4):
        clock.advance(240)
        answer = mallory.probe(refresh, "refresh")
        if answer.status_code != 200:
            return False
        access, refresh = answer.json()["accessToken"], answer.json()["refreshToken"]
    return mallory.probe(access).status_code == 200


def verdict(answer: requests.Response) -> str:
    """A response in a few words, such as "403 csrf_token_missing"."""
    body = answer.json()
    if answer.ok:
        return f"{answer.status_code} {body.get('message', 'saved')}"
    return f"{answer.status_code} {body.get('error', body['message'])}"
