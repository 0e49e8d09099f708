"""The class log: the server's events, stored in the database for a teacher to watch.

Any number of processes write, and no reader misses an event:

- Events are numbered 1, 2, 3 … without gaps. A writer looks up the last number and inserts its
  batch from the next one on, in order. If another writer was faster, the unique index refuses;
  the writer looks again and renumbers the rest.
- So a number exists only after all smaller ones: an event that is stored late has a higher number
  than everything that could be read before. A reader asks for the events after its cursor, the
  number of the last event that it has seen.
- Each batch has a unique name. If the response to an insert is lost, the writer asks how much of
  the batch was stored, so nothing is stored twice.
- A query on a growing collection can return 8 without 7. At a gap the reader queries again: 7 was
  stored before 8, so what is still missing was deleted because it was old.
- Events are kept for a day, and no more of them than `Limits` says. When all of them are gone, the
  next process starts at 1 again; so a reader is sent back to 0 when its last event is gone and
  no event has followed.

The log believes nobody without a token or a password, and nobody can fill it:

- Only `STORED` events are stored: a valid signature or the right password proved who the user is.
- Refused logins prove nothing. They are counted for each registered user, next to the log.
- Each field has a limit, and so have the waiting and the stored events of one user and of all. So
  a user who floods the log pushes out their own events. The newest event always stays: the
  numbers continue from it.

Only the fields in `KEPT` are stored; tokens, fingerprints and passwords are not.
"""

from __future__ import annotations

import json
import logging
import os
import secrets
import threading
import time
from collections import Counter, deque
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any, NamedTuple

from mongomock import BulkWriteError  # type: ignore[attr-defined]

from ..clock import Clock
from ..storage.database import (
    ConnectionFailure,
    Database,
    clean_up,
    expiry,
    guard_of,
    in_this_process,
)
from ..storage.users import UserRepository

#: The events that are stored, if they name a user.
STORED = frozenset(
    {
        "login.accepted",
        "token.issued",
        "token.accepted",
        "token.rejected",
        "token.spent",
        "token.repeated",
        "reuse.detected",
        "family.revoked",
        "request.refused",
        "clock.advanced",
    }
)

#: The fields of an event that are stored.
KEPT = ("username", "correlation", "kind", "reason", "family", "iat", "exp", "seconds", "path")

#: Characters of a field; the rest is cut off.
MAX_FIELD = 128

#: The route that reads the log.
PATH = "/events"

#: The route that takes a report about the course.
PROGRESS_PATH = "/progress"

# A program asks for these by itself. Only a refusal is stored, or each read would add to the log.
_QUIET = (PATH, PROGRESS_PATH)

#: Seconds from an event until it is stored, together with those that follow meanwhile.
INTERVAL = 0.2

#: Events of one process, and of one user in it, that can wait. Further ones are dropped.
MAX_QUEUED = 10_000
MAX_QUEUED_OF_USER = 500

#: Users of one process whose refused logins wait to be counted. Further ones are dropped.
MAX_REFUSED = 1_000

#: Events in one batch, and in one response.
MAX_BATCH = 500

#: Bytes of the events in one response, as JSON.
MAX_RESPONSE = 256 * 1024


class Limits(NamedTuple):
    """How many events are stored: of all users, and of one user by one process."""

    all: int
    of_user: int


#: mongomock scans all events for a range of their numbers.
IN_PROCESS = Limits(2_000, 100)
IN_MONGODB = Limits(50_000, 1_000)

# Users whose events one process counts. The user who came first is forgotten first.
_MAX_USERS = 10_000

_DUPLICATE = 11000

# The fields of a document that are not part of the event.
_OWN = ("_id", "batch", "expires_at")

_log = logging.getLogger("demo_server")


