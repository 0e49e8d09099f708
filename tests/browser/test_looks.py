"""How the views look: readable for everybody, in each mode, on each usual screen."""

from __future__ import annotations

import re
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from .lab import Notebook, change_theme
from .panel import log_in

TABS = ("Timeline", "Tokens", "Step by step", "Tour")

# The smallest text that can be seen: its size on the screen as a share of the window's height, and
# its words. The text of a picture is scaled with it.
SMALLEST = """(view) => {
  const seen = [];
  const walker = document.createTreeWalker(view, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const { data, parentElement: element } = walker.currentNode;
    if (!data.trim() || !element.checkVisibility({ visibilityProperty: true })) continue;
    if (element.closest("style, script, title, desc")) continue;
    const scale = element.getScreenCTM ? element.getScreenCTM().a : 1;
    const size = parseFloat(getComputedStyle(element).fontSize) * scale;
    seen.push([size / innerHeight, data.trim()]);
  }
  return seen.reduce((least, each) => (each[0] < least[0] ? each : least));
}"""

#: The labels that are too long for their place.
CUT_OFF = """(view) => [...view.querySelectorAll("button, [role=tab], [role=tab] *, label")]
  .filter((each) => each.checkVisibility() && each.scrollWidth > each.clientWidth + 1)
  .filter((each) => getComputedStyle(each).overflowX !== "visible")
  .map((each) => each.textContent)"""

#: The controls that are too small to be hit: less than 24 pixels in one direction (WCAG 2.5.8).
TOO_SMALL = """(view) => [...view.querySelectorAll("button, input, select, [role=tab]")]
  .filter((each) => each.checkVisibility())
  .map((each) => [each.textContent || each.ariaLabel, each.getBoundingClientRect()])
  .filter(([_, box]) => box.width < 24 || box.height < 23.5)
  .map(([words, box]) => `${words}: ${box.width} x ${box.height}`)"""


#: Where each part of the panel begins and ends, by its name, in pixels from the panel's top left.
PLACES = """(view) => {
  const from = view.getBoundingClientRect();
  return Object.fromEntries([...view.querySelectorAll(".lab-box")].map((part) => {
    const { x, y, height } = part.getBoundingClientRect();
    const [, name] = part.className.match(/lab-at-(\\w+)/);
    return [name, [x - from.x, y - from.y, height].map(Math.round)];
  }));
}"""

#: How high the rows of the log are that can be seen, in pixels.
ROWS = """(view) => [...view.querySelectorAll(".lab-log-row")]
  .filter((row) => row.checkVisibility())
  .map((row) => Math.round(row.getBoundingClientRect().height))"""

#: Scroll to the panel; how many pixels of its flow are below what the notebook shows.
BELOW = """(view) => {
  view.scrollIntoView({ block: "start" });
  const window = view.closest(".jp-WindowedPanel-outer").getBoundingClientRect();
  return view.querySelector(".lab-at-flow svg").getBoundingClientRect().bottom - window.bottom;
}"""

#: Which part of a place's width its picture takes, in one call: it is drawn again and again.
FILLED = """(place) => {
  const picture = place.querySelector("svg").getBoundingClientRect();
  return picture.width / place.getBoundingClientRect().width;
}"""

#: How far the buttons of a picture are from their places in it, in pixels.
ASTRAY = """(picture) => [...picture.querySelectorAll("foreignObject")].map((place) =>
  Math.abs(place.firstElementChild.getBoundingClientRect().y - place.getBoundingClientRect().y))"""

#: How many pixels an element is wider than its place.
TOO_WIDE = "(element) => element.scrollWidth - element.clientWidth"

#: The panel's parts in the order of the story.
STORY = ["browser", "store", "clock", "log", "flow"]


def faults(page: Page, view: str) -> list[str]:
    """What axe calls serious or critical in a view; it first reads the whole page.

    JupyterLab's body has no height and hides what is outside of it, which is everything to axe: it
    would compare no colours.
    """
    page.evaluate("document.body.style.overflow = 'visible'")
    found: dict[str, Any] = Axe().run(page, context=view).response
    page.evaluate("document.body.style.overflow = ''")
    assert "color-contrast" in [rule["id"] for rule in found["passes"] + found["violations"]]
    return [
        f"{rule['id']}: {node['target']} {node['failureSummary']}"
        for rule in found["violations"]
        if rule["impact"] in ("serious", "critical")
        for node in rule["nodes"]
    ]


def press_projector(notebook: Notebook, *, on: bool) -> None:
    """Press the button, and wait for the panel, which the kernel changes."""
    notebook.press("Projector")
    shown = expect(notebook.page.locator(".lab-panel"))
    (shown.to_have_class if on else shown.not_to_have_class)(re.compile(r"\blab-projector\b"))


