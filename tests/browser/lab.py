"""A JupyterLab of the tests' own, and a notebook that is open in it.

Nothing here waits for a fixed time: the page says when it is ready.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import nbformat
from playwright.sync_api import Locator, Page, expect, sync_playwright

ROOT = Path(__file__).parent.parent.parent
TOKEN = "of-the-tests"

#: Seconds in which JupyterLab must answer, and milliseconds in which a page must do so.
LAB_STARTS_IN = 60.0
PAGE_ANSWERS_IN = 20_000

# No request of the browser's own, such as for updates, leaves the machine.
QUIET = ["--disable-gpu", "--disable-quic", "--disable-sync"]

FOLDERS = (
    "JUPYTER_CONFIG_DIR",
    "JUPYTER_DATA_DIR",
    "JUPYTER_RUNTIME_DIR",
    "JUPYTERLAB_SETTINGS_DIR",
    "JUPYTERLAB_WORKSPACES_DIR",
    "IPYTHONDIR",
)

# The status shown in the page lags behind and leads ahead; the session's own does not.
KERNEL_IS_IDLE = """() => {
  const session = window.jupyterapp?.shell.currentWidget?.context?.sessionContext;
  return !!session && session.isReady
    && session.session?.kernel?.connectionStatus === "connected"
    && session.session.kernel.status === "idle";
}"""

EXECUTE = "([command, args]) => window.jupyterapp.commands.execute(command, args).then(() => null)"

# Add a cell at the end and run it; the promise is not waited for, so the cell may be slow.
START_CELL = """async (source) => {
  const { commands, shell } = window.jupyterapp;
  const notebook = shell.currentWidget.content;
  notebook.activeCellIndex = notebook.widgets.length - 1;
  await commands.execute("notebook:insert-cell-below");
  notebook.activeCell.model.sharedModel.setSource(source);
  void commands.execute("notebook:run-cell");
}"""

LAB_IS_OPEN = "() => window.jupyterapp?.restored.then(() => true)"

COUNTS = """() => window.jupyterapp.shell.currentWidget.content.widgets
  .filter((cell) => cell.model.type === "code")
  .map((cell) => cell.model.executionCount)"""

ERRORS = """() => window.jupyterapp.shell.currentWidget.content.widgets
  .filter((cell) => cell.model.type === "code")
  .flatMap((cell) => cell.model.outputs.toJSON())
  .filter((output) => output.output_type === "error")
  .map((output) => `${output.ename}: ${output.evalue}`)"""


class Lab(NamedTuple):
    """A running JupyterLab: its address, and the folder that it shows."""

    url: str
    folder: Path


@contextmanager
def running_lab(folder: Path) -> Iterator[Lab]:
    """JupyterLab on a copy of the notebooks, with no file of its user read or written.

    Args:
        folder (Path): an empty one, where everything is kept.

    Raises:
        RuntimeError: it did not start; the message ends with what it said.
    """
    notebooks = folder / "notebooks"
    shutil.copytree(ROOT / "notebooks", notebooks)
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    for name in FOLDERS:
        env[name] = str(folder / name.lower())
        Path(env[name]).mkdir()
    # Else a first start asks whether to fetch news, in a box above the notebook.
    news = Path(env["JUPYTERLAB_SETTINGS_DIR"], "@jupyterlab", "apputils-extension")
    news.mkdir(parents=True)
    (news / "notification.jupyterlab-settings").write_text('{"fetchNews": "false"}')

    port = _free_port()
    command = [sys.executable, "-m", "jupyterlab", "--no-browser"]
    command += ["--allow-root"]  # says nothing to those who are not root
    command += ["--ServerApp.ip=127.0.0.1", f"--ServerApp.port={port}"]
    command += ["--ServerApp.port_retries=0", f"--ServerApp.root_dir={notebooks}"]
    command += [f"--IdentityProvider.token={TOKEN}", "--LabApp.expose_app_in_browser=True"]
    said = folder / "jupyterlab.log"
    with said.open("w") as output:
        process = subprocess.Popen(
            command, env=env, cwd=folder, stdout=output, stderr=subprocess.STDOUT
        )
    lab = Lab(f"http://127.0.0.1:{port}", notebooks)
    try:
        deadline = time.monotonic() + LAB_STARTS_IN
        while not _answers(lab):
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"JupyterLab did not start:\n{said.read_text()[-2000:]}")
            time.sleep(0.05)
        yield lab
    finally:
        process.terminate()
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def _answers(lab: Lab) -> bool:
    try:
        api(lab, "GET", "status")
    except OSError:
        return False
    return True


def api(lab: Lab, method: str, path: str) -> Any:
    """A call of JupyterLab's REST interface; gives the JSON of the answer, or None."""
    request = urllib.request.Request(
        f"{lab.url}/api/{path}", method=method, headers={"Authorization": f"token {TOKEN}"}
    )
    with urllib.request.urlopen(request, timeout=20) as answer:
        body = answer.read()
    return json.loads(body) if body else None


