"""The live log: a small anywidget that shows an `EventLog` as stories that fold.

A story is what one user action did: a headline, and a row for each event. An event that belongs to
no action is a row alone.

Python sends rows in batches and each row once, so the cost of a row does not grow with the log. A
batch also has the headline of each story that it changes. Messages sent before the view is drawn
are lost, so a view says hello once it is drawn, and receives all rows. Rows are messages and never
traits, because a notebook saves its traits.

The same log may be shown twice. All views on the pages receive new rows; an answer to a request
carries the id of the view that asked, and the others ignore it.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import anywidget

from ..client.auth_client import AuthClient
from ..clock import Clock, time_of_day
from ..display import shown
from ..log.details import details
from ..log.event import Event, action_of
from ..log.event_log import Trace
from ..log.event_text import describe, parties, tone
from ..log.har import to_har
from ..log.headline import headline, milliseconds_of
from .background import Pulse
from .view import STYLES, View, client_of

#: Seconds between batches, and from the first event after an idle time until its row is sent. The
#: row of a click on the panel does not wait, and neither do the last rows of its action.
BATCH = 0.05

#: Rows that a view keeps; the log itself may keep more.
MAX_ROWS = 1000

#: Rows in a picture.
PICTURED = 40

_HERE = Path(__file__).parent


def row(event: Event, call: int | None = None) -> dict[str, Any]:
    """An event as the view draws it. All values are text or numbers, never markup.

    Args:
        event (Event): to be drawn.
        call (int | None): the number of its call.

    Returns:
        dict: what does not apply is left out, because thousands of rows may be on their way.
    """
    source, target = parties(event)
    text, status = describe(event), event.fields.get("status")
    cells: dict[str, Any] = {
        "seq": event.seq,
        "time": time_of_day(event.at),
        "from": shown(source),
        "to": shown(target),
        "story": action_of(event),
        "call": call,
        "tone": tone(event),
        "status": status,
        # The status has its own cell, and each fact is told once.
        "text": text.removeprefix(f"{status} "),
        "ms": milliseconds_of(event),
    }
    return {name: value for name, value in cells.items() if value not in (None, "", "plain")}


class LogView(View, anywidget.AnyWidget):
    """Shows the log's events, oldest first, as they are recorded.

    Args:
        client (AuthClient | Trace): the view shows its log, and reveals tokens from its store.
        clock (Clock | None): returns seconds since the epoch; the client's by default.
    """

    # One module of three files: an anywidget's module cannot import from a file.
    _esm = "".join(
        (_HERE / f"{name}.js").read_text(encoding="utf-8")
        for name in ("log_story", "log_details", "live_log")
    )
    _css = STYLES + (_HERE / "live_log.css").read_text(encoding="utf-8")

    def __init__(self, client: AuthClient | Trace, *, clock: Clock | None = None) -> None:
        super().__init__()
        client = client_of(client)
        self._log = client.log
        self._base_url = client.base_url
        self._find_token = client.store.find
        # The last events with the numbers of their calls, and up to which they are sent.
        self._recent: deque[tuple[Event, int | None]] = deque(maxlen=MAX_ROWS)
        self._sent = max((event.seq for event in self._log), default=0)
        # Held while a message is built and sent, so that no batch overtakes a reset.
        self._sending = threading.Lock()
        self._flush = Pulse(BATCH, self._send_pending)
        self.on_close(
            self._log.subscribe(self._on_event, replay=True),
            self._flush.stop,
            self._end_the_last_send,
        )
        self.on_msg(self._on_message)

    def to_svg(self) -> str:
        """The last rows."""
        from ..log.pictures.page import page  # with its library, slow to import
        from ..log.pictures.panel import steps

        return page("The event log", [steps(list(self._log), PICTURED)])

    def refresh(self) -> None:
        """Send the rows that wait for their batch."""
        self._send_pending()

    def _on_event(self, event: Event) -> None:
        # Numbered here, where each event comes by: of a flood only the last ones are sent.
        self._recent.append((event, self._log.call_number(event) or None))
        if event.seq > self._sent:
            self._flush.start()

    def _send_pending(self) -> bool:
        with self._sending:
            events = [each for each in tuple(self._recent) if each[0].seq > self._sent]
            if events and not self._closed:
                self._sent = events[-1][0].seq
                self.send({"type": "rows", **self._drawn(events)})
        return bool(events)

    def _end_the_last_send(self) -> None:
        with self._sending:
            pass

    def _drawn(self, events: Sequence[tuple[Event, int | None]]) -> dict[str, Any]:
        """The rows of some events, and the headlines of their stories by action."""
        actions = dict.fromkeys(action_of(event) for event, _ in events)
        return {
            "rows": [row(event, call) for event, call in events],
            "stories": {
                action: headline(story)
                for action in actions
                if action and (story := self._log.action(action))
            },
        }

    def _on_message(self, widget: object, content: dict[str, Any], buffers: object) -> None:
        kind, view = content.get("type"), content.get("view")
        if kind == "hello":
            with self._sending:
                events = tuple(self._recent)
                self.send({"type": "reset", "view": view, **self._drawn(events)})
        elif kind == "open":
            self._send_details(content["seq"], view, bool(content.get("reveal")))
        elif kind == "save":
            self._send_file(content["format"], view)

    def _send_details(self, seq: int, view: object, reveal: bool) -> None:
        """Send the details of a row. They are in no trait, so the notebook does not save them."""
        event = next((event for event in self._log if event.seq == seq), None)
        parts = {"Event": "The log is full and has dropped this event."}
        if event is not None:
            parts = details(event, self._base_url, self._find_token, reveal)
        answer = {"type": "details", "view": view, "seq": seq, "parts": parts, "revealed": reveal}
        self.send(answer)

    def _send_file(self, format_: str, view: object) -> None:
        """Send the log as a file, its tokens masked, to the view that asked for it."""
        text = self._log.to_jsonl()
        if format_ == "har":
            text = to_har(list(self._log), self._base_url)
        self.send({"type": "file", "view": view, "name": f"event-log.{format_}", "text": text})
