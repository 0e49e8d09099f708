"""The lab in a browser tab: the site of `make lite` on a plain file server, with no other host.

Nothing here may reach another origin: each request is checked.
"""

from __future__ import annotations

import inspect
import json
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import bcrypt
import pytest
from playwright.sync_api import Browser, Page, Route, expect

from . import threads_program
from .lab import COUNTS, ERRORS, EXECUTE, LAB_IS_OPEN
from .panel import Panel, log_in, ordered

ROOT = Path(__file__).parents[2]
SITE = ROOT / "dist/lite"

#: Milliseconds in which Python must have started in the tab.
STARTS_IN = 240_000

# It may still be starting: what is run waits for it.
HAS_A_KERNEL = """() =>
  !!window.jupyterapp.shell.currentWidget?.context?.sessionContext?.session?.kernel"""

RUN_THE_FIRST_CELL = """() => {
  const { commands, shell } = window.jupyterapp;
  const notebook = shell.currentWidget.content;
  notebook.activeCellIndex = notebook.widgets.findIndex((cell) => cell.model.type === "code");
  void commands.execute("notebook:run-cell");
}"""

# Add a line to the last cell.
WRITE = """(line) => {
  const cells = window.jupyterapp.shell.currentWidget.content.widgets;
  const model = cells[cells.length - 1].model.sharedModel;
  model.setSource(`${model.getSource()}\\n${line}`);
}"""

# Python in a page, without JupyterLite.
IN_PYODIDE = """async (code) => {
  const { loadPyodide } = await import("/static/pyodide/pyodide.mjs");
  const python = await loadPyodide();
  await python.loadPackage(["jwt-refresh-lab"]);
  return await python.runPythonAsync(code);
}"""


class Files(SimpleHTTPRequestHandler):
    """Any file server will do. This one is silent."""

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    """The address of the site, built from what the project is now."""
    python = ROOT / ".venv/lite/bin/python"
    if not python.exists():
        pytest.fail("The site's environment is missing: make lite", pytrace=False)
    subprocess.run([python, ROOT / "deploy/lite/build.py"], check=True)
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Files, directory=str(SITE))) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@contextmanager
def alone(browser: Browser, site: str) -> Iterator[Page]:
    """A window that reaches the site and nothing else. It fails if it tried."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    elsewhere: list[str] = []

    def refuse(route: Route) -> None:
        elsewhere.append(route.request.url)
        route.abort()

    context.route(lambda url: not url.startswith((f"{site}/", "data:", "blob:")), refuse)
    page = context.new_page()
    page.set_default_timeout(STARTS_IN)
    try:
        yield page
    finally:
        context.close()
    assert elsewhere == []


def test_lesson_01_by_hand_and_to_its_end(browser: Browser, site: str) -> None:
    """The story on the panel, five calls that share a refresh, then every cell; then a reload."""
    with alone(browser, site) as page:
        page.goto(f"{site}/lab/index.html?path=01_walkthrough.ipynb")
        page.wait_for_function(LAB_IS_OPEN)
        page.wait_for_function(HAS_A_KERNEL)
        page.evaluate(RUN_THE_FIRST_CELL)
        panel = Panel(page)
        expect(panel.button("Register")).to_be_visible(timeout=STARTS_IN)
        log_in(panel)
        expect(page.get_by_role("note").filter(has_text="the wire is not")).to_be_visible()
        panel.press("Home", "+61 s", "Home")
        expect(panel.log).to_contain_text(
            ordered(
                "the clock moved by 61 s",
                "GET /home with the access token (expired",
                "403 Forbidden for GET /home",
                "200 OK for POST /refresh",
                "GET /home again, with the access token",
                "200 OK for GET /home",
            )
        )
        panel.press("+61 s", "5 × Home")
        expect(panel.says("All five calls were answered.")).to_be_visible()
        # One, among the rows of the newest story; the older ones have folded.
        expect(panel.row("POST /refresh with the refresh token")).to_have_count(1)
        expect(panel.row("403 Forbidden for GET /home")).to_have_count(5)

        page.evaluate("() => void window.jupyterapp.commands.execute('notebook:run-all-cells')")
        page.wait_for_function(f"() => ({COUNTS})().filter((count) => count > 1).length > 15")
        page.wait_for_function(f"() => ({COUNTS})().every((count) => count !== null)")
        assert page.evaluate(ERRORS) == []

        page.evaluate(WRITE, "# my own line")
        page.evaluate(EXECUTE, ["docmanager:save", {}])
        page.reload()
        page.wait_for_function(LAB_IS_OPEN)
        expect(page.get_by_role("heading", name="my own line")).to_be_visible()


def test_threads_and_hashes_are_real_in_a_tab(browser: Browser, site: str) -> None:
    """What the lab relies on in threads, bcrypt's hashes on either side, and a browser too old."""
    assert threads_program.check() == []
    password = "pä $$ phrase"
    ours = bcrypt.hashpw(password.encode(), bcrypt.gensalt(4)).decode()
    code = f"""
from pyodide.code import run_js
suspending = run_js("const it = WebAssembly.Suspending; delete WebAssembly.Suspending; it")
try:
    import client_widget
except ImportError as error:
    refused = str(error)
run_js("(it) => {{ WebAssembly.Suspending = it; }}")(suspending)
import client_widget  # makes threads tasks
import json, bcrypt
{inspect.getsource(threads_program).replace("from __future__ import annotations", "")}
password = {password!r}.encode()
json.dumps({{
    "refused": refused,
    "failed": check(),
    "verified": [bcrypt.checkpw(word, {ours!r}.encode()) for word in (password, b"another")],
    "hash": bcrypt.hashpw(password, bcrypt.gensalt(4)).decode(),
}})
"""
    with alone(browser, site) as page:
        page.goto(f"{site}/jupyter-lite.json")
        found = json.loads(page.evaluate(IN_PYODIDE, code))
    assert "Open this page in a current Chrome, Edge or Firefox." in found["refused"]
    assert found["failed"] == []
    assert found["verified"] == [True, False]
    assert bcrypt.checkpw(password.encode(), found["hash"].encode())
    assert not bcrypt.checkpw(b"another", found["hash"].encode())
