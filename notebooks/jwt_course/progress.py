"""A learner's progress: what was checked, guessed and looked up, in a file of their copy.

`progress.jsonl` has one event a line: the lesson, the exercise, what was done, whether it was
right, and when. It never holds code or an answer. Nothing is written outside a learner's copy, and
nothing that goes wrong here stops a lesson.

The file is on the learner's disk: they can edit it, so it proves nothing. Use it to see where a
class is stuck, and not for marks.
"""

from __future__ import annotations

import csv
import json
import os
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, TextIO, TypeAlias

from filelock import FileLock

from .copies import DEFAULT, is_copy

#: In a learner's copy.
FILE = "progress.jsonl"

#: What was done: an answer or a guess was judged, or help was read.
Deed: TypeAlias = Literal["check", "guess", "hint", "solution"]

#: The columns of a report.
COLUMNS = ("learner", "lesson", "exercise", "result", "right", "wrong", "hints", "solutions")

#: Is called with each step: `lesson`, `exercise`, `what` (a `Deed`), `correct`, and `times`, how
#: often this kernel has seen that.
Listener: TypeAlias = Callable[[Mapping[str, object]], object]

_listeners: list[Listener] = []
_times: Counter[tuple[str, str, str]] = Counter()

# Seconds to wait for another kernel that is writing.
_PATIENCE = 2.0

_LESSON, _EXERCISE = re.compile(r"\d\d|class_live"), re.compile(r"[qg]\d{1,2}")
_DEEDS = ("check", "guess", "hint", "solution")

# A spreadsheet runs a cell that begins with one of these.
_FORMULA = tuple("=+-@\t\r\n'")


def subscribe(listener: Listener) -> Callable[[], None]:
    """Call `listener` with each step in this kernel; returns a function that stops it."""
    _listeners.append(listener)

    def unsubscribe() -> None:
        with suppress(ValueError):
            _listeners.remove(listener)

    return unsubscribe


