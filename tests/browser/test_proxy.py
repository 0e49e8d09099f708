"""A tab of the browser reaches the demo server through JupyterLab."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from ..conftest import PASSWORD
from .lab import Lab, Notebook
from .panel import Panel
from .serving import ROOT

#: What the server says of an expiry, a refresh and a retry.
SERVERS_SIDE = ["token.rejected", "token.accepted", "token.issued", "token.accepted"]


def link_of(page: str) -> str:
    """The cell with a link that a page of the docs gives."""
    text = (ROOT / "docs" / "how-to" / page).read_text()
    return text.split("```python\n")[1].split("```")[0].rstrip()


def test_the_links_of_the_docs_open_the_demo_server_under_jupyters_address(
    notebook: Notebook, lab: Lab
) -> None:
    notebook.run_cell(link_of("binder.md"))
    with notebook.page.expect_popup() as popup:
        notebook.page.get_by_role("link", name="the home page").click()
    tab = popup.value
    tab.wait_for_load_state()
    assert re.fullmatch(rf"{lab.url}/proxy/\d+/home", tab.url)
    assert "The request carries no bearer token" in tab.content()
    tab.close()

    notebook.run_cell(link_of("front-end.md"))
    with notebook.page.expect_popup() as popup:
        notebook.page.get_by_role("link", name="the front end").click()
    tab = popup.value
    tab.wait_for_load_state()
    assert re.fullmatch(rf"{lab.url}/proxy/\d+/app/", tab.url)
    front_end = Panel(tab)
    for button, answer in [("Register", "is registered"), ("Log in", "is logged in")]:
        front_end.fill("ada", PASSWORD)
        front_end.press(button)
        expect(front_end.says(answer)).to_be_visible()
    notebook.press("+61 s")
    expect(notebook.row("the clock moved by 61 s")).to_be_visible()
    front_end.press("Home")
    expect(tab.get_by_text("Welcome ada", exact=True)).to_be_visible()
    expect(tab.get_by_role("row", name="GET /home 403")).to_have_count(1)
    tab.close()
    # The server's side of it is one action in the notebook's log.
    notebook.run_cell(f"assert [event.name for event in log.action()] == {SERVERS_SIDE}")
