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
- Events are kept for a day, in mongomock the last `MAX_IN_PROCESS`. When all of them are gone, the
  next process starts at 1 again; so a reader is sent back to 0 when its last event is gone and
  no event has followed.

Only the fields in `KEPT` are stored; tokens, fingerprints and passwords are not.
"""

from __future__ import annotations

import logging
import os
import secrets
import threading
import time
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any

from mongomock import BulkWriteError  # type: ignore[attr-defined]

from .clock import Clock
from .database import Database, clean_up, expiry, guard_of, in_this_process

#: The fields of an event that are stored.
KEPT = ("username", "kind", "reason", "family", "iat", "exp", "wait", "path")

#: The route that reads the log. Its own events are not stored, or each read would add to the log.
PATH = "/events"

#: Seconds from an event until it is stored, together with those that follow meanwhile.
INTERVAL = 0.2

#: Events of one process that can wait to be stored. Further ones are dropped.
MAX_QUEUED = 10_000

#: Events in one batch, and in one response.
MAX_BATCH = 500

#: Events that mongomock keeps: it scans all of them at each operation.
MAX_IN_PROCESS = 2_000

_DUPLICATE = 11000

# The fields of a document that are not part of the event.
_OWN = ("_id", "batch", "expires_at")

_log = logging.getLogger("demo_server")


class ClassEvents:
    """The stored events of one database."""

    def __init__(self, database: Database) -> None:
        self._events = database["class_events"]
        self._guard = guard_of(database)
        self._bounded = in_this_process(database)
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
                    if self._bounded:
                        oldest = documents[-1]["seq"] - MAX_IN_PROCESS
                        self._events.delete_many({"seq": {"$lte": oldest}})
                self._known = documents[-1]["seq"]
                return
            except BulkWriteError as error:
                if any(each["code"] != _DUPLICATE for each in error.details["writeErrors"]):
                    raise
                stored += error.details["nInserted"]

    def read(self, after: int, username: str | None = None) -> tuple[list[dict[str, Any]], int]:
        """The events after the cursor `after`, and the cursor for the next call.

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
        events = [
            {name: value for name, value in event.items() if name not in _OWN}
            for event in found
            if username is None or event.get("username") == username
        ]
        return events, cursor

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
        dropped (int): the number of events for which there was no room.

    The thread exits when there is nothing to store.
    """

    def __init__(self, database: Database, clock: Clock = time.time) -> None:
        self.dropped = 0
        self._events = ClassEvents(database)
        self._clock = clock
        self._queue: deque[dict[str, Any]] = deque()
        # The batch being stored. It stays here until the database has confirmed it.
        self._batch: list[dict[str, Any]] = []
        self._name = ""
        self._queueing = threading.Lock()
        self._storing = threading.Lock()
        self._thread: threading.Thread | None = None

    def emit(self, name: str, /, **fields: Any) -> None:
        """Queue an event. The request does not wait for the database."""
        if fields.get("path") == PATH:
            return
        kept = {field: fields[field] for field in KEPT if field in fields}
        event = {"at": self._clock(), "name": name, "worker": os.getpid(), **kept}
        with self._queueing:
            if len(self._queue) >= MAX_QUEUED:
                self.dropped += 1
                return
            self._queue.append(event)
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

    def flush(self) -> None:
        """Store all queued events.

        Raises:
            Exception: the database refuses them now. Nothing is lost: call again.
        """
        with self._storing:
            again = bool(self._batch)
            while self._batch or self._take():
                self._events.append(self._name, self._batch, again)
                self._batch, again = [], False

    def _take(self) -> bool:
        """Make a batch of the queued events; return whether there are any."""
        with self._queueing:
            size = min(len(self._queue), MAX_BATCH)
            self._batch = [self._queue.popleft() for _ in range(size)]
        self._name = secrets.token_hex(8)
        return bool(self._batch)

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
                if not self._queue:
                    self._thread = None
                    return
