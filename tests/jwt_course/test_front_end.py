"""A lesson shows the front end's code as it is."""

from __future__ import annotations

from IPython.core.formatters import DisplayFormatter
from jwt_course.outputs import show_source

from demo_server.web.front_end import FOLDER


def test_a_cell_shows_the_module_that_the_browser_runs() -> None:
    text = (FOLDER / "single_flight.js").read_text()
    shown, _ = DisplayFormatter().format(show_source("single_flight.js"))
    assert f"```javascript\n{text}```" in shown["text/markdown"]
    assert shown["text/plain"] == text  # in a terminal
    assert "```" not in text  # which would end the block
