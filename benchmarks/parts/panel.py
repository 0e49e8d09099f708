"""What the panel costs in a real browser: from the click to the row, and to be there at all."""

from __future__ import annotations

import statistics
import time

from playwright.sync_api import WebSocket, expect

from tests.browser.lab import Notebook

from .desk import log_in, written_notebook

CLICKS, BATCHES = 30, 10

#: The most that each figure may be.
BUDGETS = {
    "panel: click to row on screen, median, ms": 50,
    "panel: click to row on screen, p95, ms": 80,
    "panel: from 'run all' to usable, s": 5,
    "panel: time of a row after 10,000 events / at the start": 1.5,
    "panel: bytes to the browser per event": 300,
}

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


def figures(browser_path: str) -> dict[str, float]:
    """Every figure by its name in `BUDGETS`. Clicks and rows have a notebook each."""
    with written_notebook(browser_path) as notebook:
        usable = seconds_to_panel(notebook)
        clicks = click_times(notebook)
    row_ratio, bytes_an_event = row_costs(browser_path)
    measured = (
        statistics.median(clicks),
        statistics.quantiles(clicks, n=20)[-1],
        usable,
        row_ratio,
        bytes_an_event,
    )
    return dict(zip(BUDGETS, measured, strict=True))


def row_costs(browser_path: str) -> tuple[float, float]:
    """The time of a row in a long log over that in an empty one, and its bytes on the way."""
    received = 0

    def on_frame(payload: str | bytes) -> None:
        nonlocal received
        received += len(payload.encode() if isinstance(payload, str) else payload)

    def on_socket(socket: WebSocket) -> None:
        socket.on("framereceived", on_frame)

    with written_notebook(browser_path) as notebook:
        notebook.page.on("websocket", on_socket)
        notebook.open()
        first = batch_time(notebook, "first")
        before = received
        record(notebook, 1000, "bytes")
        bytes_an_event = (received - before) / 1000
        record(notebook, 10_000, "many")
        return batch_time(notebook, "later") / first, bytes_an_event


def seconds_to_panel(notebook: Notebook) -> float:
    """From "run all" to a panel that has its log and can be clicked."""
    notebook.execute("docmanager:open", path=notebook.path.name)
    notebook.wait_for_kernel()
    start = time.perf_counter()
    notebook.execute("notebook:run-all-cells")
    expect(notebook.log.get_by_text("listens")).to_be_visible()
    expect(notebook.button("Home")).to_be_enabled()
    seconds = time.perf_counter() - start
    notebook.wait_for_cells()
    return seconds


def batch_time(notebook: Notebook, name: str) -> float:
    """Milliseconds from the record of 100 events to the row of the last one, the median."""
    return statistics.median(record(notebook, 100, f"{name}{n}") for n in range(BATCHES))


def record(notebook: Notebook, count: int, batch: str) -> float:
    """Record events in a cell; gives the milliseconds until the last has its row."""
    notebook.start_cell(RECORD.format(count=count, batch=batch))
    last = f"batch={batch} n={count - 1}"
    handle = notebook.page.wait_for_function(BATCH_TO_ROW, arg=last)
    milliseconds: float = handle.evaluate("(result) => result.ms")
    notebook.wait_for_cells()
    return milliseconds


def click_times(notebook: Notebook) -> list[float]:
    """Milliseconds from each click on "Home" to the first new row."""
    log_in(notebook)
    notebook.run_cell("clock.rate = 0")  # no token expires meanwhile
    home = notebook.button("Home")
    times = []
    for _ in range(CLICKS):
        expect(home).to_be_enabled()
        notebook.page.wait_for_timeout(200)  # let the rows of the last click come
        times.append(home.evaluate(CLICK_TO_ROW))
    return times
