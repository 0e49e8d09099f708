"""A JupyterLab of the tests' own, and a notebook that is open in it.

Nothing here waits for a fixed time: the page says when it is ready.
"""

from __future__ import annotations

import json
import shutil
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import nbformat
from playwright.sync_api import Browser, Page, expect, sync_playwright

from ..conftest import PASSWORD
from .panel import Panel
from .serving import KERNELS, ROOT, free_port, own_environment, serving

TOKEN = "of-the-tests"

#: Milliseconds in which a page must answer.
PAGE_ANSWERS_IN = 20_000

# No request of the browser's own, such as for updates, leaves the machine.
QUIET = ["--disable-gpu", "--disable-quic", "--disable-sync"]

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

# An empty cell of no notebook: when it is done, the kernel has answered all that came before it.
ROUND_TRIP = """() => window.jupyterapp.shell.currentWidget.context.sessionContext.session.kernel
  .requestExecute({ code: "", silent: true }).done.then(() => null)"""

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

    Its kernels are those of `make lab`.

    Args:
        folder (Path): an empty one, where everything is kept.

    Raises:
        RuntimeError: it did not start; the message ends with what it said.
    """
    notebooks = folder / "notebooks"
    shutil.copytree(ROOT / "notebooks", notebooks)
    env = own_environment(folder) | {"JUPYTER_PATH": str(KERNELS)}
    # What a widget holds is saved, so that a test can see what that is.
    state = Path(env["JUPYTERLAB_SETTINGS_DIR"], "@jupyter-widgets", "jupyterlab-manager")
    state.mkdir(parents=True)
    (state / "plugin.jupyterlab-settings").write_text('{"saveState": true}')

    port = free_port()
    command = [sys.executable, "-m", "jupyterlab", "--no-browser"]
    command += ["--allow-root"]  # says nothing to those who are not root
    command += ["--ServerApp.ip=127.0.0.1", f"--ServerApp.port={port}"]
    command += ["--ServerApp.port_retries=0", f"--ServerApp.root_dir={notebooks}"]
    command += [f"--IdentityProvider.token={TOKEN}", "--LabApp.expose_app_in_browser=True"]
    lab = Lab(f"http://127.0.0.1:{port}", notebooks)
    with serving("JupyterLab", command, env, folder, lambda: _answers(lab)):
        yield lab


def _answers(lab: Lab) -> bool:
    try:
        api(lab, "GET", "status")
    except OSError:
        return False
    return True


def api(lab: Lab, method: str, path: str, body: Any = None) -> Any:
    """A call of JupyterLab's REST interface; gives the JSON of the answer, or None."""
    request = urllib.request.Request(
        f"{lab.url}/api/{path}",
        method=method,
        headers={"Authorization": f"token {TOKEN}"},
        data=None if body is None else json.dumps(body).encode(),
    )
    with urllib.request.urlopen(request, timeout=20) as answer:
        body = answer.read()
    return json.loads(body) if body else None


def shut_kernels_down(lab: Lab) -> None:
    """End the kernel of every notebook, and with it the demo server in it."""
    for session in api(lab, "GET", "sessions"):
        api(lab, "DELETE", f"sessions/{session['id']}")


def wiring() -> str:
    """The cell that README gives."""
    readme = (ROOT / "README.md").read_text()
    return readme.split("## The wiring")[1].split("```python\n")[1].split("```")[0].rstrip()


@contextmanager
def new_browser(browser_path: str) -> Iterator[Browser]:
    """A browser that runs until the block ends.

    Args:
        browser_path (str): the program.
    """
    expect.set_options(timeout=PAGE_ANSWERS_IN)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=browser_path, args=QUIET)
        yield browser
        browser.close()


def new_page(browser: Browser, *, height: int = 1000) -> Page:
    """An empty window, 1400 pixels wide and `height` pixels high, in which nothing moves."""
    page = browser.new_page(viewport={"width": 1400, "height": height}, reduced_motion="reduce")
    page.set_default_timeout(PAGE_ANSWERS_IN)
    return page


