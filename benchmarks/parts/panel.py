"""What the panel costs in a real browser: from the click to the row, and to be there at all."""

from __future__ import annotations

import statistics
import time

from playwright.sync_api import expect

from tests.browser.chromium import find_browser
from tests.browser.lab import Notebook

from ..desk import PASSWORD, log_in, written_notebook
from ..table import Part, Row, measured

# Click a button and give the milliseconds to the first new row of the log.
CLICK_TO_ROW = """(button) => new Promise((resolve) => {
  const log = document.querySelector(".lab-panel [role=log]");
  new MutationObserver((_, observer) => {
    observer.disconnect();
    resolve(performance.now() - clicked);
  }).observe(log, { childList: true });
  const clicked = performance.now();
  button.click();
})"""

# Click a button and give the milliseconds until the flow of an expiry is drawn.
CLICK_TO_FLOW = """(button) => new Promise((resolve) => {
  const panel = document.querySelector(".lab-panel");
  new MutationObserver((_, observer) => {
    const drawn = panel.querySelector(".lab-at-flow svg")?.textContent ?? "";
    if (!drawn.includes("new access token") || !drawn.includes("Welcome ada")) return;
    observer.disconnect();
    requestAnimationFrame(() => resolve(performance.now() - clicked));
  }).observe(panel, { childList: true, subtree: true });
  const clicked = performance.now();
  button.click();
})"""

# Once the last event of a batch has its row, give the milliseconds since the first was recorded.
BATCH_TO_ROW = """(last) => {
  const row = document.querySelector(".lab-panel [role=log]").lastElementChild;
  const began = parseInt(row?.textContent.split(`${last} began=`)[1]);
  return began && { ms: Date.now() - began };
}"""

RECORD = """import time
began = time.time_ns() // 1_000_000
for n in range({count}):
    log.record("test.made", source="test", batch="{batch}", n=n, began=began)"""


def measure(quick: bool) -> Part:
    part = Part(
        "Panel",
        "The panel in its own JupyterLab, in a headless browser. The click is on the button Home; "
        "its first row counts when the browser has it in the page. The time of a row is measured "
        "from recording 100 events until the last of them has its row.",
    )
    try:
        browser_path = find_browser()
    except LookupError as error:
        part.left_out.append(f"all of it. {error}")
        return part
    events = 1_000 if quick else 10_000
    with written_notebook(browser_path) as notebook:
        traffic = Traffic(notebook)
        usable = seconds_to_panel(notebook)
        clicks = click_times(notebook, 10 if quick else 30)
        flows = flow_times(notebook, 3 if quick else 15)
        ratios, size = row_costs(notebook, traffic, events=events, batches=3 if quick else 10)
    p95 = statistics.quantiles(clicks, n=20, method="inclusive")[-1]
    part.rows += [
        measured("click to row on screen, ms", clicks, at_most=40),
        Row("click to row on screen, 95th percentile, ms", p95, at_most=70),
        measured("click to the drawn flow of an expiry, ms", flows, at_most=120),
        Row("from 'run all' to a panel that can be used, s", usable, at_most=1.2),
        measured(f"time of a row after {events:,} events / at the start", ratios, at_most=1.5),
        Row("bytes to the browser per event", size, at_most=300),
    ]
    return part


class Traffic:
    """Counts the bytes that come to the browser from now on.

    Attributes:
        received (int): how many so far.
    """

    def __init__(self, notebook: Notebook) -> None:
        self.received = 0
        notebook.page.on("websocket", lambda socket: socket.on("framereceived", self._count))

    def _count(self, payload: str | bytes) -> None:
        self.received += len(payload.encode() if isinstance(payload, str) else payload)


def row_costs(
    notebook: Notebook, traffic: Traffic, *, events: int, batches: int
) -> tuple[list[float], float]:
    """The times of a row in a long log over those in a short one, and its bytes on the way."""
    first = [record(notebook, 100, f"first{n}") for n in range(batches)]
    before = traffic.received
    record(notebook, 1000, "bytes")
    size = (traffic.received - before) / 1000
    record(notebook, events, "many")
    later = [record(notebook, 100, f"later{n}") for n in range(batches)]
    # The quickest over the quickest and so on: they could not take turns.
    return [b / a for a, b in zip(sorted(first), sorted(later), strict=True)], size


def seconds_to_panel(notebook: Notebook) -> float:
    """From "run all" to a panel that has its log and can be clicked."""
    notebook.execute("docmanager:open", path=notebook.path.name)
    notebook.wait_for_kernel()
    start = time.perf_counter()
    notebook.execute("notebook:run-all-cells")
    expect(notebook.log.get_by_text("has started")).to_be_visible()
    expect(notebook.button("Home")).to_be_enabled()
    seconds = time.perf_counter() - start
    notebook.wait_for_cells()
    return seconds


def record(notebook: Notebook, count: int, batch: str) -> float:
    """Record events in a cell; gives the milliseconds until the last has its row."""
    notebook.start_cell(RECORD.format(count=count, batch=batch))
    last = f"batch={batch} n={count - 1}"
    handle = notebook.page.wait_for_function(BATCH_TO_ROW, arg=last)
    milliseconds: float = handle.evaluate("(result) => result.ms")
    notebook.wait_for_cells()
    return milliseconds


def click_times(notebook: Notebook, clicks: int) -> list[float]:
    """Milliseconds from each click on "Home" to the first new row."""
    log_in(notebook)
    notebook.run_cell("clock.rate = 0")  # no token expires meanwhile
    home = notebook.button("Home")
    times = []
    for _ in range(clicks):
        expect(home).to_be_enabled()
        notebook.page.wait_for_timeout(200)  # let the rows of the last click come
        times.append(home.evaluate(CLICK_TO_ROW))
    return times


def flow_times(notebook: Notebook, clicks: int) -> list[float]:
    """Milliseconds from each click on "Home" with an expired token to the flow of its refresh."""
    home = notebook.button("Home")
    times = []
    for _ in range(clicks):
        notebook.run_cell(f"client.login('ada', {PASSWORD!r}); clock.advance(61)")
        expect(home).to_be_enabled()
        notebook.page.wait_for_timeout(200)  # let what came before be drawn
        times.append(home.evaluate(CLICK_TO_FLOW))
    return times
