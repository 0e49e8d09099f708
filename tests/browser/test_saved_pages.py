"""A saved notebook as nbconvert's page, in a browser."""

from __future__ import annotations

from pathlib import Path

import nbformat
from IPython.core.formatters import DisplayFormatter
from jwt_course.outputs import show_source
from nbconvert import HTMLExporter
from playwright.sync_api import Browser

# The last font that each piece of code may have.
FONTS = """(selector) => [...document.querySelectorAll(selector)]
  .map((code) => getComputedStyle(code).fontFamily.split(", ").at(-1))"""


def test_code_that_a_cell_shows_is_monospaced(browser: Browser, tmp_path: Path) -> None:
    shown, _ = DisplayFormatter().format(show_source("token_store.js"))
    output = nbformat.v4.new_output("execute_result", shown, execution_count=1)
    cell = nbformat.v4.new_code_cell("show_source(…)", outputs=[output])
    exporter = HTMLExporter(require_js_url="", mathjax_url="", mermaid_js_url="")
    text, _ = exporter.from_notebook_node(nbformat.v4.new_notebook(cells=[cell]))
    (tmp_path / "page.html").write_text(text)
    page = browser.new_page()
    try:
        page.goto((tmp_path / "page.html").as_uri())
        assert page.evaluate(FONTS, ".jp-OutputArea-output pre") == ["monospace"]
        assert page.get_by_text("deleteTokens").count() == 1
    finally:
        page.close()
