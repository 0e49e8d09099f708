"""The class as its server's events report it: one row for each user.

    Student("ada", "refresh", …).state(now) == "logged in"

A state is computed from the events and the time, so it shows that a token has expired before
anybody sends it. Pure Python, without HTTP and without widgets.

**Who needs help.** The rows are sorted by this rule (`by_need`):

1. Stuck: `STUCK` or more wrong checks of the exercise that they are at. The most checks come first.
2. Locked out: their session has ended although they did not log out, or they have no session and
   `STUCK` or more logins with their name were refused.
3. Everybody else: the fewest exercises right first, then the most hints, then by name.
4. The teachers.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any
from unicodedata import combining, normalize

LOGGED_IN = "logged in"
EXPIRED = "access token expired"
ENDED = "session ended"
NO_SESSION = "not logged in"

#: Users that are kept. The one whose last action is oldest is dropped first.
MAX_STUDENTS = 1_000

#: Wrong checks of one exercise, or refused logins, from which a student needs help.
STUCK = 3

#: Characters of a text from the server that are kept.
MAX_TEXT = 64

_ACTIONS = {
    "/users/register": "register",
    "/users/login": "log in",
    "/refresh": "refresh",
    "/logout": "log out",
    "/home": "home",
    "/clock": "move the clock",
}


@dataclass(frozen=True)
class Student:
    """What the events report about one user.

    Attributes:
        username (str)
        last_action (str): what the user did last, such as "refresh" or "home".
        last_at (float): when, in seconds since the epoch on the server's clock.
        refreshes (int): how many refreshes were granted.
        refusals (int): how many requests with a token of the user were refused.
        refused_logins (int): how many logins with the user's name were refused; anybody can send
            them.
        reuse (int): how many spent refresh tokens were sent again.
        access_until, refresh_until (float): when the newest token of each kind expires; 0 if
            none was issued.
        family (str): the session of the last login, or "" if the server does not report it.
        ended (bool): has the server ended that session?
        logged_out (bool): did the user end it?
        lesson, exercise (str): where the user is in the course, such as "04" and "q1"; "" if
            nothing was reported.
        wrong (int): how often that exercise was checked, as long as it is not right.
        right, hints, solutions (int): over all exercises, how many are right, and how many hints
            and solutions were read.
        teacher (bool)
    """

    username: str
    last_action: str = ""
    last_at: float = 0.0
    refreshes: int = 0
    refusals: int = 0
    reuse: int = 0
    refused_logins: int = 0
    access_until: float = 0.0
    refresh_until: float = 0.0
    family: str = ""
    ended: bool = False
    logged_out: bool = False
    lesson: str = ""
    exercise: str = ""
    wrong: int = 0
    right: int = 0
    hints: int = 0
    solutions: int = 0
    teacher: bool = False

    def needs_help(self, now: float) -> str:
        """Why the user needs help at `now`, in a few words; "" if they do not."""
        if self.teacher:
            return ""
        if self.wrong >= STUCK:
            return f"stuck: {self.wrong} wrong checks"
        state = self.state(now)
        if state == ENDED and not self.logged_out:
            return "session revoked after reuse" if self.reuse and self.ended else ENDED
        if state == NO_SESSION and self.refused_logins >= STUCK:
            return "cannot log in"
        return ""

    def state(self, now: float) -> str:
        """The user's state at `now`, in seconds since the epoch on the server's clock."""
        if not self.refresh_until:
            return NO_SESSION
        if self.ended or self.refresh_until <= now:
            return ENDED
        return LOGGED_IN if self.access_until > now else EXPIRED


class ClassState:
    """Takes the answers of `/events` in order, and returns the rows."""

    def __init__(self) -> None:
        self._students: dict[str, Student] = {}
        self._refused: dict[str, int] = {}
        self._progress: dict[str, Mapping[str, Any]] = {}
        self._teachers: frozenset[str] = frozenset()

    def add(self, events: Iterable[object]) -> None:
        """Take events; ignore what is none, and those without a username, a name or a time."""
        for event in events:
            if not isinstance(event, Mapping):
                continue
            name = _text(event.get("username"))
            if name and _text(event.get("name")) and _number(event.get("at")) is not None:
                # The user with the latest event comes last, so the first can be dropped.
                student = self._students.pop(name, None) or Student(name)
                self._students[name] = after(student, event)
                if len(self._students) > MAX_STUDENTS:
                    del self._students[next(iter(self._students))]

    def set_refused_logins(self, counts: Mapping[str, Any]) -> None:
        """Take the refused logins by username, in place of those before."""
        counted = ((_text(name), _number(count)) for name, count in counts.items())
        known = [(name, int(count)) for name, count in counted if name and count]
        self._refused = dict(known[:MAX_STUDENTS])

    def set_progress(self, progress: Mapping[str, Any]) -> None:
        """Take the summary of each user's progress by username, in place of those before."""
        known = ((_text(name), each) for name, each in progress.items())
        kept = [(name, each) for name, each in known if name and isinstance(each, Mapping)]
        self._progress = dict(kept[:MAX_STUDENTS])

    def set_teachers(self, names: Iterable[object]) -> None:
        """Take the names of the teachers, in place of those before."""
        self._teachers = frozenset(filter(None, map(_text, names)))

    def rows(self) -> tuple[Student, ...]:
        """The users, the most recently active first."""
        known = self._students
        students = (
            known.get(name, Student(name)) for name in {**known, **self._refused, **self._progress}
        )
        rows = map(self._completed, students)
        return tuple(sorted(rows, key=lambda s: (-s.last_at, s.username)))

    def _completed(self, student: Student) -> Student:
        """The student with what is not in the events."""
        name = student.username
        student = replace(
            student,
            refused_logins=self._refused.get(name, 0),
            teacher=name in self._teachers,
        )
        progress = self._progress.get(name)
        if progress is None:
            return student
        names = ("wrong", "right", "hints", "solutions")
        counts: dict[str, Any] = {each: int(_number(progress.get(each)) or 0) for each in names}
        student = replace(
            student,
            lesson=_text(progress.get("lesson")),
            exercise=_text(progress.get("exercise")),
            **counts,
        )
        at = _number(progress.get("at")) or 0.0
        if at > student.last_at:
            student = replace(student, last_action=place(student), last_at=at)
        return student


