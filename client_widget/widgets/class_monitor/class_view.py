"""`ClassView`: the class live, for a teacher. One row for each user, the newest first.

It asks the server for what is new, once a second and only while somebody looks at it: the view
says that it is there, as the live log does, and falls silent when it is closed.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from typing import Any

import anywidget
import ipywidgets as widgets

from ...client.auth_client import AuthClient
from ...client.transport import accepted
from ...clock import Clock, time_of_day
from ...display import as_html, shown
from ...errors import ClientError, Rejected, ServerUnreachable
from ..background import Pulse
from ..presence import STYLES
from ..view import View
from .class_state import ENDED, EXPIRED, LOGGED_IN, ClassState, Student

#: Seconds between two looks at the server.
INTERVAL = 1.0

# A view says that it is there every 10 s; this is how long one word of it lasts.
_SEEN_FOR = 60.0

#: Requests of one look. What is left comes with the next look, so a look always ends.
MAX_REQUESTS = 20

#: Rows that are drawn, the newest first.
MAX_ROWS = 200

_TONES = {LOGGED_IN: "lab-good", EXPIRED: "lab-late", ENDED: "lab-bad"}

_HEADS = (
    "User",
    "State",
    "Last action",
    "At",
    "Refreshes",
    "Refusals",
    "Reuse",
    "Refused logins",
)


class _Presence(anywidget.AnyWidget):
    """Shows nothing, brings the style sheet, and says while it is on a page."""

    _esm = """
    export default {
      render({ model }) {
        const here = () => model.send({ type: "here" });
        here();
        const timer = setInterval(here, 10000);
        return () => { clearInterval(timer); model.send({ type: "bye" }); };
      },
    };
    """
    _css = STYLES

    def __init__(self) -> None:
        super().__init__(layout=widgets.Layout(display="none"))


class ClassView(View, widgets.VBox):  # type: ignore[misc]
    """Shows the users of a server with a class log (`CLASS_LOG=1`).

    Args:
        client (AuthClient): logged in as a teacher, to see all users; a student sees their own
            row. Give it a client of its own, since each look is an event of the client.
        clock (Clock | None): the server's time in seconds since the epoch; the client's by default.

    Attributes:
        table (HTML): the rows.
        notice (HTML): why there are no new rows, if so.
    """

    def __init__(self, client: AuthClient, *, clock: Clock | None = None) -> None:
        self.client = client
        self.clock = clock if clock is not None else client.clock
        self._class = ClassState()
        self._cursor = 0
        self._started = False
        self._last_seen = -_SEEN_FOR
        # Held during a look, so that two never overlap.
        self._looking = threading.Lock()
        self._pulse = Pulse(INTERVAL, self._step, first=0.0)
        self.table = widgets.HTML(class_table((), self.clock()))
        self.notice = widgets.HTML()
        presence = _Presence()
        presence.on_msg(self._on_message)
        super().__init__([presence, self.table, self.notice])
        self.add_class("lab-class")

    def start(self) -> None:
        """Look once a second until `stop`, whether somebody sees it or not."""
        self._started = True
        self._pulse.start()

    def stop(self) -> None:
        """Look no more, until `start` or until the view is shown again."""
        self._started = False
        self._last_seen = -_SEEN_FOR

    def close(self) -> None:
        """Stop, and take the view away."""
        self.stop()
        super().close()

    def refresh(self) -> None:
        """Redraw the rows: a token may have expired since the last look."""
        self.table.value = class_table(self.rows(), self.clock())

    def rows(self) -> tuple[Student, ...]:
        """The users, the newest first, as of the last look."""
        return self._class.rows()

    def look(self) -> None:
        """Fetch what is new in at most `MAX_REQUESTS` requests, and draw each response.

        Raises:
            ClientError: the server refused, or its response cannot be used. The rows stay.
        """
        with self._looking:
            for _ in range(MAX_REQUESTS):
                answer = accepted(self.client.request("GET", f"/events?after={self._cursor}"))
                events, cursor, refused = _parsed(answer)
                # The server's numbers may start again, and the cursor with them.
                more = cursor > self._cursor
                self._cursor = cursor
                self._class.add(events)
                self._class.set_refused_logins(refused)
                self.refresh()
                if not more:
                    return

    def __repr__(self) -> str:
        # What a saved notebook shows in the view's place.
        return "ClassView: run this cell to see it"

    def _on_message(self, widget: object, content: dict[str, str], buffers: object) -> None:
        if content.get("type") == "bye":
            self._last_seen = -_SEEN_FOR
        else:
            self._last_seen = time.monotonic()
            self._pulse.start()

    def _step(self) -> bool:
        """One look; tells whether another is wanted."""
        try:
            self.look()
        except Rejected as refusal:
            self.notice.value = _notice(f"Refused ({refusal.status}): {shown(refusal.message)}")
        except ClientError as error:
            self.notice.value = _notice(str(error))
        else:
            self.notice.value = ""
        return self._started or time.monotonic() - self._last_seen < _SEEN_FOR


def _parsed(answer: Mapping[str, Any]) -> tuple[list[dict[str, Any]], int, dict[str, Any]]:
    """Events, cursor and refused logins of an answer.

    Raises:
        ServerUnreachable: it is not an answer of `/events`.
    """
    events, cursor = answer.get("events"), answer.get("cursor")
    refused = answer.get("refused_logins", {})
    if (
        isinstance(events, list)
        and isinstance(refused, dict)
        and isinstance(cursor, int)
        and 0 <= cursor < 10**15
    ):
        return [event for event in events if isinstance(event, dict)], cursor, refused
    raise ServerUnreachable("/events answered without events and a cursor: is it a class log?")


def class_table(students: tuple[Student, ...], now: float) -> str:
    """The rows as HTML; what a user chose as a name is text."""
    head = "".join(f"<th>{head}</th>" for head in _HEADS)
    body = "".join(_row(student, now) for student in students[:MAX_ROWS])
    if len(students) > MAX_ROWS:
        more = f"And {len(students) - MAX_ROWS} more, whose last action is older."
        body += f'<tr><td colspan="{len(_HEADS)}">{more}</td></tr>'
    empty = f'<tr><td colspan="{len(_HEADS)}">Nobody has done anything yet.</td></tr>'
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body or empty}</tbody></table>"


def _row(student: Student, now: float) -> str:
    state = student.state(now)
    cells = (
        student.username,
        state,
        student.last_action,
        time_of_day(student.last_at) if student.last_at else "",
        student.refreshes,
        student.refusals,
        student.reuse,
        student.refused_logins,
    )
    text = "".join(f"<td>{as_html(str(cell))}</td>" for cell in cells)
    return f'<tr class="{_TONES.get(state, "")}">{text}</tr>'


def _notice(text: str) -> str:
    return f"<p>{as_html(text)}</p>"
