"""The site of `make lite` on a plain file server, and a lesson that is open in a browser tab."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Protocol

from playwright.sync_api import Browser, Page, Route

from .lab import ERRORS, EXECUTE, LAB_IS_OPEN

ROOT = Path(__file__).parents[2]
SITE = ROOT / "dist/lite"
PYTHON = ROOT / ".venv/lite/bin/python"

#: Milliseconds in which Python must have started in the tab.
STARTS_IN = 240_000

# It may still be starting: what is run waits for it.
_HAS_A_KERNEL = """() =>
  !!window.jupyterapp.shell.currentWidget?.context?.sessionContext?.session?.kernel"""

# Nobody waits for the promise here, so a cell may be slow.
_START = """([command, id]) => {
  const { commands, shell } = window.jupyterapp;
  const notebook = shell.currentWidget.content;
  const cells = notebook.widgets;
  if (id) notebook.activeCellIndex = cells.findIndex((cell) => cell.model.id === id);
  window.hasRun = false;
  void commands.execute(command).then(() => { window.hasRun = true; });
}"""

_HAS_RUN = "() => window.hasRun"

_OUTPUTS = """(id) => window.jupyterapp.shell.currentWidget.content.widgets
  .find((cell) => cell.model.id === id).model.outputs.toJSON()"""

_ADD = """(sources) => {
  const { model } = window.jupyterapp.shell.currentWidget.content;
  const cells = sources.map((source) => ({ cell_type: "code", metadata: {}, source }));
  model.sharedModel.insertCells(model.cells.length, cells);
  return [...model.cells].slice(-cells.length).map((cell) => cell.id);
}"""

_SOURCE = """(id) => window.jupyterapp.shell.currentWidget.content.widgets
  .find((cell) => cell.model.id === id).model.sharedModel.getSource()"""

_WRITE = """([id, source]) => {
  const cells = window.jupyterapp.shell.currentWidget.content.widgets;
  cells.find((cell) => cell.model.id === id).model.sharedModel.setSource(source);
}"""


class _Files(SimpleHTTPRequestHandler):
    """Any file server will do. This one is silent."""

    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def served() -> Iterator[str]:
    """The address of the site, built from what the project is now.

    Raises:
        FileNotFoundError: the environment that builds it is missing.
    """
    if not PYTHON.exists():
        raise FileNotFoundError("The site's environment is missing: make lite")
    subprocess.run([PYTHON, ROOT / "deploy/lite/build.py"], check=True)
    with files_of(SITE) as site:
        yield site


@contextmanager
def files_of(folder: Path) -> Iterator[str]:
    """The address of a file server for a folder."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Files, directory=str(folder))) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


@contextmanager
def alone(browser: Browser, site: str) -> Iterator[Page]:
    """A window that reaches the site and nothing else.

    Raises:
        AssertionError: it tried.
    """
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


class Window(Protocol):
    """What a lesson needs of a browser's window: Playwright's page has it."""

    def goto(self, url: str) -> Any: ...

    def evaluate(self, expression: str, arg: Any = None) -> Any: ...

    def wait_for_function(self, expression: str, *, arg: Any = None) -> Any: ...


class Lesson:
    """A lesson that is open in the tab. Cells are named by their id."""

    def __init__(self, page: Window, site: str, name: str) -> None:
        self.page = page
        self._url = f"{site}/lab/index.html?path={name}.ipynb"
        self.load()

    def load(self) -> None:
        """Load the page: Python starts, and the notebook is as it was saved."""
        page = self.page
        page.goto(self._url)
        page.wait_for_function(LAB_IS_OPEN)
        page.wait_for_function(_HAS_A_KERNEL)

    def run(self, cell: str) -> list[dict[str, Any]]:
        """Run a code cell to its end; returns its outputs."""
        self._run("notebook:run-cell", cell)
        outputs: list[dict[str, Any]] = self.page.evaluate(_OUTPUTS, cell)
        return outputs

    def run_all(self) -> None:
        """Run every cell, none with an error."""
        self._run("notebook:run-all-cells", "")
        assert self.page.evaluate(ERRORS) == []

    def run_from(self, cell: str) -> None:
        """Run a cell and every cell below it, none with an error."""
        self._run("notebook:run-all-below", cell)
        assert self.page.evaluate(ERRORS) == []

    def source(self, cell: str) -> str:
        """The source of a cell."""
        source: str = self.page.evaluate(_SOURCE, cell)
        return source

    def write(self, cell: str, source: str) -> None:
        """Replace the source of a cell."""
        self.page.evaluate(_WRITE, [cell, source])

    def add(self, *sources: str) -> list[str]:
        """Append code cells; returns their ids."""
        cells: list[str] = self.page.evaluate(_ADD, sources)
        return cells

    def save(self) -> None:
        """Save the notebook, as *File → Save* does."""
        self.page.evaluate(EXECUTE, ["docmanager:save", {}])

    def _run(self, command: str, cell: str) -> None:
        self.page.evaluate(_START, [command, cell])
        self.page.wait_for_function(_HAS_RUN)
