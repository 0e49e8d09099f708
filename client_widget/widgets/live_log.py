"""The live log: a small anywidget that shows an `EventLog` as rows.

Python sends rows in batches, each row once, so a row costs the same at any length of the
log. Messages sent before the view is drawn are lost; so the view says hello when it is, and
is answered with all rows. Rows are messages and never traits: what a trait holds is saved
with the notebook.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anywidget

from ..client.auth_client import AuthClient
from ..clock import Clock, time_of_day
from ..display import shown
from ..log.details import details
from ..log.event import Event
from ..log.event_text import describe, tone
from ..log.har import to_har
from .background import Pulse
from .presence import STYLES
from .view import View

#: Seconds between batches, and from the first event after a rest to its row's leaving.
BATCH, FIRST = 0.02, 0.002

#: Rows that a view holds; the log itself may hold more.
MAX_ROWS = 1000

# A view says that it is there every 10 s; this is how long one word of it lasts. It is so
# long because the kernel hears nothing while a cell runs.
_SEEN_FOR = 60.0


def row(event: Event) -> dict[str, Any]:
    """An event as the view draws it; all values are text or numbers, none is markup."""
    return {
        "seq": event.seq,
        "time": time_of_day(event.at),
        "source": shown(event.source),
        "action": event.correlation,
        "text": describe(event),
        "tone": tone(event),
        "ms": round(event.fields["elapsed"] * 1000) if "elapsed" in event.fields else None,
    }


class LogView(View, anywidget.AnyWidget):
    """Shows the log's events, oldest first, as they are recorded.

    Args:
        client (AuthClient): its log is shown, and its store finds the tokens to reveal.
        clock (Clock | None): returns seconds since the epoch; the client's by default.
        on_seen: called when a page shows that it displays the view.
    """

    _esm = Path(__file__).with_name("live_log.js")
    _css = STYLES

    def __init__(
        self,
        client: AuthClient,
        *,
        clock: Clock | None = None,
        on_seen: Callable[[], None] = lambda: None,
    ) -> None:
        super().__init__()
        self._log = client.log
        self._base_url = client.base_url
        self._find_token = client.store.find
        self._on_seen = on_seen
        self._last_seen = time.monotonic()
        self._pending: deque[Event] = deque(maxlen=MAX_ROWS)
        # Held while a message is put together and sent, so that no batch overtakes a reset.
        self._sending = threading.Lock()
        self._flush = Pulse(BATCH, self._send_pending, first=FIRST)
        self._unsubscribe = self._log.subscribe(self._on_event)
        self.on_msg(self._on_message)

    @property
    def watched(self) -> bool:
        """Has a view said lately that it is there?"""
        return time.monotonic() - self._last_seen < _SEEN_FOR

    def close(self) -> None:
        """Stop listening to the log, and take the view away."""
        self._unsubscribe()
        self._last_seen = -_SEEN_FOR
        super().close()

    def _on_event(self, event: Event) -> None:
        self._pending.append(event)
        self._flush.start()

    def _send_pending(self) -> bool:
        with self._sending:
            events = [self._pending.popleft() for _ in range(len(self._pending))]
            if events:
                self.send({"type": "rows", "rows": [row(event) for event in events]})
        return bool(events)

    def _on_message(self, widget: object, content: dict[str, Any], buffers: object) -> None:
        kind = content.get("type")
        if kind == "bye":
            self._last_seen = -_SEEN_FOR
            return
        self._last_seen = time.monotonic()
        if kind == "hello":
            with self._sending:
                rows = [row(event) for event in list(self._log)[-MAX_ROWS:]]
                self.send({"type": "reset", "rows": rows})
        elif kind == "open":
            self._send_details(content["seq"], bool(content.get("reveal")))
        elif kind == "save":
            self._send_file(content["format"], content.get("view"))
        self._on_seen()

    def _send_details(self, seq: int, reveal: bool) -> None:
        """What is behind a row. It is sent and not held, so it is not saved."""
        event = next((event for event in self._log if event.seq == seq), None)
        parts = {"Event": "The log has forgotten it."}
        if event is not None:
            parts = details(event, self._base_url, self._find_token, reveal)
        self.send({"type": "details", "seq": seq, "parts": parts, "revealed": reveal})

    def _send_file(self, format_: str, view: object) -> None:
        """The log as a file, its tokens masked, to the view that asked for it."""
        text = self._log.to_jsonl()
        if format_ == "har":
            text = to_har(list(self._log), self._base_url)
        self.send({"type": "file", "view": view, "name": f"event-log.{format_}", "text": text})
