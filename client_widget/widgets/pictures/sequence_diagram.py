"""`DiagramView`: the log as a sequence that is redrawn as events arrive.

The picture is SVG in an HTML widget, which any page of widgets draws. Any thread may set it, even
while a cell runs. Its colours follow the page's theme by themselves. Like the events, it contains
no token and no password.

The first picture is drawn in a thread: its library takes a third of a second to import, and the
panel does not wait for it.
"""

from __future__ import annotations

import threading

import ipywidgets as widgets

from ...client.auth_client import AuthClient
from ...client.stepper import Held, stepper_of
from ...clock import Clock
from ...log.event import Event, action_of
from ..background import Pulse
from ..view import View

#: Seconds from an event to the picture, so that the events of one action are drawn together. The
#: picture is drawn at most this often.
BATCH = 0.05

LAST_ACTION, WHOLE_SESSION = "Last action", "Whole session"


class DiagramView(View, widgets.VBox):  # type: ignore[misc]
    """Shows the last action of a log, or its whole session, as a sequence.

    Args:
        client (AuthClient): the view draws its log.
        clock (Clock | None): returns seconds since the epoch; the client's by default.

    Attributes:
        choice (ToggleButtons): "Last action" or "Whole session".
        picture (HTML): holds the SVG; empty until the first drawing.
    """

    def __init__(self, client: AuthClient, *, clock: Clock | None = None) -> None:
        self._log = client.log
        self._stepper = stepper_of(client)
        # Held while a picture is made and shown, so that an older one never replaces a newer one.
        self._drawing = threading.Lock()
        # What the picture was made of: choice, number of events, held message.
        self._seen: tuple[str, int, Held | None] | None = None
        self.choice = widgets.ToggleButtons(
            options=[LAST_ACTION, WHOLE_SESSION],
            style={"button_width": "auto"},
        )
        self.picture = widgets.HTML()
        super().__init__([self.choice, self.picture])
        self._redraw = Pulse(BATCH, self._draw)
        self.choice.observe(lambda _: self._draw(), "value")
        self.on_close(
            client.log.subscribe(self._on_event),
            self._stepper.subscribe(self._redraw.start),
            self._redraw.stop,
            self._end_the_last_drawing,
        )
        self._redraw.start()

    def refresh(self) -> None:
        """Draw the log as it is now, if there is anything new."""
        self._draw()

    def to_svg(self) -> str:
        """The flow that is chosen."""
        held = self._stepper.first
        return self._log.to_svg(self._chosen(), held="" if held is None else held.title)

    def _on_event(self, event: Event) -> None:
        self._redraw.start()

    def _draw(self) -> bool:
        with self._drawing:
            held = self._stepper.first
            seen = (self.choice.value, self._log.dropped + len(self._log), held)
            if not self._closed and seen != self._seen:
                self._seen = seen
                self.picture.value = self.to_svg()
        return False

    def _end_the_last_drawing(self) -> None:
        with self._drawing:
            pass

    def _chosen(self) -> str | None:
        """The correlation of what is shown; None for the whole log."""
        if self.choice.value == WHOLE_SESSION:
            return None
        action = self._log.action()
        return (action_of(action[-1]) if action else None) or ""
