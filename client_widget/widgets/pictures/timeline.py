"""The timeline: the life of each token on the lab's clock, and the requests next to it.

The picture's library takes a third of a second to import. The first drawing imports it in its own
thread, so the panel does not wait for it.
"""

from __future__ import annotations

import threading

import ipywidgets as widgets

from ...client.auth_client import AuthClient
from ...clock import Clock
from ...log.event import Event
from ...log.event_log import Trace
from ...log.token_lives import DRAWN, Timeline, numbered, spans
from ..background import Pulse
from ..view import View, client_of, clock_of
from .picture import Picture

#: Seconds between two drawings, however many events arrive.
BATCH = 0.1

#: How many recent events are drawn, so that a long log costs no more than a short one.
RECENT = 2000


class TokenTimeline(View, widgets.VBox):  # type: ignore[misc]
    """Tokens as bars from `iat` to `exp`, requests with the numbers of their calls, and now.

    Args:
        client (AuthClient | Trace): the view draws its log.
        clock (Clock | None): returns seconds since the epoch; the client's by default.
        window (bool | None): draw the refresh window of access tokens, too; by default if the
            client refreshes ahead of expiry.

    Attributes:
        picture (Picture): holds the SVG; empty until the first drawing.
    """

    def __init__(
        self, client: AuthClient | Trace, *, clock: Clock | None = None, window: bool | None = None
    ) -> None:
        client = client_of(client)
        self._log = client.log
        self._clock = clock_of(client, clock)
        self._window = client.refreshes_ahead if window is None else window
        # Held while drawing: the panel's tick and the events draw in two threads.
        self._drawing = threading.Lock()
        self.picture = Picture()
        super().__init__([self.picture], layout=widgets.Layout(width="100%"))
        self._redraw = Pulse(BATCH, self._draw)
        self.on_close(
            self._log.subscribe(self._on_event), self._redraw.stop, self._end_the_last_drawing
        )
        self._redraw.start()

    def refresh(self) -> None:
        """Move "now" to the clock's time; the panel calls it each second."""
        if self.picture.value:
            self._draw()

    def to_svg(self) -> str:
        """The timeline, its tokens numbered: fingerprints differ from run to run."""
        from ...log.pictures.timeline import timeline

        return timeline(numbered(self._facts()), self._clock(), window=self._window)

    def _facts(self) -> Timeline:
        events = list(self._log)
        return spans(events[-RECENT:], number=self._log.call_number)

    def _on_event(self, event: Event) -> None:
        if event.name in DRAWN:
            self._redraw.start()

    def _end_the_last_drawing(self) -> None:
        """Wait for a drawing under way. One that is still importing sees that it is late."""
        with self._drawing:
            pass

    def _draw(self) -> bool:
        from ...log.pictures.timeline import timeline

        with self._drawing:
            if self._closed:
                return False
            now = self._clock()
            self.picture.value = timeline(self._facts(), now, window=self._window)
        return False
