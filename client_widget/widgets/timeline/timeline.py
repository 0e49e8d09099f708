"""The timeline: the life of each token on the lab's clock, and the requests next to it.

The chart's library takes a second to import. The first drawing imports it in its own thread, so
the panel does not wait for it.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import ipywidgets as widgets

from ...client.auth_client import AuthClient
from ...clock import Clock, life
from ...display import as_html
from ...log.event import Event
from ...log.token_lives import DRAWN, Timeline, spans
from ..background import Pulse
from ..view import View

if TYPE_CHECKING:
    from .chart import Chart

#: Seconds between two drawings, however many events arrive.
BATCH = 0.1

#: How many recent events are drawn, so that a long log costs no more than a short one.
RECENT = 2000

# For screen readers, which cannot read the chart. It is not a live region: a new sentence every
# second would drown out everything else.
_UNSEEN = "position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)"


class TokenTimeline(View, widgets.VBox):  # type: ignore[misc]
    """Tokens as bars from `iat` to `exp`, requests as marks, and now.

    Args:
        client (AuthClient): the view draws its log.
        clock (Clock | None): returns seconds since the epoch; the client's by default.

    Attributes:
        chart (Chart | None): None until the first drawing.
        words (HTML): the chart in a sentence, for screen readers.
    """

    def __init__(self, client: AuthClient, *, clock: Clock | None = None) -> None:
        self._log = client.log
        self._clock = clock if clock is not None else client.clock
        # Held while drawing: the panel's tick and the events draw in two threads.
        self._drawing = threading.Lock()
        self.chart: Chart | None = None
        self.words = widgets.HTML()
        self.legend = widgets.HTML()
        super().__init__([self.legend, self.words], layout=widgets.Layout(width="100%"))
        self._redraw = Pulse(BATCH, self._draw)
        self.on_close(
            self._log.subscribe(self._on_event), self._redraw.stop, self._end_the_last_drawing
        )
        self._redraw.start()

    def refresh(self) -> None:
        """Move "now" to the clock's time; the panel calls it each second."""
        with self._drawing:
            if self.chart is None or self._closed:
                return
            now = self._clock()
            self.chart.move_now(now)
            self._say(self.chart.timeline, now)

    def __repr__(self) -> str:
        # A saved notebook shows this instead of the timeline.
        return "TokenTimeline: run this cell to see it"

    def _on_event(self, event: Event) -> None:
        if event.name in DRAWN:
            self._redraw.start()

    def _end_the_last_drawing(self) -> None:
        """Wait for a drawing under way. One that is still importing sees that it is late."""
        with self._drawing:
            pass

    def _draw(self) -> bool:
        from .chart import COLOURS, Chart

        with self._drawing:
            if self._closed:
                return False
            now, timeline = self._clock(), spans(list(self._log)[-RECENT:])
            first = self.chart is None
            if self.chart is None:
                self.chart = Chart()
                self.legend.value = _legend(COLOURS)
            self.chart.draw(timeline, now)
            self._say(timeline, now)
            if first:
                self.children = (self.chart.figure, self.legend, self.words)
        return False

    def _say(self, timeline: Timeline, now: float) -> None:
        self.words.value = f'<div style="{_UNSEEN}">{as_html(sentence(timeline, now))}</div>'


def sentence(timeline: Timeline, now: float) -> str:
    """The timeline in words, such as "Access token a1b2c3d4: 42 s left. 1 request, …"."""
    lives = [
        f"{bar.kind} token {bar.token}: {life(bar.exp, now)}" for bar in reversed(timeline.tokens)
    ]
    tokens = "; ".join(lives) or "no token yet"
    refused = sum(mark.status is not None and mark.status >= 400 for mark in timeline.marks)
    silent = sum(mark.status is None for mark in timeline.marks)
    return (
        f"{tokens[0].upper()}{tokens[1:]}. Requests: {len(timeline.marks)}, "
        f"refused: {refused}, no response: {silent}."
    )


def _legend(colours: dict[str, str]) -> str:
    """What the colours and shapes mean, as HTML."""
    meanings = (
        ("▬", "access", "access token"),
        ("▬", "window", "its refresh window"),
        ("▬", "refresh", "refresh token"),
        ("●", "good", "answered"),
        ("✚", "bad", "refused"),
        ("■", "none", "no response"),
    )
    shown = " ".join(
        f'<span style="white-space:nowrap;margin-right:14px">'
        f'<span aria-hidden="true" style="color:{colours[name]}">{form}</span> {meaning}</span>'
        for form, name, meaning in meanings
    )
    return f'<div style="font-size:14px;line-height:1.6">{shown}Pale: expired.</div>'
