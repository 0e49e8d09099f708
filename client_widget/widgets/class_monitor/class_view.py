"""`ClassView`: the class live, for a teacher. One row for each user, the newest first.

It asks the server for what is new, once a second and only while somebody looks at it: the view
says that it is there, as the live log does, and falls silent when it is closed.
"""

from __future__ import annotations

import threading
from html import escape

import ipywidgets as widgets

from ...client.auth_client import AuthClient
from ...client.transport import accepted
from ...clock import Clock, time_of_day
from ...errors import ClientError, Rejected
from ..background import Pulse
from ..presence import Presence
from ..view import Stylesheet, View
from .class_state import ENDED, EXPIRED, LOGGED_IN, MUST_WAIT, ClassState, Student

#: Seconds between two looks at the server.
INTERVAL = 1.0

_TONES = {LOGGED_IN: "lab-good", EXPIRED: "lab-late", ENDED: "lab-bad", MUST_WAIT: "lab-bad"}

_HEADS = ("User", "State", "Last action", "At", "Refreshes", "Refusals", "Reuse")


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
        # Held during a look, so that two never overlap.
        self._looking = threading.Lock()
        self._pulse = Pulse(INTERVAL, self._step, first=0.0)
        self.table = widgets.HTML(class_table((), self.clock()))
        self.notice = widgets.HTML()
        self.presence = Presence(on_report=self._pulse.start)
        super().__init__([Stylesheet(), self.presence, self.table, self.notice])
        self.add_class("lab-class")

    def start(self) -> None:
        """Look once a second until `stop`, whether somebody sees it or not."""
        self._started = True
        self._pulse.start()

    def stop(self) -> None:
        """Look no more, until `start` or until the view is shown again."""
        self._started = False
        self.presence.leave()

    def close(self) -> None:
        """Stop, and take the view away."""
        self.stop()
        self.presence.close()
        super().close()

    def refresh(self) -> None:
        """Redraw the rows: a token may have expired since the last look."""
        self.table.value = class_table(self.rows(), self.clock())

    def rows(self) -> tuple[Student, ...]:
        """The users, the newest first, as of the last look."""
        return self._class.rows()

    def look(self) -> None:
        """Fetch what is new, and draw it.

        Raises:
            ClientError: the server did not give it. The rows stay as they are.
        """
        with self._looking:
            more = True
            while more:
                answer = accepted(self.client.request("GET", f"/events?after={self._cursor}"))
                # The server's numbers may begin anew, and the cursor with them.
                more = answer["cursor"] > self._cursor
                self._cursor = answer["cursor"]
                self._class.add(answer["events"])
            self.table.value = class_table(self.rows(), self.clock())

    def __repr__(self) -> str:
        # What a saved notebook shows in the view's place.
        return "ClassView: run this cell to see it"

    def _step(self) -> bool:
        """One look; tells whether another is wanted."""
        try:
            self.look()
        except Rejected as refusal:
            self.notice.value = _notice(f"Refused ({refusal.status}): {refusal.message}")
        except ClientError as error:
            self.notice.value = _notice(str(error))
        else:
            self.notice.value = ""
        return self._started or self.presence.watched


def class_table(students: tuple[Student, ...], now: float) -> str:
    """The rows as HTML; what a user chose as a name is text."""
    head = "".join(f"<th>{head}</th>" for head in _HEADS)
    body = "".join(_row(student, now) for student in students)
    empty = f'<tr><td colspan="{len(_HEADS)}">Nobody has done anything yet.</td></tr>'
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body or empty}</tbody></table>"


def _row(student: Student, now: float) -> str:
    state = student.state(now)
    cells = (
        student.username,
        state,
        student.last_action,
        time_of_day(student.last_at),
        student.refreshes,
        student.refusals,
        student.reuse,
    )
    text = "".join(f"<td>{escape(str(cell))}</td>" for cell in cells)
    return f'<tr class="{_TONES.get(state, "")}">{text}</tr>'


def _notice(text: str) -> str:
    return f"<p>{escape(text)}</p>"
