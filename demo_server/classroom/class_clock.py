"""One clock for the class: a teacher moves it, and every process of the server follows.

How far the clock is ahead is a number in the database, so it survives a restart:

- Each process reads it again when what it knows is older than `FRESH` seconds.
- A move takes effect `DELAY` seconds after it is written. That is longer than `FRESH`, so by then
  every process knows of it, and all of them switch at the same instant. If each switched as soon
  as it had read the move, one process would refuse the tokens of another as not yet valid.
- The clock only moves forward: a clock that is set back makes valid tokens "not valid yet".
- Moves are serialised: the next one waits until the last one has taken effect.

While the database is unreachable, a process keeps the last number that it has read.
"""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from typing import Any

from mongomock import DuplicateKeyError

from ..clock import Clock
from ..config import ServerConfig
from ..storage.database import ConnectionFailure, Database, guard_of, in_this_process

#: The largest step, in seconds.
MAX_STEP = 3600

#: Seconds after which a process reads the number again.
FRESH = 0.2

#: Seconds from the moment a move is written until it takes effect.
DELAY = 0.3

# Seconds that a request waits for another one that reads the number.
_PATIENCE = 0.1

_ID = "clock"


class ClassClock:
    """A clock that is ahead of another one, by a number of seconds in the database.

    Calling it returns seconds since the epoch. Any number of threads may do so.

    Args:
        database (Database): of mongomock or pymongo.
        clock (Clock): the time without any move.
    """

    def __init__(self, database: Database, clock: Clock) -> None:
        self._moves = database["class_clock"]
        self._guard = guard_of(database)
        self._clock = clock
        # A database in this process has no other one that must follow.
        self._delay = 0.0 if in_this_process(database) else DELAY
        self._reading = threading.Lock()
        start = {"_id": _ID, "ahead": 0, "before": 0, "since": 0.0}
        self._move: dict[str, Any] = start
        with suppress(DuplicateKeyError), self._guard:
            self._moves.insert_one(start)
        self._read()

    def __call__(self) -> float:
        """The class's time, in seconds since the epoch."""
        return self._clock() + self.ahead

    @property
    def ahead(self) -> float:
        """By how many seconds the clock has been moved."""
        if self._is_stale() and self._reading.acquire(timeout=_PATIENCE):
            try:
                if self._is_stale():
                    self._read()
            finally:
                self._reading.release()
        move = self._move
        ahead: float = move["ahead"] if move["since"] <= time.time() else move["before"]
        return ahead

    def advance(self, seconds: int) -> None:
        """Move the clock forward, and return when the move has taken effect everywhere.

        Args:
            seconds (int): from 1 to `MAX_STEP`.

        Raises:
            ValueError: it is not.
        """
        if not 1 <= seconds <= MAX_STEP:
            raise ValueError(f"seconds must be from 1 to {MAX_STEP}, not {seconds!r}")
        while not self._write(seconds):
            pass
        time.sleep(self._delay)
        with self._reading:
            self._read()

    def _write(self, seconds: int) -> bool:
        """Write a move, unless another one was faster; wait for one that has no effect yet."""
        with self._guard:
            last = self._moves.find_one({"_id": _ID})
        assert last is not None
        pending = last["since"] - time.time()
        if pending > 0:
            time.sleep(min(pending, DELAY))
            return False
        move = {
            "ahead": last["ahead"] + seconds,
            "before": last["ahead"],
            "since": time.time() + self._delay,
        }
        with self._guard:
            query = {"_id": _ID, "ahead": last["ahead"]}
            return self._moves.find_one_and_update(query, {"$set": move}) is not None

    def _is_stale(self) -> bool:
        return time.monotonic() - self._read_at > FRESH

    def _read(self) -> None:
        # The time before the question, which may take long.
        self._read_at = time.monotonic()
        with suppress(ConnectionFailure), self._guard:
            self._move = self._moves.find_one({"_id": _ID}) or self._move


def clock_for(config: ServerConfig, database: Database, clock: Clock) -> Clock:
    """The clock of a server: with `CLASS_CLOCK=1` a `ClassClock` over `clock`, else `clock` itself.

    A clock that is a `ClassClock` already is returned unchanged.
    """
    if not config.class_clock or isinstance(clock, ClassClock):
        return clock
    return ClassClock(database, clock)
