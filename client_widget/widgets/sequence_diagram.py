"""`DiagramView`: the log as a sequence diagram that is redrawn as events arrive.

JupyterLab draws Mermaid itself. The view is an Output widget whose one output is the diagram's
text, which any thread may set, even while a cell runs. The notebook saves that text; like the
events, it contains no token and no password.

A drawing keeps the colours of the theme in which it was made. So a page reports a new theme, and
the diagram is drawn again.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

import anywidget
import ipywidgets as widgets

from ..client.auth_client import AuthClient
from ..clock import Clock
from ..log.event import Event
from ..log.mermaid import to_mermaid
from .background import Pulse
from .view import View

#: Seconds from an event to the drawing, so that the events of one action are drawn together.
BATCH = 0.15

LAST_ACTION, WHOLE_SESSION = "Last action", "Whole session"


class ThemeWatch(anywidget.AnyWidget):
    """An invisible widget that reports when the page's theme has changed.

    Args:
        on_change: called after each change.
    """

    _esm = """
    export default {
      render({ model }) {
        const observer = new MutationObserver(() => model.send({ type: "theme" }));
        observer.observe(document.body, { attributeFilter: ["data-jp-theme-name"] });
        return () => observer.disconnect();
      },
    };
    """

    def __init__(self, on_change: Callable[[], None]) -> None:
        super().__init__(layout=widgets.Layout(display="none"))
        self.on_msg(lambda *_: on_change())


class DiagramView(View, widgets.VBox):  # type: ignore[misc]
    """Shows the last action of a log, or its whole session, as a sequence diagram.

    Args:
        client (AuthClient): the view draws its log.
        clock (Clock | None): returns seconds since the epoch; the client's by default.

    Attributes:
        choice (ToggleButtons): "Last action" or "Whole session".
        output (Output): holds the diagram.
    """

    def __init__(self, client: AuthClient, *, clock: Clock | None = None) -> None:
        self._log = client.log
        # Held while a diagram is made and shown, so that an older one never replaces a newer one.
        self._drawing = threading.Lock()
        self.choice = widgets.ToggleButtons(
            options=[LAST_ACTION, WHOLE_SESSION],
            style={"button_width": "auto"},
        )
        self.output = widgets.Output()
        theme = ThemeWatch(on_change=self._draw_again)
        super().__init__([theme, self.choice, self.output])
        self._redraw = Pulse(BATCH, self._draw)
        self._draw()
        self.choice.observe(lambda _: self._draw(), "value")
        self.on_close(client.log.subscribe(self._on_event), self._redraw.stop)

    def refresh(self) -> None:
        """Draw the diagram of the log as it is now."""
        self._draw()

    def __repr__(self) -> str:
        # A saved notebook shows this instead of the view.
        return "DiagramView: run this cell to see it"

    def _on_event(self, event: Event) -> None:
        self._redraw.start()

    def _draw_again(self) -> None:
        """Draw the same diagram in the colours of a new theme."""
        self.output.outputs = ()
        self._draw()

    def _draw(self) -> bool:
        """Show the diagram of the log as it is now. An equal one sends no message."""
        with self._drawing:
            if not self._closed:
                whole = self.choice.value == WHOLE_SESSION
                text = to_mermaid(self._log if whole else self._log.action())
                self.output.outputs = (
                    {
                        "output_type": "display_data",
                        "data": {"text/vnd.mermaid": text, "text/plain": text},
                        "metadata": {},
                    },
                )
        return False
