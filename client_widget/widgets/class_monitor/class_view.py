"""`ClassView`: a live view of the class, for a teacher. One row a user, the most active first.

It fetches new events once a second, and only while somebody is looking (`presence.py`).
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import ipywidgets as widgets

from ...client.auth_client import AuthClient
from ...client.transport import accepted
from ...clock import Clock, time_of_day
from ...display import as_html, cut, shown
from ...errors import ClientError, Rejected, ServerUnreachable
from ..background import Pulse
from ..presence import Presence
from ..view import Stylesheet, View
from .class_state import ENDED, EXPIRED, LOGGED_IN, ClassState, Student

if TYPE_CHECKING:
    from ...log.pictures.shapes import Role

#: Seconds between two requests to the server.
INTERVAL = 1.0

#: Requests of one look. What is left comes with the next look, so a look always ends.
MAX_REQUESTS = 20

#: Rows that are drawn, the newest first.
MAX_ROWS = 200

_ROLES: dict[str, Role] = {LOGGED_IN: "ok", EXPIRED: "warn", ENDED: "bad"}

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

_EMPTY = "Nobody has done anything yet. A user's first action adds a row."


class ClassView(View, widgets.VBox):  # type: ignore[misc]
    """Shows the users of a server with a class log (`CLASS_LOG=1`).

    Args:
        client (AuthClient): logged in as a teacher, to see all users; a student sees only their
            own row. Use a separate client, because its log records each request of the view.
        clock (Clock | None): the server's time in seconds since the epoch; the client's by default.

    Attributes:
        table (HTML): the rows.
        notice (HTML): why the last request failed, or "".
        presence (Presence): whether anybody is looking.
    """

    def __init__(self, client: AuthClient, *, clock: Clock | None = None) -> None:
        self.client = client
        self.clock = clock if clock is not None else client.clock
        self._class = ClassState()
        self._cursor = 0
        self._started = False
        # Held during a look, so that looks never overlap.
        self._looking = threading.Lock()
        self._pulse = Pulse(INTERVAL, self._step, first=0.0)
        self.table = widgets.HTML(class_table((), self.clock()))
        self.notice = widgets.HTML()
        self.presence = Presence(on_report=self._pulse.start)
        super().__init__([Stylesheet(), self.presence, self.table, self.notice])
        self.add_class("lab-class")
        self.on_close(self.stop, self._pulse.stop)

    def start(self) -> None:
        """Look once a second until `stop`, even if nobody is looking."""
        self._started = True
        self._pulse.start()

    def stop(self) -> None:
        """Stop looking until `start`, or until a page shows the view again."""
        self._started = False
        self.presence.leave()

    def refresh(self) -> None:
        """Redraw the rows: a token may have expired since the last look."""
        self.table.value = class_table(self.rows(), self.clock())

    def rows(self) -> tuple[Student, ...]:
        """The users as of the last look, the most recently active first."""
        return self._class.rows()

    def look(self) -> None:
        """Fetch the new events in at most `MAX_REQUESTS` requests, and draw each response.

        Raises:
            ClientError: the server refused, or its response cannot be used. The rows stay
                unchanged.
        """
        with self._looking:
            for _ in range(MAX_REQUESTS):
                answer = accepted(self.client.request("GET", f"/events?after={self._cursor}"))
                events, cursor, refused = _parsed(answer)
                # A restarted server may count from the start again, and the cursor with it.
                more = cursor > self._cursor
                self._cursor = cursor
                self._class.add(events)
                self._class.set_refused_logins(refused)
                self.refresh()
                if not more or self._closed:
                    return

    def to_svg(self) -> str:
        """The rows as of the last look."""
        return class_picture(self.rows(), self.clock())

    def _step(self) -> bool:
        """Look once; return whether to look again."""
        try:
            self.look()
        except Rejected as refusal:
            self.notice.value = _notice(f"Refused ({refusal.status}): {shown(refusal.message)}")
        except ClientError as error:
            self.notice.value = _notice(str(error))
        else:
            self.notice.value = ""
        return self._started or self.presence.watched


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
        and type(cursor) is int
        and 0 <= cursor < 10**15
    ):
        return [event for event in events if isinstance(event, dict)], cursor, refused
    raise ServerUnreachable("/events answered without events and a cursor: is it a class log?")


def class_table(students: tuple[Student, ...], now: float) -> str:
    """The rows as HTML. Usernames are escaped."""
    head = "".join(f"<th>{head}</th>" for head in _HEADS)
    body = "".join(_row(student, now) for student in students[:MAX_ROWS])
    if len(students) > MAX_ROWS:
        more = f"And {len(students) - MAX_ROWS} more, whose last action is older."
        body += f'<tr><td colspan="{len(_HEADS)}">{more}</td></tr>'
    empty = f'<tr><td colspan="{len(_HEADS)}">{_EMPTY}</td></tr>'
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body or empty}</tbody></table>"


def class_picture(students: tuple[Student, ...], now: float) -> str:
    """The same rows as SVG. Times of day differ from run to run, so they are left out."""
    from ...log.pictures.table import Cell, table  # with its library, slow to import

    def count(number: int, role: Role = "plain") -> Cell:
        return Cell(str(number), role if number else "muted")

    rows = [
        [
            Cell(cut(student.username, 24)),
            Cell(state := student.state(now), _ROLES.get(state, "muted")),
            Cell(cut(student.last_action, 24)),
            count(student.refreshes),
            count(student.refusals),
            count(student.reuse, "bad"),
            count(student.refused_logins, "warn"),
        ]
        for student in students[:MAX_ROWS]
    ]
    more = len(students) - MAX_ROWS
    note = f"And {more} more, whose last action is older." if more > 0 else ""
    return table("The class", [h for h in _HEADS if h != "At"], rows, note=note if rows else _EMPTY)


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