class ClassEvents:
    """The stored events of one database."""

    def __init__(self, database: Database) -> None:
        self._events = database["class_events"]
        self._guard = guard_of(database)
        self._limits = IN_PROCESS if in_this_process(database) else IN_MONGODB
        # The numbers of each user's events that this process has stored, oldest first.
        self._of_user: dict[str, deque[int]] = {}
        self._gone: list[int] = []  # those to delete
        self._known = 0  # the last number that this process has seen
        with self._guard:
            self._events.create_index("seq", unique=True)
            self._events.create_index("batch")
        clean_up(database, "class_events")

    def append(self, batch: str, events: Sequence[Mapping[str, Any]], again: bool = False) -> None:
        """Store the events of a batch in order, each exactly once.

        Args:
            batch (str): its unique name.
            events (Sequence[Mapping]): as `ClassLog` builds them.
            again (bool): whether an earlier attempt got no response.
        """
        stored = self._stored(batch) if again else 0
        while stored < len(events):
            self._follow()
            documents = [
                {**event, "seq": number, "batch": batch, "expires_at": expiry(0)}
                for number, event in enumerate(events[stored:], self._known + 1)
            ]
            try:
                with self._guard:
                    self._events.insert_many(documents, ordered=True)
                self._known = documents[-1]["seq"]
                self._make_room(documents)
                return
            except BulkWriteError as error:
                if any(each["code"] != _DUPLICATE for each in error.details["writeErrors"]):
                    raise
                stored += error.details["nInserted"]

    def read(self, after: int, username: str | None = None) -> tuple[list[dict[str, Any]], int]:
        """The events after the cursor `after`, and the cursor for the next call.

        At most `MAX_BATCH` events and `MAX_RESPONSE` bytes.

        Args:
            after (int): 0 for the beginning.
            username (str | None): only this user's events; everyone's by default.
        """
        found = self._find({"$gt": after})
        if not found:
            return [], (after if after == 0 or self._find({"$gte": after}) else 0)
        cursor = found[-1]["seq"]
        if cursor - after != len(found):
            found = self._find({"$gt": after, "$lte": cursor})
        events: list[dict[str, Any]] = []
        size, cursor = 0, after
        for event in found:
            if username is None or event.get("username") == username:
                shown = {name: value for name, value in event.items() if name not in _OWN}
                size += len(json.dumps(shown))
                if events and size > MAX_RESPONSE:
                    break
                events.append(shown)
            cursor = event["seq"]
        return events, cursor

    def _make_room(self, stored: Sequence[Mapping[str, Any]]) -> None:
        """Delete the oldest events beyond the limits; never the newest one."""
        for event in stored:
            numbers = self._of_user.setdefault(event.get("username", ""), deque())
            numbers.append(event["seq"])
            if len(numbers) > self._limits.of_user:
                self._gone.append(numbers.popleft())
        while len(self._of_user) > _MAX_USERS:
            del self._of_user[next(iter(self._of_user))]
        # The batch is stored, so it must not be tried again. What could not be deleted is deleted
        # with the next batch.
        with suppress(ConnectionFailure), self._guard:
            self._events.delete_many({"seq": {"$lte": stored[-1]["seq"] - self._limits.all}})
            if self._gone:
                self._events.delete_many({"seq": {"$in": self._gone}})
                self._gone.clear()

    def _find(self, numbers: Mapping[str, int]) -> list[dict[str, Any]]:
        with self._guard:
            return list(self._events.find({"seq": numbers}).sort("seq", 1).limit(MAX_BATCH))

    def _follow(self) -> None:
        """Find the last number, starting at the last known one: other processes write too."""
        if not self._known:
            with self._guard:
                newest = list(self._events.find({}, {"seq": 1}).sort("seq", -1).limit(1))
            self._known = newest[0]["seq"] if newest else 0
        while found := self._find({"$gt": self._known}):
            self._known = found[-1]["seq"]

    def _stored(self, batch: str) -> int:
        with self._guard:
            return len(list(self._events.find({"batch": batch}, {"seq": 1})))


