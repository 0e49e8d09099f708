"""ada's site and mallory's site, for the two attacks of the lesson.

    lab = TokenLab("careless")  # or "samesite", "csrf_token", "both"
    page = lab.open_board("localStorage")
    page.log_in("ada", lab.password)
    lab.inject()
    lab.open_board("localStorage")  # ada comes back: the message's script runs
    print(*lab.loot, sep="\\n")
    print(lab.visit_prize(), lab.note)

In your own browser, open `lab.victim.board_url` and `lab.attacker.prize_url`: both play the same.
"""

from __future__ import annotations

import secrets

import requests

from client_widget import EventLog, describe
from demo_server import DemoClock

from .attacker_site import AttackerSite, Loot
from .board_page import BoardPage
from .model_browser import ModelBrowser
from .victim_site import VictimSite


class TokenLab:
    """Two sites on loopback, and a model browser in which ada visits both.

    Opening a lab stops the servers of the last one.

    Args:
        cookie_session (str): how the victim's cookie session is protected; see `ServerConfig`.
        clock (DemoClock | None): of the server and the browser; a stopped one by default.

    Attributes:
        clock (DemoClock), log (EventLog): the log has the victim server's events.
        victim (VictimSite), attacker (AttackerSite): they run.
        browser (ModelBrowser): ada's.
        password (str): ada's; random, so no saved notebook has it.
    """

    def __init__(self, cookie_session: str = "careless", clock: DemoClock | None = None) -> None:
        self.clock = clock if clock is not None else DemoClock(rate=0)
        self.log = EventLog(clock=self.clock)
        emit = self.log.emitter("server")
        self.victim = VictimSite(cookie_session, clock=self.clock, emit=emit).start()
        self.attacker = AttackerSite(self.victim.url).start()
        self.browser = ModelBrowser(self.clock)
        self.password = secrets.token_urlsafe(9)
        ada = {"username": "ada", "password": self.password}
        requests.post(f"{self.victim.url}/users/register", json=ada, timeout=20).raise_for_status()

    def inject(self) -> None:
        """mallory writes on the board: a message that is markup and loads her script."""
        if self.attacker.message not in self.victim.messages:
            self.victim.messages.append(self.attacker.message)

    def open_board(self, place: str) -> BoardPage:
        """ada opens the board. If mallory's message is on it, the script runs.

        Args:
            place (str): where the page keeps the tokens: "localStorage", "memory" or "cookie".
        """
        return BoardPage(self.browser, self.victim, self.attacker, place)

    def visit_prize(self) -> requests.Response:
        """ada opens mallory's page and presses the button; the response of the victim's server."""
        page = self.attacker.prize_url
        self.browser.open(page)
        form = {"note": "Forged by mallory's form"}
        return self.browser.submit(page, f"{self.victim.url}/cookie/note", form)

    @property
    def loot(self) -> list[Loot]:
        """What mallory's script has reported. Printed, it is masked."""
        return self.attacker.loot

    @property
    def note(self) -> str:
        """ada's note, as the server has it."""
        return self.victim.note_of("ada")

    def use(self, loot: Loot) -> requests.Response:
        """mallory sends a stolen token from her own machine: to `/refresh` or to `/home`."""
        if "refreshToken" in loot.where:
            token = {"token": loot.token}
            return requests.post(f"{self.victim.url}/refresh", json=token, timeout=20)
        bearer = {"Authorization": f"Bearer {loot.token}"}
        return requests.get(f"{self.victim.url}/home", headers=bearer, timeout=20)

    def said(self, path: str = "/cookie/note") -> list[str]:
        """What the server recorded of the last request to a route, in words."""
        events = [each for each in self.log if each.fields.get("path") == path]
        return [describe(each) for each in events if each.correlation == events[-1].correlation]

    def stop(self) -> None:
        """Stop both servers."""
        self.victim.stop()
        self.attacker.stop()

    def __repr__(self) -> str:
        return "<TokenLab>"


def verdict(answer: requests.Response) -> str:
    """A response in a few words, without its tokens."""
    body = answer.json()
    if answer.ok:
        return f"{answer.status_code} {body.get('message') or body.get('note') or 'and tokens'}"
    return f"{answer.status_code} {body.get('error', body['message'])}"
