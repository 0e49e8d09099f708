"""Where each user is in the course: what they report about themselves, and nothing else.

A report is believed as far as its token proves who sent it: a user can embellish their own row and
no other. It is bounded: short names, small numbers, and `MAX_EXERCISES` exercises of one user.

One document holds a user's exercises and the summary that a teacher reads. A report states how
often something has happened so far, so one that arrives twice is counted once.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from ..errors import malformed
from ..storage.database import Database, Document, change_document, guard_of

#: What a report can be about.
WHATS = ("check", "hint", "solution", "guess")

#: The name of a lesson or an exercise.
NAME = r"[A-Za-z0-9_-]{1,16}"

#: The most times that a report may count.
MAX_TIMES = 9_999

#: Exercises of one user.
MAX_EXERCISES = 100

#: Users that a teacher reads, those with the latest report first.
MAX_READ = 1_000


@dataclass(frozen=True)
class Report:
    """One step of a learner.

    Attributes:
        lesson (str), exercise (str): such as "04" and "q1"; see `NAME`.
        what (str): one of `WHATS`.
        correct (bool | None): whether a check or a guess was right; None for the others.
        times (int): how often the learner has done this to the exercise so far.

    Raises:
        Refusal: `request_malformed`: a value is none of these.
    """

    lesson: str
    exercise: str
    what: str
    correct: bool | None
    times: int

    def __post_init__(self) -> None:
        for field in ("lesson", "exercise"):
            value = getattr(self, field)
            if not (isinstance(value, str) and re.fullmatch(NAME, value)):
                raise malformed(f"The field {field} must be 1 to 16 letters, digits, - or _.")
        if self.what not in WHATS:
            raise malformed(f"The field what must be {', '.join(WHATS[:-1])} or {WHATS[-1]}.")
        if not (self.correct is None or isinstance(self.correct, bool)):
            raise malformed("The field correct must be true, false or null.")
        if type(self.times) is not int or not 0 <= self.times <= MAX_TIMES:
            raise malformed(f"The field times must be a whole number from 0 to {MAX_TIMES}.")


class ClassProgress:
    """The progress of the users of one database."""

    def __init__(self, database: Database) -> None:
        self._users = database["class_progress"]
        self._guard = guard_of(database)
        with self._guard:
            self._users.create_index("at")

    def add(self, username: str, report: Report, at: float) -> None:
        """Take a report.

        Args:
            username (str): whose it is.
            report (Report)
            at (float): when, in seconds since the epoch.

        Raises:
            Refusal: `request_malformed`: the user has `MAX_EXERCISES` others.
        """

        def written(seen: Document | None) -> Document:
            exercises = _with(seen["exercises"] if seen else {}, report)
            summary = {**_summary(exercises, report), "at": at}
            return {"at": at, "exercises": exercises, "summary": summary}

        change_document(self._users, self._guard, username, written)

    def read(self, username: str | None = None) -> dict[str, dict[str, Any]]:
        """The summary of each user by name: `lesson` and `exercise` of the last report, `at`, how
        often that exercise was checked and is not `right` yet (`wrong`), and over all exercises
        how many are `right`, and how many `hints` and `solutions` were read.

        Args:
            username (str | None): only this user; by default the `MAX_READ` users with the latest
                reports.
        """
        query: dict[str, Any] = {"at": {"$gte": 0}}
        if username is not None:
            query = {"_id": username}
        with self._guard:
            found = self._users.find(query, {"summary": 1}).sort("at", -1).limit(MAX_READ)
            return {user["_id"]: user["summary"] for user in found}


def _with(exercises: dict[str, Any], report: Report) -> dict[str, Any]:
    """The exercises of a user after a report."""
    key = f"{report.lesson} {report.exercise}"
    if key not in exercises and len(exercises) >= MAX_EXERCISES:
        raise malformed(f"Only {MAX_EXERCISES} exercises of one user are kept.")
    done = {**exercises.get(key, {"right": False}), report.what: report.times}
    # Once right, an exercise stays right.
    done["right"] = done["right"] or (report.what == "check" and report.correct is True)
    return {**exercises, key: done}


def _summary(exercises: dict[str, Any], report: Report) -> dict[str, Any]:
    here = exercises[f"{report.lesson} {report.exercise}"]
    return {
        "lesson": report.lesson,
        "exercise": report.exercise,
        "wrong": 0 if here["right"] else here.get("check", 0),
        "right": sum(each["right"] for each in exercises.values()),
        "hints": sum(each.get("hint", 0) for each in exercises.values()),
        "solutions": sum("solution" in each for each in exercises.values()),
    }