def test_every_view_is_readable_in_every_mode(notebook: Notebook) -> None:
    """Light, dark and projector; each tab; also the class view, which is a separate view."""
    page, panel = notebook.page, notebook.page.locator(".lab-panel")
    notebook.log_in()
    notebook.press("+61 s", "Home")
    expect(notebook.home("Welcome ada")).to_be_visible()
    notebook.run_cell("from client_widget import ClassView; ClassView(client)")
    for theme in ("JupyterLab Light", "JupyterLab Dark"):
        change_theme(notebook, theme)
        for projector in (True, False):
            press_projector(notebook, on=projector)
            views = [".lab-class", ".lab-panel .lab-grid", ".lab-panel .widget-tab"]
            for tab in TABS:
                notebook.open_tab(tab)
                assert faults(page, ", ".join(views)) == [], (theme, projector, tab)
                del views[:-1]  # only the tab changes
                assert panel.evaluate(CUT_OFF) == [], tab
                assert panel.evaluate(TOO_SMALL) == [], tab
                if projector:
                    share, words = panel.evaluate(SMALLEST)
                    assert share >= 0.022, (tab, words)
    change_theme(notebook, "JupyterLab Light")


def test_log_and_flow_begin_on_the_first_screen_and_nothing_jumps(notebook: Notebook) -> None:
    page, panel = notebook.page, notebook.page.locator(".lab-panel")

    def tops() -> dict[str, float]:
        panel.evaluate("(view) => view.scrollIntoView({ block: 'start' })")
        return {
            name: panel.locator(f".lab-at-{name}").evaluate("(e) => e.getBoundingClientRect().y")
            for name in STORY
        }

    for width, height in ((1280, 720), (1366, 768)):
        page.set_viewport_size({"width": width, "height": height})
        places = tops()
        assert places["log"] == places["flow"] < height - 200
    empty = panel.evaluate(PLACES)
    log_in(notebook, "margaret")
    notebook.press("+61 s", "Home")
    expect(notebook.home("Welcome margaret")).to_be_visible()
    assert panel.evaluate(PLACES) == empty
    notebook.open_tab("Step by step")
    notebook.press("Hold messages", "Home")
    expect(page.get_by_role("alert").filter(has_text="GET /home (call) waits")).to_be_visible()
    assert panel.evaluate(PLACES) == empty
    held, home = panel.locator(".lab-banner").bounding_box(), notebook.home("").bounding_box()
    assert held
    assert home
    assert held["y"] + held["height"] <= home["y"]
    notebook.press("Hold messages")
    expect(notebook.button("Home")).to_be_enabled()

    page.set_viewport_size({"width": 640, "height": 1000})
    stacked = panel.evaluate(PLACES)
    assert list(stacked) == sorted(stacked, key=lambda name: stacked[name][1]) == STORY
    assert len({x for x, _, _ in stacked.values()}) == 1
    page.set_viewport_size({"width": 1400, "height": 1000})


def test_a_story_fits_the_usual_screens(notebook: Notebook) -> None:
    page, panel = notebook.page, notebook.page.locator(".lab-panel")
    flow = panel.locator(".lab-at-flow > :last-child")
    notebook.execute("application:toggle-left-area")  # as wide as a small screen allows
    notebook.log_in()
    notebook.press("+61 s", "Home")
    expect(flow.get_by_text("Welcome ada", exact=True)).to_be_visible()
    for width, height in ((1000, 800), (1280, 720), (1366, 768)):
        page.set_viewport_size({"width": width, "height": height})
        heights = panel.evaluate(ROWS)
        one_line = heights.count(min(heights))
        assert one_line >= 0.6 * len(heights), (width, heights)
        assert max(heights) < 2 * min(heights), (width, heights)  # two lines at most
    page.set_viewport_size({"width": 1280, "height": 720})
    notebook.press("Whole session")
    expect(flow.get_by_text("Database", exact=True)).to_be_visible()
    assert flow.evaluate(TOO_WIDE) <= 0
    notebook.press("Last action")
    expect(flow.get_by_text("Database", exact=True)).to_have_count(0)
    press_projector(notebook, on=True)
    assert panel.evaluate(BELOW) <= 0
    notebook.press("+61 s", "5 × Home")
    expect(flow.get_by_role("button", name="GET /home")).to_have_count(2)
    assert max(flow.evaluate(ASTRAY)) < 1
    press_projector(notebook, on=False)
    page.set_viewport_size({"width": 1180, "height": 720})  # a panel of 1000 pixels
    assert flow.evaluate(TOO_WIDE) <= 0
    page.set_viewport_size({"width": 1280, "height": 720})
    flow.get_by_role("button", name="GET /home").first.click()
    expect(flow.get_by_text("#8", exact=True)).to_be_visible()
    assert flow.evaluate(TOO_WIDE) <= 0
    notebook.press("Projector")
    assert flow.evaluate(TOO_WIDE) <= 0
    box = flow.bounding_box()
    assert box
    assert box["height"] > 400
    notebook.press("Projector")
    page.set_viewport_size({"width": 1920, "height": 1080})
    assert panel.locator(".widget-tab-contents").evaluate(FILLED) >= 0.95
    notebook.execute("application:toggle-left-area")
    page.set_viewport_size({"width": 1400, "height": 1000})
