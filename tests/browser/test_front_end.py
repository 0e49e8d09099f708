"""The front end in Chromium. The demo clock is moved, so nothing here waits for an expiry."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from axe_playwright_python.sync_playwright import Axe
from jwt_course.lesson_05.stampede import run_stampede
from jwt_course.lesson_05.strategies import STRATEGIES
from playwright.sync_api import (
    Browser,
    ConsoleMessage,
    Error,
    Locator,
    Page,
    Request,
    Route,
    expect,
)

from client_widget import EventLog
from demo_server import DemoClock, DemoServer, ServerConfig

from ..conftest import PASSWORD, START
from .lab import new_page
from .panel import Panel

# Chromium reports each refusal on the console. The lab is full of them.
REFUSAL = re.compile(r"Failed to load resource: .* 40[0134] ")

#: How the lesson calls what the page calls "single flight".
LESSONS_NAME = {"single flight": "single flight (ours)"}

CALLS = 10


class FrontEnd(Panel):
    """The page of one server, and what must not happen on it.

    Attributes:
        troubles (list[str]): errors on the console, which include each violation of the
            Content-Security-Policy, and requests to other origins.
    """

    def __init__(self, page: Page, server: DemoServer, clock: DemoClock, events: EventLog) -> None:
        super().__init__(page)
        self.server, self.clock, self.events = server, clock, events
        self.troubles: list[str] = []
        page.on("console", self._on_console)
        page.on("pageerror", self._on_error)
        page.on("request", self._on_request)
        page.goto(f"{server.url}/app/")

    def _on_console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and not REFUSAL.match(message.text):
            self.troubles.append(f"console: {message.text}")

    def _on_error(self, error: Error) -> None:
        self.troubles.append(f"error: {error}")

    def _on_request(self, request: Request) -> None:
        if not request.url.startswith(f"{self.server.url}/"):
            self.troubles.append(f"request: {request.url}")

    def choose(self, interceptor: str) -> None:
        self.page.get_by_label("Interceptor", exact=True).select_option(interceptor)

    def log_in(self) -> None:
        """Put ada's tokens into the store, as another tab would."""
        credentials = {"username": "ada", "password": PASSWORD}
        tokens = requests.post(f"{self.server.url}/users/login", json=credentials, timeout=20)
        self.page.evaluate(
            """({ accessToken, refreshToken }) => {
                localStorage.setItem("accessToken", accessToken);
                localStorage.setItem("refreshToken", refreshToken);
                dispatchEvent(new Event("storage"));
            }""",
            tokens.json(),
        )

    def store(self) -> dict[str, str]:
        """What is in the local storage under the article's names."""
        held: dict[str, str] = self.page.evaluate("({ ...localStorage })")
        return {name: held[name] for name in ("accessToken", "refreshToken") if name in held}

    def tally(self) -> dict[str, int]:
        """What the page counted for its last calls."""
        names = self.page.locator("#tally dt").all_inner_texts()
        numbers = self.page.locator("#tally dd").all_inner_texts()
        return dict(zip(names, map(int, numbers), strict=True))

    def number(self, name: str) -> Locator:
        """One number of the tally."""
        return self.page.locator("#tally div").filter(has_text=name).locator("dd")

    def last_action(self) -> tuple[list[list[str]], list[tuple[str, str]]]:
        """The requests of the last action, and the events that the server gave its id to."""
        rows = [row.locator("td").all_inner_texts() for row in self.log.locator("tbody tr").all()]
        mine = rows[-1][-1]
        events = [event for event in self.events if event.correlation == mine]
        shown = [(event.name, str(event.fields.get("reason", ""))) for event in events]
        return [row[:-1] for row in rows if row[-1] == mine], shown


@pytest.fixture
def policy() -> str:
    return "article"


@pytest.fixture
def front_end(browser: Browser, policy: str) -> Iterator[FrontEnd]:
    clock = DemoClock(start=START, rate=0)
    log = EventLog(clock=clock)
    config = ServerConfig(bcrypt_cost=4, policy=policy)
    page = new_page(browser)
    with DemoServer(config, clock=clock, emit=log.emitter("server"), name="front end") as server:
        credentials = {"username": "ada", "password": PASSWORD}
        requests.post(f"{server.url}/users/register", json=credentials, timeout=20)
        front_end = FrontEnd(page, server, clock, log)
        yield front_end
        page.close()
    assert front_end.troubles == []


