"""One stream of typed events, the only record of what happened.

The panel's log, a lesson's checks and the tests all read it. Nothing flows back from it into the
client or the server.

- An event is a fact in the past and never changes.
- `seq` counts from 1 without gaps. A bounded log drops its oldest events and counts them.
- A field never holds a token, a password or a hash. A token is named by its fingerprint (field
  `token`), its `iat` and its `exp`.
"""

from __future__ import annotations

import json
import logging
import os
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from functools import partial
from itertools import chain
from types import MappingProxyType
from typing import Any, Protocol, TypeAlias
from weakref import WeakSet, finalize, ref

from ..clock import Clock, MovableClock, check_clock
from ..errors import TraceError
from .event import LIMIT, Event, action_named
from .mermaid import to_mermaid
from .trace_file import Found, events_of_har, events_of_jsonl

_logger = logging.getLogger("client_widget")


#: Seconds of a pause while another thread is recording, and how many pauses at most.
PAUSE, PAUSES = 0.001, 200

# `Event(*values)` calls a constructor that is written in Python. `_new(Event, values)` makes the
# same in half the time.
_new = tuple.__new__

Subscriber: TypeAlias = Callable[[Event], object]


#: All logs, to give them new locks in a child process: a thread that held one is not in it.
_logs: WeakSet[EventLog] = WeakSet()


def _unlock_all() -> None:
    for log in _logs:
        log._lock = threading.RLock()
        log._busy = False
        log._teller = 0


if hasattr(os, "register_at_fork"):  # not on Windows, which has no fork
    os.register_at_fork(after_in_child=_unlock_all)


class Emit(Protocol):
    """Records an event of one source; `correlation` may be among the fields."""

    def __call__(self, name: str, /, **fields: Any) -> object: ...


