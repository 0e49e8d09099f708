"""What the views share: their verbs, `refresh`, `wait` and `close`, and their style sheet."""

from __future__ import annotations

from pathlib import Path

import anywidget
import ipywidgets as widgets

STYLES = Path(__file__).with_name("panel.css")


class View:
    """The verbs of a view, made as `View(client, *, clock=None)`.

    Mix it in before a widget class. A view overrides only the verbs it needs: `wait` if it works
    in the background, `refresh` if it follows a clock. `close` leaves the client and its log.
    """

    def refresh(self) -> None:
        """Redraw what time and events change. Equal values send no message."""

    def wait(self, timeout: float = 20.0) -> None:
        """Wait until all the view's calls have ended.

        Raises:
            TimeoutError: a call is still running after `timeout` seconds.
        """

    def close(self) -> None:
        """Remove the view."""
        super().close()  # type: ignore[misc]  # the widget's own


class Stylesheet(anywidget.AnyWidget):
    """An invisible widget that brings the style sheet to a page that shows a view alone."""

    _esm = "export default { render() {} };"
    _css = STYLES

    def __init__(self) -> None:
        super().__init__(layout=widgets.Layout(display="none"))
