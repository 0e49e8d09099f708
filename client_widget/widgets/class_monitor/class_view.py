"""`ClassView`: a live view of the class, for a teacher. One row a user, who needs help first.

It fetches new events once a second, and only while somebody is looking (`presence.py`).
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import ipywidgets as widgets

from ...client.auth_client import AuthClient
from ...client.responses import accepted, server_time
from ...clock import Clock, ServerClock, time_of_day
from ...display import as_html, cut, shown
from ...errors import ClientError, Rejected, ServerUnreachable
from ..background import NoThread, Pulse, Workers
from ..presence import Presence
from ..view import Stylesheet, View, classes, clock_of
from .class_state import (
    ENDED,
    EXPIRED,
    LOGGED_IN,
    NO_SESSION,
    ClassState,
    Student,
    by_need,
    place,
)

if TYPE_CHECKING:
    from ...log.pictures.shapes import Role

#: Seconds between two requests to the server.
INTERVAL = 1.0

#: Requests of one look. What is left comes with the next look, so a look always ends.
MAX_REQUESTS = 20

#: Rows that are drawn, who needs help first.
MAX_ROWS = 200

#: By how many seconds the button moves the clock: an access token lives for 60.
STEP = 61

_ROLES: dict[str, Role] = {LOGGED_IN: "ok", EXPIRED: "warn", ENDED: "bad"}

_TONES = {LOGGED_IN: "lab-good", EXPIRED: "lab-late", ENDED: "lab-bad"}

_HEADS = (
    "Student",
    "Needs help",
    "Lesson",
    "Right",
    "Hints",
    "State",
    "Last action",
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
        clock (Clock | None): the local clock in seconds since the epoch; the client's by default.
            The view follows the server's time, which each response of a class server has.

    Attributes:
        clock (Clock): the server's time.
        counts (HTML): the class in one sentence, and the class's clock.
        advance (Button): moves the class's clock; shown to a teacher of a server with
            `CLASS_CLOCK=1`.
        table (HTML): the rows.
        notice (HTML): why the last request failed, or "".
        presence (Presence): whether anybody is looking.
    """

    def __init__(self, client: AuthClient, *, clock: Clock | None = None) -> None:
        self.client = client
        self.clock = ServerClock(clock_of(client, clock))
        self._ahead: float | None = None
        self._workers = Workers()
        self._class = ClassState()
        self._cursor = 0
        self._started = False
        # Held during a look, so that looks never overlap.
        self._looking = threading.Lock()
        self._pulse = Pulse(INTERVAL, self._step, first=0.0)
        self.advance = widgets.Button(
            description=f"+{STEP} s for the class",
            tooltip="Move the class's clock: every access token expires at one instant",
            button_style="warning",
            layout=widgets.Layout(width="auto", height="auto", display="none"),
        )
        self.advance.on_click(self._on_advance)
        self.counts = widgets.HTML()
        self.table = widgets.HTML(class_table((), self.clock()))
        self.notice = widgets.HTML()
        self.presence = Presence(on_report=self._pulse.start)
        row = widgets.Layout(align_items="center", flex_flow="row wrap", grid_gap="8px")
        head = widgets.HBox([self.advance, self.counts], layout=row)
        super().__init__(
            [Stylesheet(), self.presence, head, self.notice, self.table], **classes("lab-class")
        )
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
        now, rows = self.clock(), self.rows()
        self.table.value = class_table(rows, now)
        clock = ""
        if self._ahead is not None:
            clock = f" The class's clock: {time_of_day(now)}, {self._ahead:g} s ahead."
        self.counts.value = _notice(summary(rows, now) + clock)
        self.advance.layout.display = "none" if self._ahead is None else ""

    def wait(self, timeout: float = 20.0) -> None:
        """Wait until the button's call has ended.

        Raises:
            TimeoutError: it is still running after `timeout` seconds.
        """
        self._workers.wait(timeout)

    def rows(self) -> tuple[Student, ...]:
        """The users as of the last look, who needs help first: see `class_state`."""
        return by_need(self._class.rows(), self.clock())

    def look(self) -> None:
        """Fetch the new events in at most `MAX_REQUESTS` requests, and draw each response.

        Raises:
            ClientError: the server refused, or its response cannot be used. The rows stay
                unchanged.
        """
        with self._looking:
            for _ in range(MAX_REQUESTS):
                response = self.client.request("GET", f"/events?after={self._cursor}")
                self.clock.hear(server_time(response))
                answer = accepted(response)
                events, cursor, refused = _parsed(answer)
                # A restarted server may count from the start again, and the cursor with it.
                more = cursor > self._cursor
                self._cursor = cursor
                self._class.add(events)
                self._class.set_refused_logins(refused)
                self._take_extras(answer)
                self.refresh()
                if not more or self._closed:
                    return

    def to_svg(self) -> str:
        """The rows as of the last look."""
        return class_picture(self.rows(), self.clock())

    def _take_extras(self, answer: Mapping[str, Any]) -> None:
        """Take what older servers do not send, and what only a teacher is sent."""
        progress, teachers, ahead = (answer.get(key) for key in ("progress", "teachers", "ahead"))
        self._class.set_progress(progress if isinstance(progress, dict) else {})
        self._class.set_teachers(teachers if isinstance(teachers, list) else ())
        self._ahead = ahead if type(ahead) in (int, float) else None

    def _step(self) -> bool:
        """Look once; return whether to look again."""
        self._try(self.look)
        return self._started or self.presence.watched

    def _on_advance(self, button: widgets.Button) -> None:
        """Move the class's clock in a thread, and show what follows."""
        button.disabled = True

        def advance() -> None:
            try:
                self._try(self._advance)
            finally:
                button.disabled = False

        try:
            self._workers.start("Moving the class's clock", advance)
        except NoThread as error:
            button.disabled = False
            self.notice.value = _notice(str(error))

    def _advance(self) -> None:
        accepted(self.client.request("POST", "/clock", json={"seconds": STEP}))
        self.look()

    def _try(self, call: Callable[[], None]) -> None:
        """Call it, and show why it failed."""
        try:
            call()
        except Rejected as refusal:
            self.notice.value = _notice(f"Refused ({refusal.status}): {shown(refusal.message)}")
        except ClientError as error:
            self.notice.value = _notice(str(error))
        else:
            self.notice.value = ""


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