class EventLog:
    """Events in the order in which they were recorded.

    Args:
        clock (Clock): returns seconds since the epoch. If it can be moved, the log follows it.
        limit (int): how many events to keep; older ones are dropped and counted.

    Raises:
        ValueError: `limit` is not 1 or more.
        TypeError: `clock` cannot be called.

    Safe under threads. Iteration and `list(log)` see a snapshot.
    """

    def __init__(self, *, clock: Clock = time.time, limit: int = 100_000) -> None:
        if type(limit) is not int or not 1 <= limit <= sys.maxsize:
            raise ValueError(f"limit must be a whole number, 1 or more, not {limit!r:.40}")
        check_clock(clock)
        self._clock = clock
        self._limit = limit
        self._events: deque[Event] = deque(maxlen=limit)
        self._seq = 0  # of the last event
        # The index: the events of each correlation by `seq`, and the correlations of each action.
        # So an action costs what it holds and not what the log holds.
        self._index: dict[str, dict[int, Event]] = {}
        self._actions: dict[str, dict[str, dict[int, Event]]] = {}
        self._last = ""  # the last correlation
        # The numbers of the calls, by the `seq` of the event that begins each, and the last one.
        self._calls: dict[int, int] = {}
        self._call_of: dict[str, int] = {}  # the same by correlation, for the other events
        self._last_call = 0
        self._subscribers: tuple[Subscriber, ...] = ()
        # A subscriber may read the log, so the lock can be taken again by its holder.
        self._lock = threading.RLock()
        # Whether a thread is recording. After an interrupt it is wrong until the next event, which
        # costs a pause.
        self._busy = False
        self._teller = 0  # the thread that calls subscribers
        self._followed: WeakSet[MovableClock] = WeakSet()
        _logs.add(self)
        self.follow(clock)

    @staticmethod
    def from_jsonl(source: str | os.PathLike[str]) -> Trace:
        """The log in a file of `to_jsonl`: the same events, with the same numbers and times.

        A line that is no event is skipped and counted. Tokens are masked, even if someone put
        them into the file.

        Args:
            source (str | os.PathLike): the path of the file, or its text.

        Raises:
            TraceError: the file cannot be read, is larger than 32 MB, or holds no event.
        """
        return Trace(events_of_jsonl(source))

    @staticmethod
    def from_har(source: str | os.PathLike[str]) -> Trace:
        """The messages in a HAR 1.2 file, such as a browser's network tab exports.

        Each message is a `request.sent` and a `response.received` of the source "browser". A login
        that returned tokens is a `session.started`, a refresh a `token.refreshed`. Messages with
        one `X-Request-ID` are one action; without it the order decides. Credentials are masked as
        they are read, and the log holds nothing else of them.

        Args:
            source (str | os.PathLike): the path of the file, or its text.

        Raises:
            TraceError: the file cannot be read, is larger than 32 MB, or is no HAR file.
        """
        return Trace(events_of_har(source))

    def record(
        self, name: str, /, *, source: str, correlation: str | None = None, **fields: Any
    ) -> Event:
        """Add an event, call the subscribers, and return the event.

        Args:
            name (str): such as "request.sent".
            source (str): who states it, such as "client".
            correlation (str | None): the id of the user action that caused it, if one did.
            fields: the rest, JSON-serialisable. No value may hold a token or a password.
        """
        frozen = MappingProxyType(fields)
        if self._busy:
            self._pause()
        with self._lock:
            self._busy = True
            if len(self._events) == self._limit:
                self._leave_index(self._events[0])
            seq = self._seq + 1
            event = _new(Event, (seq, self._clock(), source, name, correlation, frozen))
            # The same as `is_call(event)`; a call of Python for each event would be noticed.
            begins = name == "request.sent" and fields.get("purpose") != "refresh"
            if correlation:
                indexed = self._index.get(correlation)
                if indexed is None:
                    indexed = self._enter_index(correlation)
                # Index and log agree even after Ctrl-C or a fork: Python handles a signal, and
                # changes threads, after a call, and there is none from here to `append`.
                indexed[seq] = event
                self._last = correlation
            if begins:
                self._calls[seq] = self._last_call = self._last_call + 1
                if correlation:
                    self._call_of[correlation] = self._last_call
            self._seq = seq
            self._events.append(event)
            if self._subscribers:
                self._tell(event)
            self._busy = False
        return event

    def _tell(self, event: Event) -> None:
        """Call the subscribers. The lock is held."""
        self._teller = threading.get_ident()
        try:
            for subscriber in self._subscribers:
                try:
                    subscriber(event)
                except Exception:
                    # A broken listener must not break the request that it listens to.
                    _logger.exception("A subscriber failed on %s", event.name)
        finally:
            self._teller = 0

    @property
    def is_telling(self) -> bool:
        """Whether this thread is in a subscriber of the log, so that no other thread can record."""
        return self._teller == threading.get_ident()

    def follow(self, clock: Clock) -> None:
        """Record each move of a clock as `clock.advanced`, also one that a cell makes.

        A second call with the same clock, or one with a clock that cannot be moved, does nothing.
        """
        with self._lock:
            if not isinstance(clock, MovableClock) or clock in self._followed:
                return
            self._followed.add(clock)
        me = ref(self)

        def moved(seconds: float) -> None:
            log = me()  # the clock does not keep the log alive
            if log is not None:
                log.record("clock.advanced", source="clock", seconds=seconds)

        finalize(self, clock.subscribe(moved)).atexit = False

    def emitter(self, source: str) -> Emit:
        """`emit(name, **fields)` bound to a source; `correlation` is among the keywords."""
        return partial(self.record, source=source)

    def subscribe(self, subscriber: Subscriber, *, replay: bool = False) -> Callable[[], None]:
        """Call `subscriber(event)` for each event from now on; returns a function that stops it.

        The call runs in the recording thread under the log's lock, so that events arrive in
        order. It must be quick, must not wait, and must not record.

        Args:
            subscriber: is called with each event.
            replay (bool): call it with the events so far first, so that it misses none.

        Raises:
            TypeError: `subscriber` cannot be called.
        """
        if not callable(subscriber):
            kind = type(subscriber).__name__
            raise TypeError(
                f"subscriber must be a function of an event, not a value of type {kind}"
            )
        with self._lock:
            for event in self._events if replay else ():
                subscriber(event)
            self._subscribers += (subscriber,)

        def unsubscribe() -> None:
            with self._lock:
                self._subscribers = tuple(s for s in self._subscribers if s is not subscriber)

        return unsubscribe

    def action(self, correlation: str | None = None) -> list[Event]:
        """The events of one user action, with all its calls; of the last action by default.

        Args:
            correlation (str | None): the action's, or that of one of its calls.
        """
        with self._lock:
            wanted = action_named(self._last) if correlation is None else correlation
            if "." in wanted:
                return list(self._index.get(wanted, {}).values())
            calls = self._actions.get(wanted, {}).values()
            return sorted(chain.from_iterable(events.values() for events in calls))

    def call_number(self, event: Event) -> int:
        """The number of the call that `event` belongs to: 1 for the first call ever recorded.

        The log, the sequence and the timeline call it by this number. The refresh and the retry
        of a call belong to it. Returns 0 if the log holds no such call.
        """
        return self._calls.get(event.seq) or self._call_of.get(event.correlation or "", 0)

    def to_jsonl(self) -> str:
        """The events as JSON, one a line, oldest first."""
        return "".join(json.dumps(event.as_dict(), default=str) + "\n" for event in self)

    def to_mermaid(self, correlation: str | None = None, *, limit: int = LIMIT) -> str:
        """The Mermaid sequence diagram of one user action; of the whole log, if none is named.

        Args:
            correlation (str | None): the action's.
            limit (int): how many events to draw at most, the last ones.
        """
        chosen = list(self) if correlation is None else self.action(correlation)
        return to_mermaid(chosen, number=self.call_number, limit=limit)

    def to_svg(
        self,
        correlation: str | None = None,
        *,
        held: str = "",
        limit: int = LIMIT,
        apart: bool = False,
    ) -> str:
        """The same as an SVG picture, for `IPython.display.SVG`, a file or a page.

        Args:
            correlation (str | None): the action's; the whole log, if none is named.
            held (str): the message that waits in step mode, such as "GET /home (call)".
            limit (int): how many events to draw at most, the last ones.
            apart (bool): draw calls made at once apart, each in its own lane.
        """
        # Its library takes a third of a second to import.
        from .pictures.sequence import sequence

        chosen = list(self) if correlation is None else self.action(correlation)
        return sequence(chosen, number=self.call_number, held=held, limit=limit, apart=apart)

    @property
    def dropped(self) -> int:
        """How many events were dropped."""
        with self._lock:
            return self._seq - len(self._events)

    def _pause(self) -> None:
        """Let the thread that records go on for a while.

        Threads that queue for a lock take it in turns, with a thread switch for each event. After a
        pause the other thread has recorded many events, or is done. If it has recorded none, then
        a subscriber is slow or `_busy` is wrong, and this thread takes the lock as usual.
        """
        for _ in range(PAUSES):
            before = self._seq
            time.sleep(PAUSE)
            if not self._busy or self._seq == before:
                break

    def _enter_index(self, correlation: str) -> dict[int, Event]:
        """Make room in the index for the events of a new correlation. The lock is held."""
        events: dict[int, Event] = {}
        self._actions.setdefault(action_named(correlation), {})[correlation] = events
        self._index[correlation] = events
        return events

    def _leave_index(self, event: Event) -> None:
        """Take an event that is about to be dropped out of the index. The lock is held.

        After Ctrl-C in it, the next event does it again.
        """
        seq, correlation = event.seq, event.correlation or ""
        number = self._calls.pop(seq, None)
        if number is not None and self._call_of.get(correlation) == number:
            del self._call_of[correlation]
        events = self._index.get(correlation)
        if events is None:
            return
        events.pop(seq, None)
        if not events:
            action = action_named(correlation)
            calls = self._actions.get(action, {})
            calls.pop(correlation, None)
            if not calls:
                self._actions.pop(action, None)
            del self._index[correlation]

    def __iter__(self) -> Iterator[Event]:
        with self._lock:
            return iter(tuple(self._events))

    def __len__(self) -> int:
        return len(self._events)

    def __repr__(self) -> str:
        return f"<EventLog, {len(self)} events, {self.dropped} dropped>"


class Trace(EventLog):
    """A log that was read from a file. It is complete: nothing can be recorded into it.

    Any view draws it: `LogView(trace)`, `DiagramView(trace)`, `TokenTimeline(trace)`.

    Args:
        found (Found): what the file holds.

    Attributes:
        skipped (int): lines or messages of the file that could not be read.
        base_url (str): the server, such as "http://127.0.0.1:8000"; a placeholder if the file
            does not say.
    """

    def __init__(self, found: Found) -> None:
        self._now = 0.0
        super().__init__(clock=self.clock)
        self.skipped = found.skipped
        self.base_url = found.base_url
        for event in found.events:
            self._seq, self._now = event.seq - 1, event.at
            super().record(
                event.name, source=event.source, correlation=event.correlation, **event.fields
            )

    def clock(self) -> float:
        """The time of the last event, in seconds since the epoch: a trace stands still."""
        return self._now

    def record(
        self, name: str, /, *, source: str, correlation: str | None = None, **fields: Any
    ) -> Event:
        """Refused.

        Raises:
            TraceError: always.
        """
        raise TraceError("This log was read from a file, so nothing can be recorded into it")

    def __repr__(self) -> str:
        return f"<Trace, {len(self)} events, {self.skipped} skipped>"
