"""A page that is loaded again shows the panel as it was."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Page, expect

from .conftest import open_wiring
from .lab import Lab
from .panel import log_in, ordered


def test_the_rows_are_back_and_the_countdown_runs_again(
    lab: Lab, page: Page, tmp_path: Path
) -> None:
    """In a separate notebook: every widget that a kernel has is loaded, shown or not."""
    with open_wiring(lab, page, "reloaded.ipynb") as notebook:
        log_in(notebook)
        notebook.press("Home")
        expect(notebook.log).to_contain_text(ordered("ada is logged in", "200 OK for GET /home"))
        rows = notebook.log.inner_text()
        notebook.run_cell("_.presence.leave()")  # `_` is the panel
        counts = notebook.counts()
        notebook.execute("docmanager:save")

        page.reload()
        notebook.wait_for_kernel()
        expect(notebook.log).to_have_text(rows, use_inner_text=True)
        left = page.locator(".lab-token .lab-left").first
        expect(left).not_to_have_text(left.inner_text(), timeout=60_000)
        notebook.press("+61 s", "Home")  # and the panel goes on
        expect(notebook.log).to_contain_text(
            ordered("the clock moved by 61 s", "POST /refresh", "200 OK for GET /home")
        )
        assert notebook.counts() == counts