EXPIRED, ACCEPTED = ("token.rejected", "token_expired"), ("token.accepted", "")
ISSUED = ("token.issued", "")


def test_a_session_from_its_registration_to_its_end(front_end: FrontEnd) -> None:
    page = front_end.page
    expect(front_end.says("Register, then log in.")).to_be_visible()
    front_end.fill("grace <b>hopper</b>", PASSWORD)
    front_end.press("Register")
    expect(front_end.says("grace <b>hopper</b> is registered. Now log in.")).to_be_visible()
    expect(front_end.password).to_have_value("")
    front_end.fill("grace <b>hopper</b>", PASSWORD)
    front_end.password.press("Enter")
    expect(front_end.says("grace <b>hopper</b> is logged in.")).to_be_visible()
    expect(front_end.username).to_be_hidden()
    before = front_end.store()
    assert before.keys() == {"accessToken", "refreshToken"}
    for token in before.values():
        assert token not in page.content()
    # The demo clock is years ahead of the browser's; a token's age is counted from its arrival.
    expect(page.locator("#accessToken")).to_contain_text(re.compile(r"(60|5\d) s of 60 s left"))

    front_end.clock.advance(61)
    front_end.press("Home")
    expect(page.get_by_text("Welcome grace <b>hopper</b>", exact=True)).to_be_visible()
    sent, events = front_end.last_action()
    assert sent == [["GET", "/home", "403"], ["POST", "/refresh", "200"], ["GET", "/home", "200"]]
    assert events == [EXPIRED, ACCEPTED, ISSUED, ACCEPTED]
    after = front_end.store()
    assert after["refreshToken"] == before["refreshToken"]
    assert after["accessToken"] != before["accessToken"]
    expect(page.locator("#refreshToken")).to_contain_text(re.compile(r"23\d s of 300 s left"))

    front_end.choose("none")
    front_end.clock.advance(61)
    front_end.press("Home")
    expect(front_end.says("Refused (403): ")).to_be_visible()
    assert front_end.last_action() == ([["GET", "/home", "403"]], [EXPIRED])

    front_end.choose("single flight")
    page.reload()
    expect(front_end.says("grace <b>hopper</b> is logged in.")).to_be_visible()
    front_end.clock.advance(301)
    front_end.press("Home")
    expect(front_end.says("Your session has ended. Log in again.")).to_be_visible()
    expect(front_end.username).to_be_visible()
    expect(front_end.button("Home")).to_be_hidden()
    assert front_end.last_action() == (
        [["GET", "/home", "403"], ["POST", "/refresh", "403"]],
        [EXPIRED, EXPIRED],
    )
    assert front_end.store() == {}


@pytest.mark.parametrize("policy", ["rfc"])
def test_a_logout_ends_the_session_on_the_server_too(front_end: FrontEnd) -> None:
    front_end.log_in()
    front_end.clock.advance(61)
    spent = front_end.store()["refreshToken"]
    front_end.press("Home")
    expect(front_end.says("The home page is loaded.")).to_be_visible()
    sent, _ = front_end.last_action()
    assert sent == [["GET", "/home", "401"], ["POST", "/refresh", "200"], ["GET", "/home", "200"]]
    assert front_end.store()["refreshToken"] != spent  # the server rotates

    front_end.press("Log out")
    expect(front_end.says("You are logged out.")).to_be_visible()
    sent, events = front_end.last_action()
    assert sent == [["POST", "/logout", "204"]]
    assert "family.revoked" in [name for name, _ in events]
    assert front_end.store() == {}


# A message to the server and back: what came before it has been handled by the page.
ROUND_TRIP = "async () => { await (await fetch('icon.svg', { cache: 'no-store' })).text(); }"

# The rows of the log and the numbers of the tally.
STATE = """() => [...document.querySelectorAll("#requests tbody tr, #tally dd")]
  .map((each) => each.textContent)"""