class ClassLog:
    """Queues the events of this process and stores them from a background thread.

    Args:
        database (Database): of mongomock or pymongo.
        clock (Clock): the time of an event, in seconds since the epoch.

    Attributes:
        dropped (int): the number of events and refused logins for which there was no room.

    The thread exits when there is nothing to store.
    """

    def __init__(self, database: Database, clock: Clock = time.time) -> None:
        self.dropped = 0
        self._events = ClassEvents(database)
        self._users = UserRepository(database)
        self._clock = clock
        self._queue: deque[dict[str, Any]] = deque()
        self._queued_of: Counter[str] = Counter()
        self._refused: Counter[str] = Counter()
        # The batch being stored. It stays here until the database has confirmed it.
        self._batch: list[dict[str, Any]] = []
        self._name = ""
        self._queueing = threading.Lock()
        self._storing = threading.Lock()
        self._thread: threading.Thread | None = None

    def emit(self, name: str, /, **fields: Any) -> None:
        """Queue an event of a proven user, or count a refused login; ignore all others.

        The request does not wait for the database.
        """
        kept = {field: _bounded(fields[field]) for field in KEPT if field in fields}
        username = kept.get("username")
        if not isinstance(username, str):
            return
        refused_login = name in ("login.refused", "login.throttled")
        quiet = fields.get("path") in _QUIET and name == "token.accepted"
        if refused_login:
            if fields.get("reason") == "user_unknown":
                return
        elif name not in STORED or quiet:
            return
        event = {"at": self._clock(), "name": name, "worker": os.getpid(), **kept}
        with self._queueing:
            if not (self._count(username) if refused_login else self._enqueue(username, event)):
                self.dropped += 1
                return
            if self._thread is None:
                self._start()

    def _start(self) -> None:
        """Start the thread, and publish it only once it runs. The caller holds `_queueing`."""
        thread = threading.Thread(target=self._run, name="class log", daemon=True)
        try:
            thread.start()
        except RuntimeError:  # no thread for a moment: the next event tries again
            _log.warning("The class log cannot start its thread yet")
        else:
            self._thread = thread

    def _enqueue(self, username: str, event: dict[str, Any]) -> bool:
        """Queue an event; return whether there was room."""
        if len(self._queue) >= MAX_QUEUED or self._queued_of[username] >= MAX_QUEUED_OF_USER:
            return False
        self._queue.append(event)
        self._queued_of[username] += 1
        return True

    def _count(self, username: str) -> bool:
        """Count a refused login; return whether there was room."""
        if username not in self._refused and len(self._refused) >= MAX_REFUSED:
            return False
        self._refused[username] += 1
        return True

    def flush(self) -> None:
        """Store all queued events and refused logins.

        Raises:
            Exception: the database refuses them now. Nothing is lost: call again.
        """
        with self._storing:
            again = bool(self._batch)
            while self._batch or self._take():
                self._events.append(self._name, self._batch, again)
                self._batch, again = [], False
            self._store_refused()

    def _take(self) -> bool:
        """Make a batch of the queued events; return whether there are any."""
        with self._queueing:
            size = min(len(self._queue), MAX_BATCH)
            self._batch = [self._queue.popleft() for _ in range(size)]
            self._queued_of -= Counter(event["username"] for event in self._batch)
        self._name = secrets.token_hex(8)
        return bool(self._batch)

    def _store_refused(self) -> None:
        while True:
            with self._queueing:
                if not self._refused:
                    return
                username, times = self._refused.popitem()
            try:
                self._users.count_refused_logins(username, times)
            except BaseException:
                # If only the response was lost, these are counted twice.
                with self._queueing:
                    self._refused[username] += times
                raise

    def _run(self) -> None:
        failing = False
        while True:
            time.sleep(INTERVAL)
            try:
                self.flush()
                failing = False
            except Exception as error:
                if not failing:
                    _log.warning(
                        "The class log cannot store its events yet (%s)", type(error).__name__
                    )
                failing = True
                continue
            with self._queueing:
                if not self._queue and not self._refused:
                    self._thread = None
                    return


def _bounded(value: object) -> str | float | None:
    """The value of a field as it is stored: a short text or a finite number, otherwise None."""
    if isinstance(value, str):
        # MongoDB refuses half of a surrogate pair, and the batch with it.
        return value[:MAX_FIELD].encode(errors="replace").decode()
    if isinstance(value, int | float) and abs(value) < 2**53:  # NaN is not, and no infinity
        return value
    return None
