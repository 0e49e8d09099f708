"""The class as its server's events report it: one row for each user.

    Student("ada", "refresh", …).state(now) == "logged in"

A state is computed from the events and the time, so it shows that a token has expired before
anybody sends it. Pure Python, without HTTP and without widgets.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

LOGGED_IN = "logged in"
EXPIRED = "access token expired"
ENDED = "session ended"
MUST_WAIT = "must wait"
NO_SESSION = "not logged in"

_ACTIONS = {
    "/users/register": "register",
    "/users/login": "log in",
    "/refresh": "refresh",
    "/logout": "log out",
    "/home": "home",
}


@dataclass(frozen=True)
class Student:
    """What the events report about one user.

    Attributes:
        username (str)
        last_action (str): what the user did last, such as "refresh" or "home".
        last_at (float): when, in seconds since the epoch on the server's clock.
        refreshes (int): how many refreshes were granted.
        refusals (int): how many logins, registrations and tokens were refused.
        reuse (int): how many spent refresh tokens were sent again.
        access_until, refresh_until (float): when the newest token of each kind expires; 0 if
            none was issued.
        wait_until (float): when the server accepts the next login attempt.
        family (str): the session of the last login, or "" if the server does not report it.
        ended (bool): has the server ended that session?
    """

    username: str
    last_action: str = ""
    last_at: float = 0.0
    refreshes: int = 0
    refusals: int = 0
    reuse: int = 0
    access_until: float = 0.0
    refresh_until: float = 0.0
    wait_until: float = 0.0
    family: str = ""
    ended: bool = False

    def state(self, now: float) -> str:
        """The user's state at `now`, in seconds since the epoch on the server's clock."""
        if self.wait_until > now:
            return MUST_WAIT
        if not self.refresh_until:
            return NO_SESSION
        if self.ended or self.refresh_until <= now:
            return ENDED
        return LOGGED_IN if self.access_until > now else EXPIRED


class ClassState:
    """Takes the events of `/events` in order, and returns the rows."""

    def __init__(self) -> None:
        self._students: dict[str, Student] = {}

    def add(self, events: Iterable[object]) -> None:
        """Take events; ignore those that are not the event of a user, see `read_event`."""
        for event in map(read_event, events):
            if event is not None:
                name = event["username"]
                student = self._students.get(name) or Student(name)
                self._students[name] = after(student, event)

    def rows(self) -> tuple[Student, ...]:
        """The users, the most recently active first."""
        return tuple(sorted(self._students.values(), key=lambda s: (-s.last_at, s.username)))


_TEXTS, _NUMBERS = ("path", "kind", "family"), ("exp", "wait")


def read_event(event: object) -> dict[str, Any] | None:
    """An event as `after` takes it: its name, its user, its time and fields of the right type.

    None if it lacks one of the first three: a server may store events of nobody, and an answer
    that was cut or forged may hold anything. A field of another type is left out.
    """
    if not isinstance(event, Mapping):
        return None
    name, username, at = event.get("name"), event.get("username"), event.get("at")
    if not (isinstance(name, str) and isinstance(username, str) and _is_number(at)):
        return None
    texts = {field: event[field] for field in _TEXTS if isinstance(event.get(field), str)}
    numbers = {field: event[field] for field in _NUMBERS if _is_number(event.get(field))}
    return {"name": name, "username": username, "at": at, **texts, **numbers}


def _is_number(value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    try:
        return math.isfinite(value)
    except OverflowError:  # an integer that is larger than any float
        return False


def after(student: Student, event: Mapping[str, Any]) -> Student:
    """The student after one of their events, which `read_event` has read."""
    name = event["name"]
    path = event.get("path", "")
    student = replace(student, last_action=_ACTIONS.get(path, path), last_at=event["at"])
    if name == "login.accepted":
        return replace(student, ended=False, wait_until=0.0, family="")
    if name == "token.issued":
        return _issued(student, event)
    if name in ("token.spent", "token.repeated"):
        return replace(student, refreshes=student.refreshes + 1)
    if name == "reuse.detected":
        return replace(student, reuse=student.reuse + 1)
    if name == "family.revoked":
        return replace(student, ended=student.ended or event.get("family") == student.family)
    if name == "login.throttled":
        wait = event["at"] + event.get("wait", 0)
        return replace(student, refusals=student.refusals + 1, wait_until=wait)
    if name in ("token.rejected", "login.refused", "registration.refused"):
        return replace(student, refusals=student.refusals + 1)
    return student


def _issued(student: Student, event: Mapping[str, Any]) -> Student:
    until = event.get("exp", 0.0)
    if event.get("kind") == "refresh":
        return replace(student, refresh_until=until, family=event.get("family", ""))
    # The article's server spends no refresh token, so there a new access token means a refresh.
    refreshed = event.get("path") == "/refresh" and "family" not in event
    return replace(student, access_until=until, refreshes=student.refreshes + refreshed)
