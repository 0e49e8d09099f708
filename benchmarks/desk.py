"""A notebook with README's wiring in its own JupyterLab, for the pictures and the figures."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.sync_api import expect

from tests.browser.lab import (
    Notebook,
    new_browser,
    new_page,
    open_lab,
    running_lab,
    shut_kernels_down,
    wiring,
)

PASSWORD = "the pass phrase of ada"


@contextmanager
def written_notebook(browser_path: str, *, height: int = 1000) -> Iterator[Notebook]:
    """A notebook that is written and not yet open. Its kernel ends with the block.

    Args:
        browser_path (str): the browser's program.
        height (int): of the browser's window, in pixels.
    """
    with (
        TemporaryDirectory() as folder,
        running_lab(Path(folder)) as lab,
        new_browser(browser_path) as browser,
    ):
        page = new_page(browser, height=height)
        open_lab(page, lab)
        notebook = Notebook(page, lab, "panel.ipynb")
        # JupyterLab loads MathJax with the first Markdown, which a lesson begins with.
        notebook.write(wiring(), heading="The panel")
        try:
            yield notebook
        finally:
            notebook.close()
            shut_kernels_down(lab)


def log_in(notebook: Notebook) -> None:
    """Register ada, and log her in."""
    notebook.fill("ada", PASSWORD)
    notebook.press("Register")
    expect(notebook.says("ada is registered")).to_be_visible()
    notebook.fill("ada", PASSWORD)
    notebook.press("Log in")
    expect(notebook.says("ada is logged in")).to_be_visible()
