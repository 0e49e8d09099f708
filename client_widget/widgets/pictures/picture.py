"""`Picture`: an SVG on the page whose buttons ask Python for something."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import anywidget
import traitlets


def _beside(name: str) -> str:
    # As text: anywidget would watch a file for every widget that was made with it.
    return Path(__file__).with_name(name).read_text(encoding="utf-8")


class Picture(anywidget.AnyWidget):
    """Shows an SVG picture.

    Args:
        on_ask: called with what a button asks for, such as "send".

    Attributes:
        value (str): the SVG; empty until the first drawing.
    """

    _esm = _beside("picture.js")
    _css = _beside("picture.css")

    value = traitlets.Unicode().tag(sync=True)

    def __init__(self, on_ask: Callable[[str], object]) -> None:
        super().__init__()
        self._on_ask = on_ask
        self.on_msg(self._on_message)

    def play(self) -> None:
        """Let the messages of the picture travel once, on every page that shows it."""
        self.send({"type": "play"})

    def _on_message(self, widget: object, content: dict[str, Any], buffers: object) -> None:
        self._on_ask(str(content.get("asks")))
