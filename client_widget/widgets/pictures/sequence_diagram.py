"""`DiagramView`: the log as a sequence that is redrawn as events arrive.

The picture is SVG, which any page of widgets draws. Any thread may set it, even while a cell runs.
Its colours follow the page's theme by themselves. Like the events, it contains no token and no
password.

When a call has met an expired token and come back with its page, its messages travel once along the
picture.

The first picture is drawn in a thread: its library takes a third of a second to import, and the
panel does not wait for it.
"""

from __future__ import annotations

import threading

import ipywidgets as widgets

from ...client.auth_client import AuthClient
from ...client.stepper import Held, stepper_of
from ...clock import Clock
from ...log.event import Event, action_of, is_call
from ...log.event_log import Trace
from ..background import Pulse
from ..view import View, client_of
from .picture import Picture

#: Seconds from an event to the picture, so that the events of one action are drawn together. The
#: picture is drawn at most this often.
BATCH = 0.05

LAST_ACTION, WHOLE_SESSION = "Last action", "Whole session"


class DiagramView(View, widgets.VBox):  # type: ignore[misc]
    """Shows the last action of a log, or its whole session, as a sequence.

    Args:
        client (AuthClient | Trace): the view draws its log.
        clock (Clock | None): returns seconds since the epoch; the client's by default.

    Attributes:
        choice (ToggleButtons): "Last action" or "Whole session".
        picture (Picture): holds the SVG; empty until the first drawing.
        apart (bool): are calls made at once drawn apart?
    """

    def __init__(self, client: AuthClient | Trace, *, clock: Clock | None = None) -> None:
        client = client_of(client)
        self._log = client.log
        self._stepper = stepper_of(client)
        # Held while a picture is made and shown, so that an older one never replaces a newer one.
        self._drawing = threading.Lock()
        # What the picture was made of: choice, last event, held message, apart.
        self._seen: tuple[str, int, Held | None, bool] | None = None
        # The last action that has played. A story that was there before the view does not play.
        self._played = client.log.action()[-1:]
        self.apart = False
        self.choice = widgets.ToggleButtons(
            options=[LAST_ACTION, WHOLE_SESSION],
            style={"button_width": "auto"},
        )
        self.picture = Picture(self._on_ask)
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
        from ...log.pictures.sequence import sequence

        held = self._stepper.first
        return sequence(
            self._chosen(),
            number=self._log.call_number,
            held="" if held is None else held.title,
            apart=self.apart,
        )

    def _chosen(self) -> list[Event]:
        return self._log.action() if self.choice.value == LAST_ACTION else list(self._log)

    def _on_event(self, event: Event) -> None:
        self._redraw.start()

    def _on_ask(self, asks: str) -> None:
        if asks == "apart":
            self.apart = not self.apart
            self._draw()
        elif asks == "send":
            self._stepper.next()

    def _draw(self) -> bool:
        # Its library takes a third of a second to import.
        from ...log.pictures.sequence import APART, SEND, sequence

        with self._drawing:
            held = self._stepper.first
            events = self._chosen()
            seen = (self.choice.value, events[-1].seq if events else 0, held, self.apart)
            if self._closed or seen == self._seen:
                return False
            self._seen = seen
            new = (
                self.choice.value == LAST_ACTION
                and not self._stepper.on
                and _is_new(events, self._played)
            )
            self.picture.value = sequence(
                events,
                number=self._log.call_number,
                held="" if held is None else held.title,
                apart=self.apart,
                # The buttons of a page do not work while a cell waits.
                controls={APART} if held is None or held.in_a_loop else {APART, SEND},
                playable=new,
            )
            if new:
                self._played = events[-1:]
                self.picture.play()
        return False

    def _end_the_last_drawing(self) -> None:
        with self._drawing:
            pass


def _is_new(events: list[Event], played: list[Event]) -> bool:
    """Has each call of a new action been answered, and one of them after a retry?"""
    if not events or action_of(events[-1]) in map(action_of, played):
        return False
    calls, answered = set(), set()
    for event in events:
        if is_call(event):
            calls.add(event.correlation)
        elif event.name == "response.received":
            purpose, refused = event.fields.get("purpose"), event.fields.get("status", 0) >= 400
            if purpose == "retry" or (purpose == "call" and not refused):
                answered.add(event.correlation)
    return calls == answered and any(event.name == "request.retried" for event in events)