def shut_kernels_down(lab: Lab) -> None:
    """End every kernel, and with it the demo server in it."""
    for session in api(lab, "GET", "sessions"):
        api(lab, "DELETE", f"sessions/{session['id']}")


def wiring() -> str:
    """The cell that README gives."""
    readme = (ROOT / "README.md").read_text()
    return readme.split("## The whole wiring\n\n```python\n")[1].split("```")[0].rstrip()


def ordered(*texts: str) -> re.Pattern[str]:
    """Matches a text that has all these in it, in this order, whatever is between them."""
    return re.compile(".*".join(re.escape(text) for text in texts), re.DOTALL)


@contextmanager
def new_page(browser_path: str, *, height: int = 1000) -> Iterator[Page]:
    """An empty window of a browser, 1400 pixels wide.

    Args:
        browser_path (str): the program.
        height (int): of the window, in pixels.
    """
    expect.set_options(timeout=PAGE_ANSWERS_IN)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=browser_path, args=QUIET)
        page = browser.new_page(viewport={"width": 1400, "height": height})
        page.set_default_timeout(PAGE_ANSWERS_IN)
        yield page
        browser.close()


def open_lab(page: Page, lab: Lab) -> None:
    """Open JupyterLab with no document in it."""
    page.goto(f"{lab.url}/lab?reset&token={TOKEN}")
    page.wait_for_function(LAB_IS_OPEN)


class Notebook:
    """A notebook that is open in JupyterLab, and the panel in it, as a person finds it."""

    def __init__(self, page: Page, lab: Lab, name: str) -> None:
        self.page = page
        self.path = lab.folder / name
        self.username = page.get_by_label("Username", exact=True)
        self.password = page.get_by_label("Password", exact=True)
        self.log = page.get_by_role("log")

    def write(self, *cells: str) -> None:
        """Make the notebook of these code cells."""
        notebook = nbformat.v4.new_notebook(
            cells=[nbformat.v4.new_code_cell(cell) for cell in cells],
            metadata={
                "kernelspec": {"name": "python3", "display_name": "Python 3 (ipykernel)"},
                "language_info": {"name": "python"},
            },
        )
        nbformat.write(notebook, self.path)

    def open(self) -> None:
        """Open the notebook and run all of its cells."""
        self.execute("docmanager:open", path=self.path.name)
        self.wait_for_kernel()
        self.execute("notebook:run-all-cells")
        self.wait_for_cells()

    def close(self) -> None:
        """Close its tab without a question whether to save it."""
        self.page.evaluate("() => window.jupyterapp.shell.currentWidget?.dispose()")

    def execute(self, command: str, **args: Any) -> None:
        """A command of JupyterLab, such as its menus have."""
        self.page.evaluate(EXECUTE, [command, args])

    def run_cell(self, source: str) -> None:
        """Run a new cell at the end of the notebook."""
        self.start_cell(source)
        self.wait_for_cells()

    def start_cell(self, source: str) -> None:
        """The same, without waiting for its end."""
        self.page.evaluate(START_CELL, source)

    def wait_for_kernel(self) -> None:
        self.page.wait_for_function(KERNEL_IS_IDLE)

    def wait_for_cells(self) -> None:
        """Wait until every cell has been run, none with an error."""
        self.page.wait_for_function(f"() => ({COUNTS})().every((count) => count !== null)")
        self.wait_for_kernel()
        assert self.page.evaluate(ERRORS) == []

    def counts(self) -> list[int | None]:
        """The execution count of each code cell; None while it waits or runs."""
        counts: list[int | None] = self.page.evaluate(COUNTS)
        return counts

    def button(self, name: str) -> Locator:
        return self.page.get_by_role("button", name=name, exact=True)

    def press(self, *names: str) -> None:
        """Click buttons; each is waited for until it is enabled."""
        for name in names:
            self.button(name).click()

    def says(self, text: str) -> Locator:
        """What the panel tells its user, if it has this text in it."""
        return self.page.get_by_role("status").filter(has_text=text)

    def fill(self, username: str, password: str) -> None:
        self.username.fill(username)
        self.password.fill(password)