def record(
    lesson: str,
    exercise: str,
    deed: Deed,
    right: bool | None = None,
    *,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> None:
    """Tell the listeners, and add an event to the copy in which this kernel runs, if it does.

    Args:
        lesson (str): its package, such as "jwt_course.lesson_02", or any module in it.
        exercise (str): such as "q1", or "g1" for a guess.
        deed: what was done.
        right (bool | None): the verdict; None for help, and for a check without an answer.
        now: the time, with a time zone.
    """
    number = lesson.removeprefix("jwt_course.").partition(".")[0].removeprefix("lesson_")
    _times[number, exercise, deed] += 1
    times = _times[number, exercise, deed]
    step = {"lesson": number, "exercise": exercise, "what": deed, "correct": right, "times": times}
    for listener in tuple(_listeners):
        with suppress(Exception):
            listener(step)
    # Any fault at all: a full disk, a folder that may not be written or is gone, a lock in use.
    with suppress(Exception):
        folder = Path.cwd()
        if not is_copy(folder) or not _LESSON.fullmatch(number):
            return
        event = {
            "at": now().isoformat(timespec="seconds"),
            "lesson": number,
            "exercise": exercise,
            "did": deed,
            "right": right,
        }
        _append(folder, json.dumps(event).encode())


def _append(folder: Path, line: bytes) -> None:
    """Add a whole line. One that an earlier fault cut short is ended first."""
    with (
        FileLock(folder / f".{FILE}.lock", timeout=_PATIENCE),
        open(folder / FILE, "ab+") as file,
    ):
        if file.tell():
            file.seek(-1, os.SEEK_END)
            if file.read(1) != b"\n":
                line = b"\n" + line
        file.write(line + b"\n")


@dataclass(frozen=True)
class Event:
    """A line of the file.

    Attributes:
        lesson (str): such as "02".
        exercise (str): such as "q1", or "g1" for a guess.
        deed (Deed): what was done.
        right (bool | None): the verdict.
    """

    lesson: str
    exercise: str
    deed: Deed
    right: bool | None


def events(copy: Path) -> tuple[list[Event], int]:
    """The events of a copy in their order, and how many lines could not be read."""
    found: list[Event] = []
    broken = 0
    with suppress(FileNotFoundError), open(copy / FILE, "rb") as file:
        for line in file:
            event = _event(line)
            if event is not None:
                found.append(event)
            elif line.strip():
                broken += 1
    return found, broken


def _event(line: bytes) -> Event | None:
    """The event of a line; None for anything else, because a learner can write what they like."""
    try:
        facts = json.loads(line)
        lesson, exercise, deed, right = (
            facts[name] for name in ("lesson", "exercise", "did", "right")
        )
        if (
            _LESSON.fullmatch(lesson)
            and _EXERCISE.fullmatch(exercise)
            and deed in _DEEDS
            and (right is None or isinstance(right, bool))
        ):
            return Event(lesson, exercise, deed, right)
    except (ValueError, KeyError, TypeError, RecursionError):
        pass
    return None


@dataclass
class Row:
    """What one learner did with one exercise.

    Attributes:
        right, wrong, hints, solutions (int): how many there were of each.
        result (str): "right", "right with the solution", "wrong" or "not answered". A guess counts
            by its first answer.
    """

    result: str = "not answered"
    right: int = 0
    wrong: int = 0
    hints: int = 0
    solutions: int = 0

    def add(self, event: Event) -> None:
        """Count an event, which is the learner's latest."""
        self.hints += event.deed == "hint"
        self.solutions += event.deed == "solution"
        if event.right is None:
            return
        first = not self.right + self.wrong
        self.right += event.right is True
        self.wrong += event.right is False
        if event.deed == "guess":
            if first:
                self.result = "right" if event.right else "wrong"
        elif event.right and not self.result.startswith("right"):
            self.result = "right with the solution" if self.solutions else "right"
        elif first:
            self.result = "wrong"


def rows(found: Iterable[Event]) -> dict[tuple[str, str], Row]:
    """A row for each lesson and exercise, in the course's order."""
    table: dict[tuple[str, str], Row] = {}
    for event in found:
        table.setdefault((event.lesson, event.exercise), Row()).add(event)
    order = sorted(table, key=lambda key: (key[0], key[1][0], int(key[1][1:])))
    return {key: table[key] for key in order}


def copies_in(folder: Path) -> Iterator[tuple[str, Path]]:
    """The copies in a folder, or the folder itself, each with the learner's name.

    The name is the folder's: of the copy, or of what it is in if it is called `my-course`.
    """
    found = {folder} if is_copy(folder) or (folder / FILE).is_file() else set()
    for path in () if found else folder.rglob("*"):
        if path.is_dir() and (is_copy(path) or (path / FILE).is_file()):
            found.add(path)
    for path in sorted(found):
        named = path.resolve()
        name = (named.parent if named.name == DEFAULT else named).name
        yield name, path


def report(folders: Iterable[Path], out: TextIO, err: TextIO) -> None:
    """Write one CSV for all copies in some folders, and to `err` what could not be used."""
    table = csv.writer(out, lineterminator="\n")
    table.writerow(COLUMNS)
    for folder in folders:
        copies = list(copies_in(folder)) if folder.is_dir() else []
        if not copies:
            print(f"{folder}: no copy of the course is in it.", file=err)
        for learner, copy in copies:
            learner = _harmless(learner)
            try:
                found, broken = events(copy)
            except OSError as error:
                print(f"{learner}: {FILE} cannot be read ({error.strerror}).", file=err)
                continue
            if broken:
                print(f"{learner}: {broken} lines cannot be read.", file=err)
            if not found:
                print(f"{learner}: nothing is recorded yet.", file=err)
            for (lesson, exercise), row in rows(found).items():
                cells = (row.result, row.right, row.wrong, row.hints, row.solutions)
                table.writerow([learner, lesson, exercise, *cells])


def _harmless(name: str) -> str:
    """A name as a cell: never a formula, and in one line."""
    clean = "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in name)
    return f"'{clean}" if clean.lstrip().startswith(_FORMULA) else clean
