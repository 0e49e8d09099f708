"""`Picture`: an SVG on the page whose buttons ask Python for something.

All pictures on a page share one style sheet, which comes with the widget: a redrawing that brought
its own would make the browser match every rule of the page again, JupyterLab's included.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import anywidget
import traitlets

from ...log.pictures.style import PLAYING, STYLE, without_style


def _beside(name: str) -> str:
    # As text: anywidget would watch a file for every widget that was made with it.
    return Path(__file__).with_name(name).read_text(encoding="utf-8")


class Picture(anywidget.AnyWidget):
    """Shows an SVG picture.

    Args:
        on_ask: called with what a button asks for, such as "send"; a picture without buttons
            needs none.

    Attributes:
        value (str): the SVG; empty until the first drawing. The page receives it without its
            style sheet.
    """

    _esm = _beside("picture.js")
    _css = STYLE + PLAYING + _beside("picture.css")

    value = traitlets.Unicode().tag(sync=True, to_json=lambda value, _: without_style(value))

    def __init__(self, on_ask: Callable[[str], object] = str) -> None:
        super().__init__()
        self._on_ask = on_ask
        self.on_msg(self._on_message)

    def play(self) -> None:
        """Let the messages of the picture travel once, on every page that shows it."""
        self.send({"type": "play"})

    def _on_message(self, widget: object, content: dict[str, Any], buffers: object) -> None:
        self._on_ask(str(content.get("asks")))
