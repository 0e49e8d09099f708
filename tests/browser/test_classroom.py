"""The panel as a page of its own, which Voilà serves for a classroom."""

from __future__ import annotations

import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from .panel import Panel, log_in, ordered
from .serving import ROOT, free_port, own_environment, serving


@pytest.fixture
def classroom(tmp_path: Path) -> Iterator[str]:
    """The address of a Voilà that was started as `make classroom` does it."""
    port = free_port()
    address = f"http://127.0.0.1:{port}/"
    command = [sys.executable, "-m", "voila", "--no-browser", "--Voila.ip=127.0.0.1"]
    command += ["--VoilaConfiguration.extension_denylist=@jupyterhub/jupyter-server-proxy"]
    command += ["--port", str(port), str(ROOT / "notebooks" / "classroom.ipynb")]

    def answers() -> bool:
        try:
            # A file of Voilà's own: its page would start a kernel.
            with urllib.request.urlopen(f"{address}voila/static/voila.js", timeout=20):
                return True
        except OSError:
            return False

    with serving("Voila", command, own_environment(tmp_path), tmp_path, answers):
        yield address


def test_the_classroom_shows_the_panel_and_no_code(classroom: str, fresh_page: Page) -> None:
    # Voilà's page asks a public host for its icons. The test stays on this machine.
    fresh_page.route(
        lambda address: not address.startswith(classroom),
        lambda route: route.fulfill(body="", content_type="text/css"),
    )
    # The page loads once its kernel has run the notebook.
    fresh_page.goto(classroom, timeout=60_000)
    panel = Panel(fresh_page)
    log_in(panel)
    panel.press("Home")
    expect(panel.home("Welcome ada")).to_be_visible()
    panel.press("+61 s", "Home")
    expect(panel.log).to_contain_text(
        ordered(
            "the clock moved by 61 s",
            "403 Forbidden for GET /home",
            "200 OK for POST /refresh",
            "GET /home again, with the access token",
            "200 OK for GET /home",
        )
    )
    flow = fresh_page.get_by_role("img", name="The flow of Home")
    expect(flow).to_contain_text(ordered("#4 GET /home", "403 expired", "POST /refresh"))
    expect(flow.get_by_text("Welcome ada", exact=True)).to_be_visible()
    expect(fresh_page.get_by_role("heading", name="Token login, live")).to_be_visible()
    expect(fresh_page.locator("body")).not_to_contain_text("DemoClock")
