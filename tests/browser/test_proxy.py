"""A tab of the browser reaches the demo server through JupyterLab."""

from __future__ import annotations

import re

from .lab import Lab, Notebook
from .serving import ROOT

PAGE = (ROOT / "docs" / "how-to" / "binder.md").read_text()


def test_the_link_of_the_docs_opens_the_demo_server_under_jupyters_address(
    notebook: Notebook, lab: Lab
) -> None:
    notebook.run_cell(PAGE.split("```python\n")[1].split("```")[0].rstrip())
    with notebook.page.expect_popup() as popup:
        notebook.page.get_by_role("link", name="the home page").click()
    tab = popup.value
    tab.wait_for_load_state()
    assert re.fullmatch(rf"{lab.url}/proxy/\d+/home", tab.url)
    assert "The request carries no bearer token" in tab.content()
    tab.close()
