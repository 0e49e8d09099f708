"""The numbers of calls, which the log, the sequence and the timeline share.

A log's first call is 1, and its refresh and its retry belong to it: see `is_call`.
"""

from __future__ import annotations

from collections.abc import Iterable

from .event import Event, is_call

#: Calls whose number is remembered. Of older ones no event arrives any more.
REMEMBERED = 10_000


class CallNumbers:
    """Numbers calls in the order in which they begin."""

    def __init__(self) -> None:
        self._seen = 0  # the last event's `seq`
        self._count = 0
        self._numbers: dict[str, int] = {}  # by correlation

    def of(self, event: Event, log: Iterable[Event] = ()) -> int | None:
        """The number of the call that an event belongs to; None if it belongs to no call.

        Args:
            event (Event): the next one; each event is asked for once and in order.
            log (Iterable[Event]): where to look up the events before it that were not asked for.
        """
        if event.seq > self._seen + 1:
            for earlier in log:
                if self._seen < earlier.seq < event.seq:
                    self._count_in(earlier)
        self._count_in(event)
        return None if event.correlation is None else self._numbers.get(event.correlation)

    def _count_in(self, event: Event) -> None:
        self._seen = event.seq
        if event.correlation is not None and is_call(event):
            self._count += 1
            self._numbers[event.correlation] = self._count
            if len(self._numbers) > REMEMBERED:
                del self._numbers[next(iter(self._numbers))]
