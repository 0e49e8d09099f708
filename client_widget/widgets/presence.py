"""The panel's style sheet, for a part of the panel that is shown alone."""

from __future__ import annotations

from pathlib import Path

import anywidget
import ipywidgets as widgets

STYLES = Path(__file__).with_name("panel.css")


class Stylesheet(anywidget.AnyWidget):
    """Shows nothing, and brings the style sheet to the page."""

    _esm = "export default { render() {} };"
    _css = STYLES

    def __init__(self) -> None:
        super().__init__(layout=widgets.Layout(display="none"))