def open_lab(page: Page, lab: Lab) -> None:
    """Open JupyterLab with no document in it."""
    page.goto(f"{lab.url}/lab?reset&token={TOKEN}")
    page.wait_for_function(LAB_IS_OPEN)


CLOSE_DOCUMENTS = """() => {
  for (const widget of [...window.jupyterapp.shell.widgets("main")]) {
    if (widget.context) widget.dispose();
  }
}"""


KEEP_THE_FIRST = """() => {
  const { sharedModel } = window.jupyterapp.shell.currentWidget.content.model;
  sharedModel.deleteCellRange(1, sharedModel.cells.length);
}"""


class Notebook(Panel):
    """A notebook that is open in JupyterLab, and the panel in it."""

    def __init__(self, page: Page, lab: Lab, name: str) -> None:
        super().__init__(page)
        self.name = name  # its path in the lab's folder
        self.path = lab.folder / name

    def write(self, *cells: str, heading: str = "") -> None:
        """Make the notebook of these code cells, with a heading above if there is one."""
        above = [nbformat.v4.new_markdown_cell(f"# {heading}")] if heading else []
        notebook = nbformat.v4.new_notebook(
            cells=[*above, *map(nbformat.v4.new_code_cell, cells)],
            metadata={
                "kernelspec": {"name": "python3", "display_name": "Python 3 (ipykernel)"},
                "language_info": {"name": "python"},
            },
        )
        nbformat.write(notebook, self.path)

    def open(self) -> None:
        """Open the notebook and run all of its cells."""
        self.execute("docmanager:open", path=self.name)
        self.wait_for_kernel()
        self.run_all()

    def begin_again(self) -> None:
        """Run the first cell again, alone; what came below it is gone."""
        self.page.evaluate(KEEP_THE_FIRST)
        self.run_all()

    def run_all(self) -> None:
        self.execute("notebook:run-all-cells")
        self.wait_for_cells()

    def close(self) -> None:
        """Close every document without a question whether to save it.

        After a reload the one that is open need not be the current one.
        """
        self.page.evaluate(CLOSE_DOCUMENTS)

    def execute(self, command: str, **args: Any) -> None:
        """A command of JupyterLab, such as its menus have."""
        self.page.evaluate(EXECUTE, [command, args])

    def log_in(self) -> None:
        """Register ada and log her in, from a cell."""
        self.run_cell(f"client.register('ada', {PASSWORD!r})\nclient.login('ada', {PASSWORD!r});")

    def run_cell(self, source: str) -> None:
        """Run a new cell at the end of the notebook."""
        self.start_cell(source)
        self.wait_for_cells()

    def start_cell(self, source: str) -> None:
        """The same, without waiting for its end."""
        self.page.evaluate(START_CELL, source)

    def wait_for_kernel(self) -> None:
        self.page.wait_for_function(KERNEL_IS_IDLE)

    def wait_for_widgets(self) -> None:
        """Wait until the last value of each widget is on its way to the kernel.

        A widget whose change is under way keeps the next one back until the kernel has answered,
        while a click on a button is sent at once.
        """
        self.page.evaluate(ROUND_TRIP)

    def wait_for_cells(self) -> None:
        """Wait until every cell has been run, none with an error."""
        self.page.wait_for_function(f"() => ({COUNTS})().every((count) => count !== null)")
        self.wait_for_kernel()
        assert self.page.evaluate(ERRORS) == []

    def counts(self) -> list[int | None]:
        """The execution count of each code cell; None while it waits or runs."""
        counts: list[int | None] = self.page.evaluate(COUNTS)
        return counts


def change_theme(notebook: Notebook, theme: str) -> None:
    """Give JupyterLab another theme, such as "JupyterLab Dark"."""
    notebook.execute("apputils:change-theme", theme=theme)
    notebook.page.wait_for_function(
        "theme => document.body.dataset.jpThemeName === theme", arg=theme
    )
    # JupyterLab covers itself while it changes; the next change must wait for that.
    expect(notebook.page.locator("#jupyterlab-splash")).to_have_count(0)
