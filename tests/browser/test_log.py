"""The live log on a plain page, without JupyterLab: its messages are carried by the test."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from client_widget import AuthClient, EventLog
from client_widget.widgets.live_log import MAX_ROWS, LogView

from ..client_widget.widgets.buttons import MARKUP, receive, until

# What anywidget does with a view's module and style sheet.
SHOW = """async ([module, style]) => {
  document.head.append(Object.assign(document.createElement("style"), { textContent: style }));
  const { default: view } = await import("data:text/javascript," + encodeURIComponent(module));
  window.sent = [];
  window.heard = [];
  window.addView = () => {
    const model = {
      send: (message) => window.sent.push(message),
      on: (_, receive) => window.heard.push(receive),
      off: () => {},
    };
    view.render({ model, el: document.body.appendChild(document.createElement("main")) });
  };
}"""

#: What a screen reader is told from now on.
LISTEN = """element => {
  window.said = [];
  new MutationObserver(() => window.said.push(element.textContent))
    .observe(element, { childList: true });
}"""

#: The elements whose content is wider than they are, and those that leave the page.
CUT_OFF = """() => [...document.querySelectorAll("main *")].filter((element) => {
  const { right, width } = element.getBoundingClientRect();
  const style = getComputedStyle(element);
  const clipped = style.textOverflow === "ellipsis" || element.matches(".lab-log-voice");
  return width && !clipped && style.display !== "inline"
    && (element.scrollWidth > element.clientWidth + 1 || right > innerWidth);
}).map((element) => element.className)"""

#: Scroll back, and wait until the page has noticed.
SCROLL_BACK = """log => new Promise((done) => {
  log.scrollTo(0, 40);
  new IntersectionObserver(done).observe(log);
}).then(() => null)"""

#: The page's own clock stands still, so the frames are counted by an observer.
TWO_FRAMES = """log => new Promise((done) => {
  const again = () => new IntersectionObserver((_, one) => done(one.disconnect())).observe(log);
  new IntersectionObserver((_, one) => again(one.disconnect())).observe(log);
}).then(() => null)"""

#: The height of each control that can be seen.
TARGETS = """() => [...document.querySelectorAll("main :is(button, summary, input)")]
  .filter((element) => element.checkVisibility())
  .map((element) => element.getBoundingClientRect().height)"""

#: Where each part and each story of the log begins and ends; on the narrow page of a panel's log.
PLACES = """() => {
  const [main] = document.getElementsByTagName("main");
  main.style.width = "398px";
  return [...main.querySelectorAll(".lab-log-bar, .lab-log-body, .lab-log-story")]
    .map((part) => [part.offsetTop, part.offsetHeight]);
}"""

#: On how many lines each time in the rows is, such as "5 s ago", over many widths of the log.
LINES = """() => {
  const [main] = document.getElementsByTagName("main");
  const lines = new Set();
  for (let width = 300; width < 700; width += 7) {
    main.style.width = `${width}px`;
    for (const time of main.querySelectorAll(".lab-log-whole"))
      lines.add(time.getClientRects().length);
  }
  return [...lines];
}"""

#: The hue of each client in the legend, in degrees.
HUES = """() => [...document.querySelectorAll(".lab-log-legend .lab-log-actor[style]")]
  .map((actor) => parseFloat(getComputedStyle(actor).color.split(" ")[2]))"""

FONT_SIZES = "all => [...new Set(all.map((element) => getComputedStyle(element).fontSize))]"

COLUMNS = ("time", "call", "who", "text", "status", "ms")


class LogPage:
    """A page that shows a log.

    Attributes:
        page (Page): its timers run only with `clock`.
        events (EventLog): the log itself.
        log (Locator): the stories.
        details (Locator): the pane beside them.
    """

    def __init__(self, page: Page, events: EventLog) -> None:
        self.page, self.events = page, events
        self.log = page.get_by_role("log")
        self.details = page.get_by_role("region", name="Details")
        self._view = LogView(AuthClient("http://127.0.0.1:1", log=events))
        self._messages: list[dict[str, Any]] = []
        self._view.send = lambda content, buffers=None: self._messages.append(content)  # type: ignore[method-assign]
        self.last = 0
        page.clock.install()
        page.goto("about:blank")
        state = self._view.get_state()
        page.evaluate(SHOW, [state["_esm"], state["_css"]])
        self.add_view()

    def close(self) -> None:
        self._view.close()

    def add_view(self) -> None:
        self.page.evaluate("addView()")
        self.carry()

    def carry(self) -> None:
        """Deliver the messages of both sides, the rows of all events so far among them."""
        for message in self.page.evaluate("sent.splice(0)"):
            receive(self._view, message)
        until(lambda: self._sent >= max((event.seq for event in self.events), default=0))
        for message in self._messages:
            rows = message.get("rows", [])
            self.last = rows[-1]["seq"] if rows else self.last
            self.page.evaluate("message => heard.forEach(receive => receive(message))", message)
        self._messages.clear()

    @property
    def _sent(self) -> int:
        """The last event that is on its way, or has come."""
        rows = [row for message in tuple(self._messages) for row in message.get("rows", [])]
        return rows[-1]["seq"] if rows else self.last

    def press(self, name: str) -> None:
        self.page.get_by_role("button", name=name, exact=True).click()

    def row(self, text: str) -> Locator:
        return self.log.get_by_role("button").filter(has_text=text)

    @property
    def stories(self) -> list[str]:
        """Each story, oldest first: its headline, after a mark that tells if its rows are shown."""
        told: list[str] = self.log.locator("> *").evaluate_all(
            """stories => stories.filter((story) => story.checkVisibility()).map((story) =>
              story.matches("details") ? `${story.open ? "v" : ">"} ${
                story.querySelector(".lab-log-headline").textContent.trim()}`
              : story.querySelector(".lab-log-text").textContent)"""
        )
        return told

    # What the other side does

    def request(self, action: str, path: str = "/home", *, client: str = "client") -> None:
        about = {"method": "GET", "path": path, "purpose": "call", "headers": {}, "body": ""}
        self.events.record("request.sent", source=client, correlation=action, **about)

    def answer(
        self, action: str, path: str = "/home", *, client: str = "client", status: int = 200
    ) -> None:
        about = {"method": "GET", "path": path, "purpose": "call", "headers": {}, "body": ""}
        self.events.record(
            "response.received",
            source=client,
            correlation=action,
            status=status,
            elapsed=0.003,
            **about,
        )

    def call(self, action: str, path: str = "/home", *, client: str = "client") -> None:
        self.request(action, path, client=client)
        self.answer(action, path, client=client)
        self.carry()

    def move_clock(self) -> None:
        self.events.record("clock.advanced", source="panel", seconds=61)
        self.carry()


@pytest.fixture
def shown(fresh_page: Page, log: EventLog) -> Iterator[LogPage]:
    shown = LogPage(fresh_page, log)
    yield shown
    shown.close()


def test_the_newest_story_is_open_and_older_ones_fold(shown: LogPage) -> None:
    expect(shown.page.get_by_text("Press a button, or make a call in a cell.")).to_be_visible()
    shown.call("a", "/one")
    assert shown.stories == ["v GET /one: 200 · 1 request · 3 ms"]
    cells = [shown.row("OK for").locator(f".lab-log-{name}").inner_text() for name in COLUMNS]
    assert cells[1:] == ["#1", "server → client", "OK for GET /one", "200", "3 ms"]
    expect(shown.page.get_by_text("Press a button")).to_be_hidden()

    shown.move_clock()  # it has no rows that fold, and folds none
    shown.call("b", "/two")
    assert shown.stories == [
        "> GET /one: 200 · 1 request · 3 ms",
        "the clock moved by 61 s",
        "v GET /two: 200 · 1 request · 3 ms",
    ]
    shown.log.locator("summary").first.click()  # the reader opens one
    shown.call("c", "/three")
    assert [story[:7] for story in shown.stories] == ["v GET /", "the clo", "> GET /", "v GET /"]


def test_stories_of_several_clients_at_once_keep_their_rows(shown: LogPage) -> None:
    shown.request("a", client="left")
    shown.request("b", client="right")
    shown.answer("a", client="left")
    shown.answer("b", client="right", status=403)
    shown.events.record("server.started", source="server", server="demo")
    shown.carry()
    assert shown.stories == [
        "> GET /home (left): 200 · 1 request · 3 ms",
        "v GET /home (right): 403 · 1 request · 3 ms",
        "the demo server has started",
    ]
    assert [shown.log.locator("> *").nth(n).get_by_role("button").count() for n in range(3)] == [
        0,  # folded
        2,
        1,
    ]
    legend = shown.page.get_by_role("group", name="Who is who")
    assert legend.inner_text().split() == ["left", "server", "right"]
    colours = legend.locator("> *").evaluate_all("all => all.map(e => getComputedStyle(e).color)")
    assert len(set(colours)) == 3


def test_a_screen_reader_hears_a_headline_once(shown: LogPage) -> None:
    expect(shown.log).to_have_attribute("aria-live", "off")
    voice = shown.page.locator("[aria-live=polite]")
    voice.evaluate(LISTEN)
    shown.request("a")
    shown.carry()
    shown.answer("a")
    shown.carry()
    shown.page.clock.run_for(5000)
    assert shown.page.evaluate("said") == ["GET /home: 200 · 1 request · 3 ms"]
    shown.move_clock()
    shown.page.clock.run_for(5000)
    assert shown.page.evaluate("said")[1:] == ["the clock moved by 61 s"]


def test_the_log_by_keyboard(shown: LogPage) -> None:
    shown.call("a", "/one")
    shown.call("b", "/two")
    keyboard = shown.page.keyboard
    shown.row("GET /two without").focus()
    keyboard.press("ArrowUp")
    expect(shown.log.locator("summary").last).to_be_focused()
    keyboard.press("ArrowUp")  # the rows of a folded story are passed by
    expect(shown.log.locator("summary").first).to_be_focused()
    keyboard.press("Enter")
    keyboard.press("ArrowDown")
    expect(shown.row("GET /one without")).to_be_focused()

    keyboard.press("Enter")
    shown.carry()
    expect(shown.details).to_contain_text("GET /one HTTP/1.1")
    expect(shown.row("GET /one without")).to_have_attribute("aria-expanded", "true")
    expect(shown.details.get_by_role("button", name="Close")).to_be_focused()
    keyboard.press("Tab")
    expect(shown.details.get_by_role("button", name="Copy", exact=True)).to_be_focused()
    keyboard.press("Escape")
    expect(shown.details).to_be_hidden()
    expect(shown.row("GET /one without")).to_be_focused()
    expect(shown.row("GET /one without")).to_have_attribute("aria-expanded", "false")


def test_a_copy_says_that_it_is_one(shown: LogPage) -> None:
    shown.call("a")
    shown.page.evaluate(
        "Object.defineProperty(navigator, 'clipboard', { configurable: true,"
        " value: { writeText: async (text) => { window.copied = text; } } })"
    )
    shown.row("GET /home without").click()
    expect(shown.details).to_contain_text("The kernel is busy")
    shown.carry()
    shown.press("Copy")
    copied = shown.details.get_by_role("button", name="Copied")
    expect(copied).to_be_visible()
    assert shown.page.evaluate("copied").startswith("GET /home HTTP/1.1\n\ncurl -i -X GET http:")
    shown.page.clock.run_for(2000)
    expect(copied).to_have_count(0)
    expect(shown.page.locator("[aria-live=polite]")).to_have_text("Copied")
    shown.press("Copy as cURL")
    assert shown.page.evaluate("copied").startswith("curl -i -X GET http:")

    # A page without HTTPS has no clipboard.
    shown.page.evaluate("delete navigator.clipboard")
    shown.page.evaluate("Object.defineProperty(navigator, 'clipboard', { value: undefined })")
    shown.press("Copy")
    expect(shown.details.get_by_role("button", name="Selected: press Ctrl+C")).to_be_visible()
    assert "GET /home HTTP/1.1" in shown.page.evaluate("String(getSelection())")


def test_a_number_and_its_unit_are_on_one_line(shown: LogPage) -> None:
    about = {"path": "/home", "kind": "access", "correlation": "a"}
    shown.events.record("token.accepted", source="server", iat=0, exp=60, **about)
    shown.events.record("token.issued", source="server", iat=0, exp=300, **about)
    shown.carry()
    expect(shown.row("valid for 300 s")).to_have_count(1)  # as text, it is whole
    assert shown.page.evaluate(LINES) == [1]


def test_clients_with_almost_the_same_name_have_colours_of_their_own(shown: LogPage) -> None:
    for name in ("tab 1", "tab 2", "tab 3"):
        shown.request(name, client=name)
    shown.carry()
    hues = shown.page.evaluate(HUES)
    gaps = [abs(one - other) for one, other in combinations(hues, 2)]
    assert len(hues) == 3
    assert all(60 <= gap <= 300 for gap in gaps), hues


def test_filter_pause_and_clear(shown: LogPage) -> None:
    shown.call("a", "/one")
    shown.call("b", "/two")
    search = shown.page.get_by_role("searchbox", name="Filter the event log")
    search.fill("ok for get /ONE")  # in a row, so that its story opens
    assert shown.stories == ["v GET /one: 200 · 1 request · 3 ms"]
    shown.call("c", "/three")  # a new story is filtered as well
    assert shown.stories == ["v GET /one: 200 · 1 request · 3 ms"]
    search.fill("nowhere")
    assert shown.stories == []
    expect(shown.page.locator(".lab-log-empty")).to_have_text("No story contains “nowhere”.")
    search.fill("")
    assert [story[:2] for story in shown.stories] == ["> ", "> ", "v "]
    expect(shown.page.locator(".lab-log-empty")).to_be_hidden()

    places = shown.page.evaluate(PLACES)
    shown.press("Pause")
    shown.call("d", "/four")
    expect(shown.page.get_by_text("2 rows wait")).to_be_visible()
    assert shown.page.evaluate(PLACES) == places
    assert len(shown.stories) == 3
    shown.press("Resume")
    assert shown.stories[3:] == ["v GET /four: 200 · 1 request · 3 ms"]
    expect(shown.page.get_by_role("button", name="Pause")).to_be_visible()
    expect(shown.page.get_by_text("rows wait")).to_have_count(0)

    shown.row("OK for GET /four").click()
    shown.press("Clear")
    expect(shown.log.locator("> *")).to_have_count(0)
    expect(shown.details).to_be_hidden()
    expect(shown.page.get_by_text("The view is cleared.")).to_be_visible()
    shown.answer("d", "/four")  # a story that was cleared goes on
    shown.carry()
    expect(shown.row("OK for GET /four")).to_have_count(1)


def test_the_newest_row_stays_in_sight_unless_the_reader_has_scrolled_back(
    shown: LogPage,
) -> None:
    scroller = shown.page.locator(".lab-log-scroller")
    from_end = "log => log.scrollHeight - log.clientHeight - log.scrollTop"

    def record(action: str) -> None:
        for _ in range(100):
            shown.events.record("test.made", source="test", correlation=action)
        shown.carry()

    for action in ("a", "b"):
        record(action)
        shown.page.clock.run_for(100)
        assert scroller.evaluate(from_end) <= 1
    # A hidden tab, and the projector's type.
    for change in ("main.style.display = 'none'", "main.style = 'font-size: 150%'"):
        scroller.evaluate(f"log => {{ const main = log.closest('main'); {change} }}")
        scroller.evaluate(TWO_FRAMES)
        record("b")
        shown.page.clock.run_for(100)
        assert scroller.evaluate(from_end) <= 1, change
    scroller.evaluate(SCROLL_BACK)
    record("b")
    shown.page.clock.run_for(100)
    assert scroller.evaluate("log => log.scrollTop") == 40


def test_two_views_of_one_log(shown: LogPage) -> None:
    shown.call("a")
    shown.press("Clear")
    shown.add_view()
    first, second = shown.log.nth(0), shown.log.nth(1)
    expect(first.locator("> *")).to_have_count(0)
    expect(second.locator("> *")).to_have_count(1)
    second.get_by_role("button").first.click()
    shown.carry()
    expect(shown.details).to_have_count(1)
    shown.call("b")
    expect(first.locator("> *")).to_have_count(1)
    expect(second.locator("> *")).to_have_count(2)


def test_the_page_stays_small(shown: LogPage) -> None:
    for number in range(10_000):
        shown.events.record("test.made", source="test", n=number)
    shown.carry()
    shown.call("a")
    for _ in range(2):  # one story that is longer than all rows
        for _ in range(MAX_ROWS - 1):
            shown.events.record("test.made", source="test", correlation="b")
        shown.carry()
    rows = shown.log.locator(".lab-log-row")
    assert rows.count() == MAX_ROWS
    expect(shown.log.locator("> *")).to_have_count(1)
    shown.call("c")
    assert rows.count() <= MAX_ROWS


def test_what_a_user_typed_is_text(shown: LogPage) -> None:
    shown.call("a", "/" + MARKUP, client=MARKUP)
    expect(shown.log).to_contain_text(f"GET /{MARKUP} ({MARKUP[:23]}…): 200")
    expect(shown.page.locator("img")).to_have_count(0)


def test_nothing_is_cut_off(shown: LogPage) -> None:
    """In a column of the panel, alone in a cell, and large on a projector."""
    shown.call("a", "/" + "long" * 30, client="n" * 64)
    shown.move_clock()
    for width, size in ((320, 13), (440, 13), (900, 13), (700, 24), (1900, 24)):
        shown.page.set_viewport_size({"width": width, "height": 720})
        shown.page.evaluate("size => (document.body.style.font = `${size}px sans-serif`)", size)
        for opened in (True, False):
            shown.row("without a token").click()
            shown.carry()
            assert (width, size, shown.page.evaluate(CUT_OFF)) == (width, size, [])
            assert min(shown.page.evaluate(TARGETS)) >= 24
            expect(shown.details).to_be_visible(visible=opened)
            if opened:
                expect(shown.details).to_be_in_viewport(ratio=1)
        assert shown.page.locator("main *").evaluate_all(FONT_SIZES) == [f"{size}px"]