class Gates:
    """Hold the page's messages as lesson 05's gates hold a client's, so that every run is the same.

    Args:
        late (bool): one call is held until all the others are done.
    """

    def __init__(self, page: Page, *, late: bool) -> None:
        self._page, self._late = page, late
        self._calls = 0
        self._held: dict[str, list[Route]] = {"refresh": [], "retry": [], "late": []}
        page.route("**/home", self._on_home)
        page.route("**/refresh", lambda route: self._hold("refresh", route))

    def _on_home(self, route: Route) -> None:
        self._calls += 1
        if self._calls > CALLS:
            self._hold("retry", route)
        elif self._calls == CALLS and self._late:
            self._hold("late", route)
        else:
            route.continue_()

    def _hold(self, gate: str, route: Route) -> None:
        if gate in self._held:
            self._held[gate].append(route)
        else:  # it is open
            route.continue_()

    def open(self, gate: str) -> None:
        for route in self._held.pop(gate):
            route.continue_()

    def settle(self) -> None:
        """Return when every message is answered or held, and the page does nothing any more."""
        before: list[str] = []
        for _ in range(500):
            self._page.evaluate(ROUND_TRIP)
            now: list[str] = self._page.evaluate(STATE)
            held = sum(len(routes) for routes in self._held.values())
            if now == before and sum("…" in text for text in now) == held:
                return
            before = now
        raise AssertionError(f"the page does not come to rest: {before}")

    def close(self) -> None:
        self._page.unroute_all()


def stampede(front_end: FrontEnd, interceptor: str, *, refused: bool, late: bool) -> dict[str, int]:
    """Ten calls meet an expired token, in the order of lesson 05; what the page counted."""
    front_end.choose(interceptor)
    front_end.log_in()
    config = front_end.server.config
    front_end.clock.advance(1 + (config.refresh_token_ttl if refused else config.access_token_ttl))
    gates = Gates(front_end.page, late=late)
    front_end.press("10 × Home")
    for gate in ("refresh", "retry", "late"):
        gates.settle()
        gates.open(gate)
    gates.settle()
    gates.close()
    return front_end.tally()


@pytest.mark.parametrize("policy", ["article", "rfc"])
def test_ten_calls_end_as_in_lesson_05(front_end: FrontEnd, policy: str) -> None:
    """The same numbers, for each interceptor, as the lesson's client with threads."""
    seen, lesson = {}, {}
    troubles = ("none", "refused", "late") if policy == "rfc" else ("none", "refused")
    for interceptor in ("the article's flag", "the common queue", "single flight"):
        for trouble in troubles:
            options = {"refused": trouble == "refused", "late": trouble == "late"}
            seen[interceptor, trouble] = stampede(front_end, interceptor, **options)
            strategy = STRATEGIES[LESSONS_NAME.get(interceptor, interceptor)]
            result = run_stampede(strategy, CALLS, rotation=policy == "rfc", **options)
            lesson[interceptor, trouble] = {
                "calls": CALLS,
                "refreshes": result.refreshes,
                "answers": result.answers,
                "refused": result.refused,
                "errors": result.errors,
                "waiting": result.hangs,
            }
    assert seen == lesson
    assert seen["the common queue", "refused"]["waiting"] == CALLS - 1


def faults(page: Page) -> list[str]:
    """What axe finds, whatever its impact."""
    found: list[dict[str, Any]] = Axe().run(page).response["violations"]
    return [f"{rule['id']}: {[node['target'] for node in rule['nodes']]}" for rule in found]


def test_the_page_is_readable_and_keeps_to_itself(front_end: FrontEnd) -> None:
    """In light and dark, on a telephone, with the keyboard; no text becomes markup."""
    page = front_end.page
    page.emulate_media(color_scheme="light")
    assert faults(page) == []
    front_end.username.focus()
    for name in ("Username", "Password", "Register", "Log in", "Interceptor"):
        expect(page.locator(":focus")).to_have_accessible_name(name)
        page.keyboard.press("Tab")
    front_end.log_in()
    front_end.choose("the article's flag")
    front_end.press("5 × Home")
    expect(front_end.number("answers")).to_have_text("5")
    page.set_viewport_size({"width": 360, "height": 740})
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    page.emulate_media(color_scheme="dark")
    assert faults(page) == []

    assert front_end.troubles == []
    with pytest.raises(Error, match="TrustedHTML"):
        page.evaluate("document.body.innerHTML = '<img src=x onerror=alert(1)>'")
    page.evaluate("fetch('http://127.0.0.1:9/').catch(() => null)")
    assert ["TrustedHTML" in front_end.troubles[0], "connect-src" in front_end.troubles[1]] == [
        True
    ] * 2
    front_end.troubles.clear()