def place(student: Student) -> str:
    """Where a student is in the course, such as "lesson 04, q1"; "" if nothing was reported."""
    where = (f"lesson {student.lesson}" if student.lesson else "", student.exercise)
    return ", ".join(filter(None, where))


def by_need(students: Iterable[Student], now: float) -> tuple[Student, ...]:
    """The students, sorted by who needs help: see the rule above."""

    def key(student: Student) -> tuple[Any, ...]:
        stuck = student.wrong >= STUCK
        group = 1 if stuck else 2 if student.needs_help(now) else 3
        return (
            4 if student.teacher else group,
            -student.wrong if stuck else 0,
            student.right,
            -student.hints,
            _plain(student.username),
            student.username,
        )

    return tuple(sorted(students, key=key))


def _plain(name: str) -> str:
    """The name as a list sorts it: without case and accents."""
    return "".join(char for char in normalize("NFD", name.casefold()) if not combining(char))


def after(student: Student, event: Mapping[str, Any]) -> Student:
    """The student after one of their events. Fields of another type are left out."""
    name = event["name"]
    path = _text(event.get("path"))
    student = replace(
        student, last_action=_ACTIONS.get(path, path), last_at=_number(event["at"]) or 0.0
    )
    if name == "login.accepted":
        return replace(student, ended=False, logged_out=False, family="")
    if name == "token.issued":
        return _issued(student, event)
    if name in ("token.spent", "token.repeated"):
        return replace(student, refreshes=student.refreshes + 1)
    if name == "reuse.detected":
        return replace(student, reuse=student.reuse + 1)
    if name == "family.revoked":
        if _text(event.get("family")) != student.family:
            return student
        return replace(student, ended=True, logged_out=event.get("reason") == "logged_out")
    if name in ("token.rejected", "request.refused"):
        return replace(student, refusals=student.refusals + 1)
    return student


def _issued(student: Student, event: Mapping[str, Any]) -> Student:
    until = _number(event.get("exp")) or 0.0
    if event.get("kind") == "refresh":
        return replace(student, refresh_until=until, family=_text(event.get("family")))
    # The article's server spends no refresh token, so there a new access token means a refresh.
    refreshed = event.get("path") == "/refresh" and "family" not in event
    return replace(student, access_until=until, refreshes=student.refreshes + refreshed)


def _text(value: object) -> str:
    """The beginning of a text; "" for any other value."""
    return value[:MAX_TEXT] if isinstance(value, str) else ""


def _number(value: object) -> float | None:
    """A finite number that can be a time or a count; None for any other value."""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return value if number and -(2**53) < value < 2**53 else None  # type: ignore[operator,return-value]