_ARE = {
    LOGGED_IN: "logged in",
    EXPIRED: "with an expired access token",
    ENDED: "whose session has ended",
    NO_SESSION: "not logged in",
}


def summary(students: tuple[Student, ...], now: float) -> str:
    """The class in one sentence or two: how many students, and what they have done."""
    pupils = [student for student in students if not student.teacher]
    states = Counter(student.state(now) for student in pupils)
    parts = ", ".join(f"{states[state]} {are}" for state, are in _ARE.items() if states[state])
    helped = sum(bool(student.needs_help(now)) for student in pupils)
    done = (
        _count(sum(student.right for student in pupils), "exercise right", "exercises right"),
        _count(sum(student.refreshes for student in pupils), "refresh", "refreshes"),
        _count(sum(student.refusals for student in pupils), "refusal", "refusals"),
    )
    return (
        f"{_count(len(pupils), 'student', 'students')}{': ' if parts else ''}{parts}. "
        f"{helped} {'needs' if helped == 1 else 'need'} help. {', '.join(done)}."
    )


def _count(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"


def class_table(students: tuple[Student, ...], now: float) -> str:
    """The rows as HTML. Usernames are escaped."""
    head = "".join(f"<th>{head}</th>" for head in _HEADS)
    body = "".join(_row(student, now) for student in students[:MAX_ROWS])
    if len(students) > MAX_ROWS:
        more = f"And {len(students) - MAX_ROWS} more, who need less help."
        body += f'<tr><td colspan="{len(_HEADS)}">{more}</td></tr>'
    empty = f'<tr><td colspan="{len(_HEADS)}">{_EMPTY}</td></tr>'
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body or empty}</tbody></table>"


def class_picture(students: tuple[Student, ...], now: float) -> str:
    """The same rows as SVG."""
    from ...log.pictures.table import Cell, table  # with its library, slow to import

    rows = []
    for student in students[:MAX_ROWS]:
        roles: dict[str, Role] = {
            student.needs_help(now): "bad",
            student.state(now): _ROLES.get(student.state(now), "muted"),
        }
        rows.append(
            [Cell(cut(text, 28), roles.get(text, "plain")) for text in _cells(student, now)]
        )
    more = len(students) - MAX_ROWS
    note = f"And {more} more, who need less help." if more > 0 else ""
    return table("The class", list(_HEADS), rows, note=note if rows else _EMPTY)


def _cells(student: Student, now: float) -> list[str]:
    """The texts of a row. From afar, a table is read by what is in it: no zeros."""
    hints = [str(student.hints)] if student.hints else []
    hints += [_count(student.solutions, "solution", "solutions")] if student.solutions else []
    cells = (
        student.username,
        "teacher" if student.teacher else student.needs_help(now),
        place(student).removeprefix("lesson "),
        student.right,
        ", ".join(hints),
        student.state(now),
        student.last_action,
        student.refreshes,
        student.refusals,
        student.reuse,
        student.refused_logins,
    )
    return [str(cell or "") for cell in cells]


def _row(student: Student, now: float) -> str:
    text = "".join(f"<td>{as_html(cell)}</td>" for cell in _cells(student, now))
    tone = "lab-help" if student.needs_help(now) else _TONES.get(student.state(now), "")
    return f'<tr class="{tone}">{text}</tr>'


def _notice(text: str) -> str:
    return f"<p>{as_html(text)}</p>"
